"""Small mutations of the core, taken by chance, and how many live: no test that runs their line fails.

Which test runs which line is found once (`touched.py`, some minutes); a mutation then costs about a second. Those that
change nothing that anybody could see are in `equivalent.toml`, by the line they change, with the reason, and do not count.
"""

import json
import random
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.mutants.small import mutations
from tests.mutants.tree import changed
from tests.mutants.trial import FINE, environment_of

ROOMS = ("model", "store", "sync", "replica", "board", "transfer")
TESTS = (*ROOMS, "ical", "handheld", "web", "daemon")  # what belongs to the core is also noticed in rooms that build on it
NOT_HELD = {"tuning.py"}  # measured by benches: another number there is another measure, not a fault
MOST_S = 20.0  # of processor time, for the tests of one mutation: a third of the minute in which a mistake should show
EQUIVALENT = Path(__file__).parent / "equivalent.toml"


def table_for(tree: Path, kept: Path | None) -> dict:
    """Which test runs which line: read where it was kept, else found, and kept there."""
    file = tree.parent / f"{tree.name}-touched.json" if kept is None else kept
    if not file.exists():
        print("which test runs which line: some minutes ...", flush=True)
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "--quick", "--tb=no", "-p", "tests.mutants.touched"]
        subprocess.run([*command, "--touched", file.absolute(), *(f"tests/{room}" for room in TESTS)], cwd=tree,
                       env=environment_of(tree), stdout=subprocess.DEVNULL)
    table = json.loads(file.read_text())
    if kept is None:
        file.unlink()
    return table


def places(tree: Path) -> list[tuple]:
    """(file, its text, mutation): all there are."""
    found = []
    for room in ROOMS:
        for path in sorted((tree / "node" / room).rglob("*.py")):
            if path.name not in NOT_HELD:
                text = path.read_text(encoding="utf-8")
                found += [(str(path.relative_to(tree)), text, mutation) for mutation in mutations(text)]
    return found


def tests_for(table: dict, file: str, line: int) -> list[str]:
    """The tests that run a line, those of its own room first, quick ones first, as many as fit into the minute.

    A line that is run when its module is read is everybody's who runs any other line of it.
    """
    lines = table["lines"].get(file, {})
    numbers = set(lines.get(str(line), ())) or {number for numbers in lines.values() for number in numbers}
    room = f"tests/{file.split('/')[1]}/"
    told = sorted((not test.startswith(room), took_s, test) for test, took_s in map(table["tests"].__getitem__, numbers))
    wanted, left_s = [], MOST_S
    for _, took_s, test in told:
        left_s -= took_s
        if left_s < 0 and wanted:
            break
        wanted.append(test)
    return wanted


def equivalents() -> dict[tuple[str, str, str], str]:
    """(file, line before, line after) -> why nobody could tell."""
    told = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return {tuple(place): reason for reason, several in told.items() for place in several.values()}


def sample(tree: Path, trials, table: dict, count: int, seed: int) -> bool:
    """Try so many; whether fewer than 5 of 100 live."""
    every, known = places(tree), equivalents()
    tried = random.Random(seed).sample(every, min(count, len(every)))
    alive, same = [], 0
    for number, (file, text, mutation) in enumerate(tried, 1):
        before, after = mutation.shown(text)
        if (file, before, after) in known:
            same += 1
            continue
        tests = tests_for(table, file, mutation.line)
        with changed(tree / file, mutation.applied(text)):
            result = trials.run(tests) if tests else {"code": FINE, "took_s": 0, "noticed": ""}
        lives = result["code"] == FINE
        alive += [file] if lives else []
        print(f"{number} {'LIVES' if lives else 'ok   '} {file}:{mutation.line}  {result['took_s']:.1f} s  "
              f"{result['noticed']}\n      - {before}\n      + {after}", flush=True)
    shutil.rmtree(tree / ".hypothesis", ignore_errors=True)
    rate = len(alive) / max(len(tried) - same, 1)
    print(json.dumps({"mutations": len(every), "tried": len(tried), "seed": seed, "equivalent": same, "alive": len(alive),
                      "rate": round(rate, 4)}))
    return rate < 0.05

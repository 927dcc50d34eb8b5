"""Small mutations for some minutes: python -m tests.mutants.passing [--minutes N] [--seed S]

Each is tried with the quick tests of its own room that import the mutated module, so that nothing has to be measured
first; more live than in `python -m tests.mutants --sample`, and how many do is told, no fault. Exit status 1 if tests fail
where nothing is mutated.
"""

import argparse
import random
import sys
import tempfile
import time
from contextlib import closing
from functools import cache
from pathlib import Path

from tests.mutants.sampled import equivalents, places
from tests.mutants.tree import changed, copy_into
from tests.mutants.trial import FINE, Trials

MOST_S = 30.0  # of processor time, for one test
MOST_FILES = 3


def tests_of(tree, file):
    """Files of tests in its room that import a module, the one named after it first."""
    room, module = file.split("/")[1], file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    found = [path for path in sorted((tree / "tests" / room).rglob("test_*.py"))
             if f"from {module} import" in path.read_text(encoding="utf-8")]
    found.sort(key=lambda path: (path.stem != f"test_{module.rpartition('.')[2]}", path.stat().st_size))
    return tuple(str(path.relative_to(tree)) for path in found[:MOST_FILES])


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.passing", description=__doc__.split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    until, rng = time.monotonic() + 60 * asked.minutes, random.Random(asked.seed)
    known, killed, alive = equivalents(), 0, []
    with tempfile.TemporaryDirectory(prefix="archipel-mutants-") as folder:
        tree = Path(folder)
        copy_into(tree)
        every = places(tree)
        with closing(Trials(tree)) as trials:
            passes = cache(lambda tests: trials.run(["--quick", *tests], plain=True, limit_s=MOST_S))
            while time.monotonic() < until:
                file, text, mutation = rng.choice(every)
                before, after = mutation.shown(text)
                tests = tests_of(tree, file)
                if not tests or (file, before, after) in known:
                    continue
                if (plain := passes(tests))["code"] != FINE:
                    sys.exit(f"{' '.join(tests)} fail as things are: {plain['noticed']}")
                with changed(tree / file, mutation.applied(text)):
                    lives = trials.run(["--quick", *tests], limit_s=MOST_S)["code"] == FINE
                killed += not lives
                if lives:
                    alive.append(f"{file}:{mutation.line}: {before} -> {after}")
    for one in alive:
        print(f"lives among the tests of its room: {one}")
    print(f"{killed + len(alive)} small mutations: {killed} killed, {len(alive)} lived")


if __name__ == "__main__":
    main()

"""Fuzzing by coverage: python -m tests.fuzz [TARGET...] [--seconds N] | --coverage | --prune

Each target of tests/fuzz/targets/ gets inputs that libFuzzer (atheris) makes of its corpus and of good input. What breaks
one goes to tests/fuzz/found/TARGET/ and is replayed by the suite from then on; exit status 1. What takes new branches is
kept in tests/fuzz/corpus/TARGET/, the shortest inputs only. --passing: neither; what breaks one is printed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from tests.fuzz import kinds
from tests.fuzz.pruning import pruned

INPUT_S, INPUT_MB = 60, 1_500
"""What one input may take: by the clock of a machine with other work; libraries, models and the fuzzer's own tables are
among the memory."""
GOAL = 95  # percent of branches


def main():
    """Exit status 1 when a target was broken, or does not reach the goal."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(kinds.names()))
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, default=0, help="libFuzzer's (0: another one each time)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="targets at a time")
    parser.add_argument("--passing", action="store_true", help="change no file of the tree")
    parser.add_argument("--coverage", action="store_true", help="print how many branches each corpus takes")
    parser.add_argument("--prune", action="store_true", help="keep of each corpus and of the seeds what takes a branch")
    asked = parser.parse_args()
    chosen = asked.targets or kinds.names()
    if unknown := set(chosen) - set(kinds.names()):
        parser.error(f"no target {', '.join(sorted(unknown))}; there are: {', '.join(kinds.names())}")
    if asked.coverage:
        return 0 if all([shown(name) for name in chosen]) else 1
    if asked.prune:
        for name in chosen:
            keep(name, [])
        return 0
    with ThreadPoolExecutor(asked.jobs) as pool:
        return 0 if all(list(pool.map(lambda name: fuzzed(name, asked), chosen))) else 1


def fuzzed(name, asked):
    """Whether a target stood it; its corpus is what it was and what was found new, unless this is but a passing look."""
    with tempfile.TemporaryDirectory() as folder:
        corpus, broken = Path(folder) / "corpus", Path(folder) / "broken"
        corpus.mkdir()
        broken.mkdir()
        target = kinds.target(name)
        for octets in [*kinds.inputs(name), *target.seeds()]:
            if len(octets) <= target.most:
                put(corpus, octets)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{"".join(f"{chr(92)}x{octet:02x}" for octet in word)}"\n' for word in target.words))
        done = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.guided", name, str(corpus), f"-max_total_time={asked.seconds}",
             f"-seed={asked.seed}", f"-timeout={INPUT_S}", f"-rss_limit_mb={INPUT_MB}", f"-malloc_limit_mb={INPUT_MB}",
             f"-max_len={target.most}", f"-artifact_prefix={broken}/", "-print_final_stats=1", "-use_value_profile=1",
             *([f"-dict={words}"] if target.words else [])],
            cwd=kinds.ROOT, capture_output=True, text=True, errors="replace")
        told = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
        found = [path.read_bytes() for path in sorted(broken.iterdir())]
        if asked.passing:
            new = f"{told.get('new_units_added', '?'):>4} that take new ways"
        else:
            for octets in found:
                put(kinds.FOUND / name, octets)
            kept = keep(name, [path.read_bytes() for path in corpus.iterdir()]) if not done.returncode else 0
            new = f"{kept:4} kept that are new"
    print(f"{name:14} {told.get('number_of_executed_units', '?'):>9} inputs {new}"
          + (f"  BROKEN: {' '.join(octets.hex() for octets in found)} {traceback_in(done.stdout + done.stderr)}"
             if done.returncode else ""), flush=True)
    return not done.returncode


def traceback_in(said):
    """The end of what a broken target said."""
    found = re.search(r"=== Uncaught Python exception: ===\n(.*?)(?=\n\n|\n==|\Z)", said, re.S)
    return "\n" + (found[1] if found else said[-2_000:])


def keep(name, more):
    """Write the corpus of a target anew, out of what it was, its seeds and `more`; how many inputs are new."""
    target, folder = kinds.target(name), kinds.CORPUS / name
    old = [path.read_bytes() for path in folder.glob("*")]
    some = [octets for octets in [*old, *target.seeds(), *more] if len(octets) <= target.most]
    kept = pruned(target, whole(target, name, some))
    for path in folder.glob("*"):
        path.unlink()
    for octets in kept:
        put(folder, octets)
    return len(set(kept) - set(old))


def whole(target, name, inputs):
    """Those that break nothing; the others are put where the suite finds them."""
    for octets in inputs:
        try:
            target.run(octets)
        except Exception as error:
            put(kinds.FOUND / name, octets)
            print(f"{name:14} BROKEN by {octets[:60]!r}: {error!r}")
        else:
            yield octets


def put(folder, octets):
    """A file for these octets, named by them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sha256(octets).hexdigest()[:12]).write_bytes(octets)


def shown(name):
    """Print a line for each file that a target reads; whether it reaches the goal."""
    done = subprocess.run([sys.executable, "-m", "tests.fuzz.measured", name], cwd=kinds.ROOT, capture_output=True,
                          text=True)
    if done.returncode:
        print(f"{name:14} {done.stderr[-2_000:]}")
        return False
    files = json.loads(done.stdout.splitlines()[-1])
    branches, taken = (sum(told[what] for told in files.values()) for what in ("branches", "taken"))
    percent = 100 * taken / branches if branches else 100
    count, size = len(kinds.inputs(name)), sum(map(len, kinds.inputs(name)))
    print(f"{name:14} {taken:4} of {branches:4} branches {percent:6.1f} %  {count:4} inputs {size:7} B", flush=True)
    for file, told in files.items():
        if told["missing"]:
            print(f"    {file}: {' '.join(told['missing'])}")
    for reason, parts in [*kinds.target(name).beside.items(), *kinds.target(name).aside.items()]:
        print(f"    not measured, {reason}: {', '.join(parts)}")
    return percent > GOAL


if __name__ == "__main__":
    sys.exit(main())

"""All proofs for some minutes, with fresh seeds: python -m tests.prove [--minutes N] [--seed S] [--only PART ...]

Worlds run on one core all the time, the other parts one after the other on another one; each gets its share of the time
that is left. One page at the end; exit status 1 if anything did not hold, with the command that runs that part alone. No
file of the tree is changed.
"""

import argparse
import importlib.util
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.fuzz import kinds

FUZZ_S, FUZZ_START_S = 15, 10  # of fuzzing for one target, and until its corpus is read, at least
SECOND_MINUTES = 1.0  # what the second implementation takes with EFFORT=1
HANGS = 4  # times its minutes, and HANGS_MINUTES more: whatever has not ended by then never will, however busy the machine
HANGS_MINUTES = 30
SHOWN_LINES = 40


@dataclass(frozen=True)
class Part:
    """`command(minutes, seed)`: what to run for about so long; `weight`: its part of the time, `least`: in minutes, below
    which it is left out and says so; `told(output)`: its lines of the page."""

    command: Callable
    weight: float
    least: float
    told: Callable = str.splitlines


@dataclass(frozen=True)
class Proven:
    """What came of one part. `held` is None if it was left out."""

    name: str
    held: bool | None
    minutes: float
    told: list[str]


def fuzzing(minutes, seed):
    """All targets if each gets its seconds, else some, drawn by the seed."""
    names = kinds.names()
    some = min(len(names), max(1, int(60 * minutes / (FUZZ_S + FUZZ_START_S))))
    seconds = max(FUZZ_S, int(60 * minutes / some) - FUZZ_START_S)
    return ["-m", "tests.fuzz", "--passing", "--jobs", "1", "--seconds", str(seconds), "--seed", str(seed % 2**31 or 1),
            *sorted(random.Random(seed).sample(names, some))]


def fuzzed(output):
    """How much was tried."""
    found = re.findall(r"(\d+) inputs +(\d+) that take new ways", output)
    inputs, new = (sum(int(each[which]) for each in found) for which in (0, 1))
    return [f"{len(found)} of {len(kinds.names())} targets, {inputs:,} executions, {new:,} inputs that took a new path"]


def counted(output):
    """Sums of what lines of JSON say."""
    sums = {}
    for line in output.splitlines():
        for name, value in (json.loads(line) if line.startswith("{") else {}).items():
            if isinstance(value, int) and name != "seed":
                sums[name] = max(sums.get(name, 0), value) if name.endswith("_bytes") else sums.get(name, 0) + value
    return [", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in sums.items())]


def last(output):
    return output.splitlines()[-1:]


PARTS = {
    "worlds": Part(lambda minutes, seed: ["-m", "tests.world", "--minutes", f"{minutes:.2f}", "--jobs", "1",
                                          "--seed", str(seed)], 1, 0),
    "fuzzing": Part(fuzzing, 0.3, 0.5, fuzzed),
    "store": Part(lambda minutes, seed: ["-m", "tests.prove_store", "--seed", str(seed), "--minutes", f"{minutes:.2f}"],
                  0.2, 1.0, lambda output: ["; ".join(re.findall(r"^(\w+: \d+ seeds)", output, re.M))]),
    "second": Part(lambda minutes, seed: ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "--no-header",
                                          "tests/second"], 0.1, 0.5, last),
    "mutants": Part(lambda minutes, seed: ["-m", "tests.mutants.passing", "--minutes", f"{minutes:.2f}", "--seed",
                                           str(seed)], 0.2, 1.0, last),
    "packets": Part(lambda minutes, seed: ["-m", "tests.prove_air", "--count", "20000", "--minutes", f"{minutes:.2f}",
                                           "--seed", str(seed)], 0.06, 0.2, counted),
    "bundles": Part(lambda minutes, seed: ["-m", "tests.prove_bundle", "--count", str(10**9), "--minutes",
                                           f"{minutes:.2f}", "--seed", str(seed)], 0.06, 0.1, counted),
    "load": Part(lambda minutes, seed: ["-m", "tests.load.hostile", "--count", f"{max(2_000, 5_000 * minutes):.0f}",
                                        "--seed", str(seed)], 0.08, 0.2, counted),
}
NEEDS = {"fuzzing": ("atheris", "make .venv/installed-fuzz"), "mutants": ("coverage", "make .venv/installed-dev")}


def prove(name, minutes, seed):
    """Run one part; one that cannot be run, or gets too little time, is left out."""
    part, began = PARTS[name], time.monotonic()
    library, how = NEEDS.get(name, ("json", ""))
    if importlib.util.find_spec(library) is None:
        return Proven(name, None, 0, [f"{library} is not there: {how}"])
    if minutes < part.least:
        return Proven(name, None, 0, [f"it would have {minutes:.1f} minutes, and needs {part.least:.1f}"])
    command = part.command(minutes, seed)
    around = {"EFFORT": str(max(1, round(minutes / SECOND_MINUTES))), "SEED": str(seed)} if name == "second" else {}
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=os.environ | around, start_new_session=True) as running:
        try:
            output, errors = running.communicate(timeout=60 * (HANGS * minutes + HANGS_MINUTES))
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            output, errors = running.communicate()
            errors += "\nit hangs"
    held = running.returncode == 0
    alone = " ".join([*(f"{each}={value}" for each, value in around.items()), "python", *command])
    told = part.told(output) if held else [*(output + errors).strip().splitlines()[-SHOWN_LINES:], f"alone: {alone}"]
    return Proven(name, held, (time.monotonic() - began) / 60, told)


def one_after_the_other(names, until, seed):
    """The parts, each with its share of the minutes that are left."""
    for number, name in enumerate(names):
        left = max(until - time.monotonic(), 0.0) / 60
        yield prove(name, left * PARTS[name].weight / sum(PARTS[other].weight for other in names[number:]), seed)


def page(done, minutes, seed):
    """What people read."""
    failed = [one.name for one in done if one.held is False]
    print(f"{minutes:g} minutes from seed {seed}: {'FAILED: ' + ', '.join(failed) if failed else 'all held'}")
    for one in done:
        word = {True: "held", False: "FAILED", None: "left out"}[one.held]
        first, *others = one.told or [""]
        print(f"  {one.name:8} {word:8} {one.minutes:5.1f} min  {first}" + "".join(f"\n{'':31}{line}" for line in others))


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.prove", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, help="any if it is not given")
    parser.add_argument("--only", choices=PARTS, action="append", metavar="PART", help=", ".join(PARTS))
    args = parser.parse_args()
    seed = secrets.randbelow(10**9) if args.seed is None else args.seed
    until, others = time.monotonic() + 60 * args.minutes, [name for name in args.only or PARTS if name != "worlds"]
    with ThreadPoolExecutor(1) as core:
        worlds = core.submit(prove, "worlds", args.minutes, seed) if "worlds" in (args.only or PARTS) else None
        done = list(one_after_the_other(others, until, seed))
        done = [*([worlds.result()] if worlds else []), *done]
    page(done, args.minutes, seed)
    sys.exit(any(one.held is False for one in done))


if __name__ == "__main__":
    main()

"""The store's proofs at full size: python -m tests.prove_store [--scale 0.1 | --minutes 5] [--only kills]

Prints a line for each sort of trial. A trial that fails is named with its seed, which repeats it, and the exit code is 1.
Scale 1 takes about half an hour; --minutes shares these among the sorts, each of which is tried once at least. The seeds
begin at --seed, so that another one proves something else.
"""

import argparse
import math
import resource
import sys
import tempfile
import time
import traceback
from contextlib import closing
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from node.store.archive import Archive
from tests.store import storetrials
from tests.store.killtrials import kill_again_and_again
from tests.store.storemachine import StoreMachine
from tests.store.storerows import made_up

WORDS = ["assemblée", "marche", "Œuvre", "chorale", "logement", "soupe", "jardin", "écluse", "fête", "atelier"]
MAX_ARCHIVE_MB = 100


def machine(seed, examples=50):
    """The hypothesis state machine, `examples` times a hundred steps."""
    run_state_machine_as_test(StoreMachine, settings=settings(
        max_examples=examples, stateful_step_count=100, deadline=None, database=None,
        suppress_health_check=list(HealthCheck)))


def kills(seed, rounds=25):
    """kill -9 of a writer."""
    with tempfile.TemporaryDirectory() as folder:
        kill_again_and_again(Path(folder), rounds, seed)


def big_archive(seed):
    """100,000 archived records: how much memory, how long a search takes."""
    with tempfile.TemporaryDirectory() as folder, closing(Archive(Path(folder) / "archive.db")) as archive:
        for first in range(0, 100_000, 500):
            rows = [made_up(number) for number in range(first, first + 500)]
            archive.keep(rows, {row.id: f"{WORDS[row.created % 10]} {WORDS[row.created % 7]} {row.topic}" for row in rows})
        started = time.perf_counter()
        assert len(archive.search("oeuvre chor", limit=50)[0]) == 50 and len(archive) == 100_000
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"    search {time.perf_counter() - started:.3f} s, {memory_mb:.0f} MB at most")
        assert memory_mb < MAX_ARCHIVE_MB


TRIALS = {  # name: how many seeds at scale 1, what to do with each
    "big_archive": (1, big_archive),  # first: it measures the most memory that this process ever had
    "power_cuts": (40, partial(storetrials.trial_of_power_cuts, length=60)),
    "failures": (30, partial(storetrials.trial_of_failures, length=60)),
    "erasing": (20, partial(storetrials.trial_of_erasing, length=60)),
    "flips": (170, storetrials.trial_of_flips),
    "torn_tails": (200, storetrials.trial_of_torn_tails),
    "forgery": (100, storetrials.trial_of_forgery),
    "threads": (300, storetrials.trial_of_threads),
    "retiring": (20, storetrials.trial_of_retiring),
    "machine": (40, machine),
    "kills": (80, kills),
}


def prove(name, count, seed, most_s):
    """Run one sort of trial, for so long; whether it held."""
    trial = TRIALS[name][1]
    started, done = time.perf_counter(), 0
    with storetrials.small_steps():
        for number in range(seed, seed + count):
            if done and time.perf_counter() - started > most_s:
                break
            done += 1
            try:
                trial(number)
            except BaseException:
                traceback.print_exc()
                print(f"{name}: FAILED at seed {number}", flush=True)
                return False
    print(f"{name}: {done} seeds from {seed} held, {time.perf_counter() - started:.0f} s", flush=True)
    return True


def main():
    """Run what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=TRIALS, action="append")
    wanted = parser.parse_args()
    names = wanted.only or list(TRIALS)
    held = [prove(name, max(1, round(wanted.scale * TRIALS[name][0])), wanted.seed, 60 * wanted.minutes / len(names))
            for name in names]
    sys.exit(not all(held))


if __name__ == "__main__":
    main()

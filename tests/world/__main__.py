"""Worlds for some minutes: python -m tests.world [--minutes N] [--seed FIRST] [--jobs N]

One world again: python -m tests.world SEED [--steps 3,17,40] [--trace]

Each seed is a world of its own. One that fails is run again with fewer steps, and printed as the command that replays it.
Exit status 1 if any failed.
"""

import argparse
import resource
import secrets
import sys
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import count

from tests.world.plan import Ran, plan_of, run, shrunk

FAULTS = ("lost on the air", "collided", "power cut", "power cut at start", "flipped bit", "card fault", "failed write",
          "clock fault", "air fault", "broker fault", "harm")
MOST_SHOWN = 3  # failing worlds that are shrunk, in a quarter of the time once more


@dataclass
class Tally:
    """What all worlds came to so far."""

    worlds: int = 0
    counts: Counter = field(default_factory=Counter)
    longest_h: float = 0.0
    slowest_s: float = 0.0
    failed: list[Ran] = field(default_factory=list)

    def add(self, ran):
        self.worlds += 1
        self.counts.update(ran.counts)
        self.longest_h, self.slowest_s = max(self.longest_h, ran.healed_h), max(self.slowest_s, ran.slowest_s)
        if ran.problem:
            self.failed.append(ran)


def replay(seed, planned, everything):
    """The command that runs it again."""
    steps = "" if len(planned) == everything else " --steps " + ",".join(str(each.number) for each in planned)
    return f"python -m tests.world {seed}{steps}"


def one_world(args):
    planned = plan_of(args.world)
    if args.steps is not None:
        wanted = set(map(int, filter(None, args.steps.split(","))))
        planned = [each for each in planned if each.number in wanted]
    ran = run(args.world, planned, trace=print if args.trace else None)
    print(f"world {ran.seed}: {ran.done} steps, digest {ran.digest}, whole again after {ran.healed_h:.1f} h: "
          f"{ran.problem or 'all held'}")
    return bool(ran.problem)


def many(args):
    first = secrets.randbelow(10**6) * 1_000 if args.seed is None else args.seed
    until, tally, seeds = time.monotonic() + 60 * args.minutes, Tally(), count(first)
    with ProcessPoolExecutor(args.jobs) as pool:
        under_way = {pool.submit(run, next(seeds)) for _ in range(2 * args.jobs)}
        while under_way:
            done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for each in done:
                tally.add(each.result())
                if each.result().problem:
                    print(f"world {each.result().seed}: {each.result().problem}", flush=True)
            while time.monotonic() < until and len(under_way) < 2 * args.jobs:
                under_way.add(pool.submit(run, next(seeds)))
            if time.monotonic() >= until:
                under_way = {each for each in under_way if not each.cancel()}
    report(tally, first)
    until = time.monotonic() + 60 * max(1.0, args.minutes / 4)
    for ran in tally.failed[:MOST_SHOWN]:
        everything = plan_of(ran.seed)
        planned, problem = shrunk(ran.seed, everything[:ran.done + 1], until)
        print(f"\nworld {ran.seed}: {problem}\n  {replay(ran.seed, planned, len(everything))}")
        print("  " + ", ".join(f"{each.number} {each.name}" for each in planned), flush=True)
    return bool(tally.failed)


def report(tally, first):
    """One page."""
    counts, hours = tally.counts, tally.counts["node seconds"] / 3_600
    memory_mb = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1_024
    print(f"{tally.worlds} worlds from seed {first}, {hours:,.0f} node-hours, {counts['packets']:,} packets, "
          f"{counts['acknowledged']:,} posts acknowledged, {counts['taken back']:,} taken back")
    print(f"{sum(counts[fault] for fault in FAULTS):,} faults: "
          + ", ".join(f"{fault} {counts[fault]:,}" for fault in FAULTS if counts[fault]))
    print(f"whole again after {tally.longest_h:.1f} h at most; worst memory {memory_mb:.0f} MB, worst turn "
          f"{tally.slowest_s:.2f} s of a processor; {len(tally.failed)} failed")


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.world", description=__doc__.splitlines()[0])
    parser.add_argument("world", nargs="?", type=int, metavar="SEED")
    parser.add_argument("--steps", help="numbers of the steps to take, all if it is not given")
    parser.add_argument("--trace", action="store_true", help="say what happens")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, help="the first one; any if it is not given")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    sys.exit(many(args) if args.world is None else one_world(args))


if __name__ == "__main__":
    main()

"""How long the air engine takes over its slowest events when the set is large: CPU time of each, beside the bar of 30 ms.

    python -m tests.bench.events --records 5000

Two islands hold all but a few of the records; they start, compare, ask, answer, a day begins. Last line: one JSON object.
"""

import argparse
import json
import pathlib
import sys
import time
from collections import defaultdict

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from radio.sim.topology import line
from tests.sim.archipelago import KEYS, MANY_KEYS, Archipelago, Member, bulletin

BAR_MS = 30
HOUR_S = 3600
AN_AUTHOR = 1000  # records: what its quota holds


class Timed(Member):
    """An island whose every event is timed."""

    def handle(self, event, now):
        self.world.slowest_s = 0.0
        super().handle(event, now)
        self.world.taken[type(event).__name__].append(self.world.slowest_s)


def records(count):
    """Bulletins of several authors, none over its quota."""
    return [bulletin(number, 150, charter=MANY_KEYS, key=KEYS[number // AN_AUTHOR]) for number in range(count)]


def run(count, missing, hours):
    """Two islands, one of which lacks `missing` records; (milliseconds by kind of event, whether they became equal)."""
    raws = records(count)
    world = Archipelago(1, line(2), loss=0.1, share=1.0, charters=dict.fromkeys(range(2), MANY_KEYS))
    world.taken = defaultdict(list)
    world.members = {node: Timed(node, world, charter=MANY_KEYS) for node in range(2)}
    world.members[0].hold(raws)
    world.members[1].hold(raws[missing:])
    world.start()
    world.run(hours * HOUR_S)
    return {name: [1000 * taken for taken in sorted(all_taken)] for name, all_taken in world.taken.items()}, world.equal()


def main():
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=5000)
    parser.add_argument("--missing", type=int, default=100)
    parser.add_argument("--hours", type=float, default=30, help="of simulated time; more than a day, to see one begin")
    args = parser.parse_args()
    begun = time.perf_counter()
    taken, equal = run(args.records, args.missing, args.hours)
    report = {name: {"events": len(times), "median_ms": round(times[len(times) // 2], 2), "slowest_ms": round(times[-1], 1)}
              for name, times in taken.items()}
    for name, figures in report.items():
        print(f"{name:16}", figures)
    slowest_ms = max(figures["slowest_ms"] for figures in report.values())
    print(json.dumps({"ours": report, "slowest_ms": slowest_ms, "bar_ms": BAR_MS, "equal": equal, "records": args.records,
                      "took_s": round(time.perf_counter() - begun, 1)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

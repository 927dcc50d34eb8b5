"""What parity over several records would bring at a hub, reckoned: `python -m tests.bench.parity [--leaves N] [--loss P]`.

A hub that knows what every leaf lacks sends records of equal size, and never too much. *Alone*: each until all have it.
*Parity*: packets that serve several records at once, such as Reed-Solomon pieces over a block of them, so that each that a
leaf hears is worth one record to it, whichever it lacks. Where records come one by one, the hub first sends each as it
comes, and what is lacking after that every so many minutes. Last line: one JSON object, transmissions for each record.
"""

import argparse
import json
import random
import statistics
import sys

MINUTE_S = 60


def sendings(lacking: list[int], loss: float, rng: random.Random) -> int:
    """How often the hub sends until each leaf has heard as many as it lacks."""
    count = 0
    while any(lacking):
        lacking = [one - (one > 0 and rng.random() >= loss) for one in lacking]
        count += 1
    return count


def meeting(leaves: int, loss: float, block: int, rng: random.Random, blocks: int = 400) -> float:
    """Sendings for each record when `leaves` lack many: all of them the same, in blocks of so many."""
    return statistics.fmean(sendings([block] * leaves, loss, rng) for _ in range(blocks)) / block


def steady(leaves: int, loss: float, wait_s: float, every_s: float, rng: random.Random, records: int = 3000) -> dict:
    """Sendings for each record when one comes every `every_s`, and what is lacking is sent each `wait_s`: alone, parity."""
    alone = parity = at_s = 0
    waiting: list[list[int]] = []  # of each record that somebody lacks: 1 for each leaf that does
    due_s = wait_s
    for _ in range(records):
        at_s += rng.expovariate(1 / every_s)
        if at_s >= due_s:
            alone += sum(sendings(one, loss, rng) for one in waiting)
            parity += sendings([sum(column) for column in zip(*waiting, strict=True)], loss, rng) if waiting else 0
            waiting, due_s = [], at_s - at_s % wait_s + wait_s
        waiting.append([int(rng.random() < loss) for _ in range(leaves)])
    return {"alone": 1 + alone / records, "parity": 1 + parity / records}


def reckon(leaves: int, loss: float, seed: int) -> dict:
    """All of it. A leaf's own record also takes one way to the hub, under the same loss, with parity or without."""
    rng = random.Random(seed)
    up = 1 / (1 - loss)
    alone = meeting(leaves, loss, 1, rng)
    result = {"up": up, "meeting alone": alone}
    for block in (2, 4, 8, 16):
        coded = meeting(leaves, loss, block, rng)
        result |= {f"meeting by {block}": coded, f"saved by {block}": 1 - (up + coded) / (up + alone)}
    for minutes in (1, 10, 60, 240):
        both = steady(leaves, loss, minutes * MINUTE_S, 16 * MINUTE_S, rng)
        result[f"saved each {minutes} min"] = 1 - (up + both["parity"]) / (up + both["alone"])
    return {name: round(value, 3) for name, value in result.items()}


def main() -> int:
    """Reckon and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leaves", type=int, default=10, help="that lack what one more has posted")
    parser.add_argument("--loss", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    result = reckon(args.leaves, args.loss, args.seed)
    for name, value in result.items():
        print(f"{name:20} {value}")
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())

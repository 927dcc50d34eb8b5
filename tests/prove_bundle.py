"""Hostile bundles by the million: python -m tests.prove_bundle [--count N] [--minutes M] [--seed S]

Bundles are cut, spliced, repeated, flipped, filled with marks, and with frames whose CRC was made right again. Reading one
must never raise, never give more than it holds, and nothing that comes out may enter the set unless it went in.
"""

import argparse
import json
import math
import random
import time

from node.model.errors import RemoteFault
from node.transfer.bundle import FRAME_BYTES, RECORD, Bundle, Header, _frame, write
from tests.sim.village import T0, Village
from tests.transfer.test_bulk import Shore

SIZES = (1, 2, 4, 8, 60, 170)


CHANGES = (
    lambda whole, at, rng: whole[:at] + bytes([whole[at] ^ 1 << rng.randrange(8)]) + whole[at + 1:],
    lambda whole, at, rng: whole[:at] + rng.randbytes(rng.randint(0, 60)) + whole[at + rng.choice(SIZES):],
    lambda whole, at, rng: whole[:at] + whole[at + rng.choice(SIZES):],
    lambda whole, at, rng: whole[:at] + whole[rng.randrange(len(whole)):][:rng.choice(SIZES)] + whole[at:],
    lambda whole, at, rng: whole[:at] + RECORD * rng.randint(1, 40) + whole[at:],
    lambda whole, at, rng: whole[:at] + _frame(rng.randbytes(rng.randint(1, 200))) + whole[at:],
    lambda whole, at, rng: whole[:at + 1],
)


def mutated(whole, rng):
    """The bundle, changed once to four times."""
    for _ in range(rng.randint(1, 4)):
        whole = rng.choice(CHANGES)(whole, rng.randrange(len(whole)), rng) or b"\0"
    return whole


def reframed(raw, rng):
    """A record changed a little, in a frame whose CRC is right."""
    changed = bytearray(raw)
    changed[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    return _frame(bytes(changed))


def main():
    """Print one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=math.inf, help="at most")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng, village = random.Random(asked.seed), Village()
    shore, raws = Shore(village), [village.bulletin(text=f"avis {number}", minute=number) for number in range(4)]
    known, begin = set(raws), time.process_time()
    until = time.monotonic() + 60 * asked.minutes
    told = {"bundles": 0, "refused": 0, "read": 0, "strange": 0, "accepted": 0}
    head, *frames = write(Header(village.charter.set_id, bytes(8), T0, "Belleville"), raws)
    whole = b"".join((head, *frames))
    for number in range(asked.count):
        if time.monotonic() > until:
            break
        told["bundles"] += 1
        content = mutated(whole, rng) if number % 4 else head + reframed(raws[0], rng)
        try:
            bundle = Bundle([content])
        except RemoteFault:
            told["refused"] += 1
            continue
        out = list(bundle)
        assert sum(map(len, out)) + FRAME_BYTES * len(out) <= len(content)
        strange = [raw for raw in out if raw not in known]
        told["read"], told["strange"] = told["read"] + len(out), told["strange"] + len(strange)
        told["accepted"] += shore.bulk.unload(strange, "bundle").count("kept") if strange else 0
    told["cpu_s"] = round(time.process_time() - begin, 1)
    assert told["accepted"] == 0 and not shore.ids
    print(json.dumps(told))


if __name__ == "__main__":
    main()

"""Hostile packets by the million: python -m tests.prove_air [--count N] [--minutes M] [--seed S]

What islands really said is flipped, cut, spliced, replayed; some of it gets a right tag, as if a member had gone mad. An
island that hears it must never raise, keep nothing but the records that are true, and stay small. --minutes: another
island and another seed each time, until that time is over.
"""

import argparse
import json
import random
import time
import tracemalloc
from itertools import count

from node.model.record import record_id
from node.sync.events import LinkChanged, PacketReceived, SendDone, Tick
from node.sync.lora.packets import tag
from radio.sim.topology import line
from tests.sim.archipelago import CHARTER, LINK, START, Archipelago, bulletin
from tests.sync.lora.test_engine import LoneIsland

KEY = CHARTER.subkey("tag")
MAX_PACKET_BYTES = 255
SIZES = (1, 2, 4, 8, 20)
KINDS = (0x01, 0x02, 0x12, 0x22, 0x42, 0x68, 0x80, 0x81, 0xC1, 0xDF)
CHANGES = (
    lambda raw, at, rng: raw[:at] + bytes([raw[at] ^ 1 << rng.randrange(8)]) + raw[at + 1:],
    lambda raw, at, rng: raw[:at] + rng.randbytes(rng.choice(SIZES)) + raw[at + rng.choice(SIZES):],
    lambda raw, at, rng: raw[:at] + raw[at + rng.choice(SIZES):],
    lambda raw, at, rng: raw[:at] + raw[rng.randrange(len(raw)):][:rng.choice(SIZES)] + raw[at:],
    lambda raw, at, rng: raw[:8] + bytes([rng.choice(KINDS)]) + rng.randbytes(rng.randrange(200)),
    lambda raw, at, rng: raw[:at + 1],
)


def captured():
    """What three islands said in three hours, on which records of all sizes were posted; and these records."""
    world, packets = Archipelago(1, line(3), loss=0.2, share=1.0), []
    raws = [bulletin(number, 100 + 90 * number) for number in range(8)]
    send = world.air.send
    world.air.send = lambda node, payload, *rest: packets.append(payload) or send(node, payload, *rest)
    world.start()
    for number, raw in enumerate(raws):
        world.run(600)
        world.post(number % 3, raw)
    world.run(2 * 3600)
    return packets, raws


def mutated(packets, rng):
    """A packet that was heard, changed up to four times; half of the time with a tag that is right."""
    raw = rng.choice(packets)
    for _ in range(rng.randrange(5)):
        raw = rng.choice(CHANGES)(raw, rng.randrange(len(raw)), rng) or b"\0"
    if rng.random() < 0.5 and len(raw) > 5:
        raw = raw[:1] + tag(raw[:1] + raw[5:], KEY) + raw[5:]
    return raw[:MAX_PACKET_BYTES]


def torment(times, seed):
    """One island hears so many of them, one each eight seconds: what became of it."""
    rng, (packets, raws) = random.Random(seed), captured()
    island, true = LoneIsland(), {record_id(raw) for raw in raws}
    slowest_s, sent, memory, begun = 0.0, 0, [], time.process_time()
    tracemalloc.start()
    for number in range(times):
        island.now = START + 8 * number
        event = rng.choice((Tick(), SendDone(LINK, "sent"), LinkChanged(LINK, True))) if number % 7 == 0 else (
            PacketReceived(LINK, mutated(packets, rng), "!1", rng.choice((None, 0, 0, 1, 3, 7))))
        at = time.process_time()
        sent += len(island.replica.handle(event, island.now))
        slowest_s = max(slowest_s, time.process_time() - at)
        if number % max(times // 10, 1) == 0:
            memory.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    held = set(island.liveset.ids())
    return {"packets": times, "false": len(held - true), "true": len(held), "sent": sent,
            "slowest_ms": round(1000 * slowest_s, 1), "grown_bytes": memory[-1] - memory[len(memory) // 2],
            "cpu_s": round(time.process_time() - begun, 1),
            "dropped": {name: many for name, many in island.replica.counters.items() if many}}


def main():
    """Print one JSON object a line, for each island."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    until = time.monotonic() + 60 * asked.minutes
    for seed in count(asked.seed):
        told = torment(asked.count, seed)
        print(json.dumps({"seed": seed} | told))
        assert told["false"] == 0 and told["grown_bytes"] < 5_000_000
        if time.monotonic() >= until:
            break


if __name__ == "__main__":
    main()

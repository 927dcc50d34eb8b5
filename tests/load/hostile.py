"""Hostile packets by every way, through the real receive path: python -m tests.load.hostile [--count 1000000] [--seed 1]

By air, from a broker, on the network, in bundles, by turns: random octets, true ones that were changed, replays; half of
the changed ones with a right tag, or rightly sealed, as if a member had gone mad. Each is counted, none raises, nothing
that is not true is kept, and memory is flat: after half of them it grows no more. Processor time a packet is told
beside that of true ones.
"""

import argparse
import json
import random
import sys
import time
import tracemalloc
from collections import Counter

from node.model.errors import RemoteFault
from node.model.record import record_id
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.events import LinkChanged, PacketReceived, SendDone, Tick
from node.sync.lora import packets
from node.sync.lora.packets import Packet, Whole, tag
from node.sync.mqtt.engine import MqttEngine
from node.sync.mqtt.sealing import Seal
from node.transfer.bulk import IslandLabel, LocalBulkPort, unload_bundle
from node.transfer.bundle import Header, write
from node.transfer.lan import ASKED, COMPARE, TRADE, Envelope, LanService
from tests.prove_air import CHANGES, KEY, MAX_PACKET_BYTES, captured
from tests.sim.archipelago import CHARTER, LINK, bulletin
from tests.sim.archipelago import KEY as AUTHOR
from tests.sync.lora.test_engine import LoneIsland

BROKER = "mqtt"
WAYS = ("air", "air", "air", "broker", "broker", "network", "bundle")  # as often as there are such in the field
HELD, PACE_S = 100, 1.0  # a million of them take eleven days: records live for fourteen
RECENT = 400  # messages of which one may come again
MOST_GROWN_BYTES = 3_000_000
SAMPLES = 8


class Target(LoneIsland):
    """An island with all its ways, as `node.daemon.app` puts them together."""

    def __init__(self):
        super().__init__()
        engine = MqttEngine(BROKER, CHARTER, self.liveset, random.Random(1))
        self.replica = Replica(self.liveset, MemoryStore(), [self.engine, engine])
        self.replica.take_in([bulletin(number) for number in range(1_000, 1_000 + HELD)], "test", self.now)
        self.bulk = LocalBulkPort(self.liveset, self.replica.store, IslandLabel(AUTHOR.key_id, "a target"),
                                  lambda: self.now, lambda raws, via: self.replica.take_in(raws, via, self.now)[0])
        self.lan = LanService(self.bulk, CHARTER.subkey("lan"), random.Random(3).randbytes)
        self.counted = Counter()
        for link in (LINK, BROKER):
            self.take(LinkChanged(link, True))

    def take(self, event):
        """One event, and whatever it leads to."""
        waiting = list(self.replica.handle(event, self.now))
        while waiting:
            self.counted["sent"] += 1
            waiting += self.replica.handle(SendDone(waiting.pop().link, "sent"), self.now)

    def receive(self, way, message):
        """What comes by a way."""
        self.now += PACE_S
        if way in ("air", "broker"):
            link, hops = LINK if way == "air" else BROKER, (None, 0, 1, 3)[len(message) % 4]
            self.take(PacketReceived(link, message, "!1", hops))
        else:
            try:
                if way == "network":
                    self.lan.answer(message)
                else:
                    unload_bundle(self.bulk, [message])
                self.counted[f"{way} taken"] += 1
            except RemoteFault as fault:
                self.counted[f"{way} {fault.reason}"] += 1
        if self.counted["turns"] % 7 == 0:
            self.take(Tick())
        self.counted["turns"] += 1


class Hostile:
    """Messages of every way and kind, from a seed. `true`: records that are good, and may be let in."""

    def __init__(self, seed):
        self._rng, (heard, raws) = random.Random(seed), captured()
        self._seal, envelope = Seal(CHARTER), Envelope(CHARTER.subkey("lan"), self._rng.randbytes)
        self._envelope, self.true = envelope, {record_id(raw) for raw in raws}
        self._raws = raws
        head, *frames = write(Header(CHARTER.set_id, bytes(8), 0, "x"), raws)
        self._honest = {
            "air": heard, "bundle": [b"".join((head, *frames))],
            "broker": [self._put(raw) for raw in raws],
            "network": [bytes([COMPARE]) + bytes(24), *(
                bytes([TRADE]) + bytes(4) + len(raw).to_bytes(2, "big") + raw for raw in raws)]}
        self._recent = {way: [] for way in self._honest}

    def _put(self, raw):
        slot = self._seal.slot(record_id(raw))
        return slot + self._seal.close(slot, raw)

    def message(self, way):
        """(kind, octets)."""
        rng, recent = self._rng, self._recent[way]
        kind = rng.choice(("random", "changed", "changed", "mad", "mad", "replay"))
        if kind == "replay" and recent:
            return kind, rng.choice(recent)
        made = rng.randbytes(rng.randrange(1, 300)) if kind == "random" else self._changed(way, kind == "mad")
        recent.append(made)
        del recent[:-RECENT]
        return kind, made

    def _changed(self, way, mad):
        honest = self._rng.choice(self._honest[way])
        if way == "network":
            content = self._spoilt(honest) if mad else honest
            sealed = self._envelope.close(ASKED, content)
            return sealed if mad else self._spoilt(sealed)
        if way == "broker" and mad:
            raw = self._spoilt(self._rng.choice(self._raws))
            return self._put(raw) if 0 < len(raw) < 1_752 else self._spoilt(honest)
        made = self._spoilt(honest)
        if way == "air":
            made = made[:MAX_PACKET_BYTES]
            if mad and len(made) > 5:
                made = made[:1] + tag(made[:1] + made[5:], KEY) + made[5:]
        return made

    def _spoilt(self, whole):
        for _ in range(self._rng.randint(1, 4)):
            whole = self._rng.choice(CHANGES)(whole, self._rng.randrange(len(whole)), self._rng) or b"\0"
        return whole


def honest_ms(count):
    """Processor time for a packet with a new record that is true."""
    target, begun = Target(), time.process_time()
    for number in range(count):
        packet = Packet(0x5555, number % 256, (Whole(bulletin(5_000 + number), True),))
        target.receive("air", packets.encode(packet, KEY))
    return 1000 * (time.process_time() - begun) / count


def torment(count, seed, true_count=400):
    """What became of them."""
    hostile, target = Hostile(seed), Target()
    for number in range(true_count):  # signing is not to be counted
        bulletin(5_000 + number)
    true_ms = honest_ms(true_count)
    kinds, ways, memory, slowest_s = Counter(), Counter(), [], 0.0
    spent_s = Counter()
    tracemalloc.start()
    for number in range(count):
        way = WAYS[number % len(WAYS)]
        kind, message = hostile.message(way)
        kinds[kind] += 1
        begun = time.process_time()
        target.receive(way, message)
        took = time.process_time() - begun
        spent_s[way] += took
        ways[way] += 1
        slowest_s = max(slowest_s, took)
        if number % max(count // SAMPLES, 1) == 0:
            memory.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    held = set(target.liveset.ids())
    false = held - hostile.true - {record_id(bulletin(number)) for number in range(1_000, 1_000 + HELD)}
    dropped = Counter({name: times for name, times in target.replica.counters.items() if times})
    return {"packets": count, "kinds": dict(kinds), "ways": dict(ways), "false": len(false), "true": len(held) - HELD,
            "counted": dict(sorted((target.counted + dropped).items())), "mb": [round(one / 1e6, 2) for one in memory],
            "grown_bytes": max(memory[SAMPLES // 2:]) - memory[SAMPLES // 2], "slowest_ms": round(1000 * slowest_s, 1),
            "cpu_ms": {way: round(1000 * spent_s[way] / ways[way], 3) for way in ways},  # some twice that with tracemalloc
            "true_cpu_ms": round(true_ms, 3)}


def faults_of(told):
    """What is wrong with what became of them."""
    heard = told["ways"]["air"] + told["ways"]["broker"]
    wrong = ["what is not true was kept"] if told["false"] else []
    wrong += ["memory grew"] if told["grown_bytes"] > MOST_GROWN_BYTES else []
    wrong += ["nothing was refused"] if sum(told["counted"].values()) < heard // 2 else []
    wrong += ["a kind did not come"] if len(told["kinds"]) != 4 or min(told["ways"].values()) == 0 else []
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    told = torment(options.count, options.seed)
    wrong = faults_of(told)
    print(json.dumps({"load": "hostile"} | told | {"wrong": wrong}))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

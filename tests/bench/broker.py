"""Hundreds of islands on one broker, simulated: python -m tests.bench.broker

Every island runs the real engine (`node.sync.mqtt.engine`) with its pace and patience. Only the broker is pretended: two
nodes of a cluster, or two bridged brokers, that keep what is put there, tell it after `LATENCY_S`, the islands of the
other node after `FAR_S`, and may forget. Told are the messages put there, how many were needless, what the broker sends
out, and how long it takes. Baseline: a broker without retained messages, where every island sends all it has to all.
"""

import argparse
import heapq
import json
import random
from functools import lru_cache
from itertools import count

from node.model.record import record_id
from node.sync.events import Keep, LinkChanged, PacketReceived, RecordKept, Send, SendDone, Tick
from node.sync.mqtt.engine import MqttEngine
from node.sync.mqtt.sealing import SLOT_BYTES, Seal
from tests.sim.village import Village

NAME, LATENCY_S, FAR_S = "mqtt", 0.05, 2.0
ISLANDS, RECORDS = (50, 100, 200, 400), 300


class Holdings:
    """What one island holds, as the engine asks for it."""

    def __init__(self):
        self.records = {}

    def ids(self):
        return self.records

    def raw(self, id_):
        return self.records.get(id_)


class OneSeal:
    """The set's seal, each record sealed and opened once for all: every island would make the same bytes."""

    def __init__(self, charter):
        seal = Seal(charter)
        self.slot, self.close, self.open = (lru_cache(None)(work) for work in (seal.slot, seal.close, seal.open))


class Cluster:
    """A broker of two nodes and its islands, in simulated time."""

    def __init__(self, charter, islands, seed):
        self.rng, self.now, self._order = random.Random(seed), 1_000_000.0, count()
        self.kept, self.queue, self.seal = {}, [], OneSeal(charter)
        self.put, self.needless, self.sent_bytes, self.put_bytes = 0, 0, 0, 0
        self.holdings = [Holdings() for _ in range(islands)]
        self.engines = [MqttEngine(NAME, charter, held, random.Random(self.rng.random())) for held in self.holdings]
        for engine in self.engines:
            engine._seal = self.seal
        self.up = [False] * islands

    def at(self, delay_s, work, *arguments):
        heapq.heappush(self.queue, (self.now + delay_s, next(self._order), work, arguments))

    def connect(self, island):
        """It comes up, and is told all that is kept."""
        self.up[island] = True
        self.tell(island, LinkChanged(NAME, True))
        for number, (slot, content) in enumerate(list(self.kept.items())):
            self.at(LATENCY_S + number / 300, self.bring, island, slot, content)

    def bring(self, island, slot, content):
        if self.up[island]:
            self.sent_bytes += len(content)
            self.tell(island, PacketReceived(NAME, slot + content))

    def tell(self, island, event):
        """Let an island react, keep what it wants kept, and put at the broker what it sends."""
        actions = list(self.engines[island].handle(event, self.now))
        for action in actions:
            if isinstance(action, Keep):
                id_ = record_id(action.raw)
                self.holdings[island].records[id_] = action.raw
                actions += self.engines[island].handle(RecordKept(id_, NAME, action.bulk), self.now)
            elif isinstance(action, Send):
                self.take(island, action.payload[:SLOT_BYTES], action.payload[SLOT_BYTES:])
        self.wind(island)

    def wind(self, island):
        deadline = self.engines[island].deadline
        if deadline is not None:
            self.at(max(deadline - self.now, 0.001), self.tick, island, deadline)

    def tick(self, island, deadline):
        if self.engines[island].deadline == deadline:
            self.tell(island, Tick())

    def take(self, island, slot, content):
        self.put, self.put_bytes = self.put + 1, self.put_bytes + len(content)
        self.needless += self.kept.get(slot) == content
        self.kept[slot] = content
        self.at(LATENCY_S, self.tell, island, SendDone(NAME, "sent"))
        for other in range(len(self.engines)):
            far = (other ^ island) & 1
            self.at((FAR_S if far else LATENCY_S) * self.rng.uniform(0.5, 1.5), self.bring, other, slot, content)

    def run(self, span_s, until=lambda: False):
        """Let time pass; the seconds until `until()` held for good."""
        begin, end, reached = self.now, self.now + span_s, None
        while self.queue and self.queue[0][0] <= end:
            self.now, _, work, arguments = heapq.heappop(self.queue)
            work(*arguments)
            if reached is None and until():
                reached = self.now - begin
        self.now = end
        return reached

    def count(self, work):
        """What `work` put at the broker, and what the broker sent out."""
        before = self.put, self.needless, self.put_bytes, self.sent_bytes
        seconds = work()
        after = self.put, self.needless, self.put_bytes, self.sent_bytes
        put, needless, put_bytes, sent_bytes = (one - other for one, other in zip(after, before, strict=True))
        return {"seconds": seconds and round(seconds, 1), "put": put, "needless": needless, "put_bytes": put_bytes,
                "sent_mb": round(sent_bytes / 1e6, 1)}


class Neighbourhood(Cluster):
    """Islands that hold RECORDS records, and what happens to them."""

    def __init__(self, islands, seed=1):
        self.village = Village()
        super().__init__(self.village.charter, islands, seed)
        raws = [self.village.bulletin(text=f"avis {number} " + "x" * 60, minute=number) for number in range(RECORDS)]
        for held in self.holdings:
            held.records = {record_id(raw): raw for raw in raws}

    def whole(self):
        return len(self.kept) >= len(self.holdings[0].records)

    def first(self):
        """All come to an empty broker within five seconds."""
        for island in range(len(self.holdings)):
            self.at(self.rng.uniform(0, 5), self.connect, island)
        return self.run(900, self.whole)

    def one_post(self):
        """One island posts."""
        raw = self.village.bulletin(text="tout neuf", minute=500)
        id_ = record_id(raw)
        self.holdings[0].records[id_] = raw
        self.tell(0, RecordKept(id_, "post"))
        return self.run(300, lambda: all(id_ in held.records for held in self.holdings))

    def wiped(self):
        """The broker loses all it kept, and comes back; so do all islands within a minute."""
        self.kept.clear()
        for island in range(len(self.holdings)):
            self.leave(island)
            self.at(self.rng.uniform(1, 60), self.connect, island)
        return self.run(1_800, self.whole)

    def month_off(self):
        """One island comes back with nothing."""
        self.leave(1)
        self.holdings[1].records = {}
        self.connect(1)
        return self.run(120, lambda: len(self.holdings[1].records) == len(self.holdings[0].records))

    def leave(self, island):
        self.up[island] = False
        self.tell(island, LinkChanged(NAME, False))


def measured(islands):
    """What each event costs."""
    there = Neighbourhood(islands)
    events = {"empty": there.first, "post": there.one_post, "wiped": there.wiped, "month": there.month_off,
              "quiet hour": lambda: there.run(3_600)}
    told = {name: there.count(work) for name, work in events.items()}
    told["baseline: all send all"] = {"put": islands * RECORDS, "sent_mb": round(islands**2 * RECORDS * 256 / 1e6, 1)}
    return told


def main():
    """Print one JSON object as the last line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--islands", type=int, nargs="*", default=ISLANDS)
    print(json.dumps({islands: measured(islands) for islands in parser.parse_args().islands}))


if __name__ == "__main__":
    main()

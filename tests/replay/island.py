"""Replays a capture: an island of its own, its real receive path, a clock by hand; the same must become of everything."""

import random
from collections import Counter

from node.daemon.capture_tap import AIR
from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.model.record import record_id
from node.replica.liveset import LiveSet
from node.replica.replica import OWN, Replica
from node.store.memory import MemoryStore
from node.sync.events import LinkChanged, PacketReceived, SendDone, Tick
from node.sync.lora.context import Channel, Identity
from node.sync.lora.engine import AirEngine
from node.sync.lora.inventory import HOUR_MIN, HOURS_A_DAY, element_of
from node.sync.mqtt.engine import MqttEngine
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.lan import ASKED, COMPARE, NAME_BYTES, TRADE, Envelope, LanService, fingerprint
from radio.airtime import Governor
from radio.lora import time_on_air_s
from tests.replay.rebuilt import (
    CHARTER,
    OURS,
    SEAL,
    START,
    TAG_KEY,
    Rebuilder,
    broken_put,
    fits,
    key,
    put,
)

MOST_TURNS = 100_000  # of an island between two entries: more is a loop
FORMER = "dropped packet-earlier-secret"  # a replay has no earlier secret: such a packet is one with a wrong tag
BEFORE = "test"  # the way of what was there before the capture began


class Replay:
    """One capture, replayed. `report()` tells what became of it."""

    def __init__(self, capture):
        self.capture, self.rebuilt = capture, Rebuilder(capture)
        self.liveset, self.store, self.now = LiveSet(CHARTER), MemoryStore(), START
        self.links = sorted({*capture.head["up"], *(entry["link"] for entry in capture.entries if "link" in entry)})
        self.engines = {name: self._engine(name) for name in self.links}
        self.outcomes, self.left_out, self.sent, self._lan_refused = Counter(), Counter(), 0, Counter()
        self.replica = Replica(self.liveset, self.store, [*self.engines.values(), self])
        self.replica.take_in(self.rebuilt.seeds, BEFORE, self.now - 60)
        self.bulk = LocalBulkPort(self.liveset, self.store, IslandLabel(key("author", 0, "").key_id, "a replay"),
                                  lambda: self.now, self._take_in)
        rng = random.Random(1)
        self.lan, self._envelope = (LanService(self.bulk, CHARTER.subkey("lan"), rng.randbytes),
                                    Envelope(CHARTER.subkey("lan"), rng.randbytes))
        self._asked, self._heard = b"", []
        self._handlers = {"heard": self._hear, "link": self._link, "became": self._became, "lan": self._lan}
        self.outcomes.clear()
        self._counted = Counter(self.replica.counters)

    def _engine(self, name):
        if name not in AIR:
            return MqttEngine(name, CHARTER, self.liveset, random.Random(name))
        channel = Channel(name, time_on_air_s, Governor())
        return AirEngine(channel, self.liveset, Identity(TAG_KEY, OURS), random.Random(name))

    # an engine that only listens

    deadline = None

    def handle(self, event, now):
        """What became of records, as the capture's own tap hears it."""
        name = type(event).__name__
        if name in ("RecordKept", "RecordRefused") and event.via != BEFORE:
            self.outcomes[f"{event.via}: {getattr(event, 'reason', 'kept')}"] += 1
        return ()

    # time

    def run(self):
        """Everything, in order."""
        for name in self.capture.head["up"]:
            self._give(LinkChanged(name, True))
        for number, entry in enumerate(self.capture.entries):
            if entry["is"] in self._handlers:
                self._pass(START + entry["at"] / 1000)
                self._number = number
                self._handlers[entry["is"]](entry)
        return self

    def _pass(self, until):
        for _ in range(MOST_TURNS):
            moment = self.replica.deadline
            if moment is None or moment > until:
                self.now = max(self.now, until)
                return
            self.now = max(self.now, moment)
            self._give(Tick())
        raise AssertionError("an island that never rests")

    def _give(self, event):
        self._done(self.replica.handle(event, self.now))

    def _done(self, sends):
        """Whatever goes out has gone at once."""
        waiting = list(sends)
        while waiting:
            self.sent += 1
            assert self.sent < MOST_TURNS, "an island that never stops"
            send = waiting.pop(0)
            waiting += self.replica.handle(SendDone(send.link, "sent"), self.now)

    def _take_in(self, raws, via):
        verdicts, sends = self.replica.take_in(raws, via, self.now)
        self._done(sends)
        return verdicts

    # what was heard

    def _hear(self, entry):
        payload = self._air(entry) if entry["link"] in AIR else self._broker(entry)
        if entry["link"] in AIR:
            self._heard.append(payload)
        if payload is None:
            self.left_out[f"{entry['link']}: {entry.get('refused', 'cannot be said')}"] += 1
            return
        name, relay = radio_of(entry.get("node", 0)), radio_of(entry["relay"])[-2:] if "relay" in entry else ""
        self._give(PacketReceived(entry["link"], payload, name, entry.get("hops"), entry.get("left", 0), relay,
                                  entry.get("snr"), entry.get("rssi")))

    def _air(self, entry):
        if "refused" in entry:
            return self.rebuilt.broken_packets.get(entry["refused"])
        if "again" in entry:
            return self._heard[entry["again"]] if entry["again"] < len(self._heard) else None
        if "island" not in entry or "says" not in entry:
            return None
        hour = minute_of(self.now) // HOUR_MIN + 1
        held = [element_of(id_, hour // HOURS_A_DAY, TAG_KEY) for id_ in reversed(list(self.liveset.ids()))]
        return fits(lambda: self.rebuilt.packet(entry, held, hour))

    def _broker(self, entry):
        if "refused" in entry:
            return broken_put(entry["refused"], self.rebuilt.raw(entry.get("puts", 0)))
        if "puts" in entry:
            return put(self.rebuilt.raw(entry["puts"]))
        return SEAL.slot(record_id(self.rebuilt.raw(entry["clears"]))) if "clears" in entry else None

    def _link(self, entry):
        self._give(LinkChanged(entry["link"], bool(entry["up"])))

    def _became(self, entry):
        """What came by no link is itself what happened; the rest happens by itself."""
        via, raw = entry["via"], self.rebuilt.raw(entry["record"])
        if via in self.links or via in ("lan", "quarantine"):
            return
        if via in OWN and not entry.get("bulk"):
            self._done(self.replica.publish([raw], self.now)[1])
        else:
            self._take_in([raw], via)

    # the network

    def _lan(self, entry):
        brought = [self.rebuilt.raw(number) for number in entry.get("brings", ())]
        if "more" in entry:
            self.left_out["lan: more records than are told"] += entry["more"]
        if entry["way"] == "told" and brought:
            self.bulk.unload(brought, "lan")
        elif entry["way"] == "asked" and "about" in entry:
            self._question(self._compare() if entry["about"] == "compare" else self._trade(entry, brought))
        elif entry["way"] == "refused":
            self._refuse(entry.get("reason", ""))

    def _compare(self):
        """A comparison that is answered as it was."""
        answered = next((one for one in self.capture.entries[self._number:]
                         if one["is"] == "lan" and one["way"] == "answered"), {})
        theirs = fingerprint(self.bulk.shorts()) if "same" in answered else bytes(16)
        return bytes([COMPARE]) + b"\xff" * NAME_BYTES + theirs

    def _trade(self, entry, brought):
        wanted = list(self.bulk.shorts())[:min(entry.get("ids", 0), 1_000)]
        parcel = b"".join(len(raw).to_bytes(2, "big") + raw for raw in brought)
        return bytes([TRADE]) + len(wanted).to_bytes(4, "big") + b"".join(sorted(wanted)) + parcel

    def _question(self, content):
        self._asked = self._envelope.close(ASKED, content)
        self._answer(self._asked)

    def _answer(self, message):
        try:
            self.lan.answer(message)
        except RemoteFault as fault:
            self._lan_refused[fault.reason] += 1

    def _refuse(self, reason):
        match reason:
            case "lan-form":
                self._answer(b"\1")
            case "lan-seal":
                self._answer(b"\1" + bytes(100))
            case "lan-replay":
                if not self._asked:
                    self._question(bytes([COMPARE]) + bytes(NAME_BYTES + 16))
                self._answer(self._asked)
            case "lan-kind":
                self._question(b"\x09")
            case "lan-short":
                self._question(bytes([TRADE]) + b"\0")
            case "lan-forged":
                pass  # the question that brought them does that
            case _:
                self.left_out[f"lan: {reason}"] += 1

    # the comparison

    def report(self):
        """As JSON: what was expected, what came, and what `differs` as {what: [expected, came]}."""
        expected, came = Counter(), Counter(self.outcomes)
        for entry in self.capture.of("became"):
            expected[f"{entry['via']}: {entry['reason']}"] += 1
        for entry in self.capture.of("lan"):
            if entry["way"] == "refused" and f"lan: {entry.get('reason')}" not in self.left_out:
                expected[f"network refused {entry.get('reason')}"] += 1
        came.update({f"network refused {reason}": count for reason, count in self._lan_refused.items()})
        if self.capture.whole:
            expected.update(merged(self.capture.entries[-1]["counted"]))
            came.update(merged(self.replica.counters - self._counted))
        differs = {what: [expected[what], came[what]] for what in sorted({*expected, *came})
                   if expected[what] != came[what]}
        return {"entries": len(self.capture.entries), "records": len(self.rebuilt.facts), "sent": self.sent,
                "same": {what: count for what, count in sorted(came.items()) if what not in differs}, "differs": differs,
                "left_out": dict(self.left_out)}


def merged(counters):
    """Counters as a replay can have them."""
    counted = Counter({name: count for name, count in counters.items() if name != FORMER and count})
    if FORMER in counters:
        counted["dropped packet-tag"] += counters[FORMER]
    return counted


def radio_of(number):
    """What the link calls a radio."""
    return f"{number:08x}"

"""Whole islands on a simulated air, in virtual time, from one seed: the scenario driver of tests and benches."""

import heapq
import random
import time
from collections import Counter
from functools import lru_cache, partial

from node.model.clock import EPOCH_S, minute_of
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, decode, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.events import Imported, LinkChanged, PacketReceived, RecordKept, SendDone, Tick
from node.sync.lora.context import DEFAULT_MAX_PAYLOAD, Channel, Identity, address_of
from node.sync.lora.engine import AirEngine
from node.sync.lora.packets import SIGNED_UP_TO_BYTES
from node.sync.lora.tuning import TUNING
from radio import lora
from radio.airtime import Governor
from radio.link import Outcome
from radio.sim.air import Air, Delivered, Mischief, Sent
from radio.sim.topology import lay

MAX_KEYS = 16  # founders
LINK = "lora"
START = EPOCH_S + 2 * 365 * 86_400.0
KEY = SigningKey(b"\1" * 32)
CHARTER = Charter.found("test", [KEY.public], b"\2" * 32)

KEYS = [KEY] + [SigningKey(bytes([3, number]) * 16) for number in range(1, MAX_KEYS)]  # one per island, if each has its own
MANY_KEYS = Charter.found("many keys", [key.public for key in KEYS], b"\2" * 32)


@lru_cache(maxsize=4096)
def bulletin(number: int, size_bytes: int = 160, created: int = minute_of(START), charter: Charter = CHARTER,
             key: SigningKey = KEY) -> bytes:
    """A signed bulletin of `size_bytes`, text included; different for each number."""
    packed = random.Random(number).randbytes(size_bytes - 80)
    record = Record(Kind.BULLETIN, key.key_id, created, life=14 * 24, packed=packed)
    return encode(sign(record, charter.set_id, key.sign))


def air_engine(member, channel, liveset, key, rng):
    """Ours; baselines put another in its place."""
    identity = Identity(key, address_of(repr(member.name).encode(), key))
    return AirEngine(channel, liveset, identity, rng, member.world.tuning)


class Witness:
    """An engine that sends nothing and notes when each record was kept."""

    deadline = None

    def __init__(self, kept: dict):
        self.kept = kept

    def handle(self, event, now):
        if isinstance(event, RecordKept):
            self.kept.setdefault(event.id, now)
        return []


class Member:
    """One island and its radio. `skew_s` is what its clock is ahead of the simulation's."""

    def __init__(self, name, archipelago, skew_s=0.0, charter=CHARTER):
        self.name, self.world, self.skew_s, self.charter = name, archipelago, skew_s, charter
        self.store, self.kept = MemoryStore(), {}
        self.on = False

    def start(self, now):
        """Power on: everything but the store is new."""
        world = self.world
        liveset = LiveSet(self.charter)
        channel = Channel(LINK, world.airtime_s, Governor("EU_868", world.share), world.max_payload, world.signs,
                          self.name in world.strict)
        key = self.charter.subkey("tag")
        rng = random.Random(f"{world.seed} {self.name} {now}")
        self.engine = world.engine(self, channel, liveset, key, rng)
        self.replica = Replica(liveset, self.store, [self.engine, Witness(self.kept)])
        self.replica.load(now + self.skew_s)
        self.on = True
        world.air.switch(self.name, True, now)
        self.handle(LinkChanged(LINK, True), now)

    def stop(self, now):
        """Power off, without warning."""
        self.on = False
        self.world.air.switch(self.name, False, now)

    def handle(self, event, now):
        """Let the island react, and send what it wants sent."""
        if not self.on:
            return
        begun = time.process_time()
        sends = self.replica.handle(event, now + self.skew_s)
        self.world.slowest_s = max(self.world.slowest_s, time.process_time() - begun)
        self.carry_out(sends, now)

    def carry_out(self, sends, now):
        for send in sends:
            self.world.sends[send.label] += 1
            self.world.payload_bytes[send.label] += len(send.payload)
            frame = self.world.air.send(self.name, send.payload, now, send.hop_limit, int(send.to, 16) if send.to else None)
            if frame is None:
                self.handle(SendDone(LINK, Outcome.QUEUE_FULL.value), now)
        self.world.note_deadline(self)

    @property
    def deadline(self):
        moment = self.replica.deadline if self.on else None
        return None if moment is None else moment - self.skew_s

    @property
    def ids(self):
        return set(self.replica.liveset.ids())

    def hold(self, raws):
        """Give it records before it starts, as if its store had them."""
        from node.store.index import Row

        self.store.commit([Row.of(decode(raw), raw, decode(raw).created) for raw in raws])


class SignedOnly:
    """The firmware of a radio with the strictest policy: it takes in what is signed, or for one node (docs/radio.md)."""

    def admits(self, frame):
        return frame.to is not None or len(frame.payload) <= SIGNED_UP_TO_BYTES

    def passed_on(self, frame, again):
        return None if again else frame


class Archipelago:
    """Islands in a shape. `skews`: node -> seconds; `plain`: nodes that are mere relays; `habits`: of radios that pass on
    otherwise than usual; `deaf`: (node, whom it does not hear) though it is heard; `strict`:
    nodes whose radios hear only what is signed."""


    def __init__(self, seed, pairs, loss=0.0, signs=False, max_payload=DEFAULT_MAX_PAYLOAD, share=None, mischief=None,
                 skews=None, plain=(), charters=None, engine=None, tuning=TUNING, habits=None, deaf=(),
                 strict=()):
        self.engine, self.tuning = engine or air_engine, tuning
        self.slowest_s = 0.0  # CPU of the slowest event
        self.seed, self.signs, self.max_payload, self.share, self.pairs = seed, signs, max_payload, share, pairs
        self.air = Air(random.Random(f"air {seed}"), mischief=mischief or Mischief(), signs=signs)
        lay(self.air, pairs, loss, habits=habits or {})
        for receiver, sender in deaf:
            self.air.deafen(receiver, sender)
        self.strict = strict
        for node in strict:
            self.air.run(node, SignedOnly())
        self.airtime_s = partial(lora.time_on_air_s, signs=signs)
        self.sends, self.payload_bytes = Counter(), Counter()
        self.now, self._deadlines = START, []
        self.log: list[Sent] | None = None  # each transmission, if somebody wants to know
        nodes = sorted({node for pair in pairs for node in pair})
        self.members = {node: Member(node, self, (skews or {}).get(node, 0.0), (charters or {}).get(node, CHARTER))
                        for node in nodes if node not in plain}
        for node in plain:
            self.air.switch(node, True, START)

    def start(self, *nodes):
        """Power on some islands, or all."""
        for node in nodes or self.members:
            self.members[node].start(self.now)

    def note_deadline(self, member):
        moment = member.deadline
        if moment is not None:
            heapq.heappush(self._deadlines, (moment, repr(member.name), member))

    def post(self, node, raw):
        """Somebody posts on an island's portal."""
        member = self.members[node]
        verdicts, sends = member.replica.publish([raw], self.now + member.skew_s)
        assert verdicts[0].kept, verdicts
        member.carry_out(sends, self.now)

    def bring(self, node, raws):
        """A bundle is read on an island."""
        self.members[node].handle(Imported(tuple(raws), "bundle"), self.now)

    def run(self, seconds, until_equal=False):
        """Let time pass; returns whether all islands that are on hold the same at the end (or sooner, if asked)."""
        end = self.now + seconds
        while (moment := self._next()) is not None and moment <= end:
            self.now = max(moment, self.now)
            self._step()
            if until_equal and self.equal():
                return True
        self.now = end
        return self.equal()

    def _next(self):
        moments = [self._deadlines[0][0]] if self._deadlines else []
        if self.air.next_at() is not None:
            moments.append(self.air.next_at())
        return min(moments, default=None)

    def _step(self):
        for happening in self.air.advance(self.now):
            if self.log is not None and isinstance(happening, Sent):
                self.log.append(happening)
            member = self.members.get(happening.node)
            if member is None:
                continue
            if isinstance(happening, Delivered) and happening.frame.to in (None, happening.node):
                event = PacketReceived(LINK, happening.frame.payload, name_of(happening.frame.origin), happening.hops,
                                       happening.frame.hop_limit, relay_of(happening))
                member.handle(event, self.now)
            elif isinstance(happening, Sent) and happening.frame.origin == happening.node:
                member.handle(SendDone(LINK, Outcome.SENT.value), self.now)
        while self._deadlines and self._deadlines[0][0] <= self.now:
            moment, _, member = heapq.heappop(self._deadlines)
            if member.on and member.deadline is not None and member.deadline <= moment:
                member.handle(Tick(), self.now)

    def equal(self):
        """Whether all islands that are on hold the same records."""
        sets = [member.ids for member in self.members.values() if member.on]
        return all(one == sets[0] for one in sets)


def relay_of(delivered):
    """What the link tells of who sent this copy: nothing, or the last byte."""
    return "" if delivered.relay is None else name_of(delivered.relay)[-2:]


def name_of(node):
    """What a simulated radio is called: its number in hex, as the last two digits are what tells a relay."""
    return f"{node:04x}"


def ids_of(raws):
    """The ids of encoded records."""
    return {record_id(raw) for raw in raws}

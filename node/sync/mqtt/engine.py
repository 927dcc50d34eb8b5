"""The engine for brokers: anti-entropy (Demers and others, 1987) between the set and a broker's retained messages.

A broker holds one sealed record per slot for whoever comes by. What it has and we lack is learnt, what we have and it lacks
is put there, what left the set is taken away hours later. A broker is nobody's friend: it may forget, repeat, reorder,
forge. Only what it brought back to us counts as being there, so whatever it loses is put there again; each time a slot
fails us we wait longer, so that neither a stubborn broker nor an island of another mind (a wrong clock) draws us into a
quarrel.

Packet: slot (16) | sealed record (`node.sync.mqtt.sealing`), or the slot alone to empty it.
"""

import heapq
from collections.abc import Iterable, Set
from random import Random
from typing import ClassVar, Protocol

from node.model.errors import RemoteFault
from node.model.keys import Charter
from node.model.record import record_id
from node.sync.events import (
    Action,
    Drop,
    Event,
    Keep,
    LinkChanged,
    PacketReceived,
    RecordKept,
    RecordRefused,
    RecordsGone,
    Send,
    SendDone,
)
from node.sync.mqtt.sealing import SLOT_BYTES, Seal
from node.sync.mqtt.tuning import BROKER_TUNING, BrokerTuning

MAY_STAY = {"duplicate", "penned", "revoked", "early", "store"}  # refusals that say nothing for ever


class MirroredRecords(Protocol):
    """What of the live set is needed."""

    def ids(self) -> Iterable[bytes]:
        """Every live id."""

    def raw(self, id_: bytes) -> bytes | None:
        """A record's encoding, None if it is not live."""


class MqttEngine:
    """Keeps what the broker behind link `name` retains like the live set. Events and actions as in `node.sync.events`."""

    may_stay: ClassVar[Set[str]] = MAY_STAY

    def __init__(self, name: str, charter: Charter, liveset: MirroredRecords, rng: Random,
                 tuning: BrokerTuning = BROKER_TUNING):
        self._name, self._liveset, self._rng, self._tuning = name, liveset, rng, tuning
        self._seal = Seal(charter)
        self._now = 0.0
        self._burst, self._burst_at = float(tuning.burst), 0.0  # how many may go fast; as of when
        self._forget()

    @property
    def deadline(self) -> float | None:
        """When to be ticked, or None."""
        if not self._open or self._sending is not None:
            return None
        moments = [max(self._plan[0][0], self._free_at)] if self._plan else []
        return min(moments if self._settle_at is None else [*moments, self._settle_at], default=None)

    def handle(self, event: Event, now: float) -> list[Action]:
        """React to one event."""
        self._notice(now)
        actions = self._react(event, now)
        if self._open:
            self._settle(now)
            actions += self._next_send(now)
        return actions

    def _react(self, event: Event, now: float) -> list[Action]:
        match event:
            case LinkChanged(self._name, up):
                self._connect(up, now)
            case PacketReceived(self._name, payload):  # a broker may speak before its link is said to be up
                return self._learn(payload, now)
            case SendDone(self._name, _) if self._sending is not None:
                self._sent(self._sending, now)
            case RecordKept(id_, via, bulk):
                self._kept(id_, via, bulk, now)
            case RecordRefused(id_, self._name, reason):
                self._refused(self._seal.slot(id_), reason, now)
            case RecordsGone(ids):
                for id_ in ids:
                    self._gone(self._seal.slot(id_), now)
        return []

    # the broker comes and goes

    def _forget(self) -> None:
        """What the broker held is no longer known."""
        self._open = False
        self._slots: dict[bytes, bytes] | None = None  # of every live record: slot -> id; made when first needed
        self._there: set[bytes] = set()  # slots that the broker showed us, as they should be
        self._foreign: set[bytes] = set()  # slots it showed us whose record is not, or no longer, in our set
        self._plan: list[tuple[float, bytes]] = []  # a heap: when to look at which slot
        self._due: dict[bytes, float] = {}  # what of the heap is meant
        self._failures: dict[bytes, int] = {}
        self._sending: bytes | None = None
        self._free_at = 0.0
        self._alone = True  # nobody else was seen to put there what we had planned to
        self._settle_at: float | None = None  # None once the broker has shown what it has
        self._up_at = 0.0

    def _connect(self, up: bool, now: float) -> None:
        if up:
            self._open, self._slots = True, None  # the set may have changed unseen
            self._settle_at, self._up_at = now + self._tuning.settle_s, now
        else:
            self._forget()

    def _live(self) -> dict[bytes, bytes]:
        if self._slots is None:
            self._slots = {self._seal.slot(id_): id_ for id_ in self._liveset.ids()}
        return self._slots

    def _settle(self, now: float) -> None:
        """Once the broker has shown what it has: plan to put there what it lacks, not at the moment that others choose."""
        if self._settle_at is None or now < self._settle_at:
            return
        self._settle_at = None
        start_at = now + self._rng.uniform(0, self._tuning.spread_s)
        for slot in self._live():
            if slot not in self._there and slot not in self._due:
                self._look_at(slot, start_at)

    def _wait_on(self, most_s: float, now: float) -> None:
        """The broker still shows what it has: it is not looked at as a whole yet, until `most_s` after it came up."""
        if self._settle_at is not None:
            self._settle_at = max(self._settle_at, min(now + self._tuning.settle_s, self._up_at + most_s))

    def _notice(self, now: float) -> None:
        """A clock set back must not make us wait for hours."""
        step_s = now - self._now
        if step_s < -1:
            self._due = {slot: at + step_s for slot, at in self._due.items()}
            self._plan = sorted((at, slot) for slot, at in self._due.items())
            self._free_at = self._burst_at = now
            if self._settle_at is not None:
                self._settle_at, self._up_at = self._settle_at + step_s, self._up_at + step_s
        self._now = now

    # what the broker shows

    def _learn(self, payload: bytes, now: float) -> list[Action]:
        self._wait_on(self._tuning.max_settle_s, now)
        slot, sealed = payload[:SLOT_BYTES], payload[SLOT_BYTES:]
        if len(slot) < SLOT_BYTES:
            return [Drop(self._name, "slot-size")]
        if not sealed:
            self._emptied(slot, now)
            return []
        return self._compare(slot, sealed, now) if slot in self._live() else self._unseal(slot, sealed)

    def _unseal(self, slot: bytes, sealed: bytes) -> list[Action]:
        try:
            raw = self._seal.open(slot, sealed)
        except RemoteFault as fault:
            return [Drop(self._name, fault.reason)]
        if self._seal.slot(record_id(raw)) != slot:
            return [Drop(self._name, "seal-slot")]
        return [Keep(raw, self._name, bulk=not self._open or self._settle_at is not None)]

    def _compare(self, slot: bytes, sealed: bytes, now: float) -> list[Action]:
        """A slot of ours: is it as we would have made it?"""
        raw = self._liveset.raw(self._live()[slot])
        if raw is None or self._seal.close(slot, raw) == sealed:
            self._alone &= slot not in self._due or slot in self._failures  # ours is a failure until it is shown
            if slot not in self._there:
                self._wait_on(self._tuning.max_filling_s, now)
            self._there.add(slot)
            return []
        self._there.discard(slot)
        self._try_again(slot, now)
        return [Drop(self._name, "seal-overwritten")]

    def _emptied(self, slot: bytes, now: float) -> None:
        self._foreign.discard(slot)
        if slot in self._there:
            self._there.discard(slot)
            self._try_again(slot, now)

    # what becomes of records here

    def _kept(self, id_: bytes, via: str, bulk: bool, now: float) -> None:
        slot = self._seal.slot(id_)
        if self._liveset.raw(id_) is None:  # it leads nobody
            if via == self._name:
                self._take_away_later(slot, now)
            return
        self._live()[slot] = id_
        self._foreign.discard(slot)
        if via == self._name:
            self._there.add(slot)
        elif self._open and (self._settle_at is None or not bulk):
            self._look_at(slot, now if via == "post" else now + self._rng.uniform(0, self._tuning.spread_s))

    def _refused(self, slot: bytes, reason: str, now: float) -> None:
        if slot in self._live():  # it came by another way at the same moment
            self._there.add(slot)
        elif reason not in self.may_stay:
            self._take_away_later(slot, now)

    def _gone(self, slot: bytes, now: float) -> None:
        self._live().pop(slot, None)
        if slot in self._there:
            self._there.discard(slot)
            self._take_away_later(slot, now)
        if slot not in self._due:
            self._failures.pop(slot, None)

    def _take_away_later(self, slot: bytes, now: float) -> None:
        if len(self._foreign) < self._tuning.max_foreign:
            self._foreign.add(slot)
            self._look_at(slot, now + self._tuning.clear_s + self._rng.uniform(0, self._tuning.clear_spread_s))

    # what to do when

    def _look_at(self, slot: bytes, at: float) -> None:
        """See to this slot at `at`; what was planned for it before is forgotten."""
        self._due[slot] = at
        heapq.heappush(self._plan, (at, slot))

    def _try_again(self, slot: bytes, now: float) -> None:
        """This slot has failed us: look at it later, each time after twice as long."""
        if slot not in self._due:
            doublings = self._failures.get(slot, 0)
            self._failures[slot] = min(doublings + 1, self._tuning.max_doublings)
            self._look_at(slot, now + self._tuning.retry_s * 2**doublings * self._rng.uniform(0.75, 1.25))

    def _next_send(self, now: float) -> list[Action]:
        while self._sending is None and now >= self._free_at and self._plan and self._plan[0][0] <= now:
            at, slot = heapq.heappop(self._plan)
            if self._due.get(slot) != at:
                continue
            del self._due[slot]
            content = self._content(slot)
            if content is not None:
                self._sending, self._free_at = slot, self._next_free(now)
                return [Send(self._name, slot + content, label="data" if content else "clear")]
            if slot not in self._live():
                self._failures.pop(slot, None)  # there is nothing to see to any more
        return []

    def _next_free(self, now: float) -> float:
        """When the next message may follow one that goes now."""
        self._burst = min(self._burst + (now - self._burst_at) / self._tuning.pace_s, self._tuning.burst)
        self._burst_at = now
        if self._burst < 1 or not self._alone:
            return now + self._tuning.pace_s
        self._burst -= 1
        return now + self._tuning.burst_pace_s

    def _content(self, slot: bytes) -> bytes | None:
        """What should be put into a slot now; None when it is as it should be."""
        id_ = self._live().get(slot)
        if id_ is None:
            return b"" if slot in self._foreign else None
        raw = None if slot in self._there else self._liveset.raw(id_)
        return self._seal.close(slot, raw) if raw is not None else None

    def _sent(self, slot: bytes, now: float) -> None:
        """Sent or not, look at the slot again: only what the broker shows is there."""
        self._sending = None
        if slot not in self._there:  # it may have come back before the link said that it was done
            self._try_again(slot, now)


class LeadingMqttEngine(MqttEngine):
    """Keeps there, under an earlier secret of the set, only what leads to the present one: `liveset` is no more than that.

    All else that stands there is learnt, and then taken away.
    """

    may_stay = MAY_STAY - {"duplicate"}

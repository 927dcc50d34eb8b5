"""What this island holds, as elements of 32 bits and their sketch: salted by day, as of an hour that packets carry."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from node.model.clock import minute_of
from node.model.record import Record
from node.sync.codes.sketch import ELEMENT_BYTES, LANE, decode, sketch
from node.sync.lora.packets import MAX_CAPACITY, SHORT_ID_BYTES, Sum
from node.sync.lora.tuning import Tuning

HOUR_MIN = 60
HOURS_A_DAY = 24
MAX_AHEAD_H = 48  # a clock further ahead than this is not believed (docs/protocol.md, 5.3)
_WRAP = 1 << 16


class HeldRecords(Protocol):
    """What the engine needs of the live set (`node.replica.liveset`). `revision` grows with every change."""

    revision: int

    def get(self, id_: bytes) -> Record | None:
        """A record of the set."""

    def raw(self, id_: bytes) -> bytes | None:
        """Its encoding."""

    def ids(self, as_of: int | None = None) -> Collection[bytes]:
        """Those live at minute `as_of`."""

    def __contains__(self, id_: bytes) -> bool: ...


class Salted:
    """The elements of one day's salt, and the sketch of those live at one hour, as of a `revision` of the set."""

    def __init__(self, day: int, key: bytes):
        self.day, self.key = day, key
        self.ids: dict[int, bytes] = {}  # element -> id
        self.elements: dict[bytes, int] = {}
        self.sketch = 0
        self.revision = -1

    def update(self, ids: Collection[bytes], most: int) -> bool:
        """Come nearer to holding exactly `ids`, by `most` of them; whether that is done."""
        current = dict.fromkeys(ids)  # in their order: a simulation is to go the same way each time
        gone = list(islice((id_ for id_ in self.elements if id_ not in current), most))
        come = list(islice((id_ for id_ in current if id_ not in self.elements), most - len(gone)))
        changed = [self._take(id_) for id_ in gone] + [self._add(id_) for id_ in come]
        self.sketch ^= sketch(changed, MAX_CAPACITY)
        return len(gone) < most and len(self.elements) == len(current)

    def _take(self, id_: bytes) -> int:
        element = self.elements.pop(id_)
        self.ids.pop(element, None)
        return element

    def _add(self, id_: bytes) -> int:
        element = element_of(id_, self.day, self.key)
        self.ids[element], self.elements[id_] = id_, element
        return element


def element_of(id_: bytes, day: int, key: bytes) -> int:
    """32 bits for a record, other ones each day, that only members can foretell; never 0."""
    salt = day.to_bytes(2, "big")
    digest = hashlib.blake2b(id_, key=key, salt=salt, digest_size=ELEMENT_BYTES, person=b"archipel-element").digest()
    return int.from_bytes(digest, "big") or 1


class Inventory:
    """The set as the air engine sees it: what `records` holds at this moment. A large one is taken in step by step."""

    def __init__(self, records: HeldRecords, key: bytes, tuning: Tuning):
        self.records, self._key, self._tuning = records, key, tuning
        self._salted: dict[int, Salted] = {}  # as-of hour -> what is live then; few at a time
        self.behind: int | None = None  # the hour that is being taken in

    def hour(self, now: float) -> int:
        """The hour as of which we speak: the next full one. A clock that is lost is the daemon's business (`now`)."""
        return minute_of(now) // HOUR_MIN + 1

    def at(self, hour: int) -> Salted | None:
        """What is live at an hour; None as long as that is not known: `catch_up`."""
        if hour == self.behind:
            return None
        done = self._step(hour)
        if not done:
            self.behind = hour
        return self._salted[hour] if done else None

    def catch_up(self, now: float) -> None:
        """Take in some more, if anything is left; else look ahead: each day has other elements."""
        if self.behind is not None:
            if self._step(self.behind):
                self.behind = None
        elif (tomorrow := self.hour(now) + 1) % HOURS_A_DAY == 0 and tomorrow not in self._salted:
            self.at(tomorrow)

    def _step(self, hour: int) -> bool:
        salted = self._salted.pop(hour, None) or self._grown(hour)
        self._salted[hour] = salted
        if len(self._salted) > self._tuning.max_hours:
            del self._salted[next(iter(self._salted))]
        if salted.revision != self.records.revision:
            done = salted.update(self.records.ids(hour * HOUR_MIN), self._tuning.sketched_in_step)
            salted.revision = self.records.revision if done else -1
        return salted.revision >= 0

    def _grown(self, hour: int) -> Salted:
        """A new hour of a known day starts from its nearest neighbour: few records expire in between."""
        fresh = Salted(hour // HOURS_A_DAY, self._key)
        for known in self._salted.values():
            if known.day == fresh.day:
                fresh.ids, fresh.elements, fresh.sketch = dict(known.ids), dict(known.elements), known.sketch
        return fresh

    def sum(self, held: Salted, hour: int, capacity: int) -> Sum:
        """What we say of ourselves as of an hour."""
        lanes = held.sketch & (1 << LANE * capacity) - 1
        return Sum(hour % _WRAP, len(held.ids) % _WRAP, capacity, lanes)

    def hour_meant(self, as_of_h: int, now: float) -> int | None:
        """The hour a packet means by 16 bits; None if our records cannot be compared as of then."""
        ours = self.hour(now)
        hour = ours + (as_of_h - ours + _WRAP // 2) % _WRAP - _WRAP // 2
        return hour if ours - 1 <= hour <= ours + MAX_AHEAD_H else None

    def id_of(self, element: int, day: int, now: float) -> bytes | None:
        """Which record an element of a packet means; None if we do not hold it, or cannot tell yet."""
        hour = self.hour(now)
        for candidate in (hour, hour - HOURS_A_DAY, hour + HOURS_A_DAY):
            if candidate // HOURS_A_DAY % 256 == day:
                held = self.at(candidate)
                return held.ids.get(element) if held else None
        return None

    def id_from_short(self, short_id: bytes) -> bytes | None:
        """The record whose id begins so."""
        return next((id_ for id_ in self.records.ids() if id_[:SHORT_ID_BYTES] == short_id), None)


@dataclass(frozen=True)
class Difference:
    """What two sets differ by: ids of records that only we hold, elements that only they hold."""

    ours: list[bytes]
    theirs: list[int]


def difference(held: Salted, heard: Sum, known: Collection[int] = ()) -> Difference | None:
    """What our set and a neighbour's differ by; None if its sketch is too small to tell. `known`: elements by which they
    seem to differ anyway; the sketch then has to hold only what differs from that."""
    gap = held.sketch & (1 << LANE * heard.capacity) - 1 ^ heard.sketch ^ sketch(known, heard.capacity)
    more = (len(held.ids) - heard.count + _WRAP // 2) % _WRAP - _WRAP // 2
    if gap == 0 and more == 0 and not known:
        return Difference([], [])
    if heard.count == 0:
        return Difference(list(held.elements), [])
    if abs(more) > heard.capacity + len(known):
        return None
    elements = decode(gap, heard.capacity)
    if elements is None:
        return None
    elements = list(set(known).symmetric_difference(elements)) if known else elements
    ours = [held.ids[element] for element in elements if element in held.ids]
    theirs = [element for element in elements if element not in held.ids]
    return Difference(ours, theirs) if len(ours) - len(theirs) == more else None

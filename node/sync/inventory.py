"""What this island holds, as elements of 32 bits and their sketch: salted by day, as of an hour that packets carry."""

import hashlib
from collections.abc import Collection
from typing import Protocol

from node.clock import minute_of
from node.records import Record
from node.sync.packets import MAX_CAPACITY, SHORT_ID_BYTES, Sum
from node.sync.sketch import ELEMENT_BYTES, LANE, decode, sketch

HOUR_MIN = 60
HOURS_A_DAY = 24
MAX_AHEAD_H = 48  # a clock further ahead than this is not believed
_WRAP = 1 << 16


class Records(Protocol):
    """What the engine needs of the live set (`node.liveset`)."""

    def get(self, id_: bytes) -> Record | None:
        """A record of the set."""

    def raw(self, id_: bytes) -> bytes | None:
        """Its encoding."""

    def ids(self, as_of: int | None = None) -> Collection[bytes]:
        """Those live at minute `as_of`."""

    def __contains__(self, id_: bytes) -> bool: ...


class Salted:
    """The elements of one day's salt, and the sketch of those live at one hour."""

    def __init__(self, day: int, key: bytes):
        self.day, self.key = day, key
        self.ids: dict[int, bytes] = {}  # element -> id
        self.elements: dict[bytes, int] = {}
        self.sketch = 0

    def update(self, ids: Collection[bytes]) -> None:
        """Hold exactly `ids`."""
        current = set(ids)
        gone = [self.elements.pop(id_) for id_ in self.elements.keys() - current]
        come = {element_of(id_, self.day, self.key): id_ for id_ in current - self.elements.keys()}
        for element in gone:
            self.ids.pop(element, None)
        self.ids |= come
        self.elements |= {id_: element for element, id_ in come.items()}
        if gone or come:
            self.sketch ^= sketch([*gone, *come], MAX_CAPACITY)


def element_of(id_: bytes, day: int, key: bytes) -> int:
    """32 bits for a record, other ones each day, that only members can foretell; never 0."""
    salt = day.to_bytes(2, "big")
    digest = hashlib.blake2b(id_, key=key, salt=salt, digest_size=ELEMENT_BYTES, person=b"archipel-element").digest()
    return int.from_bytes(digest, "big") or 1


class Inventory:
    """The set as the air engine sees it: always what `records` holds at this moment."""

    def __init__(self, records: Records, key: bytes):
        self.records, self._key = records, key
        self._salted: dict[int, Salted] = {}  # as-of hour -> what is live then; few at a time

    def hour(self, now: float) -> int:
        """The hour as of which we speak: the next full one. A clock that is lost is the shell's business (`now`)."""
        return minute_of(now) // HOUR_MIN + 1

    def at(self, hour: int) -> Salted:
        """What is live at an hour."""
        salted = self._salted.pop(hour, None) or self._grown(hour)
        self._salted[hour] = salted
        if len(self._salted) > 4:
            del self._salted[next(iter(self._salted))]
        salted.update(self.records.ids(hour * HOUR_MIN))
        return salted

    def _grown(self, hour: int) -> Salted:
        """A new hour of a known day starts from its nearest neighbour: few records expire in between."""
        fresh = Salted(hour // HOURS_A_DAY, self._key)
        for known in self._salted.values():
            if known.day == fresh.day:
                fresh.ids, fresh.elements, fresh.sketch = dict(known.ids), dict(known.elements), known.sketch
        return fresh

    def sum(self, hour: int, capacity: int) -> Sum:
        """What we say of ourselves as of an hour."""
        held = self.at(hour)
        lanes = held.sketch & (1 << LANE * capacity) - 1
        return Sum(hour % _WRAP, len(held.ids) % _WRAP, capacity, lanes)

    def hour_meant(self, as_of_h: int, now: float) -> int | None:
        """The hour a packet means by 16 bits; None if our records cannot be compared as of then."""
        ours = self.hour(now)
        hour = ours + (as_of_h - ours + _WRAP // 2) % _WRAP - _WRAP // 2
        return hour if ours - 1 <= hour <= ours + MAX_AHEAD_H else None

    def id_of(self, element: int, day: int, now: float) -> bytes | None:
        """Which record an element of a packet means."""
        hour = self.hour(now)
        for candidate in (hour, hour - HOURS_A_DAY, hour + HOURS_A_DAY):
            if candidate // HOURS_A_DAY % 256 == day:
                return self.at(candidate).ids.get(element)
        return None

    def id_from_short(self, short_id: bytes) -> bytes | None:
        """The record whose id begins so."""
        return next((id_ for id_ in self.records.ids() if id_[:SHORT_ID_BYTES] == short_id), None)


def difference(held: Salted, heard: Sum) -> tuple[list[bytes], list[int]] | None:
    """(ids only we hold, elements only they hold); None if the sketch is too small to tell."""
    gap = held.sketch & (1 << LANE * heard.capacity) - 1 ^ heard.sketch
    more = (len(held.ids) - heard.count + _WRAP // 2) % _WRAP - _WRAP // 2
    if gap == 0 and more == 0:
        return [], []
    if heard.count == 0:
        return list(held.elements), []
    if abs(more) > heard.capacity:
        return None
    elements = decode(gap, heard.capacity)
    if elements is None:
        return None
    ours = [held.ids[element] for element in elements if element in held.ids]
    theirs = [element for element in elements if element not in held.ids]
    return (ours, theirs) if len(ours) - len(theirs) == more else None

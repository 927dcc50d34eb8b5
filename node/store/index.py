"""What a store keeps: rows sorted by date and kind, read a page at a time. The stores on disk and in memory share it."""

import heapq
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from node.model.clock import MAX_MINUTE
from node.model.event import Event, occasions
from node.model.record import ID_BYTES, Record, record_id

Key = tuple[int, bytes]  # the minute that orders a row, and its id


class StoreFailed(Exception):
    """The card did not keep it, and nothing was acknowledged: `reason` is "full", "read-only", "io-error" or "closed"; of
    an archive also "damaged"."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Row:
    """A record as kept: its encoding, what sorts it, and what is only known here (the rest, from `received` on).

    Moments are minutes since 2024; `start` is None for everything but an event, and of a repeated one
    that of its earliest date.
    `before`: of a correction, the first version that was shown here, encoded; it goes when the correction goes.
    """

    id: bytes
    raw: bytes
    kind: int
    created: int
    expires: int
    start: int | None
    topic: int
    received: int
    before: bytes = b""

    @classmethod
    def of(cls, record: Record, raw: bytes, received: int, before: bytes = b"") -> "Row":
        """The row that keeps `record`, encoded as `raw`, from minute `received` on."""
        start = min(date.start for date in occasions(record.detail)) if isinstance(record.detail, Event) else None
        return cls(record_id(raw), raw, int(record.kind), record.created, record.expires, start, record.topic, received,
                   before)


@dataclass(frozen=True, slots=True)
class Slice:
    """Which rows, in which order: `order` ("created" or "start") names the minute that since <= minute < until limits.

    `kinds` None means every kind, `topic` None every topic; ordered by start, only events are there. `lasting`: only what
    expires at that minute or later.
    """

    order: str = "created"
    kinds: Collection[int] | None = None
    since: int = 0
    until: int = MAX_MINUTE + 1
    topic: int | None = None
    newest_first: bool = False
    lasting: int = 0


class RowIndex:
    """Rows by id, and sorted by date within each kind. A page costs what it returns, never a copy of the set."""

    def __init__(self) -> None:
        self._rows: dict[bytes, Row] = {}
        self._sorted: dict[str, dict[int, list[Key]]] = {"created": {}, "start": {}}

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows.values())

    def get(self, id_: bytes) -> Row | None:
        """The row with this id, or None."""
        return self._rows.get(id_)

    def put(self, row: Row) -> bool:
        """Add it, or put it in the place of the row with its id; whether there was one."""
        replaced = self.discard(row.id)
        self._rows[row.id] = row
        for order, minute in _minutes(row):
            insort(self._sorted[order].setdefault(row.kind, []), (minute, row.id))
        return replaced

    def fill(self, rows: Iterable[Row]) -> None:
        """Take many at once, sorting once; only for an empty index."""
        self._rows = {row.id: row for row in rows}
        for row in self._rows.values():
            for order, minute in _minutes(row):
                self._sorted[order].setdefault(row.kind, []).append((minute, row.id))
        for keys in chain.from_iterable(kinds.values() for kinds in self._sorted.values()):
            keys.sort()

    def discard(self, id_: bytes) -> bool:
        """Forget the row with this id; whether there was one."""
        row = self._rows.pop(id_, None)
        if row is None:
            return False
        for order, minute in _minutes(row):
            keys = self._sorted[order][row.kind]
            del keys[bisect_left(keys, (minute, id_))]
        return True

    def page(self, wanted: Slice, after: str = "", limit: int = 20) -> tuple[list[Row], str]:
        """At most `limit` rows, and the mark to ask for what follows ("" at the end). An unknown mark starts anew."""
        found: list[Row] = []
        last: Key | None = None
        for key in self._keys(wanted, key_of(after)):
            row = self._rows[key[1]]
            if row.expires < wanted.lasting or (wanted.topic is not None and row.topic != wanted.topic):
                continue
            if len(found) >= limit:
                return found, mark_of(last) if last else ""
            found.append(row)
            last = key
        return found, ""

    def _keys(self, wanted: Slice, after: Key | None) -> Iterator[Key]:
        by_kind = self._sorted[wanted.order]
        kinds = by_kind if wanted.kinds is None else wanted.kinds
        walks = [_walk(by_kind[kind], wanted, after) for kind in kinds if kind in by_kind]
        return walks[0] if len(walks) == 1 else heapq.merge(*walks, reverse=wanted.newest_first)


def _minutes(row: Row) -> Sequence[tuple[str, int]]:
    """The orders a row is sorted in, with the minute it has there."""
    if row.start is None:
        return (("created", row.created),)
    return ("created", row.created), ("start", row.start)


def _walk(keys: list[Key], wanted: Slice, after: Key | None) -> Iterator[Key]:
    first, end = bisect_left(keys, (wanted.since, b"")), bisect_left(keys, (wanted.until, b""))
    if after and wanted.newest_first:
        end = min(end, bisect_left(keys, after))
    elif after:
        first = max(first, bisect_left(keys, (after[0], after[1] + b"\0")))
    indices = range(end - 1, first - 1, -1) if wanted.newest_first else range(first, end)
    return (keys[index] for index in indices)


def mark_of(key: Key) -> str:
    """The opaque mark that stands for a place in a sorted list."""
    return f"{key[0]:08x}{key[1].hex()}"


def key_of(mark: str) -> Key | None:
    """The place a mark stands for, None if it is no mark: they come back through addresses that people may edit."""
    try:
        raw = bytes.fromhex(mark)
    except ValueError:
        return None
    return (int.from_bytes(raw[:4], "big"), raw[4:]) if len(raw) == 4 + ID_BYTES else None

"""One author's part of the set: which of its versions stand, and how much of it fits."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from enum import IntEnum
from operator import attrgetter
from typing import NamedTuple

from node.model.record import Kind
from node.replica.entry import NO_ROOT, Entry, beats

SUPERSEDED, RETRACTED, OVER_SHARE = "superseded", "retracted", "over-share"
_rank = attrgetter("rank")


class Category(IntEnum):
    """Records of one author are counted apart, so that posts never push out the retraction of an older post."""

    POSTS = 0  # bulletins, events, replies
    ENDINGS = 1  # retractions, cancellations
    CREDENTIALS = 2  # vouches, revocations


class Limit(NamedTuple):
    """How much fits."""

    records: int
    size_bytes: int


LIMITS = {
    Category.POSTS: Limit(1024, 262_144),
    Category.ENDINGS: Limit(1024, 131_072),
    Category.CREDENTIALS: Limit(512, 131_072),
}
_CATEGORY = [Category.POSTS] * len(Kind)
_CATEGORY[Kind.RETRACTION] = _CATEGORY[Kind.CANCELLATION] = Category.ENDINGS
_CATEGORY[Kind.VOUCH] = _CATEGORY[Kind.REVOCATION] = Category.CREDENTIALS


class Ranking:
    """The entries of one category, the lowest rank first, and how much they are."""

    def __init__(self, limit: Limit, ranked: list[Entry] | None = None, size_bytes: int = 0):
        self.limit, self.ranked, self.size_bytes = limit, ranked or [], size_bytes

    def copy(self) -> "Ranking":
        """Another one with the same entries."""
        return Ranking(self.limit, list(self.ranked), self.size_bytes)

    def has_room(self, record_bytes: int, records: int = 1) -> bool:
        """Whether so many more, of so many bytes together, fit without anything going."""
        return len(self.ranked) + records <= self.limit.records and self.size_bytes + record_bytes <= self.limit.size_bytes

    def fits(self, entry: Entry) -> bool:
        """Whether it fits once everything that ranks lower is gone."""
        if self.has_room(len(entry.raw)):
            return True
        above = self.ranked[bisect_left(self.ranked, entry.rank, key=_rank):]
        size_bytes = sum(len(other.raw) for other in above) + len(entry.raw)
        return len(above) < self.limit.records and size_bytes <= self.limit.size_bytes

    def put(self, entry: Entry) -> None:
        """Add it where it belongs."""
        self.ranked.insert(bisect_left(self.ranked, entry.rank, key=_rank), entry)
        self.size_bytes += len(entry.raw)

    def take(self, entry: Entry) -> None:
        """Take out one that is there."""
        del self.ranked[bisect_left(self.ranked, entry.rank, key=_rank)]
        self.size_bytes -= len(entry.raw)

    def surplus(self) -> Entry | None:
        """The lowest in rank while there is too much, else None."""
        over = len(self.ranked) > self.limit.records or self.size_bytes > self.limit.size_bytes
        return self.ranked[0] if over else None


class Quota:
    """The entries of one author that are in the set."""

    def __init__(self, limits: Mapping[Category, Limit] = LIMITS):
        self.entries: dict[bytes, Entry] = {}
        self._by_root: dict[bytes, tuple[Entry, ...]] = {}
        self._rankings = [Ranking(limits[category]) for category in Category]

    def copy(self) -> "Quota":
        """Another quota with the same entries."""
        other = Quota.__new__(Quota)
        other.entries, other._by_root = dict(self.entries), dict(self._by_root)
        other._rankings = [ranking.copy() for ranking in self._rankings]
        return other

    def credentials(self) -> list[Entry]:
        """Its vouches and revocations."""
        return self._rankings[Category.CREDENTIALS].ranked

    def posts(self) -> Iterator[Entry]:
        """All the rest."""
        yield from self._rankings[Category.POSTS].ranked
        yield from self._rankings[Category.ENDINGS].ranked

    def has_room(self, record_bytes: int, records: int = 1) -> bool:
        """Whether so many more posts, of so many bytes together, fit without an older one going."""
        return self._rankings[Category.POSTS].has_room(record_bytes, records)

    def rivals(self, entry: Entry) -> tuple[Entry, ...]:
        """Versions of the same item, and its retraction: one at most, unless the author made one that lives too short."""
        return self._by_root.get(entry.root, ())

    def contested(self, entry: Entry) -> bool:
        """Whether adding it could put out another entry."""
        return bool(self.rivals(entry)) or not self._ranking(entry).has_room(len(entry.raw))

    def refusal(self, entry: Entry) -> str:
        """Why it would not be let in: SUPERSEDED, RETRACTED, OVER_SHARE; "" if it would."""
        for rival in self.rivals(entry):
            if beats(rival, entry):
                return RETRACTED if rival.kind is Kind.RETRACTION else SUPERSEDED
        return "" if self._ranking(entry).fits(entry) else OVER_SHARE

    def add(self, entry: Entry) -> None:
        """Let it in, in the place of what it beats; whatever no longer fits goes."""
        for rival in self.rivals(entry):
            if beats(entry, rival):
                self.discard(rival.id)
        self.entries[entry.id] = entry
        if entry.root != NO_ROOT:
            self._by_root[entry.root] = (*self.rivals(entry), entry)
        ranking = self._ranking(entry)
        ranking.put(entry)
        while (lowest := ranking.surplus()) is not None:
            self.discard(lowest.id)

    def discard(self, id_: bytes) -> None:
        """Take it out, if it is there."""
        entry = self.entries.pop(id_, None)
        if entry is None:
            return
        self._ranking(entry).take(entry)
        others = tuple(other for other in self._by_root.pop(entry.root, ()) if other.id != id_)
        if others:
            self._by_root[entry.root] = others

    def _ranking(self, entry: Entry) -> Ranking:
        return self._rankings[_CATEGORY[entry.kind]]

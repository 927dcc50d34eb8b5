"""One author's part of the set: which of its versions stand, and how much of it fits."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from enum import IntEnum
from operator import attrgetter
from typing import NamedTuple

from node.model.record import Kind
from node.replica.entry import NO_ROOT, Entry, beats

SUPERSEDED, RETRACTED, OVER_SHARE = "superseded", "retracted", "over-share"
_rank = attrgetter("rank")
Belongs = Callable[[Entry], bool]


class Category(IntEnum):
    """Records of one author are counted apart, so that no kind pushes out what ends another one."""

    POSTS = 0  # bulletins, events, replies
    RETRACTIONS = 1
    CANCELLATIONS = 2
    VOUCHES = 3
    REVOCATIONS = 4
    RENEWALS = 5
    TURNOUTS = 6
    CONFIRMATIONS = 7


class Limit(NamedTuple):
    """How much fits."""

    records: int
    size_bytes: int


LIMITS = {
    Category.POSTS: Limit(1024, 262_144),
    Category.RETRACTIONS: Limit(1024, 131_072),
    Category.CANCELLATIONS: Limit(512, 131_072),
    Category.VOUCHES: Limit(512, 131_072),
    Category.REVOCATIONS: Limit(512, 131_072),
    Category.TURNOUTS: Limit(128, 16_384),
    Category.CONFIRMATIONS: Limit(64, 8_192),  # the newest: whoever confirms everything confirms the last 64
    Category.RENEWALS: Limit(64, 112_128),  # the newest: of a set of 2,500 islands, still one whole secret
}
CATEGORIES = {
    Kind.BULLETIN: Category.POSTS, Kind.EVENT: Category.POSTS, Kind.REPLY: Category.POSTS,
    Kind.RETRACTION: Category.RETRACTIONS, Kind.CANCELLATION: Category.CANCELLATIONS,
    Kind.VOUCH: Category.VOUCHES, Kind.REVOCATION: Category.REVOCATIONS,
    Kind.RENEWAL: Category.RENEWALS, Kind.TURNOUT: Category.TURNOUTS,
    Kind.CONFIRMATION: Category.CONFIRMATIONS,
}


class Share(NamedTuple):
    """What an author's posts take of `limit`; half of them will have ended by minute `half_ends` (0: there are none)."""

    records: int
    size_bytes: int
    limit: Limit
    half_ends: int


class Ranking:
    """The entries of one category, the lowest rank first, and how much they are.

    `passed` are those that did not fit, the highest rank first: not in the set, and no more of them than would fill the
    share once more. With them, the same records give the same set whatever their order.
    """

    def __init__(self, limit: Limit):
        self.limit = limit
        self.ranked: list[Entry] = []
        self.passed: list[Entry] = []
        self.size_bytes = 0

    def copy(self) -> "Ranking":
        """Another one with the same entries."""
        other = Ranking(self.limit)
        other.ranked, other.passed, other.size_bytes = list(self.ranked), list(self.passed), self.size_bytes
        return other

    def has_room(self, record_bytes: int, records: int = 1) -> bool:
        """Whether so many more, of so many bytes together, fit without anything going."""
        return len(self.ranked) + records <= self.limit.records and self.size_bytes + record_bytes <= self.limit.size_bytes

    def put(self, entry: Entry) -> None:
        """Add it where it belongs."""
        self.ranked.insert(bisect_left(self.ranked, entry.rank, key=_rank), entry)
        self.size_bytes += len(entry.raw)

    def take(self, entry: Entry) -> None:
        """Take out one that is there."""
        del self.ranked[bisect_left(self.ranked, entry.rank, key=_rank)]
        self.size_bytes -= len(entry.raw)

    def pass_over(self, entries: Iterable[Entry]) -> None:
        """Remember these, the highest rank first, in the place of those remembered before."""
        self.passed, size_bytes = [], 0
        for entry in entries:
            size_bytes += len(entry.raw)
            if len(self.passed) == self.limit.records or size_bytes > self.limit.size_bytes:
                return
            self.passed.append(entry)


class Quota:
    """The entries of one author that are in the set: of each category the highest in rank that fit.

    From the highest on, each is in unless another one of the same root that is in beats it, or it does not fit beside those
    that are in; a smaller one after it may fit. What does not fit is remembered for a while (`Ranking.passed`).
    """

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
        return self._rankings[Category.VOUCHES].ranked + self._rankings[Category.REVOCATIONS].ranked

    def posts(self) -> list[Entry]:
        """All the rest."""
        return [entry for entry in self.entries.values() if not entry.about_trust]

    def share(self) -> Share:
        """What its posts take."""
        posts = self._rankings[Category.POSTS]
        ends = sorted(entry.expires for entry in posts.ranked)
        return Share(len(ends), posts.size_bytes, posts.limit, ends[len(ends) // 2] if ends else 0)

    def has_room(self, record_bytes: int, records: int = 1) -> bool:
        """Whether so many more posts, of so many bytes together, fit without an older one going."""
        return self._rankings[Category.POSTS].has_room(record_bytes, records)

    def used(self, category: Category) -> Limit:
        """How much there is of a category."""
        ranking = self._rankings[category]
        return Limit(len(ranking.ranked), ranking.size_bytes)

    def rivals(self, entry: Entry) -> tuple[Entry, ...]:
        """Versions of the same item, and its retraction: one at most, unless the author made one that lives too short."""
        return self._by_root.get(entry.root, ())

    def contested(self, entry: Entry) -> bool:
        """Whether adding it could put out another entry."""
        return bool(self.rivals(entry)) or not self._ranking(entry).has_room(len(entry.raw))

    def outdone(self, entry: Entry) -> str:
        """RETRACTED if a retraction that is in beats it, whatever else does; SUPERSEDED if only others do; else ""."""
        beating = {rival.kind is Kind.RETRACTION for rival in self.rivals(entry) if beats(rival, entry)}
        if True in beating:
            return RETRACTED
        return SUPERSEDED if beating else ""

    def add(self, entry: Entry, belongs: Belongs) -> str:
        """Let it in, in the place of what it beats or pushes out, and return ""; or SUPERSEDED, RETRACTED, OVER_SHARE.

        `belongs` says of what was passed over before whether it may still come in.
        """
        reason = self.outdone(entry)
        if reason:
            return reason
        ranking = self._ranking(entry)
        beaten = [rival for rival in self.rivals(entry) if beats(entry, rival)]
        replaced = [rival for rival in beaten if self._ranking(rival) is ranking]
        freed = sum(len(rival.raw) for rival in replaced)
        if not ranking.passed and ranking.has_room(len(entry.raw) - freed, 1 - len(replaced)):
            self._keep(entry)
        else:
            self._settle(ranking, [entry], belongs)
        if entry.id not in self.entries:
            return OVER_SHARE
        for other in {CATEGORIES[rival.kind] for rival in beaten} - {CATEGORIES[entry.kind]}:
            self._refill(self._rankings[other], belongs)  # what a retraction freed is for what was passed over
        return ""

    def refill_credentials(self, belongs: Belongs) -> bool:
        """Let in vouches and revocations that were passed over and fit now; whether there were any."""
        rankings = self._rankings[Category.VOUCHES], self._rankings[Category.REVOCATIONS]
        return any([self._refill(ranking, belongs) for ranking in rankings])

    def passed_over(self) -> list[Entry]:
        """What did not fit, and is remembered."""
        return [entry for ranking in self._rankings for entry in ranking.passed]

    def returning(self) -> list[Entry]:
        """What was passed over and would fit now, as far as its size goes."""
        return [entry for ranking in self._rankings for entry in ranking.passed if ranking.has_room(len(entry.raw))]

    def discard(self, id_: bytes) -> None:
        """Take it out, if it is there."""
        entry = self.entries.get(id_)
        if entry is not None:
            self._ranking(entry).take(entry)
            self._forget(entry)

    def _keep(self, entry: Entry) -> None:
        for rival in self.rivals(entry):
            if beats(entry, rival):
                self.discard(rival.id)
        self.entries[entry.id] = entry
        if entry.root != NO_ROOT:
            self._by_root[entry.root] = (*self.rivals(entry), entry)
        self._ranking(entry).put(entry)

    def _forget(self, entry: Entry) -> None:
        del self.entries[entry.id]
        others = tuple(other for other in self._by_root.pop(entry.root, ()) if other.id != entry.id)
        if others:
            self._by_root[entry.root] = others

    def _refill(self, ranking: Ranking, belongs: Belongs) -> bool:
        """Settle a category in which something was passed over; whether anything came in."""
        if not ranking.passed:
            return False
        before = {entry.id for entry in ranking.ranked}
        self._settle(ranking, [], belongs)
        return any(entry.id not in before for entry in ranking.ranked)

    def _settle(self, ranking: Ranking, more: list[Entry], belongs: Belongs) -> None:
        """Work one category out anew, from the highest rank on."""
        standing = {entry.id: entry for entry in (*ranking.ranked, *more)}
        held = standing | {entry.id: entry for entry in ranking.passed}
        for entry in list(ranking.ranked):
            self.discard(entry.id)
        passed = []
        for entry in sorted(held.values(), key=_rank, reverse=True):
            if self.outdone(entry):
                continue
            if ranking.has_room(len(entry.raw)) and (entry.id in standing or belongs(entry)):
                self._keep(entry)
            else:
                passed.append(entry)
        ranking.pass_over(passed)

    def _ranking(self, entry: Entry) -> Ranking:
        return self._rankings[CATEGORIES[entry.kind]]

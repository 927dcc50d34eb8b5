"""Where records wait whose author is not admitted yet, or whose time has not come: bounded, not relayed, not shown.

Nothing here was checked, so strangers can fill it: the oldest makes room, and whoever has much here loses its own first.
A record lost from the quarantine is fetched again once its author is admitted, as then other islands have it in their set.
"""

from collections.abc import Iterator

from node.replica.entry import Entry
from node.replica.quota import Limit

ALL = Limit(1_000, 262_144)
PER_AUTHOR = Limit(64, 32_768)
UNBOUNDED = Limit(1 << 62, 1 << 62)


class Arrivals:
    """Entries in the order they came, with their size."""

    def __init__(self) -> None:
        self.entries: dict[bytes, Entry] = {}
        self._bytes = 0

    def put(self, entry: Entry) -> None:
        """Add one that is not there."""
        self.entries[entry.id] = entry
        self._bytes += len(entry.raw)

    def pop(self, id_: bytes) -> Entry | None:
        """Take one out."""
        entry = self.entries.pop(id_, None)
        self._bytes -= len(entry.raw) if entry else 0
        return entry

    def over(self, limit: Limit) -> bytes | None:
        """The id of the oldest if there is more than `limit`, else None."""
        if len(self.entries) > limit.records or self._bytes > limit.size_bytes:
            return next(iter(self.entries))
        return None


class Quarantine:
    """Entries by id, the longest waiting first."""

    def __init__(self, overall: Limit = ALL, per_author: Limit = PER_AUTHOR):
        self._overall, self._per_author = overall, per_author
        self._all = Arrivals()
        self._by_author: dict[bytes, Arrivals] = {}

    def __len__(self) -> int:
        return len(self._all.entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._all.entries.values()))

    def __contains__(self, id_: bytes) -> bool:
        return id_ in self._all.entries

    def get(self, id_: bytes) -> Entry | None:
        """The entry with this id if it waits here."""
        return self._all.entries.get(id_)

    def of(self, author: bytes) -> list[Entry]:
        """What waits of one author."""
        own = self._by_author.get(author)
        return list(own.entries.values()) if own else []

    def authors(self) -> list[bytes]:
        """Who has something waiting."""
        return list(self._by_author)

    def put(self, entry: Entry) -> None:
        """Let it wait; what waited longest goes if there is no room."""
        if entry.id in self:
            return
        own = self._by_author.setdefault(entry.author, Arrivals())
        self._all.put(entry)
        own.put(entry)
        while (oldest := own.over(self._per_author) or self._all.over(self._overall)) is not None:
            self.discard(oldest)

    def discard(self, id_: bytes) -> None:
        """Let it go, if it waits here."""
        entry = self._all.pop(id_)
        if entry is not None:
            self._by_author[entry.author].pop(id_)
            if not self._by_author[entry.author].entries:
                del self._by_author[entry.author]

"""Where this island's imported events came from: for people to see, and for the next import to know them again."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Protocol

from node.board.api import Origin
from node.model.record import DAY_MIN

NOTE = "agendas"
MAX_SOURCES, MAX_KNOWN = 30, 3_000
KEPT_MIN = 400 * DAY_MIN  # after an event's end: as long as an archive is likely to show it


@dataclass(frozen=True)
class Known:
    """An event that was taken over: the first 8 bytes of its first version's id, the version of its source, its end."""

    root: bytes
    version: tuple[int, int]
    end: int


@dataclass
class ImportSource:
    """One agenda: how people know it, and its events by key. `tag`: what its server calls the version that was taken."""

    origin: Origin
    tag: str = ""
    known: dict[str, Known] = field(default_factory=dict)

    def note(self) -> dict:
        """As JSON."""
        known = {key: [one.root.hex(), *one.version, one.end] for key, one in self.known.items()}
        return {"name": self.origin.name, "link": self.origin.link, "tag": self.tag, "known": known}

    @classmethod
    def of(cls, note: dict) -> "ImportSource":
        """From JSON."""
        known = {key: Known(bytes.fromhex(root), (sequence, changed), end)
                 for key, (root, sequence, changed, end) in note["known"].items()}
        return cls(Origin(note["name"], note["link"]), note["tag"], known)


class Notes(Protocol):
    """Named values that last (`node.store.journalstore`)."""

    def note(self, name: str) -> object:
        """The value kept under a name, or None."""


class Origins:
    """The sources of an island, in one note. Reading is safe from any thread; one at a time may remember."""

    def __init__(self, store: Notes, keep_note: Callable[[str, object], None]):
        self._keep_note = keep_note
        self._sources = {name: ImportSource.of(note) for name, note in (store.note(NOTE) or {}).items()}
        self._by_root = _by_root(self._sources.values())

    def of(self, root: bytes) -> Origin | None:
        """Where an event was taken from, if it was."""
        return self._by_root.get(root)

    def source(self, name: str) -> ImportSource | None:
        """What is known of one agenda."""
        return self._sources.get(name)

    def remember(self, name: str, source: ImportSource, now: int) -> None:
        """Keep what is known of an agenda, and forget what is long past; raises BoardClosed."""
        sources = {**{other: known for other, known in self._sources.items() if other != name}, name: source}
        sources = dict(list(sources.items())[-MAX_SOURCES:])
        surplus = max(sum(len(one.known) for one in sources.values()) - MAX_KNOWN, 0)
        ends = nsmallest(surplus, (one.end for source in sources.values() for one in source.known.values()))
        oldest = max([now - KEPT_MIN, *ends[-1:]])
        for one in sources.values():
            one.known = {key: known for key, known in one.known.items() if known.end > oldest}
        self._keep_note(NOTE, {name: one.note() for name, one in sources.items()})
        self._sources, self._by_root = sources, _by_root(sources.values())


def _by_root(sources: Iterable[ImportSource]) -> dict[bytes, Origin]:
    return {known.root: source.origin for source in sources for known in source.known.values()}

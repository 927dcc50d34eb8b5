"""Where this island's imported events came from: for people to see, and for the next import to know them again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import nsmallest

from node.board.api import Origin
from node.board.drafts import site_of
from node.model.event import DAY_MIN

MAX_SOURCES, MAX_KNOWN = 30, 3_000
KEPT_MIN = 400 * DAY_MIN  # after an event's end: as long as an archive is likely to show it


@dataclass(frozen=True)
class Known:
    """An event that was taken over: the first 8 bytes of its first version's id, the version of its source, its end."""

    root: bytes
    version: tuple[int, int]
    end: int


@dataclass(frozen=True)
class ImportSource:
    """One agenda: how people know it, and its events by key. `tag`: what its server calls the version that was taken;
    `taken`: the minute something of it was taken over last, 0 if that was before it was kept."""

    origin: Origin
    tag: str = ""
    known: Mapping[str, Known] = field(default_factory=dict)
    taken: int = 0


@dataclass(frozen=True)
class ImportSources:
    """The sources of an island by name, the one that was last taken from at the end."""

    by_name: Mapping[str, ImportSource] = field(default_factory=dict)

    @cached_property
    def _by_root(self) -> dict[bytes, Origin]:
        return {known.root: source.origin for source in self.by_name.values() for known in source.known.values()}

    @cached_property
    def known(self) -> dict[str, Known]:
        """What was taken over from any of them, by key: a file may have another name than before."""
        return {key: known for source in self.by_name.values() for key, known in source.known.items()}

    def known_elsewhere(self, name: str) -> frozenset[str]:
        """Keys of what was taken over from addresses at other sites than that of `name`; none if that is a file."""
        others = [source for other, source in self.by_name.items() if site_of(other) not in ("", site_of(name))]
        return frozenset(key for source in others for key in source.known) if site_of(name) else frozenset()

    def origin_of(self, root: bytes) -> Origin | None:
        """Where an event was taken from, if it was."""
        return self._by_root.get(root)

    def get(self, name: str) -> ImportSource | None:
        """What is known of one agenda."""
        return self.by_name.get(name)

    def without(self, name: str) -> "ImportSources":
        """Without one agenda."""
        return ImportSources({other: source for other, source in self.by_name.items() if other != name})

    def having(self, name: str, source: ImportSource, now: int) -> "ImportSources":
        """With what is known of one agenda now, and without what is long past."""
        sources = {other: known for other, known in self.by_name.items() if other != name} | {name: source}
        sources = dict(list(sources.items())[-MAX_SOURCES:])
        surplus = max(sum(len(one.known) for one in sources.values()) - MAX_KNOWN, 0)
        ends = nsmallest(surplus, (known.end for one in sources.values() for known in one.known.values()))
        oldest = max([now - KEPT_MIN, *ends[-1:]])
        return ImportSources({one: _ending_after(oldest, kept) for one, kept in sources.items()})


def _ending_after(minute: int, source: ImportSource) -> ImportSource:
    return replace(source, known={key: known for key, known in source.known.items() if known.end > minute})

"""Several islands' records of one foreign event: which of them speaks, by a rule that all islands compute alike.

The latest version of the event speaks; of records of one version, what most authors say alike, then the first one made. So
whoever sees a newer version may carry it, also when who announced the event first is gone. What one author can overrule
of what others say is bounded, and the others' records stay: when it turns out that somebody lied, they speak again.
"""

from collections.abc import Iterable, Mapping

from node.replica.entry import Entry

MAX_OVERRULED = 100
"""Foreign events of which one author may tell a later version than other authors do, at a time. Set by: an island that
alone reads an agenda of some hundred events, part of which change while others still say what it was."""


def ranked(held: Mapping[bytes, Iterable[Entry]]) -> dict[bytes, tuple[Entry, ...]]:
    """By the key of each foreign event what counts of its records, one an author, the one that speaks first."""
    best = {key: _one_an_author(entries) for key, entries in held.items()}
    refused = _beyond_the_bound(best.values())
    return {key: tuple(_in_order([one for one in entries if one.id not in refused])) for key, entries in best.items()}


def _one_an_author(entries: Iterable[Entry]) -> list[Entry]:
    found: dict[bytes, Entry] = {}
    for entry in sorted(entries, key=lambda one: (one.told.version, one.rank)):
        found[entry.author] = entry
    return list(found.values())


def _beyond_the_bound(events: Iterable[list[Entry]]) -> set[bytes]:
    """Ids of what overrules others, after the first ones of its author."""
    overruling: dict[bytes, list[Entry]] = {}
    for entries in events:
        lowest = min((one.told.version for one in entries), default=(0, 0))
        for one in entries:
            if one.told.version > lowest:
                overruling.setdefault(one.author, []).append(one)
    return {one.id for several in overruling.values()
            for one in sorted(several, key=lambda one: (one.created, one.id))[MAX_OVERRULED:]}


def _in_order(entries: list[Entry]) -> list[Entry]:
    alike: dict[tuple[tuple[int, int], bytes], int] = {}
    for one in entries:
        alike[one.told.version, one.told.said] = alike.get((one.told.version, one.told.said), 0) + 1
    entries = sorted(entries, key=lambda one: (-alike[one.told.version, one.told.said], one.created, one.id))
    return sorted(entries, key=lambda one: one.told.version, reverse=True)

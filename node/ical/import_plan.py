"""What an agenda of another program means for the board: which events are new, changed, called off, to be left out.

An event of the same source and UID is the same event. What another island, a neighbour or another agenda has announced
already, under the same link or by the same title and start, is not announced twice.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from node.board.api import Draft, DraftRefused, Item
from node.board.board import Board
from node.board.drafts import LINE_LIMITS, Composed, normalised
from node.board.import_sources import Known
from node.board.items import root_of
from node.ical.parser import CalendarEntry
from node.ical.sanitise import shortened
from node.model.event import DAY_MIN, Event, occasions
from node.model.record import MAX_EVENT_AHEAD_MIN, MAX_RECORD_BYTES, Record, angle
from node.model.search_text import fold

MAX_AT_ONCE = 50  # records; each takes some seconds of everybody's air
MAX_LIVE = 2_000
WORDS = ("text", *LINE_LIMITS, "topic", "language", "whole_days")
TIMES = ("start", "end", "offset")
AHEAD_MIN = 90 * DAY_MIN  # a repeated event that goes on is announced anew when less than so much of it is left
SHORTER = (500, 200, 0)  # characters of text, for what does not fit a record
SAFE_BYTES = MAX_RECORD_BYTES - 300

Named = TypeVar("Named")  # an item or an entry, under its link


@dataclass(frozen=True)
class Step:
    """One record to post, unsigned: for which entry, in the place of (or about) which item."""

    entry: CalendarEntry
    item: Item | None
    composed: Composed

    @property
    def record(self) -> Record:
        """The record itself."""
        return self.composed.record


@dataclass
class Plan:
    """What is to be posted, what is here already as it is (to be remembered, by key), and what is left out, by reason."""

    new: list[Step] = field(default_factory=list)
    changed: list[Step] = field(default_factory=list)
    cancelled: list[Step] = field(default_factory=list)
    standing: dict[str, Known] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def steps(self) -> list[Step]:
        """All that is to be posted."""
        return [*self.cancelled, *self.changed, *self.new]


class Planner:
    """Compares an agenda's entries with the board. `known`: what of them was taken over before, by key."""

    def __init__(self, board: Board, known: Mapping[str, Known]):
        self._board, self._sources, self._known, self._now = board, board.notes.state.sources, known, board.now()
        events = board.events(self._now, self._now + MAX_EVENT_AHEAD_MIN, limit=MAX_LIVE)
        self._live = {root_of(item): item for item in reversed(events) if not item.off}
        taken = {one.root for one in known.values()}
        others = [item for root, item in self._live.items() if root not in taken]
        self._by_title = {_title(item): item for item in others}
        self._by_link = _named_once((item.link, item) for item in others)
        self._said: set[tuple[str, int | None]] = set()  # once is enough, though a file may say it twice
        self._bytes = 0

    def plan(self, entries: list[CalendarEntry]) -> Plan:
        """What to do. Raises BoardClosed when this island may post nothing."""
        plan = Plan()
        self._board.has_room(0, 0)
        by_link = _named_once((entry.draft.link, entry) for entry in entries)
        for entry in self._in_place_of_series(entries):
            entry = replace(entry, draft=self._fitted(normalised(entry.draft)))
            own_link = entry.draft.link in by_link and not entry.repeated
            try:
                self._place(plan, entry, own_link)
            except DraftRefused:
                plan.left_out["broken"] += 1
        return plan

    def _in_place_of_series(self, entries: list[CalendarEntry]) -> list[CalendarEntry]:
        """Where our rule held a series and cannot any more, its date announced here, or its next one, replaces it."""
        heirs: dict[str, CalendarEntry] = {}
        for entry in entries:
            known = self._known.get(entry.series) if entry.series else None
            item = self._live.get(known.root) if known else None
            if item and (entry.series not in heirs or entry.draft.start == item.start):
                heirs[entry.series] = entry
        return [replace(entry, key=entry.series) if entry is heirs.get(entry.series) else entry for entry in entries]

    def _place(self, plan: Plan, entry: CalendarEntry, own_link: bool) -> None:
        known = self._known.get(entry.key)
        item = self._live.get(known.root) if known else self._twin(entry, own_link)
        if item is not None:
            self._meet(plan, entry, item, known)
        elif known and known.end > self._now:
            plan.left_out["gone"] += 1
        elif entry.cancelled is not None:
            plan.left_out["cancelled"] += 1
        elif _title(entry.draft) in self._said:
            plan.left_out["known"] += 1
        else:
            self._add(plan, plan.new, entry, None)
            self._said.add(_title(entry.draft))

    def _meet(self, plan: Plan, entry: CalendarEntry, item: Item, known: Known | None) -> None:
        """An entry that is on the board already."""
        if known is None and not self._is_orphan(item):
            plan.left_out["known"] += 1
        elif known and entry.version < known.version:
            plan.left_out["older"] += 1
        elif (entry.cancelled is None) != (item.cancelled is None):
            if item.cancelled is not None:
                plan.left_out["gone"] += 1
            else:
                self._add(plan, plan.cancelled, entry, item)
        elif entry.cancelled is None and not _same(entry.draft, item, self._now):
            self._add(plan, plan.changed, entry, item)
        else:
            plan.standing[entry.key] = Known(root_of(item), entry.version, item.end or 0)

    def _is_orphan(self, item: Item) -> bool:
        """Whether this island took it over itself and has forgotten from where."""
        return self._sources.origin_of(root_of(item)) is None and self._board.may_change(item)

    def _add(self, plan: Plan, pile: list[Step], entry: CalendarEntry, item: Item | None) -> None:
        """One record more, if so many may be posted at once and leave room for others."""
        if len(plan.steps) >= MAX_AT_ONCE:
            plan.left_out["later"] += 1
            return
        composed = self._composed(entry, item)
        if item is None and not self._board.has_room(self._bytes + composed.size_bytes, len(plan.new) + 1):
            plan.left_out["share-used"] += 1
            return
        self._bytes += composed.size_bytes * (item is None)
        pile.append(Step(entry, item, composed))

    def _composed(self, entry: CalendarEntry, item: Item | None) -> Composed:
        """The record that announces an entry, or calls off or replaces the item that did; raises DraftRefused."""
        if item is not None and entry.cancelled is not None:
            return self._board.call_off(item, entry.cancelled)
        return self._board.offer(entry.draft, item)

    def _twin(self, entry: CalendarEntry, own_link: bool) -> Item | None:
        """The same event, announced by others, or by this island before it lost its notes."""
        return self._by_title.get(_title(entry.draft)) or (
            self._by_link.get(entry.draft.link) if own_link else None)

    def _fitted(self, draft: Draft) -> Draft:
        """The draft with as much of its text as fits a record."""
        said = "".join(getattr(draft, name) for name in ("text", *LINE_LIMITS))
        for most in SHORTER if len(said.encode()) > SAFE_BYTES else ():
            try:
                self._board.offer(draft)
                break
            except DraftRefused:
                draft = replace(draft, text=shortened(draft.text, most) if most else "")
        return draft


def _named_once(named: Iterable[tuple[str, Named]]) -> dict[str, Named]:
    """Those whose link nobody else has: some agendas give every event the same one."""
    named = [(link, one) for link, one in named if link]
    times = Counter(link for link, _ in named)
    return {link: one for link, one in named if times[link] == 1}


def _title(one: Draft | Item) -> tuple[str, int | None]:
    return fold(one.title), one.start


def _same(draft: Draft, item: Item, now: int) -> bool:
    """Whether the item says what the draft says."""
    if not all(getattr(draft, name) == getattr(item, name) for name in WORDS) or _where(draft) != _where(item):
        return False
    if draft.repetition is None and (item.event is None or item.event.repetition is None):
        return all(getattr(draft, name) == getattr(item, name) for name in TIMES)
    told, here = _coming(draft.event, now), _coming(item.event, now)
    if here - told or not here:
        return False  # it has dates that are not told any more
    last = max(here)
    return all(one in here for one in told if one <= last) and (told == here or last[0] > now + AHEAD_MIN)


def _coming(event: Event | None, now: int) -> set[tuple[int, int, int, bool]]:
    """The dates to come: start, end, clocks, and whether it is called off. Its first ones and last ones take place."""
    dates = occasions(event) if event else ()
    found = sorted((one.start, one.end, one.offset, one.off) for one in dates if one.end > now)
    on = [number for number, one in enumerate(found) if not one[3]]
    return set(found[on[0]:on[-1] + 1]) if on else set()


def _where(one: Draft | Item) -> tuple[int, int] | None:
    """A position as a record keeps it."""
    return (angle(one.position[0], 90), angle(one.position[1], 180)) if one.position else None

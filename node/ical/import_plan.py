"""What an agenda of another program means for the board: which events are new, changed, called off, to be left out.

An event of the same UID and origin is the same event, whichever island has announced it and whatever the file is called;
a later version of it may be told by any island. What a neighbour or another agenda has announced already, under the same
link or by the same title and start, is not announced twice.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from node.board.api import Draft, DraftRefused, Item
from node.board.board import Board
from node.board.drafts import LINE_LIMITS, normalised
from node.board.import_sources import Known
from node.board.items import root_of
from node.board.reasons import LeftOut
from node.ical.parser import CalendarEntry
from node.ical.sanitise import shortened
from node.ical.taking import Plan, Step
from node.model.event import DAY_MIN, Event, occasions
from node.model.foreign import Foreign
from node.model.record import MAX_EVENT_AHEAD_MIN, MAX_RECORD_BYTES, angle
from node.model.search_text import fold

MAX_AT_ONCE = 50  # records; each takes some seconds of everybody's air
MAX_LIVE = 2_000  # events of the board that are compared
WORDS = ("text", *LINE_LIMITS, "topic", "language", "whole_days", "marks")
TIMES = ("start", "end", "offset")
AHEAD_MIN = 90 * DAY_MIN  # a repeated event that goes on is announced anew when less than so much of it is left
ENOUGH_ALIKE = 3  # islands that tell the same version: more would cost air and tell nothing more
SHORTER = (500, 200, 0)  # characters of text, for what does not fit a record
SAFE_BYTES = MAX_RECORD_BYTES - 300

Named = TypeVar("Named")  # an item or an entry, under its link


class Planner:
    """Compares an agenda's entries with the board. `known`: what of them was taken over before, by key; `called`: what the
    agenda is called; `guarded`: keys of what another site has told here, which this one may not change."""

    def __init__(self, board: Board, known: Mapping[str, Known], called: str = "", guarded: Collection[str] = ()):
        self._board, self._known, self._now = board, known, board.now()
        self._called, self._guarded = called, guarded
        dates = board.announced(self._now, self._now + MAX_EVENT_AHEAD_MIN)
        first = {event.root: event for event in reversed(dates) if not event.date.off}  # of a repeated one its next date
        items = list(board.read(sorted(first.values(), key=lambda event: event.start)[:MAX_LIVE]))
        self._by_key = {item.event.foreign.key: item for item in items if item.event and item.event.foreign}
        self._by_title: dict[tuple[str, int | None], Item] = {
            (fold(item.title), one.start): item for item in items if item.event
            for one in occasions(item.event) if not one.off}
        self._by_link = _named_once((item.link, item) for item in items if item.event and not item.event.foreign)
        self._said: set[tuple[str, int | None]] = set()  # once is enough, though a file may say it twice
        self._bytes = 0

    def plan(self, entries: list[CalendarEntry]) -> Plan[CalendarEntry]:
        """What to do. Raises BoardClosed when this island may post nothing."""
        plan = Plan[CalendarEntry]()
        self._board.has_room(0, 0)
        by_link = _named_once((entry.draft.link, entry) for entry in entries)
        for entry in self._in_place_of_series(entries):
            entry = replace(entry, draft=self._fitted(normalised(self._told(entry))))
            own_link = entry.draft.link in by_link and not entry.repeated
            try:
                self._place(plan, entry, own_link)
            except DraftRefused:
                plan.leave_out(LeftOut.BROKEN)
        return plan

    def _told(self, entry: CalendarEntry) -> Draft:
        """What a record says of it: also which event it is, which version, and where it comes from."""
        sequence, modified = entry.version
        foreign = Foreign(bytes.fromhex(entry.key), sequence, min(modified or self._now, self._now + DAY_MIN),
                          entry.cancelled is not None, entry.tentative and entry.cancelled is None)
        source = "" if entry.draft.link else self._called  # the site of a link tells it too
        return replace(entry.draft, foreign=foreign, source=source, called_off=entry.cancelled or "")

    def _in_place_of_series(self, entries: list[CalendarEntry]) -> list[CalendarEntry]:
        """Where our rule held a series and cannot any more, its date announced here, or its next one, replaces it."""
        heirs: dict[str, CalendarEntry] = {}
        for entry in entries:
            item = self._by_key.get(bytes.fromhex(entry.series)) if entry.series else None
            if item and (entry.series not in heirs or entry.draft.start == item.start):
                heirs[entry.series] = entry
        return [replace(entry, key=entry.series) if entry is heirs.get(entry.series) else entry for entry in entries]

    def _place(self, plan: Plan[CalendarEntry], entry: CalendarEntry, own_link: bool) -> None:
        item, known = self._by_key.get(bytes.fromhex(entry.key)), self._known.get(entry.key)
        if item is not None:
            self._meet(plan, entry, item)
        elif known and known.end > self._now and self._board.took_back(bytes.fromhex(entry.key), known.root):
            plan.leave_out(LeftOut.GONE)
        elif entry.cancelled is not None:
            plan.leave_out(LeftOut.CANCELLED)
        elif _title(entry.draft) in self._said or self._twin(entry, own_link):
            plan.leave_out(LeftOut.KNOWN)
        else:
            self._add(plan, plan.new, entry, None)
            self._said.add(_title(entry.draft))

    def _meet(self, plan: Plan[CalendarEntry], entry: CalendarEntry, item: Item) -> None:
        """An entry that is on the board already, by whichever island."""
        entry = self._unstamped(entry, item)
        foreign, here = entry.draft.foreign, item.event.foreign if item.event else None
        if foreign is None or here is None or (
                (foreign.off, foreign.tentative) == (here.off, here.tentative) and (
                    entry.cancelled is not None or _same(entry.draft, item, self._now))):
            self._agree(plan, entry, item)
        elif entry.key in self._guarded:
            plan.leave_out(LeftOut.KNOWN)
        elif foreign.version <= here.version:
            plan.leave_out(LeftOut.OLDER)
        elif item.cancelled is not None and not here.off:
            plan.leave_out(LeftOut.GONE)  # a keeper here has called it off
        else:
            own = self._board.own_witness(here.key)
            self._add(plan, plan.changed if entry.cancelled is None else plan.cancelled, entry, own, item)

    def _agree(self, plan: Plan[CalendarEntry], entry: CalendarEntry, item: Item) -> None:
        """What the board says already: where this island told an earlier version, it says so too, while few others do."""
        here = item.event.foreign if item.event else None
        own, heard = (self._board.own_witness(here.key), self._board.hearsay(item)) if here else (None, None)
        before = own.event.foreign if own and own.event else None
        if here and before and before.version < here.version and heard and len(heard.alike) < ENOUGH_ALIKE:
            self._add(plan, plan.changed, replace(entry, draft=replace(entry.draft, foreign=here)), own, item)
        else:
            plan.standing[entry.key] = Known(root_of(item), entry.version, item.end or 0)

    def _unstamped(self, entry: CalendarEntry, item: Item) -> CalendarEntry:
        """What has no date of its last change is later than what is here, as it is read now."""
        foreign, here = entry.draft.foreign, item.event.foreign if item.event else None
        if foreign is None or here is None or entry.version[1] or foreign.sequence != here.sequence:
            return entry
        later = min(max(self._now, here.modified + 1), self._now + DAY_MIN)
        return replace(entry, draft=replace(entry.draft, foreign=replace(foreign, modified=later)))

    def _add(self, plan: Plan[CalendarEntry], pile: list[Step[CalendarEntry]], entry: CalendarEntry, own: Item | None,
             shown: Item | None = None) -> None:
        """One record more, if so many may be posted at once and leave room for others. `own`: what it takes the place of;
        `shown`: what is on the board in either case."""
        if len(plan.steps) >= MAX_AT_ONCE:
            plan.leave_out(LeftOut.LATER)
            return
        composed = self._board.offer(entry.draft, own)
        if own is None and not self._board.has_room(self._bytes + composed.size_bytes, len(plan.steps) + 1):
            plan.leave_out(LeftOut.SHARE_USED)
            return
        self._bytes += composed.size_bytes * (own is None)
        pile.append(Step(entry, shown, composed))

    def _twin(self, entry: CalendarEntry, own_link: bool) -> Item | None:
        """The same event, announced by people or from another agenda."""
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


def _title(one: Draft) -> tuple[str, int | None]:
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

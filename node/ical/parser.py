"""An agenda of another program (iCalendar, RFC 5545) as drafts of events: bytes in, values out, bounded whatever comes.

What is broken costs its event only, which is counted with its reason; nothing about when an event is is ever guessed.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, timezone, tzinfo
from typing import NamedTuple

from node.board.api import Draft
from node.board.drafts import problems_of, site_of
from node.ical.contentlines import Component, components, lines_of
from node.ical.recurrence import StepBudget
from node.ical.rhythms import can_move, repeated_event, with_exempt
from node.ical.sanitise import line_of
from node.ical.series import Dated, Telling, dates_of, segments, telling_of, versions_that_count
from node.ical.timezones import Zones
from node.ical.values import BROKEN, EPOCH, WallClock
from node.ical.vevent import MAX_NAME, draft_of
from node.model.errors import RemoteFault
from node.model.event import DAY_MIN, MAX_OFFSET, QUARTER_MIN, Event
from node.model.foreign import foreign_key
from node.model.search_text import fold
from node.model.zones import event_in, quarters

MAX_FILE_BYTES = 2_000_000
MAX_EVENTS = 500  # that are read whole; one takes about 1 ms here, 15 ms on the smallest Pi
AHEAD_DAYS, MAX_REPEATS = 35, 10  # how far the dates of what our rule cannot hold are announced one by one
SERIES_DAYS = 365  # how far those that it can: a record's last date lies within 400 days
LONGEST_DAYS = 46  # no event that lasts longer can be posted
MAX_LASTS = LONGEST_DAYS * DAY_MIN
KEY = "X-ARCHIPEL-KEY"  # of our own agendas: the key of an event that was taken over itself
OFFSET = "X-ARCHIPEL-OFFSET"  # quarters of an hour east of UTC there and then; our own agendas have it
REASONS = ("past", "too-far", "lasts-too-long")  # problems of a draft that are no fault of the file
TO_BE_NAMED = {"broken", "zone", "repeats", "too-far", "lasts-too-long"}  # the first of them: people may want to know
ANSWERS = {"REPLY", "REFRESH", "COUNTER", "DECLINECOUNTER"}  # methods of what is no announcement
MAX_REASON = 200
MAX_NAMED = 40  # of what is left out, so many are named
MAX_TITLE = 80


class Locality(NamedTuple):
    """Where the island is: its time zone, and the number of its language."""

    zone: tzinfo
    language: int = 1


@dataclass(frozen=True)
class CalendarEntry:
    """One event of an agenda. `key` names it through all its versions (UID and, if it is one date of several, which).

    `version` grows (SEQUENCE, minute of LAST-MODIFIED). `cancelled`: the reason, None if it takes place. `tentative`: it is
    not confirmed yet. `repeated`: it has, or is one of, several dates; `series` names together those that our rule cannot
    hold.
    """

    key: str
    draft: Draft
    version: tuple[int, int] = (0, 0)
    cancelled: str | None = None
    repeated: bool = False
    tentative: bool = False
    series: str = ""


@dataclass
class Agenda:
    """What is in a file: its `name`, the address of its `site`, its events by start, how many were left out and why.

    `growing`: as time goes by, the same file will have more to give. Reasons: `past`, `too-far`, `lasts-too-long`,
    `repeats` (a rule that is not understood), `zone` (a time zone that nobody knows), `private`, `answer` (to an
    invitation), `older` (than another version of it in the file), `too-many`, `broken`. `named` are (reason, title) of the
    first of those that people should know of.
    """

    name: str = ""
    site: str = ""
    entries: list[CalendarEntry] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    named: list[tuple[str, str]] = field(default_factory=list)
    growing: bool = False

    def leave_out(self, reason: str, event: Component | None = None) -> None:
        """Count one that is left out."""
        self.left_out[reason] += 1
        if event is not None and reason in TO_BE_NAMED and len(self.named) < MAX_NAMED:
            self.named.append((reason, line_of(event.text("SUMMARY") or event.text("UID"), MAX_TITLE)))


def read(content: bytes, here: Locality, now: int) -> Agenda:
    """The agenda in a file as of minute `now`; raises RemoteFault: `agenda-size`, or `agenda-mark` for what is none."""
    if len(content) > MAX_FILE_BYTES:
        raise RemoteFault("agenda-size")
    lines = lines_of(content)
    if "BEGIN:VCALENDAR" not in "\n".join(lines[:200])[:4000].upper():
        raise RemoteFault("agenda-mark")
    return _Reading(lines, here, now).agenda


class _Reading:
    """The events of one file, read one by one."""

    def __init__(self, lines: list[str], here: Locality, now: int):
        self._here, self._now = here, now
        self._today = (EPOCH + timedelta(minutes=now)).date()
        self._oldest = self._today - timedelta(LONGEST_DAYS)
        self._budget = StepBudget()
        self.agenda = Agenda()
        zones, calendars, held = [], [], []
        for component in components(lines):
            if component.kind == "VTIMEZONE":
                zones.append(component)
            elif component.kind == "VCALENDAR":
                calendars.append(component.headers)
            elif not component.whole:
                self.agenda.leave_out(BROKEN, component)
            elif self._is_long_past(component):
                self.agenda.leave_out("past")
            else:
                held.append(component)
        self._zones = Zones(zones, here.zone, self._today.year)
        named = (headers.get(name) for headers in calendars for name in ("X-WR-CALNAME", "NAME"))
        self.agenda.name = line_of(next(filter(None, named), ""), MAX_NAME)
        self._read(held)

    def _is_long_past(self, event: Component) -> bool:
        starts = event.first("DTSTART").value.strip()[:8]
        alone = not (event.has("RRULE") or event.has("RDATE") or event.has("RECURRENCE-ID"))
        return alone and re.fullmatch("[0-9]{8}", starts) is not None and starts < f"{self._oldest:%Y%m%d}"

    def _read(self, held: list[Component]) -> None:
        found: dict[str, CalendarEntry] = {}
        for group in self._nearest(held):
            try:
                for entry in self._entries_of(group):
                    if entry.key not in found or found[entry.key].version <= entry.version:
                        found[entry.key] = entry
            except RemoteFault as fault:
                self.agenda.leave_out(fault.reason, group[0].event)
            except Exception:  # a mistake of ours that a strange event finds costs that event, not the agenda
                self.agenda.leave_out(BROKEN, group[0].event)
        agenda = self.agenda
        agenda.growing |= bool(agenda.left_out["too-far"] or agenda.left_out["too-many"])
        agenda.entries = sorted(found.values(), key=lambda entry: (entry.draft.start, entry.key))
        agenda.site = next((site_of(entry.draft.link) for entry in agenda.entries if entry.draft.link), "")

    def _nearest(self, held: list[Component]) -> list[list[Telling]]:
        """What tells of one UID, together; those whose next date is nearest when there are too many."""
        groups: dict[str, list[Telling]] = {}
        for event in held:
            try:
                telling = self._telling(event)
                groups.setdefault(telling.uid, []).append(telling)
            except RemoteFault as fault:
                self.agenda.leave_out(fault.reason, event)
        room, chosen = MAX_EVENTS, []
        for group in sorted(groups.values(), key=lambda group: min(map(self._distance, group))):
            if all(one.start.minute + one.lasts <= self._now and not one.repeated for one in group):
                self.agenda.left_out["past"] += len(group)
            elif room < len(group):
                self.agenda.left_out["too-many"] += len(group)
            else:
                chosen.append(group)
                room -= len(group)
        return chosen

    def _telling(self, event: Component) -> Telling:
        if event.headers.get("METHOD", "").upper() in ANSWERS:
            raise RemoteFault("answer")
        if event.text("CLASS").strip().upper() in ("PRIVATE", "CONFIDENTIAL"):
            raise RemoteFault("private")
        return telling_of(event, self._zones.of(event.headers.get("X-WR-TIMEZONE", "")))

    def _distance(self, telling: Telling) -> int:
        """Minutes until it begins; what is repeated may be today."""
        return 0 if telling.repeated else max(telling.start.minute - self._now, 0)

    # what one UID comes to

    def _entries_of(self, tellings: list[Telling]) -> Iterator[CalendarEntry]:
        counting, older = versions_that_count(tellings)
        self.agenda.left_out += Counter({"older": older} if older else {})
        masters = [one for one in counting if one.about is None]
        others = [one for one in counting if one.about is not None]
        for one in masters or others:
            if one.about is None and (one.repeated or (others and len(masters) == 1)):
                yield from self._series(one, others)
            else:
                at = one.start.minute if one.about is None else one.about
                several = one.about is not None or len(masters) > 1
                yield from self._once(one, one.start, one.lasts, _key(one, at if several else None))

    def _series(self, master: Telling, others: list[Telling]) -> Iterator[CalendarEntry]:
        self.agenda.growing = True
        last = self._today + timedelta(SERIES_DAYS)
        late = max([master.lasts, *(abs(_moved(one)) + one.lasts for one in others if one.onward)]) // DAY_MIN + 2
        first = max(self._today - timedelta(late), self._oldest)
        dates = dates_of(master, others, first, last, self._budget)
        coming = [one for one in dates if max(one.end, one.minute + one.lasts) > self._now or one.minute >= self._now]
        if not coming:
            raise RemoteFault("past" if dates or _is_finite(master) else "too-far")
        for part in segments(master, others):
            own = [one for one in coming if one.part.about == part.about]
            yield from self._part(master, own) if own else ()

    def _part(self, master: Telling, dates: list[Dated]) -> Iterator[CalendarEntry]:
        """The dates of a series that are told alike: one entry where our rule can hold them, else those to come soon."""
        part = dates[0].part
        key = _key(master, part.about)
        version = max(one.telling.version for one in dates)
        if len(dates) == 1 and _is_finite(master) and not dates[0].off:
            for entry in self._once(dates[0].telling, dates[0].start, dates[0].lasts, key):
                yield replace(entry, version=version)
            return
        for more_apart in (False, True):
            apart = [one for one in dates if (more_apart and one.extra) or not self._is_like(one, part)]
            if event := self._as_one(part, dates, apart):
                for entry in self._entry(part, replace(self._worded(part), **_moments(event)), key):
                    yield replace(entry, version=version)
                for one in apart:
                    if one.telling is not part or not one.off:
                        yield from self._once(one.telling, one.start, one.lasts, self._key_of(master, one))
                return
        yield from self._one_by_one(master, dates, key)

    def _as_one(self, part: Telling, dates: list[Dated], apart: list[Dated]) -> Event | None:
        """The dates as our rule holds them, with those apart (if they belong to it) called off; None where it cannot."""
        own = [one for one in dates if not (one.extra and one in apart)]
        on = [one for one in own if not one.off and one not in apart]
        own = [one for one in own if on and on[0].minute <= one.minute <= on[-1].minute]
        if part.lasts > MAX_LASTS or any(one.lasts != part.lasts for one in own if one.telling is part):
            return None
        planned = [one.minute + _moved(part) for one in own]
        least = self._now + AHEAD_DAYS * DAY_MIN
        event = repeated_event(self._clocks(part.event, part.start), planned, part.lasts, part.days, least)
        if event is None or event.repetition is None:
            return None
        held = own[:event.repetition.count]
        off = [number for number, one in enumerate(held) if one.off or one in apart]
        moved = {number: one.by for number, one in enumerate(held)
                 if number not in off and one.telling is not part and one.by}
        made = with_exempt(event, off, moved)
        return made if made.is_sound() else None

    def _is_like(self, one: Dated, part: Telling) -> bool:
        """Whether what is said of one date is only that it is moved, or off, or nothing new."""
        if one.off or one.telling is part:
            return True
        alike = one.lasts == part.lasts and one.start.whole_day == part.start.whole_day and part.about is None
        return alike and (not one.by or can_move(one.by, part.start.whole_day)) and (
            self._worded(one.telling) == self._worded(part))

    def _one_by_one(self, master: Telling, dates: list[Dated], series: str) -> Iterator[CalendarEntry]:
        soon = [one for one in dates if one.start.minute < self._now + AHEAD_DAYS * DAY_MIN and one.end > self._now
                and not (one.off and one.telling is one.part)]
        if not soon:
            raise RemoteFault("too-far")
        for one in soon[:MAX_REPEATS]:
            for entry in self._once(one.telling, one.start, one.lasts, self._key_of(master, one)):
                yield replace(entry, series=series, repeated=True)

    @staticmethod
    def _key_of(master: Telling, one: Dated) -> str:
        return _key(master, WallClock(one.planned, master.start.zone, master.start.whole_day))

    def _once(self, telling: Telling, start: WallClock, lasts: int, key: str) -> Iterator[CalendarEntry]:
        """An event of one date."""
        if lasts > MAX_LASTS:
            raise RemoteFault("lasts-too-long")
        end = start.minute + lasts
        if start.whole_day:
            days = timedelta(days=max(telling.days, 1))
            end = WallClock(start.at + days, start.zone, True).minute
        made = event_in(self._clocks(telling.event, start), start.minute, end, start.whole_day)
        yield from self._entry(telling, replace(self._worded(telling), **_moments(made)), key)

    def _entry(self, telling: Telling, draft: Draft, key: str) -> Iterator[CalendarEntry]:
        event = telling.event
        problems = [problem.code for problem in problems_of(draft, self._now)]
        if problems:
            self.agenda.leave_out(next((code for code in problems if code in REASONS), BROKEN), event)
            return
        reason = line_of(event.text("COMMENT"), MAX_REASON) if telling.off else None
        tentative = event.text("STATUS").strip().upper() == "TENTATIVE"
        yield CalendarEntry(key, draft, telling.version, reason, telling.repeated or telling.about is not None, tentative)

    def _worded(self, telling: Telling) -> Draft:
        return draft_of(telling.event, self._here.language)

    def _clocks(self, event: Component, start: WallClock) -> tzinfo:
        """The zone it is shown in: its own, that of here for what is told in UTC, or the offset of our own agendas."""
        if start.zone is not UTC:
            return start.zone
        told, here = event.text(OFFSET).strip(), self._here.zone
        offset = int(told) if re.fullmatch(r"-?[0-9]{1,2}", told) else MAX_OFFSET + 1
        if abs(offset) <= MAX_OFFSET and quarters(here, start.minute) != offset:
            return timezone(timedelta(minutes=QUARTER_MIN * offset))
        return here


def _is_finite(master: Telling) -> bool:
    """Whether its dates come to an end by its own words."""
    return all("COUNT=" in line.value.upper() or "UNTIL=" in line.value.upper()
               for line in master.event.all("RRULE") if line.value.strip())


def _moved(part: Telling) -> int:
    """How many minutes later than planned a part of a series begins."""
    return part.start.minute - part.about.minute if part.about else 0


def _moments(event: Event) -> dict:
    return {"start": event.start, "end": event.end, "offset": event.offset, "whole_days": event.whole_days,
            "shifts": event.shifts, "repetition": event.repetition}


def _key(telling: Telling, about: WallClock | int | None = None) -> str:
    """16 digits: the UID, for which of its dates it was first announced, and where it comes from (`foreign_key`)."""
    if isinstance(about, WallClock):
        which = f"{about.at:%Y%m%d}" if about.whole_day else str(about.minute)
    else:
        which = "" if about is None else str(about)
    event = telling.event
    given = event.first(KEY).value.strip()
    if about is None and re.fullmatch("[0-9a-f]{16}", given):
        return given
    title, uid = fold(event.text("SUMMARY")), event.text("UID").strip()
    if not uid:
        uid, which = title, which or str(telling.start.minute)
    site = site_of(event.text("URL").strip()) or event.headers.get("X-WR-CALNAME") or event.headers.get("NAME", "")
    return foreign_key(uid, which, site or title).hex()

"""An agenda of another program (iCalendar, RFC 5545) as drafts of events: bytes in, values out, bounded whatever comes.

The file is cut into its events here, and the library reads them one by one: what is broken costs only itself, and neither
time zones nor repetitions of the file are ever left to run in the library.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone, tzinfo
from hashlib import blake2b
from typing import Any, NamedTuple

from node.board.api import Draft
from node.board.drafts import problems_of
from node.ical.recurrence import days_of, rule_of
from node.ical.sanitise import line_of
from node.ical.timezones import Zones
from node.ical.vevent import EPOCH, draft_of, every, first, site_of, unescaped, version_of, words
from node.model.errors import RemoteFault
from node.model.event import DAY_MIN, MAX_OFFSET, QUARTER_MIN
from node.model.zones import event_in, quarters

MAX_FILE_BYTES = 2_000_000
MAX_EVENTS = 500  # that are read whole; one takes about 2 ms here, 30 ms on the smallest Pi
MAX_LINES, MAX_LINE = 60, 12_000  # of one event, and characters of a line
MAX_ZONE_LINES = 200
AHEAD_DAYS, MAX_REPEATS = 35, 10  # how far repeated events are announced
LONGEST_DAYS = 46  # no event that lasts longer can be posted
OFFSET = "X-ARCHIPEL-OFFSET"  # quarters of an hour east of UTC there and then; our own agendas have it
READ = {"UID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "URL", "LINK", "ORGANIZER",
        "CONTACT", "CATEGORIES", "STATUS", "SEQUENCE", "LAST-MODIFIED", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID",
        "CLASS", "COMMENT", OFFSET}
HEADERS = {"X-WR-CALNAME", "NAME", "PRODID"}
REASONS = ("past", "too-far", "lasts-too-long")  # problems of a draft that are no fault of the file
MAX_REASON = 200


class Locality(NamedTuple):
    """Where the island is: its time zone, and the number of its language."""

    zone: tzinfo
    language: int = 1


class WallClock(NamedTuple):
    """A moment as clocks show it where it is: the time, the zone of those clocks, whether a whole day is meant."""

    at: datetime
    zone: tzinfo
    whole_day: bool


@dataclass(frozen=True)
class CalendarEntry:
    """One event of an agenda. `key` names it through all its versions (UID and, if it is repeated, the occurrence).

    `version` grows (SEQUENCE, minute of LAST-MODIFIED). `cancelled`: the reason, None if it takes place.
    """

    key: str
    draft: Draft
    version: tuple[int, int] = (0, 0)
    cancelled: str | None = None
    repeated: bool = False


@dataclass
class Agenda:
    """What is in a file: its `name`, the address of its `site`, its events by start, how many were left out and why.

    `growing`: as time goes by, the same file will have more to give. Reasons: `past`, `too-far`, `lasts-too-long`,
    `repeats` (a rule that is not understood), `private`, `too-many`, `broken`.
    """

    name: str = ""
    site: str = ""
    entries: list[CalendarEntry] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    growing: bool = False


def read(content: bytes, here: Locality, now: int) -> Agenda:
    """The agenda in a file as of minute `now`; raises RemoteFault: `agenda-size`, or `agenda-mark` for what is none."""
    if len(content) > MAX_FILE_BYTES:
        raise RemoteFault("agenda-size")
    text = content.decode("utf-8-sig", "replace").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    if "BEGIN:VCALENDAR" not in text[:4000].upper():
        raise RemoteFault("agenda-mark")
    parts = _Parts(re.sub(r"\n[ \t]", "", text).split("\n"), now)
    zones = Zones(parts.zones, here.zone, (EPOCH + timedelta(minutes=now)).year)
    return _Reading(here, zones, now).agenda(parts)


class _Parts:
    """A file cut up: its headers, the lines of its events, those of its time zones by name. Ended events are not kept."""

    def __init__(self, lines: list[str], now: int):
        self.headers: dict[str, str] = {}
        self.events: list[list[str]] = []
        self.zones: dict[str, list[str]] = {}
        self.left_out: Counter[str] = Counter()
        self._oldest = f"{EPOCH + timedelta(minutes=now, days=-LONGEST_DAYS):%Y%m%d}"
        for kind, held in _blocks(lines):
            if kind == "VEVENT":
                self._take_event(held)
            elif kind == "VTIMEZONE":
                name = next((line.partition(":")[2].strip() for line in held if line.upper().startswith("TZID")), "")
                self.zones.setdefault(name, held[:MAX_ZONE_LINES])
            elif kind == "broken":
                self.left_out["broken"] += 1
            else:
                self.headers.setdefault(kind, held[0])

    def _take_event(self, lines: list[str]) -> None:
        named = list(_own(lines))
        starts = [line.rpartition(":")[2] for name, line in named if name == "DTSTART"]
        names = {name for name, _ in named}
        if starts and not {"RRULE", "RDATE"} & names and re.match(r"\d{8}", starts[0]) and starts[0][:8] < self._oldest:
            self.left_out["past"] += 1
        elif len(self.events) >= MAX_EVENTS:
            self.left_out["too-many"] += 1
        else:
            self.events.append([line[:MAX_LINE] for name, line in named if name in READ][:MAX_LINES])


def _blocks(lines: list[str]) -> Iterator[tuple[str, list[str]]]:
    """(VEVENT or VTIMEZONE, its lines), (a header, [its value]), ("broken", []) for an event without an end."""
    kind = ""
    held: list[str] = []
    for line in lines:
        verb, _, what = line[:40].upper().partition(":")
        if verb == "BEGIN" and what.strip() in ("VEVENT", "VTIMEZONE"):
            if kind:
                yield "broken", []
            kind, held = what.strip(), []
        elif verb == "END" and what.strip() == kind:
            yield kind, held
            kind = ""
        elif kind:
            held.append(line)
        elif _name(line) in HEADERS:
            yield _name(line), [line.partition(":")[2]]
    if kind:
        yield "broken", []


def _own(lines: list[str]) -> Iterator[tuple[str, str]]:
    """(name, line) of what belongs to an event itself, not to its alarms."""
    depth = 0
    for line in lines:
        name = _name(line)
        depth += (name == "BEGIN") - (name == "END")
        if depth == 0 and name != "END":
            yield name, line


def _name(line: str) -> str:
    return re.split("[:;]", line[:40], maxsplit=1)[0].upper()


class _Reading:
    """The events of one file, read one by one."""

    def __init__(self, here: Locality, zones: Zones, now: int):
        self._here, self._zones, self._now = here, zones, now
        self._today = (EPOCH + timedelta(minutes=now)).date()

    def agenda(self, parts: _Parts) -> Agenda:
        agenda = Agenda(unescaped(parts.headers.get("X-WR-CALNAME") or parts.headers.get("NAME", "")),
                        left_out=parts.left_out.copy())
        found: dict[str, CalendarEntry] = {}
        events = list(self._events(parts, agenda.left_out))
        moved = {self._key(event) for event in events if "RECURRENCE-ID" in event}
        for event in events:
            agenda.growing |= "RRULE" in event or "RDATE" in event
            for entry in self._entries(event, moved, agenda.left_out):
                if entry.key not in found or found[entry.key].version <= entry.version:
                    found[entry.key] = entry
        agenda.growing |= bool(agenda.left_out["too-far"] or agenda.left_out["too-many"])
        agenda.entries = sorted(found.values(), key=lambda entry: (entry.draft.start, entry.key))
        agenda.site = next((site_of(entry.draft.link) for entry in agenda.entries if entry.draft.link), "")
        return agenda

    def _events(self, parts: _Parts, left_out: Counter[str]) -> Iterator[Any]:
        from icalendar import Event  # takes a while to load, and most islands never need it

        for lines in parts.events:
            # Zones are looked up here: the library would run what the file defines, and warn of what it guesses.
            named = [re.sub(r"(?i);TZID=", ";X-TZID=", line, count=1) for line in lines]
            try:
                event = Event.from_ical("\r\n".join(["BEGIN:VEVENT", *named, "END:VEVENT"]))
                self._when(event, "DTSTART")
                yield event
            except Exception:  # a library on hostile bytes may raise anything
                left_out["broken"] += 1

    def _entries(self, event: Any, moved: set[str], left_out: Counter[str]) -> Iterator[CalendarEntry]:
        """The entries of one event: one, or one for each coming occurrence."""
        try:
            if words(event, "CLASS").upper() in ("PRIVATE", "CONFIDENTIAL"):
                raise RemoteFault("private")
            told = draft_of(event, self._here.language)
            for start, key in self._starts(event):
                if key not in moved or "RECURRENCE-ID" in event:
                    yield from self._entry(event, self._starting(event, told, start), key, left_out)
        except RemoteFault as fault:
            left_out[fault.reason] += 1
        except Exception:  # the same
            left_out["broken"] += 1

    def _entry(self, event: Any, draft: Draft, key: str, left_out: Counter[str]) -> Iterator[CalendarEntry]:
        problems = [problem.code for problem in problems_of(draft, self._now)]
        if problems:
            left_out[next((code for code in problems if code in REASONS), "broken")] += 1
            return
        cancelled = words(event, "STATUS").upper() == "CANCELLED"
        reason = line_of(words(event, "COMMENT"), MAX_REASON) if cancelled else None
        yield CalendarEntry(key, draft, version_of(event), reason, "RRULE" in event or "RDATE" in event)

    # when

    def _starts(self, event: Any) -> Iterator[tuple[datetime, str]]:
        """When it starts by its own clocks, and its key; for a repeated one, each time within the coming weeks."""
        start = self._when(event, "DTSTART")
        zone = start.zone
        if "RRULE" not in event and "RDATE" not in event:
            yield start.at, self._key(event)
            return
        times, until = self._times(event, start), self._until(event, zone)
        gone = {self._minute(one.at, one.zone) for one in self._listed(event, "EXDATE")}
        for at in times:
            minute = self._minute(at, zone)
            if minute <= until and minute not in gone:
                yield at, self._key(event, at if start.whole_day else EPOCH + timedelta(minutes=minute))

    def _times(self, event: Any, start: WallClock) -> list[datetime]:
        since, last = self._today - timedelta(LONGEST_DAYS), self._today + timedelta(AHEAD_DAYS)
        lasts = timedelta(minutes=self._length(event))
        first_day = start.at.date()
        days = {first_day} if since <= first_day <= last else set()
        if "RRULE" in event:
            days |= set(days_of(rule_of({**first(event, "RRULE"), "UNTIL": []}), first_day, since, last))
        times = {datetime.combine(day, start.at.time()) for day in days}
        times |= {one.at for one in self._listed(event, "RDATE") if since <= one.at.date() <= last}
        return sorted(at for at in times if self._minute(at + lasts, start.zone) > self._now)[:MAX_REPEATS]

    def _until(self, event: Any, zone: tzinfo) -> int:
        until = (first(event, "RRULE") or {}).get("UNTIL", [None])[0]
        if until is None:
            return 1 << 24
        if not isinstance(until, datetime):
            return self._minute(datetime.combine(until, datetime.max.time()), zone)
        return self._minute(until.replace(tzinfo=None), until.tzinfo or zone)

    def _length(self, event: Any) -> int:
        """How many minutes it lasts, about for one of whole days."""
        start = self._when(event, "DTSTART")
        if "DTEND" in event:
            end = self._when(event, "DTEND")
            minutes = self._minute(end.at, end.zone) - self._minute(start.at, start.zone)
        else:
            lasts = getattr(first(event, "DURATION"), "dt", None)
            minutes = lasts // timedelta(minutes=1) if isinstance(lasts, timedelta) else 0
        return max(minutes or DAY_MIN, DAY_MIN) if start.whole_day else max(minutes, 0)

    def _when(self, event: Any, name: str) -> WallClock:
        """What a property says; raises RemoteFault where it says no moment."""
        return self._moment(first(event, name))

    def _moment(self, value: Any) -> WallClock:
        at = getattr(value, "dt", None)
        if isinstance(at, datetime):
            named = value.params.get("X-TZID")
            zone = self._zones.zone(str(named)) if named else self._here.zone
            return WallClock(at.replace(tzinfo=None, microsecond=0), at.tzinfo or zone, False)
        if isinstance(at, date):
            return WallClock(datetime.combine(at, datetime.min.time()), self._here.zone, True)
        raise RemoteFault("broken")

    def _listed(self, event: Any, name: str) -> Iterator[WallClock]:
        for several in every(event, name):
            for one in getattr(several, "dts", ()):
                one.params = getattr(several, "params", {}) or one.params
                yield self._moment(one)

    @staticmethod
    def _minute(at: datetime, zone: tzinfo) -> int:
        return (at - EPOCH - (zone.utcoffset(at.replace(tzinfo=zone)) or timedelta(0))) // timedelta(minutes=1)

    # who and what

    def _key(self, event: Any, occurrence: datetime | None = None) -> str:
        """16 digits: the UID, and the moment for which an occurrence was first announced."""
        if occurrence is None and "RECURRENCE-ID" in event:
            meant = self._when(event, "RECURRENCE-ID")
            occurrence = meant.at if meant.whole_day else EPOCH + timedelta(minutes=self._minute(meant.at, meant.zone))
        named = words(event, "UID") or repr((words(event, "SUMMARY"), self._when(event, "DTSTART").at))
        return blake2b(f"{named}\n{occurrence or ''}".encode("utf-8", "replace"), digest_size=8).hexdigest()

    def _starting(self, event: Any, draft: Draft, at: datetime) -> Draft:
        """The draft with its moments when it starts as its own clocks show `at`."""
        zone = self._when(event, "DTSTART").zone
        start = self._minute(at, zone)
        whole = self._when(event, "DTSTART").whole_day
        end = self._minute(at + timedelta(days=self._days(event)), zone) if whole else start + self._length(event)
        made = event_in(self._clocks(event, at, zone), start, end, whole)
        return replace(draft, start=start, end=end, offset=made.offset, whole_days=whole, shifts=made.shifts)

    def _days(self, event: Any) -> int:
        """How many whole days it lasts."""
        first_day, lasts = self._when(event, "DTSTART").at, getattr(first(event, "DURATION"), "dt", None)
        days = (self._when(event, "DTEND").at - first_day).days if "DTEND" in event else getattr(lasts, "days", 1)
        return max(days, 1)

    def _clocks(self, event: Any, at: datetime, zone: tzinfo) -> tzinfo:
        """The zone it is shown in: its own, that of here for what is told in UTC, or the offset of our own agendas."""
        if str(zone) != "UTC" or not 1 < at.year < 9999:
            return zone
        told, here = words(event, OFFSET), self._here.zone
        offset = int(told) if re.fullmatch(r"-?\d{1,2}", told) else MAX_OFFSET + 1
        if abs(offset) > MAX_OFFSET or quarters(here, self._minute(at, zone)) == offset:
            return here
        return timezone(timedelta(minutes=QUARTER_MIN * offset))

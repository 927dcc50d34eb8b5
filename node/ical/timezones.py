"""Time zones as calendars name them: by the IANA's names, by Windows', or by rules that the file itself brings (VTIMEZONE).

The zones of the IANA are a table that comes with Python; nothing else is read. A zone that stays unknown is a RemoteFault:
whoever guesses it sends people to an event at the wrong hour.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from node.ical.contentlines import Component, ContentLine, unescaped
from node.ical.recurrence import StepBudget, moments_of_rule, rule_of
from node.model.errors import RemoteFault

UNKNOWN = "zone"
MAX_OBSERVANCES, MAX_ONSETS = 20, 200
YEARS_BEFORE, YEARS_AFTER = 1, 2
FIXED = re.compile(r"(?:UTC|GMT)?\s*([+-])(\d\d?)(?::?(\d\d))?", re.IGNORECASE)
MAX_SHIFT_MIN = 14 * 60


class Observed(tzinfo):
    """A zone by its transitions: (local moment, minutes east of UTC from then on), in order."""

    def __init__(self, transitions: Sequence[tuple[datetime, int]]):
        self._onsets, self._offsets = [at for at, _ in transitions], [minutes for _, minutes in transitions]

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """What to take off a wall clock's time to have UTC."""
        at = bisect_right(self._onsets, moment.replace(tzinfo=None)) - 1 if moment else 0
        return timedelta(minutes=self._offsets[max(at, 0)])

    def fromutc(self, moment: datetime) -> datetime:
        """What its clocks show at a moment of UTC."""
        shown = [moment + timedelta(minutes=minutes) for minutes in dict.fromkeys(self._offsets)]
        return next((one for one in shown if one - self.utcoffset(one) == moment), shown[0])

    def dst(self, moment: datetime | None) -> None:
        """Not told apart."""

    def tzname(self, moment: datetime | None) -> None:
        """It has none."""


class Zones:
    """The zones of one file. `here`: that of the island; `called`: what the calendar calls its own (X-WR-TIMEZONE), or "";
    `year`: around which the rules of the file are worked out."""

    def __init__(self, defined: Iterable[Component], here: tzinfo, year: int, called: str = ""):
        self._defined: dict[str, Component] = {}
        for component in defined:
            self._defined.setdefault(_plain(unescaped(component.first("TZID").value)), component)
        self.here = here
        self._year, self._called = year, called
        self._known: dict[str, tzinfo | None] = {}

    def of(self, called: str) -> "Zones":
        """The same for another calendar of the file."""
        other = Zones([], self.here, self._year, called)
        other._defined, other._known = self._defined, self._known
        return other

    def floating(self) -> tzinfo:
        """Whose clocks a time without a zone means: the calendar's, or those of here; RemoteFault if nobody knows it."""
        return self.zone(self._called) if self._called else self.here

    def zone(self, name: str) -> tzinfo:
        """The zone of a TZID; RemoteFault when nobody knows it."""
        name = _plain(unescaped(name))
        if name not in self._known:
            self._known[name] = _by_name(name) or self._by_definition(name) or _fixed(name)
        zone = self._known[name]
        if zone is None:
            raise RemoteFault(UNKNOWN)
        return zone

    def _by_definition(self, name: str) -> tzinfo | None:
        component = self._defined.get(name)
        if component is None:
            return None
        if component.has("X-LIC-LOCATION") and (known := _by_name(_plain(component.text("X-LIC-LOCATION")))):
            return known
        try:
            transitions = sorted(_transitions(component.lines, self._year))
        except (ValueError, RemoteFault, OverflowError, IndexError):
            return None
        return Observed(transitions) if transitions else None


def _plain(name: str) -> str:
    """A name as others may write it too."""
    return " ".join(name.strip("\"' /").split()).casefold()


def _by_name(name: str) -> tzinfo | None:
    """By an IANA name, which some put after a path of their own, or by Windows' name."""
    if name in ("z", "utc", "gmt"):
        return UTC
    iana, windows = _names()
    parts = windows.get(name, name).split("/")
    for count in dict.fromkeys((len(parts), 3, 2)):
        known = iana.get("/".join(parts[-count:]))
        if known:
            return ZoneInfo(known)
    return None


@cache
def _names() -> tuple[dict[str, str], dict[str, str]]:
    """Names of zones in small letters: the IANA's, and what Windows' are there."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # takes a while to load

    return ({name.casefold(): name for name in available_timezones()},
            {name.casefold(): known.casefold() for name, known in WINDOWS_TO_OLSON.items()})


def _fixed(name: str) -> tzinfo | None:
    """`UTC+2`, `+0530`: clocks that are never changed."""
    found = FIXED.fullmatch(name)
    minutes = int(found[2]) * 60 + int(found[3] or 0) if found else MAX_SHIFT_MIN + 1
    if not found or minutes > MAX_SHIFT_MIN:
        return None
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


def _transitions(lines: Sequence[ContentLine], year: int) -> list[tuple[datetime, int]]:
    found: list[tuple[datetime, int]] = []
    observance: list[ContentLine] = []
    observances = 0
    for line in lines:
        if line.name == "BEGIN":
            observance = []
        elif line.name == "END" and any(one.name == "TZOFFSETTO" for one in observance):
            observances += 1
            found += _onsets(observance, year) if observances <= MAX_OBSERVANCES else []
            observance = []
        else:
            observance.append(line)
    return found


def _onsets(observance: Sequence[ContentLine], year: int) -> list[tuple[datetime, int]]:
    """When an observance begins in the years around `year`, and the minutes east of UTC that hold from then on."""
    told = {line.name: line.value.strip() for line in reversed(observance)}
    minutes = _shift(told["TZOFFSETTO"])
    onsets = [_onset(told["DTSTART"]) if "DTSTART" in told else datetime.min]
    dates = [one for line in observance if line.name == "RDATE" for one in line.value.split(",")]
    onsets += [_onset(one.partition("/")[0]) for one in dates[:MAX_ONSETS]]
    if told.get("RRULE"):
        parts = dict(part.split("=", 1) for part in told["RRULE"].upper().split(";") if "=" in part)
        until = int(parts.pop("UNTIL", "9999")[:4])
        rule = rule_of({name: value.split(",") for name, value in parts.items()})
        start = max(onsets[0], datetime(1900, 1, 1))
        last = datetime.combine(min(date(year + YEARS_AFTER, 12, 31), date(until, 12, 31)), datetime.max.time())
        onsets += moments_of_rule(rule, start, datetime(year - YEARS_BEFORE, 1, 1), last, StepBudget())
    return [(onset, minutes) for onset in onsets]


def _onset(value: str) -> datetime:
    """A local moment; a date is the midnight that begins it, as clocks are changed at a moment."""
    value = value.strip().upper().rstrip("Z")
    return datetime.strptime(value[:15], "%Y%m%dT%H%M%S") if "T" in value else datetime.strptime(value[:8], "%Y%m%d")


def _shift(value: str) -> int:
    minutes = (int(value[1:3]) * 60 + int(value[3:5])) * (-1 if value[0] == "-" else 1)
    if abs(minutes) > MAX_SHIFT_MIN:
        raise ValueError("no such offset")
    return minutes

"""Time zones as calendars name them: by the IANA's names, by Windows', or by rules that the file itself brings (VTIMEZONE).

The zones of the IANA are a table that comes with Python; nothing else is read.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from node.ical.recurrence import days_of, rule_of
from node.model.errors import RemoteFault

MAX_OBSERVANCES = 20
YEARS_BEFORE, YEARS_AFTER = 1, 2


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
    """The zones of one file. `defined`: the lines of its VTIMEZONEs by name; `year`: around which they are worked out."""

    def __init__(self, defined: Mapping[str, list[str]], fallback: tzinfo, year: int):
        self._defined, self._fallback, self._year = defined, fallback, year
        self._known: dict[str, tzinfo] = {}

    def zone(self, name: str) -> tzinfo:
        """The zone of a TZID; the fallback when nobody knows it."""
        if name not in self._known:
            self._known[name] = _by_name(name) or self._by_definition(name) or self._fallback
        return self._known[name]

    def _by_definition(self, name: str) -> tzinfo | None:
        lines = self._defined.get(name, ())
        for line in lines:
            if line.upper().startswith("X-LIC-LOCATION:") and (known := _by_name(line.partition(":")[2].strip())):
                return known
        try:
            transitions = sorted(_transitions(lines, self._year))
        except (ValueError, RemoteFault, OverflowError, IndexError):
            return None
        return Observed(transitions) if transitions else None


def _by_name(name: str) -> tzinfo | None:
    """By an IANA name, which some put after a path of their own."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # takes a while to load

    parts = WINDOWS_TO_OLSON.get(name, name).strip("/ ").split("/")
    for candidate in {"/".join(parts[-count:]): None for count in (len(parts), 3, 2, 1)}:
        try:
            return ZoneInfo(candidate)
        except (ValueError, OSError, LookupError):  # no such zone, or no name at all
            continue
    return None


def _transitions(lines: Sequence[str], year: int) -> list[tuple[datetime, int]]:
    found: list[tuple[datetime, int]] = []
    observance: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        name = name.partition(";")[0].upper()
        if name == "BEGIN":
            observance = {}
        elif name == "END" and "TZOFFSETTO" in observance and len(found) < MAX_OBSERVANCES * 4:
            found += _onsets(observance, year)
        else:
            observance[name] = value.strip()
    return found


def _onsets(observance: Mapping[str, str], year: int) -> list[tuple[datetime, int]]:
    """When an observance begins in the years around `year`, and the minutes east of UTC that hold from then on."""
    start = datetime.strptime(observance["DTSTART"][:15], "%Y%m%dT%H%M%S") if "DTSTART" in observance else datetime.min
    to = observance["TZOFFSETTO"]
    minutes = (int(to[1:3]) * 60 + int(to[3:5])) * (-1 if to[0] == "-" else 1)
    if abs(minutes) > 14 * 60:
        raise ValueError("no such offset")
    onsets = [start]
    if "RRULE" in observance:
        parts = dict(part.split("=", 1) for part in observance["RRULE"].split(";") if "=" in part)
        until = parts.pop("UNTIL", "9999")[:4]
        rule = rule_of({name: value.split(",") for name, value in parts.items()})
        last = min(date(year + YEARS_AFTER, 12, 31), date(int(until), 12, 31))
        onsets += [datetime.combine(day, start.time())
                   for day in days_of(rule, start.date(), date(year - YEARS_BEFORE, 1, 1), last)]
    return [(onset, minutes) for onset in onsets]

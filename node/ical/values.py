"""What dates, durations, periods and rules of iCalendar say (RFC 5545, section 3.3); raises RemoteFault for what says none.

A date names its whole day: it is never taken for the midnight that begins it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import NamedTuple

from node.ical.contentlines import ContentLine
from node.ical.timezones import Zones
from node.model.errors import RemoteFault

EPOCH = datetime(2024, 1, 1)
BROKEN = "broken"
YEARS = range(1600, 2200)
MOMENT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(?:[.,]\d+)?(Z)?)?", re.ASCII | re.IGNORECASE)
DURATION = re.compile(r"([+-]?)P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:\d{1,9}S)?)?",
                      re.ASCII | re.IGNORECASE)


class WallClock(NamedTuple):
    """A moment as clocks show it where it is: the time, the zone of those clocks, whether a whole day is meant."""

    at: datetime
    zone: tzinfo
    whole_day: bool

    @property
    def minute(self) -> int:
        """Minutes since 2024 UTC, of a whole day those of its beginning."""
        return minute_in(self.at, self.zone)

    def day_in(self, zone: tzinfo) -> date:
        """The day it names, or is on, in a zone: a whole day is the same everywhere."""
        if self.whole_day or self.zone is zone:
            return self.at.date()
        return (EPOCH + timedelta(minutes=self.minute)).replace(tzinfo=UTC).astimezone(zone).date()


class Stretch(NamedTuple):
    """A date of RDATE: when it begins, and for how many minutes it goes on if a period says so."""

    start: WallClock
    lasts: int | None


def minute_in(at: datetime, zone: tzinfo) -> int:
    """The minute since 2024 UTC at which clocks of a zone show `at`."""
    return (at - EPOCH - (zone.utcoffset(at.replace(tzinfo=zone)) or timedelta(0))) // timedelta(minutes=1)


def moment_of(line: ContentLine, zones: Zones, floating: tzinfo | None = None) -> WallClock:
    """What a line with one moment says. `floating`: the clocks meant by a time without a zone (None: the calendar's)."""
    return _moment(line.value, line.params, zones, floating)


def moments_of(line: ContentLine, zones: Zones, floating: tzinfo | None = None) -> list[WallClock]:
    """What a line with several says."""
    return [_moment(one, line.params, zones, floating) for one in line.value.split(",") if one.strip()]


def stretches_of(line: ContentLine, zones: Zones, floating: tzinfo | None = None) -> list[Stretch]:
    """What an RDATE says: moments, or periods."""
    return [_stretch(one, line.params, zones, floating) for one in line.value.split(",") if one.strip()]


def minutes_of(value: str) -> int:
    """How many minutes a duration is, 0 for one that goes back."""
    found = DURATION.fullmatch(value.strip())
    if not found or not re.search(r"\d", value):
        raise RemoteFault(BROKEN)
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups()[1:])
    return 0 if found[1] == "-" else ((weeks * 7 + days) * 24 + hours) * 60 + minutes


def parts_of(value: str) -> dict[str, list[str]]:
    """The parts of a rule, in capitals; RemoteFault for one that says something twice."""
    pairs = [part.partition("=") for part in value.upper().replace(" ", "").split(";") if part]
    parts = {name: given.split(",") for name, _, given in pairs}
    if len(parts) < len(pairs):
        raise RemoteFault(BROKEN)
    return parts


def _moment(value: str, params: Mapping[str, str], zones: Zones, floating: tzinfo | None) -> WallClock:
    found = MOMENT.fullmatch(value.strip())
    if not found or int(found[1]) not in YEARS:
        raise RemoteFault(BROKEN)
    year, month, day, hour, minute = (int(part or 0) for part in found.groups()[:5])
    try:
        at = datetime(year, month, day, hour, minute)
    except ValueError as error:
        raise RemoteFault(BROKEN) from error
    if found[4] is None or params.get("VALUE", "").upper() == "DATE":
        return WallClock(at.replace(hour=0, minute=0), floating or zones.here, True)
    if found[7]:
        return WallClock(at, UTC, False)
    named = params.get("TZID", "")
    return WallClock(at, zones.zone(named) if named else floating or zones.floating(), False)


def _stretch(value: str, params: Mapping[str, str], zones: Zones, floating: tzinfo | None) -> Stretch:
    begin, mark, end = value.partition("/")
    start = _moment(begin, params, zones, floating)
    if not mark:
        return Stretch(start, None)
    if end.strip()[:1] in ("P", "p", "+", "-"):
        return Stretch(start, minutes_of(end))
    return Stretch(start, max(_moment(end, params, zones, floating).minute - start.minute, 0))

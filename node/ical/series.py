"""All dates of one event: what its rules name, without what is exempt of it, and with what is said of one date alone.

Dates are compared as what they are: a day names all that begins on it, a moment is the same in every zone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from heapq import nsmallest

from node.ical.contentlines import Component, ContentLine
from node.ical.recurrence import StepBudget, moments_of_rule, rule_of
from node.ical.timezones import Zones
from node.ical.values import (
    EPOCH,
    WallClock,
    minute_in,
    minutes_of,
    moment_of,
    moments_of,
    parts_of,
    stretches_of,
)
from node.ical.vevent import version_of
from node.model.event import DAY_MIN

INHERITED = ("SUMMARY", "LOCATION", "DESCRIPTION", "URL", "LINK", "GEO", "CATEGORIES", "ORGANIZER", "CONTACT", "CLASS")
MAX_DATES = 500  # of one event: as many as there are days to look ahead


@dataclass(frozen=True)
class Telling:
    """One VEVENT with its moments read. `lasts`: minutes, of whole days about. `about`: of which date of its series it
    tells, `onward`: of all after that too."""

    event: Component
    zones: Zones
    start: WallClock
    lasts: int
    days: int
    about: WallClock | None
    onward: bool
    version: tuple[int, int]
    off: bool

    @property
    def uid(self) -> str:
        """What names its series; what has none is named by its title and its start."""
        return self.event.text("UID").strip() or repr((self.event.text("SUMMARY"), self.start.at))

    @property
    def repeated(self) -> bool:
        """Whether it has more than one date."""
        return self.event.has("RRULE") or self.event.has("RDATE")


@dataclass(frozen=True)
class Dated:
    """One date of a series: when its rule has it, by the clocks of the series, what is said of it, for how long."""

    planned: datetime
    minute: int
    part: Telling
    telling: Telling
    start: WallClock
    lasts: int
    off: bool = False
    extra: bool = False  # no rule has it: it was listed

    @property
    def end(self) -> int:
        """The minute at which it is over."""
        return self.start.minute + self.lasts

    @property
    def by(self) -> int:
        """How many minutes of the clocks of its series it begins later than planned."""
        zone = self.part.start.zone
        at = self.start.at if self.start.zone is zone or self.start.whole_day else shown(self.start, zone)
        return (at - self.planned) // timedelta(minutes=1)


def telling_of(event: Component, zones: Zones) -> Telling:
    """What a VEVENT says of its time; RemoteFault where one of its lines about that says nothing."""
    about = moment_of(event.first("RECURRENCE-ID"), zones) if event.all("RECURRENCE-ID") else None
    start = moment_of(event.first("DTSTART"), zones) if about is None or event.all("DTSTART") else about
    lasts, days = _length(event, start, zones)
    onward = event.first("RECURRENCE-ID").params.get("RANGE", "").upper() == "THISANDFUTURE"
    off = event.text("STATUS").strip().upper() == "CANCELLED" or event.headers.get("METHOD", "").upper() == "CANCEL"
    return Telling(event, zones, start, lasts, days, about, onward, version_of(event), off)


def _length(event: Component, start: WallClock, zones: Zones) -> tuple[int, int]:
    """(minutes, whole days) that it lasts; what ends before it begins lasts no time."""
    if event.all("DTEND"):
        end = moment_of(event.first("DTEND"), zones, start.zone)
        beyond = start.whole_day and not end.whole_day and end.at.time() > datetime.min.time()
        days = (end.at.date() - start.at.date()).days + beyond
        minutes = end.minute - start.minute
    else:
        minutes = minutes_of(event.first("DURATION").value) if event.has("DURATION") else 0
        days = -(-minutes // DAY_MIN)
    return (max(days, 1) * DAY_MIN, max(days, 1)) if start.whole_day else (max(minutes, 0), 0)


def versions_that_count(tellings: Iterable[Telling]) -> tuple[list[Telling], int]:
    """Of one UID: the latest version of what tells of the same date, and how many older ones there were.

    Of what tells of no date alone, with one SEQUENCE, those that start at different times are events of their own: programs
    give several the same UID.
    """
    found: dict[object, Telling] = {}
    whole = [one for one in tellings if one.about is None]
    last = max((one.version[0] for one in whole), default=0)
    several = sum(1 for one in whole if one.version[0] == last)
    total = 0
    for one in tellings:
        total += 1
        if one.about is not None:
            name: object = (one.about.minute, one.onward)
        elif one.version[0] < last:
            continue
        else:
            name = (one.start.minute, one.start.whole_day) if several > 1 else ()
        held = found.get(("about" if one.about else "", name))
        if held is None or held.version <= one.version:
            found["about" if one.about else "", name] = one
    return list(found.values()), total - len(found)


def segments(master: Telling, others: Iterable[Telling]) -> list[Telling]:
    """The series as it was, then as it is from a date on (RANGE=THISANDFUTURE), in order."""
    onward = [(one.about.minute, one) for one in others if one.onward and one.about]
    return [master, *(replace(one, event=_with_what_it_inherits(one.event, master.event))
                      for _, one in sorted(onward, key=lambda pair: pair[0]))]


def dates_of(master: Telling, others: list[Telling], first: date, last: date, budget: StepBudget) -> list[Dated]:
    """All its dates from day `first` to day `last` by its clocks, as planned, those that are off or moved too, in order.

    What is said of a date that is not one of the series' own is a date all the same.
    """
    zone, whole = master.start.zone, master.start.whole_day
    ruled = set(_by_rules(master, first, last, budget))
    planned = dict.fromkeys(ruled) | _by_list(master, first, last, budget)
    planned = {at: planned[at] for at in nsmallest(MAX_DATES, planned)}
    exempt = _exempt(master, zone, budget, first, last)
    parts = segments(master, others)
    said = {}
    for one in others:
        if one.about is not None and not one.onward:
            at = _meant(one.about, planned, zone, whole)
            said[at] = replace(one, event=_with_what_it_inherits(one.event, master.event))
    found = []
    for at in sorted({*planned, *said}):
        minute = minute_in(at, zone)
        part = [one for one in parts if one.about is None or one.about.minute <= minute or (
            one.about.whole_day and one.about.day_in(zone) <= at.date())][-1]
        single = said.get(at)
        if single:
            found.append(Dated(at, minute, part, single, single.start, single.lasts, single.off, at not in ruled))
            continue
        own = planned[at] if part is master else None
        found.append(Dated(at, minute, part, part, _shifted(part, at, zone, whole), part.lasts if own is None else own,
                           at in exempt or at.date() in exempt, at not in ruled))
    return found


def _by_rules(master: Telling, first: date, last: date, budget: StepBudget) -> Iterator[datetime]:
    """Its dates by its clocks, its first one and those that its rules name."""
    opens, closes = datetime.combine(first, datetime.min.time()), datetime.combine(last, datetime.max.time())
    if opens <= master.start.at <= closes:
        yield master.start.at
    for line in master.event.all("RRULE"):
        if line.value.strip():
            yield from _ruled(line, master, opens, closes, budget)


def _by_list(master: Telling, first: date, last: date, budget: StepBudget) -> dict[datetime, int | None]:
    """Its dates by its clocks that are listed (RDATE), each with the minutes that it lasts if a period says so."""
    listed = [one for line in master.event.all("RDATE") for one in stretches_of(line, master.zones, master.start.zone)]
    budget.spend(len(listed))
    dates = {_as_at(stretch.start, master): stretch.lasts for stretch in listed}
    return {at: lasts for at, lasts in dates.items() if first <= at.date() <= last}


def _ruled(line: ContentLine, master: Telling, opens: datetime, closes: datetime, budget: StepBudget) -> Iterator[datetime]:
    parts, zone = parts_of(line.value), master.start.zone
    rule, until = rule_of(parts), parts.get("UNTIL")
    end = moment_of(ContentLine("UNTIL", {}, until[0]), master.zones, zone) if until else None
    for at in moments_of_rule(rule, master.start.at, opens, closes, budget):
        if end is not None:
            by_days = end.whole_day or master.start.whole_day
            if at.date() > end.day_in(zone) if by_days else minute_in(at, zone) > end.minute:
                return
        yield at


def _as_at(moment: WallClock, master: Telling) -> datetime:
    """A moment by the clocks of a series; of a series of whole days the day, and a day has the hour of the series."""
    zone = master.start.zone
    if master.start.whole_day:
        return datetime.combine(moment.day_in(zone), datetime.min.time())
    if moment.whole_day:
        return datetime.combine(moment.at.date(), master.start.at.time())
    return moment.at if moment.zone is zone else shown(moment, zone)


def shown(moment: WallClock, zone: tzinfo) -> datetime:
    """What clocks of a zone show at a moment."""
    return (EPOCH + timedelta(minutes=moment.minute)).replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def _exempt(master: Telling, zone: tzinfo, budget: StepBudget, first: date, last: date) -> set[datetime | date]:
    """The moments by its clocks, and the whole days, that are exempt."""
    found: set[datetime | date] = set()
    for line in master.event.all("EXDATE"):
        listed = moments_of(line, master.zones, zone)
        budget.spend(len(listed))
        found |= {one.day_in(zone) if one.whole_day or master.start.whole_day else _as_at(one, master) for one in listed}
    opens, closes = datetime.combine(first, datetime.min.time()), datetime.combine(last, datetime.max.time())
    for line in master.event.all("EXRULE"):
        found |= set(_ruled(line, master, opens, closes, budget)) - {master.start.at} if line.value.strip() else set()
    return found


def _meant(about: WallClock, planned: Iterable[datetime], zone: tzinfo, whole: bool) -> datetime:
    """Which planned date is meant: that of the moment, or of the day; one that is not planned stands for itself."""
    if whole or about.whole_day:
        day = about.day_in(zone)
        return min((at for at in planned if at.date() == day), default=datetime.combine(day, datetime.min.time()))
    return about.at if about.zone is zone else shown(about, zone)


def _shifted(part: Telling, at: datetime, zone: tzinfo, whole: bool) -> WallClock:
    """A date of a part of the series that begins as much later than planned as its first one does."""
    if part.about is None:
        return WallClock(at, zone, whole)
    about = datetime.combine(part.about.day_in(zone), at.time()) if part.about.whole_day else (
        part.about.at if part.about.zone is zone else shown(part.about, zone))
    start = part.start.at if part.start.zone is zone or part.start.whole_day else shown(part.start, zone)
    return WallClock(at + (start - about), zone, part.start.whole_day)


def _with_what_it_inherits(event: Component, master: Component) -> Component:
    """What is said of one date says no more than what is different, in some programs."""
    lacking = [line for line in master.lines if line.name in INHERITED and not event.all(line.name)]
    return replace(event, lines=[*event.lines, *lacking]) if lacking and event is not master else event

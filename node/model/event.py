"""When an event is: start and end, each by the clocks there, and all the dates of one that is repeated.

A record says no name of a zone: it says how far its clocks are from UTC at its start, and when that changes before its last
end. So every island shows the same hours, whatever it knows of zones and wherever it is (docs/protocol.md, section 1.2).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from functools import lru_cache
from itertools import count, islice, pairwise

from node.model.foreign import Foreign

QUARTER_MIN = 15
DAY_MIN = 1440
WEEK = 7
MAX_OFFSET = 56  # quarters of an hour from UTC
MAX_SHIFTS = 3
MAX_DATES = 128
MAX_STEPS = 15  # between two dates
MAX_SPAN_DAYS = 400  # from the first date to the last
MAX_MOVED_MIN = 0x7FFF
FIRST = date(2024, 1, 1)  # a Monday


class Rhythm(IntEnum):
    """What lies between two dates, counted from the first one's day."""

    DAYS = 0
    WEEKS = 1  # on the same day of the week
    MONTHS = 2  # on the same day of the month; a month that has none is passed over
    MONTH_WEEKDAY = 3  # such as the first Sunday; a fifth one is passed over where there are four
    MONTH_LAST = 4  # such as the last Sunday, the last but one
    WEEKDAYS = 5  # on several days of a week


@dataclass(frozen=True, slots=True)
class Shift:
    """The clocks are changed: from minute `since` (a whole quarter of an hour) on they are `offset` quarters from UTC."""

    since: int
    offset: int


@dataclass(frozen=True, slots=True)
class Exempt:
    """One date of a repeated event, by its number (0 is the first): called off, or moved `by` minutes of the clocks."""

    number: int
    by: int | None = None


@dataclass(frozen=True, slots=True)
class Repetition:
    """`count` dates, the first included, each `every` steps after the last. `weekdays`: bits, Monday 1, for WEEKDAYS."""

    rhythm: Rhythm
    every: int
    count: int
    weekdays: int = 0
    exempt: tuple[Exempt, ...] = ()


@dataclass(frozen=True, slots=True)
class Occasion:
    """One date of an event: minutes since 2024 UTC, and the quarters from UTC at its start and at its end."""

    number: int
    start: int
    end: int
    offset: int
    end_offset: int
    off: bool = False
    moved: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """When an event is: `start` in minutes since 2024 UTC, `length` in minutes, `offset` in quarters of an hour.

    All are those of its first date. `length` 0: no end was told. `whole_days`: from midnight to midnight, by the clocks.
    `foreign`: where it comes from, if it was taken over.
    """

    start: int
    length: int
    offset: int
    whole_days: bool = False
    shifts: tuple[Shift, ...] = ()
    repetition: Repetition | None = None
    foreign: Foreign | None = None

    @property
    def end(self) -> int:
        """The minute at which its first date ends."""
        return self.start + self.length

    @property
    def over(self) -> int:
        """The minute at which the last of its dates ends."""
        if self.repetition is None:
            return self.start + self.length
        return max(one.end for one in occasions(self))

    def offset_at(self, minute: int) -> int:
        """Quarters of an hour from UTC at a minute."""
        return next((shift.offset for shift in reversed(self.shifts) if shift.since <= minute), self.offset)

    def is_sound(self) -> bool:
        """Whether it keeps to the rules that every island applies alike, how far ahead it is aside."""
        return (self.repetition is None or _is_repeated_soundly(self, self.repetition)) and _are_clocks_sound(self)


def occasions(event: Event) -> tuple[Occasion, ...]:
    """Its dates in the order of their numbers, those that are called off too."""
    return (_first(event),) if event.repetition is None else _repeated(event, event.repetition)


def _first(event: Event) -> Occasion:
    return Occasion(0, event.start, event.end, event.offset, event.offset_at(event.end))


@lru_cache(256)
def _repeated(event: Event, rule: Repetition) -> tuple[Occasion, ...]:
    first = _first(event)
    wall = event.start + QUARTER_MIN * event.offset
    lasts = event.end + QUARTER_MIN * first.end_offset - wall
    day, of_day = divmod(wall, DAY_MIN)
    exempt = {one.number: one for one in rule.exempt}
    found = []
    for number, on in enumerate(islice(rule_days(rule, day), rule.count)):
        change = exempt.get(number)
        at = on * DAY_MIN + of_day + (change.by or 0 if change else 0)
        made = _occasion(event, number, at, max(lasts, 0)) if number or (change and change.by) else first
        found.append(made if change is None else Occasion(
            made.number, made.start, made.end, made.offset, made.end_offset, change.by is None, change.by is not None))
    return tuple(found)


def _occasion(event: Event, number: int, wall: int, lasts: int) -> Occasion:
    """The date that begins when clocks show `wall` (minutes since 2024 of theirs) and lasts as long by the clocks."""
    start = _minute(event, wall)
    offset = event.offset_at(start)
    end = _minute(event, start + QUARTER_MIN * offset + lasts)
    return Occasion(number, start, end, offset, event.offset_at(end))


def _minute(event: Event, wall: int) -> int:
    """The minute at which clocks show `wall`: the first of two; what they pass over is as long after the change."""
    offset = event.offset
    for shift in event.shifts:
        if wall - QUARTER_MIN * offset < shift.since or wall - QUARTER_MIN * shift.offset < shift.since:
            break
        offset = shift.offset
    return wall - QUARTER_MIN * offset


def rule_days(rule: Repetition, first: int) -> Iterator[int]:
    """The days of a rule from day `first` on, numbered from 2024 on, within its bound; not only `count` of them."""
    for day in _all_days(rule, first):
        if day > first + MAX_SPAN_DAYS:
            return
        if day >= first:
            yield day


def _all_days(rule: Repetition, first: int) -> Iterator[int]:
    if rule.rhythm is Rhythm.DAYS:
        yield from count(first, rule.every)
    elif rule.rhythm in (Rhythm.WEEKS, Rhythm.WEEKDAYS):
        on = [day for day in range(WEEK) if rule.weekdays >> day & 1] or [first % WEEK]
        yield from (monday + day for monday in count(first - first % WEEK, WEEK * rule.every) for day in on)
    else:
        begin = FIRST + timedelta(first)
        for month in count(12 * begin.year + begin.month - 1, rule.every):
            opens, closes = _month(month), _month(month + 1)
            day = _day_in(rule.rhythm, begin, first, opens, closes)
            if opens <= day < closes or opens > first + MAX_SPAN_DAYS:
                yield day if day < closes else closes


def _day_in(rhythm: Rhythm, begin: date, first: int, opens: int, closes: int) -> int:
    """Which day of a month (of the days from `opens` to before `closes`) it falls on; beyond it if it has none such."""
    if rhythm is Rhythm.MONTHS:
        return opens + begin.day - 1
    if rhythm is Rhythm.MONTH_WEEKDAY:
        return opens + (first - opens) % WEEK + (begin.day - 1) // WEEK * WEEK
    left = _month(12 * begin.year + begin.month) - 1 - first
    day = closes - 1 - (closes - 1 - first) % WEEK - left // WEEK * WEEK
    return day if day >= opens else closes


def _month(number: int) -> int:
    """The first day of a month, numbered from the year 0 on."""
    return (date(number // 12, number % 12 + 1, 1) - FIRST).days


def _are_clocks_sound(event: Event) -> bool:
    """Whether its clocks and its days are."""
    offsets = [event.offset, *(shift.offset for shift in event.shifts)]
    if any(abs(offset) > MAX_OFFSET for offset in offsets) or any(a == b for a, b in pairwise(offsets)):
        return False
    moments = [event.start, *(shift.since for shift in event.shifts)]
    if any(a >= b for a, b in pairwise(moments)) or (event.shifts and moments[-1] > event.over):
        return False
    ends = (event.start + QUARTER_MIN * event.offset, event.end + QUARTER_MIN * event.offset_at(event.end))
    return not event.whole_days or (event.length > 0 and not any(wall % DAY_MIN for wall in ends))


def _is_repeated_soundly(event: Event, rule: Repetition) -> bool:
    """Whether its repetition is: as many dates as it says within its bound, and exemptions in order, one for a date."""
    numbers = [one.number for one in rule.exempt]
    weekday = (event.start + QUARTER_MIN * event.offset) // DAY_MIN % WEEK
    several = rule.rhythm is Rhythm.WEEKDAYS
    if not (2 <= rule.count <= MAX_DATES and 1 <= rule.every <= MAX_STEPS and numbers == sorted(set(numbers))):
        return False
    if several and not (rule.weekdays < 1 << WEEK and rule.weekdays >> weekday & 1 and rule.weekdays.bit_count() > 1):
        return False
    if rule.weekdays and not several:
        return False
    if numbers and numbers[-1] >= rule.count:
        return False
    if any(one.by == 0 or (event.whole_days and (one.by or 0) % DAY_MIN) for one in rule.exempt):
        return False
    dates = occasions(event)
    return len(dates) == rule.count and all(one.start >= 0 for one in dates)

"""The moments at which a repeated event falls (RFC 5545, section 3.3.10), looked for within a window of time.

They are worked out period by period (day, week, month, year) within a budget of steps, so that no rule takes longer than
that, however hostile: one that never matches, or counts from long ago. What is repeated more often than hourly is refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Any

from node.model.errors import RemoteFault

PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYHOUR",
         "BYMINUTE", "BYSECOND", "BYSETPOS", "WKST"}
FREQUENCIES = ("HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEK = 7
MAX_LISTED = 100  # numbers in one part
MAX_TIMES = 100  # a day
MAX_STEPS = 60_000  # days asked for all rules of one file: 0.4 s here, 6 s on the smallest Pi
REFUSED, SPENT = "repeats", "too-many"


class StepBudget:
    """How many days may still be asked; RemoteFault when they are spent."""

    def __init__(self, steps: int = MAX_STEPS):
        self._left = steps

    def spend(self, steps: int = 1) -> None:
        """Take off so many."""
        self._left -= steps
        if self._left < 0:
            raise RemoteFault(SPENT)


@dataclass(frozen=True)
class Rule:
    """How an event is repeated. `weekdays`: (number within the month or year, 0 for each; Monday is 0). `count` 0: without
    end. What is empty restricts nothing."""

    frequency: str
    interval: int = 1
    count: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    year_days: tuple[int, ...] = ()
    weeks: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @property
    def says_days(self) -> bool:
        """Whether it says more of its days than how often they come."""
        return bool(self.weekdays or self.month_days or self.year_days or self.weeks)


def rule_of(parts: Mapping[str, list[Any]]) -> Rule:
    """The rule of a parsed RRULE (UNTIL aside); raises RemoteFault for one that is not understood."""
    if not parts or set(parts) - PARTS or any(len(values) > MAX_LISTED for values in parts.values()):
        raise RemoteFault(REFUSED)
    try:
        rule = Rule(
            str(parts["FREQ"][0]).upper(), int(parts.get("INTERVAL", [1])[0]), int(parts.get("COUNT", [0])[0]),
            weekdays=tuple(_weekday(str(one).upper()) for one in parts.get("BYDAY", ())),
            months=_numbers(parts, "BYMONTH", 12), month_days=_numbers(parts, "BYMONTHDAY", 31, signed=True),
            year_days=_numbers(parts, "BYYEARDAY", 366, signed=True), weeks=_numbers(parts, "BYWEEKNO", 53, signed=True),
            hours=_numbers(parts, "BYHOUR", 23, least=0), minutes=_numbers(parts, "BYMINUTE", 59, least=0),
            positions=_numbers(parts, "BYSETPOS", 366, signed=True),
            week_start=DAYS.index(str(parts.get("WKST", ["MO"])[0]).upper()))
        seconds = _numbers(parts, "BYSECOND", 60, least=0)
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise RemoteFault(REFUSED) from error
    counts = "COUNT" not in parts or rule.count > 0
    if rule.frequency not in FREQUENCIES or rule.interval < 1 or not counts or len(seconds) > 1:
        raise RemoteFault(REFUSED)
    if len(rule.hours or (0,)) * len(rule.minutes or (0,)) > MAX_TIMES or not _makes_sense(rule):
        raise RemoteFault(REFUSED)
    return rule


def moments_of_rule(rule: Rule, start: datetime, first: datetime, last: datetime, budget: StepBudget) -> Iterator[datetime]:
    """Its moments from `first` to `last`, both included, by the clocks of `start`, which is its first in any case.

    RemoteFault when the budget is spent before.
    """
    counted = 0
    if start <= last:
        counted = 1
        if start >= first:
            yield start
    for moment in _following(rule, start, first, last, budget):
        if rule.count and counted >= rule.count:
            return
        if moment > start:
            counted += 1
            if first <= moment <= last:
                yield moment


def _following(rule: Rule, start: datetime, first: datetime, last: datetime, budget: StepBudget) -> Iterator[datetime]:
    """What the rule names from the period of `start` on, or without a count from one that is not after `first`."""
    if rule.frequency == "HOURLY":
        yield from _hours(rule, start, first, last, budget)
        return
    period = 0 if rule.count else max(_periods_to(rule, start.date(), first.date()), 0)
    times = [time(hour, minute) for hour, minute in sorted(set(product(rule.hours or (start.hour,),
                                                                       rule.minutes or (start.minute,))))]
    while (days := _days_in(rule, start.date(), period, budget)) is not None:
        opens, found = days
        if opens > last.date():
            return
        yield from _placed([datetime.combine(day, at) for day in found for at in times], rule)
        period += 1


def _hours(rule: Rule, start: datetime, first: datetime, last: datetime, budget: StepBudget) -> Iterator[datetime]:
    step = timedelta(hours=rule.interval)
    at = start if rule.count or first <= start else start + (first - start) // step * step
    while at <= last:
        budget.spend()
        if (not rule.hours or at.hour in rule.hours) and _fits(rule, at.date()):
            minutes = sorted(set(rule.minutes)) or [start.minute]
            yield from _placed([at.replace(minute=minute) for minute in minutes], rule)
        at += step


def _placed(moments: list[datetime], rule: Rule) -> list[datetime]:
    """Those of one period that BYSETPOS names."""
    if not rule.positions:
        return moments
    return sorted({moments[at - (at > 0)] for at in rule.positions if -len(moments) <= at <= len(moments)})


def _periods_to(rule: Rule, start: date, first: date) -> int:
    """How many steps of its interval lead from the period of `start` to one that is not after `first`."""
    match rule.frequency:
        case "DAILY":
            periods = (first - start).days
        case "WEEKLY":
            periods = (first - start).days // WEEK - 1
        case "MONTHLY":
            periods = 12 * (first.year - start.year) + first.month - start.month - 1
        case _:
            periods = first.year - start.year - 1
    return periods // rule.interval


def _days_in(rule: Rule, start: date, period: int, budget: StepBudget) -> tuple[date, list[date]] | None:
    """The first day of a period, and those of its days that the rule names; None beyond the last day there is."""
    steps = period * rule.interval
    try:
        match rule.frequency:
            case "DAILY":
                opens = start + timedelta(steps)
                closes = opens + timedelta(1)
            case "WEEKLY":
                opens = start - timedelta((start.weekday() - rule.week_start) % WEEK) + timedelta(WEEK * steps)
                closes = opens + timedelta(WEEK)
            case "MONTHLY":
                opens, closes = (_month(12 * start.year + start.month - 1 + steps + more) for more in (0, 1))
            case _:
                opens, closes = (_month(12 * (start.year + steps + more)) for more in (0, 1))
    except (OverflowError, ValueError):
        return None
    if rule.frequency == "YEARLY" and not rule.says_days:
        budget.spend()
        return opens, _same_day(rule, start, opens.year)
    if rule.frequency == "MONTHLY" and not rule.says_days:
        budget.spend()
        day = opens + timedelta(start.day - 1)
        return opens, [day] if day < closes and _fits(rule, day) else []
    days = _all_days(rule, opens, closes)
    budget.spend(len(days))
    weekday = start.weekday() if rule.frequency == "WEEKLY" and not rule.weekdays else None
    weekday = start.weekday() if rule.weeks and not (rule.weekdays or rule.month_days or rule.year_days) else weekday
    return opens, [day for day in days if weekday in (None, day.weekday()) and _fits(rule, day)]


def _all_days(rule: Rule, opens: date, closes: date) -> list[date]:
    """The days of a period, of a year those of the months that are named."""
    if rule.frequency == "YEARLY" and rule.months:
        numbers = [12 * opens.year + month for month in sorted(set(rule.months))]
        spans = [(_month(number - 1), _month(number)) for number in numbers]
    else:
        spans = [(opens, closes)]
    days = [begin + timedelta(number) for begin, end in spans for number in range((end - begin).days)]
    on = {weekday for _, weekday in rule.weekdays} if rule.frequency == "WEEKLY" else set()
    return [day for day in days if day.weekday() in on] if on else days


def _same_day(rule: Rule, start: date, year: int) -> list[date]:
    found = []
    for month in sorted(set(rule.months)) or [start.month]:
        day = _month(12 * year + month - 1) + timedelta(start.day - 1)
        found += [day] if day.month == month else []
    return found


def _month(number: int) -> date:
    """The first day of a month, numbered from the year 0 on."""
    return date(number // 12, number % 12 + 1, 1)


def _fits(rule: Rule, day: date) -> bool:
    """Whether a day is one of those that the rule lists; `_days_in` says of which period."""
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days and not {day.day, day.day - _days_of_month(day) - 1} & set(rule.month_days):
        return False
    if rule.year_days and not _both_ways(day, _month(12 * day.year)) & set(rule.year_days):
        return False
    return (not rule.weeks or _in_weeks(rule, day)) and (not rule.weekdays or _is_weekday(rule, day))


def _both_ways(day: date, opens: date) -> set[int]:
    """A day's number in its year, from the first one and from the last one."""
    length = (_month(12 * (day.year + 1)) - opens).days
    return {(day - opens).days + 1, (day - opens).days - length}


def _in_weeks(rule: Rule, day: date) -> bool:
    """Whether it is in one of its weeks: the first one of a year has four days of it at least."""
    middle = day - timedelta((day.weekday() - rule.week_start) % WEEK) + timedelta(3)
    number = (middle.timetuple().tm_yday - 1) // WEEK + 1
    last = middle.replace(month=12, day=31)
    weeks = (last - middle).days // WEEK + number
    return bool({number, number - weeks - 1} & set(rule.weeks))


def _is_weekday(rule: Rule, day: date) -> bool:
    if rule.frequency == "YEARLY" and not rule.months:
        opens, closes = _month(12 * day.year), _month(12 * (day.year + 1))
    else:
        opens, closes = day.replace(day=1), day.replace(day=1) + timedelta(_days_of_month(day))
    numbers = {0, (day - opens).days // WEEK + 1, -(((closes - day).days - 1) // WEEK + 1)}
    return any(weekday == day.weekday() and number in numbers for number, weekday in rule.weekdays)


def _days_of_month(day: date) -> int:
    return (_month(12 * day.year + day.month) - day.replace(day=1)).days


def _numbers(parts: Mapping[str, Iterable[Any]], name: str, most: int, least: int = 1,
             signed: bool = False) -> tuple[int, ...]:
    found = tuple(int(one) for one in parts.get(name, ()))
    if any(not least <= (abs(one) if signed else one) <= most for one in found):
        raise ValueError(name)
    return found


def _weekday(text: str) -> tuple[int, int]:
    return int(text[:-2] or 0), DAYS.index(text[-2:])


def _makes_sense(rule: Rule) -> bool:
    """Whether its parts go together (RFC 5545: weekdays are numbered within months and years only, ...)."""
    numbered = any(number for number, _ in rule.weekdays)
    if numbered and (rule.frequency not in ("MONTHLY", "YEARLY") or rule.weeks):
        return False
    if rule.weeks and rule.frequency != "YEARLY":
        return False
    if rule.positions and not (rule.says_days or rule.hours or rule.minutes or rule.months):
        return False
    return not (rule.month_days and rule.frequency == "WEEKLY")

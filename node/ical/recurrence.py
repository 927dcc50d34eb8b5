"""The days on which a repeated event falls (RFC 5545, section 3.3.10), looked for within a window of days.

Each day of the window is asked whether the rule names it, so that no rule takes longer than its window, however hostile:
one that never matches, or repeats every second, cannot hold the island up. What is rarer than this is refused.
"""

from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from node.model.errors import RemoteFault

PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "WKST"}
FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_COUNTED_DAYS = 3_660  # a rule with COUNT is counted from its first day
MAX_LISTED = 40  # numbers in one part
REFUSED = "repeats"


@dataclass(frozen=True)
class Rule:
    """How an event is repeated. `weekdays`: (number within the month, 0 for each; Monday is 0). `count` 0: without end."""

    frequency: str
    interval: int = 1
    count: int = 0
    weekdays: tuple[tuple[int, int], ...] = ()
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0


def rule_of(parts: Mapping[str, list[Any]]) -> Rule:
    """The rule of a parsed RRULE (UNTIL aside); raises RemoteFault for one that is not understood."""
    if not parts or set(parts) - PARTS or any(len(values) > MAX_LISTED for values in parts.values()):
        raise RemoteFault(REFUSED)
    try:
        rule = Rule(
            str(parts["FREQ"][0]).upper(), int(parts.get("INTERVAL", [1])[0]), int(parts.get("COUNT", [0])[0]),
            weekdays=tuple(_weekday(str(one).upper()) for one in parts.get("BYDAY", ())),
            months=_numbers(parts.get("BYMONTH", ())), month_days=_numbers(parts.get("BYMONTHDAY", ())),
            positions=_numbers(parts.get("BYSETPOS", ())), week_start=DAYS.index(str(parts.get("WKST", ["MO"])[0]).upper()))
    except (KeyError, ValueError, TypeError, IndexError, OverflowError) as error:
        raise RemoteFault(REFUSED) from error
    if rule.frequency not in FREQUENCIES or rule.interval < 1 or rule.count < 0 or _is_rare(rule):
        raise RemoteFault(REFUSED)
    return rule


def days_of(rule: Rule, start: date, first: date, last: date) -> Iterator[date]:
    """The days of the rule from `first` to `last`, both included; `start` is its first. RemoteFault if too long ago."""
    if rule.count and (first - start).days > MAX_COUNTED_DAYS:
        raise RemoteFault(REFUSED)
    counted, day = 0, start if rule.count else max(start, first)
    while day <= last and not (rule.count and counted >= rule.count):
        if _falls(rule, start, day):
            counted += 1
            if day >= first:
                yield day
        day += timedelta(1)


def _numbers(values: Iterable[Any]) -> tuple[int, ...]:
    return tuple(int(one) for one in values)


def _weekday(text: str) -> tuple[int, int]:
    return int(text[:-2] or 0), DAYS.index(text[-2:])


def _is_rare(rule: Rule) -> bool:
    """What no calendar of a neighbourhood needs, and would take more than a month's days to work out."""
    numbered = any(number for number, _ in rule.weekdays)
    if rule.frequency in ("DAILY", "WEEKLY"):
        return bool(rule.positions or numbered or (rule.month_days and rule.frequency == "WEEKLY"))
    if rule.frequency == "MONTHLY":
        return False
    return len(rule.months) > 1 if rule.positions else bool((rule.weekdays or rule.month_days) and not rule.months)


def _falls(rule: Rule, start: date, day: date) -> bool:
    """Whether the rule names `day`, its first day or a later one."""
    if day == start:
        return True
    if rule.months and day.month not in rule.months:
        return False
    return _steps(rule, start, day) % rule.interval == 0 and _fits(rule, start, day)


def _steps(rule: Rule, start: date, day: date) -> int:
    """How many of its days, weeks, months or years lie between."""
    match rule.frequency:
        case "DAILY":
            return (day - start).days
        case "WEEKLY":
            return (day.toordinal() - 1 - rule.week_start) // 7 - (start.toordinal() - 1 - rule.week_start) // 7
        case "MONTHLY":
            return 12 * (day.year - start.year) + day.month - start.month
    return day.year - start.year


def _fits(rule: Rule, start: date, day: date) -> bool:
    weekdays = [weekday for _, weekday in rule.weekdays]
    match rule.frequency:
        case "DAILY":
            return (not weekdays or day.weekday() in weekdays) and (
                not rule.month_days or day.day in _listed(rule.month_days, day.year, day.month))
        case "WEEKLY":
            return day.weekday() in (weekdays or [start.weekday()])
        case "YEARLY" if not rule.months and day.month != start.month:
            return False
    return day.day in _days_in_month(rule, start.day, day.year, day.month)


@lru_cache(256)
def _days_in_month(rule: Rule, start_day: int, year: int, month: int) -> frozenset[int]:
    """The days of a month that a monthly or yearly rule names."""
    length = monthrange(year, month)[1]
    days = list(range(1, length + 1))
    if rule.month_days:
        days = sorted(_listed(rule.month_days, year, month))
    if rule.weekdays:
        days = [day for day in days if _is_weekday(rule, date(year, month, day), length)]
    if not rule.month_days and not rule.weekdays:
        days = [start_day] if start_day <= length else []
    if rule.positions:
        days = [days[at - (at > 0)] for at in rule.positions if at and -len(days) <= at <= len(days)]
    return frozenset(days)


def _listed(month_days: tuple[int, ...], year: int, month: int) -> set[int]:
    """Days counted from the end of the month too."""
    length = monthrange(year, month)[1]
    return {day if day > 0 else length + 1 + day for day in month_days} & set(range(1, length + 1))


def _is_weekday(rule: Rule, day: date, length: int) -> bool:
    numbers = {0, (day.day + 6) // 7, -((length - day.day) // 7 + 1)}
    return any(weekday == day.weekday() and number in numbers for number, weekday in rule.weekdays)

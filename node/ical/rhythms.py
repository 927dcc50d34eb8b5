"""The dates of a foreign event as one repeated event of ours, where our rule can hold them (docs/protocol.md, 1.2)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta, tzinfo
from itertools import islice, pairwise, takewhile
from math import gcd

from node.model.event import (
    DAY_MIN,
    FIRST,
    MAX_DATES,
    MAX_MOVED_MIN,
    MAX_STEPS,
    QUARTER_MIN,
    WEEK,
    Event,
    Exempt,
    Repetition,
    Rhythm,
    occasions,
    rule_days,
)
from node.model.zones import event_in, quarters


def repeated_event(zone: tzinfo, starts: Sequence[int], lasts: int, days: int, least: int) -> Event | None:
    """The event with dates that begin at these minutes (growing, by one zone's clocks), or with the first of them.

    `lasts` in minutes, `days` if it is of whole days. None where our rule holds fewer than two of them, or not all up to
    minute `least`.
    """
    if len(starts) < 2:
        return None
    starts = starts[:MAX_DATES]
    end = _end(zone, starts[0], lasts, days)
    walls = [start + QUARTER_MIN * quarters(zone, start) for start in starts]
    hour = walls[0] % DAY_MIN
    walls = list(takewhile(lambda wall: wall % DAY_MIN == hour, walls))  # what is told in UTC changes its hour
    if len(walls) < min(2, len(starts)) or (len(walls) < len(starts) and starts[len(walls) - 1] < least):
        return None
    starts = starts[:len(walls)]
    for rule in _rules([wall // DAY_MIN for wall in walls]):
        made = event_in(zone, starts[0], end, bool(days), rule)
        held = sum(1 for _ in _alike(made, starts))
        if held < len(starts) and held >= 2 and starts[held - 1] >= least:
            made = event_in(zone, starts[0], end, bool(days), replace(rule, count=held))
        if held >= 2 and (held == len(starts) or starts[held - 1] >= least) and made.is_sound():
            return made
    return None


def with_exempt(event: Event, off: Sequence[int], moved: dict[int, int]) -> Event:
    """With dates that are called off, and moved by minutes of the clocks, by number."""
    if event.repetition is None:
        return event
    exempt = [Exempt(number) for number in off] + [Exempt(number, by) for number, by in moved.items()]
    rule = replace(event.repetition, exempt=tuple(sorted(exempt, key=lambda one: one.number)))
    return replace(event, repetition=rule)


def can_move(by: int, whole_days: bool) -> bool:
    """Whether one date can be moved by so many minutes."""
    return 0 < abs(by) <= MAX_MOVED_MIN and not (whole_days and by % DAY_MIN)


def _alike(event: Event, starts: Sequence[int]) -> Iterator[int]:
    """The first dates of both, as long as they are the same."""
    for one, start in zip(occasions(event), starts, strict=False):
        if one.start != start:
            return
        yield start


def _end(zone: tzinfo, start: int, lasts: int, days: int) -> int:
    if not days:
        return start + lasts
    ends = start + days * DAY_MIN
    return ends + QUARTER_MIN * (quarters(zone, start) - quarters(zone, ends))


def _rules(days: Sequence[int]) -> Iterator[Repetition]:
    """The rules that name just these days (numbered from 2024 on), the plainest first."""
    steps = gcd(*(later - before for before, later in pairwise(days)))
    on = [FIRST + timedelta(day) for day in days]
    months = gcd(*(_month(later) - _month(before) for before, later in pairwise(on)))
    weeks = gcd(*((later - later % WEEK - before + before % WEEK) // WEEK for before, later in pairwise(days)))
    weekdays = sum(1 << weekday for weekday in {day % WEEK for day in days})
    count = len(days)
    wanted = [(Rhythm.WEEKS, steps // WEEK if steps % WEEK == 0 else 0, 0), (Rhythm.DAYS, steps, 0),
              (Rhythm.WEEKDAYS, weeks or 1, weekdays), (Rhythm.MONTH_WEEKDAY, months, 0), (Rhythm.MONTHS, months, 0),
              (Rhythm.MONTH_LAST, months, 0)]
    for rhythm, every, several in wanted:
        if not 1 <= every <= MAX_STEPS or (rhythm is Rhythm.WEEKDAYS and weekdays.bit_count() < 2):
            continue
        rule = Repetition(rhythm, every, count, several)
        if list(islice(rule_days(rule, days[0]), count)) == list(days):
            yield rule


def _month(day: date) -> int:
    return 12 * day.year + day.month

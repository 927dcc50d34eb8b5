"""Night rest: the hours in which an island's Wi-Fi, pages or radio sleep, by its own wall clock. Core: the zone is given.

Wall clocks skip an hour once a year and show another one twice. What begins or ends within the hour that is skipped does so
as if it had not been; of an hour that comes twice the first one counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum

from node.model.clock import EPOCH_S, MAX_MINUTE

EVERY_DAY = frozenset(range(7))
EPOCH_DAY = datetime.fromtimestamp(EPOCH_S, UTC)
MINUTES_OF_DAY = 1_440
AHEAD_DAYS = 8  # a rest of one weekday comes again after seven; its end may be on the eighth
TOLD_AHEAD_MIN = 60  # before it begins it is told at the head of each page: time to finish what one is writing


class RestPart(StrEnum):
    """What may rest."""

    WIFI = "wifi"
    PORTAL = "portal"
    RADIO = "radio"


@dataclass(frozen=True, slots=True)
class Rest:
    """From `begin` to `end`, minutes of the day by the wall clock; an end that is not later is the next day's.

    `days`: the weekdays on which it begins, 0 for Monday.
    """

    begin: int
    end: int
    days: frozenset[int] = EVERY_DAY

    @property
    def fits(self) -> bool:
        """Whether it is one: it has an end, and days."""
        times = all(0 <= minute < MINUTES_OF_DAY for minute in (self.begin, self.end))
        return times and self.begin != self.end and bool(self.days) and self.days <= EVERY_DAY


RestPlan = Mapping[RestPart, Rest]


@dataclass(frozen=True, slots=True)
class RestSpan:
    """One rest, in minutes since 2024 UTC: from `begin` until before `end`."""

    begin: int
    end: int


def next_rest(rest: Rest | None, minute: int, zone: tzinfo) -> RestSpan | None:
    """The rest that goes on at `minute`, else the next one; None if there is none within eight days."""
    return next((span for span in _spans(rest, minute, zone) if span.end > minute), None) if rest else None


def resting(rest: Rest | None, minute: int, zone: tzinfo) -> RestSpan | None:
    """The rest that goes on at `minute`, if one does."""
    span = next_rest(rest, minute, zone)
    return span if span and span.begin <= minute else None


def soon(rest: Rest | None, minute: int, zone: tzinfo) -> RestSpan | None:
    """The rest that is about to begin, if one is."""
    span = next_rest(rest, minute, zone)
    return span if span and minute < span.begin <= minute + TOLD_AHEAD_MIN else None


def _spans(rest: Rest, minute: int, zone: tzinfo) -> Iterator[RestSpan]:
    """By begin; two days back, as zones are up to 14 hours away."""
    first = (EPOCH_DAY + timedelta(minutes=minute)).date() - timedelta(2)
    for ahead in range(AHEAD_DAYS + 3):
        day = first + timedelta(ahead)
        if day.weekday() in rest.days:
            end_day = day if rest.end > rest.begin else day + timedelta(1)
            span = RestSpan(_minute(day, rest.begin, zone), _minute(end_day, rest.end, zone))
            if span.begin < span.end:  # else it was within the hour that wall clocks skip
                yield span


def _minute(day: date, of_day: int, zone: tzinfo) -> int:
    wall = datetime(day.year, day.month, day.day, of_day // 60, of_day % 60, tzinfo=zone)
    return min((wall.astimezone(UTC) - EPOCH_DAY) // timedelta(minutes=1), MAX_MINUTE)


def plan_as_json(plan: RestPlan) -> dict[str, object]:
    """As it is kept."""
    return {part.value: [rest.begin, rest.end, sorted(rest.days)] for part, rest in plan.items()}


def plan_of(kept: Mapping[str, tuple[int, int, list[int]]]) -> RestPlan:
    """As it was kept."""
    return {RestPart(part): Rest(begin, end, frozenset(days)) for part, (begin, end, days) in kept.items()}

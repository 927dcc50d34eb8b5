"""Events under their days: which stand under each day, how many there are, and which part of them a page shows."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby

from node.board.api import Announced, Item
from node.model.marks import NO_MARKS, Marks
from web import dates
from web.item_display import days_of, today
from web.pages import board, patience, settings

DAY_MIN = 1440
AHEAD_DAYS = 401  # no event can be announced for a day further away (`node.model.record.MAX_EVENT_AHEAD_MIN`)
Standing = tuple[date, Announced]


@dataclass(frozen=True)
class ShownDay:
    """A day of a page: what begins on it, and what began earlier and still goes on."""

    day: date
    begins: list[Item]
    goes_on: list[Item]


@dataclass(frozen=True)
class Days:
    """The events of the days [first, after), each under every day that it is on, without their texts."""

    first: date
    after: date
    standing: Sequence[Standing]

    @cached_property
    def counts(self) -> Counter[date]:
        """How many events there are on each day."""
        return Counter(day for day, _event in self.standing)

    @property
    def each(self) -> list[tuple[date, int]]:
        """Every day with its number of events."""
        days = (self.first + timedelta(more) for more in range((self.after - self.first).days))
        return [(day, self.counts[day]) for day in days]

    @cached_property
    def events(self) -> int:
        """How many events there are, each counted once."""
        return _different(self.standing)

    def beyond(self, rows: int) -> int:
        """How many events are not among the first `rows` that stand under a day."""
        return self.events - _different(self.standing[:rows])

    def different(self, numbers: Sequence[int]) -> int:
        """How many events stand at these places, each counted once."""
        return _different([self.standing[number] for number in numbers])

    def read(self, some: Sequence[Standing]) -> list[ShownDay]:
        """Some of them, with their texts; what cannot be read is passed over."""
        items = {(item.id, item.start): item for item in board().read((event for _day, event in some), patience())}
        shown = []
        for day, group in groupby(some, lambda one: one[0]):
            found = [item for _day, event in group if (item := items.get((event.id.hex(), event.start)))]
            begun = [item for item in found if days_of(item)[0] >= day]
            shown += [ShownDay(day, begun, [item for item in found if item not in begun])] if found else []
        return shown


def _different(standing: Sequence[Standing]) -> int:
    return len({(event.root, event.start) for _day, event in standing})


def days_from(first: date, after: date, topic: int | None = None, marks: Marks = NO_MARKS) -> Days:
    """What is on from the day `first` until before `after`, of one topic or all, with these marks.

    Of each day what begins on it comes first. A night that is not over yet stands under today, too.
    """
    begin, end = (dates.midnight(day, settings().zone) for day in (first, after))
    events = board().announced(begin - DAY_MIN, end + DAY_MIN, topic)  # days are those of the place
    found = [(day, day != days[0], event) for event in events if marks in event.marks for days in [_days(event, first)]
             for day in days if first <= day < after]
    found.sort(key=lambda one: (one[0], one[1], one[2].start, one[2].id))
    return Days(first, after, [(day, event) for day, _begun, event in found])


def days_ahead(topic: int | None = None, marks: Marks = NO_MARKS) -> Days:
    """All that is on from today on."""
    return days_from(today(), today() + timedelta(AHEAD_DAYS), topic, marks)


def first_after(day: date) -> tuple[date | None, int]:
    """The first day from `day` on when something begins, and how many events begin on it or later."""
    begin = dates.midnight(day, settings().zone)
    following = [days_of(event)[0] for event in board().announced(begin, begin + AHEAD_DAYS * DAY_MIN)]
    following = [first for first in following if first >= day]
    return min(following, default=None), len(following)


def _days(event: Announced, first: date) -> list[date]:
    days = days_of(event)
    late = days[-1] < first == today() and event.start <= board().now() < event.end
    return [*days, first] if late else days

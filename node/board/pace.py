"""How much visitors may do: each of them in some hours, and all together in an hour and in a day.

A **visitor** is whoever writes here without an account. The board knows a visitor by a hash that its portal makes of an
address with a salt that changes (`web.visitor`). What is counted, for whom and since when stays in memory and is forgotten
within hours. It says how much came from an address, never what.

Whatever visitors do beyond the common pace is not refused: it waits for a keeper. So nobody who floods an island keeps
others from it, and what they fill is bounded by a part of the share that is free (`Room`).
"""

from collections import OrderedDict, deque
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from node.replica.quota import Category, Limit

MINUTE_S, HOUR_MIN, DAY_MIN = 60.0, 60, 1440
MAX_VISITORS = 2_000  # some 300 bytes each; the Wi-Fi of a Pi has 253 addresses, and who came longest ago is forgotten
HOURLY = 40  # posts of all visitors, and as many changes: about what EU_868 lets one island send in an hour (36 s of air)
DAILY_PART = 6  # of the room that is free, in a day: an empty board takes 128 posts, a flood of a week leaves a quarter
REMEMBERED_MIN = 4 * HOUR_MIN  # as long as a portal can tell that somebody is the same
LEAST_DAILY = 24  # posts, where there is little room for more retractions: old ones make room for new ones then
KEPT_BACK = 4  # a quarter of the share is for keepers, agendas and what they approve


class Act(IntEnum):
    """What a visitor does that others would notice if it were done a thousand times."""

    POST = 0  # a bulletin, an event, a reply, now or at its hour
    CHANGE = 1  # a correction, a cancellation
    WAIT = 2  # one of these that waits for a keeper
    REPORT = 3  # telling the keepers about a post


class Bound(NamedTuple):
    """So many by one visitor within so many minutes."""

    most: int
    within_min: int


BOUNDS = {Act.POST: Bound(8, HOUR_MIN), Act.CHANGE: Bound(8, HOUR_MIN), Act.WAIT: Bound(5, 4 * HOUR_MIN),
          Act.REPORT: Bound(5, 4 * HOUR_MIN)}


class Visitor(NamedTuple):
    """A visitor's hash under the salt of these hours, and under the one before."""

    now: bytes
    before: bytes


@dataclass(frozen=True)
class Room:
    """What visitors may still fill of the island's share; `retractions`: how many more posts could be retracted."""

    records: int
    size_bytes: int
    retractions: int

    @classmethod
    def beside(cls, posts: Limit, retractions: Limit, limits: Mapping[Category, Limit]) -> "Room":
        """The room that is left beside so many live posts (those that will come at their hour too) and retractions."""
        part = visitors_part(limits[Category.POSTS])
        return cls(part.records - posts.records, part.size_bytes - posts.size_bytes,
                   limits[Category.RETRACTIONS].records - retractions.records - posts.records)

    def holds(self, today: list["Done"], size_bytes: int) -> bool:
        """Whether one post more is within the day's part of it."""
        records, so_far = len(today), sum(one.size_bytes for one in today)
        most = min((self.records + records) // DAILY_PART, max((self.retractions + records) // DAILY_PART, LEAST_DAILY))
        return records < most and so_far + size_bytes <= (self.size_bytes + so_far) // DAILY_PART


def visitors_part(whole: Limit) -> Limit:
    """How much of a quota visitors may use."""
    return Limit(whole.records - whole.records // KEPT_BACK, whole.size_bytes - whole.size_bytes // KEPT_BACK)


class Done(NamedTuple):
    """Something of a visitor's that was shown without a keeper: when, and how large it is."""

    minute: int
    size_bytes: int


class TooSoon(Exception):
    """This visitor has done enough of that; the next one may be in `minutes`."""

    def __init__(self, act: Act, minutes: int):
        super().__init__(f"{act.name}: {minutes} min")
        self.act, self.minutes = act, minutes


@dataclass
class Visit:
    """What one visitor did, by the minute, and when last."""

    seen: int
    done: dict[Act, deque[int]] = field(default_factory=lambda: {act: deque() for act in Act})


@dataclass
class Pace:
    """What visitors did of late. `gate`: a lock. Safe from any thread; minutes are of running, and never go back."""

    gate: AbstractContextManager[Any]
    _visits: OrderedDict[bytes, Visit] = field(default_factory=OrderedDict)
    _together: dict[Act, deque[Done]] = field(default_factory=lambda: {Act.POST: deque(), Act.CHANGE: deque()})

    def check(self, visitor: Visitor, act: Act, now: int, most: int = 0) -> None:
        """Raise TooSoon if it is one too many (`most`, if that is less than the bound); nothing is counted."""
        with self.gate:
            self._check(visitor, act, now, most)

    def count(self, visitor: Visitor, act: Act, now: int, most: int = 0) -> None:
        """Count one more, or raise TooSoon."""
        with self.gate:
            self._check(visitor, act, now, most)
            self._visit(visitor, now).done[act].append(now)

    def give_back(self, visitor: Visitor, act: Act, now: int) -> None:
        """Count one less: it could not be done after all."""
        with self.gate:
            done = self._visit(visitor, now).done[act]
            if done:
                done.pop()

    def join(self, act: Act, now: int, size_bytes: int, room: Room | None = None) -> bool:
        """Whether one more is within the common pace, of which it is a part then; within the day's part of `room` too."""
        with self.gate:
            done = self._together[act]
            _forget(done, now, DAY_MIN)
            hour = sum(one.minute > now - HOUR_MIN for one in done)
            if hour >= HOURLY or (room and not room.holds(list(done), size_bytes)):
                return False
            done.append(Done(now, size_bytes))
            return True

    def leave(self, act: Act, count: int = 1) -> None:
        """So many less in the common pace: they could not be done after all, or a keeper has withdrawn as many."""
        with self.gate:
            done = self._together[act]
            for _one in range(min(count, len(done))):
                done.pop()

    def __len__(self) -> int:
        return len(self._visits)

    def _check(self, visitor: Visitor, act: Act, now: int, most: int) -> None:
        bound, done = BOUNDS[act], self._visit(visitor, now).done[act]
        while done and done[0] <= now - bound.within_min:
            done.popleft()
        most = min(most or bound.most, bound.most)
        if len(done) >= most:
            raise TooSoon(act, max(done[len(done) - most] + bound.within_min - now, 1))

    def _visit(self, visitor: Visitor, now: int) -> Visit:
        """What this visitor did. Who came too long ago is forgotten, and who came longest ago when there are too many."""
        visit = self._visits.pop(visitor.now, None) or self._visits.pop(visitor.before, None) or Visit(now)
        visit.seen = now
        self._visits[visitor.now] = visit
        while len(self._visits) > MAX_VISITORS or next(iter(self._visits.values())).seen <= now - REMEMBERED_MIN:
            self._visits.popitem(last=False)
        return visit


def _forget(done: deque[Done], now: int, within_min: int) -> None:
    """What is older than that."""
    while done and done[0].minute <= now - within_min:
        done.popleft()

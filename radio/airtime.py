"""The airtime governor: how long to wait before the next packet may go, so that no hour ever holds too much of ours.

Air is counted by a clock that nobody sets. An island's calendar may be set at any moment, by another thread too, and a
governor that lived by it could not tell that from time gone by. Asking changes nothing, and is safe while one other thread
charges; on an island all of it is the runner's thread's all the same (docs/architecture.md, "Threads").
"""

import math
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from radio.regions import legal_duty_cycle

HOUR_S = 3600
GUARD_S = 60  # a packet leaves the radio's queue up to this long after it was charged
DAY_S = 86_400
SYNC_SHARE_OF_HOUR = 0.01
MAX_SHARE = 0.5  # of the legal duty cycle, unless the keeper says otherwise: the radio has traffic of its own
URGENT_RESERVE = 1 / 8  # of the hour's budget, for urgent packets only
FAIR_RESERVE = 1 / 4  # beside it, for all but those who crowd the air
KEPT_AHEAD = 1 / 10  # of the hour's budget: counted as spent after a power cut, whatever was
RESERVE_WAIT_S = 1.0  # until the card has been asked again
MAX_CHANNEL_USE = 0.25  # the firmware's "polite" limit
MAX_URGENT_CHANNEL_USE = 0.40  # the firmware's hard limit
MINUTE_S = 60  # over which the firmware measures channel use
FIRST_BUSY_S, LAST_BUSY_S = 10, 300
FIRST_REFUSED_S, LAST_REFUSED_S = 60, 960


class Window:
    """Seconds of air spent in the last `span_s`, in grains: each counts until its last instant has left the window."""

    def __init__(self, span_s: float, grain_s: float):
        self.span_s, self.grain_s = span_s, grain_s
        self._grains: dict[int, float] = {}  # grain number -> seconds, oldest first
        self._sum_s = 0.0

    def add(self, airtime_s: float, now: float) -> None:
        """Count `airtime_s` as spent at `now`; what is added later is never older."""
        self._forget(now)
        grain = int(now // self.grain_s)
        if self._grains:
            grain = max(grain, next(reversed(self._grains)))
        self._grains[grain] = self._grains.get(grain, 0.0) + airtime_s
        self._sum_s += airtime_s

    def used_s(self, now: float, window_s: float | None = None) -> float:
        """What was spent in the last `window_s` (the whole span if None)."""
        if window_s is not None:
            return sum(spent for grain, spent in self._live(now) if self._end(grain) > now - window_s)
        used_s, gone = self._sum_s, self._gone(now)
        for _, spent in gone:
            used_s -= spent
        return used_s if len(gone) < len(self._grains) else 0.0

    def wait_s(self, airtime_s: float, limit_s: float, now: float) -> float:
        """How long until `airtime_s` more stays within `limit_s`: 0 if it does now, infinity if it never will."""
        if airtime_s > limit_s:
            return math.inf
        room_s = limit_s - self.used_s(now)
        if room_s >= airtime_s:
            return 0.0
        live = list(self._live(now))
        for grain, spent in live[:-1]:
            room_s += spent
            if room_s >= airtime_s:
                return self._end(grain) + self.span_s - now
        return self._end(live[-1][0]) + self.span_s - now  # then nothing is used, whatever rounding says of the sum

    def spent(self, now: float) -> list[list[float]]:
        """[[age in seconds, seconds of air], ...], oldest first; a grain that has not ended has an age below 0."""
        return [[now - self._end(grain), spent] for grain, spent in self._live(now)]

    def _end(self, grain: int) -> float:
        return (grain + 1) * self.grain_s

    def _is_gone(self, grain: int, now: float) -> bool:
        return self._end(grain) <= now - self.span_s

    def _gone(self, now: float) -> list[tuple[int, float]]:
        """Grains that count no more. (Copies, here and below: another thread may ask while this one adds.)"""
        return list(takewhile(lambda one: self._is_gone(one[0], now), tuple(self._grains.items())))

    def _live(self, now: float) -> Iterator[tuple[int, float]]:
        return (one for one in tuple(self._grains.items()) if not self._is_gone(one[0], now))

    def _forget(self, now: float) -> None:
        for grain, spent in self._gone(now):
            del self._grains[grain]
            self._sum_s -= spent
        if not self._grains:
            self._sum_s = 0.0


class _BackOff:
    """A pause that doubles each time it is needed again."""

    def __init__(self, first_s: float, last_s: float):
        self.first_s, self.last_s = first_s, last_s
        self._next_s, self.until_at = first_s, -math.inf

    def begin(self, now: float) -> None:
        self.until_at = now + self._next_s
        self._next_s = min(2 * self._next_s, self.last_s)

    def end(self) -> None:
        self._next_s, self.until_at = self.first_s, -math.inf


def default_share(duty_cycle: float) -> float:
    """The share of the legal duty cycle that sync takes when nobody says otherwise: at most 1 % of the hour."""
    return min(MAX_SHARE, SYNC_SHARE_OF_HOUR / duty_cycle)


class Governor:
    """Says when a packet may go. `share` is the part of the region's legal duty cycle that we may use, in (0, 1].

    `monotonic` gives seconds that never jump, of the same length as the caller's. With it the callers' `now` says nothing
    here; without it their own clock must never jump (a simulation's). Only `state` and `restore` speak of the calendar.

    A power cut takes what was spent since `state` was kept. So who keeps it also keeps, ahead, a reserve: no more than that
    is spent before it is kept again (`reserved`), and all of it counts as spent once taken up (`restore`). `longest_s`: the
    air of the longest packet, which the reserve has to hold. Where nothing is kept nothing is reserved.
    """

    def __init__(self, region: str = "EU_868", share: float | None = None, monotonic: Callable[[], float] | None = None):
        self._monotonic = monotonic
        self._hour = Window(HOUR_S + GUARD_S, grain_s=10)
        self._channel = Window(MINUTE_S, grain_s=1)  # ours and what we heard
        self._busy = _BackOff(FIRST_BUSY_S, LAST_BUSY_S)
        self._refused = _BackOff(FIRST_REFUSED_S, LAST_REFUSED_S)
        self._told_use = 0.0
        self.longest_s, self._ahead_s = 0.0, math.inf
        self._rests_until_at = -math.inf
        self.configure(region, share)

    def configure(self, region: str, share: float | None = None) -> None:
        """Live by another region's law (the radio told which); what was spent stays spent."""
        self.duty_cycle = legal_duty_cycle(region)
        self.share = default_share(self.duty_cycle) if share is None else share
        if not 0 < self.share <= 1:
            raise ValueError(f"a share of the duty cycle is above 0 and at most 1, not {share}")
        self.region = region

    @property
    def limit_s(self) -> float:
        """Seconds of air that we may use in any hour."""
        return HOUR_S * self.duty_cycle * self.share

    def wait_s(self, airtime_s: float, now: float, urgent: bool = False, crowding: bool = False) -> float:
        """Seconds to wait before a packet of `airtime_s` may go: 0 for now, infinity if it never may.

        `crowding`: it is of somebody who had much of the hour already, and leaves some of the rest to others.
        """
        at = self._moment(now)
        kept_free = (0 if urgent else URGENT_RESERVE) + (FAIR_RESERVE if crowding else 0)
        limit_s = self.limit_s * (1 - kept_free)
        return max(
            self._hour.wait_s(airtime_s, limit_s, at),
            self._refused.until_at - at,
            self._channel_wait_s(at, urgent),
            RESERVE_WAIT_S if airtime_s > self._ahead_s else 0.0,
            0.0 if urgent else self._rests_until_at - at,
        )

    def charge(self, airtime_s: float, now: float) -> None:
        """A packet of `airtime_s` goes now (or within a minute: the radio's queue)."""
        at = self._moment(now)
        self._hour.add(airtime_s, at)
        self._channel.add(airtime_s, at)
        self._ahead_s -= airtime_s

    def rest(self, left_s: float, now: float) -> None:
        """Let nothing go but what is urgent, for so long (0: no longer)."""
        self._rests_until_at = self._moment(now) + left_s

    def heard(self, airtime_s: float, now: float) -> None:
        """Somebody else used the channel that long."""
        self._channel.add(airtime_s, self._moment(now))

    def channel_told(self, channel_use: float, now: float) -> None:
        """The radio measured this part (0 to 1) of its last minute as busy, whoever sent."""
        self._told_use = channel_use
        if channel_use >= MAX_CHANNEL_USE:
            self._busy.begin(self._moment(now))
        else:
            self._busy.end()

    def refused(self, now: float) -> None:
        """The radio said DUTY_CYCLE_LIMIT."""
        self._refused.begin(self._moment(now))

    def accepted(self) -> None:
        """The radio took a packet again."""
        self._refused.end()

    def used_s(self, now: float, window_s: float = HOUR_S) -> float:
        """Seconds of air we spent in the last `window_s`, an hour at most."""
        return self._hour.used_s(self._moment(now), window_s)

    def left_s(self, now: float) -> float:
        """Seconds of air left to us at this moment."""
        return max(self.limit_s - self._hour.used_s(self._moment(now)), 0.0)

    @property
    def reserve_s(self) -> float:
        """Seconds of air to keep ahead."""
        return min(max(self.limit_s * KEPT_AHEAD, 2 * self.longest_s), self.limit_s)

    @property
    def runs_short(self) -> bool:
        """Whether the reserve is about to be spent: `state` is to be kept anew."""
        return self._ahead_s < max(self.reserve_s / 2, min(self.longest_s, self.reserve_s))

    def reserved(self, ahead_s: float) -> None:
        """So much may be spent from now on: a state that says so is on the card. 0: none is."""
        self._ahead_s = ahead_s

    def state(self, now: float, ahead_s: float = 0.0) -> dict:
        """What to keep across a restart, as JSON values; `now` is the calendar's, and no other clock survives one.

        `ahead_s`: what may still be spent before it is kept again; 0 at the end.
        """
        return {"at": now, "spent": self._hour.spent(self._moment(now)), "ahead": ahead_s}

    def restore(self, state: Any, now: float) -> None:
        """Take up a kept `state`; time away counts if the calendar makes it believable. A damaged state is no state."""
        try:
            away_s = now - float(state["at"])
            spent = [(float(age_s), float(airtime_s)) for age_s, airtime_s in state["spent"]]
            ahead_s = float(state.get("ahead", 0.0))  # an earlier version kept none
        except (TypeError, ValueError, KeyError, OverflowError, AttributeError):
            return
        at = self._moment(now) - (away_s if 0 <= away_s <= DAY_S else 0.0)
        for age_s, airtime_s in sorted(spent, reverse=True):
            if 0 <= airtime_s <= HOUR_S and age_s < HOUR_S + GUARD_S:
                self._hour.add(airtime_s, at - max(age_s, 0.0))  # nothing was spent later than it was kept
        if 0 < ahead_s <= HOUR_S:
            self._hour.add(ahead_s, self._moment(now))  # or it was, up to now

    def _moment(self, now: float) -> float:
        return self._monotonic() if self._monotonic else now

    def _channel_wait_s(self, at: float, urgent: bool) -> float:
        limit = MAX_URGENT_CHANNEL_USE if urgent else MAX_CHANNEL_USE
        told_s = self._busy.until_at - at if self._told_use >= limit else 0.0
        return max(told_s, self._channel.wait_s(0.0, limit * MINUTE_S, at))

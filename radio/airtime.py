"""The airtime governor: how long to wait before the next packet may go, so that no hour and no day holds too much of ours.

The share is a mean over the day. Who was silent has saved some of it, and may spend that at once: a hub, an empty island
and two halves that meet have much to say for an hour, and little for days.

Air is counted by a clock that nobody sets. An island's calendar may be set at any moment, by another thread too, and a
governor that lived by it could not tell that from time gone by. Asking changes nothing, and is safe while one other thread
charges; on an island all of it is the runner's thread's all the same (docs/architecture.md, "Threads").
"""

import math
from collections.abc import Callable, Iterable, Iterator
from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from typing import Any

from radio.regions import legal_duty_cycle

HOUR_S = 3600
GUARD_S = 60  # a packet leaves the radio's queue up to this long after it was charged
DAY_S = 86_400
SYNC_SHARE_OF_HOUR = 0.01
MAX_SHARE = 0.5  # of the legal duty cycle, unless the keeper says otherwise: the radio has traffic of its own
BURST = 5  # times the share: what an hour may hold, if that is within MAX_SHARE of the law. 5 % with the usual share
REFILL = 3 / 4  # of the share: what an hour brings back of what was saved; the rest of the day's share is what can be saved
URGENT_RESERVE = 1 / 8  # of the hour's limit and of what is saved, for urgent packets only
FAIR_RESERVE = 1 / 4  # beside it, for all but those who crowd the air
KEPT_AHEAD = 1 / 10  # of the share of an hour: counted as spent after a power cut, whatever was
RESERVE_WAIT_S = 1.0  # until the card has been asked again
COPIES_COUNT = 1 / 2  # of their time. Whole, 4 of 10 first evenings behind a plain node fail; half, none more (24 seeds)
MAX_CHANNEL_USE = 0.25  # the firmware's "polite" limit
MAX_URGENT_CHANNEL_USE = 0.40  # the firmware's hard limit
MINUTE_S = 60  # over which the firmware measures channel use
FIRST_BUSY_S, LAST_BUSY_S = 10, 300
FIRST_REFUSED_S, LAST_REFUSED_S = 60, 960


class Hold(StrEnum):
    """Why a packet does not go now. The first that holds it longest is told."""

    NONE = ""
    NEVER = "never"  # it is longer than all that an hour or a day may hold
    SILENCE = "silence"  # a keeper wants nothing sent for a while
    REFUSED = "refused-by-radio"
    BUSY = "channel-busy"
    DAY = "day-used"  # what was saved of the day's share is spent
    HOUR = "hour-used"
    ONLY_URGENT = "only-urgent"  # a keeper wants only what is urgent sent for a while
    REST = "night-rest"
    CARD = "card-reserve"  # the card was not asked yet


@dataclass(frozen=True, slots=True)
class Outlook:
    """When a packet may go, in seconds from now (infinity: never), and why not sooner."""

    wait_s: float
    hold: Hold = Hold.NONE


@dataclass(frozen=True, slots=True)
class Wish:
    """A packet to be sent: seconds of air, and what it may use (as `Governor.wait_s`)."""

    airtime_s: float
    urgent: bool = False
    crowding: bool = False
    after_s: float = 0.0  # in a schedule: not before so many seconds from now


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

    def __copy__(self) -> "Window":
        twin = Window(self.span_s, self.grain_s)
        twin._grains, twin._sum_s = dict(self._grains), self._sum_s
        return twin

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


class Savings:
    """What was saved of a daily allowance, as a leaky bucket: it holds `most_s` seconds, and an hour brings `refill_s`.

    It is full at first. What was spent is what counts (`owed_s`), so that another size changes nothing of that.
    """

    def __init__(self) -> None:
        self.most_s = self.refill_s = 0.0
        self._owed_s, self._at = 0.0, -math.inf

    def owed_s(self, now: float) -> float:
        """What is missing until it is full."""
        if self._at == -math.inf:
            return self._owed_s
        return max(self._owed_s - max(now - self._at, 0.0) / HOUR_S * self.refill_s, 0.0)

    def owe(self, airtime_s: float, now: float) -> None:
        """Take out `airtime_s`, more than there is if it must be."""
        self._owed_s, self._at = self.owed_s(now) + airtime_s, max(now, self._at)

    def left_s(self, now: float) -> float:
        """What is in it."""
        return max(self.most_s - self.owed_s(now), 0.0)

    def wait_s(self, airtime_s: float, limit_s: float, now: float) -> float:
        """How long until `airtime_s` can be taken out of the first `limit_s`: 0 if now, infinity if never."""
        if airtime_s > limit_s:
            return math.inf
        return max(self.owed_s(now) + airtime_s - limit_s, 0.0) / self.refill_s * HOUR_S


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
    """The share of the legal duty cycle that sync takes when nobody says otherwise: at most 1 % of the day."""
    return min(MAX_SHARE, SYNC_SHARE_OF_HOUR / duty_cycle)


class Governor:
    """Says when a packet may go. `share` is the part of the region's legal duty cycle that we may use, in (0, 1].

    `monotonic` gives seconds that never jump, of the same length as the caller's. With it the callers' `now` says nothing
    here; without it their own clock must never jump (a simulation's). It goes on over a restart, or begins anew with the
    machine.

    A power cut takes what was spent since `state` was kept. So who keeps it also keeps, ahead, a reserve: no more than that
    is spent before it is kept again (`reserved`), and all of it counts as spent once taken up (`restore`). `longest_s`: the
    air of the longest packet, which the reserve has to hold. Where nothing is kept nothing is reserved.
    """

    def __init__(self, region: str = "EU_868", share: float | None = None, monotonic: Callable[[], float] | None = None):
        self._monotonic = monotonic
        self._hour, self._savings = Window(HOUR_S + GUARD_S, grain_s=10), Savings()
        self._channel = Window(MINUTE_S, grain_s=1)  # ours and what we heard
        self._busy = _BackOff(FIRST_BUSY_S, LAST_BUSY_S)
        self._refused = _BackOff(FIRST_REFUSED_S, LAST_REFUSED_S)
        self._told_use = 0.0
        self.longest_s, self._ahead_s = 0.0, math.inf
        self._paused = dict.fromkeys((Hold.SILENCE, Hold.ONLY_URGENT, Hold.REST), -math.inf)  # until when
        self._lent_s = 0.0
        self.configure(region, share)

    def configure(self, region: str, share: float | None = None) -> None:
        """Live by another region's law (the radio told which); what was spent stays spent."""
        self.duty_cycle = legal_duty_cycle(region)
        self.share = default_share(self.duty_cycle) if share is None else share
        if not 0 < self.share <= 1:
            raise ValueError(f"a share of the duty cycle is above 0 and at most 1, not {share}")
        self.region = region
        self._savings.refill_s = self.refill_s + self._lent_s
        self._savings.most_s = (DAY_S * self.mean_s - (DAY_S + GUARD_S) * self.refill_s) / HOUR_S

    def lend(self, lent_s: float, now: float) -> None:
        """Those who hear nobody but us leave us so much of their share from now on, in seconds an hour: it comes back
        besides our own. No hour holds more for it."""
        if lent_s != self._lent_s:
            self._savings.owe(0.0, self.moment(now))  # until now it came back as before
            self._lent_s = lent_s
            self._savings.refill_s = self.refill_s + lent_s

    @property
    def mean_s(self) -> float:
        """Seconds of air that we may use in an hour on average, over any day."""
        return HOUR_S * self.duty_cycle * self.share

    @property
    def savings_s(self) -> float:
        """Seconds of air that may be used at once after a long silence, and no hour holds more."""
        return min(self._savings.most_s, self.limit_s)

    @property
    def refill_s(self) -> float:
        """Seconds of air that an hour brings back of them, for whoever has our share."""
        return REFILL * self.mean_s

    @property
    def limit_s(self) -> float:
        """Seconds of air that we may use in any hour."""
        return HOUR_S * self.duty_cycle * max(self.share, min(BURST * self.share, MAX_SHARE))

    def wait_s(self, airtime_s: float, now: float, urgent: bool = False, crowding: bool = False) -> float:
        """Seconds to wait before a packet of `airtime_s` may go: 0 for now, infinity if it never may.

        `crowding`: it is of somebody who had much of the hour already, and leaves some of the rest to others.
        """
        return max(0.0, *self._holds(Wish(airtime_s, urgent, crowding), self.moment(now)).values())

    def outlook(self, wish: Wish, now: float) -> Outlook:
        """When a packet may go, and what holds it back: `wait_s` in words."""
        return self._outlook(wish, self.moment(now))

    def schedule(self, wishes: Iterable[Wish], now: float) -> list[Outlook]:
        """When each of these packets may go, one after the other in this order, and why not sooner. Nothing is spent."""
        start = at = self.moment(now)
        then, outlooks, hold = self._twin(), list[Outlook](), Hold.NONE
        for wish in wishes:
            if start + wish.after_s > at:
                at, hold = start + wish.after_s, Hold.NONE
            outlook = then._outlook(wish, at)
            if outlook.wait_s == math.inf:
                outlooks.append(outlook)
                continue
            hold = outlook.hold or hold  # what held those before it holds this one too
            at += outlook.wait_s
            outlooks.append(Outlook(at - start, hold))
            then.charge(wish.airtime_s, at)
            then._ahead_s = math.inf  # the card is asked long before
            at += wish.airtime_s
        return outlooks

    def _twin(self) -> "Governor":
        """Another one that has spent the same, to try with; it goes by the moments that it is told."""
        twin = copy(self)
        twin._monotonic, twin._savings = None, copy(self._savings)
        twin._hour, twin._channel = copy(self._hour), copy(self._channel)
        return twin

    def _outlook(self, wish: Wish, at: float) -> Outlook:
        holds = self._holds(wish, at)
        hold = max(holds, key=lambda one: holds[one])  # of equal ones the first
        if holds[hold] <= 0:
            return Outlook(0.0)
        return Outlook(holds[hold], Hold.NEVER if holds[hold] == math.inf else hold)

    def _holds(self, wish: Wish, at: float) -> dict[Hold, float]:
        """How long each of them holds it back, in seconds."""
        airtime_s, kept_free = wish.airtime_s, self.kept_free(wish)
        pauses = (Hold.SILENCE,) if wish.urgent else self._paused
        return {hold: self._paused[hold] - at for hold in pauses} | {
            Hold.REFUSED: self._refused.until_at - at,
            Hold.BUSY: self._channel_wait_s(at, wish.urgent),
            Hold.DAY: self._savings.wait_s(airtime_s, self._savings.most_s * (1 - kept_free), at),
            Hold.HOUR: self._hour.wait_s(airtime_s, self.limit_s * (1 - kept_free), at),
            Hold.CARD: RESERVE_WAIT_S if airtime_s > self._ahead_s else 0.0,
        }

    def charge(self, airtime_s: float, now: float, copies: float = 0.0) -> None:
        """A packet of `airtime_s` goes now (or within a minute: the radio's queue). So many `copies` of it others make.
        Half of their time counts for the day's share, and none for an hour, as the law asks each for its own."""
        at = self.moment(now)
        self._hour.add(airtime_s, at)
        self._savings.owe(airtime_s * (1 + COPIES_COUNT * copies), at)
        self._channel.add(airtime_s, at)
        self._ahead_s -= airtime_s

    def rest(self, left_s: float, now: float) -> None:
        """Let nothing go but what is urgent, for so long (0: no longer): the night rest."""
        self._paused[Hold.REST] = self.moment(now) + left_s

    def hold(self, left_s: float, now: float) -> None:
        """The same, as a keeper wants it."""
        self._paused[Hold.ONLY_URGENT] = self.moment(now) + left_s

    def silence(self, left_s: float, now: float) -> None:
        """Let nothing go at all, for so long (0: no longer)."""
        self._paused[Hold.SILENCE] = self.moment(now) + left_s

    def heard(self, airtime_s: float, now: float) -> None:
        """Somebody else used the channel that long."""
        self._channel.add(airtime_s, self.moment(now))

    def channel_told(self, channel_use: float, now: float) -> None:
        """The radio measured this part (0 to 1) of its last minute as busy, whoever sent."""
        self._told_use = channel_use
        if channel_use >= MAX_CHANNEL_USE:
            self._busy.begin(self.moment(now))
        else:
            self._busy.end()

    def refused(self, now: float) -> None:
        """The radio said DUTY_CYCLE_LIMIT."""
        self._refused.begin(self.moment(now))

    def accepted(self) -> None:
        """The radio took a packet again."""
        self._refused.end()

    def used_s(self, now: float, window_s: float = HOUR_S) -> float:
        """Seconds of air we spent in the last `window_s`, an hour at most."""
        return self._hour.used_s(self.moment(now), window_s)

    def left_s(self, now: float, wish: Wish | None = None) -> float:
        """Seconds of air left to us at this moment; to a packet like `wish`, if one is given: without what is kept free."""
        at, kept_free = self.moment(now), self.kept_free(wish) if wish else 0.0
        saved_s = self._savings.left_s(at) - self._savings.most_s * kept_free
        return max(min(self.limit_s * (1 - kept_free) - self._hour.used_s(at), saved_s), 0.0)

    def saved_s(self, now: float) -> tuple[float, float]:
        """Seconds of air that were saved of the day's share, and how much can be."""
        return self._savings.left_s(self.moment(now)), self._savings.most_s

    @staticmethod
    def kept_free(wish: Wish) -> float:
        """The part (0 to 1) of hour and savings that a packet may not touch: it is kept for others."""
        return (0 if wish.urgent else URGENT_RESERVE) + (FAIR_RESERVE if wish.crowding else 0)

    @property
    def reserve_s(self) -> float:
        """Seconds of air to keep ahead."""
        return min(max(self.mean_s * KEPT_AHEAD, 2 * self.longest_s), self.limit_s)

    @property
    def runs_short(self) -> bool:
        """Whether the reserve is about to be spent: `state` is to be kept anew."""
        return self._ahead_s < max(self.reserve_s / 2, min(self.longest_s, self.reserve_s))

    def reserved(self, ahead_s: float) -> None:
        """So much may be spent from now on: a state that says so is on the card. 0: none is."""
        self._ahead_s = ahead_s

    def state(self, now: float, ahead_s: float = 0.0) -> dict:
        """What to keep across a restart, as JSON values.

        `ahead_s`: what may still be spent before it is kept again; 0 at the end.
        """
        at = self.moment(now)
        return {"moment": at, "spent": self._hour.spent(at), "owed": self._savings.owed_s(at), "ahead": ahead_s}

    def restore(self, state: Any, now: float) -> None:
        """Take up a kept `state`. A damaged one is none.

        Time away counts as far as the governor's own clock went on, which begins anew when the machine does: of the time
        that the machine was off it knows nothing. A calendar would, and may be set by anybody.
        """
        here = self.moment(now)
        try:
            kept = float(state.get("moment", here))  # an earlier version kept the calendar's
            spent = [(float(age_s), float(airtime_s)) for age_s, airtime_s in state["spent"]]
            ahead_s, owed_s = float(state["ahead"]), float(state["owed"])
        except (TypeError, ValueError, KeyError, OverflowError, AttributeError):
            return
        at = kept if 0 <= kept <= here else 0.0  # a clock that shows less has begun anew since
        if 0 <= owed_s < math.inf:
            self._savings.owe(min(owed_s, self._savings.most_s), at)
        for age_s, airtime_s in sorted(spent, reverse=True):
            if 0 <= airtime_s <= HOUR_S and age_s < HOUR_S + GUARD_S:
                self._hour.add(airtime_s, at - max(age_s, 0.0))  # nothing was spent later than it was kept
        if 0 < ahead_s <= HOUR_S:
            self._hour.add(ahead_s, here)  # or it was, up to now
            self._savings.owe(ahead_s, here)

    def moment(self, now: float) -> float:
        """The governor's own time, which is never set."""
        return self._monotonic() if self._monotonic else now

    def _channel_wait_s(self, at: float, urgent: bool) -> float:
        limit = MAX_URGENT_CHANNEL_USE if urgent else MAX_CHANNEL_USE
        told_s = self._busy.until_at - at if self._told_use >= limit else 0.0
        return max(told_s, self._channel.wait_s(0.0, limit * MINUTE_S, at))

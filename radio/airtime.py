"""The airtime governor: how long to wait before the next packet may go, so that no hour ever holds too much of ours.

`now` is in seconds of whatever clock the caller lives by. A clock set back is noticed here; a clock set forward is told
with `clock_jumped`, or taken for one when more than a day passes between two calls.
"""

import math

from radio.regions import legal_duty_cycle

HOUR_S = 3600
GUARD_S = 60  # a packet leaves the radio's queue up to this long after it was charged
DAY_S = 86_400
SYNC_SHARE_OF_HOUR = 0.01
MAX_SHARE = 0.5  # of the legal duty cycle, unless the keeper says otherwise: the radio has traffic of its own
URGENT_RESERVE = 1 / 8  # of the hour's budget, for urgent packets only
FAIR_RESERVE = 1 / 4  # beside it, for all but those who crowd the air
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
        grain = max(int(now // self.grain_s), next(reversed(self._grains), 0))
        self._grains[grain] = self._grains.get(grain, 0.0) + airtime_s
        self._sum_s += airtime_s

    def used_s(self, now: float, window_s: float | None = None) -> float:
        """What was spent in the last `window_s` (the whole span if None)."""
        self._forget(now)
        if window_s is None:
            return self._sum_s
        return sum(spent for grain, spent in self._grains.items() if self._end(grain) > now - window_s)

    def wait_s(self, airtime_s: float, limit_s: float, now: float) -> float:
        """How long until `airtime_s` more stays within `limit_s`: 0 if it does now, infinity if it never will."""
        if airtime_s > limit_s:
            return math.inf
        room_s = limit_s - self.used_s(now)
        if room_s >= airtime_s:
            return 0.0
        for grain, spent in self._grains.items():
            room_s += spent
            if room_s >= airtime_s:
                return self._end(grain) + self.span_s - now
        return self.span_s + self.grain_s  # rounding left nothing over

    def shift(self, step_s: float) -> None:
        """The clock was moved by `step_s`: what was spent keeps its age, rounded down."""
        grains, step = self._grains, math.ceil(step_s / self.grain_s)
        self._grains = {grain + step: spent for grain, spent in grains.items()}

    def spent(self, now: float) -> list[list[float]]:
        """[[age in seconds, seconds of air], ...], oldest first."""
        self._forget(now)
        return [[now - self._end(grain), spent] for grain, spent in self._grains.items()]

    def _end(self, grain: int) -> float:
        return (grain + 1) * self.grain_s

    def _forget(self, now: float) -> None:
        gone = []
        for grain in self._grains:
            if self._end(grain) > now - self.span_s:
                break
            gone.append(grain)
        for grain in gone:
            self._sum_s -= self._grains.pop(grain)
        if not self._grains:
            self._sum_s = 0.0


class _BackOff:
    """A pause that doubles each time it is needed again."""

    def __init__(self, first_s: float, last_s: float):
        self.first_s, self.last_s = first_s, last_s
        self.end()

    def begin(self, now: float) -> None:
        self.until_at = now + self._next_s
        self._next_s = min(2 * self._next_s, self.last_s)

    def end(self) -> None:
        self._next_s, self.until_at = self.first_s, -math.inf


def default_share(duty_cycle: float) -> float:
    """The share of the legal duty cycle that sync takes when nobody says otherwise: at most 1 % of the hour."""
    return min(MAX_SHARE, SYNC_SHARE_OF_HOUR / duty_cycle)


class Governor:
    """Says when a packet may go. `share` is the part of the region's legal duty cycle that we may use, in (0, 1]."""

    def __init__(self, region: str = "EU_868", share: float | None = None):
        self._hour = Window(HOUR_S + GUARD_S, grain_s=10)
        self._channel = Window(MINUTE_S, grain_s=1)  # ours and what we heard
        self._busy = _BackOff(FIRST_BUSY_S, LAST_BUSY_S)
        self._refused = _BackOff(FIRST_REFUSED_S, LAST_REFUSED_S)
        self._told_use = 0.0
        self._last_at: float | None = None
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
        self._notice(now)
        kept_free = (0 if urgent else URGENT_RESERVE) + (FAIR_RESERVE if crowding else 0)
        limit_s = self.limit_s * (1 - kept_free)
        return max(
            self._hour.wait_s(airtime_s, limit_s, now),
            self._refused.until_at - now,
            self._channel_wait_s(now, urgent),
            0.0,
        )

    def charge(self, airtime_s: float, now: float) -> None:
        """A packet of `airtime_s` goes now (or within a minute: the radio's queue)."""
        self._notice(now)
        self._hour.add(airtime_s, now)
        self._channel.add(airtime_s, now)

    def heard(self, airtime_s: float, now: float) -> None:
        """Somebody else used the channel that long."""
        self._notice(now)
        self._channel.add(airtime_s, now)

    def channel_told(self, channel_use: float, now: float) -> None:
        """The radio measured this part (0 to 1) of its last minute as busy, whoever sent."""
        self._notice(now)
        self._told_use = channel_use
        if channel_use >= MAX_CHANNEL_USE:
            self._busy.begin(now)
        else:
            self._busy.end()

    def refused(self, now: float) -> None:
        """The radio said DUTY_CYCLE_LIMIT."""
        self._notice(now)
        self._refused.begin(now)

    def accepted(self) -> None:
        """The radio took a packet again."""
        self._refused.end()

    def used_s(self, now: float, window_s: float = HOUR_S) -> float:
        """Seconds of air we spent in the last `window_s`, an hour at most."""
        self._notice(now)
        return self._hour.used_s(now, window_s)

    def left_s(self, now: float) -> float:
        """Seconds of air left to us at this moment."""
        self._notice(now)
        return max(self.limit_s - self._hour.used_s(now), 0.0)

    def clock_jumped(self, step_s: float) -> None:
        """The clock that `now` comes from was set, `step_s` forward (negative: back): ages stay as they are."""
        for window in (self._hour, self._channel):
            window.shift(step_s)
        for pause in (self._busy, self._refused):
            pause.until_at += step_s
        if self._last_at is not None:
            self._last_at += step_s

    def state(self, now: float) -> dict:
        """What to keep across a restart, as JSON values."""
        self._notice(now)
        return {"at": now, "spent": self._hour.spent(now)}

    def restore(self, state: object, now: float) -> None:
        """Take up a kept `state`; time away counts if the clock makes it believable. A damaged state is no state."""
        try:
            away_s = now - float(state["at"])
            spent = [(float(age_s), float(airtime_s)) for age_s, airtime_s in state["spent"]]
        except (TypeError, ValueError, KeyError, OverflowError):
            return
        away_s = away_s if 0 <= away_s <= DAY_S else 0.0
        for age_s, airtime_s in sorted(spent, reverse=True):
            if 0 <= airtime_s <= HOUR_S and age_s < HOUR_S + GUARD_S:
                self._hour.add(airtime_s, now - max(age_s, 0) - away_s)

    def _notice(self, now: float) -> None:
        if self._last_at is not None and not 0 <= now - self._last_at <= DAY_S:
            self.clock_jumped(now - self._last_at)
        self._last_at = now

    def _channel_wait_s(self, now: float, urgent: bool) -> float:
        limit = MAX_URGENT_CHANNEL_USE if urgent else MAX_CHANNEL_USE
        told_s = self._busy.until_at - now if self._told_use >= limit else 0.0
        return max(told_s, self._channel.wait_s(0.0, limit * MINUTE_S, now))

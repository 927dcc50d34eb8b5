"""Time as an argument. The core gets `now` in seconds since 1970 (UTC); records count minutes since 2024."""

import time
from typing import Protocol

EPOCH_S = 1_704_067_200  # 2024-01-01T00:00Z: 24-bit minutes from here last until November 2055
RELEASED_AT = 1_795_219_200  # 2026-11-21: no island of this version lives before it
MAX_MINUTE = (1 << 24) - 1


def minute_of(now: float) -> int:
    """Minutes since 2024-01-01T00:00Z of a moment in seconds since 1970, kept within 24 bits."""
    return min(max(int((now - EPOCH_S) // 60), 0), MAX_MINUTE)


def seconds_of(minute: int) -> int:
    """Seconds since 1970 of a minute since 2024-01-01T00:00Z."""
    return EPOCH_S + 60 * minute


def utc_day(minute: int) -> str:
    """The day of a minute, in UTC, for people and programs: 2026-03-21."""
    return time.strftime("%Y-%m-%d", time.gmtime(seconds_of(minute)))


def utc_moment(minute: int) -> str:
    """Day and hour of a minute, in UTC: 2026-03-21 18:30."""
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds_of(minute)))


class Clock(Protocol):
    """Where the daemon gets its time from. `rate`: how many of its seconds pass in one real second."""

    rate: float

    def now(self) -> float:
        """Seconds since 1970, UTC; may jump."""

    def monotonic(self) -> float:
        """Seconds since some start; never jumps."""


class SystemClock:
    """The machine's own clock."""

    rate = 1.0

    def now(self) -> float:
        """Seconds since 1970 by the machine."""
        return time.time()  # noqa: TID251 - the one place that reads it

    def monotonic(self) -> float:
        """Seconds since boot or so."""
        return time.monotonic()


class FastClock:
    """A clock that runs `rate` times faster than the machine's since the moment `since`: the demo."""

    def __init__(self, rate: float, since: float):
        self.rate, self._since = rate, since

    def now(self) -> float:
        """Seconds since 1970, ahead of the machine's by now."""
        return self._since + (SystemClock().now() - self._since) * self.rate

    def monotonic(self) -> float:
        """Fast seconds since boot or so."""
        return time.monotonic() * self.rate


class ManualClock:
    """A clock that moves when told to: simulations and tests."""

    rate = 1.0

    def __init__(self, now: float = EPOCH_S + 86_400 * 365):
        self._now = now

    def now(self) -> float:
        """The moment it was set to."""
        return self._now

    def monotonic(self) -> float:
        """The same, as this clock only moves forward."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._now += seconds

"""What time it is on a box without a clock of its own.

A floor (the newest trusted moment, kept on disk; at least the build time) and reports from sources, best first. A report
that is plausible moves the clock; one that is not waits until another source, or another island, says the same. Reports of
worse sources are ignored while a better one is fresh. Moments are seconds since 1970 UTC; `mono` never jumps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from node.model.clock import Clock

HOUR_S, DAY_S = 3600.0, 86_400.0
FRESH_S = DAY_S  # how long a better source silences worse ones
UNSURE_FORWARD_S = 400 * DAY_S  # an island may have been off for a year
SURE_STEP_S = HOUR_S  # once sure, a larger step waits for confirmation
NUDGE_S = 900.0  # the most another island moves a sure clock, once an hour, and the most in all while an anchor is fresh
AGREE_S = 600.0  # two reports that agree within this confirm each other
MAX_WAITING = 8


class TimeSource(IntEnum):
    """Where a report comes from, best first (design: radio, island, system, keeper)."""

    RADIO = 4
    ISLAND = 3
    SYSTEM = 2
    KEEPER = 1
    FLOOR = 0


@dataclass(frozen=True)
class Report:
    """`who` tells islands or radios apart; `at` is the monotonic moment it came, `utc` what it said."""

    source: TimeSource
    utc: float
    who: str
    at: float

    def now(self, mono: float) -> float:
        """What this report says the time is by now."""
        return self.utc + mono - self.at


@dataclass(frozen=True)
class ClockNote:
    """What an island keeps of the time across a restart, in seconds since 1970: its `floor`, and the time last `seen`."""

    floor: float = 0.0
    seen: float = 0.0

    @classmethod
    def of(cls, kept: object) -> "ClockNote":
        """From the JSON value that was kept; from None for none."""
        return cls(float(kept.get("floor", 0)), float(kept.get("seen", 0))) if isinstance(kept, dict) else cls()

    def as_json(self) -> dict[str, int]:
        """The value to keep: whole seconds."""
        return {"floor": round(self.floor), "seen": round(self.seen)}


class Timekeeper:
    """A Clock that listens to sources. `clock` gives monotonic seconds; its own `now` is only a report like others.

    Asking is safe from any thread: what it says rests on one immutable Report, which is replaced as a whole. Only one
    thread may tell it something (`tell`, `keeper_says`, `raise_floor`).
    """

    def __init__(self, clock: Clock, floor: float, guess: float = 0.0):
        """`guess` (the machine's clock, the time last seen) is taken, unsure, if it may be true as far as `floor` knows."""
        self._clock = clock
        self.rate = clock.rate
        self.floor = floor
        start = guess if floor <= guess <= floor + UNSURE_FORWARD_S else floor
        self._base = Report(TimeSource.FLOOR, start, "", clock.monotonic())
        self._anchor: Report | None = None  # what the last source that is no island said
        self._waiting: list[Report] = []
        self._nudged_at = float("-inf")
        self.on_step: Callable[[float], object] = lambda step_s: None  # told by how much the clock is set

    def now(self) -> float:
        """Seconds since 1970, as well as this island knows."""
        return self._base.now(self._clock.monotonic())

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self._clock.monotonic()

    @property
    def source(self) -> TimeSource:
        """The source in use."""
        return self._base.source

    @property
    def sure(self) -> bool:
        """Whether anything trusted has told the time since start."""
        return self._base.source is not TimeSource.FLOOR

    def tell(self, source: TimeSource, utc: float, who: str = "", within_s: float = 0.0) -> bool:
        """A source says it is `utc`, give or take `within_s`; True if the clock now agrees, False if not, or not yet."""
        off_s = utc - self.now()
        if abs(off_s) <= within_s and self.sure:
            return True
        utc -= min(max(off_s, -within_s), within_s)  # the nearest moment that it may mean
        report = Report(source, utc, who, self._clock.monotonic())
        if source is not TimeSource.ISLAND and self.sure and abs(utc - self.now()) <= SURE_STEP_S:
            self._anchor = report
        if self._silenced(report):
            return False
        if self._plausible(report) or self._confirmed(report):
            return self._follow(report)
        self._waiting = [*self._waiting, report][-MAX_WAITING:]
        return False

    def keeper_says(self, utc: float) -> bool:
        """A keeper was asked and confirmed the time of their browser: believed at once, forward only."""
        if utc < self.now() or self._silenced(Report(TimeSource.KEEPER, utc, "", self.monotonic())):
            return False
        return self._follow(Report(TimeSource.KEEPER, utc, "", self.monotonic()))

    def raise_floor(self) -> float | None:
        """The new floor to keep on disk if the clock is sure and moved on by ten minutes, else None."""
        if not self.sure or self.now() < self.floor + 600:
            return None
        self.floor = self.now()
        return self.floor

    def _silenced(self, report: Report) -> bool:
        fresh = report.at - self._base.at < FRESH_S
        return report.source < self._base.source and fresh

    def _plausible(self, report: Report) -> bool:
        step = report.utc - self.now()
        if not self.sure:
            ahead = UNSURE_FORWARD_S if report.source is not TimeSource.KEEPER else 0
            return report.utc >= self.floor and step <= ahead
        if report.source is TimeSource.ISLAND:
            return abs(step) <= SURE_STEP_S and report.at - self._nudged_at >= HOUR_S
        return abs(step) <= SURE_STEP_S and report.utc >= self.floor - SURE_STEP_S

    def _confirmed(self, report: Report) -> bool:
        """Whether somebody else said the same before; two voices may even lower a floor that was wrong."""
        others = [r for r in self._waiting if (r.source, r.who) != (report.source, report.who)]
        return any(abs(r.now(report.at) - report.utc) <= AGREE_S for r in others)

    def _follow(self, report: Report) -> bool:
        step = report.utc - self.now()
        if self.sure and report.source is TimeSource.ISLAND and abs(step) <= SURE_STEP_S:
            step = self._nudge(step, report.at)
        elif report.source is not TimeSource.ISLAND:
            self._anchor = report
        utc = self.now() + step
        self._waiting = []
        self.floor = min(self.floor, utc)
        self._base = Report(report.source, utc, report.who, report.at)
        self.on_step(step)
        return True

    def _nudge(self, step: float, at: float) -> float:
        self._nudged_at = at
        step = min(max(step, -NUDGE_S), NUDGE_S)
        if self._anchor is None or at - self._anchor.at > FRESH_S:
            return step
        astray = self.now() - self._anchor.now(at)
        return min(max(step, -NUDGE_S - astray), NUDGE_S - astray)

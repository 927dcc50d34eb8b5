"""The island's clock: a box may have none of its own, and whoever tells it the time may be wrong.

What is believed of whom is in `node.daemon.timerules` and docs/store.md ("Time"). Moments are seconds since 1970 UTC;
`mono` never jumps.
"""

from collections.abc import Callable

from node.daemon.clocknote import MachineTime, as_json, started
from node.daemon.timerules import (
    THE_MACHINE,
    Knowledge,
    TimeClaim,
    TimeSource,
    TimeSpan,
    Voice,
    hear,
    keeper_says,
    settle,
    undo,
)
from node.model.clock import RELEASED_AT, Clock


class Timekeeper:
    """A Clock that listens to sources. `clock` gives monotonic seconds; its own `now` is only a report like others.

    Asking is safe from any thread: what it says rests on one immutable Knowledge, which is replaced as a whole. Only one
    thread may tell it something (`tell`, `keeper_says`, `undo`, `settle`).
    """

    def __init__(self, clock: Clock, kept: object = None, least: float = RELEASED_AT, battery: bool = False):
        """`kept` is what `note` gave before a restart, None at the first start; no moment before `least` is believed;
        `battery`: the machine's own clock runs on while the power is off."""
        self._clock = clock
        self.rate = clock.rate
        self._known = started(kept, MachineTime(clock.now(), battery), clock.monotonic(), least)
        self.on_step: Callable[[float], object] = lambda step_s: None  # told by how much the clock is set

    def now(self) -> float:
        """Seconds since 1970, as well as this island knows."""
        return self._known.now(self._clock.monotonic())

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self._clock.monotonic()

    @property
    def source(self) -> TimeSource:
        """Who told the time."""
        return self._known.source

    @property
    def sure(self) -> bool:
        """Whether anything that cannot be one neighbour's error has told the time since the start."""
        return self._known.sure

    @property
    def told(self) -> bool:
        """Whether anybody at all vouches for what day it is."""
        return self._known.source is not TimeSource.FLOOR

    @property
    def floor(self) -> float:
        """A moment that is certainly past: what ended before it may be deleted."""
        return self._known.floor.utc

    @property
    def can_undo(self) -> bool:
        """Whether a keeper's word can still be taken back."""
        return self._known.before is not None

    def contradictions(self) -> list[tuple[TimeSource, float]]:
        """What others say that is not believed: who, and what time it would be by now; one of each kind."""
        mono = self._clock.monotonic()
        found = {claim.source: claim.by(mono).earliest for claim in self._known.contradictions(mono)}
        return sorted(found.items(), reverse=True)

    def tell(self, source: TimeSource, meant: TimeSpan | float, voice: Voice = THE_MACHINE, settled: bool = True) -> bool:
        """A voice says what time it is; whether the clock agrees now. `settled`: it has said so twice."""
        mono = self._clock.monotonic()
        span = meant if isinstance(meant, TimeSpan) else TimeSpan(meant, meant)
        self._become(hear(self._known, TimeClaim(source, *voice, span, mono, mono, settled)))
        return span.holds(self.now(), 1.0)

    def keeper_says(self, utc: float) -> bool:
        """A keeper read what it would do and confirmed this minute: believed, unless a better source is speaking."""
        return self._become(keeper_says(self._known, utc, self._clock.monotonic()))

    def undo(self) -> bool:
        """Take back what a keeper said last; False if there is nothing to take back."""
        return self._become(undo(self._known, self._clock.monotonic()))

    def settle(self) -> None:
        """Let the floor follow what has stood long enough: to be called every ten minutes or so."""
        self._become(settle(self._known, self._clock.monotonic()))

    def note(self) -> dict[str, object]:
        """What to keep across a restart, as JSON."""
        return as_json(self._known, self._clock.monotonic(), self._clock.now())

    def _become(self, known: Knowledge | None) -> bool:
        if known is None:
            return False
        mono = self._clock.monotonic()
        step_s = known.now(mono) - self._known.now(mono)
        self._known = known
        if step_s:
            self.on_step(step_s)
        return True

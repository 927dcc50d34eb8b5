"""What the engine for brokers was tuned to. The text below each field says its unit, its reason, and what set it.

Measured by `python -m tests.bench.broker --islands 50`: seconds until an empty, or a wiped, broker holds all 300 records,
and messages put there. The same numbers stand in docs/protocol.md, 6.1; islands may differ in them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class BrokerTuning:
    """The choices of one engine."""

    settle_s: float = 3
    """Seconds. So long nothing came, and the broker has shown what it retains. Set by: nothing on record; bench broker:
    half or twice moves the end by as much, and no message."""
    max_settle_s: float = 6
    """Seconds. No longer than this for what is new to us: a busy broker is never quiet, and the link has waited already for
    what it retains. Set by: tests/sync/mqtt/test_engine.py, an island that joins a busy broker."""
    max_filling_s: float = 120
    """Seconds. No longer than this while others put there what we hold, too: they do our work. Set by: bench broker: 1821
    instead of 4990 messages when 50 islands fill a broker."""
    pace_s: float = 0.05
    """Seconds. Between two messages in the long run, as a small Pi takes in some 40 a second. Set by: bench broker: half
    changes nothing, twice takes 24 instead of 19 s."""
    burst: int = 800
    """Messages. So many may go faster before that: less than the 1,000 that mosquitto holds for one that is slower. Set by:
    tests/sync/mqtt/test_engine.py, an island that joins a busy broker."""
    burst_pace_s: float = 0.01
    """Seconds. Between two of these. Set by: the same."""
    spread_s: float = 10
    """Seconds. Drawn up to this: all islands hold what all lack, let one be first. Set by: tests/sync/mqtt/test_engine.py,
    islands share the work; bench broker."""
    retry_s: float = 60
    """Seconds. Until a slot that failed us is looked at again; doubled each time. Set by: nothing on record; bench broker:
    half or twice changes no message."""
    max_doublings: int = 6
    """Doublings. Of `retry_s`, at most: about an hour. Set by: tests/sync/mqtt/test_engine.py, a vandal who overwrites
    slots."""
    clear_s: float = 6 * 3600
    """Seconds. Until the slot of what left the set is emptied: a clock may be wrong, here or there, and it may come back.
    Set by: tests/sync/mqtt/test_engine.py, an island with a wrong clock."""
    clear_spread_s: float = 2 * 3600
    """Seconds. Drawn up to this besides: one island empties it, the others see that. Set by: docs/protocol.md, 6.1."""
    max_foreign: int = 8192
    """Slots. Remembered that hold nothing of ours: a bound on memory. Set by: tests/sync/mqtt/test_engine.py, memory
    stays bounded."""


BROKER_TUNING = BrokerTuning()

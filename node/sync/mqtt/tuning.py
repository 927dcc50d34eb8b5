"""What the engine for brokers was tuned to. The text below each field says its unit, its reason, and what set it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BrokerTuning:
    """The choices of one engine; islands may differ in them."""

    settle_s: float = 3
    max_settle_s: float = 120
    pace_s: float = 0.05
    spread_s: float = 20
    retry_s: float = 60
    max_doublings: int = 6
    clear_s: float = 6 * 3600
    clear_spread_s: float = 2 * 3600
    max_foreign: int = 8192


BROKER_TUNING = BrokerTuning()

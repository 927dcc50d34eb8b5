"""What a keeper may want of the radio for a while. Each wish ends by itself, and none outlives a start of the island."""

from dataclasses import dataclass
from enum import StrEnum

SPANS_MIN = (15, 60, 3 * 60, 12 * 60, 24 * 60)  # how long a wish may last; a day is "today", wherever it begins
SHARES_PERCENT = (5, 10, 25, 50)  # of what the law allows: the other half is the radio's own (radio.airtime.MAX_SHARE)


class AirOrderKind(StrEnum):
    """What is wanted."""

    SUMMARY = "summary"  # say at once what is here
    SILENCE = "silence"
    ONLY_URGENT = "only-urgent"
    SHARE = "share"


@dataclass(frozen=True)
class AirOrder:
    """A wish: for how many minutes (0 ends it), and for a share how many percent of the law."""

    kind: AirOrderKind
    minutes: int = 0
    percent: int = 0

    @property
    def fits(self) -> bool:
        """Whether it is one that is offered."""
        if self.kind is AirOrderKind.SHARE and self.minutes and self.percent not in SHARES_PERCENT:
            return False
        return self.kind is AirOrderKind.SUMMARY or self.minutes in (0, *SPANS_MIN)

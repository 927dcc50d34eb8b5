"""What a radio's packets tell of the time. One packet is no evidence: it may have waited, or be dated wrong."""

from dataclasses import dataclass, replace

AGREES_S = 10.0  # whole seconds, and what a serial line and a busy radio hold back


@dataclass(frozen=True)
class DatedPacket:
    """A packet's date (`utc`, seconds since 1970), as of `at` (monotonic); how many in a row agreed on it."""

    utc: float
    at: float
    packets: int = 1

    def by(self, at: float) -> float:
        """The time by then."""
        return self.utc + at - self.at


@dataclass(frozen=True)
class RadioClock:
    """`told`: what two packets in a row agreed on; `rival`: the last one's date, if it says something else."""

    told: DatedPacket | None = None
    rival: DatedPacket | None = None

    def dated(self, utc: float, at: float) -> "RadioClock":
        """After another packet. A date that differs counts when the next packet confirms it, earlier dates too."""
        if not utc:
            return self
        for known in (self.told, self.rival):
            if known is not None and abs(utc - known.by(at)) <= AGREES_S:
                return RadioClock(DatedPacket(utc, at, known.packets + 1))
        return replace(self, rival=DatedPacket(utc, at))

    @property
    def first(self) -> DatedPacket | None:
        """What it says, or, before two agreed, what the first packet said."""
        return self.told or self.rival

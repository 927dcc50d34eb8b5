"""What text messages of hand-held radios may take of the air: a part of the island's share, behind everything urgent.

It belongs to the runner's thread, as the governor does, which is asked and charged for each text: as somebody who had much
already, so that records always find what is kept for them.
"""

from collections.abc import Callable

from node.board.status import TextsStatus
from radio.airtime import HOUR_S, Governor, Savings, Window

PART = 1 / 3  # of the share, for texts: EU_868's default lets 72 s go at once (34 full messages), then 9 s an hour
SAVED_H, REFILL = 6, 3 / 4  # as the governor's: hours of it that are saved, and the part of it that an hour brings back
KEPT_FOR_SHORT = 1 / 8  # of it, for sentences that ask to wait
REPEATS = 2  # of a text that nobody acknowledged, by the radio itself
BEHIND_URGENT_S = 5.0


class TextAir:
    """`on_air_s(octets, to_one)`: seconds of air for one text. `urgent_waits(now)`: whether something urgent is about to be
    sent. `failed()`: how many texts the radio gave up so far. `monotonic()`: seconds that never jump.
    `on_spent(airtime_s, now)`, if there is one, is told of what went.
    """

    def __init__(self, governor: Governor, on_air_s: Callable[[int, bool], float], urgent_waits: Callable[[float], bool],
                 failed: Callable[[], int], monotonic: Callable[[], float]):
        self.on_spent: Callable[[float, float], None] | None = None
        self._governor, self._on_air_s, self._urgent_waits = governor, on_air_s, urgent_waits
        self._failed, self._monotonic = failed, monotonic
        self._seen_failed, self._last_s = 0, 0.0
        self._savings, self._hour = Savings(), Window(HOUR_S, 60)
        self._counts = Window(HOUR_S, 60)

    def claim(self, size_bytes: int, now: float, to_one: bool = True, short: bool = False) -> float:
        """Seconds until a text of so many octets may go; 0: it goes now, and is charged. `short`: a sentence that asks to
        wait, for which a little is kept. Infinity if it never may."""
        self._charge_repeats(now)
        airtime_s, at = self._on_air_s(size_bytes, to_one), self._monotonic()
        kept_free = 0.0 if short else KEPT_FOR_SHORT
        wait_s = max(self._savings_now().wait_s(airtime_s, self._savings.most_s * (1 - kept_free), at),
                     self._governor.wait_s(airtime_s, now, crowding=not short),
                     BEHIND_URGENT_S if self._urgent_waits(now) else 0.0)
        if wait_s > 0:
            return wait_s
        self._last_s = airtime_s
        self._counts.add(1, at)
        self._charge(airtime_s, now)
        return 0.0

    def status(self, now: float) -> TextsStatus:
        """What went in the last hour, and what may go now."""
        at, left_s = self._monotonic(), self._savings_now().left_s(self._monotonic())
        return TextsStatus(round(self._counts.used_s(at)), round(self._hour.used_s(at), 1),
                           round(min(left_s, self._governor.left_s(now)), 1))

    def _savings_now(self) -> Savings:
        """The savings, as large as the governor's share has it now."""
        self._savings.most_s = SAVED_H * PART * self._governor.mean_s
        self._savings.refill_s = REFILL * PART * self._governor.mean_s
        return self._savings

    def _charge(self, airtime_s: float, now: float) -> None:
        at = self._monotonic()
        self._governor.charge(airtime_s, now)
        if self.on_spent:
            self.on_spent(airtime_s, now)
        self._hour.add(airtime_s, at)
        self._savings_now().owe(airtime_s, at)

    def _charge_repeats(self, now: float) -> None:
        """What the radio repeated by itself since the last look."""
        failed = self._failed()
        if failed > self._seen_failed:
            self._charge((failed - self._seen_failed) * REPEATS * self._last_s, now)
        self._seen_failed = failed

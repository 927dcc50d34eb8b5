"""Trickle (RFC 6206): say something often while things change, ever more seldom while all agree."""

from random import Random


class Trickle:
    """One timer. `start(now)` first; at `at`, `fire(now)` says whether to speak and starts the next interval.

    The names are the RFC's: an interval lasts from `min_s` to `max_s`; in its second half, at a random moment, it is time
    to speak, unless `redundancy` consistent messages were heard in it.
    """

    def __init__(self, min_s: float, max_s: float, redundancy: int, rng: Random):
        self.min_s, self.max_s, self.redundancy, self._rng = min_s, max_s, redundancy, rng
        self.interval_s = min_s
        self.heard = 0
        self.at = self.end_at = float("inf")

    def start(self, now: float) -> None:
        """Begin an interval of the present length."""
        self.heard = 0
        self.at = now + self._rng.uniform(self.interval_s / 2, self.interval_s)
        self.end_at = now + self.interval_s

    def consistent(self) -> None:
        """Somebody said what we would say."""
        self.heard += 1

    def reset(self, now: float) -> None:
        """Something changed: back to the shortest interval, unless it runs already."""
        if self.interval_s > self.min_s or self.at == float("inf"):
            self.interval_s = self.min_s
            self.start(now)

    def fire(self) -> bool:
        """The moment has come; whether to speak. The interval doubles when this one ends."""
        speaks = self.heard < self.redundancy
        self.interval_s, end_at = min(2 * self.interval_s, self.max_s), self.end_at
        self.start(end_at)
        return speaks

"""How many say that they will be at one date of an event, as one island counted them: coarse, and never fewer than six."""

from dataclasses import dataclass

STEPS = (6, 12, 25, 50, 100, 200)  # people at least, by level from 1 on: each about twice the one before


@dataclass(frozen=True, slots=True)
class Turnout:
    """Of the date of this `number` (0 is the first), at least `STEPS[level - 1]` people said so."""

    number: int
    level: int

    @property
    def least(self) -> int:
        """How many people at least."""
        return STEPS[self.level - 1]


def level_of(count: int) -> int:
    """The level of so many people, 0 below six."""
    return sum(count >= step for step in STEPS)

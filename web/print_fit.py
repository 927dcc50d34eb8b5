"""How large the type of a sheet may be: what is to be printed is measured roughly, to fill one A4 page and no more.

Lengths are in em of the sheet's base type (12 pt) unless they say mm. `paper.css` has a class for each scale.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

EM_MM, LINE = 4.233, 1.35
PAGE_WIDTH_MM, PAGE_HEIGHT_MM = 182, 269 * 0.97  # A4 less 14 mm all around, less what another font may take
LETTER = 0.48  # the width of a letter, about: 0.45 in Noto Sans
SCALES = (0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.1)
NORMAL, LARGE = 0, SCALES.index(1.5)  # the least of each


@dataclass(frozen=True)
class Block:
    """A text of `letters` in type of `size`, with `space` around it."""

    letters: int
    size: float = 1
    space: float = 0.3

    def height(self, scale: float) -> float:
        """In base em at that scale."""
        a_line = PAGE_WIDTH_MM / (EM_MM * scale * self.size * LETTER)
        return math.ceil(max(self.letters, 1) / a_line) * self.size * LINE + self.space


def height_mm(blocks: Sequence[Block], fixed_mm: float, scale: float) -> float:
    """How high a sheet will be: its texts, and what has the same size whatever the type."""
    return sum(block.height(scale) for block in blocks) * scale * EM_MM + fixed_mm


def largest(blocks: Sequence[Block], fixed_mm: float, least: int = 0) -> int | None:
    """The number of the largest scale from `least` on that fits a page; None if none does."""
    fitting = [number for number in range(least, len(SCALES))
               if height_mm(blocks, fixed_mm, SCALES[number]) <= PAGE_HEIGHT_MM]
    return max(fitting, default=None)


def fill(most_rows: int, least: int, measure: Callable[[int], tuple[Sequence[Block], float]]) -> tuple[int, int]:
    """(rows, number of the scale): as many rows as fit at scale `least`, then as large as they fit."""
    for rows in range(most_rows, 1, -1):
        scale = largest(*measure(rows), least)
        if scale is not None:
            return rows, scale
    return 1, least

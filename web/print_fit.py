"""How much room texts take on paper: how large the type of a sheet may be, how many pages a paper has.

Nobody here draws letters: their widths are those of DejaVu Sans, the widest of the types that computers and phones have at
hand, so that what fits here fits everywhere. Lengths are in em of the type, or in mm where they say so.
"""

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

EM_MM, LINE, POINT_MM = 4.233, 1.35, 0.3528  # a sheet's base type is of 12 pt
PAGE_WIDTH_MM, PAGE_HEIGHT_MM = 182, 269 * 0.97  # A4 less 14 mm all around, less what browsers round up
SCALES = (0.85, 1.0, 1.15, 1.3, 1.5, 1.75, 2.1)  # `paper.css` has a class for each
TORN_MM = 25  # what stays empty at the end of a page when what follows does not fit there, and the foot of each
NORMAL, LARGE = 0, SCALES.index(1.5)  # the least of each
TITLE_PT = (22, 26, 32, 40, 48, 58, 70, 84, 100, 120, 144, 172, 206)  # classes T0 and on
WHEN_PT = (16, 22, 28, 34, 42, 50, 60, 72)  # classes A0 and on
TEXT_PT = {26: 84, 21: 70, 17: 58, 14: 32, 12: 26, 10.5: 0}  # classes B0 and on, and the title from which each is enough
TITLE_LINE, WHEN_LINE = 1.08, 1.15  # capitals of 84 pt are 21 mm high: read from 10 m by people who pass
WIDTHS = {0.33: "ijlIJ'’.,:;|·/ ", 0.4: "ftr-()[]!", 0.56: "sczkLFîï", 0.72: "ABCDGHKNOQRUVXYZÀÂÇÉÈÊÎÔÛ",
          0.82: "w+=<>#&", 0.98: "mMW%@—…"}
WIDTH = {letter: width for width, letters in WIDTHS.items() for letter in letters}
USUAL, ARABIC, WIDE, BOLD = 0.62, 0.55, 1.3, 1.13
Kept = TypeVar("Kept")


@cache
def _width(letter: str) -> float:
    if letter in WIDTH:
        return WIDTH[letter]
    if unicodedata.combining(letter):
        return 0
    return ARABIC if "\u0600" <= letter <= "\u06ff" else WIDE if ord(letter) >= 0x2600 else USUAL


def width(text: str, bold: bool = False) -> float:
    """How long a text is on one line."""
    return sum(map(_width, text)) * (BOLD if bold else 1)


def lines(text: str, line: float, bold: bool = False, before: str = "") -> int:
    """How many lines of this width it fills, broken between words, and within one that is longer than a line.

    `before`: a bold beginning of its first line.
    """
    filled, at = 0, 0.0
    for number, paragraph in enumerate(text.split("\n")):
        words = [width(word, bold=True) for word in before.split()] if not number else []
        filled, at = filled + 1, 0
        for long in [*words, *(width(word, bold) for word in paragraph.split())]:
            if at and at + long > line:
                filled, at = filled + 1, 0
            filled += int(long // line) if long > line else 0
            at += long % line + WIDTH[" "]
    return filled


@dataclass(frozen=True)
class Block:
    """A text in type of `size` with `space` around it and `less` of each line (in em of the base type), and what stands
    `before` it in bold."""

    text: str
    size: float = 1
    space: float = 0.3
    bold: bool = False
    less: float = 0
    before: str = ""

    def height(self, scale: float) -> float:
        """In base em at that scale."""
        line = (PAGE_WIDTH_MM / (EM_MM * scale) - self.less) / self.size
        return lines(self.text, line, self.bold, self.before) * self.size * LINE + self.space


def height_mm(blocks: Iterable[Block], fixed_mm: float, scale: float) -> float:
    """How high a sheet will be: its texts, and what has the same size whatever the type."""
    return sum(block.height(scale) for block in blocks) * scale * EM_MM + fixed_mm


def scale_of(blocks: Sequence[Block], fixed_mm: float, least: int = 0) -> tuple[int, int]:
    """The number of the largest scale from `least` on that needs no more pages than `least`, and how many these are."""
    pages = math.ceil(height_mm(blocks, fixed_mm, SCALES[least]) / PAGE_HEIGHT_MM)
    room = pages * PAGE_HEIGHT_MM - (pages - 1) * TORN_MM
    fitting = (number for number in range(least, len(SCALES)) if height_mm(blocks, fixed_mm, SCALES[number]) <= room)
    return max(fitting, default=least), pages


@dataclass(frozen=True)
class Sizes:
    """The numbers of the types of a post's own sheet, in TITLE_PT, WHEN_PT and TEXT_PT."""

    title: int
    when: int
    text: int


SMALLEST = Sizes(0, 0, len(TEXT_PT) - 1)


def sizes_of(title: str, when: Sequence[str], text: str, width_mm: float, height_mm: float) -> Sizes | None:
    """The largest title that leaves its day, hour and place (`when`, a line each) and its text room in that frame.

    A text gets smaller type first where it would press the title below what is read across a street. None if the smallest
    type of all needs more than the frame.
    """
    best: Sizes | None = None
    for number, (text_pt, enough_pt) in enumerate(TEXT_PT.items()):
        room = height_mm - (_high(text, text_pt, width_mm, LINE) + 6 if text else 0)
        found = _title_and_when(title, when, width_mm, room)
        if found and (best is None or TITLE_PT[found[0]] > TITLE_PT[best.title]):
            best = Sizes(*found, number)
        if best and TITLE_PT[best.title] >= enough_pt:
            break
    return best


def _title_and_when(title: str, when: Sequence[str], width_mm: float, room_mm: float) -> tuple[int, int] | None:
    """Day and hour as large as they stay on their lines and below the title; None if the least of both does not fit."""
    for told in reversed(range(len(WHEN_PT))):
        if told and not all(_unbroken(line, WHEN_PT[told], width_mm) for line in when[:2]):
            continue
        room = room_mm - sum(_high(line, WHEN_PT[told], width_mm, WHEN_LINE, bold=True) for line in when) - 8
        fitting = [number for number, pt in enumerate(TITLE_PT) if _high(title, pt, width_mm, TITLE_LINE, bold=True) <= room
                   and (not number or all(_unbroken(word, pt, width_mm) for word in title.split()))]
        if fitting and (TITLE_PT[fitting[-1]] >= WHEN_PT[told] or not told):
            return fitting[-1], told
    return None


def _high(text: str, pt: float, width_mm: float, line: float, bold: bool = False) -> float:
    em = pt * POINT_MM
    return lines(text, width_mm / em, bold) * em * line


def _unbroken(text: str, pt: float, width_mm: float) -> bool:
    return width(text, bold=True) * pt * POINT_MM <= width_mm


def pages_of(pieces: Iterable[tuple[Kept, float, bool]], page_mm: float) -> list[list[Kept]]:
    """Pieces, each with its height in mm and whether it stays with the next one, on as many pages as they need."""
    pages: list[list[Kept]] = [[]]
    held: list[Kept] = []
    at, held_mm = 0.0, 0.0
    for piece, high, stays in pieces:
        held.append(piece)
        held_mm += high
        if stays:
            continue
        if pages[-1] and at + held_mm > page_mm:
            pages.append([])
            at = 0
        pages[-1] += held
        at += held_mm
        held, held_mm = [], 0
    pages[-1] += held
    return pages

"""Letters for pictures: DejaVu's, shaped by Raqm, as Arabic joins its letters and runs from the right.

Both are looked for when something is drawn, and not before: where nothing ever is, they take no memory (9 MB).
"""

import re
import unicodedata
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

BOLD, REGULAR = "DejaVuSans-Bold.ttf", "DejaVuSans.ttf"
FONT_PACKAGE, SHAPING_PACKAGE = "fonts-dejavu-core", "libfribidi0"  # Debian's
LINE = 1.2  # of the size of its type: the height of a line
ELLIPSIS = "…"
FIRST_BEYOND = 0x10000  # signs from here on (pictures, mostly) have no letter in the font
NO_SHOW = "\ufe0e\ufe0f"  # how the sign before them is to be drawn
WORD_ENDS = re.compile(r"\s|$")


class LettersMissing(Exception):
    """Nothing can be drawn here: `package` of Debian brings what is missing."""

    def __init__(self, package: str):
        super().__init__(package)
        self.package = package


@dataclass(frozen=True, slots=True)
class Type:
    """Type of a size, in dots, of which a text gets `lines` at most."""

    size: int
    bold: bool
    lines: int = 1

    @property
    def line(self) -> int:
        """How high a line of it is."""
        return round(self.size * LINE)

    @property
    def letters(self) -> "ImageFont.FreeTypeFont":
        """Its letters; raises LettersMissing."""
        return _letters(BOLD if self.bold else REGULAR, self.size)

    def length(self, text: str, rtl: bool) -> int:
        """How long a text is in it, on a page that runs from the right (`rtl`) or the left."""
        return round(self.letters.getlength(text, direction=direction(text, rtl)))


@lru_cache(64)
def _letters(name: str, size: int) -> "ImageFont.FreeTypeFont":
    from PIL import ImageFont, features

    if not (features.check("raqm") and features.check("fribidi")):
        raise LettersMissing(SHAPING_PACKAGE)
    try:
        return ImageFont.truetype(name, size, layout_engine=ImageFont.Layout.RAQM)
    except OSError as error:
        raise LettersMissing(FONT_PACKAGE) from error


def direction(text: str, rtl: bool) -> str:
    """Which way a text runs, `ltr` or `rtl`: as its first letter does, or as the page."""
    kinds = (unicodedata.bidirectional(sign) for sign in text)
    first = next((kind for kind in kinds if kind in ("L", "R", "AL")), "R" if rtl else "L")
    return "ltr" if first == "L" else "rtl"


def drawable(text: str) -> str:
    """What of a text the font has letters for."""
    return " ".join("".join(sign for sign in text if ord(sign) < FIRST_BEYOND and sign not in NO_SHOW).split())


def wrapped(text: str, fits: Callable[[str], bool], most: int) -> list[str]:
    """A text in lines that fit, `most` at most; where there is more, the last one ends with an ellipsis."""
    lines: list[str] = []
    while text and len(lines) < most:
        line = _fitting(text, fits)
        lines.append(line)
        text = text[len(line):].strip()
    if not text or not lines:
        return lines
    last = lines[-1]
    while len(last) > 1 and not fits(last + ELLIPSIS):
        last = last[:-1].rstrip()
    return [*lines[:-1], last + ELLIPSIS]


def _fitting(text: str, fits: Callable[[str], bool]) -> str:
    """As much of a text's beginning as fits: whole words, or as many letters as do of a word that is too long."""
    ends = [found.start() for found in WORD_ENDS.finditer(text)]
    words = _how_many(ends, lambda end: fits(text[:end]))
    letters = 0 if words else max(_how_many(range(1, len(text) + 1), lambda end: fits(text[:end])), 1)
    return text[:ends[words - 1]] if words else text[:letters]


def _how_many(ends: "list[int] | range", fits: Callable[[int], bool]) -> int:
    return bisect(ends, False, key=lambda end: not fits(end))

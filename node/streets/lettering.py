"""Names on a drawing, placed so that none covers another: in three levels, each for a chart seen twice as near."""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from node.board.street_map import FONT, HALF, MAX_NAME, MAX_NAMES, SORTS, StreetName
from node.streets.shapes import Line, Point, length

LEVELS = 3
MOST = (18, 45, MAX_NAMES)  # names on a drawing seen at each level, those of the levels before included
LETTER = 0.56  # a letter's width by the height of the font, bold ones 0.6 (measured on DejaVu Sans and Noto Sans)
SHORTER = {  # the first word of a street's name, as it stands on printed town plans
    "Rue": "R.", "Avenue": "Av.", "Boulevard": "Bd", "Place": "Pl.", "Impasse": "Imp.", "Passage": "Pass.", "Square": "Sq.",
    "Chemin": "Ch.", "Calle": "C.", "Avenida": "Av.", "Plaza": "Pl.", "Street": "St", "Road": "Rd",
}
SQUARE = re.compile(r"(Place|Placette|Square|Plaza|Piazza|Praça|Parvis|Esplanade|Marktplatz|ساحة)\b|.*(platz|plein|tori)$",
                    re.IGNORECASE)
BESIDE = 17  # tenths of the height of the letters, from the middle of a square to that of its name: a dot may lie between
STRAIGHT = 0.35  # of the height of the font: so far may a street turn from under its name


@dataclass(frozen=True)
class NameWish:
    """A name and where it may stand: at a point, or along a line. Those of the lowest `rank` come first."""

    rank: float
    sort: str
    text: str
    point: Point | None = None
    line: tuple[Point, ...] = ()


def is_square(name: str) -> bool:
    """Whether a street of this name is a square."""
    return SQUARE.match(name) is not None


def fitting(name: str) -> str:
    """A name as it is written on the drawing, "" if it is too long."""
    name = unicodedata.normalize("NFC", " ".join(name.split()))
    first, _, rest = name.partition(" ")
    if rest and first in SHORTER:
        name = f"{SHORTER[first]} {rest}"
    return name if 1 < len(name) <= MAX_NAME else ""


def placed(wishes: Iterable[NameWish]) -> list[StreetName]:
    """As many of the names as there is room for, the first of a rank first."""
    left = sorted(wishes, key=lambda wish: (wish.rank, wish.text))
    names: list[StreetName] = []
    # seen nearer, names are smaller, and nearer to their points
    taken = [_Taken(FONT / 2 ** level) for level in range(LEVELS)]
    for level in range(LEVELS):
        rest = []
        for wish in left:
            spots = _spots(wish, level) if len(names) < MOST[level] else ()
            spot = next((one for one in spots if all(each.is_free(one) for each in taken[level:])), None)
            if spot is None:
                rest.append(wish)
            else:
                names.append(spot)
                for each in taken[level:]:
                    each.take(spot)
        left = rest
    return names


def width(text: str, sort: str) -> float:
    """How wide a name is, by the height of its font."""
    _look, scale, bold = SORTS[sort]
    wide = sum(1.0 if unicodedata.east_asian_width(sign) in "WF" else LETTER
               for sign in text if not unicodedata.combining(sign))
    return wide * scale * (1.08 if bold else 1.0)


def _spots(wish: NameWish, level: int) -> Iterator[StreetName]:
    size = FONT / 2 ** level
    blank = StreetName(0, 0, 0, 0, level, wish.sort, wish.text)
    if wish.point:
        x, y = wish.point
        # under a dot or above it, where it covers a dot of the map least; a quarter has no one point
        for below in (0, 10, -10) if wish.sort == "p" else (BESIDE, -BESIDE, 0):
            yield replace(blank, x=round(x), y=round(y), below=below)
    elif wish.line:
        for middle, turn in _straights(list(wish.line), width(wish.text, wish.sort) * size, STRAIGHT * size):
            yield replace(blank, x=round(middle[0]), y=round(middle[1]), turn=turn)


def _straights(line: Line, wide: float, slack: float) -> Iterator[tuple[Point, int]]:
    """Where a name `wide` fits along a line: its middle, and how it is turned there; the middle of the line first."""
    whole = length(line)
    if whole < wide:
        return
    for share in (0.5, 0.3, 0.7, 0.15, 0.85):
        begin = max(0.0, min(whole - wide, share * whole - wide / 2))
        first, last, middle = (_along(line, begin + way) for way in (0.0, wide, wide / 2))
        across, down = last[0] - first[0], last[1] - first[1]
        chord = math.hypot(across, down)
        if chord < 0.95 * wide or math.dist(middle, ((first[0] + last[0]) / 2, (first[1] + last[1]) / 2)) > slack:
            continue
        turn = round(math.degrees(math.atan(down / across))) if across else 90  # never upside down
        yield ((first[0] + last[0]) / 2, (first[1] + last[1]) / 2), turn


def _along(line: Line, way: float) -> Point:
    for begin, end in pairwise(line):
        step = math.dist(begin, end)
        if step >= way and step > 0:
            return begin[0] + (end[0] - begin[0]) * way / step, begin[1] + (end[1] - begin[1]) * way / step
        way -= step
    return line[-1]


class _Taken:
    """Squares of half a font's height that names stand on."""

    def __init__(self, size: float):
        self._size = size
        self._cells: set[tuple[int, int]] = set()
        self._texts: set[str] = set()

    def take(self, name: StreetName) -> None:
        self._cells |= set(self._cells_of(name))
        self._texts.add(name.text)

    def is_free(self, name: StreetName) -> bool:
        """Whether a name stands wholly on the drawing, on no other, and is not written already."""
        reach = width(name.text, name.sort) * self._size / 2
        turn = math.radians(name.turn)
        across, down = reach * abs(math.cos(turn)), reach * abs(math.sin(turn)) + self._size / 2
        edge = HALF * 0.92  # what lies under the names of the chart's circles is left free
        if abs(name.x) + across > edge or abs(self._y(name)) + down > edge:
            return False
        if name.text in self._texts:
            return False
        return not any(cell in self._cells for cell in self._cells_of(name))

    def _y(self, name: StreetName) -> float:
        return name.y + name.below / 10 * SORTS[name.sort][1] * self._size

    def _cells_of(self, name: StreetName) -> Iterator[tuple[int, int]]:
        size, turn = self._size, math.radians(name.turn)
        reach = width(name.text, name.sort) * size / 2
        steps = max(1, math.ceil(2 * reach / (size / 2)))
        for step in range(steps + 1):
            way = -reach + 2 * reach * step / steps
            for off in (-0.45, 0, 0.45):
                x = name.x + way * math.cos(turn) - off * size * math.sin(turn)
                y = self._y(name) + way * math.sin(turn) + off * size * math.cos(turn)
                yield math.floor(x / (size / 2)), math.floor(y / (size / 2))

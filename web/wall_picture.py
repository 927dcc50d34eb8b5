"""The wall as a picture of black and white dots, for e-ink: rows of text on as few pages as can be read from afar."""

import io
from bisect import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING

import segno

from web.wall_letters import Type, direction, wrapped

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

MOST_PAGES = 12
FEW_PAGES = (3, 6, MOST_PAGES)  # who waits for the bus sees three
TALL, WIDE = 9, 18  # the largest title is a ninth of the height, an eighteenth of the width: ten letters are half a line
LEAST_OF_LARGEST, LEAST = 2.2, 12  # from there down to that part of it, and no less than so many dots
STEP = 0.92  # from one size that is tried to the next
SMALL = 0.72  # of a title's size
TITLE_LINES, URGENT_LINES = 2, 4
LOW = 200  # dots: what is not higher shows no name and no code
LEAST_CODE = 60  # dots: two for each square of most codes, which telephones read from an arm's length
RIM = 2  # squares; the paper around is white as well


class RowKind(Enum):
    """What a row is."""

    URGENT = "urgent"
    DAY = "day"
    EVENT = "event"
    TEXT = "text"


COUNTED = (RowKind.EVENT, RowKind.TEXT)


@dataclass(frozen=True, slots=True)
class WallRow:
    """One row: what it says, its `hour` in a column of its own (events), and what stands `below` in small type."""

    kind: RowKind
    said: str
    hour: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class Wall:
    """All there is to show under a head of `name` and `day`.

    `today`: so many rows, from the first on, are today's; `beyond`: so many events are not among the rows. `code` is in
    the corner, for telephones; "" for none. `more` says (%(num)s) how much is left out. `rtl`: it runs from the right.
    """

    name: str
    day: str
    rows: tuple[WallRow, ...]
    today: int
    foot: str
    code: str
    more: str
    beyond: int = 0
    rtl: bool = False


@dataclass(frozen=True, slots=True)
class Screen:
    """The size of a picture, in dots."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class _TextLine:
    """One line of letters: `top` in dots from the top of its row, `at` in dots from the side that lines begin at."""

    text: str
    type: Type
    top: int
    at: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A row in dots: its lines, and how high it is."""

    kind: RowKind
    lines: tuple[_TextLine, ...]
    height: int


Page = tuple[_Placed, ...]


@lru_cache(8)
def pages_of(wall: Wall, screen: Screen) -> tuple[Page, ...]:
    """How all of it is put on pages: in the largest type in which all of today is on the first one, and not many follow."""
    sizes = _sizes(screen)
    tried = cache(lambda size: _Typesetting(wall, screen, size).paged())

    def does(size: int, most: int) -> bool:
        made = tried(size)
        return made.first >= wall.today and made.left == 0 and len(made.pages) <= most

    for most in FEW_PAGES:
        number = bisect(sizes, False, key=partial(does, most=most))  # what does in some size does in a smaller one
        if number < len(sizes):
            return tried(sizes[number]).pages
    return tried(sizes[-1]).pages


def _sizes(screen: Screen) -> list[int]:
    """Those that are tried for titles, the largest first."""
    size = largest = max(min(screen.height / TALL, screen.width / WIDE), LEAST)
    least = max(largest / LEAST_OF_LARGEST, LEAST)
    sizes = [round(size)]
    while size > least:
        size = max(size * STEP, least)
        sizes.append(round(size))
    return sizes


@lru_cache(24)
def picture(wall: Wall, screen: Screen, number: int) -> bytes:
    """Page `number` of `pages_of`, as a PNG of one bit a dot."""
    from PIL import Image, ImageDraw

    pages = pages_of(wall, screen)
    image = Image.new("1", (screen.width, screen.height), 1)
    _Pen(ImageDraw.Draw(image), wall, screen).page(pages[number], f"{number + 1} / {len(pages)}" if len(pages) > 1 else "")
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


@dataclass(frozen=True, slots=True)
class _WallFrame:
    """What is around the rows: lengths in dots, and the type of its lines. `name` is None where there is no room for it."""

    margin: int
    head: int
    foot: int
    name: Type | None
    day: Type
    last: Type
    code: int

    @classmethod
    def of(cls, wall: Wall, screen: Screen) -> "_WallFrame":
        """That of a screen."""
        base, margin = min(screen.height / TALL, screen.width / WIDE), max(min(screen.width, screen.height) // 40, 2)
        day, last = Type(max(round(base * 0.9), LEAST), True), Type(max(round(base * 0.42), LEAST - 2), False)
        name = None if screen.height < LOW else Type(max(round(base * 0.5), LEAST), False)
        head = day.line + (name.line if name else 0) + margin
        code = head if wall.code and name and head >= LEAST_CODE else 0
        return cls(margin, head, last.line + margin // 2, name, day, last, code)


@dataclass(frozen=True, slots=True)
class _Paged:
    """All pages, how many rows are on the `first`, and how many there was no room for."""

    pages: tuple[Page, ...]
    first: int
    left: int = 0


class _Typesetting:
    """The rows of a wall in type of one size."""

    def __init__(self, wall: Wall, screen: Screen, size: int):
        frame = _WallFrame.of(wall, screen)
        self._wall, self._gap, self._title = wall, max(size // 4, 2), Type(size, True, TITLE_LINES)
        self._small = Type(max(round(size * SMALL), min(size, LEAST)), False)
        self._across, self._room = screen.width - 2 * frame.margin, screen.height - frame.head - frame.foot - frame.margin
        hours = [self._title.length(row.hour, wall.rtl) for row in wall.rows if row.hour]
        self._column = min(max(hours) + size // 2, screen.width // 3) if hours else 0

    def paged(self) -> _Paged:
        """All of it on pages, `MOST_PAGES` at most."""
        kinds, rows = [row.kind for row in self._wall.rows], [self._placed(row) for row in self._wall.rows]
        urgent = [row for row in rows if row.kind is RowKind.URGENT]
        head = urgent if _height(urgent) <= self._room // 2 else []  # on each page, unless little else had room
        pages: list[list[_Placed]] = [[]]
        day, first = None, 0
        for number, (kind, row) in enumerate(zip(kinds, rows, strict=True)):
            follows = rows[number + 1:number + 2] if kind is RowKind.DAY else []  # no day's name stands last on a page
            if pages[-1] and _height([*pages[-1], row, *follows]) > self._room:
                if len(pages) == MOST_PAGES:
                    last = self._ended(pages[-1], rows[number:])
                    return _Paged(tuple(map(tuple, [*pages[:-1], last])), first, len(rows) - number)
                pages.append([*head, day] if day and kind in COUNTED else [*head])  # its name stands above again
            day = row if kind is RowKind.DAY else day
            pages[-1].append(row)
            first += len(pages) == 1
        last = self._ended(pages[-1], []) if self._wall.beyond else pages[-1]
        return _Paged(tuple(map(tuple, [*pages[:-1], last])), first)

    def _ended(self, page: list[_Placed], left: list[_Placed]) -> list[_Placed]:
        """The last page, which ends with how much there is that it does not show."""
        while True:
            beyond = self._wall.beyond + sum(row.kind in COUNTED for row in left)
            said = self._placed(WallRow(RowKind.TEXT, self._wall.more % {"num": beyond}))
            if not page or _height([*page, said]) <= self._room:
                return [*page, said]
            page, left = page[:-1], [page[-1], *left]

    def _placed(self, row: WallRow) -> _Placed:
        small, gap = self._small, self._gap
        if row.kind is RowKind.DAY:
            lines = self._lines(row.said, replace(small, bold=True), 0, gap)
            return _Placed(row.kind, lines, _below(lines) + gap)
        urgent = row.kind is RowKind.URGENT
        at = gap if urgent else self._column if row.kind is RowKind.EVENT else 0
        said = self._lines(row.said, replace(self._title, lines=URGENT_LINES) if urgent else self._title, at, gap)
        below = self._lines(row.below, small, at, _below(said))
        hour = (_TextLine(row.hour, self._title, gap, 0),) if row.hour else ()
        return _Placed(row.kind, (*hour, *said, *below), _below([*said, *below]) + (2 * gap if urgent else gap // 2))

    def _lines(self, text: str, type_: Type, at: int, top: int) -> tuple[_TextLine, ...]:
        room = self._across - at - self._gap
        cut = wrapped(text, lambda line: type_.length(line, self._wall.rtl) <= room, type_.lines)
        return tuple(_TextLine(line, type_, top + number * type_.line, at) for number, line in enumerate(cut))


def _height(rows: Iterable[_Placed]) -> int:
    return sum(row.height for row in rows)


def _below(lines: Sequence[_TextLine]) -> int:
    """Where what follows these lines begins."""
    return max((line.top + line.type.line for line in lines), default=0)


class _Pen:
    """Draws on a picture. Lines begin at its left, or at its right where a wall runs from there."""

    def __init__(self, draw: "ImageDraw", wall: Wall, screen: Screen):
        self._draw, self._wall, self._screen, self._frame = draw, wall, screen, _WallFrame.of(wall, screen)

    def page(self, rows: Page, number: str) -> None:
        """All of one page."""
        frame, top, low = self._frame, self._frame.head + self._frame.margin // 2, self._screen.height - self._frame.foot
        self._head()
        for row in rows:
            self._row(row, top)
            top += row.height
        self._rule(low, 1)
        aside, top = self._across() - frame.last.length(number, False), low + frame.margin // 4
        self._one(self._wall.foot, frame.last, (0, top), aside - frame.margin)
        self._text(number, frame.last, (aside, top))

    def _head(self) -> None:
        frame, top = self._frame, self._frame.margin // 2
        for text, type_ in ((self._wall.name, frame.name), (self._wall.day, frame.day)):
            if type_:
                self._one(text, type_, (0, top), self._across() - frame.code)
                top += type_.line
        if frame.code:
            self._code()
        self._rule(frame.head, max(self._screen.height // 160, 1))

    def _one(self, text: str, type_: Type, place: tuple[int, int], room: int) -> None:
        """One line in type that is smaller where it is long, and cut where that does not do."""
        while type_.length(text, self._wall.rtl) > room and type_.size > LEAST:
            type_ = replace(type_, size=type_.size - 1)
        for line in wrapped(text, lambda line: type_.length(line, self._wall.rtl) <= room, 1):
            self._text(line, type_, place)

    def _row(self, row: _Placed, top: int) -> None:
        light = row.kind is RowKind.URGENT
        if light:
            self._rule(top + 1, row.height - self._frame.margin // 2)
        for line in row.lines:
            self._text(line.text, line.type, (line.at, top + line.top), light)
        if row.kind is RowKind.DAY:
            self._rule(top + _below(row.lines), 1)

    def _across(self) -> int:
        return self._screen.width - 2 * self._frame.margin

    def _rule(self, top: int, thick: int) -> None:
        self._draw.rectangle((self._frame.margin, top, self._screen.width - self._frame.margin - 1, top + thick - 1), 0)

    def _text(self, text: str, type_: Type, place: tuple[int, int], light: bool = False) -> None:
        """One line, at so many dots from the side that lines begin at and from the top."""
        at, rtl = place[0] + self._frame.margin, self._wall.rtl
        where = (self._screen.width - at if rtl else at, place[1])
        self._draw.text(where, text, int(light), type_.letters, "ra" if rtl else "la", direction=direction(text, rtl))

    def _code(self) -> None:
        """The code in the corner that lines do not begin at, as large as whole dots make it."""
        squares = list(segno.make(self._wall.code, micro=False, error="m", boost_error=False).matrix_iter(border=RIM))
        dots = self._frame.code // len(squares)
        left = 0 if self._wall.rtl else self._screen.width - dots * len(squares)
        for row, dark in enumerate(squares):
            for column, is_dark in enumerate(dark):
                if is_dark:
                    x, y = left + column * dots, row * dots
                    self._draw.rectangle((x, y, x + dots - 1, y + dots - 1), 0)

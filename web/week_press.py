"""Sets the paper of the week: what there is, in type of one size, on pages of A5 (`web.week_paper` gives both)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import ceil, inf
from typing import Any

from node.board.api import Item
from web import safe_text
from web.item_display import caption, confirmed_as_text, day_here, today
from web.languages import current
from web.pages import board, settings
from web.print_fit import POINT_MM, lines, pages_of
from web.qr import large_qr
from web.sentences import topic_name

MOST_PAGES = 8
PAGE_MM, TEXT_MM = 172, 126  # of 182 by 128 mm: what other types may take
HOURS_EM = {"ltr": 8.2, "rtl": 12}  # the column of the hours, as in `booklet.css`: of 12, in Arabic, with their half
LINE, HEADING_EM, BETWEEN_EM = 1.3, 2.4, 0.45  # a line; a heading; between two posts
WIDEST_EM = 0.62  # of a letter, on the mean of a text
BRIEF, URGENT_LETTERS = 160, 300  # of a post without a headline; of the text of one that is urgent
SHARES = {"agenda": 0.55, "news": 0.27, "calls": 0.18}  # of the room where all is wanted; the others take what one leaves
CODE_LETTERS = 1_249  # version 20 at level L: 97 squares of 0.4 mm; a phone that sees the whole page has 5 dots for each
FIRST_CODES, MORE_CODES, CODES_ABREAST = 9, 12, 3  # on a page with the words beside them, on one without, in a row
CODE_MASK = 3
CODE_MM, JOIN_CODES_MM, RULED_MM, LEAST_LINES = 42, 40, 8.4, 4


@dataclass(frozen=True)
class Detail:
    """How many letters of a text are printed: of an event's, of a bulletin's."""

    event: int
    bulletin: int


DETAILS = (Detail(300, 1_500), Detail(140, 500), Detail(0, 200), Detail(0, 0))
CROWDED = Detail(0, 120)  # where not all finds room anyway


@dataclass(frozen=True)
class Matter:
    """All that could be printed: `days` of the week and what comes `later`, with the day of each event, bulletins as `news`
    and `calls`; how many events there are in the week and later, and how many bulletins."""

    urgent: Sequence[Item]
    days: Sequence[tuple[date, Item]]
    later: Sequence[tuple[date, Item]]
    news: Sequence[Item]
    calls: Sequence[Item]
    events: int
    events_later: int
    bulletins: int


@dataclass(frozen=True)
class PaperPart:
    """What is printed in one piece: which `part` of the template, of what, in how many mm; `stays` with the next one.

    `letters`: how many of its text. A passage of codes has (their texts, whether they are the first, posts without one).
    """

    part: str
    what: Any = None
    high: float = 0
    stays: bool = False
    day: date | None = None
    letters: int = 0


PrintedPages = list[list[PaperPart]]


class Press:
    """Sets `matter` in type of `type_pt`."""

    def __init__(self, matter: Matter, type_pt: float):
        self._matter, self._em = matter, type_pt * POINT_MM

    def text(self, detail: Detail) -> PrintedPages:
        """Pages with all of it."""
        most = replace(detail, bulletin=min(detail.bulletin, self._page_letters()))
        return self._pages([self._agenda(most, inf), *(self._bulletins(name, most, inf) for name in ("news", "calls"))])

    def _page_letters(self) -> int:
        """How many letters of one text a page surely holds."""
        return int(0.8 * (PAGE_MM / (LINE * self._em)) * TEXT_MM / (WIDEST_EM * self._em))

    def cut(self, pages: int) -> PrintedPages:
        """So many pages with what finds room there, and how much does not."""
        makers: dict[str, Callable[[float], list[PaperPart]]] = {
            "agenda": lambda room: self._agenda(CROWDED, room),
            "news": lambda room: self._bulletins("news", CROWDED, room),
            "calls": lambda room: self._bulletins("calls", CROWDED, room)}
        wanted = {name: _high(make(inf)) for name, make in makers.items()}
        room = pages * PAGE_MM - _high(self._head())
        while True:
            rooms = shared(wanted, SHARES, room)
            made = self._pages([make(rooms[name]) for name, make in makers.items()])
            if len(made) <= pages or room <= 0:
                return made[:pages]
            room -= PAGE_MM / 20

    def codes(self, text: PrintedPages, most_pages: int) -> PrintedPages:
        """Pages with the codes of what is printed."""
        ids = list(dict.fromkeys(passage.what.id for page in text for passage in page if isinstance(passage.what, Item)))
        most = FIRST_CODES + MORE_CODES * (most_pages - 1)
        texts, beyond = board().transfer.codes(ids, CODE_LETTERS, most) if most_pages > 0 and ids else ([], 0)
        more = (texts[at:at + MORE_CODES] for at in range(FIRST_CODES, len(texts), MORE_CODES))
        parts = [texts[:FIRST_CODES], *more]
        told = {True: self._heading + self._lines("x" * 330), False: 0.0}
        return [[PaperPart("codes", (part, first, beyond), ceil(len(part) / CODES_ABREAST) * CODE_MM + told[first])]
                for part in parts if part for first in [part is parts[0]]]

    def bound(self, text: PrintedPages, codes: PrintedPages, total: int) -> PrintedPages:
        """All pages of the paper: what is left of them is for notes by hand, and the last one says how to join."""
        blank = total - 1 - len(text) - len(codes)
        if not blank:
            text, codes = self._with_lines(text), self._with_lines(codes)
        notes = [[PaperPart("notes", self._fitting(PAGE_MM))] for _page in range(blank)]
        drawn = [[_drawn(passage) for passage in page] for page in codes]
        return [*text, *notes, *drawn, [self._join()]]

    def _with_lines(self, pages: PrintedPages) -> PrintedPages:
        """The same, with lines for notes on what is left of the last page."""
        count = self._fitting(PAGE_MM - _high(pages[-1])) if pages else 0
        return [*pages[:-1], [*pages[-1], PaperPart("notes", count)]] if count >= LEAST_LINES else pages

    def _fitting(self, room: float) -> int:
        """How many lines to write on fit, below the words above them."""
        return int((room - self._heading - 2 * LINE * self._em) / RULED_MM)

    def _join(self) -> PaperPart:
        """The last page: all that is on it has a bound but what keepers say of themselves."""
        told = sum(self._lines("x" * letters) for letters in (100, 60, 60, 80)) + self._lines(board().contact())
        return PaperPart("join", self._fitting(PAGE_MM - self._heading - JOIN_CODES_MM - told))

    def _pages(self, parts: Sequence[Sequence[PaperPart]]) -> PrintedPages:
        passages = [*self._head(), *(passage for part in parts for passage in part)]
        return pages_of(((passage, passage.high, passage.stays) for passage in passages), PAGE_MM)

    def _head(self) -> list[PaperPart]:
        name = PaperPart("masthead", high=self._lines("", size=2.6, before=settings().name) + 4 * self._em + 4)
        urgent = (PaperPart("urgent", item, self._urgent(item), letters=URGENT_LETTERS) for item in self._matter.urgent)
        return [name, *urgent]

    def _agenda(self, detail: Detail, room: float) -> list[PaperPart]:
        """The days, each with what is on it; then what comes later, in a line each."""
        found, shown, at = list[PaperPart](), set(), self._heading
        for day, item in self._matter.days:
            begun = not found or found[-1].day != day
            high = self._event(item, detail.event, HOURS_EM[current().direction])
            if at + high + begun * self._heading > room:
                break
            found += [PaperPart("day", high=self._heading, stays=True, day=day)] if begun else []
            found.append(PaperPart("event", item, high, day=day, letters=detail.event))
            shown.add((item.first or item.id, item.start))
            at += high + begun * self._heading
        left = self._matter.events - len(shown)
        following = [self._told("left", left)] if left > 0 else self._later(room - at)
        return found + following or [PaperPart("nothing", high=3 * self._em)]

    def _later(self, room: float) -> list[PaperPart]:
        found, at = list[PaperPart](), self._heading
        for day, item in self._matter.later:
            high = self._event(item, 0, 0, f"{current().short_day(day, today())} 00:00 · ")
            if at + high > room:
                break
            found.append(PaperPart("event", item, high))
            at += high
        more = self._matter.events_later - len(found)
        head = [PaperPart("later", high=self._heading, stays=True)] if found or more > 0 else []
        return head + found + ([self._told("more", more)] if more > 0 else [])

    def _bulletins(self, name: str, detail: Detail, room: float) -> list[PaperPart]:
        matter, found, at = self._matter, list[PaperPart](), self._heading
        items = matter.calls if name == "calls" else matter.news
        for item in items:
            high = self._bulletin(item, detail.bulletin)
            if at + high > room:
                break
            found.append(PaperPart("bulletin", item, high, letters=detail.bulletin))
            at += high
        unread = max(matter.bulletins - len(matter.news) - len(matter.calls), 0) if name == "news" else 0
        left = len(items) - len(found) + unread
        head = [PaperPart(name, high=self._heading, stays=True)] if found or left else []
        return head + found + ([self._told("older", left)] if left else [])

    def _told(self, part: str, left: int) -> PaperPart:
        """How many found no room, and where they are."""
        return PaperPart(part, left, 2 * LINE * self._em)

    @property
    def _heading(self) -> float:
        return HEADING_EM * self._em

    def _urgent(self, item: Item) -> float:
        head, text = bulletin_parts(item, URGENT_LETTERS)
        place = f"{'xxxxxxxxxx ' * 3}{item.place}" if item.start is not None else ""
        return self._lines(f"{text} ({confirmed_as_text(item)})", 1.4, before=f"{head} {place}") + 1.5 * self._em

    def _event(self, item: Item, letters: int, hours_em: float, before: str = "") -> float:
        title = before + caption(item) + " xxxxxxxxxxx" * (item.cancelled is not None)
        said = " – ".join(filter(None, [item.place, told_of(item, letters)]))
        return self._lines(said, hours_em, before=title) + BETWEEN_EM * self._em

    def _bulletin(self, item: Item, letters: int) -> float:
        head, text = bulletin_parts(item, letters)
        about = [topic_name(item.topic), current().short_day(day_here(item.created), today()),
                 "" if item.author.here else item.author.name]
        return self._lines(f"{text} ({' · '.join(filter(None, about))})", before=head) + BETWEEN_EM * self._em

    def _lines(self, text: str, less_em: float = 0, size: float = 1, before: str = "") -> float:
        line = (TEXT_MM / self._em - less_em) / size
        return lines(safe_text.plain(text), line, before=safe_text.plain(before)) * size * self._em * LINE


def told_of(item: Item, letters: int) -> str:
    """What is printed of an event's text."""
    return safe_text.shortened(safe_text.one_line(item.text), letters) if letters else ""


def bulletin_parts(item: Item, letters: int) -> tuple[str, str]:
    """What is printed of a bulletin, or of an event that is urgent: its headline, if it has one, and its text."""
    text, head = safe_text.one_line(item.text), caption(item)
    if not item.title and (head.endswith(safe_text.ELLIPSIS) or text == head):
        return "", safe_text.shortened(text, max(letters, BRIEF))
    return head, safe_text.shortened(text.removeprefix(head).strip(), letters) if letters else ""


def shared(wanted: Mapping[str, float], shares: Mapping[str, float], room: float) -> dict[str, float]:
    """What each may have of the room: its share, or less if it wants less, which the others then have."""
    given, wanting = dict.fromkeys(wanted, 0.0), set(wanted)
    while wanting and room > 0.01:
        whole = sum(shares[name] for name in wanting)
        part = {name: min(room * shares[name] / whole, wanted[name] - given[name]) for name in wanting}
        given |= {name: given[name] + more for name, more in part.items()}
        room -= sum(part.values())
        wanting = {name for name in wanting if wanted[name] - given[name] > 0.01}
    return given


def _drawn(passage: PaperPart) -> PaperPart:
    codes, first, beyond = passage.what if passage.part == "codes" else ((), False, 0)
    return replace(passage, what=([large_qr(code, CODE_MASK) for code in codes], first, beyond)) if codes else passage


def _high(passages: Iterable[PaperPart]) -> float:
    return sum(passage.high for passage in passages)

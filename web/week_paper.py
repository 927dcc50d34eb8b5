"""The paper of the week: eight pages of A5 at most, on sheets of A4 that are folded.

Agenda, news, calls, how to join, room to write by hand, and the codes by which another island takes in what is printed.
What finds no room is counted, and the paper says where it is.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

from flask import Blueprint, Response, current_app, g, render_template, request

from node.board.api import Item
from node.model.record import Kind
from web.agenda_days import Days, Standing, days_from, first_after
from web.item_display import today
from web.languages import current
from web.pages import board, kept, patience
from web.print_sheets import WEEK_DAYS, as_file, entry_codes, printed
from web.week_press import DETAILS, MOST_PAGES, Matter, Press, PrintedPages, bulletin_parts, told_of

LATER_DAYS = 28
MOST_READ = 200  # bulletins, and events: more than eight pages hold in the smallest detail
MOST_ON_TOP = 12  # whoever marks more as urgent marks nothing: they fill the first page
TYPE_PT = {"": 9.5, "large": 13}
CALLS = (3, 6, 7, 10)  # topics in which neighbours look for something, or offer it
TWO_SHEETS = 5  # pages beside the last one from which a second sheet is worth its paper
SidePage = TypeVar("SidePage")
weekly = Blueprint("weekly", __name__)


@weekly.get("/weekly")
@kept
def show() -> Response:
    """The paper of the week; `?plain=1`: its pages one after the other; `?file=1`: as a file. Large type holds less."""
    pages = list(enumerate(_composed(g.carried.get("size", "")), 1))
    plain, end = "plain" in request.args, today() + timedelta(WEEK_DAYS - 1)
    page = render_template("paper/weekly.html", sides=[[page] for page in pages] if plain else sides(pages), plain=plain,
                           total=len(pages), begin=today(), end=end, parts=bulletin_parts, told_of=told_of, **entry_codes(),
                           **printed(end))
    return as_file(page, f"{today().isoformat()}-archipel.html")


def _composed(size: str) -> PrintedPages:
    """Each language's paper is composed once a minute at most, whatever is in the address: a small Pi takes seconds."""
    made = current_app.extensions.setdefault("week_papers", {})
    about, stamp = (current().tag, size), (board().revision(), board().now())
    if about not in made or made[about][0] != stamp:
        pages = compose(Press(matter(), TYPE_PT[size]))
        if patience().unread:
            return pages
        made[about] = stamp, pages
    return made[about][1]


def matter() -> Matter:
    """What the board has for a paper of this week."""
    begin, now = today(), board().now()
    week = days_from(begin, begin + timedelta(WEEK_DAYS))
    coming = Days(week.first, week.after, [(day, event) for day, event in week.standing
                                           if day > begin or max(event.end, event.start) >= now])
    later = days_from(week.after, week.after + timedelta(LATER_DAYS))
    urgent = board().urgent(MOST_ON_TOP, patience())  # what is beyond stands where the others do
    above = {item.id for item in urgent}
    read = [item for item in board().bulletins(None, "", MOST_READ, patience()).items if item.id not in above]
    bulletins = [item for item in read if item.met is None]
    calls = [item for item in bulletins if item.marks or item.topic in CALLS]
    return Matter(
        urgent, _items(coming, coming.standing), _items(later, _first_dates(later.standing, week.standing)),
        [item for item in bulletins if item not in calls], calls,
        coming.events, first_after(week.after)[1],
        board().count(Kind.BULLETIN) - sum(item.kind is Kind.BULLETIN for item in urgent) - (len(read) - len(bulletins)))


def compose(press: Press) -> PrintedPages:
    """As much of it as eight pages hold: in the fullest detail in which all of it does, on four pages where few are needed.

    Where not even headlines all find room, agenda, news and calls each have their share of it.
    """
    whole: list[tuple[PrintedPages, PrintedPages]] = []
    for detail in DETAILS:
        text = press.text(detail)
        codes = press.codes(text, MOST_PAGES) if len(text) < MOST_PAGES else []
        used = len(text) + len(codes)
        if used < 4 and (not whole or len(whole[0][0]) + len(whole[0][1]) < TWO_SHEETS):
            return press.bound(text, codes, 4)
        whole += [(text, codes)] if used < MOST_PAGES else []
    if whole:
        return press.bound(*whole[0], MOST_PAGES)
    text = press.cut(MOST_PAGES - 3)
    return press.bound(text, press.codes(text, MOST_PAGES - 1 - len(text)), MOST_PAGES)


def sides(pages: Sequence[SidePage]) -> list[list[SidePage]]:
    """The pages, four or eight, two and two as they stand on the sides of the sheets to be folded: the first beside the
    last, then what is on the back of these, and so inwards. Which of two stands left is a matter of the language."""
    pairs = [[pages[-1 - at], pages[at]] for at in range(len(pages) // 2)]
    return [pair[::-1] if number % 2 else pair for number, pair in enumerate(pairs)]


def _items(days: Days, some: Sequence[Standing]) -> list[tuple[date, Item]]:
    return [(one.day, item) for one in days.read(some[:MOST_READ]) for item in one.begins + one.goes_on]


def _first_dates(later: Sequence[Standing], week: Sequence[Standing]) -> list[Standing]:
    """Of a repeated event its first date, unless it is in the week already."""
    seen, found = {event.root for _day, event in week}, list[Standing]()
    for day, event in later:
        found += [(day, event)] if event.root not in seen else []
        seen.add(event.root)
    return found

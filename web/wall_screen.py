"""`/wall.png`: the wall drawn for an e-ink screen of any size, which asks for it every some minutes."""

import re
from datetime import timedelta
from hashlib import blake2b
from threading import Lock

from flask import Blueprint, Response, request

from node.board.api import Item
from node.board.night_rest import MINUTES_OF_DAY
from web.agenda_days import ShownDay, days_from
from web.item_display import caption, clock_at, clock_here, column, confirmed_as_text, today, when
from web.languages import current
from web.languages import gettext as _
from web.pages import board, patience, settings
from web.qr import wifi
from web.resting import pages_rest
from web.safe_text import one_line, shortened, titled
from web.wall_letters import LettersMissing, drawable
from web.wall_picture import RowKind, Screen, Wall, WallRow, pages_of, picture

LEAST_SIDE, MOST_SIDE = 120, 2_048  # dots: the smallest and the largest e-ink that is sold for such uses, about
USUAL_SCREEN, USUAL_MINUTES = Screen(800, 480), 10
DAYS, MOST_EVENTS, MOST_NEW, MOST_URGENT = 7, 100, 6, 3
PLACE_LETTERS = 60
HOUR = re.compile(r"\d\d?[:.h]\d\d.{0,3}")  # "18:30", "6:30 pm"
DRAWING_S = 3.0  # that a request waits for another one's picture; the portal has few threads
wall_pictures = Blueprint("wall_pictures", __name__)
_drawing = Lock()  # one picture at a time: the largest takes 4 MB while it is drawn


@wall_pictures.get("/wall.png")
def wall_png() -> Response:
    """The week as a picture of one bit a dot, `?w=` wide and `?h=` high.

    Where it takes several pages they follow each other, each for as many `?minutes=` as lie between two questions; `?page=`
    is one of them. A screen that says what it has (`If-None-Match`) is told when that is still right.
    """
    asked = _asked()
    if asked is None:
        said = _("Give the size of the screen in dots, and the minutes from one picture to the next: "
                 "/wall.png?w=800&h=480&minutes=10. A side has from %(least)s to %(most)s dots.")
        return _told(said % {"least": LEAST_SIDE, "most": MOST_SIDE}, 400)
    screen, minutes = asked
    wall = wall_now()
    if patience().unread:
        return _told(_("This island is still reading what it has received. Please ask again in a minute."), 503, 60)
    if not _drawing.acquire(timeout=DRAWING_S):
        return _told(_("This island has much to do at this moment. Please try again in a minute."), 503, 60)
    try:
        return _drawn(wall, screen, minutes)
    except LettersMissing as missing:
        said = _("This island cannot draw the wall: something is missing on its machine. A keeper can install it: "
                 "sudo apt install %(package)s")
        return _told(said % {"package": missing.package}, 503)
    finally:
        _drawing.release()


def _drawn(wall: Wall, screen: Screen, minutes: int) -> Response:
    pages = len(pages_of(wall, screen))
    turn = request.args.get("page", board().now() // minutes, type=int) % pages
    answer = Response(mimetype="image/png")
    answer.set_etag(blake2b(repr((wall, screen, turn)).encode(), digest_size=12).hexdigest())
    answer.headers["Refresh"] = str(60 * minutes)  # for the browser of a reader of books
    answer.make_conditional(request)
    if answer.status_code == 200:
        answer.set_data(picture(wall, screen, turn))
    return answer


def _asked() -> tuple[Screen, int] | None:
    """The screen and the minutes that were asked for; None if they are none."""
    usual = {"w": USUAL_SCREEN.width, "h": USUAL_SCREEN.height, "minutes": USUAL_MINUTES}
    texts = {name: request.args.get(name, str(number)) for name, number in usual.items()}
    if not all(text.isascii() and text.isdigit() and len(text) < 5 for text in texts.values()):
        return None
    width, height, minutes = (int(text) for text in texts.values())
    sound = min(width, height) >= LEAST_SIDE and max(width, height) <= MOST_SIDE and 1 <= minutes <= MINUTES_OF_DAY
    return (Screen(width, height), minutes) if sound else None


def _told(said: str, status: int, again_s: int = 0) -> Response:
    return Response(f"{said}\n", status, {"Retry-After": str(again_s)} if again_s else {}, mimetype="text/plain")


def wall_now() -> Wall:
    """What is shown now: the day, not the minute, so that a picture stays right as long as it can."""
    urgent, rest = [_urgent(item) for item in board().urgent(MOST_URGENT, patience())], pages_rest()
    if not board().status().host.clock.told:
        said = _("This island is not sure what day it is. Please ask a keeper to set its clock.")
        urgent.append(WallRow(RowKind.URGENT, said))
    if rest is None:
        rows, todays, beyond = _week()
    else:
        said = _("This island rests until %(end)s.") % {"end": current().time(clock_at(rest.end))}
        rows, todays, beyond = [WallRow(RowKind.TEXT, said)], 1, 0
    name, address = settings().wifi, settings().base_url.removeprefix("http://").rstrip("/")
    more = _("And %(num)s more: %(address)s").replace("%(address)s", address)
    return Wall(
        name=drawable(one_line(settings().name)), day=titled(current().day(clock_here())), rows=(*urgent, *rows),
        today=len(urgent) + todays, foot=drawable(" · ".join(filter(None, (name and f"Wi-Fi {name}", address)))),
        code=wifi(name) if name else settings().base_url, more=more, beyond=beyond,
        rtl=current().direction == "rtl")


def _urgent(item: Item) -> WallRow:
    below = [when(item, paper=True) if item.start is not None else "", confirmed_as_text(item)]
    return WallRow(RowKind.URGENT, drawable(caption(item)), below=" · ".join(filter(None, below)))


def _week() -> tuple[list[WallRow], int, int]:
    """The rows of the week and of what is new; how many of them are today's, and how many events are not among them."""
    week, now = days_from(today(), today() + timedelta(DAYS)), board().now()
    coming = [one for one in week.standing if one[0] > week.first or max(one[1].end, one[1].start) >= now]
    days = week.read(coming[:MOST_EVENTS])
    first = [row for one in days if one.day == week.first for row in _events(one)]
    first = first or [WallRow(RowKind.TEXT, _("Nothing is announced for this day."))]
    later = [row for one in days if one.day > week.first
             for row in (WallRow(RowKind.DAY, titled(current().day(one.day))), *_events(one))]
    bulletins = board().bulletins(limit=MOST_NEW, patience=patience()).items
    new = [WallRow(RowKind.TEXT, drawable(caption(item))) for item in bulletins if not item.urgent]
    head = [WallRow(RowKind.DAY, _("New on the board"))] if new else []
    return [*first, *later, *head, *new], len(first), max(len(coming) - MOST_EVENTS, 0)


def _events(one: ShownDay) -> list[WallRow]:
    return [_event(item, one) for item in (*one.begins, *one.goes_on)]


def _event(item: Item, one: ShownDay) -> WallRow:
    """An event under its day; what is no hour, such as "all day", stands before its place."""
    first, last, beside = column(item, one.day)
    hour, told = (first, "") if HOUR.fullmatch(first) else ("", first or last)
    cancelled = _("Cancelled") if item.cancelled is not None else confirmed_as_text(item)
    below = " · ".join(filter(None, (cancelled, told, beside, shortened(one_line(item.place), PLACE_LETTERS))))
    return WallRow(RowKind.EVENT, drawable(caption(item)), hour, drawable(below))

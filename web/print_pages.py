"""The board on paper: posters, leaflets with strips to tear off, a page to copy by hand; the wall screen."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for

from node.board.night_rest import RestSpan
from web.agenda_days import Days, days_from
from web.delivery_report import stick
from web.item_display import clock_at, today, whole_address
from web.languages import current
from web.pages import board, fitted, kept, patience
from web.print_fit import LARGE, NORMAL, scale_of
from web.print_sheets import OWN_SHEETS, WEEK_DAYS, as_file, end_day, entry_codes, measured, own_sheet, printed, sheet_of
from web.public import found
from web.qr import large_qr, qr
from web.resting import pages_rest
from web.settings_notices import pressing

WALL_REFRESH_S, STICK_REFRESH_S = 120, 5
WALL_EVENTS, WALL_BULLETINS = 8, 4  # on a page: what can be read from some metres without scrolling
WALL_URGENT = WALL_NOTICES = 3  # the first page of the portal has them all
WALL_PAGE_S, WALL_PAGES = 20, 40  # to read a page of eight lines aloud; a quarter of an hour for all of them
Row = TypeVar("Row")
paper = Blueprint("paper", __name__)


@paper.get("/paper")
@kept
def index() -> str:
    """What can be printed, and how."""
    return fitted("paper/index.html", lambda rows: {})


@paper.get("/poster", defaults={"sheet": "poster"})
@paper.get("/leaflet", defaults={"sheet": "leaflet"})
@paper.get("/copy", defaults={"sheet": "copy"})
@kept
def show(sheet: str) -> Response:
    """A sheet of the week, or of what is ahead about one `?topic=`, at one `?place=`, signed `?by=` one key.

    `?file=1` to keep it as a file, which needs nothing else. It is printed, so it may be heavier than a page and has as
    many pages as it needs.
    """
    on_it = sheet_of(sheet)
    scale, pages = scale_of(*measured(sheet, on_it), LARGE if g.carried.get("size") else NORMAL)
    page = render_template(f"paper/{sheet}.html", on=on_it, scale=scale, whole=pages == 1, **printed(on_it.last_day),
                           **entry_codes())
    return as_file(page, f"{sheet}-{today().isoformat()}.html")


@paper.get("/r/<item_id>/print")
@kept
def one(item_id: str) -> Response:
    """One item as a poster, with its QR code; `?as=strips`: with strips to tear off; `?as=leaflets`: four to cut."""
    item = found(item_id)
    shape = request.args.get("as", "poster")
    if shape not in OWN_SHEETS:
        abort(404)
    address = whole_address(item)
    page = render_template(f"paper/{OWN_SHEETS[shape]}.html", **own_sheet(item, shape), shape=shape,
                           code=qr(address, address), dots=large_qr(address), **printed(end_day(item)))
    return as_file(page, f"{item.id[:12]}-{shape}.html")


@paper.get("/r/<item_id>/letters")
@kept
def letters(item_id: str) -> Response:
    """One item on a sheet, with the letters and the QR code from which another island makes it again, signature and all."""
    item = found(item_id)
    typed, read = board().transfer.letters(item.id)
    if not typed:
        abort(404)
    filling = {"item": item, "letters": typed, "code": large_qr(read), "code_name": read[:20]}
    return as_file(render_template("paper/letters.html", **filling, **printed(end_day(item))),
                   f"{item.id[:12]}-archipel.html")


@paper.get("/wall")
def wall() -> Response:
    """For a screen on a wall or an e-ink frame: large, no controls, comes back by itself; says when to take a stick."""
    state, rest = board().transfer.stick(), pages_rest()
    if rest is not None and state is None:
        return _resting_wall(rest)
    return _calm_wall() if state is None else _wall(stick(state), STICK_REFRESH_S)


def _resting_wall(rest: RestSpan) -> Response:
    """What is urgent, which comes all the same; else until when the island rests."""
    until, urgent = current().time(clock_at(rest.end)), board().urgent(WALL_EVENTS, patience())
    response = make_response(render_template("paper/wall_rests.html", until=until, urgent=urgent))
    response.headers["Refresh"] = str(WALL_REFRESH_S)
    return response


@kept
def _calm_wall() -> Response:
    return _wall("", WALL_REFRESH_S)


def _wall(stick: str, refresh_s: int) -> Response:
    """One of its pages: they show all of the week and what is new on the board, one after the other."""
    notices, urgent = pressing(board().status().host.notices)[:WALL_NOTICES], board().urgent(WALL_URGENT, patience())
    events, now = _coming(), board().now()
    coming = [one for one in events.standing if one[0] > events.first or max(one[1].end, one[1].start) >= now]
    rows = max(WALL_EVENTS - 5 * len(urgent) // 3 - 2 * bool(notices or stick), 2)
    new = board().bulletins(limit=WALL_BULLETINS * WALL_PAGES, patience=patience()).items
    new = [item for item in new if item.met is None]
    pages = max(-(-len(coming) // rows), -(-len(new) // WALL_BULLETINS), 1)
    number = request.args.get("page", 0, type=int) % min(pages, WALL_PAGES)
    filling = entry_codes() | {"stick": stick, "notices": notices, "urgent": urgent, "page": number, "pages": pages} | {
        "days": events.read(_turning(coming, rows, number)), "bulletins": _turning(new, WALL_BULLETINS, number)}
    response = make_response(fitted("paper/wall.html", lambda rows: filling))
    following = url_for("paper.wall", page=number + 1 if number + 1 < min(pages, WALL_PAGES) else None)
    pace = f"{WALL_PAGE_S}; url={following}" if pages > 1 and not stick else str(refresh_s)
    response.headers["Refresh"] = pace  # a header, so that nothing in the page moves
    return response


def _turning(rows: Sequence[Row], some: int, number: int) -> Sequence[Row]:
    """Of rows of which `some` are on a page those of the page of this number; what has fewer pages begins anew."""
    begin = number % max(-(-len(rows) // some), 1) * some
    return rows[begin:begin + some]


def _coming() -> Days:
    return days_from(today(), today() + timedelta(WEEK_DAYS))

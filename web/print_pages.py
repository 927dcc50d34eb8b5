"""The board on paper: a poster of the week, a leaflet with strips to tear off, a page to copy by hand; the wall screen."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from flask import Blueprint, Response, abort, g, make_response, render_template, request, url_for

from node.board.api import Item
from node.board.night_rest import RestSpan
from web.agenda_days import Days, days_from
from web.delivery_report import stick
from web.item_display import caption, clock_at, today, whole_address
from web.languages import current
from web.pages import board, fitted, kept, patience, settings
from web.print_fit import LARGE, NORMAL, Block, fill
from web.public import found, glance
from web.qr import large_qr, qr, wifi
from web.resting import pages_rest
from web.settings_notices import pressing

POSTER_DAYS = 7
WALL_REFRESH_S, STICK_REFRESH_S = 120, 5
WALL_EVENTS, WALL_BULLETINS = 8, 4  # on a page: what can be read from some metres without scrolling
WALL_URGENT = WALL_NOTICES = 3  # the first page of the portal has them all
WALL_PAGE_S, WALL_PAGES = 20, 40  # to read a page of eight lines aloud; a quarter of an hour for all of them
SHEETS = {"poster": 16, "leaflet": 8, "copy": 10}  # rows that an A4 page holds
CODES_MM, STRIPS_MM = 36, 68
Row = TypeVar("Row")
paper = Blueprint("paper", __name__)


@paper.get("/paper")
@kept
def index() -> str:
    """What can be printed, and how."""
    return fitted("paper/index.html", lambda rows: {"sheets": SHEETS})


@paper.get("/poster", defaults={"sheet": "poster"})
@paper.get("/leaflet", defaults={"sheet": "leaflet"})
@paper.get("/copy", defaults={"sheet": "copy"})
@kept
def show(sheet: str) -> Response:
    """One sheet of paper; `?file=1` to keep it as a file, which needs nothing else."""
    page = fitted(f"paper/{sheet}.html", lambda rows: _week(sheet, min(rows, SHEETS[sheet])))
    return _as_file(page, f"{sheet}-{today().isoformat()}.html")


@paper.get("/r/<item_id>/print")
@kept
def one(item_id: str) -> Response:
    """One item on a sheet, with its QR code."""
    item = found(item_id)
    code = qr(whole_address(item), whole_address(item))
    return _as_file(fitted("paper/item.html", lambda rows: _dates(item) | {"item": item, "code": code}),
                    f"{item.id[:12]}.html")


@paper.get("/r/<item_id>/letters")
@kept
def letters(item_id: str) -> Response:
    """One item on a sheet, with the letters and the QR code from which another island makes it again, signature and all."""
    item = found(item_id)
    typed, read = board().transfer.letters(item.id)
    if not typed:
        abort(404)
    filling = _dates(item) | {"item": item, "letters": typed, "code": large_qr(read), "code_name": read[:20]}
    return _as_file(fitted("paper/letters.html", lambda rows: filling), f"{item.id[:12]}-archipel.html")


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
    filling = _codes() | {"stick": stick, "notices": notices, "urgent": urgent, "page": number, "pages": pages} | {
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


def _week(sheet: str, most_rows: int) -> dict:
    least = LARGE if g.carried.get("size") else NORMAL
    rows, scale = fill(most_rows, least, lambda rows: _measured(sheet, _shown(sheet, rows)))
    return _shown(sheet, rows) | _dates() | _codes() | {"scale": scale}


def _shown(sheet: str, rows: int) -> dict:
    """What a sheet shows in `rows` rows."""
    shown = glance(_coming(), rows)
    bulletins = [item for item in shown["bulletins"] if item.met is None][:min(rows, 4)] if sheet == "poster" else []
    return shown | {"bulletins": bulletins, "urgent": [] if sheet == "leaflet" else shown["urgent"]}


def _measured(sheet: str, shown: dict) -> tuple[list[Block], float]:
    """What `web.print_fit` must know of it: its texts, and the height of codes and strips in mm."""
    events = [item for one in shown["days"] for item in one.begins + one.goes_on]
    ends = [Block(len(settings().name), 2.4, 0.6), Block(45, 1.3, 0.8), Block(95, 1, 1.6)]  # the head and the last line
    heads = [Block(20, 1.2, 1.1)] * (len(shown["days"]) + 1)
    lines = [Block(30 + len(caption(item)) + len(item.place[:60])) for item in events]
    lines += [Block(len(caption(item)), 1, 0.6) for item in shown["urgent"] + shown["bulletins"]]
    codes = [Block(2), Block(2)] if sheet == "copy" else [Block(100, 1, 1)]
    return [*ends, *heads, *lines, *codes], {"poster": CODES_MM, "leaflet": CODES_MM + STRIPS_MM, "copy": 0}[sheet]


def _coming() -> Days:
    return days_from(today(), today() + timedelta(POSTER_DAYS))


def _dates(item: Item | None = None) -> dict:
    """When it was printed, and when it is to be taken down: with its one item, or at the end of the week that it shows."""
    printed = clock_at(board().now())
    outdated = clock_at(item.expires) if item else printed + timedelta(POSTER_DAYS)
    return {"printed": printed, "outdated": outdated, "file": "file" in request.args}


def _codes() -> dict:
    address, name = settings().base_url, settings().wifi
    return {"address_code": qr(address, address), "wifi_code": qr(wifi(name), name) if name else ""}


def _as_file(page: str, name: str) -> Response:
    response = make_response(page)
    if "file" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

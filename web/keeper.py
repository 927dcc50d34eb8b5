"""The keepers' desk: what waits, what is shown and hidden, what keepers did.

How they sign in: `web.signin`.
"""

from collections import Counter
from itertools import islice

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.api import DraftRefused, Item
from node.board.reasons import Pile
from node.board.street_map import RADII_M, USUAL_RADIUS_M
from node.i18n.sentence import Explained, sentence
from web.event_map import length
from web.forms import place_of
from web.languages import gettext as _
from web.languages import said
from web.pages import board, fitted, settings
from web.public import found
from web.request_body import expect_file
from web.sentences import closed, problem
from web.signin import NotKept, StalePage, for_keepers, never_kept

FEW_ACTS, FEW_REPORTED, FEW_TO_CONFIRM = 5, 3, 3  # on the desk; the others are on pages of their own
MAX_UPLOADS = {"keeper.picture": 8_000_000, "keeper.streets": 1 << 24}  # an extract of 50,000 nodes is 12 MB of XML
keeper = Blueprint("keeper", __name__, url_prefix="/keeper")
keeper.after_request(never_kept)


@keeper.get("")
@for_keepers
def desk() -> str:
    """Everything a keeper sees, on one page."""
    return desk_page()


def desk_page(notice: str = "") -> str:
    """The desk, with a sentence about what has just gone wrong: the first of each list, as many as fit."""
    cleared, counts = board().cleared(), Counter(handle.pile for handle in board().handles(tuple(Pile)))

    def fill(rows: int) -> dict:
        return {"notice": notice, "waiting": board().waiting(rows), "counts": counts, "recent": _recent(rows),
                "stricter": board().stricter_for_now(), "cleared": cleared[:rows],
                "acts": board().audit_log(min(rows, FEW_ACTS)),
                "reported": list(islice(board().reported(), min(rows, FEW_REPORTED))),
                "reported_count": board().count_reported(),
                "to_confirm": board().to_confirm(min(rows, FEW_TO_CONFIRM))}

    return fitted("keeper/desk.html", fill)


def _recent(rows: int) -> list[Item]:
    """What came last on the board."""
    now = board().now()
    items = board().bulletins(limit=rows).items + board().events(now, now + 30 * 1440, limit=rows)
    return sorted(items, key=lambda item: item.created, reverse=True)[:rows]


@keeper.get("/map")
@for_keepers
def under_the_map() -> str:
    """What lies under the map of gatherings."""
    return map_page()


def map_page(notice: str = "", outline: str | None = None) -> str:
    """The outline and the picture, with a sentence about what has just gone wrong."""
    return render_template("keeper/map.html", notice=notice, outline=board().outline() if outline is None else outline,
                           picture=board().picture(), streets=board().streets(), radii=RADII_M, usual=USUAL_RADIUS_M,
                           length=length)


@keeper.app_errorhandler(StalePage)
def stale(error: StalePage) -> tuple[str, int]:
    """A form of an older session."""
    return desk_page(_("This page had been open for too long. Nothing was done: please try again.")), 400


@keeper.app_errorhandler(NotKept)
def not_kept(error: NotKept) -> tuple[str, int]:
    """What the card did not keep."""
    return desk_page(closed(error.reason)), 503


def _done() -> Response:
    return redirect(url_for("desk_reports.show" if request.form.get("back") == "reports" else "keeper.desk"), 303)


@keeper.post("/approve")
@for_keepers
def approve() -> Response:
    """Publish a waiting post, or forget it (`action=refuse`)."""
    item_id = request.form.get("id", "")
    if request.form.get("action") == "refuse":
        board().refuse(item_id, session["name"], request.form.get("why", ""))
    else:
        board().approve(item_id, session["name"], request.form.get("why", ""))
    return _done()


@keeper.post("/hide")
@for_keepers
def hide() -> Response:
    """Stop showing an item here, or show it again (`action=show`)."""
    item_id, hidden, why = request.form.get("id", ""), request.form.get("action") != "show", request.form.get("why", "")
    if hidden:
        item_id = found(item_id).id
    board().hide(item_id, hidden, session["name"], why)
    return _done()


@keeper.before_request
def make_room() -> None:
    """A picture as a phone makes it may come whole, so that it is answered in a sentence."""
    if (most := MAX_UPLOADS.get(request.endpoint or "")) and session.get("name"):
        expect_file(most)


@keeper.post("/picture")
@for_keepers
def picture() -> Response | tuple[str, int]:
    """What lies under the map: another picture and its two corners, or none (`action=remove`)."""
    file, removed = request.files.get("picture"), request.form.get("action") == "remove"
    corners = [place_of(request.form.get(name, "")) for name in ("top_left", "bottom_right")]
    try:
        board().set_picture(None if removed else file.read() if file else b"", corners, session["name"],
                            request.form.get("why", ""))
    except DraftRefused as refused:
        return map_page(" ".join(map(problem, refused.problems))), 422
    return redirect(url_for("keeper.under_the_map"), 303)


@keeper.post("/streets")
@for_keepers
def streets() -> Response | tuple[str, int]:
    """The street map that lies under the map: another one, or none (`action=remove`)."""
    file, removed = request.files.get("streets"), request.form.get("action") == "remove"
    try:
        drawn = None if removed else _drawn(file.read() if file else b"")
        board().set_streets(drawn, session["name"], request.form.get("why", ""))
    except Explained as refused:
        return map_page(said(refused.sentence)), 422
    except DraftRefused as refused:
        return map_page(" ".join(map(problem, refused.problems))), 422
    return redirect(url_for("keeper.under_the_map"), 303)


def _drawn(brought: bytes) -> bytes:
    """A street map: as it was brought, or drawn of the extract that was."""
    draw, radius = settings().draw_streets, request.form.get("radius", "")
    if not brought or b"<svg" in brought[:200] or draw is None:
        return brought
    place = place_of(request.form.get("around", "")) or settings().position
    if place is None:
        raise Explained(sentence("Please say where the middle of the drawing is: latitude, longitude."))
    return draw(brought, place, int(radius) if radius in map(str, RADII_M) else USUAL_RADIUS_M)


@keeper.post("/outline")
@for_keepers
def outline() -> Response | tuple[str, int]:
    """What is drawn under the map of gatherings."""
    strokes = request.form.get("outline", "").replace("\r\n", "\n").strip()
    try:
        board().set_outline(strokes, session["name"], request.form.get("why", ""))
    except DraftRefused as refused:
        return map_page(" ".join(map(problem, refused.problems)), strokes), 422
    return redirect(url_for("keeper.under_the_map"), 303)

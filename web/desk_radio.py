"""What keepers want of the radio for a while, and the radio's pages for keepers, whoever else may read them."""

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.air_orders import SHARES_PERCENT, SPANS_MIN, AirOrder, AirOrderKind
from node.board.api import DraftRefused
from web.languages import gettext as _
from web.pages import board
from web.radio_page import VIEWS, lora, public_state, words
from web.signin import for_keepers, never_kept

desk_radio = Blueprint("desk_radio", __name__, url_prefix="/keeper")
desk_radio.after_request(never_kept)
for path, view in VIEWS:
    desk_radio.add_url_rule(f"/radio{path}", view.__name__, for_keepers(view))


@desk_radio.get("/radio/do")
@for_keepers
def wishes() -> str:
    """What may be wanted, and what is."""
    return _wishes()


def _wishes(notice: str = "") -> str:
    return render_template("keeper/radio.html", notice=notice, link=lora(public_state()), spans=SPANS_MIN,
                           shares=SHARES_PERCENT, alone=board().radio_for_keepers(), **words())


@desk_radio.post("/radio/do")
@for_keepers
def wish() -> str | tuple[str, int] | Response:
    """A wish of a keeper, or its end (no minutes)."""
    form = request.form
    try:
        order = AirOrder(AirOrderKind(form.get("kind", "")), int(form.get("minutes") or 0), int(form.get("percent") or 0))
        board().steer(order, session["name"], form.get("why", ""))
    except (ValueError, DraftRefused):
        return _wishes(_("Choose one of those that are offered.")), 422
    return redirect(url_for("desk_radio.wishes", done=1), 303)


@desk_radio.post("/radio/readers")
@for_keepers
def readers() -> Response:
    """Whether neighbours may read what the radio does."""
    board().set_radio_for_keepers(request.form.get("alone") == "1", session["name"], request.form.get("why", ""))
    return redirect(url_for("desk_radio.wishes", done=1), 303)

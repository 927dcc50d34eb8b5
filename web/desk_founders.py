"""Founders' keys on the keepers' desk: where they are, and founding the set anew with them while the island is alone."""

from flask import Blueprint, make_response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.founding import FOUNDERS
from node.i18n.sentence import Explained
from web.founder_keys import check_page, key_sheet, typed_words
from web.languages import said
from web.pages import board
from web.signin import for_keepers, never_kept

STARTS_WITHIN_S = 20  # then the sheet of the new set is asked for
Page = str | tuple[str, int] | Response
desk_founders = Blueprint("desk_founders", __name__, url_prefix="/keeper/founders")
desk_founders.after_request(never_kept)


@desk_founders.get("")
@for_keepers
def show() -> str:
    """Whose keys found the set; what can be done when it is this box's own."""
    return _show()


def _show(notice: str = "") -> str:
    view, made = board().founding.view(), board().founding.keys()
    ready = made is not None and made.written() == made.count
    return render_template("keeper/founders.html", view=view, made=made, ready=ready, notice=notice, counts=FOUNDERS)


@desk_founders.post("/begin")
@for_keepers
def begin() -> Page:
    """Two or three new keys; those that were made before and not used are forgotten."""
    board().founding.keys(request.form.get("keys", 0, type=int))
    return redirect(url_for("desk_founders.keys"), 303)


@desk_founders.get("/keys")
@for_keepers
def keys() -> Page:
    """Which key comes next, or the words that are asked for."""
    made = board().founding.keys()
    if made is None or made.written() == made.count:
        return redirect(url_for("desk_founders.show"), 303)
    return check_page("keeper/founders_keys.html", made)


@desk_founders.post("/keys/show")
@for_keepers
def show_key() -> Page:
    """A key, this once."""
    made = board().founding.keys()
    if made is None or made.written() == made.count:
        return redirect(url_for("desk_founders.show"), 303)
    return key_sheet(made, board().sheet().set_name, url_for("desk_founders.keys"))


@desk_founders.post("/keys/check")
@for_keepers
def check_key() -> Page:
    """Whether it was written down."""
    made = board().founding.keys()
    if made is not None and not made.check(typed_words(made)):
        return check_page("keeper/founders_keys.html", made, wrong=True), 422
    whole = made is None or made.written() == made.count
    return redirect(url_for("desk_founders.show" if whole else "desk_founders.keys"), 303)


@desk_founders.post("/found")
@for_keepers
def found() -> Page:
    """Found the set anew: the island starts anew, and its new sheet is asked for."""
    try:
        board().founding.refound(session["name"])
    except Explained as refused:
        return _show(said(refused.sentence)), 422
    response = make_response(render_template("keeper/founded_anew.html"))
    response.headers["Refresh"] = f"{STARTS_WITHIN_S}; url={url_for('desk_sheet.show')}"
    return response



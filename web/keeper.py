"""The keepers' desk: what waits, what is shown and hidden, who may post, what keepers did.

Each keeper has a password and a short session.
"""

import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from functools import cache, wraps
from typing import Any

from flask import Blueprint, Flask, abort, current_app, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from node.board.api import BoardClosed, DraftRefused
from web.forms import place_of
from web.languages import gettext as _
from web.pages import board, settings
from web.public import found
from web.request_body import expect_file
from web.sentences import closed, problem

SESSION_MIN = 30
FREE_TRIES, WINDOW_S, DELAY_S = 5, 600, 6.0  # from the sixth try on, ten a minute
STRANGERS = 64
RULES = ("open", "moderated", "members")
DESK_ROWS = 30
MAX_UPLOAD_BYTES = 8_000_000
keeper = Blueprint("keeper", __name__, url_prefix="/keeper")


class Tries:
    """Wrong passwords of late, by name; names that nobody bears share some places, so that memory stays bounded."""

    def __init__(self, monotonic: Callable[[], float]):
        self._monotonic = monotonic
        self._wrong: dict[str, deque[float]] = {}
        self._lock = threading.Lock()  # one scrypt at a time: each takes 32 MB

    def right(self, name: str, password: str, known: str | None) -> bool | None:
        """Whether it is the password behind the hash `known`; None when it is too early to try again."""
        place = name if known else str(hash(name) % STRANGERS)
        with self._lock:
            wrong = self._wrong.setdefault(place, deque(maxlen=FREE_TRIES))
            now = self._monotonic()
            while wrong and now - wrong[0] > WINDOW_S:
                wrong.popleft()
            if len(wrong) == FREE_TRIES and now - wrong[-1] < DELAY_S:
                return None
            if check_password_hash(known or _nobody(), password) and known:
                wrong.clear()
                return True
            wrong.append(now)
            return False


@cache
def _nobody() -> str:
    """The hash of a password that nobody knows: a wrong name takes as long as a wrong password."""
    return generate_password_hash(secrets.token_hex(8))


def add_keepers(app: Flask) -> None:
    """Sessions live under /keeper only: readers never get a cookie."""
    app.config.update(
        SESSION_COOKIE_NAME="keeper", SESSION_COOKIE_PATH="/keeper", SESSION_COOKIE_SAMESITE="Strict",
        PERMANENT_SESSION_LIFETIME=timedelta(minutes=SESSION_MIN))
    app.extensions["tries"] = Tries(app.extensions["settings"].monotonic)
    app.register_blueprint(keeper)


@keeper.after_request
def never_kept(response: Response) -> Response:
    """A keeper's page stays in no cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def for_keepers(view: Callable) -> Callable:
    """Show the sign-in page instead to anybody else; a form must carry the session's own token.

    What the card did not keep is said on the desk.
    """

    @wraps(view)
    def guarded(**arguments: str) -> Any:
        if not session.get("name") or settings().keepers(session["name"]) is None:
            if session:
                session.clear()
            return render_template("keeper/login.html", notice="")
        if request.method == "POST" and not _same(request.form.get("csrf", ""), session["csrf"]):
            return desk_page(_("This page had been open for too long. Nothing was done: please try again.")), 400
        try:
            return view(**arguments)
        except BoardClosed as shut:
            return desk_page(closed(shut.reason)), 503

    return guarded


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


@keeper.post("/login")
def login() -> Response | tuple[str, int]:
    """Open a session, if the password is right."""
    name, password = request.form.get("name", "")[:60].strip(), request.form.get("password", "")[:200]
    right = current_app.extensions["tries"].right(name, password, settings().keepers(name))
    if not right:
        notice = _("Too many tries. Please wait some seconds.") if right is None else _("Name or password is wrong.")
        return render_template("keeper/login.html", notice=notice), 429 if right is None else 403
    session.clear()
    session.permanent = True
    session["name"], session["csrf"] = name, secrets.token_hex(16)
    return redirect(url_for("keeper.desk"), 303)


@keeper.post("/logout")
@for_keepers
def logout() -> Response:
    """End the session."""
    session.clear()
    return redirect(url_for("public.home"), 303)


@keeper.get("")
@for_keepers
def desk() -> str:
    """Everything a keeper sees, on one page."""
    return desk_page()


def desk_page(notice: str = "", outline: str | None = None) -> str:
    """The desk, with a sentence about what has just gone wrong."""
    now = board().now()
    recent = board().bulletins(limit=DESK_ROWS).items + board().events(now, now + 30 * 1440, limit=DESK_ROWS)
    return render_template(
        "keeper/desk.html", notice=notice, waiting=board().waiting(), hidden=board().hidden(),
        recent=sorted(recent, key=lambda item: item.created, reverse=True), audit_log=board().audit_log(), rules=RULES,
        outline=board().outline() if outline is None else outline, picture=board().picture())


def _done() -> Response:
    return redirect(url_for("keeper.desk"), 303)


@keeper.post("/approve")
@for_keepers
def approve() -> Response:
    """Publish a waiting post, or forget it (`action=refuse`)."""
    item_id = request.form.get("id", "")
    if request.form.get("action") == "refuse":
        board().refuse(item_id, session["name"])
    else:
        board().approve(item_id, session["name"])
    return _done()


@keeper.post("/hide")
@for_keepers
def hide() -> Response:
    """Stop showing an item here, or show it again (`action=show`)."""
    item_id, hidden = request.form.get("id", ""), request.form.get("action") != "show"
    if hidden:
        item_id = found(item_id.rstrip("/").rpartition("/")[2]).id  # an address will do
    board().hide(item_id, hidden, session["name"])
    return _done()


@keeper.post("/rules")
@for_keepers
def rules() -> Response:
    """Who may post."""
    rule = request.form.get("posting", "")
    if rule not in RULES:
        abort(400)
    board().set_posting(rule, session["name"])
    return _done()


@keeper.before_request
def make_room() -> None:
    """A picture as a phone makes it may come whole, so that it is answered in a sentence."""
    if request.endpoint == "keeper.picture" and session.get("name"):
        expect_file(MAX_UPLOAD_BYTES)


@keeper.post("/picture")
@for_keepers
def picture() -> Response | tuple[str, int]:
    """What lies under the map: another picture and its two corners, or none (`action=remove`)."""
    file, removed = request.files.get("picture"), request.form.get("action") == "remove"
    corners = [place_of(request.form.get(name, "")) for name in ("top_left", "bottom_right")]
    try:
        board().set_picture(None if removed else file.read() if file else b"", corners, session["name"])
    except DraftRefused as refused:
        return desk_page(" ".join(map(problem, refused.problems))), 422
    return _done()


@keeper.post("/outline")
@for_keepers
def outline() -> Response | tuple[str, int]:
    """What is drawn under the map of gatherings."""
    strokes = request.form.get("outline", "").replace("\r\n", "\n").strip()
    try:
        board().set_outline(strokes, session["name"])
    except DraftRefused as refused:
        return desk_page(" ".join(map(problem, refused.problems)), strokes), 422
    return _done()

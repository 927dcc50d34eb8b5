"""How keepers sign in and out, and what guards their pages.

A wrong name takes as long as a wrong password, and wrong tries cost whoever makes them (`web.tries`).
"""

import hmac
import secrets
from collections.abc import Callable
from functools import cache, partial, wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, current_app, redirect, render_template, request, session, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from node.board import explanations
from node.board.api import BoardClosed
from node.model.names import fit_name
from node.model.passphrase import MOST, spellings
from web.languages import gettext as _
from web.languages import said
from web.pages import board, settings
from web.sessions import COOKIE, COOKIE_PATH, OpenSessions, cookie_name
from web.tries import TooManyTries, Tries
from web.visitor import visitor

MARK, MARK_S = "keeper-mark", 90 * 24 * 3600
WORDS = ("welcome", "outline", "contact", "reason", "why")  # fields of the desk that hold a keeper's own words
MAX_UNSENT, MAX_UNSENT_FORM = 4_200, 40_000  # octets: the longest of them has 4,000 characters; as a form sends them
signin = Blueprint("signin", __name__, url_prefix="/keeper")


class StalePage(Exception):
    """A form came without the token of its session: another page made it, or an older session."""


class NotKept(Exception):
    """What a keeper decided was not kept; `reason` as in BoardClosed."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


def add_signin(app: Flask) -> None:
    """The sessions and the tries of this portal."""
    monotonic = app.extensions["settings"].monotonic
    app.session_interface = OpenSessions(app.extensions["board"].password_hash, monotonic)
    app.extensions["tries"] = Tries(monotonic)
    app.register_blueprint(signin)
    app.jinja_env.globals.update(unsent=unsent)


def sessions() -> OpenSessions:
    """Who is signed in to this portal."""
    found = current_app.session_interface
    assert isinstance(found, OpenSessions)
    return found


def tries() -> Tries:
    """Where passwords, passphrases and edit codes are tried on this portal."""
    return current_app.extensions["tries"]


@signin.after_request
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
        if not session.get("name"):
            return signin_page(to=_came_for())
        if request.method == "POST" and not _same(request.form.get("csrf", ""), session["csrf"]):
            raise StalePage
        try:
            return view(**arguments)
        except BoardClosed as shut:
            raise NotKept(shut.reason) from shut

    return guarded


def is_keepers(csrf: str) -> bool:
    """Whether a keeper is signed in, and this is the token of the session."""
    return bool(session.get("name")) and _same(csrf, session["csrf"])


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())


def signin_page(notice: str = "", name: str = "", to: str = "") -> str:
    """Where keepers sign in; `to` is where they go then, the desk unless it is a page of it."""
    return render_template("keeper/login.html", notice=notice, name=name, to=to)


def _came_for() -> str:
    """The page that was asked for, or to which a form was sent."""
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def page_of_desk(to: str) -> str:
    """A path as it came in a form or an address, if it leads to a page of the desk; else ""."""
    path = urlsplit(to).path
    here = to.startswith(("/keeper/", "/keeper?")) and not path.endswith("/") and "\\" not in to
    return to if here and current_app.url_map.bind("").test(path, "GET") else ""


def unsent() -> list[str]:
    """What a keeper typed into the form of this request, which was not used: to be copied. Nothing secret, and no more than
    fits beside what a page has to say."""
    small = request.method == "POST" and 0 < (request.content_length or 0) <= MAX_UNSENT_FORM  # a file is not even read
    found = [request.form.get(name, "") for name in WORDS] if small else []
    return [text.encode()[:MAX_UNSENT].decode(errors="ignore") for text in found if text.strip()]


@signin.post("/login")
def login() -> Response | tuple[str, int]:
    """Open a session, if the password is right."""
    to = request.form.get("to", "")
    name, password = named(request.form.get("name", "")[:MOST]), request.form.get("password", "")
    known = board().password_hash(name)
    try:
        right = tries().make(_whose_tries(known), partial(is_password, known, password), lambda right: right is not True)
    except TooManyTries:
        return signin_page(too_many(), name, to), 429
    if not right or known is None:
        return signin_page(_("Name or password is wrong."), name, to), 403
    return signed_in(name, known, redirect(page_of_desk(to) or url_for("keeper.desk"), 303))


def signed_in(name: str, password_hash: str, response: Response) -> Response:
    """The response with a new session, in the place of this browser's last one."""
    sessions().end(session.get("label", ""))
    sessions().start(name, password_hash, response, request.is_secure)
    mark = _marks(password_hash).dumps(secrets.token_hex(8))
    response.set_cookie(cookie_name(MARK, request.is_secure), mark, max_age=MARK_S, path=COOKIE_PATH,
                        secure=request.is_secure, httponly=True, samesite="Strict")
    return response


@signin.post("/logout")
@for_keepers
def logout() -> Response:
    """End the session; nothing of it is left on the browser."""
    sessions().end(session["label"])
    response = redirect(url_for("public.home"), 303)
    for cookie in (COOKIE, MARK):
        response.delete_cookie(cookie_name(cookie, request.is_secure), path=COOKIE_PATH, secure=request.is_secure,
                               httponly=True, samesite="Strict")
    return response


def password_trouble(typed: str) -> tuple[str, int] | None:
    """What to say, with its status, unless this is the password of the keeper who is signed in: who has only their browser
    in hand shall not do the worst with it."""
    known = board().password_hash(session["name"])
    try:
        right = tries().make(_whose_tries(known), partial(is_password, known, typed), lambda right: right is not True)
    except TooManyTries:
        return too_many(), 429
    return None if right else (_("This is not your password. Nothing was done."), 403)


def _whose_tries(password_hash: str | None) -> bytes:
    """Whom a try counts for: the visitor, but a browser where this very password has let the keeper in is one of its own.

    So a keeper is let in at once from a network where somebody guesses (OWASP calls it a device cookie). The mark holds
    chance alone and opens nothing.
    """
    try:
        mark: str = _marks(password_hash or "").loads(request.cookies.get(cookie_name(MARK, request.is_secure), ""),
                                                       max_age=MARK_S)
    except BadSignature:
        return visitor().now
    return mark.encode() if password_hash else visitor().now


def _marks(password_hash: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().secret_key, salt=MARK + password_hash)


def named(typed: str) -> str:
    """A name as keepers' names are kept."""
    return fit_name(typed) or typed.strip()


def too_many() -> str:
    """What a visitor reads who must wait."""
    return said(explanations.problem("tries"))


def password_hash(wish: str) -> str:
    """What is kept of a password that somebody chose."""
    return generate_password_hash(spellings(wish)[0])


def is_password(known: str | None, typed: str) -> bool:
    """Whether it is the password behind the hash `known`; for None (nobody) it takes as long."""
    text = spellings(typed)[0][:MOST]
    return check_password_hash(known or _nobody(), text) and known is not None


@cache
def _nobody() -> str:
    """The hash of a password that nobody knows."""
    return generate_password_hash(secrets.token_hex(8))

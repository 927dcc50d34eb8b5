"""The first start of an island: `/start` is all its portal has, behind the code of the card; all else leads there.

What is typed is kept by `node.board.starting.Starting` until the last press; a founder's key is shown once.
"""

import hmac
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, BinaryIO, cast

from flask import Blueprint, Flask, current_app, make_response, redirect, render_template, request, session, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from node.board import explanations
from node.board.founding import FOUNDERS
from node.board.keywords import fingerprint_words
from node.board.starting import IslandWish, Starting, StartRefused, Way
from node.i18n.sentence import N_
from node.model.names import fit_name
from node.model.passphrase import LEAST, passphrase_fault, spellings
from web import dates
from web.founder_keys import check_page, key_sheet, typed_words
from web.languages import add_languages, current, said
from web.languages import gettext as _
from web.pages import add_pages, settings
from web.portal_settings import WebSettings
from web.probes import ours
from web.request_body import MAX_FIELDS, MAX_FORM_BYTES, PortalRequest, expect_file
from web.safe_address import add_safe_address
from web.safe_text import one_line
from web.sentences import RULES
from web.sessions import OpenSessions
from web.settings_notices import notice
from web.signin import never_kept, password_hash, too_many, tries
from web.tries import TooManyTries, Tries
from web.visitor import add_visitors, visitor

PATH = "/start"
MAX_CODE = 100  # characters that are looked at
MAX_INVITATION_BYTES, MAX_LETTERS = 20_000, 4_000  # the longest has some 3,000 letters; so many are shown again
MAX_PHOTO_BYTES = 12_000_000  # as the reader of codes takes them
MAX_BACKUP_BYTES = 1 << 24  # larger ones: archipel restore
STARTS_WITHIN_S, RETRY_S = 20, 5  # then the new island's page is asked for
STEPS = {"island": N_("The island"), "keeper": N_("The first keeper"), "set": N_("The set"), "keys": N_("Founders’ keys"),
         "end": N_("Begin")}
Page = str | tuple[str, int] | Response
start = Blueprint("start", __name__, url_prefix=PATH)
start.after_request(never_kept)


def create_start(starting: Starting, settings_: WebSettings) -> Flask:
    """The portal of an island that has no set yet; safe from any thread, for one process."""
    app = Flask(__name__, static_folder=None)
    app.request_class = PortalRequest
    app.url_map.strict_slashes = False
    app.config.update(MAX_CONTENT_LENGTH=MAX_FORM_BYTES, MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES, MAX_FORM_PARTS=MAX_FIELDS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions.update(starting=starting, settings=settings_, tries=Tries(settings_.monotonic))
    app.session_interface = OpenSessions(lambda name: "", settings_.monotonic, PATH)
    for otherwise in (404, 405):  # a phone that comes back to a tab asks anew for what was the answer to a form
        app.register_error_handler(otherwise, lambda error: redirect(url_for("start.show"), 303))
    app.register_error_handler(413, _too_large)
    for failure in (400, 500):
        app.register_error_handler(failure, lambda error: (render_template("broken.html"), error.code))
    add_languages(app, settings_.language)
    add_pages(app)
    add_safe_address(app, "start/base.html")
    app.before_request(_lead)
    app.jinja_env.filters.update(one_line=one_line, notice=notice)
    app.jinja_env.globals.update(island=lambda: settings_, bdi=lambda text: Markup("<bdi>{}</bdi>").format(one_line(text)))
    app.register_blueprint(start)
    add_visitors(app, settings_.monotonic)
    return app


def starting() -> Starting:
    """The first start at hand."""
    return current_app.extensions["starting"]


def _lead() -> Response | None:
    """Every other address leads to the page; so does what a phone asks to learn whether it is online."""
    if starting().begun():
        return _begun()
    host = request.host.rsplit(":", 1)[0].strip("[]").lower().rstrip(".")
    if not ours(host, settings().host):
        response = redirect(settings().base_url.rstrip("/") + PATH, 302)
    elif request.path == PATH or request.path.startswith(PATH + "/"):
        return None
    else:
        response = redirect(PATH, 303)
    response.headers["Cache-Control"] = "no-store"
    return response


def _too_large(error: Exception) -> Page:
    photo, backup = MAX_PHOTO_BYTES // 1_000_000, MAX_BACKUP_BYTES // 1_000_000
    return render_template("start/too_large.html", photo=photo, backup=backup), 413


def with_code(view: Callable) -> Callable:
    """Ask for the code instead, of who has not given it; a form must carry the session's own token."""

    @wraps(view)
    def guarded(**arguments: str) -> Any:
        if not session.get("name"):
            return _code_page()
        if request.method == "POST" and not hmac.compare_digest(
                request.form.get("csrf", "").encode("utf-8", "replace"), session["csrf"].encode()):
            return _code_page(_("This page had been open for too long. Nothing was done: please try again.")), 400
        return view(**arguments)

    return guarded


@start.get("")
@with_code
def show() -> Page:
    """The first step that is still to be done."""
    return redirect(url_for(f"start.{_next()}"), 303)


@start.post("/code")
def code() -> Page:
    """Let in who has the card's code; wrong ones cost whoever types them."""
    typed = request.form.get("code", "")[:MAX_CODE]
    try:
        right = tries().make(visitor().now, partial(starting().knows, typed), lambda right: right is not True)
    except TooManyTries:
        return _code_page(too_many(), typed), 429
    if not right:
        return _code_page(_("This is not the code of this island. Look at the card, or where it was started."), typed), 403
    response = redirect(url_for("start.show"), 303)
    sessions = current_app.session_interface
    assert isinstance(sessions, OpenSessions)
    sessions.start("code", "", response, request.is_secure)
    return response


def _code_page(wrong: str = "", typed: str = "") -> str:
    return render_template("start/code.html", wrong=wrong, typed=typed, notices=starting().notices())


@start.route("/island", methods=["GET", "POST"])
@with_code
def island() -> Page:
    """What it is called, its language, its country, who may post."""
    form = request.form
    if request.method == "GET":
        return _page("island", {}, starting().draft().island)
    wish = IslandWish(*(form.get(name, "")[:200] for name in ("name", "language", "country", "posting")))
    try:
        starting().describe(wish)
    except StartRefused as refused:
        return _page("island", _worded(refused), wish), 422
    return redirect(url_for(f"start.{_next()}"), 303)


@start.route("/keeper", methods=["GET", "POST"])
@with_code
def keeper() -> Page:
    """Who looks after it first, and their password. One that was given stays unless another is typed."""
    form, known = request.form, starting().draft().keeper
    if request.method == "GET":
        return _page("keeper", {}, known)
    typed, wish = form.get("keeper", "")[:200], form.get("new", "")
    name = fit_name(typed)
    if name and name == known and not wish:
        return redirect(url_for(f"start.{_next()}"), 303)
    problems = _keeper_trouble(name, wish, form.get("again", ""))
    if problems or name is None:
        return _page("keeper", problems, typed), 422
    try:
        made = tries().make(visitor().now, lambda: password_hash(wish), lambda made: False)
    except TooManyTries:
        return _page("keeper", {"": too_many()}, typed), 429
    starting().let_in(name, made)
    return redirect(url_for(f"start.{_next()}"), 303)


def _keeper_trouble(name: str | None, wish: str, again: str) -> dict[str, str]:
    problems = {} if name else {"keeper": said(explanations.name_refused())}
    fault = passphrase_fault(wish, name or "", settings().name, starting().draft().island.name)
    if fault:
        problems["new"] = said(explanations.passphrase(fault))
    elif spellings(wish) != spellings(again):
        problems["new"] = _("The two were not typed alike. Please type them again.")
    return problems


@start.before_request
def make_room() -> None:
    """A photograph as a phone makes it may come whole, and a backup."""
    most = {"start.set": MAX_PHOTO_BYTES, "start.restore": MAX_BACKUP_BYTES}.get(request.endpoint or "")
    if most and session.get("name"):
        expect_file(most)


@start.route("/set", methods=["GET", "POST"], endpoint="set")
@with_code
def set_() -> Page:
    """Found a set, with founders' keys or later; or join one by an invitation."""
    draft = starting().draft()
    shown = {"set_name": draft.set_name or draft.island.name, "keys": str(draft.keys or FOUNDERS[-1])}
    if request.method == "GET":
        return _page("set", {}, shown)
    try:
        _choose_set()
    except StartRefused as refused:
        typed = shown | request.form.to_dict()
        return _page("set", _worded(refused), typed | {"letters": typed.get("letters", "")[:MAX_LETTERS]}), 422
    return redirect(url_for(f"start.{_next()}"), 303)


def _choose_set() -> None:
    form, file, picture = request.form, request.files.get("file"), request.files.get("picture")
    if form.get("way") != Way.JOIN:
        keys = form.get("keys", "")
        starting().found(form.get("set_name", ""), int(keys) if keys in "023" and keys else -1)
    elif file and file.filename:
        starting().join(file.read(MAX_INVITATION_BYTES).decode("utf-8", "replace"))
    elif picture and picture.filename:
        starting().join_picture(picture.read(MAX_PHOTO_BYTES))
    else:
        starting().join(form.get("letters", ""))


@start.route("/restore", methods=["GET", "POST"])
@with_code
def restore() -> Page:
    """A backup, and the island is what it was: this box takes the place of another one."""
    file = request.files.get("file")
    if request.method == "GET" or not (file and file.filename):
        problems = {} if request.method == "GET" else {"file": _("Please choose the file of the backup.")}
        return _page("restore", problems, ""), 422 if problems else 200
    stream, passphrase = cast(BinaryIO, file.stream), request.form.get("passphrase", "")
    try:
        tries().make(visitor().now, partial(starting().restore, stream, passphrase),
                     lambda outcome: isinstance(outcome, StartRefused))
    except TooManyTries:
        return _page("restore", {"": too_many()}, ""), 429
    except StartRefused as refused:
        return _page("restore", _worded(refused), ""), 422
    return _begun()


@start.get("/keys")
@with_code
def keys() -> Page:
    """Founders' keys: which one comes next; or the words that are asked for."""
    founders = starting().founders()
    if founders is None or founders.written() == founders.count:
        return redirect(url_for(f"start.{_next()}"), 303)
    return check_page("start/keys.html", founders, steps=_steps("keys"))


@start.post("/keys/show")
@with_code
def show_key() -> Page:
    """A key, this once."""
    founders = starting().founders()
    if founders is None or founders.written() == founders.count:
        return redirect(url_for("start.show"), 303)
    return key_sheet(founders, starting().draft().set_name, url_for("start.keys"))


@start.post("/keys/check")
@with_code
def check_key() -> Page:
    """Whether it was written down."""
    founders = starting().founders()
    if founders is not None and not founders.check(typed_words(founders)):
        return check_page("start/keys.html", founders, steps=_steps("keys"), wrong=True), 422
    return redirect(url_for("start.keys"), 303)


@start.route("/end", methods=["GET", "POST"])
@with_code
def end() -> Page:
    """All that was said, once more; then (POST) the island is made."""
    lacking = _next()
    if lacking != "end":
        return redirect(url_for(f"start.{lacking}"), 303)
    draft = starting().draft()
    if request.method == "GET":
        return _page("end", {}, draft)
    try:
        starting().begin()
    except StartRefused as refused:
        return _page("end", _worded(refused), draft), 422
    return _begun()


def _begun() -> Response:
    """While the island starts anew; whoever pressed comes to its sheet by themselves, all others to its first page."""
    pressed = request.endpoint in ("start.end", "start.restore")
    response = make_response(render_template("start/begun.html", draft=starting().draft()), 200 if pressed else 503)
    response.headers["Refresh"] = f"{STARTS_WITHIN_S}; url=/keeper/sheet" if pressed else f"{RETRY_S}; url=/"
    return response


def _page(step: str, problems: dict[str, str], typed: Any) -> str:
    draft = starting().draft()
    words = fingerprint_words(draft.invited.set_id, current().tag) if draft.invited else ()
    return render_template(f"start/{step}.html", problems=problems, typed=typed, draft=draft, fixed=starting().fixed(),
                           steps=_steps(step), rules=RULES, least=LEAST, fingerprint=words,
                           now=dates.here(starting().now(), settings().zone),
                           written=founders.written() if (founders := starting().founders()) else 0)


def _steps(here: str) -> list[tuple[str, str, bool, bool]]:
    """(address, name, done, here) of each step."""
    founders, done = starting().founders(), _done()
    return [(url_for(f"start.{step}"), _(name), done[step], step == here) for step, name in STEPS.items()
            if step != "keys" or founders is not None]


def _done() -> dict[str, bool]:
    draft, founders = starting().draft(), starting().founders()
    return {"island": draft.described, "keeper": bool(draft.keeper), "set": draft.way is not Way.NONE,
            "keys": founders is None or founders.written() == founders.count, "end": False}


def _next() -> str:
    """The first step that is not done."""
    return next(step for step, done in _done().items() if not done)


def _worded(refused: StartRefused) -> dict[str, str]:
    return {field: said(sentence) for field, sentence in refused.problems.items()}

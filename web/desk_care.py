"""Care of the box on the keepers' desk: its state, backups, checks, starting again, updates, the end of the island.

What cannot be undone has a second look. What would give the island away, or end it, asks for the password once more: a
browser that is still signed in is not enough. What this machine does not do is said instead of offered.
"""

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from node.board.care import CareAct
from node.i18n.sentence import Explained
from node.model.names import fit_name
from node.model.passphrase import LEAST
from web import sentences
from web.languages import current, said
from web.languages import gettext as _
from web.pages import board, fitted, settings
from web.signin import for_keepers, never_kept, password_trouble

WAIT_S = 5  # between two looks at what is under way: a page asks for itself again
ROWS = 2  # findings for each row that `fitted` allows
UNITS = ((1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB"))
Page = str | tuple[str, int] | AnyResponse
desk_care = Blueprint("desk_care", __name__, url_prefix="/keeper/care")
desk_care.after_request(never_kept)


@desk_care.context_processor
def words() -> dict:
    """What these templates say."""
    return {"octets": octets, "last_backup": board().notes.state.backup, "wait_s": WAIT_S, "least": LEAST}


@desk_care.get("")
@for_keepers
def show() -> str:
    """The state of the box, and what can be done about it."""
    care, status = board().care, board().status()
    return render_template("keeper/care.html", facts=care.facts(), checkup=care.checkup(), backup=care.backup(),
                           clock_source=sentences.time_source(status.host.clock.source), errors=status.host.card_errors)


# backups


@desk_care.get("/backup")
@for_keepers
def backup() -> str:
    """Make one, take it away; what to do with it."""
    return _backup()


def _backup(notice: str = "") -> str:
    care = board().care
    return render_template("keeper/backup.html", backup=care.backup(), facts=care.facts(), notice=notice)


@desk_care.post("/backup")
@for_keepers
def make_backup() -> Page:
    """Begin one."""
    form = request.form
    trouble = password_trouble(form.get("password", ""))
    if trouble:
        return _backup(trouble[0]), trouble[1]
    if form.get("passphrase", "") != form.get("again", ""):
        return _backup(_("The two passphrases differ. Type the same one twice.")), 422
    try:
        board().care.make_backup(form.get("passphrase", ""), session["name"], form.get("why", ""))
    except Explained as refused:
        return _backup(said(refused.sentence)), 422
    return redirect(url_for("desk_care.backup"), 303)


@desk_care.get("/backup/<label>/<name>")
@for_keepers
def backup_file(label: str, name: str) -> Page:
    """The backup that waits, as a file; whoever breaks off may begin again."""
    waiting = board().care.backup()
    if waiting.label != label or waiting.name != name:
        return _backup(_("This backup is not on the card any more. Make another one.")), 404
    if request.method == "HEAD":
        return _as_file(Response(), name, waiting.size_bytes)
    try:
        file = board().care.take_backup(label, session["name"])
    except Explained as refused:
        return _backup(said(refused.sentence)), 409
    if file is None:
        return _backup(_("This backup is not on the card any more. Make another one.")), 404
    return _as_file(Response(file.blocks), name, file.size_bytes)


def _as_file(response: Response, name: str, size_bytes: int) -> Response:
    response.mimetype = "application/octet-stream"
    response.content_length = size_bytes
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


@desk_care.post("/backup/stick")
@for_keepers
def carry_backup() -> Page:
    """Have it put on the stick."""
    try:
        board().care.carry_backup(session["name"])
    except Explained as refused:
        return _backup(said(refused.sentence)), 422
    return redirect(url_for("desk_care.backup"), 303)


@desk_care.post("/backup/drop")
@for_keepers
def drop_backup() -> Page:
    """Remove it from the card before its time."""
    board().care.drop_backup(session["name"])
    return redirect(url_for("desk_care.backup"), 303)


# checks


@desk_care.route("/checkup", methods=["GET", "POST"])
@for_keepers
def checkup() -> Page:
    """What the doctor finds; (POST) look again."""
    if request.method == "POST":
        board().care.examine()
        return redirect(url_for("desk_care.checkup"), 303)
    found = board().care.checkup()
    order = sorted(found.findings, key=lambda one: ("bad", "note", "ok").index(one.level))
    return fitted("keeper/checkup.html", lambda rows: {"checkup": found, "findings": order[:rows * ROWS]})


# orders


@desk_care.get("/do/<act>")
@for_keepers
def look(act: str) -> str:
    """The second look: what it does, and a button that does it."""
    return _look(_act(act))


def _look(act: CareAct, notice: str = "") -> str:
    return render_template("keeper/act.html", act=act, facts=board().care.facts(), notice=notice, typed=request.form)


@desk_care.post("/do/<act>")
@for_keepers
def do(act: str) -> Page:
    """Order it. To destroy the island, its name must be typed."""
    wanted = _act(act)
    if wanted is CareAct.WIPE and not is_name(request.form.get("name", ""), settings().name):
        return _look(wanted, _("This is not the name of this island. Nothing was done.")), 422
    trouble = password_trouble(request.form.get("password", "")) if wanted is CareAct.WIPE else None
    if trouble:
        return _look(wanted, trouble[0]), trouble[1]
    try:
        board().care.order(wanted, session["name"], request.form.get("why", ""))
    except Explained as refused:
        return _look(wanted, said(refused.sentence)), 422
    return render_template("keeper/ordered.html", act=wanted)


@desk_care.route("/code", methods=["GET", "POST"])
@for_keepers
def code() -> Page:
    """The code by which a stick destroys this island; (POST) with the password, it is shown."""
    trouble = password_trouble(request.form.get("password", "")) if request.method == "POST" else ("", 200)
    wipe_code = board().care.wipe_code()
    if trouble:
        return render_template("keeper/wipe_code.html", there=bool(wipe_code), notice=trouble[0]), trouble[1]
    return render_template("keeper/wipe_code.html", there=bool(wipe_code), wipe_code=wipe_code)


def _act(slug: str) -> CareAct:
    try:
        return CareAct(slug)
    except ValueError:
        abort(404)


def is_name(typed: str, name: str) -> bool:
    """Whether a keeper typed this name; capitals, accents' ways of being typed and blanks aside."""
    return _plain(typed) == _plain(name) != ""


def _plain(name: str) -> str:
    return " ".join((fit_name(name) or name).casefold().split())


def octets(count: int) -> str:
    """So many octets, as people say it: 1.5 GB."""
    size, unit = next(((size, unit) for size, unit in UNITS if count >= size), UNITS[-1])
    number = current().number(count / size)
    if unit == "GB":
        return _("%(num)s GB") % {"num": number}
    return (_("%(num)s MB") if unit == "MB" else _("%(num)s kB")) % {"num": number}

"""Keys on the keepers' desk: who may do what until when; invite, vouch, renew, revoke with a second look, keys on paper.

A founder's or keeper's key may be typed for one act. It is gone when the answer is made.
"""

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from node.board.keyring import (
    INVITED_DAYS,
    RENEWED_DAYS,
    UNDO_MIN,
    InvitationMade,
    InviteWish,
    KeyRole,
    KeyView,
    TypedKey,
    VouchWish,
)
from node.board.keywords import fingerprint_words
from node.i18n.sentence import N_, Explained
from node.model.clock import MAX_MINUTE
from web.forms import moment_of, typed
from web.item_display import today
from web.languages import current, said
from web.languages import gettext as _
from web.pages import board, fitted, settings
from web.qr import dense_qr, qr
from web.signin import for_keepers, never_kept

ROWS = 2  # keys for each row that `fitted` allows
INVITATION_FILE = "invitation.txt"  # the name by which the SD image knows one on its card
MAX_KEY_FILE = 4_000  # octets; a key file has some 200
RIGHTS = {"write": N_("may write"), "vouch": N_("may vouch"), "urgent": N_("may mark as urgent"), "group": N_("is a group"),
          "invite": N_("may invite")}
MORE = ("vouch", "urgent", "group")
Page = str | tuple[str, int] | AnyResponse
desk_keys = Blueprint("desk_keys", __name__, url_prefix="/keeper/keys")
desk_keys.after_request(never_kept)


@desk_keys.context_processor
def words() -> dict:
    """What these templates say of keys."""
    return {"say_rights": say_rights, "shown_name": shown_name, "last_minute": MAX_MINUTE,
            "rights": board().keyring.rights()}


@desk_keys.get("")
@for_keepers
def tree() -> str:
    """What needs attention, and every key below the one that vouched for it."""
    return _tree()


def _tree(notice: str = "") -> str:
    keyring, first = board().keyring, request.args.get("from", 0, type=int)
    views = keyring.tree()
    first = min(max(first, 0), max(len(views) - 1, 0))
    names = {view.id: shown_name(view) for view in views}
    ends = sorted((end for end in keyring.rights().ends if not end.here and not end.invitation), key=lambda end: end.until)
    proposed = [view for view in views if view.promised and keyring.rights().vouches]

    def fill(rows: int) -> dict:
        last = first + rows * ROWS
        return {"views": views[first:last], "after": last if last < len(views) else 0, "names": names,
                "ends": ends[:rows], "waiting": keyring.waiting()[:rows], "proposed": proposed[:rows], "own": keyring.own(),
                "notice": notice}

    return fitted("keeper/keys.html", fill)


@desk_keys.get("/<key_id>")
@for_keepers
def one(key_id: str) -> str:
    """One key, and what can be done about it."""
    return _one(key_id)


def _one(key_id: str, notice: str = "") -> str:
    keyring = board().keyring
    own = keyring.own()
    found = [own] if key_id == own.id else [view for view in keyring.find(key_id) if view.id == key_id]
    if not found:
        abort(404)
    view = found[0]
    names = {each.id: shown_name(each) for each in keyring.tree()}
    words = fingerprint_words(bytes.fromhex(view.public), current().tag) if view.public else ()
    code = qr(view.public.upper(), view.public) if view.here else ""
    looked, wished = (request.form if request.endpoint == f"desk_keys.{act}" else {} for act in ("look", "vouch"))
    return render_template("keeper/key.html", view=view, names=names, fingerprint=words, code=code, notice=notice,
                           typed=wished, looked=looked, renewed_days=RENEWED_DAYS)


@desk_keys.get("/new")
@for_keepers
def new() -> str:
    """Where a whole key is typed, to be vouched for; `?who=`, `?name=` and rights (`?vouch=1`, `?group=1`) fill it in."""
    return _new()


def _new(notice: str = "") -> str:
    return render_template("keeper/new_key.html", typed=request.form or request.args, notice=notice,
                           renewed_days=RENEWED_DAYS)


@desk_keys.post("/vouch")
@for_keepers
def vouch() -> Page:
    """Vouch for a key, or renew it; in one press, or with another key typed for it."""
    form, known = request.form, request.form.get("known", "")
    more = frozenset(right for right in MORE if form.get(right))
    wish = VouchWish(form.get("who", "")[:200], form.get("name", "")[:200], more, form.get("days", RENEWED_DAYS, type=int))
    try:
        view = board().keyring.vouch(wish, session["name"], typed_key(), request.form.get("why", ""))
    except Explained as refused:
        notice = said(refused.sentence)
        return (_one(known, notice) if known else _new(notice)), 422
    return redirect(url_for("desk_keys.one", key_id=view.id, done=1), 303)


@desk_keys.route("/invite", methods=["GET", "POST"])
@for_keepers
def invite() -> Page:
    """How long, and what for; then the invitation is made."""
    form = request.form
    if request.method == "GET":
        return _invite()
    wish = InviteWish(form.get("days", INVITED_DAYS, type=int), bool(form.get("group")), bool(form.get("keeper")))
    try:
        made = board().keyring.invite(wish, session["name"], typed_key(), request.form.get("why", ""))
    except Explained as refused:
        return _invite(said(refused.sentence)), 422
    return redirect(url_for("desk_keys.invitation", label=made.label), 303)


def _invite(notice: str = "") -> str:
    return render_template("keeper/invite.html", typed=request.form or request.args, notice=notice,
                           invited_days=INVITED_DAYS, coming=board().keyring.secret().coming)


@desk_keys.get("/invitation/<label>")
@for_keepers
def invitation(label: str) -> str:
    """An invitation that was just made, as a sheet to print: letters, QR code, and the file."""
    made = _made(label)
    return render_template("keeper/invitation.html", made=made)


@desk_keys.get("/invitation/<label>/code.svg")
@for_keepers
def invitation_code(label: str) -> Response:
    """Its QR code."""
    return Response(dense_qr("".join(_made(label).letters.split())), mimetype="image/svg+xml")


@desk_keys.get("/invitation/<label>/file")
@for_keepers
def invitation_file(label: str) -> Response:
    """Its file, for the card of the new island."""
    response = Response(_made(label).letters + "\n", mimetype="text/plain")
    response.headers.set("Content-Disposition", "attachment", filename=INVITATION_FILE)
    return response


def _made(label: str) -> InvitationMade:
    made = board().keyring.invitation(label)
    if made is None:
        abort(404)
    return made


@desk_keys.post("/look")
@for_keepers
def look() -> Page:
    """What revoking a key would do; nothing is done."""
    who = request.form.get("who", "")
    what = typed(request.form)
    since = moment_of(what, "start", settings()) if what.start_date or what.start_time else None
    if what.problems:
        return _one(who, _("Give the day as 2026-03-21 and the hour as 18:30.")), 422
    try:
        preview = board().keyring.look(who, since, typed_key())
    except Explained as refused:
        return _one(who, said(refused.sentence)), 422
    return render_template("keeper/revoke.html", preview=preview, name=shown_name(preview.subject), undo_min=UNDO_MIN)


@desk_keys.post("/revoke")
@for_keepers
def revoke() -> Page:
    """Do what was looked at: in some minutes, or at once."""
    try:
        board().keyring.revoke(request.form.get("label", ""), session["name"], bool(request.form.get("at_once")),
                               request.form.get("why", ""))
    except Explained as refused:
        return _tree(said(refused.sentence)), 422
    return redirect(url_for("desk_keys.tree"), 303)


@desk_keys.post("/undo")
@for_keepers
def undo() -> Page:
    """Drop a revocation that was not sent yet."""
    if not board().keyring.undo(request.form.get("id", ""), session["name"]):
        return _tree(_("It had been sent already: a revocation that is out cannot be taken back.")), 422
    return redirect(url_for("desk_keys.tree"), 303)


@desk_keys.route("/paper", methods=["GET", "POST"])
@for_keepers
def paper_key() -> str:
    """What a key on paper is for; then (POST) a new one, shown this once, to be printed or copied."""
    if request.method == "GET":
        return render_template("keeper/paper_key.html")
    key = board().keyring.paper_key(current().tag, session["name"])
    code = dense_qr(" ".join(key.words).upper(), inline=True)
    return render_template("keeper/key_sheet.html", key=key, code=code, printed=today())


def shown_name(view: KeyView) -> str:
    """What a key is called, for people: a founder's key on paper has no name."""
    if view.role is KeyRole.INVITATION:
        return _("Invitation %(id)s") % {"id": view.id[:8]}
    if view.name != view.id:
        return view.name
    return (_("Founder’s key %(id)s") if view.role is KeyRole.FOUNDER else _("Key %(id)s")) % {"id": view.id[:8]}


def say_rights(view: KeyView) -> str:
    """What a key is and may do, in words."""
    if view.role is KeyRole.INVITATION:
        return _("an invitation that nobody has used yet")
    if view.cut is not None:
        return _("revoked")
    may = _(", ").join(_(RIGHTS[right]) for right in view.rights if right in RIGHTS)
    return may or _("nothing any more")


def typed_key() -> TypedKey | None:
    """The key that a keeper typed or gave the file of, None for the island's own."""
    file = request.files.get("key_file")
    text = file.read(MAX_KEY_FILE).decode("utf-8", "replace") if file and file.filename else request.form.get("key", "")
    return TypedKey(text, request.form.get("passphrase", "")) if text.strip() else None

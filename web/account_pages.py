"""Keepers and groups on the keepers' pages: passwords, open sessions, who can sign in, which groups sign here."""

import base64
import secrets

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board import explanations
from node.board.keyring import VouchWish
from node.board.reasons import AuditAction
from node.i18n.sentence import Explained
from node.model.keys import SEED_BYTES, SigningKey
from node.model.names import fit_name
from node.model.passphrase import LEAST, SALT_BYTES, WrongPassphrase, passphrase_fault, seal, spellings, unseal
from web.languages import gettext as _
from web.languages import said
from web.pages import board, settings
from web.signin import for_keepers, is_password, never_kept, password_hash, sessions, signed_in, too_many, tries
from web.tries import TooManyTries
from web.visitor import visitor

Page = str | tuple[str, int] | Response
accounts = Blueprint("accounts", __name__, url_prefix="/keeper")
accounts.after_request(never_kept)


@accounts.get("/people")
@for_keepers
def people() -> str:
    """Who can sign in, who is signed in, and one's own password."""
    return _people()


def _people(notice: str = "") -> str:
    keepers, named = board().keepers(), board().keepers_of_card()
    return render_template("keeper/people.html", notice=notice, keepers=keepers, least=LEAST, sessions=sessions().listed(),
                           gone=[name for name in named if name not in keepers], typed=request.form)


@accounts.post("/password")
@for_keepers
def password() -> Page:
    """Another password for who is signed in. Every session under the old one ends, and one opens here."""
    name, wish = session["name"], request.form.get("new", "")
    if trouble := _trouble(wish, name):
        return _people(trouble), 422
    known, typed = board().password_hash(name), request.form.get("present", "")
    try:
        made = tries().make(visitor().now, lambda: password_hash(wish) if is_password(known, typed) else "",
                            lambda made: made == "")
    except TooManyTries:
        return _people(too_many()), 429
    if not made:
        return _people(_("This is not your present password. Nothing was changed.")), 403
    board().set_keeper(name, made, name)
    return signed_in(name, made, redirect(url_for("accounts.people", done=1), 303))


@accounts.post("/session")
@for_keepers
def end_session() -> Page:
    """End a session, one's own or another keeper's."""
    label = request.form.get("label", "")
    whose = next((keeper for one, keeper, *_ in sessions().listed() if one == label), "")
    sessions().end(label)
    if whose and whose != session["name"]:
        board().log_act(AuditAction.SESSION_END, session["name"], whose)
    return redirect(url_for("accounts.people"), 303)


@accounts.post("/people")
@for_keepers
def add_keeper() -> Page:
    """Let somebody else sign in."""
    name, wish = fit_name(request.form.get("name", "")), request.form.get("new", "")
    if name is None:
        return _people(said(explanations.name_refused())), 422
    if board().password_hash(name):
        return _people(_("%(name)s is a keeper already. Nothing was changed.") % {"name": name}), 409
    if trouble := _trouble(wish, name):
        return _people(trouble), 422
    try:
        made = tries().make(visitor().now, lambda: password_hash(wish), lambda made: False)
    except TooManyTries:
        return _people(too_many()), 429
    board().set_keeper(name, made, session["name"])
    return redirect(url_for("accounts.people"), 303)


@accounts.route("/people/remove", methods=["GET", "POST"])
@for_keepers
def remove_keeper() -> Page:
    """Let somebody sign in no more, after a second look (GET)."""
    if request.method == "GET":
        return _second_look("keeper", board().keepers()) or redirect(url_for("accounts.people"), 303)
    board().remove_keeper(request.form.get("name", ""), session["name"], request.form.get("why", ""))
    return redirect(url_for("accounts.people"), 303)


@accounts.get("/groups")
@for_keepers
def groups() -> str:
    """Which groups sign here; with `?name=`, the form for another passphrase of one."""
    return _groups(chosen=request.args.get("name", ""))


def _groups(notice: str = "", chosen: str = "") -> str:
    names = board().groups()
    return render_template("keeper/groups.html", notice=notice, groups=names, least=LEAST, typed=request.form,
                           chosen=chosen if chosen in names else "")


@accounts.post("/groups/new")
@for_keepers
def add_group() -> Page:
    """Make a group's key and vouch for it; where this island may not, the page follows where another key signs that."""
    name, wish = fit_name(request.form.get("name", "")), request.form.get("new", "")
    if name is None:
        return _groups(said(explanations.name_refused())), 422
    if trouble := _trouble(wish, name):
        return _groups(trouble), 422
    seed = secrets.token_bytes(SEED_BYTES)
    try:
        sealed = tries().make(visitor().now, lambda: _sealed(seed, wish), lambda made: False)
    except TooManyTries:
        return _groups(too_many()), 429
    if not board().add_group(name, sealed, session["name"]):
        return _groups(_("%(name)s has a key here already. Nothing was changed.") % {"name": name}), 409
    public = SigningKey(seed).public.hex()
    try:
        board().keyring.vouch(VouchWish(public, name, frozenset({"group"})), session["name"])
    except Explained:
        return redirect(url_for("desk_keys.new", who=public, name=name, group=1, made=1), 303)
    return redirect(url_for("accounts.groups", made=name), 303)


@accounts.post("/groups")
@for_keepers
def change_passphrase() -> Page:
    """The same key under another passphrase, for who knows the present one."""
    name, present, wish = (request.form.get(field, "") for field in ("name", "present", "new"))
    sealed = board().group_seal(name)
    if sealed is None:
        return _groups(said(explanations.problem("group-unknown"))), 404
    if trouble := _trouble(wish, name):
        return _groups(trouble, name), 422
    try:
        after = tries().make(visitor().now, lambda: _resealed(sealed, present, wish),
                             lambda outcome: isinstance(outcome, WrongPassphrase))
    except TooManyTries:
        return _groups(too_many(), name), 429
    except WrongPassphrase:
        return _groups(said(explanations.problem("passphrase-wrong")), name), 403
    board().reseal_group(name, sealed, after, session["name"])
    return redirect(url_for("accounts.groups", done=1), 303)


@accounts.route("/groups/remove", methods=["GET", "POST"])
@for_keepers
def remove_group() -> Page:
    """Forget a group's key, after a second look (GET)."""
    if request.method == "GET":
        return _second_look("group", board().groups()) or redirect(url_for("accounts.groups"), 303)
    board().remove_group(request.form.get("name", ""), session["name"], request.form.get("why", ""))
    return redirect(url_for("accounts.groups"), 303)


def _second_look(what: str, names: list[str]) -> str:
    """What it means to remove the one that the address names, and the button that does; "" for who is not there."""
    name = request.args.get("name", "")
    return render_template("keeper/remove.html", what=what, name=name, last=len(names) == 1) if name in names else ""


def _trouble(wish: str, name: str) -> str:
    """Why a new password or passphrase will not do, in words; "" if it will."""
    if spellings(wish) != spellings(request.form.get("again", "")):
        return _("The two were not typed alike. Nothing was changed: please type them again.")
    fault = passphrase_fault(wish, name, settings().name)
    return said(explanations.passphrase(fault)) if fault else ""


def _resealed(sealed: str, present: str, wish: str) -> str:
    return _sealed(unseal(base64.b64decode(sealed), present), wish)


def _sealed(seed: bytes, wish: str) -> str:
    return base64.b64encode(seal(seed, wish, secrets.token_bytes(SALT_BYTES))).decode()

"""The set's secret on the keepers' desk: what it is, since when; a new one after a second look; and how to catch up.

A founder's key may be typed for the one act. It is gone when the answer is made.
"""

from collections.abc import Iterable

from flask import Blueprint, redirect, render_template, request, session, url_for

from node.i18n.sentence import N_, Explained
from web.desk_keys import Page, shown_name, typed_key
from web.languages import gettext as _
from web.pages import board, fitted
from web.settings_notices import said
from web.signin import for_keepers, never_kept

WAITS = {0: N_("At once: a card was stolen, a box seized"), 1: N_("In an hour: by then all have it, in most places"),
         24: N_("Tomorrow"), 168: N_("In a week: some islands are often off")}  # hours
STANDARD_WAIT = 1
NAMES = 3  # for each row that `fitted` allows: a hundred fit a page
LEFT_OUT = 6  # the same, of those who are left out: they come first, and all of them if they can
MAX_LETTERS = 8_000  # an invitation has some 1,000
desk_secret = Blueprint("desk_secret", __name__, url_prefix="/keeper/secret")
desk_secret.after_request(never_kept)


@desk_secret.get("")
@for_keepers
def show() -> str:
    """What the secret is, since when this one is spoken, and the way to a new one."""
    return _shown()


@desk_secret.post("/look")
@for_keepers
def look() -> Page:
    """Who would get a new one, and who would not; nothing is done."""
    hours = request.form.get("hours", STANDARD_WAIT, type=int)
    try:
        preview = board().keyring.look_at_renewal(hours, typed_key())
    except Explained as refused:
        return _shown(said(refused.sentence)), 422
    names, left_out = _called(preview.names), _called(preview.left_out)

    def fill(rows: int) -> dict:
        shown, out = rows * NAMES, rows * LEFT_OUT
        return {"preview": preview, "at_once": hours <= 0, "why": request.form.get("why", ""),
                "names": names[:shown], "more": len(names[shown:]),
                "left_out": left_out[:out], "more_out": len(left_out[out:])}

    return fitted("keeper/renew.html", fill)


@desk_secret.post("/renew")
@for_keepers
def renew() -> Page:
    """Do what was looked at."""
    try:
        board().keyring.renew(request.form.get("label", ""), session["name"], request.form.get("why", ""))
    except Explained as refused:
        return _shown(said(refused.sentence)), 422
    return redirect(url_for("desk_secret.show", done=1), 303)


@desk_secret.post("/catch-up")
@for_keepers
def catch_up() -> Page:
    """Take the present secret out of an invitation into the set."""
    try:
        board().keyring.catch_up(request.form.get("letters", "")[:MAX_LETTERS], session["name"])
    except Explained as refused:
        return _shown(said(refused.sentence)), 422
    return redirect(url_for("desk_secret.show", caught=1), 303)


def _shown(notice: str = "") -> str:
    keyring = board().keyring
    secret = keyring.secret()
    maker = "".join(_called([secret.maker])) if secret.maker else ""
    return render_template("keeper/secret.html", secret=secret, maker=maker, typed=request.form, notice=notice,
                           rights=keyring.rights(), waits=WAITS, standard=STANDARD_WAIT)


def _called(names: Iterable[str]) -> list[str]:
    """What keys are called, for people: some have only a number."""
    shown = {view.id: shown_name(view) for view in board().keyring.tree()}
    return [shown.get(name, _("Key %(id)s") % {"id": name[:8]} if _is_number(name) else name) for name in names]


def _is_number(name: str) -> bool:
    return len(name) == 16 and not name.strip("0123456789abcdef")

"""Handing the island over, on the keepers' desk: one page leads through all of it, and remembers what is done."""

from collections.abc import Mapping

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.api import DraftRefused
from node.board.handover import BY_HAND, SEEN_ONLY, HandoverStep, StepView
from node.i18n.sentence import N_
from web.languages import gettext as _
from web.pages import board
from web.signin import for_keepers, never_kept

Page = str | tuple[str, int] | Response
S = HandoverStep
TITLES: Mapping[HandoverStep, str] = {
    S.NEWCOMER: N_("Let the newcomer in"), S.PAPERS: N_("Hand over what is on paper"), S.TOOLS: N_("Hand over the things"),
    S.LEAVER: N_("Take the leaver out"), S.PASSWORDS: N_("New passwords for all keepers"),
    S.GROUPS: N_("New passphrases for the groups"), S.WIFI: N_("A new Wi-Fi password"),
    S.BROKER: N_("A new login for the broker"), S.SECRET: N_("A new secret for the set"),
    S.SHEET: N_("Print the new sheet"), S.POSTERS: N_("Change what hangs on walls"), S.BACKUP: N_("Make a backup"),
}
WHAT_TO_DO: Mapping[HandoverStep, str] = {
    S.NEWCOMER: N_("They type the password themselves, on this page, and nobody else sees it. Then they sign in with their "
                   "own phone and do the rest from there."),
    S.PAPERS: N_("The founders’ keys and other keys on paper, or where they are kept; the backup’s passphrase; the old "
                 "sheet. Nothing of it is photographed or sent."),
    S.TOOLS: N_("The card reader, the spare card, sticks, cables, the key of the place where the box stands."),
    S.LEAVER: N_("Their password ends, and so do their sessions, on every device."),
    S.PASSWORDS: N_("Each keeper who stays changes their own. It is done once all of them have."),
    S.GROUPS: N_("A member of each group types the present one and a new one. It is done once all of them have."),
    S.WIFI: N_("An open Wi-Fi has none: then this is done. Whoever uses the Wi-Fi needs the new one."),
    S.BROKER: N_("Whoever runs the broker gives another login. It stands in the settings file on the card: the card reader "
                 "is needed, and a restart."),
    S.SECRET: N_("Whoever left reads no more. A founder’s key signs it. If the leaver has an island of their own in the "
                 "set, revoke its key first."),
    S.SHEET: N_("It has the new passwords, and what to do when something happens. Destroy the old one."),
    S.POSTERS: N_("Posters and stickers with an old Wi-Fi password or another contact."),
    S.BACKUP: N_("With a new passphrase, which the newcomer chooses; away from the box."),
}
PLACES: Mapping[HandoverStep, str] = {  # the endpoint of the page where it is done
    S.NEWCOMER: "accounts.people", S.LEAVER: "accounts.people", S.PASSWORDS: "accounts.people", S.GROUPS: "accounts.groups",
    S.WIFI: "desk_settings.show", S.SECRET: "desk_secret.show", S.SHEET: "desk_sheet.show", S.POSTERS: "paper.index",
    S.BACKUP: "desk_care.backup",
}
desk_handover = Blueprint("desk_handover", __name__, url_prefix="/keeper/handover")
desk_handover.after_request(never_kept)


@desk_handover.app_context_processor
def under_way() -> dict:
    """What the desk asks of it."""
    return {"left_of_handover": lambda: len(_open(_steps()))}


@desk_handover.get("")
@for_keepers
def show() -> str:
    """The steps of the handover that is under way; without one, where it begins."""
    return _page()


def _page(notice: str = "") -> str:
    handover, found = board().handover(), _steps()
    places = {step: url_for(page, group="wifi" if step is S.WIFI else None) for step, page in PLACES.items()}
    said = {"titles": TITLES, "what": WHAT_TO_DO, "places": places, "by_hand": BY_HAND, "seen_only": SEEN_ONLY}
    return render_template("keeper/handover.html", handover=handover, steps=found, open=_open(found), notice=notice,
                           keepers=board().keepers(), typed=request.form, **said)


@desk_handover.post("/begin")
@for_keepers
def begin() -> Page:
    """Who comes, and who leaves."""
    newcomer, leaver = request.form.get("newcomer", ""), request.form.get("leaver", "")
    try:
        board().begin_handover(newcomer, leaver if leaver in board().keepers() else "", session["name"])
    except DraftRefused:
        return _page(_("Give the name of who comes: letters, digits and blanks, and not the name of who leaves.")), 422
    return _shown()


@desk_handover.post("/step")
@for_keepers
def step() -> Page:
    """It is done, or open after all."""
    name = request.form.get("step", "")
    if name not in set(HandoverStep) - SEEN_ONLY:
        abort(400)
    board().tick_handover(HandoverStep(name), request.form.get("action") != "open")
    return redirect(url_for("desk_handover.show", _anchor=name), 303)


@desk_handover.post("/end")
@for_keepers
def end() -> Page:
    """End it; while something is left to do, only after a second look (`sure`)."""
    left = _open(_steps())
    if left and not request.form.get("sure"):
        return render_template("keeper/handover_end.html", open=left, titles=TITLES)
    board().end_handover(session["name"], len(left))
    return redirect(url_for("keeper.desk"), 303)


def _steps() -> list[StepView]:
    host = board().status().host
    has_broker = any(link.name.startswith("mqtt") for link in host.links)
    return board().handover_steps(has_broker, host.secret.since)


def _open(found: list[StepView]) -> list[StepView]:
    return [view for view in found if view.done is None]


def _shown() -> Response:
    return redirect(url_for("desk_handover.show"), 303)

"""The sources that are asked by themselves: a keeper looks at one, sees what it brings and costs, and approves it once."""

import re

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.api import BoardClosed, ImportSummary
from node.board.gathering import (
    MAX_AIR_S,
    MAX_DAYS,
    MAX_GATHERED,
    MAX_KM,
    MAX_RECORDS,
    MAX_WORD,
    MAX_WORDS,
    GatheredSource,
    GatherRefused,
    GatherTerms,
    Preset,
    SourceView,
    address_of,
)
from node.i18n.sentence import N_
from web.import_pages import SHOWN, UNAVAILABLE, left_out
from web.languages import gettext as _
from web.languages import ngettext, said
from web.pages import board, fitted
from web.sentences import closed
from web.signin import for_keepers, never_kept

Page = str | tuple[str, int] | Response
PRESETS = {  # by kind: its name, and what to type
    Preset.ADDRESS: (N_("Any other"), N_("The whole address of an iCalendar file, an RSS, Atom or JSON feed, alerts (CAP), "
                                         "or a page with h-event.")),
    Preset.MOBILIZON: (N_("Mobilizon, a whole site"), "mobilizon.fr"),
    Preset.MOBILIZON_GROUP: (N_("Mobilizon, one group"), "@cantine@mobilizon.fr"),
    Preset.GANCIO: (N_("Gancio"), "lapunta.org"),
    Preset.DEMOSPHERE: (N_("Démosphère"), "paris"),
    Preset.AGENDA_DU_LIBRE: (N_("Agenda du Libre"), N_("A town, for 30 km around it; nothing for the whole country.")),
    Preset.RADAR: (N_("radar.squat.net, one group"), N_("The number at the end of the group’s address.")),
}
MAX_ADDRESS = 500
NUMBERS = {"km": MAX_KM, "days": MAX_DAYS, "records": MAX_RECORDS, "air_s": MAX_AIR_S}  # what is typed, and the most
desk_gather = Blueprint("desk_gather", __name__, url_prefix="/keeper/gather")
desk_gather.after_request(never_kept)


@desk_gather.get("")
@for_keepers
def show() -> str:
    """Those that were approved, and how they fare."""
    views = board().gathering.sources()
    return fitted("keeper/gather.html", lambda rows: {"views": views[:rows], "more": len(views) > rows,
                                                      "most": MAX_GATHERED}, MAX_GATHERED)


@desk_gather.get("/new")
@for_keepers
def write() -> str:
    """Where a source is named; with `?source=` the terms of one are changed."""
    view = _view(request.args["source"]) if request.args.get("source") else None
    return _form(_as_typed(view.source) if view else {})


@desk_gather.post("/look")
@for_keepers
def look() -> Page:
    """What it brings and costs; nothing is posted or kept."""
    typed = _typed()
    kind = next((kind for kind in Preset if kind.value == typed["kind"]), Preset.ADDRESS)
    address = address_of(kind, typed["address"][:MAX_ADDRESS])
    if not address:
        return _form(typed, _("This names no source of that kind. Please write it as in the example.")), 422
    try:
        seen = board().gathering.look(address, _terms(typed))
    except GatherRefused as refused:
        return _form(typed, said(refused.sentence)), 422
    return _brought(seen.summary, "keeper/gather_look.html", look=seen, typed=typed)


@desk_gather.post("/new")
@for_keepers
def rewrite() -> str:
    """The form again, as it was typed."""
    return _form(_typed())


@desk_gather.post("/approve")
@for_keepers
def approve() -> Page:
    """Ask it from now on, and post what was seen."""
    try:
        summary = board().gathering.approve(request.form.get("id", ""), session["name"])
    except GatherRefused as refused:
        return _form({}, said(refused.sentence)), 422
    except BoardClosed as problem:
        return _form({}, closed(problem.reason)), 503
    page = _brought(summary, "keeper/gather_look.html", look=None)
    return (page, 503) if summary.problem in UNAVAILABLE else page


@desk_gather.post("/pause")
@for_keepers
def pause() -> Response:
    """Ask it no more for now, or again."""
    board().gathering.pause(_view(request.form.get("id", "")).source.id, request.form.get("paused") == "1", session["name"])
    return redirect(url_for("desk_gather.show"), 303)


@desk_gather.post("/now")
@for_keepers
def now() -> Response:
    """Ask all of them soon."""
    board().gathering.ask_now()
    return redirect(url_for("desk_gather.show"), 303)


@desk_gather.route("/forget", methods=["GET", "POST"])
@for_keepers
def forget() -> Page:
    """Remove one, after a second look (GET, `?source=`)."""
    if request.method == "GET":
        return render_template("keeper/gather_forget.html", source=_view(request.args.get("source", "")).source)
    board().gathering.forget(request.form.get("id", ""), session["name"], request.form.get("why", ""))
    return redirect(url_for("desk_gather.show"), 303)


def _view(id_: str) -> SourceView:
    found = next((view for view in board().gathering.sources() if view.source.id == id_), None)
    return found or abort(404)


def _typed() -> dict:
    fields = {name: request.form.get(name, "").strip() for name in ("kind", "address", "words", "places", *NUMBERS)}
    return fields | {"topics": request.form.getlist("topics")}


def _form(typed: dict, notice: str = "") -> str:
    presets = [(kind.value, _(name), _(hint)) for kind, (name, hint) in PRESETS.items()]
    return render_template("keeper/gather_new.html", typed=typed, notice=notice, presets=presets,
                           terms=_as_typed(GatheredSource("")) | typed, most=NUMBERS)


def _counts(summary: ImportSummary) -> list[str]:
    """How many posts are new, changed, ended, unchanged."""
    counted = [
        (len(summary.new), lambda n: ngettext("%(num)s new post", "%(num)s new posts", n)),
        (len(summary.changed), lambda n: ngettext("%(num)s post that has changed", "%(num)s posts that have changed", n)),
        (len(summary.cancelled), lambda n: ngettext("%(num)s called off or ended", "%(num)s called off or ended", n)),
        (summary.unchanged, lambda n: ngettext("%(num)s that is here already as it is",
                                               "%(num)s that are here already as they are", n)),
    ]
    return [phrase(count) % {"num": count} for count, phrase in counted if count]


def _brought(summary: ImportSummary, template: str, **more: object) -> str:
    known = {"summary": summary, "counts": _counts(summary), "left_out": left_out(summary), **more}
    return fitted(template, lambda rows: {**known, "shown": rows}, SHOWN)


def _terms(typed: dict) -> GatherTerms:
    """What was typed; a number that is none, or too large, is the usual one, or the largest."""
    usual = _as_typed(GatheredSource(""))

    def number(name: str) -> int:
        return min(int(typed[name] if re.fullmatch(r"[0-9]{1,6}", typed[name]) else usual[name] or 0), NUMBERS[name])

    topics = tuple(int(one) for one in typed["topics"] if re.fullmatch(r"[0-9]{1,2}", one))
    return GatherTerms(topics, _listed(typed["words"]), _listed(typed["places"]), number("km"), number("days"),
                       number("records"), number("air_s"))


def _listed(typed: str) -> tuple[str, ...]:
    words = [word.strip()[:MAX_WORD] for word in re.split(r"[,;،\n]", typed)]
    return tuple(word for word in words if word)[:MAX_WORDS]


def _as_typed(source: GatheredSource) -> dict:
    """A source as its form has it; what is 0 is empty."""
    terms = source.terms
    return {"kind": Preset.ADDRESS.value, "address": source.address, "words": ", ".join(terms.words),
            "places": ", ".join(terms.places), "topics": [str(number) for number in terms.topics],
            **{name: str(getattr(terms, name) or "") for name in NUMBERS}}

"""Agendas of other programs: a keeper gives a file, sees what it brings and what it costs, and posts it with one press."""

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board import explanations
from node.board.api import ImportSummary
from node.board.import_sources import MAX_SOURCES, ImportSource
from node.board.reasons import ImportProblem
from web.languages import ngettext, said
from web.pages import board, fitted
from web.request_body import expect_file
from web.signin import for_keepers, never_kept

MAX_UPLOAD_BYTES = 8_000_000  # what is too large for an agenda may come whole, so that it is answered in a sentence
SHOWN = 60
NAMED = 12  # of what is left out
UNAVAILABLE = ("full", "read-only", "io-error", "not-admitted")
imports = Blueprint("imports", __name__, url_prefix="/keeper/agenda")
imports.after_request(never_kept)


@imports.before_request
def make_room() -> None:
    """Files come from keepers only."""
    if session.get("name"):
        expect_file(MAX_UPLOAD_BYTES)


@imports.get("")
@for_keepers
def show() -> str:
    """Where the file is given."""
    return render_template("keeper/agenda.html", intake=None, notice="")


@imports.post("")
@for_keepers
def look() -> str | tuple[str, int]:
    """What the file brings; nothing is posted."""
    file = request.files.get("file")
    if not file or not file.filename:
        return _page(ImportSummary(problem=ImportProblem.NOTHING))
    return _page(board().imports.look(file.read(), file.filename))


@imports.post("/take")
@for_keepers
def take() -> str | tuple[str, int]:
    """Post what was seen."""
    return _page(board().imports.take(request.form.get("id", ""), session["name"]), taken=True)


@imports.get("/sources")
@for_keepers
def sources() -> str:
    """Where this island's imported events came from, the last one first."""
    known = list(board().notes.state.sources.by_name.items())[::-1]
    return fitted("keeper/sources.html", lambda rows: {"sources": known[:rows], "more": len(known) > rows},
                  MAX_SOURCES)


@imports.get("/sources/forget")
@for_keepers
def ask_to_forget() -> str:
    """The second look: what forgetting one (`?name=`) does."""
    source = _source(request.args.get("name", ""))
    return render_template("keeper/source.html", name=request.args["name"], source=source)


@imports.post("/sources/forget")
@for_keepers
def forget() -> Response:
    """Forget it."""
    board().forget_source(request.form.get("name", ""), session["name"], request.form.get("why", ""))
    return redirect(url_for("imports.sources"), 303)


def _source(name: str) -> ImportSource:
    source = board().notes.state.sources.get(name)
    if source is None:
        abort(404)
    return source


def _page(intake: ImportSummary, taken: bool = False) -> str | tuple[str, int]:
    notice = problem(intake.problem)
    page = render_template("keeper/agenda.html", intake=None if notice else intake, notice=notice, taken=taken,
                           counts=counts(intake), left_out=left_out(intake), shown=SHOWN)
    return (page, 503 if intake.problem in UNAVAILABLE else 422) if notice else page


def problem(slug: str) -> str:
    """Why nothing of it can be taken over; "" if it can."""
    return said(explanations.agenda(slug)) if slug else ""


def counts(intake: ImportSummary) -> list[str]:
    """How many are new, changed, cancelled, unchanged."""
    counted = [
        (len(intake.new), lambda n: ngettext("%(num)s new event", "%(num)s new events", n)),
        (len(intake.changed), lambda n: ngettext("%(num)s event that has changed", "%(num)s events that have changed", n)),
        (len(intake.cancelled), lambda n: ngettext("%(num)s cancelled event", "%(num)s cancelled events", n)),
        (intake.unchanged, lambda n: ngettext("%(num)s event that is here already as it is",
                                              "%(num)s events that are here already as they are", n)),
    ]
    return [phrase(count) % {"num": count} for count, phrase in counted if count]


def left_out(intake: ImportSummary) -> list[tuple[int, str, list[str]]]:
    """How many were left out, why, and the titles of the first of them."""
    named = intake.named[:NAMED]
    return [(count, said(explanations.left_out(reason)), [title for why, title in named if why == reason and title])
            for reason, count in sorted(intake.left_out.items())]

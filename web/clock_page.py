"""The clock, for keepers: what the island believes and why, what setting it would do, setting it, taking that back.

A keeper reads first what it would do: a year typed wrong would hide the whole board.
"""

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from node.board.api import ClockOutcome
from node.model.clock import MAX_MINUTE
from web import sentences
from web.forms import moment_of, typed
from web.languages import current, ngettext
from web.languages import gettext as _
from web.pages import board, settings
from web.signin import for_keepers, never_kept

READING_MIN = 30  # the form grows old: what it says is read again
FAR_MIN = 40 * 1_440  # a month or a year typed wrong
clock_pages = Blueprint("clock", __name__, url_prefix="/keeper/clock")
clock_pages.after_request(never_kept)


@clock_pages.get("")
@for_keepers
def show() -> str:
    """What the island believes, and where the day and the hour are typed."""
    return _page()


@clock_pages.post("")
@for_keepers
def look() -> str | tuple[str, int]:
    """What setting it would do; nothing is done."""
    said = moment_of(typed(request.form), "start", settings())
    if said is None:
        return _page(_("Give the day as 2026-03-21 and the hour as 18:30.")), 422
    return _asked(said)


@clock_pages.post("/set")
@for_keepers
def set_it() -> Response | str | tuple[str, int]:
    """Do what was read. `minute` was typed when the island believed it was `asked`."""
    said, asked = (request.form.get(name, type=minute_in) for name in ("minute", "asked"))
    if said is None or asked is None:
        return _page(_("Give the day as 2026-03-21 and the hour as 18:30.")), 422
    passed = board().now() - asked
    if not 0 <= passed <= READING_MIN:
        return _asked(said)
    if not board().set_clock(said + passed, session["name"], request.form.get("why", "")):
        return _page(refusal()), 422
    return redirect(url_for("clock.show"), 303)


@clock_pages.post("/undo")
@for_keepers
def undo() -> Response | tuple[str, int]:
    """Take back what a keeper said of the time last."""
    if not board().undo_clock(session["name"], request.form.get("why", "")):
        return _page(_("There is nothing to take back: something better has told the time since.")), 422
    return redirect(url_for("clock.show"), 303)


def minute_in(text: str) -> int:
    """A minute in a field of a form; raises ValueError."""
    minute = int(text[:9])
    if not 0 <= minute <= MAX_MINUTE:
        raise ValueError(text)
    return minute


def _page(notice: str = "", outcome: ClockOutcome | None = None) -> str:
    told = board().status().host.clock
    others = [(sentences.time_source(other.source), other.minute) for other in told.others]
    return render_template("keeper/clock.html", notice=notice, told=told, source=sentences.time_source(told.source),
                           others=others, outcome=outcome, lines=lines(outcome) if outcome else ())


def _asked(minute: int) -> str:
    return _page(outcome=board().clock_outcome(minute))


def refusal() -> str:
    """Why a keeper's word was not taken."""
    source = board().status().host.clock.source
    if source == "gps":
        return _("The clock was left as it is: a radio tells the time of the satellites. If that is wrong, take the radio "
                 "off.")
    if source == "system":
        return _("The clock was left as it is: this machine is told the time by the network. If that is wrong, take the "
                 "network off.")
    return _("The clock was left as it is: no island lived before this moment, or will live after it.")


def lines(outcome: ClockOutcome) -> list[str]:
    """What it would do, a sentence each."""
    far = abs(outcome.ahead_min)
    back = outcome.ahead_min < 0
    way = _("The clock would go back by %(span)s.") if back else _("The clock would go ahead by %(span)s.")
    counted = [
        (outcome.posts_end, lambda n: ngettext("%(num)s post would end.", "%(num)s posts would end.", n)),
        (outcome.keys_end, lambda n: ngettext("%(num)s key would lose its rights.",
                                              "%(num)s keys would lose their rights.", n)),
        (outcome.posts_back, lambda n: ngettext("%(num)s post would come back.", "%(num)s posts would come back.", n)),
        (outcome.keys_back, lambda n: ngettext("%(num)s key would get its rights back.",
                                               "%(num)s keys would get their rights back.", n)),
        (outcome.published, lambda n: ngettext("%(num)s post that waits for its hour would be published.",
                                               "%(num)s posts that wait for their hour would be published.", n)),
        (outcome.posts_wait, lambda n: ngettext("%(num)s post is dated after that, and would be hidden until then.",
                                                "%(num)s posts are dated after that, and would be hidden until then.", n)),
    ]
    told = [way % {"span": current().lasting(far)}, *(phrase(count) % {"num": count} for count, phrase in counted if count)]
    if len(told) == 1:
        told.append(_("No post and no key is touched by it."))
    return [*told, _("Look again: are the year and the month right?")] if far > FAR_MIN else told

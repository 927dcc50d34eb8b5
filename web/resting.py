"""Night rest on the pages: told before it begins; while the pages rest, one plain page says until when.

Who is writing when it begins may finish: what a form sends is taken all the same. Keepers get in, other islands too.
"""

from flask import Flask, Response, make_response, render_template, request

from node.board.night_rest import MINUTES_OF_DAY, RestPart, RestSpan, next_rest, resting, soon
from node.i18n.sentence import N_
from web.item_display import clock_at
from web.languages import current
from web.languages import gettext as _
from web.pages import board, patience, published, settings

AWAKE = ("/keeper", "/wall", "/favicon.ico")  # and what lies below
GREETED = ("/", "/hello")  # answered 200: what looks whether the portal lives, and phones' own windows, ask for these
TOLD = {
    RestPart.WIFI: N_("The Wi-Fi of this island rests from %(begin)s to %(end)s."),
    RestPart.PORTAL: N_("This island rests from %(begin)s to %(end)s: its pages are closed then."),
    RestPart.RADIO: N_("The radio rests from %(begin)s to %(end)s: only what is urgent goes out then."),
}
MOST_URGENT = 3


def pages_rest() -> RestSpan | None:
    """The rest of the pages that goes on, if one does. Nothing rests by a clock that is not sure."""
    plan = board().rests().get(RestPart.PORTAL)
    if not plan or not board().status().host.clock.sure:  # the plan first: the status is dearer, and every page asks
        return None
    return resting(plan, board().now(), settings().zone)


def rest_lines(near: bool) -> list[str]:
    """A sentence for each rest of the day ahead; only those about to begin if `near`."""
    if not board().rests() or not board().status().host.clock.sure:
        return []
    now, zone, plan = board().now(), settings().zone, board().rests()
    spans = [(part, (soon if near else next_rest)(plan.get(part), now, zone)) for part in TOLD]
    return [say_rest(part, span) for part, span in spans if span and span.begin < now + MINUTES_OF_DAY]


def say_rest(part: RestPart, span: RestSpan) -> str:
    """What rests from when to when."""
    begin, end = (current().time(clock_at(minute)) for minute in (span.begin, span.end))
    return _(TOLD[part]) % {"begin": begin, "end": end}


def add_resting(app: Flask) -> None:
    """Close the pages while they rest."""
    app.jinja_env.globals.update(rest_lines=rest_lines, pages_rest=pages_rest)

    @app.before_request
    def rest() -> Response | None:
        if published() or request.method not in ("GET", "HEAD") or request.path.startswith(AWAKE):
            return None
        span = pages_rest()
        return _closed(span) if span else None


def _closed(span: RestSpan) -> Response:
    answer = make_response(render_template(
        "resting.html", until=current().time(clock_at(span.end)), urgent=board().urgent(MOST_URGENT, patience())))
    if request.path not in GREETED:
        answer.status_code = 503
        answer.headers["Retry-After"] = str(60 * max(span.end - board().now(), 1))
    answer.headers["Cache-Control"] = "no-store"
    return answer

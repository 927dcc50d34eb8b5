"""The radio operator's pages: what the air is used for, who is heard, what waits and why, and every figure as a table.

They stand at /radio for everybody, unless keepers keep them to themselves, and at /keeper/radio for keepers.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, render_template, session
from markupsafe import Markup, escape

from node.board import air_words, explanations
from node.board.concerns import TROUBLES, Concern, concerns_in
from node.board.status import as_json
from web import air_charts
from web.item_display import clock_at, iso
from web.languages import current, said
from web.languages import gettext as _
from web.pages import board, fitted
from web.sentences import N_

MAX_CELL = 80
ROWS = 5
MOMENTS = {"last_heard", "now", "minute", "half_ends", "until"}  # minutes since 2024, which nobody reads
PARTS = {  # of the names in a node's state
    "up": N_("works"), "state": N_("state"), "counters": N_("counted"), "connected": N_("connections"),
    "radio-restarted": N_("restarts, because it said nothing"),
    "sent": N_("sent"), "received": N_("received"), "dropped": N_("left out"), "radio": N_("radio"),
    "firmware": N_("firmware"), "region": N_("region"), "preset": N_("preset"), "frequency_mhz": N_("frequency, MHz"),
    "channel_use": N_("use of the channel"), "own_use": N_("use by this radio"), "airtime": N_("air time"),
    "limit_s": N_("allowed in an hour, s"), "used_s": N_("used in the last hour, s"),
    "used_15_s": N_("used in the last 15 s, s"), "left_s": N_("left, s"), "next_send_s": N_("next packet in, s"),
    "neighbours": N_("neighbour"), "heard_s_ago": N_("heard, s ago"), "relays": N_("relays between us"),
    "loss": N_("share of packets lost"), "set": N_("set"), "lacks": N_("records it lacks"), "queue": N_("waiting"),
    "records": N_("records"), "packets": N_("packets"), "store": N_("memory card"), "ok": N_("well"),
    "reason": N_("reason"), "rules": N_("rules"), "posting": N_("posting"), "last_heard": N_("others heard last"),
    "clock": N_("clock"), "source": N_("source"), "sure": N_("sure"), "now": N_("time"),
    "told": N_("told"), "undo": N_("can be taken back"), "others": N_("not believed"), "minute": N_("time"),
    "archive": N_("archive"),
    "damaged": N_("damaged records"), "name": N_("name"), "broker": N_("broker"), "verdict": N_("last look"),
    "share": N_("share of this island"), "of_records": N_("records allowed"), "size_bytes": N_("octets"),
    "of_bytes": N_("octets allowed"), "half_ends": N_("half of them ended by"), "rights": N_("rights"),
    "until": N_("until"), "voucher": N_("vouched for by"),
    "erasure_owed_s": N_("still to be erased, since s"), "card_errors": N_("errors of the memory card"),
    "law_s": N_("allowed by law in an hour, s"), "mean_s": N_("ours in an hour on average, s"), "saved_s": N_("saved, s"),
    "most_saved_s": N_("what can be saved, s"), "kept_urgent_s": N_("kept for urgent calls, s"), "hold": N_("why it waits"),
    "node": N_("node"), "battery": N_("battery"), "voltage_v": N_("voltage, V"), "signature_policy": N_("signatures"),
    "island": N_("island"), "version": N_("version"), "hears_us": N_("hears us"), "away": N_("does not answer"),
    "machine": N_("machine"), "temperature_c": N_("temperature, °C"), "power_weak": N_("power too weak"),
}
PRIVATE = ("backup", "trial", "settings")  # of the status, and how concerns begin that keepers alone see
PATH = re.compile(r"/keeper(?:/[a-z]+)*")
ANSWERS = {"yes": N_("yes"), "no": N_("no")}
VALUES = {"state": air_words.STATES, "set": air_words.VIEWS, "hold": air_words.HOLDS, "claim": air_words.CLAIMS,
          "kind": air_words.QUEUED, "signature_policy": air_words.POLICIES, "source": explanations.TIME_SOURCES,
          "verdict": {slug: trouble.what.text for slug, trouble in TROUBLES.items()}}
SHARES = {"channel_use", "own_use", "loss", "battery"}  # parts of 1
DRAWN = {"history": (), "packets": (), "airtime": ("outlooks", "wishes"), "queue": ("rows",)}  # on the other pages
radio = Blueprint("radio", __name__)


def flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """(dotted name, text) of each leaf of a JSON-like value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}".strip("."))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from flat(inner, f"{name}.{_own_name(inner, number)}")
    elif name.rpartition(".")[2] in MOMENTS and isinstance(value, int):
        yield name, iso(value, 0)
    else:
        yield name, _cell(value)


def _own_name(value: object, number: int) -> str:
    return str(value["name"]) if isinstance(value, dict) and "name" in value else str(number)


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return "" if value is None else str(value)[:MAX_CELL]


def rows_of(state: dict) -> list[tuple[str, str]]:
    """(name, value) in the reader's words; what has no word here keeps the name that it has in the CSV."""
    told = [(name.split("."), text) for name, text in flat(state)]
    return [(" · ".join(_said(PARTS, part) for part in parts), _value(parts[-1], text))
            for parts, text in told if len(parts) < 3 or parts[-1] != "name"]


def _value(name: str, text: str) -> str:
    if name in SHARES and text:
        return percent(float(text))
    return said(air_words.worded_slug(VALUES[name], text)) if name in VALUES else _said(ANSWERS, text)


def _said(words: dict[str, str], part: str) -> str:
    return _(words[part]) if part in words else part


def concerns(for_keepers: bool = False) -> list[Concern]:
    """What the keepers of this island should see to: for templates. Some of it is said to them alone."""
    private = {"founder_alone": board().founding.alone()} if for_keepers else {}
    found = concerns_in(as_json(board().status()) | private)
    return [concern for concern in found if session.get("name") or not concern.slug.startswith(PRIVATE)]


def desk_links(sentence: str) -> Markup:
    """A sentence with the pages of the desk that it names as links."""
    chosen = escape(f"?{urlencode(g.carried)}" if g.carried else "")
    text = PATH.sub(rf'<a dir="ltr" href="\g<0>{chosen}">\g<0></a>', str(escape(sentence)))
    return Markup(text)  # noqa: S704 - all of it is escaped, or ours


def public_state() -> dict[str, Any]:
    """What the island says of itself to whoever may read it."""
    return {name: value for name, value in as_json(board().status()).items() if name not in PRIVATE}


def for_readers(view: Callable) -> Callable:
    """Unless keepers keep what the radio does to themselves."""

    @wraps(view)
    def guarded() -> Any:
        return (render_template("radio_closed.html"), 403) if board().radio_for_keepers() else view()

    return guarded


def lora(state: Mapping[str, Any]) -> dict[str, Any] | None:
    """The link with airtime, None if this island has no radio."""
    return next((link for link in state["links"] if "airtime" in link), None)


def clock(ahead_s: float) -> str:
    """What clocks show here so many seconds from now."""
    return current().time(clock_at(board().now() + round(ahead_s / 60)))


def percent(part: float) -> str:
    """A part of 1."""
    return f"{100 * part:.0f}\N{NO-BREAK SPACE}%"


def words() -> dict[str, Any]:
    """What the templates of these pages ask."""
    return {"clock": clock, "percent": percent, "words": air_words, "bars": air_charts.bars, "colours": air_charts.COLOURS,
            "said_state": lambda link: said(air_words.state(link["state"])), "table": air_words.worded_slug}


def show() -> str:
    """The air: when the next packet may go, what was used for what, how busy the channel is."""
    state = public_state()
    link = lora(state)
    drawn: dict[str, Any] = {}
    if link is not None:
        air, history = link["airtime"], link["history"]
        drawn = {"hour": air_charts.hour_bar(air, air_charts.last_hour(history)), "hour_s": air_charts.last_hour(history),
                 "day": air_charts.day_columns(air, history), "channel": air_charts.channel_line(history),
                 "channel_figures": air_charts.channel_figures(history)}
    return render_template("radio.html", state=state, link=link, **words(), **drawn)


def heard() -> str:
    """Whom the radio hears: how well, whether it hears us, what it lacks."""
    link = lora(public_state())
    found = sorted(link["neighbours"], key=lambda one: (one["relays"], one["heard_s_ago"])) if link else []
    return fitted("radio_heard.html", lambda rows: {
        "link": link, "heard": found[:rows], "more": len(found) - rows, **words()}, 3 * ROWS)


def queue() -> str:
    """What waits to be sent and why, and the last packets in words."""
    link = lora(public_state())
    return fitted("radio_queue.html", lambda rows: {
        "link": link, "queued": link["queue"]["rows"][:rows] if link else (), **words(),
        "packets": link["packets"][:2 * rows] if link else ()})


def everything() -> str:
    """The state of the node and of each link, as many rows as a page holds; all of it is in the CSV."""
    state = public_state()
    tables = [(link["name"], rows_of(_undrawn(link))) for link in state["links"]]
    tables.append(("", rows_of({name: value for name, value in state.items() if name != "links"})))
    return fitted("radio_all.html", lambda rows: {"tables": [(name, cells[:rows * ROWS]) for name, cells in tables]})


def _undrawn(link: Mapping[str, Any]) -> dict[str, Any]:
    """A link without what the other pages draw."""
    return {name: {part: inner for part, inner in value.items() if part not in DRAWN[name]} if DRAWN.get(name) else value
            for name, value in link.items() if DRAWN.get(name) != ()}


def table() -> Response:
    """The same, whole, as CSV."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("name", "value"))
    rows.writerows((_safe(name), _safe(value)) for name, value in flat(public_state()))
    return Response(written.getvalue(), mimetype="text/csv")


VIEWS: tuple[tuple[str, Callable], ...] = (("", show), ("/heard", heard), ("/queue", queue), ("/all", everything),
                                           (".csv", table))
for path, view in VIEWS:
    radio.add_url_rule(f"/radio{path}", view.__name__, for_readers(view))


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (CWE-1236)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "\t") else cell

"""The radio operator's page: what the links do, in sober tables."""

import csv
import io
from collections.abc import Iterator

from flask import Blueprint, Response, render_template

from web.pages import MAX_BODY_BYTES, board

MAX_CELL = 80
operator = Blueprint("operator", __name__)


def flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """(dotted name, text) of each leaf of a JSON-like value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}".strip("."))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from flat(inner, f"{name}.{_own_name(inner, number)}")
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


@operator.get("/radio")
def radio() -> str:
    """The state of the node and of each link, as many rows as a page holds; all of it is in the CSV."""
    state = board().status()
    links, rest = state.get("links", []), {key: value for key, value in state.items() if key != "links"}
    tables = [(str(link.get("name", "")), list(flat(link))) for link in links]
    tables.append(("", list(flat(rest))))
    return render_template("radio.html", tables=_bounded(tables))


def _bounded(tables: list[tuple[str, list]]) -> list[tuple[str, list]]:
    """Whole tables from the first, as long as they fit the page."""
    room, shown = MAX_BODY_BYTES - 7_000, []
    for name, rows in tables:
        fitting = []
        for row in rows:
            room -= len("".join(row).encode()) + 40
            if room > 0:
                fitting.append(row)
        shown.append((name, fitting))
    return shown


@operator.get("/radio.csv")
def table() -> Response:
    """The same, whole, as CSV."""
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(("name", "value"))
    rows.writerows((_safe(name), _safe(value)) for name, value in flat(board().status()))
    return Response(written.getvalue(), mimetype="text/csv")


def _safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (CWE-1236)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "@", "\t") else cell

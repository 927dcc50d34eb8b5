"""The radio operator's page: what the links do, in sober tables."""

import csv
import io
from collections.abc import Iterator

from flask import Blueprint, Response

from web.pages import board, fitted
from web.showing import iso

MAX_CELL = 80
ROWS = 5
MOMENTS = {"last_heard", "now"}  # minutes since 2024, which nobody reads
operator = Blueprint("operator", __name__)


def flat(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """(dotted name, text) of each leaf of a JSON-like value."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}.{key}".strip("."))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from flat(inner, f"{name}.{_own_name(inner, number)}")
    elif name.rpartition(".")[2] in MOMENTS and value is not None:
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


@operator.get("/radio")
def radio() -> str:
    """The state of the node and of each link, as many rows as a page holds; all of it is in the CSV."""
    state = board().status()
    tables = [(str(link.get("name", "")), list(flat(link))) for link in state.get("links", [])]
    tables.append(("", list(flat({name: value for name, value in state.items() if name != "links"}))))
    return fitted("radio.html", lambda rows: {"tables": [(name, cells[:rows * ROWS]) for name, cells in tables]})


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

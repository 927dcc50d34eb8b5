"""The map of gatherings: where events are, seen from the island."""

import math
from base64 import b64encode
from dataclasses import dataclass

from flask import Blueprint, Response, abort, render_template, request, url_for

from node.board.api import Item, Picture
from web import dates
from web.item_display import today
from web.languages import current, listed
from web.languages import gettext as _
from web.pages import board, fitted, kept, patience, settings
from web.turning import asked_part

SIDE = 300
MARGIN = 12
METRES_PER_DEGREE = 111_320
SPANS_M = (250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000)
DAYS_AHEAD = 14
MAX_STROKES = 60
MAX_ENLARGED = 100 * SIDE  # beyond, a picture is nothing but one of its dots
Position = tuple[float, float]
event_map = Blueprint("event_map", __name__)


@dataclass(frozen=True)
class Chart:
    """A square around `centre` (latitude, longitude), `span_m` metres from the middle to each side; north is up."""

    centre: Position
    span_m: float

    @property
    def scale(self) -> float:
        """Units of the drawing per metre."""
        return (SIDE / 2 - MARGIN) / self.span_m

    def metres(self, position: Position) -> tuple[float, float]:
        """Metres east and north of the centre (flat: good within some hundred kilometres)."""
        east = (position[1] - self.centre[1] + 540) % 360 - 180
        return east * METRES_PER_DEGREE * self._narrowing, (position[0] - self.centre[0]) * METRES_PER_DEGREE

    def xy(self, position: Position) -> tuple[int, int]:
        """Where it is drawn."""
        east, north = self.metres(position)
        return round(SIDE / 2 + east * self.scale), round(SIDE / 2 - north * self.scale)

    def position(self, x: float, y: float) -> Position:
        """What is drawn there."""
        east, north = (x - SIDE / 2) / self.scale, (SIDE / 2 - y) / self.scale
        longitude = self.centre[1] + east / METRES_PER_DEGREE / self._narrowing
        latitude = self.centre[0] + north / METRES_PER_DEGREE
        return max(-90.0, min(90.0, latitude)), (longitude + 540) % 360 - 180

    @property
    def _narrowing(self) -> float:
        return max(math.cos(math.radians(self.centre[0])), 0.01)


def chart_of(positions: list[Position]) -> Chart | None:
    """A chart around the island that holds all positions; around their middle when the island has no place; else None."""
    centre = settings().position or _middle(positions)
    if centre is None:
        return None
    reach = max((math.hypot(*Chart(centre, 1).metres(position)) for position in positions), default=0)
    return Chart(centre, next((span for span in SPANS_M if span >= reach), 20_000_000))


def _middle(positions: list[Position]) -> Position | None:
    if not positions:
        return None
    return sum(p[0] for p in positions) / len(positions), sum(p[1] for p in positions) / len(positions)


def strokes(outline: str, chart: Chart) -> list[str]:
    """The keeper's outline as SVG point lists; what cannot be read is left out."""
    drawn = []
    for line in outline.splitlines()[:MAX_STROKES]:
        try:
            pairs = [tuple(map(float, pair.split(","))) for pair in line.split()]
            points = [chart.xy((latitude, longitude)) for latitude, longitude in pairs]
        except (ValueError, OverflowError):
            continue
        drawn.append(" ".join(f"{x},{y}" for x, y in points))
    return [points for points in drawn if points]


@dataclass(frozen=True)
class Laid:
    """The keeper's picture as it lies under a chart."""

    x: int
    y: int
    width: int
    height: int
    source: str


def laid(picture: Picture | None, chart: Chart, source: str) -> Laid | None:
    """Where a picture, to be had from `source`, lies under a chart; None if it does not touch it."""
    if picture is None:
        return None
    (left, top), (right, bottom) = chart.xy(picture.top_left), chart.xy(picture.bottom_right)
    if right <= max(left, 0) or bottom <= max(top, 0) or max(left, top) >= SIDE or right - left > MAX_ENLARGED:
        return None
    return Laid(left, top, right - left, bottom - top, source)


def bearing(chart: Chart, position: Position) -> str:
    """`800 m, north-west`: how far, and which way."""
    east, north = chart.metres(position)
    distance = math.hypot(east, north)
    if distance < 50:
        return _("right here")
    eighth = round(math.degrees(math.atan2(east, north)) / 45) % 8
    points = [_("north"), _("north-east"), _("east"), _("south-east"),
              _("south"), _("south-west"), _("west"), _("north-west")]
    return listed(length(round(distance / 10) * 10), points[eighth])


def length(metres: float) -> str:
    """`500 m`, `2 km`."""
    if metres < 1000:
        return _("%(number)s m") % {"number": round(metres)}
    return _("%(number)s km") % {"number": current().number(metres / 1000)}


@event_map.get("/map")
@kept
def show() -> str:
    """The events of two weeks that have a position, drawn and listed."""
    midnight = dates.midnight(today(), settings().zone)
    placed = [event for event in board().announced(midnight, midnight + DAYS_AHEAD * 1440) if event.position]
    chart = chart_of([event.position for event in placed if event.position])

    def fill(rows: int) -> dict:
        part = asked_part(len(placed), rows)
        ground = _ground(chart, url_for("event_map.picture")) if chart else {"chart": None}
        shown = [(item, item.position) for item in board().read(part.of(placed), patience()) if item.position]
        return ground | {"marked": _marked(chart, shown), "part": part}

    return fitted("map.html", fill)


def _ground(chart: Chart, source: str) -> dict:
    """What a chart is drawn on; `source` is where to find the keeper's picture."""
    return {"chart": chart, "strokes": strokes(board().outline(), chart), "laid": laid(board().picture(), chart, source),
            "length": length}


def _marked(chart: Chart | None, placed: list[tuple[Item, Position]]) -> list[tuple[Item, tuple[int, int], str]]:
    return [(item, chart.xy(position), bearing(chart, position)) for item, position in placed] if chart else []


@event_map.get("/map.svg")
@kept
def drawing() -> Response:
    """The island's surroundings alone, to pick a place on."""
    chart = pick_chart(request.args.get("span", "", type=str))
    under = board().picture()
    # inside: a picture that is part of a page may ask for no other
    source = f"data:{under.media_type};base64,{b64encode(under.content).decode()}" if under else ""
    return Response(render_template("map.svg", **_ground(chart, source)), mimetype="image/svg+xml")


@event_map.get("/map/picture")
@kept
def picture() -> Response:
    """The keeper's picture alone."""
    under = board().picture()
    return Response(under.content, mimetype=under.media_type) if under else abort(404)


def pick_chart(span: str) -> Chart:
    """The chart on which a place is picked: around the island, `span` metres wide as asked, else 2 km."""
    known = {str(span_m): span_m for span_m in SPANS_M}
    return Chart(settings().position or (0.0, 0.0), known.get(span, 2_000))

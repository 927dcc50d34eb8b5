"""The map of gatherings: where events are, seen from the island."""

import math
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask import Blueprint, Response, abort, render_template, request, url_for
from markupsafe import Markup

from node.board.api import Announced, Item, Picture
from node.board.items import root_of
from node.board.street_map import StreetMap
from web import dates
from web.item_display import today
from web.languages import current, listed
from web.languages import gettext as _
from web.map_dots import GatheringPlace, dots, gathered
from web.pages import board, fitted, kept, patience, settings
from web.public import found
from web.turning import asked_part

SIDE = 300
MARGIN = 12
METRES_PER_DEGREE = 111_320
SPANS_M = (250, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 500_000)
DAYS_AHEAD = 14
MAX_STROKES = 60
MAX_ENLARGED = 100 * SIDE  # beyond, a picture is nothing but one of its dots
LEAST_STREETS = 35  # units from the middle of a street map to its sides: below, nobody reads it
MOST_AT_ONE_PLACE = 3  # events that the list of all places shows of each
MAX_SPECKS = 100  # places on other parts of the list
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

    def spot(self, position: Position) -> tuple[float, float]:
        """Where it is drawn."""
        east, north = self.metres(position)
        return SIDE / 2 + east * self.scale, SIDE / 2 - north * self.scale

    def xy(self, position: Position) -> tuple[int, int]:
        """Where it is drawn, in whole units."""
        x, y = self.spot(position)
        return round(x), round(y)

    def position(self, x: float, y: float) -> Position:
        """What is drawn there."""
        east, north = (x - SIDE / 2) / self.scale, (SIDE / 2 - y) / self.scale
        longitude = self.centre[1] + east / METRES_PER_DEGREE / self._narrowing
        latitude = self.centre[0] + north / METRES_PER_DEGREE
        return max(-90.0, min(90.0, latitude)), (longitude + 540) % 360 - 180

    @property
    def _narrowing(self) -> float:
        return max(math.cos(math.radians(self.centre[0])), 0.01)


def chart_of(positions: list[Position], must: Position | None = None, asked: str = "") -> Chart | None:
    """A chart around the island, or what lies nearest to one; None without any place.

    It is as wide as `asked`, if that is a scale; else as the street map, if that shows any of the positions, or half as
    wide if it shows `must`; else so wide that it holds `must`, or all of them. It is around `must` if that would lie beyond
    its edge.
    """
    streets = board().streets()
    centre = settings().position or (streets.centre if streets else _middle(positions))
    if centre is None or not (positions or streets):
        return None
    ways = [math.hypot(*Chart(centre, 1).metres(position)) for position in ([must] if must else positions)]
    drawn_m = streets.radius_m if streets else 0
    wide = max(ways) if ways and min(ways) > drawn_m else drawn_m
    holding = next((span for span in SPANS_M if span >= wide - 1), 20_000_000)
    near = max((span for span in SPANS_M if span <= drawn_m / 2 + 1), default=holding)
    span_m = _scales().get(asked) or (near if must and ways[0] <= drawn_m else holding)
    return Chart(must if must and ways[0] > span_m else centre, span_m)


def _scales() -> dict[str, int]:
    return {str(span_m): span_m for span_m in SPANS_M}


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
    """A picture as it lies under a chart."""

    x: float
    y: float
    width: float
    height: float
    source: str


def laid(picture: Picture | None, chart: Chart, source: str) -> Laid | None:
    """Where the keeper's picture, to be had from `source`, lies under a chart; None if it does not touch it."""
    if picture is None:
        return None
    (left, top), (right, bottom) = chart.xy(picture.top_left), chart.xy(picture.bottom_right)
    return _seen(Laid(left, top, right - left, bottom - top, source))


def laid_streets(streets: StreetMap | None, chart: Chart, source: str = "") -> Laid | None:
    """Where the street map lies under a chart; None if nothing is seen of it, or too little."""
    if streets is None:
        return None
    (x, y), half = chart.spot(streets.centre), streets.reach_m * chart.scale
    shown = Laid(round(x - half, 1) + 0.0, round(y - half, 1) + 0.0, round(2 * half, 1), round(2 * half, 1), source)
    return _seen(shown) if half >= LEAST_STREETS else None


def _seen(shown: Laid) -> Laid | None:
    right, bottom = shown.x + shown.width, shown.y + shown.height
    if right <= max(shown.x, 0) or bottom <= max(shown.y, 0) or max(shown.x, shown.y) >= SIDE or shown.width > MAX_ENLARGED:
        return None
    return shown


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
    """The events of two weeks that have a position, drawn and listed; with `?at=` those where that event is."""
    marked = found(request.args["at"]) if request.args.get("at") else None
    if marked and not marked.position:
        abort(404)
    events = _placed(marked)
    chart = chart_of([event.position for event in events if event.position], marked.position if marked else None,
                     request.args.get("span", ""))
    if chart is None:
        return render_template("map.html", chart=None)
    spots = [chart.spot(event.position) for event in events if event.position]
    return _page(chart, gathered(events, spots, SIDE), root_of(marked) if marked else b"")


def _placed(marked: Item | None) -> list[Announced]:
    """Each event of two weeks that has a position, with the first of its dates then; and the one that is marked."""
    midnight = dates.midnight(today(), settings().zone)
    placed: dict[bytes, Announced] = {}
    for event in board().announced(midnight, midnight + DAYS_AHEAD * 1440):
        if event.position:
            placed.setdefault(event.root, event)
    if marked and marked.start is not None and root_of(marked) not in placed:  # it is over, or comes later
        its = (event for event in board().announced(marked.start, marked.start + 1) if event.root == root_of(marked))
        placed |= {event.root: event for event in its}
    return sorted(placed.values(), key=lambda event: (event.start, event.id))


def _page(chart: Chart, gatherings: list[GatheringPlace], root: bytes) -> str:
    marked = next((one for one in gatherings if root in (event.root for event in one.events)), None)

    def fill(rows: int) -> dict:
        part = asked_part(len(marked.events) if marked else len(gatherings), rows)
        listed_here = [marked] if marked else list(part.of(gatherings))
        most = MOST_AT_ONE_PLACE if not marked else len(marked.events)
        rest = [one for one in gatherings if one not in listed_here and not one.far][:MAX_SPECKS]
        return _ground(chart) | {
            "dots": dots(listed_here, SIDE), "specks": [one.place for one in rest], "marked": marked, "part": part,
            "rows": [_ListedPlace(one, _read(part.of(one.events) if marked else one.events[:most]),
                                  max(len(one.events) - most, 0)) for one in listed_here],
            "scales": _offered(chart), "bearing": lambda item: bearing(_from_here(chart), item.position),
            "here": settings().position is not None,
            "crossed": max(map(abs, chart.metres(_from_here(chart).centre))) < chart.span_m}

    return fitted("map.html", fill)


def _from_here(chart: Chart) -> Chart:
    """The same around the island, if it has a place."""
    return replace(chart, centre=settings().position or chart.centre)


@dataclass(frozen=True)
class _ListedPlace:
    """A gathering in the list: the first of its events, and how many there are `more`."""

    gathering: GatheringPlace
    items: list[Item]
    more: int


def _read(events: Iterable[Announced]) -> list[Item]:
    return list(board().read(events, patience()))


def _offered(chart: Chart) -> list[int]:
    """The scales that a reader may choose: the one shown, and some narrower and wider ones."""
    at = sum(span < chart.span_m for span in SPANS_M)
    return list(SPANS_M[max(at - 2, 0):at + 3])


def _ground(chart: Chart) -> dict:
    """What a chart is drawn on."""
    span_m = int(chart.span_m)
    return {"chart": chart, "cross": chart.xy(_from_here(chart).centre), "length": length,
            "strokes": strokes(board().outline(), chart),
            "laid": laid(board().picture(), chart, url_for("event_map.picture")),
            "streets": laid_streets(board().streets(), chart, url_for("event_map.street_map", span=span_m))}


@event_map.get("/map.svg")
@kept
def drawing() -> Response:
    """The island's surroundings alone, to pick a place on."""
    chart, under, streets = pick_chart(request.args.get("span", "")), board().picture(), board().streets()
    ground = _ground(chart)
    # inside: a picture that is part of a page may ask for no other
    source = f"data:{under.media_type};base64,{b64encode(under.content).decode()}" if under else ""
    inner = Markup(streets.drawn(streets.radius_m / chart.span_m)) if streets else ""  # noqa: S704 - of our own making
    return Response(render_template("map.svg", **ground | {"laid": laid(under, chart, source), "inner": inner}),
                    mimetype="image/svg+xml")


@event_map.get("/map/picture")
@kept
def picture() -> Response:
    """The keeper's picture alone."""
    under = board().picture()
    return Response(under.content, mimetype=under.media_type) if under else abort(404)


@event_map.get("/map/streets")
@kept
def street_map() -> Response:
    """The street map alone, as it is seen on a chart of `?span=` metres."""
    streets = board().streets()
    if streets is None:
        abort(404)
    span_m = _scales().get(request.args.get("span", ""))
    return Response(streets.svg(span_m or streets.radius_m), mimetype="image/svg+xml")


def pick_chart(span: str) -> Chart:
    """The chart on which a place is picked: around the island, as wide as asked, else as the street map, or 2 km."""
    streets = board().streets()
    usual = round(streets.radius_m) if streets else 2_000
    return Chart(settings().position or (0.0, 0.0), _scales().get(span) or _scales().get(str(usual), 2_000))

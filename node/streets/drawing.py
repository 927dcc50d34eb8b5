"""The drawing of what lies around, held to its weight: what matters least is left out first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from node.board.street_map import FONT, HALF, MAX_MAP_BYTES, MAX_MAP_GZIP_BYTES, StreetMap, StreetName
from node.i18n.sentence import Explained, sentence
from node.streets.canvas import Canvas
from node.streets.extract import OsmWay, Surroundings
from node.streets.lettering import NameWish, fitting, is_square, placed, width
from node.streets.meanings import QUARTERS, area_of, landmark, line_of
from node.streets.shapes import (
    Line,
    Point,
    area,
    clipped,
    clipped_ring,
    closed,
    joined,
    length,
    sea,
    simplified,
    simplified_ring,
)

EDGE = HALF + 8  # units: the ends of lines are drawn beyond what is seen
TOLERANCES = (0.6, 1.0, 1.6)  # units: a fifth to a half of a dot on a small screen
RANKS = {"sea": 0, "water": 1, "river": 1, "avenue": 2, "rail": 3, "road": 3, "square": 4, "street": 5, "green": 4,
         "stream": 6, "alley": 7, "path": 8}  # the higher goes first
MIN_LENGTH, MIN_AREA = 3.0, 12.0  # units; square units: less is but a dot
EMPTY_BYTES = 3_500  # what a drawing weighs without lines and names
SURE = 0.98


@dataclass(frozen=True)
class _DrawnPart:
    """A line or an area as it may be drawn: the longest, or largest, of a rank first."""

    kind: str
    size: float
    path: str


def drawn(found: Surroundings, canvas: Canvas) -> StreetMap:
    """The drawing; raises Explained if there is nothing to draw."""
    shapes = _Shapes(found)
    names = placed(shapes.wishes())
    spare = MAX_MAP_BYTES - EMPTY_BYTES - sum(len(name.text.encode()) + 130 for name in names)
    pieces = next((pieces for tolerance in TOLERANCES if _weight(pieces := shapes.pieces(tolerance)) <= spare), None)
    pieces = shapes.pieces(TOLERANCES[-1]) if pieces is None else pieces
    if not pieces:
        raise Explained(sentence("There are no streets in this extract around that place."))
    pieces.sort(key=lambda piece: (RANKS[piece.kind], -piece.size))
    return _light_enough(pieces, names, canvas, spare)


def _light_enough(pieces: list[_DrawnPart], names: list[StreetName], canvas: Canvas, room: float) -> StreetMap:
    while True:
        made = StreetMap(canvas.centre, canvas.reach_m, _paths(pieces, room), tuple(names))
        plain, compressed = made.weights()
        if plain <= MAX_MAP_BYTES and compressed <= MAX_MAP_GZIP_BYTES:
            return made
        room = SURE * min(room, _weight(pieces)) * min(1.0, MAX_MAP_BYTES / plain, MAX_MAP_GZIP_BYTES / compressed)


def _weight(pieces: Iterable[_DrawnPart]) -> int:
    return sum(len(piece.path) for piece in pieces)


def _paths(pieces: Iterable[_DrawnPart], room: float) -> dict[str, str]:
    paths: dict[str, list[str]] = defaultdict(list)
    for piece in pieces:
        room -= len(piece.path)
        if room < 0:
            break
        paths[piece.kind].append(piece.path)
    return {kind: "".join(parts) for kind, parts in paths.items()}


class _Shapes:
    """Lines and areas by kind, as points of the drawing."""

    def __init__(self, found: Surroundings):
        self._found = found
        self._points = found.places
        self._lines: dict[str, list[Line]] = defaultdict(list)
        self._areas: dict[str, list[list[Line]]] = defaultdict(list)  # each its rings, inner ones among them
        by_kind: dict[str, list[Sequence[int]]] = defaultdict(list)
        for way in found.ways:
            if len(way.nodes) > 3 and way.nodes[0] == way.nodes[-1] and (kind := area_of(way.tags)):
                self._areas[kind].append(closed(self._traced(way.nodes), HALF))
            elif kind := line_of(way.tags):
                by_kind[kind] += self._known(way.nodes)
        for kind, ways in by_kind.items():
            self._lines[kind] = [[self._points[node] for node in way] for way in joined(ways)]
        for tags, edges in found.areas:
            if kind := area_of(tags):
                self._areas[kind].append(closed((line for edge in joined(edges) for line in self._traced(edge)), HALF))
        self._areas["sea"] = [sea(self._lines.pop("coast", []), EDGE)]

    def _known(self, nodes: Sequence[int]) -> Iterator[Sequence[int]]:
        """The parts of a way whose nodes are in the extract."""
        part: list[int] = []
        for node in nodes:
            if node in self._points:
                part.append(node)
            else:
                if len(part) > 1:
                    yield part
                part = []
        if len(part) > 1:
            yield part

    def _traced(self, nodes: Sequence[int]) -> Iterator[Line]:
        for part in self._known(nodes):
            yield [self._points[node] for node in part]

    def pieces(self, tolerance: float) -> list[_DrawnPart]:
        """All that may be drawn, without what lies nearer than `tolerance` to a straight line."""
        return [*self._pieces_of_lines(tolerance), *self._pieces_of_areas(tolerance)]

    def _pieces_of_lines(self, tolerance: float) -> Iterator[_DrawnPart]:
        for kind, lines in self._lines.items():
            for line in lines:
                for part in clipped(line, EDGE):
                    if (size := length(part)) >= MIN_LENGTH and (path := _path(simplified(part, tolerance), "")):
                        yield _DrawnPart(kind, size, path)

    def _pieces_of_areas(self, tolerance: float) -> Iterator[_DrawnPart]:
        for kind, areas in self._areas.items():
            for rings in areas:
                cut = [part for ring in rings if len(part := clipped_ring(ring, EDGE)) > 2 and abs(area(part)) > MIN_AREA]
                if path := "".join(_path(simplified_ring(ring, tolerance), "z") for ring in cut):
                    yield _DrawnPart(kind, max(abs(area(ring)) for ring in cut), path)

    def wishes(self) -> Iterator[NameWish]:
        """All names that may be written."""
        for tags, point in self._found.points:
            if name := fitting(tags["name"]):
                if tags.get("place") in QUARTERS:
                    yield NameWish(1.0, "p", name, point)
                elif tags.get("place") == "square":
                    yield NameWish(0.0, "q", name, point)
                elif (rank := landmark(tags)) is not None:
                    yield NameWish(2.0 + rank, "k", name, point)
        yield from self._wishes_of_areas()
        yield from self._wishes_of_streets()

    def _wishes_of_areas(self) -> Iterator[NameWish]:
        edges_of = [(way.tags, [way.nodes]) for way in self._found.ways if way.nodes[0] == way.nodes[-1]]
        for tags, edges in [*edges_of, *self._found.areas]:
            if name := fitting(tags.get("name", "")):
                rings = closed((line for edge in joined(edges) for line in self._traced(edge)), HALF)
                cut = max((clipped_ring(ring, HALF) for ring in rings), key=lambda ring: abs(area(ring)), default=[])
                if len(cut) > 2:
                    yield from _wish_of_area(tags, name, cut)

    def _wishes_of_streets(self) -> Iterator[NameWish]:
        by_name: dict[tuple[str, str], list[OsmWay]] = defaultdict(list)
        for way in self._found.ways:
            if (kind := line_of(way.tags)) in STREET_RANKS and (name := fitting(way.tags.get("name", ""))):
                by_name[kind, name].append(way)
        for (kind, name), ways in by_name.items():
            nodes = joined([part for way in ways for part in self._known(way.nodes)])
            parts = [part for line in nodes for part in clipped([self._points[node] for node in line], HALF)]
            if parts:
                yield from _wish_of_street(kind, name, max(parts, key=length))


STREET_RANKS = {"avenue": 3.0, "road": 4.0, "river": 2.0, "street": 5.0, "stream": 6.0, "alley": 8.0, "path": 9.0}


def _wish_of_area(tags: Mapping[str, str], name: str, ring: Line) -> Iterator[NameWish]:
    across = max(x for x, _y in ring) - min(x for x, _y in ring)
    middle = _centre(ring)
    size = abs(area(ring))
    if (kind := area_of(tags)) == "square":
        bold = is_square(_spelt(name)) or not tags.get("highway")
        yield NameWish(0.5 - size / 1e6, "q", name, middle) if bold else NameWish(4.0, "s", name, middle)
    elif kind and size > 900 and across > 0.1 * FONT * width(name, "g"):
        yield NameWish(3.5 - size / 1e5, "w" if kind == "water" else "g", name, middle)
    elif (rank := landmark(tags)) is not None:
        yield NameWish(2.0 + rank, "k", name, middle)


def _wish_of_street(kind: str, name: str, line: Line) -> Iterator[NameWish]:
    if kind in ("street", "road", "path", "alley") and is_square(_spelt(name)):
        yield NameWish(0.6, "q", name, _centre(line))
    else:
        sort = "w" if kind in ("river", "stream") else "s"
        yield NameWish(STREET_RANKS[kind] - min(length(line) / 1000, 1.5), sort, name, line=tuple(simplified(line, 1.0)))


def _spelt(name: str) -> str:
    return name.replace("Pl. ", "Place ", 1) if name.startswith("Pl. ") else name.replace("Sq. ", "Square ", 1)


def _centre(line: Line) -> Point:
    """The middle of a line's or ring's points' extent."""
    xs, ys = [x for x, _y in line], [y for _x, y in line]
    return (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2


def _path(line: Line, end: str) -> str:
    """SVG path data in whole units, "" if nothing is left of it."""
    dots = [(round(x), round(y)) for x, y in line]
    steps = [(after[0] - before[0], after[1] - before[1]) for before, after in pairwise(dots) if before != after]
    if len(steps) < (2 if end else 1):
        return ""
    numbers = [number for step in steps for number in step]
    return f"M{dots[0][0]}{_spaced(dots[0][1])}l{numbers[0]}{''.join(map(_spaced, numbers[1:]))}{end}"


def _spaced(number: int) -> str:
    return str(number) if number < 0 else f" {number}"

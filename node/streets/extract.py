"""Reads what lies around a place from an OpenStreetMap extract, with pyosmium.

The file is read several times over, in a stream: first the nodes around, then the ways that touch them, then what these
ways and the areas made of them need from farther away. So memory holds what lies around, however large the file is.
"""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium

from node.i18n.sentence import Explained, sentence
from node.streets.canvas import Canvas
from node.streets.shapes import Point

KEYS = ("highway", "railway", "waterway", "natural", "landuse", "leisure", "place", "amenity", "tourism")
# An inner city has 25,000 nodes on a square kilometre; 16 octets each, 32 MB are enough for eighty of them.
MAX_NODES = 2_000_000
MAX_REFERENCES = 4_000_000  # of ways to nodes, 8 octets each and as many again in lists: 100 MB
MAX_MEMBERS = 2_000_000  # ways that areas of the whole file are made of: France has half as many
PACE = 200_000  # objects between two words on how far it is
Tags = dict[str, str]
MADE_OF_WAYS = "multipolygon"


@dataclass
class OsmWay:
    """A line through nodes."""

    tags: Tags
    nodes: Sequence[int]


@dataclass
class Surroundings:
    """What lies around: `places` on the drawing by node, `points` that have a name, `ways`, and `areas` that several
    ways go around."""

    places: dict[int, Point] = field(default_factory=dict)
    points: list[tuple[Tags, Point]] = field(default_factory=list)
    ways: list[OsmWay] = field(default_factory=list)
    areas: list[tuple[Tags, list[Sequence[int]]]] = field(default_factory=list)


class _Nodes:
    """Places of nodes by id, in 16 octets each."""

    def __init__(self) -> None:
        self._ids, self._north, self._east = array("q"), array("i"), array("i")

    def add(self, node: int, north: int, east: int) -> None:
        self._ids.append(node)
        self._north.append(north)
        self._east.append(east)

    def __len__(self) -> int:
        return len(self._ids)

    def settle(self) -> None:
        """Bring them in order, which files mostly are in already."""
        if any(self._ids[i] > self._ids[i + 1] for i in range(len(self._ids) - 1)):
            order = sorted(range(len(self._ids)), key=self._ids.__getitem__)
            self._ids, self._north, self._east = (array(each.typecode, (each[i] for i in order))
                                                  for each in (self._ids, self._north, self._east))

    def __contains__(self, node: int) -> bool:
        at = bisect_left(self._ids, node)
        return at < len(self._ids) and self._ids[at] == node

    def place(self, node: int) -> tuple[float, float]:
        """Its latitude and longitude; it must be there."""
        at = bisect_left(self._ids, node)
        return self._north[at] / 10_000_000, self._east[at] / 10_000_000


def read(path: Path, canvas: Canvas, wanted: Callable[[Tags], bool], done: Callable[[int], None] = lambda objects: None,
         ) -> Surroundings:
    """What lies around, of ways and areas what is `wanted`; `done` is told now and then how many objects were read. Raises
    Explained for what cannot be read, is no extract, is too much, or has nothing there."""
    try:
        return _ExtractReader(path, canvas, wanted, done).read()
    except MemoryError as error:
        raise _too_much() from error
    except (RuntimeError, ValueError, OverflowError, osmium.InvalidLocationError) as error:  # of what it cannot read
        raise Explained(sentence("This file cannot be read as an OpenStreetMap extract (.osm.pbf or .osm). Was it fetched "
                                 "to its end?")) from error


class _ExtractReader:
    def __init__(self, path: Path, canvas: Canvas, wanted: Callable[[Tags], bool], done: Callable[[int], None]):
        self._path, self._canvas, self._wanted, self._done = path, canvas, wanted, done
        self._nodes, self._count, self._references = _Nodes(), 0, 0
        self._found = Surroundings()

    def read(self) -> Surroundings:
        edges = self._edges_of_areas()
        members = {way for ways in edges.values() for way in ways}
        self._read_nodes()
        ways = self._touching(members)
        near = {area: edge for area, edge in edges.items() if any(way in ways for way in edge)}
        if farther := {way for edge in near.values() for way in edge} - ways.keys():
            ways |= {way.id: self._way(way) for way in self._objects(osmium.osm.WAY) if way.id in farther}
        self._found.ways = [way for way in ways.values() if way.nodes and self._wanted(way.tags)]
        self._name_areas(near, ways)
        self._place([*self._found.ways, *(way for edge in near.values() for id_ in edge if (way := ways.get(id_)))])
        return self._found

    def _objects(self, kind: Any, *keys: str) -> Iterator[Any]:
        """All of a kind, those with one of these keys if there are any."""
        reading = osmium.FileProcessor(self._path, kind)
        for obj in reading.with_filter(osmium.filter.KeyFilter(*keys)) if keys else reading:
            self._count += 1
            if self._count % PACE == 0:
                self._done(self._count)
            yield obj

    def _edges_of_areas(self) -> dict[int, Sequence[int]]:
        """The ways that go around each wanted area of the file."""
        edges: dict[int, Sequence[int]] = {}
        members = 0
        for relation in self._objects(osmium.osm.RELATION, *KEYS):
            if relation.tags.get("type") == MADE_OF_WAYS and self._wanted(dict(relation.tags)):
                edges[relation.id] = array("q", (one.ref for one in relation.members if one.type == "w"))
                members += len(edges[relation.id])
                _bound(members, MAX_MEMBERS)
        return edges

    def _read_nodes(self) -> None:
        """Where the nodes around are, and those of them that have a name."""
        box, nodes = self._canvas.box(), self._nodes
        for node in self._objects(osmium.osm.NODE):
            place = node.location
            north, east = place.y, place.x
            if box.south < north < box.north and box.west < east < box.east:
                nodes.add(node.id, north, east)
                _bound(len(nodes), MAX_NODES)
                if "name" in node.tags:
                    self._found.points.append((dict(node.tags), self._canvas.point((place.lat, place.lon))))
        nodes.settle()
        if not nodes:
            raise Explained(sentence("This extract holds nothing around that place. Please fetch one that does."))

    def _touching(self, members: Collection[int]) -> dict[int, OsmWay]:
        """The ways through a node around that are wanted, or an edge of an area."""
        found = {way.id: self._way(way) for way in self._objects(osmium.osm.WAY, *KEYS)
                 if (way.id in members or self._wanted(dict(way.tags))) and self._touches(way)}
        if members:
            found |= {way.id: self._way(way) for way in self._objects(osmium.osm.WAY)
                      if way.id in members and way.id not in found and self._touches(way)}
        return found

    def _touches(self, way: Any) -> bool:
        return any(node.ref in self._nodes for node in way.nodes)

    def _way(self, way: Any) -> OsmWay:
        nodes = array("q", (node.ref for node in way.nodes))
        self._references += len(nodes)
        _bound(self._references, MAX_REFERENCES)
        return OsmWay(dict(way.tags), nodes)

    def _name_areas(self, near: dict[int, Sequence[int]], ways: dict[int, OsmWay]) -> None:
        for relation in self._objects(osmium.osm.RELATION, *KEYS) if near else ():
            if edge := near.get(relation.id):
                self._found.areas.append((dict(relation.tags), [ways[way].nodes for way in edge if way in ways]))

    def _place(self, ways: Iterable[OsmWay]) -> None:
        """Find where all nodes of these ways are."""
        places, farther = self._found.places, set()
        for node in {node for way in ways for node in way.nodes}:
            if node in self._nodes:
                places[node] = self._canvas.point(self._nodes.place(node))
            else:
                farther.add(node)
        for node in self._objects(osmium.osm.NODE) if farther else ():
            if node.id in farther and node.location.valid():
                places[node.id] = self._canvas.point((node.location.lat, node.location.lon))


def _bound(number: int, most: int) -> None:
    if number > most:
        raise _too_much()


def _too_much() -> Explained:
    return Explained(sentence("There is too much in this extract for one drawing. Please take a smaller extract, or let "
                              "the drawing reach less far."))

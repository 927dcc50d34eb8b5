"""Towns that do not exist, as OpenStreetMap would have them: written out as extracts, and as what is read of them."""

import math
import random
from functools import cache
from xml.sax.saxutils import quoteattr

from node.streets.extract import OsmWay, Surroundings
from node.streets.meanings import is_drawn

MIDDLE = (48.8710, 2.3650)
METRE = 1 / 111_320  # of a degree of latitude


class Town:
    """Nodes, ways and areas in metres east and north of a middle; what is made first is written first."""

    def __init__(self, middle=MIDDLE):
        self.middle, self.nodes, self.ways, self.relations = middle, [], [], []
        self._known = {}

    def node(self, east, north, **tags):
        """The id of the node there; the same one for the same place."""
        if not tags and (east, north) in self._known:
            return self._known[east, north]
        latitude = self.middle[0] + north * METRE
        longitude = self.middle[1] + east * METRE / math.cos(math.radians(self.middle[0]))
        self.nodes.append((len(self.nodes) + 1, latitude, longitude, tags))
        if not tags:
            self._known[east, north] = len(self.nodes)
        return len(self.nodes)

    def way(self, *places, **tags):
        """The id of a way through (east, north)."""
        self.ways.append((len(self.ways) + 1, [self.node(*place) for place in places], tags))
        return len(self.ways)

    def area(self, *ways, **tags):
        """A multipolygon with these ways around it."""
        self.relations.append((len(self.relations) + 1, ways, {"type": "multipolygon", **tags}))

    def xml(self):
        """The text of an .osm file."""
        lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6" generator="by hand">']
        for id_, latitude, longitude, tags in self.nodes:
            lines.append(f'<node id="{id_}" version="1" lat="{latitude:.7f}" lon="{longitude:.7f}">{_tags(tags)}</node>')
        for id_, nodes, tags in self.ways:
            through = "".join(f'<nd ref="{node}"/>' for node in nodes)
            lines.append(f'<way id="{id_}" version="1">{through}{_tags(tags)}</way>')
        for id_, ways, tags in self.relations:
            members = "".join(f'<member type="way" ref="{way}" role="outer"/>' for way in ways)
            lines.append(f'<relation id="{id_}" version="1">{members}{_tags(tags)}</relation>')
        return "\n".join([*lines, "</osm>"])

    def write(self, path):
        """The same as a file, `path`, in the format that its name says (.osm or .osm.pbf)."""
        if path.suffix == ".osm":
            path.write_text(self.xml(), encoding="utf-8")
            return path
        import osmium
        from osmium.osm import mutable

        with osmium.SimpleWriter(path, overwrite=True) as writer:
            for id_, latitude, longitude, tags in self.nodes:
                writer.add_node(mutable.Node(id=id_, version=1, location=(longitude, latitude), tags=tags))
            for id_, nodes, tags in self.ways:
                writer.add_way(mutable.Way(id=id_, version=1, nodes=nodes, tags=tags))
            for id_, ways, tags in self.relations:
                members = [("w", way, "outer") for way in ways]
                writer.add_relation(mutable.Relation(id=id_, version=1, members=members, tags=tags))
        return path


def _tags(tags):
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())


def surroundings(town, canvas):
    """What `read` makes of a town, without a file between."""
    found = Surroundings({id_: canvas.point((latitude, longitude)) for id_, latitude, longitude, _tags in town.nodes})
    found.ways = [OsmWay(tags, nodes) for _id, nodes, tags in town.ways if is_drawn(tags)]
    found.points = [(tags, canvas.point((latitude, longitude)))
                    for _id, latitude, longitude, tags in town.nodes if "name" in tags]
    return found


def small_town(middle=MIDDLE):
    """A square, two streets, a canal, a park made of two ways with a pond in it, a railway and a station."""
    town = Town(middle)
    town.way((-900, 0), (0, 0), (900, 30), highway="secondary", name="Avenue de la République")
    town.way((-40, -700), (0, 0), highway="residential", name="Rue des Lilas")
    town.way((0, 0), (30, 800), highway="residential", name="Rue des Lilas")
    town.way((100, 100), (180, 100), (180, 180), (100, 180), (100, 100), highway="pedestrian", area="yes",
             name="Place du Marché")
    town.way((-1500, -400), (0, -300), (1500, -350), waterway="canal", name="Canal Saint-Martin")
    town.way((-1500, 500), (1500, 600), railway="rail")
    town.way((-300, 700), (300, 700), railway="subway", tunnel="yes")
    first = town.way((-600, 100), (-600, 400), (-300, 400))
    second = town.way((-300, 400), (-300, 100), (-600, 100))
    pond = town.way((-500, 200), (-400, 200), (-400, 300), (-500, 200), natural="water")
    town.area(first, second, pond, leisure="park", name="Parc des Buttes")
    town.node(300, 560, railway="station", name="Gare de l’Est <&>")
    town.node(-200, -500, place="quarter", name="حي القناة")
    return town


@cache
def dense_city(side=62, step=40.0):
    """A city as full as the fullest: a street each 40 m, crooked, cut at each crossing, with paths, parks and basins."""
    rng, town = random.Random(7), Town()
    half = side * step / 2

    def at(column, row):
        return (round(column * step - half + rng.uniform(-12, 12), 1), round(row * step - half + rng.uniform(-12, 12), 1))

    corners = [[at(column, row) for row in range(side + 1)] for column in range(side + 1)]
    kinds = ["primary"] + ["tertiary"] * 2 + ["residential"] * 5 + ["footway"] * 3 + ["service"] * 2
    for column in range(side):
        for row in range(side):
            here = corners[column][row]
            for line, there in ((row, corners[column + 1][row]), (1_000 + column, corners[column][row + 1])):
                between = [(round(here[i] + (there[i] - here[i]) / 2 + rng.uniform(-6, 6), 1)) for i in (0, 1)]
                kind = kinds[line % len(kinds)] if line % 2 else rng.choice(kinds)
                town.way(here, tuple(between), there, highway=kind, name=f"Rue {line} du Quartier")
            if rng.random() < 0.1:
                ring = [corners[column + i][row + j] for i, j in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0))]
                town.way(*ring, **rng.choice([{"leisure": "park"}, {"natural": "water"}]))
    return town

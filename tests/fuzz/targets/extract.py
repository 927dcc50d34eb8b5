"""An extract of OpenStreetMap, read and drawn as the worker does it, without its process around: a drawing that is taken, or
a sentence. The octets are its objects, one a line, and files as they came."""

import tempfile
from pathlib import Path

from node.board.street_map import HALF, street_map_of
from node.i18n.sentence import Explained
from node.streets.canvas import Canvas
from node.streets.drawing import drawn
from node.streets.extract import read
from node.streets.meanings import is_drawn
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import MEMORY
from tests.streets.towns import MIDDLE, small_town

CANVAS = Canvas(MIDDLE, 1_000)
HEADS = {b"<": ".osm", b"\0\0\0": ".osm.pbf", b"BZh": ".osm.bz2", b"\x1f\x8b": ".osm.gz"}


def run(octets):
    """Lines in osmium's own text format (OPL), unless they begin as a file does: what the reader makes of it is the same."""
    ending = next((ending for head, ending in HEADS.items() if octets.startswith(head)), ".opl")
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        path = Path(folder) / f"brought{ending}"
        path.write_bytes(octets)
        told = []
        try:
            found = read(path, CANVAS, is_drawn, told.append)
            made = drawn(found, CANVAS)
        except Explained as explained:
            assert str(explained.sentence)
            return
    assert all(len(way.nodes) for way in found.ways)
    taken = street_map_of(made.svg().encode())
    assert taken.paths == made.paths and street_map_of(taken.svg().encode()) == taken
    assert len(taken.names) == len(made.names)
    assert all(abs(name.x) <= HALF and abs(name.y) <= HALF for name in made.names)


def opl(text):
    """The objects of an extract in XML, as lines of OPL."""
    import osmium

    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        source, target = Path(folder) / "town.osm", Path(folder) / "town.opl"
        source.write_text(text)
        with osmium.SimpleWriter(str(target)) as writer:
            for each in osmium.FileProcessor(source):
                writer.add(each)
        return target.read_bytes()


def square(number, half, east=0.0, north=0.0):
    """Four nodes around a place, metres from the middle, as lines; their ids begin at `number`."""
    ways = ((-half, -half), (half, -half), (half, half), (-half, half))
    return b"".join(b"n%d v1 x%.6f y%.6f\n" % (number + at, MIDDLE[1] + (east + x) / 73_000, MIDDLE[0] + (north + y) / 111_000)
                    for at, (x, y) in enumerate(ways))


def seeds():
    yield opl(small_town().xml())
    around = square(1, 300) + square(5, 3_000) + square(9, 50)
    yield from ways(around)
    yield from areas(around)
    yield from coasts(around)
    for tags in (b"place=suburb,name=Nord", b"place=square,name=Halles", b"railway=station,name=Gare%20%de%20%l'Est", b"name=x", b"name=rien%20%du%20%tout",
                 b"amenity=library,name=" + b"y" * 200):
        yield around + b"n90 v1 T" + tags + b" x%.6f y%.6f\n" % (MIDDLE[1], MIDDLE[0])
    yield from (b"n1 v1 x200 y99\n", b"n1 v1 x y\n", b"n1 v1\nw1 v1 Thighway=road Nn1,n2\n", b"n-5 v1 x2.37 y48.88\n", b"", b"?", b"<osm>",
                b"<osm version='0.6'/>", b"\0\0\0\x0d", b"BZh9", b"\x1f\x8b\x08", small_town().xml().encode()[:1_500])
    yield around + b"n3 v2 x2.3 y48.8\nn1 v1 x2.37 y48.87\n"



def ways(around):
    ring, wide, small = b"Nn1,n2,n3,n4,n1\n", b"Nn5,n6,n7,n8,n5\n", b"Nn9,n10,n11,n12,n9\n"
    for tags in (b"natural=water", b"natural=coastline", b"leisure=park,name=Jardin", b"place=square,name=Place%20%du%20%March%e9%",
                 b"highway=pedestrian,area=yes,name=Rue", b"amenity=school,name=Ecole", b"landuse=forest,name=" + b"x" * 90):
        for nodes in (ring, wide, small):
            yield around + b"w1 v1 T" + tags + b" " + nodes
            yield around + b"w1 v1 T" + tags + b" " + b"N" + b",".join(nodes[1:-1].split(b",")[::-1]) + b"\n"
    for tags in (b"highway=primary,name=Avenue%20%A", b"highway=residential,name=Place%20%B", b"railway=rail", b"railway=rail,service=yard",
                 b"waterway=river,name=Seine", b"waterway=ditch", b"highway=footway,footway=sidewalk", b"tunnel=yes,highway=road",
                 b"highway=service,name=Sq.%20%C", b"natural=coastline", b"highway=residential,area=yes", b"building=yes"):
        for nodes in (b"Nn1,n3\n", b"Nn5,n1,n2,n99,n3,n6\n", b"Nn9\n", b"N\n", b"Nn1,n1,n1\n", b"Nn5,n7\n"):
            yield around + b"w1 v1 T" + tags + b" " + nodes
        yield around + b"w1 v1 T" + tags + b" Nn1,n2\nw2 v1 T" + tags + b" Nn3,n2\nw3 v1 T" + tags + b" Nn3,n4\nw4 v1 T" + tags + b" Nn1,n4\n"
    yield around + b"w1 v1 Thighway=residential,name=Tour " + ring


def areas(around):
    parts = b"w1 v1 T Nn1,n2\nw2 v1 T Nn2,n5,n3\nw3 v1 T Nn3,n4,n1\nw4 v1 T Nn5,n6\nw5 v1 T N\nw6 v1 Thighway=road N\n"
    for tags in (b"type=multipolygon,natural=water,name=Lac", b"type=multipolygon,leisure=park,name=Parc", b"type=route,leisure=park",
                 b"type=multipolygon,amenity=school,name=Ecole", b"type=multipolygon,highway=pedestrian,name=Place"):
        for members in (b"Mw1@outer,w2@outer,w3@outer\n", b"Mw1@,w4@inner,w9@\n", b"Mn1@\n", b"Mw4@\n", b"Mw1@,w5@,w6@\n"):
            yield around + parts + b"r1 v1 T" + tags + b" " + members
    water = b"r1 v1 Ttype=multipolygon,natural=water,name=Lac Mw1@,w2@,w3@\n"
    for second in (b"n8,n4,n3,n7", b"n7,n3,n4,n8", b"n8,n4,n7", b"n3,n4"):
        for third in (b"n6,n9,n5", b"n9,n10", b"n5,n12,n8"):
            yield around + b"w1 v1 T Nn5,n1,n2,n6\nw2 v1 T N" + second + b"\nw3 v1 T N" + third + b"\n" + water


def coasts(around):
    coast = b"w1 v1 Tnatural=coastline N"
    for nodes in (b"n5,n1,n6\n", b"n1,n2\n", b"n5,n1,n7\nw2 v1 Tnatural=coastline Nn8,n4,n6\n", b"n5,n7\nw2 v1 Tnatural=coastline Nn8,n6\n",
                  b"n1,n5,n2,n1\n", b"n9,n12,n11,n10,n9\nw2 v1 Tnatural=coastline Nn5,n7\n", b"n5,n1,n8\n", b"n6,n1,n2,n7\n"):
        yield around + coast + nodes
    east, west = square(13, 40, 1_200, 0), square(17, 40, 0, -1_200)
    for nodes in (b"n13,n17,n14\n", b"n13,n1,n17\n", b"n17,n1,n13\n", b"n14,n3,n13,n2,n15\n", b"n18,n1,n3,n19\n"):
        yield around + east + west + coast + nodes

TARGET = Target(run, tuple(f"node/streets/{name}.py" for name in ("extract", "shapes", "meanings", "canvas", "drawing", "lettering")), seeds, 4_000, (
    b"\nw1 v1 T", b" Nn1,n2", b"highway=residential", b"natural=coastline", b"type=multipolygon", b"\nr1 v1 T", b"name=", b" Mw1@outer", b"\nn1 v1 x"), share=4,
    beside={"files of millions of nodes: tests/streets/test_extract.py": ("_too_much", "_bound")},
    aside={"a town heavier than a page may be: tests/streets/test_drawing.py": ("if plain <= MAX_MAP_BYTES", "if room < 0", "while True"),
           "two hundred thousand objects": ("if self._count % PACE",)})

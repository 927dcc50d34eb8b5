"""The drawing shows what is there, and weighs no more than it may, however full the city is."""

import random
import re
from collections import Counter
from functools import cache

import pytest

from node.board.street_map import (
    FONT,
    HALF,
    MAX_MAP_BYTES,
    MAX_MAP_GZIP_BYTES,
    MAX_NAMES,
    SORTS,
    street_map_of,
)
from node.i18n.sentence import Explained
from node.streets.canvas import Canvas
from node.streets.drawing import drawn
from node.streets.extract import Surroundings, read
from node.streets.lettering import NameWish, fitting, placed, width
from node.streets.meanings import area_of, is_drawn, line_of
from tests.streets.towns import MIDDLE, dense_city, small_town, surroundings

CANVAS = Canvas(MIDDLE, 1_000)


def test_streets_water_rails_green_and_names_are_drawn(tmp_path):
    made = drawn(read(small_town().write(tmp_path / "town.osm"), CANVAS, is_drawn), CANVAS)
    assert set(made.paths) == {"road", "street", "river", "rail", "green", "water", "square"}
    assert {name.text for name in made.names} >= {"R. des Lilas", "Pl. du Marché", "Parc des Buttes", "حي القناة",
                                                  "Canal Saint-Martin", "Gare de l’Est <&>"}
    assert "subway" not in made.svg() and "Gare de l’Est &lt;&amp;&gt;" in made.svg()
    assert "OpenStreetMap" in made.svg() and "ODbL" in made.svg()


def test_a_street_cut_in_pieces_is_one_line_and_lies_where_it_is():
    path = drawn(surroundings(small_town(), CANVAS), CANVAS).paths["street"]
    assert path.count("M") == 1
    east, north = map(int, re.match(r"M(-?\d+)[ ]?(-?\d+)", path).groups())
    metres = CANVAS.reach_m / HALF
    ends = [(-40, -700), (30, 800)]
    assert min(abs(east * metres - x) + abs(-north * metres - y) for x, y in ends) < 2 * metres


@cache
def drawn_city():
    """The fullest city, drawn."""
    return drawn(surroundings(dense_city(), CANVAS), CANVAS)


def test_the_fullest_city_weighs_no_more_than_it_may_and_keeps_its_great_streets():
    made = drawn_city()
    plain, compressed = made.weights()
    assert plain <= MAX_MAP_BYTES and 0.9 * MAX_MAP_GZIP_BYTES < compressed <= MAX_MAP_GZIP_BYTES
    assert {"avenue", "road", "street", "water", "green"} <= set(made.paths)
    assert 20 < len(made.names) <= MAX_NAMES
    assert street_map_of(made.svg().encode()) == made


def test_what_matters_least_is_left_out_first():
    kinds = Counter(line_of(tags) for _id, _nodes, tags in dense_city().ways)
    shown = {kind: len(drawn_city().paths.get(kind, "")) / kinds[kind] for kind in ("avenue", "street", "path")}
    assert shown["path"] < 0.2 * shown["avenue"] and shown["street"] > 0.7 * shown["avenue"]


def test_where_there_are_no_streets_it_is_said():
    with pytest.raises(Explained, match="no streets"):
        drawn(Surroundings(), CANVAS)


def test_names_do_not_cover_each_other():
    rng, tried = random.Random(4), 0
    wishes = [NameWish(rng.random(), rng.choice("pqksg"), f"Lieu numéro {number}",
                       (rng.uniform(-400, 400), rng.uniform(-400, 400))) for number in range(200)]
    names = placed(wishes)
    for level in range(3):
        size = FONT / 2 ** level
        boxes = [(name.x, name.y + name.below / 10 * size * SORTS[name.sort][1], width(name.text, name.sort) * size)
                 for name in names if name.level <= level]
        for number, (x, y, wide) in enumerate(boxes):
            for other_x, other_y, other_wide in boxes[:number]:
                tried += 1
                assert abs(x - other_x) > 0.9 * (wide + other_wide) / 2 or abs(y - other_y) > 0.7 * size
    assert tried > 1_000 and {name.level for name in names} == {0, 1, 2}


def test_a_name_is_written_once_shortened_and_never_upside_down():
    wishes = [NameWish(1, "s", fitting("Rue  des Lilas"), line=((x, -400.0), (x, 400.0))) for x in (-300.0, 0.0, 300.0)]
    wishes.append(NameWish(1, "s", fitting("Avenue Foch"), line=((400.0, 100.0), (-400.0, 80.0))))
    names = placed(wishes)
    assert sorted(name.text for name in names) == ["Av. Foch", "R. des Lilas"]
    assert all(-90 <= name.turn <= 90 for name in names)
    assert fitting("x" * 60) == "" and fitting("Rue") == "Rue"


@pytest.mark.parametrize(("tags", "line", "area"), [
    ({"highway": "primary_link"}, "avenue", ""), ({"highway": "footway", "footway": "sidewalk"}, "", ""),
    ({"highway": "proposed"}, "", ""), ({"railway": "rail", "tunnel": "yes"}, "", ""),
    ({"railway": "rail", "service": "yard"}, "", ""),
    ({"highway": "residential", "tunnel": "building_passage"}, "street", ""),
    ({"highway": "pedestrian", "area": "yes"}, "", "square"), ({"place": "square"}, "", "square"),
    ({"highway": "pedestrian"}, "street", ""), ({"waterway": "canal", "natural": "water"}, "river", "water"),
    ({"leisure": "park", "landuse": "residential"}, "", "green"), ({"building": "yes"}, "", ""),
])
def test_tags_mean_what_the_map_features_say(tags, line, area):
    assert (line_of(tags), area_of(tags)) == (line, area)

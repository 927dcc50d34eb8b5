"""Extracts of OpenStreetMap are read in a stream: what lies around is kept, what is broken is told in a sentence."""

import random

import pytest

from node.i18n.sentence import Explained
from node.streets import extract
from node.streets.canvas import Canvas
from node.streets.drawing import drawn
from node.streets.extract import read
from node.streets.meanings import is_drawn
from tests.streets.towns import MIDDLE, Town, small_town

CANVAS = Canvas(MIDDLE, 1_000)


def names(ways):
    return {way.tags.get("name") for way in ways}


@pytest.mark.parametrize("name", ["town.osm", "town.osm.pbf"])
def test_what_lies_around_is_read_from_either_format(tmp_path, name):
    found = read(small_town().write(tmp_path / name), CANVAS, is_drawn)
    assert {"Avenue de la République", "Rue des Lilas", "Place du Marché", "Canal Saint-Martin"} <= names(found.ways)
    assert [(tags["name"], len(edges)) for tags, edges in found.areas] == [("Parc des Buttes", 3)]
    assert {tags["name"] for tags, _place in found.points} == {"Gare de l’Est <&>", "حي القناة"}
    assert all(node in found.places for way in found.ways for node in way.nodes)


def test_of_a_whole_region_only_what_lies_around_is_kept(tmp_path):
    town, rng = small_town(), random.Random(1)
    for _far in range(600):
        east, north = rng.choice([-1, 1]) * rng.uniform(3_000, 90_000), rng.uniform(-90_000, 90_000)
        town.way((east, north), (east + 50, north), highway="residential")
    small, large = (read(one.write(tmp_path / name), CANVAS, is_drawn)
                    for one, name in ((small_town(), "small.osm"), (town, "large.osm")))
    assert len(small.ways) == len(large.ways) and small.places == large.places


def test_an_area_is_whole_though_most_of_it_lies_farther_away(tmp_path):
    town = Town()
    near = town.way((-200, -9_000), (-200, 0), (-200, 9_000))
    far = town.way((-200, 9_000), (-9_000, 9_000), (-9_000, -9_000), (-200, -9_000))
    town.area(near, far, natural="water", name="Le lac")
    found = read(town.write(tmp_path / "lake.osm"), CANVAS, is_drawn)
    assert [len(edge) for _tags, edges in found.areas for edge in edges] == [3, 4]
    assert len(found.places) == 5


def test_a_way_through_nothing_that_an_area_names_spoils_no_drawing(tmp_path):
    town = small_town()
    town.area(town.way((-200, 0), (200, 0)), town.way(highway="residential"), natural="water", name="Le lac")
    found = read(town.write(tmp_path / "town.osm"), CANVAS, is_drawn)
    assert "Le lac" in {tags.get("name") for tags, _edges in found.areas} and all(way.nodes for way in found.ways)
    assert drawn(found, CANVAS).paths


def test_an_extract_whose_parts_stand_in_another_order_is_read(tmp_path):
    text = small_town().xml()
    lines = text.splitlines()
    turned = "\n".join([*lines[:2], *reversed(lines[2:-1]), lines[-1]])
    (tmp_path / "turned.osm").write_text(turned)
    found = read(tmp_path / "turned.osm", CANVAS, is_drawn)
    assert found.places == read(small_town().write(tmp_path / "town.osm"), CANVAS, is_drawn).places
    assert "Rue des Lilas" in names(found.ways)


def test_an_extract_of_elsewhere_is_told(tmp_path):
    path = small_town((43.3, 5.4)).write(tmp_path / "marseille.osm")
    with pytest.raises(Explained, match="nothing around that place"):
        read(path, CANVAS, is_drawn)


def test_too_much_is_told_before_it_is_kept(tmp_path, monkeypatch):
    path = small_town().write(tmp_path / "town.osm")
    assert read(path, CANVAS, is_drawn).ways
    for bound in ("MAX_NODES", "MAX_REFERENCES", "MAX_MEMBERS"):
        with monkeypatch.context() as patched:
            patched.setattr(extract, bound, 2)
            with pytest.raises(Explained, match="too much"):
                read(path, CANVAS, is_drawn)


def broken(whole):
    """Files that are no extract any more, or never were."""
    rng = random.Random(5)
    yield b""
    yield b"hello"
    yield whole[:len(whole) // 2]
    yield b"\0" * 5_000
    yield b"\xff\xff\xff\xff" + whole
    for _time in range(40):
        spoilt = bytearray(whole)
        for _octet in range(rng.randrange(1, 6)):
            spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
        yield bytes(spoilt)


@pytest.mark.parametrize("name", ["town.osm", "town.osm.pbf"])
def test_what_is_broken_is_read_as_far_as_it_makes_sense_or_told_in_a_sentence(tmp_path, name):
    whole = small_town().write(tmp_path / name).read_bytes()
    told = 0
    for number, content in enumerate(broken(whole)):
        path = tmp_path / f"{number}-{name}"
        path.write_bytes(content)
        try:
            read(path, CANVAS, is_drawn)
        except Explained as error:
            told += 1
            assert "extract" in str(error)
    assert told >= 5


@pytest.mark.parametrize("inner", [
    '<node id="1" version="1" lat="999" lon="1"/>', '<node id="1" version="1" lat="48.8710" lon="abc"/>',
    '<node id="99999999999999999999999" version="1" lat="48.8710" lon="2.3650"/>', "<node/>",
    '<way id="1" version="1"><nd ref="7"/><nd ref="8"/><tag k="highway" v="residential"/></way>',
    '<relation id="1" version="1"><member type="relation" ref="1" role=""/><tag k="type" v="multipolygon"/>'
    '<tag k="natural" v="water"/></relation>',
])
def test_what_makes_no_sense_in_an_extract_ends_in_a_sentence_or_is_left_out(tmp_path, inner):
    text = small_town().xml().replace("</osm>", f"{inner}</osm>")
    (tmp_path / "odd.osm").write_text(text)
    try:
        assert read(tmp_path / "odd.osm", CANVAS, is_drawn).ways
    except Explained as error:
        assert "extract" in str(error)


def test_entities_that_grow_without_end_are_not_followed(tmp_path):
    bomb = '<!DOCTYPE osm [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {chr(98 + level)} "{f"&{chr(97 + level)};" * 10}">' for level in range(9)) + "]>"
    (tmp_path / "bomb.osm").write_text(f'<?xml version="1.0"?>{bomb}<osm version="0.6">'
                                       '<node id="1" version="1" lat="48.8710" lon="2.3650">'
                                       '<tag k="name" v="&j;"/></node></osm>')
    with pytest.raises(Explained, match="cannot be read"):
        read(tmp_path / "bomb.osm", CANVAS, is_drawn)

"""A drawing is made by a process of its own; whatever becomes of that, who asked gets a map or a sentence."""

import signal
import sys

import pytest

from node.board.street_map import street_map_of
from node.i18n.sentence import Explained
from node.streets import bounded
from node.streets.bounded import Bounds, draw, draw_brought
from node.streets.worker import made
from tests.streets.towns import MIDDLE, small_town


def test_an_extract_is_drawn_apart_and_taken_as_a_sound_map(tmp_path):
    counted = []
    made = draw(small_town().write(tmp_path / "town.osm.pbf"), MIDDLE, 1_000, counted.append)
    assert "street" in made.paths and made.centre == MIDDLE


def test_what_it_says_is_told(tmp_path):
    with pytest.raises(Explained, match="nothing around that place"):
        draw(small_town().write(tmp_path / "town.osm"), (43.3, 5.4), 1_000)


def test_what_is_handed_in_is_known_by_its_beginning():
    assert "street" in street_map_of(draw_brought(small_town().xml().encode(), MIDDLE, 1_000)).paths


def test_one_drawing_is_made_at_a_time():
    with bounded._one_at_a_time, pytest.raises(Explained, match="Another street map"):
        draw_brought(b"<osm>", MIDDLE, 1_000)
    with pytest.raises(Explained, match="cannot be read"):
        draw_brought(b"\x1f\x8b", MIDDLE, 1_000)
    assert not bounded._one_at_a_time.locked()


@pytest.mark.parametrize(("code", "said"), [
    (-signal.SIGKILL, "too long"), (-signal.SIGXCPU, "too long"), (-signal.SIGSEGV, "cannot be read"),
    (1, "cannot be read")])
def test_a_process_that_ends_without_a_map_is_told_in_a_sentence(code, said):
    with pytest.raises(Explained, match=said):
        bounded._made(None, code)


@pytest.mark.parametrize("last", [[], "x", {}, {"svg": 5}, {"svg": "<svg>"}, {"sentence": 5}, {"sentence": {"text": 5}}])
def test_nothing_but_a_sound_map_or_a_sentence_is_taken_from_it(last):
    with pytest.raises(Explained, match="cannot be read"):
        bounded._made(last, 0)


def test_one_that_takes_too_long_is_ended(tmp_path):
    with pytest.raises(Explained, match="too long"):
        draw(small_town().write(tmp_path / "town.osm"), MIDDLE, 1_000, bounds=Bounds(wall_s=0.0))


def test_one_that_takes_too_much_memory_is_told(tmp_path):
    with pytest.raises(Explained):
        draw(small_town().write(tmp_path / "town.osm"), MIDDLE, 1_000, bounds=Bounds(memory_bytes=1_000_000))


def test_without_the_library_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    path = str(small_town().write(tmp_path / "town.osm"))
    assert "svg" in made(path, "48.871", "2.365", "1000")
    for module in ("node.streets.extract", "node.streets.drawing"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "osmium", None)
    assert "python3-pyosmium" in made(path, "48.871", "2.365", "1000")["sentence"]["text"]

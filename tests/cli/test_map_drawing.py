"""`archipel map`: an extract is drawn into a file or for the island; what is missing is said."""

import pytest
from click.testing import CliRunner

from node.board.board import Board
from node.board.street_map import street_map_of
from node.cli import map_drawing
from node.cli.main import main
from node.i18n.sentence import Explained, sentence
from tests.board.test_street_map import MAP
from tests.streets.towns import MIDDLE, small_town


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs the command; nothing is drawn apart, as `tests/streets/test_bounded.py` tries that."""
    asked = []

    def draw(path, middle, radius_m, done):
        asked.append((path.name, middle, radius_m))
        done(2_000_000)
        if path.name == "broken.osm":
            raise Explained(sentence("This file is broken."))
        return MAP

    monkeypatch.setattr(map_drawing, "draw", draw)
    config = tmp_path / "archipel.toml"
    config.write_text(f'[node]\ndata = "{tmp_path / "data"}"\nposition = "48.8710, 2.3650"\nlanguage = "en"\n')

    def ran(*arguments):
        return CliRunner().invoke(main, ["map", "--config", str(config), *map(str, arguments)], env={"LC_ALL": "en"})

    ran.asked = asked
    return ran


def test_an_extract_is_drawn_around_the_island_into_a_file(run, tmp_path):
    town = small_town().write(tmp_path / "town.osm")
    told = run(town, "--to", tmp_path / "map.svg")
    assert told.exit_code == 0 and "hand it in on the desk" in told.output and "ODbL" in told.output
    assert street_map_of((tmp_path / "map.svg").read_bytes()) == MAP
    run(town, "--around", "-33.9,18.4", "--radius", "500", "--to", tmp_path / "map.svg")
    assert run.asked == [("town.osm", MIDDLE, 1_000), ("town.osm", (-33.9, 18.4), 500)]


def test_what_was_drawn_elsewhere_is_taken_too_and_nothing_else(run, tmp_path):
    (tmp_path / "map.svg").write_text(MAP.svg())
    assert run(tmp_path / "map.svg", "--to", tmp_path / "again.svg").exit_code == 0
    assert (tmp_path / "again.svg").read_text() == MAP.svg()
    (tmp_path / "map.svg").write_text("<svg/>")
    told = run(tmp_path / "map.svg", "--to", tmp_path / "again.svg")
    assert told.exit_code == 1 and "no street map" in told.output and run.asked == []


def test_without_a_place_it_is_asked_for(run, tmp_path):
    town = small_town().write(tmp_path / "town.osm")
    told = CliRunner().invoke(main, ["map", str(town)], env={"LC_ALL": "en"})
    assert told.exit_code == 1 and "--around 48.8752,2.3931" in told.output
    assert "latitude and longitude" in run(town, "--around", "nowhere").output and run.asked == []


def test_what_cannot_be_drawn_is_said_and_no_file_is_made(run, tmp_path):
    told = run(small_town().write(tmp_path / "broken.osm"), "--to", tmp_path / "map.svg")
    assert told.exit_code == 1 and "This file is broken." in told.output and not (tmp_path / "map.svg").exists()


def test_without_an_island_that_runs_it_is_said(run, tmp_path):
    assert "belongs to no set yet" in run(small_town().write(tmp_path / "town.osm")).output


def test_the_island_keeps_what_the_command_line_has_drawn(board: Board):
    from node.daemon.rpc_handlers import handlers

    class Island:
        """As much of one as this request needs."""

    island = Island()
    island.board = board
    handlers(island)["street-map"]({"svg": MAP.svg()})
    assert board.streets() == MAP

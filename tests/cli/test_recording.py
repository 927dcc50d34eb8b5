"""`archipel record` at an island that runs: a file that any program reads, and a summary in words."""

import json

import pytest

from node.board.api import Draft
from node.cli import capturing
from node.daemon.app import App
from node.daemon.captures import read_capture
from node.daemon.settings_reader import load
from node.model.clock import RELEASED_AT, ManualClock
from node.model.record import Kind
from tests.cli.islands import archipel, write_config


@pytest.fixture
def island(tmp_path, monkeypatch):
    config = write_config(tmp_path, "Île du canal")
    monkeypatch.setenv("ARCHIPEL_CONFIG", str(config))
    assert archipel("init")[0] == 0
    clock = ManualClock(RELEASED_AT + 86_400.0)
    app = App(load(config).settings, clock)
    app.open()
    monkeypatch.setattr(capturing.time, "sleep", lambda seconds: clock.advance(25))
    yield app
    app.close()


def test_a_recording_ends_by_itself_says_what_it_is_and_can_be_shown_again(island, tmp_path):
    file = tmp_path / "help.capture"
    code, said = archipel("record", file, "--minutes", "1")
    assert code == 0 and "Recording for 1 minute into" in said and "No text, name, key" in said
    with file.open("rb") as stream:
        assert read_capture(stream).entries[-1]["why"] == "time"
    assert archipel("record", file, "--show")[1] in said
    told = json.loads(archipel("record", file, "--show", "--json")[1])
    assert told["why"] == "time" and told["seconds"] >= 60


def test_who_stops_it_sooner_has_what_there_was(island, tmp_path, monkeypatch):
    def stop(seconds):
        island.board.post(Draft(Kind.BULLETIN, text="Une soupe, ce soir"))
        raise KeyboardInterrupt

    monkeypatch.setattr(capturing.time, "sleep", stop)
    code, said = archipel("record", tmp_path / "short.capture", "--minutes", "700")
    assert code == 0 and "bulletin 1" in said and "kept 1" in said
    assert "soupe" not in (tmp_path / "short.capture").read_text()


def test_nothing_is_written_over_and_two_do_not_record_at_once(island, tmp_path):
    file = tmp_path / "mine"
    file.write_text("mine")
    assert archipel("record", file)[0] == 1 and file.read_text() == "mine"
    assert island.runner.call(lambda: island.tap.begin(700, []))
    code, said = archipel("record", tmp_path / "second")
    assert code == 1 and "recording already" in said and not (tmp_path / "second").exists()


def test_what_is_no_capture_is_said_to_be_none_and_a_capture_without_its_end_is_shown(tmp_path):
    (tmp_path / "none").write_bytes(b"\x00" * 50)
    (tmp_path / "part").write_text('{"is":"capture","version":1,"up":["mqtt"]}\n{"is":"heard","at":1,"link":"mqtt","puts"')
    code, said = archipel("record", "--show", tmp_path / "none")
    assert code == 1 and "is no capture, or a part of it is broken (capture-empty)" in said
    code, said = archipel("record", "--show", tmp_path / "part")
    assert code == 0 and "Its end is missing" in said and "mqtt: 0 packets heard" in said

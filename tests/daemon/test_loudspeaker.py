"""The loudspeaker: at the keepers' hours, once, never at night, and silent unless all is well."""

import os
import stat
import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from node.board.night_rest import Rest, RestPart
from node.daemon.loudspeaker import Loudspeaker, LoudspeakerHost
from node.daemon.timekeeper import Timekeeper
from node.model.clock import ManualClock
from node.model.errors import RemoteFault
from tests.sim.portals import Neighbourhood

PARIS = ZoneInfo("Europe/Paris")
SCRIPT = Path(__file__).parents[2] / "image-build/overlay/usr/lib/archipel/say-aloud"


class Room:
    """An island with a loudspeaker: what it has `heard`, and a `voice` that may fail."""

    def __init__(self, folder, sure=True):
        self.place = Neighbourhood(folder)
        self.hours, self.heard, self.fault = "9:00, 12:00", [], ""
        clock = ManualClock(datetime(2026, 11, 30, tzinfo=PARIS).timestamp())  # the neighbourhood's is before the release
        self.timekeeper = Timekeeper(clock)
        if sure:
            assert self.timekeeper.keeper_says(clock.now())
        self.anew()
        self.place.event(("Repas", "Cantine"), self.place.board.now() + 300, length=600)

    def anew(self):
        self.loudspeaker = Loudspeaker(LoudspeakerHost(self.place.board, self, self.timekeeper, PARIS, "Île du canal", "fr",
                                                       lambda: self.hours), self.heard.append)

    def read(self, text, tag):
        if self.fault:
            raise RemoteFault(self.fault)
        return f"{tag}: {text}".encode()

    def at(self, text):
        """Whether it speaks when clocks show this."""
        clock = self.place.clock
        today = datetime.fromtimestamp(clock.now(), PARIS)
        hour, minute = map(int, text.split(":"))
        clock.advance(today.replace(hour=hour, minute=minute, second=0).timestamp() - clock.now())
        return self.loudspeaker.look()


@pytest.fixture
def room(tmp_path):
    made = Room(tmp_path)
    yield made
    made.place.archive.close()


def test_it_reads_the_agenda_once_at_each_hour(room):
    assert [room.at(text) for text in ("11:59", "12:00", "12:00", "12:05", "12:11", "13:00")] == [
        False, True, False, False, False, False]
    (heard,) = room.heard
    assert heard.startswith(b"fr: ") and "Repas. Cantine." in heard.decode()


def test_an_island_that_was_starting_reads_it_some_minutes_late_and_not_later(room):
    assert room.at("12:09")
    room.anew()
    room.hours = "13:00"
    assert not room.at("13:10") and room.at("13:00") is True


def test_it_is_silent_while_anything_rests_by_a_clock_that_is_not_sure_and_until_keepers_choose_hours(room, tmp_path):
    room.hours = ""
    assert not room.at("12:00")
    room.hours = "12:00"
    for part in RestPart:
        room.place.board.set_rests({part: Rest(11 * 60, 13 * 60)}, "lea")
        assert not room.at("12:01"), part
    room.place.board.set_rests({}, "lea")
    assert room.at("12:02")
    (tmp_path / "other").mkdir()
    unsure = Room(tmp_path / "other", sure=False)
    assert not unsure.at("12:00")
    unsure.place.archive.close()


def test_a_day_without_events_is_silent(room):
    room.place.pass_days(2)
    assert not room.at("12:00") and not room.heard


def test_what_fails_is_told_in_the_log_and_another_hour_is_another_try(room, caplog):
    room.fault = "no-voice"
    assert not room.at("12:00") and "no-voice" in caplog.text
    room.hours, room.fault = "12:00, 13:00", ""
    assert not room.at("12:01") and room.at("13:00")


def test_on_the_image_it_leaves_the_reading_for_the_unit_that_plays_it(room, tmp_path, monkeypatch):
    path = tmp_path / "aloud.ogg"
    monkeypatch.setenv("ARCHIPEL_ALOUD", str(path))
    Loudspeaker(room.loudspeaker._host)._play(b"OggS")
    assert path.read_bytes() == b"OggS" and not (tmp_path / "aloud.ogg.new").exists()


@pytest.mark.process
@pytest.mark.parametrize("card", [0, 2, None])
def test_the_unit_plays_it_once_on_the_first_card_that_sounds(tmp_path, card):
    play = f"read it; echo $3 $it >> {tmp_path}/played; [ $3 = plughw:{card} ]"
    for name, body in (("opusdec", "cat $3"), ("aplay", play)):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    reading = tmp_path / "aloud.ogg"
    reading.write_text("reading\n")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
    subprocess.run([SCRIPT, reading], env=env, check=True)
    tried = (tmp_path / "played").read_text().split("\n")[:-1]
    assert tried == [f"plughw:{number} reading" for number in range(4 if card is None else card + 1)]
    assert not reading.exists() and not list(tmp_path.glob("tmp.*")) and SCRIPT.stat().st_mode & stat.S_IXUSR

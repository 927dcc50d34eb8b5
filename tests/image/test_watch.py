"""The watch over the Wi-Fi: what it asks to be started again, in which order, how often, and what it tells."""

import io
import json
import os
import re
import socket
import subprocess
import threading

import pytest

from archipel_image.sources import OVERLAY, PROGRAMS, program
from node.i18n.catalogue import catalogue
from node.i18n.sentence import Sentence

watch = program("wifi_watch")
MINUTE_S, HOUR_S = 60, 3600


def steps(sick, minutes, began_by_us=False, start_s=120.0):
    """[(minute, part, step)] of so many looks, one a minute; `sick(minute)` is the trouble at each."""
    memory, taken = watch.Memory(), []
    for minute in range(minutes):
        memory, wanted = watch.decide(memory, sick(minute), start_s + minute * MINUTE_S, began_by_us)
        if wanted:
            taken.append((minute, *wanted))
    return taken


def test_a_box_that_is_well_is_left_alone():
    assert steps(lambda _: set(), 1000) == []


@pytest.mark.parametrize("part", watch.LADDERS)
def test_some_bad_looks_apart_are_no_trouble(part):
    assert steps(lambda minute: {part} if minute % watch.LOOKS[part] else set(), 1000) == []


def test_the_service_is_started_again_first_then_the_driver_then_the_box():
    looks = watch.LOOKS["wifi"]
    assert steps(lambda _: {"wifi"}, 3 * looks) == [
        (looks - 1, "wifi", "hostapd"), (2 * looks - 1, "wifi", "driver"), (3 * looks - 1, "wifi", "box")]


@pytest.mark.parametrize("sick", [{"wifi"}, {"names"}, {"portal"}, {"wifi", "names", "portal"}])
@pytest.mark.parametrize("began_by_us", [False, True])
def test_no_step_is_taken_more_than_once_an_hour_however_long_the_trouble_lasts(sick, began_by_us):
    last = {"box": 0} if began_by_us else {}
    taken = steps(lambda _: sick, 600, began_by_us, start_s=0.0)
    for minute, _, step in taken:
        assert minute * MINUTE_S - last.get(step, -HOUR_S) >= HOUR_S, taken
        last[step] = minute * MINUTE_S
    assert {step for _, _, step in taken} == {step for part in sick for step in watch.LADDERS[part]}


def test_a_box_that_the_watch_started_is_not_started_again_within_its_first_hour():
    taken = steps(lambda _: {"wifi"}, 59, began_by_us=True, start_s=0.0)
    assert [step for _, _, step in taken] == ["hostapd", "driver"]


def test_what_dies_again_soon_gets_the_next_step():
    taken = steps(lambda minute: {"wifi"} if minute in range(10, 13) or minute in range(25, 28) else set(), 60)
    assert [step for _, _, step in taken] == ["hostapd", "driver"]


def test_a_portal_that_is_busy_for_minutes_is_let_work():
    assert steps(lambda minute: {"portal"} if minute < watch.LOOKS["portal"] - 1 else set(), 100) == []


def test_where_nobody_joins_for_a_day_the_beacons_are_turned_on_again_and_nothing_is_told(folders):
    day = watch.LOOKS["joined"]
    assert day * watch.PERIOD_S == watch.DAY_S
    assert steps(lambda _: {"joined"}, 2 * day) == [(day - 1, "joined", "hostapd"), (2 * day - 1, "joined", "hostapd")]
    assert steps(lambda minute: set() if minute % day == 700 else {"joined"}, 2 * day) == []
    watch.Diary(*folders, "first").step("joined", "hostapd")
    assert told(folders[0]) == []


@pytest.fixture
def folders(tmp_path):
    """Where the watch writes what a start forgets, and what it keeps."""
    made = tmp_path / "here", tmp_path / "kept"
    for folder in made:
        folder.mkdir()
    return made


def told(here):
    """What the portal shows, in English."""
    lines = (here / "notices").read_text().splitlines() if (here / "notices").exists() else []
    return [str(Sentence.of(json.loads(line))) for line in lines]


def test_the_reason_is_told_and_remembered_over_the_start_that_it_led_to(folders):
    here, kept = folders
    diary = watch.Diary(here, kept, "first")
    assert diary.load() == (watch.Memory(), False)
    diary.step("wifi", "box")
    (here / "notices").unlink()  # a start forgets
    again = watch.Diary(here, kept, "second")
    memory, began_by_us = again.load()
    assert began_by_us and "started itself again" in told(here)[0]
    again.remember(memory, began_by_us)
    assert watch.Diary(here, kept, "second").load() == (watch.Memory(), True)  # the watch itself started again


def test_a_start_by_the_keeper_is_no_step_of_the_watchs(folders):
    here, kept = folders
    watch.Diary(here, kept, "first").step("wifi", "box")
    assert watch.Diary(here, kept, "second").load()[1]
    assert not watch.Diary(here, kept, "third").load()[1]


def test_steps_are_remembered_between_runs_of_the_watch_and_not_between_starts(folders):
    here, kept = folders
    memory = watch.Memory({"wifi": 0, "names": 1, "portal": 2}, {"hostapd": 500.0})
    watch.Diary(here, kept, "first").remember(memory, False)
    assert watch.Diary(here, kept, "first").load() == (memory, False)
    assert watch.Diary(here, kept, "second").load() == (watch.Memory(), False)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"boot": "first"', b"null"])
def test_whatever_became_of_its_files_the_watch_looks_on(folders, content):
    here, kept = folders
    (here / "memory").write_bytes(content)
    (kept / "step").write_bytes(content)
    assert watch.Diary(here, kept, "first").load() == (watch.Memory(), False)


def test_a_card_that_takes_nothing_keeps_nobody_from_being_woken(folders, tmp_path):
    diary = watch.Diary(tmp_path / "nowhere", tmp_path / "nowhere", "first")
    diary.step("wifi", "box")
    diary.remember(watch.Memory(), False)
    diary.clear()
    assert diary.load() == (watch.Memory(), False)


def test_every_step_is_told_in_every_language_and_known_to_who_takes_it():
    told_of = {(part, step) for part, ladder in watch.LADDERS.items() for step in ladder}
    assert set(watch.TOLD) == told_of - {("joined", "hostapd")}  # nobody was kept out by it
    for text in watch.TOLD.values():
        assert all(catalogue(tag).gettext(text) != text for tag in ("fr", "es", "ar"))
    recover = (PROGRAMS / "recover").read_text()
    unit = (OVERLAY / "usr/lib/systemd/system/archipel-watch.service").read_text()
    known = set(map(int, re.findall(r"(?m)^    (\d+)\) ", recover)))
    assert known == set(watch.EXIT.values()) == set(map(int, re.search(r"SuccessExitStatus=(.*)", unit)[1].split()))


def test_the_watch_may_read_what_hostapd_may():
    unit = (OVERLAY / "usr/lib/systemd/system/archipel-watch.service").read_text()
    hostapd = (OVERLAY / "etc/systemd/system/hostapd.service").read_text()
    for line in ("User=archipel-wifi", "Group=archipel"):
        assert f"\n{line}\n" in unit and f"\n{line}\n" in hostapd
    assert f"ctrl_interface={watch.HOSTAPD.parent};" in hostapd and watch.HOSTAPD.name == watch.CARD
    assert f"RuntimeDirectory={watch.HOSTAPD.parts[2]}\n" in hostapd and " -g " not in hostapd


class Hostapd:
    """A control socket that answers, or hears and says nothing."""

    def __init__(self, path, answer):
        self._path, self._line = path, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(path))
        self._thread = threading.Thread(target=self._serve, args=(answer,), daemon=True)
        self._thread.start()

    def _serve(self, answer):
        while asked := self._line.recvfrom(100):
            if asked[0] == b"PING" and answer:
                self._line.sendto(answer, asked[1])
            elif asked[0] == b"the end":
                return

    def close(self):
        """No more."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as peer:
            peer.sendto(b"the end", str(self._path))
        self._thread.join()
        self._line.close()
        self._path.unlink()


@pytest.mark.parametrize(("answer", "lives"), [(b"PONG\n", True), (b"FAIL\n", False), (None, False)])
def test_a_hostapd_that_hears_and_says_nothing_is_dead(tmp_path, monkeypatch, answer, lives):
    monkeypatch.setattr(watch, "HOSTAPD", tmp_path / "hostapd")
    monkeypatch.setattr(watch, "QUESTION_S", 1 if answer is None else 60)
    peer = Hostapd(tmp_path / "hostapd", answer)
    assert watch.hostapd_answers(tmp_path / "own") is lives
    peer.close()
    assert not watch.hostapd_answers(tmp_path / "own")


IW = {
    "open": 'echo "	ssid Nord"; echo "	type AP"; echo "	channel 6 (2437 MHz), width: 20 MHz"',
    "stopped": 'echo "	type AP"',  # seen of a simulated card after `iw dev wlan0 ap stop`
    "no answer of the firmware": "echo 'command failed: Connection timed out (-110)' >&2; exit 146",
    "hangs": "exec sleep 1000",
}


@pytest.mark.process
def test_that_nobody_is_with_the_wifi_is_known_only_when_the_card_says_so(tmp_path, monkeypatch):
    (tmp_path / "iw").write_text(f'#!/bin/sh\nif [ $3 = info ]; then {IW["open"]}; else cat {tmp_path}/stations; fi\n')
    (tmp_path / "iw").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name, value in {"HOSTAPD": tmp_path / "hostapd", "NETWORK": tmp_path, "WANTED": tmp_path / "wlan0",
                        "names_are_given": lambda _: True, "page_comes": lambda _: True}.items():
        monkeypatch.setattr(watch, name, value)
    (tmp_path / "wlan0").touch()
    peer, looks = Hostapd(tmp_path / "hostapd", b"PONG\n"), watch.Looks(tmp_path)
    assert looks.sick() == {"wifi"}  # it does not say
    for stations, sick in (("", {"joined"}), ("Station 02:00:00:00:01:00 (on wlan0)\n", set())):
        (tmp_path / "stations").write_text(stations)
        assert looks.sick() == sick
    peer.close()


@pytest.mark.parametrize(("says", "lives"), [(says, says == "open") for says in IW])
@pytest.mark.process
def test_the_wifi_lives_when_the_card_says_that_its_network_is_open(tmp_path, monkeypatch, says, lives):
    (tmp_path / "iw").write_text(f"#!/bin/sh\n{IW[says]}\n")
    (tmp_path / "iw").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for name, value in {"HOSTAPD": tmp_path / "hostapd", "NETWORK": tmp_path, "WANTED": tmp_path / "wanted",
                        "QUESTION_S": 1 if says == "hangs" else 60, "names_are_given": lambda _: True,
                        "page_comes": lambda _: True}.items():
        monkeypatch.setattr(watch, name, value)
    looks = watch.Looks(tmp_path)
    assert looks.sick() == set()  # no Wi-Fi was ever there
    (tmp_path / "wlan0").touch()
    assert looks.sick() == set()  # none is wanted
    (tmp_path / "wanted").touch()
    peer = Hostapd(tmp_path / "hostapd", b"PONG\n")
    assert looks.sick() == (set() if lives else {"wifi"})
    peer.close()
    assert looks.sick() == {"wifi"}
    for hanging in looks._hanging.values():
        hanging.wait()


def test_nothing_that_hangs_is_asked_twice_at_a_time(tmp_path, monkeypatch):
    begun = []
    monkeypatch.setattr(watch, "QUESTION_S", 0.05)

    class Hangs(subprocess.Popen):
        """A program that nothing ends."""

        def __init__(self, *_arguments, **_options):
            begun.append(self)
            self.stdout = io.StringIO()

        def communicate(self, *, timeout):
            raise subprocess.TimeoutExpired("iw", timeout)

        def kill(self):
            pass

        def poll(self):
            return None

        def __del__(self):
            pass

    monkeypatch.setattr(subprocess, "Popen", Hangs)
    looks = watch.Looks(tmp_path)
    assert [looks._ask("info") for _ in range(5)] == [None] * 5 and len(begun) == 1

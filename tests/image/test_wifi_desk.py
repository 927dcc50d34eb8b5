"""The Wi-Fi that keepers set on their desk: `box.py` checks it anew, the card counts before it, and no root reads it."""

import json
import os
import re
import stat
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archipel_image.sources import OVERLAY, PROGRAMS, program
from node.daemon.orders import Orders
from node.daemon.settings_keeper import CARD_VARIABLE, card_lines
from node.daemon.settings_reader import Notice, load
from node.daemon.wifi_order import BOOT_VARIABLE, FOLDER_VARIABLE, WIFI_FILE, WIFI_KEYS, WifiOrders, WifiWish
from tests.effort import EFFORT
from tests.image.imageparts import UNITS

WIFI = {"portal wifi": "Canal", "box wifi_password": "soupe et pain", "box country": "FR", "box channel": "11"}
ANOTHER = {"portal wifi": "Essai", "box country": "FR"}


class Box:
    """A card, what the box makes of it at its start, and the file in which the island wishes for a Wi-Fi."""

    def __init__(self, folder, text=""):
        self.card, self.target, self.desk = folder / "card", folder / "target", folder / WIFI_FILE
        self.card.mkdir()
        self.target.mkdir()
        (self.card / "archipel.toml").write_text(text)
        self.orders = WifiOrders(folder, Orders(folder, frozenset({"wifi"}), lambda: 0.0), "first")
        program("box").main(self.card, self.target)

    def wish(self, kept, now=None, rests=False):
        self.orders.wish(WifiWish(kept, kept if now is None else now, rests))

    def obey(self, boot="first"):
        return program("box").set_wifi(self.card, self.target, self.desk, boot)

    def wifi(self):
        """hostapd's settings by name; None when there is to be no Wi-Fi."""
        path = self.target / "hostapd.conf"
        if not path.exists():
            return None
        return dict(line.split("=", 1) for line in path.read_text().splitlines())

    def name(self):
        return bytes.fromhex(self.wifi()["ssid2"]).decode()

    def told(self):
        return [str(Notice.of(line).sentence) for line in (self.target / "notices").read_text().splitlines()]


def test_what_the_desk_sets_becomes_the_wifi_and_the_missing_country_is_told_no_more(tmp_path):
    box = Box(tmp_path)
    assert box.wifi() is None and "no country is set" in box.told()[0]
    box.wish(WIFI)
    assert box.obey() == 90
    assert (box.name(), box.wifi()["wpa_passphrase"], box.wifi()["channel"]) == ("Canal", "soupe et pain", "11")
    assert "interface=wlan0" in (box.target / "dnsmasq.conf").read_text() and box.told() == []
    assert box.obey() == 0, "nothing is another one"
    box.wish({})
    assert box.obey() == 90 and box.wifi() is None and "no country is set" in box.told()[0]


def test_what_stands_on_the_card_counts_before_the_desk(tmp_path):
    box = Box(tmp_path, '[portal]\nwifi = "La carte"\n[box]\ncountry = "FR"\n')
    box.wish(WIFI)
    assert box.obey() == 90
    assert (box.name(), box.wifi()["channel"], box.wifi()["wpa_passphrase"]) == ("La carte", "11", "soupe et pain")


def test_an_open_wifi_on_the_card_stays_open(tmp_path):
    box = Box(tmp_path, '[box]\ncountry = "FR"\nwifi_password = ""\n')
    box.wish(WIFI)
    box.obey()
    assert "wpa" not in box.wifi() and box.name() == "Canal"


def test_a_trial_counts_within_its_start_of_the_box_and_what_is_kept_in_every_other(tmp_path):
    box = Box(tmp_path)
    box.wish(WIFI, ANOTHER)
    assert box.obey() == 90 and box.name() == "Essai"
    program("box").main(box.card, box.target)  # the power was cut
    assert box.obey("second") == 90 and box.name() == "Canal"


def test_a_wifi_that_rests_is_off_until_it_is_told_otherwise_or_the_box_starts_anew(tmp_path):
    box = Box(tmp_path)
    box.wish(WIFI)
    box.obey()
    box.wish(WIFI, rests=True)
    assert box.obey() == 90 and box.wifi() is None and (box.target / "dnsmasq.conf").exists() and box.told() == []
    assert box.obey() == 0
    box.wish(WIFI)
    assert box.obey() == 90 and box.name() == "Canal"
    box.wish(WIFI, rests=True)
    assert box.obey("second") == 0 and box.name() == "Canal"


def test_where_the_cable_is_closed_the_wifi_does_not_rest(tmp_path):
    box = Box(tmp_path, '[box]\ncountry = "FR"\nethernet = "off"\n')
    box.wish({}, rests=True)
    assert box.obey() == 0 and box.wifi()


def test_a_channel_of_the_desk_that_the_country_of_the_card_does_not_use_is_not_used(tmp_path):
    box = Box(tmp_path, '[box]\ncountry = "US"\n')
    box.wish({"box channel": "13"})
    box.obey()
    assert box.wifi()["channel"] == "6"


@given(wish=st.dictionaries(st.sampled_from([*WIFI_KEYS, "box ssh_key", "box ethernet", "node data", "portal listen"]),
                            st.one_of(st.text(max_size=90), st.integers(), st.none(), st.just("a\nctrl_interface=/tmp")),
                            max_size=8),
       whole=st.one_of(st.none(), st.binary(max_size=60)))
@settings(max_examples=100 * EFFORT)
def test_whatever_the_island_wishes_hostapd_gets_right_lines_and_nothing_else_changes(tmp_path_factory, wish, whole):
    folder = tmp_path_factory.mktemp("box")
    box = Box(folder, '[box]\ncountry = "FR"\n')
    before = {path.name: path.read_text() for path in box.target.iterdir()}
    told = {"boot": "first", "kept": {}, "now": wish, "rests": False}
    box.desk.write_bytes(json.dumps(told).encode() if whole is None else whole)
    assert box.obey() in (0, 90)
    lines = (box.target / "hostapd.conf").read_text().splitlines()
    assert all(re.fullmatch(r"[a-z0-9_]+=[^\x00-\x1f\x7f]+", line) for line in lines)
    assert [line for line in lines if line.startswith(("interface=", "ctrl"))] == ["interface=wlan0"]
    after = {path.name: path.read_text() for path in box.target.iterdir()}
    assert {name for name in after if after[name] != before.get(name)} <= {"hostapd.conf"}


def test_a_mistake_of_ours_leaves_the_wifi_as_it_is(tmp_path, monkeypatch, capsys):
    def fails(card):
        raise RuntimeError("a case that nobody thought of")

    box = Box(tmp_path, '[box]\ncountry = "FR"\n')
    box.wish(WIFI)
    monkeypatch.setattr(program("box"), "settings_on", fails)
    assert box.obey() == 0 and box.name() == "Archipel" and "nobody thought of" in capsys.readouterr().err


def test_the_island_learns_from_the_box_what_the_card_sets_and_on_which_line(tmp_path, monkeypatch):
    box = Box(tmp_path, '# Bonjour\n[node]\nname = "Île"\n\n[box]\ncountry = "FR"\n')
    monkeypatch.setenv(CARD_VARIABLE, str(box.target / "card.json"))
    card = card_lines(load(box.target / "archipel.toml"), None)
    assert (card.file, dict(card.lines), card.wifi) == ("archipel.toml", {"node name": 3, "box country": 6}, "Île")


@pytest.mark.process
@pytest.mark.parametrize(("status", "there", "step"), [
    ("90", True, "--no-block restart archipel-dns.service hostapd.service"),
    ("90", False, "--no-block stop hostapd.service"),
    ("0", True, ""), ("1", False, ""), ("", True, "")])
def test_what_reads_the_files_is_started_anew_only_when_they_are_other_ones(tmp_path, status, there, step):
    told, systemctl, wanted = tmp_path / "told", tmp_path / "systemctl", tmp_path / "hostapd.conf"
    systemctl.write_text(f'#!/bin/sh\necho "$@" >> {told}\n')
    systemctl.chmod(0o755)
    told.touch()
    if there:
        wanted.touch()
    subprocess.run([PROGRAMS / "set-wifi", str(wanted)], check=True,
                   env={**os.environ, "EXIT_STATUS": status, "SYSTEMCTL": str(systemctl)})
    assert told.read_text().strip() == step


def test_who_reads_the_wish_is_of_the_islands_group_and_may_read_it_where_it_lies(tmp_path):
    box = Box(tmp_path)
    box.wish(WIFI)
    assert stat.S_IMODE(box.desk.stat().st_mode) == 0o640
    unit = (UNITS / "archipel-wifi.service").read_text()
    assert "User=archipel-box\n" in unit and "Group=archipel\n" in unit


def test_the_unit_names_the_start_of_the_box_as_the_island_does_and_runs_before_what_reads_its_files():
    unit, island = ((UNITS / f"archipel-{name}.service").read_text() for name in ("wifi", "island"))
    assert f"box.py /boot/firmware /run/archipel-box /data/wifi/{WIFI_FILE} %b\n" in unit
    assert f"SuccessExitStatus={program('box').CHANGED}\n" in unit
    assert f'"${{EXIT_STATUS:-}}" = {program("box").CHANGED} ]' in (PROGRAMS / "set-wifi").read_text()
    assert f"{CARD_VARIABLE}=/run/archipel-box/card.json {FOLDER_VARIABLE}=/data/wifi {BOOT_VARIABLE}=%b" in island
    assert "ReadWritePaths=-/data/wifi" in (UNITS / "archipel-island.service.d/20-opens.conf").read_text()
    assert "d /data/wifi 0750 archipel archipel" in (OVERLAY / "usr/lib/tmpfiles.d/archipel.conf").read_text()
    before = re.search(r"(?m)^Before=(.*)$", unit)[1].split()
    assert {"hostapd.service", "archipel-dns.service", "archipel-island.service"} <= set(before)
    wanted = OVERLAY / "etc/systemd/system/multi-user.target.wants/archipel-wifi.service"
    assert os.readlink(wanted) == "/usr/lib/systemd/system/archipel-wifi.service"


def test_where_the_cards_password_cannot_be_used_the_desk_opens_nothing_and_may_set_another(tmp_path):
    box = Box(tmp_path, '[box]\ncountry = "FR"\nwifi_password = "court"\n')
    made = box.wifi()["wpa_passphrase"]
    (box.card / "archipel-problems.txt").write_text(f"... {made} ...")  # as `problems.py` tells it
    box.wish({"portal wifi": "Canal"})
    assert box.obey() == 90 and box.name() == "Canal"
    assert box.wifi()["wpa_passphrase"] == made
    box.wish({"portal wifi": "Canal", "box wifi_password": "soupe et pain"})
    assert box.obey() == 90 and box.wifi()["wpa_passphrase"] == "soupe et pain"

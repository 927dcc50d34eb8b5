"""What keepers set on their desk: beside the card's file, on trial with a way back, through power cuts; the Wi-Fi."""

import errno
import json
import threading
from pathlib import Path

import pytest

from node.board.api import BoardClosed
from node.board.island_settings import (
    CHANNEL,
    COUNTRY,
    KEEP_DAYS,
    MAX_PAYLOAD,
    NAME,
    POSTING,
    SETTLING_S,
    SHARE,
    TRIAL_S,
    WIFI_NAME,
    WIFI_PASSWORD,
    SettingsGroup,
    SettingsRefused,
)
from node.board.night_rest import RestPart
from node.board.notes import BoardNotes
from node.daemon.orders import Orders
from node.daemon.settings import BoxSettings, RadioSettings, Settings
from node.daemon.settings_keeper import (
    CARD_VARIABLE,
    NO_CARD,
    CardLines,
    SettingsHost,
    SettingsKeeper,
    card_lines,
    taken_up,
)
from node.daemon.settings_reader import Notice, load
from node.daemon.wifi_order import WIFI_FILE, WifiOrders, wished
from node.model.clock import ManualClock
from node.store.journalstore import JournalStore
from node.store.memory import MemoryStore
from tests.sim.simulatedcard import Card, PowerCut

FOLDER, FILE = Path("/island"), Settings()
WIFI = {WIFI_NAME: "Canal", WIFI_PASSWORD: "soupe et pain", COUNTRY: "fr", CHANNEL: "11"}
AS_KEPT = {**WIFI, COUNTRY: "FR"}
ON_IMAGE = CardLines("archipel.toml", {}, "Archipel")


class Desk:
    """An island's desk settings; `start` is what a start of the island does, with what its store has kept."""

    def __init__(self, store=None, card=NO_CARD, file=FILE, data=None, boot="first"):
        self.store = MemoryStore() if store is None else store
        self.card, self.file, self.boot = card, file, boot
        self.clock, self.resting, self.data, self.anew = ManualClock(), set(), data, 0
        self.orders = Orders(data, frozenset({"wifi"}), self.clock.monotonic) if data else None
        self.start()

    def start(self):
        self.applied, self.told = taken_up(self.store, self.file, self.card, 7)
        self.notes = BoardNotes(self.store, threading.Lock())
        self.keeper = SettingsKeeper(self.notes, self.file, self.card, SettingsHost(
            lambda: 7, self.clock.monotonic, self.resting.__contains__, self._apply, self._start_anew),
            WifiOrders(self.data, self.orders, self.boot) if self.data else None)
        self.keeper.look()

    def _apply(self, settings, wifi):
        self.applied, self.shown = settings, wifi

    def _start_anew(self):
        self.anew += 1

    def wait(self, seconds):
        self.clock.advance(seconds)
        self.keeper.look()

    def acts(self):
        return [(entry.action, entry.about, entry.keeper) for entry in self.notes.state.audit_log]

    def wifi(self):
        """What the box's own program reads in this start of the box: the settings it is told, and whether it rests."""
        reading, rests = wished(self.data / WIFI_FILE, self.boot)
        given = {" ".join(place): getattr(getattr(reading.settings, place[0]), place[1]) for place in reading.given}
        return {key: str(value) for key, value in given.items()}, rests

    def ordered(self):
        """Whether the box was asked to look anew; it takes the order."""
        order = self.data / "orders/wifi.json"
        found = order.exists()
        order.unlink(missing_ok=True)
        return found



# what the desk sets, and what the card does


def test_what_the_desk_sets_counts_until_the_island_is_told_otherwise():
    desk = Desk()
    assert desk.keeper.change(SettingsGroup.NAME, {NAME: "  Place des Fêtes "}, "lea") and desk.anew == 1
    assert desk.keeper.change(SettingsGroup.ARCHIVE, {KEEP_DAYS: "2 ans"}, "lea")
    assert (desk.applied.node.name, desk.applied.archive.keep_days, desk.anew) == ("Place des Fêtes", 730, 1)
    desk.start()
    assert (desk.applied.node.name, desk.applied.archive.keep_days) == ("Place des Fêtes", 730)
    assert desk.acts() == [("settings", "name", "lea"), ("settings", "archive", "lea")]
    assert not desk.keeper.change(SettingsGroup.ARCHIVE, {KEEP_DAYS: "730"}, "lea") and len(desk.acts()) == 2


def test_what_is_as_without_the_desk_is_not_the_desks():
    desk = Desk(file=Settings(radio=RadioSettings(share=2.5)))
    desk.keeper.change(SettingsGroup.ARCHIVE, {KEEP_DAYS: "9"}, "lea")
    desk.keeper.change(SettingsGroup.ARCHIVE, {KEEP_DAYS: "365"}, "lea")
    assert not desk.keeper.change(SettingsGroup.RADIO, {SHARE: "2,5"}, "lea")
    assert desk.notes.state.settings == {} and desk.keeper.view().settings[SHARE].value == "2.5"


def test_what_stands_in_the_cards_file_counts_and_the_desk_shows_its_line(tmp_path):
    (tmp_path / "archipel.toml").write_text('[node]\nname = "La carte"\n\n[portal]\nposting = "moderated"\n')
    reading = load(tmp_path / "archipel.toml")
    desk = Desk()
    desk.keeper.change(SettingsGroup.NAME, {NAME: "Le bureau"}, "lea")
    desk.card, desk.file = card_lines(reading, None), reading.settings
    desk.start()
    assert desk.applied.node.name == "La carte"
    view = desk.keeper.view()
    assert (view.file, view.settings[NAME].line, view.settings[NAME].value) == ("archipel.toml", 2, "La carte")
    assert view.settings[POSTING].line == 5 and view.settings[KEEP_DAYS].line == 0
    with pytest.raises(SettingsRefused, match="set on the card"):
        desk.keeper.change(SettingsGroup.NAME, {NAME: "Encore"}, "lea")
    told, = map(Notice.of, desk.told)
    assert told.harmless and "line 2: [node] name is set on the card" in str(told.sentence)
    desk.card, desk.file = NO_CARD, Settings()  # the line is gone again
    desk.start()
    assert desk.applied.node.name == "Le bureau" and not desk.told


def test_on_the_image_the_card_is_told_by_a_file_that_may_hold_anything(tmp_path, monkeypatch):
    told = tmp_path / "card.json"
    monkeypatch.setenv(CARD_VARIABLE, str(told))
    told.write_text(json.dumps({"file": "archipel.toml", "lines": {"box country": 12}, "wifi": "Fêtes"}))
    assert card_lines(load(None), None) == CardLines("archipel.toml", {"box country": 12}, "Fêtes")
    for odd in ("", "[]", "{}", '{"file": 1, "lines": {"x": "y"}, "wifi": ""}', '{"file": "", "lines": 3, "wifi": ""}',
                "\0"):
        told.write_text(odd)
        assert card_lines(load(None), None) == NO_CARD
    told.unlink()
    assert card_lines(load(None), None) == NO_CARD


@pytest.mark.parametrize(("group", "key", "text"), [
    (SettingsGroup.NAME, NAME, ""), (SettingsGroup.ARCHIVE, KEEP_DAYS, "-1"),
    (SettingsGroup.ARCHIVE, KEEP_DAYS, "beaucoup"),
    (SettingsGroup.RADIO, SHARE, "101"), (SettingsGroup.RADIO, "radio region", "Mars"),
    (SettingsGroup.RADIO, MAX_PAYLOAD, "9"), (SettingsGroup.RADIO, MAX_PAYLOAD, "9" * 5_000),
    (SettingsGroup.WIFI, WIFI_PASSWORD, "court"), (SettingsGroup.WIFI, COUNTRY, "Atlantide"),
    (SettingsGroup.WIFI, CHANNEL, "14"),
])
def test_what_cannot_be_meant_is_refused_with_what_to_write_and_changes_nothing(tmp_path, group, key, text):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    with pytest.raises(SettingsRefused) as refused:
        desk.keeper.change(group, {key: text}, "lea")
    assert refused.value.key == key and "Write" in str(refused.value) and desk.acts() == []
    assert not (tmp_path / WIFI_FILE).exists() and desk.anew == 0


def test_a_channel_that_the_country_does_not_use_is_refused(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    with pytest.raises(SettingsRefused, match=r"channel 13 is not used in US\. Take one from 1 to 11"):
        desk.keeper.change(SettingsGroup.WIFI, {COUNTRY: "US", CHANNEL: "13"}, "lea")


def test_a_password_is_shown_to_nobody(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    assert desk.keeper.view().settings[WIFI_PASSWORD].value == ""
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    assert desk.keeper.view().settings[WIFI_PASSWORD].value == "•" and "soupe" not in repr(desk.keeper.view())


# trials


def test_new_settings_of_the_radio_are_taken_back_unless_a_keeper_keeps_them():
    desk = Desk()
    desk.keeper.change(SettingsGroup.RADIO, {SHARE: "10", MAX_PAYLOAD: "231"}, "lea")
    assert desk.anew == 1
    desk.start()
    assert desk.applied.radio.share == 10 and desk.keeper.view().trial.left_s == TRIAL_S
    desk.wait(TRIAL_S - 1)
    assert desk.applied.radio.share == 10
    desk.wait(1)
    assert (desk.applied.radio.share, desk.anew, desk.keeper.view().trial) == (0, 2, None)
    desk.start()
    assert desk.applied.radio == RadioSettings()
    assert desk.acts() == [("settings-trial", "radio", "lea"), ("settings-back", "radio", "")]


def test_a_keeper_keeps_them_once_they_have_settled():
    desk = Desk()
    desk.keeper.change(SettingsGroup.RADIO, {SHARE: "10"}, "lea")
    desk.start()
    desk.wait(SETTLING_S - 1)
    assert not desk.keeper.keep("lea") and not desk.keeper.view().trial.ready
    desk.wait(1)
    assert desk.keeper.view().trial.ready and desk.keeper.keep("nadia") and not desk.keeper.keep("nadia")
    desk.wait(2 * TRIAL_S)
    for _ in range(3):
        desk.start()
    assert desk.applied.radio.share == 10 and desk.acts()[-1] == ("settings-kept", "radio", "nadia")


def test_when_the_time_is_over_they_can_be_kept_no_more():
    desk = Desk()
    desk.keeper.change(SettingsGroup.RADIO, {SHARE: "10"}, "lea")
    desk.start()
    desk.clock.advance(TRIAL_S)
    assert not desk.keeper.keep("lea")


def test_a_keeper_takes_them_back_at_once():
    desk = Desk()
    desk.keeper.change(SettingsGroup.RADIO, {SHARE: "10"}, "lea")
    assert desk.keeper.take_back("lea") and not desk.keeper.take_back("lea")
    desk.start()
    assert desk.applied.radio.share == 0 and desk.acts()[-1] == ("settings-back", "radio", "lea")


def test_an_island_that_new_settings_bring_down_comes_back_with_the_earlier_ones():
    desk = Desk()
    desk.keeper.change(SettingsGroup.RADIO, {MAX_PAYLOAD: "200"}, "lea")
    desk.keeper.keep("lea")  # too early
    desk.start()
    assert desk.applied.radio.max_payload == 200
    desk.start()  # it fell, or the power did
    assert desk.applied.radio == RadioSettings() and desk.notes.state.trial is None


def test_one_trial_at_a_time_and_what_came_before_it_stays(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    desk.keeper.change(SettingsGroup.NAME, {NAME: "Canal"}, "lea")
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    for group, wanted in ((SettingsGroup.WIFI, {CHANNEL: "1"}), (SettingsGroup.RADIO, {SHARE: "9"}),
                          (SettingsGroup.NAME, {NAME: "Autre"})):
        with pytest.raises(SettingsRefused, match="are on trial"):
            desk.keeper.change(group, wanted, "lea")
    desk.wait(TRIAL_S)
    assert desk.notes.state.settings == {NAME: "Canal"}


def test_after_a_power_cut_within_the_ten_minutes_the_earlier_settings_count_and_the_log_tells_it():
    def begin(card):
        desk = Desk(JournalStore(FOLDER, card), card=NO_CARD)
        desk.keeper.change(SettingsGroup.RADIO, {SHARE: "5"}, "lea")
        desk.start()
        desk.wait(SETTLING_S)
        desk.keeper.keep("lea")
        return desk

    first = begin(Card()).store
    assert first.note("settings") == {SHARE: "5.0"}
    tried = 0
    whole = Card()
    desk = begin(whole)
    since = whole.steps
    desk.keeper.change(SettingsGroup.RADIO, {SHARE: "50"}, "lea")
    desk.start()
    for cut_at in range(since + 1, whole.steps + 1):
        for share in (0, 0.5, 1):
            card = Card(seed=cut_at, cut_at=cut_at)
            try:
                again = begin(card)
                again.keeper.change(SettingsGroup.RADIO, {SHARE: "50"}, "lea")
                again.start()
            except PowerCut:
                pass
            store = JournalStore(FOLDER, card.after_power_cut(cut_at, share))
            found = Desk(store)
            if found.notes.state.trial:  # it was cut before the start that it had begun for
                assert found.applied.radio.share == 50
                found.wait(TRIAL_S)
                found.start()
            assert found.applied.radio.share == 5 and found.notes.state.settings == {SHARE: "5.0"}
            acts = [act for act, _about, _keeper in found.acts()]
            assert acts[:2] == ["settings-trial", "settings-kept"] and acts[2:] in ([], ["settings-trial", "settings-back"])
            tried += 1
    assert tried > 10


def test_a_card_that_keeps_nothing_says_so_and_changes_nothing(tmp_path):
    card = Card()
    desk = Desk(JournalStore(FOLDER, card), data=tmp_path, card=ON_IMAGE)
    card.fails = dict.fromkeys(range(card.steps, card.steps + 1000), errno.EIO)
    with pytest.raises(BoardClosed):
        desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    assert desk.notes.state.trial is None and not desk.ordered() and not (tmp_path / WIFI_FILE).exists()


# the Wi-Fi


def test_the_box_is_told_of_a_trial_of_its_end_and_of_nothing_twice(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    assert not desk.ordered() and not (tmp_path / WIFI_FILE).exists()
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    assert desk.ordered() and desk.wifi() == (AS_KEPT, False) and desk.anew == 0
    desk.wait(60)
    assert not desk.ordered()
    desk.wait(TRIAL_S)
    assert desk.ordered() and desk.wifi() == ({}, False)


def test_what_is_kept_counts_at_each_start_of_the_box_and_what_is_on_trial_does_not(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    assert wished(tmp_path / WIFI_FILE, "another")[0].given == frozenset()
    desk.wait(SETTLING_S)
    assert desk.keeper.keep("lea") and desk.wifi() == (AS_KEPT, False)
    desk.ordered()
    desk.boot = "second"
    desk.start()
    assert desk.wifi() == (AS_KEPT, False) and not desk.ordered()  # the box did it by itself


def test_after_a_start_of_the_box_within_a_trial_the_box_is_told_so(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    desk.ordered()
    desk.boot = "second"
    desk.start()
    assert desk.ordered() and desk.wifi() == ({}, False) and desk.acts()[-1] == ("settings-back", "wifi", "")


def test_what_the_card_sets_of_the_wifi_is_not_sent(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    desk.wait(SETTLING_S)
    desk.keeper.keep("lea")
    desk.card = CardLines("archipel.toml", {COUNTRY: 12, WIFI_NAME: 20}, "La carte")
    desk.start()
    assert set(desk.wifi()[0]) == {WIFI_PASSWORD, CHANNEL} and desk.keeper.view().settings[WIFI_NAME].value == "La carte"


def test_posters_lead_into_the_open_wifi_that_the_desk_has_set(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    assert desk.keeper.wifi_shown == ""  # no country
    desk.keeper.change(SettingsGroup.WIFI, {COUNTRY: "FR", WIFI_NAME: "Canal", WIFI_PASSWORD: ""}, "lea")
    assert desk.keeper.wifi_shown == desk.shown == "Canal"
    desk.wait(TRIAL_S)
    desk.keeper.change(SettingsGroup.WIFI, {COUNTRY: "FR"}, "lea")
    assert desk.shown == "Archipel"
    desk.wait(TRIAL_S)
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    assert desk.shown == ""


def test_where_the_wifi_is_not_ours_it_is_not_set():
    desk = Desk()
    assert not desk.keeper.view().wifi_here
    with pytest.raises(SettingsRefused, match="not Archipel's to set"):
        desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")


def test_the_wifi_rests_when_it_is_to_but_never_during_a_trial_or_without_a_cable(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    desk.resting.add(RestPart.WIFI)
    desk.wait(1)
    assert desk.ordered() and desk.wifi() == ({}, True)
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    assert desk.ordered() and desk.wifi() == (AS_KEPT, False)
    desk.wait(TRIAL_S)
    assert desk.wifi() == ({}, True)
    desk.resting.clear()
    desk.wait(1)
    assert desk.ordered() and desk.wifi() == ({}, False)
    closed = Desk(data=tmp_path, card=ON_IMAGE, file=Settings(box=BoxSettings(ethernet="off")))
    closed.resting.add(RestPart.WIFI)
    closed.wait(1)
    assert closed.wifi() == ({}, False) and not closed.keeper.view().cable


def test_an_order_that_could_not_be_given_is_given_later(tmp_path):
    desk = Desk(data=tmp_path, card=ON_IMAGE)
    (tmp_path / "orders").write_text("in the way")
    desk.keeper.change(SettingsGroup.WIFI, WIFI, "lea")
    (tmp_path / "orders").unlink()
    desk.wait(1)
    assert desk.ordered()


@pytest.mark.parametrize("odd", [
    b"", b"[]", b"\xff", b"[" * 9_000, b'{"boot": "b", "now": [1]}', b'{"boot": "b", "now": {"box country": 3}}',
    b'{"boot": "b", "now": {"box ssh_key": "ssh-ed25519 AAAA"}, "rests": "no"}'])
def test_whatever_stands_in_the_file_the_box_reads_no_more_than_it_may(tmp_path, odd):
    (tmp_path / WIFI_FILE).write_bytes(odd)
    reading, rests = wished(tmp_path / WIFI_FILE, "b")
    assert reading.settings == Settings() and not rests

"""Whole islands that their keepers set from the desk: started anew, taken back, resting, with the card before it."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from node.board.care import Level
from node.board.island_settings import KEEP_DAYS, MAX_PAYLOAD, NAME, SETTLING_S, SHARE, TRIAL_S, WIFI_NAME, SettingsGroup
from node.board.night_rest import Rest, RestPart
from node.daemon.app import App
from node.daemon.checkup import examine
from node.daemon.keyfiles import KeyFolder
from node.daemon.night_watch import AWAKE_S
from node.daemon.orders import ORDERS_VARIABLE
from node.daemon.rpc import ask
from node.daemon.settings_keeper import CardLines
from node.daemon.wifi_order import FOLDER_VARIABLE, WIFI_FILE
from node.model.clock import ManualClock
from tests.daemon.test_app import NOON, settings_for
from tests.waiting import until


class Home:
    """One island's folder; it is opened anew when it asks for that, as gunicorn does. `clock` moves when told to."""

    def __init__(self, folder):
        KeyFolder(folder).found("Belleville", "a")
        self.settings, self.clock, self.card, self.asked = settings_for(folder), ManualClock(NOON), CardLines(), 0

    def _ask(self):
        self.asked += 1

    @contextmanager
    def open(self):
        island = App(self.settings, self.clock, start_anew=self._ask, card=self.card)
        try:
            island.portal = island.open()
            yield island
        finally:
            island.close()


@pytest.fixture
def home(tmp_path, no_time_server):
    return Home(tmp_path / "a")


@pytest.fixture
def no_time_server(monkeypatch):
    """The machine's clock is set by nobody."""
    from node.daemon import app
    monkeypatch.setattr(app, "system_is_synchronised", lambda: False)


def first_page(island):
    return island.portal.test_client().get("/?lang=en").text


def test_a_new_name_is_on_every_page_and_in_the_status_after_the_start_that_it_asks_for(home):
    with home.open() as one:
        one.board.settings.change(SettingsGroup.NAME, {NAME: "Place des Fêtes"}, "lea")
        assert home.asked == 1 and "Place des Fêtes" not in first_page(one)
    with home.open() as one:
        assert "Place des Fêtes" in first_page(one) and one.board.status().host.name == "Place des Fêtes"


def test_settings_of_the_radio_on_trial_count_after_that_start_and_go_when_nobody_keeps_them(home):
    with home.open() as one:
        one.board.settings.change(SettingsGroup.RADIO, {SHARE: "5", MAX_PAYLOAD: "220"}, "lea")
    with home.open() as one:
        assert one.runner.call(lambda: one.governors["airtime"].share) == 0.05 and one.settings.radio.max_payload == 220
        home.clock.advance(TRIAL_S)
        until(lambda: home.asked == 2)  # maintenance looks by itself
        assert one.board.settings.view().trial is None
    with home.open() as one:
        assert one.settings.radio == home.settings.radio and home.asked == 2
        assert [entry.action for entry in one.board.audit_log()] == ["settings-back", "settings-trial"]


def test_those_that_a_keeper_keeps_stay(home):
    with home.open() as one:
        one.board.settings.change(SettingsGroup.RADIO, {SHARE: "5"}, "lea")
    with home.open() as one:
        home.clock.advance(SETTLING_S)
        assert one.board.settings.keep("lea")
    for _ in range(2):
        with home.open() as one:
            assert one.settings.radio.share == 5


def test_a_power_cut_within_the_trial_brings_the_earlier_ones_back(home):
    with home.open() as one:
        one.board.settings.change(SettingsGroup.RADIO, {SHARE: "5"}, "lea")
    with home.open():
        pass
    with home.open() as one:
        assert one.settings.radio.share == 0 and one.board.audit_log()[0].action == "settings-back"


def test_the_length_of_the_archive_counts_at_once(home):
    with home.open() as one:
        one.board.settings.change(SettingsGroup.ARCHIVE, {KEEP_DAYS: "7"}, "lea")
        assert (one.settings.archive.keep_days, home.asked) == (7, 0)


def test_what_the_card_sets_counts_before_the_desk_and_the_first_page_tells(home):
    with home.open() as one:
        one.board.settings.change(SettingsGroup.NAME, {NAME: "Le bureau"}, "lea")
        one.board.set_posting("members", "lea")
    home.card = CardLines("archipel.toml", {NAME: 3, "portal posting": 9})
    with home.open() as one:
        assert one.board.posting_rule() == "open" and one.settings.node.name == "a"
        page = first_page(one)
        assert "Le bureau" not in page and "is set on the card" in page


def test_at_night_the_radio_lets_go_what_is_urgent_only_and_the_pages_say_until_when(home):
    home.clock = ManualClock(datetime(2027, 1, 15, 20, 0, tzinfo=UTC).timestamp())
    with home.open() as one:
        assert one.board.set_clock(one.board.now(), "lea")
        one.board.set_rests(dict.fromkeys((RestPart.RADIO, RestPart.PORTAL), Rest(22 * 60, 7 * 60)), "lea")

        def waits(urgent=False):
            """The radio's air has a law; packet radio's has none here."""
            return one.runner.call(lambda: {name: governor.wait_s(0.1, one.timekeeper.now(), urgent)
                                            for name, governor in one.governors.items()})

        home.clock.advance(3600 + 60)  # 22:01 in Paris
        until(lambda: min(waits().values()) > 8 * 3600)
        assert max(waits(urgent=True).values()) <= 1
        until(lambda: "rests until 07:00" in first_page(one))
        home.clock.advance(9 * 3600)
        until(lambda: max(waits().values()) <= 1)
        until(lambda: "rests until" not in first_page(one))


def test_on_the_image_a_wish_for_the_wifi_and_its_rest_reach_the_box(home, tmp_path, monkeypatch):
    monkeypatch.setenv(ORDERS_VARIABLE, "restart:update:wipe:wifi")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    home.clock, home.card = ManualClock(datetime(2027, 1, 15, 20, 0, tzinfo=UTC).timestamp()), CardLines(wifi="Archipel")
    order = home.settings.node.data / "orders/wifi.json"

    def told():
        return json.loads((tmp_path / WIFI_FILE).read_text())

    with home.open() as one:
        assert one.board.set_clock(one.board.now(), "lea")
        assert one.board.settings.view().wifi_here and not order.exists()
        one.board.settings.change(SettingsGroup.WIFI, {WIFI_NAME: "Canal", "box country": "FR"}, "lea")
        assert order.exists() and told()["now"] == {WIFI_NAME: "Canal", "box country": "FR"} and told()["kept"] == {}
        assert "Canal" in one.portal.test_client().get("/poster").text
        home.clock.advance(SETTLING_S)
        one.board.settings.keep("lea")
        one.board.set_rests({RestPart.WIFI: Rest(21 * 60, 7 * 60)}, "lea")
        one.desk.look()
        assert not told()["rests"], "it started just now"
        home.clock.advance(AWAKE_S)
        until(lambda: told()["rests"])
        home.clock.advance(12 * 3600)
        until(lambda: not told()["rests"])


def test_outside_the_image_there_is_no_way_to_the_wifi(home):
    with home.open() as one:
        assert not one.board.settings.view().wifi_here


def test_the_doctor_names_a_trial_that_goes_on(home):
    with home.open() as one:
        one.board.settings.change(SettingsGroup.RADIO, {SHARE: "3"}, "lea")
    with home.open() as one:
        findings = examine(one.settings, ask(one.settings.node.data, "status"))
        about, = [finding for finding in findings if finding.about == "settings-trial"]
        assert "radio are on trial" in str(about.what) and about.remedy and about.level is Level.NOTE

"""Whole islands as they are put together, with real links between them, killed and started again."""

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from node.board.api import Draft, Report
from node.board.clearing import FEW, UNDO_MIN
from node.board.pace import Visitor
from node.board.reasons import ReportReason
from node.board.status import ClockStatus, RulesStatus
from node.daemon import app
from node.daemon.app import RADIO, App, portal_address
from node.daemon.keyfiles import KeyFolder
from node.daemon.mqtt import brokers_of
from node.daemon.notices import NOTICES_VARIABLE
from node.daemon.runner import Runner
from node.daemon.settings import MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.daemon.timekeeper import TimeSource
from node.model.clock import RELEASED_AT, FastClock, ManualClock, minute_of
from node.model.record import Kind
from node.store.disk import StoreLocked
from node.sync.events import PacketReceived
from node.sync.lora.packets import Packet, Sum, encode
from radio.airtime import Governor
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line
from tests.mosquitto import Mosquitto
from tests.waiting import until

SPEED = 20.0
START = time.time()  # of what runs by a clock of its own
NOON = RELEASED_AT + 30 * 86_400.0 + 43_200  # of what runs by a clock that a test moves


def settings_for(folder: Path, radio="none", broker="none"):
    return Settings(NodeSettings(folder.name, folder), PortalSettings(), RadioSettings(connect=radio), MqttSettings(broker))


@contextmanager
def running(settings, clock=None):
    island = App(settings, clock or FastClock(SPEED, START))
    try:
        island.portal = island.open()
        yield island
    finally:
        island.close()


@pytest.fixture
def folders(tmp_path):
    """Three islands' folders, one set."""
    names = [tmp_path / letter for letter in "abc"]
    first, *others = map(KeyFolder, names)
    first.found("Belleville", "a")
    for folder, other in zip(names[1:], others, strict=True):
        other.join(first.invite(), folder.name)
    return names


def retained_in(broker):
    """The topics under which a broker keeps something: it tells them before anything that is published afterwards."""
    found, last, client = set(), threading.Event(), mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _given, message: found.add(message.topic) if message.retain else last.set()
    client.on_subscribe = lambda *_given: client.publish("last", b".", qos=1)
    client.connect("127.0.0.1", broker.port)
    client.subscribe("#", qos=1)
    client.loop_start()
    assert last.wait(30)
    client.loop_stop()
    client.disconnect()
    return found


@pytest.fixture
def no_time_server(monkeypatch):
    """The machine's clock is set by nobody."""
    monkeypatch.setattr("node.daemon.app.system_is_synchronised", lambda: False)


def texts(island):
    return {item.text for item in island.board.bulletins().items}


def post(island, text):
    return island.board.post(Draft(Kind.BULLETIN, text=text))


def test_a_post_goes_through_the_form_of_one_island_to_the_page_of_another_over_radio(folders):
    with SimulatedMesh(line(2), seed=3, speed=SPEED) as mesh:
        a, b = (settings_for(folder, f"tcp:127.0.0.1:{port}")
                for folder, port in zip(folders, mesh.ports.values(), strict=False))
        with running(a) as one, running(b) as two:
            post(one, "Soupe à 19 h")
            until(lambda: "Soupe à 19 h" in texts(two))
            page = two.portal.test_client().get("/bulletins", headers={"Accept-Language": "fr"}).text
            assert "Soupe à 19 h" in page
            status = until(lambda: (host := two.board.status().host).last_heard is not None and host)
            link = next(link for link in status.links if link.name == RADIO)
            assert link.up and link.neighbours and link.airtime.limit_s > 0
            until(lambda: one.board.status().set == two.board.status().set)


@pytest.fixture
def hasty(monkeypatch):
    """Brokers are near: what takes seconds on the internet takes a moment."""
    monkeypatch.setattr(app, "brokers_of", lambda *given: {
        name: replace(broker, quiet_s=0.02, retry_first_s=0.05, retry_last_s=0.2)
        for name, broker in brokers_of(*given).items()})


def test_an_island_that_was_off_catches_up_from_the_broker_whatever_was_killed_between(folders, tmp_path, hasty):
    (tmp_path / "broker").mkdir()
    broker = Mosquitto(tmp_path / "broker").start()
    a, b, _ = (settings_for(folder, broker=broker.url) for folder in folders)
    try:
        with running(a) as one:
            post(one, "un")
            until(lambda: len(retained_in(broker)) == len(one.liveset))
            broker.stop()
            post(one, "deux")
            broker.start()
            post(one, "trois")
            until(lambda: len(retained_in(broker)) == len(one.liveset))
        with running(b) as two:
            until(lambda: texts(two) == {"un", "deux", "trois"})
    finally:
        broker.stop()


def test_whoever_is_answered_first_may_post_on_an_island_that_has_just_joined(folders, monkeypatch):
    def slowly(runner, batch, turn=Runner._turn):
        time.sleep(0.3)  # as on a busy machine
        turn(runner, batch)

    monkeypatch.setattr(Runner, "_turn", slowly)
    with running(settings_for(folders[1])) as island:
        posted = island.board.post(Draft(Kind.BULLETIN, "Première annonce"))
        assert island.board.item(posted.id).text == "Première annonce"


def test_after_a_restart_everything_is_there_and_the_clock_does_not_go_back(folders, no_time_server):
    settings, clock = settings_for(folders[0]), ManualClock(NOON)
    with running(settings, clock) as one:
        posted = post(one, "resté")
        assert one.board.set_clock(one.board.now() + 10_000, "nadia")
        told = one.timekeeper.now()
        assert told > NOON + 500_000
    with running(settings, clock) as one:
        assert texts(one) == {"resté"}
        assert one.timekeeper.now() >= told - 1, "kept in whole seconds"
        one.board.withdraw(posted.id, posted.edit_code)
        assert texts(one) == set()


@pytest.fixture
def open_to_all():
    """A machine whose users give everybody what they make."""
    previous = os.umask(0)
    yield
    os.umask(previous)


def modes_in(folder):
    """What others may do with an island's folder and what is in it."""
    return {str(path.relative_to(folder)): path.stat().st_mode & 0o077 for path in (folder, *folder.rglob("*"))}


def all_there(modes):
    """The modes, once a running island's files are among them."""
    wanted = {"records.journal", "archive.db-wal", "archive.db-shm", "control.sock", "keys/island.key"}
    return modes if wanted <= modes.keys() else None


def test_nothing_in_an_islands_folder_is_anybody_elses_also_if_it_was_before(tmp_path, open_to_all):
    folder = tmp_path / "homes" / "island"
    KeyFolder(folder).found("Belleville", "a")
    for _ in range(2):
        with running(settings_for(folder)) as island:
            post(island, "Soupe")
            until(lambda island=island: island.board.search("Soupe").items)
            modes = until(lambda: all_there(modes_in(folder)))  # an archive that is written anew has no log for a moment
        assert not any(modes.values()), modes
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o777 if path.is_dir() else 0o644)  # as an earlier version may have left it
        (folder / "archive.db.damaged").touch(0o644)


def test_a_second_process_on_the_same_folder_is_refused(folders):
    settings = settings_for(folders[0])
    with running(settings), pytest.raises(StoreLocked), running(settings):
        pass


def test_search_finds_what_was_just_posted(folders):
    with running(settings_for(folders[0])) as one:
        post(one, "Œuvre collective")
        assert until(lambda: one.board.search("oeuvre").items)


def test_what_expired_is_archived_after_a_day_of_uptime_once_the_clock_is_sure(folders):
    clock = ManualClock(START)
    clock.rate = 500.0  # how often the island looks at it
    with running(settings_for(folders[0]), clock) as one:
        posted = one.board.post(Draft(Kind.BULLETIN, text="bientôt passé", life_days=1))
        id_ = bytes.fromhex(posted.id)
        clock.advance(86_460)
        until(lambda: not texts(one))
        assert one.store.get(id_) is not None, "off the board, but not deleted yet"
        assert one.board.item(posted.id).text == "bientôt passé", "who has its address still reads it"
        until(lambda: clock.advance(600) or one.store.get(id_) is None)
        assert clock.now() - START > 2 * 86_400, "a day of uptime later"
        assert one.archive.get(id_) is not None
        assert one.board.search("passe").items[0].text == "bientôt passé"


def test_a_keeper_sets_the_clock_and_takes_it_back(folders, no_time_server):
    with running(settings_for(folders[0]), ManualClock(NOON)) as one:
        post(one, "soupe")
        now = one.board.now()
        assert one.board.set_clock(now + 2 * 525_960, "nadia") and texts(one) == set()
        assert one.board.status().host.clock == ClockStatus("keeper", True, one.board.now(), True, True)
        assert one.board.undo_clock("nadia") and texts(one) == {"soupe"}
        assert one.board.now() == now and not one.board.undo_clock("nadia")
        assert [entry.action for entry in one.board.audit_log()] == ["clock-undo", "clock"]


def test_the_posting_rule_of_the_settings_holds_until_a_keeper_changes_it(folders):
    settings = replace(settings_for(folders[0]), portal=PortalSettings(posting="moderated"))
    with running(settings) as one:
        assert post(one, "x").waiting
        one.board.set_posting("open", "nadia")
        assert not post(one, "y").waiting
    with running(settings) as one:
        assert one.board.status().rules == RulesStatus("open")


def test_the_address_to_type_is_the_keepers_or_made_of_where_it_listens():
    base = Settings()
    assert portal_address(base) == "http://127.0.0.1:8080/"
    assert portal_address(replace(base, portal=PortalSettings(listen=("0.0.0.0", 80)))) == "http://127.0.0.1/"
    assert portal_address(replace(base, portal=PortalSettings(address="http://archipel.lan/"))) == "http://archipel.lan/"


def test_what_the_machine_has_to_tell_its_keeper_stands_on_the_first_page(tmp_path):
    KeyFolder(tmp_path / "a").found("Belleville", "a")
    (tmp_path / "notices").write_text("archipel.toml, line 4: <b>")
    portal = PortalSettings(notices=str(tmp_path / "notices"))
    with running(replace(settings_for(tmp_path / "a"), portal=portal)) as island:
        assert ">archipel.toml, line 4: &lt;b&gt;</" in island.portal.test_client().get("/").text
    with running(replace(settings_for(tmp_path / "a"), portal=PortalSettings(notices="/nowhere"))) as island:
        assert 'id="keeper"' not in island.portal.test_client().get("/").text


def test_what_another_program_tells_while_the_island_runs_is_told_and_taken_back(tmp_path, monkeypatch):
    told = tmp_path / "told"
    monkeypatch.setenv(NOTICES_VARIABLE, str(told))
    KeyFolder(tmp_path / "a").found("Belleville", "a")
    with running(settings_for(tmp_path / "a")) as island:
        shown = " ".join(island.board.status().host.notices)
        assert "radio fell" not in shown
        told.write_text("the radio fell\n")
        until(lambda: "the radio fell" in island.board.status().host.notices)
        told.write_bytes(b"\xff\xfe")
        until(lambda: "the radio fell" not in island.board.status().host.notices)
        told.unlink()
        until(lambda: " ".join(island.board.status().host.notices) == shown)


@pytest.mark.parametrize("within_a_minute_s", [0.0, 3.0, 9.999, 10.0, 59.5])
def test_setting_the_clock_gives_no_airtime_back(folders, no_time_server, within_a_minute_s):
    with running(settings_for(folders[0]), ManualClock(NOON + within_a_minute_s)) as one:
        spend_in_both(one)
        assert one.board.set_clock(one.board.now() + 90, "nadia")
        assert spent(one) == [5.0, 5.0]


def test_a_neighbour_that_sets_the_clock_gives_none_back_whatever_comes_with_its_packet(folders, no_time_server):
    with running(settings_for(folders[0], "tcp:127.0.0.1:1"), ManualClock(NOON)) as one:
        spend_in_both(one)
        hour = minute_of(NOON) // 60 + 5
        packets = [encode(Packet(number, 1, (Sum((hour + 1) % 65_536, 0, 1, 0),)), one.charter.subkey("tag"))
                   for number in range(1, 4)]
        begun, go = threading.Event(), threading.Event()
        busy = threading.Thread(target=one.runner.call, args=(lambda: begun.set() or go.wait(30),))
        busy.start()
        assert begun.wait(30)
        for packet in packets:
            one.runner.take(PacketReceived(RADIO, packet, "!1", 0))
        until(lambda: one.runner.waiting == len(packets))  # they come in one turn
        go.set()
        busy.join(30)
        assert spent(one) == [5.0, 5.0]
        assert one.timekeeper.now() > NOON + 4 * 3600 and one.timekeeper.source is TimeSource.ISLAND


def test_a_card_that_fails_at_the_end_keeps_no_island_from_stopping(folders, no_time_server):
    with running(settings_for(folders[0]), ManualClock(NOON)) as one:
        spend_in_both(one)
        one.store.close()
    until(lambda: not {thread.name for thread in threading.enumerate()} & {"runner", "maintenance", "lan", "rpc"})


def test_what_was_sent_by_either_air_counts_after_a_restart(folders, no_time_server):
    with running(settings_for(folders[0]), ManualClock(NOON)) as one:
        spend_in_both(one)
    with running(settings_for(folders[0]), ManualClock(NOON + 60)) as one:
        assert spent(one) == [5.0, 5.0]


@pytest.mark.parametrize("set_by_s", [-30 * 86_400, -3_590.0, 3_590.0, 7_200.0, 30 * 86_400])
def test_a_machine_that_wakes_with_any_calendar_gives_no_airtime_back(folders, no_time_server, set_by_s):
    clock = SetClock()
    with running(settings_for(folders[0]), clock) as one:
        spend_in_both(one)
    clock.set_by_s = set_by_s
    with running(settings_for(folders[0]), clock) as one:
        assert spent(one) == [5.0, 5.0]


def test_what_is_sent_was_kept_ahead_so_that_a_power_cut_at_any_moment_gives_nothing_back(folders, no_time_server):
    clock = ManualClock(NOON)
    with running(settings_for(folders[0]), clock) as one:
        sent_s, governor = 0.0, one.governors["airtime"]
        reserve_s = one.runner.call(lambda: governor.reserve_s)

        def send():
            waits = governor.wait_s(1.0, clock.now()) > 0
            if not waits:
                governor.charge(1.0, clock.now())
            return not waits

        for _ in range(60):
            sent_s += one.runner.call(send)
            after_a_power_cut = Governor(monotonic=clock.monotonic)
            after_a_power_cut.restore(one.store.note("airtime"), 0.0)
            assert sent_s <= after_a_power_cut.used_s(clock.now()) <= sent_s + reserve_s
            clock.advance(2.0)
            one.runner.call(lambda: None)  # a turn, with its jobs
        assert sent_s > 3 * reserve_s
    with running(settings_for(folders[0]), clock) as one:
        kept = one.runner.call(lambda: one.governors["airtime"].used_s(clock.now()))
    assert kept == sent_s, "who is stopped properly loses nothing"


class SetClock(ManualClock):
    """A machine whose calendar somebody set by `set_by_s`."""

    set_by_s = 0.0

    def __init__(self):
        super().__init__(NOON)

    def now(self):
        return super().now() + self.set_by_s


def spend_in_both(island):
    """Five seconds of air by LoRa and by packet radio, now."""
    def spend():
        for governor in island.governors.values():
            governor.charge(5.0, island.timekeeper.now())

    island.runner.call(spend)


def spent(island):
    """What is on the accounts of both."""
    return island.runner.call(lambda: [one.used_s(island.timekeeper.now()) for one in island.governors.values()])


def test_what_a_keeper_withdrew_is_retracted_by_itself_when_it_can_be_undone_no_more(folders):
    clock = ManualClock(NOON)
    with running(settings_for(folders[0]), clock) as island:
        posts = [island.board.post(Draft(Kind.BULLETIN, f"Montres {number}")) for number in range(FEW + 2)]
        island.board.clear([post.id for post in posts], "lea")
        assert not island.board.bulletins().items and all(bytes.fromhex(post.id) in island.liveset for post in posts)
        clock.advance(UNDO_MIN * 60)
        until(lambda: not any(bytes.fromhex(post.id) in island.liveset for post in posts))
        until(lambda: not island.board.cleared())


def test_what_was_reported_about_a_post_that_is_gone_is_forgotten_by_itself(folders):
    stray = Report("00" * 16, ReportReason.OTHER, "mots", 0)
    with running(settings_for(folders[0]), ManualClock(NOON)) as island:
        kept = island.board.post(Draft(Kind.BULLETIN, "Soupe"))
        island.board.report(kept.id, "false", "", Visitor(bytes(8), bytes(8)))
        island.board.notes.update(lambda state: replace(state, reports={**state.reports, bytes(8): (stray,)}))
        assert island.board.count_reports() == 2
        until(lambda: island.board.count_reports() == 1)
        assert [one.item.id for one in island.board.reported()] == [kept.id]

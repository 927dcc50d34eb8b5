"""The status: a value made on the runner's thread, which any number of readers may read while packets come."""

import logging
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import is_dataclass
from types import MappingProxyType

import pytest

from node.board import status
from node.board.status import (
    AirHistory,
    AirtimeStatus,
    ArchiveStatus,
    BackupStatus,
    BrokerStatus,
    ClockStatus,
    ClockVoice,
    HostStatus,
    KeyEnd,
    LinkStatus,
    NeighbourStatus,
    PacketStatus,
    QueuedStatus,
    QueueStatus,
    RadioStatus,
    RightsStatus,
    RulesStatus,
    SetStatus,
    ShareStatus,
    Status,
    StoreStatus,
    TextsStatus,
    as_json,
)
from node.daemon.app import RADIO, App
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.daemon.status_reporter import counted
from node.model.clock import RELEASED_AT, FastClock, ManualClock, SystemClock
from node.sync.events import PacketReceived
from node.sync.lora.packets import Packet, Sum, encode
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line
from tests.waiting import until

FAST = 20_000.0  # a minute, over which the channel is measured, in 3 ms
READERS, PAGES, PACKETS = 4, 400, 3_000
NEIGHBOURS = 24


@contextmanager
def running(folder, clock, connect="none"):
    settings = Settings(NodeSettings("a", folder), PortalSettings(), RadioSettings(connect), MqttSettings("none"))
    app = App(settings, clock)
    try:
        app.portal = app.open()
        yield app
    finally:
        app.close()


@pytest.fixture
def folder(tmp_path):
    KeyFolder(tmp_path / "a").found("Belleville", "a")
    return tmp_path / "a"


@contextmanager
def hasty_threads():
    """Let threads take turns so often that what is not safe shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def packets(charter):
    """Summaries of many neighbours, as they come from the air, without end."""
    number = 0
    while True:
        number += 1
        packet = Packet(1 + number % NEIGHBOURS, number % 256, (Sum(number % 65_536, 0, 1, 0),))
        yield PacketReceived(RADIO, encode(packet, charter.subkey("tag")), f"!{number % NEIGHBOURS:08x}", 0)


@pytest.mark.once
def test_pages_are_read_while_packets_come_and_nothing_fails_on_either_side(folder, caplog):
    clock = FastClock(FAST, SystemClock().now())
    with SimulatedMesh(line(2), speed=FAST) as mesh, running(folder, clock, f"tcp:127.0.0.1:{mesh.ports[0]}") as island:
        until(lambda: any(link.up for link in island.board.status().host.links))
        caplog.set_level(logging.WARNING)
        done, fed = threading.Event(), []

        def feed():
            for number, event in enumerate(packets(island.charter), 1):
                island.runner.take(event)
                if number >= PACKETS and done.is_set():
                    return fed.append(number)

        def read(reader):
            page = island.portal.test_client()
            addresses = (*("/radio.csv",) * 7, f"/?reader={reader}")
            return [page.get(addresses[number % len(addresses)]).status_code for number in range(PAGES)]

        feeder = threading.Thread(target=feed)
        with hasty_threads(), ThreadPoolExecutor(READERS) as pool:
            feeder.start()
            codes = [code for reader in pool.map(read, range(READERS)) for code in reader]
            done.set()
            feeder.join()
        (radio,) = island.board.status().host.links
    assert codes == [200] * READERS * PAGES and fed[0] >= PACKETS
    assert radio.neighbours and radio.airtime
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_status_is_as_it_was_whatever_comes_after(folder):
    with running(folder, ManualClock(RELEASED_AT + 86_400)) as island:
        before = island.board.status()
        told = as_json(before)
        island.board.set_posting("moderated", "nadia")
        assert island.board.set_clock(island.board.now() + 60, "nadia")
        after = island.board.status()
        assert as_json(before) == told
        assert after.rules.posting == "moderated" and after.host.clock.now == before.host.clock.now + 60


def test_nobody_who_reads_a_status_can_change_it(folder):
    kinds = [kind for kind in vars(status).values() if is_dataclass(kind)]
    assert len(kinds) > 10 and all(kind.__dataclass_params__.frozen for kind in kinds)
    with running(folder, ManualClock(RELEASED_AT + 86_400)) as island:
        host = island.board.status().host
        counters = [host.counters, host.lan.counters, *(link.counters for link in host.links)]
        assert [type(one) for one in counters] == [MappingProxyType] * len(counters)
    counting = {"sent": 1}
    then = counted(counting)
    counting["sent"] = 2
    assert then == {"sent": 1}


def test_the_json_keeps_its_shape():
    told = RadioStatus("2.7.1", "EU_868", "LONG_FAST", 869.525, None, None, harms=("strict",))
    airtime = AirtimeStatus("EU_868", 36.0, 1.5, 0.0, 34.5, 0.0)
    heard = NeighbourStatus("7f3a", 9, 1, 0.25, "same", 2)
    waits = QueueStatus(1, 2, (QueuedStatus("event", 2, 8, 3, "usual", 1.5, "turn"),))
    went = PacketStatus(4, True, "7f3a", 51, 0.5, (("summary", 3),))
    day = AirHistory(900, {"fresh": (0.5,)}, (None,), {"fresh": 0.5})
    radio = LinkStatus("radio", True, "up", {"sent": 2}, told, airtime, (heard,), waits, (went,), day)
    clock = ClockStatus("radio", False, 7, True, False, (ClockVoice("island", 9),))
    host = HostStatus("a", ("<b>",), None, clock, ArchiveStatus(True, "", 3),
                      links=(radio, LinkStatus("mqtt", False, "absent", broker=BrokerStatus("keeps-nothing"))),
                      texts=TextsStatus(3, 1.5, 20.0))
    end = KeyEnd("ab", "c", 8, False, False, True, ("b",))
    share, rights = ShareStatus(3, 1_024, 450, 262_144, 99), RightsStatus(77, ("b",), ends=(end,))
    missed = BackupStatus(None, 50)
    assert as_json(Status("00ff", SetStatus("b", "abcd"), 4, StoreStatus(False, "full"), RulesStatus("open"), share, rights,
                          missed, host)) == {
        "checksum": "00ff", "set": {"name": "b", "fingerprint": "abcd"}, "records": 4,
        "store": {"ok": False, "reason": "full"}, "rules": {"posting": "open"},
        "share": {"records": 3, "of_records": 1_024, "size_bytes": 450, "of_bytes": 262_144, "half_ends": 99},
        "rights": {"until": 77, "by": ["b"], "lack": "", "since": 0, "vouches": False,
                   "ends": [{"id": "ab", "name": "c", "until": 8, "invitation": False, "here": False, "renewable": True,
                             "by": ["b"]}]},
        "name": "a", "notices": ["<b>"], "last_heard": None,
        "clock": {"source": "radio", "sure": False, "now": 7, "told": True, "undo": False,
                  "others": [{"source": "island", "minute": 9}]},
        "archive": {"ok": True, "reason": "", "records": 3, "searched": 0, "unread": 0}, "damaged": 0, "counters": {},
        "links": [
            {"name": "radio", "up": True, "state": "up", "counters": {"sent": 2},
             "radio": {"firmware": "2.7.1", "region": "EU_868", "preset": "LONG_FAST", "frequency_mhz": 869.525,
                       "channel_use": None, "own_use": None, "node": "", "signature_policy": "",
                       "harms": ["strict"]},
             "airtime": {"region": "EU_868", "limit_s": 36.0, "used_s": 1.5, "used_15_s": 0.0, "left_s": 34.5,
                         "next_send_s": 0.0, "hold": "", "law_s": 0.0, "mean_s": 0.0, "saved_s": 0.0, "most_saved_s": 0.0,
                         "kept_urgent_s": 0.0, "outlooks": [],
                         "wishes": {"silence_s": 0.0, "only_urgent_s": 0.0, "share_percent": 0.0, "share_s": 0.0}},
             "neighbours": [{"name": "7f3a", "heard_s_ago": 9, "relays": 1, "loss": 0.25, "set": "same", "lacks": 2,
                             "island": "", "snr_db": None, "rssi_dbm": None, "hears_us": None, "away": False}],
             "queue": {"records": 1, "packets": 2,
                       "rows": [{"kind": "event", "packets": 2, "age_s": 8, "neighbours": 3, "claim": "usual",
                                 "wait_s": 1.5, "hold": "turn"}]},
             "packets": [{"s_ago": 4, "sent": True, "name": "7f3a", "size_bytes": 51, "airtime_s": 0.5,
                          "sections": [["summary", 3]], "island": "", "relays": None, "snr_db": None, "outcome": ""}],
             "history": {"step_s": 900, "sent_s": {"fresh": [0.5]}, "channel_use": [None], "total_s": {"fresh": 0.5}}},
            {"name": "mqtt", "up": False, "state": "absent", "counters": {}, "broker": {"verdict": "keeps-nothing"}}],
        "lan": {"peers": [], "counters": {}}, "erasure_owed_s": None,
        "card_errors": 0,
        "secret": {"since": None, "behind": False, "heard": None}, "machine": {},
        "texts": {"sent": 3, "used_s": 1.5, "left_s": 20.0}, "version": "",
        "backup": {"last": None, "missed": 50},
    }

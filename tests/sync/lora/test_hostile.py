"""Packets of strangers, of mad members, of newer versions: counted, and nothing else comes of them."""

import pytest

from node.model.keys import Charter
from node.model.record import record_id
from node.sync.events import PacketReceived
from node.sync.lora import packets
from node.sync.lora.packets import Packet, Piece, Whole, tag
from node.sync.lora.tuning import TUNING
from tests.prove_air import captured, torment
from tests.sim.archipelago import CHARTER, KEY, LINK, bulletin
from tests.sync.lora.test_engine import Publisher, summary

TAG_KEY = CHARTER.subkey("tag")


@pytest.fixture(scope="module")
def said():
    return captured()


def test_thousands_of_spoilt_packets_bring_nothing_false_and_little_growth():
    told = torment(2500, seed=2)
    assert told["false"] == 0 and told["true"] >= 3
    assert told["sent"] > 20  # it lives on
    assert told["grown_bytes"] < 1_000_000
    assert {"dropped packet-tag", "dropped packet-short", "dropped packet-repeated"} <= set(told["dropped"])


def test_another_sets_packets_are_dropped_all_of_them(said):
    recorded, _ = said
    desk = Publisher(charter=Charter.found("other", [KEY.public], b"\3" * 32))
    desk.engine.context.key = b"\4" * 32
    before = desk.engine.deadline
    for payload in recorded:
        desk.give(PacketReceived(LINK, payload, "!1", 0))
    assert desk.island.counters == {"dropped packet-tag": len(recorded)}
    assert len(desk.liveset) == len(desk.engine.context.neighbours) == 0 and desk.engine.deadline == before


def test_a_replay_of_all_that_was_said_changes_nothing_even_after_a_restart(said):
    recorded, raws = said
    desk = Publisher()
    for _ in range(2):
        for payload in recorded:
            desk.give(PacketReceived(LINK, payload, "!1", 0))
    assert set(desk.liveset.ids()) <= {record_id(raw) for raw in raws}
    desk.now += 20 * 86_400  # all of them have ended
    for again in (desk, Publisher()):
        again.now = desk.now
        for payload in recorded:
            again.give(PacketReceived(LINK, payload, "!1", 0))
        assert len(again.liveset) == 0


def test_a_packet_of_a_newer_version_is_counted_and_means_nothing():
    desk = Publisher()
    desk.wait(60)
    before = len(desk.sent)
    body = packets.encode(Packet(0x0777, 1, (Whole(bulletin(1), True),)), TAG_KEY)[5:]
    desk.give(PacketReceived(LINK, b"\x20" + tag(b"\x20" + body, TAG_KEY) + body, "!1", 0))
    assert desk.island.counters == {"dropped packet-version": 1}
    assert len(desk.liveset) == len(desk.engine.context.neighbours) == 0 and len(desk.sent) == before


def test_an_island_of_this_version_goes_on_speaking_it_whatever_others_speak():
    desk = Publisher()
    for number in range(50):
        desk.give(PacketReceived(LINK, bytes([0x20, *number.to_bytes(40, "big")]), "!1", 0))
    desk.wait(3600)
    assert {send.payload[0] for send, _ in desk.sent} == {0x10}


@pytest.mark.parametrize(("first", "reason"), [(0x20, "record-version"), (0x17, "record-kind"), (0x1F, "record-kind")])
def test_a_record_of_a_newer_version_or_kind_is_counted_and_neither_kept_nor_passed_on(first, reason):
    desk = Publisher()
    desk.hear(summary([]), sender=5)
    strange = bytes([first]) + bulletin(1)[1:]
    for _ in range(2):
        desk.hear(Whole(strange, True))
    assert desk.island.counters[f"refused {reason}"] == 1  # and not looked at again for an hour
    assert desk.island.counters["dropped record-refused-before"] == 1
    assert len(desk.liveset) == 0 and desk.sections(Whole, desk.wait(3600)) == []


def test_pieces_that_belong_to_nothing_are_forgotten():
    desk = Publisher()
    for number in range(200):
        desk.hear(Piece(number.to_bytes(4, "big"), 16, 3, 1752, bytes(110), True), sender=5)
    assert len(desk.engine.context.reassembly.forget(0)) <= 32
    desk.wait(TUNING.partial_record_s + 4 * 3600)
    assert desk.engine.context.reassembly.forget(desk.engine._last_at) == []

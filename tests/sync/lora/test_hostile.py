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
from tests.sync.lora.test_engine import LoneIsland, summary

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
    island = LoneIsland(charter=Charter.found("other", [KEY.public], b"\3" * 32))
    island.engine.context.key = b"\4" * 32
    before = island.engine.deadline
    for payload in recorded:
        island.give(PacketReceived(LINK, payload, "!1", 0))
    assert island.replica.counters == {"dropped packet-tag": len(recorded)}
    assert len(island.liveset) == len(island.engine.context.neighbours) == 0 and island.engine.deadline == before


def test_a_replay_of_all_that_was_said_changes_nothing_even_after_a_restart(said):
    recorded, raws = said
    island = LoneIsland()
    for _ in range(2):
        for payload in recorded:
            island.give(PacketReceived(LINK, payload, "!1", 0))
    assert set(island.liveset.ids()) <= {record_id(raw) for raw in raws}
    island.now += 20 * 86_400  # all of them have ended
    for again in (island, LoneIsland()):
        again.now = island.now
        for payload in recorded:
            again.give(PacketReceived(LINK, payload, "!1", 0))
        assert len(again.liveset) == 0


def test_a_packet_of_a_newer_version_is_counted_and_means_nothing():
    island = LoneIsland()
    island.wait(60)
    before = len(island.sent)
    body = packets.encode(Packet(0x0777, 1, (Whole(bulletin(1), True),)), TAG_KEY)[5:]
    island.give(PacketReceived(LINK, b"\x20" + tag(b"\x20" + body, TAG_KEY) + body, "!1", 0))
    assert island.replica.counters == {"dropped packet-version": 1}
    assert len(island.liveset) == len(island.engine.context.neighbours) == 0 and len(island.sent) == before


def test_an_island_of_this_version_goes_on_speaking_it_whatever_others_speak():
    island = LoneIsland()
    for number in range(50):
        island.give(PacketReceived(LINK, bytes([0x20, *number.to_bytes(40, "big")]), "!1", 0))
    island.wait(3600)
    assert {send.payload[0] for send, _ in island.sent} == {0x10}


@pytest.mark.parametrize(("first", "reason"), [(0x20, "record-version"), (0x1A, "record-kind"), (0x1F, "record-kind")])
def test_a_record_of_a_newer_version_or_kind_is_counted_and_neither_kept_nor_passed_on(first, reason):
    island = LoneIsland()
    island.hear(summary([]), sender=5)
    strange = bytes([first]) + bulletin(1)[1:]
    for _ in range(2):
        island.hear(Whole(strange, True))
    assert island.replica.counters[f"refused {reason}"] == 1  # and not looked at again for an hour
    assert island.replica.counters["dropped record-refused-before"] == 1
    assert len(island.liveset) == 0 and island.sections(Whole, island.wait(3600)) == []


def test_pieces_that_belong_to_nothing_are_forgotten():
    island = LoneIsland()
    for number in range(200):
        island.hear(Piece(number.to_bytes(4, "big"), 16, 3, 1752, bytes(110), True), sender=5)
    assert len(island.engine.context.reassembly.forget(0)) <= 128
    island.wait(TUNING.partial_record_s + 4 * 3600)
    assert island.engine.context.reassembly.forget(island.engine._last_at) == []

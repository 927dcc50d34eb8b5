"""Radios that hear only what other radios have signed: what is for them, or passes through them, is kept short enough."""

import pytest

from node.sync.events import Imported, RecordPosted
from node.sync.lora.packets import SIGNED_UP_TO_BYTES, Need, Neighbours, Packet, Piece, encode
from node.sync.lora.tuning import TUNING
from radio.sim.topology import line
from tests.sim.archipelago import SignedOnly, bulletin
from tests.sync.lora.test_convergence import world
from tests.sync.lora.test_engine import DAY, KEY, LINK, OTHER, LoneIsland, PacketReceived, element

LARGE = 170  # a record that fits 188 B in one piece, and not 165 B


def hear_strict(island, *sections, strict=True):
    island.sequence += 1
    island.give(PacketReceived(LINK, encode(Packet(OTHER, island.sequence, sections, strict), KEY), "!x", 0))


def sizes(island, since=0):
    """How long broadcasts were."""
    return [len(send.payload) for send, _ in island.sent[since:] if not send.to]


def lacking(island, raw, strict=True):
    """Let a neighbour ask for a record."""
    hear_strict(island, Need(0x0123, DAY % 256, (element(raw, DAY),)), strict=strict)


def test_who_says_that_its_radio_hears_only_what_is_signed_is_sent_short_packets_and_later_long_ones_again():
    island = LoneIsland(signs=True, max_payload=188)
    raws = [bulletin(number, LARGE) for number in range(8)]
    hear_strict(island, Neighbours((0x0123,)))
    island.give(Imported(tuple(raws), "bundle"))
    island.wait(600)
    short = sizes(island)
    assert short and max(short) <= SIGNED_UP_TO_BYTES
    hear_strict(island, Neighbours((0x0123,)), strict=False)
    for raw in raws:
        lacking(island, raw, strict=False)
    island.wait(600)
    assert max(sizes(island, len(short))) > SIGNED_UP_TO_BYTES


def test_an_island_whose_own_radio_is_strict_says_so_and_speaks_as_it_wishes_to_be_spoken_to():
    island = LoneIsland(signs=True, max_payload=188, strict=True)
    island.give(Imported(tuple(bulletin(number, LARGE) for number in range(8)), "bundle"))
    island.wait(1800)
    assert island.sent and all(packet.strict for _, packet in island.sent)
    assert max(sizes(island)) <= SIGNED_UP_TO_BYTES


def test_a_radio_that_signs_nothing_gains_nothing_by_short_packets():
    island = LoneIsland(signs=False, max_payload=188)
    hear_strict(island, Neighbours((0x0123,)))
    island.give(Imported(tuple(bulletin(number, LARGE) for number in range(8)), "bundle"))
    island.wait(600)
    assert max(sizes(island)) > SIGNED_UP_TO_BYTES


def test_a_record_that_was_begun_in_longer_packets_goes_on_in_shorter_ones():
    island = LoneIsland(signs=True, max_payload=231)
    raw = bulletin(1, 1200)
    island.give(RecordPosted(raw))
    while not island.sections(Piece):
        island.wait(1)
    before = {section.parts for section in island.sections(Piece)}
    hear_strict(island, Neighbours((0x0123,)))
    lacking(island, raw)
    island.wait(600)
    after = {section.parts for section in island.sections(Piece)} - before
    assert before and after and min(after) > max(before)


@pytest.mark.parametrize("size", [LARGE, 600])
def test_a_neighbour_that_never_gets_what_is_not_signed_and_does_not_say_so_gets_it_signed(size):
    made = world(1, line(2), [], loss=0.1, signs=True)
    made.run(1800)
    made.air.run(1, SignedOnly())  # its radio was set so, and its island does not know
    for number in range(4):
        made.post(0, bulletin(number, size))
    assert made.run(3 * 3600, until_equal=True)
    near = next(iter(made.members[0].engine.context.neighbours))
    assert made.air.counters["refused"] and near.needs_signed(made.members[0].engine._last_at)


def test_a_strict_relay_that_is_no_island_is_noticed_by_what_does_not_arrive():
    made = world(1, [(0, 2), (2, 1)], [], loss=0.1, signs=True, plain=(2,), strict=(2,))
    made.run(1800)
    for number in range(4):
        made.post(0, bulletin(number, LARGE))
    assert made.run(6 * 3600, until_equal=True)


@pytest.mark.parametrize("strict", [(1,), (0, 1, 2), (2,)])
def test_islands_with_strict_radios_in_a_line_agree(strict):
    made = world(2, line(3), [], loss=0.2, signs=True, strict=strict)
    made.run(600)
    for number in range(6):
        made.post(0 if number % 2 else 2, bulletin(number, LARGE + 60 * number))
    assert made.run(2 * 3600, until_equal=True)


def test_after_a_while_a_longer_packet_is_tried_again_and_heard():
    made = world(1, line(2), [], loss=0.0, signs=True)
    made.run(1800)
    made.air.run(1, SignedOnly())
    for number in range(4):
        made.post(0, bulletin(number, LARGE))
    assert made.run(3 * 3600, until_equal=True)
    near = next(iter(made.members[0].engine.context.neighbours))
    assert near.needs_signed(made.members[0].engine._last_at)
    made.air._radios[1].firmware = None
    made.run(TUNING.signed_s)
    sent = made.air.counters["refused"]
    made.post(0, bulletin(9, LARGE))
    assert made.run(3600, until_equal=True)
    assert not near.needs_signed(made.members[0].engine._last_at) and made.air.counters["refused"] == sent

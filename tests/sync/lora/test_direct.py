"""Questions to one neighbour alone: firmware signs broadcasts, not what is for one node."""

import pytest

from node.model.record import record_id
from node.sync.codes.erasure import piece
from node.sync.events import Imported, PacketReceived
from node.sync.lora.packets import More, Need, Neighbours, Piece, Sum, Whole
from node.sync.lora.tuning import TUNING
from radio.lora import time_on_air_s
from tests.sim.archipelago import LINK, bulletin
from tests.sync.lora.test_engine import DAY, OTHER, LoneIsland, element, summary


def asking_island(count=1, hops=0, **channel):
    """An island that has just learnt of so many records that it lacks."""
    island = LoneIsland(**channel)
    island.wait(60)
    island.hear(summary([bulletin(number) for number in range(count)], at=island.now), hops=hops)
    return island


def questions(island, seconds=1800):
    """The packets that ask, sent meanwhile."""
    return [send for send, packet in island.wait(seconds) if island.sections(Need | More, [(send, packet)])]


def test_a_question_to_one_neighbour_is_sent_to_it_alone_twice_and_then_to_everybody():
    asked = questions(asking_island(signs=True))
    assert [(send.to, send.hop_limit) for send in asked[:3]] == [("!x", 0), ("!x", 0), ("", 0)]


def test_firmware_that_does_not_sign_sends_questions_to_everybody():
    assert {send.to for send in questions(asking_island(signs=False))} == {""}


def test_a_neighbour_behind_a_relay_is_asked_alone_too_by_as_many_relays():
    assert [(send.to, send.hop_limit) for send in questions(asking_island(hops=1, signs=True))[:2]] == [("!x", 1)] * 2


def test_the_same_question_to_one_neighbour_again_is_no_replay_and_is_answered():
    asked = questions(asking_island(signs=True))[:2]
    other, record = LoneIsland(address=OTHER), bulletin(0)
    other.give(Imported((record,), "bundle"))
    other.wait(60)
    for send in asked:
        other.sent.clear()
        other.give(PacketReceived(LINK, send.payload, "!y", 0))
        assert [whole.raw for whole in other.sections(Whole, other.wait(30))] == [record]
    assert asked[0].payload != asked[1].payload and len(asked) == 2


def test_what_carries_more_than_questions_goes_to_everybody():
    island = asking_island(signs=True)
    island.give(Imported((bulletin(99),), "bundle"))
    island.hear(Need(0x0123, DAY % 256, (element(bulletin(99), DAY),)))
    mixed = [send for send, packet in island.wait(60) if island.sections(Whole, [(send, packet)])]
    assert mixed and mixed[0].to == ""


def test_an_answer_to_what_everybody_was_asked_does_not_tell_that_one_can_be_asked_alone():
    island = asking_island(signs=True)
    while len(island.sections(Need)) < 3:
        island.wait(1)
    neighbour = island.engine.context.neighbours.get(OTHER)
    island.hear(Whole(bulletin(0), False))
    assert neighbour.in_vain == 2


def test_a_record_that_comes_when_it_was_asked_for_tells_that_one_can_be_asked_alone():
    island = asking_island(signs=True)
    neighbour = island.engine.context.neighbours.get(OTHER)
    while not neighbour.in_vain:
        island.wait(1)
    island.hear(Whole(bulletin(0), False))
    assert neighbour.in_vain == 0


@pytest.mark.parametrize(("open_records", "alone"), [(11, True), (12, False), (22, False)])
def test_a_long_question_goes_to_everybody_as_it_need_not_be_signed(open_records, alone):
    island = asking_island(0, signs=True)
    for number in range(open_records):
        raw = bulletin(number, 300)
        island.hear(Piece(record_id(raw)[:4], 2, 0, len(raw), piece(raw, 2, 0), True))
    first = questions(island)[0]
    assert (len(first.payload) <= 100) == bool(first.to) == alone


def test_where_many_hear_each_other_all_hear_the_question():
    for others, alone in ((3, True), (4, False)):
        island = asking_island(signs=True)
        for sender in range(others):
            island.hear(summary([], at=island.now), sender=50 + sender)
        assert bool(questions(island, 120)[0].to) == alone


def test_a_neighbour_that_was_away_may_be_asked_alone_again():
    island = asking_island(signs=True)
    neighbour = island.engine.context.neighbours.get(OTHER)
    neighbour.give_up_direct()
    island.hear(Neighbours(()))
    assert not neighbour.direct
    neighbour.quiet = 99
    island.hear(Neighbours(()))
    assert neighbour.direct


def test_a_question_says_nothing_else():
    island = asking_island(signs=True)
    island.hear(Neighbours((0x0123,)), sender=9)
    packets = [packet for send, packet in island.wait(120) if send.to]
    assert packets and all(not isinstance(section, Neighbours | Sum) for packet in packets for section in packet.sections)


def test_what_one_neighbour_hears_alone_takes_no_sequence_number_from_the_others():
    island = asking_island(signs=True)
    island.wait(1800)
    sequences = [(packet.sequence, send.to) for send, packet in island.sent]
    alone = [at for at, (_, to) in enumerate(sequences) if to]
    assert alone
    for at in alone:
        assert sequences[at + 1][0] == sequences[at][0]


def test_the_budget_is_charged_what_an_unsigned_packet_takes():
    island = asking_island(signs=True)
    governor = island.engine.channel.governor
    while not (island.sent and island.sent[-1][0].to):
        used_s = governor.used_s(island.now)
        island.wait(0.5)
    size = len(island.sent[-1][0].payload)
    assert governor.used_s(island.now) - used_s == pytest.approx(time_on_air_s(size, direct=True))


def test_a_radio_that_cannot_send_to_one_node_broadcasts_the_question():
    island = asking_island(signs=True)
    island.outcome = "failed"
    asked = questions(island)
    assert [bool(send.to) for send in asked[:4]] == [True, False, False, False]


def test_after_many_questions_in_vain_a_neighbour_is_asked_by_broadcast_only():
    raws = [bulletin(number, 300) for number in range(14)]
    island = asking_island(0, signs=True)
    asked = []
    for raw in raws:
        island.hear(Piece(record_id(raw)[:4], 2, 0, len(raw), piece(raw, 2, 0), True))
        asked += questions(island, 900)
        island.hear(Piece(record_id(raw)[:4], 2, 1, len(raw), piece(raw, 2, 1), True), sender=9)
    assert sum(bool(send.to) for send in asked) == TUNING.max_in_vain
    assert not any(send.to for send in asked[-TUNING.max_in_vain:])


def test_a_neighbour_that_answers_is_asked_alone_again_and_again():
    raws = [bulletin(number, 300) for number in range(9)]
    island = asking_island(0, signs=True)
    for raw in raws:
        island.hear(Piece(record_id(raw)[:4], 2, 0, len(raw), piece(raw, 2, 0), True))
        while not island.sections(More):
            island.wait(1)
        assert island.sent[-1][0].to == "!x"
        island.sent.clear()
        island.hear(Piece(record_id(raw)[:4], 2, 1, len(raw), piece(raw, 2, 1), True))

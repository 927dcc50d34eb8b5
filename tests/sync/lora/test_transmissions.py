"""What we believe of who lacks a record: when one more transmission is worth its airtime."""

import random

import pytest

from node.sync.lora.neighbours import Neighbourhood, Passage
from node.sync.lora.transmissions import REPAIR, PendingTransmissions, Rank, Reach, Transmission
from node.sync.lora.tuning import TUNING, Timing
from radio.airtime import Governor

GOOD, BAD = 0.2, 0.7  # parts of packets lost


def test_who_has_the_record_is_served_by_nothing():
    assert Reach(0, sent=3).lacks(GOOD, TUNING) == Reach(0, sent=3).served(GOOD, TUNING) == 0


def test_who_was_sent_nothing_yet_lacks_it_for_certain():
    assert Reach(2).served(GOOD, TUNING) == Reach(2, sent=1).served(GOOD, TUNING) == 1


def test_the_chance_that_it_lacks_it_is_that_of_too_few_pieces_arriving():
    assert Reach(1, sent=1).lacks(GOOD, TUNING) == pytest.approx(0.2)
    assert Reach(2, sent=3).lacks(GOOD, TUNING) == pytest.approx(0.2**3 + 3 * 0.8 * 0.2**2)


def test_who_asked_asks_again_where_questions_arrive():
    asked = Reach(1, sent=1, told=True)
    assert asked.served(GOOD, TUNING) == pytest.approx(0.2 - 0.2 * 0.8**2)
    assert asked.lacks(GOOD, TUNING) == Reach(1, sent=1).lacks(GOOD, TUNING)


def test_who_asked_is_sent_it_again_unasked_where_hardly_a_question_arrives():
    assert Reach(1, sent=1, told=True).served(BAD, TUNING) > TUNING.threshold


def test_who_got_a_part_asks_for_the_rest():
    reach = Reach(2, sent=2)
    assert reach.served(GOOD, TUNING) == pytest.approx(0.2**2 + (reach.lacks(GOOD, TUNING) - 0.2**2) * (1 - 0.8**2))


def test_a_first_silence_may_be_lack_of_airtime_and_a_second_one_is_not():
    once, twice = (Reach(1, sent=1, silent=times).served(GOOD, TUNING) for times in (1, 2))
    assert Reach(1, sent=1).served(GOOD, TUNING) < once < TUNING.threshold < twice


def test_others_who_may_serve_it_make_it_less_worth_our_while():
    assert Reach(1, helpers=1).served(GOOD, TUNING) == pytest.approx(0.45)


@pytest.mark.parametrize("evening", [True, False])
def test_on_a_first_evening_who_was_heard_lately_is_there_however_many_records_it_was_sent(evening):
    neighbours = Neighbourhood(1, Governor(), TUNING)
    neighbours.evening_until = 1e6 if evening else 0.0
    one = neighbours.hear(5, 1, Passage(), 0.0)
    sending = PendingTransmissions(neighbours, Timing(2.0, random.Random(1)))

    def send(at):
        for number in range(8):
            id_ = bytes([number]) * 16
            sending.start(Transmission(id_, b"author", 1, Rank(REPAIR, 0, 0), True, {5: Reach(1)}))
            sending.sent(id_, 0, at)

    send(TUNING.there_s - 1)
    assert neighbours.live() == ([one] if evening else [])
    send(TUNING.there_s + 1)
    assert neighbours.live() == []


@pytest.mark.parametrize(("evening", "patience"), [(True, 17), (False, TUNING.patient_pushes)])
def test_on_a_first_evening_a_record_is_sent_oftener_to_who_is_behind_relays_before_it_is_left_alone(evening, patience):
    neighbours = Neighbourhood(1, Governor(), TUNING)
    neighbours.evening_until = 1e6 if evening else 0.0
    one = neighbours.hear(5, 1, Passage(1), 0.0)
    sending = PendingTransmissions(neighbours, Timing(2.0, random.Random(1)))
    pending = sending.start(Transmission(bytes(16), b"author", 1, Rank(REPAIR, 0, 0), True))
    times = 0
    while sending.lacks(one, pending, 1, 10.0):
        sending.sent(pending.id, 1, 10.0)
        times += 1
    assert times == patience

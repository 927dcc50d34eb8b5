"""Who had much of our air of late goes after the others."""

import random

from node.sync.lora.fairness import Claim, Fairness
from node.sync.lora.tuning import TUNING

HOUR_S = 3600.0


def fairness(**sendings):
    made = Fairness(TUNING)
    for author, count in sendings.items():
        made.meet(author.encode(), 0.0, count)
    return made


def test_nobody_crowds_an_air_that_is_his_alone():
    assert fairness(a=500).crowding(0.0) == set()


def test_equal_parts_crowd_nobody_however_many_they_are():
    for count in (2, 3, 10, 60):
        assert fairness(**{f"author{number}": 50 for number in range(count)}).crowding(0.0) == set()


def test_who_takes_much_more_than_an_equal_part_crowds():
    assert fairness(loud=30, quiet=0).crowding(0.0) == {b"loud"}
    assert fairness(loud=30, louder=40, a=1, b=2, c=0, d=1).crowding(0.0) == {b"loud", b"louder"}


def test_a_few_records_crowd_nobody():
    assert fairness(only=6, other=0).crowding(0.0) == set()
    assert fairness(only=7, other=0).crowding(0.0) == {b"only"}


def test_on_a_first_evening_nobody_crowds_the_air_and_all_may_ask():
    made = fairness(loud=30, quiet=0)
    for _ in range(9):
        made.ask(0.0)
    made.lenient_until = HOUR_S / 4
    assert made.crowding(HOUR_S / 4 - 1) == set() and made.asks(HOUR_S / 4 - 1) is Claim.FAIR
    assert made.crowding(HOUR_S / 4) == {b"loud"} and made.asks(HOUR_S / 4) is Claim.CROWDING


def test_what_was_sent_is_forgiven_within_hours():
    made = fairness(loud=18, quiet=0)
    assert made.crowding(HOUR_S) == {b"loud"}
    assert made.crowding(2 * HOUR_S) == set()


def test_an_author_not_met_for_half_a_day_keeps_nothing_back():
    made = fairness(quiet=0)
    made.meet(b"loud", HOUR_S, 100)
    assert made.crowding(HOUR_S) == {b"loud"}
    for hour in range(2, 20):
        made.meet(b"loud", hour * HOUR_S, 100)
    assert made.crowding(19 * HOUR_S) == set()


def test_a_few_summaries_and_questions_an_hour_go_before_a_flood_and_more_do_not():
    made = fairness()
    claims = []
    for _ in range(4):
        claims.append(made.asks(0.0))
        made.ask(0.0)
    assert claims == [Claim.FAIR] * 3 + [Claim.CROWDING]
    assert made.asks(HOUR_S) is Claim.FAIR


def test_memory_is_bounded_and_the_last_met_stay():
    made, rng = fairness(loud=30), random.Random(1)
    for number in range(10_000):
        made.meet(rng.randbytes(8), float(number), 1)
        made.meet(b"loud", float(number))
    assert len(made) == TUNING.max_authors
    made.meet(b"loud", 10_000.0, 100)
    assert made.crowding(10_000.0) == {b"loud"}

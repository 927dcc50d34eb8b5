""""I'll be there": counted in memory, once for each address, never shown below six, told to other islands in steps."""

import hashlib
from threading import Lock

import pytest

from node.board.turnouts import LOOK_EVERY_MIN, MAX_DATES, TOLD_A_DAY, Turnouts
from node.model.event import DAY_MIN
from node.model.record import Kind, Record
from node.model.turnout import STEPS, Turnout, level_of
from tests.sim.places import ELSEWHERE, HERE

ROOT, END = bytes(range(8)), 10 * DAY_MIN


def person(number):
    """The portal's part: a number for an address, by a salt."""
    return lambda salt: int.from_bytes(hashlib.blake2b(f"192.168.4.{number}".encode(), key=salt, digest_size=2).digest())


def seat(number):
    """Somebody whose number nobody shares."""
    return lambda salt: number


@pytest.fixture
def turnouts(place):
    return Turnouts(place.liveset, HERE.key_id, Lock(), place.rng.randbytes)


def come(turnouts, people, root=ROOT, number=0, end=END):
    for one in people:
        turnouts.come(root, number, end, seat(one))


def test_steps_are_never_below_six():
    assert STEPS[0] == 6 and [level_of(count) for count in (0, 5, 6, 11, 12, 200, 256)] == [0, 0, 1, 1, 2, 6, 6]


def test_nothing_is_shown_below_six_and_then_steps(turnouts):
    seen = []
    for one in range(30):
        come(turnouts, [one])
        seen.append(turnouts.least(ROOT, 0))
    assert seen == [0] * 5 + [6] * 6 + [12] * 13 + [25] * 6
    assert turnouts.revision == 3, "pages are made anew for a step, not for a press"


def test_whoever_presses_again_counts_once_on_any_day_and_dates_are_counted_apart(turnouts):
    for _day in range(40):
        turnouts.come(ROOT, 0, END, person(7))
    assert turnouts.least(ROOT, 0) == 0
    come(turnouts, range(6), number=1)
    assert (turnouts.least(ROOT, 0), turnouts.least(ROOT, 1)) == (0, 6)


def test_each_date_has_a_salt_of_its_own_so_that_nobody_is_known_from_one_to_the_next(turnouts):
    salts = []
    for root, number in ((ROOT, 0), (ROOT, 1), (b"\7" * 8, 0), (ROOT, 0)):
        turnouts.come(root, number, END, lambda salt: salts.append(salt) or 1)
    assert len(set(salts)) == 3 and salts[0] == salts[3] and {len(salt) for salt in salts} == {16}


def test_some_addresses_share_a_bit_so_that_a_hundred_are_told_as_fewer_never_as_more(turnouts):
    for number in range(100):
        turnouts.come(ROOT, 0, END, person(number))
    assert turnouts.least(ROOT, 0) == 50


def test_a_step_is_told_once_in_a_record_that_says_no_more_and_ends_with_the_event(place, turnouts):
    end = place.minute + 3_000
    come(turnouts, range(7), end=end)
    (record,) = turnouts.due(place.minute, 0)
    assert (record.kind, record.target, record.detail, record.packed) == (Kind.TURNOUT, ROOT, Turnout(0, 1), b"")
    assert end <= record.expires < end + 60 and len(place.board.sign_own(record)) == 90
    place.take(record, HERE)
    come(turnouts, range(7, 11), end=end)
    assert turnouts.due(place.minute, LOOK_EVERY_MIN) == []
    come(turnouts, range(11, 13), end=end)
    assert turnouts.due(place.minute, 2 * LOOK_EVERY_MIN - 1) == [], "not at the minute of a press"
    (more,) = turnouts.due(place.minute, 2 * LOOK_EVERY_MIN)
    assert more.detail == Turnout(0, 2) and place.take(more, HERE)
    kept = [place.liveset.get(id_) for id_ in place.liveset.ids()]
    assert [one.detail for one in kept if one.kind is Kind.TURNOUT] == [Turnout(0, 2)], "the new one took its place"


def test_below_six_nothing_is_told(place, turnouts):
    come(turnouts, range(5), end=place.minute + 3_000)
    assert turnouts.due(place.minute, 0) == []


def test_islands_add_up_what_each_has_told_of_that_date(place, turnouts):
    life = 2_000 // 60 + 1
    place.take(Record(Kind.TURNOUT, ELSEWHERE.key_id, place.minute, life, target=ROOT, detail=Turnout(0, 2)), ELSEWHERE)
    assert (turnouts.least(ROOT, 0), turnouts.least(ROOT, 1)) == (12, 0)
    come(turnouts, range(5))
    assert turnouts.least(ROOT, 0) == 12
    come(turnouts, range(5, 7))
    assert turnouts.least(ROOT, 0) == 18


def test_after_a_start_the_step_that_was_told_stands_until_more_have_pressed(place, turnouts):
    place.take(Record(Kind.TURNOUT, HERE.key_id, place.minute, 60, target=ROOT, detail=Turnout(0, 2)), HERE)
    come(turnouts, range(7), end=place.minute + 3_000)
    assert turnouts.least(ROOT, 0) == 12 and turnouts.due(place.minute, 0) == []
    come(turnouts, range(30), end=place.minute + 3_000)
    assert [record.detail for record in turnouts.due(place.minute, LOOK_EVERY_MIN)] == [Turnout(0, 3)]


def test_what_is_over_is_forgotten_and_memory_is_bounded(place, turnouts):
    come(turnouts, range(7), end=place.minute)
    assert turnouts.due(place.minute, 0) == [] and turnouts.least(ROOT, 0) == 0
    for number in range(MAX_DATES + 50):
        come(turnouts, [1], root=number.to_bytes(8, "big"))
    assert len(turnouts._coming) == MAX_DATES


def test_a_flood_of_presses_costs_no_more_air_than_a_day_may(place, turnouts):
    for number in range(100):
        come(turnouts, range(6), root=number.to_bytes(8, "big"))
    told = [len(turnouts.due(0, hour * LOOK_EVERY_MIN)) for hour in range(24)]
    assert sum(told) == TOLD_A_DAY and len(turnouts.due(0, DAY_MIN)) == TOLD_A_DAY

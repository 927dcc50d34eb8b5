"""PinSketch: the difference of two sets from a few bytes."""

import random

import pytest

from node.sync.codes.sketch import decode, multiply, sketch


def elements(rng, count):
    return rng.sample(range(1, 1 << 32), count)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 17, 40])
def test_a_sketch_gives_back_up_to_its_capacity(count):
    rng = random.Random(count)
    for capacity in {max(count, 1), count + 3}:
        wanted = elements(rng, count)
        assert sorted(decode(sketch(wanted, capacity), capacity)) == sorted(wanted)


def test_what_two_sets_share_cancels_out():
    rng = random.Random(1)
    shared, ours, theirs = elements(rng, 300), elements(rng, 3), elements(rng, 4)
    gap = sketch(shared + ours, 8) ^ sketch(theirs + shared, 8)
    assert sorted(decode(gap, 8)) == sorted(ours + theirs)


def test_a_larger_sketch_begins_with_the_smaller_one():
    wanted = elements(random.Random(2), 9)
    assert sketch(wanted, 12) & (1 << 32 * 5) - 1 == sketch(wanted, 5)


def test_too_large_a_difference_is_noticed():
    rng = random.Random(3)
    for count in (9, 12, 30):
        assert decode(sketch(elements(rng, count), 8), 8) is None


def test_sums_that_no_set_has_give_nothing():
    rng = random.Random(4)
    given = [decode(rng.getrandbits(32 * 8), 8) for _ in range(20)]
    for sums in [1 << 32 * 7, (1 << 32 * 8) - 1, 1 << 32]:
        given.append(decode(sums, 8))
    assert given.count(None) == len(given)


def test_an_element_and_itself_are_nothing():
    assert decode(sketch([7, 7], 3), 3) == []


def test_the_field_is_the_one_in_the_specification():
    assert multiply(0x80000000, 2, 1) == 0x8D
    assert multiply(0x53, 0xCA, 1) == 0x3F7E  # below 2^32 nothing is reduced
    rng = random.Random(5)
    one, two, three = elements(rng, 3)
    assert multiply(one, two ^ three, 1) == multiply(one, two, 1) ^ multiply(one, three, 1)
    power = one
    for _ in range(32):
        power = multiply(power, power, 1)
    assert power == one

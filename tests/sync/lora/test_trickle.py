"""RFC 6206: intervals that double, and silence when others have spoken."""

import random

from node.sync.lora.trickle import Trickle


def started(seed=1):
    trickle = Trickle(300, 7200, 1, random.Random(seed))
    trickle.reset(1000.0)
    return trickle


def test_the_moment_lies_in_the_second_half_of_the_interval():
    for seed in range(50):
        assert 1150 <= started(seed).at <= 1300


def test_intervals_double_up_to_the_longest():
    trickle = started()
    lengths = []
    for _ in range(7):
        lengths.append(trickle.interval_s)
        trickle.fire()
    assert lengths == [300, 600, 1200, 2400, 4800, 7200, 7200]


def test_it_speaks_unless_somebody_said_the_same_in_this_interval():
    trickle = started()
    assert trickle.fire()
    trickle.consistent()
    assert not trickle.fire()
    assert trickle.fire()


def test_a_change_brings_it_back_to_the_shortest_interval():
    trickle = started()
    for _ in range(4):
        trickle.fire()
    trickle.reset(9000.0)
    assert 9150 <= trickle.at <= 9300


def test_a_second_change_does_not_put_off_the_moment():
    trickle = started()
    at = trickle.at
    trickle.reset(1100.0)
    assert trickle.at == at

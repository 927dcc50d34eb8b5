"""Radios that pass on, and take in, only so many packets of one sender in a window (firmware 2.8, off unless set)."""

import pytest

from radio.sim.habits import Habits, SenderLimit
from radio.sim.topology import line, star
from tests.sim.archipelago import Archipelago, bulletin

POSTS, HOURS = 8, 3_600
LIMITS = {"mild": SenderLimit(10), "harsh": SenderLimit(3), "long": SenderLimit(6, 900)}


def limited(seed, pairs, limit, at, **how):
    """Islands that post at both ends, some radios `at` limits."""
    made = Archipelago(seed, pairs, loss=0.1, signs=True, habits={node: Habits(limit=limit) for node in at}, **how)
    made.start()
    made.run(400)
    nodes = sorted(made.members)
    for number in range(POSTS):
        made.post(nodes[0] if number % 2 else nodes[-1], bulletin(number, 100 + 60 * (number % 4)))
        made.run(60)
    return made


@pytest.mark.parametrize("limit", LIMITS.values(), ids=list(LIMITS))
@pytest.mark.parametrize("seed", range(2))
def test_islands_on_both_sides_of_a_radio_that_limits_senders_agree(seed, limit):
    made = limited(seed, line(3), limit, at=[1], plain=(1,))
    assert made.run(12 * HOURS, until_equal=True)
    assert limit.frames > 3 or made.air.counters["relays-limited"], "the limit was felt"


@pytest.mark.parametrize("limit", LIMITS.values(), ids=list(LIMITS))
def test_islands_whose_own_radios_limit_senders_agree(limit):
    made = limited(5, line(3), limit, at=[0, 1, 2])
    assert made.run(12 * HOURS, until_equal=True)


def test_islands_round_a_radio_that_limits_senders_agree():
    made = limited(6, star(5), LIMITS["harsh"], at=[0], plain=(0,))
    assert made.run(24 * HOURS, until_equal=True) and made.air.counters["relays-limited"]


@pytest.mark.parametrize("limit", [None, LIMITS["harsh"]], ids=["without a limit", "with one"])
def test_a_strict_radio_between_two_islands_keeps_them_from_nothing(limit):
    made = limited(7, [(0, 2), (2, 1)], limit, at=[2], plain=(2,), strict=(2,))
    assert made.run(12 * HOURS, until_equal=True)

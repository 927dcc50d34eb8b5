"""The bounds of the air bench are what no protocol can beat."""

import itertools
import random

import pytest

from radio.sim.topology import grid, line, ring, scattered, star
from tests.bench.air import arguments
from tests.bench.bounds import bounds, least_transmissions
from tests.bench.scenarios import Setup
from tests.bench.shapes import adjacency


def least(pairs, holders, wanted=None):
    return least_transmissions(tuple(pairs), frozenset(holders), frozenset(adjacency(pairs) if wanted is None else wanted))


def tried(pairs, holders, wanted):
    """The same by trying every set of senders."""
    adjacent = adjacency(pairs)
    for count in range(len(adjacent)):
        for senders in itertools.combinations(adjacent, count):
            holds, grown = set(holders), True
            while grown:
                more = set().union(*(adjacent[node] for node in senders if node in holds)) - holds
                holds, grown = holds | more, bool(more)
            if wanted <= holds:
                return count
    raise AssertionError


def test_a_hub_reaches_its_leaves_at_once_and_a_leaf_needs_the_hub():
    assert least(star(12), {0}) == 1
    assert least(star(12), {3}) == 2


def test_known_shapes_need_what_they_should():
    assert [least(line(10), {node}) for node in (0, 1, 5, 9)] == [9, 8, 8, 9]
    assert least(ring(10), {4}) == 8
    assert least(line(10), {0, 9}) == 8
    assert least(line(10), range(10)) == 0
    assert least(line(10), {4}, {4, 5}) == 1


def test_the_least_number_of_transmissions_is_what_trying_every_set_gives():
    rng = random.Random(7)
    for _ in range(40):
        pairs = scattered(8, rng, rng.choice((2, 3, 4)))
        holders, wanted = {rng.randrange(8) for _ in range(rng.choice((1, 1, 2)))}, {rng.randrange(8) for _ in range(5)}
        assert least(pairs, holders, wanted) == tried(pairs, holders, wanted)


def test_it_is_not_looked_for_where_that_would_take_too_long():
    assert least(grid(36), {0}) is None


@pytest.mark.parametrize("scenario", ["steady", "merge", "join", "first-evening"])
def test_without_loss_nobody_sends_less_than_the_minimum(scenario):
    minimum, oracle = bounds(Setup(arguments(["--loss", "0", "--records", "10", "--scenario", scenario]), 1))
    assert 0 < minimum <= oracle < 1.5 * minimum

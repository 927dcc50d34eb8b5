"""The bounds of the air bench are what no protocol can beat."""

import itertools
import random

import pytest

from radio.sim.habits import Habits, Role
from radio.sim.topology import grid, line, ring, star
from tests.bench.bounds import bounds
from tests.bench.knowing import FairSender, FloodKind, Floods, Oracle
from tests.bench.minimum import least_transmissions
from tests.bench.options import arguments
from tests.bench.scenarios import Setup
from tests.bench.shapes import Layout, layout, one_way


def least(pairs, holders, islands=None):
    nodes = {node for pair in pairs for node in pair}
    plain = frozenset() if islands is None else frozenset(nodes - islands)
    return least_transmissions(Layout(len(nodes), pairs, plain), frozenset(holders))


def tried(made, holders):
    """The same by trying every set of senders."""
    for count in range(made.nodes):
        for senders in itertools.combinations(range(made.nodes), count):
            holds, grown = set(holders), True
            while grown:
                more = set().union(*(made.heard_by[node] for node in senders if node in holds)) - holds
                holds, grown = holds | more, bool(more)
            if holds.issuperset(made.islands):
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
        made = one_way(layout("random", 8, 0.3, rng), 0.3, rng)
        holders = frozenset(rng.randrange(8) for _ in range(rng.choice((1, 1, 2))))
        assert least_transmissions(made, holders) == tried(made, holders)


def test_it_is_not_looked_for_where_that_would_take_too_long():
    assert least(grid(49), {0}) is None


@pytest.mark.parametrize("scenario", ["steady", "merge", "join", "first-evening"])
def test_without_loss_nobody_sends_less_than_the_minimum(scenario):
    minimum, oracle, _ = bounds(Setup(arguments("", ["--loss", "0", "--records", "10", "--scenario", scenario]), 1))
    assert 0 < minimum <= oracle < 1.5 * minimum


def spent(sender, made, node):
    """Bytes of air for one record of one frame of 100 bytes, posted on `node`."""
    sender.post("a record", node, [100], set(range(made.nodes)))
    return sender.bytes


@pytest.mark.parametrize(("name", "nodes", "node", "count"), [("hill", 5, 2, 2), ("chain", 4, 0, 3), ("chain", 7, 3, 5)])
def test_a_fair_sender_lets_plain_nodes_flood(name, nodes, node, count):
    made = layout(name, nodes, 0, random.Random(1))
    assert spent(FairSender(made, 0.0, 1), made, node) == 100 * count


def test_a_fair_sender_chooses_the_hop_limit_that_serves_most_for_its_copies():
    made = Layout(7, [(0, 1), (1, 2), (1, 3), (3, 4), (4, 5), (5, 6)], frozenset({1, 3, 4, 5}))
    sender = FairSender(made, 0.0, 1)
    assert sender._best({0}, set(range(7))) == (0, 1)
    assert sender._best({0, 2}, set(range(7)))[1] == 4
    assert sender._best({0, 2, 6}, set(range(7))) is None
    assert sender._best({0, 2}, {0, 1, 2, 3, 5, 6}) is None


def test_loss_counts_for_whom_it_hears_as_for_whom_floods_reach():
    made = Layout(5, [(0, 1), (0, 2), (2, 3), (2, 4)], frozenset({2}), {1: Habits(Role.CLIENT_MUTE)})
    assert FairSender(made, 0.5, 1)._best({0}, set(range(5))) == (0, 1)
    assert FairSender(made, 0.5, 1)._best({0, 3, 4}, set(range(5))) == (0, 0)


@pytest.mark.parametrize("name", ["line", "star", "random"])
def test_without_plain_nodes_a_fair_sender_is_the_oracle(name):
    _, oracle, fair = bounds(Setup(arguments("", ["--topology", name, "--records", "10", "--hours", "4"]), 3))
    assert oracle == fair > 0


def test_under_loss_a_fair_sender_pays_for_floods_that_reach_nobody():
    made = layout("hill", 5, 0, random.Random(1))
    lossy, lossless = (sum(spent(FairSender(made, loss, seed), made, 1) for seed in range(20)) for loss in (0.4, 0.0))
    assert 1.5 < lossy / lossless < 4


def test_a_flood_that_looked_good_is_not_taken_for_a_sure_one():
    made = layout("hill", 12, 0, random.Random(1))
    sender = FairSender(made, 0.2, 1)
    for record in range(300):
        sender.hold(record, set(range(1, 11)))
    sender.settle({record: [100] for record in range(300)}, set(range(12)))
    assert sender.bytes == pytest.approx(300 * 100 * 1.8 / 0.64, rel=0.1)


def test_a_flood_goes_as_far_as_radios_pass_on():
    made = Layout(3, [(0, 1), (1, 2)], habits={1: Habits(Role.CLIENT_MUTE)}, deaf=frozenset({(0, 1)}))
    floods = Floods(made, 0.0, random.Random(1))
    assert floods.kind(0, 3, {0, 1, 2}) == FloodKind(1, {1: 1.0})
    assert floods.kind(1, 3, {0, 1, 2}).odds == {2: 1.0}


def test_what_is_off_floods_nothing():
    floods = Floods(Layout(3, [(0, 1), (1, 2)]), 0.0, random.Random(1))
    assert floods.kind(0, 3, {0, 1, 2}).odds == {1: 1.0, 2: 1.0}
    assert floods.kind(0, 3, {0, 2}) == FloodKind(1, {})


def test_an_oracle_uses_plain_nodes_as_it_does_islands_but_serves_none_for_its_own_sake():
    hill = layout("hill", 5, 0, random.Random(1))
    assert spent(Oracle(hill, 0.0, 1), hill, 2) == 200
    dead_end = Layout(5, [(0, 1), (1, 2), (0, 3), (3, 4)], frozenset({1, 3, 4}))
    assert spent(Oracle(dead_end, 0.0, 1), dead_end, 0) == 200

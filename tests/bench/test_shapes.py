"""The shapes of the air bench: whom they connect, and who in them is no island."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from radio.sim.habits import Role, SenderLimit
from radio.sim.topology import connected
from tests.bench.options import arguments
from tests.bench.shapes import MAX_RELAYS, NAMES, Layout, apart, distances, farthest, layout, one_way, with_habits


@pytest.mark.parametrize("name", NAMES)
def test_every_shape_hangs_together_has_its_nodes_and_is_the_same_for_a_seed(name):
    for nodes in (5, 10, 13, 25):
        made = layout(name, nodes, 0.2, random.Random(nodes))
        assert connected(nodes, made.pairs)
        assert made.nodes == nodes
        assert made == layout(name, nodes, 0.2, random.Random(nodes))


def test_islands_of_a_mixed_place_have_at_most_four_relays_between_them():
    for seed in range(20):
        made = layout("mixed", 25, 0.8, random.Random(seed))
        assert len(made.islands) == 5
        assert farthest(made) <= MAX_RELAYS + 1


def test_the_hub_of_a_hill_is_plain_and_so_are_two_nodes_between_islands_of_a_chain():
    assert layout("hill", 5, 0, random.Random(0)).islands == [1, 2, 3, 4]
    assert layout("chain", 10, 0, random.Random(0)).islands == [0, 3, 6, 9]


def test_distances_count_transmissions():
    made = Layout(5, [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)], frozenset({4}))
    assert distances(made.heard_by, 1) == {1: 0, 0: 1, 2: 1, 3: 2, 4: 3}
    assert distances(made.heard_by, 1, 3) == {1: 0, 3: 0, 0: 1, 2: 1, 4: 1}
    assert farthest(made) == 2
    assert farthest(replace(made, deaf=frozenset({(2, 1)}))) == 3


def test_islands_apart_hear_no_island_and_all_others_what_they_heard():
    made = apart(layout("cell", 6, 0, random.Random(1)), 0.5, random.Random(1))
    assert sum(not made.heard_by[node] - made.plain for node in made.islands) == 3
    assert (len(made.islands), len(made.plain), made.nodes) == (6, 12, 18)
    assert connected(made.nodes, made.pairs)


def test_radios_have_the_habits_that_are_asked_for():
    words = "--muted 0.5 --routers 0.2 --late-routers 0.4 --old-relays 0.6 --sender-limit 9"
    made = with_habits(layout("mixed", 25, 0.4, random.Random(1)), arguments("", words.split()), random.Random(1))
    roles = Counter((made.habits[node].role, node in made.plain) for node in range(25))
    assert roles == {(Role.CLIENT, True): 4, (Role.ROUTER, True): 2, (Role.ROUTER_LATE, True): 4,
                     (Role.CLIENT_MUTE, False): 8, (Role.CLIENT, False): 7}
    assert [made.habits[node].names_itself for node in made.plain].count(False) == 6
    assert {node for node in range(25) if made.habits[node].limit == SenderLimit(9)} == made.plain


def test_where_one_does_not_hear_the_other_all_are_still_reached_by_all():
    made = one_way(layout("cell", 8, 0, random.Random(1)), 0.5, random.Random(1))
    assert len(made.deaf) == 14
    assert all(receiver not in made.heard_by[sender] for receiver, sender in made.deaf)
    assert all(sender in made.heard_by[receiver] for receiver, sender in made.deaf)
    assert all(len(distances(made.heard_by, node)) == 8 for node in range(8))
    assert not one_way(layout("tree", 8, 0, random.Random(1)), 0.5, random.Random(1)).deaf

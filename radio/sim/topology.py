"""Who hears whom, in shapes worth simulating: each is a list of pairs of nodes numbered from 0."""

import math
import random
from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

from radio.sim.air import Air, Node
from radio.sim.habits import USUAL, Habits

Pairs = list[tuple[Node, Node]]


def line(nodes: int) -> Pairs:
    """Each hears the one before and the one after."""
    return [(node, node + 1) for node in range(nodes - 1)]


def grid(nodes: int) -> Pairs:
    """Rows as near to a square as can be; each hears the four around it."""
    width = math.ceil(math.sqrt(nodes))
    beside = [(node, node + 1) for node in range(nodes - 1) if (node + 1) % width]
    return beside + [(node, node + width) for node in range(nodes - width)]


def cell(nodes: int) -> Pairs:
    """Everybody hears everybody."""
    return [(one, other) for one in range(nodes) for other in range(one + 1, nodes)]


def star(nodes: int) -> Pairs:
    """Node 0 hears all others, who do not hear each other: a hub on a roof."""
    return [(0, node) for node in range(1, nodes)]


def ring(nodes: int) -> Pairs:
    """A line whose ends hear each other."""
    return [*line(nodes), (nodes - 1, 0)]


def tree(nodes: int) -> Pairs:
    """Each hears the one above and two below."""
    return [((node - 1) // 2, node) for node in range(1, nodes)]


def caterpillar(nodes: int) -> Pairs:
    """A line of half of the nodes, and each of the others hears one of it only."""
    spine = math.ceil(nodes / 2)
    return line(spine) + [(node - spine, node) for node in range(spine, nodes)]


def barbell(nodes: int) -> Pairs:
    """Two cells of two fifths of the nodes each, and the others in a line between them."""
    size = 2 * nodes // 5
    second = [(nodes - size + one, nodes - size + other) for one, other in cell(size)]
    return cell(size) + [(node - 1, node) for node in range(size, nodes - size + 1)] + second


def hubs(nodes: int) -> Pairs:
    """The first nodes, as many as the root of all, hear each other; each of the others hears one of them."""
    count = math.isqrt(nodes)
    return cell(count) + [(node % count, node) for node in range(count, nodes)]


def city(nodes: int) -> Pairs:
    """Cells of five; the first of each hears the first of the next."""
    cells = [range(first, min(first + 5, nodes)) for first in range(0, nodes, 5)]
    inside = [(one, other) for some in cells for one in some for other in some if one < other]
    return inside + [(one[0], other[0]) for one, other in pairwise(cells)]


def scattered(nodes: int, rng: random.Random, degree: float = 4.0) -> Pairs:
    """Places in a square at random, about `degree` neighbours each, never in two parts."""
    reach = math.sqrt(degree / (math.pi * nodes))
    while True:
        places = [(rng.random(), rng.random()) for _ in range(nodes)]
        pairs = [(one, other) for one, other in cell(nodes) if math.dist(places[one], places[other]) <= reach]
        if connected(nodes, pairs):
            return pairs
        reach *= 1.02


def connected(nodes: int, pairs: Pairs) -> bool:
    """Whether everybody can be reached from node 0."""
    reached, grown = {0}, True
    while grown:
        more = {b for a, b in pairs if a in reached} | {a for a, b in pairs if b in reached}
        grown = not more <= reached
        reached |= more
    return len(reached) == nodes


def lay(air: Air, pairs: Pairs, loss: float = 0.0, snr_db: float = 5.0,
        habits: Mapping[Node, Habits] = MappingProxyType({})) -> None:
    """Add the nodes that `pairs` names and `air` does not know yet, with their habits, and let them hear each other."""
    for node in (node for pair in pairs for node in pair):
        if node not in air:
            air.add(node, habits.get(node, USUAL))
    for one, other in pairs:
        air.connect(one, other, loss, snr_db)

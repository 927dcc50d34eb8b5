"""Who hears whom, in shapes worth simulating: each is a list of pairs of nodes numbered from 0."""

import math
import random

from radio.sim.air import Air, Node

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


def lay(air: Air, pairs: Pairs, loss: float = 0.0, snr_db: float = 5.0) -> None:
    """Add the nodes that `pairs` names and `air` does not know yet, and let them hear each other."""
    for node in (node for pair in pairs for node in pair):
        if node not in air:
            air.add(node)
    for one, other in pairs:
        air.connect(one, other, loss, snr_db)

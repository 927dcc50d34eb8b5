"""Who hears whom in the air bench, and which nodes are plain: other people's radios, that pass on and hold nothing."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from radio.sim import topology
from radio.sim.topology import Pairs

EVEN: dict[str, Callable[[int], Pairs]] = {
    "line": topology.line, "grid": topology.grid, "cell": topology.cell, "star": topology.star, "ring": topology.ring,
    "tree": topology.tree, "caterpillar": topology.caterpillar, "barbell": topology.barbell,
}
NAMES = [*EVEN, "random", "mixed", "hill", "chain"]
NODES = {"star": 12, "hill": 12, "mixed": 25}  # usually; others have 10
PLAIN = {"mixed": 0.8}  # the plain part of the nodes, usually
HILL, BETWEEN = 0, 2  # the hub of a hill; plain nodes between two islands of a chain
MAX_RELAYS = 4  # between any two islands of a mixed place


@dataclass(frozen=True)
class Layout:
    """`pairs` hear each other; of `nodes`, numbered from 0, some are plain."""

    nodes: int
    pairs: Pairs
    plain: frozenset[int] = frozenset()

    @property
    def islands(self) -> list[int]:
        """All that are not plain."""
        return [node for node in range(self.nodes) if node not in self.plain]


def layout(name: str, nodes: int, plain: float, rng: random.Random) -> Layout:
    """The shape of that name with `nodes` nodes, a part of which (0 to 1) is plain: chosen by `rng`, or by the shape."""
    if name == "hill":
        return Layout(nodes, topology.star(nodes), frozenset({HILL}))
    if name == "chain":
        return Layout(nodes, topology.line(nodes), frozenset(node for node in range(nodes) if node % (BETWEEN + 1)))
    while True:
        pairs = EVEN[name](nodes) if name in EVEN else topology.scattered(nodes, rng)
        made = Layout(nodes, pairs, frozenset(rng.sample(range(nodes), round(plain * nodes))))
        if name != "mixed" or farthest(made) <= MAX_RELAYS + 1:
            return made


def adjacency(pairs: Pairs) -> dict[int, set[int]]:
    """node -> its neighbours."""
    adjacent: dict[int, set[int]] = {}
    for one, other in pairs:
        adjacent.setdefault(one, set()).add(other)
        adjacent.setdefault(other, set()).add(one)
    return adjacent


def distances(adjacent: dict[int, set[int]], start: int) -> dict[int, int]:
    """node -> how many transmissions it is away from `start`, at the least."""
    away, edge = {start: 0}, [start]
    for near in edge:  # grows as it goes
        for node in adjacent[near] - away.keys():
            away[node] = away[near] + 1
            edge.append(node)
    return away


def farthest(made: Layout) -> int:
    """How many transmissions the two islands that are farthest from each other need."""
    adjacent = adjacency(made.pairs)
    return max(distances(adjacent, one)[other] for one in made.islands for other in made.islands)

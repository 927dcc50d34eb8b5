"""Who hears whom in the air bench, and which nodes are plain: other people's radios, that pass on and hold nothing."""

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from radio.sim import topology
from radio.sim.habits import Habits, Role, SenderLimit
from radio.sim.topology import Pairs

EVEN: dict[str, Callable[[int], Pairs]] = {
    "line": topology.line, "grid": topology.grid, "cell": topology.cell, "star": topology.star, "ring": topology.ring,
    "tree": topology.tree, "caterpillar": topology.caterpillar, "barbell": topology.barbell,
    "hubs": topology.hubs, "city": topology.city,
}
NAMES = [*EVEN, "random", "mixed", "hill", "chain"]
NODES = {"star": 12, "hill": 12, "mixed": 25}  # usually; others have 10
PLAIN = {"mixed": 0.8}  # the plain part of the nodes, usually
HILL, BETWEEN = 0, 2  # the hub of a hill; plain nodes between two islands of a chain
MAX_RELAYS = 4  # between any two islands of a mixed place


@dataclass(frozen=True)
class Layout:
    """`pairs` hear each other, but for `deaf`: (receiver, sender); of `nodes`, numbered from 0, some are plain."""

    nodes: int
    pairs: Pairs
    plain: frozenset[int] = frozenset()
    habits: dict[int, Habits] = field(default_factory=dict)  # of radios that pass on otherwise than usual
    deaf: frozenset[tuple[int, int]] = frozenset()

    @property
    def islands(self) -> list[int]:
        """All that are not plain."""
        return [node for node in range(self.nodes) if node not in self.plain]

    @property
    def heard_by(self) -> dict[int, set[int]]:
        """node -> who hears it."""
        heard: dict[int, set[int]] = {node: set() for node in range(self.nodes)}
        for one, other in self.pairs:
            heard[one] |= {other} - {receiver for receiver, sender in self.deaf if sender == one}
            heard[other] |= {one} - {receiver for receiver, sender in self.deaf if sender == other}
        return heard


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


def apart(made: Layout, share: float, rng: random.Random) -> Layout:
    """The same where that part of the islands hear no island: one more plain node lies between them and each they heard."""
    alone = set(rng.sample(made.islands, round(share * len(made.islands))))
    pairs, nodes = [], made.nodes
    for one, other in made.pairs:
        if {one, other} & alone and not {one, other} & made.plain:
            pairs += [(one, nodes), (nodes, other)]
            nodes += 1
        else:
            pairs.append((one, other))
    return replace(made, nodes=nodes, pairs=pairs, plain=made.plain | set(range(made.nodes, nodes)))


def with_habits(made: Layout, wanted: argparse.Namespace, rng: random.Random) -> Layout:
    """The same with radios that pass on otherwise, as the bench's options want it."""
    plain = sorted(made.plain)
    routers = rng.sample(plain, round(wanted.routers * len(plain)))
    others = [node for node in plain if node not in routers]
    late = rng.sample(others, min(round(wanted.late_routers * len(plain)), len(others)))
    old = rng.sample(plain, round(wanted.old_relays * len(plain)))
    limit = SenderLimit(wanted.sender_limit) if wanted.sender_limit else None
    roles = dict.fromkeys(routers, Role.ROUTER) | dict.fromkeys(late, Role.ROUTER_LATE)
    roles |= dict.fromkeys(rng.sample(made.islands, round(wanted.muted * len(made.islands))), Role.CLIENT_MUTE)
    habits = {node: Habits(roles.get(node, Role.CLIENT), node not in old, limit if node in plain else None)
              for node in range(made.nodes)}
    return replace(made, habits=habits)


def one_way(made: Layout, share: float, rng: random.Random) -> Layout:
    """The same where of that part of the pairs one does not hear the other, if everybody can still be reached by all."""
    for pair in rng.sample(made.pairs, round(share * len(made.pairs))):
        deafer = replace(made, deaf=made.deaf | {tuple(rng.sample(pair, 2))})
        if all(len(distances(deafer.heard_by, node)) == made.nodes for node in range(made.nodes)):
            made = deafer
    return made


def distances(heard_by: dict[int, set[int]], *starts: int) -> dict[int, int]:
    """node -> how many transmissions it is away from the nearest of `starts`, at the least; the nearest first."""
    away, edge = dict.fromkeys(starts, 0), list(starts)
    for near in edge:  # grows as it goes
        for node in sorted(heard_by[near] - away.keys()):
            away[node] = away[near] + 1
            edge.append(node)
    return away


def farthest(made: Layout) -> int:
    """How many transmissions the two islands that are farthest from each other need."""
    return max(distances(made.heard_by, one)[other] for one in made.islands for other in made.islands)

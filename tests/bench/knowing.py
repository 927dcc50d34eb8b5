"""Senders who know what everybody lacks without a word, and spread each record at once, under the same loss as islands."""

import random
import statistics
from collections.abc import Hashable

from radio.sim.air import Air, Delivered, Node, Sent
from radio.sim.topology import lay
from tests.bench.shapes import Layout, adjacency, distances

MAX_HOPS = 7  # of a Meshtastic packet
FLOODS = 32  # tried of each kind: what one costs and reaches is then known to a few hundredths
PAYLOAD_BYTES = 160  # of a usual record: how long a frame of a flood may collide


class Oracle:
    """Greedy: always the sender that serves most of those who lack the record. Plain nodes are as good as islands to it."""

    def __init__(self, made: Layout, loss: float, seed: int):
        self.adjacent, self.loss, self.rng = adjacency(made.pairs), loss, random.Random(f"oracle {seed}")
        self.bytes = 0
        self._holds: dict[Hashable, set[Node]] = {}  # record -> nodes
        self._pieces: dict[Hashable, dict[Node, int]] = {}  # record -> node -> pieces received

    def post(self, record: Hashable, node: Node, frames: list[int], on: set[Node]) -> None:
        """A record of so many bytes in each of its frames appears on one node, and is spread at once."""
        self.hold(record, {node})
        self._spread(record, frames, on)

    def hold(self, record: Hashable, nodes: set[Node]) -> None:
        """These nodes hold it from the start."""
        self._holds[record], self._pieces[record] = set(nodes), {}

    def settle(self, frames_by_record: dict[Hashable, list[int]], on: set[Node]) -> None:
        """Who is on has changed: spread everything that anybody lacks."""
        for record in self._holds:
            self._spread(record, frames_by_record[record], on)

    def _spread(self, record: Hashable, frames: list[int], on: set[Node]) -> None:
        holds, pieces = self._holds[record], self._pieces[record]
        while (best := self._best(holds, on)) is not None:
            count, reached = self._send(*best, holds, on)
            self.bytes += count * frames[0]
            for node in reached:
                pieces[node] = pieces.get(node, 0) + 1
            holds |= {node for node in reached if pieces[node] >= len(frames)}

    def _best(self, holds: set[Node], on: set[Node]) -> tuple[Node, int] | None:
        """Who sends next, and with how many hops; None if nobody serves anybody."""
        served = {(node, hops): self._served(node, hops, holds, on) for node in holds & on for hops in self._hops(node)}
        best = max(served, key=lambda one: (served[one], -one[0], -one[1]), default=None)
        return best if best and served[best] else None

    def _hops(self, node: Node) -> range:
        """The hop limits that a node may choose from."""
        return range(1)

    def _served(self, node: Node, hops: int, holds: set[Node], on: set[Node]) -> float:
        """How many of those who lack it that serves, of each time that it is on the air."""
        return (1 - self.loss) * len(self._near(node, holds, on))

    def _near(self, node: Node, holds: set[Node], on: set[Node]) -> set[Node]:
        return (self.adjacent[node] & on) - holds

    def _send(self, node: Node, hops: int, holds: set[Node], on: set[Node]) -> tuple[int, set[Node]]:
        """(How often it was on the air, who of those who lack it heard it)."""
        return 1, {other for other in sorted(self._near(node, holds, on)) if self.rng.random() >= self.loss}


class FairSender(Oracle):
    """The same among plain nodes, which hold nothing, but flood what they hear with hops left, as islands' radios do too.

    Greedy: always the sender and the hop limit that serve most islands for each time that the packet is on the air, relays'
    copies included. With hops sends only who hears a plain node: an island in between had better have the record first.
    So without plain nodes it is the oracle. What a flood costs and whom it reaches was tried on the simulated air.
    """

    def __init__(self, made: Layout, loss: float, seed: int):
        super().__init__(made, loss, seed)
        self.plain, self._floods = made.plain, Floods(made, loss, random.Random(f"floods {seed}"))
        away = {node: distances(self.adjacent, node) for node in made.islands}
        self._most = {node: min(max(away[node][other] for other in made.islands) - 1, MAX_HOPS) for node in made.islands}

    def _hops(self, node: Node) -> range:
        return range(1 + self._most[node] if self.adjacent[node] & self.plain else 1)

    def _served(self, node: Node, hops: int, holds: set[Node], on: set[Node]) -> float:
        if not hops:
            return super()._served(node, hops, holds, on)
        kind = self._floods.kind(node, hops, on)
        return sum(odds for other, odds in kind.odds.items() if other not in holds and other not in self.plain) / kind.count

    def _near(self, node: Node, holds: set[Node], on: set[Node]) -> set[Node]:
        return super()._near(node, holds, on) - self.plain

    def _send(self, node: Node, hops: int, holds: set[Node], on: set[Node]) -> tuple[int, set[Node]]:
        if not hops:
            return super()._send(node, hops, holds, on)
        count, reached = self.rng.choice(self._floods.kind(node, hops, on).tried)
        return count, reached - holds - self.plain


class FloodKind:
    """Some floods by one node with so many hops: each is (how often it was on the air, whom it reached)."""

    def __init__(self, tried: list[tuple[int, set[Node]]]):
        self.tried = tried
        self.count = statistics.fmean(count for count, _ in tried)
        ever = sorted(set().union(*(reached for _, reached in tried)))
        self.odds = {node: statistics.fmean(node in reached for _, reached in tried) for node in ever}


class Floods:
    """What floods cost and reach, by trying some on an air where nothing else happens: managed flooding as it is there."""

    def __init__(self, made: Layout, loss: float, rng: random.Random):
        self.made, self.loss, self.rng = made, loss, rng
        self._kinds: dict[tuple[Node, int, frozenset[Node]], FloodKind] = {}

    def kind(self, node: Node, hops: int, on: set[Node]) -> FloodKind:
        """Floods by `node` while these nodes are on."""
        key = node, hops, frozenset(on)
        if key not in self._kinds:
            self._kinds[key] = FloodKind([self._try(node, hops, on) for _ in range(FLOODS)])
        return self._kinds[key]

    def _try(self, node: Node, hops: int, on: set[Node]) -> tuple[int, set[Node]]:
        air = Air(self.rng)
        lay(air, [pair for pair in self.made.pairs if on.issuperset(pair)], self.loss, habits=self.made.habits)
        if node not in air:
            return 1, set()
        air.send(node, bytes(PAYLOAD_BYTES), 0.0, hops)
        happened = air.advance(3600.0)
        return sum(isinstance(one, Sent) for one in happened), {one.node for one in happened if isinstance(one, Delivered)}

"""Senders who know what everybody lacks without a word, and spread each record at once, under the same loss as islands."""

import random
import statistics
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass

from radio.sim.air import Air, Delivered, Node, Sent
from radio.sim.topology import lay
from tests.bench.shapes import Layout, distances

MAX_HOPS = 7  # of a Meshtastic packet
FLOODS = 64  # tried of each kind: the odds are then known to 6 hundredths (a standard deviation at most)
PAYLOAD_BYTES = 160  # of a usual record: how long a frame of a flood may collide


class Oracle:
    """Greedy: always the sender that serves most of those who lack the record and are islands, or lie on a shortest way to
    one: plain nodes are as good as islands to it, but it does not serve them for their own sake."""

    def __init__(self, made: Layout, loss: float, seed: int):
        self.heard_by, self.plain = made.heard_by, made.plain
        self.loss, self.rng = loss, random.Random(f"oracle {seed}")
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
        wanted = self._wanted(holds, on)
        served = {(node, hops): self._served(node, hops, wanted, on) for node in holds & on for hops in self._hops(node)}
        best = max(served, key=lambda one: (served[one], -one[0], -one[1]), default=None)
        return best if best and served[best] else None

    def _hops(self, node: Node) -> range:
        """The hop limits that a node may choose from."""
        return range(1)

    def _wanted(self, holds: set[Node], on: set[Node]) -> set[Node]:
        """Who should get it: islands, and plain nodes on the shortest ways to them."""
        wanted = on - holds - self.plain
        if not self.plain or not wanted:
            return wanted
        away = distances({node: self.heard_by[node] & on for node in on}, *sorted(holds & on))
        for node in reversed(away):
            if node in wanted:
                nearer = {near for near in away if away[near] == away[node] - 1}
                wanted |= {near for near in nearer - holds if node in self.heard_by[near]}
        return wanted

    def _served(self, node: Node, hops: int, wanted: set[Node], on: set[Node]) -> float:
        """How many of the wanted that serves, of each time that it is on the air."""
        return (1 - self.loss) * len(self.heard_by[node] & wanted)

    def _send(self, node: Node, hops: int, holds: set[Node], on: set[Node]) -> tuple[int, set[Node]]:
        """(How often it was on the air, who of those who lack it heard it)."""
        return 1, {other for other in sorted((self.heard_by[node] & on) - holds) if self.rng.random() >= self.loss}


class FairSender(Oracle):
    """The same among plain nodes, which hold nothing, but flood what they hear with hops left, as islands' radios do too.

    Greedy: always the sender and the hop limit that serve most islands for each time that the packet is on the air, relays'
    copies included. With hops sends only who hears a plain node: an island in between had better have the record first.
    So without plain nodes it is the oracle. What a flood costs and whom it reaches was tried on the simulated air.
    """

    def __init__(self, made: Layout, loss: float, seed: int):
        super().__init__(made, loss, seed)
        self._floods = Floods(made, loss, random.Random(f"floods {seed}"))
        away = {node: distances(self.heard_by, node) for node in made.islands}
        self._most = {node: min(max(away[node][other] for other in made.islands) - 1, MAX_HOPS) for node in made.islands}

    def _hops(self, node: Node) -> range:
        return range(1 + self._most[node] if self.heard_by[node] & self.plain else 1)

    def _wanted(self, holds: set[Node], on: set[Node]) -> set[Node]:
        return on - holds - self.plain

    def _served(self, node: Node, hops: int, wanted: set[Node], on: set[Node]) -> float:
        if not hops:
            return super()._served(node, hops, wanted, on)
        kind = self._floods.kind(node, hops, on)
        return sum(odds for other, odds in kind.odds.items() if other in wanted) / kind.count

    def _send(self, node: Node, hops: int, holds: set[Node], on: set[Node]) -> tuple[int, set[Node]]:
        if hops:
            count, reached = self._floods.one(node, hops, on)  # anew: the kind that did best was lucky, too
        else:
            count, reached = super()._send(node, hops, holds | self.plain, on)
        return count, reached - holds - self.plain


@dataclass(frozen=True)
class FloodKind:
    """Floods by one node with so many hops: how often the packet is on the air, and with what odds it reaches whom."""

    count: float
    odds: dict[Node, float]


class Floods:
    """What floods cost and reach, by trying some on an air where nothing else happens: managed flooding as it is there."""

    def __init__(self, made: Layout, loss: float, rng: random.Random):
        self.made, self.loss, self.rng = made, loss, rng
        self._kinds: dict[tuple[Node, int, frozenset[Node]], FloodKind] = {}

    def kind(self, node: Node, hops: int, on: set[Node]) -> FloodKind:
        """Floods by `node` while these nodes are on."""
        key = node, hops, frozenset(on)
        if key not in self._kinds:
            counts, reached = zip(*(self.one(node, hops, on) for _ in range(FLOODS)), strict=True)
            times = Counter(other for some in reached for other in sorted(some))
            self._kinds[key] = FloodKind(statistics.fmean(counts), {other: times[other] / FLOODS for other in times})
        return self._kinds[key]

    def one(self, node: Node, hops: int, on: set[Node]) -> tuple[int, set[Node]]:
        """(How often it was on the air, whom it reached)."""
        air = Air(self.rng)
        lay(air, self.made.pairs, self.loss, habits=self.made.habits)
        for other in set(range(self.made.nodes)) - on:
            air.switch(other, False, 0.0)
        for pair in self.made.deaf:
            air.deafen(*pair)
        air.send(node, bytes(PAYLOAD_BYTES), 0.0, hops)
        happened = air.advance(3600.0)
        return sum(isinstance(one, Sent) for one in happened), {one.node for one in happened if isinstance(one, Delivered)}

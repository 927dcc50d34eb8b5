"""What no protocol can beat: the lossless minimum, and a sender who knows what everybody lacks under the same loss."""

import math
import random
from collections.abc import Iterable, Iterator
from functools import cache

from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES, WHOLE_BYTES
from radio.lora import frame_bytes
from tests.bench.shapes import adjacency

LARGEST = 25  # nodes for which the exact minimum is looked for: some seconds


class _Search:
    """Branch and bound over sets of senders, as bits of whole numbers; `depth` is how many may still send."""

    def __init__(self, adjacent: dict[int, set[int]], wanted: Iterable[int]):
        self.heard = [sum(1 << other for other in adjacent[node]) for node in range(len(adjacent))]
        self.wanted = sum(1 << node for node in wanted)

    def suffices(self, depth: int, holds: int, never: int = 0) -> bool:
        """Whether `depth` more transmissions by others than `never` do."""
        lacking = self.wanted & ~holds
        if not lacking:
            return True
        if depth < max(self._apart(lacking, never), self._away(holds, lacking, never)):
            return False
        senders = [node for node in _bits(holds & ~never) if self.heard[node] & ~holds]
        for node in sorted(senders, key=lambda node: -(self.heard[node] & ~holds).bit_count()):
            never |= 1 << node
            if self.suffices(depth - 1, holds | self.heard[node], never):
                return True
        return False

    def _apart(self, lacking: int, never: int) -> int:
        """So many of those who lack it have nobody in common whom they hear."""
        count, taken = 0, 0
        for node in sorted(_bits(lacking), key=lambda node: (self.heard[node] & ~never).bit_count()):
            if not self.heard[node] & ~never & taken:
                taken |= self.heard[node] & ~never
                count += 1
        return count

    def _away(self, holds: int, lacking: int, never: int) -> float:
        """How many steps the farthest of them is away."""
        steps = 0
        while lacking & ~holds:
            more = holds
            for node in _bits(holds & ~never):
                more |= self.heard[node]
            if more == holds:
                return math.inf
            holds, steps = more, steps + 1
        return steps


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


@cache
def least_transmissions(pairs: tuple[tuple[int, int], ...], holders: frozenset[int], wanted: frozenset[int]) -> int | None:
    """How many transmissions take one packet from all `holders` to all `wanted` if nothing is lost; None: too many nodes.

    Any node may send, plain or not. Exact: the smallest set of senders that hangs together with the holders.
    """
    adjacent = adjacency(pairs)
    if len(adjacent) > LARGEST:
        return None
    search = _Search(adjacent, wanted)
    return next(depth for depth in range(len(adjacent)) if search.suffices(depth, sum(1 << node for node in holders)))


def frames_of(raw_bytes, max_payload, signs):
    """Bytes on the air of each frame of a record, alone in its packets and filled up where that is cheaper than signing."""
    room = max_payload - HEADER_BYTES
    if raw_bytes + WHOLE_BYTES <= room:
        sizes = [HEADER_BYTES + WHOLE_BYTES + raw_bytes]
    else:
        parts = -(-raw_bytes // (room - PIECE_BYTES))
        sizes = [HEADER_BYTES + PIECE_BYTES - (-raw_bytes // parts)] * parts
    return [min(frame_bytes(size, signs), frame_bytes(max(size, 166))) for size in sizes]


class Oracle:
    """Greedy: always the sender that serves most of those who lack the record, known to it without a word."""

    def __init__(self, pairs, loss, rng):
        self.adjacent, self.loss, self.rng = adjacency(pairs), loss, rng
        self.bytes = 0
        self._holds = {}  # record -> nodes
        self._pieces = {}  # record -> node -> pieces received

    def post(self, record, node, frames, on):
        """A record appears on one node, and is spread at once."""
        self.hold(record, {node})
        self._spread(record, frames, on)

    def hold(self, record, nodes):
        """These nodes hold it from the start."""
        self._holds[record], self._pieces[record] = set(nodes), {}

    def settle(self, frames_by_record, on):
        """Who is on has changed: spread everything that anybody lacks."""
        for record in self._holds:
            self._spread(record, frames_by_record[record], on)

    def _spread(self, record, frames, on):
        holds, pieces = self._holds[record], self._pieces[record]
        while True:
            served = {node: (self.adjacent[node] & on) - holds for node in holds & on}
            best = max(served, key=lambda node: (len(served[node]), -node), default=None)
            if best is None or not served[best]:
                return
            self.bytes += frames[0]
            for node in served[best]:
                if self.rng.random() >= self.loss:
                    pieces[node] = pieces.get(node, 0) + 1
            holds |= {node for node in served[best] if pieces.get(node, 0) >= len(frames)}


def oracle_rng(seed):
    """Losses of its own, from the same seed."""
    return random.Random(f"oracle {seed}")


def bounds(setup):
    """(lossless minimum, all-knowing sender), bytes on the air; None for a minimum that would take too long to find."""
    args = setup.args
    frames = {raw: frames_of(len(raw), args.max_payload, not args.unsigned) for raw in setup.records}
    starts = {raw: frozenset(node for node, raws in setup.held.items() if raw in raws) for raw in frames}
    oracle, on = Oracle(setup.pairs, args.loss, oracle_rng(setup.seed)), set(adjacency(setup.pairs)) - setup.asleep
    for raw in (raw for raw in frames if starts[raw]):
        oracle.hold(raw, starts[raw])
    oracle.settle(frames, on)
    for _, kind, node, what in setup.events:
        if not kind:
            on = on | {node} if what else on - {node}
            oracle.settle(frames, on)
        elif node in on:
            starts[what] = frozenset({node})
            oracle.post(what, node, frames[what], on)
    least = [(sum(frames[raw]), least_transmissions(tuple(setup.pairs), start, frozenset(setup.islands)))
             for raw, start in starts.items() if start]
    return None if any(count is None for _, count in least) else sum(size * count for size, count in least), oracle.bytes

"""What no protocol can beat: the lossless minimum, and a sender who knows what everybody lacks under the same loss."""

import itertools
import random

from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES, WHOLE_BYTES
from radio.lora import frame_bytes
from radio.sim.topology import connected


def adjacency(pairs):
    """node -> its neighbours."""
    adjacent = {}
    for one, other in pairs:
        adjacent.setdefault(one, set()).add(other)
        adjacent.setdefault(other, set()).add(one)
    return adjacent


def backbone(pairs):
    """The size of the smallest connected dominating set."""
    adjacent = adjacency(pairs)
    for size in range(1, len(adjacent) + 1):
        for chosen in itertools.combinations(adjacent, size):
            reached = set(chosen).union(*(adjacent[node] for node in chosen))
            if len(reached) == len(adjacent) and _hangs_together(chosen, adjacent):
                return size
    return 0


def _hangs_together(chosen, adjacent):
    place = {node: number for number, node in enumerate(chosen)}
    pairs = [(place[a], place[b]) for a in chosen for b in adjacent[a] if b in place]
    return connected(len(chosen), pairs)


def least_transmissions(pairs, holders):
    """How many transmissions take one packet from all `holders` to everybody, if nothing is lost."""
    adjacent = adjacency(pairs)
    states, count = {frozenset(holders)}, 0
    while not any(len(state) == len(adjacent) for state in states):
        states = {state | adjacent[node] for state in states for node in state if adjacent[node] - state}
        states = {state for state in states if not any(state < other for other in states)}
        count += 1
    return count


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
        self._holds[record], self._pieces[record] = {node}, {}
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

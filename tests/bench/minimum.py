"""The lossless minimum: the fewest transmissions that take one packet from those who hold it to all islands."""

import math
from collections.abc import Iterable, Iterator
from functools import cache

from tests.bench.shapes import Layout

LARGEST = 40  # nodes for which it is looked for: a tenth of a second, but ten for 49


class _Search:
    """Branch and bound over sets of senders, as bits of whole numbers; `depth` is how many may still send."""

    def __init__(self, heard_by: dict[int, set[int]], wanted: Iterable[int]):
        nodes = range(len(heard_by))
        self.heard_by = [sum(1 << other for other in heard_by[node]) for node in nodes]
        self.hears = [sum(1 << other for other in nodes if node in heard_by[other]) for node in nodes]
        self.wanted = sum(1 << node for node in wanted)

    def suffices(self, depth: int, holds: int, never: int = 0) -> bool:
        """Whether `depth` more transmissions by others than `never` do."""
        lacking = self.wanted & ~holds
        if not lacking:
            return True
        if depth < max(self._apart(lacking, never), self._away(holds, lacking, never)):
            return False
        senders = [node for node in _bits(holds & ~never) if self.heard_by[node] & ~holds]
        for node in sorted(senders, key=lambda node: -(self.heard_by[node] & ~holds).bit_count()):
            never |= 1 << node
            if self.suffices(depth - 1, holds | self.heard_by[node], never):
                return True
        return False

    def _apart(self, lacking: int, never: int) -> int:
        """So many of those who lack it have nobody in common whom they hear."""
        count, taken = 0, 0
        for node in sorted(_bits(lacking), key=lambda node: (self.hears[node] & ~never).bit_count()):
            if not self.hears[node] & ~never & taken:
                taken |= self.hears[node] & ~never
                count += 1
        return count

    def _away(self, holds: int, lacking: int, never: int) -> float:
        """How many steps the farthest of them is away."""
        steps = 0
        while lacking & ~holds:
            more = holds
            for node in _bits(holds & ~never):
                more |= self.heard_by[node]
            if more == holds:
                return math.inf
            holds, steps = more, steps + 1
        return steps


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


def least_transmissions(made: Layout, holders: frozenset[int]) -> int | None:
    """How many transmissions take one packet from all `holders` to all islands if nothing is lost; None: too many nodes.

    Any node may send, plain or not. Exact: the smallest set of senders that hangs together with the holders.
    """
    if made.nodes > LARGEST:
        return None
    return _least(tuple(frozenset(heard) for heard in made.heard_by.values()), holders, frozenset(made.islands))


@cache
def _least(heard_by: tuple[frozenset[int], ...], holders: frozenset[int], wanted: frozenset[int]) -> int:
    search = _Search(dict(enumerate(heard_by)), wanted)
    return next(depth for depth in range(len(heard_by)) if search.suffices(depth, sum(1 << node for node in holders)))

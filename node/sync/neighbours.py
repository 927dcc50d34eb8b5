"""Whom we hear, how well, and what we believe they hold. Bounded; addresses are hints, never identities."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from node.sync.packets import Have

MAX_NEIGHBOURS = 32
FIRST_LOSS = 0.2
LOSS_STEP = 0.1
MIN_LOSS, MAX_LOSS = 0.02, 0.9
MAX_GAP = 16  # a larger step in sequence numbers is a restart or a long silence, and tells nothing
FORGET_S = 12 * 3600


class View(Enum):
    """What we know of a neighbour's set, as of the last we heard."""

    UNKNOWN = "unknown"
    SAME = "same"
    KNOWN = "known"  # ours, less what it lacks, plus what it is ahead by
    FAR = "far"  # too different to tell, but for a filter it may have sent


@dataclass
class Neighbour:
    """One node heard. `hops`: the fewest plain relays its packets took. `quiet`: records sent to it since it was heard."""

    address: int
    heard_at: float
    hops: int = 0
    sequence: int | None = None
    loss: float = FIRST_LOSS
    around: frozenset[int] = frozenset()
    view: View = View.UNKNOWN
    ahead: dict[int, int] = field(default_factory=dict)  # element we lack -> its day
    have: Have | None = None
    quiet: int = 0

    def count(self, sequence: int) -> None:
        """Learn from a sequence number how much we miss of what it sends."""
        gap = (sequence - self.sequence) % 256 if self.sequence is not None else 0
        if 0 < gap <= MAX_GAP:
            for _ in range(gap - 1):
                self.loss += LOSS_STEP * (1 - self.loss)
            self.loss = min(max(self.loss * (1 - LOSS_STEP), MIN_LOSS), MAX_LOSS)
        self.sequence = sequence


class Neighbourhood:
    """The table of neighbours; the longest unheard gives way to a new one."""

    def __init__(self, address: int):
        self.address = address
        self._known: dict[int, Neighbour] = {}

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(list(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, address: int) -> Neighbour | None:
        """A neighbour by its address."""
        return self._known.get(address)

    def hear(self, address: int, sequence: int, hops: int, at: float) -> Neighbour:
        """Note a packet from a neighbour, known or new."""
        neighbour = self._known.pop(address, None) or Neighbour(address, at, hops)
        self._known[address] = neighbour
        if len(self._known) > MAX_NEIGHBOURS:
            del self._known[next(iter(self._known))]
        neighbour.count(sequence)
        neighbour.hops = min(hops, neighbour.hops)
        neighbour.heard_at, neighbour.quiet = at, 0
        return neighbour

    def forget(self, at: float) -> None:
        """Drop whoever was not heard for half a day."""
        self._known = {address: one for address, one in self._known.items() if one.heard_at > at - FORGET_S}

    def live(self) -> list[Neighbour]:
        """Whom our packets reach: directly or by plain relays only, and heard since the last few records meant for them."""
        direct = [one for one in self._known.values() if one.hops == 0 and one.quiet < self.patience(one)]
        listed = {address for one in direct for address in one.around}
        if any(not one.around for one in direct):  # its list will come, and tell who is behind it
            return direct
        return direct + [one for one in self._known.values()
                         if one.hops and one.address not in listed and one.quiet < self.patience(one)]

    def patience(self, neighbour: Neighbour) -> int:
        """How many records may go by without a word from a neighbour before we take it to be away."""
        return round(max(3, len(neighbour.around), len(self._known)) / (1 - neighbour.loss))

    def near(self, neighbour: Neighbour) -> list[Neighbour]:
        """Our live neighbours who hear `neighbour` as well."""
        return [one for one in self.live() if one.address in neighbour.around or neighbour.address in one.around]

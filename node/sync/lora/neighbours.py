"""Whom we hear, how well, and what we believe they hold. Bounded; addresses are hints, never identities."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from node.sync.lora.packets import MAX_NEIGHBOURS as MAX_LISTED
from node.sync.lora.packets import Have
from node.sync.lora.tuning import Tuning

SURE_HOPS = 2  # relays in a row of which lists tell for certain whether islands are among them (`_across`)
RELAY_HOPS = 3  # so many relays carry what we send on: the default of Meshtastic (docs/protocol.md, 5.4, hops)


class View(Enum):
    """What we know of a neighbour's set, as of the last we heard."""

    UNKNOWN = "unknown"
    SAME = "same"
    KNOWN = "known"  # ours, less what it lacks, plus what it is ahead by
    FAR = "far"  # too different to tell, but for a filter it may have sent


@dataclass
class Neighbour:
    """One node heard, `name` to the link. `hops`: the fewest plain relays its packets took. `quiet`: records sent to it
    since it was heard. `in_vain`: questions sent to it alone since it last answered one."""

    address: int
    heard_at: float
    tuning: Tuning = field(repr=False)
    hops: int = 0
    name: str = ""
    sequence: int | None = None
    loss: float = 0.0
    since_at: float = 0.0
    around: frozenset[int] = frozenset()
    told_at: float = float("-inf")  # when it last said whom it hears
    view: View = View.UNKNOWN
    gap: int = 0  # the difference that could not be told is at least so large
    ahead: dict[int, int] = field(default_factory=dict)  # element we lack -> its day
    have: Have | None = None
    quiet: float = 0.0
    in_vain: int = 0
    answered: bool = False  # it lacks much, and we told it what we hold: it should name whom it wants that from

    @property
    def direct(self) -> bool:
        """Whether a packet to it alone may reach it: some radios do not know each other's public keys."""
        return bool(self.name) and not self.hops and self.in_vain < self.tuning.max_in_vain

    def give_up_direct(self) -> None:
        """Our radio does not send to it alone."""
        self.in_vain = self.tuning.max_in_vain

    def holds_the_same(self) -> None:
        """Its set is ours."""
        self.view, self.have = View.SAME, None
        self.ahead.clear()

    def holds_besides(self, elements: Iterable[int], day: int) -> None:
        """It lacks what we know of, and holds these, salted by `day`, that we lack."""
        self.view, self.have = View.KNOWN, None
        self.ahead = dict.fromkeys(elements, day)

    def too_different(self, gap: int) -> None:
        """Its set differs by at least `gap` from ours; in what, a sketch could not tell."""
        self.view, self.gap = View.FAR, gap
        self.ahead.clear()

    def patience(self, heard_directly: int) -> int:
        """How many records may go by without a word from it before we take it to be away. In a crowd each speaks seldom."""
        tuning = self.tuning
        records = tuning.far_patience if self.hops else max(tuning.near_patience, len(self.around), heard_directly)
        return round(records / (1 - self.loss))

    def missed(self) -> None:
        """It missed something that we sent."""
        self.loss = min(self.loss + self.tuning.loss_step * (1 - self.loss), self.tuning.max_loss)

    def count(self, sequence: int) -> None:
        """Learn from a sequence number how much we miss of what it sends."""
        gap = (sequence - self.sequence) % 256 if self.sequence is not None else 0
        step = self.tuning.loss_step
        if 0 < gap <= self.tuning.max_sequence_gap:
            for _ in range(gap - 1):
                self.loss += step * (1 - self.loss)
            self.loss = min(max(self.loss * (1 - step), self.tuning.min_loss), self.tuning.max_loss)
        self.sequence = sequence


class Neighbourhood:
    """The table of neighbours; the longest unheard gives way to a new one."""

    def __init__(self, address: int, tuning: Tuning):
        self.address, self._tuning = address, tuning
        self._known: dict[int, Neighbour] = {}
        self._tied: dict[tuple[int, ...], set[int]] = {}  # by direct neighbours: what `_within_reach` found

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(list(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, address: int) -> Neighbour | None:
        """A neighbour by its address."""
        return self._known.get(address)

    def hear(self, address: int, sequence: int, hops: int, at: float, name: str = "") -> Neighbour:
        """Note a packet from a neighbour, known or new. `name`: what the link calls it."""
        neighbour = self._known.pop(address, None) or Neighbour(
            address, at, self._tuning, hops, loss=self._tuning.first_loss, since_at=at)
        self._known[address] = neighbour
        if len(self._known) > self._tuning.max_neighbours:
            del self._known[next(iter(self._known))]
        if neighbour.heard_at == neighbour.since_at == at:
            self._tied.clear()
        if neighbour.in_vain and neighbour.quiet >= neighbour.patience(self._heard_directly()):
            neighbour.in_vain = 0  # it was away
        neighbour.count(sequence)
        neighbour.name = name
        neighbour.hops = min(hops, neighbour.hops)
        neighbour.heard_at, neighbour.quiet = at, 0
        return neighbour

    def listed(self, neighbour: Neighbour, addresses: Iterable[int], at: float) -> None:
        """A neighbour told whom it hears."""
        neighbour.around, neighbour.told_at = frozenset(addresses) - {neighbour.address}, at
        self._tied.clear()

    def forget(self, at: float) -> None:
        """Drop whoever was not heard for long."""
        self._tied.clear()
        since_at = at - self._tuning.forget_neighbour_s
        self._known = {address: one for address, one in self._known.items() if one.heard_at > since_at}

    def live(self) -> list[Neighbour]:
        """Whom our packets reach: directly, or by plain relays only; and heard since the last few records for them."""
        heard_directly = self._heard_directly()
        there = [one for one in self._known.values() if one.quiet < one.patience(heard_directly)]
        direct = [one for one in there if one.hops == 0]
        return direct + [one for one in there if one.hops and self._across(one, direct)]

    def _across(self, far: Neighbour, direct: list[Neighbour]) -> bool:
        """Whether no island carries packets between it and us, as far as the lists tell that islands send.

        Of two relays in a row, were they islands, the second would be in the first one's list and in the list of `far`. Of
        three the middle one may be unknown, unless we know the lists of all whom our neighbours hear, or `far` hears none.
        """
        if not direct:
            return True
        if far.hops > RELAY_HOPS or far.told_at < far.since_at or any(one.told_at < far.since_at for one in direct):
            return False
        if far.hops > SURE_HOPS and not self._sure_of(far, direct):
            return False
        return far.address not in self._within_reach(direct)

    def _sure_of(self, far: Neighbour, direct: list[Neighbour]) -> bool:
        """Whether all who may be the second of three relays have told whom they hear, and it was heard before."""
        if far.heard_at < far.since_at + self._tuning.introduced_s:
            return False  # its introduction, and islands on the way may not have told yet
        if far.heard_at >= far.since_at + self._tuning.long_ago_s:
            return True  # they would have
        listed = frozenset[int]().union(*(one.around for one in direct)) - {self.address}
        return not far.around or all(address in self._known and self._known[address].told_at >= 0 for address in listed)

    def _within_reach(self, direct: list[Neighbour]) -> set[int]:
        """Whoever is tied to us by islands that hear each other; a full list may leave some out, and ties all."""
        key = tuple(one.address for one in direct)
        if key not in self._tied:
            self._tied[key] = self._spread(direct)
        return self._tied[key]

    def _spread(self, direct: list[Neighbour]) -> set[int]:
        reached = {self.address} | {one.address for one in direct}
        grown = True
        while grown:
            more = set(reached)
            for one in self._known.values():
                if one.address in more or one.around & more or len(one.around) >= MAX_LISTED:
                    more |= one.around | {one.address}
            grown, reached = more > reached, more
        return reached

    def _heard_directly(self) -> int:
        return sum(one.hops == 0 for one in self._known.values())

    def shared_with(self, neighbour: Neighbour) -> list[Neighbour]:
        """Our live neighbours who hear `neighbour` as well."""
        return [one for one in self.live() if one.address in neighbour.around or neighbour.address in one.around]

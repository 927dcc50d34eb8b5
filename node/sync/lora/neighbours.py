"""Whom we hear, how well, and what we believe they hold. Bounded; addresses are hints, never identities."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from node.sync.lora.packets import MAX_NEIGHBOURS as MAX_LISTED
from node.sync.lora.packets import Have
from node.sync.lora.tuning import Tuning

SURE_HOPS = 2  # relays in a row of which lists tell for certain whether islands are among them (`_untold_across`)
RELAY_HOPS = 3  # so many relays carry what goes to who knows whom: the default of Meshtastic (docs/protocol.md, 5.4, hops)
MOST_HOPS = 7  # farther than that nobody is looked for: each relay more is heard by all around it
EXPLORE_HOPS = 5  # and who is unknown is looked for so far
MAX_RELAYS = 8
RELAY_NAME = 2  # so many characters of a name tell a relay (`radio.link.Received.relay`)


class Allowance(Protocol):
    """What anybody here may use of the air at once, and what an hour brings back of it, in seconds."""

    @property
    def savings_s(self) -> float:
        """Above."""

    @property
    def refill_s(self) -> float:
        """Above."""


class View(Enum):
    """What we know of a neighbour's set, as of the last we heard."""

    UNKNOWN = "unknown"
    SAME = "same"
    KNOWN = "known"  # ours, less what it lacks, plus what it is ahead by
    FAR = "far"  # too different to tell, but for a filter it may have sent


@dataclass(frozen=True, slots=True)
class Passage:
    """How a packet came: passed on by `hops` nodes, last by `relay` ("" if that is not told); `left` more might have."""

    hops: int = 0
    left: int = 0
    relay: str = ""


@dataclass
class Neighbour:
    """One node heard, `name` to the link. `hops`: the fewest relays its packets took; `relays`: who sent us copies of them,
    and the fewest by each. `quiet`: records sent to it since it was heard. `in_vain`: questions sent to it alone since it
    last answered one. `begs`: questions to us in a row that we left to islands between."""

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
    compared_at: float = float("-inf")  # when what it said of its set could last be told apart from ours
    gap: int = 0  # the difference that could not be told is at least so large
    ahead: dict[int, int] = field(default_factory=dict)  # element we lack -> its day
    have: Have | None = None
    quiet: float = 0.0
    in_vain: int = 0
    relays: dict[str, int] = field(default_factory=dict)
    begs: int = 0
    tries: float = 0.0
    air_s: float = 0.0  # the air that it used and has not got back, at `air_at`
    air_at: float = 0.0
    strict: bool = False  # it says that its radio hears only what is signed
    unsigned_in_vain: int = 0  # so many packets in a row that our radio did not sign brought it nothing
    signed_until: float = float("-inf")  # so long it gets what our radio signs
    answered: bool = False  # it lacks much, and we told it what we hold: it should name whom it wants that from

    @property
    def direct(self) -> bool:
        """Whether a packet to it alone may reach it: some radios do not know each other's public keys."""
        return bool(self.name) and self.in_vain < self.tuning.max_in_vain

    def give_up_direct(self) -> None:
        """Our radio does not send to it alone."""
        self.in_vain = self.tuning.max_in_vain

    def needs_signed(self, at: float) -> bool:
        """Whether it hears only what our radio signs: it says so, or nothing else arrives."""
        return self.strict or at < self.signed_until

    def unsigned_missed(self, packets: int, at: float) -> bool:
        """It lacks what we sent in so many packets that our radio did not sign; whether it gets signed ones from now on."""
        self.unsigned_in_vain += packets
        most = self.tuning.max_unsigned_in_vain * (2 + self.hops) // 2  # of what goes by relays more is lost anyway
        if self.unsigned_in_vain < most or self.needs_signed(at):
            return False
        self.signed_until = at + self.tuning.signed_s
        self.unsigned_in_vain = most - 1  # the next try then is one packet
        return True

    def used(self, airtime_s: float, at: float, refill_s: float) -> None:
        """It sent for so long, and more that we missed. `refill_s`: what an hour brings back of it."""
        self.air_s = self._owed_s(at, refill_s) + airtime_s / (1 - self.loss)
        self.air_at = at

    def tired(self, at: float, allowance: Allowance) -> bool:
        """Whether it has most likely used up what it had saved: its silence tells nothing."""
        return self.fresh(at, allowance) < 1 - self.tuning.tired

    def fresh(self, at: float, allowance: Allowance) -> float:
        """Which part of what it may use at once is left to it."""
        return max(1 - self._owed_s(at, allowance.refill_s) / allowance.savings_s, 0.0)

    def _owed_s(self, at: float, refill_s: float) -> float:
        return max(self.air_s - (at - self.air_at) / 3600 * refill_s, 0.0)

    def holds_the_same(self) -> None:
        """Its set is ours."""
        self.view, self.have = View.SAME, None
        self.ahead.clear()

    def holds_besides(self, elements: Iterable[int], day: int) -> None:
        """It lacks what we know of, and holds these, salted by `day`, that we lack."""
        self.view, self.have = View.KNOWN, None
        self.ahead = dict.fromkeys(elements, day)

    def too_different(self, gap: int, ahead: bool = False) -> None:
        """Its set differs by at least `gap` from ours; in what, a sketch could not tell. `ahead`: what we know that it
        holds besides it holds still."""
        self.view, self.gap = View.FAR, gap
        if not ahead:
            self.ahead.clear()

    def patience(self, heard_directly: int) -> int:
        """How many records may go by without a word from it before we take it to be away. In a crowd each speaks seldom."""
        tuning = self.tuning
        records = tuning.far_patience if self.hops else max(tuning.near_patience, len(self.around), heard_directly)
        return round(records / (1 - self.loss))

    @property
    def reach_hops(self) -> int:
        """How many relays are to carry to it what is for it: as many as it is away, and more when that was in vain."""
        if not self.hops:
            return 0
        spare = self.tries / self.tuning.far_tries
        return min(self.hops + min(int(spare if self.hops > 1 else spare / 4), 2), MOST_HOPS)

    def came(self, way: Passage, sequence: int, evening: bool = False) -> None:
        """Learn from a packet how far it is, and how much of what it sends we miss. `evening`: our first hour."""
        if way.hops:
            self.relays[way.relay] = min(way.hops, self.relays.get(way.relay, way.hops))
            if len(self.relays) > MAX_RELAYS:
                del self.relays[next(iter(self.relays))]
        far, self.hops = self.hops > 0, min(way.hops, self.hops)
        if self.hops:  # most of what it sends is not meant to go so far
            self.loss, self.sequence = self.tuning.evening_far_loss if evening else self.far_loss(), sequence
        elif far:  # what was reckoned of relays says nothing of this path
            self.loss, self.sequence = self.tuning.first_loss, sequence
        else:
            self.count(sequence)

    def far_loss(self) -> float:
        """What is lost, behind relays, of its packets and of ours, as far as that can be reckoned."""
        return min(1 - (1 - self.tuning.first_loss) ** (self.hops + 1), self.tuning.max_far_loss)

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

    def __init__(self, address: int, savings: Allowance, tuning: Tuning):
        self.address, self._savings, self._tuning = address, savings, tuning
        self._known: dict[int, Neighbour] = {}
        self.evening_until = float("-inf")  # the first hour of an island that began with hardly anything
        self._tied: dict[tuple[int, ...], set[int]] = {}  # by direct neighbours: what `_within_reach` found

    def __iter__(self) -> Iterator[Neighbour]:
        return iter(list(self._known.values()))

    def __len__(self) -> int:
        return len(self._known)

    def get(self, address: int) -> Neighbour | None:
        """A neighbour by its address."""
        return self._known.get(address)

    def hear(self, address: int, sequence: int, way: Passage, at: float, name: str = "") -> Neighbour:
        """Note a packet from a neighbour, known or new. `name`: what the link calls it."""
        neighbour = self._known.pop(address, None) or Neighbour(
            address, at, self._tuning, way.hops, loss=self._tuning.first_loss, since_at=at)
        self._known[address] = neighbour
        if len(self._known) > self._tuning.max_neighbours:
            del self._known[next(iter(self._known))]
        if neighbour.heard_at == neighbour.since_at == at:
            self._tied.clear()
        if neighbour.in_vain and neighbour.quiet >= neighbour.patience(self._heard_directly()):
            neighbour.in_vain = 0  # it was away
        neighbour.came(way, sequence, self.is_evening(at))
        neighbour.name = name
        neighbour.heard_at, neighbour.quiet = at, 0
        neighbour.tries = max(neighbour.tries - self._tuning.far_tries / 8, 0)
        return neighbour

    def is_evening(self, at: float) -> bool:
        """Whether this is our first evening still."""
        return at < self.evening_until

    def end_evening(self, at: float) -> None:
        """Reckon as usual again once our first evening is over, also of who has said nothing since."""
        if at >= self.evening_until > float("-inf"):
            self.evening_until = float("-inf")
            for one in self._known.values():
                one.loss = one.far_loss() if one.hops else one.loss

    def tired(self, one: Neighbour, at: float) -> bool:
        """See `Neighbour.tired`: what we may save it may, too."""
        return one.tired(at, self._savings)

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
        there = self._there()
        direct = [one for one in there if one.hops == 0]
        return direct + self._nearest([one for one in there if one.hops and self._across(one, direct)])

    def lost(self) -> list[Neighbour]:
        """Whom only plain relays carry to us, and who has been silent while records went out for it."""
        direct = [one for one in self._there() if one.hops == 0]
        heard_directly = self._heard_directly()
        return [one for one in self._known.values()
                if one.hops and one.quiet >= one.patience(heard_directly) and self._across(one, direct)]

    def _there(self) -> list[Neighbour]:
        """Who is not taken to be away."""
        heard_directly = self._heard_directly()
        return [one for one in self._known.values() if one.quiet < one.patience(heard_directly)]

    def _across(self, far: Neighbour, direct: list[Neighbour]) -> bool:
        """Whether no island carries packets between it and us: a plain relay brought us its packets by the shortest way,
        and no chain of islands that hear each other is known to tie it to us."""
        if not direct:
            return True
        if far.address in self._within_reach(direct):
            return False
        if "" in far.relays or not far.relays:
            return self._untold_across(far, direct)
        islands = {one.name[-RELAY_NAME:] for one in direct}
        by_islands = min((hops for relay, hops in far.relays.items() if relay in islands), default=MOST_HOPS + 1)
        return min((hops for relay, hops in far.relays.items() if relay not in islands), default=by_islands) < by_islands

    def _untold_across(self, far: Neighbour, direct: list[Neighbour]) -> bool:
        """The same where the relays' firmware does not say who sent a copy: by lists alone.

        Of two relays in a row, were they islands, the second would be in the first one's list and in the list of `far`. Of
        three the middle one may be unknown, unless we know the lists of all whom our neighbours hear, or `far` hears none.
        """
        if far.told_at < far.since_at or any(one.told_at < far.since_at for one in direct):
            return False
        return far.hops <= SURE_HOPS or (far.hops <= RELAY_HOPS and self._sure_of(far, direct))

    def _nearest(self, across: list[Neighbour]) -> list[Neighbour]:
        """Those to serve of who is behind plain relays: of islands that are tied together the nearest passes it on, and who
        is two relays farther away than another is left to that one; but whoever asked us again and again is served."""
        least = min((one.hops for one in across), default=0)
        return [one for one in across if one.begs >= self._tuning.max_begs
                or (one.hops < least + 2 and not self._tied_to_nearer(one, across))]

    def _tied_to_nearer(self, one: Neighbour, across: list[Neighbour]) -> bool:
        return any(other.hops < one.hops and other.address in self._tied_with(one) for other in across)

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

    def _tied_with(self, far: Neighbour) -> set[int]:
        """Whom islands tie to `far` without us, as far as their lists tell."""
        key = (self.address, far.address)
        if key not in self._tied:
            reached, grown = {far.address}, True
            while grown:
                more = set(reached)
                for one in self._known.values():
                    if one.hops and (one.address in more or one.around & more):
                        more |= (one.around | {one.address}) - {self.address}
                grown, reached = more > reached, more
            self._tied[key] = reached
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

    def reached(self, sender: Neighbour, way: Passage) -> list[Neighbour]:
        """Our live neighbours who may have received what came from `sender` so: they hear it, or relays carried it."""
        hearers = self.shared_with(sender)
        return [one for one in self.live() if one is not sender and (one in hearers or self._flooded(one, sender, way))]

    def _flooded(self, one: Neighbour, sender: Neighbour, way: Passage) -> bool:
        """Whether relays, our own radio among them, carried to `one` what came from `sender` this way."""
        if not one.hops:
            return way.left > 0
        if sender.hops and one.address in self._tied_with(sender):
            return True
        if way.hops and way.relay in one.relays:  # the relay that served us serves it too
            return way.left >= one.relays[way.relay] - 1
        return way.left >= one.hops + (way.hops > 0)

    def shared_with(self, neighbour: Neighbour) -> list[Neighbour]:
        """Our live neighbours who hear `neighbour` as well."""
        return [one for one in self.live() if one.address in neighbour.around or neighbour.address in one.around]

"""Pending transmissions: records that somebody near us may lack, and whether it is worth our airtime to send them.

Rumour mongering (Demers and others, 1987), with a reckoned end instead of a tossed coin.

For each such record and neighbour we keep how many pieces it may miss, and how many were sent within its hearing since we
last knew. From that, and from how much we lose of what that neighbour sends, comes the probability that it lacks the
record; their sum is what one transmission gains, and that alone decides.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from node.sync.codes.erasure import MAX_PARTS, MAX_PIECES
from node.sync.lora.fairness import Claim, Fairness
from node.sync.lora.neighbours import Neighbour, Neighbourhood, Passage
from node.sync.lora.tuning import Timing, Tuning

TRUST, URGENT, CONFIRMING, EVENT, NEW, REPAIR = range(6)  # precedence


@dataclass(frozen=True, order=True)
class Rank:
    """In which order records are sent: by precedence, then by moment, then by chance, each island another way."""

    precedence: int
    moment_min: int
    chance: int


@dataclass
class Reach:
    """What we believe of one neighbour and one record: it missed `missing` pieces when `sent` was 0."""

    missing: int
    sent: int = 0
    unsigned: int = 0  # of those sent: in packets that our radio did not sign
    told: bool = False  # it said so itself, and nothing since
    via: bool = False  # the relay that serves it was heard to send the record: only the last step may have failed
    silent: int = 0  # how often we expected to have heard it pass the record on, and had not
    helpers: int = 0  # nodes that we may not hear, and that are likely to hold the record and to serve this neighbour

    def lacks(self, loss: float, tuning: Tuning) -> float:
        """The probability that it lacks the record still."""
        return self._after_silence(self._lacked(loss, tuning), loss, tuning)

    def served(self, loss: float, tuning: Tuning) -> float:
        """The probability that one more transmission serves it, and that nothing but our sending will.

        Who was sent enough but got only a part, or has asked before, asks for the rest itself, in fewer bytes; where the
        question and our answer are hardly likely to arrive both, we do not wait for it.
        """
        lacks = self._lacked(loss, tuning)
        if lacks and self.sent >= self.missing:
            knows = lacks if self.told else lacks - loss**self.sent * (1 - tuning.help) ** self.helpers
            lacks -= knows * (1 - loss) ** 2
        return self._after_silence(lacks, loss, tuning)

    def _lacked(self, loss: float, tuning: Tuning) -> float:
        """The probability before we listened."""
        if self.missing <= 0:
            return 0.0
        loss = min(loss, tuning.first_loss) if self.via else loss
        hears, most = 1 - loss, min(self.missing - 1, self.sent)
        lacks = sum(math.comb(self.sent, n) * hears**n * loss ** (self.sent - n) for n in range(most + 1))
        return lacks * (1 - tuning.help) ** self.helpers

    def _after_silence(self, lacks: float, loss: float, tuning: Tuning) -> float:
        """The probability, after we did not hear it pass the record on: our loss, or it waits for airtime (Bayes)."""
        if not self.silent:
            return lacks
        return lacks / (lacks + (1 - lacks) * (loss**self.missing + tuning.late**self.silent))


@dataclass
class Transmission:
    """One record under way. `due_at`: when to send it if nothing changes; `check_at`: when silence begins to tell."""

    id: bytes
    author: bytes
    parts: int
    rank: Rank
    fresh: bool
    reaches: dict[int, Reach] = field(default_factory=dict)
    due_at: float | None = None
    check_at: float | None = None
    own: bool = False
    sent: int = 0
    next_piece: int = 0
    rivals: int = 0  # who else may send it to those near us

    def recut(self, parts: int) -> None:
        """Go on with another number of pieces: those of different cuts do not mix."""
        if parts != self.parts:
            self.parts, self.sent = parts, 0
            self.reaches = {address: Reach(parts if reach.missing else 0) for address, reach in self.reaches.items()}

    def piece_after(self, ahead: int) -> int:
        """Which piece to send next, or after `ahead` more; after the last one, parity begins again."""
        index = self.next_piece + ahead
        return index if index < MAX_PIECES else MAX_PARTS + index - MAX_PIECES

    def wanted(self) -> int:
        """How many more pieces somebody lacks, if what was sent arrives."""
        return max((reach.missing - reach.sent for reach in self.reaches.values()), default=0)

    @property
    def urgent(self) -> bool:
        """Whether it may use what is kept for what matters most."""
        return self.rank.precedence <= URGENT


@dataclass(frozen=True, slots=True)
class _Pushes:
    """How often a neighbour was sent a record, and until when it gets it no more."""

    times: int = 0
    until_at: float = 0.0


class PendingTransmissions:
    """All records under way; when there are too many, what ranks last of the author who has most of them gives way."""

    def __init__(self, neighbours: Neighbourhood, timing: Timing):
        self._neighbours, self._timing, self._tuning = neighbours, timing, timing.tuning
        self.fairness = Fairness(timing.tuning)
        self._all: dict[bytes, Transmission] = {}
        self._pushes: dict[tuple[int, bytes], _Pushes] = {}  # by neighbour and record

    def get(self, id_: bytes) -> Transmission | None:
        """The transmission of a record."""
        return self._all.get(id_)

    def __iter__(self) -> Iterator[Transmission]:
        return iter(list(self._all.values()))

    def start(self, pending: Transmission) -> Transmission:
        """Take up a transmission; one at most is dropped for it."""
        self._all[pending.id] = pending
        if len(self._all) > self._tuning.max_transmissions:
            counts = Counter(one.author for one in self._all.values())
            del self._all[max(self._all.values(), key=lambda one: (counts[one.author], one.author, one.rank)).id]
        return pending

    def drop(self, id_: bytes) -> None:
        """The record left the set."""
        self._all.pop(id_, None)

    def gain(self, pending: Transmission) -> float:
        """How many live neighbours one more transmission serves, as far as we can tell."""
        return self._near_gain(pending) + self._far_gain(pending)

    def _near_gain(self, pending: Transmission) -> float:
        return sum(self._served(pending, one) for one in self._neighbours.live() if not one.hops)

    def _far_gain(self, pending: Transmission) -> float:
        """What those behind relays gain: relays repeat what goes far, so it must be worth several transmissions, or asked
        for."""
        far = [one for one in self._neighbours.live() if one.hops and one.address in pending.reaches]
        gain = sum(self._served(pending, one) for one in far)
        if any(pending.reaches[one.address].told and pending.reaches[one.address].missing for one in far):
            return gain
        return gain if gain >= self._tuning.far_threshold else 0.0

    def _served(self, pending: Transmission, one: Neighbour) -> float:
        reach = pending.reaches.get(one.address)
        return reach.served(one.loss, self._tuning) if reach is not None else 0.0

    def distance(self, pending: Transmission) -> int:
        """How many relays are to carry it: as many as those need who make it worth that, and no more for who is beyond."""
        if not self._far_gain(pending):
            return 0
        far = [one for one in self._neighbours.live()
               if one.hops and one.address in pending.reaches and pending.reaches[one.address].missing]
        told = [one.reach_hops for one in far if pending.reaches[one.address].told]
        gain = 0.0
        for one in sorted(far, key=lambda one: one.hops):
            gain += self._served(pending, one)
            if gain >= self._tuning.far_threshold:
                return max([one.reach_hops, *told])
        return max((one.reach_hops for one in far), default=0)

    def worthwhile(self, pending: Transmission) -> bool:
        """Whether sending it is worth our airtime; what was posted here goes out once, even if we know of nobody."""
        if pending.own and pending.sent < pending.parts:
            return True
        return self.gain(pending) >= (self._tuning.urgent_threshold if pending.urgent else self._tuning.threshold)

    def plan(self, pending: Transmission, at: float, delay_s: float | None = None) -> None:
        """Decide whether and when to send: sooner the more it serves, at random among those who could."""
        if not self.worthwhile(pending):
            pending.due_at = None
            pending.check_at = pending.check_at or at + self._tuning.listen_t * self._timing.unit_s
            return
        if delay_s is None:
            tuning = self._tuning
            leave_t = tuning.relay_least_t + tuning.leave_t * max(1 - self._ours_alone(pending), 0.0)
            spread_t = max(tuning.spread_t, tuning.rival_t * pending.rivals) + tuning.hidden_t * self._hidden(pending)
            delay_s = self._timing.unit_s * (leave_t + self._timing.rng.uniform(0, spread_t))
        pending.due_at = at + delay_s

    def _hidden(self, pending: Transmission) -> int:
        """How many who may send the same we shall not hear begin: relays serve them as they serve us."""
        known = (pending.reaches.get(one.address) for one in self._neighbours.live() if one.hops)
        return sum(reach is not None and (reach.via or not reach.missing) for reach in known)

    def _ours_alone(self, pending: Transmission) -> float:
        """What we gain, where each neighbour counts less the more others near it may serve it as well."""
        return sum(self._served(pending, one) / (1 + pending.reaches[one.address].helpers)
                   for one in self._neighbours.live() if one.address in pending.reaches)

    def seek_helpers(self, pending: Transmission) -> None:
        """Who else may serve each neighbour: those who heard a holder that we heard, and whom it hears."""
        live = self._neighbours.live()
        holders = {one.address for one in live if not pending.reaches.get(one.address, Reach(1)).missing}
        likely = holders.union(*(one.around for one in live if one.address in holders)) - {self._neighbours.address}
        pending.rivals = len(likely)
        for one in live:
            if one.address in pending.reaches:
                pending.reaches[one.address].helpers = len((one.around & likely) - {one.address} - holders)

    def has(self, address: int, id_: bytes) -> None:
        """A neighbour holds this record for certain."""
        pending = self._all.get(id_)
        if pending is not None:
            self._came(address, pending)
            if pending.due_at is not None and not self.worthwhile(pending):
                pending.due_at = None

    def told_by(self, address: int) -> list[bytes]:
        """What a neighbour said it lacks, and was not heard to hold since."""
        reaches = ((one.id, one.reaches.get(address)) for one in self._all.values())
        return [id_ for id_, reach in reaches if reach is not None and reach.told and reach.missing]

    def lacks(self, one: Neighbour, pending: Transmission, missing: int, at: float) -> bool:
        """A neighbour lacks this record for certain; whether that is news. Who never takes it is left alone for a while."""
        if at < self._pushes.get((one.address, pending.id), _Pushes()).until_at:
            return False
        before = pending.reaches.get(one.address)
        if before and before.missing and missing == pending.parts:  # it says that it lacks the record, not how many pieces
            if before.sent >= before.missing:
                one.missed()
                self._missed_unsigned(one, before, at)
            missing = max(before.missing - before.sent, 1)
        pending.reaches[one.address] = Reach(missing, told=True)
        return True

    def overheard(self, sender: Neighbour, id_: bytes, way: Passage, at: float) -> None:
        """Somebody sent the record, or a piece of it: those who hear the sender, or the relays, may have it now."""
        pending = self._all.get(id_)
        if pending is None:
            return
        self._came(sender.address, pending)
        for one in self._neighbours.reached(sender, way):
            if one.address in pending.reaches:
                pending.reaches[one.address].sent += 1
                pending.reaches[one.address].via |= way.hops > 0 and way.relay in one.relays
        if pending.due_at is not None:
            self.plan(pending, at)

    def _came(self, address: int, pending: Transmission) -> None:
        """A neighbour has it, most likely from us: if our radio signed nothing of it, that was heard all the same."""
        before, one = pending.reaches.get(address), self._neighbours.get(address)
        if one and before and before.missing and before.unsigned == before.sent > 0:
            one.unsigned_in_vain = 0
        pending.reaches[address] = Reach(0)

    def _missed_unsigned(self, one: Neighbour, before: Reach, at: float) -> None:
        """A neighbour did not get what we sent; if that may be as our radio did not sign it, it is sent anew at once."""
        if before.unsigned == before.sent and one.unsigned_missed(before.sent, at):
            self._pushes = {key: pushes for key, pushes in self._pushes.items() if key[0] != one.address}

    def sent(self, id_: bytes, hop_limit: int, at: float, unsigned: bool = False) -> None:
        """We sent a piece of it, so far: go on while that is worthwhile, then listen. `unsigned`: by our radio."""
        pending = self._all.get(id_)
        if pending is None:
            return
        pending.sent += 1
        self.fairness.meet(pending.author, at, 1)
        pending.next_piece = pending.piece_after(1)
        for one in self._neighbours:
            reach = pending.reaches.get(one.address)
            if reach is not None and reach.missing and one.hops <= hop_limit:
                reach.sent += 1
                reach.unsigned += unsigned
                self._note_push(one, pending, at)
        pending.check_at = at + self._tuning.listen_t * self._timing.unit_s
        batch = pending.sent % pending.parts
        if batch or self._near_gain(pending) >= self._tuning.onward:
            self.plan(pending, at, 0.0)
        elif pending.fresh or self.waiting() <= self._tuning.few_due:
            self.plan(pending, at, self._tuning.listen_t * self._timing.unit_s)
        else:
            pending.due_at = pending.check_at = None  # one of many: its receiver tells at the end which ones it still lacks

    def waiting(self) -> int:
        """How many records are to be sent."""
        return sum(one.due_at is not None for one in self._all.values())

    def _note_push(self, one: Neighbour, pending: Transmission, at: float) -> None:
        if pending.sent % pending.parts:
            return
        evening = self._neighbours.is_evening(at)
        there = evening and at < one.heard_at + self._tuning.there_s
        if not there and not self._neighbours.tired(one, at):  # or its silence would tell nothing
            one.quiet += 1 if pending.fresh else self._tuning.bulk_quiet
        times, tuning = self._pushes.pop((one.address, pending.id), _Pushes()).times + 1, self._tuning
        beyond = times - round(tuning.patient_pushes / (1 - tuning.evening_far_loss if evening and one.hops else 1))
        hold_s = tuning.push_hold_s * 2 ** min(beyond, 10) if beyond >= 0 else 0.0
        self._pushes[one.address, pending.id] = _Pushes(times, at + min(hold_s, tuning.max_push_hold_s))
        if len(self._pushes) > self._tuning.max_pushes:
            del self._pushes[next(iter(self._pushes))]

    def check(self, at: float) -> None:
        """Take note of whom we did not hear pass a record on, though it should have."""
        for pending in self:
            if pending.check_at is None or pending.check_at > at:
                continue
            pending.check_at = at + self._tuning.review_t * self._timing.unit_s
            for one in self._neighbours.live():
                reach = pending.reaches.get(one.address)
                if reach is not None and reach.missing and self._would_relay(one, pending):
                    reach.silent += not self._neighbours.tired(one, at)
            if pending.due_at is None:
                self.plan(pending, at)

    def _would_relay(self, one: Neighbour, pending: Transmission) -> bool:
        """Whether a neighbour that has the record must serve others that nobody else near us can serve."""
        ours = {near.address for near in self._neighbours} | {self._neighbours.address}
        others = ours.union(*(near.around for near in self._neighbours if near is not one))
        return pending.fresh and bool(one.around - others)

    def due(self, at: float, most: Claim) -> list[tuple[Transmission, Claim]]:
        """What is to be sent now: first what was begun (receivers have room for few unfinished ones), then by rank.

        Of authors who crowd the air last; with no weaker claim than `most`.
        """
        return self._planned(at, at, most)

    def planned(self, at: float) -> list[tuple[Transmission, Claim]]:
        """What is to be sent now or later, in the order of `due`: for who looks on."""
        return self._planned(at, math.inf, Claim.CROWDING)

    def _planned(self, at: float, until_at: float, most: Claim) -> list[tuple[Transmission, Claim]]:
        crowding = self.fairness.crowding(at)
        due = [(one, _claim(one, crowding)) for one in self._all.values()
               if one.due_at is not None and one.due_at <= until_at]
        return sorted((one for one in due if one[1] <= most),
                      key=lambda one: (one[0].sent % one[0].parts == 0, one[0].author in crowding, one[0].rank))

    def next_at(self, opens_at: Mapping[Claim, float], at: float) -> float:
        """When something is due, or to be checked next. `opens_at`: from when on the budget has room for a claim."""
        crowding = self.fairness.crowding(at)
        due = (max(one.due_at, opens_at[_claim(one, crowding)]) for one in self._all.values() if one.due_at is not None)
        checks = (one.check_at for one in self._all.values() if one.check_at is not None)
        return min(min(due, default=math.inf), min(checks, default=math.inf))

    def doubt(self, address: int, loss: float) -> float:
        """The probability that a neighbour lacks something we know of; 1 until it confirms what it once said it lacked."""
        reaches = (one.reaches.get(address) for one in self._all.values())
        known = (reach for reach in reaches if reach is not None)
        return max((1.0 if reach.told else reach.lacks(loss, self._tuning) for reach in known), default=0.0)

    def prune(self) -> None:
        """Forget what everybody near certainly holds."""
        idle: Iterable[Transmission] = (one for one in self if one.due_at is None)
        for pending in idle:
            if not any(reach.missing for reach in pending.reaches.values()):
                del self._all[pending.id]


def _claim(pending: Transmission, crowding: set[bytes]) -> Claim:
    if pending.author in crowding:
        return Claim.CROWDING
    return Claim.URGENT if pending.urgent else Claim.FAIR

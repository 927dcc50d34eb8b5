"""What the parts of the air engine share: the channel, what we hold, whom we hear, what is under way."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Protocol

from node.model.errors import LocalMisuse
from node.model.event import Event
from node.model.record import TRUST_KINDS, Kind, Record
from node.sync.codes.erasure import MAX_PARTS, MAX_PIECES, piece_bytes
from node.sync.lora.announcements import Announcements
from node.sync.lora.inventory import HeldRecords, Inventory
from node.sync.lora.neighbours import Neighbour, Neighbourhood, View
from node.sync.lora.packets import HEADER_BYTES, LEAST_MAX_PAYLOAD, PIECE_BYTES, SIGNED_UP_TO_BYTES, WHOLE_BYTES
from node.sync.lora.reassembly import Reassembly
from node.sync.lora.refusals import Refusals
from node.sync.lora.requests import Requests
from node.sync.lora.transmissions import (
    CONFIRMING,
    EVENT,
    NEW,
    REPAIR,
    TRUST,
    URGENT,
    PendingTransmissions,
    Rank,
    Transmission,
)
from node.sync.lora.tuning import Timing, Tuning

DEFAULT_MAX_PAYLOAD = 188  # larger frames were less reliable in a field test; up to 231 if the keeper says so


class AirtimeBudget(Protocol):
    """Says when a packet may go (`radio.airtime.Governor`).

    `savings_s`: seconds of air that who was silent may use at once; `refill_s`: what of it an hour brings back.
    """

    @property
    def savings_s(self) -> float:
        """Above."""

    @property
    def refill_s(self) -> float:
        """Above."""

    def wait_s(self, airtime_s: float, now: float, urgent: bool = False, crowding: bool = False) -> float:
        """Seconds to wait; infinity if never. What is `crowding` leaves some of the hour's budget to others."""

    def charge(self, airtime_s: float, now: float, copies: float = 0.0) -> None:
        """A packet goes now, of which others will make so many copies."""

    def heard(self, airtime_s: float, now: float) -> None:
        """Somebody else sent."""

    def lend(self, lent_s: float, now: float) -> None:
        """Others leave us so much of their share, in seconds an hour."""

    def refused(self, now: float) -> None:
        """The radio refused a packet for its duty cycle."""

    def accepted(self) -> None:
        """The radio took a packet."""


@dataclass(frozen=True)
class Former:
    """Who we were on the air before the set's secret was renewed; `founder`: the key id of who had made that secret."""

    tag_key: bytes
    address: int
    founder: bytes


@dataclass(frozen=True)
class Identity:
    """Who we are on the air: the set's 32-byte subkey for tags, and our address in that set; and who we were before."""

    tag_key: bytes
    address: int
    formers: tuple[Former, ...] = ()


@dataclass(frozen=True)
class Channel:
    """A LoRa link as the engine sees it. `airtime_s(payload_bytes, direct)` counts what the firmware adds; `signs`: it
    (>= 2.8) signs broadcasts of up to 165 B, which costs 66 B more, but not what is for one node (`direct`); `strict`: it
    hears only what is signed, or for it alone."""

    link: str
    airtime_s: Callable[..., float]
    governor: AirtimeBudget
    max_payload: int = DEFAULT_MAX_PAYLOAD
    signs: bool = False
    strict: bool = False


def address_of(key_id: bytes, key: bytes) -> int:
    """16 bits by which neighbours tell an island apart, from its key id and the set's key; never 0 (anybody)."""
    digest = hashlib.blake2b(key_id, key=key, digest_size=2, person=b"archipel-address").digest()
    return int.from_bytes(digest, "big") or 1


def parts_of(record_bytes: int, max_payload: int, fresh: bool = True) -> int:
    """See `Context.parts`."""
    room = max_payload - HEADER_BYTES
    if record_bytes + WHOLE_BYTES <= room:
        return 1
    halves = -(-record_bytes // (room // 2 - PIECE_BYTES))
    return -(-record_bytes // (room - PIECE_BYTES)) if fresh or halves > MAX_PARTS else halves


class Context:
    """One island on one channel. `at` is the engine's own time everywhere here, `now` the island's clock."""

    def __init__(self, channel: Channel, records: HeldRecords, identity: Identity, rng: Random, tuning: Tuning):
        if channel.max_payload < LEAST_MAX_PAYLOAD:
            raise LocalMisuse(f"{channel.max_payload} B: the longest record would not fit its pieces")
        self.channel, self.records, self.rng, self.tuning = channel, records, rng, tuning
        self.key, self.address = identity.tag_key, identity.address
        self.max_payload = channel.max_payload  # of our packets now
        self.unit_s = channel.airtime_s(channel.max_payload)
        self.timing = Timing(self.unit_s, rng, tuning)
        self.inventory = Inventory(records, identity.tag_key, tuning)
        self.neighbours = Neighbourhood(identity.address, channel.governor, tuning)
        self.reassembly, self.refusals = Reassembly(tuning), Refusals(tuning)
        self.transmissions = PendingTransmissions(self.neighbours, self.timing)
        self.announcements = Announcements(self.neighbours, self.timing)
        self.requests = Requests(self.neighbours, self.reassembly, self.announcements, self.timing)

    def holds_posts(self) -> bool:
        """Whether we hold more than who may write: an island that was just founded, or has just joined, does not."""
        raws = (self.records.raw(id_) for id_ in self.records.ids())
        return any(raw is not None and raw[0] & 15 not in TRUST_KINDS for raw in raws)

    def fit(self, at: float) -> None:
        """Make packets so short that our radio signs them, as long as somebody near us hears no others."""
        needed = self.channel.signs and (self.channel.strict or any(one.needs_signed(at) for one in self.neighbours))
        self.max_payload = min(self.channel.max_payload, SIGNED_UP_TO_BYTES) if needed else self.channel.max_payload

    def copies(self, hop_limit: int) -> float:
        """How many copies relays will make of a packet of ours, about: one at each distance at which we know of somebody,
        and half of all others that we hear pass it on before they hear that somebody has."""
        farthest = min(hop_limit, max((one.hops for one in self.neighbours), default=0))
        relays = {relay for one in self.neighbours for relay in one.relays}
        return farthest + max(len(relays) - 1, 0) / 2 if farthest else 0.0

    def lent_s(self, at: float) -> float:
        """Seconds of air an hour that those who hear nobody but us leave of their share, as far as we may use it: we speak
        for them."""
        leaves = [one for one in self.neighbours.live()
                  if not one.hops and one.told_at >= one.since_at and one.around <= {self.address}]
        governor = self.channel.governor
        left_s = sum(governor.refill_s * one.fresh(at, governor) for one in leaves)
        return self.tuning.lent * left_s if len(leaves) > 1 else 0.0

    def doubt(self) -> float:
        """How many live neighbours may hold something else than we do."""
        return sum(self._doubt(one) for one in self.neighbours.live())

    def doubtful(self, since_at: float) -> bool:
        """Whether we have met somebody since then, and a neighbour is likely enough to have missed what went by; also one
        that has been silent of late, and may be there."""
        there = self.neighbours.live() + [one for one in self.neighbours if not one.hops and one.heard_at >= since_at]
        return (any(one.since_at >= since_at for one in there)
                and any(self._doubt(one) >= self.tuning.assure_doubt for one in there))

    def _doubt(self, one: Neighbour) -> float:
        """The probability that it holds something else than we do."""
        return 1.0 if one.view is View.FAR or one.ahead else self.transmissions.doubt(one.address, one.loss)

    def parts(self, record_bytes: int, fresh: bool = True) -> int:
        """How many pieces to cut a record into: as few as can be if it is new. A repair is one of many, so its pieces are
        halves of packets: two records fill three packets, where each alone would leave two half empty."""
        return parts_of(record_bytes, self.max_payload, fresh)

    def fits(self, record_bytes: int, parts: int) -> bool:
        """Whether our packets have room for pieces of this cut."""
        section_bytes = WHOLE_BYTES if parts == 1 else PIECE_BYTES
        return piece_bytes(record_bytes, parts) + section_bytes <= self.max_payload - HEADER_BYTES

    def pending(self, id_: bytes) -> Transmission | None:
        """The transmission of a record we hold, begun as a repair if need be."""
        known = self.transmissions.get(id_)
        record = None if known else self.records.get(id_)
        return self.begun(id_, record, fresh=False) if record else known

    def begun(self, id_: bytes, record: Record, fresh: bool, own: bool = False) -> Transmission | None:
        """The transmission of a record just kept, begun unless it is under way; nobody is known to lack it yet.

        Its author sends the parts themselves first, everybody else parity pieces, so that no two send the same.
        """
        known, raw = self.transmissions.get(id_), self.records.raw(id_)
        if known or raw is None:
            return known
        rank = self._rank(record, fresh)
        first = 0 if own else self.rng.randrange(MAX_PARTS, MAX_PIECES)
        parts = self.parts(len(raw), fresh)
        return self.transmissions.start(Transmission(id_, record.author, parts, rank, fresh, own=own, next_piece=first))

    def _rank(self, record: Record, fresh: bool) -> Rank:
        """Who may write and what is urgent first, then who confirms that, then events by nearness, then new, then repair;
        each island repairs in an order of its own."""
        order = self.rng.getrandbits(16)
        if record.kind in TRUST_KINDS:  # nothing else counts for who lacks it
            return Rank(TRUST, record.created, order)
        if record.urgent:
            return Rank(URGENT, -record.created, order)
        if record.kind is Kind.CONFIRMATION:
            return Rank(CONFIRMING, -record.created, order)
        if isinstance(record.detail, Event):
            return Rank(EVENT, record.detail.start, order)
        return Rank(NEW if fresh else REPAIR, 0, order)

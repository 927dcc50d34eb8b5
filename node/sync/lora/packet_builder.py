"""What goes into the next packet: what matters most, then whatever else fits."""

import math
from dataclasses import dataclass, field

from node.sync.codes import bloom
from node.sync.codes.erasure import piece, piece_bytes
from node.sync.codes.sketch import ELEMENT_BYTES
from node.sync.lora.context import Context
from node.sync.lora.fairness import Claim
from node.sync.lora.inventory import Salted
from node.sync.lora.neighbours import Neighbour
from node.sync.lora.packets import (
    ADDRESS_BYTES,
    HAVE_BYTES,
    HEADER_BYTES,
    MAX_CAPACITY,
    MAX_DEPTH,
    MAX_NEIGHBOURS,
    NEED_BYTES,
    SHORT_ID_BYTES,
    SIGNED_UP_TO_BYTES,
    SUM_BYTES,
    WHOLE_BYTES,
    Have,
    More,
    Need,
    Neighbours,
    Packet,
    Piece,
    Section,
    Sum,
    Whole,
)
from node.sync.lora.transmissions import Transmission

DEAR_FROM_BYTES = 101  # from here on, filling up to 166 B is cheaper than being signed: 101 + 66 > 166
LEAST_DATA_BYTES = 80  # no record is shorter (node.model.record), and few pieces are: with less room, look no further


@dataclass
class PacketDraft:
    """A packet in the making. `ids` are the records it carries, in order."""

    room: int
    sections: list[Section]
    ids: list[bytes]
    claims: list[Claim] = field(default_factory=list)  # of its records, or of the packet if it has none
    unfinished: bool = False  # more pieces follow at once: a summary would only make neighbours ask for them
    label: str = ""

    @property
    def claim(self) -> Claim:
        """The strongest of its claims."""
        return min(self.claims)

    def add(self, section: Section | None) -> bool:
        """Put a section in if it fits."""
        if section is None or (size := len(section.encode())) > self.room:
            return False
        self.room -= size
        self.sections.append(section)
        return True


class PacketBuilder:
    """Fills packets."""

    def __init__(self, context: Context):
        self.context = context
        self._told: frozenset[int] | None = None
        self._told_at = -math.inf
        self._part = 0  # which part of a large set the next filter is about

    def draft(self, at: float, now: float, most: Claim = Claim.CROWDING) -> PacketDraft | None:
        """The next packet, if there is anything to say now with no weaker claim than `most`."""
        draft = PacketDraft(self.context.max_payload - HEADER_BYTES, [], [])
        self._add_records(draft, at, most)
        asks = self.context.transmissions.fairness.asks(at)
        if not draft.sections and most < asks:
            return None
        self._add_asks(draft, at)
        requests, hour = self.context.requests, self._hour(now)
        held = self.context.inventory.at(hour)  # None: we cannot say yet
        filters = requests.filter_at <= at and requests.may_ask(at)
        if not draft.sections and (held is None or not (filters or self._says_at() <= at)):
            return None
        if held is not None and filters:
            self._add_filter(draft, held, hour)
        if draft.label != "need":  # a question should be short
            self._add_neighbours(draft, at)
        if held is not None:
            self._add_sum(draft, held, hour, at)
        draft.label, draft.claims = draft.label or "sum", draft.claims or [asks]
        return draft

    def addressee(self, draft: PacketDraft) -> Neighbour | None:
        """The neighbour to send a packet to alone: one that only asks, and asks only that one, is not signed that way."""
        questions = [section for section in draft.sections if isinstance(section, Need | More)]
        if not self.context.channel.signs or len(questions) < len(draft.sections):
            return None
        if len(self.context.neighbours.live()) >= self.context.tuning.ask_all_from:
            return None
        responders = {question.responder for question in questions}
        one = self.context.neighbours.get(responders.pop()) if len(responders) == 1 else None
        return one if one and one.direct and self._size(draft) < DEAR_FROM_BYTES else None

    def finish(self, draft: PacketDraft, sequence: int, same_number: int) -> tuple[Packet, int]:
        """The packet, and how long to make it: what the firmware would sign at a higher price is filled up; and the same
        question again with the same number, after `same_number` others, must be another packet, not a replay."""
        packet = Packet(self.context.address, sequence, tuple(draft.sections), self.context.channel.strict)
        return packet, SIGNED_UP_TO_BYTES + 1 if self._spare(draft) is not None else self._size(draft) + same_number

    def _size(self, draft: PacketDraft) -> int:
        return self.context.max_payload - draft.room

    def _spare(self, draft: PacketDraft) -> int | None:
        """Bytes that would cost nothing, if the firmware's signature can be avoided by filling up."""
        size = self._size(draft)
        if not self.context.channel.signs or self.context.max_payload <= SIGNED_UP_TO_BYTES:
            return None
        return SIGNED_UP_TO_BYTES + 1 - size if DEAR_FROM_BYTES <= size <= SIGNED_UP_TO_BYTES else None

    def _add_records(self, draft: PacketDraft, at: float, most: Claim) -> None:
        due = self.context.transmissions.due(at, most)
        for pending, claim in [*due, *due]:  # the second time for a second piece, where nothing else fits
            if draft.room < LEAST_DATA_BYTES:
                return
            ahead = draft.ids.count(pending.id)
            if not self.context.transmissions.worthwhile(pending):
                self.context.transmissions.plan(pending, at)
            elif (not ahead or pending.wanted() > 1) and draft.add(self._data(pending, draft.room, ahead)):
                draft.claims.append(claim)
                draft.unfinished |= pending.sent + ahead + 1 < pending.parts
                draft.label = draft.label or ("data" if pending.fresh else "repair")
                draft.ids.append(pending.id)

    def _data(self, pending: Transmission, room: int, ahead: int) -> Section | None:
        raw = self.context.records.raw(pending.id)
        if raw is None:
            self.context.transmissions.drop(pending.id)
            return None
        if not ahead and not self.context.fits(len(raw), pending.parts):  # our packets are shorter now
            pending.recut(self.context.parts(len(raw), pending.fresh))
        if piece_bytes(len(raw), pending.parts) + WHOLE_BYTES > room:
            return None
        if pending.parts == 1:
            return None if ahead else Whole(raw, pending.fresh)
        index = pending.piece_after(ahead)
        content = piece(raw, pending.parts, index)
        return Piece(pending.id[:SHORT_ID_BYTES], pending.parts, index, len(raw), content, pending.fresh)

    def _add_asks(self, draft: PacketDraft, at: float) -> None:
        requests = self.context.requests
        if not requests.may_ask(at) or (requests.need_at > at and not draft.sections):
            return
        for more in requests.more(at):
            if draft.add(more):
                draft.label = draft.label or "need"
        need = requests.need(at)
        if need:
            room = (draft.room - NEED_BYTES) // ELEMENT_BYTES
            if room > 0 and draft.add(type(need)(need.responder, need.day, need.elements[:room])):
                draft.label = draft.label or "need"
        if not draft.sections:
            requests.nothing_to_ask(at)

    def _add_filter(self, draft: PacketDraft, held: Salted, hour: int) -> None:
        """A filter of what we hold; of a large set, of one part after the other."""
        responders = self.context.requests.responders()
        room = draft.room - HAVE_BYTES - ADDRESS_BYTES * len(responders)
        depth = min(max(math.ceil(math.log2(max(len(held.ids), 1) / self.context.tuning.filtered_elements)), 0), MAX_DEPTH)
        tuning = self.context.tuning
        salt = (self._part << 8 - depth | self.context.rng.getrandbits(8 - depth)) & 255
        part = bloom.part(held.ids, salt, depth)
        size = min(max(int(len(part) * tuning.filter_bytes), 8), room)
        if not responders:
            self.context.requests.filter_sent()
        elif size >= min(len(part), self.context.tuning.least_filter_bytes):
            bits = bloom.fill(part, salt, size)
            draft.add(Have(hour % 65536, len(part) % 65536, salt, responders, bits, depth))

    def _hour(self, now: float) -> int:
        """As of when we speak: as of the hour of whom we answer, if its clock is ahead of ours."""
        return max(self.context.inventory.hour(now), self.context.announcements.hour)

    def _says_at(self) -> float:
        return self.context.announcements.say_at(self.context.requests.quiet_at)

    def _add_neighbours(self, draft: PacketDraft, at: float) -> None:
        around = sorted((one for one in self.context.neighbours.live() if one.hops == 0), key=lambda one: -one.heard_at)
        addresses = tuple(one.address for one in around[:MAX_NEIGHBOURS])
        changed = len(around) <= MAX_NEIGHBOURS and frozenset(addresses) != self._told  # of too many, others each time
        news = changed or at > self._told_at + self.context.tuning.tell_neighbours_s
        alone = self.context.announcements.introductions <= 0 and all(one.hops for one in self.context.neighbours)
        if (news and (addresses or alone)) or self.context.announcements.reach_hops > 0:
            draft.add(Neighbours(addresses))

    def _add_sum(self, draft: PacketDraft, held: Salted, hour: int, at: float) -> None:
        if draft.unfinished or (draft.label == "need" and self._spare(draft) is None):
            return
        announcements, tuning = self.context.announcements, self.context.tuning
        wanted = announcements.capacity if self._says_at() <= at else tuning.usual_capacity
        fits = (draft.room - SUM_BYTES) // ELEMENT_BYTES
        spare = self._spare(draft)
        if spare is not None:
            wanted = max(wanted, min((spare - SUM_BYTES) // ELEMENT_BYTES, self.context.tuning.free_capacity))
        capacity = min(wanted, fits, MAX_CAPACITY)
        if capacity > 0:
            draft.add(self.context.inventory.sum(held, hour, capacity))

    def sent(self, packet: Packet, at: float, to: Neighbour | None) -> None:
        """A packet went out, `to` one neighbour or to everybody: what it asked and told need not be said again soon."""
        requests, announcements = self.context.requests, self.context.announcements
        questions = [section for section in packet.sections if isinstance(section, Need | More)]
        if questions:
            requests.sent(questions, to, at)
        alone = not any(isinstance(section, Whole | Piece) for section in packet.sections)
        for section in packet.sections:
            match section:
                case Neighbours(addresses):
                    self._told, self._told_at = frozenset(addresses), at
                case Have(depth=depth):
                    self._part += 1
                    requests.filter_sent(depth)
                case Sum(capacity=capacity):
                    if alone or capacity >= announcements.capacity:  # or it only rode along, and says less than is wanted
                        announcements.summed(at)

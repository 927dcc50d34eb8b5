"""Leads those who still speak with an earlier secret of the set to the present one, and gives them nothing else.

They are known by the tags of their packets. Whoever among them has a seat in a renewal is sent that renewal, in packets of
its own generation; and those whose secret was made by a founder that was cut are sent what cut it. Nothing else that they
say is looked at: once they have moved they say it again. What is sent tells nothing to who has no seat.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from node.model.errors import RemoteFault
from node.model.record import Kind, Renewal, Revocation, record_id
from node.sync.codes.erasure import MAX_PARTS, MAX_PIECES, piece
from node.sync.lora.context import Context, Former, address_of
from node.sync.lora.packets import SHORT_ID_BYTES, More, Packet, Piece, Section, Whole, decode


@dataclass
class _Lead:
    """A record that leads, for those of one generation. `extra`: pieces that were asked for since it was begun."""

    id: bytes
    former: Former
    parts: int
    next_piece: int
    left: int = 0  # pieces to send
    extra: int = 0
    times: int = 0
    due_at: float = 0.0
    again_at: float = 0.0  # from when on it may be begun anew
    far: bool = False  # who needs it was heard by relays

    def section(self, raw: bytes) -> Section:
        """The next part of it."""
        if self.parts == 1:
            return Whole(raw, True)
        content = piece(raw, self.parts, self.next_piece)
        return Piece(self.id[:SHORT_ID_BYTES], self.parts, self.next_piece, len(raw), content, True)


class Guide:
    """What is to be sent to whom; `heard` is told each packet that is not of the present generation."""

    def __init__(self, context: Context, formers: tuple[Former, ...]):
        self._context, self._formers, self._tuning = context, formers, context.tuning
        self.heard_at: float | None = None  # when somebody last spoke with an earlier secret, and did not just lead
        self._leads: dict[tuple[bytes, bytes], _Lead] = {}  # by record and tag key
        self._sequence = 0
        self._read_at = -1  # a revision of the records
        self._leading: list[tuple[bytes, int, Renewal | Revocation]] = []

    def heard(self, payload: bytes, hops: int, at: float) -> bool:
        """Whether a member said it with an earlier secret; if so, see to it that it is led."""
        for former in self._formers:
            try:
                packet = decode(payload, former.tag_key)
            except RemoteFault:
                continue
            if packet.sender != former.address:
                if not all(isinstance(section, Piece | Whole) for section in packet.sections):
                    self.heard_at = at
                self._consider(packet, former, hops > 0, at)
            return True
        return False

    def next_at(self) -> float:
        """When there is something to send, or never."""
        return min((lead.due_at for lead in self._leads.values() if lead.left), default=math.inf)

    def packet(self, at: float) -> tuple[Packet, Former, bool] | None:
        """What to send now: the packet, for whom, and whether it goes through relays."""
        for key, lead in sorted(self._leads.items(), key=lambda one: one[1].due_at):
            raw = self._context.records.raw(lead.id)
            if raw is None:
                del self._leads[key]
            elif lead.left and lead.due_at <= at:
                return Packet(lead.former.address, self._sequence, (lead.section(raw),)), lead.former, lead.far
        return None

    def postpone(self, until: float) -> None:
        """There is no room on the air before then."""
        for lead in self._leads.values():
            lead.due_at = max(lead.due_at, until)

    def sent(self, packet: Packet, former: Former) -> None:
        """It went out."""
        self._sequence = (self._sequence + 1) % 256
        for (id_, tag_key), lead in self._leads.items():
            if tag_key == former.tag_key and lead.left and _carries(packet, id_):
                lead.left -= 1
                lead.next_piece = lead.next_piece + 1 if lead.next_piece + 1 < MAX_PIECES else MAX_PARTS

    def _consider(self, packet: Packet, former: Former, far: bool, at: float) -> None:
        for id_ in self._for(packet.sender, former):
            lead = self._lead(id_, former)
            if lead is None:
                continue
            asked = _asked(packet, former, id_)
            if asked and lead.extra + asked <= self._tuning.led_extra * lead.parts:
                lead.left, lead.extra = lead.left + asked, lead.extra + asked
                lead.due_at = at + self._context.timing.draw_s(self._tuning.led_answer_t)
            elif not lead.left and at >= lead.again_at:
                lead.left, lead.extra, lead.far = lead.parts, 0, far
                lead.due_at = at + self._context.timing.draw_s(self._tuning.led_t)
                self._begun(lead, at)
        for lead in self._leads.values():
            if lead.former is former and lead.left == lead.parts and _carries(packet, lead.id):
                lead.left = 0  # somebody else leads
                self._begun(lead, at)

    def _begun(self, lead: _Lead, at: float) -> None:
        lead.times = lead.times + 1 if at < lead.again_at + self._tuning.led_forget_s else 1
        lead.again_at = at + min(self._tuning.led_again_s * 2 ** (lead.times - 1), self._tuning.max_led_again_s)

    def _lead(self, id_: bytes, former: Former) -> _Lead | None:
        key = id_, former.tag_key
        raw = self._context.records.raw(id_)
        if raw is not None and key not in self._leads and len(self._leads) < self._tuning.max_led:
            first = self._context.rng.randrange(MAX_PARTS, MAX_PIECES)
            self._leads[key] = _Lead(id_, former, self._context.parts(len(raw)), first)
        return self._leads.get(key)

    def _for(self, address: int, former: Former) -> list[bytes]:
        """What leads a neighbour: of the renewals in which it has a seat the last, and what ends who made its secret."""
        told = self._told()
        seats = [(created, id_) for id_, created, detail in told if isinstance(detail, Renewal)
                 and any(address_of(seat.key, former.tag_key) == address for seat in detail.seats)]
        ends = [id_ for id_, _, detail in told if isinstance(detail, Revocation) and detail.subject == former.founder]
        return [id_ for _, id_ in sorted(seats)[-1:]] + ends

    def _told(self) -> list[tuple[bytes, int, Renewal | Revocation]]:
        """Every live renewal and revocation, with the minute it was made."""
        revision = self._context.records.revision
        if self._read_at != revision:
            self._read_at, self._leading = revision, list(self._read())
        return self._leading

    def _read(self) -> Iterator[tuple[bytes, int, Renewal | Revocation]]:
        records = self._context.records
        for id_ in records.ids():
            raw = records.raw(id_)
            record = records.get(id_) if raw and raw[0] & 15 in (Kind.RENEWAL, Kind.REVOCATION) else None
            if record and isinstance(record.detail, Renewal | Revocation):
                yield id_, record.created, record.detail


def _carries(packet: Packet, id_: bytes) -> bool:
    for section in packet.sections:
        match section:
            case Piece(short_id) if short_id == id_[:SHORT_ID_BYTES]:
                return True
            case Whole(raw) if record_id(raw) == id_:
                return True
    return False


def _asked(packet: Packet, former: Former, id_: bytes) -> int:
    """How many more pieces of a record it asks us for."""
    return sum(section.missing for section in packet.sections if isinstance(section, More)
               and section.short_id == id_[:SHORT_ID_BYTES] and section.responder in (0, former.address))

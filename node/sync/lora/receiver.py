"""What becomes of a packet heard: its records first; what else it says is for `reconciliation`, after these."""

from collections import Counter
from dataclasses import dataclass, field

from node.model.record import Record, record_id
from node.sync.codes import bloom
from node.sync.events import Action, Drop, Keep, PacketReceived
from node.sync.lora.context import Context
from node.sync.lora.inventory import HOURS_A_DAY, element_of
from node.sync.lora.neighbours import Neighbour, Passage, View
from node.sync.lora.packets import (
    MAX_NEIGHBOURS,
    SHORT_ID_BYTES,
    Have,
    More,
    Need,
    Neighbours,
    Packet,
    Piece,
    Section,
    Sum,
    Whole,
    decode,
)
from node.sync.lora.reassembly import ReceivedRecord
from node.sync.lora.reconciliation import Reconciliation
from node.sync.lora.transmissions import Reach, Transmission


@dataclass
class _Heard:
    """A packet whose records are at admission; what else it says is looked at afterwards."""

    sender: Neighbour
    way: Passage
    fresh: bool
    sections: list[Section]
    waits_for: set[bytes] = field(default_factory=set)


class Receiver:
    """Reads packets, each once, into the tables of a context. `last_packet`: what was taken in last."""

    def __init__(self, context: Context, reconciliation: Reconciliation):
        self.context, self._reconciliation = context, reconciliation
        self.last_packet: Packet | None = None
        self._tags: dict[bytes, None] = {}
        self._heard: _Heard | None = None

    def packet(self, event: PacketReceived, airtime_s: float, at: float, now: float) -> list[Action]:
        """Take in one packet, so long on the air; raises RemoteFault for what no member sends."""
        context = self.context
        packet = decode(event.payload, context.key)
        tag = event.payload[1:5]
        if tag in self._tags or packet.sender == context.address:
            return [Drop(event.link, "packet-repeated" if tag in self._tags else "packet-own-address")]
        self._remember(tag)
        self.last_packet = packet
        way = Passage(event.hops or 0, event.hops_left, event.relay)
        sender = context.neighbours.hear(packet.sender, packet.sequence, way, at, event.sender)
        sender.used(airtime_s, at, context.channel.governor.refill_s)
        sender.strict = packet.strict
        heard = self._heard = _Heard(sender, way, False, [])
        actions: list[Action] = []
        for section in packet.sections:
            actions += self._section(heard, section, at)
        if event.hops:
            context.announcements.heard_far(at)
        if event.hops and not any(isinstance(section, Neighbours) for section in packet.sections):
            self._doubt_hops(sender, at)
        if sender.view is View.UNKNOWN and not any(isinstance(section, Sum | Have) for section in packet.sections):
            context.announcements.introduce(at)  # neither knows what the other holds
        if not heard.waits_for:
            self._conclude(heard, at, now)
        return actions

    def _doubt_hops(self, sender: Neighbour, at: float) -> None:
        """It needed no relay, by what we know: its knowledge of whom we hear may be out of date."""
        if sender.hops and sender.told_at > sender.since_at and sender not in self.context.neighbours.live():
            self.context.announcements.correct(at)

    def _remember(self, tag: bytes) -> None:
        self._tags[tag] = None
        if len(self._tags) > self.context.tuning.max_tags:
            del self._tags[next(iter(self._tags))]

    def _section(self, heard: _Heard, section: Section, at: float) -> list[Action]:
        match section:
            case Whole(raw, fresh):
                return self._record(heard, ReceivedRecord(record_id(raw), raw), fresh, at)
            case Piece():
                return self._piece(heard, section, at)
            case Neighbours(addresses):
                self.context.neighbours.listed(heard.sender, addresses, at)
                told = heard.way.hops or self.context.address in addresses or len(addresses) >= MAX_NEIGHBOURS
                if not told:  # who is behind relays is in no list
                    self.context.announcements.introduce(at)
            case _:
                heard.sections.append(section)
        return []

    def _record(self, heard: _Heard, record: ReceivedRecord, fresh: bool, at: float) -> list[Action]:
        if record.id in self.context.records:
            self.context.transmissions.overheard(heard.sender, record.id, heard.way, at)
            return []
        if self.context.refusals.stands(record.id, at):
            return [Drop(self.context.channel.link, "record-refused-before")]
        self.context.requests.coming(heard.sender, at)
        heard.waits_for.add(record.id)
        heard.fresh = fresh
        return [Keep(record.raw, self.context.channel.link)]

    def _piece(self, heard: _Heard, piece: Piece, at: float) -> list[Action]:
        known = self.context.inventory.id_from_short(piece.short_id)
        if known:
            self.context.transmissions.overheard(heard.sender, known, heard.way, at)
            return []
        record = self.context.reassembly.add(piece, heard.sender.address, at)
        self.context.requests.coming(heard.sender, at)
        self.context.requests.answered(heard.sender, [piece.short_id])
        self.context.requests.piece_came(piece.short_id, at)
        if record is None:
            return []
        if record.id[:SHORT_ID_BYTES] != piece.short_id:
            return [Drop(self.context.channel.link, "pieces-mismatch")]
        return self._record(heard, record, piece.fresh, at)

    # after admission of the records of a packet

    def kept(self, id_: bytes, record: Record | None, at: float, now: float) -> None:
        """A record is in the set (None if it left again): note who has it, and whether others near us may lack it."""
        heard, context = self._waiting_for(id_), self.context
        self._arrived(id_, heard.sender if heard else None)
        if heard is None:
            return
        context.announcements.unspoken += heard.fresh
        pending = context.begun(id_, record, heard.fresh) if record else None
        if pending:
            reached = {one.address for one in context.neighbours.reached(heard.sender, heard.way)}
            pending.reaches = {one.address: self._reach(one, pending, heard, one.address in reached, now)
                               for one in context.neighbours}
            context.transmissions.seek_helpers(pending)
            context.transmissions.plan(pending, at)
        self._settle(heard, id_, at, now)

    def refused(self, id_: bytes, reason: str, at: float, now: float) -> None:
        """A record we asked to keep is not in the set: do not ask for it again soon."""
        self.context.refusals.add(id_, reason, at)
        heard = self._waiting_for(id_)
        if heard:
            self._settle(heard, id_, at, now)

    def _waiting_for(self, id_: bytes) -> _Heard | None:
        """The packet that this record came in, while it is at admission."""
        return self._heard if self._heard and id_ in self._heard.waits_for else None

    def _arrived(self, id_: bytes, sender: Neighbour | None) -> None:
        """Nobody is ahead of us by this record any more. `sender`: who sent it by this way."""
        context = self.context
        context.reassembly.close(id_)
        days = {day for one in context.neighbours for day in one.ahead.values()}
        elements = [element_of(id_, day, context.key) for day in days]
        if sender:
            context.requests.answered(sender, elements)
        for element in elements:
            context.requests.arrived(element)

    def _settle(self, heard: _Heard, id_: bytes, at: float, now: float) -> None:
        heard.waits_for.discard(id_)
        if not heard.waits_for:
            self._conclude(heard, at, now)

    def _reach(self, one: Neighbour, pending: Transmission, heard: _Heard, reached: bool, now: float) -> Reach:
        """What we believe of a neighbour when a record is new to us; `reached`: what we heard may have reached it too."""
        sender, way = heard.sender, heard.way
        if one is sender or not self._may_lack(one, pending, now):
            return Reach(0)
        covered = reached or one.address in sender.around or sender.address in one.around
        via = covered and way.hops > 0 and way.relay in one.relays
        return Reach(pending.parts, pending.parts if covered else 0, via=via)

    def _may_lack(self, one: Neighbour, pending: Transmission, now: float) -> bool:
        if one.have is not None:
            return not self._in_filter(one.have, pending.id, now)
        if one.view is View.KNOWN or one.view is View.SAME:
            return True
        return pending.fresh

    def _in_filter(self, have: Have, id_: bytes, now: float) -> bool:
        hour = self.context.inventory.hour_meant(have.as_of_h, now)
        if hour is None:
            return True
        element = element_of(id_, hour // HOURS_A_DAY, self.context.key)
        return bool(bloom.part([element], have.salt, have.depth)) and bloom.holds(have.bits, have.count, have.salt, element)

    def _conclude(self, heard: _Heard, at: float, now: float) -> None:
        self._heard = None
        asked = Counter[int]()
        for section in heard.sections:
            if isinstance(section, Need | More):
                turn = asked.total() - asked[section.responder]
                asked[section.responder] += len(section.elements) if isinstance(section, Need) else section.missing
            match section:
                case Sum() | Have():
                    self._reconciliation.compare(heard.sender, section, at, now)
                case Need():
                    self._reconciliation.needed(heard.sender, section, turn, at, now)
                case More():
                    self._reconciliation.wants_more(heard.sender, section, turn)

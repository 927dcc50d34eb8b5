"""What a packet from a neighbour tells: records, and what it holds or lacks."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from node.model.record import record_id
from node.sync.codes import bloom
from node.sync.events import Action, Drop, Keep, PacketReceived
from node.sync.lora.context import Context
from node.sync.lora.inventory import HOURS_A_DAY, Salted, difference, element_of
from node.sync.lora.neighbours import Neighbour, View
from node.sync.lora.packets import (
    MAX_CAPACITY,
    MAX_NEIGHBOURS,
    Have,
    More,
    Need,
    Neighbours,
    Piece,
    Section,
    Sum,
    Whole,
    decode,
)
from node.sync.lora.requests import ANYBODY
from node.sync.lora.transmissions import Reach, Transmission

SETTLED = {"duplicate", "store"}  # refusals that say nothing against the record


@dataclass
class _Heard:
    """A packet whose records are being judged; what else it says is looked at afterwards."""

    sender: Neighbour
    fresh: bool
    sections: list[Section]
    waits_for: set[bytes] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Lack:
    """How a neighbour lacks a record: pieces (all if None) of how many, whether we are asked by name, who else may."""

    missing: int | None = None
    parts: int | None = None
    ours: bool = False
    helpers: int = 0


class Receiver:
    """Reads packets into the tables of a station."""

    def __init__(self, station: Context):
        self.station = station
        self._tags: dict[bytes, None] = {}
        self._refused: dict[bytes, float] = {}
        self._heard: _Heard | None = None
        self._backlog: deque[tuple[Neighbour, bytes, _Lack]] = deque(maxlen=station.tuning.max_transmissions)
        self._later: deque[tuple[Neighbour, Sum | Have]] = deque(maxlen=station.tuning.max_summaries)

    @property
    def busy(self) -> bool:
        """Whether `catch_up` has more to do: a whole set at once would hold up the island."""
        return bool(self._backlog or self._later) or self.station.inventory.behind is not None

    def catch_up(self, at: float, now: float) -> None:
        """Do some of what takes long: sketch our records, compare with others, verify what neighbours lack."""
        inventory = self.station.inventory
        if self._later and inventory.behind is None:
            self._compare(*self._later.popleft(), at, now)
        elif self._backlog and inventory.behind is None:
            for _ in range(min(len(self._backlog), self.station.tuning.served_in_step)):
                self._lacks(*self._backlog.popleft(), at)
        else:
            inventory.catch_up(now)

    def packet(self, event: PacketReceived, at: float, now: float) -> list[Action]:
        """Take in one packet; raises RemoteFault for what no member sends."""
        station = self.station
        packet = decode(event.payload, station.key)
        tag = event.payload[1:5]
        if tag in self._tags or packet.sender == station.address:
            return [Drop(event.link, "packet-repeated" if tag in self._tags else "packet-own-address")]
        self._remember(tag)
        sender = station.near.hear(packet.sender, packet.sequence, event.hops or 0, at, event.sender)
        heard = self._heard = _Heard(sender, False, [])
        actions: list[Action] = []
        for section in packet.sections:
            actions += self._section(heard, section, event.link, at)
        if event.hops:
            station.announcements.heard_far(at)
        if event.hops and not any(isinstance(section, Neighbours) for section in packet.sections):
            self._doubt_hops(sender, at)
        if not heard.waits_for:
            self._conclude(heard, at, now)
        return actions

    def _doubt_hops(self, sender: Neighbour, at: float) -> None:
        """It needed no relay, by what we know: its knowledge of whom we hear may be out of date."""
        if sender.hops and sender.told_at > sender.since_at and sender not in self.station.near.live():
            self.station.announcements.correct(at)

    def _remember(self, tag: bytes) -> None:
        self._tags[tag] = None
        if len(self._tags) > self.station.tuning.max_tags:
            del self._tags[next(iter(self._tags))]

    def _section(self, heard: _Heard, section: Section, link: str, at: float) -> list[Action]:
        match section:
            case Whole():
                return self._whole(heard, section, link, at)
            case Piece():
                return self._piece(heard, section, link, at)
            case Neighbours(addresses):
                self.station.near.listed(heard.sender, addresses, at)
                if self.station.address not in addresses and len(addresses) < MAX_NEIGHBOURS:
                    self.station.announcements.introduce(at)
            case _:
                heard.sections.append(section)
        return []

    def _whole(self, heard: _Heard, whole: Whole, link: str, at: float) -> list[Action]:
        id_ = record_id(whole.raw)
        if id_ in self.station.records:
            self.station.rumours.overheard(heard.sender, id_, at)
            return []
        if self._refused.get(id_, 0.0) > at:
            return [Drop(link, "record-refused-before")]
        self.station.requests.coming(at)
        heard.waits_for.add(id_)
        heard.fresh = whole.fresh
        return [Keep(whole.raw, link)]

    def _piece(self, heard: _Heard, piece: Piece, link: str, at: float) -> list[Action]:
        known = self.station.inventory.id_from_short(piece.short_id)
        if known:
            self.station.rumours.overheard(heard.sender, known, at)
            return []
        raw = self.station.workshop.add(piece, heard.sender.address, at)
        self.station.requests.coming(at)
        self.station.requests.answered(heard.sender, [piece.short_id])
        self.station.requests.piece_came(piece.short_id, at)
        if raw is None:
            return []
        return self._whole(heard, Whole(raw, piece.fresh), link, at) if raw else [Drop(link, "pieces-mismatch")]

    # after the records of a packet were judged

    def kept(self, id_: bytes, at: float, now: float) -> None:
        """A record is in the set: note who has it, and whether others near us may lack it."""
        heard, station = self._waiting_for(id_), self.station
        self._arrived(id_, heard.sender if heard else None)
        if heard is None:
            return
        station.announcements.unspoken += heard.fresh
        rumour = station.rumour(id_, heard.fresh)
        if rumour:
            rumour.reaches = {one.address: self._reach(one, rumour, heard.sender, now) for one in station.near}
            station.rumours.seek_helpers(rumour)
            station.rumours.plan(rumour, at)
        self._settle(heard, id_, at, now)

    def refused(self, id_: bytes, reason: str, at: float, now: float) -> None:
        """A record we asked to keep is not in the set: do not ask for it again soon."""
        if reason not in SETTLED:
            self._refused[id_] = at + self.station.tuning.refused_s
            if len(self._refused) > self.station.tuning.max_refused:
                del self._refused[next(iter(self._refused))]
        heard = self._waiting_for(id_)
        if heard:
            self._settle(heard, id_, at, now)

    def _waiting_for(self, id_: bytes) -> _Heard | None:
        """The packet that this record came in, while it is being judged."""
        return self._heard if self._heard and id_ in self._heard.waits_for else None

    def _arrived(self, id_: bytes, sender: Neighbour | None) -> None:
        """Nobody is ahead of us by this record any more. `sender`: who sent it by this way."""
        station = self.station
        station.workshop.close(id_)
        days = {day for one in station.near for day in one.ahead.values()}
        elements = [element_of(id_, day, station.key) for day in days]
        if sender:
            station.requests.answered(sender, elements)
        for element in elements:
            station.requests.arrived(element)

    def _settle(self, heard: _Heard, id_: bytes, at: float, now: float) -> None:
        heard.waits_for.discard(id_)
        if not heard.waits_for:
            self._conclude(heard, at, now)

    def _reach(self, one: Neighbour, rumour: Transmission, sender: Neighbour, now: float) -> Reach:
        """What we believe of a neighbour when a record is new to us, heard from `sender`."""
        if one is sender or not self._may_lack(one, rumour, now):
            return Reach(0)
        covered = one.address in sender.around or sender.address in one.around
        return Reach(rumour.parts, rumour.parts if covered else 0)

    def _may_lack(self, one: Neighbour, rumour: Transmission, now: float) -> bool:
        if one.have is not None:
            return not self._in_filter(one.have, rumour.id, now)
        if one.view is View.KNOWN or one.view is View.SAME:
            return True
        return rumour.fresh

    def _in_filter(self, have: Have, id_: bytes, now: float) -> bool:
        hour = self.station.inventory.hour_meant(have.as_of_h, now)
        if hour is None:
            return True
        element = element_of(id_, hour // HOURS_A_DAY, self.station.key)
        return bool(bloom.part([element], have.salt, have.depth)) and bloom.holds(have.bits, have.count, have.salt, element)

    def _conclude(self, heard: _Heard, at: float, now: float) -> None:
        self._heard = None
        for section in heard.sections:
            match section:
                case Sum() | Have():
                    self._compare(heard.sender, section, at, now)
                case Need():
                    self._need(heard.sender, section, at, now)
                case More():
                    self._more(heard.sender, section, at)

    # what a neighbour holds, and what it lacks

    def _compare(self, sender: Neighbour, heard: Sum | Have, at: float, now: float) -> None:
        """As soon as our own records of its hour are known."""
        inventory = self.station.inventory
        hour = inventory.hour_meant(heard.as_of_h, now)
        if hour is None:
            self._out_of_time(sender, heard, at)
            return
        self.station.announcements.hour = max(self.station.announcements.hour, hour)
        held = inventory.at(hour)
        if held is None:
            self._later.append((sender, heard))
        elif isinstance(heard, Sum):
            self._sum(sender, heard, held, at)
        else:
            self._have(sender, heard, held, at)

    def _out_of_time(self, sender: Neighbour, heard: Sum | Have, at: float) -> None:
        """Its clock is behind: it can compare what we say with what it holds, not we."""
        if isinstance(heard, Sum):
            sender.view = View.UNKNOWN
            self.station.announcements.introduce(at)

    def _sum(self, sender: Neighbour, heard: Sum, held: Salted, at: float) -> None:
        found = difference(held, heard)
        if found is None:
            self.station.announcements.trickle.reset(at)
            self.station.requests.far(sender, heard.capacity, len(held.ids) - heard.count, at)
            return
        lacking, ahead = found
        if not lacking and not ahead:
            self.station.announcements.leave_sum(heard.capacity)
            self.station.requests.same(sender)
        else:
            self.station.announcements.trickle.reset(at)
            wanted = self._not_refused(ahead, held.day, at)
            self.station.requests.behind(sender, wanted, held.day, at)
        others = len(sender.around - {self.station.address}) or sender.told_at < sender.since_at or sender.hops
        sender.answered = bool(others) and len(lacking) > self.station.tuning.unasked_records and not sender.answered
        if sender.answered:
            capacity, tuning = len(lacking) + len(ahead) + self.station.tuning.answer_spare, self.station.tuning
            capacity = capacity if capacity <= MAX_CAPACITY else tuning.usual_capacity
            self.station.announcements.sum_soon(at, capacity, tuning.answer_t)
        self._holds_all_but(sender, set(lacking), at)
        how = _Lack(helpers=others if sender.answered else 0)
        self._backlog.extend((sender, id_, how) for id_ in lacking)

    def _not_refused(self, elements: list[int], day: int, at: float) -> list[int]:
        refused = {element_of(id_, day, self.station.key) for id_, until_at in self._refused.items() if until_at > at}
        return [element for element in elements if element not in refused]

    def _holds_all_but(self, sender: Neighbour, lacking: Collection[bytes], at: float) -> None:
        for rumour in self.station.rumours:
            if rumour.id not in lacking:
                self.station.rumours.has(sender.address, rumour.id, at)

    def _lacks(self, sender: Neighbour, id_: bytes, lack: _Lack, at: float) -> None:
        station = self.station
        rumour = station.rumour(id_, fresh=False)
        if rumour and lack.parts:
            rumour.recut(lack.parts)
        if rumour is None or not station.rumours.lacks(sender, rumour, lack.missing or rumour.parts, at):
            return
        if lack.ours:
            station.rumours.plan(rumour, at, station.timing.draw_s(station.tuning.asked_t))
        elif rumour.due_at is None:
            rumour.reaches[sender.address].helpers = lack.helpers
            station.rumours.plan(rumour, at)

    def _have(self, sender: Neighbour, heard: Have, held: Salted, at: float) -> None:
        part = bloom.part(held.ids, heard.salt, heard.depth)
        looked_at = self._some(part)
        lacking = {element: held.ids[element] for element in looked_at
                   if not bloom.holds(heard.bits, heard.count, heard.salt, element)}
        if sender.view is View.SAME and not lacking:
            self.station.requests.leave_filter()
        sender.have, sender.view, sender.answered = heard, View.FAR, False
        for element in looked_at:
            if element not in lacking:
                self.station.rumours.has(sender.address, held.ids[element], at)
        self._backlog.extend((sender, id_, self._wanted_of_us(element, heard)) for element, id_ in lacking.items())
        if len(looked_at) == len(part) and heard.count > len(part) - len(lacking):
            self.station.requests.far(sender, MAX_CAPACITY, len(part) - heard.count, at)

    def _some(self, elements: list[int]) -> list[int]:
        """As many as can be taken up at once, others each time."""
        most = self.station.tuning.max_transmissions
        start = self.station.rng.randrange(len(elements)) if len(elements) > most else 0
        return (elements[start:] + elements[:start])[:most]

    def _wanted_of_us(self, element: int, heard: Have) -> _Lack:
        """Each of the responders serves its part."""
        ours = self.station.address in heard.responders and (
            element % len(heard.responders) == heard.responders.index(self.station.address))
        return _Lack(ours=True) if ours else _Lack(helpers=1)

    def _need(self, sender: Neighbour, heard: Need, at: float, now: float) -> None:
        self.station.requests.leave_asking(heard.elements, at)
        if heard.responder not in (self.station.address, ANYBODY):
            self.station.announcements.leave_reply()
        found = [self.station.inventory.id_of(element, heard.day, now) for element in heard.elements]
        self._backlog.extend((sender, id_, self._asked(heard.responder, None)) for id_ in found if id_)
        if heard.responder == self.station.address and not any(found):  # a small sketch was taken for what it is not
            self.station.announcements.tell_difference(at)

    def _asked(self, responder: int, missing: int | None) -> _Lack:
        ours = responder == self.station.address
        return _Lack(missing, None, ours, 0 if ours or responder == ANYBODY else 1)

    def _more(self, sender: Neighbour, heard: More, at: float) -> None:
        id_ = self.station.inventory.id_from_short(heard.short_id)
        raw = self.station.records.raw(id_) if id_ else None
        if id_ and raw is not None and self.station.fits(len(raw), heard.parts):
            self._backlog.append((sender, id_, replace(self._asked(heard.responder, heard.missing), parts=heard.parts)))

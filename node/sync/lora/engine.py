"""The engine for the air: which packet to broadcast next, and when, so that islands near and far hold the same records.

No I/O: events in, actions out. One packet at a time is under way; what it holds is decided at the last moment, from what
was heard until then. docs/protocol.md, section 5, says what every packet means.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from node.model.errors import RemoteFault
from node.sync.events import (
    Action,
    Drop,
    Event,
    LinkChanged,
    MeetNow,
    PacketReceived,
    RecordKept,
    RecordRefused,
    RecordsGone,
    Send,
    SendDone,
)
from node.sync.lora.context import Channel, Context, Former, Identity
from node.sync.lora.fairness import Claim
from node.sync.lora.guide import Guide
from node.sync.lora.inventory import HeldRecords
from node.sync.lora.neighbours import RELAY_HOPS, Neighbour, View
from node.sync.lora.packet_builder import PacketBuilder, PacketDraft
from node.sync.lora.packets import SIGNED_UP_TO_BYTES, More, Need, Packet, encode
from node.sync.lora.receiver import Receiver
from node.sync.lora.reconciliation import Reconciliation
from node.sync.lora.transmissions import Reach, Transmission
from node.sync.lora.tuning import TUNING, Span, Tuning

SENT, DUTY_CYCLE, FAILED = "sent", "duty-cycle", "failed"  # values of radio.link.Outcome


@dataclass(frozen=True)
class _UnderWay:
    """Our packet in the radio's queue; `to`: the only neighbour that it is for; `former`: it leads those of an earlier
    secret."""

    packet: Packet
    ids: list[bytes]
    label: str
    sent_at: float
    to: Neighbour | None = None
    urgent: bool = False
    hop_limit: int = 0
    unsigned: bool = False  # our radio signs others, but not this one
    former: Former | None = None


@dataclass(frozen=True)
class QueuedRecord:
    """One that waits: `turn_s` seconds until it is its turn, `opens_s` until the governor is asked again for such a one;
    `sending`: a packet with it is in the radio's queue."""

    transmission: Transmission
    claim: Claim
    turn_s: float
    opens_s: float
    sending: bool


class AirEngine:
    """SUM / DATA / NEED on one LoRa link. `records`: what this island holds."""

    def __init__(self, channel: Channel, records: HeldRecords, identity: Identity, rng: Random,
                 tuning: Tuning = TUNING):
        self.channel, self._tuning = channel, tuning
        self.context = Context(channel, records, identity, rng, tuning)
        self.deadline: float | None = None
        self._reconciliation = Reconciliation(self.context)
        self._receiver, self._builder = Receiver(self.context, self._reconciliation), PacketBuilder(self.context)
        self._guide = Guide(self.context, identity.formers)
        self._sequence, self._same_number = rng.randrange(256), 0  # how many packets have had it already
        self._under_way: _UnderWay | None = None
        self._up = False
        self._turn_at = 0.0
        self._opens_at = dict.fromkeys(Claim, 0.0)  # from when on the governor may have room
        self._shift_s = 0.0  # what our own time is ahead of the island's clock
        self._last_at: float | None = None  # None before the first event

    @property
    def last_packet(self) -> Packet | None:
        """The packet taken in last, as it was read."""
        return self._receiver.last_packet

    def queue(self, now: float) -> list[QueuedRecord]:
        """What waits to be sent, in the order in which it goes as far as it is due. Asking changes nothing."""
        at = max(now + self._shift_s, self._last_at or 0.0)
        begun = self._under_way.ids if self._under_way else []
        return [QueuedRecord(one, claim, max(one.due_at or 0.0, self._turn_at) - at, self._opens_at[claim] - at,
                             one.id in begun)
                for one, claim in self.context.transmissions.planned(at)]

    def handle(self, event: Event, now: float) -> Iterable[Action]:
        """React to one event; those of other links change nothing."""
        at = self._elapsed(now)
        actions: list[Action] = []
        try:
            actions += self._react(event, at, now)
        except RemoteFault as fault:
            actions.append(Drop(self.channel.link, fault.reason))
        self._pass_time(at, now)
        actions += self._take_turn(at, now)
        moment = self._next_at(at)
        self.deadline = None if moment == math.inf else moment - self._shift_s
        return actions

    def _elapsed(self, now: float) -> float:
        """Our own time, which never jumps; the island's clock may."""
        if self._last_at is None:
            self._shift_s = -now
        elif not 0 <= now + self._shift_s - self._last_at <= self._tuning.clock_jump_s:
            self._shift_s = self._last_at - now
        self._last_at = at = now + self._shift_s
        return at

    def _react(self, event: Event, at: float, now: float) -> list[Action]:
        match event:
            case LinkChanged(self.channel.link, up):
                self._change_link(up, at)
            case PacketReceived(self.channel.link):
                airtime_s = self.channel.airtime_s(len(event.payload))
                self.channel.governor.heard(airtime_s, now)
                return self._packet(event, airtime_s, at, now)
            case SendDone(self.channel.link, outcome):
                self._done(outcome, at, now)
            case RecordKept():
                self._kept(event, at, now)
            case RecordRefused(id_, self.channel.link, reason):
                self._receiver.refused(id_, reason, at, now)
            case MeetNow() if self._up:
                self.context.announcements.meet(at)
            case RecordsGone(ids):
                self._gone(ids)
        return []

    @property
    def earlier_heard_at(self) -> float | None:
        """When somebody was last heard who speaks with an earlier secret of the set, None for nobody."""
        return self._guide.heard_at

    def _packet(self, event: PacketReceived, airtime_s: float, at: float, now: float) -> list[Action]:
        try:
            return self._receiver.packet(event, airtime_s, at, now)
        except RemoteFault as fault:
            if fault.reason == "packet-tag" and self._guide.heard(event.payload, event.hops or 0, at):
                return [Drop(event.link, "packet-earlier-secret")]
            raise

    def _change_link(self, up: bool, at: float) -> None:
        if up and not self._up:
            self.context.announcements.hello(at)
            if not self.context.holds_posts():
                until_at = at + self._tuning.evening_s
                self.context.neighbours.evening_until = self.context.transmissions.fairness.lenient_until = until_at
        self._up, self._under_way = up, None

    def _kept(self, event: RecordKept, at: float, now: float) -> None:
        record = self.context.records.get(event.id)
        if record is not None:
            self.context.transmissions.fairness.meet(record.author, at)
        self._receiver.kept(event.id, record, at, now)
        self.context.announcements.assure_later(at)
        if event.via == self.channel.link:
            return
        self.context.announcements.trickle.reset(at)
        if record is not None and not event.bulk:
            own = event.via == "post"
            pending = self.context.begun(event.id, record, fresh=True, own=own)
            if pending:
                pending.reaches = {one.address: Reach(pending.parts) for one in self.context.neighbours}
                self.context.transmissions.plan(pending, at, 0.0 if own else None)

    def _gone(self, ids: Iterable[bytes]) -> None:
        for id_ in ids:
            self.context.transmissions.drop(id_)

    def _done(self, outcome: str, at: float, now: float) -> None:
        sent, self._under_way = self._under_way, None
        if sent is None:
            return
        if outcome != SENT:
            self._not_sent(sent, outcome, at, now)
            return
        self.channel.governor.accepted()
        gap_t = self._gap_t(sent)
        if sent.former:  # who speaks with the present secret did not hear it
            self._guide.sent(sent.packet, sent.former)
        else:
            self._note_sent(sent, at)
        self._turn_at = at + self.context.timing.draw_s(gap_t)

    def _gap_t(self, sent: _UnderWay) -> Span:
        """How long to be silent after a packet."""
        if sent.label != "repair" or sent.urgent:
            return self._tuning.gap_t
        few = self.context.transmissions.waiting() <= self._tuning.few_repairs
        return self._tuning.few_gap_t if few else self._tuning.bulk_gap_t

    def _not_sent(self, sent: _UnderWay, outcome: str, at: float, now: float) -> None:
        if outcome == DUTY_CYCLE:
            self.channel.governor.refused(now)
        if outcome == FAILED and sent.to:
            sent.to.give_up_direct()
        self._turn_at = at + self._tuning.retry_s

    def _note_sent(self, sent: _UnderWay, at: float) -> None:
        if sent.to:
            sent.to.in_vain += 1
            self._same_number += 1  # what only one hears must not seem lost to the others
        else:
            self._sequence, self._same_number = (self._sequence + 1) % 256, 0
        self._builder.sent(sent.packet, at, sent.to)
        self.context.announcements.unspoken = 0
        if not sent.ids:
            self.context.transmissions.fairness.ask(at)
        self._note_tries(sent)
        for id_ in sent.ids:
            self.context.transmissions.sent(id_, sent.hop_limit, at, sent.unsigned)

    def _note_tries(self, sent: _UnderWay) -> None:
        """Those behind relays were told, or asked: when they say nothing, more relays are to carry it the next time."""
        named = {section.responder for section in sent.packet.sections if isinstance(section, Need | More)}
        lost = self.context.neighbours.lost() if sent.label == "sum" else []
        for one in self.context.neighbours:
            if 0 < one.hops <= sent.hop_limit:
                one.tries += one.address in named or (sent.label == "sum" and (one.view is View.FAR or one in lost))

    def _pass_time(self, at: float, now: float) -> None:
        self.context.fit(at)
        self.context.neighbours.end_evening(at)
        self._reconciliation.catch_up(at, now)
        self.context.transmissions.check(at)
        self.context.announcements.assure(at, self.context.doubtful)
        self.context.announcements.remind(at, self.context.requests.quiet_at)
        if self.context.announcements.trickle.at <= at:
            self.context.announcements.fire(at, self.context.doubt(), coming=not self.context.requests.may_ask(at))
            self.context.neighbours.forget(at)
            self.context.transmissions.prune()
        if self._under_way and at >= self._under_way.sent_at + self._tuning.lost_send_s:
            self._under_way = None

    def _take_turn(self, at: float, now: float) -> list[Send]:
        """Send the next packet if it is our turn, the governor agrees and there is something to say."""
        if not self._up or self._under_way or at < max(self._turn_at, 0) or self._wishes_at(at) > at:
            return []
        for claim in sorted(Claim, reverse=True):
            draft = self._builder.draft(at, now, claim) if self._opens_at[claim] <= at else None
            if draft is not None and (sends := self._send(draft, at, now)):
                return sends
        return self._lead(at, now)

    def _lead(self, at: float, now: float) -> list[Send]:
        """Send what leads those of an earlier secret, when we have nothing to say to the others; it leaves them room."""
        leading = self._guide.packet(at)
        if leading is None:
            return []
        packet, former, far = leading
        payload = encode(packet, former.tag_key)
        airtime_s = self.channel.airtime_s(len(payload))
        wait_s = self.channel.governor.wait_s(airtime_s, now, crowding=True)
        if wait_s > 0:
            self._guide.postpone(at + min(wait_s, self._tuning.lost_send_s))
            return []
        self.channel.governor.charge(airtime_s, now)
        self._under_way = _UnderWay(packet, [], "lead", at, former=former)
        return [Send(self.channel.link, payload, RELAY_HOPS if far else 0, label="lead")]

    def _send(self, draft: PacketDraft, at: float, now: float) -> list[Send]:
        """Send a packet unless the governor says to wait; then nothing of its claim, or a weaker one, goes before."""
        to = self._builder.addressee(draft)
        packet, min_bytes = self._builder.finish(draft, self._sequence, self._same_number)
        payload, urgent = encode(packet, self.context.key, min_bytes), draft.claim is Claim.URGENT
        airtime_s = self.channel.airtime_s(len(payload), direct=to is not None)
        self.channel.governor.lend(self.context.lent_s(at), now)
        wait_s = self.channel.governor.wait_s(airtime_s, now, urgent, crowding=draft.claim is Claim.CROWDING)
        if wait_s > 0:
            wait_s = min(wait_s, self._tuning.lost_send_s) + self.context.timing.draw_s((0, self._tuning.jitter_t))
            self._opens_at |= {claim: at + wait_s for claim in Claim if claim >= draft.claim}
            return []
        unsigned = self.channel.signs and len(payload) > SIGNED_UP_TO_BYTES
        hop_limit, name = (to.reach_hops, to.name) if to else (self._hop_limit(draft, at), "")
        self.channel.governor.charge(airtime_s, now, self.context.copies(hop_limit))
        self._under_way = _UnderWay(packet, draft.ids, draft.label, at, to, urgent, hop_limit, unsigned)
        return [Send(self.channel.link, payload, hop_limit, urgent, draft.label, name)]

    def _hop_limit(self, draft: PacketDraft, at: float) -> int:
        """0 among direct neighbours; else as many relays as carry it to the farthest that it is for.

        Our last SUM of introduction, and all but the first while we hear nobody, go far: to find out who is there.
        """
        context, summary = self.context, draft.label == "sum"
        if context.announcements.reach_hops and summary:
            return context.announcements.reach_hops
        live = context.neighbours.live()
        if not live:
            return self._hops_alone(summary, at)
        if draft.ids:
            carried = [pending for id_ in draft.ids if (pending := context.transmissions.get(id_))]
            return max((context.transmissions.distance(pending) for pending in carried), default=0)
        asked = [section.responder for section in draft.sections if isinstance(section, Need | More)]
        meant = [one for address in asked if draft.label == "need" and (one := context.neighbours.get(address))]
        return max(one.reach_hops for one in meant or live)

    def _hops_alone(self, summary: bool, at: float) -> int:
        """While nobody is there, as far as we can tell."""
        if self.context.announcements.introductions == self._tuning.introductions:
            return 0  # most likely somebody answers
        since_at = at - self._tuning.silent_s
        if not summary and any(not one.hops and one.heard_at > since_at for one in self.context.neighbours):
            return 0  # it is more likely silent than gone
        return RELAY_HOPS

    def _wishes_at(self, at: float) -> float:
        requests, transmissions = self.context.requests, self.context.transmissions
        speaks_at = min(self.context.announcements.next_at(requests.quiet_at), requests.next_at())
        speaks_at = max(speaks_at, self._opens_at[transmissions.fairness.asks(at)])
        return min(transmissions.next_at(self._opens_at, at), speaks_at, self._guide.next_at())

    def _next_at(self, at: float) -> float:
        if not self._up:
            return math.inf
        if self._under_way:
            return self._under_way.sent_at + self._tuning.lost_send_s
        soon = at + self._tuning.step_s
        return soon if self._reconciliation.busy else max(self._wishes_at(at), self._turn_at, soon)

"""The air engine behind a real radio: what the radio tells (preset, region, firmware) sets times, laws and budgets."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from node.board.air_orders import AirOrder, AirOrderKind
from node.board.status import AirWishes, Holding, LinkStatus
from node.daemon.air_log import AirLog
from node.daemon.air_status import AirStatus
from node.daemon.membership import Membership
from node.model.clock import minute_of, seconds_of
from node.model.errors import RemoteFault
from node.sync.events import Action, Event, LinkChanged, PacketReceived, Send, SendDone
from node.sync.lora.context import Channel, parts_of
from node.sync.lora.engine import AirEngine
from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES, WHOLE_BYTES, Have, Packet, Sum, decode
from node.sync.lora.transmissions import URGENT
from radio.airtime import Governor
from radio.lora import LONG_FAST, Modem, time_on_air_s
from radio.regions import REGIONS, UNSET

RADIO = "radio"
DEFAULT_REGION = "EU_868"  # the strictest law of a common region, until the radio tells its own
HOUR_MIN, HOURS = 60, 1 << 16
SOON_S = 30.0  # a text with its repeats is over by then
SUMMARY_WITHIN_S = 1_800.0  # summaries tell the time by the hour


class RadioFacts(Protocol):
    """What of `radio.meshtastic.facts.Facts` is needed."""

    @property
    def region(self) -> str:
        """The region's name, "" if it was not told."""

    @property
    def modem(self) -> Modem:
        """How the radio modulates."""

    @property
    def signs(self) -> bool:
        """Whether its firmware signs small broadcasts."""

    @property
    def strict(self) -> bool:
        """Whether it hears only what is signed, or for it alone."""

    @property
    def channel_use(self) -> float | None:
        """The part of the last minute that the channel was busy."""

    @property
    def use_at(self) -> float:
        """The monotonic moment when that was told."""


@dataclass(frozen=True)
class RadioLimits:
    """What the keeper set: the largest payload, the region ("" lets the radio tell), percent of the legal airtime (0 for a
    modest default)."""

    max_payload: int
    region: str = ""
    share_percent: float = 0.0

    @property
    def share(self) -> float | None:
        """The part of the legal airtime, None for the default."""
        return self.share_percent / 100 or None


@dataclass(frozen=True)
class SendingCost:
    """What one transmission of a record takes on a channel. `on_air_s(payload_bytes)`: seconds for one packet."""

    max_payload: int
    on_air_s: Callable[[int], float]

    def packets(self, record_bytes: int) -> int:
        """How many packets."""
        return parts_of(record_bytes, self.max_payload)

    def airtime_s(self, record_bytes: int) -> float:
        """How many seconds of air."""
        packets = self.packets(record_bytes)
        extra = HEADER_BYTES + (WHOLE_BYTES if packets == 1 else PIECE_BYTES)
        return packets * self.on_air_s(-(-record_bytes // packets) + extra)


def lora_governor(limits: RadioLimits, monotonic: Callable[[], float]) -> Governor:
    """The governor of this channel, by the strictest law until the radio tells its region."""
    return Governor(limits.region or DEFAULT_REGION, limits.share, monotonic)


class LoraAdapter:
    """An engine (`node.replica.replica.Engine`) for the link RADIO. `facts()` gives what its radio told last.

    `tell_time(who, utc_s)` hears what neighbours take the time to be, within half an hour. All belongs to one thread but
    `cost`: a value that any thread may read.
    """

    name = RADIO

    def __init__(self, member: Membership, facts: Callable[[], RadioFacts], limits: RadioLimits, governor: Governor,
                 tell_time: Callable[[str, float], object]):
        self._member, self._facts, self._limits, self._tell_time = member, facts, limits, tell_time
        self.governor, self.log = governor, AirLog()
        self._status = AirStatus(governor, self.log, limits.max_payload)
        self._ends_at = dict.fromkeys((AirOrderKind.SILENCE, AirOrderKind.ONLY_URGENT, AirOrderKind.SHARE), -math.inf)
        self._lent: float | None = None  # the share that a keeper wants for a while
        self._use_at = 0.0
        self._newest: float | None = None  # of the engine's own time: when a neighbour was heard last
        self.earlier_heard_at: float | None = None  # somebody who speaks with an earlier secret of the set
        self._earlier_at: float | None = None  # the same, of the engine's own time
        self.heard_at: float | None = None  # the same by the island's clock
        self._up = False
        self._tuned = (LONG_FAST, False, False)  # modem, signs, strict
        self._make_engine()

    @property
    def deadline(self) -> float | None:
        """See node.replica.replica.Engine."""
        return self._engine.deadline

    def handle(self, event: Event, now: float) -> Iterable[Action]:
        """See node.replica.replica.Engine."""
        facts = self._facts()
        if facts.channel_use is not None and facts.use_at != self._use_at:
            self._use_at = facts.use_at
            self.governor.channel_told(facts.channel_use, now)
            self.log.channel(facts.channel_use, self.governor.moment(now))
        if isinstance(event, LinkChanged) and event.link == self.name:
            self._up = event.up
        if self._up:
            self._tune(facts, now)
        before = self._engine.last_packet
        actions = list(self._engine.handle(event, now))
        if isinstance(event, PacketReceived) and event.link == self.name:
            self._note_heard(before, event, now)
            self._note_neighbour(now)
            self._note_earlier(now)
        if isinstance(event, SendDone) and event.link == self.name:
            self.log.done(event.outcome)
        self._note_sent([action for action in actions if isinstance(action, Send)], now)
        return actions

    def urgent_waits(self, now: float) -> bool:
        """Whether something urgent, or about who may write, is about to be sent."""
        return any(one.due_at is not None and one.due_at <= now + SOON_S and one.rank.precedence <= URGENT
                   for one in self._engine.context.transmissions)

    def status(self, link: LinkStatus, now: float) -> LinkStatus:
        """The link's status with what it may send and has sent, whom it hears, what waits to be sent and why."""
        self._end_share(now)
        context, now_s = self._engine.context, now - (self.heard_at or now)
        ages_s = {one.address: (self._newest or 0) - one.heard_at + now_s for one in context.neighbours}
        told = self._status.told(link, self._engine, self._wishes(now), now)
        return replace(told, neighbours=self._status.neighbours(self._engine, ages_s))

    def holdings(self, now: float) -> tuple[Holding, ...]:
        """What each island that is heard was last known to hold."""
        now_s = now - (self.heard_at or now)
        return self._status.holdings(self._engine, lambda at: minute_of(now - ((self._newest or 0) - at + now_s)))

    def obey(self, order: AirOrder, now: float) -> None:
        """What a keeper wants for a while; nothing of it outlives a start of the island. The governor itself is told to
        be silent by whoever has all of them."""
        self._ends_at[order.kind] = self.governor.moment(now) + 60.0 * order.minutes
        if order.kind is AirOrderKind.SHARE:
            self._lend(order.percent / 100 if order.minutes else None)

    def _lend(self, share: float | None) -> None:
        self._lent = share
        self.governor.configure(self.governor.region, self._share)

    @property
    def _share(self) -> float | None:
        return self._limits.share if self._lent is None else self._lent

    def _end_share(self, now: float) -> None:
        if self._lent is not None and self.governor.moment(now) >= self._ends_at[AirOrderKind.SHARE]:
            self._lend(None)

    def _wishes(self, now: float) -> AirWishes:
        at = self.governor.moment(now)
        left_s = {kind: round(max(until - at, 0.0), 1) for kind, until in self._ends_at.items()}
        return AirWishes(left_s[AirOrderKind.SILENCE], left_s[AirOrderKind.ONLY_URGENT], 100 * (self._lent or 0.0),
                         left_s[AirOrderKind.SHARE])

    def _note_heard(self, before: Packet | None, event: PacketReceived, now: float) -> None:
        packet = self._engine.last_packet
        if packet is not None and packet is not before:
            airtime_s = self._engine.channel.airtime_s(len(event.payload))
            self.log.heard(packet, event, airtime_s, self.governor.moment(now))

    def _note_sent(self, sends: list[Send], now: float) -> None:
        for send in sends:
            try:
                packet = decode(send.payload, self._engine.context.key)
            except RemoteFault:  # it leads those who speak with an earlier secret
                packet = None
            airtime_s = self._engine.channel.airtime_s(len(send.payload), direct=bool(send.to))
            self.log.sent(send, packet, airtime_s, self.governor.moment(now))

    def _note_earlier(self, now: float) -> None:
        at = self._engine.earlier_heard_at
        if at is not None and at != self._earlier_at:
            self._earlier_at, self.earlier_heard_at = at, now

    def _note_neighbour(self, now: float) -> None:
        newest = max((one.heard_at for one in self._engine.context.neighbours), default=None)
        packet = self._engine.last_packet
        if newest is None or newest == self._newest or packet is None:
            return
        self._newest, self.heard_at = newest, now
        for section in packet.sections:
            if isinstance(section, Sum | Have):
                self._tell_time(neighbour_name(packet.sender), time_of(section.as_of_h, now))

    def _tune(self, facts: RadioFacts, now: float) -> None:
        """Start anew when the radio works otherwise than before, whoever set it up: every time of the protocol scales with
        its preset, every packet fits what it signs."""
        region = self._limits.region or facts.region
        if region in REGIONS and region not in (UNSET, self.governor.region):
            self.governor.configure(region, self._share)
        wanted = (facts.modem, facts.signs, facts.strict)
        if wanted != self._tuned:
            self._tuned = wanted
            self._make_engine()
            self._engine.handle(LinkChanged(self.name, True), now)

    def _make_engine(self) -> None:
        member, (modem, signs, strict) = self._member, self._tuned
        on_air_s = partial(time_on_air_s, modem=modem, signs=signs)
        channel = Channel(self.name, on_air_s, self.governor, self._limits.max_payload, signs, strict)
        self._engine = AirEngine(channel, member.liveset, member.identity, member.rng)
        self.cost = SendingCost(self._limits.max_payload, on_air_s)
        self.governor.longest_s = on_air_s(self._limits.max_payload)


def neighbour_name(address: int) -> str:
    """How an address of 16 bits is written."""
    return f"{address:04x}"


def time_of(as_of_h: int, now: float) -> float:
    """The moment meant by an hour of 16 bits, the one nearest to `now`: summaries speak as of the next full hour."""
    ours = minute_of(now) // HOUR_MIN
    hour = ours + (as_of_h - ours + HOURS // 2) % HOURS - HOURS // 2
    return seconds_of(hour * HOUR_MIN - HOUR_MIN // 2)

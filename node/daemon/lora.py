"""The air engine behind a real radio: what the radio tells (preset, region, firmware) sets times, laws and budgets."""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from node.board.status import AirtimeStatus, LinkStatus, NeighbourStatus, QueueStatus
from node.daemon.membership import Membership
from node.model.clock import minute_of, seconds_of
from node.sync.events import Action, Event, LinkChanged, PacketReceived
from node.sync.lora.context import Channel, parts_of
from node.sync.lora.engine import AirEngine
from node.sync.lora.neighbours import Neighbour
from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES, WHOLE_BYTES, Have, Sum
from radio.airtime import Governor
from radio.lora import LONG_FAST, Modem, time_on_air_s
from radio.regions import REGIONS, UNSET

RADIO = "radio"
DEFAULT_REGION = "EU_868"  # the strictest law of a common region, until the radio tells its own
HOUR_MIN, HOURS = 60, 1 << 16
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
        self.governor = governor
        self._use_at = 0.0
        self._newest: float | None = None  # of the engine's own time: when a neighbour was heard last
        self.earlier_heard_at: float | None = None  # somebody who speaks with an earlier secret of the set
        self._earlier_at: float | None = None  # the same, of the engine's own time
        self.heard_at: float | None = None  # the same by the island's clock
        self._make_engine(LONG_FAST, signs=False)

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
        if isinstance(event, LinkChanged) and event.link == self.name and event.up:
            self._tune(facts)
        actions = self._engine.handle(event, now)
        if isinstance(event, PacketReceived) and event.link == self.name:
            self._note_neighbour(now)
            self._note_earlier(now)
        return actions

    def status(self, link: LinkStatus, now: float) -> LinkStatus:
        """The link's status with what it may send and has sent, whom it hears, what waits to be sent."""
        context = self._engine.context
        waiting = [pending for pending in context.transmissions if pending.due_at is not None]
        lacking = Counter(address for pending in context.transmissions
                          for address, reach in pending.reaches.items() if reach.missing)
        neighbours = tuple(self._neighbour_status(one, lacking[one.address], now) for one in context.neighbours)
        queue = QueueStatus(len(waiting), sum(pending.parts for pending in waiting))
        return replace(link, airtime=self._airtime_status(now), neighbours=neighbours, queue=queue)

    def _airtime_status(self, now: float) -> AirtimeStatus:
        governor, longest_s = self.governor, self.cost.on_air_s(self._limits.max_payload)
        return AirtimeStatus(governor.region, round(governor.limit_s, 1), round(governor.used_s(now), 1),
                             round(governor.used_s(now, 15), 1), round(governor.left_s(now), 1),
                             round(governor.wait_s(longest_s, now), 1))

    def _neighbour_status(self, one: Neighbour, lacks: int, now: float) -> NeighbourStatus:
        age_s = (self._newest or 0) - one.heard_at + now - (self.heard_at or now)
        return NeighbourStatus(neighbour_name(one.address), round(max(age_s, 0)), one.hops, round(one.loss, 2),
                               one.view.value, lacks)

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

    def _tune(self, facts: RadioFacts) -> None:
        """Start anew when the radio works otherwise than before: every time of the protocol scales with its preset."""
        region = self._limits.region or facts.region
        if region in REGIONS and region not in (UNSET, self.governor.region):
            self.governor.configure(region, self._limits.share)
        if (facts.modem, facts.signs) != self._tuned:
            self._make_engine(facts.modem, facts.signs)

    def _make_engine(self, modem: Modem, signs: bool) -> None:
        member, self._tuned = self._member, (modem, signs)
        on_air_s = partial(time_on_air_s, modem=modem, signs=signs)
        channel = Channel(self.name, on_air_s, self.governor, self._limits.max_payload, signs)
        rng = random.Random()  # noqa: S311 - when to send is no secret
        self._engine = AirEngine(channel, member.liveset, member.identity, rng)
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

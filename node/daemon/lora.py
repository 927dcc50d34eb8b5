"""The air engine behind a real radio: what the radio tells (preset, region, firmware) sets times, laws and budgets."""

import random
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from node.model.clock import minute_of, seconds_of
from node.model.keys import Charter, SigningKey
from node.replica.liveset import LiveSet
from node.sync.events import Action, Event, LinkChanged, PacketReceived
from node.sync.lora.context import Channel
from node.sync.lora.engine import AirEngine, address_of
from node.sync.lora.neighbours import Neighbour
from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES, WHOLE_BYTES, Have, Sum, decode
from radio.airtime import Governor
from radio.lora import LONG_FAST, Modem, time_on_air_s
from radio.regions import REGIONS, UNSET

DEFAULT_REGION = "EU_868"  # the strictest law of a common region, until the radio tells its own
HOUR_MIN, HOURS = 60, 1 << 16
SUMMARY_WITHIN_S = 1_800.0  # summaries tell the time by the hour


class RadioFacts(Protocol):
    """What of `radio.meshtastic.facts.Facts` is needed."""

    region: str
    preset: str
    modem: Modem
    signs: bool
    channel_use: float | None
    use_at: float


class LoraAdapter:
    """An engine (`node.replica.replica.Engine`) for the link `name`. `facts()` gives what its radio told last.

    `limits`: largest payload, region ("" lets the radio tell), percent of the legal airtime (0 for a modest default).
    `tell_time(who, utc_s)` hears what neighbours take the time to be, within half an hour.
    """

    def __init__(self, name: str, membership: tuple[Charter, SigningKey, LiveSet], facts: Callable[[], RadioFacts],
                 limits: tuple[int, str, float], tell_time: Callable[[str, float], object]):
        self.name, self._facts, self._membership, self._tell_time = name, facts, membership, tell_time
        self.max_payload, self._region, self._share = limits
        self.governor = Governor(self._region or DEFAULT_REGION, self._share / 100 or None)
        self._tag_key = membership[0].subkey("tag")
        self._use_at = 0.0
        self._newest: float | None = None  # of the engine's own time: when a neighbour was heard last
        self.heard_at: float | None = None  # the same by the island's clock
        self._engine = self._make_engine(LONG_FAST, signs=False)

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
            self._note_neighbour(event.payload, now)
        return actions

    def packets(self, record_bytes: int) -> int:
        """How many packets one transmission of a record takes."""
        return self._engine.station.parts(record_bytes)

    def airtime_s(self, record_bytes: int) -> float:
        """Seconds of air that one transmission of a record takes."""
        packets = self.packets(record_bytes)
        extra = HEADER_BYTES + (WHOLE_BYTES if packets == 1 else PIECE_BYTES)
        return packets * self._engine.channel.airtime_s(-(-record_bytes // packets) + extra)

    def status(self, now: float) -> dict:
        """For the status: what it may send and has sent, whom it hears, what waits to be sent."""
        governor, station = self.governor, self._engine.station
        waiting = [rumour for rumour in station.rumours if rumour.due_at is not None]
        return {
            "airtime": {
                "region": governor.region, "limit_s": round(governor.limit_s, 1),
                "used_s": round(governor.used_s(now), 1), "used_15_s": round(governor.used_s(now, 15), 1),
                "left_s": round(governor.left_s(now), 1),
                "next_send_s": round(governor.wait_s(self._engine.channel.airtime_s(self.max_payload), now), 1),
            },
            "neighbours": [self._neighbour_status(one, now) for one in station.near],
            "queue": {"records": len(waiting), "packets": sum(rumour.parts for rumour in waiting)},
        }

    def _neighbour_status(self, one: Neighbour, now: float) -> dict:
        age_s = (self._newest or 0) - one.heard_at + now - (self.heard_at or now)
        lacks = sum(any(reach.missing for address, reach in rumour.reaches.items() if address == one.address)
                    for rumour in self._engine.station.rumours)
        return {"name": f"{one.address:04x}", "heard_s_ago": round(max(age_s, 0)), "relays": one.hops,
                "loss": round(one.loss, 2), "set": one.view.value, "lacks": lacks}

    def _note_neighbour(self, payload: bytes, now: float) -> None:
        newest = max((one.heard_at for one in self._engine.station.near), default=None)
        if newest is None or newest == self._newest:
            return
        self._newest, self.heard_at = newest, now
        packet = decode(payload, self._tag_key)  # the engine took it, so it can be read
        for section in packet.sections:
            if isinstance(section, Sum | Have):
                self._tell_time(f"{packet.sender:04x}", time_of(section.as_of_h, now))

    def _tune(self, facts: RadioFacts) -> None:
        """Start anew when the radio works otherwise than before: every time of the protocol scales with its preset."""
        region = self._region or facts.region
        if region in REGIONS and region not in (UNSET, self.governor.region):
            self.governor.configure(region, self._share / 100 or None)
        if (facts.modem, facts.signs) != self._tuned:
            self._engine = self._make_engine(facts.modem, facts.signs)

    def _make_engine(self, modem: Modem, signs: bool) -> AirEngine:
        _, key, liveset = self._membership
        self._tuned = modem, signs
        airtime_s = partial(time_on_air_s, modem=modem, signs=signs)
        channel = Channel(self.name, airtime_s, self.governor, self.max_payload, signs)
        rng = random.Random()  # noqa: S311 - when to send is no secret
        return AirEngine(channel, liveset, self._tag_key, address_of(key.key_id, self._tag_key), rng)


def time_of(as_of_h: int, now: float) -> float:
    """The moment meant by an hour of 16 bits, the one nearest to `now`: summaries speak as of the next full hour."""
    ours = minute_of(now) // HOUR_MIN
    hour = ours + (as_of_h - ours + HOURS // 2) % HOURS - HOURS // 2
    return seconds_of(hour * HOUR_MIN - HOUR_MIN // 2)

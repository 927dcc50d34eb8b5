"""Makes the status of what surrounds the board, on the runner's thread; all others read the last one that was made.

So no page, no command and no maintenance asks an engine, a governor or a link: those belong to the runner's thread.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from node import __version__
from node.board.status import (
    ArchiveStatus,
    BrokerStatus,
    ClockStatus,
    ClockVoice,
    HostStatus,
    LanStatus,
    LinkStatus,
    MachineStatus,
    RadioStatus,
    SecretStatus,
    TextsStatus,
)
from node.daemon.lora import LoraAdapter
from node.daemon.timekeeper import Timekeeper
from node.model.clock import minute_of
from node.replica.replica import Replica
from node.store.journalstore import JournalStore
from radio.link import Link
from radio.meshtastic.facts import Facts
from radio.meshtastic.link import MeshtasticLink, node_name
from radio.mqtt.link import MqttLink

PERIOD_S = 1.0


@dataclass(frozen=True)
class StatusSources:
    """What is asked. `archive`, `lan`, `erasure_owed_s`, `card_errors`, `machine`: values that their own threads made;
    `notices`: what other programs tell; `texts(now)`: None while no text is answered."""

    name: str
    notices: Callable[[], tuple[str, ...]]
    timekeeper: Timekeeper
    replica: Replica
    air: LoraAdapter
    links: Sequence[Link]
    store: JournalStore
    archive: Callable[[], ArchiveStatus]
    lan: Callable[[], LanStatus]
    erasure_owed_s: Callable[[], float | None]
    card_errors: Callable[[], int]
    secret: Callable[[], SecretStatus]
    machine: Callable[[], MachineStatus]
    texts: Callable[[float], TextsStatus | None]


class StatusReporter:
    """`last` is for every thread, `refresh` for the runner's."""

    def __init__(self, sources: StatusSources):
        self._sources = sources
        self.last = self._made(sources.timekeeper.now())

    def refresh(self, now: float) -> None:
        """Make another one."""
        self.last = self._made(now)

    def _made(self, now: float) -> HostStatus:
        of = self._sources
        heard = max((at for at in (of.air.heard_at, of.replica.heard_at) if at is not None), default=None)
        clock = clock_status(of.timekeeper, now)
        return HostStatus(of.name, of.notices(), None if heard is None else minute_of(heard), clock, of.archive(),
                          of.store.damaged, counted(of.replica.counters), tuple(self._link(link, now) for link in of.links),
                          of.lan(), of.erasure_owed_s(), of.card_errors(), of.secret(), of.machine(), of.texts(now),
                          __version__)

    def _link(self, link: Link, now: float) -> LinkStatus:
        if isinstance(link, MqttLink):
            return LinkStatus(link.name, link.up, link.state, counted(link.counters), broker=BrokerStatus(link.verdict))
        if not isinstance(link, MeshtasticLink):
            return LinkStatus(link.name, link.up, link.state, counted(link.counters))
        told = LinkStatus(link.name, link.up, link.state, counted(link.counters), radio_status(link.facts))
        return self._sources.air.status(told, now)


def clock_status(timekeeper: Timekeeper, now: float) -> ClockStatus:
    """What is known of the time."""
    others = tuple(ClockVoice(source.name.lower(), minute_of(utc)) for source, utc in timekeeper.contradictions())
    source = timekeeper.source.name.lower()
    return ClockStatus(source, timekeeper.sure, minute_of(now), timekeeper.told, timekeeper.can_undo, others)


def counted(counters: Mapping[str, int]) -> Mapping[str, int]:
    """Counters as they are now."""
    return MappingProxyType(dict(counters))


def radio_status(facts: Facts) -> RadioStatus:
    """What a radio told of itself."""
    return RadioStatus(facts.firmware, facts.region, facts.preset, facts.frequency_mhz, facts.channel_use, facts.own_use,
                       node_name(facts.node) if facts.node else "", facts.battery, facts.voltage_v, facts.temperature_c,
                       facts.signature_policy, facts.harms)

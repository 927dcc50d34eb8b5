"""A real island put together from its settings: store, live set, links, engines, runner, board, portal."""

import logging
import os
import random
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from node.board.api import LANGUAGES
from node.board.board import Board
from node.board.host import Host
from node.daemon.ax25 import packet_engine, packet_link, packet_ready
from node.daemon.bulk_client import doors
from node.daemon.keyfiles import KeyFolder
from node.daemon.lan_discovery import LanDiscovery
from node.daemon.lora import SUMMARY_WITHIN_S, LoraAdapter
from node.daemon.maintenance import Maintenance
from node.daemon.mqtt import brokers_of
from node.daemon.qr_reader import scanned
from node.daemon.rpc import RpcServer
from node.daemon.rpc_handlers import handlers
from node.daemon.runner import PeriodicJob, Runner
from node.daemon.settings import Settings
from node.daemon.timekeeper import Timekeeper, TimeSource
from node.daemon.timesource import system_is_synchronised
from node.ical.importer import Importer
from node.ical.parser import Locality
from node.model.clock import RELEASED_AT, Clock, minute_of
from node.replica.liveset import LiveSet
from node.replica.replica import AGENDA, Replica
from node.store.archive import Archive
from node.store.backup import ARCHIVE_FILE
from node.store.journalstore import JournalStore
from node.sync.events import Imported, LinkChanged
from node.sync.mqtt.engine import MqttEngine
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.lan import LanService
from node.transfer.service import TransferService
from radio.link import Link
from radio.meshtastic.facts import Facts
from radio.meshtastic.link import MeshtasticLink
from radio.meshtastic.settings import MeshtasticSettings
from radio.mqtt.link import MqttLink

log = logging.getLogger(__name__)

RADIO = "radio"
MAX_NOTICES = 20
CLOCK_PERIOD_S, NOTES_PERIOD_S = 20.0, 600.0


class App:
    """One island. `open` returns its portal; everything opened is closed by `close`, in reverse order."""

    def __init__(self, settings: Settings, clock: Clock):
        self.settings, self._clock = settings, clock
        self._open = ExitStack()
        keys = KeyFolder(settings.node.data)
        self.charter, self.key, self._credentials = keys.charter(), keys.island_key(), keys.credentials()
        self._portal_secret = keys.portal_secret()
        self._notices = notices_in(settings.portal.notices)

    def open(self) -> Any:
        """Start everything; the WSGI application of the portal."""
        data = self.settings.node.data
        self.store = JournalStore(data)
        self._open.callback(self.store.close)
        self.archive = Archive(data / ARCHIVE_FILE)
        self._open.callback(self.archive.close)
        self.timekeeper = self._make_timekeeper()
        self.liveset = LiveSet(self.charter)
        self.brokers = brokers_of(self.settings.mqtt, self.charter)
        self.links = list(self._make_links())
        self.air = self._make_air()
        rng = random.Random()  # noqa: S311 - when to send is no secret
        mirrors = [MqttEngine(name, self.charter, self.liveset, rng) for name in self.brokers]
        packet = packet_engine((self.charter, self.key, self.liveset), self.settings.packet)
        self.island = Replica(self.liveset, self.store, [self.air, packet, *mirrors])
        self.island.load(self.timekeeper.now())
        self.runner = Runner(self.island, self.links, self.timekeeper, self._chores())
        self.board = Board(self.liveset, self.store, self.archive, self.key, self._shell())
        self.bulk = LocalBulkPort(self.liveset, self.store, IslandLabel(self.key.key_id, self.settings.node.name),
                                 self.timekeeper.now, self.runner.take_in)
        self.lan = LanService(self.bulk, self.charter.subkey("lan"), os.urandom)
        self.board.transfer = TransferService(self.bulk, self.lan, self.board.item, scanned)
        self.board.imports = Importer(self.board, lambda raws: self.runner.take_in(raws, AGENDA), self._here(),
                                          threading.Lock())
        self._start()
        return self._portal()

    def close(self) -> None:
        """Stop everything; twice is allowed."""
        self._open.close()

    def _start(self) -> None:
        self.runner.start()
        self._open.callback(self._keep_notes, None)
        self._open.callback(self.runner.stop)
        self.runner.take(Imported(tuple(self._credentials), "credentials"))
        self.rounds = LanDiscovery((self.bulk, self.lan, self.charter.subkey("lan")), self.settings.lan.peers,
                                self.settings.lan.discover, reachable_port(self.settings))
        self._open.callback(self.rounds.close)
        errands = Maintenance(self)
        self._open.callback(errands.close)
        control = RpcServer(self.settings.node.data, handlers(self) | doors(self.bulk))
        self._open.callback(control.close)

    def _portal(self) -> Any:
        from web import create_app
        from web.portal_settings import WebSettings as PortalSettings

        node, portal = self.settings.node, self.settings.portal
        return create_app(self.board, PortalSettings(
            name=node.name, secret_key=self._portal_secret, base_url=portal_address(self.settings), language=node.language,
            timezone=node.timezone, position=node.position, wifi=portal.wifi, behind_front=portal.behind_front,
            keepers=self.board.password_hash))

    # time

    def _make_timekeeper(self) -> Timekeeper:
        note = self.store.note("clock") or {}
        floor = max(float(note.get("floor", 0)), RELEASED_AT)
        return Timekeeper(self._clock, floor, guess=max(self._clock.now(), float(note.get("seen", 0))))

    def _tell_time(self, now: float) -> None:
        """Ask the sources that must be asked."""
        if system_is_synchronised() or self._clock.rate != 1:
            self.timekeeper.tell(TimeSource.SYSTEM, self._clock.now())
        for link in self.links:
            told = link.radio_time if isinstance(link, MeshtasticLink) else None
            if told is not None:
                self.timekeeper.tell(TimeSource.RADIO, told[0], link.name)

    def _clock_was_set(self, step_s: float) -> None:
        """Setting the clock is no way to more airtime; and an engine that sleeps until some hour must look again."""
        self.air.governor.clock_jumped(step_s)
        for link in self.links:
            self.runner.take(LinkChanged(link.name, link.up))

    def _keep_notes(self, now: float | None) -> None:
        """What must outlive a restart: the time, and what was sent in the last hour."""
        now = self.timekeeper.now() if now is None else now
        self.timekeeper.raise_floor()
        self.store.set_note("clock", {"floor": round(self.timekeeper.floor), "seen": round(now)})
        self.store.set_note("airtime", self.air.governor.state(now))

    def _chores(self) -> list[PeriodicJob]:
        return [PeriodicJob(CLOCK_PERIOD_S, self._tell_time), PeriodicJob(NOTES_PERIOD_S, self._keep_notes)]

    # links

    def _make_links(self) -> list[Link]:
        links: list[Link] = []
        radio = self.settings.radio
        if radio.connect != "none":
            wanted = MeshtasticSettings(radio.connect, radio.channel, radio.max_payload, speed=self._clock.rate)
            links.append(MeshtasticLink(wanted, RADIO))
        if packet_ready(self.settings.packet):
            links.append(packet_link(self.settings.packet, self._clock.rate))
        return links + [MqttLink(broker, name) for name, broker in self.brokers.items()]

    def _make_air(self) -> LoraAdapter:
        radio = self.settings.radio
        air = LoraAdapter(RADIO, (self.charter, self.key, self.liveset), self._radio_facts,
                      (radio.max_payload, radio.region, radio.share),
                      lambda who, utc: self.timekeeper.tell(TimeSource.ISLAND, utc, who, within_s=SUMMARY_WITHIN_S))
        air.governor.restore(self.store.note("airtime"), self.timekeeper.now())
        self.timekeeper.on_step = self._clock_was_set
        return air

    def _radio_facts(self) -> Facts:
        return next((link.facts for link in self.links if isinstance(link, MeshtasticLink)), Facts())

    # the board's surroundings

    def _shell(self) -> Host:
        return Host(self.timekeeper.now, self.runner.publish, os.urandom, self.air.packets, self.air.airtime_s, self.about,
                     threading.Lock(), self.settings.portal.posting, self.timekeeper.keeper_says)

    def _here(self) -> Locality:
        node = self.settings.node
        language = next((number for number, tag in LANGUAGES.items() if tag == node.language), 0)
        return Locality(ZoneInfo(node.timezone), language)

    def about(self) -> dict:
        """The part of the status that the board does not know."""
        now, keeper = self.timekeeper.now(), self.timekeeper
        heard = max((at for at in (self.air.heard_at, self.island.heard_at) if at is not None), default=None)
        archive_ok, archive_reason = self.archive.health()
        return {
            "name": self.settings.node.name,
            "notices": self._notices,
            "last_heard": None if heard is None else minute_of(heard),
            "clock": {"source": keeper.source.name.lower(), "sure": keeper.sure, "now": minute_of(now)},
            "archive": {"ok": archive_ok, "reason": archive_reason, "records": len(self.archive)},
            "damaged": self.store.damaged,
            "counters": dict(self.island.counters),
            "links": [self._link_status(link, now) for link in self.links],
            "lan": {"peers": self.rounds.status(), "counters": dict(self.lan.counters)},
        }

    def _link_status(self, link: Link, now: float) -> dict:
        status = {"name": link.name, "up": link.up, "state": link.state, "counters": dict(link.counters)}
        if not isinstance(link, MeshtasticLink):
            return status
        facts = link.facts
        told = {"firmware": facts.firmware, "region": facts.region, "preset": facts.preset,
                "frequency_mhz": facts.frequency_mhz, "channel_use": facts.channel_use, "own_use": facts.own_use}
        return {**status, "radio": told, **self.air.status(now)}


def portal_address(settings: Settings) -> str:
    """What to type in a browser."""
    host, port = settings.portal.listen
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104 - compared only
    return settings.portal.address or f"http://{shown}{'' if port == 80 else f':{port}'}/"


def reachable_port(settings: Settings) -> int | None:
    """Where other machines reach the portal; None when only this one can."""
    host, port = settings.portal.listen
    if settings.portal.behind_front:
        return 80
    return None if host.startswith("127.") or host in ("localhost", "::1") else port


def notices_in(path: str) -> list[str]:
    """What this machine wants to tell on the first page: a file's lines, none if there is no file."""
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()[:MAX_NOTICES] if path else []
    except OSError:
        return []

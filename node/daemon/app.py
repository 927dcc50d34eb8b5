"""A real island put together from its settings: store, live set, links, engines, runner, board, portal."""

import contextlib
import logging
import math
import os
import random
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from node.board.air_orders import AirOrder, AirOrderKind
from node.board.api import LANGUAGES
from node.board.board import Board
from node.board.host import Host
from node.board.island_settings import POSTING
from node.board.status import Holdings, LanStatus
from node.daemon.air_names import AirNames
from node.daemon.attendance import Attendance
from node.daemon.ax25 import PACKET, packet_engine, packet_governor, packet_link, packet_ready
from node.daemon.bulk_client import bulk_handlers
from node.daemon.capture_tap import CaptureTap, capture_handlers
from node.daemon.card_maker import CardHost, IslandCardMaker
from node.daemon.card_order import folders_here
from node.daemon.care import CareHost, IslandCare
from node.daemon.certificate import safe_address
from node.daemon.idle_link import opened
from node.daemon.internet import has_way_out
from node.daemon.keyfiles import KeyFolder
from node.daemon.keyring import IslandKeyring, KeyringHost
from node.daemon.lan_discovery import DiscoverySettings, LanDiscovery, reachable_port
from node.daemon.lora import RADIO, SUMMARY_WITHIN_S, LoraAdapter, RadioLimits, lora_governor, neighbour_name
from node.daemon.loudspeaker import Loudspeaker, LoudspeakerHost
from node.daemon.machine import uptime_s
from node.daemon.maintenance import Maintenance
from node.daemon.meeting import Meeting, meeting_handlers
from node.daemon.membership import Membership
from node.daemon.mqtt import broker_link, brokers_of
from node.daemon.night_watch import NightWatch
from node.daemon.notices import notice_files
from node.daemon.orders import Orders, words_here
from node.daemon.qr_reader import scanned
from node.daemon.radio_setting import RadioSetter, radio_handlers
from node.daemon.reception import text_air, text_service
from node.daemon.refounding import FoundingHost, IslandFounding, carry_out
from node.daemon.rpc import RpcServer
from node.daemon.rpc_board import board_handlers
from node.daemon.rpc_cards import card_handlers
from node.daemon.rpc_digest import digest_handlers
from node.daemon.rpc_gather import gather_handlers
from node.daemon.rpc_handlers import handlers
from node.daemon.rpc_keys import key_handlers
from node.daemon.rpc_publish import publish_handlers
from node.daemon.runner import PeriodicJob, Runner
from node.daemon.secret_keeper import SecretKeeper
from node.daemon.settings import Settings
from node.daemon.settings_keeper import NO_CARD, CardLines, SettingsHost, SettingsKeeper, taken_up
from node.daemon.settings_reader import Notice, first_of, notices_in
from node.daemon.sheet_facts import sheet_of
from node.daemon.source_gatherer import GatherHost, SourceGatherer
from node.daemon.speech import Speech
from node.daemon.status_reporter import PERIOD_S as STATUS_PERIOD_S
from node.daemon.status_reporter import StatusReporter, StatusSources, counted
from node.daemon.text_service import TextInbox, TextService
from node.daemon.thread_guard import guard
from node.daemon.timekeeper import Timekeeper
from node.daemon.timerules import DAY_S, TimeSource, TimeSpan, Voice, around
from node.daemon.timesource import has_battery_clock, system_is_synchronised
from node.daemon.wifi_order import wifi_here
from node.gather.post_taker import PostTaker
from node.ical.importer import Importer
from node.ical.parser import Locality
from node.model.clock import Clock, minute_of, seconds_of
from node.replica.generations import LeadingRecords
from node.replica.liveset import Change, LiveSet
from node.replica.replica import AGENDA, CLEARING, Engine, Replica
from node.store.archive import Archive
from node.store.backup import ARCHIVE_FILE
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from node.streets.bounded import draw_brought
from node.sync.events import Imported, LinkChanged, MeetNow
from node.sync.lora.context import address_of
from node.sync.mqtt.engine import LeadingMqttEngine, MqttEngine
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.lan import LanService
from node.transfer.service import TransferService
from radio.link import Link
from radio.meshtastic.facts import Facts
from radio.meshtastic.link import MeshtasticLink, RadioTime
from radio.meshtastic.settings import MeshtasticSettings
from radio.mqtt.probe import BrokerSettings
from web import create_app
from web.portal_settings import WebSettings

log = logging.getLogger(__name__)

POWER_VARIABLE = "ARCHIPEL_RADIO_POWER"
CLOCK_PERIOD_S, NOTES_PERIOD_S, AIRTIME_PERIOD_S, SECRET_PERIOD_S, ORDERS_PERIOD_S = 20.0, 600.0, 1.0, 20.0, 20.0
REST_PERIOD_S = 20.0
AHEAD_RETRY_S = 60.0  # on a card that fails
RADIO_WITHIN_S = 2.0  # whole seconds, and what a busy radio holds back
RECORD_LATE_S = 2 * DAY_S  # a record may have been so long on its way, carried by hand too
PASSING_NOTES = ("clock", "bundles", "airtime", "airtime packet")
LEAST_STEP_S = 1.0  # the machine's clock is followed every CLOCK_PERIOD_S: that wakes no engine


class App:
    """One island. `open` returns its portal; everything opened is closed by `close`, in reverse order.

    `notices`: what was found in its settings file, for its keeper. `start_anew()` is called, from any thread, when the
    set's secret is another one, or a setting: this one is to be closed and another one opened, which loses nothing.
    `card`: what the settings file sets, and so no keeper does; `settings` are what counts once that is open.
    """

    def __init__(self, settings: Settings, clock: Clock, notices: Iterable[Notice] = (),
                 start_anew: Callable[[], object] = lambda: None, card: CardLines = NO_CARD):
        self.settings, self._clock = settings, clock
        self._file, self._card = settings, card
        self._shown: dict[str, Any] | None = None  # what the portal was told, once there is one
        self._served: Any = None  # the portal's application, once there is one
        self._open = ExitStack()
        self._hashing = threading.Lock()
        self._text_inbox, self.speech = TextInbox(), Speech()
        self._ahead_due_at = -math.inf
        keys = KeyFolder(settings.node.data)
        keys.keep_private()
        self._keys, self._start_anew = keys, start_anew
        self.charter, self.key, self._credentials = keys.charter(), keys.island_key(), keys.credentials()
        self._portal_secret = keys.portal_secret()
        keys.wipe_code()  # there from the first start on, for the keeper's sheet
        self._notices = [*notices_in(settings.portal.notices), *(notice.line() for notice in notices)]

    def open(self) -> Any:
        """Start everything; the WSGI application of the portal."""
        self._open_stores()
        if carry_out(self._keys, self.store, self.archive, self.key):
            self.charter, self._credentials = self._keys.charter(), self._keys.credentials()
        self.timekeeper = Timekeeper(self._clock, self.store.note("clock"), battery=self._has_battery())
        self.settings, told = taken_up(self.store, self._file, self._card, minute_of(self.timekeeper.now()))
        self._notices += told
        self.orders = Orders(self.settings.node.data, words_here(), self.timekeeper.monotonic)
        self.liveset = LiveSet(self.charter)
        self.secret = SecretKeeper(self._keys, self.liveset, self.key, self._start_anew)
        self.formers = self.secret.formers(minute_of(self.timekeeper.now()))
        self._make_engines()
        self.replica.load(self.timekeeper.now())
        self.runner = self._make_runner()
        self.runner.on_send = self.tap.sent
        self.timekeeper.on_step = self._clock_was_set
        self._make_board()
        self.discovery = LanDiscovery(self.bulk, self.lan, self._discovery_settings())
        self.attendance = Attendance()
        self.maintenance = Maintenance(self)
        self.reporter = StatusReporter(self._status_sources())
        self._guard_threads()
        self._start()
        return self._portal()

    def close(self) -> None:
        """Stop everything; twice is allowed."""
        self._open.close()

    def _open_stores(self) -> None:
        data = self.settings.node.data
        self.store = JournalStore(data, passing=PASSING_NOTES)
        self._open.callback(self.store.close)
        self.archive = Archive(data / ARCHIVE_FILE)
        self._open.callback(self.archive.close)

    def _make_runner(self) -> Runner:
        return Runner(self.replica, self.links, self.timekeeper, self._periodic_jobs())

    def _use_settings(self, settings: Settings, wifi: str) -> None:
        """Other settings count, without a new start: the archive's length, and the Wi-Fi that posters lead to."""
        self.settings = settings
        if self._shown is not None:
            self._shown["settings"] = replace(self._shown["settings"], wifi=wifi)

    def _make_board(self) -> None:
        self.board = Board(self.liveset, self.store, self.archive, self.key, self._host())
        self.air_names = AirNames(self.liveset, self.board.reader, self.charter.subkey("tag"))
        self.nights = NightWatch(self.board.rests, ZoneInfo(self.settings.node.timezone), self.timekeeper)
        self.desk = self.board.settings = SettingsKeeper(self.board.notes, self._file, self._card, SettingsHost(
            self.board.now, self.timekeeper.monotonic, self.nights.rests, self._use_settings, self._start_anew),
            wifi_here(self.orders))
        self.board.keyring = IslandKeyring(self.board, self.charter, self.key, KeyringHost(
            self.liveset, self.runner.publish, lambda raws: self.runner.take_in(raws, "post"), self._proposed, self._random,
            self._hashing, self.secret, lambda letters: self.runner.call(lambda: self.secret.catch_up(letters))))
        self.board.care = IslandCare(self.board, CareHost(
            self.settings, self.orders, self._hashing, lambda: self.maintenance.sensors.last, lambda: self._notices,
            self.timekeeper.monotonic, self._card.path))
        self.board.founding = IslandFounding(self.board, self.liveset, self.key, FoundingHost(
            self._keys, lambda: self.settings.node.name, self._random, self._start_anew))
        self.board.sheet = lambda: sheet_of(
            self.settings, portal_address(self.settings), self.desk.wifi_name, self._keys)
        label = IslandLabel(self.key.key_id, self.settings.node.name)
        self.bulk: LocalBulkPort = LocalBulkPort(self.liveset, self.store, label, self.timekeeper.now, self.runner.take_in)
        self.lan: LanService = LanService(self.bulk, self.charter.subkey("lan"), self._random, self._former_subkeys())
        self.lan.tap = self.tap.lan
        self.board.transfer = TransferService(self.bulk, self.lan, self.board.item, scanned)
        self.board.cards = IslandCardMaker(self.board, CardHost(
            folders_here(), self.orders, lambda: self.desk.settings, self.board.transfer.bundle, uptime_s))
        self.board.imports = Importer(self.board, lambda raws: self.runner.take_in(raws, AGENDA), self._here(),
                                      threading.Lock())
        self.gatherer = self.board.gathering = SourceGatherer(self.board, GatherHost(
            self.settings.gather, self.settings.node.position, has_way_out, self.timekeeper.monotonic, self._clock.rate,
            self._here().language), PostTaker(
                self.board, lambda raws: self.runner.take_in(raws, AGENDA), threading.Lock()))

    def _start(self) -> None:
        self.runner.start()
        self._open.callback(self.runner.stop)
        self.runner.take(Imported(tuple(self._credentials), "credentials"))
        self.runner.call(lambda: None)  # whoever is answered from here on finds this island let in
        radio = self._radio()
        texts = [text_service(self, radio, self._text_inbox)] if radio else []
        workers: tuple[LanDiscovery | Maintenance | SourceGatherer | TextService | Loudspeaker, ...] = (
            self.discovery, self.maintenance, self.gatherer, self._loudspeaker(), *texts)
        for working in workers:
            working.start()
            self._open.callback(working.close)
        meeting = Meeting(self.board, self.runner, self.links, self.discovery)
        answers = (handlers(self) | board_handlers(self.board) | key_handlers(self.board.keyring) | bulk_handlers(self.bulk)
                   | meeting_handlers(meeting) | radio_handlers(RadioSetter(self.links))
                   | gather_handlers(self.gatherer) | card_handlers(self.board.cards)
                   | capture_handlers(self.tap, self.runner.call, self.links)
                   | digest_handlers(self.board, self.settings.node.name, portal_address(self.settings),
                                     self.settings.node.timezone)
                   | publish_handlers(self.board, self.bulk, lambda: self._served))
        server = RpcServer(self.settings.node.data, answers)
        self._open.callback(server.close)

    def _loudspeaker(self) -> Loudspeaker:
        node = self.settings.node
        return Loudspeaker(LoudspeakerHost(self.board, self.speech, self.timekeeper, ZoneInfo(node.timezone), node.name,
                                           node.language, lambda: self.settings.portal.loudspeaker))

    def _guard_threads(self) -> None:
        """In the debug mode: what belongs to the runner's thread raises when another one uses it."""
        owner = self.runner.owner
        engines = (engine for engine in self.replica.engines if engine is not self.tap)
        for mine in (*self.governors.values(), *engines, self.text_air):
            guard(mine, owner, free=("cost",))
        guard(self.timekeeper, owner, only=("tell", "keeper_says", "undo", "settle"))

    def _portal(self) -> Any:
        node = self.settings.node
        app = create_app(self.board, WebSettings(
            name=node.name, secret_key=self._portal_secret, base_url=portal_address(self.settings), language=node.language,
            timezone=node.timezone, position=node.position, wifi=self.desk.wifi_shown,
            safe=safe_address, metrics=self.settings.portal.metrics, speech=self.speech,
            draw_streets=draw_brought))
        self._shown, self._served = app.extensions, app
        app.wsgi_app = self.attendance.attended(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's manual says
        return app

    # the machine

    _random = staticmethod(os.urandom)
    _rng = random.Random  # when to send is no secret

    def _machine_is_right(self) -> bool:
        return system_is_synchronised() or self._clock.rate != 1

    def _has_battery(self) -> bool:
        return has_battery_clock(self._clock.now())

    @staticmethod
    def _radio_time(link: Link) -> RadioTime | None:
        return link.radio_time if isinstance(link, MeshtasticLink) else None

    # time

    def _tell_time(self, now: float) -> None:
        """Ask the sources that must be asked."""
        if self._machine_is_right():
            self.timekeeper.tell(TimeSource.SYSTEM, self._clock.now())
        for link in self.links:
            told = self._radio_time(link)
            if told is not None:
                source, meant = TimeSource.GPS if told.gps else TimeSource.RADIO, around(told.utc, RADIO_WITHIN_S)
                self.timekeeper.tell(source, meant, Voice(link.name, link.name), told.packets > 1)
        for author, minute in self.liveset.dated_ahead(now).items():
            if author != self.key.key_id:
                self._author_says(author, minute)

    def _author_says(self, author: bytes, minute: int) -> None:
        """A signed record says that it is its minute at least; it may have been some days on its way."""
        who = neighbour_name(address_of(author, self.charter.subkey("tag")))
        meant = TimeSpan(seconds_of(minute), seconds_of(minute) + RECORD_LATE_S)
        self.timekeeper.tell(TimeSource.ISLAND, meant, Voice(who, f"key {author.hex()}"))

    def _clock_was_set(self, step_s: float) -> None:
        """An engine that sleeps until some hour must look again."""
        if abs(step_s) >= LEAST_STEP_S:
            self.runner.react([LinkChanged(link.name, link.up) for link in self.links])

    def _neighbour_says(self, who: str, utc: float) -> None:
        """A packet tells the time. The clock stands still for the engines until all that came with it is done."""
        self.runner.afterwards(
            lambda: self.timekeeper.tell(TimeSource.ISLAND, around(utc, SUMMARY_WITHIN_S), Voice(who, RADIO)))

    def _keeper_says(self, utc_s: float | None) -> bool:
        """A keeper sets the clock, or (None) takes that back. From any thread but the runner's."""
        return self.runner.call(lambda: self._believe_keeper(utc_s))

    def _believe_keeper(self, utc_s: float | None) -> bool:
        believed = self.timekeeper.undo() if utc_s is None else self.timekeeper.keeper_says(utc_s)
        if believed:
            with contextlib.suppress(StoreFailed):
                self.store.set_notes({"clock": self.timekeeper.note()})
        self.reporter.refresh(self.timekeeper.now())  # the keeper's next page shows it
        return believed

    def _keep_notes(self, now: float, ahead: bool = True) -> None:
        """What must outlive a restart: the time, and what was sent in the last hour."""
        self.timekeeper.settle()
        self._keep_airtime(now, ahead, clock=self.timekeeper.note())

    def _keep_airtime(self, now: float, ahead: bool = True, **others: object) -> None:
        """Keep what was sent, and a reserve of what may be sent until it is kept again: none (`ahead` False) at the end."""
        reserves = {name: governor.reserve_s if ahead else 0.0 for name, governor in self.governors.items()}
        airtime = {name: self.governors[name].state(now, reserve_s) for name, reserve_s in reserves.items()}
        self.store.set_notes(others | airtime)
        for name, reserve_s in reserves.items():
            self.governors[name].reserved(reserve_s)

    def _keep_ahead(self, now: float) -> None:
        """On a card that fails no more is sent than was kept ahead: a power cut must not give it back."""
        short = any(governor.runs_short for governor in self.governors.values())
        mono = self.timekeeper.monotonic()
        if short and mono >= self._ahead_due_at:
            self._ahead_due_at = mono + AHEAD_RETRY_S
            with contextlib.suppress(StoreFailed):
                self._keep_airtime(now)
                self._ahead_due_at = mono

    def _periodic_jobs(self) -> list[PeriodicJob]:
        return [PeriodicJob(SECRET_PERIOD_S, lambda now: self.secret.look(minute_of(now))),
                PeriodicJob(CLOCK_PERIOD_S, self._tell_time),
                PeriodicJob(REST_PERIOD_S, lambda now: self.nights.let_rest(self.governors.values(), now)),
                PeriodicJob(NOTES_PERIOD_S, self._keep_notes),
                PeriodicJob(AIRTIME_PERIOD_S, self._keep_ahead),
                PeriodicJob(ORDERS_PERIOD_S, lambda now: self.orders.look()),
                PeriodicJob(STATUS_PERIOD_S, self._refresh),
                PeriodicJob(math.inf, lambda now: self._keep_notes(now, ahead=False), due=math.inf, at_end=True)]

    # links

    def _make_links(self) -> list[Link]:
        wanted: list[tuple[str, str, Callable[[], Link]]] = []
        radio, packet, speed = self.settings.radio, self.settings.packet, self._clock.rate
        if radio.connect != "none":
            wanted.append((RADIO, "radio", lambda: MeshtasticLink(
                MeshtasticSettings(radio.connect, radio.channel, radio.max_payload, speed=speed), RADIO,
                self._text_inbox.put, radio_hangs)))
        if packet_ready(packet):
            wanted.append((PACKET, "packet", lambda: packet_link(packet, speed)))
        wanted += [(name, "mqtt", partial(broker_link, broker, name)) for name, broker in self.brokers.items()]
        links = []
        for name, section, make in wanted:
            link, trouble = opened(name, section, make)
            links.append(link)
            if trouble:
                self._notices.insert(0, Notice(trouble).line())
        return links

    def _make_engines(self) -> None:
        radio, packet = self.settings.radio, self.settings.packet
        self.brokers = brokers_of(self.settings.mqtt, self.charter)
        leading, former_brokers = self._leading_engines()
        self.brokers |= former_brokers
        self.links = self._make_links()
        formers = tuple(one.generation for one in self.formers if one.leads)
        member = Membership(self.charter, self.key, self.liveset, formers, self._rng())
        limits, monotonic = RadioLimits(radio.max_payload, radio.region, radio.share), self.timekeeper.monotonic
        lora_air, packet_air = lora_governor(limits, monotonic), packet_governor(packet, monotonic)
        self.governors = {"airtime": lora_air, "airtime packet": packet_air}
        for name, governor in self.governors.items():
            governor.restore(self.store.note(name), self.timekeeper.now())
            governor.reserved(0.0)
        self.air = LoraAdapter(member, self._radio_facts, limits, lora_air, self._neighbour_says)
        rng = self._rng()
        engines: list[Engine] = [self.air, packet_engine(member, packet, packet_air)]
        present = [name for name in self.brokers if name not in former_brokers]
        engines += [MqttEngine(name, self.charter, self.liveset, rng) for name in present] + leading
        self.tap = CaptureTap(member, self.timekeeper)
        self.replica = Replica(self.liveset, self.store, [*engines, self.tap])
        self.tap.counters = self.replica.counters
        self.text_air = text_air(self.air, self._radio(), monotonic)

    def _leading_engines(self) -> tuple[list[Engine], dict[str, BrokerSettings]]:
        """For each broker and each earlier secret: what keeps there what leads to the present one, and the way to it."""
        engines: list[Engine] = []
        brokers: dict[str, BrokerSettings] = {}
        rng = self._rng()
        for number, one in enumerate(self.formers, 1):
            charter = replace(self.charter, secret=one.generation.secret)
            records = LeadingRecords(self.liveset, over=not one.leads)
            ways = brokers_of(self.settings.mqtt, charter, f"-before{number}")
            engines += [LeadingMqttEngine(name, charter, records, rng) for name in ways]
            brokers |= ways
        return engines, brokers

    def _former_subkeys(self) -> tuple[bytes, ...]:
        """Those by which members of earlier generations speak on the local network."""
        return tuple(replace(self.charter, secret=one.generation.secret).subkey("lan") for one in self.formers if one.leads)

    def _radio_facts(self) -> Facts:
        radio = self._radio()
        return radio.facts if radio else Facts()

    def _radio(self) -> MeshtasticLink | None:
        return next((link for link in self.links if isinstance(link, MeshtasticLink)), None)

    def _discovery_settings(self) -> DiscoverySettings:
        lan = self.settings.lan
        return DiscoverySettings(self.charter.subkey("lan"), lan.peers, lan.discover, reachable_port(self.settings),
                                 self._former_subkeys())

    # the board's surroundings

    def _host(self) -> Host:
        return Host(
            now=self.timekeeper.now, publish=self.runner.publish, random=self._random,
            packets=lambda record_bytes: self.air.cost.packets(record_bytes),
            airtime_s=lambda record_bytes: self.air.cost.airtime_s(record_bytes),
            about=lambda: self.air_names.named(self.reporter.last), holdings=lambda: self.reporter.holdings,
            gate=threading.Lock(), pace_gate=threading.Lock(), publish_all=lambda raws: self.runner.take_in(raws, CLEARING),
            hashing=self._hashing, decoding=threading.Lock(), monotonic=self.timekeeper.monotonic, papers=self._credentials,
            rule=self.settings.portal.posting, rule_stands=POSTING in self._card.lines,
            urgent=lambda: self.settings.portal.urgent,
            confirmations=lambda: self.settings.portal.confirmations, set_clock=self._keeper_says, steer=self._steer,
            certain=lambda: self.timekeeper.floor - self.settings.archive.keep_days * DAY_S,
            keeps_past=lambda: self.settings.archive.keep_days > 0)

    def _refresh(self, now: float) -> None:
        self.reporter.refresh(now)

    def _steer(self, order: AirOrder) -> None:
        """A keeper wants something of the radio. From any thread but the runner's."""
        self.runner.call(lambda: self._obey(order))

    def _obey(self, order: AirOrder) -> None:
        now = self.timekeeper.now()
        if order.kind is AirOrderKind.SUMMARY:
            self.runner.take(MeetNow())
            return
        self.air.obey(order, now)
        for governor in self.governors.values():
            if order.kind is AirOrderKind.SILENCE:
                governor.silence(60.0 * order.minutes, now)
            elif order.kind is AirOrderKind.ONLY_URGENT:
                governor.hold(60.0 * order.minutes, now)
        self.reporter.refresh(now)  # the keeper's next page shows it

    def _proposed(self, raws: list[bytes]) -> Change:
        """What records would change; nothing does. From any thread but the runner's."""
        return self.runner.call(lambda: self.liveset.propose(raws, self.timekeeper.now()))

    def _here(self) -> Locality:
        node = self.settings.node
        language = next((number for number, tag in LANGUAGES.items() if tag == node.language), 0)
        return Locality(ZoneInfo(node.timezone), language)

    def _status_sources(self) -> StatusSources:
        told = notice_files()
        return StatusSources(
            name=self.settings.node.name, notices=lambda: first_of([*self.orders.notices(), *told(), *self._notices]),
            timekeeper=self.timekeeper, replica=self.replica, air=self.air,
            links=self.links, store=self.store, archive=lambda: self.maintenance.archive_status,
            lan=lambda: LanStatus(self.discovery.status(), counted(self.lan.counters)),
            erasure_owed_s=lambda: self.maintenance.erasure.owed_s, card_errors=lambda: self.maintenance.card_errors,
            secret=lambda: replace(self.secret.status(), heard=self._earlier_heard()),
            machine=lambda: self.maintenance.sensors.last,
            texts=lambda now: self.text_air.status(now) if self._radio() and self.settings.radio.texts else None,
            holdings=lambda now: Holdings(self.air.holdings(now), self.discovery.holdings(now)))

    def _earlier_heard(self) -> int | None:
        """The minute in which somebody was last heard who speaks with an earlier secret of the set."""
        by_radio = [minute_of(at) for at in (self.air.earlier_heard_at,) if at is not None]
        return max((*by_radio, *[one for one in (self.lan.earlier_minute,) if one is not None]), default=None)


def radio_hangs() -> None:
    """Let who can cut the radio's power know of it: on the SD image a unit waits for this file."""
    asked = os.environ.get(POWER_VARIABLE)
    if asked:
        with contextlib.suppress(OSError):
            Path(asked).touch()


def portal_address(settings: Settings) -> str:
    """What to type in a browser."""
    host, port = settings.portal.listen
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host  # noqa: S104 - compared only
    return settings.portal.address or f"http://{shown}{'' if port == 80 else f':{port}'}/"

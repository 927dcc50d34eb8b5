"""A whole island of the world: the real App, but for threads, sockets and hardware, which the world stands in for."""

import logging
import random
import time
from base64 import b64encode
from collections import Counter
from dataclasses import replace

from node.board.pace import Visitor
from node.daemon.app import PASSING_NOTES, App
from node.daemon.keyfiles import VOUCH_LIFE_H, KeyFolder, vouch, write_private
from node.daemon.lora import RADIO
from node.daemon.runner import PendingCall, PendingPublish, Runner
from node.daemon.settings import LanSettings, MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.model.clock import minute_of
from node.model.errors import LocalMisuse
from node.model.keys import SEED_BYTES, SigningKey
from node.model.record import Right, Vouch, encode, record_id
from node.store.archive import Archive
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from node.sync.events import Imported, LinkChanged
from node.transfer.invitation import accept, charter_bytes, from_text, read_invitation, to_text
from radio.link import Outcome
from radio.meshtastic.facts import Facts
from radio.meshtastic.link import RadioTime
from tests.world.card import WorldCard, archive_on, remove_folder

ISLAND_RIGHTS = Right.WRITE | Right.URGENT | Right.VOUCH
BOOT_S = 40.0
KILLED = 0.3  # of what ends in the midst of something is a program alone, not the machine
STATUS_S, LOOK_S = 600.0, 120.0  # between two looks: at the status, which nobody reads here; at clocks, secrets, orders
EXPECTED = (StoreFailed, OSError)  # what a failing card makes the product log


class MachineClock:
    """A machine's clock: `error_s` ahead of the world's. `right`: its kernel says that the network keeps it right."""

    rate = 1.0

    def __init__(self, world):
        self.world, self.error_s, self.right, self.battery, self.booted_at = world, 0.0, True, False, world.now

    def now(self):
        return self.world.now + self.error_s

    def monotonic(self):
        return self.world.now - self.booted_at + BOOT_S


class WorldLink:
    """What the island knows of a link; its packets go by the world."""

    max_payload = 231

    def __init__(self, name):
        self.name, self.up, self.counters = name, False, Counter()

    @property
    def state(self):
        return "up" if self.up else "down"

    def send(self, payload, hop_limit=0, urgent=False, to=""):
        raise LocalMisuse("packets go by the world")

    def receive(self, timeout_s):
        raise LocalMisuse("packets come by the world")

    def close(self):
        self.up = False


class StepRunner(Runner):
    """The runner without threads: whoever asks has it done, between two turns as ever."""

    def __init__(self, *args, carry_out, signed, published, took):
        super().__init__(*args)
        self._carry_out, self._signed, self._published, self._took = carry_out, signed, published, took
        self._busy, self._later = False, []

    def start(self):
        pass

    def stop(self):
        for job in self._jobs:
            if job.at_end:
                self._try("a last job", lambda job=job: job.do(self._clock.now()))

    def publish(self, raw):
        self._signed([raw])
        verdict = super().publish(raw)
        self._published(raw, verdict)
        return verdict

    def take_in(self, raws, via):
        if via not in ("bundle", "lan", "paper", "archive"):
            self._signed(raws)
        return super().take_in(raws, via)

    def take(self, event):
        self.turn([event])

    def turn(self, items=()):
        """One turn of the loop: these, and whatever is due."""
        if self._busy:
            self._later += items
            return
        self._busy, began = True, time.process_time()
        try:
            self._turn(list(items))
        finally:
            self._busy = False
            self._took(time.process_time() - began)
        while self._later:
            later, self._later = self._later, []
            self.turn(later)

    def _answered(self, pending):
        if self._busy:
            raise LocalMisuse("the runner's thread would wait for itself")
        self.turn([pending])
        assert isinstance(pending, PendingPublish | PendingCall)
        return pending.answer.result(timeout=0)

    def _send(self, sends):
        self._carry_out(sends)


class WorldApp(App):
    """The App on the world's ground."""

    def __init__(self, island, settings):
        self.island = island
        self.told = None  # what the radio says of the time
        super().__init__(settings, island.clock, start_anew=island.ask_anew)

    def _random(self, count):
        return self.island.chance.randbytes(count)

    def _rng(self):
        return random.Random(self.island.chance.getrandbits(64))

    def _machine_is_right(self):
        return self.island.clock.right

    def _has_battery(self):
        return self.island.clock.battery

    def _radio_time(self, link):
        told, self.told = (self.told, None) if link.name == RADIO else (None, self.told)
        return told

    def _radio_facts(self):
        return self.island.facts

    def _open_stores(self):
        data = self.settings.node.data
        self.store = JournalStore(data, self.island.card, PASSING_NOTES)
        self._open.callback(self.store.close)
        self.archive: Archive = archive_on(self.island.card, data / "archive.db")
        self._open.callback(self.archive.close)

    def _make_links(self):
        return [WorldLink(name) for name in (RADIO, *self.brokers)]

    def _make_runner(self):
        return StepRunner(self.replica, self.links, self.timekeeper, self._periodic_jobs(),
                          carry_out=self.island.carry_out, signed=self.island.world.ledger.signed,
                          published=self.island.published, took=self.island.world.took)

    def _periodic_jobs(self):
        def period_s(job):
            return STATUS_S if job.do == self._refresh else max(LOOK_S, job.period_s) if job.period_s > 1 else job.period_s

        return [replace(job, period_s=period_s(job)) for job in super()._periodic_jobs()]

    def _guard_threads(self):
        pass

    def _portal(self):
        return None

    def _start(self):
        self.maintenance.close()  # it is done by hand: see WorldIsland.maintain
        self._open.callback(self.runner.stop)
        self.runner.take(Imported(tuple(self._credentials), "credentials"))


class WorldIsland:
    """One island through all its starts. `number` is also its radio's."""

    def __init__(self, world, number, name):
        self.world, self.number, self.name = world, number, name
        self.seed = random.Random(f"{world.seed} key {name}").randbytes(SEED_BYTES)
        self.key = SigningKey(self.seed)
        self.folder = world.folder / name
        self.folder.mkdir()
        self.keys, self.clock = KeyFolder(self.folder), MachineClock(world)
        self.card = WorldCard(seed=world.seed * 100 + number)
        self.facts = Facts(node=number, firmware=world.place.firmware, region="EU_868")
        self.lives, self.app, self.wants_anew = 0, None, False
        self.planned_at, self.turns, self.turns_in = None, 0, 0
        self.misled = False  # its keeper or its machine's battery said another time
        self.lent = False  # others have left it some of their air
        self.flipped = False  # a bit of its card was changed since it was last known to be whole
        self.healthy_since = world.now  # from when on its card has been in order, as monotonic seconds tell
        self.chance = random.Random(f"{world.seed} {name}")
        self.newest = {}  # (author, root) -> its newest version in this life: (created, corrects, id), and its end
        self.heard_of = {}  # root -> the moment since which it has known of a retraction, in this life
        broker = "mqtt://broker.invalid" if world.place.broker else "none"
        self.settings = Settings(
            NodeSettings(name, self.folder, timezone="UTC"), PortalSettings(turnout=True),
            RadioSettings(connect="none", region="EU_868", share=world.place.share), MqttSettings(broker),
            lan=LanSettings(discover=False))

    # keys

    def found(self, founder, charter):
        """The first way in: a founder's key vouches for it."""
        minute = minute_of(self.world.now)
        self._keep_keys(charter, [vouch(charter, founder, Vouch(self.key.public, ISLAND_RIGHTS), self.name,
                                        (minute, VOUCH_LIFE_H))])

    def join(self, letters):
        """With an invitation's letters."""
        invitation = read_invitation(from_text(letters))
        use = encode(accept(invitation, self.key.public, self.name, minute_of(self.world.now)))
        self._keep_keys(invitation.charter, [*invitation.credentials, use])
        self.keys._write_secrets((invitation.spoken,))

    def _keep_keys(self, charter, papers):
        self.world.ledger.signed(papers)
        self.keys.path.mkdir(exist_ok=True)
        write_private(self.keys.path / "island.key", to_text(self.seed))
        write_private(self.keys.path / "papers", "\n".join(b64encode(one).decode() for one in papers))
        write_private(self.keys.path / "charter", to_text(charter_bytes(charter)))

    # power

    @property
    def on(self):
        return self.app is not None

    def start(self):
        """Power on."""
        assert self.app is None
        self.lives += 1
        self.chance = random.Random(f"{self.world.seed} {self.name} {self.lives}")
        self.wants_anew, self.heard_of, self.newest = False, {}, {}
        self.clock.booted_at = self.healthy_since = self.world.now
        app = WorldApp(self, self.settings)
        try:
            app.open()
        finally:
            self.app = app  # in the midst of its start it has an archive to lose
        self.world.came_up(self)

    def close(self):
        """Stop as a service stops."""
        app, self.app = self.app, None
        app.close()

    def lose_power(self):
        """The power has gone, in the midst of whatever it did; or its program was killed, and the system's memory of what
        it wrote lasts until the power goes or somebody syncs it."""
        app, self.app = self.app, None
        if getattr(app, "archive", None) is not None:
            app.archive._file.lose_power(self.chance)
        self.card = self.card.after_kill() if self.chance.random() < KILLED else self.card.after_power_cut(
            self.chance.getrandbits(32), self.chance.choice((0, 0.5, 1)))

    def ask_anew(self):
        self.wants_anew = True

    # what is done with it

    def published(self, raw, verdict):
        """It signed a record, and that was taken in or refused: rightly?"""
        if not verdict.kept and self.on:
            with_it = [*map(self.liveset.encoding, self.liveset.ids()), raw]
            told = self.world.opinion.of(with_it, minute_of(self.app.timekeeper.now()))
            if record_id(raw).hex() in told["live"] and record_id(raw) not in self.liveset:
                self.world.errors.found.append(f"{self.name} refused its own record: {verdict.reason}")

    @property
    def board(self):
        return self.app.board

    @property
    def liveset(self):
        return self.app.liveset

    def carry_out(self, sends):
        """From within a turn: packets to the world."""
        self.world.carry_out(self, sends)

    def link(self, name):
        return next((link for link in self.app.links if link.name == name), None)

    def change_link(self, name, up):
        """A link comes up or goes down."""
        link = self.link(name)
        if link is not None and link.up != up:
            link.up = up
            link.counters["connected"] += up
            self.app.runner.take(LinkChanged(name, up))

    @property
    def deadline(self):
        """When its runner wants a turn, by the world's clock; None if it is off."""
        if self.app is None:
            return None
        moment = self.app.replica.deadline
        return None if moment is None else self.world.now + moment - self.app.timekeeper.now()

    def maintain(self):
        """One round of maintenance; its sensors are no part of the world."""
        maintenance = self.app.maintenance
        for task in maintenance._tasks:
            if task != maintenance.look_at_card:
                maintenance._do(task)

    def radio_says(self, utc, gps=False, packets=2):
        """Its radio tells a time."""
        self.app.told = RadioTime(utc, gps, packets)

    def remove(self):
        if self.app is not None:
            self.lose_power()
        remove_folder(self.folder)


def visitor(number, hour):
    """Somebody who comes by the portal: what a hash of an address is there."""
    return Visitor(f"{number} {hour // 2}".encode(), f"{number} {hour // 2 - 1}".encode())


class Errors(logging.Handler):
    """Collects what the product logs as having failed for no reason that is planned."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.found = []

    def emit(self, record):
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, EXPECTED):
            self.found.append(f"{record.getMessage()}: {error!r}")


QUEUE_FULL, SENT, DOWN = Outcome.QUEUE_FULL.value, Outcome.SENT.value, Outcome.DOWN.value

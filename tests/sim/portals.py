"""A board on an island of its own, in memory, with a keeper, `lea`, for the tests and checks of its portal."""

import html
import random
import re
import threading
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

from werkzeug.security import generate_password_hash

from node.board.board import Board
from node.board.drafts import FIELD_MARK
from node.board.host import Host
from node.board.island_settings import POSTING
from node.board.keeper_sheet import SheetFacts
from node.board.status import ArchiveStatus, ClockStatus, Holdings, HostStatus, MachineStatus
from node.daemon.card_maker import CardHost, IslandCardMaker
from node.daemon.care import CareHost, IslandCare
from node.daemon.keyfiles import KeyFolder
from node.daemon.keyring import IslandKeyring, KeyringHost
from node.daemon.orders import Orders
from node.daemon.qr_reader import scanned
from node.daemon.refounding import FoundingHost, IslandFounding
from node.daemon.secret_keeper import SecretKeeper
from node.daemon.settings import GatherSettings, LanSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.daemon.settings_keeper import NO_CARD, SettingsHost, SettingsKeeper
from node.daemon.source_gatherer import GatherHost, SourceGatherer
from node.gather.post_taker import PostTaker
from node.ical.importer import Importer
from node.ical.parser import Locality
from node.model.clock import EPOCH_S, ManualClock, minute_of
from node.model.event import Event
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, Right, Vouch, angle, encode, sign
from node.replica.generations import Generation
from node.replica.liveset import LiveSet
from node.replica.replica import AGENDA, CLEARING, Replica
from node.store.archive import Archive
from node.store.backup import ARCHIVE_FILE
from node.store.memory import MemoryStore
from node.textpack import pack
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.lan import LanService
from node.transfer.service import TransferService
from tests.sim.air_seen import busy_radio
from tests.sim.secrets_in_memory import SecretsInMemory
from web.portal_settings import WebSettings

FOUNDER, HERE, ELSEWHERE, GROUP = (SigningKey(bytes([number]) * 32) for number in range(1, 5))
CHARTER = Charter.found("Belleville", [FOUNDER.public], bytes(32))
START = EPOCH_S + 86_400 * 700 + 9 * 3600  # a Tuesday in December, ten in the morning in Paris
PARIS = 48.87, 2.36
PLACE = angle(PARIS[0], 90), angle(PARIS[1], 180)
PASSWORD, PASSPHRASE = "sesame", "tout le monde au canal"
PASSWORD_HASH = generate_password_hash(PASSWORD, "scrypt:1024:8:1")  # quick to try
NEIGHBOURS = ((HERE, Right.WRITE, "Île du canal"), (ELSEWHERE, Right.WRITE | Right.URGENT, "Île de la gare"),
              (GROUP, Right.WRITE | Right.GROUP, "AMAP du canal"))


class Neighbourhood:
    """A set with two islands and a group; `board` is that of the first island (or of `key`), `clock` moves when told to."""

    def __init__(self, folder, store=None, key=HERE):
        self.key = key
        self.clock, self.liveset = ManualClock(START), LiveSet(CHARTER)
        self._folder = folder
        self.store = MemoryStore() if store is None else store
        self.archive = Archive(folder / "archive.sqlite")
        self.replica = Replica(self.liveset, self.store, [])
        self._one_at_a_time = threading.Lock()  # as on the runner's thread
        self.steered = []  # what keepers wanted of the radio
        self.holdings = Holdings()  # what other islands were last known to hold
        self.told, self.undone = ClockStatus("radio", True, 0), None
        for key, rights, name in NEIGHBOURS:
            self.vouch(key, rights, name)
        self.host = HostStatus("Île du canal", (), None, ClockStatus("floor", False, 0), ArchiveStatus(True, "", 0),
                               links=(busy_radio(),))
        self.bulk = LocalBulkPort(self.liveset, self.store, IslandLabel(HERE.key_id, "Île du canal"), self.clock.now,
                                  self._take_in)
        self.lan = LanService(self.bulk, CHARTER.subkey("lan"), random.Random(2).randbytes)
        secrets = SecretsInMemory(Generation(CHARTER.secret))
        self.secret = SecretKeeper(secrets, self.liveset, HERE, self.restart_board)
        self.card, self.wifi, self.rule, self.urgent = NO_CARD, None, "open", "keepers"
        self.has_way_out = True  # to the internet
        self.data, self.machine = folder / "box", MachineStatus()
        self.orders = Orders(self.data, frozenset(), self.clock.monotonic)
        self.restart_board()
        self.board.notes.update(lambda state: replace(state, keepers={"lea": PASSWORD_HASH}))

    def on_a_box(self, *words):
        """With a data folder, as its backup and the care of it need one, on a box that takes orders of these words."""
        if not self.data.exists():
            KeyFolder(self.data).found("Belleville", "Île du canal")
            Archive(self.data / ARCHIVE_FILE).close()
        self.orders = Orders(self.data, frozenset(words), self.clock.monotonic)
        self.restart_board()
        return self

    def restart_board(self):
        """Another board on what this one has kept."""
        host = Host(self.clock.now, self._publish, random.Random(1).randbytes, lambda size: -(-size // 219),
                    lambda size: size / 100, self._about, threading.Lock(), threading.Lock(),
                    lambda raws: self._take_in(raws, CLEARING), threading.Lock(), threading.Lock(),
                    self.clock.monotonic, rule=self.rule, rule_stands=POSTING in self.card.lines,
                    urgent=lambda: self.board.settings.settings.portal.urgent,
                    confirmations=lambda: self.board.settings.settings.portal.confirmations,
                    holdings=lambda: self.holdings, set_clock=self._set_clock, steer=self.steered.append)
        self.board = Board(self.liveset, self.store, self.archive, self.key, host)
        self.board.keyring = IslandKeyring(self.board, CHARTER, HERE, KeyringHost(
            self.liveset, self._publish, partial(self._take_in, via="post"), self._propose, random.Random(3).randbytes,
            threading.Lock(), self.secret, self.secret.catch_up))
        self.anew = 0  # how often it was to start anew
        file = Settings(portal=PortalSettings(posting=self.rule, urgent=self.urgent))
        self.board.settings = SettingsKeeper(self.board.notes, file, self.card, SettingsHost(
            self.board.now, self.clock.monotonic, lambda part: False, lambda settings, wifi: None, self._start_anew),
            self.wifi)
        self.board.founding = IslandFounding(self.board, self.liveset, HERE, FoundingHost(
            KeyFolder(self._folder), lambda: "Île du canal", random.Random(4).randbytes, lambda: None))
        self.board.sheet = lambda: SheetFacts("http://archipel.lan/", "Île du canal", "", CHARTER.name, CHARTER.set_id,
                                              len(CHARTER.founders), "K7QF-3MTX-9WHD")
        self.board.transfer = TransferService(self.bulk, self.lan, self.board.item, scanned)
        self.board.care = IslandCare(self.board, CareHost(
            Settings(NodeSettings("Île du canal", self.data), radio=RadioSettings(connect="none"),
                     lan=LanSettings(discover=False)),
            self.orders, threading.Lock(), lambda: self.machine, list, self.clock.monotonic))
        self.board.cards = IslandCardMaker(self.board, CardHost(
            (self.data / "asked", self.data / "told"), self.orders, lambda: self.board.settings.settings,
            self.board.transfer.bundle, self.clock.monotonic, random.Random(5).randbytes))
        self.board.imports = Importer(self.board, lambda raws: self._take_in(raws, AGENDA),
                                        Locality(ZoneInfo("Europe/Paris")), threading.Lock())
        self.board.gathering = self.gatherer = SourceGatherer(self.board, GatherHost(
            GatherSettings(private=("127.0.0.1",)), PARIS, lambda: self.has_way_out, self.clock.monotonic),
            PostTaker(self.board, lambda raws: self._take_in(raws, AGENDA), threading.Lock()))

    def _publish(self, raw):
        with self._one_at_a_time:
            return self.replica.publish([raw], self.clock.now())[0][0]

    def _start_anew(self):
        self.anew += 1

    def _propose(self, raws):
        with self._one_at_a_time:
            return self.liveset.propose(raws, self.clock.now())

    def _take_in(self, raws, via):
        with self._one_at_a_time:
            return self.replica.take_in(raws, via, self.clock.now())[0]

    def _set_clock(self, utc_s):
        """As the timekeeper does when nothing better speaks: any minute from the release on, and one word can be undone."""
        if (self.undone if utc_s is None else utc_s) is None or self.told.source == "gps":
            return False
        ahead = (self.undone if utc_s is None else utc_s) - self.clock.now()
        self.undone = None if utc_s is None else self.clock.now()
        self.clock.advance(ahead)
        with self._one_at_a_time:
            self.replica.handle_all([], self.clock.now())
        self.told = replace(self.told, source="keeper", undo=utc_s is not None)
        return True

    def _about(self):
        minute = minute_of(self.clock.now())
        return replace(self.host, last_heard=minute - 12, clock=replace(self.told, now=minute))

    def vouch(self, key, rights, name):
        """The founder lets a key do this, too."""
        codec, packed = pack(name)
        self.take(Record(Kind.VOUCH, FOUNDER.key_id, minute_of(self.clock.now()), 9_000, detail=Vouch(key.public, rights),
                         codec=codec, packed=packed), FOUNDER)

    def take(self, record, key=ELSEWHERE):
        """A record that comes in from elsewhere."""
        verdict = self._publish(encode(sign(record, CHARTER.set_id, key.sign)))
        assert verdict.kept, verdict

    def bulletin(self, text, topic=0, language=1, urgent=False, target=None):
        """A bulletin of the other island, which takes no time to pack."""
        self.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, self.board.now(), 24, urgent, language, topic, 0, text.encode(),
                         target))

    def event(self, parts, start, topic=0, length=90, offset=4):
        """An event of the other island; `parts` are its title, place, organiser, description, link."""
        self.take(Record(Kind.EVENT, ELSEWHERE.key_id, self.board.now(), language=1, topic=topic, position=PLACE,
                         packed=FIELD_MARK.join(parts).encode(), detail=Event(start, length, offset)))

    def find_words(self):
        """Index the words of what is live, as maintenance does."""
        for item in self.board.bulletins().items:
            self.archive.index(bytes.fromhex(item.id), item.created, item.text)

    def pass_days(self, days):
        """Let `days` go by, and what expires expire."""
        self.clock.advance(days * 86_400)
        self.replica.handle_all([], self.clock.now())


def portal_settings(monotonic=lambda: 0.0):
    """WebSettings of a portal in Paris."""
    return WebSettings(name="Île du canal", secret_key=b"k" * 32, base_url="http://archipel.lan/",
                       position=(48.8710, 2.3650), wifi="Archipel", monotonic=monotonic)


def words(answer):
    """What a page's main part says."""
    main = answer.get_data(as_text=True).partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())

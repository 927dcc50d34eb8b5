"""Islands with boards and keyrings in memory, in virtual time, that hand each other records when told to."""

import random
import threading
from dataclasses import replace

from node.board.board import Board
from node.board.host import Host
from node.board.keeper_sheet import SheetFacts
from node.board.status import ArchiveStatus, ClockStatus, HostStatus
from node.daemon.card_maker import CardHost, IslandCardMaker
from node.daemon.keyfiles import KeyFolder, vouch
from node.daemon.keyring import IslandKeyring, KeyringHost
from node.daemon.orders import Orders
from node.daemon.refounding import FoundingHost, IslandFounding
from node.daemon.secret_keeper import SecretKeeper
from node.daemon.settings import Settings
from node.daemon.settings_keeper import NO_CARD, SettingsHost, SettingsKeeper
from node.model.clock import ManualClock, minute_of, seconds_of
from node.model.keys import Charter, SigningKey
from node.model.record import Right, Vouch, encode
from node.replica.generations import Generation
from node.replica.liveset import LiveSet
from node.replica.replica import CLEARING, Replica
from node.store.archive import Archive
from node.store.memory import MemoryStore
from node.transfer.invitation import accept, from_text, read_invitation
from tests.sim.secrets_in_memory import SecretsInMemory

FOUNDERS = tuple(SigningKey(bytes([number]) * 32) for number in (101, 102, 103))
T0 = 1_500_000
DAY_MIN = 1_440


class KeptIsland:
    """One island and its keyring; `clock` is shared by all of them. `spoken`: the secret that it came with, if by
    invitation."""

    def __init__(self, folder, name, charter, clock, papers=(), seed=1, spoken=None):
        self.name, self.charter, self.clock = name, charter, clock
        self.rng = random.Random(f"{name} {seed}")
        self.key = SigningKey(self.rng.randbytes(32))
        self.papers = [papers(self.key)] if callable(papers) else list(papers)
        self._folder = folder
        self.store, self.liveset = MemoryStore(), LiveSet(charter)
        self.archive = Archive(folder / f"{name}.sqlite")
        secrets = SecretsInMemory(spoken or Generation(charter.secret))
        self.secret = SecretKeeper(secrets, self.liveset, self.key, self.start)
        self.replica = Replica(self.liveset, self.store, [])
        self._one_at_a_time = threading.RLock()  # as on the runner's thread
        self.take(self.papers)
        self.start()

    @staticmethod
    def key_of(name, seed=1):
        return SigningKey(random.Random(f"{name} {seed}").randbytes(32))

    def start(self):
        """Power on: another board on what was kept."""
        self.charter = replace(self.charter, secret=self.secret.known[0].secret)
        self.secret.formers(minute_of(self.clock.now()))
        host = Host(self.clock.now, self.publish, self.rng.randbytes, lambda size: 1, lambda size: 1.0, self._about,
                    threading.Lock(), threading.Lock(), self._publish_all, threading.Lock(), threading.Lock(),
                    self.clock.monotonic, papers=tuple(self.papers))
        self.board = Board(self.liveset, self.store, self.archive, self.key, host)
        self.board.settings = SettingsKeeper(self.board.notes, Settings(), NO_CARD, SettingsHost(
            self.board.now, self.clock.monotonic, lambda part: False, lambda settings, wifi: None, lambda: None))
        self.board.cards = IslandCardMaker(self.board, CardHost(
            None, Orders(self._folder, frozenset(), self.clock.monotonic), Settings, lambda: iter(()),
            self.clock.monotonic))
        self.keyring = self.board.keyring = IslandKeyring(self.board, self.charter, self.key, KeyringHost(
            self.liveset, self.publish, self._publish_all, self.propose, self.rng.randbytes, threading.Lock(),
            self.secret, self.secret.catch_up))
        self.keys_folder = KeyFolder(self._folder / self.name)
        self.keys_folder.path.mkdir(parents=True, exist_ok=True)
        self.board.founding = IslandFounding(self.board, self.liveset, self.key, FoundingHost(
            self.keys_folder, lambda: self.name, self.rng.randbytes, lambda: None))
        self.board.sheet = lambda: SheetFacts("http://archipel.lan/", self.name, "", self.charter.name, self.charter.set_id,
                                              len(self.charter.founders), "K7QF-3MTX-9WHD")

    def _about(self):
        return HostStatus(self.name, (), None, ClockStatus("system", True, minute_of(self.clock.now())),
                          ArchiveStatus(True, "", 0))

    def publish(self, raw):
        with self._one_at_a_time:
            return self.replica.publish([raw], self.clock.now())[0][0]

    def _publish_all(self, raws):
        with self._one_at_a_time:
            return self.replica.take_in(raws, CLEARING, self.clock.now())[0]

    def propose(self, raws):
        with self._one_at_a_time:
            return self.liveset.propose(raws, self.clock.now())

    def take(self, raws):
        with self._one_at_a_time:
            verdicts, _sends = self.replica.take_in(list(raws), "bundle", self.clock.now())
        assert all(verdict.reason in ("kept", "duplicate", "penned", "early") for verdict in verdicts), verdicts

    def raws(self):
        return [self.liveset.raw(id_) for id_ in self.liveset.ids()]

    def tick(self):
        """What time brings, as the runner and maintenance do it."""
        with self._one_at_a_time:
            self.replica.handle_all([], self.clock.now())
            self.secret.look(minute_of(self.clock.now()))
        self.keyring.send_due()

    def may_write(self):
        return self.liveset.trust.may(self.key.key_id, Right.WRITE, self.board.now())

    def view(self, name):
        found, = self.keyring.find(name)
        return found


class Keepers:
    """A set with founders' keys on paper and islands that meet; time goes by in days."""

    def __init__(self, folder, founders=FOUNDERS[:1]):
        self.folder, self.founders = folder, founders
        self.charter = Charter.found("Belleville", [founder.public for founder in founders], bytes(32))
        self.clock, self.islands = ManualClock(seconds_of(T0)), {}

    @property
    def minute(self):
        return minute_of(self.clock.now())

    def found_island(self, name, rights=Right.WRITE | Right.URGENT | Right.VOUCH, life_h=1_096 * 24):
        """The first box: a founder's key has vouched for its own."""
        return self._add(KeptIsland(self.folder, name, self.charter, self.clock, papers=lambda key: vouch(
            self.charter, self.founders[0], Vouch(key.public, rights), name, (self.minute, life_h))))

    def found_alone(self, name):
        """The first box, whose own key is the only founder."""
        self.founders = (KeptIsland.key_of(name),)
        self.charter = Charter.found("Belleville", [self.founders[0].public], bytes(32))
        return self._add(KeptIsland(self.folder, name, self.charter, self.clock))

    def join(self, name, letters):
        """A new box that joins with an invitation."""
        invitation = read_invitation(from_text(letters))
        island = KeptIsland(self.folder, name, invitation.charter, self.clock, spoken=invitation.spoken)
        use = encode(accept(invitation, island.key.public, name, self.minute))
        island.papers = [*invitation.credentials, use]
        island.take(island.papers)
        island.start()
        return self._add(island)

    def _add(self, island):
        self.islands[island.name] = island
        return island

    def meet(self, *names):
        """These islands (or all) hand each other what they hold."""
        islands = [self.islands[name] for name in names or self.islands]
        for _ in range(2):
            for one in islands:
                for other in islands:
                    if one is not other:
                        other.take(one.raws())

    def pass_days(self, days):
        """Let time go by, in steps no longer than ten days."""
        left = days * 86_400
        while left > 0:
            self.clock.advance(min(left, 10 * 86_400))
            left -= 10 * 86_400
            for island in self.islands.values():
                island.tick()

    def pass_minutes(self, minutes):
        self.clock.advance(minutes * 60)
        for island in self.islands.values():
            island.tick()

    def close(self):
        for island in self.islands.values():
            island.archive.close()

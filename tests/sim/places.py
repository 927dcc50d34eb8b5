"""An island with its board, as the tests of the board use it."""

import base64
import random
import threading
from dataclasses import replace

import pytest

from node.board.api import Draft, DraftRefused
from node.board.board import Board
from node.board.host import Host
from node.board.status import ArchiveStatus, ClockStatus, HostStatus
from node.model.clock import EPOCH_S, MAX_MINUTE, ManualClock, minute_of, seconds_of
from node.model.confirmation import Confirmation
from node.model.keys import Charter, SigningKey
from node.model.passphrase import SALT_BYTES, seal
from node.model.record import Kind, Record, Right, Vouch, decode, encode, sign
from node.replica.liveset import LiveSet
from node.replica.quota import LIMITS
from node.replica.replica import CLEARING, Replica
from node.store.archive import Archive
from node.store.memory import MemoryStore
from node.textpack import pack

FOUNDER, HERE, GROUP, ELSEWHERE = (SigningKey(bytes([number]) * 32) for number in range(1, 5))
CHARTER = Charter.found("Belleville", [FOUNDER.public], bytes(32))
START = EPOCH_S + 86_400 * 700


class Place:
    """An island with its board, and a clock to move. `wrong_s`: by how much the island has it wrong; `certain_s`: what
    ended before this moment has ended for certain."""

    def __init__(self, folder, limits=None, keeps_past=True, confirmations=lambda: 2, rule_stands=False):
        self.clock, self.rng = ManualClock(START), random.Random(1)
        self.wrong_s, self.certain_s = 0.0, seconds_of(MAX_MINUTE)
        self.store, self.liveset = MemoryStore(), LiveSet(CHARTER, LIMITS | (limits or {}))
        self.archive = Archive(folder / "archive.sqlite")
        self.replica = Replica(self.liveset, self.store, [])
        for key, rights, name in ((HERE, Right.WRITE, "Café"), (GROUP, Right.WRITE | Right.GROUP, "Syndicat"),
                                  (ELSEWHERE, Right.WRITE | Right.URGENT, "École")):
            self.let_in(key, rights, name)
        self.board = Board(self.liveset, self.store, self.archive, HERE, Host(
            self.believed, self.publish, self.rng.randbytes, lambda size: -(-size // 219), lambda size: size / 100,
            self._about, threading.Lock(), threading.Lock(), self.publish_all, threading.Lock(), threading.Lock(),
            self.clock.monotonic, certain=lambda: self.certain_s, keeps_past=lambda: keeps_past,
            confirmations=confirmations, rule_stands=rule_stands))

    def _about(self):
        return HostStatus("Café", (), None, ClockStatus("system", True, self.minute),
                          ArchiveStatus(True, "", len(self.archive)))

    def believed(self):
        """What the island takes for the time: somebody may have set its clock wrong."""
        return self.clock.now() + self.wrong_s

    @property
    def minute(self):
        return minute_of(self.believed())

    def publish(self, raw):
        return self.replica.publish([raw], self.believed())[0][0]

    def publish_all(self, raws):
        return self.replica.take_in(raws, CLEARING, self.believed())[0]

    def take(self, record, key):
        raw = encode(sign(record, CHARTER.set_id, key.sign))
        verdict = self.publish(raw)
        assert verdict.kept, verdict
        return decode(raw)

    def confirm(self, key, item_id, holds=True, life=24):
        """Another island, or whoever signs with this key, says of a version that it is so."""
        return self.take(Record(Kind.CONFIRMATION, key.key_id, self.minute, life, target=bytes.fromhex(item_id)[:8],
                                detail=Confirmation(holds)), key)

    def let_in(self, key, rights, name):
        """The founder lets another key in."""
        codec, packed = pack(name)
        return self.take(Record(Kind.VOUCH, FOUNDER.key_id, self.minute, 9_000, detail=Vouch(key.public, rights),
                                codec=codec, packed=packed), FOUNDER)

    def pass_days(self, days):
        self.clock.advance(days * 86_400)
        self.replica.handle_all([], self.clock.now())


def event(place, **fields):
    start = place.minute + 600
    return replace(Draft(Kind.EVENT, title="Fête", start=start, end=start + 120, place="Parc", organiser="Nous",
                         text="Venez !", link="https://exemple.org/", position=(48.87, 2.39), offset=4), **fields)


def add_group(board, name, seed, passphrase):
    """Let a group sign on a board, as the command line does."""
    assert board.add_group(name, base64.b64encode(seal(seed, passphrase, bytes(SALT_BYTES))).decode())


def problems(call, *arguments):
    with pytest.raises(DraftRefused) as refused:
        call(*arguments)
    return [(problem.field, problem.code) for problem in refused.value.problems]

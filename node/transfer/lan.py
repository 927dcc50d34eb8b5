"""Two islands on one network compare their sets and trade what each lacks: one request, one answer, twice.

Sealed with a key that only members of the set have; a message is version (1) | salt (24) | ChaCha20-Poly1305 (RFC 8439) of

    compare, asked     1 | name of who asks (8) | fingerprint (16)
    compare, answered  0: the same, or 2: later, or
                       1 | name (8) | number of live ids (4) | live ids (8 each) | ids declined of late (8 each)
    trade, asked       2 | number of ids wanted (4) | ids wanted (8 each) | records, each after its length (2)
    trade, answered    records, each after its length (2)

under a key of its own, made from the salt. An answer is bound to the salt of its question, and a question is answered once:
what was recorded on the network cannot be played again. Ids are cut to 8 bytes, in the order to load them.

A visit goes both ways, so two islands that visit each other at once would send everything twice. Who visits puts off whom
it visits; of two that have just begun and do not know each other yet, the one whose name is lower goes first. A name is
drawn at each start, and says nothing.

Who asks with an earlier secret of the set is answered with that one, as if there were nothing here but what leads to the
present secret.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from node.model.byte_reader import ByteReader
from node.model.errors import RemoteFault
from node.model.record import MAX_RECORD_BYTES, record_id
from node.transfer.bulk import BATCH, FORGED, LeadingBulk, LocalBulkPort
from node.transfer.recent import Recent

VERSION = 1
SALT_BYTES, TAG_BYTES, SHORT_BYTES, NAME_BYTES = 24, 16, 8, 8
MAX_MESSAGE_BYTES = 1 << 20
CONTENT_BYTES = MAX_MESSAGE_BYTES - 1_024  # for what a message is about
MAX_TRADES = 32  # in one visit
MAX_SALTS = 4_096
MAX_FORGED = 100  # in one message
COMPARE, TRADE = 1, 2
COMPARE_BYTES = 1 + NAME_BYTES + 16  # of a whole question: with the fingerprint
SAME, DIFFERENT, LATER = b"\0", b"\1", b"\2"
ASKED, ANSWERED = b"asked", b"answered"
Tap = Callable[[str, int, bytes], None]  # who listens: see LanService
UNOPENED = "lan-seal"  # a reason: no member sealed it, or not for this
SHORT = "lan-short"  # a reason: a message ends where it must not, or goes on


@dataclass
class Visited:
    """What a visit came to: records that were new here, records that were given there; whether it is to be made again soon,
    as the other one is visiting."""

    new: int = 0
    given: int = 0
    put_off: bool = False


class Envelope:
    """Seals and opens messages of one set's members. `random(n)` gives n random bytes."""

    def __init__(self, secret: bytes, random: Callable[[int], bytes]):
        self._secret, self._random = secret, random

    def close(self, way: bytes, content: bytes, question: bytes = b"") -> bytes:
        """A message; `way` is ASKED or ANSWERED, `question` the salt of the message it answers."""
        salt = self._random(SALT_BYTES)
        return bytes([VERSION]) + salt + self._cipher(salt).encrypt(bytes(12), content, way + question)

    def open(self, way: bytes, message: bytes, question: bytes = b"") -> bytes:
        """What is in a message; raises RemoteFault unless a member sealed it for this."""
        if not 1 + SALT_BYTES + TAG_BYTES <= len(message) <= MAX_MESSAGE_BYTES or message[0] != VERSION:
            raise RemoteFault("lan-form")
        try:
            return self._cipher(salt_of(message)).decrypt(bytes(12), message[1 + SALT_BYTES:], way + question)
        except InvalidTag:
            raise RemoteFault(UNOPENED) from None

    def _cipher(self, salt: bytes) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(hashlib.blake2b(salt, key=self._secret, digest_size=32, person=b"archipel-lan").digest())


class LanService:
    """One island's side of it: `answer` questions of others, `visit` them. Safe from any thread but the runner's.

    `formers`: the subkeys `lan` of earlier secrets, the last one first. `tap(way, kind, content)`, if somebody listens,
    hears what is said under the present secret, opened: `asked` and `answered` here, `asking` and `told` on a visit, with
    the kind of the question (COMPARE, TRADE); and of what is `refused` the reason.
    """

    tap: Tap = staticmethod(lambda way, kind, content: None)

    def __init__(self, bulk: LocalBulkPort, secret: bytes, random: Callable[[int], bytes], formers: Iterable[bytes] = ()):
        self.earlier_minute: int | None = None  # in which somebody last asked with an earlier secret
        self._minute = lambda: bulk.label().made
        self.tables = [LanTable(bulk, secret, random, lambda *told: self.tap(*told)),
                       *(LanTable(LeadingBulk(bulk), former, random) for former in formers)]
        self._salts = Recent(MAX_SALTS)
        self._lock = Lock()  # portal threads answer at the same time
        self._counters: Counter[str] = Counter()

    @property
    def counters(self) -> Counter[str]:
        """What was refused, by reason, as of now."""
        with self._lock:
            return Counter(self._counters)

    def count(self, what: str) -> None:
        """One more of these."""
        with self._lock:
            self._counters[what] += 1

    def answer(self, message: bytes) -> bytes:
        """The answer to another island's question; raises RemoteFault for whatever is none, or was asked before."""
        try:
            return self._answer(message)
        except RemoteFault as fault:
            self.tap("refused", 0, fault.reason.encode())
            raise

    def _answer(self, message: bytes) -> bytes:
        for table in self.tables:
            try:
                content = table.envelope.open(ASKED, message)
            except RemoteFault as fault:
                if fault.reason != UNOPENED or table is self.tables[-1]:
                    raise
                continue
            if not self._salts.add(salt_of(message)):
                raise RemoteFault("lan-replay")
            if table is not self.tables[0]:
                self.earlier_minute = self._minute()
            return table.answer(content, salt_of(message))
        raise RemoteFault(UNOPENED)

    def visit(self, post: Callable[[bytes], bytes]) -> Visited:
        """Compare and trade with the island behind `post(message)`; raises RemoteFault or what `post` raises."""
        return self.tables[0].visit(post)


class Tradable(Protocol):
    """What of a bulk is traded: `node.transfer.bulk.LocalBulkPort` or, with who speaks otherwise, `.LeadingBulk`."""

    def ordered(self) -> list[bytes]:
        """Ids to compare and to give, in the order to load them."""

    def shorts(self) -> set[bytes]:
        """The same cut to 8 B."""

    def declined(self) -> frozenset[bytes]:
        """Cut ids that the other side need not offer."""

    def unwanted(self) -> frozenset[bytes]:
        """Cut ids not to be asked for."""

    def load(self, ids: Collection[bytes]) -> list[bytes]:
        """Encodings."""

    def unload(self, raws: list[bytes], via: str) -> list[str]:
        """Keep them; what became of each."""


class LanTable:
    """What is said under one secret, and what is traded with who knows it; `tap` as LanService has it."""

    def __init__(self, bulk: Tradable, secret: bytes, random: Callable[[int], bytes],
                 tap: Tap = lambda way, kind, content: None):
        self._bulk, self.envelope, self._tap = bulk, Envelope(secret, random), tap
        self._name = random(NAME_BYTES)
        self._lock = Lock()  # guards the two that follow: portal threads answer at the same time
        self._starting = 0  # visits that have not yet learnt whom they are to
        self._visiting: Counter[bytes] = Counter()  # whom the others are to, by name

    def answer(self, content: bytes, salt: bytes) -> bytes:
        """The sealed answer to a question that was opened; raises RemoteFault."""
        self._tap("asked", content[0] if content else 0, content)
        if content[:1] == bytes([COMPARE]):
            if len(content) != COMPARE_BYTES:
                raise RemoteFault(SHORT)
            told = self._compared(content[1:1 + NAME_BYTES], content[1 + NAME_BYTES:])
        elif content[:1] == bytes([TRADE]):
            told = self._traded(ByteReader(content[1:], SHORT))
        else:
            raise RemoteFault("lan-kind")
        self._tap("answered", content[0], told)
        return self.envelope.close(ANSWERED, told, salt)

    def visit(self, post: Callable[[bytes], bytes]) -> Visited:
        """Compare and trade with the island behind `post(message)`; raises RemoteFault or what `post` raises."""
        with self._lock:
            self._starting += 1
        try:
            told = self._ask(post, bytes([COMPARE]) + self._name + fingerprint(self._bulk.shorts()))
            visited = ByteReader(told[1:], SHORT).take(NAME_BYTES) if told[:1] == DIFFERENT else b""
            with self._lock:
                self._visiting[visited] += 1
        finally:
            with self._lock:
                self._starting -= 1
        try:
            return Visited(put_off=told == LATER) if told in (SAME, LATER) else self._trades(post, told)
        finally:
            with self._lock:
                self._visiting -= Counter([visited])

    def _trades(self, post: Callable[[bytes], bytes], told: bytes) -> Visited:
        visited = Visited()
        (live, declined), ours = _lists(told), self._shorts()
        unwanted = self._bulk.unwanted()
        wanted = [short for short in live if short not in ours and short not in unwanted]
        theirs = {*live, *declined}
        offered = [id_ for short, id_ in ours.items() if short not in theirs]
        for _ in range(MAX_TRADES):
            if not wanted and not offered:
                break
            self._trade(post, wanted, offered, visited)
        return visited

    def _trade(self, post: Callable[[bytes], bytes], wanted: list[bytes], offered: list[bytes], visited: Visited) -> None:
        """One trade; takes from both lists what it settles."""
        asked = wanted[:CONTENT_BYTES // 4 // SHORT_BYTES]
        question = bytes([TRADE]) + len(asked).to_bytes(4, "big") + b"".join(asked)
        parcel, settled = self._parcel(offered, CONTENT_BYTES - len(question))
        got = list(records_of(ByteReader(self._ask(post, question + parcel), SHORT)))
        del offered[:settled]
        visited.given += settled
        before = len(wanted)
        seen = {short_of(raw) for raw in got}
        wanted[:] = [short for short in wanted if short not in seen] if got else []
        if got and len(wanted) == before:
            raise RemoteFault("lan-unasked")
        visited.new += self._take_in(got)

    def _ask(self, post: Callable[[bytes], bytes], content: bytes) -> bytes:
        question = self.envelope.close(ASKED, content)
        self._tap("asking", content[0], content)
        told = self.envelope.open(ANSWERED, post(question), salt_of(question))
        self._tap("told", content[0], told)
        return told

    def _compared(self, visitor: bytes, theirs: bytes) -> bytes:
        if fingerprint(self._bulk.shorts()) == theirs:
            return SAME
        with self._lock:
            if self._visiting[visitor] or (self._starting and visitor > self._name):
                return LATER
        live = list(self._shorts())[:CONTENT_BYTES // 2 // SHORT_BYTES]
        return DIFFERENT + self._name + len(live).to_bytes(4, "big") + b"".join((*live, *self._bulk.declined()))

    def _traded(self, asked: ByteReader) -> bytes:
        wanted = [asked.take(SHORT_BYTES) for _ in range(min(asked.number(4), MAX_MESSAGE_BYTES // SHORT_BYTES))]
        self._take_in(records_of(asked))
        ours = self._shorts()
        return self._parcel([ours[short] for short in wanted if short in ours], CONTENT_BYTES)[0]

    def _take_in(self, records: Iterable[bytes]) -> int:
        """How many were new; raises RemoteFault when too many were forged."""
        raws, new, forged = list(records), 0, 0
        for at in range(0, len(raws), BATCH):
            reasons = self._bulk.unload(raws[at:at + BATCH], "lan")
            new += reasons.count("kept")
            forged += reasons.count(FORGED)
            if forged > MAX_FORGED:
                raise RemoteFault("lan-forged")
        return new

    def _parcel(self, ids: list[bytes], most_bytes: int) -> tuple[bytes, int]:
        """As many of these records as fit, and of how many ids that settles the matter."""
        parcel = bytearray()
        for number, id_ in enumerate(ids):
            for raw in self._bulk.load([id_]):
                if len(parcel) + 2 + len(raw) > most_bytes:
                    return bytes(parcel), number
                parcel += len(raw).to_bytes(2, "big") + raw
        return bytes(parcel), len(ids)

    def _shorts(self) -> dict[bytes, bytes]:
        """Cut ids of what is live, in the order to load them, to whole ones."""
        return {id_[:SHORT_BYTES]: id_ for id_ in self._bulk.ordered()}


def salt_of(message: bytes) -> bytes:
    """What makes a message unlike any other."""
    return message[1:1 + SALT_BYTES]


def fingerprint(shorts: Iterable[bytes]) -> bytes:
    """16 bytes of a set of ids, whatever their order."""
    return hashlib.blake2b(b"".join(sorted(shorts)), digest_size=16, person=b"archipel-lan-set").digest()


def tag_of(secret: bytes, name: str) -> str:
    """What an announced name carries so that members of the set, and nobody else, know it for one of theirs."""
    return hashlib.blake2b(name.encode(), key=secret, digest_size=8, person=b"archipel-lan-tag").hexdigest()


def short_of(raw: bytes) -> bytes:
    """The cut id of an encoded record."""
    return record_id(raw)[:SHORT_BYTES]


def _lists(told: bytes) -> tuple[list[bytes], list[bytes]]:
    answer = ByteReader(told, SHORT)
    if answer.take(1) != DIFFERENT:
        raise RemoteFault("lan-kind")
    answer.take(NAME_BYTES)
    count = answer.number(4)
    ids = [answer.take(SHORT_BYTES) for _ in range(answer.left // SHORT_BYTES)]
    return ids[:count], ids[count:]


def records_of(parcel: ByteReader) -> Iterator[bytes]:
    """The encodings in what is left of a trade; raises RemoteFault."""
    while parcel.left:
        size = parcel.number(2)
        if not 0 < size <= MAX_RECORD_BYTES:
            raise RemoteFault("record-too-long")
        yield parcel.take(size)

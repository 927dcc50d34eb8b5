"""What another machine on the network says, sealed by a stranger or a member: what is true is kept, and nothing else."""

import random

from node.model.record import record_id
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.lan import ANSWERED, ASKED, MAX_FORGED, MAX_MESSAGE_BYTES, Envelope, LanService, fingerprint, salt_of
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors
from tests.sim.village import NOW, Village

VILLAGE = Village()
SECRET, FORMER = VILLAGE.charter.subkey("lan"), bytes(range(32))
VOUCH = VILLAGE.vouch("founder", "ana")
RECORDS = [VOUCH, *(VILLAGE.bulletin("ana", f"bulletin {number}") for number in range(4))]


def island(held):
    """Its service and its set, with so many of the records."""
    liveset = LiveSet(VILLAGE.charter)
    replica = Replica(liveset, MemoryStore(), [])
    replica.take_in(RECORDS[:held], "post", NOW)
    bulk = LocalBulkPort(liveset, MemoryStore(), IslandLabel(bytes(8), "Île"), lambda: NOW,
                         lambda raws, via: replica.take_in(raws, via, NOW)[0])
    return LanService(bulk, SECRET, random.Random(held).randbytes, [FORMER]), liveset


def run(octets):
    """Octets: what is done (1), then what is said: as it came, sealed as a question, or sealed as an answer."""
    what, said = octets[:1], octets[1:]
    envelope = Envelope(FORMER if what and what[0] & 4 else SECRET, random.Random(9).randbytes)
    service, liveset = island(3)
    refusable(service.answer, said)
    question = envelope.close(ASKED, said)
    told = refusable(service.answer, question)
    if told is not None:
        assert len(told) <= MAX_MESSAGE_BYTES
        envelope.open(ANSWERED, told, salt_of(question))
        assert refusable(service.answer, question) is None  # once is enough
    asked = iter([said[:40], said[40:]] if what and what[0] & 1 else [said] * 3)

    def post(message):
        return Envelope(SECRET, random.Random(8).randbytes).close(ANSWERED, next(asked, b""), salt_of(message))

    refusable(service.visit, post)
    refusable(service.visit, lambda message: said)
    other, its = island(5)
    if not said:
        assert service.visit(other.answer).new >= 2
    assert all(one.get(id_) for one in (liveset, its) for id_ in one.ids())  # each has the signature that it needs


def seeds():
    yield from (b"\0" + raw for raw in octets_in(vectors("carry"), "content", "asked", "answered", "plain"))
    shorts = [record_id(raw)[:8] for raw in RECORDS]
    framed = [len(raw).to_bytes(2, "big") + raw for raw in RECORDS]
    name, count = b"visitor!", (5).to_bytes(4, "big")
    forged = bytearray(framed[4])
    forged[-1] ^= 1
    for what in (b"\0", b"\1", b"\4"):
        yield what
        yield what + b"\1" + name + bytes(16)
        yield what + b"\2" + count + b"".join(shorts) + b"".join(framed)
        yield what + b"\2" + bytes(4) + bytes(forged) * 3
        yield what + b"\1" + name + count + b"".join(shorts) + shorts[0]
        yield what + b"\1" + name + (4).to_bytes(4, "big") + shorts[4] + shorts[3][:7] + framed[4]
        yield what + (b"\1" + name + (1).to_bytes(4, "big") + shorts[4]).ljust(40, b"\0") + framed[4]
        yield what + (b"\1" + name + (1).to_bytes(4, "big") + shorts[4] * 3)[:40] + framed[1]
    compared = b"\1" + name + fingerprint(record_id(raw)[:8] for raw in RECORDS[:3])
    yield b"\0" + compared
    yield b"\0\2" + bytes(4) + bytes(forged) * (MAX_FORGED + 9)
    yield b"\0\2"
    yield b"\0\2\0"


TARGET = Target(run, ("node/transfer/lan.py",), seeds, 2_048, beside={
    "tells nobody what it reads": ("tag_of",)}, aside={
    "it has a table at least": ("for table in self.tables",), "two islands at once: tests/transfer/test_lan.py": ("if self._visiting",),
    "sets of thousands: tests/transfer/test_lan.py": ("for _ in range(MAX_TRADES)", "if len(parcel) + 2")})

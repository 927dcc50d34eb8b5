"""What a broker shows, sealed by a stranger or by a member: a whole island hears it, and keeps what is true only."""

import random
from functools import cache

from node.model.clock import EPOCH_S, minute_of
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.events import LinkChanged, PacketReceived, SendDone, Tick
from node.sync.mqtt.engine import MqttEngine
from node.sync.mqtt.sealing import LENGTH_BYTES, NONCE_BYTES, SEALED_BYTES, SLOT_BYTES, TAG_BYTES, Seal
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors

NOW = EPOCH_S + 86_400.0 * 700
KEY = SigningKey(bytes(range(32)))
CHARTER = Charter.found("Belleville", [KEY.public], b"\7" * 32)
SEAL = Seal(CHARTER)


@cache
def bulletin(number):
    record = Record(Kind.BULLETIN, KEY.key_id, minute_of(NOW) - 10, 24, packed=b"bulletin %d" % number)
    return encode(sign(record, CHARTER.set_id, KEY.sign))


def run(octets):
    """Octets: one for what is done with the next stretch, one for its length, the stretch, and so on."""
    liveset = LiveSet(CHARTER)
    replica = Replica(liveset, MemoryStore(), [MqttEngine("mqtt", CHARTER, liveset, random.Random(1))])
    now, at = NOW, 0
    replica.publish([bulletin(1)], now)
    while at < len(octets):
        what, size = octets[at] % 8, octets[at + 1] if at + 1 < len(octets) else 0
        part, at = octets[at + 2:at + 2 + size], at + 2 + size
        for event in events(what, part):
            sends = replica.handle(event, now)
            for send in sends:
                assert SLOT_BYTES <= len(send.payload) <= SLOT_BYTES + SEALED_BYTES[-1]
                if len(send.payload) > SLOT_BYTES:
                    assert SEAL.open(send.payload[:SLOT_BYTES], send.payload[SLOT_BYTES:])
        now += 60.0 * what if what != 7 else -90.0
    true = {record_id(bulletin(number)) for number in range(10)}
    assert set(liveset.ids()) <= true


def events(what, part):
    good = bulletin(part[0] % 4) if part else bulletin(0)
    slot, strange = SEAL.slot(record_id(good)), SEAL.slot(record_id(part))
    wrong = slot[:8] + bytes(8)  # a member's record under the name of none
    shown = {0: part, 1: slot + SEAL.close(slot, good), 2: slot, 3: slot + member(slot, part),
             4: strange + SEAL.close(strange, part), 7: wrong + SEAL.close(wrong, good)}
    if what in shown:
        yield PacketReceived("mqtt", shown[what])
    elif what == 5:
        yield LinkChanged("mqtt", bool(part and part[0] & 1))
    else:
        yield SendDone("mqtt", "sent")
    refusable(SEAL.open, slot, part)
    yield Tick()


def member(slot, part):
    """Sealed by a member who writes what they like: a length of their own, another nonce."""
    size = SEALED_BYTES[0]
    nonce = bytes(NONCE_BYTES)
    plain = part[:LENGTH_BYTES + 120].ljust(size - NONCE_BYTES - TAG_BYTES, b"\0")
    return nonce + SEAL._cipher.encrypt(nonce, plain, slot)


def seeds():
    yield from octets_in(vectors("sealing"), "sealed")
    steps = [bytes([5, 1, 1]), bytes([1, 1, 1]), bytes([1, 1, 2]), bytes([2, 1, 1]), bytes([6, 0]), bytes([6, 0]),
             bytes([3, 3, 0, 1, 2]), bytes([7, 0]), bytes([5, 1, 0]), bytes([5, 1, 1]), bytes([4, 2, 1, 1]), bytes([0, 0])]
    yield b"".join(steps)
    yield bytes([5, 1, 1, 7, 1, 2])
    yield b"".join(steps[::-1])
    yield steps[0] + bytes([6, 0]) * 30
    yield steps[0] + bytes([4, 90]) + bulletin(9)[:90] + steps[1] * 3


TARGET = Target(run, (
    "node/sync/mqtt/engine.py: MqttEngine._learn MqttEngine._unseal MqttEngine._compare MqttEngine._emptied",
    "node/sync/mqtt/sealing.py"), seeds, 512)

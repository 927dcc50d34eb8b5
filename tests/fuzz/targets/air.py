"""What islands say on the air, with the right tag: a whole island hears it from several neighbours, answers within its turn, and
keeps what is true only."""

import math
import random
from functools import cache

from node.model.clock import minute_of
from node.model.record import record_id
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.codes import bloom
from node.sync.codes.erasure import piece
from node.sync.codes.sketch import sketch
from node.sync.events import LinkChanged, MeetNow, PacketReceived, SendDone, Tick
from node.sync.lora.context import Channel, Identity
from node.sync.lora.engine import AirEngine
from node.sync.lora.inventory import element_of
from node.sync.lora.packets import MAX_PACKET_BYTES, VERSION, Have, More, Need, Neighbours, Piece, Sum, Whole, tag
from radio.airtime import Governor
from radio.lora import time_on_air_s
from tests.fuzz.kinds import Target
from tests.sim.archipelago import CHARTER, LINK, START, bulletin

KEY, ADDRESS = CHARTER.subkey("tag"), 0x0123
HELD = 4  # of ten records that there are
WAITS_S = (0, 1, 20, 300, 3_600, 14_400, 86_400, -90)


@cache
def record(number):
    return bulletin(number, 104 + 96 * (number % 3))


def run(octets):
    """Octets: one for what happens next, one for the length of the stretch that follows, the stretch, and so on."""
    liveset = LiveSet(CHARTER)
    engine = AirEngine(Channel(LINK, time_on_air_s, Governor()), liveset, Identity(KEY, ADDRESS), random.Random(1))
    replica = Replica(liveset, MemoryStore(), [engine])
    now, at, number, under_way = START, 0, 0, False
    replica.handle(LinkChanged(LINK, True), now)
    replica.publish([record(each) for each in range(HELD)], now)
    while at < len(octets):
        what, size = octets[at], octets[at + 1] if at + 1 < len(octets) else 0
        part, at, number = octets[at + 2:at + 2 + size], at + 2 + size, number + 1
        now += WAITS_S[what >> 5]
        for event in events(what, part, number):
            if not isinstance(event, SendDone) or under_way:
                under_way = under_way and not isinstance(event, SendDone | LinkChanged)
                sends = replica.handle(event, now)
                assert len(sends) <= 1 and all(8 <= len(send.payload) <= MAX_PACKET_BYTES for send in sends)
                under_way = under_way or bool(sends)
        assert engine.deadline is None or math.isfinite(engine.deadline)
        assert len(engine.queue(now)) <= len(liveset)
    assert set(liveset.ids()) <= {record_id(record(each)) for each in range(10)}


def events(what, part, number):
    """By its low five bits of what is done: a packet as it is, a link, the end of sending, a record of ours, else sections."""
    kind = what & 31
    if kind == 0:
        yield PacketReceived(LINK, part, "!1", 0)
    elif kind == 1:
        yield LinkChanged(LINK, bool(part and part[0] & 1))
    elif kind == 2:
        yield SendDone(LINK, ("sent", "failed", "duty-cycle")[part[0] % 3 if part else 0])
    elif kind == 3:
        yield MeetNow()
    elif kind == 4:
        yield PacketReceived(LINK, packet(Whole(record(3 * (part[0] % 4) if part else 9), True).encode(), 0x700, number), "!700", 0)
    else:
        sender, hops = 0x700 + (kind & 3), (kind >> 2) - 1
        yield PacketReceived(LINK, packet(part, sender, number, strict=kind & 8 and 1), f"!{sender:08x}", hops if hops < 3 else None, 3, "1f", 4.5, -90)
    yield SendDone(LINK, "sent")
    yield Tick()


def packet(sections, sender, number, strict=0):
    head, body = bytes([VERSION << 4 | strict]), sender.to_bytes(2, "big") + bytes([number % 256]) + sections
    return head + tag(head + body, KEY) + body


def step(what, *sections):
    content = b"".join(section if isinstance(section, bytes) else section.encode() for section in sections)[:220]
    return bytes([what, len(content)]) + content


def seeds():
    hour, day = minute_of(START) // 60 + 1, minute_of(START) // 1_440
    elements = {number: element_of(record_id(record(number)), day, KEY) for number in range(10)}
    known, lacking = [elements[number] for number in range(HELD)], [elements[number] for number in range(3, 9)]
    same, other = Sum(hour & 0xFFFF, HELD, 8, sketch(known, 8)), Sum(hour & 0xFFFF, 6, 8, sketch(lacking, 8))
    small, odd = Sum(hour & 0xFFFF, 6, 1, sketch(lacking, 1)), Sum(hour & 0xFFFF, 40, 4, 0x12345678)
    need, strange = Need(ADDRESS, day & 255, tuple(known[:2])), Need(0, day & 255, (7, 8, 9))
    short = record_id(record(8))[:4]
    pieces = [Piece(short, 3, index, len(record(8)), piece(record(8), 3, index), True) for index in range(5)]
    wrong = [Piece(b"\1\2\3\4", 3, index, len(record(8)), piece(record(8), 3, index), True) for index in range(3)]
    more = More(ADDRESS, record_id(record(2))[:4], 2, 1)
    have = [Have(hour & 0xFFFF, count, 1, who, bloom.fill(elements_, 1, size), depth)
            for count, who, elements_, size, depth in ((6, (ADDRESS,), lacking, 12, 0), (6, (1, ADDRESS, 3), lacking, 12, 0), (90, (), lacking, 30, 2),
                                                       (0, (0,), [], 1, 0))]
    near = [Neighbours(who) for who in ((), (ADDRESS,), tuple(range(15)), (0x701, 0x702))]
    late, early = Sum(hour + 900 & 0xFFFF, 3, 4, sketch(known, 4)), Sum(hour - 900 & 0xFFFF, 3, 4, sketch(known, 4))
    one = [same, other, small, odd, need, strange, more, *have, *near, late, early, Whole(record(7), False), Whole(record(1), True),
           Whole(record(7)[:-1] + b"?", True), Need(0x999, 0, (1,)), More(0, b"abcd", 16, 15), Need(0, day - 1 & 255, tuple(known))]
    for each in one:
        yield step(5, each)
        yield step(5, near[0], same) + step(0x45, each) + step(0x6A, each) + step(0xC6, each)
        yield step(6, Whole(record(9), True), each) + step(0x65, near[3]) + step(0x45)
    full = Have(hour & 0xFFFF, HELD, 1, (ADDRESS,), bloom.fill(known, 1, 30), 0)
    yield step(5, same) + step(0x25, full) + step(0x26, full)
    yield step(5, Sum(hour & 0xFFFF, HELD + 1, 8, sketch(known, 8)))
    yield step(5, Whole(record(6), True), Whole(record(9), False)) + step(6, Whole(record(6), False), Whole(record(6), True)) + step(7, Whole(record(3), True))
    yield step(5, need) + step(6, Whole(record(9), False), Whole(record(9), True)) + step(7, strange) + step(0x25, Whole(record(6), False))
    for hops in (5, 9, 13, 17):
        yield step(5, near[3], same) + step(0x25 + 1, near[1]) + step(0x60 | hops, need) + step(0x80 | hops, near[0]) + step(0xA0 | hops, need) + step(0x60 | hops, more)
    rng = random.Random(5)
    for capacity in (2, 3):
        yield step(5, Sum(hour & 0xFFFF, HELD + 2, capacity, sketch(known, capacity) ^ rng.randrange(1, 1 << 32) << 32))
    for capacity in (1, 2, 3, 3, 4, 6, 8, 8):
        for lacks in (1, 2, 3, 5):
            yield step(5, near[0], Sum(hour & 0xFFFF, HELD + lacks, capacity, sketch([*known, *(rng.randrange(1, 1 << 32) for _ in range(lacks))], capacity)))
        yield step(5, Sum(hour & 0xFFFF, 5, capacity, rng.randrange(1 << 32 * capacity)))
        yield step(5, Sum(hour & 0xFFFF, 5, capacity, sketch(known, capacity) ^ rng.randrange(1, 1 << 32)))
    for some in (pieces, wrong, pieces[2:], pieces[:2]):
        yield step(5, near[0]) + b"".join(step(5, each) for each in some) + step(0x65) + step(0x85)
        yield b"".join(step(0x25 + number % 3, each) for number, each in enumerate(some))
    yield b"".join(step(0x65, each, near[0]) for each in one)
    yield b"".join(step(0x85 + number % 4, each) for number, each in enumerate(reversed(one)))
    yield step(4, b"\5") + step(0x44, b"\6") + step(0x46, need) + step(0x62, b"\1") + step(0x62, b"\2") + step(0x65, same)
    yield step(1, b"\0") + step(5, same) + step(1, b"\1") + step(3) + step(0x83) + step(0x25, other) + step(0xE5, same) + step(0xC5, same)
    yield step(0, packet(same.encode(), ADDRESS, 1)) + step(0, packet(b"\3", 0x701, 1)) + step(0, packet(b"", 0x701, 2)) * 2 + step(0, b"\x20abc")
    yield b"".join(step(0x05 | (n % 3) << 5, Whole(record((0, 1, 3, 4, 6, 7, 9)[n % 7]), n % 2 == 0), need) for n in range(20))


TARGET = Target(run, ("node/sync/lora/receiver.py", "node/sync/lora/reconciliation.py", "node/sync/lora/reassembly.py", "node/sync/lora/refusals.py",
                      "node/sync/codes/bloom.py", "node/sync/codes/erasure.py", "node/sync/codes/sketch.py"), seeds, 1_024, share=3, aside={
                          "what we write": ("if not (1 <= parts", "if len(pieces) < parts"),
                          "tables of thousands: tests/sync/lora/test_hostile.py": (
                              "if len(self._open) >", "if len(self._until) >", "if len(self._tags) >", "if self._uncompared", "if held is None"),
                          "a root that is double was seen before: x^(2^32) = x": ("for place in range(bit, LANE)",),
                          "of records that leave at this moment, or came by another way": ("if pending:", "if heard:"),
                          "there is no other section": ("case More():",)})

"""The air engine, event by event: what it sends, when, and what it refuses."""

import hashlib
import random
from dataclasses import replace

import pytest

from node.model.clock import minute_of
from node.model.errors import LocalMisuse
from node.model.keys import Charter
from node.model.record import decode, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.codes.erasure import piece
from node.sync.codes.sketch import sketch
from node.sync.events import (
    Imported,
    LinkChanged,
    MeetNow,
    PacketReceived,
    RecordPosted,
    SendDone,
    Tick,
)
from node.sync.lora import packets
from node.sync.lora.context import Channel, Identity
from node.sync.lora.engine import AirEngine
from node.sync.lora.packets import More, Need, Neighbours, Packet, Piece, Sum, Whole
from node.sync.lora.tuning import TUNING
from radio.airtime import Governor
from radio.lora import time_on_air_s
from tests.sim.archipelago import CHARTER, LINK, START, bulletin
from tests.sim.archipelago import KEY as AUTHOR
from tests.sim.village import spoilt
from tests.sync.calls import counted

KEY = CHARTER.subkey("tag")
OTHER = 0x0777


class LoneIsland:
    """One island at a link whose other end is the test."""

    def __init__(self, seed=1, charter=CHARTER, tuning=TUNING, address=0x0123, **channel):
        self.liveset = LiveSet(charter)
        self.engine = AirEngine(Channel(LINK, time_on_air_s, Governor(), **channel), self.liveset,
                                Identity(KEY, address), random.Random(seed), tuning)
        self.replica = Replica(self.liveset, MemoryStore(), [self.engine])
        self.now, self.sent, self.sequence, self.under_way, self.outcome = START, [], 0, False, "sent"
        self.give(LinkChanged(LINK, True))

    def give(self, event):
        """One event; returns what was sent at once, as read packets."""
        sends = self.replica.handle(event, self.now)
        assert len(sends) <= 1
        self.under_way |= bool(sends)
        read = [(send, packets.decode(send.payload, KEY)) for send in sends]
        self.sent += read
        return read

    def hear(self, *sections, sender=OTHER, hops=0, key=KEY):
        """A packet from a neighbour."""
        self.sequence = (self.sequence + 1) % 256
        return self.give(PacketReceived(LINK, packets.encode(Packet(sender, self.sequence, sections), key), "!x", hops))

    def wait(self, seconds):
        """Let time pass, taking every packet at once; returns what was sent meanwhile."""
        end, before = self.now + seconds, len(self.sent)
        while True:
            if self.under_way:
                self.under_way = False
                self.now += 2
                self.give(SendDone(LINK, self.outcome))
            elif self.replica.deadline is not None and self.replica.deadline <= end:
                self.now = max(self.now, self.replica.deadline)
                self.give(Tick())
            else:
                self.now = max(self.now, end)
                return self.sent[before:]

    def sections(self, kind, sent=None):
        return [section for _, packet in (self.sent if sent is None else sent) for section in packet.sections
                if isinstance(section, kind)]


def summary(raws, capacity=8, at=START):
    """What a neighbour that holds these records says, by the specification alone."""
    hour = minute_of(at) // 60 + 1
    elements = [element(raw, hour // 24) for raw in raws]
    return Sum(hour % 65536, len(raws), capacity, sketch(elements, capacity))


def element(raw, day):
    salt = day.to_bytes(2, "big")
    digest = hashlib.blake2b(record_id(raw), key=KEY, salt=salt, digest_size=4, person=b"archipel-element").digest()
    return int.from_bytes(digest, "big") or 1


DAY = (minute_of(START) // 60 + 1) // 24


def test_a_keeper_who_wants_it_to_meet_the_others_is_heard_soon_and_takes_no_more_air_by_asking_often():
    island = LoneIsland()
    island.wait(24 * 3600)
    before = len(island.sections(Sum))
    for _ in range(50):
        island.give(MeetNow())
    island.wait(60)
    assert len(island.sections(Sum)) == before + 1


def test_a_record_posted_here_goes_out_at_once():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([], at=island.now), Neighbours((0x0123,)))
    sent = island.give(RecordPosted(bulletin(1)))
    assert [section.raw for section in island.sections(Whole, sent)] == [bulletin(1)]
    assert sent[0][0].hop_limit == 0


def test_nothing_goes_out_before_the_last_packet_is_done():
    island = LoneIsland()
    island.wait(60)
    island.give(RecordPosted(bulletin(1)))
    assert island.give(RecordPosted(bulletin(2))) == []
    assert bulletin(2) in [section.raw for section in island.sections(Whole, island.wait(30))]


def test_a_link_that_is_down_gets_nothing():
    island = LoneIsland()
    island.give(LinkChanged(LINK, False))
    island.under_way = False
    assert island.give(RecordPosted(bulletin(1))) == []
    assert island.wait(3600) == []


def test_a_record_heard_is_relayed_if_another_neighbour_may_lack_it():
    island = LoneIsland()
    island.hear(summary([]), sender=5)
    island.hear(Whole(bulletin(1), True))
    assert bulletin(1) in [section.raw for section in island.sections(Whole, island.wait(60))]


def test_a_record_heard_is_not_relayed_to_who_sent_it():
    island = LoneIsland()
    island.hear(Whole(bulletin(1), True))
    assert record_id(bulletin(1)) in island.liveset
    assert island.sections(Whole, island.wait(3600)) == []


def test_a_record_that_is_refused_is_not_relayed():
    island = LoneIsland()
    island.hear(summary([]), sender=5)
    forged = spoilt(bulletin(1))
    island.hear(Whole(forged, True))
    assert island.sections(Whole, island.wait(3600)) == []
    assert len(island.liveset) == 0


def test_a_record_that_was_refused_is_not_asked_for_whoever_holds_it():
    island = LoneIsland()
    forged = spoilt(bulletin(1))
    island.hear(Whole(forged, True), sender=5)
    island.hear(summary([forged], at=island.now), sender=5)
    assert island.sections(Need, island.wait(900)) == []
    island.hear(summary([forged, bulletin(2)], at=island.now), sender=5)
    asked = {number for need in island.sections(Need, island.wait(900)) for number in need.elements}
    assert asked == {element(bulletin(2), minute_of(START) // 1440)}


def test_records_learnt_in_bulk_wait_until_a_neighbour_lacks_them():
    island = LoneIsland()
    island.hear(summary([]), sender=5)
    island.give(Imported(tuple(bulletin(number) for number in range(3)), "bundle"))
    assert island.sections(Whole, island.wait(120)) == []
    island.hear(summary([bulletin(0)], at=island.now), sender=5)
    sent = {section.raw for section in island.sections(Whole, island.wait(300))}
    assert sent == {bulletin(1), bulletin(2)}


def test_what_a_neighbour_holds_and_we_lack_is_asked_for_by_name():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([bulletin(1)], at=island.now))
    need, = island.sections(Need, island.wait(30))
    assert (need.responder, need.day, need.elements) == (OTHER, DAY % 256, (element(bulletin(1), DAY),))


def test_what_came_meanwhile_is_not_asked_for():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([bulletin(1)], at=island.now))
    island.hear(Whole(bulletin(1), True))
    assert island.sections(Need, island.wait(600)) == []


def test_who_is_named_answers_and_who_is_not_waits():
    for responder, answers in ((0x0123, True), (0x0555, False)):
        island = LoneIsland()
        island.give(Imported((bulletin(1),), "bundle"))
        island.wait(60)
        island.hear(Need(responder, DAY % 256, (element(bulletin(1), DAY),)))
        assert bool(island.sections(Whole, island.wait(20))) is answers


@pytest.mark.parametrize(("responder", "answers"), [(0x0123, True), (0x0555, False), (0, False)])
def test_who_is_asked_for_what_it_does_not_hold_tells_what_it_holds(responder, answers):
    island = LoneIsland()
    island.wait(1500)
    island.hear(Need(responder, DAY % 256, (1, 2)))
    assert any(one.capacity >= 30 for one in island.sections(Sum, island.wait(30))) is answers


def test_what_nobody_gives_is_not_asked_for_for_ever():
    island = LoneIsland()
    island.wait(1500)
    island.hear(summary([bulletin(1)], at=island.now))
    sent = island.wait(3 * 3600)
    assert len(island.sections(Need, sent)) == 4
    assert any(one.capacity >= 30 for one in island.sections(Sum, sent))


def test_a_long_record_comes_in_pieces_and_any_of_them_do():
    island, raw = LoneIsland(), bulletin(1, 500)
    for index in (200, 1, 77):
        assert len(island.liveset) == 0
        island.hear(Piece(record_id(raw)[:4], 3, index, len(raw), piece(raw, 3, index), True))
    assert island.liveset.raw(record_id(raw)) == raw


def test_a_channel_too_narrow_for_the_longest_record_is_our_own_mistake():
    with pytest.raises(LocalMisuse):
        LoneIsland(max_payload=125)


def test_a_lost_piece_is_asked_for_again():
    island, raw = LoneIsland(), bulletin(1, 500)
    island.wait(60)
    for index in (0, 1):
        island.hear(Piece(record_id(raw)[:4], 3, index, len(raw), piece(raw, 3, index), True))
    more, = island.sections(More, island.wait(40))
    assert more == More(OTHER, record_id(raw)[:4], 3, 1)
    again = island.sections(More, island.wait(900))
    assert [one.responder for one in again[:2]] == [OTHER, 0]


def test_who_asks_for_one_piece_gets_a_new_one():
    island, raw = LoneIsland(), bulletin(1, 300)
    island.wait(60)
    island.hear(summary([], at=island.now))
    island.give(RecordPosted(raw))
    island.wait(12)
    first = island.sections(Piece)
    island.hear(More(0x0123, record_id(raw)[:4], 2, 1))
    later = island.sections(Piece, island.wait(10))
    assert [one.index for one in first[:2]] == [0, 1]
    assert later and later[0].index not in (0, 1)


def test_urgent_goes_before_what_waited_longer():
    island = LoneIsland()
    island.wait(60)
    island.give(RecordPosted(bulletin(1)))
    island.give(RecordPosted(bulletin(2)))
    urgent = encode(sign(replace(decode(bulletin(3)), urgent=True), CHARTER.set_id, AUTHOR.sign))
    island.give(RecordPosted(urgent))
    raws = [section.raw for section in island.sections(Whole, island.wait(60))]
    assert raws.index(urgent) < raws.index(bulletin(2))


def test_two_small_records_share_a_packet():
    island = LoneIsland(max_payload=231)
    island.wait(60)
    island.give(RecordPosted(bulletin(1)))
    island.give(RecordPosted(bulletin(2, 95)))
    island.give(RecordPosted(bulletin(3, 95)))
    assert 2 in [sum(isinstance(section, Whole) for section in packet.sections) for _, packet in island.wait(60)]


def test_firmware_that_signs_gets_no_packet_of_the_expensive_sizes():
    island = LoneIsland(signs=True)
    for number in range(12):
        island.give(RecordPosted(bulletin(number, 100 + 12 * number)))
        island.wait(400)
    sizes = [len(send.payload) for send, _ in island.sent]
    assert sizes and not [size for size in sizes if 101 <= size <= 165]
    assert max(sizes) <= 188


@pytest.mark.parametrize("max_payload", [126, 188, 231])
def test_no_packet_is_larger_than_the_setting_says(max_payload):
    island = LoneIsland(max_payload=max_payload, signs=True)
    island.hear(Neighbours((5, 6, 7)), summary([]))
    for number in range(8):
        island.give(RecordPosted(bulletin(number, 90 + 60 * number)))
        island.wait(200)
    assert max(len(send.payload) for send, _ in island.sent) <= max_payload


def test_strangers_and_another_set_change_nothing():
    island = LoneIsland()
    island.wait(60)
    stranger = Charter.found("other", CHARTER.founders, bytes(32)).subkey("tag")
    island.hear(Whole(bulletin(1), True), key=stranger)
    for payload in (b"", b"hello", bytes(231), bytes(300)):
        island.give(PacketReceived(LINK, payload))
    assert len(island.liveset) == 0 and len(island.engine.context.neighbours) == 0
    assert island.replica.counters["dropped packet-tag"] == 1
    assert island.replica.counters["dropped packet-size"] == 3


def test_a_packet_is_read_once_and_a_record_in_it_is_named_once():
    island, raw, done = LoneIsland(), bulletin(1, 300), []
    parts = [Piece(record_id(raw)[:4], 2, index, len(raw), piece(raw, 2, index), True) for index in (0, 1)]
    for section in (*parts, Whole(bulletin(2), True)):
        payload = packets.encode(Packet(OTHER, len(done), (section, summary([raw], at=island.now))), KEY)
        with counted(packets.decode, record_id) as calls:
            island.give(PacketReceived(LINK, payload, "!x", 0))
        ours = [caller.split(".")[0] for function, caller in calls if function is record_id]
        done.append((len(calls) - len(ours), ours.count("Receiver") + ours.count("Reassembly")))
    assert done == [(1, 0), (1, 1), (1, 1)]
    assert set(island.liveset.ids()) == {record_id(raw), record_id(bulletin(2))}


def test_the_engine_looks_a_record_up_once_when_it_is_kept():
    island = LoneIsland()
    with counted(LiveSet.get) as calls:
        island.hear(Whole(bulletin(1), True))
        island.give(RecordPosted(bulletin(2)))
    assert [caller for _, caller in calls if not caller.startswith(("LiveSet", "Replica"))] == ["AirEngine._kept"] * 2


def test_a_packet_heard_twice_counts_once():
    island = LoneIsland()
    payload = packets.encode(Packet(OTHER, 1, (Whole(bulletin(1), True),)), KEY)
    for _ in range(3):
        island.give(PacketReceived(LINK, payload))
    assert island.replica.counters["dropped packet-repeated"] == 2


def test_a_duty_cycle_refusal_is_told_to_the_governor_and_tried_again():
    island = LoneIsland()
    island.wait(60)
    island.give(RecordPosted(bulletin(1)))
    island.under_way = False
    island.give(SendDone(LINK, "duty-cycle"))
    assert island.wait(50) == []
    assert bulletin(1) in [section.raw for section in island.sections(Whole, island.wait(600))]


@pytest.mark.parametrize("jump_s", [-7200, 7200, 3 * 365 * 86_400, -365 * 86_400])
def test_a_clock_that_jumps_does_not_silence_the_engine(jump_s):
    island = LoneIsland()
    island.wait(60)
    island.now += jump_s
    raw = bulletin(1, created=minute_of(island.now))
    assert island.sections(Whole, island.give(RecordPosted(raw)) + island.wait(30))
    assert island.engine.deadline <= island.now + 7200


def test_memory_is_bounded_whatever_members_send():
    island, rng = LoneIsland(), random.Random(5)
    for _ in range(3000):
        island.hear(Piece(rng.randbytes(4), 4, rng.randrange(255), 40, rng.randbytes(10), True),
                  Need(1, DAY % 256, tuple(rng.randrange(1 << 32) for _ in range(5))),
                  Sum(minute_of(island.now) // 60 + 1 & 0xFFFF, rng.randrange(9), 2, rng.getrandbits(64)),
                  sender=rng.randrange(1, 65536))
        island.now += 1
    context = island.engine.context
    assert len(context.neighbours) <= 32
    assert len(context.reassembly.forget(0)) <= 128
    assert len(context.requests._asked) <= 256

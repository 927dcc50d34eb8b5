"""Islands that meet only at a broker come to hold the same set, whatever the broker does."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from node.model.clock import EPOCH_S, minute_of
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, decode, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.events import Drop, Keep, LinkChanged, PacketReceived, RecordKept, RecordRefused, Send, SendDone, Tick
from node.sync.mqtt.engine import MqttEngine
from node.sync.mqtt.sealing import SLOT_BYTES, Seal
from node.sync.mqtt.tuning import BROKER_TUNING

NOW = EPOCH_S + 86_400.0 * 700
KEY = SigningKey(bytes(range(32)))
CHARTER = Charter.found("Belleville", [KEY.public], b"\7" * 32)
SEAL = Seal(CHARTER)


def bulletin(number, life_h=24 * 14, **fields):
    record = Record(Kind.BULLETIN, KEY.key_id, minute_of(NOW) - 10, life_h, packed=b"bulletin %d" % number, **fields)
    return encode(sign(record, CHARTER.set_id, KEY.sign))


def retraction(raw):
    record = Record(Kind.RETRACTION, KEY.key_id, minute_of(NOW), 24 * 14, target=record_id(raw)[:8])
    return encode(sign(record, CHARTER.set_id, KEY.sign))


class Watched(MqttEngine):
    """One whose memory of failures can be looked at."""

    @property
    def remembered(self):
        return set(self._failures)

    @property
    def of_use(self):
        return set(self._live()) | self._foreign


class Witness:
    """Notes how each record was learnt."""

    deadline = None

    def __init__(self):
        self.kept = []

    def handle(self, event, now):
        if isinstance(event, RecordKept):
            self.kept.append((event.id, event.via, event.bulk))
        return []


class Shore:
    """Islands and a broker in virtual time. `drop` is the part of what is put there that the broker forgets at once."""

    def __init__(self, islands, seed=1, drop=0.0, shuffle=False, repeat=1):
        self.now, self.rng = NOW, random.Random(seed)
        self.drop, self.shuffle, self.repeat = drop, shuffle, repeat
        self.retained, self.log = {}, []
        self.witnesses = [Witness() for _ in range(islands)]
        self.islands = [self._island(number) for number in range(islands)]
        self.skews = [0.0] * islands
        self.on = [False] * islands
        self.waiting = []  # (island, event), delivered a moment later

    def _island(self, number):
        liveset = LiveSet(CHARTER)
        engine = Watched("mqtt", CHARTER, liveset, random.Random(f"{number}"))
        return Replica(liveset, MemoryStore(), [engine, self.witnesses[number]])

    def post(self, number, *raws):
        verdicts, sends = self.islands[number].publish(raws, self.now + self.skews[number])
        assert all(verdict.kept for verdict in verdicts)
        self._carry_out(number, sends)

    def switch(self, number, on):
        self.on[number] = on
        if on:
            shown = [(number, PacketReceived("mqtt", slot + sealed)) for slot, sealed in self.retained.items()]
            self._enqueue(shown)
        self.waiting.append((number, LinkChanged("mqtt", on)))

    def _enqueue(self, events):
        events = events * self.repeat
        if self.shuffle:
            self.rng.shuffle(events)
        self.waiting += events

    def _carry_out(self, number, sends):
        for send in sends:
            self.log.append((self.now, number, send))
            if self.on[number]:
                self.put(send.payload[:SLOT_BYTES], send.payload[SLOT_BYTES:])
            self.waiting.append((number, SendDone("mqtt", "sent" if self.on[number] else "down")))

    def put(self, slot, sealed):
        if self.rng.random() < self.drop:
            return
        self.retained[slot] = sealed
        if not sealed:
            del self.retained[slot]
        self._enqueue([(number, PacketReceived("mqtt", slot + sealed)) for number in range(len(self.islands))
                       if self.on[number]])

    def run(self, seconds):
        until = self.now + seconds
        while True:
            while self.waiting:
                number, event = self.waiting.pop(0)
                self._carry_out(number, self.islands[number].handle(event, self.now + self.skews[number]))
            moments = [island.deadline - skew for island, skew in zip(self.islands, self.skews, strict=True)
                       if island.deadline is not None]
            self.now = max(min([*moments, until]), self.now)
            if self.now >= until:
                return
            for number, island in enumerate(self.islands):
                if island.deadline is not None and island.deadline <= self.now + self.skews[number]:
                    self._carry_out(number, island.handle(Tick(), self.now + self.skews[number]))

    def ids(self, number):
        return set(self.islands[number].liveset.ids())

    def sent(self, label):
        return [send for _, _, send in self.log if send.label == label]


def test_what_one_posts_the_other_has_at_once_and_it_is_not_sent_twice():
    shore = Shore(2)
    shore.switch(0, True)
    shore.switch(1, True)
    shore.run(60)
    shore.post(0, bulletin(1))
    shore.run(1)
    assert shore.ids(1) == {record_id(bulletin(1))}
    shore.run(7200)
    assert len(shore.sent("data")) == 1
    assert shore.witnesses[1].kept == [(record_id(bulletin(1)), "mqtt", False)]


def test_an_island_that_was_off_catches_up_in_one_go_and_brings_what_it_has():
    shore = Shore(3)
    shore.switch(0, True)
    for number in range(300):
        shore.post(0, bulletin(number))
    shore.run(120)
    shore.post(1, *[bulletin(1000 + number) for number in range(50)])
    shore.switch(1, True)
    shore.run(1)
    assert len(shore.ids(1)) == 350 and {bulk for _, via, bulk in shore.witnesses[1].kept if via == "mqtt"} == {True}
    shore.run(120)
    assert shore.ids(0) == shore.ids(1) and len(shore.retained) == 350
    assert len(shore.sent("data")) <= 355


@pytest.mark.parametrize("seed", range(3))
def test_an_island_that_joins_a_busy_broker_has_put_its_own_there_within_half_a_minute(seed):
    shore = Shore(2, seed)
    shore.post(0, *[bulletin(number) for number in range(100)])
    shore.switch(0, True)
    shore.run(60)
    own = [bulletin(10_000 + number) for number in range(900)]
    shore.post(1, *own)
    shore.switch(1, True)
    for number in range(60):  # somebody says something new twice a second
        shore.run(0.5)
        raw = encode(sign(Record(Kind.RETRACTION, KEY.key_id, minute_of(NOW), 24, target=number.to_bytes(8, "big")),
                          CHARTER.set_id, KEY.sign))
        shore.put(SEAL.slot(record_id(raw)), SEAL.close(SEAL.slot(record_id(raw)), raw))
    assert {SEAL.slot(record_id(raw)) for raw in own} <= shore.retained.keys()


def test_an_island_that_sees_others_do_its_work_goes_slowly():
    shore = Shore(1)
    raws = [bulletin(number) for number in range(100)]
    shore.post(0, *raws)
    shore.switch(0, True)
    while len(shore.log) < 10:
        shore.run(0.1)
    planned = next(raw for raw in reversed(raws) if SEAL.slot(record_id(raw)) not in shore.retained)
    slot = SEAL.slot(record_id(planned))
    shore.put(slot, SEAL.close(slot, planned))
    before = len(shore.log)
    shore.run(60)
    waits = [later[0] - earlier[0] for earlier, later in pairwise(shore.log[before + 1:])]
    assert len(shore.retained) == 100 and len(waits) > 10 and min(waits) >= BROKER_TUNING.pace_s - 1e-4


def test_a_wiped_broker_is_filled_again_and_islands_share_the_work():
    shore = Shore(4)
    shore.post(0, *[bulletin(number) for number in range(100)])
    for number in range(4):
        shore.switch(number, True)
    shore.run(300)
    sent = len(shore.sent("data"))
    for number in range(4):
        shore.switch(number, False)
    shore.retained.clear()
    shore.run(10)
    for number in range(4):
        shore.switch(number, True)
    shore.run(300)
    assert len(shore.retained) == 100
    assert len(shore.sent("data")) - sent < 200


@pytest.mark.parametrize("seed", range(10))
def test_a_broker_that_loses_repeats_and_shuffles_comes_to_hold_everything(seed):
    shore = Shore(3, seed, drop=0.4, shuffle=True, repeat=2)
    for number in range(3):
        shore.switch(number, True)
        shore.post(number, *[bulletin(100 * number + one) for one in range(20)])
    shore.run(4 * 3600)
    assert len(shore.retained) == 60 and shore.ids(0) == shore.ids(1) == shore.ids(2)
    for witness in shore.witnesses:
        assert len(witness.kept) == 60


def test_garbage_and_forgeries_are_dropped_by_reason_and_remembered_nowhere():
    engine = MqttEngine("mqtt", CHARTER, LiveSet(CHARTER), random.Random(1))
    engine.handle(LinkChanged("mqtt", True), NOW)
    stranger = Seal(Charter.found("Belleville", [KEY.public], b"\1" * 32))
    slot = SEAL.slot(record_id(bulletin(1)))
    drops = [engine.handle(PacketReceived("mqtt", payload), NOW) for payload in (
        b"", b"short", slot + b"x", slot + bytes(256), slot + stranger.close(slot, bulletin(1)),
        bytes(16) + SEAL.close(slot, bulletin(1)), bytes(16) + SEAL.close(bytes(16), bulletin(1)))]
    assert [[drop.reason for drop in some] for some in drops] == [
        ["slot-size"], ["slot-size"], ["seal-size"], ["seal"], ["seal"], ["seal"], ["seal-slot"]]
    assert all(isinstance(drop, Drop) for some in drops for drop in some)


def test_a_vandal_who_overwrites_or_empties_slots_is_repaired_with_growing_patience():
    shore = Shore(1)
    shore.switch(0, True)
    shore.post(0, bulletin(1))
    shore.run(60)
    (slot, good), = shore.retained.items()
    for vandalism in (b"", bytes(256)):
        before = len(shore.sent("data"))
        shore.put(slot, vandalism)
        shore.run(10)
        assert len(shore.sent("data")) == before, "not at once"
        shore.run(20 * BROKER_TUNING.retry_s)
        assert shore.retained[slot] == good
    before = len(shore.sent("data"))
    for _ in range(600):  # ten hours of it
        shore.put(slot, b"")
        shore.run(60)
    assert len(shore.sent("data")) - before < 20


def test_a_vandal_cannot_make_us_remember_more_than_the_slot():
    engine = MqttEngine("mqtt", CHARTER, full := filled(bulletin(1)), random.Random(1))
    engine.handle(LinkChanged("mqtt", True), NOW)
    slot = SEAL.slot(record_id(bulletin(1)))
    for number in range(1_000):
        engine.handle(PacketReceived("mqtt", slot + bytes(256)), NOW + number / 1_000)
    assert len(full) == len(engine._plan) == len(engine._due) == 1


def filled(*raws):
    """A live set that holds these records."""
    liveset = LiveSet(CHARTER)
    liveset.apply(liveset.propose(raws, NOW))
    return liveset


def test_what_came_by_another_way_at_the_same_moment_is_not_put_there_again():
    engine = MqttEngine("mqtt", CHARTER, filled(bulletin(1)), random.Random(1))
    engine.handle(LinkChanged("mqtt", True), NOW)
    engine.handle(RecordKept(record_id(bulletin(1)), "lora"), NOW)
    engine.handle(RecordRefused(record_id(bulletin(1)), "mqtt", "duplicate"), NOW)
    actions = [action for second in range(600) for action in engine.handle(Tick(), NOW + second)]
    assert actions == []


def test_records_loaded_between_the_first_packet_and_the_link_coming_up_are_put_there():
    liveset = LiveSet(CHARTER)
    engine = MqttEngine("mqtt", CHARTER, liveset, random.Random(1))
    engine.handle(PacketReceived("mqtt", bytes(16) + bytes(256)), NOW)
    liveset.apply(liveset.propose([bulletin(1)], NOW))
    engine.handle(LinkChanged("mqtt", True), NOW)
    actions = [action for second in range(60) for action in engine.handle(Tick(), NOW + second)]
    assert [action.label for action in actions] == ["data"]


def test_what_left_the_set_is_taken_away_hours_later():
    shore = Shore(2)
    for number in range(2):
        shore.switch(number, True)
    shore.post(0, bulletin(1), bulletin(2))
    shore.run(60)
    shore.post(1, retraction(bulletin(1)))
    shore.run(BROKER_TUNING.clear_s - 100)
    assert len(shore.retained) == 3
    shore.run(BROKER_TUNING.clear_spread_s + 200)
    assert set(shore.retained) == {SEAL.slot(record_id(raw)) for raw in (bulletin(2), retraction(bulletin(1)))}
    assert len(shore.sent("clear")) <= 2


def test_what_nobody_wants_any_more_is_taken_away_even_if_it_was_there_before_us():
    raw = bulletin(1)
    shore = Shore(1)
    shore.retained[SEAL.slot(record_id(raw))] = SEAL.close(SEAL.slot(record_id(raw)), raw)
    shore.post(0, retraction(raw))
    shore.switch(0, True)
    shore.run(BROKER_TUNING.clear_s + BROKER_TUNING.clear_spread_s + 60)
    assert set(shore.retained) == {SEAL.slot(record_id(retraction(raw)))}


def test_an_island_with_a_wrong_clock_does_not_draw_the_others_into_a_quarrel():
    shore = Shore(3)
    shore.skews[2] = 30 * 86_400.0  # to it everything has expired
    for number in range(3):
        shore.switch(number, True)
    shore.post(0, *[bulletin(number) for number in range(10)])
    shore.run(3 * 86_400)
    assert len(shore.ids(0)) == len(shore.ids(1)) == 10 and shore.ids(2) == set()
    assert len(shore.retained) >= 8, "some may be on their way back"
    assert len(shore.log) < 10 * 2 * (3 * 86_400 / BROKER_TUNING.clear_s) * 1.5


def test_a_record_that_waits_for_its_author_is_left_where_it_is():
    stranger = SigningKey(b"\5" * 32)
    record = replace(decode(bulletin(1)), author=stranger.key_id)
    raw = encode(sign(record, CHARTER.set_id, stranger.sign))
    shore = Shore(1)
    slot = SEAL.slot(record_id(raw))
    shore.retained[slot] = SEAL.close(slot, raw)
    shore.switch(0, True)
    shore.run(2 * 86_400)
    assert slot in shore.retained and not shore.log


def test_packets_are_paced_and_one_is_under_way_at_a_time():
    shore = Shore(1)
    shore.post(0, *[bulletin(number) for number in range(1000)])
    shore.switch(0, True)
    shore.run(300)
    times = [at for at, _, _ in shore.log]
    assert len(times) == 1000
    waits = [later - earlier for earlier, later in pairwise(times)]
    tuning = BROKER_TUNING
    assert min(waits) >= tuning.burst_pace_s - 1e-4
    assert all(later - times[first] >= (number - tuning.burst - 1) * tuning.pace_s - 1e-4
               for first in range(0, 1000, 50) for number, later in enumerate(times[first:]))
    engine = MqttEngine("mqtt", CHARTER, shore.islands[0].liveset, random.Random(1))
    actions = engine.handle(LinkChanged("mqtt", True), NOW)
    for second in range(1, 100):
        actions += engine.handle(Tick(), NOW + second)
    assert len([action for action in actions if isinstance(action, Send)]) == 1 and engine.deadline is None


def test_what_other_ways_bring_is_put_there_by_one_island_or_two_not_by_all():
    shore = Shore(8)
    for number in range(8):
        shore.switch(number, True)
    shore.run(60)
    for number in range(8):
        sends = shore.islands[number]._carry_out([Keep(bulletin(1), "lora")], shore.now)
        shore._carry_out(number, sends)
    shore.run(BROKER_TUNING.spread_s + 60)
    assert len(shore.retained) == 1 and len(shore.sent("data")) <= 2


def test_a_clock_set_back_delays_nothing():
    shore = Shore(1, drop=1.0)
    shore.switch(0, True)
    shore.post(0, bulletin(1))
    shore.run(60)
    shore.drop, shore.skews[0] = 0.0, -9 * 60.0
    shore.post(0, bulletin(2))  # whatever happens wakes it
    shore.run(3 * BROKER_TUNING.retry_s)
    assert len(shore.retained) == 2


def test_other_links_are_none_of_its_business():
    engine = MqttEngine("mqtt", CHARTER, LiveSet(CHARTER), random.Random(1))
    assert engine.handle(LinkChanged("lora", True), NOW) == [] and engine.deadline is None
    assert engine.handle(PacketReceived("lora", bytes(300)), NOW) == []
    assert engine.handle(SendDone("lora", "sent"), NOW) == []


def test_memory_stays_bounded_when_a_member_goes_mad():
    engine = MqttEngine("mqtt", CHARTER, LiveSet(CHARTER), random.Random(1))
    engine.handle(LinkChanged("mqtt", True), NOW)
    for number in range(BROKER_TUNING.max_foreign + 500):
        engine._refused(number.to_bytes(16, "big"), "signature", NOW)
    assert len(engine._foreign) == len(engine._due) == BROKER_TUNING.max_foreign


def test_nothing_is_remembered_of_slots_whose_records_are_gone_while_the_link_stays_up():
    shore = Shore(2, drop=0.5)
    for number in range(2):
        shore.switch(number, True)
    shore.run(600)
    posts = [bulletin(number) for number in range(30)]
    shore.post(0, *posts)
    shore.run(3600)
    engines = [island.engines[0] for island in shore.islands]
    assert len(engines[0].remembered) > 10 and len(shore.retained) == 30
    shore.post(0, *map(retraction, posts))
    shore.run(5 * 86_400)
    assert {SEAL.slot(record_id(raw)) for raw in posts}.isdisjoint(shore.retained)
    assert all(engine.remembered <= engine.of_use for engine in engines)

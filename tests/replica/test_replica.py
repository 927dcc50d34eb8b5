"""An island keeps before it sends, tells its engines, and loses nothing it acknowledged."""

import random
from dataclasses import replace

import pytest

import node.model.record
from node.model.clock import EPOCH_S
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, decode, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.index import Row, StoreFailed
from node.store.memory import MemoryStore
from node.sync.events import (
    Drop,
    Imported,
    Keep,
    PacketReceived,
    RecordKept,
    RecordPosted,
    RecordRefused,
    RecordsGone,
    Send,
)
from tests.effort import EFFORT
from tests.sim.village import Village, spoilt

KEY = SigningKey(b"\1" * 32)
CHARTER = Charter.found("Belleville", [KEY.public], bytes(32))
NOW = EPOCH_S + 60 * 1_000_000.0
YEAR_S = 365 * 86_400


def bulletin(text=b"bonjour", created=1_000_000, life=24):
    return encode(sign(Record(Kind.BULLETIN, KEY.key_id, created, life, packed=text), CHARTER.set_id, KEY.sign))


class Gossip:
    """The simplest engine: keeps the packets it hears, sends on whatever was kept."""

    deadline = None

    def __init__(self, liveset):
        self.liveset, self.heard = liveset, []

    def handle(self, event, now):
        self.heard.append(event)
        if isinstance(event, PacketReceived):
            return [Keep(event.payload, event.link)] if event.payload else [Drop(event.link, "empty")]
        if isinstance(event, RecordKept):
            return [Send("air", self.liveset.raw(event.id))]
        return []


class FailingStore(MemoryStore):
    def commit(self, put=(), delete=()):
        raise StoreFailed("full")


def island(store=None):
    liveset = LiveSet(CHARTER)
    return Replica(liveset, store if store is not None else MemoryStore(), [Gossip(liveset)])


def test_a_post_is_on_disk_and_in_the_set_before_it_is_sent():
    one = island()
    raw = bulletin()
    sends = one.handle(RecordPosted(raw), NOW)
    assert [send.payload for send in sends] == [raw]
    assert one.store.get(record_id(raw)).raw == raw and record_id(raw) in one.liveset
    assert one.engines[0].heard == [RecordKept(record_id(raw), "post")]


class Reading(Gossip):
    """Reads what is kept, as engines do to give it its rank."""

    def handle(self, event, now):
        if isinstance(event, RecordKept):
            assert self.liveset.get(event.id).packed
        return super().handle(event, now)


@pytest.fixture
def decoded(monkeypatch):
    """Grows by one for every record that is decoded."""
    parse, calls = node.model.record._parse, []
    monkeypatch.setattr(node.model.record, "_parse", lambda *parts: calls.append(parts) or parse(*parts))
    return calls


@pytest.mark.parametrize("way", [
    lambda one, raws: one.publish(raws, NOW),
    lambda one, raws: one.take_in(raws, "bundle", NOW),
    lambda one, raws: one.handle_all([RecordPosted(raw) for raw in raws], NOW),
    lambda one, raws: one.handle_all([PacketReceived("air", raw, "0", 0) for raw in raws], NOW),
], ids=["published", "in bulk", "posted", "from the air"])
def test_a_record_is_decoded_once_from_its_bytes_to_the_last_engine(decoded, way):
    liveset = LiveSet(CHARTER)
    one = Replica(liveset, MemoryStore(), [Reading(liveset), Reading(liveset)])
    raws = [bulletin(text) for text in (b"un", b"deux", b"trois")]
    way(one, raws)
    assert len(liveset) == 3 and all(engine.heard for engine in one.engines)
    assert {row.raw for row in one.store.rows()} == set(raws)
    assert len(decoded) == 3
    liveset.get(record_id(raws[0]))
    way(one, [bulletin(b"quatre")])
    assert len(decoded) == 4
    liveset.get(record_id(raws[0]))
    assert len(decoded) == 5, "what was decoded is not kept for good: a live record costs its bytes"


def test_what_waited_for_a_vouch_is_decoded_once_when_it_enters(decoded):
    village = Village()
    liveset = LiveSet(village.charter)
    one = Replica(liveset, MemoryStore(), [Reading(liveset)])
    posts = [village.bulletin("ana", str(number)) for number in range(5)]
    one.take_in(posts, "bundle", NOW)
    assert len(liveset) == 0
    decoded.clear()
    one.take_in([village.vouch("founder", "ana")], "bundle", NOW)
    assert len(liveset) == 6 and len(decoded) == 6


def test_a_start_decodes_each_record_once_and_keeps_nothing_of_it_but_what_the_rules_need(decoded):
    store, raws = MemoryStore(), [bulletin(str(number).encode(), life=1 + number) for number in range(6)]
    Replica(LiveSet(CHARTER), store, []).publish(raws, NOW)
    decoded.clear()
    one = Replica(LiveSet(CHARTER), store, [])
    one.load(NOW + 3 * 3600)
    assert len(one.liveset) == 3 and len(one.liveset.fading()) == 3 and len(decoded) == 6
    assert all(one.liveset.get(id_) for id_ in one.liveset.ids())
    assert len(decoded) == 9


def test_records_that_come_together_share_one_commit():
    commits = []

    class Counting(MemoryStore):
        def commit(self, put=(), delete=()):
            put = list(put)
            commits.append(len(put))
            super().commit(put, delete)

    one = island(Counting())
    sends = one.handle_all([RecordPosted(bulletin(b"%d" % number)) for number in range(5)]
                           + [Imported((bulletin(b"six"), bulletin(b"seven")), "bundle")], NOW)
    assert commits == [7] and len(sends) == 7
    assert RecordKept(record_id(bulletin(b"six")), "bundle", bulk=True) in one.engines[0].heard


def test_a_card_that_fails_leaves_the_set_as_it_was_and_nothing_is_sent():
    one = island(FailingStore())
    raw = bulletin()
    assert one.handle(PacketReceived("air", raw), NOW) == []
    assert len(one.liveset) == 0
    assert one.engines[0].heard[-1] == RecordRefused(record_id(raw), "air", "store")
    assert one.counters["store full"] == 1


def test_who_publishes_learns_that_the_card_failed():
    one = island(FailingStore())
    try:
        one.publish([bulletin()], NOW)
    except StoreFailed as failure:
        assert failure.reason == "full"
    assert len(one.liveset) == 0 and one.engines[0].heard == []


def test_what_is_heard_badly_is_counted_and_not_kept():
    one = island()
    one.handle_all([PacketReceived("air", b""), PacketReceived("air", b"noise"),
                    PacketReceived("air", spoilt(bulletin()))], NOW)
    assert one.counters == {"dropped empty": 1, "refused record-too-short": 1, "refused signature": 1}


def test_what_expires_is_hidden_at_once_but_kept_as_a_clock_may_be_wrong():
    one = island()
    raw = bulletin(life=1)
    one.handle(RecordPosted(raw), NOW)
    assert one.deadline == NOW + 3600
    assert one.handle_all([], NOW + 3599) == [] and len(one.liveset) == 1
    one.handle_all([], NOW + 3600)
    assert len(one.liveset) == 0 and len(one.store) == 1
    assert one.engines[0].heard[-1] == RecordsGone((record_id(raw),))


def test_after_a_restart_the_set_is_what_the_store_holds():
    store = MemoryStore()
    one = island(store)
    one.handle_all([RecordPosted(bulletin()), RecordPosted(bulletin(life=2, text=b"soon gone"))], NOW)
    two = island(store)
    two.load(NOW + 3 * 3600)
    assert list(two.liveset.ids()) == [record_id(bulletin())]


@pytest.mark.parametrize("seed", range(10 * EFFORT))
def test_no_clock_however_wrong_loses_a_live_record(seed):
    """Jumps of an hour to ten years, boots in 1970, restarts; once the time is right again everything live is back."""
    rng = random.Random(seed)
    one = island()
    raws = [bulletin(b"%d" % number, life=24 * rng.randint(2, 90)) for number in range(30)]
    true = NOW
    for raw in raws:
        true += rng.uniform(0, 600)
        wrong = rng.choice([0.0, true, true, true + rng.uniform(3600, 10 * YEAR_S), true - rng.uniform(3600, YEAR_S)])
        one.handle_all([Imported((raw,), "bundle")], true)
        one.handle_all([], wrong)
        if rng.random() < 0.2:
            one = island(one.store)
            one.load(rng.choice([wrong, true]))
    one.handle_all([], true)
    assert set(one.liveset.ids()) == {record_id(raw) for raw in raws}
    assert len(one.store) == len(raws)


def test_a_record_that_waited_for_its_vouch_is_kept_on_disk_and_told_when_the_vouch_comes():
    village = Village()
    one = Replica(LiveSet(village.charter), MemoryStore(), [])
    one.engines = [Gossip(one.liveset)]
    post, vouch = village.bulletin("ana"), village.vouch("founder", "ana")
    assert one.handle(PacketReceived("air", post), NOW) == []
    assert one.engines[0].heard[-1] == RecordRefused(record_id(post), "air", "penned")
    assert len(one.handle(PacketReceived("air", vouch), NOW)) == 2
    assert one.engines[0].heard[-2:] == [RecordKept(record_id(vouch), "air"),
                                         RecordKept(record_id(post), "quarantine", bulk=True)]
    assert len(one.store) == 2


def test_a_record_from_the_future_enters_by_itself_when_its_time_is_near():
    one = island()
    raw = bulletin(created=1_000_000 + 2 * 1440)
    one.handle(PacketReceived("air", raw), NOW)
    assert len(one.liveset) == 0
    one.handle_all([], NOW + 86_400)
    assert len(one.liveset) == len(one.store) == 1


def test_when_a_record_came_is_still_known_after_a_clock_was_wrong_for_a_while():
    one = island()
    raw = bulletin()
    one.handle(RecordPosted(raw), NOW)
    received = one.store.get(record_id(raw)).received
    one.handle_all([], NOW + 10 * 86_400)
    one.handle_all([], NOW + 60)
    assert record_id(raw) in one.liveset and one.store.get(record_id(raw)).received == received


def test_what_was_deleted_from_the_card_is_not_waited_for_any_more():
    one = island()
    raw = bulletin()
    one.handle(RecordPosted(raw), NOW)
    one.handle_all([], NOW + 86_400)
    assert one.liveset.fading() == [record_id(raw)]
    one.store.commit(delete=[record_id(raw)])
    one.handle_all([], NOW + 86_460)
    assert one.liveset.fading() == []


def test_retracted_texts_are_deleted_from_the_card_at_once():
    village = Village()
    one = Replica(LiveSet(village.charter), MemoryStore(), [])
    post = village.bulletin()
    one.handle_all([RecordPosted(post), RecordPosted(village.retraction(record_id(post)))], NOW)
    assert [row.kind for row in one.store.rows()] == [Kind.RETRACTION]


def test_rows_somebody_damaged_or_forged_on_the_card_are_deleted_at_the_start():
    village = Village()
    good, forged = village.bulletin(), spoilt(village.vouch("founder", "ana"))
    store = MemoryStore()
    rows = [Row.of(decode(raw), raw, 0) for raw in (good, forged)]
    store.commit([*rows, replace(rows[0], id=bytes(16)), replace(rows[0], id=b"\1" * 16, raw=b"noise")])
    one = Replica(LiveSet(village.charter), store, [])
    one.load(NOW)
    assert [row.raw for row in store.rows()] == [good]


def test_a_row_kept_under_the_id_of_another_record_is_deleted_and_not_shown():
    store, swapped = MemoryStore(), bulletin(b"somebody else's words")
    row = replace(Row.of(decode(swapped), swapped, 0), id=record_id(bulletin()))
    store.commit([row])
    one = island(store)
    one.load(NOW)
    assert list(one.liveset.ids()) == [] and len(store) == 0


def test_what_was_withdrawn_since_the_start_is_counted_so_that_it_is_erased():
    village = Village()
    store = MemoryStore()
    one = Replica(LiveSet(village.charter), store, [])
    post = village.bulletin()
    one.publish([post], NOW)
    assert one.withdrawn == 0
    one.publish([village.retraction(record_id(post))], NOW)
    before = one.withdrawn
    assert before > 0
    one.publish([village.retraction(bytes(8))], NOW)  # of what is only in the archive, for all that is known here
    assert one.withdrawn > before


class UndeletingStore(MemoryStore):
    """A card that deletes nothing while `failing`."""

    failing = True

    def commit(self, put=(), delete=()):
        if self.failing and list(delete):
            raise StoreFailed("io-error")
        super().commit(put, delete)


def test_what_left_the_set_while_the_card_failed_is_deleted_later():
    village, store = Village(), UndeletingStore()
    post, forged = village.bulletin(), spoilt(village.bulletin(text="forged"))
    store.commit(put=[Row.of(decode(raw), raw, 0) for raw in (post, forged)])
    one = Replica(LiveSet(village.charter), store, [])
    one.load(NOW)
    assert one.liveset.raw(record_id(forged)) is None, "somebody wrote to the card, and it is found out"
    one.handle_all([], NOW + 120)
    assert len(store) == 2 and one.counters["store io-error"]
    with pytest.raises(StoreFailed):
        one.delete_strays()
    store.failing = False
    one.delete_strays()
    assert [row.raw for row in store.rows()] == [post]


def test_a_retraction_deletes_what_it_takes_back_though_it_has_ended_here():
    village, store = Village(), MemoryStore()
    one = Replica(LiveSet(village.charter), store, [])
    post, other = village.bulletin(life=1), village.bulletin(life=1, text="other")
    one.publish([post, other], NOW)
    one.handle_all([], NOW + 7200)
    assert len(one.liveset) == 0 and len(store) == 2
    one.take_in([village.retraction(record_id(post), life=48)], "lan", NOW + 7200)
    assert store.get(record_id(post)) is None and store.get(record_id(other)) is not None
    assert one.liveset.fading() == [record_id(other)]
    store.commit(put=[Row.of(decode(post), post, 0)])  # a bad bit lost the deletion
    again = Replica(LiveSet(village.charter), store, [])
    again.load(NOW + 7300)
    assert store.get(record_id(post)) is None and store.get(record_id(other)) is not None


def test_somebody_elses_retraction_deletes_nothing():
    village, store = Village(), MemoryStore()
    one = Replica(LiveSet(village.charter), store, [])
    post = village.bulletin("founder", life=1)
    one.publish([post], NOW)
    one.publish([village.vouch("founder", "ana")], NOW)
    one.handle_all([], NOW + 7200)
    one.take_in([village.retraction(record_id(post), "ana", life=48)], "lan", NOW + 7200)
    assert store.get(record_id(post)) is not None


def test_when_something_last_came_from_elsewhere_is_known_and_posts_here_do_not_count():
    one = island()
    one.publish([bulletin()], NOW)
    assert one.heard_at is None
    one.handle(PacketReceived("air", bulletin(b"from afar")), NOW + 60)
    assert one.heard_at == NOW + 60

"""What is loaded here and unloaded there makes the same set, whoever tampers with it on the way."""

import random

import pytest

from node.board.api import TOPICS
from node.model.confirmation import Confirmation
from node.model.errors import RemoteFault
from node.model.record import Kind, Right, decode, record_id
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.index import StoreFailed
from node.store.memory import MemoryStore
from node.transfer.bulk import (
    BATCH,
    MAX_FORGED,
    MAX_ISLANDS,
    Choice,
    IslandLabel,
    LocalBulkPort,
    load_bundle,
    unload_bundle,
)
from node.transfer.bundle import Bundle, Header, write
from tests.sim.village import KEEPER, T0, Village, at, spoilt

FOOD = next(number for number, slug in TOPICS.items() if slug == "food")


class Shore:
    """An island with a bulk and no links."""

    def __init__(self, village, who="founder", store=None):
        self.minute, self.store = 0, store if store is not None else MemoryStore()
        self.liveset = LiveSet(village.charter)
        self.replica = Replica(self.liveset, self.store, [])
        self.bulk = LocalBulkPort(self.liveset, self.store, IslandLabel(village.key(who).key_id, who),
                                  lambda: at(self.minute),
                                  lambda raws, via: self.replica.take_in(raws, via, at(self.minute))[0])

    def hold(self, *raws):
        self.bulk.unload(list(raws), "test")
        return self

    @property
    def ids(self):
        return set(self.liveset.ids())


def busy(village, posts=300):
    """Vouches three deep, posts of many authors, versions, endings: newest last."""
    raws = [village.vouch("founder", "keeper", KEEPER), *(village.vouch("keeper", who) for who in ("writer", "island"))]
    for number in range(posts):
        author = ("founder", "keeper", "writer", "island")[number % 4]
        raws.append(village.bulletin(author, f"avis {number}", minute=number, topic=number % 14, urgent=False))
    gone = village.event("writer", "annulé", minute=5)
    raws += [gone, village.retraction(record_id(gone), "writer", minute=6)]
    return raws


def test_a_never_seen_island_learns_the_whole_set_from_one_bundle():
    village = Village()
    here, there = Shore(village).hold(*busy(village)), Shore(village, "island")
    landed = unload_bundle(there.bulk, load_bundle(here.bulk))
    assert there.ids == here.ids and landed.new.total() == len(here.ids)
    assert not landed.refused and not landed.faults


def test_a_second_import_changes_nothing():
    village = Village()
    here, there = Shore(village).hold(*busy(village)), Shore(village, "island")
    bundle = b"".join(load_bundle(here.bulk))
    unload_bundle(there.bulk, [bundle])
    commits, revision = [], there.liveset.revision
    there.store.commit = lambda *args, **kwargs: commits.append(args)
    landed = unload_bundle(there.bulk, [bundle])
    assert not landed.new and landed.known == len(here.ids)
    assert not commits and there.liveset.revision == revision


def test_what_expired_since_is_neither_loaded_nor_taken():
    village = Village()
    here, there = Shore(village).hold(village.bulletin(life=1), village.bulletin(text="lasts", life=9)), Shore(village)
    old = b"".join(load_bundle(here.bulk))
    here.minute = there.minute = 61
    assert sum(1 for _ in Bundle(load_bundle(here.bulk))) == 1
    assert unload_bundle(there.bulk, [old]).refused == {"expired": 1}


def test_a_withdrawn_post_does_not_come_back_with_an_old_bundle():
    village = Village()
    here, there = Shore(village).hold(village.bulletin()), Shore(village)
    old = b"".join(load_bundle(here.bulk))
    here.hold(village.retraction(record_id(village.bulletin())))
    unload_bundle(there.bulk, load_bundle(here.bulk))
    landed = unload_bundle(there.bulk, [old])
    assert landed.refused.total() == 1 and there.ids == here.ids


def test_a_choice_keeps_what_it_rests_on():
    village = Village()
    soup = village.bulletin("keeper", "soupe", topic=FOOD)
    reply = village.sign("keeper", Kind.REPLY, 3, packed=b"merci", target=record_id(soup)[:8])
    more = village.bulletin("keeper", "soupe à 19 h", minute=3, topic=FOOD, target=record_id(soup)[:8], urgent=True)
    says = village.sign("founder", Kind.CONFIRMATION, 4, target=record_id(more)[:8], detail=Confirmation(True))
    here = Shore(village).hold(village.vouch("founder", "keeper", KEEPER | Right.URGENT), more, reply, says,
                               village.bulletin("keeper", "bal", minute=9), village.retraction(bytes(8), minute=2))
    about_food = {decode(raw).kind for raw in here.bulk.load(here.bulk.ids(Choice(FOOD)))}
    assert about_food == {Kind.VOUCH, Kind.BULLETIN, Kind.REPLY, Kind.RETRACTION, Kind.CONFIRMATION}
    assert len(here.bulk.ids(Choice(FOOD))) == 5
    late = here.bulk.load(here.bulk.ids(Choice(since=T0 + 5)))
    assert sorted(decode(raw).kind for raw in late) == [Kind.BULLETIN, Kind.RETRACTION, Kind.VOUCH]


def test_vouches_are_loaded_first_then_what_is_urgent():
    village = Village()
    here = Shore(village).hold(village.vouch("founder", "keeper", KEEPER, minute=1), *[
        village.bulletin("founder", f"avis {number}", minute=number, urgent=number == 3) for number in range(9)])
    loaded = [decode(raw) for raw in here.bulk.load(here.bulk.ids())]
    assert loaded[0].kind is Kind.VOUCH and loaded[1].urgent
    assert [record.created - T0 for record in loaded[2:]] == [8, 7, 6, 5, 4, 2, 1, 0]


def test_a_bundle_of_another_set_is_refused_unread():
    village = Village()
    with pytest.raises(RemoteFault) as caught:
        unload_bundle(Shore(village).bulk, load_bundle(Shore(Village("others")).bulk))
    assert caught.value.reason == "other-set"


def test_forgeries_are_counted_and_a_file_full_of_them_is_put_down():
    village = Village()
    shore = Shore(village)
    good = [village.bulletin(text=f"avis {number}") for number in range(MAX_FORGED + 3 * BATCH)]
    forged = [spoilt(raw) for raw in good]
    landed = unload_bundle(shore.bulk, write(shore.bulk.label(), [good[0], *forged]))
    assert shore.ids == {record_id(good[0])}
    assert landed.refused["signature"] <= MAX_FORGED + BATCH and landed.faults["too-many-forged"]


def test_a_bundle_full_of_noise_brings_nothing_and_raises_nothing():
    village, rng = Village(), random.Random(4)
    shore = Shore(village).hold(village.vouch("founder", "keeper"))
    whole = [village.bulletin(text=f"{number}") for number in range(50)]
    mutants = []
    for raw in whole * 4:
        spoilt = bytearray(raw)
        for _ in range(rng.randint(1, 3)):
            spoilt[rng.randrange(len(raw))] ^= rng.randint(1, 255)
        mutants.append(bytes(spoilt[:rng.randint(1, len(raw))]) if rng.random() < 0.3 else bytes(spoilt))
    before = shore.ids
    landed = unload_bundle(shore.bulk, write(shore.bulk.label(), mutants))
    assert shore.ids == before and landed.total == len(mutants) and not landed.new


def test_a_card_that_fills_up_keeps_what_came_before():
    village = Village()
    here, store = Shore(village).hold(*busy(village)), MemoryStore()
    there = Shore(village, "island", store)
    commits = []
    keep = store.commit

    def fills_up(put=(), delete=()):
        commits.append(1)
        if len(commits) > 1:
            raise StoreFailed("full")
        keep(put, delete)

    store.commit = fills_up
    with pytest.raises(StoreFailed):
        unload_bundle(there.bulk, load_bundle(here.bulk))
    assert len(there.ids) == BATCH == len(store)
    store.commit = keep
    unload_bundle(there.bulk, load_bundle(here.bulk))
    assert there.ids == here.ids


def test_of_many_islands_the_last_bundles_of_so_many_are_remembered():
    village = Village()
    names = [f"île {number}" for number in range(MAX_ISLANDS + 2)]
    here = Shore(village).hold(*(village.vouch("founder", name) for name in names))
    for here.minute, name in enumerate(names):
        here.bulk.remember(Header(village.charter.set_id, village.key(name).key_id, T0, name))
    assert [header.name for header, _taken in here.bulk.remembered()] == names[:1:-1]


def test_the_last_bundle_of_each_island_is_remembered_but_not_a_strangers():
    village = Village()
    here, there = Shore(village, "keeper").hold(*busy(village)), Shore(village, "island")
    stranger = Shore(village, "stranger").hold(*busy(village))
    here.minute = 10
    bundle = b"".join(load_bundle(here.bulk))
    there.minute = stranger.minute = 90
    unload_bundle(there.bulk, [bundle])
    unload_bundle(there.bulk, load_bundle(stranger.bulk))
    assert there.bulk.remembered() == [
        (Header(village.charter.set_id, village.key("keeper").key_id, T0 + 10, "keeper"), T0 + 90)]


def test_a_bundle_from_a_clock_that_is_ahead_was_made_when_it_came():
    village = Village()
    here, there = Shore(village, "keeper").hold(*busy(village)), Shore(village, "island")
    here.minute, there.minute = 90, 30
    unload_bundle(there.bulk, load_bundle(here.bulk))
    assert [(header.made, taken) for header, taken in there.bulk.remembered()] == [(T0 + 30, T0 + 30)]


def test_papers_come_before_what_rests_on_them_so_that_each_is_kept_as_it_is_read():
    village = Village()
    here, there = Shore(village).hold(*busy(village, 4)), Shore(village, "island")
    post = village.bulletin("writer", "avis 2", minute=2, topic=2)
    (group,) = here.bulk.with_papers([record_id(post)])
    assert len(group) == 3 and group[-1] == post
    assert [there.bulk.unload([raw], "paper") for raw in group] == [["kept"]] * 3


def test_ones_own_bundle_is_not_news():
    village = Village()
    here = Shore(village).hold(*busy(village))
    unload_bundle(here.bulk, load_bundle(here.bulk))
    assert here.bulk.remembered() == []

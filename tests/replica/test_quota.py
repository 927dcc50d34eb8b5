"""Each author has a quota of the set, and nobody is pushed out by another."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.record import Kind, Right, record_id
from node.model.turnout import Turnout
from node.replica.liveset import LiveSet
from node.replica.quota import LIMITS, Category
from tests.effort import EFFORT
from tests.sim.village import KEEPER, NOW, Village, at, held, live, take


def test_the_quotas_are_those_of_the_protocol_as_all_islands_must_agree_on_them():
    assert LIMITS == {Category.POSTS: (1024, 262_144), Category.RETRACTIONS: (1024, 131_072),
                      Category.CANCELLATIONS: (512, 131_072), Category.VOUCHES: (512, 131_072),
                      Category.REVOCATIONS: (512, 131_072), Category.RENEWALS: (64, 112_128),
                      Category.TURNOUTS: (128, 16_384), Category.CONFIRMATIONS: (64, 8_192)}


def test_an_author_keeps_its_newest_posts_and_others_keep_theirs():
    village = Village()
    liveset = live(village, [village.vouch("founder", "ana")], posts=(10, 99_999))
    others = [village.bulletin(text=f"autre {n}") for n in range(5)]
    mine = [village.bulletin("ana", f"annonce {n}", minute=n) for n in range(50)]
    take(liveset, others)
    take(liveset, random.Random(3).sample(mine, 50))
    assert held(liveset, *mine) == [False] * 40 + [True] * 10
    assert all(held(liveset, *others))
    assert take(liveset, mine[:1]) == ["over-share"]


def test_the_quota_is_bounded_in_bytes_too():
    village = Village()
    liveset = live(village, posts=(1000, 2_000))
    posts = [village.bulletin(text="x" * 420, minute=n) for n in range(9)]
    take(liveset, posts)
    assert held(liveset, *posts) == [False] * 5 + [True] * 4


@pytest.mark.parametrize(("spare", "kept"), [(0, 3), (-1, 2)])
def test_a_quota_is_full_to_the_last_octet(spare, kept):
    village = Village()
    posts = [village.bulletin(text="x" * 50, minute=n) for n in range(3)]
    for order in (posts, posts[::-1]):
        liveset = live(village, posts=(1000, 3 * len(posts[0]) + spare))
        for raw in order:
            take(liveset, [raw])
        assert held(liveset, *posts) == [False] * (3 - kept) + [True] * kept
    founder = village.key("founder").key_id
    assert live(village, posts[1:], posts=(1000, 3 * len(posts[0]) + spare)).has_room(founder, len(posts[0])) == (kept == 3)


def test_what_an_author_counts_at_several_events_stands_side_by_side_and_a_newer_count_takes_the_place_of_its_own():
    village = Village()
    events = [record_id(village.event(start=600 + number))[:8] for number in range(3)]
    counts = [village.sign("founder", Kind.TURNOUT, 0, 48, target=event, detail=Turnout(0, 1)) for event in events]
    more = village.sign("founder", Kind.TURNOUT, 1, 48, target=events[0], detail=Turnout(0, 3))
    assert held(live(village, [*counts, more]), *counts, more) == [False, True, True, True]


def test_posts_never_push_out_retractions_or_vouches():
    village = Village()
    first = village.bulletin()
    ending = village.retraction(record_id(first), life=48)
    liveset = live(village, [first, ending, village.vouch("founder", "ana")], posts=(5, 99_999))
    take(liveset, [village.bulletin(text=str(n), minute=n + 2) for n in range(30)])
    assert len(liveset) == 7
    assert take(liveset, [first]) == ["retracted"]


def test_a_keeper_with_too_many_vouches_keeps_the_first():
    village = Village()
    liveset = live(village, vouches=(3, 99_999))
    vouches = [village.vouch("founder", f"island {n}", minute=n) for n in range(6)]
    for raw in reversed(vouches):
        take(liveset, [raw])
    assert held(liveset, *vouches) == [True] * 3 + [False] * 3


def by_the_book(raws, limit_bytes, records=1000):
    """docs/protocol.md 3.3 followed by hand: from the newest on, what does not fit is passed over."""
    kept, size = set(), 0
    for raw in sorted(raws, key=lambda raw: (raw[11:14], record_id(raw)), reverse=True):
        if len(kept) < records and size + len(raw) <= limit_bytes:
            kept.add(record_id(raw))
            size += len(raw)
    return kept


SIZES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 900)), min_size=1, max_size=25, unique=True)


@settings(max_examples=100 * EFFORT, deadline=None)
@given(SIZES, st.integers(2_000, 6_000), st.integers(1, 12), st.integers(1, 5), st.randoms(use_true_random=False))
def test_a_quota_holds_the_same_records_whatever_their_order(told, limit_bytes, records, batch, rng):
    """Half as much again came in, and less: what did not fit at first is remembered, and comes in when there is room."""
    village = Village()
    raws, size = [], 0
    for minute, length in told:
        raw = village.bulletin(text="x" * length, minute=minute)
        size += len(raw)
        if 2 * size <= 3 * limit_bytes and len(raws) < 2 * records:
            raws.append(raw)
    rng.shuffle(raws)
    liveset = live(village, posts=(records, limit_bytes))
    for start in range(0, len(raws), batch):
        take(liveset, raws[start:start + batch])
    assert set(liveset.ids()) == by_the_book(raws, limit_bytes, records)


def test_the_same_posts_newest_first_and_oldest_first_give_the_same_set():
    village = Village()
    raws = [village.bulletin(text="x" * (1 + 397 * n % 1600), minute=n) for n in range(400)]
    assert sum(len(raw) for raw in raws) > 262_144
    sets = []
    for order in (raws, raws[::-1], random.Random(1).sample(raws, len(raws))):
        liveset = LiveSet(village.charter)
        for raw in order:
            take(liveset, [raw])
        sets.append(set(liveset.ids()))
    assert sets == [by_the_book(raws, 262_144)] * 3


def test_what_a_retraction_or_an_end_frees_is_for_what_did_not_fit():
    village = Village()
    small, long = village.bulletin(text="a", life=48), village.bulletin(text="x" * 900, minute=1, life=48)
    brief = village.bulletin(text="y" * 900, minute=2, life=24)
    liveset = live(village, posts=(10, 1_200))
    assert [take(liveset, [raw]) for raw in (brief, long, small)] == [["kept"], ["over-share"], ["kept"]]
    retracted = live(village, posts=(10, 1_200))
    for raw in (brief, long, small):
        take(retracted, [raw])
    take(retracted, [village.retraction(record_id(brief), minute=3, life=48)])
    assert held(retracted, small, long, brief) == [True, True, False]
    liveset.expire(at(24 * 60 + 2))
    take(liveset, liveset.waiting(at(24 * 60 + 2)), at(24 * 60 + 2))
    assert held(liveset, small, long, brief) == [True, True, False]


def test_what_was_passed_over_is_bounded_by_the_quota_once_more():
    village = Village()
    liveset = live(village, posts=(5, 99_999))
    for n in range(40):
        take(liveset, [village.bulletin(text=str(n), minute=40 - n)])
    quota = liveset._state.quotas[village.key("founder").key_id]
    assert len(liveset) == 5 and sum(len(ranking.passed) for ranking in quota._rankings) == 5


def test_what_was_passed_over_does_not_come_back_once_it_was_withdrawn_or_its_author_revoked():
    village = Village()
    vouch = village.vouch("founder", "ana")
    newer, older = village.bulletin("ana", "b", minute=5), village.bulletin("ana", "a", minute=4)
    for ending in (village.retraction(record_id(older), "ana", minute=6), village.revoke("founder", "ana", since=4)):
        liveset = live(village, [vouch], posts=(1, 999))
        take(liveset, [newer])
        assert take(liveset, [older]) == ["over-share"]
        take(liveset, [ending])
        take(liveset, [village.retraction(record_id(newer), "ana", minute=7)])
        take(liveset, liveset.waiting(NOW))
        assert held(liveset, older) == [False]


def test_many_retractions_push_out_no_cancellation_and_many_vouches_no_revocation():
    village = Village()
    gala = village.event(text="gala", life=0)
    off = village.sign("founder", 4, 1, 99, packed=b"pluie", target=record_id(gala)[:8])
    few = (3, 999)
    liveset = live(village, [gala, off], retractions=few, cancellations=few, vouches=few, revocations=few)
    take(liveset, [village.retraction(bytes([n] * 8), minute=n + 2) for n in range(9)])
    take(liveset, [village.revoke("founder", "eve")])
    take(liveset, [village.vouch("founder", f"k{n}", minute=0) for n in range(9)])
    assert held(liveset, gala, off, village.revoke("founder", "eve")) == [True, True, True]


def test_a_keeper_over_its_quota_of_vouches_lets_the_same_in_whatever_the_order():
    village = Village()
    raws = [village.vouch("founder", "ana", KEEPER)]
    raws += [village.vouch("ana", f"island {n}", minute=n) for n in range(6)]
    raws += [village.vouch("founder", f"other {n}", KEEPER, minute=n) for n in range(1, 4)]
    for seed in range(20):
        liveset = live(village, vouches=(3, 99_999))
        for raw in random.Random(seed).sample(raws, len(raws)):
            take(liveset, [raw])
        assert held(liveset, *raws) == [True] * 4 + [False] * 3 + [True, True, False]
        assert liveset.trust.may(village.key("island 2").key_id, Right.WRITE, 1_000_000)

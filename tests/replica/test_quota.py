"""Each author has a quota of the set, and nobody is pushed out by another."""

import random

import pytest

from node.model.record import record_id
from node.replica.quota import LIMITS, Category
from tests.sim.village import Village, held, live, take


def test_the_quotas_are_those_of_the_protocol_as_all_islands_must_agree_on_them():
    assert LIMITS == {Category.POSTS: (1024, 262_144), Category.ENDINGS: (1024, 131_072),
                      Category.CREDENTIALS: (512, 131_072)}


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
    liveset = live(village, credentials=(3, 99_999))
    vouches = [village.vouch("founder", f"island {n}", minute=n) for n in range(6)]
    for raw in reversed(vouches):
        take(liveset, [raw])
    assert held(liveset, *vouches) == [True] * 3 + [False] * 3

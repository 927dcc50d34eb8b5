"""What a source gives is held and taken in one way, be it events or news: a few looks, and room for those who post here."""

import random
import threading
from dataclasses import replace
from math import inf

from node.board.api import Draft, ImportBounds, Origin
from node.gather.post_taker import GatheredPost, PostTaker
from node.ical.taking import MAX_HELD
from node.model.record import Kind
from node.replica.quota import Category, Limit
from tests.board.test_clearing import let_undo_pass
from tests.daemon.test_cap_alerts import ALERT
from tests.sim.places import Place

ALL = ImportBounds(lambda draft: None, 99, inf)
SOURCE = "https://exemple.org/feed", Origin("Le canal")


def taker_of(place):
    return PostTaker(place.board, place.publish_all, threading.Lock())


def news(key, letters=20, seed=0):
    """Words that cannot be packed, so that a post has some size."""
    rng = random.Random(f"{key} {seed}")
    text = "".join(chr(0x4E00 + rng.randrange(9_000)) for _ in range(letters))
    return GatheredPost(f"{key:016x}", Draft(Kind.BULLETIN, text))


def taken(taker, *posts, bounds=ALL):
    look = taker.look(posts, SOURCE, "", bounds)
    return taker.take(look.id, "lea")


def test_corrections_take_no_room_from_what_is_new_and_what_is_new_is_counted_together(tmp_path):
    place = Place(tmp_path, {Category.POSTS: Limit(40, 4_000)})
    taker = taker_of(place)
    assert len(taken(taker, news(1, 120), news(2, 120)).new) == 2
    place.clock.advance(60)
    told = taken(taker, news(1, 120, seed=1), news(2, 120, seed=1), *(news(key) for key in range(3, 13)))
    used = place.liveset.share(place.board._key.key_id).size_bytes
    assert len(told.changed) == 2 and len(told.new) >= 7 and told.left_out == {"share-used": 10 - len(told.new)}
    assert 1_800 < used <= 2_000, "half of the share is for those who post here"


def test_of_many_looks_the_last_ones_can_be_taken(tmp_path):
    taker = taker_of(Place(tmp_path))
    looks = [taker.look((news(key),), SOURCE, "", ALL) for key in range(MAX_HELD + 1)]
    assert taker.take(looks[0].id, "lea").problem == "stale"
    assert all(len(taker.take(look.id, "lea").new) == 1 for look in looks[1:])


def test_what_was_taken_back_here_does_not_come_back_when_its_source_changes_it(place):
    taker = taker_of(place)
    (brought,) = taken(taker, news(1)).new
    place.clock.advance(60)
    assert taken(taker, news(1, seed=1)).changed
    place.board.clear([item.id for item in place.board.bulletins().items], "lea")
    let_undo_pass(place)
    place.clock.advance(60)
    told = taken(taker, news(1, seed=2))
    assert brought and told.left_out == {"gone": 1} and not told.changed and not place.board.bulletins().items


def test_alerts_are_taken_before_news_when_there_is_not_room_for_all(place):
    alert = replace(news(2), draft=replace(news(2).draft, alert=ALERT))
    told = taken(taker_of(place), news(1), alert, bounds=replace(ALL, records=1))
    (brought,) = told.new
    assert brought.alert and told.left_out == {"daily": 1}

"""Each visitor has a bound, and all together a pace; what is counted is little, and forgotten within hours."""

import random
import threading

import pytest

from node.board.pace import (
    BOUNDS,
    DAY_MIN,
    HOURLY,
    LEAST_DAILY,
    MAX_VISITORS,
    REMEMBERED_MIN,
    Act,
    Pace,
    Room,
    TooSoon,
    Visitor,
)
from node.replica.quota import LIMITS, Category, Limit

NOW = 1_000_000
EMPTY = Room.beside(Limit(0, 0), Limit(0, 0), LIMITS)


def somebody(number):
    return Visitor(number.to_bytes(8, "big"), (1 << 32 | number).to_bytes(8, "big"))


@pytest.fixture
def pace():
    return Pace(threading.Lock())


@pytest.mark.parametrize("act", Act)
def test_a_visitor_does_so_much_in_a_while_and_is_told_when_there_is_more(pace, act):
    bound = BOUNDS[act]
    for number in range(bound.most):
        pace.count(somebody(1), act, NOW + number)
    for ask in (pace.check, pace.count):
        with pytest.raises(TooSoon) as soon:
            ask(somebody(1), act, NOW + bound.most)
        assert soon.value.minutes == bound.within_min - bound.most
    pace.count(somebody(2), act, NOW + bound.most)
    pace.count(somebody(1), act, NOW + bound.within_min)


def test_what_could_not_be_done_is_not_counted(pace):
    for _ in range(50):
        pace.count(somebody(1), Act.POST, NOW)
        pace.give_back(somebody(1), Act.POST, NOW)
    for _ in range(BOUNDS[Act.POST].most):
        pace.count(somebody(1), Act.POST, NOW)
    with pytest.raises(TooSoon):
        pace.count(somebody(1), Act.POST, NOW)


def test_a_visitor_is_known_by_the_salt_before_too(pace):
    for _ in range(BOUNDS[Act.POST].most):
        pace.count(somebody(1), Act.POST, NOW)
    with pytest.raises(TooSoon):
        pace.count(Visitor(b"by a newer salt", somebody(1).now), Act.POST, NOW)
    assert len(pace) == 1


def test_visitors_are_forgotten_within_hours_and_fill_no_memory(pace):
    for number in range(MAX_VISITORS + 500):
        pace.count(somebody(number), Act.POST, NOW)
    assert len(pace) == MAX_VISITORS
    pace.count(somebody(0), Act.POST, NOW + REMEMBERED_MIN)
    assert len(pace) == 1


def test_all_together_have_so_many_in_an_hour_and_changes_are_counted_apart(pace):
    assert sum(pace.join(Act.POST, NOW, 100, EMPTY) for _ in range(500)) == HOURLY
    assert sum(pace.join(Act.CHANGE, NOW, 100) for _ in range(500)) == HOURLY
    assert pace.join(Act.POST, NOW + 60, 100, EMPTY)


def days_of_flood(pace, size_bytes, days, keeper_clears=False):
    """How many posts each day shows when there is always one more, and what that leaves."""
    posts, endings, shown = 0, 0, []
    for day in range(days):
        today = 0
        for hour in range(24):
            room = Room.beside(Limit(posts, posts * size_bytes), Limit(endings, endings * 88), LIMITS)
            while pace.join(Act.POST, NOW + day * DAY_MIN + hour * 60, size_bytes, room):
                posts, today = posts + 1, today + 1
                room = Room.beside(Limit(posts, posts * size_bytes), Limit(endings, endings * 88), LIMITS)
        shown.append(today)
        if keeper_clears:
            endings, posts = endings + posts, 0
    return shown, posts, endings


def test_a_flood_leaves_room_for_tomorrow_whatever_it_is_made_of(pace):
    shown, posts, _endings = days_of_flood(pace, 160, 30)
    assert shown[0] == 128 and shown == sorted(shown, reverse=True)
    assert posts <= LIMITS[Category.POSTS].records * 3 // 4
    shown, posts, _endings = days_of_flood(Pace(threading.Lock()), 1_752, 30)
    assert shown[0] == 18 and posts * 1_752 <= LIMITS[Category.POSTS].size_bytes * 3 // 4


def test_where_a_flood_is_cleared_each_day_there_are_posts_every_day_and_retractions_last_for_two_weeks(pace):
    shown, _posts, endings = days_of_flood(pace, 160, 16, keeper_clears=True)
    assert min(shown) >= LEAST_DAILY and endings <= LIMITS[Category.RETRACTIONS].records


def test_what_a_keeper_takes_away_makes_room_in_the_pace(pace):
    for _ in range(HOURLY):
        pace.join(Act.POST, NOW, 100, EMPTY)
    assert not pace.join(Act.POST, NOW, 100, EMPTY)
    pace.leave(Act.POST, 10)
    assert sum(pace.join(Act.POST, NOW, 100, EMPTY) for _ in range(50)) == 10
    pace.leave(Act.POST, 10**6)
    assert sum(pace.join(Act.POST, NOW, 100, EMPTY) for _ in range(50)) == HOURLY


def test_many_threads_together_get_no_more_than_one(pace):
    got, order = [], random.Random(1)

    def flood():
        for _ in range(200):
            got.append(pace.join(Act.POST, NOW + order.randrange(2), 100, EMPTY))
            try:
                pace.count(somebody(1), Act.POST, NOW)
                got.append("mine")
            except TooSoon:
                pass

    threads = [threading.Thread(target=flood) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(True) == HOURLY and got.count("mine") == BOUNDS[Act.POST].most and len(got) > 1_600

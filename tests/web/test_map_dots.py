"""Events at one place are one dot with a number, and no dot hides another."""

import math
import random
from types import SimpleNamespace

import pytest

from web.map_dots import APART, MOVED, ONE_PLACE, RADIUS, dots, gathered

SIDE = 300


def at(*spots):
    return gathered([SimpleNamespace(title=number) for number in range(len(spots))], spots, SIDE)


def test_events_at_one_place_are_one_dot():
    found = at((100, 100), (200, 200), (102, 101), (100, 100))
    assert [(one.number, [event.title for event in one.events]) for one in found] == [(1, [0, 2, 3]), (2, [1])]


def test_what_is_beyond_the_edge_is_shown_at_the_edge_that_way():
    north, corner, inside = at((150, -900), (5_000, 5_000), (150, 20))
    assert (north.place, north.far) == ((150, RADIUS + 1), True) and corner.far and not inside.far
    assert corner.place == (SIDE - RADIUS - 1, SIDE - RADIUS - 1)


def test_what_is_at_the_edge_and_what_is_beyond_it_are_not_one_place():
    assert len(at((150, RADIUS + 1), (150, -900))) == 2


@pytest.mark.parametrize("seed", range(20))
def test_no_dot_hides_another_and_each_stays_on_the_map_near_its_place(seed):
    rng, tried = random.Random(seed), 0
    spread = rng.choice([5, 20, 60, 150, 900])
    spots = [(150 + rng.uniform(-spread, spread), 150 + rng.uniform(-spread, spread)) for _event in range(12)]
    found = at(*spots)
    drawn = dots(found, SIDE)
    for number, dot in enumerate(drawn):
        assert RADIUS <= dot.x <= SIDE - RADIUS and RADIUS <= dot.y <= SIDE - RADIUS
        assert math.dist((dot.x, dot.y), dot.gathering.place) < 6 * APART
        assert dot.is_beside == (math.dist((dot.x, dot.y), dot.gathering.place) > MOVED)
        for other in drawn[:number]:
            tried += 1
            assert math.dist((dot.x, dot.y), (other.x, other.y)) > 2 * RADIUS - 2
    assert tried or len(found) == 1


def test_a_dot_alone_stands_where_it_is():
    assert [(dot.x, dot.y, dot.is_beside) for dot in dots(at((40, 60), (40 + 4 * ONE_PLACE, 60)), SIDE)] == [
        (40, 60, False), (68, 60, False)]


def test_twelve_dots_on_one_point_find_their_places():
    found = [one for number in range(12) for one in at((150 + number / 100, 150))]
    drawn = dots(found, SIDE)
    assert min(math.dist((one.x, one.y), (other.x, other.y)) for i, one in enumerate(drawn) for other in drawn[:i]) > 20

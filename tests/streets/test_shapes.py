"""Lines are joined, cut and made simpler; areas are closed where nobody sees it; the sea lies to the right of its coast."""

import random
from itertools import pairwise

import pytest

from node.streets.shapes import area, clipped, clipped_ring, closed, joined, length, sea, simplified, simplified_ring

HALF = 10


def test_lines_that_meet_are_one_and_a_crossing_parts_them():
    assert joined([[1, 2], [3, 2], [3, 4]]) in ([[1, 2, 3, 4]], [[4, 3, 2, 1]])
    assert len(joined([[1, 2], [2, 3], [2, 4]])) == 3
    assert joined([[1, 2], [2, 3], [3, 1]])[0][0] == joined([[1, 2], [2, 3], [3, 1]])[0][-1]


def test_lines_that_follow_each_other_keep_their_direction():
    for lines in ([[1, 2], [2, 3], [3, 4]], [[3, 4], [1, 2], [2, 3]], [[2, 3], [3, 4], [1, 2]]):
        assert joined(lines) == [[1, 2, 3, 4]]


def test_joining_loses_and_invents_no_piece_of_any_line():
    rng = random.Random(3)
    for _town in range(200):
        lines = [[rng.randrange(9), rng.randrange(9, 12), rng.randrange(9)] for _line in range(rng.randrange(1, 9))]
        pieces = sorted(tuple(sorted(piece)) for line in lines for piece in pairwise(line))
        made = joined(lines)
        assert sorted(tuple(sorted(piece)) for line in made for piece in pairwise(line)) == pieces


def test_a_line_is_cut_at_the_edge_and_comes_back_as_another():
    assert clipped([(-20, 0), (0, 0), (20, 0), (20, 5), (0, 5)], HALF) == [[(-10, 0), (0, 0), (10, 0)], [(10, 5), (0, 5)]]
    assert clipped([(-20, 15), (20, 15)], HALF) == [] == clipped([(11, -20), (11, 20)], HALF)


def test_a_straight_line_from_far_outside_to_far_outside_is_drawn():
    assert clipped([(-500, -500), (500, 500)], HALF) == [[(-10, -10), (10, 10)]]


def test_a_ring_larger_than_the_square_fills_it():
    assert abs(area(clipped_ring([(-90, -90), (90, -90), (90, 90), (-90, 90)], HALF))) == (2 * HALF) ** 2
    assert clipped_ring([(50, 50), (60, 50), (60, 60)], HALF) == []


def test_what_is_left_of_a_line_lies_near_to_what_was_there():
    line = [(x / 4, (x % 3) / 10) for x in range(80)]
    assert simplified(line, 0.5) == [line[0], line[-1]]
    assert (3, 4) in simplified([(0, 0), (3, 4), (6, 0)], 0.5)
    ring = [(0, 0), (5, 0.1), (10, 0), (10, 10), (0, 10)]
    assert simplified_ring(ring, 0.5) == [(0, 0), (10, 0), (10, 10), (0, 10)]


def test_what_is_open_is_closed_outside_the_square_only():
    banks = [[(-50, -2), (50, -2)], [(50, 2), (-50, 2)]]  # of a river that comes and goes
    assert [abs(area(ring)) for ring in closed(banks, HALF)] == [400]
    assert closed([[(-50, 0), (0, 0), (0, 50)]], HALF)  # one that leaves and comes back
    assert closed([[(-50, 0), (0, 0)]], HALF) == []  # it ends in the midst of it
    assert closed([[(0, 0), (1, 0), (1, 1), (0, 0)]], HALF) == [[(0, 0), (1, 0), (1, 1)]]


@pytest.mark.parametrize(("coast", "inside", "outside"), [
    ([[(-20, 0), (20, 0)]], (0, 5), (0, -5)),  # towards the east: the sea is in the south
    ([[(20, 0), (-20, 0)]], (0, -5), (0, 5)),
    ([[(0, -20), (0, 20)]], (-5, 0), (5, 0)),
    ([[(-20, -5), (20, -5)], [(20, 5), (-20, 5)]], (0, 0), (0, 8)),  # a strait
    ([[(-20, 5), (20, 5)], [(20, -5), (-20, -5)]], (0, 8), (0, 0)),  # an isthmus
    ([[(5, 5), (5, -5), (-5, -5), (-5, 5), (5, 5)]], (8, 8), (0, 0)),  # an island
    ([[(-20, 0), (20, 0)], [(2, 6), (2, 4), (-2, 4), (-2, 6), (2, 6)]], (5, 5), (0, 5)),  # one before a coast
    ([[(20, 8), (0, 8), (0, -8), (20, -8)]], (5, 0), (-5, 0)),  # a bay
])
def test_the_sea_lies_to_the_right_of_its_coast(coast, inside, outside):
    rings = sea(coast, HALF)
    assert covers(rings, inside) and not covers(rings, outside)


def covers(rings, point):
    """Whether a point is in an odd number of rings."""
    crossed = 0
    for ring in rings:
        for (x, y), (other_x, other_y) in zip(ring, [*ring[1:], ring[0]], strict=True):
            if (y > point[1]) != (other_y > point[1]):
                crossed += x + (point[1] - y) * (other_x - x) / (other_y - y) > point[0]
    return crossed % 2 == 1


def test_a_coast_with_a_gap_makes_no_sea():
    assert sea([[(-20, 0), (0, 0)]], HALF) == []


def test_lines_have_their_length():
    assert length([(0, 0), (3, 4), (3, 5)]) == 6

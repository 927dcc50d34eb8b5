"""Dots on a map: events at one place are one dot, and no dot hides another."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from node.board.api import Announced

RADIUS = 11  # units of the drawing; on a screen of 320 a dot is 21 px wide, and its number stays legible
APART = 2 * RADIUS + 1
ONE_PLACE = 7  # units: nearer than that, a finger cannot tell two dots apart, nor an eye two corners of a square
ROUNDS = 80  # each moves dots that touch by half of what they lack; measured: 12 dots on one point need 40
MOVED = 4  # units: a dot that was moved farther is tied to its place by a line
Spot = tuple[float, float]


@dataclass(frozen=True)
class GatheringPlace:
    """Events at one place, by start, and where that is drawn; `number` names it on the map and in the list. `far`: it is
    beyond the edge, that way."""

    number: int
    place: Spot
    far: bool
    events: tuple[Announced, ...]


@dataclass(frozen=True)
class Dot:
    """A gathering's dot where it is drawn, tied to its `place` if it stands beside it."""

    gathering: GatheringPlace
    x: int
    y: int

    @property
    def is_beside(self) -> bool:
        """Whether it was moved away from its place."""
        return math.dist((self.x, self.y), self.gathering.place) > MOVED


def gathered(events: Sequence[Announced], spots: Sequence[Spot], side: float) -> list[GatheringPlace]:
    """Events, by start, each at its spot of the drawing, put together where they cannot be told apart; numbered from 1."""
    cells: dict[tuple[int, int], list[int]] = {}
    found: list[tuple[Spot, bool, list[Announced]]] = []
    for event, spot in zip(events, spots, strict=True):
        inside = _inside(spot, side)
        across, down = (math.floor(way / ONE_PLACE) for way in inside)
        near = [number for x in (-1, 0, 1) for y in (-1, 0, 1) for number in cells.get((across + x, down + y), ())]
        known = next((number for number in sorted(near) if math.dist(found[number][0], inside) < ONE_PLACE
                      and found[number][1] == (inside != spot)), None)
        if known is None:
            cells.setdefault((across, down), []).append(len(found))
            found.append((inside, inside != spot, [event]))
        else:
            found[known][2].append(event)
    return [GatheringPlace(number, place, far, tuple(there)) for number, (place, far, there) in enumerate(found, 1)]


def _inside(spot: Spot, side: float) -> Spot:
    """A spot, or where the way to it from the middle leaves the drawing."""
    half, room = side / 2, side / 2 - RADIUS - 1
    across, down = spot[0] - half, spot[1] - half
    farthest = max(abs(across), abs(down))
    return spot if farthest <= room else (half + across * room / farthest, half + down * room / farthest)


def dots(gatherings: Sequence[GatheringPlace], side: float) -> list[Dot]:
    """Their dots, moved apart until none hides another."""
    places = [[*one.place] for one in gatherings]
    least, most = RADIUS + 1.0, side - RADIUS - 1
    for _round in range(ROUNDS):
        touching = [(one, other) for one, other in combinations(range(len(places)), 2)
                    if math.dist(places[one], places[other]) < APART]
        if not touching:
            break
        for one, other in touching:
            _push(places[one], places[other], angle=one)
        places = [[min(max(way, least), most) for way in place] for place in places]
    return [Dot(gathering, round(x), round(y)) for gathering, (x, y) in zip(gatherings, places, strict=True)]


def _push(one: list[float], other: list[float], angle: float) -> None:
    gap = math.dist(one, other)
    across, down = (((other[0] - one[0]) / gap, (other[1] - one[1]) / gap) if gap > 0.01
                    else (math.cos(angle), math.sin(angle)))
    lack = max((APART + 1 - gap) / 2, 0)
    one[0], one[1] = one[0] - across * lack, one[1] - down * lack
    other[0], other[1] = other[0] + across * lack, other[1] + down * lack

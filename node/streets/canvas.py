"""The square that is drawn, and how places become points of it."""

import math
from dataclasses import dataclass

from node.board.street_map import HALF, MARGIN
from node.streets.shapes import Point

METRES_PER_DEGREE = 111_320
AROUND = 1.5  # by how far the drawing reaches


@dataclass(frozen=True)
class Box:
    """Between two latitudes and two longitudes, in ten-millionths of degrees; `middle` in degrees."""

    south: int
    north: int
    west: int
    east: int

    @classmethod
    def around(cls, middle: tuple[float, float], reach_degrees: tuple[float, float]) -> "Box":
        """By how far it reaches to each side, in degrees of latitude and of longitude."""
        latitude, longitude = (round(10_000_000 * angle) for angle in middle)
        up, across = (round(10_000_000 * angle) for angle in reach_degrees)
        return cls(latitude - up, latitude + up, longitude - across, longitude + across)


@dataclass(frozen=True)
class Canvas:
    """How places become points of the drawing: around `centre` (latitude, longitude), for a radius in metres."""

    centre: tuple[float, float]
    radius_m: int

    @property
    def reach_m(self) -> int:
        """From the middle to each side."""
        return round(self.radius_m * MARGIN)

    def point(self, place: tuple[float, float]) -> Point:
        """Where a place (latitude, longitude) is drawn."""
        east = (place[1] - self.centre[1] + 540) % 360 - 180
        scale = METRES_PER_DEGREE * HALF / self.reach_m
        return east * scale * self._narrowing, (self.centre[0] - place[0]) * scale

    def box(self) -> Box:
        """Where nodes are kept at first: farther than what is drawn, as a straight line may cross its edge."""
        up = AROUND * self.reach_m / METRES_PER_DEGREE
        return Box.around(self.centre, (up, up / self._narrowing))

    @property
    def _narrowing(self) -> float:
        return max(math.cos(math.radians(self.centre[0])), 0.01)

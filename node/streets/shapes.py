"""Lines and areas of a drawing: joined, cut to its square, made simpler. Points are (x, y), y grows downwards."""

import math
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

Point = tuple[float, float]
Line = list[Point]
Stop = TypeVar("Stop", bound=Hashable)


def joined(lines: Iterable[Sequence[Stop]]) -> list[list[Stop]]:
    """Lines that go on in each other made one, wherever exactly two of them end; turned round only where they meet head
    to head."""
    chains = {number: list(line) for number, line in enumerate(lines) if len(line) > 1}
    ends: dict[Stop, set[int]] = defaultdict(set)
    for number, chain in chains.items():
        if chain[0] != chain[-1]:
            ends[chain[0]].add(number)
            ends[chain[-1]].add(number)
    for stop in list(ends):
        if len(ends[stop]) != 2:
            continue
        first, second = sorted(ends[stop])
        before, after = chains[first], chains.pop(second)
        if before[-1] != stop and after[-1] == stop:
            before, after = after, before
        before = before if before[-1] == stop else before[::-1]
        after = after if after[0] == stop else after[::-1]
        del ends[stop]
        chains[first] = made = before + after[1:]
        for far in (made[0], made[-1]):
            ends[far] -= {first, second}
            if made[0] != made[-1]:  # else it has become a ring, and goes on in nothing
                ends[far].add(first)
    return list(chains.values())


def clipped(line: Line, half: float) -> list[Line]:
    """The parts of a line within a square of 2 * `half` around the middle (Liang and Barsky, piece by piece)."""
    parts: list[Line] = []
    for begin, end in pairwise(line):
        piece = _within(begin, end, half)
        if piece is None:
            continue
        if parts and parts[-1][-1] == piece[0]:
            parts[-1].append(piece[1])
        else:
            parts.append([*piece])
    return parts


def _within(begin: Point, end: Point, half: float) -> tuple[Point, Point] | None:
    across, down = end[0] - begin[0], end[1] - begin[1]
    since, until = 0.0, 1.0
    for way, room in ((-across, begin[0] + half), (across, half - begin[0]),
                      (-down, begin[1] + half), (down, half - begin[1])):
        if way == 0:
            if room < 0:
                return None
        elif way < 0:
            since = max(since, room / way)
        else:
            until = min(until, room / way)
    if since > until:
        return None
    entry = begin if since == 0 else (begin[0] + since * across, begin[1] + since * down)
    return entry, end if until == 1 else (begin[0] + until * across, begin[1] + until * down)


def clipped_ring(ring: Line, half: float) -> Line:
    """A ring (without its first point again at its end) cut to the square, along whose sides it goes then (Sutherland
    and Hodgman)."""
    for axis in (0, 1):
        for sign in (-1, 1):
            ring = list(_cut(ring, axis, sign, half))
    return ring


def _cut(ring: Line, axis: int, sign: int, half: float) -> Iterator[Point]:
    for before, here in zip([*ring[-1:], *ring[:-1]], ring, strict=True):
        was, now = sign * before[axis] - half, sign * here[axis] - half
        if (was > 0) != (now > 0):
            share = was / (was - now)
            yield tuple(before[i] + share * (here[i] - before[i]) for i in (0, 1))  # type: ignore[misc]  # two of them
        if now <= 0:
            yield here


def simplified(line: Line, tolerance: float) -> Line:
    """A line without the points that lie nearer than `tolerance` to what is left of it (Douglas and Peucker)."""
    kept = {0, len(line) - 1}
    parts = [(0, len(line) - 1)]
    while parts:
        first, last = parts.pop()
        if last - first < 2:
            continue
        far, distance = max(((i, _distance(line[i], line[first], line[last])) for i in range(first + 1, last)),
                            key=lambda found: found[1])
        if distance > tolerance:
            kept.add(far)
            parts += [(first, far), (far, last)]
    return [line[i] for i in sorted(kept)]


def simplified_ring(ring: Line, tolerance: float) -> Line:
    """The same for a ring, of which two points that lie apart stay."""
    far = max(range(len(ring)), key=lambda i: math.dist(ring[0], ring[i]))
    return simplified(ring[:far + 1], tolerance)[:-1] + simplified([*ring[far:], ring[0]], tolerance)[:-1]


def _distance(point: Point, begin: Point, end: Point) -> float:
    across, down = end[0] - begin[0], end[1] - begin[1]
    long = across * across + down * down
    share = 0.0 if long == 0 else ((point[0] - begin[0]) * across + (point[1] - begin[1]) * down) / long
    share = max(0.0, min(1.0, share))
    return math.hypot(point[0] - begin[0] - share * across, point[1] - begin[1] - share * down)


def length(line: Line) -> float:
    """How long a line is."""
    return sum(math.dist(begin, end) for begin, end in pairwise(line))


def area(ring: Line) -> float:
    """What a ring encloses; above 0 when it goes clockwise to the eye."""
    return sum(begin[0] * end[1] - end[0] * begin[1] for begin, end in pairwise([*ring, *ring[:1]])) / 2


def closed(rings: Iterable[Line], half: float) -> list[Line]:
    """Rings of those given, without their first point again: what is open is closed outside the square, where nobody sees
    it, by the shortest ways; what ends within the square is left out."""
    made, open_ones = [], []
    for ring in rings:
        if ring[0] == ring[-1]:
            made.append(ring[:-1])
        elif _outside(ring[0], half) and _outside(ring[-1], half):
            open_ones.append(ring)
    while open_ones:
        chain = open_ones.pop()
        while open_ones:
            near = min(open_ones, key=lambda other: _gap(chain[-1], other))
            if math.dist(chain[-1], chain[0]) <= _gap(chain[-1], near):
                break
            open_ones.remove(near)
            chain = chain + (near if math.dist(chain[-1], near[0]) <= math.dist(chain[-1], near[-1]) else near[::-1])
        made.append(chain)
    return [ring for ring in made if len(ring) > 2]


def _gap(end: Point, line: Line) -> float:
    return min(math.dist(end, line[0]), math.dist(end, line[-1]))


def _outside(point: Point, half: float) -> bool:
    return max(abs(point[0]), abs(point[1])) > half


def sea(coast: Iterable[Line], half: float) -> list[Line]:
    """The rings of the sea (even-odd) within the square, the land being to the left of each line; none if the coast has a
    gap in the square, so that nobody knows where the sea is.

    A line that leaves the square is followed along its side, the sea to the right, to where the next one enters.
    """
    parts: list[Line] = []
    rings: list[Line] = []
    for line in coast:
        cut = clipped(line, half)
        if line[0] == line[-1]:
            if len(cut) == 1 and cut[0][0] == cut[0][-1]:
                rings.append(cut[0][:-1])
                continue
            if len(cut) > 1 and cut[-1][-1] == cut[0][0]:  # a ring that begins within
                cut[0] = cut.pop() + cut[0][1:]
        parts += cut
    if any(_corner_way(end, half) is None for part in parts for end in (part[0], part[-1])):
        return []
    islands = [ring for ring in rings if len(ring) > 2]
    if not parts:
        land_inside = any(area(ring) < 0 for ring in islands)
        return [_square(half), *islands] if land_inside else islands
    return [*_followed(parts, half), *islands]


def _followed(parts: list[Line], half: float) -> Iterator[Line]:
    left = {_sure(part[0], half): part for part in parts}
    while left:
        start, ring = left.popitem()
        way = _sure(ring[-1], half)
        while True:
            following = min((*left, start), key=lambda entry: (entry - way) % 8)
            ring = ring + [corner for place, corner in _corners(way, following, half)]
            if following == start:
                break
            part = left.pop(following)
            ring, way = ring + part, _sure(part[-1], half)
        yield ring


def _corners(since: float, until: float, half: float) -> Iterator[tuple[float, Point]]:
    """Corners between two places of the side, clockwise to the eye."""
    corner = math.floor(since / 2) * 2 + 2
    ahead = (until - since) % 8
    while corner - since < ahead:
        yield corner, _square(half)[corner // 2 % 4]
        corner += 2


def _square(half: float) -> Line:
    return [(-half, -half), (half, -half), (half, half), (-half, half)]


def _sure(point: Point, half: float) -> float:
    way = _corner_way(point, half)
    assert way is not None
    return way


def _corner_way(point: Point, half: float) -> float | None:
    """Where on the sides a point is, 0 to 8 clockwise to the eye from the top left corner; None within."""
    x, y = point[0] / half, point[1] / half
    nearly = 1 - 1e-9
    if y <= -nearly:
        return 1 + x
    if x >= nearly:
        return 3 + y
    if y >= nearly:
        return 5 - x
    return 7 - y if x <= -nearly else None

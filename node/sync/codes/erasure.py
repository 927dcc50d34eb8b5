"""Reed-Solomon pieces over GF(256): any k distinct of up to 255 pieces rebuild the whole (Rabin 1989, RFC 5510's field).

Piece i is the value at i of the polynomial of degree < k that takes the values of the k parts at 0..k-1, byte by byte: the
first k pieces are the parts themselves. The field is GF(2)[x]/(x^8+x^4+x^3+x^2+1).
"""

from collections.abc import Mapping
from functools import lru_cache

from node.model.errors import LocalMisuse

MAX_PARTS = 16  # shared by all islands: four bits say it, and the longest record then fits packets of 126 B (5.2)
MAX_PIECES = 255  # places in GF(256) that one octet names, but for the last
_MODULUS = 0x11D


def piece(whole: bytes, parts: int, index: int) -> bytes:
    """Piece `index` (0..254) of `whole` cut into `parts`; the last part is filled up with zeros."""
    if not (1 <= parts <= MAX_PARTS and 0 <= index < MAX_PIECES):
        raise LocalMisuse(f"no piece {index} of {parts}")
    size = piece_bytes(len(whole), parts)
    padded = whole.ljust(size * parts, b"\0")
    return _value({place: padded[place * size : (place + 1) * size] for place in range(parts)}, index)


def piece_bytes(whole_bytes: int, parts: int) -> int:
    """How long each piece is."""
    return -(-whole_bytes // parts)


def rebuild(pieces: Mapping[int, bytes], parts: int, whole_bytes: int) -> bytes:
    """The whole, from any `parts` pieces of equal length (more are not looked at)."""
    if len(pieces) < parts:
        raise LocalMisuse(f"{len(pieces)} pieces where {parts} are needed")
    known = dict(sorted(pieces.items())[:parts])
    return b"".join(_value(known, place) for place in range(parts))[:whole_bytes]


def _value(points: Mapping[int, bytes], at: int) -> bytes:
    """The polynomial through `points`, at `at` (Lagrange)."""
    if at in points:
        return points[at]
    total = 0
    for place, values in points.items():
        factor = 1
        for other in points:
            if other != place:
                factor = _times(factor, _over(at ^ other, place ^ other))
        total ^= int.from_bytes(values.translate(_row(factor)), "big")
    return total.to_bytes(len(values), "big")


@lru_cache(maxsize=1)
def _logs() -> tuple[list[int], list[int]]:
    powers, logs, power = [], [0] * 256, 1
    for exponent in range(255):
        powers.append(power)
        logs[power] = exponent
        power = power << 1 ^ (power >> 7) * _MODULUS
    return powers * 2, logs


def _times(left: int, right: int) -> int:
    powers, logs = _logs()
    return powers[logs[left] + logs[right]] if left and right else 0


def _over(left: int, right: int) -> int:
    """A quotient of two that are not 0."""
    powers, logs = _logs()
    return powers[logs[left] + 255 - logs[right]]


@lru_cache(maxsize=256)
def _row(factor: int) -> bytes:
    """All bytes times `factor`, as a translation table."""
    return bytes(_times(factor, value) for value in range(256))

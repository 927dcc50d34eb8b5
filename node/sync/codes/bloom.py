"""Bloom filters (Bloom 1970): which of many elements somebody has, at about one byte each, with a few false "has"."""

import hashlib
from collections.abc import Iterable

from node.sync.codes.sketch import ELEMENT_BYTES

MAX_HASHES = 6  # shared by all islands (docs/protocol.md, 5.3): 0.69 x 8 bits x 1.25 B an element is 6.9


def hashes_for(bits: int, count: int) -> int:
    """How many places each element sets: about 0.7 bits / count."""
    return min(max(round(0.69 * bits / max(count, 1)), 1), MAX_HASHES)


def places(element: int, salt: int, bits: int, hashes: int) -> list[int]:
    """The places of one element: 16-bit words of BLAKE2b(element), salted, modulo the number of bits."""
    name = element.to_bytes(ELEMENT_BYTES, "big")
    digest = hashlib.blake2b(name, digest_size=2 * MAX_HASHES, salt=bytes([salt])).digest()
    return [int.from_bytes(digest[2 * n : 2 * n + 2], "big") % bits for n in range(hashes)]


def part(elements: Iterable[int], salt: int, depth: int) -> list[int]:
    """Those whose first `depth` bits (0..8) are those of the salt."""
    shift, first = 8 * ELEMENT_BYTES - depth, salt >> 8 - depth
    return [element for element in elements if element >> shift == first]


def fill(elements: Iterable[int], salt: int, size_bytes: int) -> bytes:
    """The filter of some elements."""
    known = list(elements)
    bits = bytearray(size_bytes)
    hashes = hashes_for(8 * size_bytes, len(known))
    for element in known:
        for place in places(element, salt, 8 * size_bytes, hashes):
            bits[place >> 3] |= 1 << (place & 7)
    return bytes(bits)


def holds(bits: bytes, count: int, salt: int, element: int) -> bool:
    """Whether `element` seems to be among the `count` elements of the filter."""
    hashes = hashes_for(8 * len(bits), count)
    return all(bits[place >> 3] >> (place & 7) & 1 for place in places(element, salt, 8 * len(bits), hashes))

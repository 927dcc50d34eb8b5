"""Arithmetic coding of yes-or-no decisions (Witten, Neal and Cleary 1987), exact: the interval is one big integer.

A chance is out of 1 << 16. Both sides keep `width` in 32 bits. The encoder's answer is the shortest byte string inside the
final interval, final zero bytes left out; the decoder reads zeros after the end and refuses any other string for the same
decisions.
"""

from typing import Protocol

from node.model.errors import RemoteFault

_TOP, _LOW_WIDTH = 1 << 32, 1 << 24


def _shortest(low: int, width: int, size: int) -> bytes:
    """The shortest of the `size`-byte numbers in [low, low + width), without its final zero bytes."""
    for dropped in range(8 * size, -1, -8):
        value = -(-low >> dropped) << dropped
        if value < low + width:
            return value.to_bytes(size, "big").rstrip(b"\0")
    raise AssertionError("an interval is never empty")


class Coder(Protocol):
    """One side of the coding: what is decided goes in and comes back, or comes out whatever is put in."""

    def decide(self, chance: int, yes: bool) -> bool:
        """One decision; `chance` out of 1 << 16 of being yes, never 0 nor all."""

    def choose(self, value: int, choices: int) -> int:
        """One of `choices` equally likely values."""


class Encoder:
    """Takes decisions, gives bytes."""

    def __init__(self) -> None:
        self._low, self._width, self._size = 0, _TOP - 1, 4

    def decide(self, chance: int, yes: bool) -> bool:
        """Write one decision; `chance` of being yes."""
        part = (self._width >> 16) * chance
        if yes:
            self._width = part
        else:
            self._low += part
            self._width -= part
        while self._width < _LOW_WIDTH:
            self._low <<= 8
            self._width <<= 8
            self._size += 1
        return yes

    def choose(self, value: int, choices: int) -> int:
        """Write `value`, one of `choices` equally likely ones (at most 1 << 16)."""
        part = self._width // choices
        self._low += part * value
        self._width = part
        while self._width < _LOW_WIDTH:
            self._low <<= 8
            self._width <<= 8
            self._size += 1
        return value

    def finish(self) -> bytes:
        """All the bytes."""
        return _shortest(self._low, self._width, self._size)


class Decoder:
    """Takes bytes, gives decisions."""

    def __init__(self, packed: bytes):
        self._packed = packed
        self._offset, self._width, self._size = int.from_bytes(packed[:4].ljust(4, b"\0"), "big"), _TOP - 1, 4

    def decide(self, chance: int, yes: bool = False) -> bool:
        """Read one decision; the same `chance` as the encoder's."""
        part = (self._width >> 16) * chance
        yes = self._offset < part
        if yes:
            self._width = part
        else:
            self._offset -= part
            self._width -= part
        self._refill()
        return yes

    def choose(self, value: int, choices: int) -> int:
        """Read one of `choices` equally likely values."""
        part = self._width // choices
        value = self._offset // part
        if value >= choices:
            raise RemoteFault("text-packed")
        self._offset -= part * value
        self._width = part
        self._refill()
        return value

    def finish(self) -> None:
        """Raises RemoteFault unless the encoder would have written exactly these bytes."""
        read = int.from_bytes(self._packed[: self._size].ljust(self._size, b"\0"), "big")
        if _shortest(read - self._offset, self._width, self._size) != self._packed:
            raise RemoteFault("text-packed")

    def _refill(self) -> None:
        while self._width < _LOW_WIDTH:
            byte = self._packed[self._size] if self._size < len(self._packed) else 0
            self._offset = self._offset << 8 | byte
            self._width <<= 8
            self._size += 1

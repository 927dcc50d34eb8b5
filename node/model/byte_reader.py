"""Bytes from elsewhere, taken from the front a field at a time."""

from node.model.errors import RemoteFault


class ByteReader:
    """Takes fields from the front of `whole`; raises RemoteFault(`short`) where there are fewer bytes than a field has."""

    def __init__(self, whole: bytes, short: str):
        self._whole, self._short, self._at = whole, short, 0

    @property
    def left(self) -> int:
        """How many bytes were not taken yet."""
        return len(self._whole) - self._at

    def take(self, size: int) -> bytes:
        """The next `size` bytes."""
        start, self._at = self._at, self._at + size
        if self._at > len(self._whole):
            raise RemoteFault(self._short)
        return self._whole[start:self._at]

    def number(self, size: int, signed: bool = False) -> int:
        """The next `size` bytes as a number, big-endian."""
        return int.from_bytes(self.take(size), "big", signed=signed)

    def rest(self) -> bytes:
        """All that was not taken yet."""
        return self.take(self.left)

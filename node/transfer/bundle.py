"""A bundle: one file of records, to be carried by hand. Streamed and checked frame by frame; nothing in it is run.

Layout (big-endian; docs/protocol.md, section "The other ways", has a worked example):

    "archipel bundle\\n" | version (1) | set id (16) | key id of the island (8) | made, minutes since 2024 (3)
        | length of its name (1) | name, UTF-8 | CRC-32 of all that (4)
    per record: a7 52 | length (2) | CRC-32 of length and record (4) | record
    at the end: a7 45 | number of records (4) | BLAKE2b of everything before (16)

The checks find accidents; who made the records is for their signatures to say. Nothing proves the header.
"""

import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from node.model.errors import LocalMisuse, RemoteFault
from node.model.keys import SET_ID_BYTES
from node.model.record import KEY_ID_BYTES, MAX_RECORD_BYTES

MAGIC = b"archipel bundle\n"
VERSION = 1
RECORD, END = b"\xa7R", b"\xa7E"
SUM_BYTES = 16
FRAME_BYTES = 8  # what a frame adds to its record
END_BYTES = 2 + 4 + SUM_BYTES
HEADER_BYTES = len(MAGIC) + 1 + SET_ID_BYTES + KEY_ID_BYTES + 3 + 1  # before the name
MAX_NAME_BYTES = 160
MAX_BUNDLE_BYTES = 1 << 24
MAX_RECORDS = 100_000
MAX_DAMAGE_BYTES = 1 << 18  # looked through in search of the next good frame


@dataclass(frozen=True, slots=True)
class Header:
    """What a bundle says of itself: its set, the island that made it, when (minutes since 2024), the island's name."""

    set_id: bytes
    island: bytes
    made: int
    name: str = ""


def write(header: Header, raws: Iterable[bytes]) -> Iterator[bytes]:
    """The bundle's bytes, a frame at a time; it ends before the record that would make it too large to be read."""
    written, count, total = _Written(), 0, 0
    yield written.note(_header_bytes(header))
    for raw in raws:
        if not raw or len(raw) > MAX_RECORD_BYTES:
            raise LocalMisuse("this is no record")
        total += len(raw) + FRAME_BYTES
        if count == MAX_RECORDS or total > MAX_BUNDLE_BYTES - 1_024:
            break
        count += 1
        yield written.note(_frame(raw))
    closing = written.note(END + count.to_bytes(4, "big"))
    yield closing + written.sum()


class Bundle:
    """A bundle being read from `blocks` of any size: iterate once for its encoded records, then look at `faults`.

    Raises RemoteFault at once for what is no bundle ("bundle-mark") or a later one ("bundle-version"). `header` is None
    where it is damaged. `faults` counts what was not good: "header", "damaged" (stretches left out), "cut-short",
    "too-damaged", "too-large", "too-many" (reading stopped there), "count" and "sum" (the end says otherwise).
    """

    def __init__(self, blocks: Iterable[bytes]):
        self.faults: Counter[str] = Counter()
        self.count = 0
        self._blocks, self._ahead, self._read_bytes = iter(blocks), bytearray(), 0
        self._seen = _Written()
        self._skipped_bytes, self._astray = 0, False
        self.header = self._read_header()

    def __iter__(self) -> Iterator[bytes]:
        while self._reach(len(RECORD)):
            raw = self._framed()
            if raw is not None:
                yield raw
            elif self._ended() or not self._search():
                return
            if self.count == MAX_RECORDS:
                self.faults["too-many"] += 1
                return
        if not self.faults["too-large"]:
            self.faults["cut-short"] += 1

    def _read_header(self) -> Header | None:
        self._reach(HEADER_BYTES)
        if not self._ahead.startswith(MAGIC):
            raise RemoteFault("bundle-mark")
        if len(self._ahead) > len(MAGIC) and self._ahead[len(MAGIC)] != VERSION:
            raise RemoteFault("bundle-version")
        end = HEADER_BYTES + (self._ahead[HEADER_BYTES - 1] if len(self._ahead) >= HEADER_BYTES else 0)
        if not self._reach(end + 4) or _crc(self._ahead[:end]) != self._ahead[end:end + 4]:
            self.faults["header"] += 1
            return None
        return _parse_header(self._take(end + 4)[len(MAGIC) + 1:end])

    def _reach(self, size: int) -> bool:
        """Have `size` bytes ahead, unless the file ends before."""
        while len(self._ahead) < size and not self.faults["too-large"]:
            block = next(self._blocks, b"")
            if not block:
                return False
            self._read_bytes += len(block)
            self._ahead += block
            if self._read_bytes > MAX_BUNDLE_BYTES:
                self.faults["too-large"] += 1
        return len(self._ahead) >= size

    def _take(self, size: int) -> bytes:
        taken = bytes(self._ahead[:size])
        del self._ahead[:size]
        return self._seen.note(taken)

    def _framed(self) -> bytes | None:
        """The record of the frame ahead, None if there is no whole one."""
        if not self._ahead.startswith(RECORD) or not self._reach(FRAME_BYTES):
            return None
        length = int.from_bytes(self._ahead[2:4], "big")
        if not 0 < length <= MAX_RECORD_BYTES or not self._reach(FRAME_BYTES + length):
            return None
        raw = bytes(self._ahead[FRAME_BYTES:FRAME_BYTES + length])
        if _crc(self._ahead[2:4] + raw) != self._ahead[4:FRAME_BYTES]:
            return None
        self._take(FRAME_BYTES + length)
        self._found_again()
        self.count += 1
        return raw

    def _ended(self) -> bool:
        """Whether the end is ahead; says if it tells of another file than what was read.

        The same two octets may stand in what is damaged: an end has the right sum, or nothing after it.
        """
        if not self._ahead.startswith(END) or not self._reach(END_BYTES):
            return False
        told, right = bytes(self._ahead[6:END_BYTES]), self._seen.sum(bytes(self._ahead[:6]))
        if told != right and self._reach(END_BYTES + 1):
            return False
        self._found_again()
        count = int.from_bytes(self._take(6)[2:], "big")
        if told != right:
            self.faults["sum"] += 1
        if count != self.count:
            self.faults["count"] += 1
        return True

    def _found_again(self) -> None:
        if self._astray:
            self.faults["damaged"] += 1
            self._astray = False

    def _search(self) -> bool:
        """Go on to what may be the next frame; False once too much was no good."""
        self._astray = True
        at = self._ahead.find(RECORD[:1], 1)
        size = len(self._ahead) if at < 0 else at
        self._take(size)
        self._skipped_bytes += size
        if self._skipped_bytes > MAX_DAMAGE_BYTES:
            self.faults["too-damaged"] += 1
        return not self.faults["too-damaged"]


class _Written:
    """The running sum of what went by."""

    def __init__(self) -> None:
        self._sum = hashlib.blake2b(digest_size=SUM_BYTES, person=b"archipel-bundle")

    def note(self, part: bytes) -> bytes:
        self._sum.update(part)
        return part

    def sum(self, more: bytes = b"") -> bytes:
        whole = self._sum.copy()
        whole.update(more)
        return whole.digest()


def _frame(raw: bytes) -> bytes:
    length = len(raw).to_bytes(2, "big")
    return RECORD + length + _crc(length + raw) + raw


def _header_bytes(header: Header) -> bytes:
    name = header.name.encode()
    if len(name) > MAX_NAME_BYTES or len(header.set_id) != SET_ID_BYTES or len(header.island) != KEY_ID_BYTES:
        raise LocalMisuse("a bundle names a set, an island, and the island in at most 160 bytes")
    body = MAGIC + bytes([VERSION]) + header.set_id + header.island + header.made.to_bytes(3, "big")
    body += bytes([len(name)]) + name
    return body + _crc(body)


def _parse_header(body: bytes) -> Header:
    set_id, island, rest = body[:SET_ID_BYTES], body[SET_ID_BYTES:][:KEY_ID_BYTES], body[SET_ID_BYTES + KEY_ID_BYTES:]
    name = rest[4:].decode(errors="replace")
    return Header(set_id, island, int.from_bytes(rest[:3], "big"), "".join(c for c in name if c.isprintable()))


def _crc(part: bytes | bytearray) -> bytes:
    return zlib.crc32(part).to_bytes(4, "big")

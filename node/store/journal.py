"""A journal: a file of checked lines that survives a power cut at any moment. docs/store.md has the format by byte.

    line = CRC-32 of the rest, 8 hex digits | space | length of the payload, 8 hex digits | space | payload | newline

The CRC starts from the offset of the line, so that one found elsewhere (a block written to the wrong place, or what looks
like a line inside somebody's text) is none; the newline is for people and not part of it.

Between lines there may be zeros: a line that fits a block never lies across two, so that an append dirties one block of
the card, and the file ends in a stretch of zeros that is filled in later without changing its length. A line is on the
card, whole, before `append` returns. After any failed write or sync nothing that was on its way is believed: the whole
journal is written anew to another file before anything else is acknowledged (a failed fsync is not repeated by the
kernel: Rebello et al., "Can applications recover from fsync failures?", USENIX ATC 2020).
"""

import contextlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from node.store.disk import Disk, OpenFile
from node.store.index import StoreFailed

BLOCK_BYTES = 4096
STEP_BYTES = 1 << 18  # the zero tail grows by this much
TITLE = b"archipel journal "
HEADER = TITLE + b"1"

CHECKSUM_BYTES, HEAD_BYTES = 9, 18  # with the space after it
LINE_BYTES = HEAD_BYTES + 1  # beside the payload

_USED = re.compile(rb"[^\0]")
_HEAD = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ")
_LATER_HEAD = re.compile(rb"(?<=[\n\0])[0-9a-f]{8} [0-9a-f]{8} ")


def line_of(payload: bytes, at: int = 0) -> bytes:
    """The checked line that holds `payload` at offset `at`."""
    measured = b"%08x %s" % (len(payload), payload)
    return b"%08x %s\n" % (zlib.crc32(measured, at & 0xFFFFFFFF), measured)


def payloads_in(image: bytes) -> Iterator[bytes | None]:
    """Every payload in a journal's bytes, in order, and None for every stretch that is neither a line nor zeros."""
    at = 0
    while at < len(image):
        if image[at]:
            payload, at = _line_at(image, at)
            yield payload
        else:
            used = _USED.search(image, at)
            at = used.start() if used else len(image)


def _line_at(image: bytes, start: int) -> tuple[bytes | None, int]:
    """The payload of the line at `start`, if it is whole, and where to look for the next."""
    if head := _HEAD.match(image, start):
        checksum, size = head.groups()
        end = start + HEAD_BYTES + int(size, 16)
        measured = image[start + CHECKSUM_BYTES:end] if end <= len(image) else b""
        if zlib.crc32(measured, start & 0xFFFFFFFF) == int(checksum, 16) and measured:
            return measured[HEAD_BYTES - CHECKSUM_BYTES:], end + 1
    later = _LATER_HEAD.search(image, start + 1)
    return None, later.start() if later else len(image)


class Journal:
    """One journal file. Not for several threads at once. Methods raise OSError as the card gives it."""

    def __init__(self, path: Path, disk: Disk):
        self._path, self._disk = path, disk
        self._fresh = path.with_name(path.name + ".new")
        self._file: OpenFile | None = None
        self._end = 0  # where the next line may begin
        self._size = 0  # the file's length, zeros included
        self.in_doubt = True  # whether the file may lack or hold what it should not: rewrite it first

    def read(self) -> Iterator[bytes | None]:
        """Every payload on the card, None for each damaged stretch; raises StoreFailed("newer") for a later format."""
        with contextlib.suppress(OSError):
            self._disk.remove(self._fresh)  # what an interrupted rewrite left
        try:
            image = self._disk.read(self._path)
        except FileNotFoundError:
            return
        self._take_up(image)
        for payload in payloads_in(image):
            if payload is None or not payload.startswith(TITLE):
                yield payload
            elif payload != HEADER:
                raise StoreFailed("newer")

    def _take_up(self, image: bytes) -> None:
        """Go on after what is there; a torn line stays where it is, and is followed by at least one zero."""
        self._end, self._size = _used_bytes(image) + 1, len(image)
        with contextlib.suppress(OSError):  # a card that cannot be written is found out by the first append
            self._file = self._disk.open(self._path)
            self._file.sync()  # what a killed process left in memory only is about to be believed
            self.in_doubt = False

    def append(self, payloads: Sequence[bytes]) -> None:
        """Write one line for each payload, with one sync for all; durable on return. Not while `in_doubt`."""
        assert self._file and not self.in_doubt
        start, block = _laid_out(self._end, payloads)
        self._grow(start + len(block))
        self.in_doubt = True
        self._file.write(block, start)
        self._file.sync()
        self.in_doubt = False
        self._end = start + len(block)

    def reserve(self) -> None:
        """Make sure of room for lines to come; durable on return. Not while `in_doubt`."""
        assert self._file and not self.in_doubt
        self._grow(self._end + STEP_BYTES)
        self.in_doubt = True
        self._file.sync()
        self.in_doubt = False

    def _grow(self, end: int) -> None:
        """Make the zero tail reach beyond `end`. Failing half-way changes nothing, and leaves no less room on the card."""
        if end > self._size and self._file:
            try:
                self._size = _write_zeros(self._file, self._size, end)
            except OSError:
                with contextlib.suppress(OSError):
                    self._file.cut(self._size)
                raise

    def rewrite(self, payloads: Iterable[bytes]) -> None:
        """Put a new file with just these payloads in the place of the old one; durable on return."""
        file = self._disk.create(self._fresh)
        try:
            end, size = _write_all(file, payloads)
            file.sync()
            self.in_doubt = True  # from here on either file may be the one that is found
            self._disk.rename(self._fresh, self._path)
        except BaseException:
            _give_up(self._disk, self._fresh, file)
            raise
        self.close()
        self._file, self._end, self._size = file, end, size
        self._disk.sync_folder(self._path.parent)
        self.in_doubt = False

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


def _used_bytes(image: bytes) -> int:
    """Where the zeros at the end begin, give or take a block."""
    end = len(image)
    while end > 0 and not image[max(0, end - BLOCK_BYTES):end].strip(b"\0"):
        end -= BLOCK_BYTES
    return max(0, end)


def _laid_out(end: int, payloads: Sequence[bytes]) -> tuple[int, bytes]:
    """Where the first line goes, and the bytes from there to the end of the last, zeros in between."""
    start = at = _place(end, LINE_BYTES + len(payloads[0]))
    block = bytearray()
    for payload in payloads:
        place = _place(at, LINE_BYTES + len(payload))
        block += bytes(place - at) + line_of(payload, place)
        at = start + len(block)
    return start, bytes(block)


def _place(at: int, size: int) -> int:
    """The first offset from `at` on where a line of `size` does not cross into a block it could do without."""
    room = -at % BLOCK_BYTES
    return at if size <= room else at + room


def _write_all(file: OpenFile, payloads: Iterable[bytes]) -> tuple[int, int]:
    """Write header, lines and zero tail; return where the lines end and how long the file is."""
    end, waiting = 0, bytearray(line_of(HEADER))
    for payload in payloads:
        waiting += line_of(payload, end + len(waiting))
        if len(waiting) >= STEP_BYTES:
            file.write(bytes(waiting), end)
            end, waiting = end + len(waiting), bytearray()
    file.write(bytes(waiting), end)
    end += len(waiting)
    return end, _write_zeros(file, end, end + 1)


def _write_zeros(file: OpenFile, at: int, beyond: int) -> int:
    """Fill with zeros from `at` to the next step after `beyond`; return where that is.

    Block by block: in one piece, some kernels keep it as one big page and count it all as written at every append.
    """
    size = -(-beyond // STEP_BYTES) * STEP_BYTES
    while at < size:
        room = BLOCK_BYTES - at % BLOCK_BYTES
        file.write(bytes(room), at)
        at += room
    return size


def _give_up(disk: Disk, path: Path, file: OpenFile) -> None:
    with contextlib.suppress(OSError):
        file.close()
    with contextlib.suppress(OSError):
        disk.remove(path)

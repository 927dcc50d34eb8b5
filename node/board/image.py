"""Pictures that people hand in: a PNG (RFC 2083) or a JPEG (ITU T.81), taken apart and put together again.

Only what draws it is kept: no date, no place, no thumbnail, nothing behind its end. What is drawn is left to the browser.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from node.board.api import Corners, DraftRefused, Picture, Problem
from node.board.reasons import ProblemCode, as_reason
from node.model.errors import RemoteFault

MAX_PICTURE_BYTES, MAX_SIDE, MIN_SIDE = 200_000, 2_000, 16
PNG_MARK, JPEG_MARK = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
PNG_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
FRAMES, TABLES, SCAN, END = {0xC0, 0xC1, 0xC2}, {0xC4, 0xDB, 0xDD}, 0xDA, 0xD9
JPEG_KEPT = {*FRAMES, *TABLES, SCAN, 0xE0, 0xEE}  # with JFIF and Adobe, which say how its colours are meant
NEXT_MARKER = re.compile(rb"\xff+[\x01-\xcf\xd8-\xfe]")  # not a stuffed zero, not a restart
Corner = tuple[float, float]


class _Broken(Exception):
    """It is not put together as its first bytes promise."""


@dataclass(frozen=True)
class Most:
    """The heaviest and largest picture that will do."""

    size_bytes: int
    side: int
    dots: int


@dataclass
class _Found:
    """What a walk through a picture found."""

    kept: list[bytes]
    sides: tuple[int, ...] = ()


def picture_of(raw: bytes, corners: Corners) -> Picture:
    """The picture in a file, with its corners; raises DraftRefused.

    Codes, all about the field `picture`: `picture-bytes` (amount: most kB), `picture-type`, `picture-side` (amount: most
    pixels), `picture-corners`.
    """
    try:
        media_type, content = sound(raw, Most(MAX_PICTURE_BYTES, MAX_SIDE, MAX_SIDE ** 2))
        top_left, bottom_right = _box(*corners)
    except RemoteFault as fault:
        amount = {"picture-bytes": MAX_PICTURE_BYTES // 1000, "picture-side": MAX_SIDE}.get(fault.reason, 0)
        code = as_reason(ProblemCode, fault.reason, ProblemCode.PICTURE_TYPE)
        raise DraftRefused([Problem("picture", code, amount)]) from fault
    return Picture(media_type, content, top_left, bottom_right)


def sound(raw: bytes, most: Most) -> tuple[str, bytes]:
    """(media type, what draws it) of a whole PNG or JPEG; RemoteFault `picture-bytes`, `picture-type` or `picture-side`."""
    if len(raw) > most.size_bytes:
        raise RemoteFault("picture-bytes")
    try:
        sort, found = ("png", _png(raw)) if raw.startswith(PNG_MARK) else ("jpeg", _jpeg(raw))
    except (_Broken, struct.error) as error:
        raise RemoteFault("picture-type") from error
    shortest, longest = min(found.sides), max(found.sides)
    if shortest < MIN_SIDE or longest > most.side or shortest * longest > most.dots:
        raise RemoteFault("picture-side")
    return f"image/{sort}", b"".join(found.kept)


def _box(top_left: Corner | None, bottom_right: Corner | None) -> tuple[Corner, Corner]:
    """Both, if they are places, the second south and east of the first (no map here crosses the date line)."""
    if top_left and bottom_right and (90 >= top_left[0] > bottom_right[0] >= -90
                                      and -180 <= top_left[1] < bottom_right[1] <= 180):
        return top_left, bottom_right
    raise RemoteFault("picture-corners")


def _png(raw: bytes) -> _Found:
    found, last = _Found([PNG_MARK]), b""
    for name, chunk in _chunks(raw):
        if (not last) != (name == b"IHDR"):
            raise _Broken
        if name == b"IHDR":
            found.sides = struct.unpack(">II", chunk[8:16])
        if name in PNG_KEPT:
            found.kept.append(chunk)
            last = name
    if last != b"IEND" or not any(chunk[4:8] == b"IDAT" for chunk in found.kept[1:]):
        raise _Broken
    return found


def _chunks(raw: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(name, whole chunk) of each, the last being IEND."""
    at, name = len(PNG_MARK), b""
    while name != b"IEND":
        size, name = struct.unpack(">I4s", raw[at:at + 8])
        chunk = raw[at:at + size + 12]
        if len(chunk) != size + 12 or zlib.crc32(chunk[4:-4]) != int.from_bytes(chunk[-4:], "big"):
            raise _Broken
        yield name, chunk
        at += len(chunk)


def _jpeg(raw: bytes) -> _Found:
    if not raw.startswith(JPEG_MARK):
        raise _Broken
    found, scans = _Found([JPEG_MARK[:2]]), 0
    for marker, segment in _segments(raw):
        if marker in FRAMES:
            if found.sides:
                raise _Broken
            found.sides = struct.unpack(">HH", segment[5:9])
        scans += marker == SCAN
        if marker in JPEG_KEPT:
            found.kept.append(segment)
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):  # no application's, no comment
            raise _Broken
    if not scans or not found.sides:
        raise _Broken
    found.kept.append(bytes([0xFF, END]))
    return found


def _segments(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(marker, whole segment) of each up to the end of the picture; a scan with what it draws."""
    at = 2
    while found := NEXT_MARKER.match(raw, at):
        marker, begin = raw[found.end() - 1], found.end() - 2
        if marker == END:
            return
        size, = struct.unpack(">H", raw[begin + 2:begin + 4])
        at = begin + 2 + size
        if size < 2 or at > len(raw):
            raise _Broken
        if marker == SCAN:
            following = NEXT_MARKER.search(raw, at)
            at = following.start() if following else len(raw)
        yield marker, raw[begin:at]
    raise _Broken

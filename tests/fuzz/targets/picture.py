"""A picture that somebody hands in, as it came and with the sums of its parts made right: what is kept is whole, and kept
again the same."""

import struct
import zlib

from node.board.api import DraftRefused
from node.board.image import MAX_SIDE, PNG_MARK, Most, picture_of, sound
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import refusable

MOST = Most(2_000, MAX_SIDE, 100_000)


def run(octets):
    for raw in (octets, summed(octets)):
        found = refusable(sound, raw, MOST)
        if found is not None:
            _media_type, content = found
            assert sound(content, MOST) == found and len(content) <= len(raw) + 2
        for corners in (((48.88, 2.35), (48.86, 2.38)), (None, (48.86, 2.38)), ((48.86, 2.35), (48.88, 2.38))):
            try:
                kept = picture_of(raw, corners)
            except DraftRefused as refused:
                assert len(refused.problems) == 1 and refused.problems[0].field == "picture"
            else:
                assert corners[0] and corners[0][0] > corners[1][0] and kept.content


def summed(octets):
    """A PNG with the length and the sum of each of its chunks as they should be."""
    made, at = octets[:len(PNG_MARK)], len(PNG_MARK)
    while at + 12 <= len(octets):
        size = min(int.from_bytes(octets[at:at + 4], "big") % 512, len(octets) - at - 12)
        body = octets[at + 4:at + 8 + size]
        made += struct.pack(">I", size) + body + struct.pack(">I", zlib.crc32(body))
        at += size + 12
    return made


def seeds():
    from tests.board.test_image import chunk, jpeg, png, segment

    yield from (png(), png(width=0), png(4_000, 30), png(ending=False), png(40, 30, chunk(b"tEXt", b"a\0b"), drawn=b"\0"))
    yield from (png(40, 30, chunk(b"IHDR", bytes(13))), PNG_MARK + chunk(b"IEND"), PNG_MARK + chunk(b"IHDR", bytes(13)))
    yield from (jpeg(), jpeg(frame=0xC2), jpeg(4_000, 30), jpeg(frame=0xC9), jpeg(end=b""), jpeg()[:30], b"\xff\xd8\xff")
    yield from (jpeg(40, 30, segment(0xE1, b"Exif")), jpeg(40, 30, segment(0xC0, bytes(9))), b"\xff\xd8\xff\xd9", b"GIF89a")
    yield from (jpeg(40, 30, segment(0xFE, b"")), b"\xff\xd8" + segment(0xDA, b"") + b"\xff\xd9", bytes(2_001))
    yield jpeg(40, 30, b"\xff\xe1\0\1")


TARGET = Target(run, ("node/board/image.py",), seeds, 2_048,
                (PNG_MARK, b"IHDR", b"IDAT", b"IEND", b"\xff\xd8\xff", b"\xff\xda"))

"""The keeper's picture: whole, small, of two kinds, and with nothing in it but what draws it."""

import random
import struct
import zlib

import pytest

from node.board.api import DraftRefused
from node.board.image import MAX_PICTURE_BYTES, MAX_SIDE, picture_of

NORTH_WEST, SOUTH_EAST = (48.88, 2.35), (48.86, 2.38)


def chunk(name, body=b""):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width=40, height=30, *more, ending=True, drawn=b""):
    drawn = zlib.compress(drawn or (b"\0" + bytes(width)) * min(height, 3_000))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", head), *more, chunk(b"IDAT", drawn), chunk(b"IEND") * ending])


def segment(marker, body):
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg(width=40, height=30, *more, frame=0xC0, drawn=b"\x12\xff\x00\x34\xff\xd0\x56", end=b"\xff\xd9"):
    frame = segment(frame, struct.pack(">BHHB", 8, height, width, 1) + b"\1\x11\0")
    return b"".join([b"\xff\xd8", segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), *more, segment(0xDB, bytes(65)), frame,
                     segment(0xC4, bytes(20)), segment(0xDA, b"\1\1\0\0\x3f\0"), drawn, end])


def refusal(raw, top_left=NORTH_WEST, bottom_right=SOUTH_EAST):
    with pytest.raises(DraftRefused) as refused:
        picture_of(raw, (top_left, bottom_right))
    return refused.value.problems[0].code


@pytest.mark.parametrize(("raw", "media_type"), [
    (png(), "image/png"), (jpeg(), "image/jpeg"), (jpeg(frame=0xC2), "image/jpeg")])
def test_a_plain_picture_is_kept_as_it_is(raw, media_type):
    picture = picture_of(raw, (NORTH_WEST, SOUTH_EAST))
    assert (picture.media_type, picture.content) == (media_type, raw)


def test_what_does_not_draw_is_left_out():
    where = b"taken at 48.8712, 2.3655 by Lea"
    for raw in (png(40, 30, chunk(b"tEXt", where), chunk(b"eXIf", where), chunk(b"acTL", bytes(8))) + where,
                jpeg(40, 30, segment(0xE1, b"Exif\0\0" + where), segment(0xFE, where), segment(0xE2, where)) + where):
        kept = picture_of(raw, (NORTH_WEST, SOUTH_EAST)).content
        assert kept in (png(), jpeg()) and where in raw


@pytest.mark.parametrize("raw", [
    b"", b"GIF89a" + bytes(40), b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff", png(ending=False), png()[:60], png().replace(b"IHDR", b"IHDX"), png()[:-20] + b"?" + png()[-19:],
    jpeg(end=b""), jpeg()[:40], jpeg(frame=0xC9), jpeg(40, 30, segment(0xC0, bytes(8))), b"\xff\xd8\xff\xd9",
    b"RIFF\0\0\0\0WEBP" + bytes(40),
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IEND"),
], ids=range(16))
def test_what_is_no_whole_picture_is_refused(raw):
    assert refusal(raw) == "picture-type"


@pytest.mark.parametrize("make", [png, jpeg])
def test_a_picture_that_would_fill_a_phone_is_refused(make):
    assert refusal(make(MAX_SIDE + 1, 30)) == refusal(make(40, 65_000)) == refusal(make(3, 30)) == "picture-side"
    assert refusal(make() + bytes(MAX_PICTURE_BYTES)) == "picture-bytes"


@pytest.mark.parametrize(("top_left", "bottom_right"), [
    (None, SOUTH_EAST), (NORTH_WEST, None), (SOUTH_EAST, NORTH_WEST), (NORTH_WEST, NORTH_WEST), ((91, 0), (1, 1)),
    ((48.88, 2.38), (48.86, 2.35)), ((float("nan"), 0.0), (1.0, 1.0)), ((1.0, 179.0), (0.0, 181.0)),
])
def test_corners_must_be_a_box(top_left, bottom_right):
    assert refusal(png(), top_left, bottom_right) == "picture-corners"


@pytest.mark.parametrize("seed", range(3))
def test_no_damage_makes_more_than_a_refusal(seed):
    chance, refused = random.Random(seed), 0
    for number in range(700):
        raw = bytearray(jpeg(40, 30, segment(0xE1, bytes(30))) if number % 2 else png(40, 30, chunk(b"tEXt", bytes(30))))
        for _ in range(chance.randint(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        try:
            picture_of(bytes(raw[:chance.randint(1, 2 * len(raw))]), (NORTH_WEST, SOUTH_EAST))
        except DraftRefused:
            refused += 1
    assert 350 < refused < 700, "most damage is found, and some does no harm"

"""A code in a photograph is read, by a program that can take nothing and stay no longer than it may."""

import functools
import math
import random
import struct
import subprocess
import sys
import zlib

import pytest
import segno

from node.daemon import qr_reader, sandbox
from node.daemon.qr_reader import scanned
from node.model.errors import RemoteFault
from node.transfer.paper import code_of, codes_of, record_in, records_in
from tests.board.test_image import chunk, png

pytestmark = pytest.mark.once

RAW = random.Random(1).randbytes(230)
SIDE = 560


@functools.cache
def photograph(text, turned, sharp=2.2):
    """A PNG of a code as a hand-held telephone takes it: turned, a bit out of focus, darker to one side, grainy."""
    code = [list(row) for row in segno.make(text, micro=False, error="m", boost_error=False).matrix_iter(border=4)]
    dots, chance, angle = SIDE * 0.66 / len(code), random.Random(2), math.radians(turned)
    across, down = math.cos(angle) / dots, math.sin(angle) / dots
    middle = len(code) / 2

    def ink(u, v):
        return 1 - code[int(v)][int(u)] if 0 <= u < len(code) and 0 <= v < len(code) else 0.6

    def light(x, y):
        seen = [ink(middle + (i * across + j * down), middle + (j * across - i * down))
                for i in (x - sharp / 2, x + sharp / 2) for j in (y - sharp / 2, y + sharp / 2)]
        return int(min(255, max(0, 40 + 30 * (sum(seen) + x / SIDE) + chance.gauss(0, 6))))

    half = SIDE // 2
    rows = [b"\0" + bytes(light(x, y) for x in range(-half, half)) for y in range(-half, half)]
    return png(SIDE, SIDE, drawn=b"".join(rows))


def refusal(photo):
    with pytest.raises(RemoteFault) as refused:
        scanned(photo)
    return refused.value.reason


@pytest.mark.parametrize("turned", [11, 100])
def test_a_code_turned_and_a_little_blurred_is_read(turned):
    assert record_in(scanned(photograph(code_of(RAW), turned))) == RAW


def test_a_picture_of_several_codes_gives_the_records_of_all():
    raws = [random.Random(seed).randbytes(160) for seed in range(5)]
    codes = [[list(row) for row in segno.make(code, micro=False, error="l", boost_error=False, mask=3).matrix_iter(4, 4)]
             for code in codes_of(raws, 700)]
    side = max(map(len, codes))
    rows = [[not ink for code in codes for ink in (code[y] if y < len(code) else [0] * len(code))] for y in range(side)]
    picture = png(sum(map(len, codes)), side, drawn=b"".join(b"\0" + bytes(255 * light for light in row) for row in rows))
    read, wrong = records_in(scanned(picture))
    assert len(codes) > 1 and sorted(read) == sorted(raws) and not wrong


def test_a_picture_without_a_code_of_a_record_says_so():
    assert refusal(png(400, 400)) == "no-code"
    assert refusal(photograph("https://example.org/somewhere-else", 0)) == "no-code"


def test_what_is_no_picture_reaches_no_program(monkeypatch):
    monkeypatch.setattr(qr_reader, "PROGRAM", "/nowhere")
    assert refusal(b"\x7fELF" + bytes(100)) == refusal(b"") == "picture-type"
    assert refusal(png(6_000, 40)) == "picture-side" and refusal(bytes(13_000_000)) == "picture-bytes"


def test_a_picture_that_swells_is_given_up():
    swelling = zlib.compress(bytes(300_000_000), 1)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 0, 0, 0, 0))
    assert refusal(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", swelling) + chunk(b"IEND")) == "no-code"


def test_without_a_reader_or_a_sandbox_nothing_is_read(monkeypatch):
    monkeypatch.setattr(qr_reader, "PROGRAM", "no-such-program")
    assert refusal(png(400, 400)) == "no-reader"
    monkeypatch.undo()
    monkeypatch.setattr(sandbox, "__file__", "/nowhere/sandbox.py")  # as where it cannot be had
    assert refusal(photograph(code_of(RAW), 0)) == "no-code"


def sandboxed(*program):
    command = [sys.executable, "-I", sandbox.__file__, *program]
    return subprocess.run(command, capture_output=True, timeout=60, check=False)


def test_what_is_in_the_sandbox_opens_no_file_and_writes_none(tmp_path):
    secret = tmp_path / "key"
    secret.write_text("secret")
    for path in (secret, "/etc/passwd", "/proc/self/environ"):
        told = sandboxed("/usr/bin/cat", str(path))
        assert told.returncode not in (0, sandbox.UNABLE) and not told.stdout, path
    assert sandboxed("/usr/bin/touch", str(tmp_path / "new")).returncode and not (tmp_path / "new").exists()
    assert sandboxed("/usr/bin/env").stdout == b""

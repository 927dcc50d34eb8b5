"""Reads the QR codes of records, or that of an invitation, in a photograph, with ZXing (Debian's zxing-cpp-tools).

A decoder of pictures may have holes. So it gets only what draws the picture (`node.board.image`), of a bounded size, and
runs in a sandbox where there is nothing to take and no time to waste (`node.daemon.sandbox`).
"""

import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Lock

from node.board.image import Most, sound
from node.daemon import sandbox
from node.model.errors import RemoteFault
from node.transfer.invitation import INVITATION_MARK
from node.transfer.paper import MARK, WORD

PROGRAM = "ZXingReader"
PHOTO = Most(12_000_000, 5_000, 16_500_000)  # a telephone's sixteen million dots fit; the reader takes 6 B for each
PATIENCE_S = 60  # on the wall; of the processor's time it gets less
CODE = re.compile(rf"{WORD} ?[A-Z2-7{MARK}]+".encode())
INVITATION = re.compile(base64.b32encode(INVITATION_MARK[:20]) + b"[A-Z2-7]+")  # 20 octets are 32 letters, and no rest
_one_at_a_time = Lock()  # each takes up to 40 MB here, and 100 MB in the reader


def scanned(photo: bytes, wanted: re.Pattern[bytes] = CODE) -> str:
    """The texts of the codes in a PNG or JPEG, one a line.

    RemoteFault: those of `node.board.image.sound`, `no-code` or `no-reader`.
    """
    program = shutil.which(PROGRAM)
    with _one_at_a_time:
        content = sound(photo, PHOTO)[1]
        if program is None:
            raise RemoteFault("no-reader")
        found = wanted.findall(_read(program, content))
    if not found:
        raise RemoteFault("no-code")
    return b"\n".join(found).decode()


def _read(program: str, content: bytes) -> bytes:
    """What the program says of a picture; nothing if it takes too long."""
    command = [sys.executable, "-I", sandbox.__file__, program, "/proc/self/fd/0"]  # its options change with its versions
    with os.fdopen(os.memfd_create("photo"), "w+b") as picture:
        picture.write(content)
        picture.seek(0)
        try:
            told = subprocess.run(command, stdin=picture, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,  # noqa: S603
                                  timeout=PATIENCE_S, check=False, env={}, cwd=Path("/"))
        except subprocess.TimeoutExpired:
            return b""
    if told.returncode == sandbox.UNABLE:
        raise RemoteFault("no-reader")
    return told.stdout

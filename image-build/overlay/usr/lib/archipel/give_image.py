"""Gives this box's release as an image, to be written on a card with a computer: `/image`, a gzip file that can be resumed.

`give_image.py BASE`: answers nginx at the socket that systemd opened, one download after the other read from BASE
(`image_base.py`) and the root's partition; ends when nobody has asked for some minutes. Nothing of who asks is kept.
"""

import re
import socket
import socketserver
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import gzipped
import image_base
from slots import MIB

LISTENING_AT = 3  # sd_listen_fds(3)
IDLE_S = 300.0
PATIENCE_S = 120.0  # for one who takes nothing: nginx gives up before
RANGE = re.compile(r"bytes=(\d{1,12})-(\d{0,12})")
NO_IMAGE = b"This box makes no copies of itself: its system is not what its release says.\n"


def packed_from(base: image_base.ImageBase, start: int) -> Iterator[bytes]:
    """The gzip file from some octet on, reading no more than what is asked for."""
    at = 0
    for part_size, part in _parts(base):
        if at + part_size > start:
            yield part()[max(0, start - at):]
        at += part_size


def _parts(base: image_base.ImageBase) -> Iterator[tuple]:
    empty = str(base.told["empty"])
    yield len(gzipped.HEAD), lambda: gzipped.HEAD
    for number, sign in enumerate(empty):
        yield gzipped.packed_size(sign == "1"), lambda number=number: gzipped.packed(base.block(number))
    last = gzipped.tail(int(base.told["crc"]), len(empty) * MIB)
    yield len(last), lambda: last


def sums(told: dict) -> bytes:
    """The checksums of the image, and of it as it is downloaded, as `sha256sum -c` reads them."""
    name = file_name(told)
    return f"{told['gz_sha256']}  {name}.gz\n{told['sha256']}  {name}\n".encode()


def file_name(told: dict) -> str:
    """As the release calls it."""
    return f"archipel-{told['version']}-arm64.img"


class ImageRequest(BaseHTTPRequestHandler):
    """One question of nginx."""

    server: "ImageServer"
    timeout = PATIENCE_S
    server_version, sys_version = "Archipel", ""

    def do_GET(self) -> None:
        """Answer it."""
        try:
            with image_base.opened(self.server.base) as base:
                self._answer(base)
        except image_base.NoBase:
            self._short(503, NO_IMAGE)
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    do_HEAD = do_GET

    def _answer(self, base: image_base.ImageBase) -> None:
        path = self.path.partition("?")[0]
        if path == "/image.sha256":
            self._short(200, sums(base.told))
        elif path == "/image.manifest":
            self._short(200, base.release.head)
        elif path == "/image":
            self._image(base)
        else:
            self._short(404, b"")

    def _short(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def _image(self, base: image_base.ImageBase) -> None:
        size, tag = int(base.told["gz_bytes"]), f'"{base.told["gz_sha256"][:32]}"'
        wanted = self._range(size, tag)
        if wanted is None:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, end = wanted
        whole = (start, end) == (0, size)
        self.send_response(200 if whole else 206)
        self.send_header("Content-Type", "application/gzip")
        self.send_header("Content-Disposition", f'attachment; filename="{file_name(base.told)}.gz"')
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Content-Length", str(end - start))
        if not whole:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        if self.command == "GET":
            self._send(packed_from(base, start), end - start)

    def _range(self, size: int, tag: str) -> tuple[int, int] | None:
        """(start, end) of what is asked for; None when there is nothing of it. What is not understood asks for all."""
        asked = RANGE.fullmatch(self.headers.get("Range", ""))
        if asked is None or self.headers.get("If-Range", tag) != tag:
            return 0, size
        start, end = int(asked[1]), min(int(asked[2]) + 1, size) if asked[2] else size
        return (start, end) if start < end else None

    def _send(self, parts: Iterator[bytes], left: int) -> None:
        for part in parts:
            self.wfile.write(part[:left])
            left -= len(part)
            if left <= 0:
                return

    def address_string(self) -> str:
        """Nobody's."""
        return ""

    def log_message(self, *_: object) -> None:
        """Nothing of a request is written anywhere."""


class ImageServer(socketserver.ThreadingMixIn, socketserver.BaseServer):
    """Answers at a socket that listens already; `run` ends when nobody has asked for some time."""

    daemon_threads = True

    def __init__(self, base: Path, listening: socket.socket):
        super().__init__("", ImageRequest)
        self.base, self.socket = base, listening
        self.timeout = IDLE_S
        self._busy, self._lock, self._wanted = 0, threading.Lock(), True

    def fileno(self) -> int:
        """For select."""
        return self.socket.fileno()

    def get_request(self) -> tuple:
        """The next who asks."""
        connection, _ = self.socket.accept()
        with self._lock:
            self._busy += 1
        return connection, ""

    def shutdown_request(self, request: Any) -> None:
        """It is answered."""
        request.close()
        with self._lock:
            self._busy -= 1

    def run(self) -> None:
        """Answer until nobody has asked for IDLE_S and nobody takes anything."""
        while self._wanted:
            self.handle_request()

    def handle_timeout(self) -> None:
        """Nobody has asked for that long."""
        with self._lock:
            self._wanted = self._busy > 0

    def handle_error(self, *_: object) -> None:
        """A client that went away."""


if __name__ == "__main__":
    with socket.socket(fileno=LISTENING_AT) as at:
        ImageServer(Path(sys.argv[1]), at).run()

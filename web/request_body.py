"""What a request may bring: a form of a bounded size, and one large file where a route asks for it.

Werkzeug bounds each field of a multipart form, but neither the sum of them nor what is urlencoded (its documentation says
so since 3.1.9, and up to 3.1.3 it went by the length that was claimed). Here a form is bounded as a whole, whatever its
encoding, before anything is made of it; the large limit is for a file, which goes to the card, never for a field.
"""

from collections.abc import Iterator
from io import BytesIO
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import IO, Any, cast

from flask import Request, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

MAX_FORM_BYTES = 256 * 1024  # far more than a post: what is too long shall come back with everything typed
MAX_FIELDS = 100  # our longest form has some thirty
MAX_LINES = 5_000  # of a multipart form: each may be a header, and 50,000 of those leave 15 MB in pieces
FIELDS_BESIDE_A_FILE, BESIDE_A_FILE_BYTES = 8, 144 * 1024  # each; Werkzeug needs room for two of its blocks of 64 kB
IN_MEMORY_BYTES = 64 * 1024  # of a file: the rest goes to the card
BLOCK_BYTES = 64 * 1024
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_parsing = Lock()  # 256 kB of the smallest fields or headers take 25 MB while they are looked at: one form at a time


def expect_file(most_bytes: int) -> None:
    """Let the request at hand bring a file of so many bytes, and little beside it."""
    request.max_content_length = most_bytes + MAX_FORM_BYTES
    request.max_form_parts, request.max_form_memory_size = FIELDS_BESIDE_A_FILE, BESIDE_A_FILE_BYTES


class BoundedForm(FormDataParser):
    """Reads a form that is bounded as a whole; RequestEntityTooLarge for anything larger."""

    def parse(self, stream: IO[bytes], mimetype: str, content_length: int | None,
              options: dict[str, str] | None = None) -> Any:
        """As FormDataParser.parse."""
        brings_file = (self.max_content_length or 0) > MAX_FORM_BYTES
        if mimetype not in (URLENCODED, MULTIPART) or (brings_file and mimetype == MULTIPART):
            return super().parse(stream, mimetype, content_length, options)
        whole = _whole(stream)
        with _parsing:
            mark, most = (b"&", MAX_FIELDS - 1) if mimetype == URLENCODED else (b"\n", MAX_LINES)
            if whole.getvalue().count(mark) > most:
                raise RequestEntityTooLarge
            return super().parse(whole, mimetype, len(whole.getbuffer()), options)


class PortalRequest(Request):
    """A request to the portal."""

    form_data_parser_class = BoundedForm
    spooled: tuple[IO[bytes], ...] = ()

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        """Where Werkzeug puts a file that is uploaded."""
        file = cast(IO[bytes], SpooledTemporaryFile(IN_MEMORY_BYTES))  # noqa: SIM115 - until the request is over
        self.spooled = (*self.spooled, file)
        return file

    def close(self) -> None:
        """Let go of the files, also of a form that was refused halfway."""
        for file in self.spooled:
            file.close()
        super().close()


def _whole(stream: IO[bytes]) -> BytesIO:
    """All that is sent, if it is no more than a form may be."""
    whole = BytesIO()
    for block in iter(lambda: stream.read(BLOCK_BYTES), b""):
        whole.write(block)
        if whole.tell() > MAX_FORM_BYTES:
            raise RequestEntityTooLarge
    whole.seek(0)
    return whole


def blocks(stream: IO[bytes]) -> Iterator[bytes]:
    """A file, a block at a time."""
    return iter(lambda: stream.read(BLOCK_BYTES), b"")

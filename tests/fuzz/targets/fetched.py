"""What a server of anybody answers when an island asks it: a page is taken, bounded, or a sentence says why not; redirections lead
nowhere that they may not."""

import io
import zlib
from http.client import HTTPException, HTTPResponse
from urllib.parse import urlsplit

from node.board.drafts import is_link
from node.daemon.fetch import MAX_MARK, MAX_RETRY_S, Asking, NotFetched, _path, _taken, _why, led_to
from node.daemon.lan_discovery import NoAnswer, _body
from node.transfer.lan import MAX_MESSAGE_BYTES
from tests.fuzz.kinds import Target

ASKING = Asking(2_000, '"old"', "Mon, 01 Dec 2025 10:00:00 GMT")
HERE = "https://exemple.org/agenda.ics"


class Line:
    """A line to a server that has said all that it will."""

    def __init__(self, octets):
        self._octets = octets

    def makefile(self, *_arguments):
        return io.BytesIO(self._octets)


def run(octets):
    """As an answer; behind a good head, plain and packed; as where a redirection leads."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(octets) + packer.flush()
    for whole in (octets, b"HTTP/1.1 200 OK\r\n" + octets, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + octets,
                  b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed):
        fetched = taken(whole)
        if fetched and fetched.content is not None:
            assert len(fetched.content) <= ASKING.max_bytes + 1 and fetched.address == HERE
            assert all(len(mark) <= MAX_MARK and mark.isascii() and mark.isprintable() for mark in (fetched.tag, fetched.modified))
            assert Asking(9, fetched.tag, fetched.modified).headers
    assert taken(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + packed).content == octets[:ASKING.max_bytes + 1]
    told(octets)
    led(octets.decode("latin-1"))


def taken(octets):
    try:
        answer = HTTPResponse(Line(octets), method="GET")
        answer.begin()
        with answer:
            return _taken(answer, ASKING, HERE)
    except NotFetched as refused:
        assert str(refused.sentence) and (refused.retry_s is None or 0 <= refused.retry_s <= MAX_RETRY_S)
    except (OSError, HTTPException, ValueError, zlib.error) as error:  # those that `fetch` gives a sentence
        assert str(_why(error))
    return None


def told(octets):
    """As what another island answers."""
    try:
        answer = HTTPResponse(Line(octets), method="POST")
        answer.begin()
        with answer:
            assert len(_body(answer)) <= MAX_MESSAGE_BYTES
    except (OSError, HTTPException, NoAnswer):
        pass


def led(location):
    try:
        there = led_to(HERE, location)
        if is_link(there):
            assert urlsplit(there).scheme == "https" and _path(urlsplit(there)).isascii() and "\n" not in _path(urlsplit(there))
    except (NotFetched, ValueError) as error:
        assert isinstance(error, NotFetched) or str(_why(error))


def seeds():
    ok, body = b"HTTP/1.1 200 OK\r\n", b"\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
    for head in (b"", b"Content-Length: 30\r\n", b"Content-Length: 9\r\n", b"Content-Length: -1\r\n", b"Content-Length: x\r\n", b'ETag: "new"\r\nLast-Modified: x\r\n',
                 b"ETag: " + b"x" * 300 + b"\r\n", b"ETag: \xe9\r\n", b"Content-Encoding: gzip\r\n", b"Content-Encoding: br\r\n", b"Content-Encoding:\r\n",
                 b"Transfer-Encoding: chunked\r\n", b"Content-Type: text/html; charset=x\r\n", b" folded\r\n", b"A: b\r\n" * 120, b"no colon\r\n", b"Content-Length: 999999\r\n"):
        yield head + body
        yield ok + head + body
    yield ok + b"Transfer-Encoding: chunked\r\n\r\n5\r\nBEGIN\r\n0\r\n\r\n"
    yield ok + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffffff\r\nx"
    yield ok + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nx"
    for code in (304, 301, 401, 403, 404, 410, 429, 500, 503, 204, 100, 999, 20):
        for retry in (b"", b"Retry-After: 120\r\n", b"Retry-After: 999999999\r\n", b"Retry-After: Wed, 03 Dec 2025 10:00:00 GMT\r\nDate: Mon, 01 Dec 2025 10:00:00 GMT\r\n",
                      b"Retry-After: Wed, 03 Dec 2025 10:00:00\r\nDate: x\r\n", b"Retry-After: Mon, 01 Jan 9999 10:00:00 +2400\r\nDate: Mon, 01 Dec 2025 10:00:00 GMT\r\n",
                      b"Retry-After: -5\r\n", b"Retry-After: " + b"9" * 5_000 + b"\r\n"):
            yield b"HTTP/1.1 %d X\r\n%s\r\n" % (code, retry)
    yield b"HTTP/1.1 100 Continue\r\n\r\n" * 50
    yield from (b"HTTP/1.1 abc\r\n\r\n", b"HTTP/9\r\n\r\n", b"", b"x" * 70_000, b"ICY 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, b"\x1f\x8b\x08", bytes(5_000))
    yield zlib.compress(bytes(3_000_000), wbits=31)
    yield zlib.compress(b"x" * 500, wbits=31)[:-9]
    yield b"x" * (MAX_MESSAGE_BYTES + 9)
    yield b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MAX_MESSAGE_BYTES + 9)
    yield from (b"/b?a=\xe9", b"http://exemple.org/", b"//autre.org/x y", b"https://[::1/", b"https://exemple.org:99999/", b"javascript:1", b"..", b"", b"https://\xff.org/",
                     b"https://a@b:c@d/", b"https://exemple.org/\x7f", b"webcal://exemple.org/")


TARGET = Target(run, ("node/daemon/fetch.py: led_to _path _taken _read _blocks _unpacked _mark _retry_s Asking.headers", "node/daemon/lan_discovery.py: _body"), seeds, 2_000, (
    b"HTTP/1.1 200 OK\r\n", b"Content-Length: ", b"Content-Encoding: gzip\r\n", b"Transfer-Encoding: chunked\r\n\r\n", b"Retry-After: ", b"ETag: ", b"https://", b"\r\n\r\n"))

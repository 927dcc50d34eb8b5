"""What a visitor's line brings to the lobby: one whole request for the portal, or a refusal; nothing hides behind it, and the
portal's own server reads in it what the lobby read."""

import asyncio
import atexit
import io

from gunicorn.config import Config
from gunicorn.http import RequestParser
from gunicorn.http.errors import ParseException

from node.daemon.lobby import CHUNK, HEAD_BYTES, MAX_BODY_BYTES, Lobby, _Bad, _chunks, _exactly, _head, _Line
from tests.fuzz.kinds import Target

HOST = b"GET /agenda HTTP/1.1\r\nHost: archipel.lan\r\n"
_loops: list = []


def run(octets):
    """As they come, all at once and by the octet; then behind a good first line."""
    if not _loops:
        _loops.append(asyncio.new_event_loop())
        atexit.register(_loops[0].close)
    for content in (octets, HOST + octets):
        whole = _loops[0].run_until_complete(taken(content, len(content) or 1))
        small = _loops[0].run_until_complete(taken(content, 7))
        assert small == whole or len(content) > HEAD_BYTES
        if isinstance(whole, tuple):
            read_by_the_portal(*whole)


async def taken(content, size):
    """(what is passed on, the body), or why not."""
    reader = asyncio.StreamReader(limit=HEAD_BYTES)
    feeding = asyncio.ensure_future(feed(reader, content, size))
    body = io.BytesIO()
    try:
        head = await _head(reader)
        if head.size is None:
            await _chunks(reader, body.write)
        elif head.size <= MAX_BODY_BYTES:
            await _exactly(reader, head.size, body.write)
        else:
            return "too much"
    except _Bad as bad:
        assert bad.status in (400, 431, 503)
        return bad.status
    except (EOFError, asyncio.IncompleteReadError):
        return "left"
    finally:
        await feeding
    line = _Line("192.0.2.7", None)
    return Lobby._passed_on(line, head, len(body.getvalue())), body.getvalue()


async def feed(reader, content, size):
    for at in range(0, len(content), size):
        reader.feed_data(content[at:at + size])
        if at % 70 == 0:
            await asyncio.sleep(0)
    reader.feed_eof()


def read_by_the_portal(head, body):
    """gunicorn reads one request, with this body and our word for the address, or none."""
    assert head.count(b"\r\nX-Forwarded-For:") == 1 and head.endswith(b"\r\n\r\n") and b"\0" not in head and b"\r\n\r\n" not in head[:-4]
    requests = RequestParser(Config(), iter([head + body]), ("192.0.2.7", 1))
    try:
        request = next(requests)
    except (ParseException, StopIteration):
        return
    assert request.body.read() == body
    said = [value for name, value in request.headers if name == "X-FORWARDED-FOR"]
    assert said == ["192.0.2.7"]
    assert not any(name in ("TRANSFER-ENCODING", "FORWARDED", "X-FORWARDED-PROTO", "UPGRADE") for name, _ in request.headers)
    assert request.should_close()


def seeds():
    yield from (HOST + b"\r\n", b"\r\n" + HOST + b"\r\n", b"\n\n" + HOST, HOST[:-2], b"", b"\r\n", HOST, b"Accept: */*\r\n\r\n")
    for more in (b"Content-Length: 3\r\n\r\nabc", b"Content-Length: 3\r\n\r\nab", b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", b"Content-Length: +3\r\n\r\nabc",
                 b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"Transfer-Encoding: gzip, chunked\r\n\r\n", b"Content-Length: 99999999999\r\n\r\n",
                 b"Content-Length: 9999999999999999\r\n\r\n", b"Content-Length: \r\n\r\n", b"Content-Length: 0x3\r\n\r\nabc", b"Content-Length : 3\r\n\r\nabc",
                 b"X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1\r\nUpgrade: h2c\r\n\r\n", b" folded: x\r\n\r\n", b"A: b\0c\r\n\r\n", b"A: b\rc\r\n\r\n", b"A:\r\n\r\n",
                 b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\nx", b"\xe9: x\r\n\r\n", b"A: \xe9\xff\r\n\r\n", b": x\r\n\r\n", b"no colon\r\n\r\n",
                 b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"Transfer-Encoding: Chunked\r\n\r\nA;x=y\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n",
                 b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", b"Transfer-Encoding: chunked\r\n\r\nx\r\n", b"Transfer-Encoding: chunked\r\n\r\n3\r\nab",
                 b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * 30,
                 b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1_100, b"A: " + b"x" * HEAD_BYTES + b"\r\n\r\n", b"A: b\r\n" * 5_000 + b"\r\n"):
        yield more
        yield b"POST / HTTP/1.0\r\n" + more
    yield from (b"GET / HTTP/2.0\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b"GET /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /\xe9 HTTP/1.1\r\n\r\n",
                b"GET http://archipel.lan/ HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"G\tT / HTTP/1.1\r\n\r\n", b"GET /%00?a=%zz#x HTTP/1.1\r\n\r\n")
    assert CHUNK.fullmatch(b"A;x=y")


TARGET = Target(run, ("node/daemon/lobby.py: _head _field _size _text_line _chunks _chunk_size _exactly Lobby._passed_on",), seeds, 2_000, (
    b"\r\n", b"Content-Length: ", b"Transfer-Encoding: chunked\r\n\r\n", b" HTTP/1.1\r\n", b"0\r\n\r\n", b"Expect: 100-continue", b"X-Forwarded-For: "))

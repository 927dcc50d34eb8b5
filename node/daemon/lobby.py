"""The lobby: where requests wait until they are whole, on an island without a web server before it.

gunicorn reads a request, and writes an answer, on one of its few threads at the pace of whoever is at the other end: 16
that stall mute the portal. Here one thread waits for all of them (asyncio), bounded in time, number and size; the portal
gets whole requests only, over a Unix socket, and its answers are taken off its hands at once: nginx's part on the image.

Nobody's address is logged or kept longer than the connection. There is one request a connection: none hides behind another.
"""

import asyncio
import logging
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile

log = logging.getLogger(__name__)

MAX_LINES = 400  # connections; with the portal's and the links' they stay below 1,024 open files
MAX_OF_ONE = 64  # of one address, behind which there may be a whole house
MAX_LARGE = 8  # requests and answers above MEMORY_BYTES: on most systems /tmp is memory too
OLD_S = 10.0  # a large one that was so long under way makes room for another
HEAD_BYTES = 16_384
MEMORY_BYTES = 262_144  # what a post or a page takes; more goes into a file without a name
MAX_BODY_BYTES = 17_000_000  # above what any form takes (`web.transfer_pages`); the portal says so of longer ones, unread
MANY_CHUNKS, LEAST_CHUNK_BYTES = 1_000, 100  # so many chunks that are smaller on the average are rubbish, and cost time
PATIENCE_S = 20.0  # for the head of a request; for its body, and for an answer to be taken, beside what their size takes
LEAST_RATE = 10_000  # octets a second, on the average: a phone at the edge of the Wi-Fi
ANSWER_S = 60.0  # for the portal to answer
LINGER_S = 3.0  # for who is still sending to notice the answer
CLOSE_S = 3.0
START_S = 10.0
BLOCK_BYTES = 1 << 16
BACKLOG = 128
MAX_TRAILERS = 20
TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
REQUEST_LINE = re.compile(TOKEN.pattern + rb" [!-~\x80-\xff]+ HTTP/1\.([01])")  # RFC 9112, 3; not all programs send ASCII
CONTROL = re.compile(rb"[\0-\x08\x0a-\x1f\x7f]")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[ -~\t]*)?")
OWN = {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
       b"content-length", b"expect", b"forwarded"}  # between us and who is there, or between us and the portal
REASONS = {400: "Bad Request", 431: "Request Header Fields Too Large", 503: "Service Unavailable"}


class _Bad(Exception):
    """A request that gets no further; `status` says why."""

    def __init__(self, status: int):
        super().__init__(status)
        self.status = status


@dataclass(eq=False)
class _Line:
    """One connection. `asks` until its request is whole; `large` when it takes more than MEMORY_BYTES."""

    address: str
    task: "asyncio.Task[None]"
    since: float = field(default_factory=time.monotonic)
    asks: bool = True
    large: bool = False


@dataclass(frozen=True)
class _Head:
    """What comes before a body: its lines as they are passed on, and how long the body is (None: in chunks)."""

    lines: tuple[bytes, ...]
    size: int | None
    expects: bool


class Lobby:
    """Listens at (host, port) once made; from `start` until `close`, whole requests go to the Unix socket `portal`.

    `said` is what people read, by status (400, 431, 503). `seats`: how many requests the portal takes at once.
    """

    def __init__(self, listen: tuple[str, int], portal: str, seats: int, said: Mapping[int, str]):
        family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        self._listener = socket.create_server(listen, family=family, backlog=BACKLOG)
        self._portal, self._said, self._count = portal, said, seats
        self._lines: set[_Line] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = threading.Event()
        self._thread: threading.Thread | None = None  # one made before a process forks counts as ended in the new one

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> None:
        """Begin, on a thread of its own; in the process that answers."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="lobby", daemon=True)
        self._thread.start()
        self._begun.wait(START_S)  # or closing it at once would find nobody to tell

    def close(self) -> None:
        """Take nobody more; answers under way have a moment. Twice is allowed."""
        if self._loop is not None:
            with suppress(RuntimeError):  # its thread has ended
                self._loop.call_soon_threadsafe(self._over.set)
        if self._thread is not None:
            self._thread.join(2 * CLOSE_S)
        self._listener.close()

    async def _run(self) -> None:
        self._seats, self._over = asyncio.Semaphore(self._count), asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(_note)
        server = await asyncio.start_server(self._meet, sock=self._listener, limit=HEAD_BYTES)
        self._begun.set()
        await self._over.wait()
        self._loop.remove_reader(self._listener)
        await _turns()  # accepted ones get their lines: a server that is closed first leaves them open (CPython gh-109564)
        server.close()
        for line in self._lines:
            if line.asks:
                line.task.cancel()
        if tasks := [line.task for line in self._lines]:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
        await _turns()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        line = _Line(str((writer.get_extra_info("peername") or ("",))[0]), task)
        self._make_room(line.address)
        self._lines.add(line)
        try:
            await self._serve(line, reader, writer)
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):  # it left, stalls or made room for others
            writer.transport.abort()
        except Exception as error:  # of which no connection but this one may learn
            log.error("the lobby failed at a request: %s", type(error).__name__)  # a traceback might show what it says
            writer.transport.abort()
        finally:
            self._lines.discard(line)
            writer.close()

    # who must go

    def _make_room(self, address: str) -> None:
        """Of too many of one address its oldest goes that has not asked yet; of too many in all, one of who has most."""
        of = Counter(line.address for line in self._lines)
        if of[address] >= MAX_OF_ONE:
            self._drop([line for line in self._lines if line.address == address])
        elif len(self._lines) >= MAX_LINES:
            most = max(of.values())
            self._drop([line for line in self._lines if of[line.address] == most])

    def _drop(self, lines: list[_Line]) -> None:
        line = min(lines, key=lambda line: (not line.asks, line.since))
        self._lines.discard(line)
        line.task.cancel()

    def _make_large(self, line: _Line) -> None:
        """This one takes a lot; raises _Bad when there is no room for that."""
        if line.large:
            return
        large = [other for other in self._lines if other.large]
        if len(large) >= MAX_LARGE:
            old = [other for other in large if time.monotonic() - other.since > OLD_S]
            if not old:
                raise _Bad(503)
            self._drop(old)
        line.large = True

    # one request

    async def _serve(self, line: _Line, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with SpooledTemporaryFile(MEMORY_BYTES) as body, SpooledTemporaryFile(MEMORY_BYTES) as answer:
            unread = False
            try:
                async with asyncio.timeout(PATIENCE_S):
                    head = await _head(reader)
                unread = (head.size or 0) > MAX_BODY_BYTES
                if not unread:
                    if head.expects:
                        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    await self._keep(line, head, reader, body)
                line.asks = False
                await self._ask(line, head, body, answer)
            except _Bad as bad:
                unread = True
                answer.seek(0)
                answer.truncate()
                answer.write(self._refusal(bad.status))
            await _give(writer, answer)
            if unread:
                await _linger(reader)

    async def _keep(self, line: _Line, head: _Head, reader: asyncio.StreamReader,
                    into: "SpooledTemporaryFile[bytes]") -> None:
        """Take the body in."""
        async with asyncio.timeout(PATIENCE_S) as patience:
            def take(piece: bytes) -> None:
                into.write(piece)
                if into.tell() > MEMORY_BYTES:
                    self._make_large(line)
                _extend(patience, len(piece))

            if head.size is None:
                await _chunks(reader, take)
            else:
                await _exactly(reader, head.size, take)

    async def _ask(self, line: _Line, head: _Head, body: "SpooledTemporaryFile[bytes]",
                   answer: "SpooledTemporaryFile[bytes]") -> None:
        """Hand the request to the portal, and keep its answer."""
        try:
            async with asyncio.timeout(ANSWER_S), self._seats:
                reader, writer = await asyncio.open_unix_connection(self._portal)
                try:
                    writer.write(self._passed_on(line, head, body.tell()))
                    body.seek(0)
                    while piece := body.read(BLOCK_BYTES):
                        writer.write(piece)
                        await writer.drain()
                    writer.write_eof()
                    while piece := await reader.read(BLOCK_BYTES):
                        answer.write(piece)
                        if answer.tell() > MEMORY_BYTES:
                            self._make_large(line)
                finally:
                    writer.transport.abort()
        except (OSError, TimeoutError) as error:
            raise _Bad(503) from error

    @staticmethod
    def _passed_on(line: _Line, head: _Head, taken: int) -> bytes:
        size = max(taken, head.size or 0)  # one that is too long is passed on by its length alone
        own = (b"Connection: close", b"X-Forwarded-For: " + line.address.encode(), b"Content-Length: %d" % size)
        return b"\r\n".join((*head.lines, *own[:2 if size == 0 else 3], b"", b""))

    def _refusal(self, status: int) -> bytes:
        said = self._said[status].encode() + b"\n"
        head = (f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
                f"Cache-Control: no-store\r\nContent-Length: {len(said)}\r\n\r\n")
        return head.encode() + said


async def _head(reader: asyncio.StreamReader) -> _Head:
    """Everything up to the empty line; raises _Bad for what is no request of HTTP/1."""
    first = await _text_line(reader) or await _text_line(reader)  # RFC 9112, 2.2: one empty line before it may be there
    version = REQUEST_LINE.fullmatch(first)
    if version is None:
        raise _Bad(400)
    passed, fields, size = [first], {}, len(first)
    while text := await _text_line(reader):
        size += len(text)
        name, value = _field(text)
        if size > HEAD_BYTES:
            raise _Bad(431)
        if name not in OWN and not name.startswith(b"x-forwarded-"):
            passed.append(text)
        elif name in fields and name in (b"content-length", b"transfer-encoding"):
            raise _Bad(400)  # which of the two would count is what smugglers live on
        else:
            fields[name] = value.lower()
    modern = version[1] == b"1"
    return _Head(tuple(passed), _size(fields, modern), modern and fields.get(b"expect") == b"100-continue")


def _field(text: bytes) -> tuple[bytes, bytes]:
    """Name and value of one line of the head (RFC 9112, 5)."""
    name, colon, value = text.partition(b":")
    if not colon or not TOKEN.fullmatch(name) or CONTROL.search(value):
        raise _Bad(400)
    return name.lower(), value.strip(b" \t")


def _size(fields: dict[bytes, bytes], modern: bool) -> int | None:
    """How long the body is by the head's fields, None if it comes in chunks (RFC 9112, 6.3)."""
    coding, length = fields.get(b"transfer-encoding"), fields.get(b"content-length", b"0")
    if coding is not None:
        if coding != b"chunked" or b"content-length" in fields or not modern:
            raise _Bad(400)
        return None
    if not length.isdigit() or len(length) > 15:
        raise _Bad(400)
    return int(length)


async def _text_line(reader: asyncio.StreamReader) -> bytes:
    """One line without its end."""
    try:
        return (await reader.readuntil(b"\n"))[:-1].removesuffix(b"\r")
    except asyncio.LimitOverrunError as error:
        raise _Bad(431) from error
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise _Bad(400) from error
        raise


async def _chunks(reader: asyncio.StreamReader, take: Callable[[bytes], None]) -> None:
    """A body in chunks (RFC 9112, 7.1), what follows them included; raises _Bad for rubbish."""
    taken = count = 0
    while size := await _chunk_size(reader):
        taken, count = taken + size, count + 1
        if taken > MAX_BODY_BYTES or (count > MANY_CHUNKS and taken < count * LEAST_CHUNK_BYTES):
            raise _Bad(400)
        await _exactly(reader, size, take)
        if await _text_line(reader):
            raise _Bad(400)
    for _ in range(MAX_TRAILERS):
        if not await _text_line(reader):
            return
    raise _Bad(400)


async def _chunk_size(reader: asyncio.StreamReader) -> int:
    matched = CHUNK.fullmatch(await _text_line(reader))
    if matched is None:
        raise _Bad(400)
    return int(matched[1], 16)


async def _exactly(reader: asyncio.StreamReader, size: int, take: Callable[[bytes], None]) -> None:
    while size:
        piece = await reader.read(min(size, BLOCK_BYTES))
        if not piece:
            raise EOFError
        size -= len(piece)
        take(piece)


async def _give(writer: asyncio.StreamWriter, answer: "SpooledTemporaryFile[bytes]") -> None:
    answer.seek(0)
    writer.transport.set_write_buffer_limits(0)  # to drain is then to have it all on the way
    async with asyncio.timeout(PATIENCE_S) as patience:
        while piece := answer.read(BLOCK_BYTES):
            writer.write(piece)
            await writer.drain()
            _extend(patience, len(piece))
        writer.write_eof()


async def _linger(reader: asyncio.StreamReader) -> None:
    """Take what still comes: closing upon it would throw the answer away at the other end (RFC 9112, 9.6)."""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(LINGER_S):
            while await reader.read(BLOCK_BYTES):
                pass


def _extend(patience: asyncio.Timeout, size: int) -> None:
    """So many octets more give so much time more."""
    when = patience.when()
    assert when is not None
    patience.reschedule(when + size / LEAST_RATE)


async def _turns() -> None:
    """Let what was just accepted, cancelled or aborted come to where it has let its socket go."""
    for _ in range(10):
        await asyncio.sleep(0)


def _note(_: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
    """asyncio's own words on a failure name connections and their addresses: its kind is enough."""
    log.error("the lobby: %s", type(context.get("exception")).__name__)

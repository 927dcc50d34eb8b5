"""Without a web server before it, a portal gets whole requests only: who stalls or sends rubbish keeps nobody waiting."""

import contextlib
import gc
import re
import socket
import socketserver
import threading
import time
from pathlib import Path

import pytest

from node.daemon import lobby as module
from node.daemon.lobby import HEAD_BYTES, MAX_BODY_BYTES, MAX_OF_ONE, MEMORY_BYTES, Lobby
from tests.waiting import until

SAID = {400: "no request", 431: "too long", 503: "busy"}
PAGE = b"GET / HTTP/1.1\r\nHost: archipel.lan\r\n\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
STALLED = (b"", b"GE", b"GET / HTTP/1.1\r\nHost: arch", b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf",
           CHUNKED + b"5\r\nab", CHUNKED + b"3")


class Portal(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Stands for gunicorn: takes a whole request on each connection, keeps it, and answers with `answer`."""

    daemon_threads = True

    def __init__(self, path):
        super().__init__(path, None)
        self.asked, self.answer, self.may_answer = [], b"a page", threading.Event()
        self.may_answer.set()

    def finish_request(self, request, client_address):
        with request.makefile("rb") as taken:
            self.asked.append(taken.read())
        self.may_answer.wait(90)
        with contextlib.suppress(OSError):
            request.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + self.answer)


@pytest.fixture
def portal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a short path for the socket
    server = Portal("portal")
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.may_answer.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def lobby(portal):
    made = Lobby(("127.0.0.1", 0), "portal", 4, SAID)
    made.start()
    yield made
    made.close()
    gc.collect()  # a socket that was left open is told of here, and in no other test


@pytest.fixture
def line(lobby):
    """Opens connections to the lobby, from an address of loopback; they are closed when the test ends."""
    with contextlib.ExitStack() as lines:
        yield lambda words=b"", of="127.0.0.1": lines.enter_context(calling(lobby, words, of))


@contextlib.contextmanager
def calling(lobby, words=b"", of="127.0.0.1"):
    with socket.create_connection(("127.0.0.1", lobby.port), 60, (of, 0)) as made:
        made.sendall(words)
        yield made


def answer_on(made):
    return b"".join(iter(lambda: made.recv(65_536), b""))


def told(lobby, words):
    with calling(lobby, words) as made:
        return answer_on(made)


def test_a_request_is_passed_on_whole_with_who_asked_and_answered(lobby, portal):
    words = (b"POST /a?b=c HTTP/1.1\r\nHost: archipel.lan\r\nX-Forwarded-For: 10.9.9.9\r\nx-forwarded-proto: https\r\n"
             b"Forwarded: for=10.9.9.9\r\nConnection: keep-alive\r\nCookie: a=b\r\nContent-Length: 5\r\n\r\nhello")
    assert told(lobby, words).endswith(b"\r\n\r\na page")
    assert portal.asked == [b"POST /a?b=c HTTP/1.1\r\nHost: archipel.lan\r\nCookie: a=b\r\nConnection: close\r\n"
                            b"X-Forwarded-For: 127.0.0.1\r\nContent-Length: 5\r\n\r\nhello"]


def test_a_body_in_chunks_is_put_together(lobby, portal):
    told(lobby, CHUNKED.upper() + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nMore: of it\r\n\r\n")
    assert portal.asked[0].endswith(b"Content-Length: 5\r\n\r\nhello") and b"TRANSFER" not in portal.asked[0]


def test_who_asks_whether_to_go_on_is_told_to(lobby, portal, line):
    made = line(b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
    assert made.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    made.sendall(b"hi")
    assert answer_on(made).endswith(b"a page") and portal.asked[0].endswith(b"hi")


@pytest.mark.parametrize("size", [MEMORY_BYTES - 1, 3 * MEMORY_BYTES + 7])
def test_what_is_large_comes_and_goes_whole(lobby, portal, size):
    sent = portal.answer = bytes(range(256)) * (size // 256) + bytes(size % 256)
    assert told(lobby, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size + sent).endswith(portal.answer)
    assert portal.asked[0].endswith(b"\r\n\r\n" + sent)


@pytest.mark.parametrize(("words", "status"), [
    (b"rubbish\r\n\r\n", 400), (b"\x16\x03\x01\x02\0\1\0\n", 400), (b"GET / HTTP/2.0\r\n\r\n", 400),
    (b"GET  / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n folded: x\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nna me: x\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400), (b"POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    *((CHUNKED + chunks, 400) for chunks in (
        b"rubbish\r\n", b"-1\r\n", b"\r\n", b"0x5\r\nhello\r\n", b"5\r\nhello!!\r\n", b"123456789\r\n", b"ffffffff\r\n",
        b"1;\0\r\n",
        b"1\r\n.\r\n" * 2_000, b"0\r\n" + b"a: b\r\n" * 200, b"\xff" * 100 + b"\r\n")),
    (b"GET /" + b"a" * 2 * HEAD_BYTES + b" HTTP/1.1\r\n\r\n", 431), (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * HEAD_BYTES, 431),
    (CHUNKED + b"1" * 2 * HEAD_BYTES, 431),
])
def test_rubbish_is_refused_in_words_and_the_portal_never_sees_it(lobby, portal, words, status, monkeypatch):
    monkeypatch.setattr(module, "LINGER_S", 0.2)
    head, _, said = told(lobby, words).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status) and said.decode() == SAID[status] + "\n"
    assert portal.asked == []


def test_who_breaks_off_within_a_request_is_forgotten_and_the_portal_not_asked(lobby, portal):
    for words in STALLED:
        with calling(lobby, words):
            pass
    until(lambda: not lobby._lines)
    assert portal.asked == []


def test_forty_that_stall_keep_nobody_waiting(lobby, portal, line):
    stalled = [line(STALLED[number % len(STALLED)]) for number in range(40)]
    until(lambda: len(lobby._lines) == 40)
    assert told(lobby, PAGE).endswith(b"a page") and len(portal.asked) == 1
    assert len(lobby._lines) >= 40 and all(made.fileno() > 0 for made in stalled)


@pytest.mark.parametrize("words", STALLED)
def test_who_stalls_or_trickles_is_cut_off_in_time(lobby, line, words, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    stalled, trickling = line(words), line(words)
    with contextlib.suppress(OSError):
        for _ in range(3_000):
            trickling.sendall(b"1")
            time.sleep(0.02)
    with contextlib.suppress(ConnectionResetError):
        assert stalled.recv(100) == b""
    until(lambda: not lobby._lines)


def test_who_takes_an_answer_too_slowly_is_cut_off_and_holds_no_thread(lobby, portal, line, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.3)
    monkeypatch.setattr(module, "LEAST_RATE", 10_000_000)
    portal.answer = bytes(12_000_000)
    slow = [line(PAGE) for _ in range(5)]  # more than there are seats
    until(lambda: len(portal.asked) == 5)
    portal.answer = b"small"
    assert told(lobby, PAGE).endswith(b"small")
    until(lambda: not lobby._lines)
    assert len(slow) == 5


def test_of_too_many_of_one_address_the_oldest_that_only_stalls_goes(lobby, portal, line):
    portal.may_answer.clear()
    asking = line(PAGE)
    until(lambda: portal.asked)
    first, *others = [line(b"GET / HT") for _ in range(MAX_OF_ONE - 1)]
    until(lambda: len(lobby._lines) == MAX_OF_ONE)
    later = line(PAGE)
    until(lambda: len(portal.asked) == 2)
    assert len(lobby._lines) == MAX_OF_ONE, "that one went at once, and not as it had stalled for so long"
    with contextlib.suppress(ConnectionResetError):
        assert first.recv(100) == b""
    portal.may_answer.set()
    assert answer_on(asking).endswith(b"a page") and answer_on(later).endswith(b"a page") and len(others) == MAX_OF_ONE - 2


def test_of_too_many_in_all_who_has_most_loses_one(lobby, portal, line, monkeypatch):
    monkeypatch.setattr(module, "MAX_LINES", 20)
    few = [line(b"GET", "127.0.0.2") for _ in range(5)]
    many = [line(b"GET", "127.0.0.3") for _ in range(15)]
    until(lambda: len(lobby._lines) == 20)
    assert told(lobby, PAGE).endswith(b"a page")
    until(lambda: len(lobby._lines) == 19)
    with contextlib.suppress(ConnectionResetError):
        assert many[0].recv(100) == b""
    for made in few:
        made.sendall(PAGE[3:])
        assert answer_on(made).endswith(b"a page")


def test_large_ones_are_bounded_and_those_that_take_long_make_room(lobby, line, monkeypatch):
    monkeypatch.setattr(module, "MAX_LARGE", 2)
    large = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % MAX_BODY_BYTES + bytes(2 * MEMORY_BYTES)
    first, second = line(large), line(large)
    until(lambda: sum(made.large for made in lobby._lines) == 2)
    assert b" 503 " in line(large).recv(1_000), "the others have only just begun"
    monkeypatch.setattr(module, "OLD_S", 0.0)
    line(large)
    with contextlib.suppress(ConnectionResetError):
        assert first.recv(100) == b""
    until(lambda: sum(made.large for made in lobby._lines) == 2)
    assert second.fileno() > 0


def test_what_is_too_long_is_passed_on_by_its_length_alone(lobby, portal, monkeypatch):
    monkeypatch.setattr(module, "LINGER_S", 0.2)
    assert told(lobby, b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\nbegun" % (MAX_BODY_BYTES + 1)).endswith(b"a page")
    assert portal.asked[0].endswith(b"Content-Length: %d\r\n\r\n" % (MAX_BODY_BYTES + 1))


def test_a_portal_that_is_gone_or_hangs_is_told_in_words(lobby, portal, monkeypatch):
    monkeypatch.setattr(module, "ANSWER_S", 0.2)
    portal.may_answer.clear()
    assert b" 503 " in told(lobby, PAGE)
    Path("portal").unlink()
    assert told(lobby, PAGE).endswith(b"busy\n")


def test_closing_cuts_off_who_stalls_and_lets_an_answer_be_finished(lobby, portal, line):
    portal.may_answer.clear()
    stalled, asking = line(b"GET"), line(PAGE)
    until(lambda: portal.asked)
    closing = threading.Thread(target=lobby.close)
    closing.start()
    with contextlib.suppress(ConnectionResetError):
        assert stalled.recv(100) == b""
    portal.may_answer.set()
    assert answer_on(asking).endswith(b"a page")
    closing.join(60)
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", lobby.port), 5)


def test_one_that_is_closed_as_soon_as_it_has_begun_ends(portal):
    for _ in range(20):
        made = Lobby(("127.0.0.1", 0), "portal", 4, SAID)
        made.start()
        made.close()
        assert not made._thread.is_alive()


def test_no_address_is_logged_whatever_fails(lobby, caplog, line, monkeypatch):
    monkeypatch.setattr(Lobby, "_serve", lambda *told: 1 / 0)
    with contextlib.suppress(ConnectionResetError):
        line(PAGE).recv(100)
    until(lambda: caplog.records)
    assert "ZeroDivisionError" in caplog.text and not re.search(r"127\.0\.0\.\d", caplog.text)

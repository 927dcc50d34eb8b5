"""Servers on loopback that misbehave in every way in which a stranger's may: for whoever talks to other machines."""

import contextlib
import socket
import threading

from tests.waiting import until

TRICKLE_S = 0.05  # between two octets; far below any timeout of a read


class HostileServer:
    """Takes every call and treats it by `behave(line, over)` on a thread of its own, until closed. `calls` were taken."""

    def __init__(self, behave):
        self._behave, self._over = behave, threading.Event()
        self.calls, self._lines = 0, []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._take)]
        self._threads[0].start()

    @property
    def port(self):
        return self._server.getsockname()[1]

    @property
    def address(self):
        return "127.0.0.1", self.port

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(30)  # it may be about to take one more in
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(30)
        self._server.close()

    def _take(self):
        while not self._over.is_set():
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            self.calls += 1
            self._lines.append(line)
            self._threads.append(threading.Thread(target=self._treat, args=(line,)))
            self._threads[-1].start()

    def _treat(self, line):
        with line, contextlib.suppress(OSError):
            self._behave(line, self._over)

    def is_left_alone(self):
        """Wait until nobody is connected any more."""
        until(lambda: not any(thread.is_alive() for thread in self._threads[1:]))


def silent(line, over):
    """Takes the call, hears all and says nothing."""
    while line.recv(65_536):
        pass


def falling_silent(before):
    """Says `before` to the first word, and nothing more."""
    def behave(line, over):
        line.recv(65_536)
        line.sendall(before)
        silent(line, over)

    return behave


def trickling(before=b"", piece=b".", after_a_word=True):
    """Says `before`, then `piece` again and again, slowly and for ever."""
    def behave(line, over):
        if after_a_word:
            line.recv(65_536)
        line.sendall(before)
        while not over.wait(TRICKLE_S):
            line.sendall(piece)

    return behave


def pouring(before=b"", piece=b"."):
    """Says `before`, then `piece` again and again, as fast as it is taken."""
    def behave(line, over):
        line.recv(65_536)
        line.sendall(before)
        while not over.is_set():
            line.sendall(piece * 100)

    return behave


HTTP = {  # ways in which a web server may never end
    "status line": trickling(b"HTTP/1.1 2", b"0"),
    "headers": trickling(b"HTTP/1.1 200 OK\r\nX: "),
    "one header after the other": trickling(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
    "body": trickling(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
    "body without an end": trickling(b"HTTP/1.1 200 OK\r\n\r\n"),
    "chunks": trickling(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n.\r\n"),
    "size of a chunk": trickling(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
    "continue": trickling(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "continue, fast": pouring(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "nothing": silent,
}

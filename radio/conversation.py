"""Talking with another machine within one deadline, whatever that machine does.

A timeout of a socket bounds one read. A stranger that sends an octet every few seconds, leads on for ever or has a name
that nobody resolves meets none, nor does a library while it resolves, shakes hands or hangs up. So a conversation is held
on a thread of its own: who began it waits until the deadline and no longer, and then every line of it is cut.
"""

import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

ABORT = struct.pack("ii", 1, 0)  # struct linger: what is left when a line is closed is thrown away (RST)
MAX_HANGING = 64  # conversations at once, those that were given up and hang included: beyond it none is begun

Answer = TypeVar("Answer")
_room = threading.BoundedSemaphore(MAX_HANGING)


class Conversation:
    """The lines of one conversation. `connected` says whether anybody has taken the call so far."""

    def __init__(self) -> None:
        self.connected = False
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._over = False

    def connect(self, address: tuple[str, int], timeout_s: float | None = None, source: object = None) -> socket.socket:
        """A line to (host, port) that is cut when the conversation is over; raises OSError. As socket.create_connection."""
        line = connect(address, timeout_s)
        with self._lock:
            if self._over:
                line.close()
                raise TimeoutError("the conversation is over")
            self._lines.append(line.dup())  # TLS takes the first one over; ending either ends both
            self.connected = True
        return line

    def end(self) -> None:
        """Let the lines go, in good order; no more are made."""
        for line in self._taken():
            line.close()

    def cut(self) -> None:
        """End all lines at once: who waits at one is told so, and so is the other side, whatever it was about to send."""
        for line in self._taken():
            with suppress(OSError):  # it has ended already
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _taken(self) -> list[socket.socket]:
        with self._lock:
            self._over = True
            lines, self._lines = self._lines, []
        return lines


def connect(address: tuple[str, int], timeout_s: float | None = None) -> socket.socket:
    """A TCP connection to (host, port); raises OSError, also for a name or a port that cannot be one.

    `timeout_s` bounds each attempt to connect, and each read and write afterwards; not the resolver.
    """
    try:
        return socket.create_connection(address, timeout_s)
    except (ValueError, OverflowError) as error:  # an empty label, one of 64 octets, a NUL, port 70000
        raise socket.gaierror(socket.EAI_NONAME, str(error)) from error


def converse(within_s: float, talk: Callable[[Conversation], Answer], conversation: Conversation | None = None) -> Answer:
    """What `talk(conversation)` returns or raises; TimeoutError after `within_s`: `talk` is then left behind, cut off.

    Who brings a `conversation` of its own may cut it sooner.
    """
    if not _room.acquire(blocking=False):
        raise TimeoutError("too many conversations hang")
    conversation = conversation or Conversation()
    answer: Future[Answer] = Future()

    def speak() -> None:
        try:
            answer.set_result(talk(conversation))
        except BaseException as error:  # it is for whoever waits, not for this thread
            answer.set_exception(error)
        finally:
            conversation.end()
            _room.release()

    threading.Thread(target=speak, name="conversation", daemon=True).start()
    try:
        return answer.result(within_s)
    finally:
        conversation.cut()

"""Bytes to and from a device on TCP or on a serial line. Whatever goes wrong is an OSError.

One thread reads, others write. Who wants to end both calls `interrupt`, and `close` once the reader has left.
"""

import contextlib
import socket
import threading
from typing import Protocol

import serial

from radio.conversation import connect

CONNECT_S = 10.0
READ_S = 0.5  # a read that brings nothing ends after that long
WRITE_S = 5.0  # a peer that takes nothing for so long is gone
READ_BYTES = 4_096


class Stream(Protocol):
    """What both kinds of stream can do."""

    def read(self) -> bytes:
        """What came, b"" after a while without; raises OSError once the stream has ended."""

    def write(self, content: bytes) -> None:
        """All of it, or OSError: after that the stream is of no use."""

    def hurry(self, patience_s: float) -> None:
        """From now on a write waits so long at most."""

    def restart(self) -> bool:
        """Let the device start again, if the line can; whether it could."""

    def interrupt(self) -> None:
        """End what is under way in other threads."""

    def close(self) -> None:
        """Let the device go; twice is allowed."""


class TcpStream:
    """A device that listens on a TCP port. Raises OSError if it does not."""

    def __init__(self, host: str, port: int):
        self._socket = connect((host, port), CONNECT_S)
        self._socket.settimeout(WRITE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def read(self) -> bytes:
        """See Stream."""
        try:
            received = self._socket.recv(READ_BYTES)
        except TimeoutError:
            return b""
        if not received:
            raise ConnectionResetError("the other side has hung up")
        return received

    def write(self, content: bytes) -> None:
        """See Stream."""
        self._socket.sendall(content)

    def hurry(self, patience_s: float) -> None:
        """See Stream."""
        self._socket.settimeout(patience_s)

    def restart(self) -> bool:
        """See Stream."""
        return False

    def interrupt(self) -> None:
        """See Stream."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """See Stream."""
        self._socket.close()


class SerialStream:
    """A device on a serial line. Raises OSError if there is none; `exclusive`: or if another program has it."""

    def __init__(self, path: str, baud: int, exclusive: bool = False):
        self._closing = threading.Lock()
        self._serial = serial.Serial(path, baud, timeout=READ_S, write_timeout=WRITE_S, exclusive=exclusive or None)

    def read(self) -> bytes:
        """See Stream."""
        try:
            received = self._serial.read(1)
            return received + self._serial.read(self._serial.in_waiting) if received else b""
        except (TypeError, ValueError) as error:  # pyserial's for a line that was closed meanwhile
            raise OSError("the line was closed") from error

    def write(self, content: bytes) -> None:
        """See Stream."""
        try:
            self._serial.write(content)
        except (TypeError, ValueError) as error:
            raise OSError("the line was closed") from error

    def hurry(self, patience_s: float) -> None:
        """See Stream."""
        self._serial.write_timeout = patience_s

    def restart(self) -> bool:
        """See Stream."""
        return False

    def interrupt(self) -> None:
        """See Stream."""
        with self._closing:  # what it writes to must not be closed meanwhile, nor be another file by then
            if self._serial.is_open:
                self._serial.cancel_read()
                self._serial.cancel_write()

    def fileno(self) -> int:
        """The line's file descriptor."""
        return self._serial.fileno()

    def close(self) -> None:
        """See Stream."""
        with self._closing:
            self._serial.close()

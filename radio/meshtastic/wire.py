"""The `meshtastic` library, tamed: one stream to one radio, open until it breaks, then never again.

Left to itself (2.6 to 2.7) the library reconnects without saying so, blocks for ever when the radio's queue is full, keeps
every node number and every line of noise it ever heard, and leaves timers running after `close`.
Here it does the framing, the handshake's first word and the packets going out; what comes in goes straight to the link.
"""

import contextlib
import logging
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError
from meshtastic.protobuf import mesh_pb2
from meshtastic.serial_interface import SerialInterface
from meshtastic.stream_interface import StreamInterface
from meshtastic.tcp_interface import TCPInterface
from meshtastic.util import findPorts

CONNECT_S = 10
STALL_S = 5  # a TCP peer that takes nothing for so long is gone
JOIN_S = 3
EVERYBODY = 0xFFFFFFFF

logging.getLogger("meshtastic").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Letter:
    """One packet for the radio. `to` is a node number."""

    payload: bytes
    portnum: int
    channel: int = 0
    hop_limit: int = 0
    to: int = EVERYBODY
    want_ack: bool = False
    urgent: bool = False


class _Tamed:
    """What both kinds of stream share. `on_message` gets every FromRadio, `on_garbage` and `on_end` nothing."""

    on_message: Callable[[Any], None]
    on_garbage: Callable[[], None]
    on_end: Callable[[], None]
    stopping = False

    def __init__(self, *args: Any, **options: Any):
        self._writing = threading.Lock()  # packets and heartbeats come from two threads
        super().__init__(*args, **options)

    def post(self, letter: Letter) -> int:
        """Write a packet to the radio; returns its id. Raises OSError when the stream is broken."""
        priority = mesh_pb2.MeshPacket.Priority.HIGH if letter.urgent else mesh_pb2.MeshPacket.Priority.DEFAULT
        packet = self.sendData(letter.payload, letter.to, portNum=letter.portnum, wantAck=letter.want_ack,
                               channelIndex=letter.channel, hopLimit=letter.hop_limit, priority=priority)
        return packet.id

    def hang_up(self) -> None:
        """End the stream and its thread; twice is allowed."""
        self._wantExit = True
        if not self.stopping:
            with contextlib.suppress(Exception):
                self._hurry()
                self._sendDisconnect()
        self.stopping = True
        self._cut()
        if self._rxThread.is_alive():
            self._rxThread.join(JOIN_S)
        self._cut()

    @property
    def config_id(self) -> int:
        """What the radio repeats at the end of the handshake."""
        return self.configId

    def _hurry(self) -> None:
        """What is still to be written must not block."""

    def _handleFromRadio(self, fromRadioBytes: bytes) -> None:
        message = mesh_pb2.FromRadio()
        try:
            message.ParseFromString(fromRadioBytes)
        except DecodeError:
            self.on_garbage()
            return
        self.on_message(message)
        if message.WhichOneof("payload_variant") == "rebooted":
            self._startConfig()

    def _sendToRadio(self, toRadio: Any) -> None:
        with self._writing:
            self._sendToRadioImpl(toRadio)  # no queue of the library's own, no waiting

    def _handleLogByte(self, b: bytes) -> None:
        pass  # noise would be kept until a line ends, if one ever does

    def _waitConnected(self, timeout: float = 0) -> None:
        pass  # the link waits, and can be interrupted

    def _startHeartbeat(self) -> None:
        pass  # the link beats

    def _disconnected(self) -> None:
        super()._disconnected()
        self.on_end()

    def _writeBytes(self, b: bytes) -> None:
        if self.stopping:
            raise OSError("the stream was closed")
        super()._writeBytes(b)


class _TcpStream(_Tamed, TCPInterface):
    def connect(self) -> None:
        self.myConnect()
        StreamInterface.connect(self)

    def myConnect(self) -> None:
        self.socket = socket.create_connection((self.hostname, self.portNumber), CONNECT_S)
        self.socket.settimeout(STALL_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _readBytes(self, length: int) -> bytes | None:
        try:
            received = self.socket.recv(length)
        except TimeoutError:
            return None
        except OSError:
            received = b""
        if not received:
            self._wantExit = True
        return received

    def _writeBytes(self, b: bytes) -> None:
        if self.stopping:
            raise OSError("the stream was closed")
        self.socket.sendall(b)

    def _hurry(self) -> None:
        self.socket.settimeout(0.2)

    def _cut(self) -> None:
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()


class _SerialStream(_Tamed, SerialInterface):
    def _readBytes(self, length: int) -> bytes | None:
        try:
            return super()._readBytes(length)
        except (OSError, TypeError):  # pyserial: TypeError when the port was closed under it
            self._wantExit = True
            return None

    def _cut(self) -> None:
        if not self._rxThread.is_alive() and self.stream:
            self.stream.close()


Wire = _TcpStream | _SerialStream


def tcp_wire(host: str, port: int) -> Wire:
    """A stream over TCP, not yet connected: set its `on_...` and call `connect`."""
    return _TcpStream(host, connectNow=False, portNumber=port)


def serial_wire(path: str) -> Wire:
    """A stream over a serial line; older libraries open the line here, newer ones in `connect`."""
    return _SerialStream(path, connectNow=False)


def serial_paths() -> list[str]:
    """The device files of USB radios that are plugged in, likely ones first."""
    return findPorts(True)

"""The link to a KISS TNC, by serial line (pyserial) or TCP: packet radio, in clear, under an amateur's callsign.

A TNC tells nothing of what it sends: after each frame `send` waits as long as the frame is on the air.
"""

import contextlib
import socket
import threading
from collections import Counter
from dataclasses import dataclass

import serial

from radio.inbox import Inbox
from radio.kiss.frames import MAX_INFO_BYTES, Unkiss, airtime_s, heard, is_callsign, kissed, ui_frame
from radio.link import Outcome, Received

READ_S, WRITE_S, READ_BYTES = 0.2, 5.0, 4_096
RETRY_S, MAX_RETRY_S = 1.0, 30.0


@dataclass(frozen=True)
class KissSettings:
    """Where the TNC is: `serial:/dev/ttyUSB0` or `tcp:HOST:PORT`; `callsign` to send under; raises ValueError.

    `baud` of the serial line, `bits_per_s` on the air, `key_up_s` from keying the transmitter to the first octet.
    """

    connect: str
    callsign: str
    baud: int = 9600
    bits_per_s: int = 1200
    key_up_s: float = 0.4
    speed: float = 1.0  # of time: simulations

    def __post_init__(self) -> None:
        if not is_callsign(self.callsign):
            raise ValueError(f"{self.callsign} is no callsign")
        if self.connect.partition(":")[0] not in ("serial", "tcp"):
            raise ValueError("a TNC is serial:/dev/... or tcp:HOST:PORT")

    def airtime_s(self, payload_bytes: int) -> float:
        """How long a packet keeps the channel."""
        return airtime_s(payload_bytes, self.bits_per_s, self.key_up_s)


class KissLink:
    """A `radio.link.Link` to a TNC; connects in the background, again and again."""

    max_payload = MAX_INFO_BYTES

    def __init__(self, settings: KissSettings, name: str = "packet"):
        self.settings, self.name = settings, name
        self.counters: Counter[str] = Counter()
        self._port: _SerialPort | _TcpPort | None = None
        self._closing = threading.Event()
        self._inbox = Inbox()
        self._thread = threading.Thread(target=self._live, name=f"tnc {name}", daemon=True)
        self._thread.start()

    @property
    def up(self) -> bool:
        """Whether the TNC is there; what is on the air it does not tell."""
        return self._port is not None and not self._closing.is_set()

    @property
    def state(self) -> str:
        """`up`, `absent` or `closed`."""
        return "closed" if self._closing.is_set() else "up" if self._port else "absent"

    def send(self, payload: bytes, hop_limit: int = 0, urgent: bool = False, to: str = "") -> Outcome:
        """Hand one frame to the TNC, and wait while it is on the air. Everybody hears it; digipeaters are not asked for."""
        if len(payload) > self.max_payload:
            raise ValueError(f"{len(payload)} bytes; a packet has at most {self.max_payload}")
        port = self._port
        if port is None or self._closing.is_set():
            return Outcome.DOWN
        try:
            port.write(kissed(ui_frame(self.settings.callsign, payload)))
        except (OSError, TypeError, ValueError):  # pyserial's for a port that was closed meanwhile
            self._lose(port)
            return Outcome.FAILED
        self._closing.wait(self.settings.airtime_s(len(payload)) / self.settings.speed)
        self.counters["sent"] += 1
        return Outcome.SENT

    def receive(self, timeout_s: float) -> Received | None:
        """The next packet, or None after `timeout_s`."""
        return self._inbox.take(timeout_s)

    def close(self) -> None:
        """Stop; `receive` then returns None at once. Closing twice is allowed."""
        self._closing.set()
        self._inbox.close()
        self._thread.join(5)

    def _live(self) -> None:
        pause_s = RETRY_S
        while not self._closing.is_set():
            try:
                port = self._open()
            except (OSError, ValueError):
                pause_s = min(2 * pause_s, MAX_RETRY_S)
            else:
                self._port, pause_s = port, RETRY_S
                self.counters["connected"] += 1
                self._listen(port)
                self._lose(port)
            self._closing.wait(pause_s / self.settings.speed)  # after a loss too: a TNC may hang up on all who come

    def _open(self) -> "_SerialPort | _TcpPort":
        way, _, where = self.settings.connect.partition(":")
        return _TcpPort(where) if way == "tcp" else _SerialPort(where, self.settings.baud)

    def _lose(self, port: "_SerialPort | _TcpPort") -> None:
        self._port = None
        with contextlib.suppress(OSError):
            port.close()

    def _listen(self, port: "_SerialPort | _TcpPort") -> None:
        unkiss = Unkiss()
        while not self._closing.is_set() and self._port is port:
            try:
                received = port.read()
            except (OSError, TypeError, ValueError):
                return
            for frame in unkiss.feed(received):
                self._take(frame)

    def _take(self, frame: bytes) -> None:
        told = heard(frame)
        if told is None or told.sender == self.settings.callsign:
            self.counters["foreign"] += 1
            return
        kept = self._inbox.put(Received(told.info, told.sender, told.hops))
        self.counters["received" if kept else "dropped"] += 1


class _SerialPort:
    """A TNC on a serial line. `read` returns what came, b"" after a while without; it and `write` raise OSError."""

    def __init__(self, path: str, baud: int):
        self._serial = serial.Serial(path, baud, timeout=READ_S, write_timeout=WRITE_S)

    def read(self) -> bytes:
        received = self._serial.read(1)
        return received + self._serial.read(self._serial.in_waiting) if received else b""

    def write(self, content: bytes) -> None:
        self._serial.write(content)

    def close(self) -> None:
        self._serial.close()


class _TcpPort:
    """A TNC behind TCP, alike. (pyserial's own leaves its socket open when the other side goes first.)"""

    def __init__(self, where: str):
        host, _, port = where.rpartition(":")
        self._socket = socket.create_connection((host.strip("[]"), int(port)), WRITE_S)
        self._socket.settimeout(READ_S)

    def read(self) -> bytes:
        try:
            received = self._socket.recv(READ_BYTES)
        except TimeoutError:
            return b""
        if not received:
            raise ConnectionResetError
        return received

    def write(self, content: bytes) -> None:
        self._socket.sendall(content)

    def close(self) -> None:
        self._socket.close()

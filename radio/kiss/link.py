"""The link to a KISS TNC, by serial line (pyserial) or TCP: packet radio, in clear, under an amateur's callsign.

A TNC tells nothing of what it sends: after each frame `send` waits as long as the frame is on the air.
"""

import threading
from collections import Counter
from dataclasses import dataclass

from radio.inbox import Inbox
from radio.kiss.frames import MAX_INFO_BYTES, Unkiss, airtime_s, heard, is_callsign, kissed, ui_frame
from radio.link import Outcome, Received
from radio.stream import SerialStream, Stream, TcpStream

RETRY_S, MAX_RETRY_S = 1.0, 30.0
CLOSE_S = 5.0


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
        self._stream: Stream | None = None
        self._closing = threading.Event()
        self._inbox = Inbox()
        self._thread = threading.Thread(target=self._live, name=f"tnc {name}", daemon=True)
        self._thread.start()

    @property
    def up(self) -> bool:
        """Whether the TNC is there; what is on the air it does not tell."""
        return self._stream is not None and not self._closing.is_set()

    @property
    def state(self) -> str:
        """`up`, `absent` or `closed`."""
        return "closed" if self._closing.is_set() else "up" if self._stream else "absent"

    def send(self, payload: bytes, hop_limit: int = 0, urgent: bool = False, to: str = "") -> Outcome:
        """Hand one frame to the TNC, and wait while it is on the air. Everybody hears it; digipeaters are not asked for."""
        if len(payload) > self.max_payload:
            raise ValueError(f"{len(payload)} bytes; a packet has at most {self.max_payload}")
        stream = self._stream
        if stream is None or self._closing.is_set():
            return Outcome.DOWN
        try:
            stream.write(kissed(ui_frame(self.settings.callsign, payload)))
        except OSError:
            self._stream = None
            stream.interrupt()
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
        if stream := self._stream:
            stream.interrupt()
        self._thread.join(CLOSE_S)

    def _live(self) -> None:
        pause_s = RETRY_S
        while not self._closing.is_set():
            try:
                stream = self._open()
            except (OSError, ValueError):
                pause_s = min(2 * pause_s, MAX_RETRY_S)
            else:
                self._stream, pause_s = stream, RETRY_S
                self.counters["connected"] += 1
                self._listen(stream)
                self._stream = None
                stream.close()
            self._closing.wait(pause_s / self.settings.speed)  # after a loss too: a TNC may hang up on all who come

    def _open(self) -> Stream:
        way, _, where = self.settings.connect.partition(":")
        if way == "serial":
            return SerialStream(where, self.settings.baud)
        host, _, port = where.rpartition(":")
        return TcpStream(host.strip("[]"), int(port))

    def _listen(self, stream: Stream) -> None:
        unkiss = Unkiss()
        while not self._closing.is_set() and self._stream is stream:
            try:
                received = stream.read()
            except OSError:
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

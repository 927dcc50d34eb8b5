"""One stream to one radio, open until it breaks, then never again: the handshake's first word, packets out, messages in."""

import contextlib
import logging
import random
import termios
import threading
from collections.abc import Callable
from dataclasses import dataclass

from serial.tools import list_ports

from radio.meshtastic.framing import Deframer, framed
from radio.meshtastic.protobuf import (
    FromRadio,
    OutgoingPacket,
    goodbye,
    heartbeat,
    kind_of,
    read_from_radio,
    request_for_configuration,
    request_to_send,
)
from radio.stream import SerialStream, Stream, TcpStream

log = logging.getLogger(__name__)

WAKE = b"\xc3" * 32  # wakes a radio that sleeps, and ends whatever it takes for a message that has begun
BAUD = 115_200
PACE_S = 0.1  # between writes to a serial line: some radios' buffers hold no more than one message
JOIN_S = 3.0
HELD_DOWN_S = 0.1  # esptool's
GOODBYE_S = 0.2
LEAST_CONFIG_ID = 1 << 20  # 69420 and 69421 ask the firmware for a part only
LIKELY_MAKERS = {0x239A, 0x303A}  # USB makers: Adafruit (also RAK), Espressif
OTHER_MAKERS = {0x1366, 0x0483, 0x1915, 0x0925, 0x04B4}  # debuggers and meters that look alike


@dataclass(frozen=True)
class WireListener:
    """Who hears of it, in the stream's own thread: each message, each frame that was none, and once the end."""

    message: Callable[[FromRadio], None]
    garbage: Callable[[], None]
    end: Callable[[], None]


class Wire:
    """`open_stream` opens the line to the radio and raises OSError if there is none."""

    def __init__(self, open_stream: Callable[[], Stream]):
        self.config_id = 0  # what the radio repeats at the end of the handshake
        self._open_stream = open_stream
        self._stream: Stream | None = None
        self._listener: WireListener | None = None
        self._reader = threading.Thread(target=self._read, name="radio reader", daemon=True)
        self._writing = threading.Lock()  # packets and heartbeats come from two threads
        self._stopping = False
        self._rng = random.Random()  # noqa: S311 - ids, not secrets
        self._packets = self._rng.randrange(1 << 10)

    def connect(self, listener: WireListener) -> None:
        """Open the stream and ask the radio for its configuration; raises OSError."""
        self._listener, self._stream = listener, self._open_stream()
        self._write(WAKE)
        self._reader.start()
        self.ask()

    def post(self, packet: OutgoingPacket) -> int:
        """Hand a packet to the radio; returns its id. Raises OSError when the stream is broken."""
        with self._writing:
            self._packets = (self._packets + 1) % (1 << 10)  # 10 bits count, 22 are random, as in the library
            packet_id = self._rng.randrange(1, 1 << 22) << 10 | self._packets
        self._write(framed(request_to_send(packet, packet_id)))
        return packet_id

    def beat(self) -> None:
        """Send a heartbeat; raises OSError."""
        self._write(framed(heartbeat()))

    def ask(self) -> None:
        """Ask the radio how it is set up; `config_id` is then another one. Raises OSError."""
        self.config_id = self._rng.randrange(LEAST_CONFIG_ID, 1 << 32)
        self._write(framed(request_for_configuration(self.config_id)))

    def restart(self) -> bool:
        """Restart the radio by its line; whether the line can. The stream is of no use afterwards."""
        return self._stream is not None and self._stream.restart()

    def hang_up(self) -> None:
        """Say goodbye, end the stream and its thread; twice is allowed."""
        if self._stream is None:
            return
        if not self._stopping:
            self._say_goodbye(self._stream)
        self._stopping = True
        self._stream.interrupt()
        if self._reader.is_alive():
            self._reader.join(JOIN_S)
        self._stream.close()

    def _say_goodbye(self, stream: Stream) -> None:
        """A radio that takes nothing more is left without a word."""
        if self._writing.acquire(timeout=GOODBYE_S):
            with contextlib.suppress(OSError):
                stream.hurry(GOODBYE_S)
                stream.write(framed(goodbye()))
            self._writing.release()

    def _write(self, content: bytes) -> None:
        with self._writing:
            if self._stream is None or self._stopping:
                raise OSError("the stream was closed")
            self._stream.write(content)

    # the reading thread

    def _read(self) -> None:
        assert self._stream and self._listener
        deframer = Deframer()
        try:
            while not self._stopping:
                for raw in deframer.feed(self._stream.read()):
                    self._take(raw, self._listener)
        except OSError as error:
            log.debug("the radio's stream ended: %s", error)
        finally:
            self._listener.end()

    def _take(self, raw: bytes, listener: WireListener) -> None:
        message = read_from_radio(raw)
        if message is None:
            listener.garbage()
            return
        try:
            listener.message(message)
        except Exception:  # a fault of ours in one message must not make the link deaf to the next
            log.exception("a message of the radio was not understood")
        if kind_of(message) == "rebooted":
            self.ask()


class RadioLine(SerialStream):
    """A radio's serial line: ours alone, written to at the radio's pace; the radio does not restart when we let it go."""

    def __init__(self, path: str):
        super().__init__(path, BAUD, exclusive=True)
        self._ended = threading.Event()
        try:
            self._keep_ready()
        except termios.error as error:
            self.close()
            raise OSError(f"{path} is no serial line") from error

    def write(self, content: bytes) -> None:
        """See Stream."""
        super().write(content)
        self._ended.wait(PACE_S)

    def restart(self) -> bool:
        """See Stream. RTS alone holds an ESP32 down; DTR alone while it starts would let it wait for new firmware. So RTS
        goes first, and DTR comes back when it has started (Espressif's esptool does the same).
        """
        if not self._serial.is_open:
            return False
        try:
            self._serial.dtr, self._serial.rts = False, True
            self._ended.wait(HELD_DOWN_S)
            self._serial.rts = False
            self._ended.wait(HELD_DOWN_S)
            self._serial.dtr, self._serial.rts = True, True  # as an open line has them
        except (OSError, TypeError, ValueError):  # no such lines, or closed meanwhile
            return False
        return True

    def interrupt(self) -> None:
        """See Stream."""
        self._ended.set()
        super().interrupt()

    def _keep_ready(self) -> None:
        """DTR stays up when the line is closed: many boards restart when it changes."""
        flags = termios.tcgetattr(self.fileno())
        flags[2] &= ~termios.HUPCL
        termios.tcsetattr(self.fileno(), termios.TCSANOW, flags)


def tcp_wire(host: str, port: int) -> Wire:
    """A stream over TCP, not yet connected."""
    return Wire(lambda: TcpStream(host, port))


def serial_wire(path: str) -> Wire:
    """A stream over a serial line, not yet connected."""
    return Wire(lambda: RadioLine(path))


def serial_paths() -> list[str]:
    """The device files of USB serial lines that may be radios; only those of likely makers if there are any."""
    lines = [(line.vid, line.device) for line in list_ports.comports() if line.vid is not None]
    likely = [path for maker, path in lines if maker in LIKELY_MAKERS]
    return sorted(likely or [path for maker, path in lines if maker not in OTHER_MAKERS])

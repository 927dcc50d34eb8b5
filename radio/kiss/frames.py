"""KISS framing (Chepponis and Karn, 1987) and AX.25 UI frames (AX.25 v2.2, section 3): bytes in, bytes out, no radio."""

import re
from dataclasses import dataclass

FEND, FESC, TFEND, TFESC = 0xC0, 0xDB, 0xDC, 0xDD
DATA = 0x00  # KISS command: data, for the TNC's first port
MAX_INFO_BYTES = 256
MAX_FRAME_BYTES = 600  # on the KISS stream, escapes included; longer is noise
ADDRESS_BYTES, MAX_ADDRESSES = 7, 10
UI, NO_LAYER_3 = 0x03, 0xF0
DESTINATION = "ARCHIP"
AX25_BYTES = 2 * ADDRESS_BYTES + 2 + 2 + 2  # what a frame adds on the air: addresses, control, FCS, flags
CALLSIGN = re.compile(r"[A-Z0-9]{3,6}(-([0-9]|1[0-5]))?")


@dataclass(frozen=True, slots=True)
class HeardFrame:
    """A UI frame of ours: who sent it (callsign and SSID), how many digipeaters passed it on, what is in it."""

    sender: str
    hops: int
    info: bytes


def is_callsign(text: str) -> bool:
    """Whether it is a callsign with or without SSID, such as F4ABC or F4ABC-7."""
    return CALLSIGN.fullmatch(text) is not None and any(char.isdigit() for char in text.partition("-")[0])


def ui_frame(sender: str, info: bytes) -> bytes:
    """A UI frame to DESTINATION, without FCS: the TNC adds it. Raises ValueError for a bad callsign or too much."""
    if not is_callsign(sender):
        raise ValueError(f"{sender} is no callsign")
    if len(info) > MAX_INFO_BYTES:
        raise ValueError(f"{len(info)} bytes; a frame holds {MAX_INFO_BYTES}")
    return _address(DESTINATION, command=True) + _address(sender, last=True) + bytes([UI, NO_LAYER_3]) + info


def heard(frame: bytes) -> HeardFrame | None:
    """What a frame says, None if it is not one of ours (other traffic of the channel, noise)."""
    addresses = _addresses(frame)
    rest = frame[len(addresses) * ADDRESS_BYTES:]
    if len(addresses) < 2 or _callsign(addresses[0]) != DESTINATION or len(rest) < 2:
        return None
    if rest[0] & 0xEF != UI or rest[1] != NO_LAYER_3 or len(rest) - 2 > MAX_INFO_BYTES:
        return None
    sender = _callsign(addresses[1])
    hops = sum(address[6] >> 7 for address in addresses[2:])
    return HeardFrame(sender, hops, rest[2:]) if is_callsign(sender) else None


def kissed(frame: bytes) -> bytes:
    """One frame as it goes to the TNC."""
    escaped = frame.replace(bytes([FESC]), bytes([FESC, TFESC])).replace(bytes([FEND]), bytes([FESC, TFEND]))
    return bytes([FEND, DATA]) + escaped + bytes([FEND])


class Unkiss:
    """Finds data frames in what a TNC sends, whatever else is in it."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, received: bytes) -> list[bytes]:
        """The frames that `received` completes."""
        *whole, self._rest = (self._rest + received).split(bytes([FEND]))
        del self._rest[MAX_FRAME_BYTES + 1:]  # one too many: what was cut is no frame, however the octets come
        frames = [_unescaped(bytes(part[1:])) for part in whole
                  if 1 < len(part) <= MAX_FRAME_BYTES and part[0] & 0x0F == DATA]
        return [frame for frame in frames if frame]


def airtime_s(payload_bytes: int, bits_per_s: int, key_up_s: float) -> float:
    """How long a frame keeps the channel: bit stuffing taken as one bit in 32, on average."""
    return key_up_s + (payload_bytes + AX25_BYTES) * 8 * (33 / 32) / bits_per_s


def _unescaped(part: bytes) -> bytes:
    return part.replace(bytes([FESC, TFEND]), bytes([FEND])).replace(bytes([FESC, TFESC]), bytes([FESC]))


def _address(text: str, command: bool = False, last: bool = False) -> bytes:
    call, _, ssid = text.partition("-")
    tail = 0x60 | int(ssid or 0) << 1 | 0x80 * command | last
    return bytes(ord(char) << 1 for char in call.ljust(6)) + bytes([tail])


def _addresses(frame: bytes) -> list[bytes]:
    """The address fields at the front, [] if they do not end where they should."""
    found = []
    for at in range(0, MAX_ADDRESSES * ADDRESS_BYTES, ADDRESS_BYTES):
        field = frame[at:at + ADDRESS_BYTES]
        if len(field) < ADDRESS_BYTES:
            return []
        found.append(field)
        if field[6] & 1:
            return found
    return []


def _callsign(field: bytes) -> str:
    call = bytes(octet >> 1 for octet in field[:6]).decode("ascii", "replace").rstrip()
    ssid = field[6] >> 1 & 15
    return f"{call}-{ssid}" if ssid else call

"""LoRa frames as Meshtastic makes them: how many bytes, how long on the air.

Time on air: Semtech AN1200.13 (LoRa Modem Designer's Guide), section 4. Presets, preamble and slot time: Meshtastic
firmware, `src/mesh/MeshRadio.h` and `src/mesh/RadioInterface.cpp`.
"""

import math
from dataclasses import dataclass, replace

MAX_FRAME_BYTES = 255
MAX_PAYLOAD_BYTES = 231  # on a port number from 256 to 16383
HEADER_BYTES = 16
BITFIELD_BYTES = 2  # the firmware adds it to every Data message
PKI_BYTES = 12  # MESHTASTIC_PKC_OVERHEAD: nonce and authentication of a direct message
SIGNATURE_BYTES = 66  # firmware >= 2.8: XEdDSA signature (64) with its tag and length
LOW_DATA_RATE_SYMBOL_S = 0.016  # from here on a radio spends two bits of each symbol on robustness
CAD_SYMBOLS = 2.5
TURNAROUND_S = 0.0076  # propagation over 30 km, switch between receiving and sending, processing


@dataclass(frozen=True, slots=True)
class Modem:
    """What a preset stands for. `coding_rate` is the n of 4/n, from 5 to 8."""

    spreading_factor: int
    bandwidth_hz: float
    coding_rate: int
    preamble_symbols: int = 16

    @property
    def symbol_s(self) -> float:
        """How long one symbol lasts."""
        return 2**self.spreading_factor / self.bandwidth_hz

    @property
    def slot_s(self) -> float:
        """The time to notice that somebody else has begun to send; contention delays are counted in it."""
        return CAD_SYMBOLS * self.symbol_s + TURNAROUND_S

    def time_on_air_s(self, frame_bytes: int) -> float:
        """How long a frame of so many bytes, header included, occupies the air (explicit header, CRC on)."""
        bits = 8 * frame_bytes - 4 * self.spreading_factor + 28 + 16
        per_block = 4 * (self.spreading_factor - 2 * (self.symbol_s >= LOW_DATA_RATE_SYMBOL_S))
        payload_symbols = 8 + max(math.ceil(bits / per_block), 0) * self.coding_rate
        return (self.preamble_symbols + 4.25 + payload_symbols) * self.symbol_s


PRESETS = {  # in the order of their numbers in the firmware's config.proto
    "LONG_FAST": Modem(11, 250e3, 5),
    "LONG_SLOW": Modem(12, 125e3, 8),
    "VERY_LONG_SLOW": Modem(12, 62.5e3, 8),
    "MEDIUM_SLOW": Modem(10, 250e3, 5),
    "MEDIUM_FAST": Modem(9, 250e3, 5),
    "SHORT_SLOW": Modem(8, 250e3, 5),
    "SHORT_FAST": Modem(7, 250e3, 5),
    "LONG_MODERATE": Modem(11, 125e3, 8),
    "SHORT_TURBO": Modem(7, 500e3, 5),
    "LONG_TURBO": Modem(11, 500e3, 8),
    "LITE_FAST": Modem(9, 125e3, 5),
    "LITE_SLOW": Modem(10, 125e3, 5),
    "NARROW_FAST": Modem(7, 62.5e3, 6),
    "NARROW_SLOW": Modem(8, 62.5e3, 6),
}
PRESET_NAMES = tuple(PRESETS)  # by number: a library older than the radio has no name for the newer ones
LONG_FAST = PRESETS["LONG_FAST"]


def widened(modem: Modem) -> Modem:
    """The same preset on a 2.4 GHz radio: 3.25 times the bandwidth, a shorter preamble."""
    return replace(modem, bandwidth_hz=modem.bandwidth_hz * 3.25, preamble_symbols=12)


def frame_bytes(payload_bytes: int, signs: bool = False, portnum: int = 256, direct: bool = False) -> int:
    """Bytes on the air of a payload. `signs`: the firmware (>= 2.8) signs broadcasts that still fit; `direct`: it is for
    one node only, so never signed, but encrypted with that node's public key."""
    length_bytes = 1 if payload_bytes < 128 else 2
    size = HEADER_BYTES + 2 + (portnum > 127) + 1 + length_bytes + payload_bytes + BITFIELD_BYTES
    if direct:
        return size + PKI_BYTES
    return size + SIGNATURE_BYTES if signs and size + SIGNATURE_BYTES <= MAX_FRAME_BYTES else size


def time_on_air_s(payload_bytes: int, modem: Modem = LONG_FAST, signs: bool = False, direct: bool = False) -> float:
    """Seconds that a packet of `payload_bytes` on a private port takes; `signs` and `direct` as in `frame_bytes`."""
    return modem.time_on_air_s(frame_bytes(payload_bytes, signs, direct=direct))

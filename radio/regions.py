"""What the law lets a radio do, by Meshtastic region: the band and the share of an hour it may transmit (duty cycle).

Source: the `regions` table of the Meshtastic firmware (`src/mesh/RadioInterface.cpp`, 2.7 and 2.8, the stricter where
they differ), which names each country's rule. For Europe that is ETSI EN 300 220-2: 433.05-434.79 MHz 10 %,
868.0-868.6 MHz 1 %, 869.4-869.65 MHz 10 %; and Decision 2006/771/EC, band 46b: 865.6-867.6 MHz 2.5 % for what moves.
"""

from dataclasses import dataclass

from radio.lora import Modem


@dataclass(frozen=True, slots=True)
class Region:
    """A band in MHz and its legal duty cycle, as a part of 1. `code` is its number in the firmware's config.proto.

    `wide` is the 2.4 GHz band with its wider presets; `gap_mhz` lies between slots, `padding_mhz` on each side of one;
    `slot` (from 1) is the slot everybody uses there unless told otherwise, 0 if the channel's name decides.
    """

    code: int
    name: str
    low_mhz: float
    high_mhz: float
    duty_cycle: float
    wide: bool = False
    gap_mhz: float = 0.0
    padding_mhz: float = 0.0
    slot: int = 0

    def slots(self, modem: Modem) -> int:
        """How many frequencies the band has for this modem."""
        return max(round((self.high_mhz - self.low_mhz + self.gap_mhz) / self._slot_mhz(modem)), 1)

    def frequency_mhz(self, modem: Modem, slot: int) -> float:
        """The middle of slot number `slot`, from 1."""
        middle = self.low_mhz + modem.bandwidth_hz / 2e6 + self.padding_mhz
        return middle + (slot - 1) * self._slot_mhz(modem)

    def _slot_mhz(self, modem: Modem) -> float:
        return self.gap_mhz + 2 * self.padding_mhz + modem.bandwidth_hz / 1e6


_TABLE = (
    Region(1, "US", 902, 928, 1),
    Region(2, "EU_433", 433, 434, 0.1),
    Region(3, "EU_868", 869.4, 869.65, 0.1),
    Region(4, "CN", 470, 510, 1),
    Region(5, "JP", 920.5, 923.5, 1),
    Region(6, "ANZ", 915, 928, 1),
    Region(7, "KR", 920, 923, 1),
    Region(8, "TW", 920, 925, 1),
    Region(9, "RU", 868.7, 869.2, 1),
    Region(10, "IN", 865, 867, 1),
    Region(11, "NZ_865", 864, 868, 1),
    Region(12, "TH", 920, 925, 0.1),
    Region(13, "LORA_24", 2400, 2483.5, 1, wide=True),
    Region(14, "UA_433", 433, 434.7, 0.1),
    Region(15, "UA_868", 868, 868.6, 0.01),
    Region(16, "MY_433", 433, 435, 1),
    Region(17, "MY_919", 919, 924, 1),
    Region(18, "SG_923", 917, 925, 1),
    Region(19, "PH_433", 433, 434.7, 1),
    Region(20, "PH_868", 868, 869.4, 1),
    Region(21, "PH_915", 915, 918, 1),
    Region(22, "ANZ_433", 433.05, 434.79, 1),
    Region(23, "KZ_433", 433.075, 434.775, 1),
    Region(24, "KZ_863", 863, 868, 1),
    Region(25, "NP_865", 865, 868, 1),
    Region(26, "BR_902", 902, 907.5, 1),
    Region(29, "EU_866", 865.6, 867.6, 0.025, gap_mhz=0.4, padding_mhz=0.0375),
    Region(32, "EU_N_868", 869.4, 869.65, 0.1, padding_mhz=0.0104, slot=1),
)
UNSET = "UNSET"
REGIONS = {region.name: region for region in _TABLE}
_NAMES = {0: UNSET, **{region.code: region.name for region in _TABLE}}
STRICTEST_DUTY_CYCLE = 0.01  # for a region that this table does not know yet


def region_name(code: int) -> str:
    """The name of a region's number; one that this table does not know yet is named by the number."""
    return _NAMES.get(code, f"REGION_{code}")


def legal_duty_cycle(name: str) -> float:
    """The part of an hour that a radio in region `name` may transmit."""
    region = REGIONS.get(name)
    return region.duty_cycle if region else STRICTEST_DUTY_CYCLE


def channel_slot(channel_name: str, slots: int) -> int:
    """Which of `slots` (from 1) a channel's name stands for: djb2, as the firmware does."""
    number = 5381
    for byte in channel_name.encode():
        number = (33 * number + byte) & 0xFFFFFFFF
    return number % slots + 1

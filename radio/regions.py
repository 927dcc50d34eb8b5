"""What the law lets a radio do, by Meshtastic region: the band and the share of an hour it may transmit (duty cycle).

Source: the `regions` table of the Meshtastic firmware (`src/mesh/RadioInterface.cpp`, 2.7 and 2.8, the stricter where
they differ), which names each country's rule. For Europe that is ETSI EN 300 220-2: 433.05-434.79 MHz 10 %,
868.0-868.6 MHz 1 %, 869.4-869.65 MHz 10 %; and Decision 2006/771/EC, band 46b: 865.6-867.6 MHz 2.5 % for what moves.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Region:
    """A band in MHz and its legal duty cycle, as a part of 1; `wide` is the 2.4 GHz band with its wider presets."""

    name: str
    low_mhz: float
    high_mhz: float
    duty_cycle: float
    wide: bool = False


_TABLE = (
    Region("US", 902, 928, 1),
    Region("EU_433", 433, 434, 0.1),
    Region("EU_868", 869.4, 869.65, 0.1),
    Region("EU_N_868", 869.4, 869.65, 0.1),
    Region("EU_866", 865.6, 867.6, 0.025),
    Region("CN", 470, 510, 1),
    Region("JP", 920.5, 923.5, 1),
    Region("ANZ", 915, 928, 1),
    Region("ANZ_433", 433.05, 434.79, 1),
    Region("RU", 868.7, 869.2, 1),
    Region("KR", 920, 923, 1),
    Region("TW", 920, 925, 1),
    Region("IN", 865, 867, 1),
    Region("NZ_865", 864, 868, 1),
    Region("TH", 920, 925, 0.1),
    Region("UA_433", 433, 434.7, 0.1),
    Region("UA_868", 868, 868.6, 0.01),
    Region("MY_433", 433, 435, 1),
    Region("MY_919", 919, 924, 1),
    Region("SG_923", 917, 925, 1),
    Region("PH_433", 433, 434.7, 1),
    Region("PH_868", 868, 869.4, 1),
    Region("PH_915", 915, 918, 1),
    Region("KZ_433", 433.075, 434.775, 1),
    Region("KZ_863", 863, 868, 1),
    Region("NP_865", 865, 868, 1),
    Region("BR_902", 902, 907.5, 1),
    Region("LORA_24", 2400, 2483.5, 1, wide=True),
)
REGIONS = {region.name: region for region in _TABLE}
STRICTEST_DUTY_CYCLE = 0.01  # for a region that this table does not know yet


def legal_duty_cycle(name: str) -> float:
    """The part of an hour that a radio in region `name` may transmit."""
    region = REGIONS.get(name)
    return region.duty_cycle if region else STRICTEST_DUTY_CYCLE

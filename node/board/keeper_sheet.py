"""What stands on the keepers' sheet, which is printed and hung where only keepers come. Core."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SheetFacts:
    """What the island around the board knows of itself. What is "" is not there: a Wi-Fi, its password (an open one has
    none), the fingerprint of a certificate (hex pairs), the `safe` address (https) and the one by `cable`. `founders`: how
    many founders' keys are off this box."""

    address: str
    wifi: str
    wifi_password: str
    set_name: str
    set_id: bytes
    founders: int
    wipe_code: str
    certificate: str = ""
    safe: str = ""
    cable: str = ""

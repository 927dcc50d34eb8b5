"""What an island knows for the sheet of its keepers (`node.board.keeper_sheet`)."""

from node.board.keeper_sheet import SheetFacts
from node.daemon.certificate import safe_address
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import Settings

CABLE_ADDRESSES = {"guest": "http://169.254.77.77/", "host": "http://198.51.100.129/"}  # of the SD image (box.py)


def sheet_of(settings: Settings, address: str, wifi: str, keys: KeyFolder) -> SheetFacts:
    """`address`: the portal's; `wifi`: the name of the Wi-Fi that leads to the portal, "" if there is none."""
    own, charter, safe = keys.island_key().public, keys.charter(), safe_address()
    return SheetFacts(
        address=address, wifi=wifi, wifi_password=settings.box.wifi_password if wifi else "",
        set_name=charter.name, set_id=charter.set_id, founders=sum(founder != own for founder in charter.founders),
        wipe_code=keys.wipe_code(), certificate=safe.fingerprint if safe else "", safe=safe.url if safe else "",
        cable=CABLE_ADDRESSES.get(settings.box.ethernet, "") if settings.portal.behind_front else "")

"""Reads `archipel.toml` on the card's FAT partition and writes what the box's services need, before the network starts.

What is wrong in the file is passed over and told on the portal: the island always comes up. `box.py CARD TARGET`.
"""

import dataclasses
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from node.daemon.settings import PortalSettings, Settings, forgive
from node.i18n.sentence import sentence

DATA = Path("/data/archipel")
ADDRESS = "http://archipel.lan/"
WIFI_RANGE, CABLE_RANGE = "198.51.100.10,198.51.100.120", "198.51.100.140,198.51.100.250"
MASK = "255.255.255.128"
MAX_CARD_FILE_BYTES = 100_000
MAX_SSID_BYTES = 32
CABLES = "Name=en* eth* usb*"
NO_COUNTRY = sentence("archipel.toml: the Wi-Fi is off, because no country is set. Write country = \"FR\" (your own "
                      "country's two letters) under [box] in the file archipel.toml on the memory card, and start the box "
                      "again.")


def main(card: Path, target: Path) -> None:
    """Write everything that `card` asks for into the folder `target`."""
    settings, notices = forgive(card / "archipel.toml", "archipel.toml")
    settings = boxed(settings, target)
    for name, text in {"archipel.toml": toml(settings), **wanted(settings)}.items():
        _write(target / name, text)
    invitation = _invitation(card)
    if invitation:
        _write(target / "invitation", invitation)
    if not settings.box.country:
        notices.append(NO_COUNTRY)
    _write(target / "notices", "".join(json.dumps(notice.to_json(), ensure_ascii=False) + "\n" for notice in notices))


def boxed(settings: Settings, target: Path) -> Settings:
    """The settings with what the box itself decides: where data lies, and who listens where."""
    portal = settings.portal
    portal = dataclasses.replace(portal, listen=PortalSettings().listen, behind_front=True,
                                 address=portal.address or ADDRESS,
                                 notices=str(target / "notices"), wifi=ssid(settings).decode())
    return dataclasses.replace(settings, node=dataclasses.replace(settings.node, data=DATA), portal=portal)


def toml(settings: Settings) -> str:
    """Settings as the text that leads to them: nothing in it can be wrong, whatever the card held."""
    tables = []
    for section in dataclasses.fields(settings):
        values = getattr(settings, section.name)
        tables += [f"[{section.name}]", *(f"{part.name} = {_value(getattr(values, part.name))}"
                                          for part in dataclasses.fields(values)), ""]
    return "\n".join(tables)


def _value(value: Any) -> str:
    """One value in TOML; JSON's texts, numbers and truths are TOML's."""
    if isinstance(value, tuple):
        value = _pair(value) if value and isinstance(value[0], str) else ", ".join(map(_pair, value))
    return json.dumps("" if value is None else str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def _pair(value: Any) -> str:
    return f"{value[0]}:{value[1]}" if isinstance(value, tuple) else str(value)


def wanted(settings: Settings) -> dict[str, str]:
    """The files that a right settings file leads to, by name."""
    box = settings.box
    files = {"cable.network": cable(box.ethernet), "dnsmasq.conf": visitors(box.ethernet, bool(box.country))}
    if box.country:
        files["hostapd.conf"] = access_point(settings)
    if box.ssh_key:
        files["ssh_key"] = box.ssh_key + "\n"
    if box.keeper and box.keeper_password:
        files |= {"keeper": box.keeper + "\n", "keeper_password": box.keeper_password + "\n"}
    if box.broker_password:
        files["broker_password"] = box.broker_password
    return {name: text for name, text in files.items() if text}


def access_point(settings: Settings) -> str:
    """hostapd's settings: 2.4 GHz, which every phone has, and visitors who cannot reach each other."""
    box = settings.box
    lines = [
        "interface=wlan0", "driver=nl80211",
        f"ssid2={ssid(settings).hex()}", "utf8_ssid=1", f"country_code={box.country}",
        "ieee80211d=1", "hw_mode=g", f"channel={box.channel}", "ieee80211n=1", "wmm_enabled=1",
        "ap_isolate=1", "disassoc_low_ack=1", "ap_max_inactivity=300", "logger_syslog=0", "logger_stdout=0",
    ]
    if box.wifi_password:
        lines += ["wpa=2", "wpa_key_mgmt=WPA-PSK", "rsn_pairwise=CCMP", f"wpa_passphrase={box.wifi_password}"]
    return "\n".join(lines) + "\n"


def ssid(settings: Settings) -> bytes:
    """The Wi-Fi's name, at most 32 bytes, cut between characters."""
    name = settings.portal.wifi or settings.node.name
    return name.encode()[:MAX_SSID_BYTES].decode(errors="ignore").encode()


def cable(ethernet: str) -> str:
    """systemd-networkd's settings for the Ethernet port; "guest" also answers at a fixed link-local address."""
    ways = {
        "guest": ["DHCP=ipv4", "LinkLocalAddressing=yes", "IPv4LLStartAddress=169.254.77.77", "LLMNR=no"],
        "host": ["Address=198.51.100.129/25", "ConfigureWithoutCarrier=yes", "LinkLocalAddressing=ipv6"],
        "off": ["LinkLocalAddressing=no"],
    }
    link = ["[Link]", "RequiredForOnline=no", *(["ActivationPolicy=always-down"] if ethernet == "off" else []), ""]
    return "\n".join(["[Match]", CABLES, "", *link, "[Network]", *ways[ethernet], ""])


def visitors(ethernet: str, wifi: bool) -> str:
    """dnsmasq's part that depends on the settings: where it serves. "" when it serves nowhere."""
    lines = []
    if wifi:
        lines += ["interface=wlan0", f"dhcp-range=interface:wlan0,{WIFI_RANGE},{MASK},1h"]
    if ethernet == "host":
        lines += ["interface=eth0", "interface=en*", f"dhcp-range={CABLE_RANGE},{MASK},1h"]
    return "\n".join([*lines, ""]) if lines else ""


def _invitation(card: Path) -> bytes:
    """The content of a file whose name begins with `invitation`, or nothing."""
    found = [path for path in sorted(card.glob("*")) if re.match("invitation", path.name, re.IGNORECASE) and path.is_file()]
    return found[0].read_bytes()[:MAX_CARD_FILE_BYTES] if found else b""


def _write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.chmod(path, 0o640)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

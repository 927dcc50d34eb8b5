"""Reads `archipel.toml` on the card's FAT partition and writes what the box's services need, before the network starts.

Whatever the card holds, the island comes up: what cannot be meant is passed over and told, on the portal and on the card
(`problems.py`). `box.py CARD TARGET`.

`box.py CARD TARGET DESK BOOT`, later: the Wi-Fi alone, with what keepers have set of it on their desk (`DESK`, a file of
`node.daemon.wifi_order`; `BOOT` names this start of the box). It is checked as the card's file is, which counts before it.
The exit status is 90 if something is another one now.
"""

import dataclasses
import json
import os
import re
import sys
import traceback
from pathlib import Path
from typing import Any

from node.daemon.countries import highest_channel
from node.daemon.settings import BoxSettings, PortalSettings, Settings
from node.daemon.settings_bytes import MAX_BYTES, text_of
from node.daemon.settings_reader import Notice, SettingsReading, read
from node.daemon.settings_text import tidy
from node.daemon.wifi_order import wished
from node.daemon.wipecode import LETTERS, RANDOM_BYTES, START_CODE_BYTES, code_of, is_code
from node.i18n.catalogue import TAGS, catalogue
from node.i18n.sentence import sentence

DATA = Path("/data/archipel")
TOO_SMALL = Path("/run/archipel-card-too-small")  # the initramfs (`grow`) leaves it
ADDRESS = "http://archipel.lan/"
WIFI_RANGE, CABLE_RANGE = "198.51.100.10,198.51.100.120", "198.51.100.140,198.51.100.250"
MASK = "255.255.255.128"
MAX_CARD_FILE_BYTES = 100_000
MAX_SSID_BYTES = 32
CABLES = "Name=en* eth* usb*"
NAME = "archipel.toml"
# as editors and browsers save it: archipel.toml.txt, archipel (1).toml, Copie de archipel.toml
NAMES = re.compile(r"[^.~].*archipel.*\.toml|archipel.*\.toml(\.(toml|txt|text|rtf|ini))*|archipel(\.(rtf|ini|tml))?",
                   re.IGNORECASE)
CODE_NAMES = re.compile(r"archipel-code( \(\d+\))?(\.txt)*", re.IGNORECASE)
CODE_FOR = sentence("This code is asked for on the first page of this island, as long as it is new.")
MAX_FILES = 8
FAT_S = 2  # what FAT tells moments by
PROBLEMS = "archipel-problems.txt"
MADE_PASSWORD = re.compile(rf"\b(?:[{LETTERS}]{{4}}-){{2}}[{LETTERS}]{{4}}\b")
CHANGED = 90  # the unit knows it
WIFI_FILES = ("hostapd.conf", "dnsmasq.conf")
CERTIFICATES = ("authority", "certificate", "key")
NO_COUNTRY = sentence("archipel.toml: the Wi-Fi is off, because no country is set. Write country = \"FR\" (your own "
                      "country's two letters) under [box] in the file archipel.toml on the memory card, and start the box "
                      "again.")
CLOSED_WIFI = sentence("The Wi-Fi's password in archipel.toml cannot be used. So that the Wi-Fi is not open to everybody, "
                       "this box has made a password: it stands in the file archipel-problems.txt on the memory card.")
SMALL_CARD = sentence("This memory card is too small: nothing that is written on this island lasts. Use a card of 2 GB at "
                      "least.")
NO_FILE = sentence("There is no file archipel.toml on the memory card. Make one with a plain text editor, and start the "
                   "box again.")
NOTHING_READ = sentence("The settings on the memory card could not be used at all. Write archipel.toml again, and tell "
                        "who makes Archipel.")


def main(card: Path, target: Path) -> None:
    """Write everything that `card` asks for into the folder `target`."""
    try:
        prepare(card, target)
    except Exception:  # a mistake of ours is no reason to leave a neighbourhood without its island
        traceback.print_exc()
        _write_all(target, Settings(), [Notice(NOTHING_READ), Notice(NO_COUNTRY)])


def prepare(card: Path, target: Path) -> None:
    """The same; may raise."""
    reading = settings_on(card)
    notices = [Notice(SMALL_CARD)] if TOO_SMALL.exists() else []
    notices += reading.notices
    settings, missing = with_certificates(reading.settings, card, target)
    notices += missing
    if not settings.box.country:
        notices.append(Notice(NO_COUNTRY))
    elif wants_made_password(reading):
        notices.append(Notice(CLOSED_WIFI))
        settings = with_made_password(settings, card)
        _write(target / "made_password", settings.box.wifi_password)
    invitation = _invitation(card)
    if invitation:
        _write(target / "invitation", invitation)
    _write(target / "card.json", card_told(reading))
    code = code_on(card) or code_of(os.urandom(START_CODE_BYTES))
    _write(target / "code", code)
    _write(target / "code.txt", code_text(code))
    _write_all(target, settings, notices)


def wants_made_password(reading: SettingsReading) -> bool:
    """Whether the file has a password of the Wi-Fi that cannot be used: who wanted it closed must not get it open."""
    return ("box", "wifi_password") in reading.passed_over


def with_made_password(settings: Settings, card: Path) -> Settings:
    """The same, with a password that this box has made."""
    return dataclasses.replace(settings, box=dataclasses.replace(settings.box, wifi_password=made_password(card)))


def made_password(card: Path) -> str:
    """A Wi-Fi password of 60 random bits, the same at each start: it is kept where the keeper is told it."""
    try:
        told = MADE_PASSWORD.search(text_of((card / PROBLEMS).read_bytes()).text)
    except OSError:
        told = None
    return told[0] if told else code_of(os.urandom(RANDOM_BYTES))


def set_wifi(card: Path, target: Path, desk: Path, boot: str) -> int:
    """Write the files of the Wi-Fi anew, with what the desk sets; whatever it holds, nothing raises. The exit status."""
    try:
        wanted_by_desk, rests = wished(desk, boot)
        reading = settings_on(card)
        settings = with_wifi(reading, wanted_by_desk)
        if wants_made_password(reading) and ("box", "wifi_password") not in wanted_by_desk.given:
            settings = with_made_password(settings, card)
        files = wanted(settings)
    except Exception:  # as above: the Wi-Fi stays as it is
        traceback.print_exc()
        return 0
    if rests and settings.box.ethernet != "off":  # there is always a way in
        files.pop("hostapd.conf", None)
    changed = [name for name in WIFI_FILES if files.get(name) != _read(target / name)]
    for name in changed:
        if name in files:
            _write(target / name, files[name])
        else:
            (target / name).unlink()
    _tell_country(target / "notices", settings.box.country)
    return CHANGED if changed else 0


def with_wifi(card: SettingsReading, desk: SettingsReading) -> Settings:
    """The card's settings, and of the Wi-Fi those of the desk that the card's file does not set."""
    settings = card.settings
    for section, key in desk.given - card.given:
        changed = dataclasses.replace(getattr(settings, section), **{key: getattr(getattr(desk.settings, section), key)})
        settings = dataclasses.replace(settings, **{section: changed})
    box = settings.box
    if box.channel > highest_channel(box.country):  # each was right beside another one
        settings = dataclasses.replace(settings, box=dataclasses.replace(box, channel=BoxSettings().channel))
    return settings


def _tell_country(notices: Path, country: str) -> None:
    """That there is no country is told as long as neither the card nor the desk has set one."""
    missing = Notice(NO_COUNTRY).line()
    lines = (_read(notices) or "").splitlines()
    if (missing in lines) == bool(country):
        others = [line for line in lines if line != missing]
        _write(notices, "".join(f"{line}\n" for line in (others if country else [missing, *others])))


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def card_told(reading: SettingsReading) -> str:
    """What the card's file sets, and where, for the island: `node.daemon.settings_keeper` reads it."""
    lines = {" ".join(place): line for place, line in sorted(reading.lines.items())}
    return json.dumps({"file": reading.name, "lines": lines, "wifi": ssid(reading.settings).decode()}, ensure_ascii=False)


def code_on(card: Path) -> str:
    """The code of the first start that stands in the first line of archipel-code.txt; "" if none can be meant."""
    files = [path for path in sorted(card.glob("*")) if CODE_NAMES.fullmatch(path.name) and path.is_file()]
    for path in files[:MAX_FILES]:
        lines = text_of(path.read_bytes()[:MAX_BYTES]).text.split()
        if lines and is_code(lines[0]):
            return lines[0]
    return ""


def code_text(code: str) -> str:
    """What is put onto the card: the code, and what it is for, in each language, as Notepad of any age reads it."""
    said = [CODE_FOR.said(catalogue(tag)) for tag in TAGS]
    return "\ufeff" + "".join(f"{line}\r\n" for line in (code, "", *said))


def _write_all(target: Path, settings: Settings, notices: list[Notice]) -> None:
    settings = boxed(settings, target)
    notices.sort(key=lambda notice: notice.harmless)
    for name, text in {"archipel.toml": toml(settings), **wanted(settings)}.items():
        _write(target / name, text)
    _write(target / "notices", "".join(notice.line() + "\n" for notice in notices))


def settings_on(card: Path) -> SettingsReading:
    """What the settings file on the card says. Of several the one that was written last counts, if it sets anything."""
    found: list[tuple[Path, SettingsReading]] = []
    trouble: list[Notice] = []
    for path in _settings_files(card):
        try:
            with path.open("rb") as file:
                found.append((path, read(file.read(MAX_BYTES + 1), tidy(path.name))))
        except OSError as error:
            trouble.append(Notice(sentence("%(file)s on the memory card cannot be read (%(error)s). Write it again, or use "
                                           "another card.", file=tidy(path.name), error=error.strerror or "")))
    if not found:
        return SettingsReading(notices=tuple(trouble or [Notice(NO_FILE)]))
    path, reading = _the_one_that_counts(found)
    trouble += [Notice(sentence("%(file)s on the memory card does not count, %(used)s does. Keep one of them, named "
                                "archipel.toml.", file=tidy(other.name), used=tidy(path.name)))
                for other, held in found if other != path and (held.given or held.passed_over)]
    if path.name.casefold() != NAME:
        trouble.append(Notice(sentence("%(file)s on the memory card was read. Its name should be archipel.toml.",
                                       file=tidy(path.name)), harmless=True))
    return dataclasses.replace(reading, notices=(*trouble, *reading.notices))


def _settings_files(card: Path) -> list[Path]:
    """The files that may be it, the right name first."""
    named = [path for path in sorted(card.glob("*")) if NAMES.fullmatch(path.name) and path.is_file()]
    return sorted(named, key=lambda path: (path.name != NAME, path.name.casefold() != NAME))[:MAX_FILES]


def _the_one_that_counts(found: list[tuple[Path, SettingsReading]]) -> tuple[Path, SettingsReading]:
    saying = [one for one in found if one[1].given] or [one for one in found if one[1].notices] or found
    newest = max(path.stat().st_mtime for path, _ in saying)
    return next(one for one in saying if one[0].stat().st_mtime >= newest - FAT_S)


def with_certificates(settings: Settings, card: Path, target: Path) -> tuple[Settings, list[Notice]]:
    """The settings with the broker's files copied from the card to where the island may read them."""
    missing: list[Notice] = []
    paths: dict[str, Any] = {}
    for key in CERTIFICATES:
        name = re.split(r"[\\/]", getattr(settings.mqtt, key))[-1]
        if not name:
            continue
        files = [path for path in sorted(card.glob("*")) if path.name.casefold() == name.casefold() and path.is_file()]
        if files:
            _write(target / f"{key}.pem", files[0].read_bytes()[:MAX_CARD_FILE_BYTES])
        else:
            missing.append(Notice(sentence("%(key)s: there is no file %(file)s on the memory card. Put it beside "
                                           "archipel.toml.", key=f"[mqtt] {key}", file=name)))
        paths[key] = str(target / f"{key}.pem") if files else ""
    return dataclasses.replace(settings, mqtt=dataclasses.replace(settings.mqtt, **paths)), missing


def boxed(settings: Settings, target: Path) -> Settings:
    """The settings with what the box itself decides: where data lies, and who listens where."""
    portal = settings.portal
    open_wifi = bool(settings.box.country and not settings.box.wifi_password)  # posters lead into no other
    portal = dataclasses.replace(portal, listen=PortalSettings().listen, behind_front=True,
                                 address=portal.address or ADDRESS,
                                 notices=str(target / "notices"), wifi=ssid(settings).decode() if open_wifi else "")
    return dataclasses.replace(settings, node=dataclasses.replace(settings.node, data=DATA), portal=portal)


def toml(settings: Settings) -> str:
    """Settings as the text that leads to them: nothing in it can be wrong, whatever the card held."""
    tables = ["# é: UTF-8, and no encoding is to be guessed"]
    for section in dataclasses.fields(settings):
        values = getattr(settings, section.name)
        tables += [f"[{section.name}]", *(f"{part.name} = {_value(getattr(values, part.name))}"
                                          for part in dataclasses.fields(values)), ""]
    return "\n".join(tables)


def _value(value: Any) -> str:
    """One value in TOML; JSON's texts, numbers and truths are TOML's."""
    if isinstance(value, tuple):
        value = _pair(value) if len(value) == 2 and isinstance(value[0], str) else ", ".join(map(_pair, value))
    return json.dumps("" if value is None else str(value) if isinstance(value, Path) else value, ensure_ascii=False)


def _pair(value: Any) -> str:
    if isinstance(value, tuple):
        host, port = value
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"{value:.6f}" if isinstance(value, float) else str(value)


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


def _invitation(card: Path) -> str:
    """The text of a file whose name begins with `invitation`, or nothing."""
    found = [path for path in sorted(card.glob("*")) if re.match("invitation", path.name, re.IGNORECASE) and path.is_file()]
    return text_of(found[0].read_bytes()).text if found else ""


def _write(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    os.chmod(path, 0o640)


if __name__ == "__main__":
    folders = Path(sys.argv[1]), Path(sys.argv[2])
    if len(sys.argv) > 3:
        sys.exit(set_wifi(*folders, Path(sys.argv[3]), sys.argv[4]))
    main(*folders)

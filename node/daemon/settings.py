"""`archipel.toml`: every key optional, unknown keys and bad values refused with line, key and remedy."""

import os
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from node.i18n.catalogue import TAGS
from node.i18n.sentence import Sentence, Value, sentence
from node.sync.lora.context import DEFAULT_MAX_PAYLOAD
from node.sync.lora.packets import LEAST_MAX_PAYLOAD, MAX_PACKET_BYTES

MAX_BROKERS = 4
Address = tuple[str, int]
LANGUAGES = TAGS
MAX_PASSED_OVER = 50  # lines that are no TOML; beyond, the file is something else
# never repeated in a message
SECRET_KEYS = ("password", "broker", "wifi_password", "broker_password", "keeper_password", "ssh_key")


class BadSettings(Exception):
    """What is wrong in the file, a sentence each, with where and what to write instead."""

    def __init__(self, problems: list[Sentence]):
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def default_folder() -> Path:
    """The user's own data directory (XDG base directory specification)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "archipel"


def setting(default: Any, check: Callable[[Any], Any], remedy: str, **places: Value) -> Any:
    """One key: its default, what makes a value of what was written (or raises ValueError), what to write instead."""
    return field(default=default, metadata={"check": check, "remedy": Sentence(remedy, places)})


def _text(least: int, most: int) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not least <= len(value.strip()) <= most or not value.isprintable():
            raise ValueError
        return value.strip()
    return check


def _number(least: float, most: float, kind: type = int) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError
        if kind(value) != value:
            raise ValueError
        return kind(value)
    return check


def _one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError
        return value
    return check


def _yes_no(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError
    return value


def _path(value: Any) -> Path:
    if not isinstance(value, str) or not value.strip():
        raise ValueError
    return Path(value).expanduser()


def _zone(value: Any) -> str:
    try:
        return ZoneInfo(_text(1, 60)(value)).key
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError from error


def _position(value: Any) -> tuple[float, float] | None:
    if value == "":
        return None
    latitude, longitude = (float(part) for part in _text(3, 60)(value).split(","))
    return _number(-90, 90, float)(latitude), _number(-180, 180, float)(longitude)


def _listen(value: Any) -> tuple[str, int]:
    host, colon, port = _text(3, 100)(value).rpartition(":")
    if not colon or not host or not port.isdecimal() or not 1 <= int(port) <= 65_535:
        raise ValueError
    return host.strip("[]"), int(port)


def _peers(value: Any) -> tuple[Address, ...]:
    if not isinstance(value, str) or len(value) > 2_000:
        raise ValueError
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(_listen(part if re.search(r":\d+$", part) else f"{part}:80") for part in parts)


def _connect(value: Any) -> str:
    if not re.fullmatch(r"auto|none|serial(:/\S+)?|tcp:(\[[0-9a-fA-F:]+\]|[^\s:]+)(:\d{1,5})?", _text(4, 200)(value)):
        raise ValueError
    return value


def _tnc(value: Any) -> str:
    if not re.fullmatch(r"none|serial:/\S+|tcp:(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}", _text(4, 200)(value)):
        raise ValueError
    return value


def _callsign(value: Any) -> str:
    if not re.fullmatch(r"|(?=[A-Z]*[0-9])[A-Z0-9]{3,6}(-([0-9]|1[0-5]))?", _text(0, 9)(value)):
        raise ValueError
    return value


def _brokers(value: Any) -> str:
    if value == "none":
        return value
    urls = [_broker(url.strip()) for url in _text(8, 1_200)(value).split(",")]
    if len(urls) > MAX_BROKERS:
        raise ValueError
    return ", ".join(urls)


def _broker(value: str) -> str:
    parts = urlsplit(_text(8, 300)(value))
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError
    _ = parts.port  # raises ValueError when it is no number
    return value


@dataclass(frozen=True)
class NodeSettings:
    """`[node]`: who this island is."""

    name: str = setting("Archipel", _text(1, 40), 'a name of 1 to 40 characters, such as "Place des Fêtes"')
    data: Path = field(default_factory=default_folder, metadata={
        "check": _path, "remedy": sentence('a folder to keep records in, such as "/var/lib/archipel"')})
    language: str = setting("fr", _one_of(*LANGUAGES), "one of %(words)s", words=", ".join(LANGUAGES))
    timezone: str = setting("Europe/Paris", _zone, 'a time zone by its region and city, such as "Europe/Paris"')
    position: tuple[float, float] | None = setting(None, _position, 'latitude and longitude: "48.8752, 2.3931"')


@dataclass(frozen=True)
class PortalSettings:
    """`[portal]`: the pages. `listen` is (host, port)."""

    listen: tuple[str, int] = setting(("127.0.0.1", 8080), _listen,
                                       'host:port, such as "127.0.0.1:8080" (this machine only) or "0.0.0.0:8080"')
    posting: str = setting("open", _one_of("open", "moderated", "members"),
                            '"open" (anybody), "moderated" (a keeper approves) or "members" (a group\'s passphrase)')
    address: str = setting("", _text(0, 100), 'what people type to come here, such as "http://archipel.lan/"')
    wifi: str = setting("", _text(0, 32), "the name of this island's open Wi-Fi, printed on posters, or nothing")
    notices: str = setting("", _text(0, 200), "a file whose lines the first page shows, or nothing")
    behind_front: bool = setting(False, _yes_no, "true if nginx stands in front (the SD image), else false")


@dataclass(frozen=True)
class RadioSettings:
    """`[radio]`: the Meshtastic radio."""

    connect: str = setting("auto", _connect,
                            '"auto", "serial", "serial:/dev/ttyUSB0", "tcp:HOST", "tcp:HOST:PORT" or "none"')
    channel: str = setting("", _text(0, 11), "the name of one of the radio's channels, or nothing for its first")
    max_payload: int = setting(DEFAULT_MAX_PAYLOAD, _number(LEAST_MAX_PAYLOAD, MAX_PACKET_BYTES),
                                "a whole number of bytes from %(least)s to %(most)s", least=LEAST_MAX_PAYLOAD,
                               most=MAX_PACKET_BYTES)
    region: str = setting("", _text(0, 12), 'nothing (the radio tells it) or a Meshtastic region such as "EU_868"')
    share: float = setting(0.0, _number(0, 100, float),
                            "how much of the legal airtime to use, in percent; 0 for at most 1 % of each hour")


@dataclass(frozen=True)
class MqttSettings:
    """`[mqtt]`: a broker, several parted by commas, or none. `user` and `password` are for those without their own."""

    broker: str = setting("none", _brokers, '"none", "mqtt://HOST", "mqtts://USER:PASSWORD@HOST:PORT", or up to four, '
                           'parted by commas')
    user: str = setting("", _text(0, 100), "the user name the broker's keeper gave you, or nothing")
    password: str = setting("", _text(0, 200), "the password the broker's keeper gave you, or nothing")
    authority: str = setting("", _text(0, 300), "the file of the broker's own authority (PEM), or nothing")
    certificate: str = setting("", _text(0, 300), "the file of this island's certificate (PEM), or nothing")
    key: str = setting("", _text(0, 300), "the file of its key (PEM), or nothing")
    quota: int = setting(20_000, _number(100, 1_000_000), "messages to put there in an hour: 100 to 1000000")


@dataclass(frozen=True)
class PacketSettings:
    """`[packet]`: a KISS TNC for packet radio. Nothing is sent before `public` and `callsign` are given."""

    connect: str = setting("none", _tnc, '"none", "serial:/dev/ttyUSB0" or "tcp:HOST:PORT"')
    callsign: str = setting("", _callsign, 'the callsign to send under, such as "F4ABC-1"')
    public: bool = setting(False, _yes_no, "true once the members of the set know that it is sent in clear, else false")
    baud: int = setting(9_600, _number(300, 921_600), "the speed of the serial line: 300 to 921600")
    bits_per_s: int = setting(1_200, _number(300, 100_000), "the speed on the air: 300 to 100000")
    share: float = setting(5.0, _number(0.1, 50, float), "how much of each hour to send, in percent: 0.1 to 50")


@dataclass(frozen=True)
class LanSettings:
    """`[lan]`: other islands on the same network. `peers`: (host, port) of each."""

    discover: bool = setting(True, _yes_no, "true (find them, let them find this one) or false")
    peers: tuple[Address, ...] = setting((), _peers, 'addresses parted by commas: "192.168.1.20, 192.168.1.30:8080"')


@dataclass(frozen=True)
class ArchiveSettings:
    """`[archive]`: what is kept of what expired."""

    keep_days: int = setting(365, _number(0, 3_650), "a whole number of days from 0 (keep nothing) to 3650")


def _country(value: Any) -> str:
    if value and not re.fullmatch("[A-Z]{2}", _text(2, 2)(value)):
        raise ValueError
    return value


def _wifi_password(value: Any) -> str:
    if value and not 8 <= len(_text(8, 63)(value).encode("ascii")) <= 63:  # what WPA2 takes; UnicodeError is a ValueError
        raise ValueError
    return value


def _keeper_password(value: Any) -> str:
    return _text(8, 100)(value) if value else ""


def _ssh_key(value: Any) -> str:
    if value and not re.fullmatch(r"(ssh|ecdsa|sk)-[\w@.-]+ [A-Za-z0-9+/=]+( [\w@. -]*)?", _text(20, 1_000)(value)):
        raise ValueError
    return value


@dataclass(frozen=True)
class BoxSettings:
    """`[box]`: the machine around the island. Only the SD image reads it; elsewhere it does nothing."""

    country: str = setting("", _country, 'the two capital letters of the country, such as "FR" (nothing: no Wi-Fi)')
    channel: int = setting(6, _number(1, 13), "a Wi-Fi channel from 1 to 13; 1, 6 and 11 disturb each other least")
    wifi_password: str = setting("", _wifi_password, "8 to 63 plain letters, digits, signs, or nothing: open to all")
    ethernet: str = setting("guest", _one_of("guest", "host", "off"),
                             '"guest" (takes an address where it is plugged in), "host" (gives addresses) or "off"')
    ssh_key: str = setting("", _ssh_key, 'a public key such as "ssh-ed25519 AAAA... name", or nothing: no remote shell')
    keeper: str = setting("", _text(0, 40), "the name of a keeper, or nothing")
    keeper_password: str = setting("", _keeper_password, "8 to 100 characters: several words are best")
    broker_password: str = setting("", _text(0, 100), 'the password of the user "archipel" of a broker on this box, or '
                                                       "nothing: no broker")


@dataclass(frozen=True)
class Settings:
    """One settings file, checked. `source` is where it came from, for messages."""

    node: NodeSettings = field(default_factory=NodeSettings)
    portal: PortalSettings = field(default_factory=PortalSettings)
    radio: RadioSettings = field(default_factory=RadioSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    packet: PacketSettings = field(default_factory=PacketSettings)
    lan: LanSettings = field(default_factory=LanSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    box: BoxSettings = field(default_factory=BoxSettings)


SECTIONS: dict[str, type[Any]] = get_type_hints(Settings)  # by the names they have in the file


@dataclass(frozen=True)
class SettingsReport:
    """What is wrong in the file `name`, so far; `lines`: where each section (key "") and key stands."""

    name: str
    lines: dict[tuple[str, str], int]
    problems: list[Sentence] = field(default_factory=list)

    def note(self, problem: Sentence) -> None:
        """One thing more."""
        self.problems.append(problem)


def load(path: Path | None) -> Settings:
    """The settings of a file, or the defaults for None; raises BadSettings."""
    return Settings() if path is None else parse(_text_of(path), str(path))


def parse(text: str, name: str = "archipel.toml") -> Settings:
    """Read and check TOML `text`; raises BadSettings naming every problem at once."""
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadSettings([_not_toml(error, name)]) from error
    report = SettingsReport(name, _lines(text))
    settings = _checked(table, report)
    if report.problems:
        raise BadSettings(report.problems)
    return settings


def forgive(path: Path, name: str = "archipel.toml") -> tuple[Settings, list[Sentence]]:
    """What is right in a file, defaults for the rest, and what is wrong: for a box that must come up all the same."""
    try:
        text = _text_of(path)
    except BadSettings as error:
        return Settings(), error.problems
    report = SettingsReport(name, _lines(text))
    return _checked(_readable(text, report), report), report.problems


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")  # Windows' Notepad may put a mark in front
    except OSError as error:
        raise BadSettings([sentence("%(file)s: cannot be read (%(error)s). Check the path and its permissions.",
                                    file=str(path), error=error.strerror or "")]) from error
    except UnicodeDecodeError as error:
        raise BadSettings([sentence("%(file)s: is not UTF-8 text. Save it again as UTF-8.", file=str(path))]) from error


def _not_toml(error: Exception, name: str) -> Sentence:
    return sentence("%(file)s: %(error)s. Texts stand between \"quotes\", one key a line: key = value.",
                    file=name, error=str(error))


def _readable(text: str, report: SettingsReport) -> dict[str, Any]:
    """The TOML that is left when the lines that are none are passed over; each of them is noted."""
    lines = text.split("\n")
    while len(report.problems) < MAX_PASSED_OVER:
        try:
            return tomllib.loads("\n".join(lines))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            report.note(_not_toml(error, report.name))
            at = re.search(r"at line (\d+)", str(error))
            if not at or not lines[int(at[1]) - 1].strip():  # the end of the file: where it went wrong is unknown
                break
            lines[int(at[1]) - 1] = ""
    return {}


def _checked(table: dict[str, Any], report: SettingsReport) -> Settings:
    sections: dict[str, Any] = {}
    for section, content in table.items():
        if section in SECTIONS and isinstance(content, dict):
            sections[section] = _section(section, content, report)
        else:
            report.note(sentence("%(file)s, line %(line)s: [%(section)s] is not a section. Known: %(known)s.",
                                 file=report.name, line=report.lines.get((section, ""), 1), section=section,
                                 known=", ".join(SECTIONS)))
    return Settings(**sections)


def _section(section: str, content: dict[str, Any], report: SettingsReport) -> Any:
    kind = SECTIONS[section]
    known = {part.name: part for part in fields(kind)}
    values = {}
    for key, value in content.items():
        line = report.lines.get((section, key), "?")
        if key not in known:
            report.note(sentence("%(file)s, line %(line)s: %(key)s is not a setting. Known here: %(known)s.",
                                 file=report.name, line=line, key=f"{section}.{key}", known=", ".join(known)))
            continue
        try:
            values[key] = known[key].metadata["check"](value)
        except ValueError:
            shown: Value = sentence("the value") if key in SECRET_KEYS else repr(value)
            report.note(sentence("%(file)s, line %(line)s: %(key)s: %(value)s will not do. Write %(remedy)s.",
                                 file=report.name, line=line, key=f"{section}.{key}", value=shown,
                                 remedy=known[key].metadata["remedy"]))
    return kind(**values)


def _lines(text: str) -> dict[tuple[str, str], int]:
    """Where each section (key "") and key stands; good enough for messages, the parser decides what is valid."""
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\s*([\w-]+)\s*\]", line):
            section = match[1]
            found.setdefault((section, ""), number)
        elif match := re.match(r"\s*\"?([\w-]+)\"?\s*=", line):
            found.setdefault((section, match[1]), number)
            found.setdefault((match[1], ""), number)
    return found

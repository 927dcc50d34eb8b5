"""What stands in `archipel.toml`: every key optional, each with its default, its check and what to write instead.

How a file is read: `node.daemon.settings_reader`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from node.board.loud_hours import MOST_HOURS
from node.daemon import settings_checks as check
from node.daemon.countries import country_of
from node.handheld.words import MAX_OWN_WORD
from node.i18n.catalogue import TAGS
from node.i18n.sentence import Sentence, Value, sentence
from node.model.names import MAX_NAME
from node.model.passphrase import LEAST
from node.sync.lora.context import DEFAULT_MAX_PAYLOAD
from node.sync.lora.packets import LEAST_MAX_PAYLOAD, MAX_PACKET_BYTES

LANGUAGES = TAGS
MOST_CONFIRMATIONS = 20  # other islands; 0 where nobody can be asked, as on an island that is alone
MAX_GREETING = 20  # characters: a line of the smallest screen
# never repeated in a message
SECRET_KEYS = ("password", "broker", "wifi_password", "broker_password", "keeper_password", "ssh_key")


def default_folder() -> Path:
    """The user's own data directory (XDG base directory specification)."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "archipel"


def setting(default: Any, check: Callable[[str], Any], remedy: str, **places: Value) -> Any:
    """One key: its default, what makes a value of the text that was written (or raises ValueError), what to write."""
    return field(default=default, metadata={"check": check, "remedy": Sentence(remedy, places)})


@dataclass(frozen=True)
class NodeSettings:
    """`[node]`: who this island is."""

    name: str = setting("Archipel", check.name(40), 'a name of 1 to 40 characters, such as "Place des Fêtes"')
    data: Path = field(default_factory=default_folder, metadata={
        "check": check.path, "remedy": sentence('a folder to keep records in, such as "/var/lib/archipel"')})
    language: str = setting("fr", check.language(*LANGUAGES), "one of %(words)s", words=", ".join(LANGUAGES))
    timezone: str = setting("Europe/Paris", check.zone, 'a time zone by its region and city, such as "Europe/Paris"')
    position: tuple[float, float] | None = setting(None, check.position, 'latitude and longitude: "48.8752, 2.3931"')


@dataclass(frozen=True)
class PortalSettings:
    """`[portal]`: the pages. `listen` is (host, port)."""

    listen: tuple[str, int] = setting(("127.0.0.1", 8080), check.listen,
                                       'host:port, such as "127.0.0.1:8080" (this machine only) or "0.0.0.0:8080"')
    posting: str = setting("open", check.one_of("open", "moderated", "members"),
                            '"open" (anybody), "moderated" (a keeper approves) or "members" (a group\'s passphrase)')
    urgent: str = setting("keepers", check.one_of("keepers", "everybody"),
                           '"keepers" (they, and groups with that right) or "everybody"')
    confirmations: int = setting(2, check.number(0, MOST_CONFIRMATIONS),
                                  "how many other islands must confirm an urgent post: 0 to %(most)s; 0 marks none",
                                  most=MOST_CONFIRMATIONS)
    turnout: bool = setting(False, check.yes_no,
                            'true (events ask who will be there, without names) or false')
    address: str = setting("", check.address, 'what people type to come here, such as "http://archipel.lan/"')
    wifi: str = setting("", check.ssid, "the name of this island's open Wi-Fi, printed on posters, or nothing")
    loudspeaker: str = setting("", check.loud_hours, 'hours from 7:00 to 21:59 at which the agenda is read aloud, such as '
                               '"9:00, 18:30", %(most)s at most, or nothing', most=MOST_HOURS)
    notices: str = setting("", check.file, "a file whose lines the first page shows, or nothing")
    metrics: str = setting("near", check.one_of("near", "all", "off"),
                            '"near" (this machine and local networks), "all" or "off"')
    behind_front: bool = setting(False, check.yes_no, "true if nginx stands in front (the SD image), else false")


@dataclass(frozen=True)
class RadioSettings:
    """`[radio]`: the Meshtastic radio."""

    connect: str = setting("auto", check.radio,
                            '"auto", "serial", "serial:/dev/ttyUSB0", "tcp:HOST", "tcp:HOST:PORT" or "none"')
    channel: str = setting("", check.text(0, 11), "the name of one of the radio's channels, or nothing for its first")
    max_payload: int = setting(DEFAULT_MAX_PAYLOAD, check.number(LEAST_MAX_PAYLOAD, MAX_PACKET_BYTES),
                                "a whole number of bytes from %(least)s to %(most)s", least=LEAST_MAX_PAYLOAD,
                               most=MAX_PACKET_BYTES)
    region: str = setting("", check.region, 'nothing (the radio tells it) or a Meshtastic region such as "EU_868"')
    share: float = setting(0.0, check.number(0, 100, float),
                            "how much of the legal airtime to use, in percent; 0 for at most 1 % of each hour")
    texts: bool = setting(True, check.yes_no, "true (text messages of hand-held radios are answered) or false")
    texts_greeting: str = setting("", check.text(0, MAX_GREETING), "the first line of the menu for hand-held radios, "
                                  "%(most)s characters at most, or nothing: the island's name", most=MAX_GREETING)
    texts_words: str = setting("", check.texts_words, 'other words for what can be asked by text, such as '
                               '"agenda = outings; news = talk": one word each, of %(most)s letters at most',
                               most=MAX_OWN_WORD)
    texts_announce: str = setting("", check.text(0, 11), "the name or number of the radio's channel on which urgent calls "
                                  "are announced, or nothing: they are not")


@dataclass(frozen=True)
class MqttSettings:
    """`[mqtt]`: a broker, several parted by commas, or none. `user` and `password` are for those without their own."""

    broker: str = setting("none", check.brokers, '"none", "mqtt://HOST", "mqtts://USER:PASSWORD@HOST:PORT", or up to four, '
                           'parted by commas')
    user: str = setting("", check.text(0, 100), "the user name the broker's keeper gave you, or nothing")
    password: str = setting("", check.text(0, 200), "the password the broker's keeper gave you, or nothing")
    authority: str = setting("", check.file, "the file of the broker's own authority (PEM), or nothing")
    certificate: str = setting("", check.file, "the file of this island's certificate (PEM), or nothing")
    key: str = setting("", check.file, "the file of its key (PEM), or nothing")
    quota: int = setting(20_000, check.number(100, 1_000_000), "messages to put there in an hour: 100 to 1000000")


@dataclass(frozen=True)
class PacketSettings:
    """`[packet]`: a KISS TNC for packet radio. Nothing is sent before `public` and `callsign` are given."""

    connect: str = setting("none", check.tnc, '"none", "serial:/dev/ttyUSB0" or "tcp:HOST:PORT"')
    callsign: str = setting("", check.callsign, 'the callsign to send under, such as "F4ABC-1"')
    public: bool = setting(False, check.yes_no,
                           "true once the members of the set know that it is sent in clear, else false")
    baud: int = setting(9_600, check.number(300, 921_600), "the speed of the serial line: 300 to 921600")
    bits_per_s: int = setting(1_200, check.number(300, 100_000), "the speed on the air: 300 to 100000")
    share: float = setting(5.0, check.number(0.1, 50, float), "how much of each hour to send, in percent: 0.1 to 50")


@dataclass(frozen=True)
class LanSettings:
    """`[lan]`: other islands on the same network. `peers`: (host, port) of each."""

    discover: bool = setting(True, check.yes_no, "true (find them, let them find this one) or false")
    peers: tuple[check.Address, ...] = setting((), check.peers,
                                               'addresses parted by commas: "192.168.1.20, 192.168.1.30:8080"')


@dataclass(frozen=True)
class GatherSettings:
    """`[gather]`: agendas, news and alerts of others, which keepers approve on their desk, asked by themselves.

    `private`: hosts, or host:port, in small letters, that are asked although they are in a private network.
    """

    hours: int = setting(6, check.number(1, 168), "how many hours lie between two questions to a source: 1 to 168")
    contact: str = setting("", check.contact, "an address of mail or of a page by which the people of a source reach you, "
                           "plain letters only, or nothing")
    private: tuple[str, ...] = setting((), check.hosts, 'names or addresses, parted by commas, that may be asked although '
                                       'they are in a private network: "agenda.lan, 192.168.1.20:8080"')


@dataclass(frozen=True)
class ArchiveSettings:
    """`[archive]`: what is kept of what expired."""

    keep_days: int = setting(365, check.days(0, 3_650), "a whole number of days from 0 (keep nothing) to 3650")


def _country(value: str) -> str:
    return country_of(value) if value else ""


@dataclass(frozen=True)
class BoxSettings:
    """`[box]`: the machine around the island. Only the SD image reads it; elsewhere it does nothing."""

    country: str = setting("", _country, 'the two letters of the country, such as "FR" (nothing: no Wi-Fi)')
    channel: int = setting(6, check.number(1, 13), "a Wi-Fi channel from 1 to 13; 1, 6 and 11 disturb each other least")
    wifi_password: str = setting("", check.wifi_password, "8 to 63 plain letters, digits, signs, or nothing: open to all")
    ethernet: str = setting("guest", check.one_of("guest", "host", "off"),
                             '"guest" (takes an address where it is plugged in), "host" (gives addresses) or "off"')
    ssh_key: str = setting("", check.ssh_key,
                           'a public key such as "ssh-ed25519 AAAA... name", or nothing: no remote shell')
    keeper: str = setting("", check.keeper, "a keeper's name: 1 to %(most)s letters, digits and spaces, or nothing",
                          most=MAX_NAME)
    keeper_password: str = setting("", check.keeper_password, "several words that do not belong together, %(least)s "
                                   "characters at least: not what anybody would try first", least=LEAST)
    broker_password: str = setting("", check.text(0, 100), 'the password of the user "archipel" of a broker on this box, '
                                                           "or nothing: no broker")
    wipe_stick: str = setting("code", check.one_of("code", "any"), '"code" (a stick that is to erase this box needs its '
                              'code) or "any" (the file archipel-wipe.txt is enough)')


@dataclass(frozen=True)
class Settings:
    """One settings file, checked."""

    node: NodeSettings = field(default_factory=NodeSettings)
    portal: PortalSettings = field(default_factory=PortalSettings)
    radio: RadioSettings = field(default_factory=RadioSettings)
    mqtt: MqttSettings = field(default_factory=MqttSettings)
    packet: PacketSettings = field(default_factory=PacketSettings)
    lan: LanSettings = field(default_factory=LanSettings)
    gather: GatherSettings = field(default_factory=GatherSettings)
    archive: ArchiveSettings = field(default_factory=ArchiveSettings)
    box: BoxSettings = field(default_factory=BoxSettings)


SECTIONS: dict[str, type[Any]] = get_type_hints(Settings)  # by the names they have in the file

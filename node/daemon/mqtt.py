"""The brokers of the settings: how each is reached, and what is the matter with one that does not let us in."""

from pathlib import Path
from urllib.parse import quote

from node.daemon.settings import MqttSettings
from node.model.keys import Charter
from radio.mqtt.probe import BrokerSettings

FIRST = "mqtt"  # the link's name; the others are mqtt2, mqtt3, mqtt4
REMEDIES = {
    "files": ("the files of certificate and key cannot be read",
              "check [mqtt] authority, certificate and key: PEM files that the user who runs Archipel may read"),
    "unknown": ("its name is unknown here", "check the spelling, or write its address"),
    "absent": ("it cannot be reached", "is it on, is the port right, does a firewall stand between?"),
    "certificate": ("it has no certificate that this machine trusts",
                    "write the file of its authority in [mqtt] authority, or use mqtt:// on a network you trust"),
    "wants-certificate": ("it wants a certificate of this island",
                          "ask its keeper for one: [mqtt] certificate and key"),
    "tls": ("it does not speak TLS as expected", "is this its TLS port (mostly 8883)? For a port without TLS write mqtt://"),
    "mute": ("something answers, but not as a broker", "is the port right? A TLS port wants mqtts://"),
    "password": ("it refuses user or password", "check [mqtt] user and password with its keeper"),
    "not-allowed": ("it does not let this island in", "check [mqtt] user and password with its keeper"),
    "version": ("it does not speak MQTT 3.1.1", "ask its keeper"),
    "client-id": ("it wants client names of its own choice", "ask its keeper to allow any client id"),
    "unavailable": ("it takes nobody at the moment", "wait, or ask its keeper"),
    "topics": ("it lets this island in, but not to its topics", "ask its keeper to let it read and write archipel/#"),
}


def brokers_of(mqtt: MqttSettings, charter: Charter) -> dict[str, BrokerSettings]:
    """By the name of the link, in the order of the settings."""
    if mqtt.broker == "none":
        return {}
    root = root_of(charter)
    made = {}
    for number, url in enumerate(mqtt.broker.split(", "), 1):
        name = FIRST if number == 1 else f"{FIRST}{number}"
        made[name] = BrokerSettings(_with_login(url, mqtt), root, _here(mqtt.authority), _here(mqtt.certificate),
                                    _here(mqtt.key), mqtt.quota)
    return made


def root_of(charter: Charter) -> str:
    """The first part of every topic of a set."""
    return "archipel/" + charter.subkey("root").hex()[:20]


def _with_login(url: str, mqtt: MqttSettings) -> str:
    """The address with the user and password of their own keys, unless it has some itself."""
    scheme, _, rest = url.partition("://")
    if not mqtt.user or "@" in rest:
        return url
    return f"{scheme}://{quote(mqtt.user, safe='')}:{quote(mqtt.password, safe='')}@{rest}"


def _here(path: str) -> Path | None:
    return Path(path).expanduser() if path else None

"""The brokers of the settings: how each is reached."""

from pathlib import Path
from urllib.parse import quote

from node.daemon.settings import MqttSettings
from node.model.keys import Charter
from radio.mqtt.link import MqttLink
from radio.mqtt.probe import BrokerSettings

FIRST = "mqtt"  # the link's name; the others are mqtt2, mqtt3, mqtt4


def brokers_of(mqtt: MqttSettings, charter: Charter, suffix: str = "") -> dict[str, BrokerSettings]:
    """By the name of the link, which ends with `suffix`, in the order of the settings."""
    if mqtt.broker == "none":
        return {}
    root = root_of(charter)
    made = {}
    for number, url in enumerate(mqtt.broker.split(", "), 1):
        name = (FIRST if number == 1 else f"{FIRST}{number}") + suffix
        made[name] = BrokerSettings(_with_login(url, mqtt), root, _here(mqtt.authority), _here(mqtt.certificate),
                                    _here(mqtt.key), mqtt.quota)
    return made


def broker_link(broker: BrokerSettings, name: str) -> MqttLink:
    """The link to a broker; raises OSError, naming the file, when one of its certificates cannot be read."""
    for file in (broker.authority, broker.certificate, broker.key) if broker.sealed else ():
        if file:
            file.open("rb").close()
    return MqttLink(broker, name)


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

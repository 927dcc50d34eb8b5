"""The brokers of the settings: how each is reached, and what is the matter with one that does not let us in."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from node.daemon.settings import MqttSettings
from node.i18n.sentence import Sentence, sentence
from node.model.keys import Charter
from radio.mqtt.link import MqttLink
from radio.mqtt.probe import BrokerSettings

FIRST = "mqtt"  # the link's name; the others are mqtt2, mqtt3, mqtt4


@dataclass(frozen=True)
class BrokerTrouble:
    """What is the matter with a broker, and what to do about it."""

    what: Sentence
    remedy: Sentence


ASK_FOR_LOGIN = sentence("check [mqtt] user and password with its keeper")
TROUBLES = {  # by what `radio.mqtt.probe` finds
    "files": BrokerTrouble(
        sentence("the files of certificate and key cannot be read"),
        sentence("check [mqtt] authority, certificate and key: PEM files that the user who runs Archipel may read")),
    "unknown": BrokerTrouble(sentence("its name is unknown here"), sentence("check the spelling, or write its address")),
    "absent": BrokerTrouble(
        sentence("it cannot be reached"), sentence("is it on, is the port right, does a firewall stand between?")),
    "certificate": BrokerTrouble(
        sentence("it has no certificate that this machine trusts"),
        sentence("write the file of its authority in [mqtt] authority, or use mqtt:// on a network you trust")),
    "wants-certificate": BrokerTrouble(
        sentence("it wants a certificate of this island"), sentence("ask its keeper for one: [mqtt] certificate and key")),
    "tls": BrokerTrouble(
        sentence("it does not speak TLS as expected"),
        sentence("is this its TLS port (mostly 8883)? For a port without TLS write mqtt://")),
    "mute": BrokerTrouble(
        sentence("something answers, but not as a broker"), sentence("is the port right? A TLS port wants mqtts://")),
    "password": BrokerTrouble(sentence("it refuses user or password"), ASK_FOR_LOGIN),
    "not-allowed": BrokerTrouble(sentence("it does not let this island in"), ASK_FOR_LOGIN),
    "version": BrokerTrouble(sentence("it does not speak MQTT 3.1.1"), sentence("ask its keeper")),
    "client-id": BrokerTrouble(
        sentence("it wants client names of its own choice"), sentence("ask its keeper to allow any client id")),
    "unavailable": BrokerTrouble(sentence("it takes nobody at the moment"), sentence("wait, or ask its keeper")),
    "topics": BrokerTrouble(
        sentence("it lets this island in, but not to its topics"),
        sentence("ask its keeper to let it read and write archipel/#")),
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

"""What answers where a broker should be: the doctor has a word for it, whatever it is and however it hangs up; and what a broker
hands to the link is taken by its topic, or dropped."""

import socket

from paho.mqtt.client import MQTTMessage

from radio.mqtt.link import GROUPS, SLOT_BYTES, MqttLink
from radio.mqtt.probe import CONNACK, PUBACK, PUBLISH, SUBACK, BrokerSettings, _framed, knock
from tests.fuzz.kinds import Target

PART = b"\n==\n"
SETTINGS = BrokerSettings("mqtt://broker.exemple.org", "archipel")
WORDS = {"mute", "absent", "up", "version", "client-id", "unavailable", "password", "not-allowed", "topics", "keeps-nothing", "keeps-small"}


class Calls:
    """Lines to a broker: each has said what it will before it is asked, and has hung up then."""

    def __init__(self, answers):
        self._answers, self.lines = list(answers), []

    def connect(self, address, timeout_s=None, source=None):
        here, there = socket.socketpair()
        self.lines += [here, there]
        there.sendall((self._answers.pop(0) if self._answers else b"")[:60_000])
        there.shutdown(socket.SHUT_WR)
        return here

    def end(self):
        for line in self.lines:
            line.close()

    cut = end


def run(octets):
    calls = Calls(octets.split(PART))
    try:
        assert knock(SETTINGS, calls) in WORDS
    finally:
        calls.end()
    said(octets)


def said(octets):
    """As a broker's message: the topic, a newline, what is in it."""
    topic, _, payload = octets.partition(b"\n")
    message = MQTTMessage(1, topic[:200])
    message.payload, message.retain = payload, bool(payload[:1] == b"r")
    slot = MqttLink._slot_of(Named, message)
    name = slot.hex() if slot else ""
    assert slot is None or (len(slot) == SLOT_BYTES and message.topic == f"archipel/{name[0]}/{name}")


class Named:
    """What of a link says whose topics are its own: one that is open would take a thread for each input."""

    settings = SETTINGS


def seeds():
    connack, suback, puback = _framed(CONNACK, b"\0\0"), _framed(SUBACK, b"\0\1\1"), _framed(PUBACK, b"\0\2")
    kept = _framed(PUBLISH | 1, b"\0\1xcontent")
    yield PART.join((connack + suback, connack + puback, connack + suback + kept + puback))
    yield PART.join((connack + kept + suback, connack + puback, connack + suback, connack, connack + puback, connack + kept + suback + kept))
    yield PART.join((connack + suback, connack, b"", connack + puback, connack + suback + kept))
    yield PART.join((connack + suback, connack + kept + puback, connack + suback + suback + kept))
    for code in range(8):
        yield _framed(CONNACK, bytes([0, code]))
    yield from (connack, connack + _framed(SUBACK, b"\0\1\x80"), _framed(CONNACK, b"\0"), _framed(PUBACK, b""), b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20", b"\x20\x80",
                b"\x20\xff\xff\xff\xff\x01", b"\x20\xff\xff\x7f" + bytes(99), connack + b"\x90\0", connack + b"\0\0" * 900, b"", b"\x16\x03\x01")
    name = "0123456789abcdef"
    for topic in (f"archipel/0/{name * (2 * SLOT_BYTES // 16)}", f"archipel/{GROUPS[-1]}/{GROUPS[-1] * 2 * SLOT_BYTES}", "archipel/0/x", f"archipel/1/{name * (SLOT_BYTES // 8)}",
                  f"autre/0/{name * (SLOT_BYTES // 8)}", "archipel/0/" + "G" * 2 * SLOT_BYTES, "archipel/0/" + "\u0663" * 2 * SLOT_BYTES):
        yield topic.encode() + b"\nrx"
    yield b"\xff/0/\n"


TARGET = Target(run, ("radio/mqtt/probe.py: knock _Knock.hear _Knock._enter _Knock._introduce _Knock._keeps _subscribe _put _find _packet _exactly _framed",
                      "radio/mqtt/link.py: MqttLink._slot_of"), seeds, 2_000, (
    b"\x20\x02\0\0", b"\x90\x03\0\1\1", b"\x40\x02\0\2", PART, b"archipel/0/"), aside={
        "TLS, names and passwords: tests/daemon/test_mqtt.py": ("context = settings.tls()", "if self._context is None", "with self._enter", "while size > 127")})

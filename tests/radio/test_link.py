"""Every link keeps the same promises, whatever carries its packets."""

import contextlib
import threading

import pytest

from radio.kiss.link import KissLink, KissSettings
from radio.link import Outcome
from radio.meshtastic.link import MeshtasticLink
from radio.meshtastic.settings import MeshtasticSettings
from radio.mqtt.link import BrokerSettings, MqttLink
from radio.sim.simradio import SimulatedMesh
from radio.sim.simtnc import SimulatedTncs
from tests.mosquitto import Mosquitto
from tests.waiting import until

SPEED = 50


@contextlib.contextmanager
def tcp_pair(_):
    with SimulatedMesh([(0, 1)], speed=SPEED) as mesh:
        yield [MeshtasticLink(MeshtasticSettings(f"tcp:127.0.0.1:{mesh.ports[node]}", speed=SPEED)) for node in (0, 1)]


@contextlib.contextmanager
def serial_pair(folder):
    paths = [f"{folder}/radio{node}" for node in (0, 1)]
    with SimulatedMesh([(0, 1)], speed=SPEED) as mesh:
        for node, path in enumerate(paths):
            mesh.plug(node, path)
        yield [MeshtasticLink(MeshtasticSettings(f"serial:{path}", speed=SPEED)) for path in paths]


@contextlib.contextmanager
def broker_pair(folder):
    broker = Mosquitto(folder).start()
    try:
        yield [MqttLink(BrokerSettings(broker.url, "links", quiet_s=0.02)) for _ in (0, 1)]
    finally:
        broker.stop()


@contextlib.contextmanager
def tnc_pair(folder):
    tncs = SimulatedTncs(2)
    tncs.plug(1, f"{folder}/tnc")
    try:
        yield [KissLink(KissSettings(connect, callsign, speed=SPEED)) for connect, callsign in (
            (f"tcp:127.0.0.1:{tncs.ports[0]}", "F4ABC-1"), (f"serial:{folder}/tnc", "F4ABC-2"))]
    finally:
        tncs.close()


@pytest.fixture(params=[tcp_pair, serial_pair, broker_pair, tnc_pair])
def pair(request, tmp_path):
    """Two links that hear each other, up."""
    before = set(threading.enumerate())
    with request.param(tmp_path) as links:
        try:
            until(lambda: all(link.up for link in links))
            yield links
        finally:
            for link in links:
                link.close()
    assert not set(threading.enumerate()) - before, "a link leaves no thread behind"


def packet(number, size_bytes=60):
    """A packet for any link: a broker wants 16 bytes at least to know where to put it."""
    return bytes([number]) * 16 + bytes(range(size_bytes - 16))


def heard(link, count):
    """The next packets."""
    packets = []
    while len(packets) < count:
        received = link.receive(5)
        assert received, f"only {len(packets)} came"
        packets.append(received.payload)
    return packets


def test_a_packet_arrives_byte_for_byte(pair):
    here, there = pair
    largest = packet(1, min(here.max_payload, 250))
    assert here.send(largest) is Outcome.SENT
    assert heard(there, 1) == [largest]
    assert there.send(packet(2)) is Outcome.SENT
    until(lambda: here.receive(5).payload == packet(2))


def test_packets_arrive_in_the_order_they_were_sent(pair):
    here, there = pair
    for number in range(5):
        assert here.send(packet(number)) is Outcome.SENT
    assert heard(there, 5) == [packet(number) for number in range(5)]


def test_what_is_too_long_is_our_own_mistake(pair):
    with pytest.raises(ValueError, match="bytes"):
        pair[0].send(bytes(pair[0].max_payload + 1))


def test_nothing_heard_is_none_after_the_wait(pair):
    assert pair[0].receive(0.01) is None


def test_a_closed_link_is_down_and_closes_twice(pair):
    here = pair[0]
    here.close()
    here.close()
    assert not here.up and here.receive(60) is None
    assert here.send(packet(1)) is Outcome.DOWN


def test_closing_wakes_who_waits_for_a_packet(pair):
    heard = []
    waiting = threading.Thread(target=lambda: heard.append(pair[0].receive(60)))
    waiting.start()
    pair[0].close()
    waiting.join(10)
    assert heard == [None]


def test_what_happened_is_counted(pair):
    here, there = pair
    here.send(packet(1))
    heard(there, 1)
    assert here.counters["sent"] == 1 and there.counters["received"] == 1

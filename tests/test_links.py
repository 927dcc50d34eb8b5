"""Every link keeps the same promises, whatever carries its packets."""

import contextlib
import threading
import time

import pytest

from radio.link import Outcome
from radio.meshtastic_link import MeshtasticLink, RadioSettings
from radio.simradio import SimulatedMesh

SPEED = 50


def until(ready, timeout_s=10):
    """Wait for `ready()` to become true; its value."""
    end = time.monotonic() + timeout_s
    while not (value := ready()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
    return value


@contextlib.contextmanager
def tcp_pair(_):
    with SimulatedMesh([(0, 1)], speed=SPEED) as mesh:
        yield [MeshtasticLink(RadioSettings(f"tcp:127.0.0.1:{mesh.ports[node]}", speed=SPEED)) for node in (0, 1)]


@contextlib.contextmanager
def serial_pair(folder):
    paths = [f"{folder}/radio{node}" for node in (0, 1)]
    with SimulatedMesh([(0, 1)], speed=SPEED) as mesh:
        for node, path in enumerate(paths):
            mesh.plug(node, path)
        yield [MeshtasticLink(RadioSettings(f"serial:{path}", speed=SPEED)) for path in paths]


@pytest.fixture(params=[tcp_pair, serial_pair])
def pair(request, tmp_path):
    """Two links that hear each other, up."""
    before = set(threading.enumerate())
    with request.param(tmp_path) as links:
        until(lambda: all(link.up for link in links))
        yield links
        for link in links:
            link.close()
    left = {thread for thread in set(threading.enumerate()) - before if thread.name != "publishing"}
    assert not left, "a link leaves no thread behind"


def test_a_packet_arrives_byte_for_byte_with_its_sender(pair):
    here, there = pair
    payload = bytes(range(256))[: here.max_payload - 1] + b"\x00"
    assert here.send(payload) is Outcome.SENT
    received = there.receive(5)
    assert received.payload == payload and received.sender
    assert there.send(b"and back") is Outcome.SENT
    assert here.receive(5).payload == b"and back"


def test_packets_arrive_in_the_order_they_were_sent(pair):
    here, there = pair
    for number in range(5):
        assert here.send(bytes([number]) * 20) is Outcome.SENT
    assert [there.receive(5).payload[0] for _ in range(5)] == list(range(5))


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
    assert here.send(b"late") is Outcome.DOWN


def test_closing_wakes_who_waits_for_a_packet(pair):
    heard = []
    waiting = threading.Thread(target=lambda: heard.append(pair[0].receive(60)))
    waiting.start()
    pair[0].close()
    waiting.join(10)
    assert heard == [None]


def test_what_happened_is_counted(pair):
    here, there = pair
    here.send(b"counted")
    there.receive(5)
    assert here.counters["sent"] == 1 and there.counters["received"] == 1

"""Islands on packet radio share a set through simulated TNCs; nothing is sent without a callsign, nothing is hidden."""

import contextlib
import socket

import pytest

from node.daemon.ax25 import packet_engine, packet_governor, packet_link, packet_ready
from node.daemon.checkup import _packet
from node.daemon.membership import Membership
from node.daemon.runner import Runner
from node.daemon.settings import PacketSettings
from node.daemon.settings_reader import read
from node.model.clock import FastClock, SystemClock
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from radio.kiss.link import KissLink, KissSettings
from radio.link import Outcome
from radio.sim.simtnc import SimulatedTncs
from tests.sim.village import NOW, Village
from tests.waiting import until

SPEED = 200


@contextlib.contextmanager
def islands(village, names):
    """Islands with a TNC each on one channel, running."""
    tncs, clock = SimulatedTncs(len(names)), FastClock(SPEED, SystemClock().now())
    clock.now = lambda: NOW + clock.monotonic() - begin
    begin, runners = clock.monotonic(), []
    try:
        for number, name in enumerate(names):
            settings = PacketSettings(f"tcp:127.0.0.1:{tncs.ports[number]}", f"F4ABC-{number + 1}", True, share=50.0)
            liveset = LiveSet(village.charter)
            member = Membership(village.charter, village.key(name), liveset)
            engine = packet_engine(member, settings, packet_governor(settings, clock.monotonic))
            runner = Runner(Replica(liveset, MemoryStore(), [engine]), [packet_link(settings, SPEED)], clock)
            runner.start()
            runners.append(runner)
        yield runners
    finally:
        for runner in runners:
            runner.stop()
        tncs.close()


def test_what_is_posted_on_one_island_is_on_the_others(tmp_path):
    village = Village()
    with islands(village, ["founder", "keeper", "island"]) as runners:
        for number in range(3):
            raw = village.bulletin(text=f"avis {number} " + "x" * 300 * number)
            assert runners[0].publish(raw).kept
        until(lambda: all(len(runner.replica.liveset) == 3 for runner in runners), 120)


def test_what_goes_out_is_under_the_callsign_and_in_clear():
    tncs = SimulatedTncs(2)
    listener, sender = (KissLink(KissSettings(f"tcp:127.0.0.1:{port}", call, speed=SPEED))
                        for port, call in zip(tncs.ports, ("F4ABC-9", "F4ABC-1"), strict=True))
    try:
        until(lambda: listener.up and sender.up)
        assert sender.send(b"Soupe ce soir") is Outcome.SENT
        received = listener.receive(60)
        assert (received.payload, received.sender, received.hops) == (b"Soupe ce soir", "F4ABC-1", 0)
    finally:
        listener.close()
        sender.close()
        tncs.close()


def test_a_tnc_that_goes_and_comes_back_is_found_again(tmp_path):
    tncs = SimulatedTncs(2)
    port = tncs.ports[0]
    link = KissLink(KissSettings(f"tcp:127.0.0.1:{port}", "F4ABC", speed=SPEED))
    try:
        until(lambda: link.up)
        tncs.close()
        until(lambda: not link.up)
        assert link.send(b"x") is Outcome.DOWN and link.state == "absent"
        with socket.create_server(("127.0.0.1", port)):
            until(lambda: link.up)
        assert link.counters["connected"] == 2
    finally:
        link.close()
    assert link.state == "closed" and link.send(b"x") is Outcome.DOWN


@pytest.mark.parametrize(("settings", "ready"), [
    (PacketSettings(), False),
    (PacketSettings("tcp:h:8001", "F4ABC"), False),
    (PacketSettings("tcp:h:8001", "", True), False),
    (PacketSettings("tcp:h:8001", "F4ABC", True), True),
])
def test_nothing_is_sent_before_it_may_be(settings, ready):
    assert packet_ready(settings) is ready
    assert len(list(_packet(settings))) == (not ready and settings.connect != "none")


def test_settings_that_name_no_tnc_or_no_callsign_are_refused():
    good = read(b'[packet]\nconnect = "serial:/dev/ttyACM0"\ncallsign = "F4ABC-7"\npublic = true\n')
    assert good.settings.packet.callsign == "F4ABC-7" and not good.notices
    for wrong in ('connect = "tcp:h"', 'connect = "usb"', 'callsign = "NOCALL"', "share = 90"):
        reading = read(f"[packet]\n{wrong}\n".encode())
        assert reading.settings.packet == PacketSettings() and len(reading.notices) == 1
    with pytest.raises(ValueError, match="callsign"):
        KissSettings("tcp:h:1", "")
    with pytest.raises(ValueError, match="TNC"):
        KissSettings("udp:h:1", "F4ABC")

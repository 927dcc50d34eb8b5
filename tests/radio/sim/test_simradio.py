"""Simulated radios satisfy the real meshtastic library, untouched, over TCP and over a serial line."""

import contextlib
import os
import queue
import random
import socket
import time

import pytest
from meshtastic.protobuf import mesh_pb2
from meshtastic.serial_interface import SerialInterface
from meshtastic.tcp_interface import TCPInterface
from pubsub import pub

from radio.meshtastic.framing import Deframer, framed
from radio.sim.simnodes import DeviceSettings
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line
from tests.ports import free_ports
from tests.waiting import until

SPEED = 50


@pytest.fixture
def heard():
    """Packets that the library publishes: (our node number, sender, payload)."""
    packets = queue.Queue()

    def listen(packet, interface):
        packets.put((interface.myInfo.my_node_num, packet["from"], packet["decoded"]["payload"]))

    pub.subscribe(listen, "meshtastic.receive.data")
    yield packets
    pub.unsubscribe(listen, "meshtastic.receive.data")


def dial(port, buffer_bytes=65_536):
    """A bare TCP client that has shaken hands."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.sendall(bytes([0xC3] * 32) + framed(mesh_pb2.ToRadio(want_config_id=7).SerializeToString()))
    deframer = Deframer()
    while True:
        for raw in deframer.feed(client.recv(4096)):
            if mesh_pb2.FromRadio.FromString(raw).config_complete_id == 7:
                return client


def test_the_library_connects_over_tcp_and_serial_and_packets_cross(heard, tmp_path):
    path = str(tmp_path / "ttyUSB0")
    with SimulatedMesh(line(2), speed=SPEED) as mesh:
        mesh.plug(1, path)
        with TCPInterface("127.0.0.1", portNumber=mesh.ports[0]) as here, SerialInterface(path) as there:
            assert here.metadata.firmware_version.startswith("2.7.26") and here.localNode.localConfig.lora.region == 3
            assert len(here.localNode.channels) == 8 and here.localNode.channels[0].role == 1
            here.sendData(b"over the air", portNum=256, hopLimit=0)
            assert heard.get(timeout=30) == (mesh.number(1), mesh.number(0), b"over the air")
            there.sendData(bytes(231), portNum=256)
            assert heard.get(timeout=30) == (mesh.number(0), mesh.number(1), bytes(231))
        carried = mesh.counters()
        assert carried["frames"] >= 2 and carried["bytes"] >= 255 + 35 and carried["airtime_s"] > 2.1


def test_a_second_client_takes_the_place_of_the_first():
    with SimulatedMesh([], settings={0: DeviceSettings(1)}) as mesh:
        first = dial(mesh.ports[0])
        with dial(mesh.ports[0]):
            first.settimeout(30)
            with pytest.raises(ConnectionError):
                while data := first.recv(4096):
                    assert data
                raise ConnectionError("closed")
        first.close()


def test_garbage_on_the_port_harms_nobody():
    rng = random.Random(5)
    with SimulatedMesh(line(2), speed=SPEED) as mesh:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", mesh.ports[0]), 60) as vandal:
                vandal.sendall(rng.randbytes(3000) + framed(rng.randbytes(100)))
        with dial(mesh.ports[0]) as client:
            assert client.getpeername()[1] == mesh.ports[0], "it shakes hands with whoever comes next"


def test_a_client_that_never_reads_is_thrown_out_and_the_mesh_lives_on():
    with SimulatedMesh(line(2), speed=SPEED) as mesh:
        with dial(mesh.ports[0], buffer_bytes=4096) as sleeper:
            beat = framed(mesh_pb2.ToRadio(want_config_id=9).SerializeToString()) * 200
            with pytest.raises(OSError):
                for _ in range(100_000):
                    sleeper.sendall(beat)
        dial(mesh.ports[1]).close()


def test_a_radio_switched_off_closes_its_port_and_comes_back_on_the_same():
    with SimulatedMesh(line(2), speed=SPEED) as mesh:
        mesh.switch(0, False)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", mesh.ports[0]), 2)
        mesh.switch(0, True)
        dial(mesh.ports[0]).close()


def test_ports_can_be_chosen_and_one_that_is_taken_is_an_error():
    port, mesh, other = free_ports(), SimulatedMesh(line(2)), SimulatedMesh(line(2))
    with contextlib.closing(mesh), contextlib.closing(other):
        assert mesh.start({0: port}) == [port, mesh.ports[1]]
        with pytest.raises(OSError):
            other.start({1: port})


def test_an_unplugged_line_vanishes(tmp_path):
    mesh, path = SimulatedMesh(line(2)), str(tmp_path / "tty")
    mesh.start()
    mesh.plug(1, path)
    with open(path, "rb", buffering=0) as end:
        mesh.unplug(1, path)
        assert end.read(1) == b"", "whoever holds it open sees its end"
    assert not os.path.lexists(path)
    mesh.close()
    mesh.close()


def test_the_air_runs_faster_than_time_when_asked():
    with SimulatedMesh(line(2), speed=200) as mesh:
        outer, before, inner = time.monotonic(), mesh.now(), time.monotonic()
        until(lambda: mesh.now() - before >= 10)
        lasted, now, lasted_at_most = time.monotonic() - inner, mesh.now() - before, time.monotonic() - outer
        assert 200 * lasted - 1e-3 <= now <= 200 * lasted_at_most + 1e-3

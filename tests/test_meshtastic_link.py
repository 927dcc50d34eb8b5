"""The link to a radio survives what radios do to it."""

import queue
import socket
import struct
import threading
import time
from dataclasses import replace

import pytest
from meshtastic.protobuf import config_pb2, mesh_pb2

from radio import meshtastic_link
from radio.link import Outcome
from radio.meshtastic_link import MeshtasticLink, MeshtasticSettings, split_address
from radio.meshtastic_session import Patience
from radio.simdevice import DeviceSettings
from radio.simradio import SimulatedMesh
from radio.stream import Deframer, framed

SPEED = 50
HASTY = Patience(handshake=2, status=0.5, room=0.5, heartbeat=0.1, silence=0.4, retry_first=0.05, retry_last=0.2,
                 settled=30)
CALM = replace(HASTY, silence=60)


def until(ready, timeout_s=10):
    """Wait for `ready()` to become true; its value."""
    end = time.monotonic() + timeout_s
    while not (value := ready()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)
    return value


@pytest.fixture
def mesh():
    with SimulatedMesh([(0, 1)], speed=SPEED) as running:
        yield running


@pytest.fixture
def connect():
    """Opens links that are closed when the test ends."""
    links = []

    def _connect(where, patience=CALM, **settings):
        address = where if isinstance(where, str) else f"tcp:127.0.0.1:{where}"
        on_text = settings.pop("on_text", None)
        use = MeshtasticSettings(address, speed=SPEED, patience=patience, **settings)
        links.append(MeshtasticLink(use, on_text=on_text))
        return links[-1]

    yield _connect
    for link in links:
        link.close()


def hears(here, there):
    """Whether a packet from one link reaches the other."""
    return here.send(b"ping") is Outcome.SENT and there.receive(2) is not None


class Puppet:
    """A radio of our own making on TCP: says what the test wants it to, however wrong."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.heard = queue.Queue()
        self.accepted = 0
        self.answers = True
        self._clients = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.accepted += 1
            self._clients.append(client)
            threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def _read(self, client):
        deframer = Deframer()
        while True:
            try:
                data = client.recv(4096)
            except OSError:
                return
            if not data:
                return
            for raw in deframer.feed(data):
                message = mesh_pb2.ToRadio.FromString(raw)
                if message.want_config_id and self.answers:
                    self.greet(message.want_config_id)
                self.heard.put(message)

    def greet(self, config_id):
        lora = config_pb2.Config.LoRaConfig(use_preset=True, region=3, tx_enabled=True)
        self.say(my_info=mesh_pb2.MyNodeInfo(my_node_num=9))
        self.say(config=config_pb2.Config(lora=lora))
        self.say(config_complete_id=config_id)

    def say(self, **message):
        self.write(framed(mesh_pb2.FromRadio(**message).SerializeToString()))

    def write(self, raw):
        self._clients[-1].sendall(raw)

    def next_packet(self):
        while True:
            message = self.heard.get(timeout=5)
            if message.HasField("packet"):
                return message.packet

    def hang_up(self):
        client = self._clients.pop()
        client.shutdown(socket.SHUT_RDWR)
        client.close()

    def slam(self):
        """Reset the connection instead of closing it."""
        client = self._clients.pop()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.shutdown(socket.SHUT_RD)
        client.close()

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        while self._clients:
            self.hang_up()
        self._thread.join()


@pytest.fixture
def puppet():
    radio = Puppet()
    yield radio
    radio.close()


def test_the_radio_tells_what_it_is(connect):
    settings = {0: DeviceSettings(0xBEEF, firmware="2.8.1.abc", preset="MEDIUM_FAST", channels=("", "quartier"),
                                  clock=lambda: 1_900_000_000)}
    with SimulatedMesh([], settings=settings, speed=SPEED) as mesh:
        link = connect(mesh.ports[0], channel="quartier")
        until(lambda: link.up)
        facts = link.facts
        assert (facts.node, facts.firmware, facts.version, facts.signs) == (0xBEEF, "2.8.1.abc", (2, 8, 1), True)
        assert (facts.region, facts.preset, facts.slot, facts.frequency_mhz) == ("EU_868", "MEDIUM_FAST", 1, 869.525)
        assert facts.channels[:2] == ("", "quartier") and facts.channel_use == 0.0
        utc, gps = link.radio_time
        assert abs(utc - 1_900_000_000) < 5 and not gps
        link.close()


def test_channel_use_comes_from_the_radios_own_telemetry(mesh, connect):
    here, there = connect(mesh.ports[0]), connect(mesh.ports[1])
    until(lambda: here.up and there.up)
    for _ in range(5):
        here.send(bytes(231))
    until(lambda: here.facts.own_use and there.facts.channel_use)
    assert 0 < here.facts.own_use < 0.01 < there.facts.channel_use < 1 and there.facts.own_use == 0


def test_neighbours_heard_are_listed(mesh, connect):
    here, there = connect(mesh.ports[0]), connect(mesh.ports[1])
    until(lambda: here.up and there.up)
    assert hears(here, there) and hears(here, there)
    (neighbour,) = there.neighbours
    assert (neighbour.node, neighbour.packets, neighbour.hops, neighbour.snr_db) == ("!a1c00000", 2, 0, 5.0)


def test_a_radio_that_comes_later_is_found(connect):
    with SimulatedMesh([(0, 1)], speed=SPEED) as mesh:
        mesh.switch(0, False)
        link = connect(mesh.ports[0])
        until(lambda: link.state == "absent")
        assert link.send(b"nobody") is Outcome.DOWN
        mesh.switch(0, True)
        until(lambda: link.up)
        link.close()


def test_a_radio_that_restarts_is_found_again(mesh, connect):
    here, there = connect(mesh.ports[0]), connect(mesh.ports[1])
    until(lambda: here.up and there.up)
    mesh.switch(0, False)
    until(lambda: not here.up)
    mesh.switch(0, True)
    until(lambda: here.up)
    assert hears(here, there) and hears(there, here)


def test_a_radio_that_reboots_on_its_line_is_asked_for_its_configuration_again(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.answers = False
    puppet.say(rebooted=True)
    until(lambda: not link.up)
    puppet.answers = True
    puppet.say(rebooted=True)
    until(lambda: link.up)
    assert puppet.accepted == 1 and link.counters["rebooted"] == 2


def test_a_cable_pulled_and_plugged_in_again(mesh, connect, tmp_path):
    path = str(tmp_path / "ttyUSB0")
    link, other = connect(f"serial:{path}"), connect(mesh.ports[1])
    until(lambda: link.state == "absent" and other.up)
    for _ in range(2):
        mesh.plug(0, path)
        until(lambda: link.up)
        assert hears(link, other) and hears(other, link)
        mesh.unplug(0, path)
        until(lambda: not link.up)


def test_auto_takes_the_radio_that_is_plugged_in(mesh, connect, tmp_path, monkeypatch):
    path = str(tmp_path / "ttyACM0")
    monkeypatch.setattr(meshtastic_link, "serial_paths", lambda: [str(tmp_path / "mouse"), path])
    mesh.plug(0, path)
    link = connect("auto")
    until(lambda: link.up)


def test_no_radio_at_all_is_a_state_not_an_error(connect, monkeypatch):
    monkeypatch.setattr(meshtastic_link, "serial_paths", lambda: [])
    link = connect("serial")
    until(lambda: link.state == "absent")


def test_without_a_region_the_link_says_so(connect):
    with SimulatedMesh([], settings={0: DeviceSettings(5, region="UNSET")}, speed=SPEED) as mesh:
        link = connect(mesh.ports[0])
        until(lambda: link.state == "region-unset")
        assert link.send(b"where") is Outcome.REGION_UNSET
        link.close()


def test_a_channel_the_radio_does_not_have_is_a_state(mesh, connect):
    by_name, by_index = connect(mesh.ports[0], channel="nowhere"), connect(mesh.ports[1], channel=3)
    until(lambda: by_name.state == by_index.state == "channel-missing")
    assert by_name.send(b"x") is Outcome.DOWN


def test_packets_travel_on_the_channel_asked_for(connect):
    settings = {node: DeviceSettings(node + 1, channels=("", "quartier")) for node in (0, 1)}
    with SimulatedMesh([(0, 1)], settings=settings, speed=SPEED) as mesh:
        here, there = (connect(mesh.ports[node], channel="quartier") for node in (0, 1))
        until(lambda: here.up and there.up)
        assert hears(here, there)
        here.close()
        there.close()


def test_the_legal_limit_is_told_as_such(connect):
    with SimulatedMesh([], settings={0: DeviceSettings(5, region="UA_868")}, speed=500) as mesh:
        link = MeshtasticLink(MeshtasticSettings(f"tcp:127.0.0.1:{mesh.ports[0]}", speed=500))
        until(lambda: link.up)
        outcomes = [link.send(bytes(231)) for _ in range(20)]
        assert outcomes[:16] == [Outcome.SENT] * 16 and outcomes[-1] is Outcome.DUTY_CYCLE
        link.close()


def test_a_burst_on_a_fresh_connection_arrives_whole(mesh, connect):
    here, there = connect(mesh.ports[0]), connect(mesh.ports[1])
    until(lambda: here.up and there.up)
    assert [here.send(bytes([number])) for number in range(40)] == [Outcome.SENT] * 40
    assert [there.receive(2).payload[0] for _ in range(40)] == list(range(40))


def test_one_packet_at_a_time_waits_in_the_radios_queue(mesh, connect):
    here = connect(mesh.ports[0])
    until(lambda: here.up)
    began = mesh.now()
    assert [here.send(bytes(231)) for _ in range(5)] == [Outcome.SENT] * 5
    assert mesh.now() - began > 5 * 2.157


def test_a_full_queue_is_waited_for_and_no_longer_than_patience_lasts(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.say(queueStatus=mesh_pb2.QueueStatus(free=0, maxlen=16))
    until(lambda: link._free == 0)
    assert link.send(b"x") is Outcome.QUEUE_FULL
    sending = threading.Thread(target=link.send, args=(b"y",))
    sending.start()
    puppet.say(queueStatus=mesh_pb2.QueueStatus(free=2, maxlen=16))
    assert puppet.next_packet().decoded.payload == b"y"
    sending.join(10)


@pytest.mark.parametrize(("res", "outcome"), [
    (7, Outcome.TOO_LARGE), (9, Outcome.DUTY_CYCLE), (32, Outcome.QUEUE_FULL), (34, Outcome.REGION_UNSET),
    (3, Outcome.FAILED), (99, Outcome.FAILED)])
def test_what_the_radio_answers_becomes_an_outcome(puppet, connect, res, outcome):
    link = connect(puppet.port, patience=replace(CALM, status=5))
    until(lambda: link.up)
    results = []
    sending = threading.Thread(target=lambda: results.append(link.send(b"x")))
    sending.start()
    packet = puppet.next_packet()
    puppet.say(queueStatus=mesh_pb2.QueueStatus(res=res, free=16, maxlen=16, mesh_packet_id=packet.id))
    sending.join(10)
    assert results == [outcome] and link.counters[outcome.value] == 1


def test_a_radio_that_never_tells_of_its_queue_is_believed(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    assert link.send(b"x") is Outcome.SENT
    assert puppet.next_packet().decoded.portnum == 256 and link.counters["no-status"] == 1


def test_a_radio_that_usually_tells_and_once_does_not_has_failed(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.say(queueStatus=mesh_pb2.QueueStatus(free=16, maxlen=16))
    until(lambda: link._free == 16)
    assert link.send(b"x") is Outcome.FAILED


def test_a_stream_that_breaks_while_sending_is_down_not_sent(puppet, connect):
    link = connect(puppet.port, patience=replace(CALM, status=30))
    until(lambda: link.up)
    results = []
    sending = threading.Thread(target=lambda: results.append(link.send(b"x")))
    sending.start()
    puppet.next_packet()
    puppet.hang_up()
    sending.join(10)
    assert results == [Outcome.DOWN]


def test_a_connection_that_is_reset_is_noticed_at_once(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.slam()
    until(lambda: not link.up or link.counters["connected"] == 2, 5)


def test_a_refused_packet_is_not_sent_again_with_the_next(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    for number, res in enumerate((7, 0, 0)):
        sending = threading.Thread(target=link.send, args=(b"%d" % number,))
        sending.start()
        packet = puppet.next_packet()
        assert packet.decoded.payload == b"%d" % number
        puppet.say(queueStatus=mesh_pb2.QueueStatus(res=res, free=15, maxlen=16, mesh_packet_id=packet.id))
        sending.join(10)


def test_what_the_radio_brings_of_ourselves_and_texts_for_others_are_left_out(puppet, connect):
    texts = []
    link = connect(puppet.port, on_text=lambda *text: texts.append(text))
    until(lambda: link.up)
    for number, (sender, to, port) in enumerate([(9, 0xFFFFFFFF, 256), (8, 0xFFFFFFFF, 1), (8, 7, 1), (8, 9, 1),
                                                 (8, 0xFFFFFFFF, 256)]):
        data = mesh_pb2.Data(portnum=port, payload=b"%d" % number)
        packet = mesh_pb2.MeshPacket(id=number + 1, to=to, decoded=data)
        setattr(packet, "from", sender)
        puppet.say(packet=packet)
    assert link.receive(5).payload == b"4" and link.receive(0.05) is None
    assert texts == [("!00000008", "3")]


def test_silence_ends_a_connection_and_heartbeats_keep_one_alive(puppet, mesh, connect):
    silent, lively = connect(puppet.port, patience=HASTY), connect(mesh.ports[0], patience=HASTY)
    until(lambda: silent.counters["silent"] >= 1 and silent.counters["connected"] >= 2)
    assert lively.up and lively.counters["connected"] == 1


def test_a_radio_that_takes_the_call_and_says_nothing_is_tried_again(puppet, connect):
    puppet.answers = False
    link = connect(puppet.port, patience=replace(HASTY, handshake=0.2))
    until(lambda: link.state == "no-answer")
    puppet.answers = True
    until(lambda: link.up)


def test_two_programs_on_one_radio_are_noticed(mesh, connect):
    one, other = connect(mesh.ports[0]), connect(mesh.ports[0])
    until(lambda: one.counters["contested"] and other.counters["contested"])
    other.close()
    until(lambda: one.up)


def test_garbage_from_the_radio_is_counted_and_harms_nothing(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.write(b"\x94\xc3\x00\x05\xff\xff\xff\xff\xff" + b"INFO | log line\r\n" + b"\x94\xc3\xff\xff" + bytes(50))
    until(lambda: link.counters["radio-garbage"] == 1)
    assert link._session.wire.cur_log_line == "", "noise is not kept"
    bad = mesh_pb2.MeshPacket(id=4, decoded=mesh_pb2.Data(portnum=5, request_id=1, payload=b"\xff\xff"))
    telemetry = mesh_pb2.MeshPacket(id=5, decoded=mesh_pb2.Data(portnum=67, payload=b"\xff\xff"))
    for packet in (bad, telemetry):
        setattr(packet, "from", 9)
        puppet.say(packet=packet)
    good = mesh_pb2.MeshPacket(id=6, decoded=mesh_pb2.Data(portnum=256, payload=b"good"))
    setattr(good, "from", 8)
    puppet.say(packet=good)
    assert link.receive(5).payload == b"good" and link.up


def test_an_inbound_flood_is_bounded_and_counted(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    for number in range(meshtastic_link.MAX_INBOUND + 20):
        packet = mesh_pb2.MeshPacket(id=number + 1, decoded=mesh_pb2.Data(portnum=256, payload=b"flood"))
        setattr(packet, "from", 1000 + number)
        puppet.say(packet=packet)
    until(lambda: link.counters["inbound-full"] == 20)
    assert len(link.neighbours) == 64


def test_text_messages_reach_the_hook_and_answers_are_acknowledged(mesh, connect):
    texts = queue.Queue()
    here = connect(mesh.ports[0], on_text=lambda sender, text: texts.put((sender, text)))
    there = connect(mesh.ports[1], on_text=lambda sender, text: texts.put((sender, text)))
    until(lambda: here.up and there.up)
    assert here.send_text("!a1c00001", "liste s'il vous plaît") is Outcome.SENT
    assert texts.get(timeout=5) == ("!a1c00000", "liste s'il vous plaît")
    assert there.send_text("!a1c00000", "1. Marché") is Outcome.SENT
    assert texts.get(timeout=5) == ("!a1c00001", "1. Marché")
    until(lambda: here.counters["text-acked"] and there.counters["text-acked"])
    with pytest.raises(ValueError, match="219"):
        here.send_text("!a1c00001", "é" * 110)


def test_texts_in_a_row_keep_the_pause_that_the_firmware_wants(mesh, connect):
    texts = queue.Queue()
    here = connect(mesh.ports[0])
    there = connect(mesh.ports[1], on_text=lambda sender, text: texts.put(text))
    until(lambda: here.up and there.up)
    for number in range(3):
        assert here.send_text("!a1c00001", str(number)) is Outcome.SENT
    assert [texts.get(timeout=5) for _ in range(3)] == ["0", "1", "2"]


def test_only_the_receivers_word_counts_as_an_acknowledgement(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    link.send_text("!00000008", "hello")
    packet = puppet.next_packet()
    assert (packet.to, packet.want_ack) == (8, True)
    for sender in (9, 7, 8):
        data = mesh_pb2.Data(portnum=5, request_id=packet.id, payload=b"\x18\x00")
        ack = mesh_pb2.MeshPacket(id=sender, to=9, decoded=data)
        setattr(ack, "from", sender)
        assert link.counters["text-acked"] == 0
        puppet.say(packet=ack)
        if sender != 8:
            _settle(puppet, link)
    until(lambda: link.counters["text-acked"] == 1)


def _settle(puppet, link):
    """Wait until the link has read all that the puppet said."""
    data = mesh_pb2.Data(portnum=256, payload=b"mark")
    mark = mesh_pb2.MeshPacket(id=99, decoded=data)
    setattr(mark, "from", 5)
    puppet.say(packet=mark)
    assert link.receive(5).payload == b"mark"


def test_a_text_nobody_hears_is_counted_as_failed(mesh, connect):
    link = connect(mesh.ports[0])
    until(lambda: link.up)
    mesh.partition([0], [1])
    link.send_text("!a1c00001", "allo")
    until(lambda: link.counters["text-failed"])


def test_hops_are_counted_from_what_the_packet_says(connect):
    with SimulatedMesh([(0, 1), (1, 2)], speed=SPEED) as mesh:
        here, there = connect(mesh.ports[0]), connect(mesh.ports[2])
        until(lambda: here.up and there.up)
        here.send(b"far", hop_limit=3)
        assert there.receive(5).hops == 1
        here.close()
        there.close()


@pytest.mark.parametrize("settings", [
    {"max_payload": 232}, {"max_payload": 0}, {"portnum": 255}, {"portnum": 512}, {"connect": "usb:1"}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ValueError):
        MeshtasticSettings(**settings)


@pytest.mark.parametrize(("address", "parts"), [
    ("radio.local", ("radio.local", 4403)), ("10.0.0.7:99", ("10.0.0.7", 99)), ("[fe80::1]:99", ("fe80::1", 99)),
    ("fe80::1", ("fe80::1", 4403))])
def test_addresses_are_split_into_host_and_port(address, parts):
    assert split_address(address) == parts

"""A simulated device does what the firmware was measured to do."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meshtastic.protobuf import mesh_pb2, portnums_pb2, telemetry_pb2

from radio.meshtastic.framing import Deframer, framed
from radio.sim.air import Air
from radio.sim.simdevice import EVERYBODY, MAX_WAITING, Device, DeviceSettings
from radio.sim.topology import lay

PRIVATE, TEXT, ROUTING, TELEMETRY = 256, 1, 5, 67


class Bench:
    """Devices numbered from 1 on one air, with a client at each unless told otherwise, in virtual time."""

    def __init__(self, pairs, clients=None, seed=1, **settings):
        self.now, self.air = 0.0, Air(random.Random(seed))
        lay(self.air, pairs)
        numbers = {node for pair in pairs for node in pair}
        self.devices = {number: Device(self.air, DeviceSettings(number, **settings)) for number in numbers}
        self.deframers = {number: Deframer() for number in numbers}
        self.told = {number: [] for number in numbers}
        for number in numbers if clients is None else clients:
            self.connect(number)

    def connect(self, number):
        self.devices[number].attach()
        self.say(number, want_config_id=42)

    def say(self, number, **message):
        self.devices[number].receive(framed(mesh_pb2.ToRadio(**message).SerializeToString()), self.now)
        self.collect()

    def send(self, number, payload, to=EVERYBODY, port=PRIVATE, packet_id=0, **fields):
        data = mesh_pb2.Data(portnum=port, payload=payload)
        self.say(number, packet=mesh_pb2.MeshPacket(to=to, id=packet_id, decoded=data, **fields))

    def run(self, seconds):
        until = self.now + seconds
        while True:
            times = [device.next_at() for device in self.devices.values()] + [self.air.next_at() or until]
            self.now = min(min(times), until)
            for happening in self.air.advance(self.now):
                self.devices[happening.node].happened(happening)
            for device in self.devices.values():
                device.tick(self.now)
            self.collect()
            if self.now >= until:
                return

    def collect(self):
        for number, device in self.devices.items():
            for raw in self.deframers[number].feed(device.take()):
                self.told[number].append((self.now, mesh_pb2.FromRadio.FromString(raw)))

    def kinds(self, number):
        return [message.WhichOneof("payload_variant") for _, message in self.told[number]]

    def statuses(self, number):
        return [message.queueStatus for _, message in self.told[number] if message.HasField("queueStatus")]

    def packets(self, number, port):
        return [message.packet for _, message in self.told[number]
                if message.HasField("packet") and message.packet.decoded.portnum == port]

    def verdicts(self, number):
        """(who says so, error, about which packet) of every ACK and NAK told to a client."""
        return [(getattr(packet, "from"), mesh_pb2.Routing.FromString(packet.decoded.payload).error_reason,
                 packet.decoded.request_id) for packet in self.packets(number, ROUTING)]


def test_the_handshake_comes_in_the_firmwares_order_and_ends_with_the_clients_word():
    bench = Bench([(1, 2)])
    assert bench.kinds(1) == ["my_info", "node_info", "metadata", *["channel"] * 8, "config", "config",
                              "config_complete_id"]
    assert bench.told[1][-1][1].config_complete_id == 42


def test_231_bytes_go_out_and_232_are_refused_at_once():
    bench = Bench([(1, 2)])
    bench.send(1, bytes(231), packet_id=7)
    bench.send(1, bytes(232), packet_id=8)
    bench.send(1, bytes(233), packet_id=9)
    bench.run(10)
    assert [(status.mesh_packet_id, status.res) for status in bench.statuses(1)] == [(7, 0), (8, 7), (9, 7)]
    assert bench.verdicts(1) == [(1, 7, 8), (1, 7, 9)]
    assert [len(packet.decoded.payload) for packet in bench.packets(2, PRIVATE)] == [231]


def test_more_than_the_protocol_holds_is_ignored():
    bench = Bench([(1, 2)])
    bench.send(1, bytes(234))
    assert bench.statuses(1) == []


def test_every_send_is_answered_with_the_state_of_a_queue_of_sixteen():
    bench = Bench([(1, 2)])
    for number in range(1, 19):
        bench.send(1, b"quick", packet_id=number)
    statuses = bench.statuses(1)
    assert [status.free for status in statuses] == [*range(15, -1, -1), 0, 0]
    assert [status.res for status in statuses] == [0] * 16 + [32, 32]
    assert {status.maxlen for status in statuses} == {16}
    bench.run(60)
    assert len(bench.packets(2, PRIVATE)) == 16


def test_a_draining_queue_is_told_only_when_it_was_full():
    bench = Bench([(1, 2)])
    for number in range(1, 4):
        bench.send(1, b"few", packet_id=number)
    bench.run(30)
    assert len(bench.statuses(1)) == 3
    for number in range(11, 27):
        bench.send(1, b"many", packet_id=number)
    bench.run(5)
    assert bench.statuses(1)[-1].mesh_packet_id == 0 and bench.statuses(1)[-1].free > 0


def test_without_a_region_every_send_is_refused():
    bench = Bench([(1, 2)], region="UNSET")
    bench.send(1, b"where am I", packet_id=3)
    bench.run(10)
    assert [status.res for status in bench.statuses(1)] == [34]
    assert bench.verdicts(1) == [] and bench.packets(2, PRIVATE) == []


def test_after_a_tenth_of_an_hour_europe_hears_no_more():
    bench = Bench([(1, 2)])
    sent = 0
    while not bench.verdicts(1):
        sent += 1
        bench.send(1, bytes(231), packet_id=sent)
        bench.run(4)
    assert 165 <= sent <= 170  # 360 s of 2.157 s
    assert bench.statuses(1)[-1].res == 9 and bench.verdicts(1) == [(1, 9, sent)]
    assert "clientNotification" in bench.kinds(1)
    bench.run(3600)
    bench.send(1, b"an hour later", packet_id=999)
    assert bench.statuses(1)[-1].res == 0


def test_a_neighbour_acknowledges_a_direct_message_in_seconds():
    bench = Bench([(1, 2)])
    bench.send(1, b"salut", to=2, port=TEXT, packet_id=5, want_ack=True)
    bench.run(5)
    assert bench.verdicts(1) == [(2, 0, 5)]
    assert [packet.decoded.payload for packet in bench.packets(2, TEXT)] == [b"salut"]


def test_over_two_hops_our_own_node_speaks_first_then_the_receiver():
    bench = Bench([(1, 2), (2, 3)])
    bench.send(1, b"loin", to=3, port=TEXT, packet_id=5, want_ack=True, hop_limit=3)
    bench.run(30)
    assert bench.verdicts(1) == [(1, 0, 5), (3, 0, 5)]
    assert bench.packets(2, TEXT) == []
    assert [(packet.hop_start, packet.hop_limit) for packet in bench.packets(3, TEXT)] == [(3, 2)]


def test_what_somebody_passed_on_is_not_repeated():
    bench = Bench([(1, 2), (2, 3)])
    bench.air.partition([1, 2], [3])
    bench.send(1, b"loin", to=3, port=TEXT, packet_id=5, want_ack=True, hop_limit=3)
    bench.run(60)
    assert bench.verdicts(1) == [(1, 0, 5)]
    assert bench.air.counters["frames"] == 2


def test_nobody_in_range_means_three_transmissions_and_a_nak_after_some_twenty_seconds():
    bench = Bench([(1, 2)])
    bench.air.partition([1], [2])
    bench.send(1, b"allo", to=2, port=TEXT, packet_id=5, want_ack=True)
    bench.run(18)
    assert bench.verdicts(1) == []
    bench.run(8)
    assert bench.verdicts(1) == [(1, 5, 5)]
    assert bench.air.counters["frames"] == 3


def test_a_lost_ack_is_given_again_but_the_message_delivered_once():
    bench = Bench([(1, 2)])
    bench.air.path(2, 1, loss=1.0)
    bench.send(1, b"encore", to=2, port=TEXT, packet_id=5, want_ack=True)
    bench.run(8)
    bench.air.path(2, 1, loss=0.0)
    bench.run(20)
    assert bench.verdicts(1) == [(2, 0, 5)]
    assert len(bench.packets(2, TEXT)) == 1


def test_texts_within_two_seconds_of_each_other_are_refused():
    bench = Bench([(1, 2)])
    bench.send(1, b"un", port=TEXT, packet_id=1)
    bench.send(1, b"deux", port=TEXT, packet_id=2)
    bench.run(3)
    bench.send(1, b"trois", port=TEXT, packet_id=3)
    bench.run(10)
    assert bench.verdicts(1) == [(1, 38, 2)]
    assert [packet.decoded.payload for packet in bench.packets(2, TEXT)] == [b"un", b"trois"]


def test_a_direct_message_has_room_for_219_bytes_because_it_is_sealed():
    bench = Bench([(1, 2)])
    bench.send(1, bytes(219), to=2, packet_id=1)
    bench.send(1, bytes(220), to=2, packet_id=2)
    assert [status.res for status in bench.statuses(1)] == [0, 7]


def test_an_unknown_receiver_has_no_public_key():
    bench = Bench([(1, 2)])
    bench.send(1, b"qui", to=77, packet_id=1, pki_encrypted=True)
    assert bench.statuses(1)[-1].res == 39


@pytest.mark.parametrize(("firmware", "payload_bytes", "frame_bytes"), [
    ("2.7.26", 100, 100 + 24 - 1), ("2.8.0", 100, 100 + 24 - 1 + 66), ("2.8.0", 166, 166 + 24)])
def test_newer_firmware_signs_broadcasts_that_leave_room(firmware, payload_bytes, frame_bytes):
    bench = Bench([(1, 2)], firmware=firmware)
    bench.send(1, bytes(payload_bytes))
    bench.run(10)
    assert bench.air.counters["bytes"] == frame_bytes


def test_what_came_while_nobody_was_connected_is_kept_the_oldest_first():
    bench = Bench([(1, 2)], clients=[1])
    for number in range(1, MAX_WAITING + 9):
        bench.send(1, bytes([number]), packet_id=number)
        bench.run(5)
    bench.connect(2)
    assert [packet.decoded.payload[0] for packet in bench.packets(2, PRIVATE)] == list(range(1, MAX_WAITING + 1))


def test_a_heartbeat_is_answered_and_a_packet_said_twice_goes_out_once():
    bench = Bench([(1, 2)])
    bench.say(1, heartbeat=mesh_pb2.Heartbeat())
    assert bench.statuses(1)[-1].free == 16
    bench.send(1, b"once", packet_id=5)
    bench.send(1, b"once", packet_id=5)
    bench.run(10)
    assert len(bench.statuses(1)) == 2 and len(bench.packets(2, PRIVATE)) == 1


def test_packets_bring_signal_hops_and_the_time_if_the_radio_knows_it():
    bench = Bench([(1, 2)], clock=lambda: 1_800_000_000)
    bench.send(1, b"x", hop_limit=3)
    bench.run(5)
    (packet,) = bench.packets(2, PRIVATE)
    assert (packet.rx_snr, packet.rx_rssi, packet.hop_start, packet.hop_limit) == (5.0, -100, 3, 3)
    assert packet.rx_time == 1_800_000_000 and packet.decoded.HasField("bitfield")


def test_another_channel_is_not_heard():
    bench = Bench([(1, 2)], channels=("", "archipel"))
    bench.devices[2].settings = DeviceSettings(2)
    bench.send(1, b"secret", channel=1)
    bench.send(1, b"open", channel=0)
    bench.send(1, b"none", channel=2, packet_id=9)
    bench.run(10)
    assert [packet.decoded.payload for packet in bench.packets(2, PRIVATE)] == [b"open"]
    assert bench.statuses(1)[-1].res == mesh_pb2.Routing.Error.NO_CHANNEL


def test_telemetry_tells_the_client_how_busy_the_air_is():
    bench = Bench([(1, 2)])
    for _ in range(10):
        bench.send(1, bytes(231))
        bench.run(5.5)
    bench.run(10)
    (packet,) = bench.packets(2, TELEMETRY)
    assert getattr(packet, "from") == 2 and portnums_pb2.TELEMETRY_APP == TELEMETRY
    assert 25 < _metrics(packet).channel_utilization < 40 and _metrics(packet).air_util_tx == 0
    assert _metrics(bench.packets(1, TELEMETRY)[0]).air_util_tx > 0.4


def _metrics(packet):
    return telemetry_pb2.Telemetry.FromString(packet.decoded.payload).device_metrics


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_garbage_from_a_client_does_nothing(noise, body):
    bench = Bench([(1, 2)])
    bench.devices[1].receive(noise + framed(body[:200]) + framed(b"\xff\xff\xff"), 0.0)
    bench.devices[1].attach()  # a fresh stream: the rest of the noise is another client's
    bench.told[1].clear()
    bench.say(1, want_config_id=1)
    assert bench.kinds(1)[-1] == "config_complete_id"

"""A simulated device does what the firmware was measured to do."""

import random
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from meshtastic.protobuf import mesh_pb2, portnums_pb2, telemetry_pb2

from radio.meshtastic.framing import Deframer, framed
from radio.sim.air import Air
from radio.sim.habits import SenderLimit
from radio.sim.simdevice import EVERYBODY, MAX_WAITING, XEDDSA_SIGNED, Device, acquaint
from radio.sim.simnodes import BALANCED, COMPATIBLE, STRICT, DeviceSettings, NodeList
from radio.sim.topology import lay

PRIVATE, TEXT, NODEINFO, ROUTING, TELEMETRY = 256, 1, 4, 5, 67


class Bench:
    """Devices numbered from 1 on one air, with a client at each unless told otherwise, in virtual time. They know each
    other unless told otherwise; `each` sets up single ones.
    """

    def __init__(self, pairs, clients=None, seed=1, each=None, **settings):
        self.now, self.air = 0.0, Air(random.Random(seed))
        numbers = {node for pair in pairs for node in pair}
        settings = {"acquainted": True, **settings}
        chosen = {number: DeviceSettings(number, **settings | (each or {}).get(number, {})) for number in numbers}
        lay(self.air, [(chosen[one].node, chosen[other].node) for one, other in pairs],
            habits={one.node: one.habits for one in chosen.values()})
        self.devices = {number: Device(self.air, one) for number, one in chosen.items()}
        acquaint(self.devices.values())
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
        to = self.devices[to].settings.node if to in self.devices else to
        self.say(number, packet=mesh_pb2.MeshPacket(to=to, id=packet_id, decoded=data, **fields))

    def run(self, seconds):
        until = self.now + seconds
        while True:
            times = [device.next_at() for device in self.devices.values()] + [self.air.next_at() or until]
            self.now = min(min(times), until)
            for happening in self.air.advance(self.now):
                next(one for one in self.devices.values() if one.settings.node == happening.node).happened(happening)
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


@pytest.mark.parametrize(("firmware", "unknown", "modules", "messages"), [("2.7.26", 0, 13, 43), ("2.8.0", 1, 17, 48)])
def test_the_handshake_comes_in_the_firmwares_order_and_ends_with_the_clients_word(firmware, unknown, modules, messages):
    bench = Bench([(1, 2), (1, 3)], firmware=firmware)
    expected = ["my_info", "deviceuiConfig", "node_info", "metadata", *[None] * unknown, *["channel"] * 8,
                *["config"] * 10, *["moduleConfig"] * modules, *["node_info"] * 2, *["fileInfo"] * 5, "config_complete_id"]
    assert bench.kinds(1) == expected and len(expected) == messages
    assert bench.told[1][-1][1].config_complete_id == 42


def test_the_handshake_tells_policy_role_and_other_nodes():
    bench = Bench([(1, 2)], firmware="2.8.0", each={1: {"policy": STRICT, "role": "ROUTER", "rebroadcast": "KNOWN_ONLY"}})
    told = [message for _, message in bench.told[1]]
    (security,) = [message.config.security for message in told if message.config.HasField("security")]
    (device,) = [message.config.device for message in told if message.config.HasField("device")]
    assert security.SerializeToString().endswith(b"\x48\x02") and (device.role, device.rebroadcast_mode) == (2, 3)
    own, other = [message.node_info for message in told if message.HasField("node_info")]
    assert own.num == bench.devices[1].settings.node and other.user.public_key == bench.devices[2].settings.public_key


def test_231_bytes_go_out_and_232_are_refused_at_once():
    bench = Bench([(1, 2)])
    bench.send(1, bytes(231), packet_id=7)
    bench.send(1, bytes(232), packet_id=8)
    bench.send(1, bytes(233), packet_id=9)
    bench.run(10)
    assert [(status.mesh_packet_id, status.res) for status in bench.statuses(1)] == [(7, 0), (8, 7), (9, 7)]
    assert bench.verdicts(1) == [(1, 7, 8), (1, 7, 9)]
    assert [len(packet.decoded.payload) for packet in bench.packets(2, PRIVATE)] == [231]


def test_more_than_the_protocol_holds_is_refused_too():
    bench = Bench([(1, 2)])
    bench.send(1, bytes(234))
    assert [status.res for status in bench.statuses(1)] == [7]


def test_of_a_burst_only_the_last_two_are_answered_and_what_fits_the_queue_goes_out():
    bench = Bench([(1, 2)])
    burst = b"".join(framed(mesh_pb2.ToRadio(packet=mesh_pb2.MeshPacket(
        to=EVERYBODY, id=number, decoded=mesh_pb2.Data(portnum=PRIVATE, payload=b"quick"))).SerializeToString())
        for number in range(1, 41))
    bench.devices[1].receive(burst, bench.now)
    bench.collect()
    assert [(status.mesh_packet_id, status.res) for status in bench.statuses(1)] == [(39, 32), (40, 32)]
    bench.run(60)
    assert len(bench.packets(2, PRIVATE)) == 16


def test_a_refusal_is_a_status_first_and_a_nak_after_it():
    bench = Bench([(1, 2)])
    bench.send(1, bytes(233), packet_id=9)
    assert bench.kinds(1)[-2:] == ["queueStatus", "packet"]
    assert (bench.statuses(1)[-1].res, bench.verdicts(1)) == (7, [(1, 7, 9)])


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


def test_a_second_text_within_two_seconds_is_dropped_without_a_word():
    bench = Bench([(1, 2)])
    bench.send(1, b"un", port=TEXT, packet_id=1)
    bench.send(1, b"deux", port=TEXT, packet_id=2)
    bench.run(3)
    bench.send(1, b"trois", port=TEXT, packet_id=3)
    bench.run(10)
    assert bench.verdicts(1) == [] and [status.res for status in bench.statuses(1)] == [0, 0, 0]
    assert [packet.decoded.payload for packet in bench.packets(2, TEXT)] == [b"un", b"trois"]


def test_a_direct_message_has_room_for_219_bytes_because_it_is_sealed():
    bench = Bench([(1, 2)])
    bench.send(1, bytes(219), to=2, packet_id=1)
    bench.send(1, bytes(220), to=2, packet_id=2)
    assert [status.res for status in bench.statuses(1)] == [0, 7]


@pytest.mark.parametrize("firmware", ["2.7.26", "2.8.0"])
def test_a_receiver_whose_key_is_unknown_gets_nothing_whether_or_not_the_client_asked_for_encryption(firmware):
    bench = Bench([(1, 2)], firmware=firmware, acquainted=False)
    for packet_id, asked in ((1, True), (2, False)):
        bench.send(1, b"qui", to=2, packet_id=packet_id, pki_encrypted=asked)
    ours = bench.devices[1].settings.node
    assert [status.res for status in bench.statuses(1)] == [39, 39]
    assert bench.verdicts(1) == [(ours, 39, 1), (ours, 39, 2)]
    bench.run(10)
    assert bench.packets(2, PRIVATE) == [] and bench.air.counters["frames"] == 0


def test_two_strangers_tell_each_other_who_they_are_in_two_frames():
    bench = Bench([(1, 2)], acquainted=False)
    bench.send(1, b"bonjour", packet_id=1)
    bench.run(20)
    assert bench.air.counters["frames"] == 3
    assert bench.devices[1].nodes.key(2) and bench.devices[2].nodes.key(1)
    bench.send(1, b"entre nous", to=2, packet_id=2)
    bench.run(10)
    (packet,) = [packet for packet in bench.packets(2, PRIVATE) if packet.to == 2]
    assert packet.decoded.payload == b"entre nous" and packet.pki_encrypted and packet.channel == 0
    assert packet.public_key != b"" and not bench.packets(2, PRIVATE)[0].pki_encrypted


def test_an_amateurs_radio_has_no_key_for_others_and_sends_in_clear():
    bench = Bench([(1, 2)], each={2: {"licensed": True}})
    bench.send(1, b"for one", to=2, packet_id=1)
    assert bench.statuses(1)[-1].res == 39
    bench.send(2, b"in clear", to=1, packet_id=2)
    bench.run(10)
    (packet,) = bench.packets(1, PRIVATE)
    assert packet.decoded.payload == b"in clear" and not packet.pki_encrypted


def test_a_radio_tells_who_it_is_half_a_minute_after_its_start_and_every_three_hours():
    bench = Bench([(1, 2)], acquainted=False)
    bench.run(65)
    assert bench.devices[1].nodes.key(2) and bench.air.counters["frames"] == 4  # two and their copies
    bench.run(3 * 3600)
    assert bench.air.counters["frames"] == 8
    assert [packet.to for packet in bench.packets(2, NODEINFO)] == [EVERYBODY] * 2


def test_what_is_sealed_by_a_radio_that_one_does_not_know_is_lost_without_a_word():
    bench = Bench([(1, 2)], each={2: {"acquainted": False}})
    bench.send(1, b"who am i to you", to=2, packet_id=1)
    bench.run(10)
    assert bench.statuses(1)[-1].res == 0 and bench.packets(2, PRIVATE) == []


def test_a_key_once_known_is_not_replaced_and_what_is_sealed_with_the_former_is_lost():
    bench = Bench([(1, 2)])
    renewed = DeviceSettings(2, identity=1)
    bench.devices[1].nodes.introduce(renewed.user, 2, signed=False)
    assert bench.devices[1].nodes.key(2) == DeviceSettings(2).public_key
    bench.devices[2].settings = renewed
    bench.devices[2].nodes = NodeList(renewed)
    bench.devices[2].nodes.introduce(DeviceSettings(1).user, 1, signed=False)
    bench.send(1, b"to whom it was", to=2, packet_id=1)
    bench.run(10)
    assert bench.packets(2, PRIVATE) == []


def test_newer_firmware_takes_its_number_from_its_key():
    old, new, renewed = (DeviceSettings(7, **settings) for settings in (
        {}, {"firmware": "2.8.0"}, {"firmware": "2.8.0", "identity": 1}))
    assert old.node == 7 and new.node == zlib.crc32(new.public_key) != renewed.node


def test_who_wants_an_answer_and_no_hops_gets_the_usual_hops():
    bench = Bench([(1, 2)])
    bench.send(1, b"salut", to=2, port=TEXT, packet_id=5, want_ack=True)
    bench.send(1, b"sans", to=2, packet_id=6)
    bench.run(5)
    assert [packet.hop_start for packet in bench.packets(2, TEXT) + bench.packets(2, PRIVATE)] == [3, 0]


SIGNED_UP_TO, LARGE = 165, 166


@pytest.mark.parametrize(("policy", "firmware", "sizes"), [
    (COMPATIBLE, "2.8.0", [SIGNED_UP_TO, LARGE]), (BALANCED, "2.8.0", [SIGNED_UP_TO, LARGE]),
    (STRICT, "2.8.0", [SIGNED_UP_TO]), (COMPATIBLE, "2.7.26", [SIGNED_UP_TO, LARGE]),
    (BALANCED, "2.7.26", [SIGNED_UP_TO, LARGE]), (STRICT, "2.7.26", [])])
def test_a_strict_radio_hears_and_passes_on_only_what_is_signed(policy, firmware, sizes):
    bench = Bench([(1, 2), (2, 3)], firmware="2.8.0", each={1: {"firmware": firmware}, 2: {"policy": policy}})
    for size in (SIGNED_UP_TO, LARGE):
        bench.send(1, bytes(size), hop_limit=3)
        bench.run(20)
    for receiver in (2, 3):
        heard = bench.packets(receiver, PRIVATE)
        assert [len(packet.decoded.payload) for packet in heard] == sizes
        assert [XEDDSA_SIGNED in packet.SerializeToString() for packet in heard] == [
            firmware == "2.8.0" and size == SIGNED_UP_TO for size in sizes]


def test_a_strict_radio_knows_a_stranger_by_its_signed_word_to_everybody_only():
    bench = Bench([(1, 2)], firmware="2.8.0", acquainted=False, each={2: {"policy": STRICT, "acquainted": True}})
    bench.devices[2].nodes = NodeList(bench.devices[2].settings)
    bench.send(1, b"signed by nobody we know")
    bench.run(10)
    assert bench.packets(2, PRIVATE) == []
    bench.run(55)  # it has told who it is
    bench.send(1, b"signed")
    bench.run(10)
    assert [packet.decoded.payload for packet in bench.packets(2, PRIVATE)] == [b"signed"]


def test_a_balanced_radio_takes_no_unsigned_word_of_who_is_known_to_sign():
    bench = Bench([(1, 2)], firmware="2.8.0", each={2: {"policy": BALANCED}})
    forged = mesh_pb2.MeshPacket(to=EVERYBODY, id=9, decoded=mesh_pb2.Data(portnum=PRIVATE, payload=b"x", bitfield=0))
    setattr(forged, "from", bench.devices[1].settings.node)
    assert not bench.devices[2].nodes.admits(forged)
    forged.decoded.payload = bytes(LARGE)
    assert bench.devices[2].nodes.admits(forged)


def test_a_router_that_limits_senders_takes_and_passes_on_so_many_packets_of_each():
    bench = Bench([(1, 2), (2, 3)], each={2: {"limit": SenderLimit(3, 60)}})
    for number in range(5):
        bench.send(1, bytes([number]), hop_limit=1)
        bench.run(5)
    for receiver in (2, 3):
        assert [packet.decoded.payload[0] for packet in bench.packets(receiver, PRIVATE)] == [0, 1, 2]
    bench.run(60)
    bench.send(1, b"later", hop_limit=1)
    bench.run(10)
    assert bench.packets(3, PRIVATE)[-1].decoded.payload == b"later"


def test_a_mute_client_passes_nothing_on():
    bench = Bench([(1, 2), (2, 3)], each={2: {"role": "CLIENT_MUTE"}})
    bench.send(1, b"heard", hop_limit=3)
    bench.run(10)
    assert len(bench.packets(2, PRIVATE)) == 1 and bench.packets(3, PRIVATE) == []


def test_what_is_for_one_node_takes_the_way_that_its_answer_came_and_all_ways_when_that_fails():
    bench = Bench([(1, 2), (1, 3), (2, 4), (3, 4)], seed=5)
    bench.send(1, b"first", to=4, port=TEXT, packet_id=1, want_ack=True)
    bench.run(60)
    way = bench.devices[1].nodes.next_hop(4)
    assert way in (2, 3) and (4, 0, 1) in bench.verdicts(1)
    frames = bench.air.counters["frames"]
    bench.send(1, b"second", to=4, port=TEXT, packet_id=2, want_ack=True)
    bench.run(60)
    assert (4, 0, 2) in bench.verdicts(1) and bench.air.counters["frames"] - frames < 6
    bench.air.switch(way, False, bench.now)
    bench.send(1, b"third", to=4, port=TEXT, packet_id=3, want_ack=True)
    bench.run(90)
    assert (4, 0, 3) in bench.verdicts(1), "the last try goes every way"
    assert bench.devices[1].nodes.next_hop(4) == 5 - way


@pytest.mark.parametrize(("firmware", "payload_bytes", "frame_bytes"), [
    ("2.7.26", 100, 100 + 24 - 1), ("2.8.0", 100, 100 + 24 - 1 + 66), ("2.8.0", 165, 255), ("2.8.0", 166, 166 + 24)])
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
    bench.devices[2].settings = DeviceSettings(2, acquainted=True)
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
    assert getattr(packet, "from") == 2 and packet.hop_limit == 3 and portnums_pb2.TELEMETRY_APP == TELEMETRY
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

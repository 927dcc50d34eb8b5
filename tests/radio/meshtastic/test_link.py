"""The link to a radio: what it asks of the radio, and what it makes of the answers."""

import queue
import threading
from dataclasses import replace

import pytest
from meshtastic.protobuf import mesh_pb2

from radio.inbox import MAX_WAITING
from radio.link import Outcome
from radio.lora import frame_bytes
from radio.meshtastic.link import MeshtasticLink, node_name
from radio.meshtastic.settings import MeshtasticSettings, split_address
from radio.sim.simnodes import DeviceSettings
from radio.sim.simradio import SimulatedMesh
from tests.radio.puppet import CALM, SPEED, hears, packet_from
from tests.waiting import until


def test_the_radio_tells_what_it_is(connect):
    settings = {0: DeviceSettings(0xBEEF, firmware="2.8.1.abc", preset="MEDIUM_FAST", channels=("", "quartier"),
                                  clock=lambda: 1_900_000_000)}
    number = settings[0].node
    with SimulatedMesh([], settings=settings, speed=SPEED) as mesh:
        link = connect(mesh.ports[0], channel="quartier")
        until(lambda: link.up)
        facts = link.facts
        assert (facts.node, facts.firmware, facts.version, facts.signs) == (number, "2.8.1.abc", (2, 8, 1), True)
        assert (facts.region, facts.preset, facts.slot, facts.frequency_mhz) == ("EU_868", "MEDIUM_FAST", 1, 869.525)
        assert facts.channels[:2] == ("", "quartier") and facts.channel_use == 0.0
        assert abs(link.radio_time.utc - 1_900_000_000) < 5 and not link.radio_time.gps
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


def test_a_packet_for_one_node_is_heard_by_that_one_only_and_not_signed(connect):
    with SimulatedMesh([(0, 1), (0, 2)], speed=SPEED,
                       settings=DeviceSettings(0, firmware="2.8.0.abc", acquainted=True)) as mesh:
        here, one, other = (connect(mesh.ports[node]) for node in range(3))
        until(lambda: here.up and one.up and other.up)
        assert here.send(b"who has the third piece?", to=node_name(mesh.number(1))) is Outcome.SENT
        assert one.receive(60).payload == b"who has the third piece?"
        assert mesh.counters()["bytes"] == frame_bytes(24, signs=True, direct=True) < frame_bytes(24, signs=True)
        assert here.send(b"all", to="") is Outcome.SENT
        assert other.receive(60).payload == b"all"
        for link in (here, one, other):
            link.close()


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
    assert [there.receive(60).payload[0] for _ in range(40)] == list(range(40))


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
    sending.join(60)


@pytest.mark.parametrize(("res", "outcome"), [
    (7, Outcome.TOO_LARGE), (9, Outcome.DUTY_CYCLE), (32, Outcome.QUEUE_FULL), (34, Outcome.REGION_UNSET),
    (3, Outcome.FAILED), (99, Outcome.FAILED)])
def test_what_the_radio_answers_becomes_an_outcome(puppet, connect, res, outcome):
    link = connect(puppet.port, patience=replace(CALM, status=60))
    until(lambda: link.up)
    results = []
    sending = threading.Thread(target=lambda: results.append(link.send(b"x")))
    sending.start()
    packet = puppet.next_packet()
    puppet.say(queueStatus=mesh_pb2.QueueStatus(res=res, free=16, maxlen=16, mesh_packet_id=packet.id))
    sending.join(60)
    assert results == [outcome] and link.counters[outcome.value] == 1


def test_a_radio_that_never_tells_of_packets_is_believed(puppet, connect):
    link = connect(puppet.port, patience=replace(CALM, status=0.1))
    until(lambda: link.up)
    puppet.say(queueStatus=mesh_pb2.QueueStatus(free=16, maxlen=16))
    assert [link.send(b"x") for _ in range(3)] == [Outcome.SENT] * 3
    assert puppet.next_packet().decoded.portnum == 256 and link.counters["no-status"] == 3


def test_a_radio_that_usually_tells_and_then_does_not_has_failed_and_is_called_again(puppet, connect):
    link = connect(puppet.port, patience=replace(CALM, status=1))
    until(lambda: link.up)
    sending = threading.Thread(target=link.send, args=(b"told",))
    sending.start()
    puppet.say(queueStatus=mesh_pb2.QueueStatus(free=15, maxlen=16, mesh_packet_id=puppet.next_packet().id))
    sending.join(60)
    assert [link.send(b"x"), link.send(b"y")] == [Outcome.FAILED] * 2
    until(lambda: puppet.accepted == 2 and link.up)


def test_a_refused_packet_is_not_sent_again_with_the_next(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    for number, res in enumerate((7, 0, 0)):
        sending = threading.Thread(target=link.send, args=(b"%d" % number,))
        sending.start()
        packet = puppet.next_packet()
        assert packet.decoded.payload == b"%d" % number
        puppet.say(queueStatus=mesh_pb2.QueueStatus(res=res, free=15, maxlen=16, mesh_packet_id=packet.id))
        sending.join(60)


def test_what_the_radio_brings_of_ourselves_and_texts_for_others_are_left_out(puppet, connect):
    texts = []
    link = connect(puppet.port, on_text=lambda text: texts.append((text.sender, text.text)))
    until(lambda: link.up)
    for number, (sender, to, port) in enumerate([(9, 0xFFFFFFFF, 256), (8, 0xFFFFFFFF, 1), (8, 7, 1), (8, 9, 1),
                                                 (8, 0xFFFFFFFF, 256)]):
        puppet.say(packet=packet_from(sender, number + 1, port, b"%d" % number, to=to))
    assert link.receive(60).payload == b"4" and link.receive(0) is None
    assert texts == [("!00000008", "3")]


def test_an_inbound_flood_is_bounded_and_counted(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    for number in range(MAX_WAITING + 20):
        puppet.say(packet=packet_from(1000 + number, number + 1, 256, b"flood"))
    until(lambda: link.counters["inbound-full"] == 20)
    assert len(link.neighbours) == 64


def test_text_messages_reach_the_hook_and_answers_are_acknowledged(mesh, connect):
    texts = queue.Queue()
    here = connect(mesh.ports[0], on_text=lambda text: texts.put((text.sender, text.text)))
    there = connect(mesh.ports[1], on_text=lambda text: texts.put((text.sender, text.text)))
    until(lambda: here.up and there.up)
    assert here.send_text("!a1c00001", "liste s'il vous plaît") is Outcome.SENT
    assert texts.get(timeout=30) == ("!a1c00000", "liste s'il vous plaît")
    assert there.send_text("!a1c00000", "1. Marché") is Outcome.SENT
    assert texts.get(timeout=30) == ("!a1c00001", "1. Marché")
    until(lambda: here.counters["text-acked"] and there.counters["text-acked"])
    with pytest.raises(ValueError, match="219"):
        here.send_text("!a1c00001", "é" * 110)


def test_a_reaction_is_no_text_and_a_private_one_is_told_from_one_that_anybody_could_write(puppet, connect):
    texts = []
    link = connect(puppet.port, on_text=texts.append)
    until(lambda: link.up)
    liked, open_one, private = (packet_from(8, number, 1, b"agenda", to=9) for number in (1, 2, 3))
    liked.decoded.emoji, open_one.channel, private.pki_encrypted = 1, 2, True
    for packet in (liked, open_one, private):
        puppet.say(packet=packet)
    until(lambda: len(texts) == 2)
    assert [(one.private, one.channel) for one in texts] == [(False, 2), (True, 0)]
    assert link.counters["reactions"] == 1 and link.counters["texts"] == 2


def test_a_text_for_everybody_goes_on_its_channel_and_is_repeated_by_the_radio_until_somebody_passes_it_on(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    link.send_text("", "Urgent", channel=1)
    packet = puppet.next_packet()
    assert (packet.to, packet.channel, packet.want_ack) == (0xFFFFFFFF, 1, True)


def test_texts_in_a_row_keep_the_pause_that_the_firmware_wants(mesh, connect):
    texts = queue.Queue()
    here = connect(mesh.ports[0])
    there = connect(mesh.ports[1], on_text=lambda text: texts.put(text.text))
    until(lambda: here.up and there.up)
    for number in range(3):
        assert here.send_text("!a1c00001", str(number)) is Outcome.SENT
    assert [texts.get(timeout=30) for _ in range(3)] == ["0", "1", "2"]


def test_only_the_receivers_word_counts_as_an_acknowledgement(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    link.send_text("!00000008", "hello")
    packet = puppet.next_packet()
    assert (packet.to, packet.want_ack) == (8, True)
    for sender in (9, 7, 8):
        assert link.counters["text-acked"] == 0
        puppet.say(packet=packet_from(sender, sender, 5, b"\x18\x00", to=9, request_id=packet.id))
        if sender != 8:
            _settle(puppet, link)
    until(lambda: link.counters["text-acked"] == 1)


def _settle(puppet, link):
    """Wait until the link has read all that the puppet said."""
    puppet.say(packet=packet_from(5, 99, 256, b"mark"))
    assert link.receive(60).payload == b"mark"


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
        assert there.receive(60).hops == 1
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

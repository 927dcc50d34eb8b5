"""What a radio says on its line, whatever is plugged in there: each message is understood or passed over, and what is told of
the radio can be shown, and counted with."""

import json
import math

from radio.lora import time_on_air_s
from radio.meshtastic.framing import HEADER_BYTES, MAX_MESSAGE_BYTES, START, Deframer, framed
from radio.meshtastic.link import MAX_REMEMBERED, MeshtasticLink
from radio.meshtastic.protobuf import (
    channel_pb2,
    config_pb2,
    kind_of,
    mesh_pb2,
    portnums_pb2,
    read_from_radio,
    telemetry_pb2,
)
from radio.meshtastic.settings import MeshtasticSettings
from radio.meshtastic.setup import RadioWish, orders
from tests.fuzz.kinds import Target

NODE, OTHER, PORT = 0x1234ABCD, 0x42, 287
WISHES = (RadioWish(region="EU_868", hops=3, send=True), RadioWish(role="CLIENT", pass_on="ALL"), RadioWish(signatures="balanced"))


def run(octets):
    """As a stream, whole and in blocks, which a link then hears; and as one message."""
    deframer, found, at = Deframer(), [], 0
    while at < len(octets):
        size = octets[at] % 9 + 1
        found += deframer.feed(octets[at:at + size])
        at += size
    messages = Deframer().feed(octets)
    assert found == messages and all(len(message) <= MAX_MESSAGE_BYTES for message in messages)
    listen(messages)
    listen([octets])


def listen(raws):
    texts = []
    link = MeshtasticLink(MeshtasticSettings("serial:/nowhere", portnum=PORT), on_text=texts.append)
    link.close()
    link._wanted = frozenset(("lora", "device", "security"))
    for raw in raws:
        message = read_from_radio(raw)
        if message is not None:
            kind_of(message)
            link._hear(message)
    link._session.configured = True  # as after a handshake; an open line would take a thread for each input
    told = link.radio_time
    assert told is None or math.isfinite(told.utc)
    shown(link)
    for text in texts:
        text.text.encode()
        assert text.sender.startswith("!") and (text.hops is None or 0 <= text.hops < 1 << 32)
    for wish in WISHES if link._sections else ():
        try:
            assert all(orders(wish, link._sections))
        except ValueError as refused:
            assert "key" in str(refused) or "little" in str(refused)


def shown(link):
    """What a page, a governor and a keeper do with it."""
    facts = link.facts
    json.dumps(link.told(), allow_nan=False)
    assert facts.harms is not None and link.state and (facts.signs, facts.strict) is not None
    for size in (1, 231):
        took_s = time_on_air_s(size, facts.modem, facts.signs)
        assert math.isfinite(took_s) and 0 < took_s < 1_000, took_s
    for share in (facts.channel_use, facts.own_use):
        assert share is None or 0 <= share <= 1
    for value in (facts.battery, facts.voltage_v, facts.temperature_c, facts.frequency_mhz):
        assert value is None or (math.isfinite(value) and abs(value) < 1e4), facts
    assert len(link.neighbours) <= MAX_REMEMBERED and len(facts.channels) <= 8
    for told in (facts.hearsay.first, facts.fix.first):
        assert told is None or math.isfinite(told.by(0.0))
    wishes = [wish.holds(facts) for wish in WISHES]
    assert len(wishes) == len(WISHES)


def said(**what):
    return mesh_pb2.FromRadio(**what).SerializeToString()


def packet(port, payload=b"", sender=NODE, **more):
    made = mesh_pb2.MeshPacket(decoded=mesh_pb2.Data(portnum=port, payload=payload, **more.pop("data", {})), **more)
    setattr(made, "from", sender)
    return said(packet=made)


def seeds():
    config, lora = config_pb2.Config, config_pb2.Config.LoRaConfig
    device, security = config.DeviceConfig, config.SecurityConfig
    first = said(my_info=mesh_pb2.MyNodeInfo(my_node_num=NODE))
    loras = [lora(region=3, use_preset=True, hop_limit=3, tx_enabled=True), lora(region=13, use_preset=True, modem_preset=2),
             lora(region=3, bandwidth=62, spread_factor=9, coding_rate=6), lora(region=3, bandwidth=1, spread_factor=99, coding_rate=99),
             lora(region=3, bandwidth=4_000_000_000), lora(region=1, override_frequency=math.nan), lora(region=1, override_frequency=1e38),
             lora(region=1, override_frequency=868.1), lora(region=29, use_preset=True, channel_num=3), lora(region=99, hop_limit=99),
             lora(region=1, use_preset=True, channel_num=0xFFFFFFFF), lora(region=3, use_preset=True, modem_preset=99, hop_limit=2)]
    one = [said(config=config(lora=each)) for each in loras]
    one += [said(config=config(device=device(role=role, rebroadcast_mode=mode))) for role, mode in ((0, 0), (1, 2), (2, 1), (99, 99))]
    policies = [security(private_key=b"k" * 32, public_key=b"p" * 32).SerializeToString() + bytes([9 << 3, n]) for n in (0, 1, 2, 9)]
    odd = b"\x0a\x01x" + b"\x5d\1\2\3\4" + b"\x59" + bytes(8) + b"\x4b\x4c"
    one += [said(config=config(security=security.FromString(each))) for each in (*policies, odd, b"")]
    channel = channel_pb2.Channel
    one += [said(channel=channel(index=index, role=role, settings=channel_pb2.ChannelSettings(name=name)))
            for index, role, name in ((0, 1, "Archipel"), (2, 2, "x" * 40), (7, 0, ""), (9, 1, ""), (-1, 1, ""))]
    one += [said(metadata=mesh_pb2.DeviceMetadata(firmware_version=text)) for text in (
        "2.7.3.abcdef", "2.8.0", "\u00b2.\u2460", "", "x" * 90, "9" * 40)]
    telemetry, metrics = telemetry_pb2.Telemetry, telemetry_pb2.DeviceMetrics
    for told in (metrics(channel_utilization=5, air_util_tx=1, battery_level=101, voltage=3.9), metrics(channel_utilization=math.nan),
                 metrics(channel_utilization=math.inf, air_util_tx=-5, battery_level=4_000_000_000, voltage=math.nan)):
        one += [said(node_info=mesh_pb2.NodeInfo(num=NODE, device_metrics=told, last_heard=1_760_000_000)),
                packet(portnums_pb2.TELEMETRY_APP, telemetry(device_metrics=told).SerializeToString())]
    for degrees in (21.5, math.nan, 1e9):
        one.append(packet(portnums_pb2.TELEMETRY_APP, telemetry(environment_metrics=telemetry_pb2.EnvironmentMetrics(
            temperature=degrees)).SerializeToString()))
    one += [packet(portnums_pb2.TELEMETRY_APP, telemetry(local_stats=telemetry_pb2.LocalStats(air_util_tx=3)).SerializeToString()),
            packet(portnums_pb2.TELEMETRY_APP, b"\xff"), packet(portnums_pb2.TELEMETRY_APP, b"", rx_rssi=-90),
            packet(portnums_pb2.TELEMETRY_APP, telemetry(environment_metrics=telemetry_pb2.EnvironmentMetrics()).SerializeToString())]
    position = mesh_pb2.Position
    for place in (position(location_source=2, time=1_760_000_000), position(location_source=1, time=9),
                  position(location_source=2, time=1_760_000_000, timestamp=1_759_000_000)):
        one += [packet(portnums_pb2.POSITION_APP, place.SerializeToString(), rx_time=1_760_000_000)] * 2
    routing = mesh_pb2.Routing
    for error in (0, 7, 99):
        one.append(packet(portnums_pb2.ROUTING_APP, routing(error_reason=error).SerializeToString(), data={"request_id": 9}, to=NODE))
    one += [packet(portnums_pb2.ROUTING_APP, b"\xff", data={"request_id": 9}), packet(portnums_pb2.ROUTING_APP)]
    for more in ({"hop_start": 3, "hop_limit": 1, "relay_node": 0x1FF}, {"hop_limit": 2}, {"data": {"bitfield": 1}},
                 {"rx_snr": math.nan, "rx_rssi": -2_000_000_000, "hop_start": 1, "hop_limit": 4_000_000_000}, {"rx_snr": math.inf}):
        one.append(packet(PORT, b"record", OTHER, **more))
    one += [packet(portnums_pb2.TEXT_MESSAGE_APP, text, OTHER, to=NODE, **more) for text, more in (
        (b"agenda", {}), (b"\xff", {"pki_encrypted": True}), (b"x", {"data": {"emoji": 1}}))]
    one += [said(queueStatus=mesh_pb2.QueueStatus(free=free, maxlen=16, mesh_packet_id=number, res=7)) for free, number in ((0, 9), (16, 0))]
    one += [said(rebooted=True), said(config_complete_id=7), b"", b"\xff\xff", said(log_record=mesh_pb2.LogRecord(message="x"))]
    yield from one
    for about in (loras[0], loras[3], loras[5]):
        whole = [first, said(config=config(lora=about)), one[12], said(config=config(security=security.FromString(policies[1]))),
                 said(channel=channel(index=0, role=1)), said(config_complete_id=7)]
        yield b"\xc3" * 4 + b"".join(map(framed, whole))
    yield b"".join(map(framed, (first, said(config=config(security=security())), said(config=config(lora=loras[0])), one[12],
                                said(config_complete_id=7))))
    for each in one:
        yield framed(first) + framed(each) + framed(said(config_complete_id=7)) + framed(each)
    yield b"".join(framed(packet(PORT, b"x", number)) for number in range(90))
    yield b"log line\r\n" + START + b"\xff\xff" + framed(first)[:HEADER_BYTES + 2] + START[:1]


TARGET = Target(run, ("radio/meshtastic/framing.py", "radio/meshtastic/facts.py", "radio/meshtastic/radio_clock.py",
                      "radio/meshtastic/protobuf.py: read_from_radio kind_of number_in _varint",
                      "radio/meshtastic/link.py: MeshtasticLink._hear MeshtasticLink._learn MeshtasticLink._collect MeshtasticLink._take_packet "
                      "MeshtasticLink._take_text MeshtasticLink._take_ours MeshtasticLink._remember MeshtasticLink.radio_time"),
                seeds, 1_024, (START, b"\x08\xcd\xd7\xd2\x91\x01"), share=2)

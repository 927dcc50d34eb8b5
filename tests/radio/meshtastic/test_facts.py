"""What a radio tells becomes plain values, whatever its age and settings."""

import pytest
from meshtastic.protobuf import channel_pb2, config_pb2, mesh_pb2, telemetry_pb2

from radio.lora import LONG_FAST, PRESETS, Modem, widened
from radio.meshtastic.facts import OFF, Facts, hops_of, learn, send_status_of, snr_of
from radio.regions import legal_duty_cycle

ME = 9


def told(*messages, facts=None, at=100.0):
    facts = facts or Facts(node=ME)
    for message in messages:
        facts = learn(facts, mesh_pb2.FromRadio(**message), at)
    return facts


def lora(**settings):
    given = {"use_preset": True, "region": 3, "tx_enabled": True, **settings}
    return {"config": config_pb2.Config(lora=config_pb2.Config.LoRaConfig(**given))}


def packet(payload=b"", port=256, sender=ME, **fields):
    made = mesh_pb2.MeshPacket(decoded=mesh_pb2.Data(portnum=port, payload=payload), **fields)
    setattr(made, "from", sender)
    return made


def channel(index, name="", role=2):
    return {"channel": channel_pb2.Channel(index=index, role=role, settings=channel_pb2.ChannelSettings(name=name))}


@pytest.mark.parametrize(("number", "name"), [(0, "LONG_FAST"), (4, "MEDIUM_FAST"), (6, "SHORT_FAST"), (9, "LONG_TURBO"),
                                              (13, "NARROW_SLOW")])
def test_a_preset_is_known_by_its_number_even_to_an_older_library(number, name):
    facts = told(lora(modem_preset=number))
    assert (facts.preset, facts.modem) == (name, PRESETS[name])


def test_a_preset_from_the_future_counts_as_long_fast():
    assert told(lora(modem_preset=99)).modem == LONG_FAST


def test_a_region_from_the_future_is_named_by_its_number_and_gets_the_strictest_law():
    facts = told(lora(region=99))
    assert facts.region == "REGION_99" and legal_duty_cycle(facts.region) == 0.01


def test_settings_of_ones_own_and_the_wide_band_give_their_modem():
    own = told(lora(use_preset=False, spread_factor=8, coding_rate=6, bandwidth=62))
    assert (own.preset, own.modem) == ("custom", Modem(8, 62_500, 6))
    assert told(lora(use_preset=False)).modem == LONG_FAST
    assert told(lora(region=13)).modem == widened(LONG_FAST)


@pytest.mark.parametrize(("settings", "name", "slot", "mhz"), [
    ({"region": 3}, "", 1, 869.525),
    ({"region": 1}, "", 20, 906.875),
    ({"region": 1, "channel_num": 1}, "", 1, 902.125),
    ({"region": 3, "override_frequency": 869.6}, "", 0, 869.6),
    ({"region": 32, "modem_preset": 13}, "", 1, 869.4417),
])
def test_the_frequency_is_where_the_firmware_puts_it(settings, name, slot, mhz):
    facts = told(channel(0, name, role=1), lora(**settings))
    assert (facts.slot, facts.frequency_mhz) == (slot, pytest.approx(mhz, abs=1e-4))


def test_channels_are_in_their_places_and_disabled_ones_match_no_name():
    facts = told(channel(0, role=1), channel(2, "quartier"), channel(1, "old", role=0), channel(70, "beyond"))
    assert facts.channels == ("", OFF, "quartier")
    assert told({"my_info": mesh_pb2.MyNodeInfo(my_node_num=4)}, facts=facts).channels == ()


def test_only_the_radios_own_telemetry_counts_and_within_reason():
    metrics = telemetry_pb2.DeviceMetrics(channel_utilization=30, air_util_tx=1.5)
    payload = telemetry_pb2.Telemetry(device_metrics=metrics).SerializeToString()
    assert told({"packet": packet(payload, 67, sender=8)}).channel_use is None
    facts = told({"packet": packet(payload, 67)})
    assert (facts.channel_use, facts.own_use, facts.use_at) == (pytest.approx(0.3), pytest.approx(0.015), 100.0)
    stats = telemetry_pb2.Telemetry(local_stats=telemetry_pb2.LocalStats(channel_utilization=900, air_util_tx=-4))
    facts = told({"packet": packet(stats.SerializeToString(), 67)})
    assert (facts.channel_use, facts.own_use) == (1.0, 0.0)


def test_battery_voltage_and_temperature_are_kept_where_they_make_sense():
    def telemetry(**variant):
        return {"packet": packet(telemetry_pb2.Telemetry(**variant).SerializeToString(), 67)}

    facts = told(telemetry(device_metrics=telemetry_pb2.DeviceMetrics(battery_level=87, voltage=4.02)),
                 telemetry(environment_metrics=telemetry_pb2.EnvironmentMetrics(temperature=11.5)))
    assert (facts.battery, facts.voltage_v, facts.temperature_c) == (0.87, 4.02, 11.5)
    odd = told(telemetry(device_metrics=telemetry_pb2.DeviceMetrics(battery_level=4_000_000_000, voltage=float("nan"))),
               telemetry(environment_metrics=telemetry_pb2.EnvironmentMetrics(temperature=float("inf"))),
               telemetry(local_stats=telemetry_pb2.LocalStats(channel_utilization=3)))
    assert (odd.battery, odd.voltage_v, odd.temperature_c) == (1.01, None, None)
    assert told(telemetry(device_metrics=telemetry_pb2.DeviceMetrics(channel_utilization=3))).battery is None


def dated(*moments, facts=None, **more):
    """Facts after packets with a date, a minute apart."""
    for minute, rx_time in enumerate(moments):
        facts = told({"packet": packet(sender=8, rx_time=rx_time, **more)}, facts=facts, at=100.0 + 60 * minute)
    return facts


def test_the_radios_clock_is_read_and_packets_that_waited_do_not_set_it_back():
    facts = told({"node_info": mesh_pb2.NodeInfo(num=ME, last_heard=2_000_000)})
    assert facts.hearsay.first.by(100.0) == 2_000_000 and facts.hearsay.told is None
    facts = told({"packet": packet(sender=8, rx_time=2_000_060)}, facts=facts, at=160.0)
    facts = told({"packet": packet(sender=8, rx_time=1_990_000)}, facts=facts, at=170.0)
    assert facts.hearsay.first.by(170.0) == 2_000_070


def test_one_packet_dated_ahead_among_right_ones_changes_nothing():
    facts = dated(2_000_000, 2_000_060, 2_000_120 + 200 * 86_400, 2_000_180)
    assert facts.hearsay.first.by(280.0) == 2_000_180
    facts = dated(2_000_000 + 200 * 86_400, 2_000_060, 2_000_120)
    assert facts.hearsay.first.by(220.0) == 2_000_120, "and if it came first, not for long"


def test_a_radio_whose_clock_was_put_right_is_followed_back():
    assert dated(9_000_000, 9_000_060, 2_000_120, 2_000_180).hearsay.first.by(280.0) == 2_000_180


def test_another_radio_in_its_place_and_the_same_one_anew_begin_without_a_clock():
    facts = dated(9_000_000, 9_000_060, facts=told(lora()))
    same, other = (told({"my_info": mesh_pb2.MyNodeInfo(my_node_num=number)}, facts=facts) for number in (ME, 77))
    assert (same.hearsay.first, other.hearsay.first) == (None, None)
    assert same.region == "EU_868" and other.region == "", "another radio tells everything itself"


def test_a_fix_of_its_own_receiver_brings_the_time_and_nobody_elses_does():
    fix = mesh_pb2.Position(time=3_000_000, location_source=mesh_pb2.Position.LOC_INTERNAL)
    typed_in = mesh_pb2.Position(time=3_000_000, location_source=mesh_pb2.Position.LOC_MANUAL)
    phones = mesh_pb2.Position(time=3_000_000, location_source=mesh_pb2.Position.LOC_EXTERNAL)
    old = mesh_pb2.Position(time=3_000_000, timestamp=2_990_000, location_source=mesh_pb2.Position.LOC_INTERNAL)
    for position, more in ((fix, {"sender": 8}), (fix, {"rx_rssi": -80}), (fix, {"rx_time": 2_900_000}), (typed_in, {}),
                           (phones, {}), (old, {})):
        assert told({"packet": packet(position.SerializeToString(), 3, **more)}).fix.first is None
    facts = told({"packet": packet(fix.SerializeToString(), 3)})
    assert facts.fix.first.by(100.0) == 3_000_000 and facts.fix.first.packets == 1
    facts = told({"packet": packet(sender=8, rx_time=9_000_000)}, facts=facts)
    assert facts.fix.first.by(100.0) == 3_000_000


def test_a_node_info_of_somebody_else_says_nothing_of_this_radio():
    metrics = telemetry_pb2.DeviceMetrics(channel_utilization=30)
    facts = told({"node_info": mesh_pb2.NodeInfo(num=8, last_heard=5, device_metrics=metrics)})
    assert facts.channel_use is None and facts.hearsay.first is None


def test_versions_are_compared_as_numbers():
    versions = [told({"metadata": mesh_pb2.DeviceMetadata(firmware_version=text)}) for text in
                ("2.6.11.60ec05e", "2.10.0", "2.8.0", "", "nightly")]
    assert [facts.version for facts in versions] == [(2, 6, 11), (2, 10, 0), (2, 8, 0), (), ()]
    assert [facts.signs for facts in versions] == [False, True, True, False, False]


def test_hops_are_the_start_less_what_is_left_and_unknown_from_old_firmware():
    assert hops_of(packet(hop_start=3, hop_limit=1)) == 2
    assert hops_of(packet(hop_start=1, hop_limit=3)) == 0
    assert hops_of(packet(hop_limit=0)) is None
    direct = packet()
    direct.decoded.bitfield = 0
    assert hops_of(direct) == 0


def test_only_a_routing_packet_about_a_packet_is_a_send_status():
    nak = mesh_pb2.Routing(error_reason=mesh_pb2.Routing.MAX_RETRANSMIT).SerializeToString()
    made = packet(nak, 5, sender=7)
    assert send_status_of(made) is None
    made.decoded.request_id = 44
    status = send_status_of(made)
    assert (status.packet_id, status.error, status.sender) == (44, 5, 7)
    assert send_status_of(packet(nak, 256)) is None
    made.decoded.payload = b"\xff"
    assert send_status_of(made) is None


@pytest.mark.parametrize(("settings", "slot", "mhz"), [
    ({"channel_num": 0xFFFFFFFF, "region": 1}, 47, 913.625),  # of 104: it counts around
    ({"override_frequency": float("nan")}, 0, 0.0),
    ({"override_frequency": float("inf")}, 0, 0.0),
    ({"override_frequency": 1e38}, 0, 0.0),
])
def test_a_frequency_that_no_radio_has_is_none(settings, slot, mhz):
    facts = told(lora(**settings))
    assert (facts.slot, facts.frequency_mhz) == (slot, mhz)


@pytest.mark.parametrize("bandwidth", [1, 2_000, 4_000_000_000])
def test_a_bandwidth_that_no_radio_has_is_long_fasts(bandwidth):
    assert told(lora(use_preset=False, bandwidth=bandwidth)).modem == LONG_FAST


@pytest.mark.parametrize(("text", "version"), [("2.8.0.abc", (2, 8, 0)), ("\u00b2.8", (8,)), ("\u2460", ()), ("", ())])
def test_a_version_is_what_of_it_are_numbers(text, version):
    facts = told({"metadata": mesh_pb2.DeviceMetadata(firmware_version=text)})
    assert facts.version == version and not facts.strict


@pytest.mark.parametrize(("told_db", "snr_db"), [(-7.25, -7.25), (float("nan"), None), (float("inf"), None), (1e9, None)])
def test_a_strength_that_no_receiver_measures_is_none(told_db, snr_db):
    assert snr_of(packet(rx_snr=told_db)) == snr_db


@pytest.mark.parametrize(("percent", "share"), [(25.0, 0.25), (float("inf"), 1.0), (-3.0, 0.0), (float("nan"), None)])
def test_a_share_of_the_air_is_one_or_unknown(percent, share):
    metrics = telemetry_pb2.DeviceMetrics(channel_utilization=percent, air_util_tx=percent)
    facts = told({"node_info": mesh_pb2.NodeInfo(num=ME, device_metrics=metrics)})
    assert (facts.channel_use, facts.own_use) == (share, share)

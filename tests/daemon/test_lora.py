"""The air engine behind a real radio: what the radio tells changes times, law and budget."""

from dataclasses import replace

import pytest

from node.board.status import LinkStatus
from node.daemon.lora import LoraAdapter, RadioLimits, lora_governor, time_of
from node.daemon.membership import Membership
from node.model.clock import EPOCH_S, minute_of, seconds_of
from node.model.keys import Charter, SigningKey
from node.replica.liveset import LiveSet
from node.sync.events import LinkChanged, PacketReceived
from node.sync.lora.packets import Packet, Sum, decode, encode
from radio.lora import PRESETS
from radio.meshtastic.facts import Facts
from tests.sync.calls import counted

KEY = SigningKey(b"\1" * 32)
CHARTER = Charter.found("x", [KEY.public], bytes(32))
MEMBER = Membership(CHARTER, KEY, LiveSet(CHARTER))
NOW = EPOCH_S + 400 * 86_400.0
LIMITS = RadioLimits(188)


class Radio:
    """What a radio tells, to be changed by a test."""

    def __init__(self):
        self.facts, self.times = Facts(region="EU_868"), []
        self.side = LoraAdapter(MEMBER, lambda: self.facts, LIMITS, lora_governor(LIMITS, lambda: NOW),
                                lambda who, utc: self.times.append((who, utc)))

    def come_up(self, **facts):
        self.facts = replace(self.facts, **facts)
        self.side.handle(LinkChanged("radio", False), NOW)
        self.side.handle(LinkChanged("radio", True), NOW)


@pytest.fixture
def radio():
    return Radio()


def test_a_faster_preset_makes_a_post_cheaper(radio):
    slow = radio.side.cost.airtime_s(160)
    radio.come_up(preset="SHORT_FAST", modem=PRESETS["SHORT_FAST"])
    assert radio.side.cost.airtime_s(160) < slow / 5


def test_firmware_that_signs_costs_more_air_for_small_packets(radio):
    plain = radio.side.cost.airtime_s(100)
    radio.come_up(firmware="2.8.0")
    assert radio.side.cost.airtime_s(100) > plain


def test_a_long_record_takes_several_packets(radio):
    assert [radio.side.cost.packets(size) for size in (100, 170, 300, 1752)] == [1, 1, 2, 11]
    assert radio.side.cost.airtime_s(1752) > 8 * radio.side.cost.airtime_s(160)


def test_the_radios_region_sets_the_law_unless_the_keeper_did(radio):
    radio.come_up(region="EU_433")
    assert radio.side.governor.region == "EU_433"
    limits = RadioLimits(188, "EU_868")
    kept = LoraAdapter(MEMBER, lambda: Facts(region="US"), limits, lora_governor(limits, lambda: NOW), print)
    kept.handle(LinkChanged("radio", True), NOW)
    assert kept.governor.region == "EU_868"


def test_a_busy_channel_told_by_the_radio_holds_packets_back(radio):
    before = radio.side.governor.wait_s(1.0, NOW)
    radio.facts = replace(radio.facts, channel_use=0.4, use_at=1.0)
    radio.side.handle(LinkChanged("radio", True), NOW)
    assert before == 0 < radio.side.governor.wait_s(1.0, NOW)


def heard(sender, minute):
    packet = Packet(sender, 1, (Sum((minute // 60 + 1) % 65_536, 0, 1, 0),))
    return PacketReceived("radio", encode(packet, CHARTER.subkey("tag")), "!1", 0)


def test_a_neighbours_summary_tells_the_time_within_half_an_hour(radio):
    radio.come_up()
    radio.side.handle(heard(0xABCD, minute_of(NOW)), NOW)
    (who, utc), = radio.times
    assert who == "abcd" and abs(utc - NOW) <= 1_800
    (neighbour,) = radio.side.status(LinkStatus("radio", True, "up"), NOW + 30).neighbours
    assert neighbour.name == "abcd" and neighbour.heard_s_ago == 30
    assert radio.side.heard_at == NOW


def test_a_packet_is_read_once_by_the_engine_and_what_it_tells_of_the_time_comes_from_there(radio):
    radio.come_up()
    with counted(decode) as reads:
        radio.side.handle(heard(0xABCD, minute_of(NOW)), NOW)
    assert len(reads) == len(radio.times) == 1


def test_strangers_and_noise_tell_nothing(radio):
    radio.come_up()
    stranger = encode(Packet(7, 1, (Sum(5, 0, 1, 0),)), b"another set's key, 32 bytes long")
    for payload in (b"", b"noise", stranger):
        radio.side.handle(PacketReceived("radio", payload, "!1", 0), NOW)
    assert radio.times == [] and radio.side.heard_at is None


def test_an_island_behind_by_months_takes_the_hour_of_others():
    behind = NOW - 100 * 86_400
    assert abs(time_of((minute_of(NOW) // 60 + 1) % 65_536, behind) - NOW) <= 1_800
    assert seconds_of(minute_of(NOW)) == NOW

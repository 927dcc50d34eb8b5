"""What a keeper records: the shape of the traffic, nothing of what anybody wrote; it ends by itself and harms nothing."""

import io
import json
import random
from itertools import pairwise

import pytest

from node.daemon.capture_tap import ABANDONED_S, AIR, CaptureTap
from node.daemon.captures import MAX_OCTETS, line_of, read_capture
from node.daemon.membership import Membership
from node.model.clock import ManualClock, minute_of
from node.model.record import Kind, Record, Right, Vouch, decode, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.events import LinkChanged, PacketReceived, SendDone
from node.sync.lora.context import Channel
from node.sync.lora.engine import AirEngine
from node.sync.lora.packets import Have, More, Need, Neighbours, Packet, Piece, Sum, Whole
from node.sync.lora.packets import encode as packet_of
from node.sync.mqtt.engine import MqttEngine
from node.sync.mqtt.sealing import Seal
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.lan import LanService
from radio.airtime import Governor
from radio.lora import time_on_air_s
from tests.sim.archipelago import CHARTER, KEY, START
from tests.sim.village import key

TAG_KEY, SEAL = CHARTER.subkey("tag"), Seal(CHARTER)
FRIEND, STRANGER = key("friend"), key("stranger")
WORDS = "Rendez-vous chez Nadia, 12 rue des Cascades, 06 12 34 56 78"
NODE, RELAY = "!deadbeef", "c7"
OTHER = 0x4D5A


def record(signer=FRIEND, text=WORDS, minutes=-10, kind=Kind.BULLETIN, **fields):
    made = Record(kind, signer.key_id, minute_of(START) + minutes, fields.pop("life", 24), packed=text.encode(), **fields)
    return encode(sign(made, CHARTER.set_id, signer.sign))


VOUCH = record(KEY, "Nadia", -20, Kind.VOUCH, life=9_000, detail=Vouch(FRIEND.public, Right.WRITE))


class Island:
    """One with a tap, as `App` puts it together, by a clock that the test moves."""

    def __init__(self, seed=2, most_octets=MAX_OCTETS):
        self.clock, self.liveset = ManualClock(START), LiveSet(CHARTER)
        member = Membership(CHARTER, KEY, self.liveset)
        self.tap = CaptureTap(member, self.clock, most_octets)
        air = AirEngine(Channel("radio", time_on_air_s, Governor()), self.liveset, member.identity, random.Random(1))
        broker = MqttEngine("mqtt", CHARTER, self.liveset, random.Random(1))
        self.replica = Replica(self.liveset, MemoryStore(), [air, broker, self.tap])
        self.tap.counters = self.replica.counters
        self.bulk = LocalBulkPort(self.liveset, self.replica.store, IslandLabel(KEY.key_id, "Belleville"), self.clock.now,
                                  lambda raws, via: self.replica.take_in(raws, via, self.clock.now())[0])
        self.lan = LanService(self.bulk, CHARTER.subkey("lan"), random.Random(seed).randbytes)
        self.lan.tap = self.tap.lan
        self.sequence = 0
        for link in ("radio", "mqtt"):
            self.give(LinkChanged(link, True))

    def give(self, event):
        self.clock.advance(0.01)
        for send in self.replica.handle(event, self.clock.now()):
            self.tap.sent(send)
            self.give(SendDone(send.link, "sent"))

    def hear(self, *sections, payload=None, **radio):
        self.sequence += 1
        content = packet_of(Packet(OTHER, self.sequence % 256, sections), TAG_KEY) if payload is None else payload
        told = {"sender": NODE, "hops": 1, "hops_left": 2, "relay": RELAY, "snr_db": 4.25, "rssi_dbm": -93} | radio
        self.give(PacketReceived("radio", content, **told))

    def post(self, raw):
        for send in self.replica.publish([raw], self.clock.now())[1]:
            self.tap.sent(send)
            self.give(SendDone(send.link, "sent"))


@pytest.fixture
def island():
    return Island()


def captured(island):
    """All that is told until the end."""
    told = island.tap.end()
    return read_capture(io.BytesIO("".join(told["lines"]).encode())), "".join(told["lines"])


def everything(island):
    """All that an island can meet."""
    piece_of = record(text=WORDS * 5)
    island.hear(Whole(VOUCH, False))
    island.hear(Whole(record(), True), Neighbours((0x0102, 0x0304)), Sum(1, 5, 2, 0xABCDEF0123456789))
    island.hear(Whole(record(STRANGER, "personne"), True))
    island.hear(Piece(record_id(piece_of)[:4], 3, 0, len(piece_of), bytes(-(-len(piece_of) // 3)), True))
    island.hear(Have(1, 5, 7, (OTHER,), b"\xfa\xce\xfe\xed"), Need(0, 3, (0xFEEDFACE,)))
    island.hear(More(OTHER, b"\xca\xfe\xba\xbe", 4, 2))
    island.hear(payload=WORDS.encode())
    island.hear(payload=b"\x10" + WORDS.encode())
    other = record(text="Autre chose")
    slot = SEAL.slot(record_id(other))
    for payload in (slot + SEAL.close(slot, other), slot, bytes(16) + WORDS.encode(), slot[:3]):
        island.give(PacketReceived("mqtt", payload))
    visitor = Island(seed=random.Random(island.clock.now()).random())
    visitor.replica.take_in([VOUCH, record(text="Par le réseau")], "bundle", START)
    visitor.lan.visit(island.lan.answer)
    island.lan.visit(visitor.lan.answer)
    island.post(record(KEY, "Un chat gris"))


def secrets(island):
    """All octets that stand for somebody or something: as they are, in hexadecimal, as numbers."""
    octets = [CHARTER.set_id, CHARTER.secret, TAG_KEY, KEY.public, KEY.key_id, FRIEND.public, FRIEND.key_id,
              STRANGER.key_id, *island.liveset.ids(), *(island.liveset.raw(id_)[-64:] for id_ in island.liveset.ids())]
    octets += [SEAL.slot(id_) for id_ in island.liveset.ids()] + [b"\xfa\xce\xfe\xed", b"\xca\xfe\xba\xbe"]
    yield from {part[at:at + 4].hex() for part in octets for at in range(0, len(part) - 3)}
    yield from ("Nadia", "Cascades", "06 12", "Soupe", "chat", "Belleville", "personne", NODE[1:], "mqtt://", "archipel/")
    yield from (str(number) for number in (OTHER, 0x0102, 0x0304, 0xFEEDFACE, island.tap._member.identity.address))
    yield from (str(decode(island.liveset.raw(id_)).created) for id_ in island.liveset.ids())
    yield from (str(minute_of(START)), str(int(START))[:6])


def test_nothing_that_anybody_wrote_is_or_is_called_is_in_a_capture(island):
    assert island.tap.begin(60, ["radio", "mqtt"])
    everything(island)
    capture, text = captured(island)
    assert len(island.liveset) >= 5 and len(capture.entries) > 30
    assert {"heard", "sent", "became", "record", "lan", "done", "end"} <= {entry["is"] for entry in capture.entries}
    tried = list(secrets(island))
    assert len(tried) > 500 and not [secret for secret in tried if secret in text.lower()]


def test_a_capture_tells_what_was_heard_how_it_was_heard_and_what_became_of_it(island):
    island.hear(Whole(VOUCH, False))
    island.tap.begin(60, ["radio"])
    island.hear(Whole(VOUCH, False))
    island.hear(Whole(record(), True))
    island.hear(Whole(record(STRANGER), True))
    island.hear(payload=bytes(50))
    capture, _ = captured(island)
    heard = list(capture.of("heard"))
    assert [one.get("says") for one in heard] == [[["whole", 1, 0]], [["whole", 2, 1]], [["whole", 3, 1]], None]
    assert heard[0] | {"at": 0} == {
        "is": "heard", "at": 0, "link": "radio", "node": 1, "left": 2, "hops": 1, "relay": 2, "rssi": -93, "snr": 4,
        "island": 1, "says": [["whole", 1, 0]]}
    assert heard[3]["refused"] == "packet-version" and heard[3]["octets"] == 48
    assert [(one["record"], one["reason"]) for one in capture.of("became")] == [(2, "kept"), (3, "penned")]
    records = {one["number"]: one for one in capture.of("record")}
    assert records[1]["held"] and records[1]["whom"] == records[2]["author"] != records[3]["author"]
    assert all(one["octets"] % 8 == 0 for one in records.values()) and records[2]["kind"] == "bulletin"
    assert capture.entries[-1]["counted"] == {"refused penned": 1, "dropped packet-version": 1}
    assert all(one["at"] <= other["at"] for one, other in pairwise(capture.entries))


def test_it_ends_by_itself_and_who_comes_for_the_rest_gets_it_once(island):
    assert island.tap.begin(2, [])
    island.hear(Whole(VOUCH, False))
    for _ in range(3):
        island.clock.advance(35)
        assert island.tap.take()["over"] == ""
    island.clock.advance(30)
    island.hear(Whole(record(), True))
    told = island.tap.take()
    assert told["over"] == "time" and json.loads(told["lines"][-1])["why"] == "time"
    assert not [line for line in told["lines"] if '"heard"' in line]
    assert island.tap.take() == {"lines": [], "over": "asked"} and island.tap.deadline is None
    assert island.tap.begin(1, [])


def test_one_is_made_at_a_time_until_nobody_comes_for_what_it_has(island):
    assert island.tap.begin(60, [])
    island.hear(Whole(VOUCH, False))
    assert not island.tap.begin(60, [])
    island.clock.advance(ABANDONED_S + 1)
    assert island.tap.deadline <= island.clock.now() + 1
    island.hear(Whole(record(), True))  # whatever happens next: it is forgotten
    assert island.tap.take() == {"lines": [], "over": "asked"}
    assert island.tap.begin(60, [])


def test_it_is_full_at_a_bound_whatever_is_heard():
    most = 100_000
    island = Island(most_octets=most)
    island.tap.begin(700, [])
    said = packet_of(Packet(OTHER, 1, (Neighbours(tuple(range(1, 16))),) * 7), TAG_KEY)
    lines, over = [], ""
    for number in range(2_000):
        island.tap.handle(PacketReceived("radio", said), START)
        if number % 100 == 0:
            told = island.tap.take()
            lines, over = lines + told["lines"], told["over"]
            if over:
                break
    assert over == "full" and most - 20_000 < sum(map(len, lines)) <= most < MAX_OCTETS
    assert read_capture(io.BytesIO("".join(lines).encode())).entries[-1]["why"] == "full"


@pytest.mark.parametrize("radio", [
    {"snr_db": float("nan")}, {"snr_db": float("inf"), "rssi_dbm": 1 << 31}, {"hops": 250}, {"hops_left": 1 << 20},
    {"hops": -3}, {"sender": "x" * 10_000, "relay": "\u202e"}, {"rssi_dbm": -(1 << 31)},
])
def test_whatever_a_radio_tells_a_capture_can_be_read_and_the_island_goes_on(island, radio):
    island.tap.begin(60, ["radio"])
    island.hear(Whole(VOUCH, False), **radio)
    island.hear(Whole(record(), True))
    capture, _ = captured(island)
    assert record_id(record()) in island.liveset
    assert list(capture.of("heard")) and all(line_of(entry) for entry in capture.entries)


def test_who_does_not_record_keeps_nothing(island):
    everything(island)
    assert island.tap._running is None and not island.tap._slots and not island.tap._tags
    island.tap.begin(60, AIR)
    everything(island)
    island.tap.end()
    assert island.tap._running is None and not island.tap._slots and not island.tap._tags

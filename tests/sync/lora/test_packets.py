"""Packets of the air: layouts, the keyed tag, and everything that must be refused."""

import json
import pathlib
import random

import pytest

from node.model.errors import LocalMisuse, RemoteFault
from node.sync.lora.packets import Have, More, Need, Neighbours, Packet, Piece, Sum, Whole, decode, encode, tag

KEY = bytes(range(32))
VECTORS = json.loads((pathlib.Path(__file__).parents[2] / "vectors" / "packets.json").read_text())
KINDS = {"whole": Whole, "piece": Piece, "sum": Sum, "have": Have, "need": Need, "more": More, "neighbours": Neighbours}


def section(fields):
    """A section from its fields in a vector: bytes are written in hex after "hex:"."""
    read = {name: bytes.fromhex(value[4:]) if str(value).startswith("hex:") else value for name, value in fields.items()}
    kind = KINDS[read.pop("kind")]
    if "sketch" in read:  # its sums one after the other, as on the air
        sums = read["sketch"]
        read["sketch"] = sum(int.from_bytes(sums[at:at + 4], "big") << 8 * at for at in range(0, len(sums), 4))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in read.items()})


@pytest.mark.parametrize("vector", VECTORS["good"], ids=lambda vector: vector["what"])
def test_a_good_vector_reads_as_it_says_and_comes_back_the_same(vector):
    raw = bytes.fromhex(vector["packet"])
    packet = Packet(vector["sender"], vector["sequence"], tuple(section(fields) for fields in vector["sections"]),
                    vector.get("strict", False))
    assert decode(raw, KEY) == packet
    assert encode(packet, KEY, len(raw)) == raw


@pytest.mark.parametrize("vector", VECTORS["bad"], ids=lambda vector: vector["what"])
def test_a_bad_vector_is_refused_for_its_one_fault(vector):
    with pytest.raises(RemoteFault) as caught:
        decode(bytes.fromhex(vector["packet"]), KEY)
    assert caught.value.reason == vector["reason"]


def any_section(rng):
    """A section of any kind, with fields at random."""
    parts = rng.randrange(2, 17)
    whole_bytes = rng.randrange(parts, 900)
    content = rng.randbytes(min(-(-whole_bytes // parts), 150))
    return rng.choice([
        Whole(rng.randbytes(rng.randrange(0, 200)), bool(rng.getrandbits(1))),
        Piece(rng.randbytes(4), parts, rng.randrange(255), len(content) * parts, content, bool(rng.getrandbits(1))),
        Sum(rng.randrange(65536), rng.randrange(65536), 7, rng.getrandbits(32 * 7)),
        Have(rng.randrange(65536), rng.randrange(65536), rng.randrange(256), (1, 2), rng.randbytes(rng.randrange(1, 120))),
        Need(rng.randrange(65536), rng.randrange(256), tuple(rng.randrange(1 << 32) for _ in range(rng.randrange(1, 32)))),
        More(rng.randrange(65536), rng.randbytes(4), parts, rng.randrange(1, parts)),
        Neighbours(tuple(rng.randrange(65536) for _ in range(rng.randrange(1, 16)))),
    ])


def test_whatever_is_written_is_read_back():
    rng = random.Random(1)
    for _ in range(500):
        wanted = Packet(rng.randrange(65536), rng.randrange(256), (any_section(rng),))
        assert decode(encode(wanted, KEY), KEY) == wanted


def test_filling_up_changes_nothing():
    packet = Packet(7, 1, (Neighbours((1, 2)),))
    assert len(encode(packet, KEY, 166)) == 166
    assert decode(encode(packet, KEY, 166), KEY) == packet


def test_whoever_lacks_the_key_is_refused_whatever_the_packet_says():
    rng = random.Random(2)
    for _ in range(200):
        raw = encode(Packet(7, 1, (any_section(rng),)), KEY)
        with pytest.raises(RemoteFault, match="packet-tag"):
            decode(raw, bytes(32))


def test_every_single_bit_flip_is_refused():
    raw = encode(Packet(7, 1, (Need(3, 4, (5, 6)), Sum(1, 2, 2, 99))), KEY)
    for bit in range(8 * len(raw)):
        flipped = (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")
        with pytest.raises(RemoteFault):
            decode(flipped, KEY)


def test_noise_with_a_good_tag_is_read_or_refused_and_nothing_else():
    rng = random.Random(3)
    reasons = set()
    for _ in range(5000):
        body = b"\x10" + rng.randbytes(rng.randrange(3, 220))
        raw = body[:1] + tag(body, KEY) + body[1:]
        try:
            packet = decode(raw, KEY)
            assert encode(packet, KEY, len(raw)) == raw
        except RemoteFault as fault:
            reasons.add(fault.reason)
    assert {"packet-section", "packet-short", "packet-padding", "packet-capacity", "packet-piece"} <= reasons


def test_a_packet_that_no_radio_takes_is_our_own_mistake():
    with pytest.raises(LocalMisuse):
        encode(Packet(7, 1, (Whole(bytes(222), True),)), KEY)

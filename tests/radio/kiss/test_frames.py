"""KISS and AX.25: as others write them, and whatever noise is in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.kiss.frames import MAX_FRAME_BYTES, HeardFrame, Unkiss, _address, airtime_s, heard, is_callsign, kissed, ui_frame

payloads = st.binary(max_size=256)


def test_addresses_are_written_as_in_the_specification():
    assert _address("NJ7P", command=True) == bytes.fromhex("9c946ea04040e0")  # AX.25 v2.2, figure 3.5
    assert _address("N7LEM", last=True) == bytes.fromhex("9c6e988a9a4061")


@given(payloads, st.integers(1, 50))
def test_what_was_sent_is_heard_whatever_the_pieces(payload, size):
    stream, unkiss = kissed(ui_frame("F4ABC-15", payload)), Unkiss()
    frames = [frame for at in range(0, len(stream), size) for frame in unkiss.feed(stream[at:at + size])]
    assert [heard(frame) for frame in frames] == [HeardFrame("F4ABC-15", 0, payload)]


def test_digipeaters_on_the_way_are_counted_once_they_have_passed_it_on():
    plain = ui_frame("F4ABC", b"x")
    start, rest = plain[:13] + bytes([plain[13] & 0xFE]), plain[14:]
    passed, asked = bytearray(_address("F5DIG-1")), bytearray(_address("F6DIG-2", last=True))
    passed[6] |= 0x80
    assert heard(start + passed + asked + rest) == HeardFrame("F4ABC", 1, b"x")


@pytest.mark.parametrize("frame", [
    b"", bytes(16), ui_frame("F4ABC", b"x")[:15], _address("APRS") + _address("F4ABC", last=True) + b"\x03\xf0!x",
    ui_frame("F4ABC", b"x").replace(b"\x03\xf0", b"\x3f\xf0"), ui_frame("F4ABC", b"x").replace(b"\x03\xf0", b"\x03\xcf"),
    _address("ARCHIP") * 12, ui_frame("F4ABC", b"x" * 256) + b"x",
])
def test_other_traffic_is_passed_over(frame):
    assert heard(frame) is None


@given(st.binary(max_size=2_000))
def test_noise_raises_nothing_and_is_not_kept(noise):
    unkiss = Unkiss()
    for frame in unkiss.feed(noise):
        heard(frame)
    for _ in range(20):
        unkiss.feed(noise)
    assert len(unkiss._rest) <= MAX_FRAME_BYTES + 1
    assert heard(unkiss.feed(b"\xc0" + kissed(ui_frame("F4ABC", b"after")))[-1]).info == b"after"


def test_a_frame_that_is_too_long_is_none_however_its_octets_come():
    unkiss = Unkiss()
    assert unkiss.feed(b"\xc0" + bytes(2_000)) == unkiss.feed(bytes(2_000)) == unkiss.feed(b"\xc0") == []


@pytest.mark.parametrize(("text", "good"), [
    ("F4ABC", True), ("F4ABC-0", True), ("F4ABC-15", True), ("F4ABC-16", False), ("f4abc", False), ("", False),
    ("NOCALL", False), ("F4ABCDE", False), ("F4 BC", False),
])
def test_callsigns_are_told_from_other_words(text, good):
    assert is_callsign(text) is good


def test_what_cannot_be_sent_is_our_own_mistake():
    with pytest.raises(ValueError, match="callsign"):
        ui_frame("nobody", b"")
    with pytest.raises(ValueError, match="bytes"):
        ui_frame("F4ABC", bytes(257))


def test_a_frame_keeps_the_channel_as_long_as_its_bits_take():
    assert 1.9 < airtime_s(231, 1200, 0.3) < 2.1 and airtime_s(231, 9600, 0.1) < 0.4

"""What a TNC sends, in blocks of any size: frames of ours are found, whatever else is there, and nothing else."""

from node.daemon.settings import PacketSettings
from radio.kiss.frames import DATA, FEND, MAX_FRAME_BYTES, MAX_INFO_BYTES, Unkiss, heard, is_callsign, kissed, ui_frame
from tests.fuzz.kinds import Target

CALL = "F4ABC-7"


def run(octets):
    """As a stream, whole and in blocks; as a frame; as what a frame of ours carries; as a callsign."""
    frames = Unkiss().feed(octets)
    small, at = Unkiss(), 0
    found = []
    while at < len(octets):
        size = octets[at] % 7 + 1
        found += small.feed(octets[at:at + size])
        at += size
    assert found == frames
    assert all(0 < len(frame) <= MAX_FRAME_BYTES for frame in frames)
    for frame in (*frames, octets, b"\x82\xa4\x86\x90\x92\xa0\xe0" + octets):
        told = heard(frame)
        if told is not None:
            assert is_callsign(told.sender) and len(told.info) <= MAX_INFO_BYTES and 0 <= told.hops <= 8
            assert heard(ui_frame(told.sender, told.info)).info == told.info
    info = octets[:MAX_INFO_BYTES]
    sent = kissed(ui_frame(CALL, info))
    frame, = Unkiss().feed(b"noise" + sent)
    assert heard(frame).info == info and heard(frame).sender == CALL
    text = octets.decode("utf-8", "replace")
    if is_callsign(text):
        assert PacketSettings(callsign=text).callsign == text and heard(ui_frame(text, b"")).sender == text.removesuffix("-0")


def seeds():
    good = ui_frame(CALL, b"hello")
    passed_on = good[:13] + bytes([good[13] & 0xFE]) + bytes(letter << 1 for letter in b"DIGI  ") + b"\xe1" + good[14:]
    yield from (kissed(good), kissed(good) * 2, kissed(passed_on), kissed(good)[:-1], b"noise" + kissed(good), good, passed_on, good[:20])
    yield kissed(bytes([FEND, 0xDB, 0xDC, 0xDD]) + good)
    yield bytes([FEND, DATA]) + good.replace(b"\x03\xf0", b"\x13\xf0") + bytes([FEND])
    yield bytes([FEND, 0x06]) + good + bytes([FEND])
    yield from (good[:7] + good[7:14].lower() + good[14:], good.replace(b"\xf0", b"\xcf"), b"x" * 700 + bytes([FEND]), b"x" * 700)
    yield from (b"F4ABC", b"F4ABC-15", b"F4ABC-16", b"ABCDE", b"F4", b"F4ABC-0", "F4AB\u0663".encode())
    yield b"\x82\xa4\x86\x90\x92\xa0\xe0"
    yield bytes(701) + bytes([FEND])
    yield bytes(7 * 12)
    yield good + bytes(MAX_INFO_BYTES + 9)
    yield bytes([FEND, 0, FEND, FEND])


TARGET = Target(run, ("radio/kiss/frames.py",), seeds, 1_024, (b"\xc0\x00", b"\xdb\xdc", b"\xdb\xdd", b"\x03\xf0"), beside={
    "what we send": ("ui_frame", "kissed", "airtime_s", "_address")})

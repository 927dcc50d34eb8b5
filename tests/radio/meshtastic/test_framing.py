"""Messages are found in a Meshtastic stream whatever surrounds them."""

import random

from hypothesis import given
from hypothesis import strategies as st

from radio.meshtastic.framing import MAX_MESSAGE_BYTES, Deframer, framed


@given(st.lists(st.binary(max_size=MAX_MESSAGE_BYTES), max_size=6), st.randoms(use_true_random=False))
def test_messages_survive_any_cutting_of_the_stream(messages, rng):
    stream, found, deframer = b"".join(framed(message) for message in messages), [], Deframer()
    while stream:
        cut = rng.randint(1, len(stream))
        found += deframer.feed(stream[:cut])
        stream = stream[cut:]
    assert found == messages


def test_noise_between_messages_is_passed_over():
    deframer = Deframer()
    noise = bytes([0xC3] * 32) + b"INFO | boot\r\n\x94" + b"\x94\xc3\xff\xff"
    assert deframer.feed(noise + framed(b"one") + b"log\n" + framed(b"two")) == [b"one", b"two"]


def test_endless_noise_is_not_kept():
    deframer, rng = Deframer(), random.Random(3)
    for _ in range(200):
        deframer.feed(rng.randbytes(5_000).replace(b"\x94", b"\x00"))
        assert len(deframer._rest) <= 1
    assert deframer.feed(framed(b"still here")) == [b"still here"]

"""How busy a channel is said to be is how busy it was."""

import random

import pytest

from radio.lora import LONG_FAST
from radio.sim.air import Frame, Sent
from tests.bench.channel import HOUR_S, busiest_s, channel_use, united
from tests.bench.shapes import Layout

FRAME_S = LONG_FAST.time_on_air_s(200)


def sent(at, node, origin):
    return Sent(at, node, Frame(origin, 1, b"", 200))


def test_what_overlaps_counts_once():
    assert united([(5, 6), (0, 2), (1, 3), (3, 4)]) == [(0, 4), (5, 6)]


def test_the_busiest_hour_is_the_one_with_most_in_it():
    assert busiest_s([]) == 0
    assert busiest_s([(0, 100), (3500, 3700)]) == 200
    assert busiest_s([(0, 100), (3500, 3650)]) == 200
    assert busiest_s([(0, 100), (3000, 3050), (6500, 6600), (6700, 6900)]) == 300


def test_it_is_what_looking_at_every_second_finds():
    rng = random.Random(2)
    for _ in range(20):
        spans = united((start, start + rng.randrange(1, 200)) for start in rng.sample(range(15_000), 30))
        busy = [any(start <= second < end for start, end in spans) for second in range(16_000)]
        assert busiest_s(spans) == max(sum(busy[second : second + HOUR_S]) for second in range(0, 12_400))


def test_a_node_counts_what_it_sends_and_hears_and_no_more():
    made = Layout(4, [(0, 1), (1, 2), (2, 3)], frozenset({1, 2}))
    use = channel_use(made, [sent(10, 0, 0), sent(20, 1, 0), sent(30, 2, 0), sent(31, 3, 3)], 7200)
    assert use["busiest_channel"] == pytest.approx(3 * FRAME_S / HOUR_S)
    assert use["copies_s"] == pytest.approx(2 * FRAME_S)
    assert use["plain_s"] == pytest.approx(2 * FRAME_S)
    assert use["busiest_channel_mean"] == pytest.approx(use["busiest_channel"] / 2)


def test_nothing_sent_is_nothing_busy():
    assert set(channel_use(Layout(2, [(0, 1)]), [], 0.0).values()) == {0}

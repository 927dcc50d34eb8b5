"""Texts take a part of the air, and nothing that records need: behind what is urgent, beside what is kept for others."""

import math

import pytest

from node.daemon.text_air import BEHIND_URGENT_S, PART, REPEATS, TextAir
from radio.airtime import FAIR_RESERVE, URGENT_RESERVE, Governor
from radio.lora import LONG_FAST, time_on_air_s

FULL_S = time_on_air_s(219, LONG_FAST, direct=True)


class Air:
    """A governor and the texts' part of it, by a clock that a test moves."""

    def __init__(self, region="EU_868", share=None):
        self.now, self.urgent, self.failed = 0.0, False, 0
        self.governor = Governor(region, share, lambda: self.now)
        self.texts = TextAir(self.governor, lambda size, to_one: time_on_air_s(size, LONG_FAST, False, to_one),
                             lambda now: self.urgent, lambda: self.failed, lambda: self.now)

    def flood(self, size=219, pause_s=12.0, short=False):
        """Texts as fast as the channel bears them, until one has to wait; how many went."""
        for number in range(1_000):
            if self.texts.claim(size, self.now, short=short) > 0:
                return number
            self.now += pause_s
        return math.inf


@pytest.fixture
def air():
    return Air()


def test_a_text_is_charged_to_the_governor(air):
    assert air.texts.claim(219, 0.0) == 0
    assert air.governor.used_s(0.0) == pytest.approx(FULL_S)
    assert air.texts.status(0.0).used_s == pytest.approx(FULL_S, abs=0.1) and air.texts.status(0.0).sent == 1


def test_a_flood_takes_a_part_of_what_is_saved_and_leaves_the_rest_to_records(air):
    went = air.flood()
    assert 20 < went < 40
    assert air.governor.used_s(air.now) <= PART * 6 * air.governor.mean_s
    assert air.governor.wait_s(FULL_S, air.now) == 0, "a record goes at once"
    air.flood(30)
    assert air.texts.claim(30, air.now, short=True) == 0, "and so does a sentence that asks to wait, alone"
    assert air.flood(30, short=True) < 40


def test_over_a_day_texts_take_no_more_than_their_part(air):
    spent = 0.0
    while air.now < 86_400:
        spent += FULL_S * (air.texts.claim(219, air.now) == 0)
        air.now += 20
    assert 0.2 < spent / (24 * air.governor.mean_s) <= PART


def test_nothing_goes_while_something_urgent_is_about_to(air):
    air.urgent = True
    assert air.texts.claim(50, 0.0) == BEHIND_URGENT_S
    air.urgent = False
    assert air.texts.claim(50, 0.0) == 0


def test_texts_leave_what_is_kept_for_urgent_calls_and_for_other_authors(air):
    while air.governor.wait_s(1.0, air.now, crowding=True) == 0:
        air.governor.charge(1.0, air.now)
        air.now += 12.0  # so that the channel is no reason to wait
    assert air.governor.wait_s(FULL_S, air.now) == 0 and air.texts.claim(219, air.now) > 0
    left = air.governor.limit_s - air.governor.used_s(air.now)
    assert left >= (URGENT_RESERVE + FAIR_RESERVE) * air.governor.limit_s - 1


def test_what_the_radio_repeats_by_itself_is_charged_too(air):
    air.texts.claim(219, 0.0)
    air.failed = 1
    air.texts.claim(219, 0.0)
    assert air.texts.status(0.0).used_s == pytest.approx((2 + REPEATS) * FULL_S, abs=0.1)


def test_the_part_follows_the_share_and_a_text_that_never_fits_says_so():
    wide, narrow = Air("EU_868", 0.5), Air("EU_868", 0.0005)
    assert wide.flood() > Air().flood()
    assert narrow.texts.claim(219, 0.0) == math.inf

"""The governor never lets an hour hold more of our air than was allowed."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.airtime import GUARD_S, HOUR_S, Governor
from radio.regions import REGIONS, legal_duty_cycle

START = 1_700_000_000.0


def busiest_hour_s(sent):
    """The most air any hour holds; `sent` is [(start, seconds)]. The worst window begins or ends with a packet."""
    edges = {edge for start, lasts in sent for edge in (start, start + lasts, start - HOUR_S, start + lasts - HOUR_S)}
    return max((sum(max(0.0, min(start + lasts, edge + HOUR_S) - max(start, edge)) for start, lasts in sent)
                for edge in edges), default=0.0)


steps = st.lists(st.tuples(
    st.floats(0, 900), st.floats(0.05, 15), st.booleans(), st.floats(0, 1),
    st.sampled_from(["nothing"] * 6 + ["restart", "clock"]), st.floats(-90_000, 90_000)), max_size=120)


@settings(max_examples=150, deadline=None)
@given(steps, st.sampled_from(["EU_868", "UA_868", "US"]), st.booleans())
def test_no_hour_ever_holds_more_than_the_limit(steps, region, patient):
    governor, real, skew, sent = Governor(region), START, 0.0, []
    for pause_s, airtime_s, urgent, late, happening, jump_s in steps:
        kept = json.loads(json.dumps(governor.state(real + skew)))
        real += pause_s
        if happening == "restart":
            governor = Governor(region)
            governor.restore(kept, real + skew)
        elif happening == "clock":
            governor.clock_jumped(jump_s)
            skew += jump_s
        wait_s = governor.wait_s(airtime_s, real + skew, urgent, crowding=late > 0.5)
        if patient and wait_s < math.inf:
            real += wait_s
            wait_s = governor.wait_s(airtime_s, real + skew, urgent, crowding=late > 0.5)
        if wait_s == 0:
            governor.charge(airtime_s, real + skew)
            sent.append((real + late * (GUARD_S - airtime_s), airtime_s))
    assert busiest_hour_s(sent) <= governor.limit_s + 1e-6


@given(st.lists(st.floats(0.1, 5), min_size=1, max_size=60), st.floats(0.1, 5))
def test_waiting_exactly_as_told_is_enough(spent, airtime_s):
    governor, now = Governor(), START
    for one in spent:
        governor.charge(one, now)
        now += 7
    now += governor.wait_s(airtime_s, now)
    assert governor.wait_s(airtime_s, now + 1e-3) == 0


def test_by_default_sync_takes_at_most_one_percent_of_the_hour_anywhere():
    for region in REGIONS:
        governor = Governor(region)
        assert governor.limit_s <= 36 + 1e-9
        assert governor.limit_s <= HOUR_S * legal_duty_cycle(region) / 2 + 1e-9


def test_a_region_nobody_wrote_down_gets_the_strictest_law():
    assert legal_duty_cycle("ATLANTIS") == 0.01


@pytest.mark.parametrize("share", [0, -0.1, 1.01, math.nan])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(ValueError, match="share"):
        Governor("EU_868", share)


def test_a_packet_longer_than_the_whole_budget_never_goes():
    assert Governor("UA_868").wait_s(20, START) == math.inf


def test_urgent_packets_have_a_reserve_that_others_cannot_touch():
    governor = Governor()
    governor.charge(31, START)
    later = START + 120  # the minute of channel use is over
    assert governor.wait_s(2, later) > 3000
    assert governor.wait_s(2, later, urgent=True) == 0


def test_who_crowds_the_air_leaves_some_of_the_hour_to_others():
    governor = Governor()
    governor.charge(23, START)
    later = START + 120
    assert governor.wait_s(2, later, crowding=True) > 3000
    assert governor.wait_s(2, later) == 0


def test_a_busy_channel_makes_us_wait_longer_each_time_and_a_quiet_one_at_once_no_more():
    governor = Governor()
    waits = []
    for minute in range(7):
        governor.channel_told(0.30, START + 60 * minute)
        waits.append(governor.wait_s(1, START + 60 * minute))
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert governor.wait_s(1, START + 361, urgent=True) == 0
    governor.channel_told(0.45, START + 362)
    assert governor.wait_s(1, START + 362, urgent=True) == 300
    governor.channel_told(0.05, START + 363)
    assert governor.wait_s(1, START + 363) == 0


def test_what_we_hear_and_send_in_a_minute_stays_near_a_quarter_of_it():
    governor = Governor("US", share=1)
    governor.heard(10, START)
    governor.charge(6, START + 10)
    wait_s = governor.wait_s(1, START + 11)
    assert 48 <= wait_s <= 51
    assert governor.wait_s(1, START + 11, urgent=True) == 0
    assert governor.wait_s(1, START + 11 + wait_s) == 0


def test_a_refusal_by_the_radio_pauses_everything_and_longer_the_second_time():
    governor = Governor()
    governor.refused(START)
    assert governor.wait_s(1, START, urgent=True) == 60
    governor.refused(START + 60)
    assert governor.wait_s(1, START + 60) == 120
    governor.accepted()
    assert governor.wait_s(1, START + 61) == 0


def test_what_was_used_and_what_is_left_can_be_shown():
    governor = Governor()
    governor.charge(2, START)
    governor.charge(3, START + 1800)
    assert governor.used_s(START + 1801) == 5
    assert governor.used_s(START + 1801, 600) == 3
    assert governor.left_s(START + 1801) == pytest.approx(31)
    assert governor.used_s(START + 3 * HOUR_S) == 0


def test_a_clock_set_back_frees_nothing():
    governor = Governor()
    governor.charge(31, START)
    assert governor.wait_s(2, START - 10 * HOUR_S) > 3000
    assert governor.wait_s(2, START - 10 * HOUR_S + HOUR_S + 100) == 0


def test_a_clock_that_wakes_in_1970_and_is_then_set_frees_nothing():
    governor = Governor()
    governor.charge(31, 60.0)
    assert governor.wait_s(2, START) > 3000


@pytest.mark.parametrize("state", [None, 5, [], {}, {"at": "x", "spent": []}, {"at": 1, "spent": [[1]]},
                                   {"at": 1, "spent": [["a", 2]]}, {"at": 1, "spent": 7}])
def test_a_damaged_state_is_no_state(state):
    governor = Governor()
    governor.restore(state, START)
    assert governor.left_s(START) == governor.limit_s


def test_absurd_numbers_in_a_state_are_left_out():
    governor = Governor()
    governor.restore({"at": START, "spent": [[math.nan, 1], [5, -3], [5, 1e9], [-7, 1], [1e9, 4]]}, START)
    assert governor.used_s(START) == 1


def test_another_region_keeps_what_was_spent():
    governor = Governor("US", share=0.01)
    governor.charge(17, START)
    governor.configure("UA_868")
    assert governor.left_s(START) == pytest.approx(1)

"""The governor never lets an hour or a day hold more of our air than was allowed."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radio.airtime import DAY_S, GUARD_S, HOUR_S, MAX_SHARE, Governor, Hold, Outlook, Window, Wish
from radio.regions import REGIONS, legal_duty_cycle

pytestmark = pytest.mark.once

START = 1_700_000_000.0


def busiest_s(sent, window_s=HOUR_S):
    """The most air any such window holds; `sent` is [(start, seconds)]. The worst one begins or ends with a packet."""
    edges = {edge for start, lasts in sent for edge in (start, start + lasts, start - window_s, start + lasts - window_s)}
    return max((sum(max(0.0, min(start + lasts, edge + window_s) - max(start, edge)) for start, lasts in sent)
                for edge in edges), default=0.0)


def holds_the_rule(world, hair=1e-4):
    """Whether no hour held more than its limit, and no day more than the share; `hair`: the clocks' own rounding."""
    governor = world.governor
    return (busiest_s(world.sent) <= governor.limit_s + hair and
            busiest_s(world.sent, DAY_S) <= 24 * governor.mean_s + hair)


moments = st.lists(st.tuples(st.one_of(st.floats(0, 40), st.sampled_from([0.0, 9.999999, 10.0, 10.000001])),
                             st.floats(0.01, 5)), min_size=1, max_size=40)


@given(st.floats(-1e6, 1e9), moments, st.floats(0, 120), st.floats(1, 20))
def test_air_counts_from_its_moment_for_the_whole_span_and_a_grain_longer_at_most(start, moments, later_s, airtime_s):
    window, now, spent = Window(60, grain_s=10), start, []
    for pause_s, lasts_s in moments:
        now += pause_s
        window.add(lasts_s, now)
        spent.append((now, lasts_s))

    def spent_within(span_s, at):
        return sum(lasts for since, lasts in spent if since > at - span_s)

    hair = 1e-5  # what floats of this size round to
    now += later_s
    assert spent_within(60 - hair, now) - hair <= window.used_s(now) <= spent_within(70 + hair, now) + hair
    assert spent_within(30 - hair, now) - hair <= window.used_s(now, 30) <= spent_within(40 + hair, now) + hair
    wait_s = window.wait_s(airtime_s, 20, now)
    assert spent_within(60, now + wait_s + hair) + airtime_s <= 20 + hair
    if wait_s:
        assert window.used_s(now + wait_s - 1e-3) + airtime_s > 20 - hair, "no longer than needed"


def test_rounding_makes_nobody_wait_longer_than_until_all_has_left():
    window = Window(60, grain_s=10)
    for now, lasts_s in [*[(0.0, 1.0)] * 5, (10.0, 2.7622099937869278), (10.0, 1.01)]:
        window.add(lasts_s, now)
    assert window.wait_s(20, 20, 11.0) == 69


def test_what_is_added_with_an_earlier_moment_counts_as_if_added_last():
    window = Window(60, grain_s=10)
    window.add(1.0, 1000.0)
    window.add(2.0, 900.0)
    assert window.used_s(1055.0, 60) == 3.0 and window.used_s(1071.0) == 0.0


class World:
    """True time, and the two clocks of an island in it: the monotonic one begins at each start, the calendar is set."""

    def __init__(self, region="EU_868"):
        self.region, self.true, self.skew = region, START, 0.0
        self.sent = []
        self._booted_at = self.true
        self._begin()

    @property
    def calendar(self):
        return self.true + self.skew

    def _begin(self):
        self.governor = Governor(self.region, monotonic=lambda: self.true - self._booted_at)

    def restart(self, away_s=0.0, up=None):
        """Stop, and start `away_s` later. The machine was on for the part `up` of that, and began its clock anew; None: it
        never was off."""
        self._start_with(json.dumps(self.governor.state(self.calendar)), away_s, up)

    def _start_with(self, kept, away_s, up):
        self.true += away_s
        if up is not None:
            self._booted_at = self.true - away_s * up
        self._begin()
        self.governor.restore(json.loads(kept), self.calendar)

    def live_through(self, restarts, lasts_s):
        """Let `lasts_s` pass, with restarts in it: (part of what is left of it that the island is off, as `restart`)."""
        end = self.true + lasts_s
        for part, up in restarts:
            self.restart((end - self.true) * part, up)
        self.true = end

    def wait_s(self, airtime_s, urgent=False, crowding=False):
        return self.governor.wait_s(airtime_s, self.calendar, urgent, crowding)

    def charge(self, airtime_s, late_s=0.0):
        """Send; it leaves the radio's queue `late_s` later."""
        self.governor.charge(airtime_s, self.calendar)
        self.sent.append((self.true + late_s, airtime_s))

    def used_s(self):
        return self.governor.used_s(self.calendar)

    def left_s(self):
        return self.governor.left_s(self.calendar)


# moments and steps that meet a grain's edge, miss it by a hair, or lie anywhere
at_edges = st.builds(lambda grains, off_s: max(10.0 * grains + off_s, 0.0), st.integers(0, 400),
                     st.sampled_from([0.0, 1e-6, -1e-6, 1e-3, -1e-3]))
pauses = st.one_of(st.floats(0, 900), at_edges)
jumps = st.builds(lambda sign, step_s: sign * step_s, st.sampled_from([1, -1]),
                  st.one_of(st.floats(0, 4 * 86_400), at_edges))
happenings = st.sampled_from(["nothing"] * 6 + ["restart", "clock"])
ups = st.one_of(st.none(), st.floats(0, 1))
steps = st.lists(st.tuples(pauses, st.floats(0.05, 15), st.booleans(), st.floats(0, 1), happenings, jumps, ups),
                 max_size=120)


@settings(max_examples=150)
@given(steps, st.sampled_from(["EU_868", "UA_868", "US"]), st.booleans())
def test_no_hour_and_no_day_ever_holds_more_than_its_limit(steps, region, patient):
    world = World(region)
    for pause_s, airtime_s, urgent, late, happening, jump_s, up in steps:
        if happening == "clock":
            world.skew += jump_s
        if happening == "nothing":
            world.true += pause_s
        else:
            world.restart(pause_s, up)
        wait_s = world.wait_s(airtime_s, urgent, crowding=late > 0.5)
        if patient and wait_s < math.inf:
            world.true += wait_s
            wait_s = world.wait_s(airtime_s, urgent, crowding=late > 0.5)
        if wait_s == 0:
            world.charge(airtime_s, late * (GUARD_S - airtime_s))
    assert holds_the_rule(world)


@settings(max_examples=100)
@given(steps, st.lists(st.floats(0, 200), min_size=1, max_size=8))
def test_what_others_lend_lets_a_day_hold_so_much_more_and_no_hour_any_more(steps, lent):
    world = World()
    world.governor.lend(lent[0], world.calendar)
    for number, (pause_s, airtime_s, urgent, *_) in enumerate(steps):
        world.true += pause_s
        world.governor.lend(lent[number % len(lent)], world.calendar)
        wait_s = world.wait_s(airtime_s, urgent)
        world.true += wait_s if wait_s < math.inf else 0.0
        if world.wait_s(airtime_s, urgent) == 0:
            world.charge(airtime_s)
    most_lent_s = max(lent) * min(world.true - START, DAY_S) / HOUR_S
    assert busiest_s(world.sent) <= world.governor.limit_s + 1e-4
    assert busiest_s(world.sent, DAY_S) <= 24 * world.governor.mean_s + most_lent_s + 1e-4


def test_what_is_lent_counts_from_now_on():
    world = World()
    world.charge(world.left_s())
    world.true += 2 * HOUR_S
    saved_s = world.governor.saved_s(world.calendar)[0]
    world.governor.lend(50.0, world.calendar)
    assert world.governor.saved_s(world.calendar)[0] == pytest.approx(saved_s)
    world.true += HOUR_S
    back_s = world.governor.saved_s(world.calendar)[0] - saved_s
    assert back_s == pytest.approx(world.governor.refill_s + 50.0)
    assert Governor().refill_s == world.governor.refill_s, "what is lent is nobody else's measure"


wishes = st.builds(Wish, st.one_of(st.floats(0.05, 15), st.just(1e4)), st.booleans(), st.booleans())
held_back = st.sampled_from([None] * 4 + ["rest", "hold", "silence", "refused", "busy", "heard"])


@given(st.lists(st.tuples(pauses, wishes, held_back, st.floats(0, 300)), min_size=1, max_size=40))
def test_the_wait_that_is_explained_is_the_wait_that_counts(steps):
    world, told = World(), 0
    assert steps
    for pause_s, wish, trouble, for_s in steps:
        world.true += pause_s
        governor, now = world.governor, world.calendar
        match trouble:
            case "rest" | "hold" | "silence":
                getattr(governor, trouble)(for_s, now)
            case "refused":
                governor.refused(now)
            case "busy":
                governor.channel_told(for_s / 300, now)
            case "heard":
                governor.heard(for_s / 20, now)
        outlook = governor.outlook(wish, now)
        assert outlook.wait_s == governor.wait_s(wish.airtime_s, now, wish.urgent, wish.crowding)
        assert (outlook.hold is Hold.NONE) == (outlook.wait_s == 0)
        assert (outlook.hold is Hold.NEVER) == (outlook.wait_s == math.inf)
        assert governor.schedule([wish], now) == [outlook]
        if outlook.wait_s == 0:
            told += 1
            world.charge(wish.airtime_s)
            assert governor.left_s(now, wish) >= -1e-6


def test_what_holds_a_packet_back_has_a_name():
    governor = Governor()
    assert governor.outlook(Wish(1.0), START) == Outlook(0.0)
    governor.hold(600, START)
    assert governor.outlook(Wish(1.0), START) == Outlook(600, Hold.ONLY_URGENT)
    assert governor.outlook(Wish(1.0, urgent=True), START) == Outlook(0.0)
    governor.silence(60, START)
    assert governor.outlook(Wish(1.0, urgent=True), START) == Outlook(60, Hold.SILENCE)
    governor.hold(0, START), governor.silence(0, START)
    governor.charge(governor.limit_s / 2, START)
    assert governor.outlook(Wish(1.0), START + 61) == Outlook(0.0)
    governor.charge(governor.limit_s / 2, START + 61)
    assert governor.outlook(Wish(1.0), START + 122).hold is Hold.HOUR
    for hour in range(1, 9):
        governor.charge(governor.limit_s / 4, START + hour * HOUR_S)
    assert governor.outlook(Wish(10.0), START + 8 * HOUR_S + 61).hold is Hold.DAY
    other = Governor()
    other.channel_told(0.5, START)
    assert other.outlook(Wish(1.0, urgent=True), START).hold is Hold.BUSY
    other.refused(START)
    assert other.outlook(Wish(1.0, urgent=True), START) == Outlook(60, Hold.REFUSED)


@given(st.lists(wishes, min_size=1, max_size=12), st.floats(0, 150))
def test_a_schedule_is_what_then_happens_to_who_sends_in_that_order(queue, spent_s):
    world = World()
    world.charge(spent_s)
    foretold = world.governor.schedule(queue, world.calendar)
    assert foretold == world.governor.schedule(queue, world.calendar), "looking ahead spends nothing"
    begun = world.true
    for wish, outlook in zip(queue, foretold, strict=True):
        wait_s = world.wait_s(wish.airtime_s, wish.urgent, wish.crowding)
        if wait_s == math.inf:
            assert outlook == Outlook(math.inf, Hold.NEVER)
            continue
        world.true += wait_s
        assert outlook.wait_s == pytest.approx(world.true - begun, abs=1e-4)
        world.charge(wish.airtime_s)
        world.true += wish.airtime_s


class CutOff(World):
    """One whose power goes without a word: what was kept last, ahead of what was sent, is all that is found."""

    longest_s = 3.0

    def _begin(self):
        super()._begin()
        self.governor.longest_s = self.longest_s
        self.governor.reserved(0.0)

    def keep(self, card_fails=False):
        """What an island does each second."""
        if self.governor.runs_short and not card_fails:
            reserve_s = self.governor.reserve_s
            self.kept = json.dumps(self.governor.state(self.calendar, reserve_s))
            self.governor.reserved(reserve_s)

    def restart(self, away_s=0.0, up=0.0):
        self._start_with(self.kept, away_s, up)


troubles = st.sampled_from(["nothing"] * 4 + ["power cut", "card fails"])
troubled = st.lists(st.tuples(pauses, st.floats(0.05, 3), st.floats(0, 1), troubles, st.booleans(), ups), max_size=120)


@settings(max_examples=150)
@given(troubled, st.sampled_from(["EU_868", "UA_868", "US"]))
def test_no_hour_and_no_day_ever_holds_more_than_its_limit_whenever_the_power_goes(steps, region):
    world = CutOff(region)
    world.keep()
    for pause_s, airtime_s, late, happening, patient, up in steps:
        if happening == "power cut":
            world.restart(pause_s, up)
        else:
            world.true += pause_s
        world.keep(happening == "card fails")
        wait_s = world.wait_s(airtime_s)
        if patient and wait_s < math.inf:
            world.true += wait_s
            wait_s = world.wait_s(airtime_s)
        if wait_s == 0:
            world.charge(airtime_s, late * (GUARD_S - airtime_s))
    assert holds_the_rule(world)


def test_a_power_cut_costs_the_reserve_and_no_more():
    world = CutOff()
    world.keep()
    world.charge(2.0)
    world.restart()
    assert world.used_s() == world.governor.reserve_s
    assert world.wait_s(1.0) > 0, "nothing is on the card yet"
    world.keep()
    assert world.wait_s(1.0) == 0
    world.true += HOUR_S + GUARD_S + 10
    world.keep()
    assert world.used_s() == 0 and world.left_s() == world.governor.limit_s


@pytest.mark.parametrize(("region", "longest_s"), [
    ("EU_868", 0.5), ("EU_868", 9.0), ("UA_868", 2.0), ("US", 20.0), ("EU_868", 30.0)])
def test_every_packet_that_may_ever_go_fits_what_is_kept_ahead(region, longest_s):
    world = CutOff(region)
    world.governor.longest_s = longest_s
    for _ in range(5):
        world.keep()
        if longest_s > world.governor.limit_s * 7 / 8:
            assert world.wait_s(longest_s) == math.inf
            return
        world.true += world.wait_s(longest_s)
        world.keep()
        assert world.wait_s(longest_s) == 0
        world.charge(longest_s)


def test_a_card_that_fails_lets_no_more_be_sent_than_was_kept_ahead():
    world, sent_s = CutOff(), 0.0
    world.keep()
    for _ in range(4000):
        world.true += 5
        world.keep(card_fails=True)
        if world.wait_s(1.0) == 0:
            world.charge(1.0)
            sent_s += 1.0
    assert sent_s <= world.governor.reserve_s


@given(st.lists(st.tuples(pauses, st.floats(0, 3), jumps), min_size=1, max_size=30))
def test_setting_the_clock_changes_nothing_at_all(steps):
    world, twin = World(), World()
    assert steps
    for pause_s, airtime_s, jump_s in steps:
        for one in (world, twin):
            one.true += pause_s
            one.charge(airtime_s)
        world.skew += jump_s
        assert (world.used_s(), world.left_s(), world.wait_s(1.0)) == (twin.used_s(), twin.left_s(), twin.wait_s(1.0))


@given(st.lists(st.tuples(pauses, st.floats(0, 3)), min_size=1, max_size=30), st.floats(0, 7200))
def test_asking_changes_nothing(steps, ahead_s):
    world, twin = World(), World()
    assert steps
    for pause_s, airtime_s in steps:
        for one in (world, twin):
            one.true += pause_s
            one.charge(airtime_s)
        world.true += ahead_s  # somebody looks far ahead
        world.used_s(), world.left_s(), world.wait_s(1.0), world.governor.state(world.calendar)
        world.true = twin.true
        assert world.governor.state(START) == twin.governor.state(START)
        assert (world.used_s(), world.wait_s(1.0)) == (twin.used_s(), twin.wait_s(1.0))


restarts = st.lists(st.tuples(st.floats(0, 1), ups), max_size=5)


@given(pauses, restarts, st.sampled_from([1e-3, 1.0, 10.0, 100.0]))
def test_what_was_spent_counts_for_its_whole_hour_across_restarts(since_start_s, restarts, before_s):
    world = World()
    world.true += since_start_s
    world.charge(5.0)
    world.live_through(restarts, HOUR_S + GUARD_S - before_s)
    assert world.left_s() == world.governor.limit_s - 5.0


@given(pauses, st.lists(st.floats(0, 1), max_size=5))
def test_what_was_spent_counts_no_longer_than_a_grain_and_one_for_each_restart_of_the_program(since_start_s, parts):
    restarts = [(part, None) for part in parts]
    world = World()
    world.true += since_start_s
    world.charge(5.0)
    world.true += 500
    world.charge(3.0)
    world.live_through(restarts, HOUR_S + GUARD_S - 500 + 10 * (len(restarts) + 1) + 1e-3)
    assert world.left_s() == world.governor.limit_s - 3.0


@given(st.lists(st.tuples(st.one_of(st.floats(allow_nan=True), st.floats(-1e5, 4e3)), st.floats(0, 36)), max_size=20),
       st.floats(allow_nan=True), st.floats(0, 1e6))
def test_whatever_a_kept_state_says_the_hour_after_it_is_free_again(spent, kept_at, uptime_s):
    world = World()
    world.true += uptime_s
    world.governor.restore({"moment": kept_at, "spent": spent, "owed": 0.0, "ahead": 0.0}, world.calendar)
    world.true += HOUR_S + GUARD_S + 10.001
    assert world.used_s() == 0 and world.wait_s(1.0, urgent=True) == 0


@pytest.mark.parametrize(("away_s", "up", "left_s"), [
    (8 * HOUR_S, None, 180.0), (8 * HOUR_S, 1.0, 180.0), (8 * HOUR_S, 0.0, 25.0), (0.0, None, 25.0),
    (300 * 86_400, 0.0, 25.0)])
@pytest.mark.parametrize("skew_s", [0.0, -9 * HOUR_S, 2 * HOUR_S, 90 * 86_400])
def test_time_away_counts_as_far_as_the_machine_was_on_whatever_its_calendar_says(away_s, up, left_s, skew_s):
    world = World()
    world.true += 100
    world.charge(155)
    world.skew = skew_s
    world.restart(away_s, up)
    assert world.left_s() == pytest.approx(left_s)


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
        assert governor.mean_s <= 36 + 1e-9
        assert governor.limit_s <= min(HOUR_S * legal_duty_cycle(region) / 2, 180) + 1e-9


def test_who_was_silent_has_saved_six_hours_and_who_never_is_gets_three_quarters():
    governor, now = Governor(), START
    spent = []
    for _ in range(24 * HOUR_S // 10):
        now += 10
        if governor.wait_s(2, now) == 0:
            governor.charge(2, now)
            spent.append(now)
    by_hour = [2 * sum(START + HOUR_S * hour < at <= START + HOUR_S * (hour + 1) for at in spent) for hour in range(24)]
    assert by_hour[0] > 150 and sum(by_hour[:2]) > 5 * governor.mean_s
    assert all(24 <= hour <= 28 for hour in by_hour[3:]), "nobody is silenced for what came before"
    assert sum(by_hour) <= 24 * governor.mean_s
    assert governor.wait_s(2, now + 20, urgent=True) == 0


def test_half_of_the_copies_that_others_make_count_for_the_day_and_for_no_hour():
    def sent_in_a_day(copies):
        governor, now, spent_s = Governor(), START, 0.0
        for _ in range(24 * HOUR_S // 10):
            now += 10
            if governor.wait_s(2, now) == 0:
                governor.charge(2, now, copies)
                spent_s += 2
        return spent_s
    assert 1.9 < sent_in_a_day(0) / sent_in_a_day(2) < 2.1 and 2.8 < sent_in_a_day(0) / sent_in_a_day(4) < 3.2
    governor = Governor()
    governor.charge(2, START, copies=4)
    assert governor.used_s(START + 1) == 2, "the law asks each for its own"


def test_a_keeper_who_wants_more_than_half_of_the_law_gets_that_and_no_burst_above_it():
    governor = Governor("EU_868", share=1)
    assert governor.limit_s == governor.mean_s == 360 > HOUR_S * 0.1 * MAX_SHARE


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
    governor.charge(156.5, START)
    later = START + 120  # the minute of channel use is over
    assert governor.wait_s(2, later) > 3000
    assert governor.wait_s(2, later, urgent=True) == 0


def test_who_crowds_the_air_leaves_some_of_the_hour_to_others():
    governor = Governor()
    governor.charge(112, START)
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
    assert governor.left_s(START + 1801) == pytest.approx(175)
    assert governor.used_s(START + 3 * HOUR_S) == 0


def test_a_clock_set_back_frees_nothing():
    world = World()
    world.charge(157)
    world.skew = -10 * HOUR_S
    assert world.wait_s(2) > 3000
    world.true += HOUR_S + 100
    assert world.wait_s(2) == 0


def test_a_clock_that_wakes_in_1970_and_is_then_set_frees_nothing():
    world = World()
    world.skew = 60.0 - START
    world.charge(157)
    world.skew = 0.0
    assert world.wait_s(2) > 3000


def test_what_was_spent_just_before_a_start_does_not_count_from_the_start_on():
    world = World()
    world.charge(157)
    world.restart(away_s=3000)
    world.true += 700
    assert world.used_s() == 0


@pytest.mark.parametrize("damaged", [
    {"moment": "x"}, {"moment": None}, {"owed": None}, {"owed": "x"}, {"ahead": []}, {"spent": [[1]]},
    {"spent": [["a", 2]]}, {"spent": 7}])
def test_a_state_with_a_damaged_part_is_no_state(damaged):
    governor, whole, broken = Governor(), Governor(), Governor()
    governor.charge(50, START)
    state = governor.state(START)
    whole.restore(state, START), broken.restore(state | damaged, START)
    assert (whole.used_s(START), broken.used_s(START)) == (50, 0)


@pytest.mark.parametrize("state", [None, 5, [], {}])
def test_a_damaged_state_is_no_state(state):
    governor = Governor()
    governor.restore(state, START)
    assert governor.left_s(START) == governor.limit_s


def test_absurd_numbers_in_a_state_are_left_out():
    governor = Governor()
    spent = [[math.nan, 1], [5, -3], [5, 1e9], [-7, 1], [1e9, 4]]
    governor.restore({"at": START - 9e9, "spent": spent, "owed": 1, "ahead": -1}, START)
    assert governor.used_s(START) == 1


def test_another_region_keeps_what_was_spent():
    governor = Governor("US", share=0.01)
    governor.charge(17, START)
    governor.configure("UA_868")
    assert governor.left_s(START) == pytest.approx(1)


def test_what_was_spent_counts_until_its_grain_has_left_the_window_and_not_at_that_instant():
    window = Window(100, grain_s=10)
    window.add(1.0, 5.0)
    assert window.used_s(109.999) == 1.0 and window.used_s(110.0) == 0.0 and window.wait_s(1.0, 1.0, 110.0) == 0.0


def test_a_kept_state_in_any_order_is_the_same_state():
    spent = [[3000.0, 1.0], [900.0, 2.0], [100.0, 4.0]]
    states = []
    for order in (spent, spent[::-1], [spent[1], spent[2], spent[0]]):
        governor = Governor()
        governor.restore({"moment": START, "spent": order, "owed": 7.0, "ahead": 0.0}, START)
        states.append(governor.state(START))
    assert states[0] == states[1] == states[2] and len(states[0]["spent"]) == 3

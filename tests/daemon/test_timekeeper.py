"""The clock of a box that has none: who is believed, how far, and what takes it back (docs/store.md, "Time")."""

import json

import pytest

from node.daemon.timekeeper import Timekeeper
from node.daemon.timerules import DAY_S, HOUR_S, TimeSource, TimeSpan, Voice, around
from node.model.clock import EPOCH_S, ManualClock

RELEASE = EPOCH_S + 1_000 * DAY_S
LAST = RELEASE + 100 * DAY_S  # when the island was last sure of the time
ONE_RADIO = Voice("radio", "radio")


class Machine(ManualClock):
    """A machine whose own clock is something else than the time that goes by."""

    def __init__(self, utc=0.0):
        super().__init__(0.0)
        self.utc = utc

    def now(self):
        return self.utc


def restarted(keeper, machine_utc=0.0, battery=False):
    """The island after its power was off: nobody knows how long. Its note goes through JSON, as on the card."""
    clock = Machine(machine_utc)
    return Timekeeper(clock, json.loads(json.dumps(keeper.note())), RELEASE, battery), clock


def sure_at(utc=LAST):
    clock = Machine()
    keeper = Timekeeper(clock, None, RELEASE)
    keeper.tell(TimeSource.SYSTEM, utc)
    return keeper, clock


@pytest.fixture
def woken():
    """An island that was sure, and was off."""
    return restarted(sure_at()[0])


def island_at(keeper, utc, who="a", via="radio"):
    return keeper.tell(TimeSource.ISLAND, around(utc, 1_800), Voice(who, via))


# nobody tells


@pytest.mark.parametrize("machine_utc", [0, LAST - DAY_S, LAST + 400 * DAY_S, 3_700_000_000])
@pytest.mark.parametrize("starts", [1, 5])
def test_without_any_source_an_island_keeps_its_last_minute_whatever_its_machine_says(machine_utc, starts):
    keeper, clock = sure_at()
    clock.advance(600)
    for _ in range(starts):
        keeper, clock = restarted(keeper, machine_utc)
        assert keeper.now() == LAST + 600
    assert not keeper.sure and not keeper.told and keeper.source is TimeSource.FLOOR


@pytest.mark.parametrize("days", [399, 401, 1_200])
def test_years_after_the_release_a_machine_that_may_be_right_is_taken_at_the_first_start_and_kept(days):
    keeper = Timekeeper(Machine(RELEASE + days * DAY_S), None, RELEASE)
    for _ in range(3):
        assert keeper.now() == RELEASE + days * DAY_S and not keeper.told
        keeper, _clock = restarted(keeper, 0.0)


def test_at_the_first_start_a_clock_with_a_battery_vouches_for_the_time_and_no_other():
    later = Machine(RELEASE + 50 * DAY_S)
    assert Timekeeper(later, None, RELEASE, battery=True).told and not Timekeeper(later, None, RELEASE, battery=True).sure
    assert not Timekeeper(later, None, RELEASE).told and not Timekeeper(Machine(), None, RELEASE, battery=True).told


def test_records_say_that_it_is_that_minute_at_least_and_set_no_clock_back(woken):
    keeper, _ = woken
    for who in ("a", "b"):
        keeper.tell(TimeSource.ISLAND, TimeSpan(LAST + 10 * DAY_S, LAST + 12 * DAY_S), Voice(who, f"key {who}"))
    for who in ("c", "d"):
        keeper.tell(TimeSource.ISLAND, TimeSpan(LAST + 40 * DAY_S, LAST + 42 * DAY_S), Voice(who, f"key {who}"))
    assert keeper.now() == LAST + 40 * DAY_S
    keeper.tell(TimeSource.ISLAND, TimeSpan(LAST + 10 * DAY_S, LAST + 12 * DAY_S), Voice("c", "key c"))
    assert keeper.now() == LAST + 40 * DAY_S


@pytest.mark.parametrize("machine_utc", [0, RELEASE - 1, 3_700_000_000])
def test_at_the_first_start_a_machine_in_1970_or_2087_is_not_believed(machine_utc):
    assert Timekeeper(Machine(machine_utc), None, RELEASE).now() == RELEASE


def test_one_start_with_the_machine_in_2087_loses_nothing_of_the_last_minute(woken):
    keeper, _ = restarted(woken[0], 3_700_000_000)
    assert restarted(keeper, 0.0)[0].now() == LAST


def test_a_machine_with_a_battery_whose_clock_was_right_brings_the_island_over_weeks_and_vouches_for_the_time():
    clock = Machine(LAST)
    keeper = Timekeeper(clock, None, RELEASE)
    keeper.tell(TimeSource.SYSTEM, LAST)
    after, _ = restarted(keeper, LAST + 30 * DAY_S, battery=True)
    assert after.now() == LAST + 30 * DAY_S and after.source is TimeSource.MACHINE and not after.sure
    assert restarted(keeper, LAST + 30 * DAY_S)[0].now() == LAST, "without a battery it is the time of some file"
    assert restarted(keeper, LAST + 300 * DAY_S, battery=True)[0].now() == LAST


def test_a_machine_whose_clock_was_wrong_is_followed_for_a_short_break_only():
    keeper, _ = sure_at()
    after, _ = restarted(keeper, LAST + 120, battery=True)
    assert after.now() == LAST + 120 and not after.told
    assert restarted(keeper, LAST + 2 * DAY_S, battery=True)[0].now() == LAST


def test_a_note_of_the_version_before_keeps_its_last_minute_and_not_its_floor():
    keeper = Timekeeper(Machine(), {"floor": LAST + 200 * DAY_S, "seen": LAST}, RELEASE)
    assert (keeper.now(), keeper.floor) == (LAST, RELEASE)


# one unsure voice


@pytest.mark.parametrize("lie_s", [-3_000 * DAY_S, -40 * DAY_S, 2 * DAY_S, 40 * DAY_S, 200 * DAY_S, 3_000 * DAY_S])
@pytest.mark.parametrize("source", [TimeSource.RADIO, TimeSource.ISLAND])
def test_one_unsure_voice_that_is_days_or_years_off_moves_nothing_however_often_it_says_so(woken, source, lie_s):
    keeper, clock = woken
    for _ in range(500):
        assert not keeper.tell(source, LAST + clock.monotonic() + lie_s, ONE_RADIO)
        clock.advance(HOUR_S)
    assert keeper.now() == LAST + clock.monotonic()
    assert not keeper.sure and not keeper.told


@pytest.mark.parametrize("lie_s", [-600, -40 * 60, 600, 40 * 60])
def test_a_clock_that_is_sure_is_moved_by_an_unsure_voice_no_further_than_it_may_have_drifted(lie_s):
    keeper, clock = sure_at()
    for _ in range(48):
        clock.advance(HOUR_S)
        keeper.tell(TimeSource.RADIO, LAST + clock.monotonic() + lie_s, ONE_RADIO)
        island_at(keeper, LAST + clock.monotonic() + 3 * lie_s)
        assert abs(keeper.now() - LAST - clock.monotonic()) <= 1e-4 * clock.monotonic()
    assert keeper.source is TimeSource.SYSTEM


@pytest.mark.parametrize("lie_s", [-40 * 60, 40 * 60])
def test_a_synchronised_machine_beats_a_radio_without_satellites_from_the_first_minute(woken, lie_s):
    keeper, clock = woken
    keeper.tell(TimeSource.RADIO, LAST + HOUR_S + lie_s, ONE_RADIO)
    keeper.tell(TimeSource.SYSTEM, LAST + HOUR_S)
    for _ in range(100):
        keeper.tell(TimeSource.RADIO, LAST + HOUR_S + clock.monotonic() + lie_s, ONE_RADIO)
        assert keeper.now() == LAST + HOUR_S + clock.monotonic() and keeper.source is TimeSource.SYSTEM
        clock.advance(20)
        keeper.tell(TimeSource.SYSTEM, LAST + HOUR_S + clock.monotonic())


def test_one_voice_brings_an_island_over_a_night_and_is_not_sure(woken):
    keeper, _ = woken
    assert keeper.tell(TimeSource.RADIO, LAST + 10 * HOUR_S, ONE_RADIO)
    assert keeper.told and not keeper.sure and keeper.source is TimeSource.RADIO


def test_a_liar_gets_no_further_by_restarts(woken):
    keeper, clock = woken
    for _ in range(50):
        keeper.tell(TimeSource.RADIO, keeper.now() + 20 * HOUR_S, ONE_RADIO)
        clock.advance(600)
        keeper, clock = restarted(keeper)
    assert keeper.now() <= LAST + DAY_S + 50 * 601


def test_an_unsure_voice_takes_back_what_it_said_itself_and_not_what_another_one_said(woken):
    keeper, _ = woken
    keeper.tell(TimeSource.RADIO, LAST + 20 * HOUR_S, ONE_RADIO)
    assert not keeper.tell(TimeSource.RADIO, LAST + HOUR_S, Voice("radio 2", "radio 2"))
    assert keeper.tell(TimeSource.RADIO, LAST + 2 * HOUR_S, ONE_RADIO)
    assert keeper.now() == LAST + 2 * HOUR_S


# two voices


@pytest.mark.parametrize(("one", "other"), [
    (("radio", "radio"), ("a", "radio")), (("a", "radio"), ("b", "radio")), (("a", "radio"), ("a", "key 1")),
])
def test_two_voices_of_one_radio_or_one_island_by_two_ways_are_one(woken, one, other):
    keeper, _ = woken
    for _ in range(3):
        for voice in (one, other):
            keeper.tell(TimeSource.ISLAND, LAST + 200 * DAY_S, Voice(*voice))
    assert keeper.now() == LAST and not keeper.sure


def test_two_liars_that_say_different_things_move_nothing(woken):
    keeper, _ = woken
    for lie, voice in ((200, "radio"), (300, "key 1"), (-50, "key 2")):
        keeper.tell(TimeSource.ISLAND, LAST + lie * DAY_S, Voice(voice, voice))
    assert keeper.now() == LAST


def test_two_voices_that_agree_are_sure_and_better_evidence_takes_them_back(woken):
    keeper, clock = woken
    steps = []
    keeper.on_step = steps.append
    island_at(keeper, LAST + 90 * DAY_S)
    assert keeper.tell(TimeSource.ISLAND, TimeSpan(LAST + 89 * DAY_S, LAST + 91 * DAY_S), Voice("b", "key b"))
    assert keeper.sure and keeper.source is TimeSource.AGREED
    assert keeper.now() == LAST + 89 * DAY_S, "no further than both say"
    clock.advance(60)
    assert keeper.keeper_says(LAST + 5 * DAY_S) and keeper.now() == LAST + 5 * DAY_S
    assert not island_at(keeper, LAST + 90 * DAY_S) and keeper.now() == LAST + 5 * DAY_S
    assert keeper.tell(TimeSource.SYSTEM, LAST + 3 * DAY_S) and keeper.now() == LAST + 3 * DAY_S
    assert [round(step / DAY_S) for step in steps] == [89, -84, -2]


# the best sources


def test_nothing_of_a_lie_is_left_once_a_better_source_speaks_also_after_restarts_and_years(woken):
    for days in (-40, 2, 90, 399, 401, 1_500):
        keeper, clock = restarted(woken[0])
        keeper.tell(TimeSource.RADIO, LAST + 200 * DAY_S, ONE_RADIO)
        clock.advance(HOUR_S)
        keeper, clock = restarted(keeper)
        for source in (TimeSource.SYSTEM, TimeSource.GPS):
            after, _ = restarted(keeper)
            assert after.tell(source, LAST + days * DAY_S, ONE_RADIO) and after.now() == LAST + days * DAY_S
            assert after.sure


@pytest.mark.parametrize("utc", [0.0, RELEASE - DAY_S, 3_700_000_000.0])
@pytest.mark.parametrize("source", [TimeSource.SYSTEM, TimeSource.GPS])
def test_moments_before_the_release_or_decades_later_are_believed_of_nobody(woken, source, utc):
    keeper, _ = woken
    assert not keeper.tell(source, utc) and not keeper.keeper_says(utc) and keeper.now() == LAST


def test_one_packet_of_a_receiver_sets_no_sure_clock_far_off_and_two_do():
    keeper, clock = sure_at()
    clock.advance(2 * DAY_S)
    far = LAST + 300 * DAY_S
    assert not keeper.tell(TimeSource.GPS, far, ONE_RADIO, settled=False)
    keeper.tell(TimeSource.GPS, LAST + 2 * DAY_S + 5, ONE_RADIO)
    assert keeper.source is TimeSource.GPS and abs(keeper.now() - LAST - 2 * DAY_S) <= 5
    clock.advance(60)
    assert keeper.tell(TimeSource.GPS, far, ONE_RADIO), "the same source corrects itself"


def test_of_two_best_sources_that_contradict_each_other_the_one_that_others_support_is_followed(woken):
    keeper, clock = woken
    right, wrong = LAST + 3 * DAY_S, LAST + 200 * DAY_S
    keeper.tell(TimeSource.SYSTEM, wrong)
    keeper.tell(TimeSource.GPS, right, ONE_RADIO)
    assert keeper.now() == wrong, "one against one: it stays"
    island_at(keeper, right, "a", "key a")
    assert keeper.now() == right and keeper.source is TimeSource.GPS
    clock.advance(20)
    keeper.tell(TimeSource.SYSTEM, wrong + 20)
    assert keeper.now() == right + 20


def test_a_keeper_decides_between_two_best_sources(woken):
    keeper, _ = woken
    keeper.tell(TimeSource.SYSTEM, LAST + 200 * DAY_S)
    keeper.tell(TimeSource.GPS, LAST + 3 * DAY_S, ONE_RADIO)
    assert keeper.keeper_says(LAST + 3 * DAY_S) and keeper.now() == LAST + 3 * DAY_S


def test_a_best_source_against_one_that_is_silent_now_needs_a_day_or_support():
    keeper, clock = sure_at()
    clock.advance(HOUR_S)
    lie = 200 * DAY_S
    for _ in range(23):
        keeper.tell(TimeSource.GPS, LAST + clock.monotonic() + lie, ONE_RADIO)
        assert keeper.now() == LAST + clock.monotonic()
        clock.advance(HOUR_S)
    for _ in range(3):
        clock.advance(HOUR_S)
        keeper.tell(TimeSource.GPS, LAST + clock.monotonic() + lie, ONE_RADIO)
    assert keeper.now() == LAST + clock.monotonic() + lie


# a keeper


def test_a_keepers_typing_error_is_set_right_by_another_word_by_undoing_it_and_by_a_better_source(woken):
    for correct in (lambda keeper, utc: keeper.keeper_says(utc), lambda keeper, utc: keeper.undo(),
                    lambda keeper, utc: keeper.tell(TimeSource.SYSTEM, utc)):
        keeper, clock = restarted(woken[0])
        assert keeper.keeper_says(LAST + 730 * DAY_S) and keeper.sure
        clock.advance(HOUR_S)
        keeper, clock = restarted(keeper)
        assert keeper.now() == LAST + 730 * DAY_S + HOUR_S
        clock.advance(HOUR_S)
        assert correct(keeper, LAST + 2 * HOUR_S)
        assert keeper.now() == LAST + 2 * HOUR_S and keeper.floor <= keeper.now()
        assert restarted(keeper)[0].now() == LAST + 2 * HOUR_S


def test_there_is_nothing_to_undo_before_a_keeper_said_something_and_after_better_evidence(woken):
    keeper, _ = woken
    assert not keeper.can_undo and not keeper.undo()
    keeper.keeper_says(LAST + 5 * DAY_S)
    assert keeper.can_undo and restarted(keeper)[0].can_undo
    keeper.tell(TimeSource.SYSTEM, LAST + 6 * DAY_S)
    assert not keeper.can_undo and not keeper.undo()


def test_a_keeper_moves_no_clock_that_satellites_or_the_network_set_just_now():
    keeper, clock = sure_at()
    assert not keeper.keeper_says(LAST + 730 * DAY_S) and keeper.now() == LAST
    clock.advance(601)
    assert keeper.keeper_says(LAST + 2 * HOUR_S), "it has gone: a wrong one was taken away"


def test_an_unsure_voice_does_not_move_what_a_keeper_said(woken):
    keeper, clock = woken
    keeper.keeper_says(LAST + 5 * DAY_S)
    clock.advance(HOUR_S)
    for who in ("a", "b"):
        island_at(keeper, LAST + 200 * DAY_S, who, who)
    assert keeper.now() == LAST + 5 * DAY_S + HOUR_S


# the floor


def run(keeper, clock, days, source=TimeSource.SYSTEM):
    """Let it run, told by the network or by nobody."""
    for _ in range(round(days * 144)):
        clock.advance(600)
        if source is TimeSource.SYSTEM:
            keeper.tell(source, keeper.now())
        keeper.settle()


@pytest.mark.parametrize(("say", "after_days"), [
    (lambda keeper: keeper.tell(TimeSource.SYSTEM, LAST), 1), (lambda keeper: keeper.keeper_says(LAST), 7),
])
def test_the_floor_follows_what_has_stood_for_a_day_or_a_week_of_running(say, after_days):
    clock = Machine()
    keeper = Timekeeper(clock, None, RELEASE)
    say(keeper)
    run(keeper, clock, after_days - 0.05, None)
    assert RELEASE <= keeper.floor <= RELEASE + after_days * DAY_S
    run(keeper, clock, 0.1, None)
    assert LAST - 700 <= keeper.floor <= LAST + 0.1 * DAY_S


def test_the_floor_does_not_follow_an_unsure_voice(woken):
    keeper, clock = woken
    keeper.tell(TimeSource.RADIO, LAST + 20 * HOUR_S, ONE_RADIO)
    run(keeper, clock, 30, None)
    assert keeper.floor == pytest.approx(RELEASE + 30 * DAY_S, abs=0.01 * DAY_S) and keeper.floor < RELEASE + 30 * DAY_S


def test_the_floor_goes_on_with_the_hours_that_the_island_runs_whoever_told_it_the_time(woken):
    keeper, clock = woken
    for day in range(1, 8):
        run(keeper, clock, 1, None)
        assert RELEASE + (day - 0.01) * DAY_S < keeper.floor <= min(RELEASE + day * DAY_S, keeper.now())
        keeper, clock = restarted(keeper)


def test_a_keeper_s_word_that_is_taken_back_leaves_the_floor_as_it_would_have_been(woken):
    keeper, clock = woken
    run(keeper, clock, 1, None)
    assert keeper.keeper_says(keeper.now() + 300 * DAY_S)
    run(keeper, clock, 2, None)
    assert keeper.undo()
    run(keeper, clock, 1, None)
    assert keeper.floor == pytest.approx(RELEASE + 4 * DAY_S, abs=0.01 * DAY_S) and keeper.floor < RELEASE + 4 * DAY_S


def test_the_floor_rises_on_a_box_that_sleeps_at_night_too():
    keeper, clock = sure_at()
    for day in range(1, 5):
        run(keeper, clock, 0.4)
        keeper, clock = restarted(keeper)
        keeper.tell(TimeSource.SYSTEM, LAST + day * DAY_S)
    assert LAST <= keeper.floor <= LAST + 2 * DAY_S


@pytest.mark.parametrize("wrong_days", [0.1, 0.5, 0.95, 1.2, 1.9, 5.0])
def test_a_step_that_is_taken_back_within_a_day_has_not_touched_the_floor_and_later_it_does_not_stay_wrong(wrong_days):
    keeper, clock = sure_at()
    run(keeper, clock, 3.5)
    floor, now = keeper.floor, keeper.now()
    keeper.tell(TimeSource.SYSTEM, now + 300 * DAY_S)
    run(keeper, clock, wrong_days)
    assert wrong_days > 0.99 or keeper.floor < now + DAY_S
    assert keeper.tell(TimeSource.SYSTEM, now + wrong_days * DAY_S)
    for _ in range(8):
        run(keeper, clock, 0.3)
        assert floor <= keeper.floor <= keeper.now()


def test_a_floor_on_trial_falls_with_the_time_it_rested_on_though_nobody_speaks_afterwards():
    keeper, clock = sure_at()
    run(keeper, clock, 3.5)
    now = keeper.now()
    keeper.tell(TimeSource.SYSTEM, now + 300 * DAY_S)
    run(keeper, clock, 1.4)
    assert keeper.tell(TimeSource.SYSTEM, now + 1.4 * DAY_S)
    for _ in range(8):
        run(keeper, clock, 0.3, None)
        assert keeper.floor <= keeper.now()


def test_a_floor_that_was_wrong_is_lowered_by_evidence_as_good_and_by_no_worse(woken):
    keeper, clock = sure_at(LAST + 300 * DAY_S)
    run(keeper, clock, 3)
    assert keeper.floor > LAST + 300 * DAY_S
    keeper, clock = restarted(keeper)
    for who in ("a", "b"):
        island_at(keeper, LAST, who, who)
    assert keeper.now() > LAST + 300 * DAY_S, "two voices are less than what told the floor"
    assert restarted(keeper)[0].keeper_says(LAST)
    assert keeper.tell(TimeSource.GPS, LAST, ONE_RADIO) and keeper.floor <= keeper.now() == LAST


def test_the_memory_for_voices_is_bounded_and_a_flood_of_one_way_pushes_out_nobody_elses(woken):
    keeper, _ = woken
    keeper.tell(TimeSource.ISLAND, LAST + 90 * DAY_S, Voice("b", "key b"))
    for number in range(10_000):
        island_at(keeper, LAST + 500 * DAY_S + number, f"{number:04x}")
    assert len(keeper._known.claims) <= 16
    assert any(claim.via == "key b" for claim in keeper._known.claims)

"""The clock of a box that has none: floor, sources, jumps that wait, nothing lost."""

import random

import pytest

from node.daemon.timekeeper import Timekeeper, TimeSource
from node.model.clock import EPOCH_S, ManualClock

DAY = 86_400.0
FLOOR = EPOCH_S + 1_000 * DAY


@pytest.fixture
def clock():
    return ManualClock(0)


@pytest.fixture
def keeper(clock):
    return Timekeeper(clock, FLOOR)


def test_without_any_source_time_runs_on_from_the_floor_and_is_not_sure(keeper, clock):
    clock.advance(60)
    assert keeper.now() == FLOOR + 60
    assert not keeper.sure


@pytest.mark.parametrize("utc", [0, FLOOR - 1, FLOOR + 401 * DAY, 3_700_000_000])
def test_a_machine_that_boots_in_1970_or_2087_is_not_believed(keeper, utc):
    assert not keeper.tell(TimeSource.SYSTEM, utc)
    assert keeper.now() == FLOOR


@pytest.mark.parametrize(("guess", "start"), [
    (0, FLOOR), (FLOOR + 5 * DAY, FLOOR + 5 * DAY), (FLOOR + 500 * DAY, FLOOR),
])
def test_a_guess_is_taken_unsure_and_only_if_it_may_be_true(clock, guess, start):
    keeper = Timekeeper(clock, FLOOR, guess)
    assert keeper.now() == start
    assert not keeper.sure and keeper.raise_floor() is None


def test_an_island_that_was_off_for_months_takes_the_time_of_a_synchronised_source(keeper):
    assert keeper.tell(TimeSource.SYSTEM, FLOOR + 90 * DAY)
    assert keeper.now() == FLOOR + 90 * DAY
    assert keeper.source is TimeSource.SYSTEM


def test_a_better_source_silences_worse_ones_for_a_day(keeper, clock):
    keeper.tell(TimeSource.RADIO, FLOOR + 10)
    assert not keeper.tell(TimeSource.SYSTEM, FLOOR + 500)
    assert keeper.now() == FLOOR + 10
    clock.advance(DAY + 1)
    assert keeper.tell(TimeSource.SYSTEM, FLOOR + DAY + 500)


def test_a_large_step_waits_until_another_voice_confirms_it(keeper, clock):
    keeper.tell(TimeSource.ISLAND, FLOOR + 10, "a")
    assert not keeper.tell(TimeSource.ISLAND, FLOOR + 40 * DAY, "b")
    clock.advance(60)
    assert not keeper.tell(TimeSource.ISLAND, FLOOR + 40 * DAY + 60, "b"), "the same voice again is no confirmation"
    assert keeper.tell(TimeSource.ISLAND, FLOOR + 40 * DAY + 90, "c")
    assert keeper.now() == FLOOR + 40 * DAY + 90


def test_two_voices_that_agree_bring_a_clock_back_that_was_fooled(keeper, clock):
    steps = []
    keeper.tell(TimeSource.RADIO, FLOOR + 300 * DAY, "fooled")
    keeper.raise_floor()
    keeper.on_step = steps.append
    assert not keeper.tell(TimeSource.RADIO, FLOOR + 5, "one")
    assert keeper.tell(TimeSource.RADIO, FLOOR + 6, "two")
    assert keeper.now() == FLOOR + 6
    assert keeper.floor == FLOOR + 6
    assert steps == [6 - 300 * DAY]


def test_another_island_nudges_a_sure_clock_by_a_quarter_of_an_hour_at_most_once_an_hour(keeper, clock):
    keeper.tell(TimeSource.ISLAND, FLOOR, "a")
    assert keeper.tell(TimeSource.ISLAND, FLOOR + 3_000, "b")
    assert keeper.now() == FLOOR + 900
    assert not keeper.tell(TimeSource.ISLAND, FLOOR + 3_000, "b")
    clock.advance(3_601)
    assert keeper.tell(TimeSource.ISLAND, FLOOR + 6_601, "b")
    assert keeper.now() == FLOOR + 900 + 3_601 + 900


def test_a_keeper_who_confirms_moves_the_clock_forward_only(keeper):
    assert keeper.keeper_says(FLOOR + 700 * DAY)
    assert keeper.source is TimeSource.KEEPER
    assert not keeper.keeper_says(FLOOR)
    keeper.tell(TimeSource.SYSTEM, FLOOR + 700 * DAY + 20)
    assert keeper.source is TimeSource.SYSTEM
    assert not keeper.keeper_says(FLOOR + 701 * DAY), "a synchronised clock is not moved by a browser"


def test_the_floor_rises_with_trusted_time_only(keeper, clock):
    clock.advance(10_000)
    assert keeper.raise_floor() is None
    keeper.tell(TimeSource.SYSTEM, FLOOR + 20_000)
    assert keeper.raise_floor() == FLOOR + 20_000
    assert keeper.raise_floor() is None


def test_a_rough_source_moves_a_clock_no_further_than_it_must(keeper):
    assert keeper.tell(TimeSource.ISLAND, FLOOR + 1_000, "a", within_s=1_800)
    assert keeper.now() == FLOOR and keeper.sure
    keeper.tell(TimeSource.SYSTEM, FLOOR + 10)
    keeper.tell(TimeSource.RADIO, FLOOR + 20)
    assert keeper.tell(TimeSource.ISLAND, FLOOR + 1_500, "b", within_s=1_800)
    assert keeper.source is TimeSource.RADIO and keeper.now() == FLOOR + 20


def test_an_island_that_is_months_behind_takes_the_nearest_moment_others_may_mean(keeper):
    assert keeper.tell(TimeSource.ISLAND, FLOOR + 100 * DAY, "a", within_s=1_800)
    assert keeper.now() == FLOOR + 100 * DAY - 1_800


def test_an_island_cannot_drag_a_clock_along_nudge_after_nudge(keeper, clock):
    keeper.tell(TimeSource.SYSTEM, FLOOR)
    for _ in range(20):
        clock.advance(3_601)
        keeper.tell(TimeSource.SYSTEM, FLOOR + clock.monotonic())
        keeper.tell(TimeSource.ISLAND, keeper.now() + 3_000, "liar")
        assert keeper.now() - (FLOOR + clock.monotonic()) <= 900


@pytest.mark.parametrize("seed", range(200))
def test_one_lying_voice_never_takes_the_clock_more_than_a_little_astray(seed):
    rng = random.Random(seed)
    clock = ManualClock(0)
    keeper = Timekeeper(clock, FLOOR)
    true = FLOOR + rng.uniform(0, 300 * DAY)
    keeper.tell(TimeSource.SYSTEM, true)
    for _ in range(100):
        clock.advance(step := rng.uniform(1, 4_000))
        true += step
        keeper.tell(TimeSource.ISLAND, true + rng.choice((-1, 1)) * rng.uniform(3_600, 10 * 365 * DAY), "liar")
        keeper.tell(TimeSource.SYSTEM, true)
        assert abs(keeper.now() - true) < 3_600

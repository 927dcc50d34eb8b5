"""When an island says what it holds, by itself: nothing here knows of questions or records."""

import random

import pytest

from node.sync.lora.announcements import Announcements
from node.sync.lora.neighbours import Neighbourhood, Passage, View
from node.sync.lora.tuning import TUNING, Timing
from radio.airtime import Governor

T = 2.0  # seconds


class Speaker:
    """Announcements of an island that hears whom the test says."""

    def __init__(self, *heard, seed=1):
        self.neighbours = Neighbourhood(1, Governor(), TUNING)
        for address in heard:
            self.neighbours.hear(address, 1, Passage(), 0.0)
        self.said = Announcements(self.neighbours, Timing(T, random.Random(seed)))

    def introduced(self):
        """The same, once it has said hello often enough."""
        self.said.hello(0.0)
        for _ in range(TUNING.introductions):
            self.said.summed(0.0)
        return self.said


@pytest.mark.parametrize("seed", range(5))
def test_who_is_new_says_soon_what_it_holds_so_that_most_differences_can_be_told(seed):
    said = Speaker(seed=seed).said
    said.hello(100.0)
    assert T <= said.say_at(quiet_at=9_999.0) - 100 <= 6 * T and said.capacity == TUNING.hello_capacity


def test_a_large_summary_waits_while_something_comes_and_a_small_one_does_not():
    said = Speaker(2).introduced()
    said.sum_soon(100.0, TUNING.usual_capacity)
    assert said.say_at(quiet_at=500.0) == 100
    said.sum_soon(100.0, 30)
    assert said.say_at(quiet_at=500.0) == 500


def test_a_summary_of_somebody_who_holds_the_same_spares_ours_unless_it_says_less():
    speaker = Speaker(2)
    said = speaker.introduced()
    said.tell_difference(100.0)
    said.leave_sum(speaker.neighbours.get(2), TUNING.usual_capacity)
    assert said.say_at(0.0) < 200
    said.leave_sum(speaker.neighbours.get(2), TUNING.small_sum)
    assert said.say_at(0.0) == float("inf")


@pytest.mark.parametrize("hears", [False, True])
def test_what_another_says_for_us_counts_only_if_whom_it_is_for_hears_it(hears):
    speaker = Speaker(2, 3)
    said, far = speaker.introduced(), speaker.neighbours.get(3)
    far.too_different(5)
    if hears:
        speaker.neighbours.listed(far, [2], 0.0)
    said.tell_difference(100.0)
    said.leave_sum(speaker.neighbours.get(2), TUNING.hello_capacity)
    assert (said.say_at(0.0) == float("inf")) is hears


def test_a_difference_that_was_not_told_apart_is_told_again_soon_at_first_and_no_more_once_it_is():
    speaker = Speaker(2)
    said, other, waits = speaker.introduced(), speaker.neighbours.get(2), []
    said.told_apart()
    other.too_different(5)
    at = 1_000.0
    for _ in range(4):
        said.tell_difference(at)
        said.summed(at)
        told_at = at
        while said.say_at(0.0) == float("inf"):
            at += 1
            said.remind(at, quiet_at=0.0)
        waits.append(at - told_at)
    assert waits[0] <= 26 * T and waits[3] > 4 * waits[0]
    other.holds_the_same()
    said.told_apart()
    said.summed(at)
    said.remind(at + 1e6, quiet_at=0.0)
    assert said.say_at(0.0) == float("inf") and other.view is View.SAME


def test_nobody_spares_us_the_first_introduction():
    speaker = Speaker(2)
    said = speaker.said
    said.hello(100.0)
    said.leave_sum(speaker.neighbours.get(2), TUNING.hello_capacity)
    said.leave_reply()
    assert said.say_at(0.0) < 200


def test_trickle_is_silent_while_what_we_lack_is_coming_and_speaks_when_a_neighbour_may_lack_something():
    for coming, speaks in ((True, False), (False, True)):
        said = Speaker(2).introduced()
        said.trickle.reset(100.0)
        said.trickle.heard = 0
        said.fire(said.trickle.at, doubt=0.9, coming=coming)
        assert (said.say_at(0.0) < float("inf")) is speaks


def test_a_neighbour_that_does_not_know_us_is_told_once_in_a_while_only():
    said = Speaker(2).introduced()
    said.introduce(1_000.0)
    first = said.say_at(0.0)
    said.summed(first)
    said.introduce(1_000.0 + TUNING.introduce_again_s - 1)
    assert 1_000 < first < 1_100 and said.say_at(0.0) == float("inf")
    said.introduce(1_000.0 + TUNING.introduce_again_s)
    assert said.say_at(0.0) < float("inf")


@pytest.mark.parametrize(("evening", "times"), [(True, TUNING.assure_times), (False, 1)])
def test_after_the_last_record_of_a_first_evening_it_is_said_more_than_once_what_is_held(evening, times):
    speaker = Speaker(2)
    said, told = speaker.introduced(), 0
    speaker.neighbours.evening_until = TUNING.evening_s if evening else float("-inf")
    for _ in range(2):  # something new begins it anew
        said.assure_later(100.0)
        for second in range(100, 1_800):
            said.assure(float(second), lambda since: True)
            if said.say_at(0.0) <= second:
                said.summed(float(second))
                told += 1
    assert told == 2 * times

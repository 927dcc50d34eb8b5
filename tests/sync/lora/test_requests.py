"""When an island asks for what it lacks, by itself: whom, for what, and how long it waits before it asks again."""

import random
from itertools import pairwise

import pytest

from node.sync.lora.announcements import Announcements
from node.sync.lora.neighbours import Neighbourhood, Passage
from node.sync.lora.packets import Have, More, Need, Piece
from node.sync.lora.reassembly import Reassembly
from node.sync.lora.requests import ANYBODY, Requests
from node.sync.lora.tuning import TUNING, Timing
from radio.airtime import Governor

T, DAY = 2.0, 730
NEAR, FAR = 7, 9


class Asker:
    """Requests of an island that hears two others."""

    def __init__(self, seed=1):
        timing = Timing(T, random.Random(seed))
        self.neighbours, self.reassembly = Neighbourhood(1, Governor(), TUNING), Reassembly(TUNING)
        for address in (NEAR, FAR):
            self.neighbours.hear(address, 1, Passage(), 0.0)
        self.announcements = Announcements(self.neighbours, timing)
        self.requests = Requests(self.neighbours, self.reassembly, self.announcements, timing)

    def lacks(self, address, *elements, at=0.0):
        self.requests.behind(self.neighbours.get(address), list(elements), DAY, at)

    def ask(self):
        """Ask at the next moment that there is something to ask; the moment and the questions."""
        at = self.requests.next_at()
        need = self.requests.need(at)
        questions = [*self.requests.more(at), *([need] if need else [])]
        self.requests.sent(questions, None, at)
        return at, questions


def test_what_a_neighbour_holds_and_we_lack_is_asked_of_the_one_that_holds_most_of_it():
    asker = Asker()
    asker.lacks(NEAR, 11)
    asker.lacks(FAR, 11, 12)
    at, questions = asker.ask()
    assert TUNING.need_t[0] * T <= at <= TUNING.need_t[1] * T
    assert questions == [Need(FAR, DAY % 256, (11, 12))]


def test_after_two_questions_to_one_anybody_may_answer_and_after_four_it_may_not_exist():
    asker = Asker()
    asker.lacks(NEAR, 11)
    asked = [asker.ask() for _ in range(TUNING.max_asks)]
    assert [questions[0].responder for _, questions in asked] == [NEAR, NEAR, ANYBODY, ANYBODY]
    pauses = [later - sooner for (sooner, _), (later, _) in pairwise(asked)]
    assert pauses[0] < pauses[1] < pauses[2]
    assert asker.requests.need(1e9) is None
    assert asker.announcements.capacity == TUNING.hello_capacity, "a large summary is to tell what differs"


@pytest.mark.parametrize(("gap", "have", "few"), [
    (1, None, True), (TUNING.few_lacking + 1, None, False), (1, Have(0, 9, 0, (1,), b"x"), False)])
def test_of_a_small_difference_that_could_not_be_told_the_rest_is_asked_for_as_soon_as_of_few_records(gap, have, few):
    asker = Asker()
    near = asker.neighbours.get(NEAR)
    near.have = have
    near.too_different(gap)
    asker.reassembly.add(Piece(b"abcd", 3, 0, 9, b"xyz", True), NEAR, 0.0)
    asker.requests.piece_came(b"abcd", 0.0)
    at, _ = asker.ask()
    again_t = (asker.requests.next_at() - at) / T / 2  # the first question was in vain
    assert (again_t <= TUNING.few_again_t[1]) is few


def test_nothing_is_asked_while_something_comes_and_for_long_after_many():
    asker = Asker()
    asker.lacks(NEAR, *range(11, 11 + int(TUNING.few_lacking) + 1))
    near = asker.neighbours.get(NEAR)
    asker.requests.coming(near, 5.0)
    assert 12 * T <= asker.requests.next_at() - 5 <= 18 * T and not asker.requests.may_ask(5.0)
    for _ in range(TUNING.flow_records):
        asker.requests.coming(near, 6.0)
    assert TUNING.flow_quiet_t[0] * T <= asker.requests.next_at() - 6 <= TUNING.flow_quiet_t[1] * T
    near.used(200.0, 6.0, 27.0)  # it has no air left for an hour
    asker.requests.coming(near, 6.0)
    assert asker.requests.next_at() - 6 >= TUNING.tired_quiet_t[0] * T


def test_the_missing_pieces_of_a_record_are_asked_of_who_sent_the_others():
    asker = Asker()
    asker.reassembly.add(Piece(b"abcd", 3, 0, 9, b"xyz", True), NEAR, 0.0)
    asker.requests.piece_came(b"abcd", 0.0)
    assert asker.ask()[1] == [More(NEAR, b"abcd", 3, 2)]


def test_what_another_asks_for_we_need_not_ask_for_at_once():
    asker = Asker()
    asker.lacks(NEAR, 11)
    asker.requests.leave_asking((11, 99), 0.0)
    assert asker.requests.next_at() >= TUNING.leave_asking_t[0] * T


@pytest.mark.parametrize(("gap", "capacity", "by_filter"), [(20, 2, False), (60, 2, True), (20, TUNING.small_sum, True)])
def test_too_large_a_difference_is_met_with_a_larger_summary_if_that_can_tell_it_and_else_with_a_filter(
        gap, capacity, by_filter):
    asker = Asker()
    asker.requests.far(asker.neighbours.get(NEAR), capacity, gap, 0.0)
    assert (asker.requests.filter_at < float("inf")) is by_filter
    assert (asker.announcements.say_at(0.0) < float("inf")) is not by_filter
    assert asker.requests.responders() == (NEAR,)


def test_each_filter_that_does_not_help_makes_the_next_one_wait_longer():
    asker, waits = Asker(), []
    for _ in range(6):
        asker.requests.far(asker.neighbours.get(NEAR), 2, 60, 0.0)
        waits.append(asker.requests.filter_at)
        asker.requests.filter_sent()
    assert waits[5] > 5 * waits[0]
    asker.requests.same(asker.neighbours.get(NEAR))
    asker.requests.far(asker.neighbours.get(NEAR), 2, 60, 0.0)
    assert asker.requests.filter_at <= 6 * T


@pytest.mark.parametrize(("evening", "most"), [(True, 2), (False, 4)])
def test_on_a_first_evening_the_pauses_between_questions_grow_less(evening, most):
    asker = Asker()
    asker.neighbours.evening_until = 1e6 if evening else 0.0
    asker.lacks(NEAR, 11)
    moments = [asker.ask()[0] for _ in range(TUNING.max_asks)]
    pauses = [(other - one) / T / 2 ** min(doublings, most) for doublings, (one, other) in enumerate(pairwise(moments), 1)]
    assert len(pauses) == TUNING.max_asks - 1
    assert TUNING.few_again_t[0] <= min(pauses) and max(pauses) <= TUNING.few_again_t[1]


@pytest.mark.parametrize("evening", [True, False])
def test_on_a_first_evening_what_a_neighbour_holds_is_remembered_though_its_sketch_could_not_be_told(evening):
    asker = Asker()
    asker.neighbours.evening_until = 1e6 if evening else 0.0
    asker.lacks(NEAR, 11, 12)
    asker.requests.far(asker.neighbours.get(NEAR), 2, 3, 1.0)
    assert list(asker.neighbours.get(NEAR).ahead) == ([11, 12] if evening else [])


@pytest.mark.parametrize("evening", [True, False])
def test_on_a_first_evening_who_is_behind_relays_is_asked_oftener_before_a_record_may_not_exist(evening):
    asker = Asker()
    asker.neighbours.evening_until = 1e6 if evening else 0.0
    behind = asker.neighbours.hear(5, 1, Passage(1), 0.0)
    asker.requests.behind(behind, [11], DAY, 0.0)
    asked = 0
    while behind.ahead:
        at = asker.requests.next_at()
        asker.requests.sent([Need(behind.address, DAY % 256, (11,))], None, at)
        asked += 1
    assert asked == (-(-TUNING.max_asks // (1 - TUNING.evening_far_loss)) if evening else TUNING.max_asks)

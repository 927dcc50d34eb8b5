"""Wrong tries cost whoever makes them, and a keeper waits for nobody else's."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.interleaving import in_between
from tests.waiting import until
from web.tries import (
    DELAY_S,
    FREE_TRIES,
    MAX_VISITORS,
    MAX_WAITING,
    PER_VISITOR,
    WINDOW_S,
    TooManyTries,
    Tries,
    WaitingTry,
)


def is_wrong(outcome):
    return outcome == "wrong" or isinstance(outcome, KeyError)


class Hall:
    """Tries that are made when `open` is set, in the order that `made` tells; `ask` lets somebody wait."""

    def __init__(self, watch):
        self.tries, self.made, self.open = Tries(watch), [], threading.Event()
        self.most, self._now = 0, 0
        self._pool = ThreadPoolExecutor(32)

    def ask(self, who, outcome="right"):
        """A future of what comes of it."""
        before = self.standing().count(who)
        asked = self._pool.submit(self.tries.make, who, lambda: self._work(who, outcome), is_wrong)
        until(lambda: asked.done() or self.standing().count(who) > before)
        return asked

    def _work(self, who, outcome):
        self._now += 1
        self.most = max(self.most, self._now)
        self.open.wait()
        self.made.append(who)
        self._now -= 1
        return outcome

    def standing(self):
        """Who waits or is tried."""
        return [one.visitor for one in (self.tries._running, *self.tries._waiting) if one]

    def be_wrong(self, who, times=1):
        for _ in range(times):
            assert self.tries.make(who, lambda: "wrong", is_wrong) == "wrong"

    def close(self):
        self.open.set()
        self._pool.shutdown()


@pytest.fixture
def hall(watch):
    made = Hall(watch)
    yield made
    made.close()


def refused(hall, who):
    """Whether a visitor is told to wait, at once."""
    asked = hall.ask(who)
    return asked.done() and isinstance(asked.exception(), TooManyTries)


def test_one_try_is_made_at_a_time_and_each_has_its_own_answer(hall):
    asked = [hall.ask(b"%d" % number, number) for number in range(4)]
    hall.open.set()
    assert [one.result() for one in asked] == [0, 1, 2, 3] and hall.most == 1 and len(hall.made) == 4


def test_a_visitor_who_was_wrong_often_waits_and_nobody_else_does(hall, watch):
    hall.be_wrong(b"stranger", FREE_TRIES)
    assert refused(hall, b"stranger")
    assert hall.tries.make(b"keeper", lambda: "right", is_wrong) == "right"
    watch.now += DELAY_S
    hall.be_wrong(b"stranger")
    assert refused(hall, b"stranger"), "each wrong one costs the same again"
    watch.now += WINDOW_S + 1
    hall.be_wrong(b"stranger", FREE_TRIES)
    assert refused(hall, b"stranger")


def test_guessing_from_one_address_is_slowed_to_thirty_a_minute(hall, watch):
    tried = 0
    for _tick in range(600):
        watch.now += 0.1
        try:
            hall.be_wrong(b"stranger")
            tried += 1
        except TooManyTries:
            continue
    assert 20 < tried <= FREE_TRIES + 60 / DELAY_S


def test_a_right_try_buys_no_more_wrong_ones(hall):
    hall.be_wrong(b"stranger", FREE_TRIES - 1)
    assert hall.tries.make(b"stranger", lambda: "right", is_wrong) == "right"
    hall.be_wrong(b"stranger")
    assert refused(hall, b"stranger")


def test_what_a_try_raises_reaches_whoever_made_it_and_may_be_a_wrong_one(hall):
    def fail():
        raise KeyError("wrong")

    for _ in range(FREE_TRIES):
        with pytest.raises(KeyError):
            hall.tries.make(b"stranger", fail, is_wrong)
    assert refused(hall, b"stranger")


def test_whoever_was_wrong_least_is_next_though_they_came_last(hall):
    for number in range(3):
        hall.be_wrong(b"stranger%d" % number, number + 1)
    asked = [hall.ask(b"first")] + [hall.ask(b"stranger%d" % number) for number in (2, 1, 0)] + [hall.ask(b"keeper")]
    hall.open.set()
    assert [one.result() for one in asked] == ["right"] * 5
    assert hall.made == [b"first", b"keeper", b"stranger0", b"stranger1", b"stranger2"]


def test_when_every_place_is_taken_a_keeper_gets_that_of_who_was_wrong_most(hall):
    for number in range(MAX_WAITING):
        hall.be_wrong(b"stranger%d" % number, 1 + (number == 2))
    asked = [hall.ask(b"first")] + [hall.ask(b"stranger%d" % number) for number in range(MAX_WAITING)]
    keeper = hall.ask(b"keeper")
    assert isinstance(asked[3].exception(90), TooManyTries) and len(hall.standing()) == 1 + MAX_WAITING
    hall.open.set()
    assert keeper.result() == "right" and hall.made[:2] == [b"first", b"keeper"]


def test_no_more_stand_and_wait_than_there_are_places_for(hall):
    asked = [hall.ask(b"first")] + [hall.ask(b"visitor%d" % number) for number in range(MAX_WAITING)]
    assert refused(hall, b"another"), "the same as those who wait: who came first stays"
    hall.open.set()
    assert [one.result() for one in asked] == ["right"] * (1 + MAX_WAITING)


def test_one_visitor_holds_two_places_at_most_and_one_who_guesses_a_single_one(hall, watch):
    hall.be_wrong(b"stranger", FREE_TRIES)
    watch.now += DELAY_S
    asked = [hall.ask(b"visitor") for _ in range(PER_VISITOR)] + [hall.ask(b"stranger")]
    assert refused(hall, b"visitor") and refused(hall, b"stranger")
    hall.open.set()
    assert [one.result() for one in asked] == ["right"] * 3


def test_many_visitors_fill_no_memory_and_the_latest_are_remembered(hall):
    for number in range(MAX_VISITORS + 50):
        hall.be_wrong(b"%d" % number)
    assert len(hall.tries._wrong) == MAX_VISITORS
    hall.be_wrong(b"%d" % (MAX_VISITORS + 49), FREE_TRIES - 1)
    assert refused(hall, b"%d" % (MAX_VISITORS + 49))


def test_a_try_that_comes_as_the_one_before_ends_is_made_once_and_counts_once(watch):
    def make():
        tries, made, go_on = Tries(watch), [], threading.Event()

        def work(name):
            made.append((name, threading.get_ident()))
            if made[0][1] != threading.get_ident():  # on a thread of its own, while the one before ends
                go_on.wait()
            return "wrong"

        def come():
            asked = threading.Thread(target=tries.make, args=(b"a", lambda: work("second"), is_wrong), name="tries")
            asked.start()
            until(lambda: tries._waiting or (tries._running or first) is not first or not asked.is_alive())

        tries._running = first = WaitingTry(b"a", lambda: work("first"), is_wrong)
        return lambda: tries._work(first), come, (tries, made, go_on)

    moments = 0
    for tries, made, go_on in in_between(make, (Tries._work,)):
        go_on.set()
        until(lambda: not any(thread.name == "tries" for thread in threading.enumerate()))
        assert [name for name, _ in made] == ["first", "second"] and len(tries._wrong[b"a"]) == 2
        moments += 1
    assert moments > 5

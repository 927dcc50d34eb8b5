"""The secret that an island speaks with: kept on its card, and another one only when it may."""

import os

import pytest

from node.board.status import SecretStatus
from node.daemon import keyfiles
from node.daemon.keyfiles import KeyFolder
from node.daemon.secret_keeper import SecretKeeper
from node.model.event import DAY_MIN
from node.model.record import encode
from node.model.renewal import RenewalPlan, renewals
from node.replica.generations import LED_MIN, SWEPT_MIN
from node.replica.liveset import LiveSet
from tests.sim.village import T0, at, take

pytestmark = pytest.mark.once


class Isle:
    """A founder's island, its records, and how often it asked to start anew."""

    def __init__(self, folder):
        self.keys, self.asked = KeyFolder(folder), 0
        self.charter = self.keys.found("Belleville")
        self.liveset = LiveSet(self.charter)
        self.secret = self.opened(0)

    def opened(self, minute):
        secret = SecretKeeper(self.keys, self.liveset, self.keys.island_key(), self._ask)
        secret.formers(T0 + minute)
        return secret

    def _ask(self):
        self.asked += 1

    def renew(self, minute):
        look, key = self.secret.renewable(T0 + minute), self.keys.island_key()
        plan = RenewalPlan(os.urandom(32), (key.public,), look.created, look.created)
        take(self.liveset, [encode(one) for one in renewals(plan, self.charter, key, [os.urandom(32)])], at(minute))
        return plan.secret

    def spoken(self):
        return self.keys.charter().secret


@pytest.fixture
def isle(tmp_path):
    return Isle(tmp_path)


def test_it_starts_anew_once_for_a_new_secret_and_finds_it_on_its_card(isle):
    new = isle.renew(1)
    for minute in (1, 2, 3):
        isle.secret.look(T0 + minute)
    assert isle.asked == 1 and isle.spoken() == new
    assert isle.opened(3).known == isle.secret.known and isle.secret.status() == SecretStatus(T0 + 1, False)


def test_secrets_in_a_row_do_not_make_it_start_anew_all_the_time(isle):
    for minute in range(1, 6 * 60):
        isle.renew(minute)
        isle.secret.look(T0 + minute)
    assert 3 <= isle.asked <= 10
    last = isle.renew(6 * 60)
    isle.secret.look(T0 + 6 * 60 + 64)
    assert isle.spoken() == last, "in the end it has the last one"


def test_a_card_that_keeps_nothing_leaves_all_as_it_was_until_it_keeps_again(isle, monkeypatch):
    def full(path, text):
        raise OSError("no space")

    before, new = isle.spoken(), isle.renew(1)
    monkeypatch.setattr(keyfiles, "write_private", full)
    isle.secret.look(T0 + 1)
    assert isle.asked == 0 and isle.spoken() == before
    monkeypatch.undo()
    isle.secret.look(T0 + 2)
    assert isle.asked == 1 and isle.spoken() == new


def test_it_starts_anew_when_it_has_nobody_to_lead_any_more_and_in_the_end_forgets(isle):
    isle.renew(1)
    isle.secret.look(T0 + 1)
    isle.secret = isle.opened(2)
    assert [one.leads for one in isle.secret.formers(T0 + 2)] == [True]
    isle.secret.look(T0 + LED_MIN)
    assert isle.asked == 1
    isle.secret.look(T0 + LED_MIN + 1)
    assert isle.asked == 2 and [one.leads for one in isle.secret.formers(T0 + LED_MIN + 1)] == [False]
    isle.secret.look(T0 + SWEPT_MIN + 1)
    assert isle.asked == 3 and len(isle.keys.generations()) == 1


def test_a_renewal_is_made_after_all_others_even_those_from_ahead(isle):
    half = DAY_MIN // 2
    ahead = isle.renew(half)
    assert isle.secret.renewable(T0 + 2).created == T0 + half + 1
    isle.secret.look(T0 + half)
    assert isle.spoken() == ahead

"""Power cuts, failing and lying cards, flipped bits, kills, full file systems: nothing acknowledged is lost or changed."""

import pytest

from node.store.journalstore import JournalStore
from tests.sim.simulatedcard import Card
from tests.store import storetrials


@pytest.fixture(autouse=True)
def small():
    with storetrials.small_steps():
        yield


@pytest.mark.parametrize("seed", range(3))
def test_nothing_acknowledged_is_lost_wherever_the_power_goes(seed):
    storetrials.trial_of_power_cuts(seed)


def test_nothing_acknowledged_is_lost_whatever_write_sync_or_rename_fails():
    storetrials.trial_of_failures(0)


def test_a_flipped_bit_costs_one_record_and_changes_none():
    for seed in range(8):
        storetrials.trial_of_flips(seed)


def test_a_trial_takes_a_seed_of_any_size():
    for seed in (2**31, 10**12):
        storetrials.trial_of_forgery(seed)
        storetrials.trial_of_torn_tails(seed, count=2)


def test_what_somebody_writes_is_never_taken_for_a_line():
    storetrials.trial_of_forgery(0)


def test_a_torn_tail_costs_only_what_is_torn():
    storetrials.trial_of_torn_tails(0)


def test_threads_are_told_nothing_that_a_power_cut_takes_back():
    storetrials.trial_of_threads(0)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_withdrawn_is_erased_wherever_the_power_goes(seed):
    storetrials.trial_of_erasing(seed)


def test_earlier_values_of_notes_that_tell_nothing_are_no_debt():
    store = JournalStore(storetrials.FOLDER, Card(), passing=("clock",))
    store.set_note("clock", 1)
    store.set_note("clock", 2)
    assert not store.owes
    store.set_note("draft", "text")
    store.set_note("draft", None)
    assert store.owes
    store.erase()
    assert not store.owes

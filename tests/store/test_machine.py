"""The state machine of storemachine.py, at a size for every change; `make prove` runs it longer."""

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.store.storemachine import StoreMachine


def test_a_journal_store_shows_what_a_store_in_memory_shows():
    run_state_machine_as_test(StoreMachine, settings=settings(max_examples=50, stateful_step_count=30, deadline=None,
                                                              derandomize=True))

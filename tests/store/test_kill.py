"""kill -9 at any moment loses nothing that was acknowledged."""

import pytest

from tests.store.killtrials import kill_again_and_again


@pytest.mark.process
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path):
    assert kill_again_and_again(tmp_path, rounds=10, seed=1) > 100

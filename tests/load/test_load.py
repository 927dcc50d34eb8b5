"""Small parts of what `make load` does at full size."""

import pytest

from tests.load import fresh_keys, hostile
from tests.load.__main__ import LOADS


def test_hostile_packets_by_every_way_are_counted_and_bring_in_nothing_false():
    told = hostile.torment(600, seed=2, true_count=20)
    assert not hostile.faults_of(told), told
    assert sum(told["ways"].values()) == 600 and told["counted"]["turns"] == 600


def test_a_false_record_that_gets_in_would_be_found():
    told = hostile.torment(50, seed=2, true_count=1)
    assert hostile.faults_of(told | {"false": 1}) and hostile.faults_of(told | {"grown_bytes": 1 << 30})


def test_fresh_keys_let_nobody_in_and_keep_no_member_out():
    told = fresh_keys.measure(120)
    assert not fresh_keys.faults_of(told), told
    assert told["let_in_by_one_keeper"] == 120 and told["members_kept"] == 3
    assert fresh_keys.faults_of(told | {"strangers_kept": 1}) and fresh_keys.faults_of(told | {"members_kept": 2})


@pytest.mark.parametrize("name", LOADS)
def test_each_load_stands_by_its_name(name):
    assert __import__(f"tests.load.{name}", fromlist=["main"]).main

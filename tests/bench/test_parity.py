"""What parity would bring is reckoned right where it is known."""

import random

import pytest

from tests.bench.parity import meeting, reckon, sendings, steady


def test_one_leaf_has_nothing_from_parity():
    rng = random.Random(1)
    assert meeting(1, 0.2, 1, rng, 4000) == pytest.approx(1.25, rel=0.03)
    assert meeting(1, 0.2, 8, rng) == pytest.approx(1.25, rel=0.03)


def test_two_leaves_need_what_theory_says():
    assert meeting(2, 0.2, 1, random.Random(1), 8000) == pytest.approx(2 / 0.8 - 1 / 0.96, rel=0.03)


def test_without_loss_each_record_goes_once():
    assert sendings([3, 0, 1], 0.0, random.Random(1)) == 3
    assert steady(10, 0.0, 60, 600, random.Random(1), 50) == {"alone": 1, "parity": 1}


def test_larger_blocks_and_longer_waits_save_more():
    result = reckon(10, 0.2, 1)
    assert result["saved by 2"] < result["saved by 8"] < 0.3
    assert result["saved each 1 min"] < 0.03 < result["saved each 60 min"]

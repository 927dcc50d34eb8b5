"""The air bench measures what it says, in every shape and scenario."""

import pytest

from tests.bench import shapes
from tests.bench.air import arguments, evenings, run
from tests.bench.scenarios import SCENARIOS, Setup

QUICK = "--hours 1 --records 4 --grace 12 --seeds 1 --loss 0.05"


def setup(words, seed=0):
    return Setup(arguments([*QUICK.split(), *words.split()]), seed)


@pytest.mark.parametrize("shape", [name for name in shapes.NAMES if name not in ("mixed", "chain")])
def test_what_is_posted_arrives_everywhere_in_every_shape(shape):
    measured = run("ours", setup(f"--topology {shape}"))
    assert measured["converged"]
    assert measured["delivered"] == 1
    assert measured["bytes"] > 0


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_scenario_ends_with_equal_islands(scenario):
    assert run("ours", setup(f"--nodes 4 --scenario {scenario} --flood 1"))["converged"]


def test_a_late_island_posts_when_it_is_on_and_its_hour_is_not_counted():
    measured = run("ours", setup("--scenario first-evening --one-late"))
    assert measured["delivered"] == 1
    assert 0 < measured["minutes"] < 60


def test_a_first_evening_says_how_many_were_soon():
    assert evenings([4.0, 12.25, None, 30.0]) == {"minutes": [4.0, 12.2, None, 30.0], "within_10": 0.25, "within_20": 0.5}

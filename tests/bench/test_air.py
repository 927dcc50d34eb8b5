"""The air bench measures what it says, in every shape and scenario."""

import pytest

from tests.bench import shapes
from tests.bench.air import evenings, run
from tests.bench.options import SHARES, arguments
from tests.bench.scenarios import SCENARIOS, Setup

QUICK = "--hours 1 --records 4 --grace 12 --seeds 1 --loss 0.05"


def setup(words, seed=0):
    return Setup(arguments("", [*QUICK.split(), *words.split()]), seed)


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
    assert len(measured["delays"]) == 11 * 2  # posts, and the islands that lack each
    assert 0 < measured["minutes"] < 60


def test_a_first_evening_says_how_many_were_soon():
    assert evenings([4.0, 12.25, None, 30.0]) == {"minutes": [4.0, 12.2, None, 30.0], "within_10": 0.25, "within_20": 0.5}


@pytest.mark.parametrize("words", [*(f"--{name} 0.5" for name in SHARES), "--sender-limit 20", "--flapping"])
def test_islands_meet_among_radios_of_every_habit(words):
    shape = "cell" if "one-way" in words else "ring"
    assert run("ours", setup(f"--topology {shape} --plain-relays 0.2 {words}"))["converged"]


def test_a_relay_that_comes_and_goes_is_on_in_the_end():
    placed = setup("--topology chain --flapping --hours 3")
    flaps = [(at, on) for at, node, on in placed.switches if node in placed.layout.plain]
    assert [on for _, on in flaps] == [False, True] * 4
    assert [at for at, _ in flaps] == [1200 * time for time in range(8)]


def test_a_run_says_what_it_made_of_the_channel():
    measured = run("ours", setup("--topology hill --nodes 5"))
    assert 0 < measured["busiest_channel_mean"] <= measured["busiest_channel"] < 1
    assert 0 < measured["plain_s"] <= measured["copies_s"] < measured["airtime_s"]

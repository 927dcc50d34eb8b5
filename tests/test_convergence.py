"""Whole islands on a lossy air end up with the same records, whatever happens on the way."""

import pytest

from radio.air import Mischief
from radio.topology import line
from tests.archipelago import Archipelago, bulletin, ids_of


def scenario(seed, **how):
    """A line of five; each island posts one record, one a minute; the one in the middle is off for a while."""
    world = Archipelago(seed, line(5), **{"loss": 0.25, "signs": True, "share": 0.5} | how)
    world.start()
    world.run(30)
    raws = [bulletin(number, 120 + 70 * number) for number in range(4)]
    for number, raw in enumerate(raws):
        if number == 1:
            world.members[3].stop(world.now)
        world.post((0, 2, 4, 0)[number], raw)
        world.run(60)
    world.members[3].start(world.now)
    return world, raws


@pytest.mark.parametrize("seed", range(0, 100, 25))
def test_a_lossy_line_of_five_converges(seed):
    for each in range(seed, seed + 25):
        world, raws = scenario(each)
        assert world.run(24 * 3600, until_equal=True), f"seed {each}"
        assert world.members[4].ids == ids_of(raws)


def test_the_same_seed_gives_the_same_packets():
    runs = []
    for _ in range(2):
        world, _ = scenario(7)
        world.run(3600)
        runs.append((world.sends, world.air.counters, world.air.airtime_s))
    assert runs[0] == runs[1]


def test_repeated_and_late_packets_change_nothing():
    world, raws = scenario(3, mischief=Mischief(repeat=1.0, max_delay_s=40))
    assert world.run(24 * 3600, until_equal=True)
    assert world.members[0].ids == ids_of(raws)
    assert all(len(member.store) == len(raws) for member in world.members.values())

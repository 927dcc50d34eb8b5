"""Whole islands on a lossy air end up with the same records, whatever happens on the way."""

import pytest

from node.model.keys import Charter
from node.model.record import MAX_RECORD_BYTES, record_id
from radio.sim.air import Mischief
from radio.sim.topology import cell, line
from tests.sim.archipelago import CHARTER, Archipelago, bulletin, ids_of


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


def world(seed, pairs, raws, at=0, **how):
    """Islands that know each other; one of them gets these records in a bundle, or posts them if they are few."""
    made = Archipelago(seed, pairs, **{"share": 1.0, "signs": True} | how)
    made.start()
    made.run(400)
    if len(raws) > 5:
        made.bring(at, raws)
    else:
        for raw in raws:
            made.post(at, raw)
    return made


@pytest.mark.parametrize("loss", [0.05, 0.1, 0.2])
def test_two_islands_lose_nothing_of_fifty_records(loss):
    raws = [bulletin(number, 120) for number in range(50)]
    for seed in range(3):
        assert world(seed, line(2), raws, loss=loss).run(24 * 3600, until_equal=True)


def test_three_quarters_lost_over_three_hops_is_no_obstacle():
    made = world(1, line(4), [bulletin(number) for number in range(3)], loss=0.75)
    assert made.run(72 * 3600, until_equal=True)


@pytest.mark.parametrize("seed", range(4))
def test_twenty_islands_in_one_cell_agree(seed):
    made = world(seed, cell(20), [], loss=0.3)
    made.run(7200)
    for number in range(3):
        made.post(0, bulletin(number))
    assert made.run(12 * 3600, until_equal=True)
    assert made.sends["data"] < 3 * 8  # who knows of all losses sends each about four times


def test_twenty_islands_that_start_together_agree():
    made = world(1, cell(20), [bulletin(number) for number in range(3)], loss=0.3)
    assert made.run(12 * 3600, until_equal=True)
    assert made.sends["data"] < 3 * 12  # they do not know yet who hears whom


def test_who_never_hears_the_author_gets_its_very_bytes():
    raws = [bulletin(1), bulletin(2, 600)]
    made = world(1, line(3), raws, loss=0.1)
    assert made.run(3600, until_equal=True)
    assert [made.members[2].replica.liveset.raw(id_) for id_ in map(record_id, raws)] == raws


@pytest.mark.parametrize("max_payload", [126, 188, 231])
def test_a_record_of_the_largest_size_travels_in_packets_of_any_size_allowed(max_payload):
    raw = bulletin(1, MAX_RECORD_BYTES)
    made = world(1, line(3), [raw], loss=0.2, max_payload=max_payload)
    assert made.run(2 * 3600, until_equal=True)
    assert made.members[2].ids == ids_of([raw])


def test_an_island_off_for_a_day_catches_up_by_itself():
    made = world(1, line(4), [], loss=0.2)
    made.members[1].stop(made.now)
    for number in range(12):
        made.post(0 if number % 2 else 3, bulletin(number))
        made.run(7200)
    made.members[1].start(made.now)
    assert made.run(24 * 3600, until_equal=True)
    assert len(made.members[1].ids) == 12


def test_a_restart_in_the_middle_of_a_record_loses_nothing():
    made = world(1, line(3), [bulletin(1, 900)], loss=0.1)
    made.run(6)
    for _ in range(3):
        made.members[1].stop(made.now)
        made.members[1].start(made.now)
        made.run(7)
    assert made.run(12 * 3600, until_equal=True)


def test_two_parts_that_meet_become_one():
    made = Archipelago(4, line(4), loss=0.1, signs=True, share=1.0)
    made.air.partition([0, 1], [2, 3])
    made.start()
    made.run(600)
    made.bring(0, [bulletin(number) for number in range(12)])
    made.bring(3, [bulletin(number) for number in range(30, 42)])
    made.run(12 * 3600)
    assert not made.equal()
    made.air.partition()
    assert made.run(24 * 3600, until_equal=True)
    assert len(made.members[1].ids) == 24


def test_two_sets_on_one_channel_do_not_disturb_each_other():
    other = Charter.found("other", CHARTER.founders, b"\3" * 32)
    made = Archipelago(1, cell(4), signs=True, share=1.0, charters={2: other, 3: other})
    made.start()
    made.run(400)
    made.post(0, bulletin(1))
    made.post(2, bulletin(2, charter=other))
    made.run(3600)
    assert [member.ids for member in made.members.values()] == [ids_of([bulletin(1)])] * 2 + [
        ids_of([bulletin(2, charter=other)])] * 2


@pytest.mark.parametrize("seed", range(8))
def test_clocks_six_hours_apart_do_not_matter(seed):
    made = world(seed, line(3), [bulletin(number) for number in range(6)], loss=0.2, skews={1: 6 * 3600, 2: -6 * 3600})
    assert made.run(8 * 3600, until_equal=True)
    made.run(3600)
    before = made.air.counters["frames"]
    made.run(12 * 3600)
    assert made.air.counters["frames"] - before < 40


def test_a_plain_relay_between_two_islands_is_used():
    made = world(1, line(3), [bulletin(1)], plain={1}, loss=0.1)
    assert made.run(3600, until_equal=True)
    assert made.members[2].ids == ids_of([bulletin(1)])


@pytest.mark.parametrize(("nodes", "plain"), [(5, {1}), (6, {1, 2, 3}), (7, {0, 2, 5})])
def test_islands_with_plain_relays_among_them_agree(nodes, plain):
    ends = [node for node in range(nodes) if node not in plain]
    for seed in range(10):
        made = world(seed, line(nodes), [], plain=plain, loss=0.2)
        made.run(2 * 3600)  # they know each other, and nobody is introducing himself any more
        for number in range(4):
            made.post(ends[-number % 2], bulletin(number))
            made.run(900)
        assert made.run(48 * 3600, until_equal=True), f"seed {seed}"


def test_with_nothing_new_hardly_anything_is_sent_however_many_records_and_islands():
    hourly = []
    for count, pairs in ((2, cell(4)), (300, cell(4)), (2, cell(16))):
        made = Archipelago(1, pairs, signs=True)
        for member in made.members.values():
            member.hold([bulletin(number) for number in range(count)])
        made.start()
        made.run(4 * 3600)
        before = sum(made.air.airtime_s.values())
        made.run(24 * 3600)
        hourly.append((sum(made.air.airtime_s.values()) - before) / 24)
    assert max(hourly) < 3


def test_a_small_bulletin_takes_one_transmission_for_all_neighbours():
    made = world(1, cell(4), [])
    made.run(7200)
    frames, size = made.air.counters["frames"], made.air.counters["bytes"]
    made.post(0, bulletin(1, 80 + 53))
    made.run(300)
    assert made.equal()
    assert (made.air.counters["frames"] - frames, made.air.counters["bytes"] - size) == (1, 166 + 24)


def test_one_record_missing_among_five_hundred_is_found_for_less_than_six_hundred_bytes():
    raws = [bulletin(number, 100) for number in range(500)]
    made = Archipelago(1, line(2), signs=True)
    made.members[0].hold(raws)
    made.members[1].hold(raws[1:])
    made.start(0)
    made.run(3 * 3600)
    size = made.air.counters["bytes"]
    made.members[1].start(made.now)
    assert made.run(3600, until_equal=True)
    assert made.air.counters["bytes"] - size < 600


def test_islands_that_reach_each_other_ask_no_radio_to_pass_anything_on():
    made = world(2, line(6), [])
    made.run(3600)
    before = made.air.counters["frames"] - sum(made.sends.values())
    for number in range(4):
        made.post(number, bulletin(number))
        made.run(900)
    assert made.equal()
    assert made.air.counters["frames"] - sum(made.sends.values()) == before

"""On a full air everybody's records get through: who floods it waits, and nobody else."""

import dataclasses
import math

import pytest

from node.model.record import decode, encode, record_id, sign
from node.sync.events import Imported, RecordPosted
from node.sync.lora.packets import Neighbours, Whole
from node.sync.lora.tuning import TUNING
from radio.sim.topology import line, star
from tests.sim.archipelago import KEYS, MANY_KEYS, Archipelago, bulletin
from tests.sync.lora.test_engine import LoneIsland, summary

HOUR_S = 3600
FLOOD = 240  # records


def by(key, number, **fields):
    raw = bulletin(number, 160, charter=MANY_KEYS, key=key)
    return encode(sign(dataclasses.replace(decode(raw), **fields), MANY_KEYS.set_id, key.sign)) if fields else raw


def honest(number, **fields):
    return by(KEYS[number % 4], number, **fields)


def flood(number, **fields):
    return by(KEYS[-1], 10_000 + number, **fields)


class Flooded(LoneIsland):
    """An island on which one author has posted more than two hours can take and what was saved before."""

    def __init__(self, met=True, **fields):
        super().__init__(charter=MANY_KEYS)
        self.wait(60)
        if met:
            self.give(RecordPosted(honest(0)))
        for number in range(FLOOD):
            self.give(RecordPosted(flood(number, **fields)))
            self.wait(2 * HOUR_S / FLOOD)

    def raws(self, sent):
        return [section.raw for section in self.sections(Whole, sent)]

    def waits_s(self, raw):
        """How long until this record goes out."""
        begun = self.now
        self.give(RecordPosted(raw))
        while raw not in self.raws(self.sent):
            self.wait(1)
        return self.now - begun


def test_a_post_goes_out_at_once_while_another_author_floods():
    island = Flooded()
    assert max(island.waits_s(honest(number)) for number in range(1, 3)) < 20


def test_marking_the_flood_urgent_does_not_help_it():
    island = Flooded(urgent=True)
    assert island.waits_s(honest(1)) < 20


def test_the_flood_takes_what_nobody_else_wants():
    island = Flooded(met=False)
    sent = island.raws(island.wait(2 * HOUR_S))
    alone = len(sent)
    island = Flooded()
    sent = island.raws(island.wait(2 * HOUR_S))
    assert len(sent) > 0.65 * alone > 20
    assert set(sent) <= {flood(number) for number in range(FLOOD)}


def test_an_urgent_post_does_not_wait_for_the_hour_to_pass():
    island = Flooded(met=False)
    assert island.waits_s(honest(1, urgent=True)) < 20


def test_no_author_pushes_the_records_of_others_out_of_the_queue():
    island = LoneIsland(charter=MANY_KEYS)
    island.wait(60)
    island.hear(summary([]))
    few = [honest(number) for number in range(10)]
    for raw in few + [flood(number) for number in range(TUNING.max_transmissions + 50)]:
        island.give(RecordPosted(raw))
    transmissions = island.engine.context.transmissions
    assert len(list(transmissions)) == TUNING.max_transmissions
    assert all(transmissions.get(record_id(raw)) for raw in few)


def test_of_what_a_neighbour_lacks_the_flood_goes_last():
    island = Flooded()
    lacked = [honest(number) for number in range(10, 15)]
    island.give(Imported(tuple(lacked), "bundle"))
    has = [honest(0), *(flood(number) for number in range(FLOOD - 25))]
    island.hear(summary(has, capacity=40, at=island.now), Neighbours((0x0123,)))
    sent = island.raws(island.wait(1800))
    assert {*lacked} < {*sent}
    assert max(map(sent.index, lacked)) < 8


@pytest.mark.parametrize("seed", range(2))
def test_records_of_others_arrive_nearly_as_soon_as_ever(seed):
    delays = {}
    for count in (0, 120):
        world = Archipelago(seed, line(4), loss=0.1, charters=dict.fromkeys(range(4), MANY_KEYS))
        world.start()
        world.run(HOUR_S)
        delays[count] = _delays(world, count)
    assert delays[120][len(delays[120]) // 2] < 2 * delays[0][len(delays[0]) // 2] + 30


def _delays(world, count):
    """Seconds until each of eight records is known everywhere; the first island posts `count` others in four hours."""
    posted = {}
    for minute in range(0, 240, 2):
        if minute < 2 * count:
            world.post(0, flood(minute))
        if minute % 30 == 14:
            raw = honest(100 + minute)
            posted[record_id(raw)] = world.now
            world.post(len(posted) % 4, raw)
        world.run(120)
    world.run(4 * HOUR_S)
    return sorted(member.kept.get(id_, math.inf) - at for id_, at in posted.items() for member in world.members.values())


def test_a_hub_may_use_what_those_who_hear_only_it_leave_and_nobody_else_may():
    world = Archipelago(7, [*star(4), (3, 4)], signs=True)
    world.start()
    world.run(3 * 3600)
    lent = {node: member.engine.context.lent_s(member.engine._last_at) for node, member in world.members.items()}
    refill_s = world.members[0].engine.channel.governor.refill_s
    assert 0.8 * refill_s < lent[0] <= refill_s, "half of what two leave; the third hears somebody else too"
    assert {node: s for node, s in lent.items() if node} == dict.fromkeys(range(1, 5), 0.0)

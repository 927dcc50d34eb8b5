"""What we hold, sketched: a large set is taken in step by step, and comes out as if at once."""

import random

from node.model.clock import minute_of
from node.sync.codes.sketch import sketch
from node.sync.events import Imported
from node.sync.lora.inventory import HOURS_A_DAY, Inventory, Salted, difference, element_of
from node.sync.lora.packets import Have, Neighbours, Sum, Whole
from node.sync.lora.tuning import TUNING
from radio.sim.topology import line
from tests.sim.archipelago import KEYS, MANY_KEYS, START, Archipelago, bulletin
from tests.sync.lora.test_engine import DAY, LoneIsland, summary

KEY = bytes(32)
HOUR = 20_000


class Ids:
    """A live set that is nothing but ids."""

    def __init__(self, count, seed=1):
        rng = random.Random(seed)
        self.revision, self.all = 0, [rng.randbytes(16) for _ in range(count)]

    def ids(self, as_of=None):
        return self.all

    def change(self, ids):
        self.revision, self.all = self.revision + 1, ids


def caught_up(inventory, hour=HOUR):
    """What is held at an hour, and in how many steps it was taken in."""
    for step in range(1000):
        held = inventory.at(hour)
        if held is not None:
            return held, step
        inventory.catch_up(START)
    return None, 0


def right(held, ids, hour=HOUR):
    elements = {element_of(id_, hour // HOURS_A_DAY, KEY): id_ for id_ in ids}
    return held.ids == elements and held.sketch == sketch(elements, 40)


def test_the_hour_of_a_packet_is_meant_two_days_ahead_and_one_hour_back_at_most():
    inventory = Inventory(Ids(0), KEY, TUNING)
    ours = inventory.hour(START)
    for ahead in (-1, 0, 1, 48):
        assert inventory.hour_meant((ours + ahead) % 65_536, START) == ours + ahead
    for ahead in (-2, 49, 1_000, 32_767, -32_768):
        assert inventory.hour_meant((ours + ahead) % 65_536, START) is None, ahead


def test_a_large_set_is_taken_in_by_parts_and_comes_out_right():
    records = Ids(4 * TUNING.sketched_in_step + 7)
    held, steps = caught_up(Inventory(records, KEY, TUNING))
    assert right(held, records.all)
    assert steps == 4


def test_a_small_change_of_a_large_set_is_there_at_once():
    records = Ids(3 * TUNING.sketched_in_step)
    inventory = Inventory(records, KEY, TUNING)
    caught_up(inventory)
    records.change(records.all[5:] + Ids(9, seed=2).all)
    assert right(inventory.at(HOUR), records.all)


def test_a_set_that_changes_while_it_is_taken_in_comes_out_right():
    records = Ids(3 * TUNING.sketched_in_step)
    inventory = Inventory(records, KEY, TUNING)
    assert inventory.at(HOUR) is None
    records.change(records.all[TUNING.sketched_in_step // 2:])
    held, _ = caught_up(inventory)
    assert right(held, records.all)


def test_most_of_a_set_may_go():
    records = Ids(3 * TUNING.sketched_in_step)
    inventory = Inventory(records, KEY, TUNING)
    caught_up(inventory)
    records.change(records.all[:3])
    held, steps = caught_up(inventory)
    assert right(held, records.all) and steps >= 2


def test_another_hour_of_a_day_costs_nothing_and_another_day_is_made_before_it_begins():
    records = Ids(2 * TUNING.sketched_in_step)
    inventory = Inventory(records, KEY, TUNING)
    last = (minute_of(START) // 60 // HOURS_A_DAY + 1) * HOURS_A_DAY - 1  # the last hour of a day
    caught_up(inventory, last - 1)
    assert inventory.at(last) is not None
    for _ in range(5):
        inventory.catch_up(START + (last - 1 - minute_of(START) // 60) * 3600)
    assert right(inventory.at(last + 1), records.all, last + 1)


def test_a_summary_heard_while_a_large_set_is_taken_in_is_answered_all_the_same():
    raws = [bulletin(number, 90) for number in range(3 * TUNING.sketched_in_step)]
    island = LoneIsland()
    island.give(Imported(tuple(raws), "bundle"))
    island.hear(summary(raws[:-2], capacity=8, at=island.now), Neighbours((0x0123,)))
    sent = {section.raw for section in island.sections(Whole, island.wait(120))}
    assert sent == set(raws[-2:])


def test_filters_of_a_large_set_are_about_one_part_after_the_other():
    raws = [bulletin(number, 90) for number in range(1000)]
    island = LoneIsland()
    island.engine.channel.governor.configure("US", 1.0)
    island.give(Imported(tuple(raws), "bundle"))
    island.wait(60)
    for other in range(4):
        island.hear(summary([bulletin(number, 90) for number in range(5000, 5100)], at=island.now), sender=5 + other)
        island.wait(400)
    filters = island.sections(Have)
    assert [have.depth for have in filters] == [1] * len(filters)
    assert {have.salt >> 7 for have in filters} == {0, 1}
    elements = [element_of(raw_id, DAY, island.engine.context.key) for raw_id in island.liveset.ids()]
    for have in filters[:2]:
        assert have.count == sum(element >> 31 == have.salt >> 7 for element in elements)


def test_a_hundred_records_missing_among_thousands_are_found():
    raws = [bulletin(number, 90, charter=MANY_KEYS, key=KEYS[number // 1000]) for number in range(6000)]
    world = Archipelago(1, line(2), loss=0.1, share=1.0, charters=dict.fromkeys(range(2), MANY_KEYS))
    world.members[0].hold(raws)
    world.members[1].hold(raws[100:])
    world.start()
    world.run(8 * 3600)
    assert len(world.members[1].ids) == 6000


def test_what_is_taken_in_stands_in_the_order_in_which_it_came():
    ids = [number.to_bytes(16, "big") for number in range(40)]
    salted = Salted(7, bytes(32))
    assert not salted.update(ids[:30], 20) and salted.update(ids, 40)
    assert list(salted.ids.values()) == ids
    assert salted.update(ids[10:], 40) and list(salted.ids.values()) == ids[10:]


def sets_that_differ(ours, theirs, both=20):
    """What we hold, and a neighbour's summary of 4 lanes; elements that only we hold, and that only it holds."""
    ids = Ids(both + ours + theirs).all
    held, elements = Salted(HOUR // HOURS_A_DAY, KEY), [element_of(id_, HOUR // HOURS_A_DAY, KEY) for id_ in ids]
    held.update(ids[:both + ours], 999)
    heard = Sum(HOUR, both + theirs, 4, sketch(elements[:both] + elements[both + ours:], 4))
    return held, heard, elements[both:both + ours], elements[both + ours:]


def test_a_sketch_has_to_hold_only_what_is_not_known_to_differ():
    tried = 0
    for ours, theirs, told in ((6, 0, 2), (0, 6, 4), (5, 4, 6), (3, 3, 6)):
        held, heard, we_hold, it_holds = sets_that_differ(ours, theirs)
        assert difference(held, heard) is None, "more than its four lanes tell"
        found = difference(held, heard, set((we_hold + it_holds)[:told]))
        assert sorted(found.ours) == sorted(held.ids[one] for one in we_hold) and sorted(found.theirs) == sorted(it_holds)
        tried += 1
    assert tried == 4


def test_what_was_wrongly_known_to_differ_is_told_as_it_is():
    held, heard, we_hold, it_holds = sets_that_differ(1, 1)
    wrong = next(iter(held.elements.values()))
    found = difference(held, heard, {wrong, *we_hold})
    assert found.ours == [held.ids[one] for one in we_hold] and found.theirs == it_holds
    same = sets_that_differ(0, 0)[:2]
    assert difference(*same, {wrong}) in (None, difference(*same))

"""Islands confirm an urgent post over the air: all of them end with the same count, and no urgent post waits for it."""

from node.model.clock import minute_of
from node.model.confirmation import Confirmation, confirming_root
from node.model.event import Event
from node.model.record import Kind, Record, encode, record_id, sign
from node.sync.events import Imported, RecordPosted
from node.sync.lora.packets import Neighbours
from radio.sim.topology import line
from tests.sim.archipelago import KEYS, MANY_KEYS, START, Archipelago
from tests.sync.lora.test_engine import LoneIsland, summary

NOW = minute_of(START)


def made(kind, key, created=NOW, life=24, **fields):
    return encode(sign(Record(kind, key.key_id, created, life, **fields), MANY_KEYS.set_id, key.sign))


def says(key, alarm, holds=True, created=NOW):
    return made(Kind.CONFIRMATION, key, created, target=record_id(alarm)[:8], detail=Confirmation(holds))


def test_three_islands_in_a_line_agree_on_who_confirms_also_when_one_takes_it_back():
    world = Archipelago(1, line(3), loss=0.2, charters=dict.fromkeys(range(3), MANY_KEYS))
    world.start()
    world.run(60)
    alarm = made(Kind.BULLETIN, KEYS[0], urgent=True, packed=b"Fuite de gaz")
    world.post(0, alarm)
    assert world.run(3_600, until_equal=True)
    for node in (1, 2):
        world.post(node, says(KEYS[node], alarm))
    assert world.run(3_600, until_equal=True)
    world.post(2, says(KEYS[2], alarm, holds=False, created=NOW + 90))
    assert world.run(3_600, until_equal=True)
    for member in world.members.values():
        liveset = member.replica.liveset
        said = [liveset.get(id_) for id_ in liveset.about(confirming_root(record_id(alarm)[:8]))]
        assert {one.author: one.detail.holds for one in said} == {KEYS[1].key_id: True, KEYS[2].key_id: False}


def test_what_confirms_goes_after_what_is_urgent_and_before_all_else():
    island = LoneIsland(charter=MANY_KEYS)
    island.wait(60)
    island.hear(summary([]))
    alarm = made(Kind.BULLETIN, KEYS[1], urgent=True, packed=b"Fuite de gaz")
    party = made(Kind.EVENT, KEYS[2], life=0, packed=b"Bal", detail=Event(NOW + 600, 60, 0))
    calm = made(Kind.BULLETIN, KEYS[3], packed=b"Soupe" * 30)
    wanted = [alarm, says(KEYS[4], alarm), party, calm]
    island.give(Imported(tuple(reversed(wanted)), "bundle"))
    island.hear(summary([], capacity=40, at=island.now), Neighbours((0x0123,)))
    waiting = [one.transmission.id for one in island.engine.queue(island.now)]
    assert waiting == [record_id(raw) for raw in wanted]


def test_what_confirms_takes_nothing_of_the_air_that_is_kept_for_what_is_urgent():
    island = LoneIsland(charter=MANY_KEYS)
    island.wait(60)
    island.hear(summary([]))
    alarm = made(Kind.BULLETIN, KEYS[1], urgent=True, packed=b"Fuite de gaz")
    for raw in (alarm, says(KEYS[4], alarm)):
        island.give(RecordPosted(raw))
    begun = {one.id: one for one in island.engine.context.transmissions}
    assert [begun[record_id(raw)].urgent for raw in (alarm, says(KEYS[4], alarm))] == [True, False]

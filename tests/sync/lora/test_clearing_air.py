"""What keepers withdraw in bulk goes over the air behind what people post, and arrives."""

from node.board.composing import retraction_of
from node.model.clock import minute_of
from node.model.record import TARGET_BYTES, decode, encode, record_id, sign
from tests.sim.archipelago import CHARTER, KEY, Archipelago, bulletin, ids_of

COUNT = 128  # posts: what a flood fills of an empty board in a day
HOUR_S = 3_600


def ending(raw, now):
    record, root = decode(raw), record_id(raw)[:TARGET_BYTES]
    return encode(sign(retraction_of(record, KEY.key_id, root, minute_of(now)), CHARTER.set_id, KEY.sign))


def test_the_retractions_of_a_flood_keep_no_post_waiting_and_free_the_share_on_the_other_island():
    posts = [bulletin(number) for number in range(COUNT)]
    world = Archipelago(7, [(0, 1)])
    for member in world.members.values():
        member.hold(posts)
    world.start()
    world.run(600)
    world.bring(0, [ending(raw, world.now) for raw in posts])
    world.run(30)
    fresh = bulletin(9_999, created=minute_of(world.now))
    world.post(0, fresh)
    other = world.members[1]
    world.run(120)
    assert record_id(fresh) in other.ids and len(ids_of(posts) & other.ids) > COUNT // 2, "it came before most of them"
    assert world.run(12 * HOUR_S, until_equal=True)
    assert not ids_of(posts) & other.ids and record_id(fresh) in other.ids

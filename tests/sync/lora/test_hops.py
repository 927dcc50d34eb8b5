"""Plain relays: when a packet of the air engine is to be carried on by them, and when it is not."""

import pytest

from node.model.record import record_id
from node.sync.events import LinkChanged, PacketReceived, RecordPosted
from node.sync.lora.neighbours import EXPLORE_HOPS, Neighbour, Passage
from node.sync.lora.packets import Need, Neighbours, Packet, Whole, encode
from node.sync.lora.tuning import TUNING
from tests.sim.archipelago import LINK, bulletin
from tests.sync.lora.test_engine import DAY, KEY, LoneIsland, summary


def test_neighbours_behind_plain_relays_are_reached_with_hops():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([], at=island.now), hops=2)
    assert island.give(RecordPosted(bulletin(1)))[0][0].hop_limit == 2, "as many as it is away"


def test_who_hears_others_through_relays_only_says_so_with_an_empty_list_and_says_it_again():
    island = LoneIsland()
    for _ in range(4):
        island.hear(summary([], at=island.now), hops=1)
        island.wait(1800)
    island.sent.clear()
    island.hear(summary([bulletin(1)], at=island.now), hops=1)
    assert set(island.sections(Neighbours, island.wait(2400))) == {Neighbours(())}


@pytest.mark.parametrize(("lists", "hops"), [
    ({5: (0x0123,), 9: ()}, 3),  # 9 hears no island: three plain relays
    ({5: (0x0123,), 9: (8,)}, 3),  # 5 hears nobody but us, so no island is on the way to 9
    ({5: (0x0123, 6), 9: (8,)}, 0),  # 6 may hear somebody who hears 8
    ({5: (0x0123, 6), 6: (5,), 9: (8,)}, 3),  # it does not
    ({5: (0x0123, 6), 6: (5, 7), 9: (7,)}, 0),
])
def test_three_relays_in_a_row_are_plain_if_no_island_can_be_among_them(lists, hops):
    island = LoneIsland()
    island.wait(60)
    for _ in range(2):
        for sender, addresses in lists.items():
            island.hear(summary([], at=island.now), Neighbours(addresses), sender=sender, hops={5: 0, 6: 1, 9: 3}[sender])
        island.wait(2000)
    assert island.give(RecordPosted(bulletin(1)))[0][0].hop_limit == hops


def test_who_is_heard_through_three_relays_for_long_is_behind_plain_ones_though_lists_are_missing():
    island, reached = LoneIsland(), []
    island.wait(60)
    for _ in range(4):
        island.hear(summary([], at=island.now), Neighbours((0x0123, 6)), sender=5)  # 6 may hear somebody who hears 8
        island.hear(summary([], at=island.now), Neighbours((8,)), sender=9, hops=3)
        reached.append({one.address for one in island.engine.context.neighbours.live()})
        island.wait(2000)
    assert reached == [{5}, {5}, {5}, {5, 9}]


def test_the_first_word_goes_to_those_near_and_the_next_ones_far_while_nobody_answers():
    island = LoneIsland()
    sent = [send.hop_limit for send, _ in island.wait(2400)]
    assert len(sent) >= 3 and sent[:3] == [0, 3, EXPLORE_HOPS] and set(sent[3:]) <= {3}


@pytest.mark.parametrize(("held", "first"), [(0, TUNING.evening_far_loss), (1, 0.36)])
def test_on_the_first_evening_of_an_island_more_is_lost_of_who_is_behind_relays(held, first):
    island, losses = LoneIsland(), []
    for number in range(held):
        island.give(RecordPosted(bulletin(number)))
    island.wait(TUNING.evening_s)
    island.give(LinkChanged(LINK, False))
    island.give(LinkChanged(LINK, True))
    island.hear(summary([], at=island.now), hops=1)
    for wait_s in (0, 2 * TUNING.evening_s):
        island.wait(wait_s)
        losses += [round(one.loss, 2) for one in island.engine.context.neighbours]
    assert losses == [first, 0.36], "then as usual, also if nothing was heard of it since"


def test_what_was_reckoned_of_relays_says_nothing_of_who_is_heard_directly():
    one = Neighbour(7, 0.0, TUNING, hops=1)
    one.came(Passage(1), 2, evening=True)
    one.came(Passage(0), 3)
    assert one.loss == TUNING.first_loss


def test_a_silent_neighbour_behind_relays_is_given_up_sooner_than_a_near_one():
    assert records_for_a_silent(1) < records_for_a_silent(0) < 8
    assert records_for_a_silent(0, beyond=6) == records_for_a_silent(0)


def records_for_a_silent(hops, beyond=0):
    """How many records pass before a neighbour that says nothing is taken to be away; `beyond`: nodes heard by relays."""
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([], at=island.now), Neighbours(()), sender=5, hops=hops)
    island.wait(TUNING.evening_s)
    for number in range(beyond):
        island.hear(summary([], at=island.now), sender=20 + number, hops=3)
    island.hear(summary([], at=island.now), Neighbours(()), sender=5, hops=hops)
    for number in range(8):
        island.give(RecordPosted(bulletin(number)))
        island.wait(20)
        if 5 not in {one.address for one in island.engine.context.neighbours.live()}:
            return number
    return 8


def test_a_neighbour_of_a_neighbour_needs_no_hops():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([], at=island.now), Neighbours((9,)), sender=5)
    island.hear(summary([], at=island.now), sender=9, hops=1)
    assert island.give(RecordPosted(bulletin(1)))[0][0].hop_limit == 0


def heard_by(island, relay, hops, sender, *sections, left=0):
    """A packet that a relay of this name brought."""
    island.sequence = (island.sequence + 1) % 256
    payload = encode(Packet(sender, island.sequence, (summary([], at=island.now), *sections)), KEY)
    island.give(PacketReceived(LINK, payload, f"!{sender:08x}", hops, left, relay))


def served(island):
    return {one.address for one in island.engine.context.neighbours.live()}


def test_who_sent_a_copy_tells_at_once_whether_an_island_or_a_plain_relay_carries_packets_between():
    island = LoneIsland()
    island.wait(60)
    heard_by(island, "05", 0, 0x0505)
    heard_by(island, "77", 1, 0x0606)  # by somebody who is no island that we hear
    heard_by(island, "05", 1, 0x0707)  # by the island
    assert served(island) == {0x0505, 0x0606}
    heard_by(island, "05", 1, 0x0606)  # as near by the island
    assert served(island) == {0x0505}


def test_of_islands_tied_together_behind_relays_the_nearest_is_served_and_who_asks_in_vain_as_well():
    island = LoneIsland()
    island.wait(60)
    heard_by(island, "77", 1, 6, Neighbours((7,)))
    heard_by(island, "77", 2, 7, Neighbours((6,)))
    assert served(island) == {6}
    for number in range(TUNING.max_begs + 1):
        heard_by(island, "77", 2, 7, Need(0x0123, DAY % 256, (number + 1,)))
    assert served(island) == {6, 7}


def test_who_is_far_and_never_answers_is_sent_by_more_relays_each_time_up_to_two_more():
    one = Neighbour(6, 0.0, TUNING, hops=2)
    limits = []
    for _ in range(8):
        limits.append(one.reach_hops)
        one.tries += 1
    assert limits == [2, 2, 3, 3, 4, 4, 4, 4]


def test_a_flood_that_was_heard_counts_for_all_whom_the_same_relay_serves():
    island = LoneIsland()
    island.wait(60)
    for sender, relay in ((6, "77"), (7, "77"), (8, "88")):
        heard_by(island, relay, 1, sender)
    heard_by(island, "77", 1, 6, Whole(bulletin(1), True))
    reaches = island.engine.context.transmissions.get(record_id(bulletin(1))).reaches
    assert (reaches[7].missing, reaches[7].sent) == (1, 1) and (reaches[8].missing, reaches[8].sent) == (1, 0)

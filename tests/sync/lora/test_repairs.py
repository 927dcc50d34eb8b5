"""The air engine when much is lacking: who is asked, who serves, in what pieces, and when."""

from node.model.clock import minute_of
from node.model.record import record_id
from node.sync.codes import bloom
from node.sync.codes.erasure import piece
from node.sync.events import Imported, RecordPosted
from node.sync.lora.packets import Have, More, Need, Neighbours, Piece, Sum, Whole
from node.sync.lora.tuning import TUNING
from tests.sim.archipelago import START, bulletin
from tests.sync.lora.test_engine import DAY, OTHER, LoneIsland, element, summary


def test_a_filter_brings_what_it_lacks_from_those_it_names():
    raws = [bulletin(number) for number in range(40)]
    island = LoneIsland()
    island.engine.channel.governor.configure("EU_868", 1.0)
    island.give(Imported(tuple(raws), "bundle"))
    island.wait(60)
    held = [element(raw, DAY) for raw in raws[:30]]
    hour = minute_of(island.now) // 60 + 1
    island.hear(Have(hour % 65536, 30, 7, (0x0123,), bloom.fill(held, 7, 60)))
    sent = {section.raw for section in island.sections(Whole, island.wait(1800))}
    assert sent <= set(raws[30:]) and len(sent) >= 9


def test_who_is_not_named_leaves_the_work_to_others():
    island = LoneIsland()
    island.give(Imported(tuple(bulletin(number) for number in range(20)), "bundle"))
    island.wait(60)
    hour = minute_of(island.now) // 60 + 1
    island.hear(Have(hour % 65536, 0, 7, (9, 10), bloom.fill([], 7, 8)))
    assert island.sections(Whole | Piece, island.wait(3600)) == []


def test_who_lacks_much_and_hears_others_is_told_first_and_served_when_it_says_so_again():
    island = LoneIsland()
    island.give(Imported(tuple(bulletin(number) for number in range(9)), "bundle"))
    island.wait(60)
    island.hear(summary([], at=island.now), Neighbours((0x0123, 9)))
    sent = island.wait(60)
    assert island.sections(Sum, sent) and island.sections(Whole, sent) == []
    island.hear(summary([], at=island.now))
    assert island.sections(Whole, island.wait(200))


def test_repairs_of_two_long_records_fill_three_packets():
    raws = [bulletin(number, 200) for number in range(2)]
    island = LoneIsland(signs=True)
    island.give(Imported(tuple(raws), "bundle"))
    island.wait(60)
    island.hear(Need(0x0123, DAY % 256, tuple(element(raw, DAY) for raw in raws)))
    sent = [(send, packet) for send, packet in island.wait(30 * 3) if send.label == "repair"]
    assert [len(island.sections(Piece, [one])) for one in sent[:3]] == [2, 2, 2]
    pieces = island.sections(Piece, sent[:3])
    assert {one.parts for one in pieces} == {3}
    assert all(len({one.index for one in pieces if one.short_id == record_id(raw)[:4]}) == 3 for raw in raws)


def test_pieces_of_another_cut_are_sent_as_asked():
    island, raw = LoneIsland(), bulletin(1, 200)
    island.give(Imported((raw,), "bundle"))
    island.wait(60)
    island.hear(More(0x0123, record_id(raw)[:4], 4, 1))
    assert {one.parts for one in island.sections(Piece, island.wait(10))} == {4}


def test_a_question_that_nobody_answers_is_put_to_anybody():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([bulletin(1)], at=island.now))
    needs = island.sections(Need, island.wait(1800))
    assert [need.responder for need in needs[:3]] == [OTHER, OTHER, 0]


def test_who_asked_for_one_piece_and_names_the_record_too_gets_one_piece():
    island, raw = LoneIsland(), bulletin(1, 500)
    island.give(Imported((raw,), "bundle"))
    island.wait(60)
    island.hear(More(0x0123, record_id(raw)[:4], 3, 1), Need(0x0123, DAY % 256, (element(raw, DAY),)))
    assert len(island.sections(Piece, island.wait(200))) == 1


def test_what_was_asked_for_and_sent_is_not_sent_again_unasked():
    island, raw = LoneIsland(), bulletin(1)
    island.give(Imported((raw,), "bundle"))
    island.wait(60)
    for _ in range(6):
        island.hear(Neighbours((0x0123, 9)))
        island.engine.context.neighbours.get(OTHER).missed()
    need = Need(0x0123, DAY % 256, (element(raw, DAY),))
    island.hear(need)
    assert len(island.sections(Whole, island.wait(2000))) == 1
    island.hear(need)
    assert len(island.sections(Whole, island.wait(2000))) == 1


def test_who_did_not_pass_a_record_on_for_long_is_sent_it_again():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([], at=island.now), Neighbours((0x0123, 9)))
    island.give(RecordPosted(bulletin(1)))
    island.wait(120)
    assert len(island.sections(Whole)) == 1  # it may have no airtime left just now
    island.wait(3000)
    assert len(island.sections(Whole)) > 1


def test_nothing_is_said_of_a_set_that_is_being_completed():
    raws = [bulletin(number) for number in range(250)]
    island = LoneIsland()
    island.wait(60)
    island.hear(summary(raws, at=island.now))
    said = []
    for number, raw in enumerate(raws[:200]):
        island.hear(Whole(raw, False))
        sent = island.wait(15)
        said += island.sections(Sum, sent) if number > 60 else []  # its introductions are over
    assert said == []


def test_a_difference_that_could_not_be_told_is_told_again_with_room_for_it():
    island = LoneIsland()
    island.wait(60)
    island.hear(summary([bulletin(number) for number in range(15)], capacity=2, at=island.now))
    island.wait(600)
    said = island.sections(Sum, island.wait(4 * 3600))
    assert len(said) >= 4 and {one.capacity for one in said} <= {15 + 6, TUNING.hello_capacity}


def test_responders_are_named_in_one_order_so_that_each_keeps_its_part():
    island = LoneIsland()
    for sender, quality in ((9, 3), (5, 1)):
        island.hear(summary([bulletin(number) for number in range(99)], at=island.now), sender=sender)
        for _ in range(quality):
            island.engine.context.neighbours.get(sender).missed()
    assert island.engine.context.requests.responders() == (5, 9)
    for _ in range(9):
        island.engine.context.neighbours.get(5).missed()
    assert island.engine.context.requests.responders() == (5, 9)


def test_two_whose_budgets_end_together_do_not_begin_together():
    begins = set()
    for seed in range(5):
        island = LoneIsland(seed)
        island.give(Imported(tuple(bulletin(number) for number in range(40)), "bundle"))
        island.wait(60)
        island.engine.channel.governor.charge(157, island.now)
        island.hear(summary([], at=island.now))
        island.hear(summary([], at=island.now))
        before, at = len(island.sent), island.now
        while len(island.sent) == before and island.now < at + 2 * 3600:
            island.wait(1)
        begins.add(round(island.now - at))
    assert len(begins) >= 4 and min(begins) > 3000


def test_those_who_missed_the_same_piece_do_not_ask_at_the_same_moment():
    raw, asked = bulletin(1, 300), set()
    for seed in range(8):
        island = LoneIsland(seed)
        island.wait(60)
        island.hear(Piece(record_id(raw)[:4], 2, 0, len(raw), piece(raw, 2, 0), True))
        at = island.now
        while not island.sections(More) and island.now < at + 120:
            island.wait(0.1)
        asked.add(round(island.now - at, 1))
    assert len(asked) >= 7


def test_what_most_of_many_neighbours_lack_is_sent_again_at_once():
    island = LoneIsland()
    island.wait(60)
    for sender in range(1, 21):
        island.hear(summary([], at=island.now), sender=sender)
    island.wait(120)
    island.give(RecordPosted(bulletin(1)))
    island.wait(20)
    assert len(island.sections(Whole)) > 1


def test_two_responders_share_the_work():
    raws, shares = [bulletin(number) for number in range(20)], []
    for responders in ((0x0123, 9), (9, 0x0123)):
        island = LoneIsland()
        island.engine.channel.governor.configure("EU_868", 1.0)
        island.give(Imported(tuple(raws), "bundle"))
        island.wait(60)
        hour = minute_of(island.now) // 60 + 1
        island.hear(Have(hour % 65536, 0, 7, responders, bloom.fill([], 7, 8)))
        shares.append({section.raw for section in island.sections(Whole, island.wait(1800))})
    assert shares[0] | shares[1] == set(raws) and not shares[0] & shares[1]


def test_who_lacks_little_asks_more_often_than_who_lacks_much():
    gaps = {}
    for count in (1, 8):
        island, moments = LoneIsland(), []
        island.wait(60)
        island.hear(summary([bulletin(number) for number in range(count)], at=island.now))
        for number in range(count):
            raw = bulletin(number, 500)
            island.hear(Piece(record_id(raw)[:4], 3, 0, len(raw), piece(raw, 3, 0), True))
        while island.now < START + 6 * 3600:
            before = len(island.sent)
            island.wait(10)
            moments += [island.now] if island.sections(Need | More, island.sent[before:]) else []
        gaps[count] = max(b - a for a, b in zip(moments[-4:], moments[-3:], strict=False))
    assert gaps[1] < 600 < gaps[8]

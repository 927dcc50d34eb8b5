"""The air engine when much is lacking: who is asked, who serves, in what pieces, and when."""

from node.model.clock import minute_of
from node.model.record import record_id
from node.sync.codes import bloom
from node.sync.codes.erasure import piece
from node.sync.events import Imported, RecordPosted
from node.sync.lora.packets import Have, More, Need, Neighbours, Piece, Sum, Whole
from tests.sim.archipelago import START, bulletin
from tests.sync.lora.test_engine import DAY, OTHER, Publisher, element, summary


def test_a_filter_brings_what_it_lacks_from_those_it_names():
    raws = [bulletin(number) for number in range(40)]
    desk = Publisher()
    desk.engine.channel.governor.configure("EU_868", 1.0)
    desk.give(Imported(tuple(raws), "bundle"))
    desk.wait(60)
    held = [element(raw, DAY) for raw in raws[:30]]
    hour = minute_of(desk.now) // 60 + 1
    desk.hear(Have(hour % 65536, 30, 7, (0x0123,), bloom.fill(held, 7, 60)))
    sent = {section.raw for section in desk.sections(Whole, desk.wait(1800))}
    assert sent <= set(raws[30:]) and len(sent) >= 9


def test_who_is_not_named_leaves_the_work_to_others():
    desk = Publisher()
    desk.give(Imported(tuple(bulletin(number) for number in range(20)), "bundle"))
    desk.wait(60)
    hour = minute_of(desk.now) // 60 + 1
    desk.hear(Have(hour % 65536, 0, 7, (9, 10), bloom.fill([], 7, 8)))
    assert desk.sections(Whole | Piece, desk.wait(3600)) == []


def test_who_lacks_much_and_hears_others_is_told_first_and_served_when_it_says_so_again():
    desk = Publisher()
    desk.give(Imported(tuple(bulletin(number) for number in range(9)), "bundle"))
    desk.wait(60)
    desk.hear(summary([], at=desk.now), Neighbours((0x0123, 9)))
    sent = desk.wait(60)
    assert desk.sections(Sum, sent) and desk.sections(Whole, sent) == []
    desk.hear(summary([], at=desk.now))
    assert desk.sections(Whole, desk.wait(200))


def test_repairs_of_two_long_records_fill_three_packets():
    raws = [bulletin(number, 200) for number in range(2)]
    desk = Publisher(signs=True)
    desk.give(Imported(tuple(raws), "bundle"))
    desk.wait(60)
    desk.hear(Need(0x0123, DAY % 256, tuple(element(raw, DAY) for raw in raws)))
    sent = [(send, packet) for send, packet in desk.wait(30 * 3) if send.label == "repair"]
    assert [len(desk.sections(Piece, [one])) for one in sent[:3]] == [2, 2, 2]
    pieces = desk.sections(Piece, sent[:3])
    assert {one.parts for one in pieces} == {3}
    assert all(len({one.index for one in pieces if one.short_id == record_id(raw)[:4]}) == 3 for raw in raws)


def test_pieces_of_another_cut_are_sent_as_asked():
    desk, raw = Publisher(), bulletin(1, 200)
    desk.give(Imported((raw,), "bundle"))
    desk.wait(60)
    desk.hear(More(0x0123, record_id(raw)[:4], 4, 1))
    assert {one.parts for one in desk.sections(Piece, desk.wait(10))} == {4}


def test_a_question_that_nobody_answers_is_put_to_anybody():
    desk = Publisher()
    desk.wait(60)
    desk.hear(summary([bulletin(1)], at=desk.now))
    needs = desk.sections(Need, desk.wait(1800))
    assert [need.responder for need in needs[:3]] == [OTHER, OTHER, 0]


def test_who_asked_for_one_piece_and_names_the_record_too_gets_one_piece():
    desk, raw = Publisher(), bulletin(1, 500)
    desk.give(Imported((raw,), "bundle"))
    desk.wait(60)
    desk.hear(More(0x0123, record_id(raw)[:4], 3, 1), Need(0x0123, DAY % 256, (element(raw, DAY),)))
    assert len(desk.sections(Piece, desk.wait(200))) == 1


def test_what_was_asked_for_and_sent_is_not_sent_again_unasked():
    desk, raw = Publisher(), bulletin(1)
    desk.give(Imported((raw,), "bundle"))
    desk.wait(60)
    for _ in range(6):
        desk.hear(Neighbours((0x0123, 9)))
        desk.engine.context.neighbours.get(OTHER).missed()
    need = Need(0x0123, DAY % 256, (element(raw, DAY),))
    desk.hear(need)
    assert len(desk.sections(Whole, desk.wait(2000))) == 1
    desk.hear(need)
    assert len(desk.sections(Whole, desk.wait(2000))) == 1


def test_who_did_not_pass_a_record_on_for_long_is_sent_it_again():
    desk = Publisher()
    desk.wait(60)
    desk.hear(summary([], at=desk.now), Neighbours((0x0123, 9)))
    desk.give(RecordPosted(bulletin(1)))
    desk.wait(120)
    assert len(desk.sections(Whole)) == 1  # it may have no airtime left just now
    desk.wait(3000)
    assert len(desk.sections(Whole)) > 1


def test_nothing_is_said_of_a_set_that_is_being_completed():
    raws = [bulletin(number) for number in range(250)]
    desk = Publisher()
    desk.wait(60)
    desk.hear(summary(raws, at=desk.now))
    said = []
    for number, raw in enumerate(raws[:200]):
        desk.hear(Whole(raw, False))
        sent = desk.wait(15)
        said += desk.sections(Sum, sent) if number > 60 else []  # its introductions are over
    assert said == []


def test_a_difference_that_could_not_be_told_is_told_again_each_hour_with_room_for_it():
    desk = Publisher()
    desk.wait(60)
    desk.hear(summary([bulletin(number) for number in range(15)], capacity=2, at=desk.now))
    desk.wait(600)
    said = desk.sections(Sum, desk.wait(4 * 3600))
    assert len(said) >= 4 and {one.capacity for one in said} == {15 + 6}


def test_responders_are_named_in_one_order_so_that_each_keeps_its_part():
    desk = Publisher()
    for sender, quality in ((9, 3), (5, 1)):
        desk.hear(summary([bulletin(number) for number in range(99)], at=desk.now), sender=sender)
        for _ in range(quality):
            desk.engine.context.neighbours.get(sender).missed()
    assert desk.engine.context.requests.responders() == (5, 9)
    for _ in range(9):
        desk.engine.context.neighbours.get(5).missed()
    assert desk.engine.context.requests.responders() == (5, 9)


def test_two_whose_budgets_end_together_do_not_begin_together():
    begins = set()
    for seed in range(5):
        desk = Publisher(seed)
        desk.give(Imported(tuple(bulletin(number) for number in range(40)), "bundle"))
        desk.wait(60)
        desk.engine.channel.governor.charge(31, desk.now)
        desk.hear(summary([], at=desk.now))
        desk.hear(summary([], at=desk.now))
        before, at = len(desk.sent), desk.now
        while len(desk.sent) == before and desk.now < at + 2 * 3600:
            desk.wait(1)
        begins.add(round(desk.now - at))
    assert len(begins) >= 4 and min(begins) > 3000


def test_those_who_missed_the_same_piece_do_not_ask_at_the_same_moment():
    raw, asked = bulletin(1, 300), set()
    for seed in range(8):
        desk = Publisher(seed)
        desk.wait(60)
        desk.hear(Piece(record_id(raw)[:4], 2, 0, len(raw), piece(raw, 2, 0), True))
        at = desk.now
        while not desk.sections(More) and desk.now < at + 120:
            desk.wait(0.1)
        asked.add(round(desk.now - at, 1))
    assert len(asked) >= 7


def test_what_most_of_many_neighbours_lack_is_sent_again_at_once():
    desk = Publisher()
    desk.wait(60)
    for sender in range(1, 21):
        desk.hear(summary([], at=desk.now), sender=sender)
    desk.wait(120)
    desk.give(RecordPosted(bulletin(1)))
    desk.wait(20)
    assert len(desk.sections(Whole)) > 1


def test_two_responders_share_the_work():
    raws, shares = [bulletin(number) for number in range(20)], []
    for responders in ((0x0123, 9), (9, 0x0123)):
        desk = Publisher()
        desk.engine.channel.governor.configure("EU_868", 1.0)
        desk.give(Imported(tuple(raws), "bundle"))
        desk.wait(60)
        hour = minute_of(desk.now) // 60 + 1
        desk.hear(Have(hour % 65536, 0, 7, responders, bloom.fill([], 7, 8)))
        shares.append({section.raw for section in desk.sections(Whole, desk.wait(1800))})
    assert shares[0] | shares[1] == set(raws) and not shares[0] & shares[1]


def test_who_lacks_little_asks_more_often_than_who_lacks_much():
    gaps = {}
    for count in (1, 8):
        desk, moments = Publisher(), []
        desk.wait(60)
        desk.hear(summary([bulletin(number) for number in range(count)], at=desk.now))
        for number in range(count):
            raw = bulletin(number, 500)
            desk.hear(Piece(record_id(raw)[:4], 3, 0, len(raw), piece(raw, 3, 0), True))
        while desk.now < START + 6 * 3600:
            before = len(desk.sent)
            desk.wait(10)
            moments += [desk.now] if desk.sections(Need | More, desk.sent[before:]) else []
        gaps[count] = max(b - a for a, b in zip(moments[-4:], moments[-3:], strict=False))
    assert gaps[1] < 600 < gaps[8]

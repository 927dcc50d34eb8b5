"""Keepers put the board right: many posts with one press, gone at once, back with another press, then gone for good."""

import errno
from pathlib import Path

import pytest

from node.board.api import Draft
from node.board.clearing import BATCH, FEW, UNDO_MIN
from node.board.reasons import Pile
from node.model.record import Kind, Record, Revocation, decode, encode, sign
from node.replica.liveset import LiveSet
from node.replica.quota import LIMITS, Category
from node.store.journalstore import JournalStore
from tests.board.test_rationing import flood, somebody
from tests.sim.places import CHARTER, ELSEWHERE, FOUNDER, HERE, Place, problems
from tests.sim.portals import Neighbourhood
from tests.sim.simulatedcard import Card

OWN = (Pile.WAITING, Pile.HERE)


def fill(place, count, key=HERE, life_h=2_160):
    """So many live bulletins of a key, all at this minute: their ids."""
    raws = [encode(sign(Record(Kind.BULLETIN, key.key_id, place.minute, life_h, packed=f"n° {number}".encode()),
                        CHARTER.set_id, key.sign)) for number in range(count)]
    assert all(verdict.kept for verdict in place.replica.take_in(raws, "test", place.clock.now())[0])
    return [verdict.id.hex() for verdict in place.replica.take_in(raws, "test", place.clock.now())[0]]


def ids(handles):
    return [handle.id for handle in handles]


def let_undo_pass(place):
    place.clock.advance(UNDO_MIN * 60)
    while place.board.finish_clearings():
        pass


def test_everything_between_two_minutes_is_found_without_reading_any_of_it(place):
    early, begin = fill(place, 3), place.minute
    place.clock.advance(20 * 60)
    late = place.board.post(Draft(Kind.BULLETIN, "à 14 h 20"))
    waiting = place.board.post(Draft(Kind.BULLETIN, "demain", publish_at=place.minute + 1_440))
    before = place.board.reader.texts.decoded
    assert set(ids(place.board.handles(OWN))) == {*early, late.id, waiting.id}
    assert set(ids(place.board.handles(OWN, begin, begin + 19))) == set(early)
    assert set(ids(place.board.handles(OWN, begin + 20))) == {late.id, waiting.id}, "it was typed then, for tomorrow"
    assert ids(place.board.handles((Pile.WAITING,))) == [waiting.id]
    assert place.board.reader.texts.decoded == before


def test_what_is_withdrawn_is_out_of_sight_at_once_and_back_after_an_undo(place):
    posted = [place.board.post(Draft(Kind.BULLETIN, f"n° {number}")) for number in range(3)]
    place.board.set_posting("moderated", "lea")
    waiting = place.board.post(Draft(Kind.BULLETIN, "à relire"))
    done = place.board.clear(ids(place.board.handles(OWN)), "lea")
    assert (done.refused, done.withdrawn) == (1, 3) and place.board.cleared() == [done]
    assert not place.board.bulletins().items and not place.board.waiting() and not place.board.handles(OWN)
    assert all(place.board.item(post.id) is None for post in posted)
    assert problems(place.board.withdraw, posted[0].id, posted[0].edit_code) == [("", "target-gone")]
    assert place.board.undo(done.id, "nadia") == 4 and place.board.undo(done.id, "nadia") == 0
    assert len(place.board.bulletins().items) == 3 and [one.item.id for one in place.board.waiting()] == [waiting.id]
    assert [(one.keeper, one.action, one.about) for one in place.board.audit_log(2)] == [
        ("nadia", "undo", "4"), ("lea", "clear", "4")]
    place.board.withdraw(posted[0].id, posted[0].edit_code)


def test_after_the_time_to_undo_the_share_is_free_on_every_island_and_nothing_is_left(place):
    fill(place, 30)
    place.board.set_posting("moderated", "lea")
    waiting = place.board.post(Draft(Kind.BULLETIN, "à relire"))
    done = place.board.clear(ids(place.board.handles(OWN)), "lea")
    place.clock.advance(UNDO_MIN * 60 - 60)
    assert place.board.finish_clearings() == 0 and place.liveset.used(HERE.key_id, Category.POSTS).records == 30
    other = LiveSet(CHARTER)
    hand_over(place, other)
    let_undo_pass(place)
    assert place.board.undo(done.id, "lea") == 0 and not place.board.cleared()
    hand_over(place, other)
    for liveset in (place.liveset, other):
        assert liveset.used(HERE.key_id, Category.POSTS).records == 0
        assert liveset.used(HERE.key_id, Category.RETRACTIONS).records == 30
    state = place.board.notes.state
    assert not state.waiting and not state.cleared and not state.hidden
    assert not place.board.notes.edit_code(bytes.fromhex(waiting.id)[:8])
    place.board.finish_clearings()
    assert not place.board._undo_ends


def test_with_what_keepers_withdrew_its_code_and_what_was_told_of_it_are_forgotten(place):
    posted = place.board.post(Draft(Kind.BULLETIN, "Voleur"))
    place.board.report(posted.id, "danger", "Il menace", somebody(1))
    place.board.clear([posted.id], "lea")
    assert place.board.count_reports() == 1 and place.board.notes.edit_code(bytes.fromhex(posted.id)[:8])
    let_undo_pass(place)
    assert place.board.count_reports() == 0 and not place.board.notes.edit_code(bytes.fromhex(posted.id)[:8])


def test_a_reply_is_withdrawn_or_hidden_for_good_like_any_other_post(place):
    board = place.board
    question = board.post(Draft(Kind.BULLETIN, "Qui vient ?"))
    ours, hidden = (board.post(Draft(Kind.REPLY, text, target=question.id)) for text in ("Menteur", "Voleur"))
    assert len(board.item(question.id).replies) == 2
    board.hide(hidden.id, keeper="lea")
    assert [item.text for item in board.hidden()] == ["Voleur"] and not board.kept_item(ours.id).corrected
    board.clear([ours.id], "lea")
    let_undo_pass(place)
    board.finish_clearings()
    assert not board.item(question.id).replies and not board.kept_item(ours.id)
    assert place.liveset.used(HERE.key_id, Category.RETRACTIONS).records == 1


def hand_over(place, liveset):
    """What one island holds comes to another."""
    raws = [place.liveset.raw(id_) for id_ in place.liveset.ids()]
    liveset.apply(liveset.propose(raws, place.clock.now()))


def test_a_whole_share_can_be_withdrawn_and_filled_again(place):
    most = LIMITS[Category.POSTS].records - 1
    fill(place, most)
    assert place.board.clear(ids(place.board.handles(OWN)), "lea").withdrawn == most > 10 * BATCH
    let_undo_pass(place)
    used = place.liveset.used(HERE.key_id, Category.RETRACTIONS)
    assert used.records == most and used.size_bytes < LIMITS[Category.RETRACTIONS].size_bytes
    assert place.liveset.used(HERE.key_id, Category.POSTS).records == 0
    place.clock.advance(60)
    assert len(fill(place, most)) == most
    assert not place.board.cleared()


def test_retractions_of_many_do_not_go_before_what_people_post(place):
    kept = []

    class Listener:
        """An engine that hears how records are kept."""

        deadline = None

        def handle(self, event, now):
            kept.append(event)
            return []

    place.replica.engines = [Listener()]
    for count, bulk in ((FEW, False), (FEW + 1, True)):
        fill(place, count)
        place.board.clear(ids(place.board.handles(OWN)), "lea")
        kept.clear()
        let_undo_pass(place)
        endings = [event for event in kept if type(event).__name__ == "RecordKept"]
        assert [event.bulk for event in endings] == [bulk] * count
        place.clock.advance(60)


def test_what_others_signed_is_hidden_here_and_stays_hidden_when_it_cannot_be_undone_any_more(place):
    fill(place, 3, ELSEWHERE)
    handles = place.board.handles((Pile.ELSEWHERE,))
    first = place.board.clear(ids(handles), "lea")
    assert place.board.undo(first.id, "lea") == 3 and len(place.board.bulletins().items) == 3
    place.board.clear(ids(handles), "lea")
    let_undo_pass(place)
    assert not place.board.bulletins().items and len(place.board.hidden()) == 3
    assert all(bytes.fromhex(handle.id) in place.liveset for handle in handles)
    assert place.board.show_all(ids(place.board.handles((Pile.HIDDEN,))), "lea") == 3
    assert len(place.board.bulletins().items) == 3 and place.board.audit_log()[0].about == "3"


def test_many_that_wait_are_approved_with_one_press_as_far_as_there_is_room(place):
    place.board.set_posting("moderated", "lea")
    posts = [place.board.post(Draft(Kind.BULLETIN, f"n° {number}")) for number in range(4)]
    assert place.board.approve_all([post.id for post in posts[:3]], "lea") == 3
    assert len(place.board.bulletins().items) == 3 and len(place.board.waiting()) == 1
    assert (place.board.audit_log()[0].action, place.board.audit_log()[0].about) == ("approve-many", "3")


def test_a_corrected_post_is_withdrawn_with_all_its_versions(place):
    post = place.board.post(Draft(Kind.BULLETIN, "à 18 h"))
    place.board.correct(post.id, post.edit_code, Draft(Kind.BULLETIN, "à 19 h", life_days=90))
    place.board.clear(ids(place.board.handles(OWN)), "lea")
    assert place.board.item(post.id) is None
    let_undo_pass(place)
    kinds = [decode(place.liveset.raw(id_)).kind for id_ in place.liveset.ids()]
    assert Kind.BULLETIN not in kinds and kinds.count(Kind.RETRACTION) == 1


def test_a_clearing_survives_a_restart_and_a_card_that_fails(tmp_path):
    card = Card()
    island = Neighbourhood(tmp_path, JournalStore(Path("/island"), card))
    post = island.board.post(Draft(Kind.BULLETIN, "Montres"))
    island.board.clear([post.id], "lea")
    island.restart_board()
    (kept,) = island.board.cleared()
    assert island.board.item(post.id) is None and kept.withdrawn == 1
    island.clock.advance(UNDO_MIN * 60)
    card.fails = dict.fromkeys(range(card.steps, card.steps + 50), errno.EIO)
    island.board.finish_clearings()
    assert island.board.item(post.id) is None and bytes.fromhex(post.id) in island.liveset
    card.fails = {}
    island.store.probe()
    island.board.finish_clearings()
    assert bytes.fromhex(post.id) not in island.liveset and not island.board.cleared()
    island.archive.close()


def test_after_a_restart_a_clock_that_is_behind_adds_nothing_to_the_time_to_undo(tmp_path):
    island = Neighbourhood(tmp_path)
    post = island.board.post(Draft(Kind.BULLETIN, "Montres"))
    island.board.clear([post.id], "lea")
    island.clock.advance(-86_400)
    island.restart_board()
    assert [one.until - island.board.now() for one in island.board.cleared()] == [UNDO_MIN]
    island.archive.close()


@pytest.mark.parametrize("step_s", [-480, 660, 80 * 86_400])
def test_a_clock_that_is_set_takes_nothing_from_the_time_to_undo_and_adds_nothing(place, step_s):
    shown = place.board.post(Draft(Kind.BULLETIN, "Soupe", life_days=90))
    place.board.set_posting("moderated", "lea")
    place.board.post(Draft(Kind.BULLETIN, "à relire", life_days=90))
    done = place.board.clear(ids(place.board.handles(OWN)), "lea")
    place.wrong_s = step_s
    place.clock.advance(UNDO_MIN * 60 - 60)
    assert place.board.finish_clearings() == 0
    assert [one.until for one in place.board.cleared()] == [place.minute + 1]
    assert bytes.fromhex(shown.id) in place.liveset and len(place.board.notes.state.waiting) == 1
    place.clock.advance(60)
    assert place.board.finish_clearings() == 2
    assert not place.board.cleared() and not place.board.undo(done.id, "lea")


def test_an_island_whose_key_was_revoked_still_comes_to_an_end_with_it(place):
    fill(place, 2)
    place.board.clear(ids(place.board.handles(OWN)), "lea")
    detail = Revocation(HERE.key_id, place.minute + 1)
    place.clock.advance(120)
    place.take(Record(Kind.REVOCATION, FOUNDER.key_id, place.minute, 9_000, detail=detail), FOUNDER)
    let_undo_pass_once(place)
    place.pass_days(91)
    place.board.finish_clearings()
    assert not place.board.cleared()


def let_undo_pass_once(place):
    place.clock.advance(UNDO_MIN * 60)
    place.board.finish_clearings()


def test_unknown_and_foreign_ids_do_nothing(place):
    mine = place.board.post(Draft(Kind.BULLETIN, "Soupe"))
    stranger = "0" * 32
    place.board.refuse("garbage", "lea")
    place.board.refuse(mine.id, "lea")
    assert place.board.clear([stranger], "lea").withdrawn == 0 and place.board.undo("", "lea") == 0
    assert place.board.item(mine.id) and not place.board.audit_log()


def test_what_a_keeper_has_withdrawn_makes_others_wait_no_longer(tmp_path):
    place = Place(tmp_path)
    flood(place, 45, 1)
    assert place.board.post(Draft(Kind.BULLETIN, "Un chat"), visitor=somebody(900)).waiting
    place.board.clear(ids(place.board.handles((Pile.WAITING,))), "lea")
    assert place.board.post(Draft(Kind.BULLETIN, "Un chien"), visitor=somebody(901)).waiting, "what waited took nothing"
    place.board.clear(ids(place.board.handles(OWN)), "lea")
    assert place.board.post(Draft(Kind.BULLETIN, "Une tortue"), visitor=somebody(902)).waiting == ""
    place.archive.close()


def test_of_what_is_hidden_only_what_was_chosen_is_shown_again(place):
    posted = [place.board.post(Draft(Kind.BULLETIN, f"n° {number}")) for number in range(3)]
    for post in posted[1:]:
        place.board.hide(post.id, keeper="lea")
    assert place.board.show_all([posted[0].id, posted[1].id], "lea") == 1
    assert [place.board.item(post.id) is not None for post in posted] == [True, True, False]


def test_what_was_refused_is_not_refused_again_by_somebody_else(place):
    place.board.set_posting("moderated", "lea")
    waiting = place.board.post(Draft(Kind.BULLETIN, "à relire"))
    first, second = (place.board.clear([waiting.id], keeper) for keeper in ("lea", "nadia"))
    assert (first.refused, second.refused) == (1, 0) and [one.keeper for one in place.board.cleared()] == ["lea"]
    assert place.board.undo(second.id, "nadia") == 0 and place.board.undo(first.id, "lea") == 1


def test_an_undo_brings_back_one_clearing_and_leaves_the_others(place):
    posted = [place.board.post(Draft(Kind.BULLETIN, f"n° {number}")) for number in range(2)]
    first, second = (place.board.clear([post.id], keeper) for post, keeper in zip(posted, ("lea", "nadia"), strict=True))
    assert place.board.undo(first.id, "lea") == 1
    assert [place.board.item(post.id) is not None for post in posted] == [True, False]
    assert place.board.cleared() == [second]

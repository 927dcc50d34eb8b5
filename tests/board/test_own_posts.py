"""Keepers withdraw, correct and cancel what this island signed, without the code of its author; the others read who did."""

from node.board.api import COMMAND_LINE, Draft
from node.board.clearing import MAX_WHY
from node.model.record import Kind, Record
from node.replica.quota import Category
from tests.board.test_clearing import let_undo_pass
from tests.sim.places import ELSEWHERE, HERE, problems


def acts(place):
    return [(entry.keeper, entry.action, entry.about, entry.why) for entry in place.board.audit_log()]


def test_a_keeper_corrects_a_post_without_its_code_and_the_author_s_code_stays_good(place):
    board = place.board
    posted = board.post(Draft(Kind.BULLETIN, "Réunion à 18 h"))
    board.correct_as_keeper(posted.id[:12], Draft(Kind.BULLETIN, "Réunion à 19 h"), "lea", "demandé\npar l’auteur")
    shown = board.item(posted.id)
    assert shown.text == "Réunion à 19 h" and shown.corrected
    assert acts(place) == [("lea", "correct", posted.id[:16], "demandé par l’auteur")]
    place.clock.advance(60)
    board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, "Réunion à 20 h"))
    assert board.item(posted.id).text == "Réunion à 20 h"


def test_a_keeper_withdraws_a_post_for_good_or_thinks_better_of_it(place):
    board = place.board
    posted = board.post(Draft(Kind.BULLETIN, "Réunion à 18 h"))
    done = board.withdraw_as_keeper(posted.id[:12], COMMAND_LINE, "doublon")
    assert board.item(posted.id) is None and acts(place)[0] == (COMMAND_LINE, "withdraw", posted.id[:16], "doublon")
    assert board.undo(done.id, "lea") == 1 and board.item(posted.id)
    board.withdraw_as_keeper(posted.id, "lea")
    let_undo_pass(place)
    assert board.item(posted.id) is None and place.liveset.used(HERE.key_id, Category.POSTS).records == 0


def test_a_keeper_shows_an_event_as_cancelled(place):
    board = place.board
    start = place.minute + 600
    event = board.post(Draft(Kind.EVENT, title="Bal", start=start, end=start + 60))
    board.cancel_as_keeper(event.id, "la salle est prise", "lea")
    assert board.item(event.id).cancelled == "la salle est prise"
    assert acts(place) == [("lea", "cancel", event.id[:16], "la salle est prise")]
    reply = board.post(Draft(Kind.REPLY, "Dommage", target=event.id))
    assert problems(board.cancel_as_keeper, reply.id, "", "lea") == [("kind", "not-offered")]


def test_what_others_signed_or_what_is_gone_is_refused_with_a_sentence(place):
    board = place.board
    theirs = place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=b"ailleurs"), ELSEWHERE).id.hex()
    draft = Draft(Kind.BULLETIN, "autre")
    for id_, code in ((theirs, "not-signed-here"), ("0" * 32, "target-gone"), ("garbage", "target-gone")):
        assert problems(board.withdraw_as_keeper, id_, "lea") == [("", code)]
        assert problems(board.correct_as_keeper, id_, draft, "lea") == [("", code)]
        assert problems(board.cancel_as_keeper, id_, "", "lea") == [("", code)]
    assert board.item(theirs) and not board.audit_log()
    assert board.hide(theirs[:12], keeper=COMMAND_LINE, why="insultes") and not board.hide("garbage", keeper="lea")
    assert acts(place) == [(COMMAND_LINE, "hide", theirs[:12], "insultes")]


def test_a_reason_is_one_line_that_shows_what_it_says_and_no_longer_than_a_log_has_room_for(place):
    posted = place.board.post(Draft(Kind.BULLETIN, "bonjour"))
    place.board.hide(posted.id, True, "lea", " a\u202eb\x00\n\tc " + "x" * 1_000)
    assert acts(place)[0][3] == ("ab c " + "x" * 1_000)[:MAX_WHY]

"""Offers and needs: the author says that one is met, every island does, and lists leave it out after two days."""

import pytest

from node.board.api import Draft, DraftRefused
from node.board.board import MET_SHOWN_MIN
from node.board.pace import Visitor
from node.model.marks import Marks
from node.model.record import Kind, Record
from tests.sim.places import ELSEWHERE

VISITOR = Visitor(bytes(8), bytes(8))


def offered(board, text="Canapé à donner"):
    return board.post(Draft(Kind.BULLETIN, text, marks=Marks.OFFER))


def shown(board):
    return [item.text for item in board.bulletins().items]


def test_an_offer_is_met_with_its_edit_code_and_leaves_the_lists_after_two_days(place):
    board, posted = place.board, offered(place.board)
    with pytest.raises(DraftRefused):
        board.withdraw(posted.id, "another code", "")
    assert board.item(posted.id).met is None
    board.withdraw(posted.id, posted.edit_code, "")
    assert board.item(posted.id).met == place.minute and shown(board) == ["Canapé à donner"]
    place.clock.advance(60 * (MET_SHOWN_MIN - 1))
    assert shown(board) == ["Canapé à donner"]
    place.clock.advance(60)
    assert shown(board) == [] and board.latest().items == []
    assert board.item(posted.id).met is not None, "its address still tells"


def test_another_island_says_so_too_and_only_of_what_its_author_met(place):
    theirs = place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, packed=b"velo"), ELSEWHERE).id
    mine = offered(place.board)
    for target in (theirs[:8], bytes.fromhex(mine.id)[:8]):
        place.take(Record(Kind.CANCELLATION, ELSEWHERE.key_id, place.minute, 24, target=target), ELSEWHERE)
    assert place.board.item(theirs.hex()).met == place.minute and place.board.item(mine.id).met is None


def test_a_correction_opens_it_again_even_within_the_same_minute(place):
    board, posted = place.board, offered(place.board)
    board.withdraw(posted.id, posted.edit_code, "")
    board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, "Deux canapés à donner", marks=Marks.OFFER))
    assert board.item(posted.id).met is None
    place.clock.advance(120)
    board.withdraw(posted.id, posted.edit_code, "")
    assert board.item(posted.id).met == place.minute


def test_pressed_twice_it_is_one_record_and_it_has_no_words(place):
    board, posted = place.board, offered(place.board)
    for _press in range(2):
        board.withdraw(posted.id, posted.edit_code, "parti chez Untel")
    endings = [place.liveset.get(id_) for id_ in place.liveset.ids() if place.liveset.get(id_).kind is Kind.CANCELLATION]
    assert [one.packed for one in endings] == [b""]


def test_where_keepers_read_posts_it_waits_for_nobody(place):
    board, posted = place.board, offered(place.board)
    board.set_posting("moderated", "lea")
    assert board.withdraw(posted.id, posted.edit_code, "", VISITOR).waiting == "" and board.item(posted.id).met is not None


def test_a_keeper_may_say_so_once_and_it_stands_in_the_audit_log(place):
    board, posted = place.board, offered(place.board)
    board.cancel_as_keeper(posted.id, "", "lea")
    assert board.item(posted.id).met is not None
    assert [(entry.action, entry.about) for entry in board.audit_log()] == [("meet", posted.id[:16])]
    with pytest.raises(DraftRefused):
        board.cancel_as_keeper(posted.id, "", "lea")


def test_offers_and_needs_are_listed_apart(place):
    board = place.board
    for n in range(30):
        board.post(Draft(Kind.BULLETIN, f"Nouvelle {n}"))
    offered(board)
    board.post(Draft(Kind.BULLETIN, "Échelle cherchée", marks=Marks.NEED))
    for mark, text in ((Marks.OFFER, "Canapé à donner"), (Marks.NEED, "Échelle cherchée")):
        assert [item.text for item in board.bulletins(limit=5, marks=mark).items] == [text]


@pytest.mark.parametrize(("kind", "marks"), [(Kind.BULLETIN, Marks.OFFER | Marks.NEED), (Kind.BULLETIN, Marks.FREE),
                                             (Kind.EVENT, Marks.NEED), (Kind.REPLY, Marks.OFFER)])
def test_marks_that_do_not_belong_to_it_are_refused(place, kind, marks):
    target = offered(place.board).id if kind is Kind.REPLY else None
    draft = Draft(kind, "Bonjour", title="Bal", start=place.minute + 60, target=target, marks=marks)
    with pytest.raises(DraftRefused) as refused:
        place.board.post(draft)
    assert [(one.field, one.code) for one in refused.value.problems] == [("marks", "not-offered")]

"""Who may mark a post as urgent: it is asked of the key that signs, offered where it can work, refused with the reason."""

import pytest

from node.board.api import Draft
from node.board.pace import Visitor
from node.model.record import Kind, Right
from tests.sim.places import add_group, problems
from tests.sim.portals import GROUP, HERE, PASSPHRASE, words
from tests.web.signing import csrf_of, sign_in
from tests.web.test_posting import send

NAME = "AMAP du canal"
CALL = {"kind": "bulletin", "text": "Fuite de gaz rue Bichat", "urgent": "1"}
SIGNED = {"group": NAME, "passphrase": PASSPHRASE}
BOX = 'name="urgent"'


@pytest.fixture
def founders_island(neighbourhood):
    """Its own key may be urgent, as that of who founded the set."""
    neighbourhood.vouch(HERE, Right.WRITE | Right.URGENT, "Île du canal")
    return neighbourhood


@pytest.fixture
def group(board):
    add_group(board, NAME, bytes([4]) * 32, PASSPHRASE)


def form(portal, path="/post"):
    return portal.get(f"{path}?lang=en").get_data(as_text=True)


def test_where_nobody_may_it_is_not_offered_and_the_reason_is_told(portal, group):
    assert BOX not in form(portal)
    for action in ("preview", "publish"):
        answer, page = send(portal, **CALL, action=action)
        assert answer.status_code == 422 and "This island has not been given the right" in page
        answer, page = send(portal, **CALL, **SIGNED, action=action)
        assert answer.status_code == 422 and "This group has not been given the right" in page
        assert BOX in page  # to take it off


def test_a_group_with_the_right_is_urgent_on_an_island_without_it(portal, neighbourhood, board, group):
    neighbourhood.vouch(GROUP, Right.WRITE | Right.GROUP | Right.URGENT, NAME)
    page = form(portal)
    assert BOX in page and page.index(BOX) < page.index("<details")
    assert "Only these groups" in words(portal.get("/post?lang=en"))
    assert send(portal, **CALL, **SIGNED, action="preview")[0].status_code == 200
    assert send(portal, **CALL, **SIGNED, action="publish")[0].status_code == 200
    assert [item.author.name for item in board.urgent()] == [NAME]
    answer, page = send(portal, **CALL, action="publish")
    assert answer.status_code == 422 and "This island has not been given the right" in page


def test_on_a_founders_island_visitors_are_not_urgent_and_keepers_are(portal, founders_island, board):
    assert BOX not in form(portal)
    for action in ("preview", "publish"):
        answer, page = send(portal, **CALL, action=action)
        assert answer.status_code == 422 and "On this island only keepers" in page
    assert not board.urgent()
    sign_in(portal)
    assert BOX in form(portal, "/keeper/posts/write")
    for action in ("preview", "publish"):
        assert send(portal, "/keeper/posts/write", **CALL, csrf=csrf_of(portal), action=action)[0].status_code == 200
    assert len(board.urgent()) == 1


def test_visitors_are_urgent_where_the_settings_say_so(portal, founders_island):
    founders_island.urgent = "everybody"
    founders_island.restart_board()
    portal.application.extensions["board"] = founders_island.board
    page = form(portal)
    assert BOX in page and page.index(BOX) < page.index("<details")
    assert send(portal, **CALL, action="publish")[0].status_code == 200
    assert len(founders_island.board.urgent()) == 1


def test_the_preview_says_what_the_post_will_be(portal, neighbourhood, group):
    neighbourhood.vouch(GROUP, Right.WRITE | Right.GROUP | Right.URGENT, NAME)
    later = {"publish_date": "2025-12-20", "publish_time": "08:00", "topic": "food"}
    page = send(portal, **CALL, **SIGNED, **later, action="preview")[1]
    for said in ("Urgent", NAME, "20 December 2025, 08:00", "Food"):
        assert said in page
    assert 'class="u"' in page and 'class="u"' not in send(portal, kind="bulletin", text="Soupe", action="preview")[1]


def test_who_has_the_code_of_an_urgent_post_may_correct_it_and_may_not_make_another_one_urgent(founders_island):
    board = founders_island.board
    urgent = board.post(Draft(Kind.BULLETIN, "Fuite", urgent=True), keeper="lea")
    plain = board.post(Draft(Kind.BULLETIN, "Soupe"))
    from_pages = Visitor(bytes(8), bytes(8))
    founders_island.clock.advance(60)
    board.correct(urgent.id, urgent.edit_code, Draft(Kind.BULLETIN, "Fuite, rue fermée", urgent=True), from_pages)
    assert [item.text for item in board.urgent()] == ["Fuite, rue fermée"]
    call = Draft(Kind.BULLETIN, "Soupe", urgent=True)
    assert problems(board.correct, plain.id, plain.edit_code, call, from_pages) == [("urgent", "urgent-keepers")]
    board.correct_as_keeper(plain.id, call, "lea")
    assert len(board.urgent()) == 2


def test_a_group_that_lost_the_right_is_told_so_when_it_corrects(neighbourhood, board, group):
    founded = board.post(Draft(Kind.BULLETIN, "Soupe"), NAME, PASSPHRASE)
    call = Draft(Kind.BULLETIN, "Soupe", urgent=True)
    assert problems(board.correct, founded.id, PASSPHRASE, call) == [("urgent", "urgent-not-group")]

"""All that keepers can do about a post stands on one page, in words that say what happens and where."""

import re

import pytest

from node.board.api import Draft
from node.model.record import Kind
from tests.board.test_own_posts import acts
from tests.sim.portals import PASSPHRASE, words
from tests.web.signing import csrf_of, desk_of, sign_in
from web.pages import MAX_PAGE_BYTES


def pressed(page):
    """What can be pressed there, sign-out and feet aside."""
    main = page.get_data(as_text=True).partition("<main")[2].partition("</main>")[0]
    return [word.strip() for word in re.findall(r'class="a(?: o)?"[^>]*>([^<]+)<', main)]


def page_of(portal, item_id, lang="en"):
    page = portal.get(f"/keeper/post/{item_id}?lang={lang}")
    assert len(page.get_data()) + 900 <= MAX_PAGE_BYTES
    return page


def test_what_can_be_done_depends_on_whose_post_it_is_and_whether_it_is_hidden(portal, neighbourhood, board):
    start = board.now() + 600
    own = board.post(Draft(Kind.BULLETIN, "Soupe"))
    event = board.post(Draft(Kind.EVENT, title="Bal", start=start, end=start + 60))
    reply = board.post(Draft(Kind.REPLY, "Moi aussi", target=own.id))
    neighbourhood.bulletin("D’ailleurs")
    theirs = next(item.id for item in board.bulletins().items if not item.author.here)
    desk_of(portal)
    assert pressed(page_of(portal, own.id[:16])) == ["Correct", "It is settled", "Withdraw", "Hide"]
    assert pressed(page_of(portal, event.id[:16])) == ["Correct", "Show it as cancelled", "Withdraw", "Hide"]
    assert pressed(page_of(portal, reply.id[:16])) == ["Withdraw", "Hide"]
    page = page_of(portal, theirs)
    assert pressed(page) == ["Hide"] and "only they can correct or withdraw it" in words(page)
    for more in ("correct", "withdraw", "cancel"):
        assert portal.get(f"/keeper/post/{theirs}/{more}").status_code == 404
    for id_, more in ((own.id, ["Correct", "It is settled", "Withdraw"]), (reply.id, ["Withdraw"]), (theirs, [])):
        board.hide(id_)
        assert pressed(page_of(portal, id_[:16])) == [*more, "Show it again"]
    board.set_posting("moderated", "lea")
    waiting = board.post(Draft(Kind.BULLETIN, "Montres"))
    assert pressed(page_of(portal, waiting.id)) == ["Approve", "Refuse"]


def test_a_post_is_found_by_the_address_that_a_keeper_copied(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe"))
    desk_of(portal)
    for address in (f"http://archipel.lan/r/{posted.id[:12]}", f" /r/{posted.id[:12]}/ ", posted.id):
        answer = portal.get("/keeper/post", query_string={"address": address}, follow_redirects=True)
        assert answer.status_code == 200 and "Soupe" in words(answer), address
    for address in ("", " / ", "é", "http://archipel.lan/nope"):
        assert portal.get("/keeper/post", query_string={"address": address}, follow_redirects=True).status_code == 404


@pytest.mark.parametrize("item_id", ["0" * 32, "zz", "9", "x" * 300, "%00", "é"])
def test_what_is_gone_or_never_was_says_so_on_a_page_of_the_desk(portal, board, item_id):
    board.hide(board.post(Draft(Kind.BULLETIN, "9")).id)
    desk = desk_of(portal)
    for more in ("", "/correct", "/cancel", "/withdraw"):
        page = portal.get(f"/keeper/post/{item_id}{more}?lang=en")
        assert page.status_code == 404 and "It is gone" in words(page)
    assert desk(f"post/{item_id}/cancel", reason="x").status_code == 404
    assert desk(f"post/{item_id}/withdraw").status_code == 404 and len(board.audit_log()) == 1


def test_a_hidden_post_is_shown_again_from_its_page(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe"))
    board.hide(posted.id)
    desk = desk_of(portal)
    form = page_of(portal, posted.id[:16]).get_data(as_text=True)
    id_ = re.search(r'name="id" value="(\w+)"', form).group(1)
    assert desk("hide", id=id_, action="show", why="c’était une erreur").status_code == 303
    assert board.item(posted.id) and board.audit_log()[0].why == "c’était une erreur"


def test_an_event_is_shown_as_cancelled_after_a_page_that_says_what_that_means(portal, board):
    start = board.now() + 600
    event = board.post(Draft(Kind.EVENT, title="Bal", start=start, end=start + 60))
    desk, path = desk_of(portal), f"post/{event.id[:16]}/cancel"
    assert "cannot be undone" in words(portal.get(f"/keeper/{path}?lang=en")) and board.item(event.id).cancelled is None
    too_long = desk(path, reason="z" * 301)
    assert too_long.status_code == 422 and "z" * 301 in too_long.get_data(as_text=True)
    assert desk(path, reason="la salle est prise").status_code == 303
    assert board.item(event.id).cancelled == "la salle est prise"
    assert [(act.action, act.why) for act in board.audit_log()] == [("cancel", "la salle est prise")]


def fields_of_form(page):
    return dict(re.findall(r'<input[^>]* name="(\w+)"[^>]* value="([^"]*)"', page.get_data(as_text=True)))


def test_a_session_that_ended_loses_nothing_of_a_correction_and_no_other_site_can_send_one(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Réunion à 18 h"))
    desk, path = desk_of(portal), f"/keeper/post/{posted.id[:16]}/correct"
    fields = fields_of_form(portal.get(path)) | {"text": "Réunion à 19 h", "action": "publish"}
    desk("logout")
    answer = portal.post(f"{path}?lang=en", data=fields)
    assert answer.status_code == 422 and "sign in in another window" in words(answer)
    assert "Réunion à 19 h" in answer.get_data(as_text=True) and 'name="word"' not in answer.get_data(as_text=True)
    sign_in(portal)
    answer = portal.post(f"{path}?lang=en", data=fields)
    assert answer.status_code == 422 and board.item(posted.id).text == "Réunion à 18 h", "the token is of the ended session"
    again = fields_of_form(answer) | {"text": "Réunion à 19 h", "action": "publish"}
    assert again["csrf"] == csrf_of(portal)
    assert portal.post(path, data=again).status_code == 200 and board.item(posted.id).text == "Réunion à 19 h"


def test_what_is_wrong_with_a_correction_is_said_and_nothing_is_posted(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Réunion à 18 h"))
    desk, path = desk_of(portal), f"post/{posted.id[:16]}/correct"
    fields = fields_of_form(portal.get(f"/keeper/{path}"))
    for action in ("preview", "publish"):
        assert desk(path, **fields | {"text": " ", "action": action}).status_code == 422
    board.withdraw(posted.id, posted.edit_code)
    gone = desk(path, **fields | {"text": "mots à garder", "action": "publish"})
    assert gone.status_code == 422 and "mots à garder" in gone.get_data(as_text=True)
    assert not board.audit_log() and PASSPHRASE not in gone.get_data(as_text=True)


def test_acts_of_a_correction_lead_to_the_post_as_it_is_now(portal, neighbourhood, board):
    posted = board.post(Draft(Kind.BULLETIN, "Réunion à 18 h"))
    board.correct_as_keeper(posted.id, Draft(Kind.BULLETIN, "Réunion à 19 h"), "lea")
    desk_of(portal)
    assert acts(neighbourhood) == [("lea", "correct", posted.id[:16], "")]
    page = words(page_of(portal, posted.id[:16]))
    assert "Réunion à 19 h" in page and "Corrected" in page


def test_what_is_hidden_here_is_corrected_or_withdrawn_without_being_shown_first(portal, neighbourhood, board):
    posted = board.post(Draft(Kind.BULLETIN, "Une bétise"))
    board.hide(posted.id, keeper="lea")
    desk = desk_of(portal)
    form = portal.get(f"/keeper/post/{posted.id[:16]}/correct")
    assert "Une bétise" in form.get_data(as_text=True)
    done = board.correct_as_keeper(posted.id, Draft(Kind.BULLETIN, "Une bêtise"), "lea")
    assert board.item(done.id) is None, "it stays hidden"
    assert "Une bêtise" in words(page_of(portal, posted.id[:16]))
    assert "A second look" in words(portal.get(f"/keeper/post/{posted.id[:16]}/withdraw?lang=en"))
    assert desk(f"post/{posted.id[:16]}/withdraw", why="doublon").status_code == 303
    assert portal.get(f"/keeper/post/{posted.id[:16]}").status_code == 404
    assert board.undo(board.cleared()[0].id, "lea") == 1
    assert board.item(posted.id) is None and "It is hidden" in words(page_of(portal, posted.id[:16])), "as it was before"
    board.withdraw_as_keeper(posted.id, "lea")
    neighbourhood.clock.advance(11 * 60)
    assert board.finish_clearings() == 1 and not board.hidden() and board.kept_item(posted.id) is None


def test_an_event_that_is_hidden_is_cancelled_everywhere_and_what_others_signed_stays_theirs(portal, neighbourhood, board):
    start = board.now() + 600
    event = board.post(Draft(Kind.EVENT, title="Bal", start=start, end=start + 60))
    neighbourhood.bulletin("D’ailleurs")
    theirs = next(item.id for item in board.bulletins().items if not item.author.here)
    for id_ in (event.id, theirs):
        board.hide(id_)
    desk = desk_of(portal)
    assert desk(f"post/{event.id[:16]}/cancel", reason="Orage").status_code == 303
    assert board.kept_item(event.id[:16]).cancelled == "Orage"
    assert desk(f"post/{theirs[:16]}/withdraw").status_code == 404
    before = len(board.audit_log())
    board.clear([theirs], "lea")
    assert not board.cleared() and len(board.audit_log()) == before

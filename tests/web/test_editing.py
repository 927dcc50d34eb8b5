"""Two who correct one post, replies that are corrected, posts of other islands, addresses that last."""

import re

import pytest

from node.board.api import Draft, Overtaken
from node.board.pace import Visitor
from node.board.status import Holding, Holdings
from node.model.record import Kind
from tests.sim.places import add_group, problems
from tests.sim.portals import PASSPHRASE, words
from tests.web.signing import desk_of
from tests.web.test_rewriting import form_of

NAME = "AMAP du canal"
VISITOR = Visitor(bytes(8), bytes(8))


def page_of(portal, path):
    answer = portal.get(f"{path}{'&' if '?' in path else '?'}lang=en")
    assert answer.status_code == 200, path
    return answer


def opened(portal, path):
    return form_of(page_of(portal, path).get_data(as_text=True))


def sent(portal, path, form, **changed):
    return portal.post(f"{path}?lang=en", data=form | changed)


def test_the_second_of_two_is_told_shown_both_and_may_then_have_the_last_word(portal, neighbourhood, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe à 18 h\nApportez un bol"))
    path = f"/r/{posted.id[:12]}/edit"
    first, second = opened(portal, path), opened(portal, path)
    neighbourhood.clock.advance(60)
    hers, mine = "Soupe à 19 h\nApportez un bol", "Soupe à 18 h\nApportez une assiette"
    for action in ("preview", "publish"):
        assert sent(portal, path, first, text=hers, word=posted.edit_code, action=action).status_code == 200
    neighbourhood.clock.advance(60)
    answer = sent(portal, path, second, text=mine, word=posted.edit_code, action="publish")
    said = words(answer)
    assert answer.status_code == 422 and "Somebody has corrected this since you opened it" in said
    assert "Theirs: Soupe à 19 h" in said and "Yours: Soupe à 18 h" in said and "assiette" in said
    assert board.item(posted.id).text == hers
    again = form_of(answer.get_data(as_text=True))
    assert again["text"] == mine and again["word"] == posted.edit_code
    assert sent(portal, path, again, action="publish").status_code == 200
    assert board.item(posted.id).text == mine


def test_an_author_and_a_keeper_do_not_overwrite_each_other(portal, neighbourhood, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe à 18 h"))
    desk, path = desk_of(portal), f"post/{posted.id}/correct"
    form = opened(portal, f"/keeper/{path}")
    neighbourhood.clock.advance(60)
    board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, "Soupe à 19 h"))
    answer = desk(path, **form | {"text": "Soupe chaude", "action": "publish"})
    assert answer.status_code == 422 and board.item(posted.id).text == "Soupe à 19 h"
    assert desk(path, **form_of(answer.get_data(as_text=True)) | {"action": "publish"}).status_code == 200
    assert board.item(posted.id).text == "Soupe chaude"


def test_a_correction_that_waits_for_a_keeper_is_not_replaced_in_silence(neighbourhood, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe à 18 h"))
    board.set_posting("moderated", "lea")
    board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, "Soupe à 19 h"), VISITOR, posted.id)
    other = Draft(Kind.BULLETIN, "Soupe à 20 h")
    assert problems(board.correct, posted.id, "abcd-efgh", other, VISITOR, posted.id) == [("word", "word-wrong")]
    with pytest.raises(Overtaken) as overtaken:
        board.correct(posted.id, posted.edit_code, other, VISITOR, posted.id)
    assert overtaken.value.item.text == "Soupe à 19 h"
    board.correct(posted.id, posted.edit_code, other, VISITOR, overtaken.value.item.id)
    assert [waiting.item.text for waiting in board.waiting()] == ["Soupe à 20 h"]


def test_what_was_typed_stays_when_the_post_is_gone(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe"))
    path = f"/r/{posted.id[:12]}/edit"
    form = opened(portal, path)
    board.withdraw(posted.id, posted.edit_code)
    for action in ("preview", "publish"):
        answer = sent(portal, path, form, text="mots à garder", word=posted.edit_code, action=action)
        if action == "publish":
            assert answer.status_code == 422 and "no longer on the board" in words(answer)
        assert "mots à garder" in answer.get_data(as_text=True)


@pytest.fixture
def thread(board):
    """A bulletin and a reply to it."""
    asked = board.post(Draft(Kind.BULLETIN, "Qui a une remorque ?"))
    return asked, board.post(Draft(Kind.REPLY, "Moi, le mardi", target=asked.id, life_days=5))


def test_a_reply_has_a_page_of_its_own_where_its_author_corrects_it(portal, neighbourhood, board, thread):
    asked, reply = thread
    page = page_of(portal, f"/r/{asked.id[:12]}").get_data(as_text=True)
    link = re.search(r'href="(/r/[0-9a-f]+)[^"]*">Correct or withdraw', page)[1]
    own = page_of(portal, link).get_data(as_text=True)
    edit = re.search(r'href="(/r/[0-9a-f]+/edit)', own)[1]
    assert f"/r/{asked.id[:12]}" in own and "/withdraw" in own
    ends = board.item(reply.id).expires
    code = reply.edit_code
    for number in range(5):
        neighbourhood.clock.advance(60)
        form = opened(portal, edit)
        preview = sent(portal, edit, form, text=f"Moi, le jeudi {number}", word=code, action="preview")
        done = sent(portal, edit, form_of(preview.get_data(as_text=True)), action="publish")
        assert done.status_code == 200, done.get_data(as_text=True)
        (shown,) = board.item(asked.id).replies
        assert shown.text == f"Moi, le jeudi {number}" and 0 <= shown.expires - ends < 60 * (number + 1)
        edit = f"/r/{shown.id[:12]}/edit"
    assert board.item(reply.id) is None
    left = sent(portal, f"/r/{shown.id[:12]}/withdraw", {"token": form["token"]}, word=code, action="withdraw")
    assert left.status_code == 200 and not board.item(asked.id).replies


def test_nobody_else_corrects_a_reply(board, thread):
    _asked, reply = thread
    assert problems(board.correct, reply.id, "abcd-efgh", Draft(Kind.REPLY, "Pas moi")) == [("word", "word-wrong")]
    assert board.item(reply.id).text == "Moi, le mardi"


def test_a_corrected_reply_is_read_first_where_posts_are(board, thread):
    asked, reply = thread
    board.set_posting("moderated", "lea")
    posted = board.correct(reply.id, reply.edit_code, Draft(Kind.REPLY, "Moi, le jeudi", life_days=None), VISITOR)
    assert posted.waiting == "rule" and not board.item(asked.id).replies
    board.approve(posted.id, "lea")
    assert [one.text for one in board.item(asked.id).replies] == ["Moi, le jeudi"]
    board.withdraw(board.item(asked.id).replies[0].id, reply.edit_code)
    assert not board.item(asked.id).replies


def test_a_post_of_another_island_says_where_it_is_corrected(portal, neighbourhood, board):
    neighbourhood.bulletin("Train de 8 h supprimé")
    (item,) = board.bulletins().items
    page = page_of(portal, f"/r/{item.id[:12]}")
    assert "Correct it at Île de la gare" in words(page) and "Withdraw" not in words(page)
    for more in ("edit", "withdraw"):
        said = words(page_of(portal, f"/r/{item.id[:12]}/{more}"))
        assert "posted on the island Île de la gare" in said
        answer = portal.post(f"/r/{item.id[:12]}/{more}?lang=en", data={"word": "x", "text": "y", "action": "publish"})
        assert answer.status_code == 403 and "Île de la gare" in words(answer)


def test_a_group_s_post_is_corrected_where_the_group_signs(portal, board):
    add_group(board, NAME, bytes([4]) * 32, PASSPHRASE)
    posted = board.post(Draft(Kind.BULLETIN, "Légumes"), NAME, PASSPHRASE)
    assert "/edit" in page_of(portal, f"/r/{posted.id}").get_data(as_text=True)
    board.remove_group(NAME, "lea")
    assert f"Correct it where {NAME} signs" in words(page_of(portal, f"/r/{posted.id}"))
    assert "with their passphrase" in words(page_of(portal, f"/r/{posted.id}/edit"))


def test_an_address_that_somebody_has_is_good_through_all_corrections(portal, neighbourhood, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe"))
    seen = set()
    for text in ("Soupe chaude", "Soupe froide", "Soupe"):
        neighbourhood.clock.advance(60)
        board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, text))
        seen |= set(re.findall(r"/r/[0-9a-f]+", page_of(portal, "/bulletins").get_data(as_text=True)))
    assert seen and {portal.get(path).status_code for path in seen} == {200}


def test_a_past_event_has_the_address_that_agenda_and_search_give_it(portal, neighbourhood, board):
    now = board.now()
    posted = board.post(Draft(Kind.EVENT, "hé ho", title="Bal", start=now + 60, end=now + 120))
    neighbourhood.clock.advance(600)
    board.correct(posted.id, posted.edit_code, Draft(Kind.EVENT, "hé", title="Bal", start=now + 70, end=now + 130))
    row = neighbourhood.store.get(bytes.fromhex(board.item(posted.id).id))
    neighbourhood.archive.keep([row], {row.id: "Bal hé"})
    neighbourhood.pass_days(3)
    neighbourhood.store.commit(delete=[row.id])
    neighbourhood.liveset.forget([row.id])
    links = set()
    for path in ("/agenda?month=2025-12", "/search?q=bal"):
        links |= set(re.findall(r"/r/[0-9a-f]+", page_of(portal, path).get_data(as_text=True)))
    assert links and all("Bal" in words(page_of(portal, link)) for link in links)


def test_a_code_of_one_s_own_is_chosen_on_the_preview_and_stands_ready_to_be_printed(portal, board):
    form = opened(portal, "/post") | {"kind": "bulletin", "text": "Soupe", "topic": "food"}
    preview = form_of(sent(portal, "/post", form, action="preview").get_data(as_text=True))
    for action in ("preview", "publish"):
        answer = sent(portal, "/post", preview, own_code="soupe soupe", action=action)
        assert answer.status_code == 422 and "what anybody would try first" in words(answer)
        assert 'value="soupe soupe"' in answer.get_data(as_text=True) and not board.bulletins().items
    changed = form_of(sent(portal, "/post", preview, own_code="la péniche file", action="edit").get_data(as_text=True))
    preview = form_of(sent(portal, "/post", changed, action="preview").get_data(as_text=True))
    assert preview["own_code"] == "la péniche file"
    done = sent(portal, "/post", preview, action="publish")
    assert done.status_code == 200 and done.headers["Cache-Control"] == "no-store"
    (item,) = board.bulletins().items
    for said in ("la péniche file", "Soupe", f"http://archipel.lan/r/{item.id[:12]}/edit"):
        assert said in words(done)
    board.withdraw(item.id, "La péniche file")


def test_authors_read_how_many_islands_hold_their_post_and_when_nobody_can_know(portal, neighbourhood, board):
    posted = board.post(Draft(Kind.BULLETIN, "Soupe"))
    id_, path = bytes.fromhex(posted.id), f"/r/{posted.id[:12]}"
    assert "Whether other islands hold it is not known" in words(page_of(portal, path))
    before = board.now()
    behind, sure, lacks, came = (Holding(before), Holding(before + 1), Holding(before + 1, lacking=frozenset([id_])),
                                 Holding(0, held=frozenset([id_])))
    neighbourhood.holdings = Holdings((behind, sure, lacks, came, Holding()), (sure,))
    neighbourhood.clock.advance(60)
    said = words(page_of(portal, path))
    assert "Held by 2 of 5 islands heard by radio." in said and "Held by 1 of 1 island on this network." in said
    neighbourhood.holdings = Holdings((lacks, lacks), (Holding(),))
    neighbourhood.clock.advance(60)
    said = words(page_of(portal, path))
    assert "On its way: no island that is heard by radio has it yet." in said and " 0 " not in said
    assert "The other islands on this network take it within some minutes." in said and "Held by" not in said
    neighbourhood.bulletin("D’ailleurs")
    theirs = next(item for item in board.bulletins().items if not item.author.here)
    assert "Held by" not in words(page_of(portal, f"/r/{theirs.id[:12]}"))

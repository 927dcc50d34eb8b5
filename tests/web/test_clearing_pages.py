"""Keepers put a flooded board right by the pages alone: some presses, a second look, an undo, on light pages."""

import re
from dataclasses import replace

import pytest

from node.board.api import Draft
from node.board.clearing import UNDO_MIN
from node.board.pace import Visitor
from node.i18n.catalogue import TAGS
from node.model.record import Kind
from tests.board.test_clearing import fill
from tests.sim.portals import HERE, words
from tests.web.signing import sign_in
from web.pages import MAX_PAGE_BYTES


@pytest.fixture
def flooded(neighbourhood, board, portal):
    """A thousand posts on the board and three hundred that wait, of one minute; then a neighbour's, half an hour later."""
    neighbourhood.minute = board.now()
    fill(neighbourhood, 1_000)
    board.set_posting("moderated", "lea")
    for number in range(12):
        who = Visitor(bytes([number]) * 8, b"")
        board.post(Draft(Kind.BULLETIN, f"Montres {number}. " + "Achetez ! " * 60), visitor=who)
    waiting = dict(board.notes.state.waiting)
    copies = {f"{number:032x}": next(iter(waiting.values())) for number in range(300)}
    board.notes.update(lambda state: replace(state, waiting={**waiting, **copies}))
    board.set_posting("open", "lea")
    neighbourhood.clock.advance(1_800)
    board.post(Draft(Kind.BULLETIN, "Un chat gris est perdu"))
    sign_in(portal)
    return neighbourhood


def csrf_of(page):
    return re.search(r'name="csrf" value="(\w+)"', page).group(1)


def got(portal, path):
    answer = portal.get(path)
    assert answer.status_code == 200 and len(answer.get_data()) + 900 <= MAX_PAGE_BYTES, path
    return answer.get_data(as_text=True)


def sent(portal, path, **fields):
    csrf = csrf_of(portal.get("/keeper").get_data(as_text=True))
    answer = portal.post(path, data={"csrf": csrf} | fields)
    if answer.status_code < 300:
        assert len(answer.get_data()) + 900 <= MAX_PAGE_BYTES, path
    return answer


@pytest.mark.once
def test_the_desk_and_its_lists_stay_light_on_a_flooded_board(flooded, portal):
    paths = ("/keeper", "/keeper/posts", "/keeper/posts?pile=waiting", "/keeper/posts?pile=here&from=500",
             "/keeper/posts?pile=hidden", "/keeper/posts?since_date=nonsense", "/keeper/acts", "/keeper/map")
    looked = [got(portal, f"{path}{'&' if '?' in path else '?'}lang={lang}") for path in paths for lang in TAGS]
    assert len(looked) == 8 * 4
    for lang in TAGS:
        assert sent(portal, f"/keeper/posts/look?lang={lang}", pile="own", action="clear-all").status_code == 200


def test_a_keeper_has_a_flooded_board_clean_in_three_presses_and_the_neighbour_s_post_stays(flooded, portal, board):
    desk = got(portal, "/keeper?lang=en")
    form = desk.partition('<form method="get" action="/keeper/posts')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', form)) | {"pile": "own"}
    fields["until_time"] = "10:29"  # the flood came at ten
    shown = portal.get("/keeper/posts", query_string=fields).get_data(as_text=True)  # press 1
    assert fields["lang"] == "en" and "1312 posts" in words_of(shown)
    look = sent(portal, "/keeper/posts/look?lang=en", action="clear-all", **fields)  # press 2
    assert "312 posts that wait will be refused" in words(look) and "1000 posts will be withdrawn" in words(look)
    assert "n° " in words(look) or "Montres" in words(look)
    name = re.search(r'name="look" value="(\w+)"', look.get_data(as_text=True)).group(1)
    assert sent(portal, "/keeper/posts/do", look=name, **fields).status_code == 303  # press 3
    assert [item.text for item in board.bulletins().items] == ["Un chat gris est perdu"] and not board.waiting()
    desk = got(portal, "/keeper?lang=en")
    assert "312 posts refused · 1000 posts withdrawn or hidden" in words_of(desk)
    flooded.clock.advance(UNDO_MIN * 60)
    while board.finish_clearings():
        pass
    assert flooded.liveset.used(HERE.key_id, 0).records == 1
    assert "withdrawn or hidden" not in got(portal, "/keeper?lang=en")


def words_of(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def test_a_press_on_undo_brings_everything_back(flooded, portal, board):
    before = len(board.handles(("waiting", "here")))
    do_all(portal, pile="own", action="clear-all")
    assert not board.handles(("waiting", "here"))
    id_ = re.search(r'posts/undo.*?name="id" value="(\w+)"', got(portal, "/keeper"), re.DOTALL).group(1)
    sent(portal, "/keeper/posts/undo", id=id_)
    assert len(board.handles(("waiting", "here"))) == before


def do_all(portal, **fields):
    look = sent(portal, "/keeper/posts/look", **fields).get_data(as_text=True)
    return sent(portal, "/keeper/posts/do", look=re.search(r'name="look" value="(\w+)"', look).group(1))


def test_ticked_posts_are_approved_refused_hidden_and_shown_again(portal, neighbourhood, board):
    sign_in(portal)
    board.set_posting("moderated", "lea")
    good, bad, later = (board.post(Draft(Kind.BULLETIN, text)).id for text in ("Soupe", "Montres", "Peut-être"))
    do_all(portal, pile="waiting", action="approve", id=[good])
    do_all(portal, pile="waiting", action="clear", id=[bad])
    assert [item.id for item in board.bulletins().items] == [good] and [one.item.id for one in board.waiting()] == [later]
    neighbourhood.bulletin("D’ailleurs")
    do_all(portal, pile="elsewhere", action="clear-all")
    neighbourhood.clock.advance(UNDO_MIN * 60)
    board.finish_clearings()
    assert [item.text for item in board.hidden()] == ["D’ailleurs"]
    do_all(portal, pile="hidden", action="show-all")
    assert not board.hidden() and "D’ailleurs" in [item.text for item in board.bulletins().items]


def test_all_is_put_away_but_what_is_ticked(portal, board):
    sign_in(portal)
    board.set_posting("moderated", "lea")
    ids = [board.post(Draft(Kind.BULLETIN, text)).id for text in ("Un chat est perdu", "Montres", "Encore des montres")]
    do_all(portal, pile="own", action="clear-rest", id=ids[:1])
    assert [one.item.id for one in board.waiting()] == ids[:1]


def test_what_came_after_the_look_is_not_touched(portal, board):
    sign_in(portal)
    board.post(Draft(Kind.BULLETIN, "Montres"))
    look = sent(portal, "/keeper/posts/look", pile="here", action="clear-all").get_data(as_text=True)
    board.post(Draft(Kind.BULLETIN, "Un chat gris est perdu"))
    name = re.search(r'name="look" value="(\w+)"', look).group(1)
    sent(portal, "/keeper/posts/do", look=name)
    assert [item.text for item in board.bulletins().items] == ["Un chat gris est perdu"]
    again = sent(portal, "/keeper/posts/do?lang=en", look=name)
    assert again.status_code == 422 and "Nothing was done" in words(again)


@pytest.mark.parametrize("fields", [
    {}, {"action": "clear"}, {"action": "clear", "id": ["zz", "0" * 32]}, {"action": "nonsense", "id": ["x"]},
    {"action": "clear-all", "pile": "nonsense", "since_date": "32/13/2026"}, {"action": "show-all", "pile": "here"},
    {"action": "approve-all", "pile": "here"}, {"action": "clear-all", "pile": "hidden"},
])
def test_nonsense_does_nothing_and_is_answered_in_a_sentence(portal, board, fields):
    sign_in(portal)
    board.post(Draft(Kind.BULLETIN, "Soupe"))
    answer = sent(portal, "/keeper/posts/look", **fields)
    assert answer.status_code == 422 and 'role="alert"' in answer.get_data(as_text=True)
    assert sent(portal, "/keeper/posts/do", look="x").status_code == 422
    assert sent(portal, "/keeper/posts/undo", id="x").status_code == 303
    assert sent(portal, "/keeper/approve", id="zz", action="refuse").status_code == 303
    assert board.bulletins().items


def test_the_lists_are_for_keepers_only(portal, board):
    post = board.post(Draft(Kind.BULLETIN, "Soupe", publish_at=board.now() + 9))
    for path in ("/keeper/posts", f"/keeper/post/{post.id}", "/keeper/posts/write", "/keeper/acts", "/keeper/map"):
        page = portal.get(path).get_data(as_text=True)
        assert 'name="password"' in page and "Soupe" not in page
    for path in ("look", "do", "undo"):
        portal.post(f"/keeper/posts/{path}", data={"action": "clear-all", "pile": "own", "look": "x", "id": post.id})
    assert len(board.waiting()) == 1


def test_a_post_that_waits_is_read_whole_on_a_page_of_its_own(portal, board):
    sign_in(portal)
    post = board.post(Draft(Kind.BULLETIN, "Debout. " * 200 + "La fin.", publish_at=board.now() + 9))
    assert "La fin." not in got(portal, "/keeper") and f"/keeper/post/{post.id}" in got(portal, "/keeper")
    assert "La fin." in got(portal, f"/keeper/post/{post.id}")
    assert portal.get("/keeper/post/zz").status_code == 404


def test_a_keeper_s_own_post_waits_for_nobody_and_nothing_typed_is_lost_when_the_session_ends(portal, board):
    sign_in(portal)
    board.set_posting("members", "lea")
    form = got(portal, "/keeper/posts/write")
    token = re.search(r'name="token" value="([^"]+)"', form).group(1)
    data = {"token": token, "csrf": csrf_of(form), "kind": "bulletin", "text": "L’île ferme à 20 h", "action": "preview"}
    preview = portal.post("/keeper/posts/write", data=data).get_data(as_text=True)
    assert 'action="/keeper/posts/write"' in preview and csrf_of(preview) == data["csrf"]
    for wrong in ({}, {"csrf": "x"}):
        answer = portal.post("/keeper/posts/write?lang=en", data={**data, "csrf": "", "action": "publish"} | wrong)
        assert answer.status_code == 422 and "L’île ferme à 20 h" in answer.get_data(as_text=True)
        assert 'action="/post?lang=en"' in answer.get_data(as_text=True) and not board.bulletins().items
    done = portal.post("/keeper/posts/write", data=data | {"action": "publish"})
    assert done.status_code == 200 and [item.text for item in board.bulletins().items] == ["L’île ferme à 20 h"]


def test_what_waits_for_the_pace_is_told_so_and_can_be_corrected_and_withdrawn(portal, board):
    for number in range(45):
        board.post(Draft(Kind.BULLETIN, f"Montres {number}"), visitor=Visitor(bytes([number]) * 8, b"x"))
    form = portal.get("/post").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', form).group(1)
    done = portal.post("/post?lang=en", data={"token": token, "kind": "bulletin", "text": "Un chat", "action": "publish"})
    page = done.get_data(as_text=True)
    assert "So many came of late" in page and "no need to send it again" in page
    code = re.search(r'class="g"[^>]*>([^<]+)<', page).group(1)
    path = re.search(r'href="(/r/\w+)/withdraw', page).group(1)
    form = portal.get(f"{path}/withdraw").get_data(as_text=True)
    token = re.search(r'name="token" value="([^"]+)"', form).group(1)
    waiting = len(board.waiting())
    assert portal.post(f"{path}/withdraw", data={"token": token, "word": code, "action": "withdraw"}).status_code == 200
    assert len(board.waiting()) == waiting - 1

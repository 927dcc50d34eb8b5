"""People tell the keepers about a post by a small page, or that they lost its code; keepers see to it on theirs."""

import re

import pytest

from node.board.api import Draft
from node.board.clearing import UNDO_MIN
from node.board.pace import BOUNDS, Act
from node.board.reporting import MAX_CONTACT, MAX_REPORT, REPORT_DAYS
from node.model.record import Kind
from node.store.journalstore import JournalStore
from tests.board.test_rationing import somebody
from tests.sim.portals import Neighbourhood, portal_settings, words
from tests.web.signing import desk_of
from web import create_app
from web.pages import MAX_PAGE_BYTES

LANGUAGES = ("fr", "en", "es", "ar")
EACH = BOUNDS[Act.REPORT].most


@pytest.fixture
def posted(board):
    return board.post(Draft(Kind.BULLETIN, "Un propos déplacé\nsur la voisine"))


def token_of(portal, path):
    return re.search(r'name="token" value="([^"]+)"', portal.get(path).get_data(as_text=True)).group(1)


def tell(portal, item_id, address="10.0.0.1", **fields):
    path = f"/r/{item_id[:12]}/tell"
    data = {"token": token_of(portal, path), "reason": "insult"} | fields
    return portal.post(f"{path}?lang=en", data=data, environ_overrides={"REMOTE_ADDR": address})


def told(board):
    return [(report.reason, report.words) for one in board.reported() for report in one.reports]


def link_to(page, endpoint):
    return re.findall(rf'href="(/[^"]*{endpoint}[^"]*)"', page.get_data(as_text=True))


def test_under_every_post_and_reply_a_link_leads_to_the_form_and_the_keepers_read_it_once(portal, board, posted):
    reply = board.post(Draft(Kind.REPLY, "Menteuse", target=posted.id))
    links = link_to(portal.get(f"/r/{posted.id[:12]}"), "/tell")
    assert links == [f"/r/{reply.id[:12]}/tell", f"/r/{posted.id[:12]}/tell"]
    data = {"token": token_of(portal, links[1]), "reason": "private", "text": "C’est <b>moi</b>"}
    for _press in range(2):
        answer = portal.post(f"{links[1]}?lang=en", data=data)
        assert answer.status_code == 200 and "they cannot answer you here" in words(answer)
    assert told(board) == [("private", "C’est <b>moi</b>")]
    desk = desk_of(portal)
    for path in ("/keeper", "/keeper/reports", f"/keeper/post/{posted.id[:16]}"):
        page = portal.get(f"{path}?lang=en")
        assert "It tells something private of somebody" in words(page), path
        assert ("C’est <b>moi</b>" in words(page)) is (path != "/keeper")
    assert desk("reports/settle", id=posted.id, why="rien à redire").status_code == 303
    assert not told(board) and board.item(posted.id)
    assert [(act.keeper, act.action, act.why) for act in board.audit_log()] == [("lea", "settle", "rien à redire")]


def test_what_cannot_be_told_is_answered_with_a_sentence_and_nothing_typed_is_lost(portal, board, posted):
    for fields, sentence in (({"reason": ""}, "choose one from the list"), ({"reason": "other"}, "write something"),
                             ({"text": "x" * (MAX_REPORT + 7)}, "shorten this by about 7"),
                             ({"token": "garbage"}, "open for too long")):
        answer = tell(portal, posted.id, **({"text": "mes mots"} | fields if fields != {"reason": "other"} else fields))
        assert answer.status_code == 422 and sentence in words(answer), fields
        assert fields.get("text", "" if fields == {"reason": "other"} else "mes mots") in answer.get_data(as_text=True)
    assert not told(board)
    assert portal.get("/r/0123456789ab/tell").status_code == portal.post("/r/zz/tell").status_code == 404


@pytest.mark.once
def test_who_tells_too_much_is_asked_to_wait_and_two_hundred_others_do_not_drown_the_desk(portal, board, posted):
    others = [board.post(Draft(Kind.BULLETIN, f"n° {number}")).id for number in range(4)]
    answers = [tell(portal, others[number % 4], text=f"encore {number}") for number in range(EACH + 3)]
    assert [answer.status_code for answer in answers] == [200] * EACH + [422] * 3
    assert "from this device already" in words(answers[-1]) and "encore" in answers[-1].get_data(as_text=True)
    statuses = [tell(portal, posted.id, f"10.0.{number % 4}.{number % 250}", text=f"n° {number}").status_code
                for number in range(200)]
    assert set(statuses) == {200, 422} and len(statuses) == 200
    desk_of(portal)
    for lang in LANGUAGES:
        for path in ("/keeper", "/keeper/reports", f"/keeper/post/{posted.id[:16]}", f"/r/{posted.id[:12]}"):
            page = portal.get(f"{path}?lang={lang}")
            assert page.status_code == 200 and len(page.get_data()) + 900 <= MAX_PAGE_BYTES, path


@pytest.mark.once
def test_the_desk_with_everything_in_it_stays_light(portal, board):
    """Reports of the longest words there are, in the signs that weigh most."""
    texts = ["وصف" * 100, "x" * MAX_REPORT, "🌊" * MAX_REPORT]
    posts = [board.post(Draft(Kind.BULLETIN, f"{number} " + "اجتماع الجيران " * 12)).id for number in range(30)]
    for number in range(150):
        board.report(posts[number % 30], "other", texts[number % 3][:MAX_REPORT - 4] + str(number), somebody(number))
    board.set_contact("ي" * MAX_CONTACT, "lea")
    desk_of(portal)
    for lang in LANGUAGES:
        for path in ("/keeper", "/keeper/reports", "/keeper/reports?from=20", f"/keeper/post/{posts[2][:16]}"):
            page = portal.get(f"{path}{'&' if '?' in path else '?'}lang={lang}")
            assert page.status_code == 200 and len(page.get_data()) + 900 <= MAX_PAGE_BYTES, (path, len(page.get_data()))


def test_keepers_hide_or_withdraw_from_the_list_and_what_was_told_goes(portal, neighbourhood, board, posted):
    neighbourhood.bulletin("D’ailleurs")
    theirs = next(item.id for item in board.bulletins().items if not item.author.here)
    for id_ in (posted.id, theirs):
        assert tell(portal, id_).status_code == 200
    desk = desk_of(portal)
    page = portal.get("/keeper/reports?lang=en").get_data(as_text=True)
    assert page.count(">Withdraw ") == 1 and page.count(">Hide ") == 2 and page.count(">Nothing to do ") == 2
    assert desk("hide", id=theirs, action="hide", back="reports").headers["Location"].startswith("/keeper/reports")
    look, = link_to(portal.get("/keeper/reports"), "/withdraw")
    assert "here and on every island" in words(portal.get(f"{look}?lang=en")) and board.item(posted.id)
    assert desk(look.removeprefix("/keeper/"), why="insulte").status_code == 303
    assert not told(board) and board.item(posted.id) is None
    neighbourhood.clock.advance(UNDO_MIN * 60)
    board.finish_clearings()
    assert not board.count_reports()
    assert [(act.action, act.why) for act in board.audit_log()] == [("withdraw", "insulte"), ("hide", "")]


def test_who_lost_the_code_asks_the_keepers_who_correct_or_withdraw_it_for_them(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Réunion à 18 h"))
    for page in ("edit", "withdraw"):
        link, = link_to(portal.get(f"/r/{posted.id[:12]}/{page}"), "mine=1")
    form = portal.get(f"{link}&lang=en")
    assert re.findall(r'<option value="([^"]*)"', form.get_data(as_text=True)) == ["", "mine-change", "mine-withdraw"]
    answer = tell(portal, posted.id, reason="mine-change", text="19 h et non 18 h", mine="1")
    assert answer.status_code == 200 and told(board) == [("mine-change", "19 h et non 18 h")]
    desk = desk_of(portal)
    page = portal.get(f"/keeper/post/{posted.id[:16]}?lang=en")
    assert "It is mine: please change it" in words(page) and "Anybody can say that a post is theirs" in words(page)
    path, = link_to(page, "/correct")
    form = portal.get(path).get_data(as_text=True)
    assert "Réunion à 18 h" in form and 'name="word"' not in form and 'name="why"' in form
    fields = {"token": token_of(portal, path), "kind": "bulletin", "text": "Réunion à 19 h", "topic": "other",
              "language": "fr", "life_days": "14", "why": "demandé par l’auteur"}
    path = path.removeprefix("/keeper/")
    look = desk(path, action="preview", **fields).get_data(as_text=True)
    assert "Réunion à 19 h" in look and "demandé par l’auteur" in look and board.item(posted.id).text == "Réunion à 18 h"
    assert desk(path, action="publish", **fields).status_code == 200
    assert board.item(posted.id).text == "Réunion à 19 h" and not told(board)
    assert [(act.keeper, act.action, act.why) for act in board.audit_log()] == [("lea", "correct", "demandé par l’auteur")]


def test_nobody_is_offered_the_keepers_help_where_they_cannot_give_it(portal, neighbourhood, board):
    neighbourhood.bulletin("D’ailleurs")
    theirs = next(item.id for item in board.bulletins().items if not item.author.here)
    for path in (f"/r/{theirs[:12]}/edit", f"/r/{theirs[:12]}/withdraw"):
        assert not link_to(portal.get(path), "mine=1")
    assert "mine-change" not in portal.get(f"/r/{theirs[:12]}/tell?mine=1").get_data(as_text=True)
    assert tell(portal, theirs, reason="mine-change", text="à moi", mine="1").status_code == 422 and not told(board)
    waiting = board.post(Draft(Kind.BULLETIN, "demain", publish_at=board.now() + 1_440))
    assert not link_to(portal.get(f"/r/{waiting.id}/edit"), "mine=1"), "a keeper has it before them anyway"


def test_the_line_on_how_to_reach_the_keepers_is_at_the_foot_of_every_page_until_it_is_taken_away(portal, board):
    desk = desk_of(portal)
    assert "To reach the keepers" not in portal.get("/?lang=en").get_data(as_text=True)
    wish = "samedi <au marché>, ou https://exemple.org/gardiens."
    assert desk("contact", contact=wish).status_code == 303
    for path in ("/", "/agenda", "/bulletins", "/post", "/search", "/learn", "/nope", "/keeper", "/radio"):
        foot = portal.get(f"{path}?lang=en").get_data(as_text=True).partition("<footer>")[2]
        assert ('To reach the keepers: <bdi>samedi &lt;au marché&gt;, ou <a href="https://exemple.org/gardiens" '
                'rel="nofollow noreferrer">https://exemple.org/gardiens</a>.</bdi>') in foot, path
    too_long = desk("contact", contact="y" * (MAX_CONTACT + 3))
    assert too_long.status_code == 422 and "y" * (MAX_CONTACT + 3) in too_long.get_data(as_text=True)
    assert desk("contact", contact="").status_code == 303
    assert "To reach" not in portal.get("/?lang=en").get_data(as_text=True)
    assert [act.action for act in board.audit_log()] == ["contact", "contact"]


def test_only_keepers_read_what_was_told(portal, board, posted):
    tell(portal, posted.id, text="entre nous")
    for path in ("", "/reports", "/reports/settle-all", "/contact", "/acts", f"/post/{posted.id[:16]}",
                 f"/post/{posted.id[:16]}/correct", f"/post/{posted.id[:16]}/cancel", f"/post/{posted.id[:16]}/withdraw"):
        answer = portal.get(f"/keeper{path}").get_data(as_text=True)
        assert 'name="password"' in answer and "entre nous" not in answer, path
    for path in ("reports/settle", "reports/settle-all", "contact", f"post/{posted.id[:16]}/cancel",
                 f"post/{posted.id[:16]}/withdraw", "hide"):
        portal.post(f"/keeper/{path}", data={"id": posted.id, "contact": "x", "reason": "x"})
    desk = desk_of(portal)
    for path in ("reports/settle", "reports/settle-all", "contact", f"post/{posted.id[:16]}/cancel",
                 f"post/{posted.id[:16]}/withdraw"):
        assert desk(path, id=posted.id, contact="x", csrf="forged").status_code == 400, path
    assert told(board) == [("insult", "entre nous")] and not board.contact() and not board.audit_log()


def test_all_that_was_told_is_forgotten_with_one_press_after_a_second_look(portal, board, posted):
    tell(portal, posted.id)
    desk = desk_of(portal)
    look = portal.get("/keeper/reports/settle-all?lang=en")
    assert "1 thing that people told you is forgotten" in words(look) and told(board)
    assert desk("reports/settle-all", why="flood").status_code == 303 and not told(board)
    assert [(act.action, act.about, act.why) for act in board.audit_log()] == [("settle-all", "1", "flood")]


@pytest.fixture
def island(tmp_path):
    """An island whose store is a real one, on the card of this machine."""
    store = JournalStore(tmp_path / "island")
    place = Neighbourhood(tmp_path, store)
    yield place
    place.archive.close()
    store.close()


def test_the_card_has_what_was_told_and_nothing_of_who_told_it_and_neither_once_the_post_is_gone(island, tmp_path):
    portal = create_app(island.board, portal_settings(island.clock.monotonic)).test_client()
    posts = [island.board.post(Draft(Kind.BULLETIN, f"n° {number}")) for number in range(4)]
    mark = "Zanzibarphone/77"
    for number, post in enumerate(posts):
        path = f"/r/{post.id[:12]}/tell"
        fields = {"token": token_of(portal, path), "reason": "private", "text": f"motsecret{number}"}
        answer = portal.post(path, data=fields, headers={"User-Agent": mark, "Accept-Language": "oc-FR"},
                             environ_overrides={"REMOTE_ADDR": "10.211.37.99"})
        assert answer.status_code == 200
    hashes = portal.application.extensions["visitors"].of("10.211.37.99")
    raw = _card(tmp_path)
    assert b"motsecret0" in raw and b"motsecret3" in raw
    for trace in (b"10.211.37.99", b"10.211", mark.encode(), b"oc-FR", hashes.now, hashes.before, hashes.now.hex().encode(),
                  hashes.before.hex().encode()):
        assert trace not in raw, trace
    island.board.withdraw(posts[0].id, posts[0].edit_code)
    island.board.withdraw_as_keeper(posts[1].id, "lea")
    island.board.hide(posts[2].id, keeper="lea")
    island.clock.advance(UNDO_MIN * 60)
    island.board.finish_clearings()
    assert island.store.owes
    island.store.erase()
    raw = _card(tmp_path)
    assert [f"motsecret{number}".encode() in raw for number in range(4)] == [False, False, False, True]
    island.clock.advance(REPORT_DAYS * 86_400)
    island.board.forget_reports()
    island.store.erase()
    assert b"motsecret" not in _card(tmp_path)


def _card(folder):
    """All octets of an island's folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 3
    return b"".join(path.read_bytes() for path in files)

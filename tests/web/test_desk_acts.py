"""Every act of a keeper has its day, its keeper and, if they gave one, its reason; the other keepers read all of it."""

import re

import pytest

from node.board.api import CARD_FILE, COMMAND_LINE, AuditEntry, Draft
from node.board.notes import MAX_AUDIT_LOG
from node.model.record import Kind
from tests.sim.portals import ELSEWHERE, PASSWORD, words
from tests.web.signing import desk_of, is_in, sign_in
from web.pages import MAX_PAGE_BYTES

NIGHT = {"radio_on": "1", "radio_begin": "22:00", "radio_end": "07:00", "radio_0": "1"}


def test_an_act_stands_with_its_keeper_its_reason_and_a_way_to_its_post(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Un propos déplacé"))
    desk = desk_of(portal)
    assert desk("hide", id=posted.id, action="hide", why="<b>insultes</b>").status_code == 303
    for path in ("/keeper", "/keeper/acts"):
        page = portal.get(f"{path}?lang=en")
        assert "lea · stopped showing a post" in words(page) and "<b>insultes</b>" in words(page), path
        link, = set(re.findall(r'href="(/keeper/post/[0-9a-f]+\?lang=en)"', page.get_data(as_text=True)))
        assert "It is hidden on this island." in words(portal.get(link))


def test_reasons_are_asked_for_where_something_is_refused_withdrawn_removed_or_set(portal, board):
    board.set_posting("moderated", "lea")
    waiting = board.post(Draft(Kind.BULLETIN, "Montres"))
    kept = [board.post(Draft(Kind.BULLETIN, f"n° {number}"), keeper="lea") for number in range(2)]
    board.set_keeper("zoé", "haché", "lea")
    desk = desk_of(portal)
    assert 'name="why"' in portal.get(f"/keeper/post/{waiting.id}").get_data(as_text=True)
    assert desk("approve", id=waiting.id, action="refuse", why="publicité").status_code == 303
    for path in ("/keeper/settings/rules", f"/keeper/post/{kept[0].id}", "/keeper/people/remove?name=zo%C3%A9",
                 "/keeper/contact"):
        assert 'name="why"' in portal.get(path).get_data(as_text=True), path
    desk("settings/posting", posting="open", why="la paix est revenue")
    desk("people/remove", name="zoé", why="a déménagé")
    look = desk("posts/look", id=kept[0].id, action="clear", pile="here").get_data(as_text=True)
    assert 'name="why"' in look
    desk("posts/do", look=re.search(r'name="look" value="(\w+)"', look).group(1), why="doublon")
    assert [(act.action, act.why) for act in board.audit_log(4)] == [
        ("withdraw", "doublon"), ("keeper-gone", "a déménagé"), ("posting", "la paix est revenue"), ("refuse", "publicité")]


def test_who_acted_without_a_name_is_said_in_words(portal, board):
    board.hide(board.post(Draft(Kind.BULLETIN, "a")).id, keeper=COMMAND_LINE)
    board.set_keeper("zoé", "haché", CARD_FILE)
    board.notes.update(lambda state: state.logged(AuditEntry(board.now(), "", "revoke-failed", "Île")))
    desk_of(portal)
    page = words(portal.get("/keeper/acts?lang=en"))
    for said in ("on the command line · stopped", "the settings file on the card · gave", "this island itself · revoked"):
        assert said in page


def test_the_newest_are_read_first_and_all_of_them_page_by_page_on_light_pages(portal, board):
    for number in range(MAX_AUDIT_LOG + 20):
        entry = AuditEntry(number, "lea", "hide", f"{number:032x}", "raison ".ljust(200, "x"))
        board.notes.update(lambda state, entry=entry: state.logged(entry))
    desk_of(portal)
    seen, path, pages = [], "/keeper/acts?lang=ar", 0
    while path:
        page = portal.get(path).get_data(as_text=True)
        assert len(page.encode()) + 900 <= MAX_PAGE_BYTES
        seen += [int(about, 16) for about in re.findall(r"/keeper/post/([0-9a-f]{32})", page)]
        path = next(iter(re.findall(r'rel="next" href="([^"]+)"', page)), "").replace("&amp;", "&")
        pages += 1
    assert seen == list(range(MAX_AUDIT_LOG + 19, 19, -1)) and pages > 2
    assert portal.get("/keeper/acts?from=100000").status_code == portal.get("/keeper/acts?from=x").status_code == 200


@pytest.mark.parametrize(("page", "to", "typed", "act"), [
    ("settings/words", "settings/welcome", {"welcome": "Bonjour"}, "welcome"),
    ("settings/words", "settings/name", {"name": "Le quai"}, "settings"),
    ("settings/rules", "settings/posting", {"posting": "members"}, "posting"),
    ("settings/rules", "settings/archive", {"days": "400"}, "settings"),
    ("settings/rules", "settings/archive", {"days": "4", "sure": "1"}, "settings"),
    ("settings/topics", "settings/topics", {"topic4": "1"}, "topics"),
    ("settings/radio", "settings/radio", {"share": "1"}, "settings-trial"),
    ("settings/rest", "settings/rest", NIGHT, "rests"),
    ("map", "outline", {"outline": "48.87,2.36 48.88,2.37"}, "outline"),
    ("map", "picture", {"action": "remove"}, "picture"),
    ("contact", "contact", {"contact": "Samedi au marché"}, "contact"),
])
def test_what_keepers_set_may_have_a_reason_which_the_others_read(portal, board, page, to, typed, act):
    desk = desk_of(portal)
    assert 'name="why"' in portal.get(f"/keeper/{page}").get_data(as_text=True)
    assert desk(to, why="parce que\u202e", **typed).status_code in (200, 303)
    done, = [(entry.action, entry.keeper, entry.why) for entry in board.audit_log()]
    assert done == (act, "lea", "parce que")


def test_the_reason_is_still_there_when_what_was_typed_will_not_do(portal):
    desk = desk_of(portal)
    for to, typed in (("settings/welcome", {"welcome": "x" * 700}), ("settings/name", {"name": " "}),
                      ("settings/radio", {"share": "x"}), ("settings/archive", {"days": "x"}),
                      ("settings/archive", {"days": "3"}), ("settings/rest", {"radio_on": "1"}),
                      ("outline", {"outline": "1" * 4001}), ("contact", {"contact": "x" * 200}),
                      ("settings/topics", {"topic4": "x"})):
        assert 'value="voilà pourquoi"' in desk(to, why="voilà pourquoi", **typed).get_data(as_text=True), to


def test_approving_setting_the_clock_and_what_is_done_about_keys_may_have_a_reason_too(portal, neighbourhood, board):
    board.set_posting("moderated", "lea")
    waiting = board.post(Draft(Kind.BULLETIN, "Montres"))
    desk = desk_of(portal)
    desk("approve", id=waiting.id, action="approve", why="vérifié")
    look = desk("clock", start_date="2025-12-02", start_time="11:00").get_data(as_text=True)
    assert 'name="why"' in look
    fields = dict(re.findall(r'name="(minute|asked)" value="(\d+)"', look))
    desk("clock/set", why="vu à la mairie", **fields)
    assert [(act.action, act.why) for act in board.audit_log(2)] == [("clock", "vu à la mairie"), ("approve", "vérifié")]
    for page in ("keys/new", "keys/invite", f"keys/{ELSEWHERE.key_id.hex()}"):
        assert 'name="why"' in portal.get(f"/keeper/{page}").get_data(as_text=True), page


def test_who_signs_another_keeper_out_is_seen(portal, board):
    board.set_keeper("zoé", board.password_hash("lea"), "lea")
    other = portal.application.test_client()
    sign_in(other, "zoé", PASSWORD)
    desk = desk_of(portal)
    people = portal.get("/keeper/people").get_data(as_text=True)
    labels = re.findall(r'name="label" value="(\w+)"', people)
    assert len(labels) == 2
    for label in labels:
        desk("session", label=label)
    assert ("session-end", "lea", "zoé") in [(act.action, act.keeper, act.about) for act in board.audit_log()]
    assert not is_in(other)

"""What keepers do on their desk is done, and seen."""

import errno
import io
from pathlib import Path

import pytest

from node.board.api import Draft, Picture
from node.model.record import Kind
from node.store.journalstore import JournalStore
from tests.board.test_image import png
from tests.sim.portals import Neighbourhood
from tests.sim.simulatedcard import Card
from tests.web.signing import desk_of
from web import create_app


@pytest.fixture
def desk(portal):
    return desk_of(portal)


def test_the_desk_is_for_keepers_only(portal, board):
    item = board.post(Draft(Kind.BULLETIN, "Bonjour"))
    assert "Mot de passe" in portal.get("/keeper?lang=fr").get_data(as_text=True)
    for path in ("approve", "hide", "settings/posting", "outline", "logout"):
        portal.post(f"/keeper/{path}", data={"id": item.id, "posting": "members", "outline": "1,2"})
    assert board.item(item.id) and not board.audit_log() and board.status().rules.posting == "open"


def test_a_form_from_elsewhere_does_nothing(portal, desk, board):
    item = board.post(Draft(Kind.BULLETIN, "Bonjour"))
    assert portal.post("/keeper/hide", data={"id": item.id, "csrf": "x"}).status_code == 400
    assert portal.post("/keeper/hide", data={"id": item.id, "csrf": "é"}).status_code == 400
    assert board.item(item.id)


def test_no_page_of_the_desk_is_kept_by_a_browser_whoever_asks_for_it(portal, desk):
    stranger = portal.application.test_client()
    asked = [rule.rule for rule in portal.application.url_map.iter_rules()
             if rule.rule.startswith("/keeper") and "GET" in rule.methods and not rule.arguments]
    for address in asked[::3]:
        for browser in (portal, stranger):
            assert browser.get(address).headers["Cache-Control"] == "no-store", address
    assert len(asked) > 20 and stranger.post("/keeper/login", data={"name": "x"}).headers["Cache-Control"] == "no-store"


def test_hiding_and_showing_again_is_seen_in_the_audit_log(portal, desk, board):
    item = board.post(Draft(Kind.BULLETIN, "Propos déplacés"))
    desk("hide", id=item.id)
    assert "déplacés" not in portal.get("/bulletins").get_data(as_text=True)
    assert portal.get(f"/r/{item.id[:12]}").status_code == 404
    desk("hide", id=item.id, action="show")
    assert "déplacés" in portal.get("/bulletins").get_data(as_text=True)
    assert [(entry.keeper, entry.action) for entry in board.audit_log()] == [("lea", "show"), ("lea", "hide")]
    assert "a cessé d’afficher" in portal.get("/keeper?lang=fr").get_data(as_text=True)


@pytest.mark.parametrize(("path", "fields"), [
    ("hide", {}), ("approve", {"action": "refuse"}), ("settings/posting", {"posting": "members"}),
    ("outline", {"outline": "1,2 3,4"}), ("settings/name", {"name": "Ailleurs"}),
    ("settings/welcome", {"welcome": "Salut"}), ("settings/topics", {"topic4": "1"}), ("settings/radio", {"share": "5"}),
    ("settings/rest", {"portal_on": "1", "portal_begin": "22:00", "portal_end": "7:00", "portal_0": "1"}),
])
def test_what_the_card_does_not_keep_is_said_and_not_done(tmp_path, settings, path, fields):
    card = Card()
    place = Neighbourhood(tmp_path, JournalStore(Path("/island"), card))
    board, desk = place.board, desk_of(create_app(place.board, settings).test_client())
    item = board.post(Draft(Kind.BULLETIN, "Bonjour"))
    waiting = board.post(Draft(Kind.BULLETIN, "Demain", publish_at=board.now() + 9))
    before = board.notes.state
    card.fails = dict.fromkeys(range(card.steps, card.steps + 1000), errno.EIO)
    answer = desk(f"{path}?lang=en", id=item.id if path == "hide" else waiting.id, **fields)
    assert answer.status_code == 503 and 'role="alert"' in answer.get_data(as_text=True)
    assert board.notes.state == before
    place.archive.close()


def test_a_waiting_post_is_approved_or_refused(portal, desk, board):
    desk("settings/posting", posting="moderated")
    for text in ("Une bonne annonce", "Une mauvaise"):
        board.post(Draft(Kind.BULLETIN, text))
    first, second = board.waiting()
    assert "Une mauvaise" in portal.get("/keeper").get_data(as_text=True)
    desk("approve", id=first.item.id)
    desk("approve", id=second.item.id, action="refuse")
    assert [item.text for item in board.bulletins().items] == ["Une bonne annonce"] and not board.waiting()


def test_the_rule_and_the_outline_are_changed_and_nonsense_is_not(desk, board):
    desk("settings/posting", posting="members")
    assert board.status().rules.posting == "members"
    assert desk("settings/posting", posting="nobody").status_code == 422
    desk("outline", outline="48.87,2.36 48.88,2.37")
    assert board.outline() == "48.87,2.36 48.88,2.37"


def test_a_keeper_puts_a_picture_under_the_map_and_takes_it_away(desk, portal, board):
    corners = {"top_left": "48.88, 2.35", "bottom_right": "48.86, 2.38"}
    assert desk("picture", picture=(io.BytesIO(png()), "plan.png"), **corners).status_code == 303
    assert board.picture() == Picture("image/png", png(), (48.88, 2.35), (48.86, 2.38))
    page = portal.get("/keeper/map").get_data(as_text=True)
    assert "48.88, 2.35" in page and board.audit_log()[0].action == "picture"
    desk("picture", action="remove")
    assert board.picture() is None


@pytest.mark.parametrize(("raw", "fields", "said"), [
    (b"GIF89a", {}, "whole PNG"), (b"x" * 240_000, {}, "200 kB at most"), (None, {}, "whole PNG"),
    (png(9_000), {}, "2000 pixels"), (png(), {"top_left": "n'importe où"}, "two corners"),
])
def test_a_picture_that_will_not_do_is_answered_in_a_sentence(desk, board, raw, fields, said):
    corners = {"top_left": "48.88, 2.35", "bottom_right": "48.86, 2.38"}
    file = {} if raw is None else {"picture": (io.BytesIO(raw), "plan.png")}
    answer = desk("picture?lang=en", **corners | fields, **file)
    assert answer.status_code == 422 and said in answer.get_data(as_text=True) and board.picture() is None


def test_a_stranger_s_large_file_is_not_even_read(portal, board):
    answer = portal.post("/keeper/picture", data={"picture": (io.BytesIO(bytes(300_000)), "x.png")})
    assert answer.status_code in (200, 413) and board.picture() is None


def test_a_post_that_waits_is_read_whole_and_once(desk, portal, board):
    text = "Une annonce pour demain.\nAvec ses détails."
    board.post(Draft(Kind.BULLETIN, text, publish_at=board.now() + 600))
    page = portal.get("/keeper").get_data(as_text=True)
    assert page.count("Avec ses détails.") == 1 and page.count("Une annonce pour demain.") <= 3  # and in its buttons


@pytest.mark.parametrize("path", ["login", "approve", "picture"])
def test_an_address_of_an_answer_loaded_again_leads_to_the_desk(portal, path):
    answer = portal.get(f"/keeper/{path}")
    assert answer.status_code == 303 and answer.headers["Location"].endswith("/keeper")


def test_a_form_of_an_older_session_is_told_and_does_nothing(desk, board):
    answer = desk("settings/posting?lang=en", csrf="0" * 32, posting="members")
    assert answer.status_code == 400 and "Nothing was done" in answer.get_data(as_text=True)
    assert board.status().rules.posting == "open"

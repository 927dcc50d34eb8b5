"""Whatever people call anything, it is text wherever it shows, and no markup."""

from dataclasses import replace

import pytest

from node.board.api import Draft
from node.model.record import Kind
from tests.sim.portals import portal_settings
from tests.web.test_public import page
from web import create_app

MARKUP = "<b onclick=x>\"'><script src=//evil.example></script>"
AS_TEXT = "&lt;b onclick"
PAGES = ["/", "/agenda", "/agenda?month=2025-12", "/bulletins", "/urgent", "/search?q=evil", "/map", "/poster", "/copy",
         "/weekly", "/wall", "/digest"]
DATA = '<script type="application/ld+json">'  # no browser runs it
ONE_ITEM = ["/edit", "/withdraw", "/print", "/print?as=strips", "/letters", "/tell", "/share"]


@pytest.fixture
def hostile(neighbourhood):
    """A portal where all that somebody can write is markup: on the board, in the settings, in what keepers say."""
    neighbourhood.host = replace(neighbourhood.host, name=MARKUP)
    board, start = neighbourhood.board, neighbourhood.board.now() + 120
    neighbourhood.bulletin(f"{MARKUP}\n{MARKUP}\n" + MARKUP * 9, 1)
    neighbourhood.bulletin(MARKUP, 12, urgent=True)
    neighbourhood.event((MARKUP, MARKUP, MARKUP, MARKUP * 2, ""), start)
    event = board.post(Draft(Kind.EVENT, MARKUP, title=MARKUP, place=MARKUP, organiser=MARKUP, start=start, end=start + 60,
                             position=(48.87, 2.36)))
    off = board.post(Draft(Kind.EVENT, MARKUP, title=MARKUP, place=MARKUP, start=start + 9, end=start + 60))
    board.withdraw(off.id, off.edit_code, MARKUP)
    told = board.post(Draft(Kind.BULLETIN, MARKUP))
    board.correct(told.id, told.edit_code, Draft(Kind.BULLETIN, f"{MARKUP} !"))
    board.post(Draft(Kind.REPLY, MARKUP, target=board.bulletins().items[0].id))
    board.set_contact(MARKUP, "lea")
    neighbourhood.find_words()
    portal = create_app(board, replace(portal_settings(), name=MARKUP, wifi=MARKUP)).test_client()
    items = [*board.bulletins().items, *board.events(board.now(), board.now() + 9_000)]
    assert len(items) == 6 and any(item.cancelled for item in items)
    several = next(item for item in items if item.corrected), next(item for item in items if item.id == event.id)
    return portal, [f"/r/{item.id}" for item in items] + [f"/r/{item.id}{more}" for item in several for more in ONE_ITEM]


def test_nothing_that_people_write_is_markup_wherever_it_shows(hostile):
    portal, items = hostile
    shown = {path: page(portal, path) for path in (*PAGES, *items)}
    for path, text in shown.items():
        assert text.count("<script") == text.count(DATA) and "<b onclick" not in text, path
    says = {path for path, text in shown.items() if AS_TEXT in text.partition("<main")[2]}
    assert set(shown) - says <= {"/map", "/poster", "/copy"} | {path for path in items if path.endswith("/letters")}


def test_feeds_hold_it_as_text(hostile):
    portal, items = hostile
    feeds = ("/feed.atom", "/agenda.txt", "/bulletins.txt", "/agenda.ics")
    for path in (*feeds, *(f"{item}.txt" for item in items[:6])):
        text = page(portal, path)
        assert "onclick=x" in text, path
        assert path != "/feed.atom" or "<b onclick" not in text


def test_a_field_comes_back_as_it_was_typed_and_closes_nothing(portal):
    address = "/post?kind=event"
    token = page(portal, address).partition('name="token" value="')[2].partition('"')[0]
    answer = portal.post("/post", data={"token": token, "kind": "event", "title": MARKUP, "text": MARKUP, "place": MARKUP,
                                        "organiser": MARKUP, "link": MARKUP, "start_date": MARKUP, "action": "preview"})
    text = answer.get_data(as_text=True)
    assert answer.status_code == 422 and text.count(AS_TEXT) >= 6
    assert "<b onclick" not in text and "<script" not in text

"""A keeper names a source on the desk, sees what it brings and costs, approves it once, and looks after it."""

import pytest

from node.board.gathering import Preset, address_of
from tests.ical.agendas import calendar, event
from tests.sim.web_site import WebSite
from tests.web.keeper_browser import Browser


@pytest.fixture
def site():
    with WebSite() as made:
        yield made


@pytest.fixture
def keeper(neighbourhood):
    return Browser(neighbourhood)


def coming(board):
    return [item.title for item in board.events(board.now(), 10**7)]


def test_a_keeper_sees_the_cost_approves_once_and_it_goes_on_by_itself(keeper, site, board, neighbourhood):
    address = site.gives("/a.ics", calendar(event(), event(uid="2", summary="Foot", start="20251205T190000Z")))
    keeper.get("/keeper/gather")
    keeper.follow("Add a source")
    keeper.press("See what it brings", kind="address", address=address, words="bal, -foot", records="5", air_s="40")
    assert "This 1 post would take" in keeper.says and "s of air." in keeper.says and "Bal" in keeper.says
    assert "1 · without the words that you want" in keeper.says and not coming(board)
    assert "it may bring 5 posts in a day, and 40 s of air" in keeper.says
    keeper.press("Approve it")
    assert "it is asked by itself from now on" in keeper.says and coming(board) == ["Bal"]
    keeper.get("/keeper/gather")
    assert "Un agenda" in keeper.says and "Next in 6 h 0 min." in keeper.says
    site.gives("/a.ics", calendar(event("STATUS:CANCELLED")))
    neighbourhood.clock.advance(6 * 3600)
    neighbourhood.gatherer.gather_due()
    keeper.get("/keeper/gather")
    assert "Last time: 0 new, 0 changed, 1 cancelled, 0 as they are here." in keeper.says


def test_terms_are_changed_on_the_same_form_and_pausing_and_removing_are_one_press(keeper, site, board):
    address = site.gives("/a.ics", calendar(event()))
    keeper.get("/keeper/gather/new")
    keeper.press("See what it brings", kind="address", address=address, words="bal", topics="8")
    assert "1 · of another topic" in keeper.says
    keeper.press("Change what may come")
    assert 'value="bal"' in keeper.page and 'value="8" checked' in keeper.page
    keeper.get("/keeper/gather/new")
    keeper.press("See what it brings", kind="address", address=address, words="bal")
    keeper.press("Approve it")
    keeper.get("/keeper/gather")
    keeper.follow("Change")
    assert 'value="bal"' in keeper.page and address in keeper.page
    keeper.get("/keeper/gather")
    keeper.press("Pause")
    assert "Paused." in keeper.says
    keeper.press("Ask it again")
    keeper.press("Ask them all now")
    assert "It is being asked." in keeper.says
    keeper.follow("Remove")
    keeper.press("Remove")
    assert "No source is approved yet." in keeper.says and coming(board) == ["Bal"]
    keeper.get("/keeper")
    assert "removed a source" in keeper.says


def test_what_cannot_be_asked_is_said_and_nothing_typed_is_lost(keeper, site):
    keeper.get("/keeper/gather/new")
    for typed, why in (("", "names no source"), (site.address + "/none", "404"), ("http://localhost:1/", "private network"),
                       ("https://nulle-part.invalid/a.ics", "no such address")):
        assert keeper.press("See what it brings", kind="address", address=typed, words="bal") == 422
        assert why in keeper.says and f'value="{typed}"' in keeper.page and 'value="bal"' in keeper.page


@pytest.mark.parametrize("kind,typed,address", [
    ("mobilizon", "mobilizon.fr", "https://mobilizon.fr/feed/instance/ics"),
    ("mobilizon", "https://mobilizon.fr/search?x", "https://mobilizon.fr/feed/instance/ics"),
    ("mobilizon-group", "@cantine@mobilizon.fr", "https://mobilizon.fr/@cantine/feed/ics"),
    ("mobilizon-group", "https://mobilizon.fr/@cantine/events", "https://mobilizon.fr/@cantine/feed/ics"),
    ("mobilizon-group", "cantine", ""),
    ("gancio", "lapunta.org", "https://lapunta.org/feed/ics"),
    ("gancio", "https://lapunta.org/feed/ics/tag/bal", "https://lapunta.org/feed/ics/tag/bal"),
    ("demosphere", "Paris", "https://paris.demosphere.net/events.ics"),
    ("demosphere", "https://paris.demosphere.net/", "https://paris.demosphere.net/events.ics"),
    ("agenda-du-libre", "", "https://www.agendadulibre.org/events.ics"),
    ("agenda-du-libre", "Saint-Étienne",
     "https://www.agendadulibre.org/events.ics?near%5Blocation%5D=Saint-%C3%89tienne&near%5Bdistance%5D=30"),
    ("radar", "https://radar.squat.net/en/node/41", "https://radar.squat.net/ical/node/41"),
    ("radar", "13", "https://radar.squat.net/ical/node/13"), ("radar", "kopi", ""),
    ("address", "exemple.org/a.ics", "https://exemple.org/a.ics"), ("address", "un mot", ""),
    ("gancio", "http://[", ""), ("gancio", "a b.org", ""),
])
def test_a_preset_knows_where_its_sites_give_their_agendas(kind, typed, address):
    assert address_of(Preset(kind), typed) == address

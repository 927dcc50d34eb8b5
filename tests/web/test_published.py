"""The board as files that stand by themselves: every link leads to one, nothing in them asks, nothing hidden is there."""

import html
import json
import posixpath
import re
from contextlib import closing
from xml.etree import ElementTree

import pytest
from icalendar import Calendar

from node.board.api import Draft
from node.board.island_settings import TURNOUT, SettingsGroup
from node.daemon.bulk_client import bulk_handlers
from node.daemon.rpc import RpcServer
from node.daemon.rpc_publish import public_files, publish_handlers
from node.model.record import Kind
from node.transfer.bulk import unload_bundle
from node.transfer.bundle import Bundle
from tests.sim.portals import Neighbourhood, words
from web.published import BUNDLE, PublishedPages, copied_page

LANGUAGES = ["fr", "ar"]


@pytest.fixture
def files(portal, neighbourhood, tmp_path):
    """What a copy of the board holds now: octets by name."""
    def made(languages=LANGUAGES, address=""):
        folder = tmp_path / "control"
        folder.mkdir(exist_ok=True)
        place = neighbourhood
        answers = publish_handlers(place.board, place.bulk, lambda: portal.application) | bulk_handlers(place.bulk)
        with closing(RpcServer(folder, answers)):
            found = list(public_files(folder, languages, address))
        assert len({file.name for file in found}) == len(found)
        return {file.name: file.content for file in found}

    return made


def pages(files):
    return {name: content.decode() for name, content in files.items() if name.endswith(".html")}


def test_every_link_leads_to_a_file_of_the_copy_or_to_the_web_and_no_page_asks_for_anything(files, neighbourhood):
    filled_board(neighbourhood)
    made, looked = files(), 0
    for name, page in pages(made).items():
        assert not re.search(r"<(form|button|input|script|img|iframe)\b|archipel\.lan|\b(src|action)=", page), name
        for href in re.findall(r'href="([^"]*)"', page):
            if href.startswith(("#", "https://example.org")):
                continue
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), html.unescape(href).split("#")[0]))
            assert there in made, (name, href)
            looked += 1
    assert looked > 500 and all(re.fullmatch(r"([a-z]{2}/)?[a-zA-Z0-9.-]+", name) for name in made)


def filled_board(place):
    """Something of all kinds."""
    for number in range(3):
        place.bulletin(f"Annonce b{number}b\nhttps://example.org/x", topic=number, urgent=number == 2)
        place.event((f"Soupe e{number}e", "Salle des fêtes", "Comité", "Venez", ""), place.board.now() + number * 30_000)
    posted = place.board.post(Draft(Kind.BULLETIN, "Cantine ce soir", topic=4))
    place.board.post(Draft(Kind.REPLY, "J’apporte des carottes.", target=posted.id))
    return posted


def test_all_that_is_public_is_there_in_each_language_and_what_has_ended_too(files, neighbourhood):
    filled_board(neighbourhood)
    neighbourhood.event(("Bal e9e", "Place"), neighbourhood.board.now() + 60)
    gone = neighbourhood.board.post(Draft(Kind.BULLETIN, "Une annonce d’un jour", life_days=1))
    neighbourhood.pass_days(3)
    archived(neighbourhood, gone.id)
    made = pages(files())
    for tag in LANGUAGES:
        text = "".join(page for name, page in made.items() if name.startswith(f"{tag}/r-"))
        assert {"Soupe e1e", "Soupe e2e"} <= set(re.findall(r"Soupe e\de", text)) and "des carottes" in text
        assert "d’un jour" in made[f"{tag}/past.html"] and "d’un jour" in text
    assert 'href="fr/index.html"' in made["index.html"] and 'dir="rtl"' in made["ar/index.html"]


def archived(place, item_id):
    """As maintenance does: what has ended goes to the archive."""
    row = place.store.get(bytes.fromhex(item_id))
    assert row is not None
    place.archive.keep([row], {})


def test_a_copy_tells_neither_how_many_come_nor_how_many_islands_are_around(portal, neighbourhood):
    board, start = neighbourhood.board, neighbourhood.board.now() + 1_440
    posted = board.post(Draft(Kind.EVENT, title="Bal", start=start, end=start + 60))
    board.settings.change(SettingsGroup.TURNOUT, {TURNOUT: "yes"}, "lea")
    for number in range(40):
        assert board.come(board.item(posted.id), lambda salt, number=number: number)
    told = ("people at least will be there", "other islands hold it")
    assert all(words_ in words(portal.get(f"/r/{posted.id[:12]}?lang=en")) for words_ in told)
    copy = PublishedPages(portal.application, ["en"]).file(f"/r/{posted.id[:12]}?lang=en").content.decode()
    assert "Bal" in copy and not [words_ for words_ in told if words_ in copy]


def test_what_was_hidden_or_withdrawn_is_in_no_page_feed_or_bundle_of_the_next_copy(files, neighbourhood):
    hidden, board = filled_board(neighbourhood), neighbourhood.board
    withdrawn = board.post(Draft(Kind.BULLETIN, "Marteau perdu"))
    words = (b"Cantine", b"carottes", b"Marteau")
    before = files(["fr"])
    assert all(any(word in content for content in before.values()) for word in words)
    board.hide(hidden.id, keeper="lea")
    board.withdraw(withdrawn.id, withdrawn.edit_code)
    after = files(["fr"])
    assert not [name for name, content in after.items() for word in words if word in content]
    raws = [set(Bundle([made[BUNDLE]])) for made in (before, after)]
    assert len(raws[0] - raws[1]) == 3, "the reply to what is hidden goes with it"


def test_an_hour_later_nothing_differs_and_the_next_day_little_does(files, neighbourhood):
    filled_board(neighbourhood)
    before = files(["fr"])
    neighbourhood.clock.advance(3_600)
    assert files(["fr"]) == before
    neighbourhood.clock.advance(14 * 3_600)
    after = files(["fr"])
    assert {name for name in after if after[name] != before.get(name)} <= {
        f"fr/{name}" for name in ("index.html", "agenda.html", "agenda.txt")} | {
        name for name in after if "topic" in name or "-mark-" in name or "/at-" in name}


def test_feeds_can_be_read_and_lead_to_files(files, neighbourhood):
    filled_board(neighbourhood)
    made = files(["fr"])
    feed = ElementTree.fromstring(made["fr/feed.atom"])
    links = [link.get("href") for link in feed.iter("{http://www.w3.org/2005/Atom}link")]
    assert links and all(f"fr/{link}" in made for link in links)
    events = Calendar.from_ical(made["fr/agenda.ics"]).walk("VEVENT")
    assert len(events) == 3 and all(f"fr/{event['url']}" in made for event in events)


def test_feeds_of_a_copy_that_stands_on_the_web_lead_to_its_whole_addresses(files, neighbourhood):
    filled_board(neighbourhood)
    made, here = files(address="https://exemple.org/tableau"), "https://exemple.org/tableau/"
    feed = ElementTree.fromstring(made["fr/feed.atom"])
    links = [link.get("href") for link in feed.iter("{http://www.w3.org/2005/Atom}link")]
    events = [str(event["url"]) for event in Calendar.from_ical(made["ar/agenda.ics"]).walk("VEVENT")]
    told = json.loads(made["fr/feed.json"])
    found = [*links, *events, told["home_page_url"], *(item["url"] for item in told["items"])]
    assert len(found) > 10 and all(one.startswith(here) and one.removeprefix(here) in made for one in found), found
    assert here not in made["fr/index.html"].decode(), "pages lead from file to file, wherever they stand"


def test_the_bundle_of_a_copy_makes_the_board_anew_on_an_island_that_has_nothing(files, neighbourhood, tmp_path):
    filled_board(neighbourhood)
    content = files(["fr"])[BUNDLE]
    (tmp_path / "new").mkdir()
    other = Neighbourhood(tmp_path / "new")
    with closing(other.archive):
        landed = unload_bundle(other.bulk, [content])
        assert not landed.refused and not landed.faults.total()
        for read in (lambda board: board.bulletins().items, lambda board: board.events(board.now(), board.now() + 10**6)):
            assert [item.id for item in read(other.board)] == [item.id for item in read(neighbourhood.board)] != []


def test_no_visitor_ever_sees_a_page_as_it_is_for_a_copy(portal):
    assert portal.get("/published").status_code == 404
    assert portal.get("/published", headers={"Archipel-Publishing": "1", "archipel.publishing": "1"}).status_code == 404


def test_bulletins_that_have_ended_have_a_page_on_the_portal_too(portal, neighbourhood):
    gone = neighbourhood.board.post(Draft(Kind.BULLETIN, "Une annonce d’un jour", life_days=1))
    neighbourhood.pass_days(3)
    archived(neighbourhood, gone.id)
    assert "d’un jour" in portal.get("/past").get_data(as_text=True)
    assert '"/past"' in portal.get("/bulletins").get_data(as_text=True)


def test_a_form_and_what_leads_nowhere_are_left_out_and_text_stays_as_it_stands():
    page = ('<!doctype html><ul class="p"><li><a href="/post">Post</a></li><li><a href="/a?b=1&amp;c=2">A</a></li></ul>'
            '<form action="/x"><p>I &lt;come</p><input></form><p>See <a href="/gone">this</a> &amp; <a href="https://x.org">that</a>'
            '</p><nav><ul><li><a href="/post">Post</a></li></ul></nav>')
    assert copied_page(page, {"/a?b=1&c=2": "a.html"}.get) == (
        '<!doctype html><ul class="p"><li><a href="a.html">A</a></li></ul><p>See this &amp; <a href="https://x.org">that</a></p>')

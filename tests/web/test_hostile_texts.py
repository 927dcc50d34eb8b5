"""Whatever people write in any field, on any page, feed and sheet, in any language: it is shown, and nothing of it runs."""

import html
import json
import xml.etree.ElementTree as ET

import pytest

from node.board.api import Draft
from node.i18n.catalogue import TAGS
from node.model.record import Kind, Record, Right
from tests.sim.portals import ELSEWHERE, GROUP, HERE, portal_settings
from tests.web.elements import checked
from tests.web.sample import filled, paths
from tests.web.signing import sign_in
from web import create_app

SIGNS = "<script>x</script><b onclick=y>\"'><i onerror=z>{{7*7}}&amp;"
TURNED = "\u202eabc\u2066"
NOT_KEPT = "ceci n’est pas lisible"
FEEDS = ("/feed.atom", "/feed.json", "/agenda.ics", "/agenda.txt", "/bulletins.txt", "/digest.txt", "/agenda.as.json",
         "/alerts.cap.xml", "/map.svg", "/radio.csv", "/metrics")
SAID = ("Assemblée du quartier", "Salle des fêtes, 3 rue du Canal", "Comité du canal", "Venez avec une chaise.",  # an event
        "la salle est prise", "Merci ! J’apporte des carottes.", "Un propos déplacé.", "Une annonce pour demain.",
        "Le chat est rentré chez lui.", "le samedi matin au stand du marché, ou https://exa", "Bienvenue", "parce que",
        "Gare", "AMAP", "Canal")  # all that people fill in, as `sample.filled` and `place` have it
DESK = tuple(f"/keeper{path}" for path in (
    "", "/posts", "/posts?pile=hidden", "/posts?pile=waiting", "/reports", "/acts", "/map", "/groups", "/people", "/keys",
    "/settings/words", "/settings/rules", "/settings/wifi", "/settings/texts", "/agenda/sources", "/handover", "/contact",
    "/radio", "/sheet", "/secret", "/gather", "/groups/remove?name=x"))


def hostile(said):
    """What somebody says, and what should do no harm behind it; no longer than a title may be."""
    return said[:50] + SIGNS


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = filled(tmp_path_factory.mktemp("hostile"), hostile)
    board = made.board
    for key, name in ((ELSEWHERE, "Gare"), (GROUP, "AMAP"), (HERE, "Canal")):
        made.vouch(key, Right.WRITE | (Right.GROUP if key is GROUP else Right.URGENT), name + SIGNS)
    board.set_welcome(hostile("Bienvenue"), "lea")
    board.set_keeper("zoé", board.password_hash("un chat gris"), "lea")
    board.hide(board.post(Draft(Kind.BULLETIN, hostile("Caché"))).id, True, "lea", hostile("parce que"))
    made.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, board.now(), 24, packed=(NOT_KEPT + TURNED).encode()))
    assert len(board.bulletins(limit=50).items) >= 7 and len(board.events(board.now(), 10**7)) >= 5
    assert board.events(0, 10**7)[0].title.endswith(SIGNS), "it is on the board as it was written"
    assert any(item.cancelled and SIGNS in item.cancelled for item in board.events(0, 10**7))
    yield made
    made.archive.close()


@pytest.fixture(scope="module")
def portal(place):
    client = create_app(place.board, portal_settings()).test_client()
    assert sign_in(client).status_code == 303
    return client


def look(portal, path, tag=""):
    """What a page says; what people wrote is in it as text, and as nothing else."""
    answer = checked(portal.get(path + ("&" if "?" in path else "?") + f"lang={tag}"), path)
    told, sort = answer.get_data(as_text=True), answer.headers["Content-Type"]
    assert "\u202e" not in told and "\u2066" not in told and NOT_KEPT not in told, path
    if "xml" in sort or "svg" in sort:
        ET.fromstring(told)
    elif "json" in sort:
        json.loads(told)
    return html.unescape(told)


@pytest.mark.parametrize("tag", TAGS)
def test_nothing_that_people_wrote_runs_on_any_page_in_any_language(portal, place, tag):
    off = next(item.id[:12] for item in place.board.events(0, 10**7) if item.cancelled)
    told = {path: look(portal, path, tag) for path in (*paths(place), *DESK, f"/r/{off}", f"/keeper/post/{off}")}
    assert len(told) >= 92 and sum(SIGNS[-9:] in text for text in told.values()) > 80
    everywhere = "\n".join(told.values())
    assert [said for said in SAID if said + SIGNS not in everywhere] == []


def test_nothing_that_people_wrote_breaks_a_feed(portal, place):
    event = place.board.events(place.board.now(), 10**7)[0].id[:12]
    some = (*FEEDS, f"/r/{event}.ics", f"/r/{event}.txt")
    told = {path: look(portal, path) for path in some}
    assert len(told) == 13 and sum("{{7*7}}" in text for text in told.values()) >= 8

"""What is urgent says on every page, paper and feed whether other islands confirm it; keepers do that on their desk."""

import json
from xml.etree import ElementTree as xml
from zoneinfo import ZoneInfo

import pytest

from node.board.digest import Digest, DigestForm, DigestSize
from node.board.island_settings import CONFIRMATIONS, SettingsGroup
from node.board.spoken import SpokenAgenda
from node.i18n.moments import Dates
from node.model.confirmation import Confirmation
from node.model.event import Event
from node.model.keys import SigningKey
from node.model.record import Kind, Record, Right
from tests.sim.portals import ELSEWHERE, words
from tests.web.signing import desk_of
from tests.web.test_alert_feed import of, read
from tests.web.test_desk_keys import Browser
from web.pages import MAX_PAGE_BYTES

TOWER, PORT = (SigningKey(bytes([number]) * 32) for number in (5, 6))
NOT_YET, CONFIRMED = "Not confirmed yet", "Confirmed by 2 islands"
PAGES = ("/", "/urgent", "/bulletins", "/wall", "/weekly", "/poster", "/copy", "/feed.atom", "/feed.json", "/bulletins.txt",
         "/alerts.cap.xml")


@pytest.fixture
def urgent(neighbourhood):
    for key, name in ((TOWER, "Île de la tour"), (PORT, "Île du <b>port")):
        neighbourhood.vouch(key, Right.WRITE, name)
    neighbourhood.bulletin("Fuite de gaz\nRestez chez vous.", 12, urgent=True)
    return neighbourhood.board.urgent()[0].id


def say(neighbourhood, item_id, *keys, holds=True):
    neighbourhood.clock.advance(60)
    for key in keys:
        neighbourhood.take(Record(Kind.CONFIRMATION, key.key_id, neighbourhood.board.now(), 24,
                                  target=bytes.fromhex(item_id)[:8], detail=Confirmation(holds)), key)


def text(portal, path):
    answer = portal.get(f"{path}{'&' if '?' in path else '?'}lang=en")
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def test_every_page_paper_and_feed_says_whether_other_islands_confirm_it(portal, neighbourhood, urgent):
    tried = [*PAGES, f"/r/{urgent[:12]}", f"/r/{urgent[:12]}.txt", f"/r/{urgent[:12]}/print"]
    for path in tried:
        assert NOT_YET in text(portal, path), path
    say(neighbourhood, urgent, TOWER)
    assert all(NOT_YET in text(portal, path) for path in tried), "one is not two"
    say(neighbourhood, urgent, PORT)
    for path in tried:
        shown = text(portal, path)
        assert CONFIRMED in shown and NOT_YET not in shown, path
    say(neighbourhood, urgent, PORT, holds=False)
    assert all(NOT_YET in text(portal, path) and CONFIRMED not in text(portal, path) for path in tried)


def test_its_page_names_the_islands_and_says_how_many_are_asked_for(portal, neighbourhood, urgent):
    assert "once 2 other islands say so too. For keepers" in words(portal.get(f"/r/{urgent[:12]}?lang=en"))
    say(neighbourhood, urgent, TOWER, PORT)
    page = portal.get(f"/r/{urgent[:12]}?lang=en")
    assert "Confirmed by: Île de la tour , Île du <b>port . For keepers" in words(page)
    assert "<b>port" not in page.get_data(as_text=True) and len(page.get_data()) + 900 < MAX_PAGE_BYTES


def test_an_urgent_event_says_so_in_calendars_and_is_read_back_without_it(portal, neighbourhood):
    start = neighbourhood.board.now() + 600
    neighbourhood.take(Record(Kind.EVENT, ELSEWHERE.key_id, neighbourhood.board.now(), urgent=True,
                              packed=b"Repas de secours\x1fGymnase\x1f\x1fApportez un bol.", detail=Event(start, 60, 4)))
    calendar = text(portal, "/agenda.ics").replace("\r\n ", "")
    assert f"DESCRIPTION:Apportez un bol.\\n\\n{NOT_YET}" in calendar and f"X-ARCHIPEL-CONFIRMED:{NOT_YET}" in calendar
    assert NOT_YET in text(portal, "/agenda.as.json") and NOT_YET in text(portal, "/agenda")
    assert NOT_YET in text(portal, "/agenda.txt") and NOT_YET in text(portal, "/poster")


def test_feeds_are_new_for_who_follows_when_islands_confirm(portal, neighbourhood, urgent):
    def stamp():
        (item,) = json.loads(text(portal, "/feed.json"))["items"]
        return item.get("date_modified", item["date_published"]), xml.fromstring(text(portal, "/feed.atom")).findtext(
            "{http://www.w3.org/2005/Atom}updated")

    before = stamp()
    say(neighbourhood, urgent, TOWER)
    after = stamp()
    say(neighbourhood, urgent, TOWER, holds=False)
    assert before[0] < after[0] < stamp()[0] and before[1] < after[1] < stamp()[1]


def test_as_an_alert_it_is_the_neighbours_word_whose_certainty_grows(portal, neighbourhood, urgent):
    message = read(portal, "/alerts.cap.xml?lang=en")
    assert of(message, "senderName") == ["Île de la gare (neighbours, no authority)"]
    assert (of(message, "certainty"), of(message, "severity")) == (["Unknown"], ["Unknown"])
    assert of(message, "note") == [f"Neighbours say so; no authority does. {NOT_YET}."]
    say(neighbourhood, urgent, TOWER, PORT)
    later = read(portal, "/alerts.cap.xml?lang=en")
    assert of(later, "certainty") == ["Likely"] and of(later, "value") == ["2"]
    assert of(later, "identifier") != of(message, "identifier"), "another message"
    assert of(read(portal, f"/r/{urgent[:12]}.cap.xml?lang=en"), "certainty") == ["Likely"]


def test_the_wall_the_week_in_one_text_and_what_is_read_aloud_say_it_too(portal, neighbourhood, urgent):
    def told():
        agenda = SpokenAgenda(neighbourhood.board, ZoneInfo("Europe/Paris"), Dates("en"))
        digests = [Digest(agenda, "Île", "http://a/").text(DigestSize(form)) for form in DigestForm]
        return [agenda.text("Île"), *digests]

    assert all(NOT_YET in one for one in told())
    first = portal.get("/wall.png?lang=en").get_data()
    say(neighbourhood, urgent, TOWER, PORT)
    assert all(CONFIRMED in one and NOT_YET not in one for one in told())
    assert portal.get("/wall.png?lang=en").get_data() != first


def test_a_keeper_confirms_it_from_the_desk_and_takes_it_back(neighbourhood, urgent):
    browser = Browser(neighbourhood)
    assert "Urgent, not confirmed yet" in browser.get("/keeper")
    page = browser.get(f"/keeper/post/{urgent[:16]}")
    assert "Only if you have seen it yourself" in page
    assert browser.press("Confirm it") == 303
    assert "This island confirms it." in browser.get(f"/keeper/post/{urgent[:16]}")
    assert "Île du canal" in words(browser.portal.get(f"/r/{urgent[:12]}?lang=en"))
    assert "Urgent, not confirmed yet" not in browser.get("/keeper"), "this island has said its word"
    browser.get(f"/keeper/post/{urgent[:16]}")
    assert browser.press("Take that back") == 303
    assert [entry.action for entry in neighbourhood.board.audit_log()] == ["confirm-back", "confirm"]


def test_who_read_another_version_is_told_to_read_it_again(portal, neighbourhood, urgent):
    post = desk_of(portal)
    neighbourhood.bulletin("Fuite de gaz rue Bichat", 12, urgent=True, target=bytes.fromhex(urgent)[:8])
    answer = post(f"post/{urgent[:16]}/confirm?lang=en", seen=urgent)
    assert answer.status_code == 422 and "It was corrected meanwhile" in words(answer)
    assert post("post/0123456789abcdef/confirm?lang=en", seen=urgent).status_code == 404
    assert neighbourhood.board.audit_log() == []


def test_visitors_confirm_nothing(portal, neighbourhood, urgent):
    answer = portal.post(f"/keeper/post/{urgent[:16]}/confirm?lang=en", data={"seen": urgent})
    assert "Password" in words(answer) and neighbourhood.board.item(urgent).confirmed.by == ()


def test_keepers_set_how_many_islands_it_takes(portal, neighbourhood, urgent):
    say(neighbourhood, urgent, TOWER)
    browser = Browser(neighbourhood)
    browser.get("/keeper/settings/rules")
    browser.page = browser.page[browser.page.rindex("<form", 0, browser.page.index("/settings/confirmations")):]
    assert browser.press("Keep", confirmations="1") == 303
    assert "Confirmed by 1 island" in text(portal, "/urgent")
    neighbourhood.board.settings.change(SettingsGroup.CONFIRMATIONS, {CONFIRMATIONS: "0"}, "lea")
    shown = text(portal, "/urgent")
    assert "Fuite de gaz" in shown and "onfirmed" not in shown
    browser.get("/keeper/settings/rules")
    browser.page = browser.page[browser.page.rindex("<form", 0, browser.page.index("/settings/confirmations")):]
    assert browser.press("Keep", confirmations="many") == 422

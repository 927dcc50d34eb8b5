"""The agenda in a phone's calendar: all of it, a topic, a mark, a place, a group."""

import re
from datetime import timedelta

import icalendar
import pytest

from node.board.api import Draft
from node.board.drafts import packed
from node.model.clock import minute_of
from node.model.event import Event
from node.model.marks import Marks
from node.model.record import Kind, Record
from tests.sim.portals import ELSEWHERE, START, words

DAY, NOW = 1440, minute_of(START)


def announce(board, title, place="", topic=0, marks=0):
    return board.post(Draft(Kind.EVENT, title=title, place=place, topic=topic, start=NOW + DAY, end=NOW + DAY + 60,
                            marks=Marks(marks)))


@pytest.fixture
def agenda(neighbourhood):
    """Four events: of a topic, without steps, at a place, and of another signature."""
    announce(neighbourhood.board, "Cantine", topic=4)
    announce(neighbourhood.board, "Bal", marks=Marks.STEP_FREE)
    announce(neighbourhood.board, "Réunion", "Café & Co")
    codec, text = packed("Fanfare", 1)
    neighbourhood.take(Record(Kind.EVENT, ELSEWHERE.key_id, NOW, codec=codec, packed=text, language=1,
                              detail=Event(NOW + DAY, 60, 4)))


def followed(portal, page):
    """The address that a page gives to calendars, and the titles that they find there."""
    shown = portal.get(page).get_data(as_text=True)
    address = re.search(r'href="(webcal:[^"]+)"', shown)[1].replace("&amp;", "&")
    calendar = icalendar.Calendar.from_ical(portal.get(address.partition("archipel.lan")[2]).get_data())
    return calendar, {str(event["summary"]) for event in calendar.walk("VEVENT")}


@pytest.mark.parametrize(("query", "titles", "name"), [
    ("", {"Cantine", "Bal", "Réunion", "Fanfare"}, "Île du canal"),
    ("?topic=food", {"Cantine"}, "Île du canal – Nourriture"),
    ("?mark=step-free", {"Bal"}, "Île du canal – Sans marches"),
    ("?place=cafe+%26+co", {"Réunion"}, "Île du canal – cafe & co"),
    (f"?by={ELSEWHERE.key_id.hex()}", {"Fanfare"}, "Île du canal – Île de la gare")])
def test_a_calendar_follows_what_its_page_names(portal, agenda, query, titles, name):
    calendar, found = followed(portal, f"/subscribe{query}")
    assert found == titles and calendar["x-wr-calname"] == name
    assert calendar["refresh-interval"].dt == timedelta(hours=4)


def test_the_pages_of_agenda_topic_place_and_group_lead_there(portal, agenda):
    key = ELSEWHERE.key_id.hex()
    for page, query in (("/agenda", ""), ("/topics/food", "?topic=food"), ("/agenda?topic=food", "?topic=food"),
                        ("/agenda?mark=free", "?mark=free"), ("/at?place=Caf%C3%A9", "?place=Caf%C3%A9"),
                        (f"/by/{key}", f"?by={key}"), ("/take", "")):
        links = re.findall(r'href="(/subscribe[^"]*)"', portal.get(page).get_data(as_text=True))
        assert links == [f"/subscribe{query}"], page


def test_a_page_in_another_language_leads_to_a_calendar_in_it(portal, agenda):
    calendar, found = followed(portal, "/subscribe?lang=en&place=Caf%C3%A9+%26+Co&mark=")
    assert found == {"Réunion"} and calendar["x-wr-calname"] == "Île du canal – Café & Co"
    assert followed(portal, "/subscribe?lang=en&topic=food")[0]["x-wr-calname"] == "Île du canal – Food"


@pytest.mark.parametrize("query", ["?topic=nope", "?mark=nope", "?by=0000000000000000", "?by=garbage"])
def test_what_there_is_not_is_not_followed(portal, query):
    assert portal.get(f"/subscribe{query}").status_code == 404
    assert portal.get(f"/agenda.ics{query}").status_code == 404


def test_it_is_said_in_words_of_neighbours(portal):
    said = words(portal.get("/subscribe?lang=en"))
    assert "Follow it in the calendar" in said and "Nobody here knows who follows" in said and "iCalendar" not in said

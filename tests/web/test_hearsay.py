"""Of an event that was taken over, pages, paper and feeds say where it comes from and which islands say so."""

import json
import re

import pytest
from icalendar import Calendar

from node.board.api import Draft
from node.board.drafts import FIELD_MARK
from node.model.event import Event
from node.model.foreign import Foreign, foreign_key
from node.model.record import Kind, Record
from tests.sim.portals import ELSEWHERE, GROUP, HERE, words

UID = "204@semaphore.exemple.org"


KEY, SOON = foreign_key(UID, "", ""), 4_000  # minutes


@pytest.fixture
def told(neighbourhood, board):
    """An island tells a version of an event, and what is shown then."""
    def telling(key=ELSEWHERE, sequence=1, place="Hangar", link="", off=False, tentative=False):
        parts = ["Bal", place, "", "", link, "Le sémaphore" * (not link), "Fuite d’eau" * off]
        when = Event(board.now() + SOON, 60, 4, foreign=Foreign(KEY, sequence, 0, off, tentative))
        neighbourhood.take(Record(Kind.EVENT, key.key_id, board.now(), language=1, detail=when,
                                  packed=FIELD_MARK.join(parts).rstrip(FIELD_MARK).encode()), key)
        return board.events(board.now(), board.now() + 10 * SOON)[0]
    return telling


def test_a_page_and_a_sheet_of_paper_say_who_says_so(portal, told):
    item = told()
    assert "It comes from Le sémaphore." in said_on(portal, f"/r/{item.id[:12]}")
    told(key=GROUP)
    for path in (f"/r/{item.id[:12]}", f"/r/{item.id[:12]}/print"):
        (names,) = re.findall(r"2 islands say the same: (.*?)\.", said_on(portal, path))
        assert set(names.split(", ")) == {"Île de la gare", "AMAP du canal"}


def test_who_is_alone_with_a_later_version_is_shown_as_alone(portal, told):
    before = told()
    item = told(key=GROUP, sequence=2, place="Ailleurs", link="https://semaphore.exemple.org/event/bal")
    assert item.place == "Ailleurs" and portal.get("/agenda?lang=en").get_data(as_text=True).count(">Bal<") == 1
    said = said_on(portal, f"/r/{before.id[:12]}")
    assert "Ailleurs" in said and "It comes from semaphore.exemple.org." in said
    assert "Only AMAP du canal says so: 1 island has an earlier version." in said


@pytest.mark.parametrize("tag", ["fr", "es", "ar", "en"])
def test_what_is_not_confirmed_is_said_everywhere(portal, told, tag):
    item = told(tentative=True)
    said = {"fr": "Pas encore confirmé", "es": "Sin confirmar", "ar": "غير مؤكد بعد", "en": "Not confirmed yet"}[tag]
    for path in ("/agenda", "/agenda.txt"):
        assert said in portal.get(f"{path}?lang={tag}").get_data(as_text=True)
    assert "STATUS:TENTATIVE" in portal.get(f"/r/{item.id[:12]}.ics").get_data(as_text=True)


def test_who_follows_sees_a_later_version_even_if_its_record_was_made_earlier(portal, neighbourhood, board, told):
    late = Event(board.now() + SOON, 60, 4, foreign=Foreign(KEY, 3))
    record = Record(Kind.EVENT, HERE.key_id, board.now(), language=1, detail=late, packed=b"Bal, ailleurs")
    neighbourhood.clock.advance(3600)
    told()
    first = component(portal)
    neighbourhood.take(record, HERE)
    second = component(portal)
    assert second["SUMMARY"] == "Bal, ailleurs" and second["SEQUENCE"] > first["SEQUENCE"]
    assert second["LAST-MODIFIED"].dt >= first["LAST-MODIFIED"].dt and second["DTSTAMP"].dt >= first["DTSTAMP"].dt


def test_feeds_name_a_foreign_event_alike_on_every_island_and_say_where_it_comes_from(portal, told):
    told()
    first = component(portal)
    told(key=HERE, sequence=2, place="Ailleurs", off=True)
    second = component(portal)
    assert first["UID"] == second["UID"] == f"{second['X-ARCHIPEL-KEY']}@archipel"
    assert second["SEQUENCE"] > first["SEQUENCE"] and second["LAST-MODIFIED"].dt >= first["LAST-MODIFIED"].dt
    assert (first["X-ARCHIPEL-VERSION"][:2], second["X-ARCHIPEL-VERSION"][:2]) == ("1 ", "2 ")
    assert (second["STATUS"], second["COMMENT"]) == ("CANCELLED", "Fuite d’eau")
    assert "Le sémaphore" in first["DESCRIPTION"] and "Le sémaphore" in portal.get("/agenda.txt").get_data(as_text=True)
    (entry,) = json.loads(portal.get("/feed.json").data)["items"]
    assert f"{entry['id']}@archipel" == first["UID"]


def said_on(portal, path):
    """The words of a page, without the blanks that its marks leave."""
    return re.sub(r" +(?=[.,:])", "", " ".join(words(portal.get(f"{path}?lang=en")).split()))


def updated(portal):
    return re.findall("<updated>(.*?)<", portal.get("/feed.atom").get_data(as_text=True))


def component(portal):
    (found,) = Calendar.from_ical(portal.get("/agenda.ics").data).walk("VEVENT")
    return found


def test_who_subscribes_sees_that_an_event_is_called_off_here(portal, board, neighbourhood):
    board.post(Draft(Kind.EVENT, title="Bal", start=board.now() + SOON, end=board.now() + SOON + 60))
    (item,) = board.events(board.now(), board.now() + 10 * SOON)
    first, atom = component(portal), updated(portal)
    neighbourhood.clock.advance(3_600)
    board.cancel_as_keeper(item.id, "Tempête", "lea")
    second = component(portal)
    assert second["STATUS"] == "CANCELLED" and second["SEQUENCE"] == first["SEQUENCE"] + 60
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        assert (second[name].dt - first[name].dt).total_seconds() == 3_600
    assert all(one > before for one, before in zip(updated(portal), atom, strict=True))
    (entry,) = json.loads(portal.get("/feed.json").data)["items"]
    assert entry["date_modified"] > entry["date_published"]

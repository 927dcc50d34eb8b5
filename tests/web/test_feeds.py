"""The board for other programs, read back by parsers that are not ours."""

import json
import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import icalendar
import pytest

from node.board.api import Draft
from node.model.record import Kind
from web import dates

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ATOM = "{http://www.w3.org/2005/Atom}"
ODD = "Virgule, point-virgule; barre\\ \"guillemets\" & <balise>\nligne deux — élève 🍲"


@pytest.fixture
def event(board, settings):
    start = dates.minute(datetime(2026, 12, 20, 18, 30), settings.zone)
    return board.post(Draft(
        Kind.EVENT, ODD, 1, 2, title="Assemblée, salle « B »", place="8, rue du Canal", organiser="Comité",
        link="https://example.org/", start=start, end=start + 90, offset=4, position=(48.87, 2.36)))


def calendar(portal, path="/agenda.ics"):
    answer = portal.get(path)
    assert answer.mimetype == "text/calendar"
    return list(icalendar.Calendar.from_ical(answer.data).walk("VEVENT"))


def test_a_calendar_program_reads_every_field(portal, event):
    (shown,) = calendar(portal)
    assert shown["SUMMARY"] == "Assemblée, salle « B »" and shown["LOCATION"] == "8, rue du Canal"
    assert shown["DTSTART"].dt == datetime(2026, 12, 20, 17, 30, tzinfo=UTC)
    assert (shown["DTEND"].dt - shown["DTSTART"].dt).seconds == 90 * 60
    assert ODD in shown["DESCRIPTION"] and "Comité" in shown["DESCRIPTION"]
    assert shown["URL"] == f"http://archipel.lan/r/{event.id[:12]}" and shown["STATUS"] == "CONFIRMED"
    assert shown["GEO"].latitude == pytest.approx(48.87, abs=1e-4)


def test_lines_are_folded_at_75_bytes_and_end_with_crlf(portal, event):
    lines = portal.get("/agenda.ics").data.split(b"\r\n")
    assert len(lines) > 20
    assert all(len(line) <= 75 and b"\n" not in line for line in lines)


def test_a_corrected_or_cancelled_event_is_the_same_event_for_calendars(portal, board, event):
    (before,) = calendar(portal)
    moved = Draft(Kind.EVENT, "", title="Assemblée déplacée", start=before_start(board) + 60, end=before_start(board) + 120)
    corrected = board.correct(event.id, event.edit_code, moved)
    (after,) = calendar(portal)
    assert after["UID"] == before["UID"] and after["SUMMARY"] == "Assemblée déplacée"
    assert int(after["SEQUENCE"]) >= int(before["SEQUENCE"])
    board.withdraw(corrected.id, corrected.edit_code or event.edit_code, "Salle fermée")
    (cancelled,) = calendar(portal)
    assert (cancelled["UID"], cancelled["STATUS"]) == (before["UID"], "CANCELLED")
    for path in ("/agenda.txt", "/feed.atom", "/feed.json"):
        assert "Annulé Salle fermée" in portal.get(f"{path}?lang=fr").get_data(as_text=True), path


def before_start(board):
    return board.events(0, 10**7)[0].start


def test_one_event_and_one_topic_have_calendars_of_their_own(portal, board, event):
    board.post(Draft(Kind.EVENT, "", 1, 4, title="Légumes", start=before_start(board), end=before_start(board) + 60))
    assert len(calendar(portal)) == 2
    assert [shown["SUMMARY"] for shown in calendar(portal, "/agenda.ics?topic=food")] == ["Légumes"]
    assert [shown["SUMMARY"] for shown in calendar(portal, f"/r/{event.id[:12]}.ics")] == ["Assemblée, salle « B »"]


def test_atom_is_well_formed_and_complete(portal, board, event):
    board.post(Draft(Kind.BULLETIN, ODD, 4))
    feed = ElementTree.fromstring(portal.get("/feed.atom").data)
    assert all(feed.find(ATOM + name) is not None for name in ("id", "title", "updated"))
    entries = feed.findall(ATOM + "entry")
    assert len(entries) == 2 and len({entry.findtext(ATOM + "id") for entry in entries}) == 2
    assert any(ODD in entry.findtext(ATOM + "content") for entry in entries)
    assert {entry.find(ATOM + "content").get(LANG) for entry in entries} == {"fr", "ar"}


def test_json_feed_is_complete(portal, board, event):
    board.post(Draft(Kind.BULLETIN, ODD))
    feed = json.loads(portal.get("/feed.json").data)
    assert feed["version"] == "https://jsonfeed.org/version/1.1" and len(feed["items"]) == 2
    for item in feed["items"]:
        assert item["url"].startswith("http://archipel.lan/r/") and item["content_text"]
        assert item["date_published"].endswith("Z")


def test_an_empty_board_has_valid_feeds(portal):
    assert calendar(portal) == []
    assert ElementTree.fromstring(portal.get("/feed.atom").data).findtext(ATOM + "updated")
    assert json.loads(portal.get("/feed.json").data)["items"] == []


def test_plain_text_holds_the_whole_text(portal, board, event):
    item_id = board.post(Draft(Kind.BULLETIN, ODD)).id
    assert ODD in portal.get(f"/r/{item_id}.txt").get_data(as_text=True)
    assert ODD in portal.get("/bulletins.txt").get_data(as_text=True)
    assert "Assemblée" in portal.get("/agenda.txt").get_data(as_text=True)


def test_feed_readers_that_have_it_all_get_304(portal, event):
    for path in ("/agenda.ics", "/feed.atom", "/feed.json"):
        tag = portal.get(path).headers["ETag"]
        assert portal.get(path, headers={"If-None-Match": tag}).status_code == 304


def announce_many(neighbourhood, count):
    for number in range(count):
        neighbourhood.event((f"Réunion {number}", "Maison"), neighbourhood.board.now() + 60 + number)


def test_the_calendar_holds_every_event(portal, neighbourhood):
    announce_many(neighbourhood, 334)
    assert {str(shown["SUMMARY"]) for shown in calendar(portal)} == {f"Réunion {number}" for number in range(334)}


def follow(portal, path, following):
    """Every page from `path` on."""
    pages = 0
    while path:
        answer = portal.get(path)
        assert answer.status_code == 200
        yield answer
        path, pages = following(answer), pages + 1
        assert pages < 20


def test_the_page_of_feeds_says_where_what_they_leave_out_is(portal, event):
    page = portal.get("/take?lang=en").get_data(as_text=True)
    assert "begins a week ago" in page and "/agenda?month=" in page


def test_a_feed_calls_itself_by_the_address_it_was_asked_by(portal, event):
    feed = portal.get("/feed.atom?topic=food").get_data(as_text=True)
    assert 'rel="self" href="http://archipel.lan/feed.atom?topic=food"' in feed


def test_feeds_lead_to_all_there_is(portal, neighbourhood):
    announce_many(neighbourhood, 70)
    for number in range(70):
        neighbourhood.bulletin(f"Annonce {number}")

    def next_of_atom(answer):
        links = {link.get("rel"): link.get("href") for link in ElementTree.fromstring(answer.data).findall(ATOM + "link")}
        return links.get("next")

    def next_of_text(answer):
        found = re.search(r"(?m)^More: (http\S+)$", answer.get_data(as_text=True))
        return f"{found[1]}&lang=en" if found else None

    entries = [entry.findtext(ATOM + "id") for page in follow(portal, "/feed.atom", next_of_atom)
               for entry in ElementTree.fromstring(page.data).findall(ATOM + "entry")]
    assert len(set(entries)) == len(entries) == 140
    items = [item["id"] for page in follow(portal, "/feed.json", lambda answer: answer.get_json(True).get("next_url"))
             for item in page.get_json(True)["items"]]
    assert len(set(items)) == len(items) == 140
    for path, word in (("/agenda.txt?lang=en", "Réunion"), ("/bulletins.txt?lang=en", "Annonce")):
        told = "".join(page.get_data(as_text=True) for page in follow(portal, path, next_of_text))
        assert {int(number) for number in re.findall(rf"{word} (\d+)", told)} == set(range(70))

"""The board given back: corrections that subscribers see, ids that last, and what other programs make of our pages."""

import json
import re
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import feedparser
import icalendar
import mf2py
import pytest
import recurring_ical_events
import vobject

from node.board.api import Draft
from node.model.event import Exempt, Repetition, Rhythm
from node.model.marks import Marks
from node.model.record import Kind
from tests.sim.portals import HERE, portal_settings
from web import create_app
from web.calendar_feed import rule_of

ATOM = "{http://www.w3.org/2005/Atom}"
DAY = 1440
KEY = HERE.key_id.hex()


def draft(board, **more):
    start = board.now() + 2 * DAY
    return Draft(Kind.EVENT, **{"text": "Venez !\nÀ trois.\n\nSuite.", "title": "Repas", "place": "8, rue du Canal",
                                "organiser": "Comité", "topic": 4, "marks": Marks.FREE, "language": 1,
                                "link": "https://exemple.org/x", "position": (48.87, 2.36), "start": start,
                                "end": start + 90, "offset": 4} | more)


def weekly(board):
    return draft(board, title="Cours", repetition=four_weeks())


def changed(board, posted, **more):
    """The same event with something else, an hour later."""
    before = board.item(posted.id)
    again = draft(board, title=before.title, start=before.event.start, end=before.event.start + 90,
                  repetition=before.event.repetition)
    return board.correct(posted.id, posted.edit_code, replace(again, **more))


def four_weeks(*exempt):
    return Repetition(Rhythm.WEEKS, 1, 4, exempt=exempt)


CHANGES = {
    "corrected": lambda board, posted: changed(board, posted, title="Cours du soir"),
    "moved": lambda board, posted: changed(board, posted, repetition=four_weeks(Exempt(1, 1500))),
    "a date off": lambda board, posted: changed(board, posted, repetition=four_weeks(Exempt(1))),
    "called off": lambda board, posted: board.withdraw(posted.id, posted.edit_code, "Fuite d’eau"),
}


def calendar(portal, path="/agenda.ics?lang=en"):
    return icalendar.Calendar.from_ical(portal.get(path).data)


@pytest.mark.parametrize("kind", CHANGES)
def test_who_follows_sees_whatever_changed(portal, neighbourhood, board, kind):
    posted = board.post(weekly(board))
    (before,) = calendar(portal).walk("VEVENT")
    atom, feed = (feedparser.parse(portal.get("/feed.atom").data), portal.get("/feed.json").get_json(True))
    neighbourhood.clock.advance(3600)
    CHANGES[kind](board, posted)
    told = calendar(portal).walk("VEVENT")
    assert {str(one["UID"]) for one in told} == {str(before["UID"])}
    for one in told:
        assert one["SEQUENCE"] > before["SEQUENCE"]
        assert one["DTSTAMP"].dt > before["DTSTAMP"].dt and one["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt
    (old,), (new,) = atom.entries, feedparser.parse(portal.get("/feed.atom").data).entries
    assert new.id == old.id and new.updated > old.updated and new.summary != old.summary
    (item,), (was,) = portal.get("/feed.json").get_json(True)["items"], feed["items"]
    assert item["id"] == was["id"] and item["date_modified"] > was["date_published"] and "date_modified" not in was


ELSEWHERE = """BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:204@semaphore.exemple.org\r\nSEQUENCE:2\r\nDTSTAMP:20251101T100000Z\r
DTSTART:20251210T180000Z\r\nSUMMARY:Bal\r\nURL:https://semaphore.exemple.org/204\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"""


def test_who_follows_sees_what_is_corrected_here_of_an_event_from_elsewhere(portal, neighbourhood, board):
    board.imports.take(board.imports.look(ELSEWHERE.encode(), "x").id, "lea")
    (before,) = calendar(portal).walk("VEVENT")
    (item,) = board.events(board.now(), board.now() + 20 * DAY)
    neighbourhood.clock.advance(3600)
    board.correct_as_keeper(item.id, Draft(
        Kind.EVENT, title="Bal masqué", start=item.start, end=item.end, offset=4), "lea")
    (after,) = calendar(portal).walk("VEVENT")
    assert after["UID"] == before["UID"] and after["SUMMARY"] == "Bal masqué" and after["SEQUENCE"] > before["SEQUENCE"]
    assert after["LAST-MODIFIED"].dt > before["LAST-MODIFIED"].dt
    assert after["X-ARCHIPEL-VERSION"] == before["X-ARCHIPEL-VERSION"] == "2 20251101T100000Z"


@pytest.mark.parametrize(("kind", "days"), [
    ("moved", ["2025-12-03", "2025-12-11", "2025-12-17", "2025-12-24"]),
    ("a date off", ["2025-12-03", "2025-12-17", "2025-12-24"])])
def test_two_other_parsers_find_the_dates_that_are_left(portal, neighbourhood, board, kind, days):
    CHANGES[kind](board, board.post(weekly(board)))
    found = recurring_ical_events.of(calendar(portal)).between(date(2025, 11, 1), date(2026, 2, 1))
    assert sorted(f"{one['DTSTART'].dt:%Y-%m-%d}" for one in found) == days
    read = vobject.readOne(portal.get("/agenda.ics").get_data(as_text=True))
    main = next(one for one in read.vevent_list if not hasattr(one, "recurrence_id"))
    left = {f"{one:%Y-%m-%d}" for one in main.getrruleset(addRDate=False)}
    others = {f"{one.dtstart.value:%Y-%m-%d}" for one in read.vevent_list if one is not main}
    replaced = {f"{one.recurrence_id.value:%Y-%m-%d}" for one in read.vevent_list if one is not main}
    assert sorted((left - replaced) | others) == days


@pytest.mark.parametrize(("day", "says"), [
    (date(2026, 1, 30), "-1FR"), (date(2026, 1, 23), "-2FR"), (date(2026, 2, 1), "-4SU")])
def test_a_weekday_counted_from_the_end_of_its_month_is_so_for_calendars(board, day, says):
    event = board.item(board.post(weekly(board)).id).event
    start = (day - date(2024, 1, 1)).days * 1_440 + 720
    assert rule_of(replace(event, start=start, repetition=Repetition(Rhythm.MONTH_LAST, 1, 3)))["BYDAY"] == says


def test_what_is_called_off_comes_first_again_however_much_was_posted_since(portal, neighbourhood, board):
    posted = board.post(draft(board, title="Bal"))
    offer = board.post(Draft(Kind.BULLETIN, "Je donne un vélo"))
    neighbourhood.clock.advance(3600)
    for number in range(60):
        neighbourhood.bulletin(f"Annonce {number}")
    assert "Bal" not in str([entry.title for entry in feedparser.parse(portal.get("/feed.atom").data).entries])
    neighbourhood.clock.advance(3600)
    board.withdraw(posted.id, posted.edit_code, "Pluie")
    board.withdraw(offer.id, offer.edit_code, "")
    titles = [entry.title for entry in feedparser.parse(portal.get("/feed.atom").data).entries]
    assert set(titles[:2]) == {"Bal", "Je donne un vélo"} and len(titles) == 50
    pages = [page := portal.get("/feed.json").get_json(True)]
    while "next_url" in page:
        pages.append(page := portal.get(page["next_url"].partition("archipel.lan")[2]).get_json(True))
    ids = [item["id"] for page in pages for item in page["items"]]
    assert len(ids) == len(set(ids)) == 62
    (bal,) = [item for item in pages[0]["items"] if item["title"] == "Bal"]
    assert bal["date_modified"] > bal["date_published"] and "Pluie" in bal["content_text"]


@pytest.mark.parametrize("goes", [lambda board, posted: board.hide(posted.id, True, "lea"),
                                  lambda board, posted: board.withdraw(posted.id, posted.edit_code)])
def test_what_a_keeper_hides_or_its_author_withdraws_leaves_every_feed(portal, board, goes):
    posted = board.post(draft(board))
    goes(board, posted)
    assert not calendar(portal).walk("VEVENT") and not portal.get("/feed.json").get_json(True)["items"]
    assert not portal.get("/agenda.as.json").get_json(True)["orderedItems"]


def test_a_calendar_says_its_name_its_place_and_when_to_look_again_in_its_language(portal, board):
    shown = calendar(portal, "/agenda.ics?topic=food&lang=fr")
    assert shown["NAME"] == shown["X-WR-CALNAME"] == "Île du canal – Nourriture"
    assert shown["PRODID"].endswith("//FR") and calendar(portal)["PRODID"].endswith("//EN")
    assert shown["METHOD"] == "PUBLISH" and shown["X-PUBLISHED-TTL"] == "PT4H"
    assert shown["SOURCE"] == "http://archipel.lan/agenda.ics?topic=food&lang=fr"
    assert shown["URL"] == "http://archipel.lan/subscribe?topic=food&lang=fr"
    assert shown["UID"] == f"urn:archipel:{KEY}:topic:food"
    once = calendar(portal, f"/r/{board.post(draft(board)).id[:12]}.ics")
    assert not {"SOURCE", "REFRESH-INTERVAL", "UID"} & set(once), "one event is taken, not followed"


QUERIES = {"": "", "?topic=food": ":topic:food", "?mark=free": ":mark:free", f"?by={KEY}": f":by:{KEY}",
           "?place=8,%20RUE%20du%20canal": ":place:8%2C%20rue%20du%20canal"}


@pytest.mark.parametrize("query", QUERIES)
def test_each_feed_holds_what_its_name_says_and_has_an_id_that_lasts(portal, neighbourhood, board, query):
    board.post(draft(board))
    neighbourhood.event(("Ailleurs", "Quai"), board.now() + DAY, topic=2)
    neighbourhood.bulletin("Annonce", 2)
    wanted = {"Repas"} if query else {"Repas", "Ailleurs", "Annonce"}
    atom = feedparser.parse(portal.get(f"/feed.atom{query}").data)
    feed = portal.get(f"/feed.json{query}").get_json(True)
    activities = portal.get(f"/agenda.as.json{query}").get_json(True)
    assert not atom.bozo and {entry.title for entry in atom.entries} == wanted
    assert {item["title"] for item in feed["items"]} == wanted
    assert {one["name"] for one in activities["orderedItems"]} == wanted - {"Annonce"}
    assert atom.feed.id == feed["_archipel"]["id"] == f"urn:archipel:{KEY}{QUERIES[query]}"
    assert atom.feed.title == feed["title"] == activities["name"] == calendar(portal, f"/agenda.ics{query}")["NAME"]
    assert ("?" in feed["feed_url"]) == bool(query)
    moved = create_app(board, replace(portal_settings(), base_url="https://elsewhere.example/", name="Île")).test_client()
    assert feedparser.parse(moved.get(f"/feed.atom{query}").data).feed.id == atom.feed.id


@pytest.mark.parametrize("path", ["/feed.atom", "/feed.json", "/agenda.as.json", "/agenda.ics"])
def test_there_is_no_feed_of_what_there_is_not(portal, path):
    for query in ("?topic=nope", "?mark=nope", "?by=garbage"):
        assert portal.get(path + query).status_code == 404


def test_the_page_about_following_leads_to_the_same_for_feed_readers(portal, board):
    board.post(draft(board))
    page = portal.get("/subscribe?lang=en&topic=food").get_data(as_text=True)
    paths = re.findall(r'href="(/(?:feed\.atom|feed\.json|agenda\.as\.json)[^"]*)"', page)
    assert sum("topic=food" in path for path in paths) == 3
    for path in paths:
        assert portal.get(path.replace("&amp;", "&")).status_code == 200


# the page of an event


def as_gancio(page):
    """What Gancio's import takes of a page: the first h-event, texts by their first value (its `importURL`)."""
    properties = mf2py.parse(doc=page, url="http://archipel.lan/r/x", filter_roots=True)["items"][0]["properties"]
    first = {name: next(iter(properties.get(name, [])), "") for name in ("name", "description", "location", "start", "end")}
    return first | {"tags": properties.get("category", [])}


def test_gancio_takes_the_whole_event_from_its_page(portal, board):
    posted = board.post(draft(board))
    taken = as_gancio(portal.get(f"/r/{posted.id[:12]}").get_data(as_text=True))
    assert taken == {"name": "Repas", "description": "Venez !\nÀ trois.\n\nSuite.", "location": "8, rue du Canal",
                     "start": "2025-12-03T10:00+0100", "end": "2025-12-03T11:30+0100", "tags": ["food", "free"]}


@pytest.mark.parametrize("days", [1, 3])
def test_whole_days_are_days_on_its_page(portal, board, days):
    midnight = board.now() - board.now() % DAY - 60 + 2 * DAY
    posted = board.post(draft(board, start=midnight, end=midnight + days * DAY, whole_days=True))
    page = portal.get(f"/r/{posted.id[:12]}").get_data(as_text=True)
    taken = as_gancio(page)
    assert (taken["start"], taken["end"]) == ("2025-12-03", "2025-12-06" if days == 3 else "")
    told = schema(page)
    assert (told["startDate"], told.get("endDate")) == ("2025-12-03", "2025-12-05" if days == 3 else None)


def test_its_page_says_that_it_is_called_off(portal, board):
    posted = board.post(draft(board))
    board.withdraw(posted.id, posted.edit_code, "Pluie")
    page = portal.get(f"/r/{posted.id[:12]}").get_data(as_text=True)
    properties = mf2py.parse(doc=page, url="http://archipel.lan/")["items"][0]["properties"]
    assert properties["status"] == ["CANCELLED"] and schema(page)["eventStatus"] == "https://schema.org/EventCancelled"
    (told,) = portal.get("/agenda.as.json").get_json(True)["orderedItems"]
    assert told["status"] == "CANCELLED" and "Pluie" in told["content"]


def schema(page):
    return json.loads(re.search('<script type="application/ld\\+json">(.*?)</script>', page)[1])


def test_search_engines_read_its_page_and_no_text_leaves_its_place(portal, board):
    posted = board.post(draft(board, title="</script><b>&amp;", repetition=four_weeks(Exempt(1))))
    page = portal.get(f"/r/{posted.id[:12]}").get_data(as_text=True)
    told = schema(page)
    assert told["name"] == "</script><b>&amp;" and page.count("</script>") == 1
    assert told["keywords"] == ["food", "free"] and told["isAccessibleForFree"] is True
    assert told["location"]["geo"] == {"@type": "GeoCoordinates", "latitude": 48.870004, "longitude": 2.360001}
    assert told["eventSchedule"] == {
        "@type": "Schedule", "startDate": "2025-12-03T10:00+01:00", "repeatFrequency": "P1W", "repeatCount": 4,
        "exceptDate": ["2025-12-10T10:00+01:00"]}


def test_where_there_is_no_room_for_it_nothing_else_goes(portal, neighbourhood, board):
    posted = board.post(draft(board, text="Un texte bien long, avec de quoi lire. " * 90))
    for number in range(12):
        board.post(Draft(Kind.REPLY, f"{number} " + "Moi aussi, et voici pourquoi. " * 3, target=posted.id))
    page = portal.get(f"/r/{posted.id[:12]}").get_data(as_text=True)
    assert "ld+json" not in page and len(page.encode()) < 14_000 and "Moi aussi" in page


def test_each_date_of_a_repeated_event_is_an_activity_with_a_status_of_its_own(portal, board):
    board.post(replace(weekly(board), repetition=four_weeks(Exempt(1), Exempt(2, 1500))))
    told = portal.get("/agenda.as.json")
    assert told.mimetype == "application/activity+json"
    dates = told.get_json(True)["orderedItems"]
    assert [one["status"] for one in dates] == ["CONFIRMED", "CANCELLED", "CONFIRMED", "CONFIRMED"]
    assert [one["id"].partition("#")[2] for one in dates] == ["0", "1", "2", "3"]
    assert dates[2]["startTime"][:10] == "2025-12-18"
    assert len({one["uuid"] for one in dates}) == 4


def test_an_activity_has_the_shape_of_mobilizon(portal, board):
    board.post(draft(board))
    (one,) = portal.get("/agenda.as.json").get_json(True)["orderedItems"]
    assert one["type"] == "Event" and one["startTime"] == "2025-12-03T10:00:00+01:00" and one["category"] == "FOOD_DRINK"
    assert one["content"].startswith("<p") and one["mediaType"] == "text/html" and one["ical:status"] == "CONFIRMED"
    assert isinstance(one["location"]["latitude"], float)
    assert one["location"]["address"]["streetAddress"] == "8, rue du Canal"
    assert one["attachment"] == [
        {"type": "Link", "name": "Website", "href": "https://exemple.org/x", "mediaType": "text/html"}]
    assert one["attributedTo"]["name"] == "Comité" and [tag["name"] for tag in one["tag"]] == ["#food", "#free"]
    assert ElementTree.fromstring(portal.get("/feed.atom").data).get("{http://www.w3.org/XML/1998/namespace}lang")

"""While an island rests: told before it begins, one plain page until when, keepers and other islands get in."""

from dataclasses import replace

import pytest

from node.board.api import Draft
from node.board.night_rest import Rest, RestPart
from node.board.status import ClockStatus
from node.model.record import Kind
from tests.sim.portals import PASSWORD, START, words
from web import dates

NIGHT = Rest(22 * 60, 7 * 60)


@pytest.fixture
def go_to(neighbourhood):
    """Let the island's clock show this hour of its first day, or of the day after."""
    def go(text, days=0):
        hour, minute = map(int, text.split(":"))
        neighbourhood.clock.advance(START + 86_400 * days + 3600 * (hour - 10) + 60 * minute - neighbourhood.clock.now())
    return go


@pytest.fixture
def resting(board):
    board.set_rests({RestPart.PORTAL: NIGHT}, "lea")


def said(portal, path="/", **more):
    return words(portal.get(f"{path}?lang=en", **more))


def test_it_is_told_at_the_foot_all_day_and_at_the_head_an_hour_before(portal, board, resting, go_to):
    told = "This island rests from 22:00 to 07:00: its pages are closed then."
    page = portal.get("/?lang=en").get_data(as_text=True)
    assert told in page.partition("<footer>")[2] and told not in said(portal)
    go_to("20:59")
    assert told not in said(portal)
    go_to("21:00")
    assert told in said(portal) and said(portal, "/post").index(told) < said(portal, "/post").index("Post a bulletin")


def test_while_the_pages_rest_there_is_one_plain_page_that_says_until_when(portal, board, resting, go_to):
    go_to("21:59")
    assert "rests until" not in said(portal)
    go_to("22:00")
    for path in ("/", "/hello", "/agenda", "/bulletins", "/post", "/search", "/r/0123456789ab", "/radio", "/nope"):
        answer = portal.get(f"{path}?lang=en")
        assert "This island rests until 07:00." in words(answer), path
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.status_code == (200 if path in ("/", "/hello") else 503), path
    assert portal.get("/feed.atom").headers["Retry-After"] == str(9 * 3600)
    go_to("06:59", 1)
    assert portal.get("/feed.atom").headers["Retry-After"] == "60"
    go_to("07:00", 1)
    assert portal.get("/feed.atom").status_code == 200 and "rests until" not in said(portal)


def test_what_is_urgent_is_on_that_page_and_on_the_wall_and_nothing_else(portal, neighbourhood, resting, go_to):
    neighbourhood.bulletin("Une annonce comme les autres")
    go_to("23:00")
    calm = said(portal, "/wall")
    assert "rests until 07:00" in calm and "annonce" not in calm and portal.get("/wall").headers["Refresh"]
    neighbourhood.bulletin("Fuite de gaz rue Bichat", urgent=True)
    for path in ("/", "/wall"):
        assert "Fuite de gaz" in said(portal, path) and "annonce" not in said(portal, path)


def test_who_was_writing_when_it_began_may_finish(portal, board, resting, go_to):
    go_to("22:05")
    answer = portal.post("/post?lang=en", data={"kind": "bulletin", "text": "Des mots", "action": "preview", "token": ""})
    assert answer.status_code in (200, 422) and "Des mots" in answer.get_data(as_text=True)


def test_keepers_get_in_and_other_islands_too(portal, board, resting, go_to):
    by_day = portal.post("/lan", data=b"x")
    go_to("23:00")
    assert 'type="password"' in portal.get("/keeper").get_data(as_text=True)
    assert portal.post("/keeper/login", data={"name": "lea", "password": PASSWORD}).status_code == 303
    assert "Signed in as lea" in said(portal, "/keeper")
    assert portal.post("/lan", data=b"x").status_code == by_day.status_code == 403  # it was read: no question of an island


def test_the_box_finds_that_the_portal_lives(portal, resting, go_to):
    """`wifi_watch.py` and `update.py` ask for the first page."""
    go_to("23:00")
    answer = portal.get("/")
    assert answer.status_code == 200 and b"</html>" in answer.data


def test_nothing_rests_by_a_clock_that_is_not_sure(portal, neighbourhood, resting, go_to):
    neighbourhood.told = ClockStatus("radio", False, 0)
    go_to("21:30")
    assert "rests from" not in portal.get("/?lang=en").get_data(as_text=True)
    go_to("23:00")
    assert "rests until" not in said(portal)
    neighbourhood.told = replace(neighbourhood.told, sure=True)
    assert "rests until 07:00" in said(portal)


def test_the_rest_of_the_radio_and_of_the_wifi_closes_no_page(portal, board, go_to):
    board.set_rests({RestPart.RADIO: NIGHT, RestPart.WIFI: NIGHT}, "lea")
    page = portal.get("/?lang=en").get_data(as_text=True)
    assert "The radio rests from 22:00 to 07:00: only what is urgent goes out then." in page
    assert "The Wi-Fi of this island rests from 22:00 to 07:00." in page
    go_to("23:00")
    post = board.post(Draft(Kind.BULLETIN, "La nuit"))
    assert "La nuit" in said(portal, f"/r/{post.id[:12]}")


def test_on_the_nights_when_clocks_change_the_page_says_what_clocks_will_show(portal, neighbourhood, board, resting):
    for evening, minutes in (("2026-03-28 23:00", 7 * 60), ("2026-10-24 23:00", 9 * 60)):
        begun = dates.minute(dates.datetime.fromisoformat(evening), dates.ZoneInfo("Europe/Paris"))
        neighbourhood.clock.advance((begun - board.now()) * 60)
        answer = portal.get("/agenda?lang=en")
        assert "rests until 07:00" in words(answer) and answer.headers["Retry-After"] == str(60 * minutes)

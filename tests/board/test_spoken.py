"""What is read aloud of the agenda."""

from zoneinfo import ZoneInfo

import pytest

from node.board.api import Draft
from node.board.spoken import MOST_EVENTS, SpokenAgenda
from node.i18n.catalogue import TAGS
from node.i18n.moments import Dates
from node.model.record import Kind
from tests.sim.portals import Neighbourhood

DAY_MIN = 1440


@pytest.fixture
def place(tmp_path):
    made = Neighbourhood(tmp_path)
    yield made
    made.archive.close()


def said(place, tag="en"):
    return SpokenAgenda(place.board, ZoneInfo("Europe/Paris"), Dates(tag)).text("Île du canal")


def test_today_and_tomorrow_are_read_in_order_with_hours_as_people_say_them(place):
    now = place.board.now()  # 10 in the morning
    place.event(("Marché", "Place"), now + DAY_MIN)
    place.event(("Assemblée", "Salle des fêtes"), now + 8 * 60 + 30)
    place.event(("Repas", "Cantine"), now + 120)
    place.event(("Fête", "Quai"), now - DAY_MIN, length=3 * DAY_MIN)
    place.bulletin("Fuite de gaz\nn’allumez rien", urgent=True)
    lines = said(place).split("\n")
    assert lines[:3] == ["Île du canal.", "Urgent: Fuite de gaz.", "Not confirmed yet."]
    assert lines[4:6] == ["At 12 o’clock: Repas. Cantine.", "At 18 30: Assemblée. Salle des fêtes."]
    assert lines[3].startswith("Today, ") and lines[6].startswith("until ") and lines[6].endswith(": Fête. Quai.")
    assert lines[7].startswith("Tomorrow, ") and lines[8:] == ["At 10 o’clock: Marché. Place."]


def test_it_changes_as_events_end_and_not_every_minute(place):
    place.event(("Repas", "Cantine"), place.board.now() + 120, length=60)
    first = said(place)
    place.clock.advance(150 * 60)
    assert said(place) == first
    place.clock.advance(60 * 60)
    assert "Repas" not in said(place) and "Nothing more is announced for today." in said(place)


def test_what_is_not_read_is_counted(place):
    for number in range(MOST_EVENTS + 5):
        place.event((f"Bal {number}", "Place"), place.board.now() + number)
    place.event(("Plus tard", "Place"), place.board.now() + 4 * DAY_MIN)
    text = said(place)
    assert text.count("Bal") == MOST_EVENTS and text.endswith("6 more events in the days that follow.")


def test_long_texts_are_cut_and_it_is_said_in_each_language(place):
    place.event(("mot " * 60, "lieu " * 60), place.board.now() + 60)
    texts = {tag: said(place, tag) for tag in TAGS}
    assert len(set(texts.values())) == len(TAGS) and all(len(text) < 500 for text in texts.values())


def test_what_is_called_off_is_read_as_such(place):
    start = place.board.now() + 120
    off = place.board.post(Draft(Kind.EVENT, title="Repas", place="Cantine", start=start, end=start + 60, offset=4))
    place.board.withdraw(off.id, off.edit_code, "pluie")
    assert "At 12 o’clock: Cancelled. Repas. Cantine." in said(place).split("\n")

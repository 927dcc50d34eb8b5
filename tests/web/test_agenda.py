"""The agenda shows a week or a month, ahead and past."""

from datetime import datetime, timedelta

import pytest

from node.board.api import Draft
from node.model.record import Kind
from web import dates


def announce(board, settings, title, day, hours=(18, 20)):
    start, end = (dates.minute(day.replace(hour=hour), settings.zone) for hour in hours)
    offset = dates.offset_at(day, settings.zone)
    return board.post(Draft(Kind.EVENT, "", title=title, start=start, end=end, offset=offset))


@pytest.fixture
def today(board, settings):
    return dates.here(board.now(), settings.zone).replace(hour=0, minute=0)


def text(portal, path):
    return portal.get(path).get_data(as_text=True)


def test_a_week_shows_its_days_and_leads_to_the_ones_around(portal, board, settings, today):
    announce(board, settings, "Soupe", today + timedelta(2))
    announce(board, settings, "Lointain", today + timedelta(30))
    page = text(portal, "/agenda?lang=en")
    assert "Soupe" in page and "Lointain" not in page
    year, week, _day = (today + timedelta(30)).isocalendar()
    assert "Lointain" in text(portal, f"/agenda?week={year}-W{week:02}")


def test_a_month_has_its_days_in_a_grid_that_leads_to_them(portal, board, settings, today):
    day = today + timedelta(1)
    announce(board, settings, "Assemblée", day)
    page = text(portal, f"/agenda?month={day:%Y-%m}&lang=fr")
    assert f'href="#d{day:%Y-%m-%d}"' in page and f'id="d{day:%Y-%m-%d}"' in page
    assert "Assemblée" in page and 'scope="col">lun.' in page


def test_an_event_of_several_days_shows_until_its_end(portal, board, settings, today):
    start = board.now() - 1440
    board.post(Draft(Kind.EVENT, "", title="Festival", start=start, end=start + 3 * 1440))
    page = text(portal, "/agenda?lang=en")
    assert "Festival" in page and "until" in page and "Today" in page


@pytest.mark.parametrize("query", ["week=2026-W99", "week=x", "week=9999-W01", "month=2026-13", "month=9999-01", "month=",
                                   "week=2023-W01", "month=2056-01", "week=%00", "topic=x"])
def test_a_date_that_is_none_is_not_found(portal, query):
    assert portal.get(f"/agenda?{query}").status_code == 404


def test_the_first_and_the_last_weeks_and_months_are_shown(portal):
    for query in ("month=2024-01", "month=2055-10", "week=2024-W01", "week=2055-W39"):
        assert portal.get(f"/agenda?{query}").status_code == 200


def test_what_does_not_fit_is_counted(portal, neighbourhood):
    for number in range(60):
        title = f"Événement numéro {number} dont le titre est assez long pour peser"
        neighbourhood.event((title, "Salle des fêtes"), neighbourhood.board.now() + number)
    assert "more events do not fit" in text(portal, "/agenda?lang=en")


def test_events_are_marked_for_programs(portal, board, settings):
    announce(board, settings, "Été", datetime(2026, 12, 1))
    page = text(portal, "/agenda?month=2026-12")
    assert 'class="h-event"' in page and 'class="dt-start" datetime="2026-12-01T18:00+01:00"' in page

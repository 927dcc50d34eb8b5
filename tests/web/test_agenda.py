"""The agenda shows a week or a month, ahead and past."""

import html
import re
from datetime import datetime, timedelta

import pytest

from node.board.api import Draft
from node.model.record import Kind
from tests.sim.portals import words
from web import dates
from web.pages import PATIENCE_S


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
                                   "week=2023-W01", "month=2056-01", "week=%00", "topic=x", "day=2026-02-30",
                                   "day=x", "day=2023-01-01", "day="])
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


def test_a_month_of_many_counts_and_marks_all_and_leads_to_the_rest(portal, neighbourhood, settings, today):
    busy, calm = today + timedelta(6), today + timedelta(8)
    for number in range(45):
        neighbourhood.event((f"Midi {number}", "Place"), dates.minute(busy.replace(hour=12), settings.zone) + number)
    for day in (4, 8):
        for number in range(120):
            neighbourhood.event((f"Jour {day} {number}", "Place"),
                                dates.minute((today + timedelta(day)).replace(hour=8), settings.zone) + number)
    path = f"/agenda?month={busy:%Y-%m}&lang=en"
    page, seen, following = text(portal, path), set(), True
    left = int(re.search(r"(\d+) more events do not fit", page)[1])
    assert len(re.findall(r'class="h-event"', page)) + left == 45 + 240
    for day in (busy, calm):  # marked though none of them is on this page, and led to
        assert f'aria-label="{day.day}' in page and f"day={day:%Y-%m-%d}" in page
    assert "Midi 0" in text(portal, f"/agenda?day={busy:%Y-%m-%d}&lang=en")
    while following:
        seen |= set(re.findall(r'href="(/r/[0-9a-f]+)', page))
        following = re.search(r'rel="next" href="([^"]*from=[^"]*)"', page)
        page = text(portal, html.unescape(following[1])) if following else ""
    assert len(seen) == 45 + 240


def test_a_page_leaves_out_what_was_never_read_says_so_and_has_it_the_next_time(portal, neighbourhood, settings, watch):
    for number in range(3):
        neighbourhood.event((f"Bal {number}", "Place"), neighbourhood.board.now() + 60)
    slow = neighbourhood.board.reader.texts._decode

    def decode(id_, record):
        watch.now += PATIENCE_S * 0.7 * (record.kind is Kind.EVENT)
        slow(id_, record)

    neighbourhood.board.reader.texts._decode = decode
    answer = portal.get("/agenda?lang=en")
    assert "1 post is still being read" in words(answer) and answer.headers["Refresh"]
    assert words(answer).count("Bal ") == 2
    again = portal.get("/agenda?lang=en")
    assert words(again).count("Bal ") == 3 and "still being read" not in words(again) and "Refresh" not in again.headers
    assert len(neighbourhood.board.bulletins().items) == 0
    neighbourhood.event(("Bal 4", "Place"), neighbourhood.board.now() + 60)
    neighbourhood.event(("Bal 5", "Place"), neighbourhood.board.now() + 60)
    watch.now += 1
    for path in ("/agenda.ics", "/feed.atom", "/feed.json", "/agenda.txt"):
        neighbourhood.board.reader.texts._recent.clear()
        neighbourhood.archive.forget(list(neighbourhood.liveset.ids()))
        answer = portal.get(f"{path}?lang=en")
        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert "still reading" in answer.get_data(as_text=True)


@pytest.mark.parametrize("span", ["week", "month"])
def test_the_span_before_and_the_one_after_lead_there_and_back(portal, span):
    before, shown, after = {"week": ("2026-W11", "2026-W12", "2026-W13"), "month": ("2026-02", "2026-03", "2026-04")}[span]
    here = text(portal, f"/agenda?{span}={shown}")
    for rel, wanted in (("prev", before), ("next", after)):
        link = html.unescape(re.search(rf'rel="{rel}" href="([^"]*)"', here)[1])
        assert f"{span}={wanted}" in link and portal.get(link).status_code == 200

"""The agenda shows a week or a month, ahead and past."""

import html
import re
from datetime import datetime, timedelta

import pytest

from node.board.api import Draft
from node.model.record import Kind
from tests.sim.portals import Neighbourhood, portal_settings, words
from web import create_app, dates
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


def test_a_month_has_its_days_in_a_grid_that_leads_to_each(portal, board, settings, today):
    day = today + timedelta(1)
    announce(board, settings, "Assemblée", day)
    page = text(portal, f"/agenda?month={day:%Y-%m}&lang=fr")
    assert f"day={day:%Y-%m-%d}" in page and "Assemblée" in page and 'scope="col">lun.' in page
    assert "Assemblée" in text(portal, f"/agenda?day={day:%Y-%m-%d}")


def test_an_event_of_several_days_stands_under_each_of_them_apart_from_what_begins_there(portal, board, settings, today):
    start = board.now() - 1440
    board.post(Draft(Kind.EVENT, "", title="Festival", start=start, end=start + 3 * 1440))
    announce(board, settings, "Soupe", today + timedelta(1))
    for ahead, counted in ((-1, 1), (0, 1), (1, 2), (2, 1)):
        page = words(portal.get(f"/agenda?day={today + timedelta(ahead):%Y-%m-%d}&lang=en"))
        assert page.count("Festival") == 1 and f"{counted} event" in page and ("Still going on" in page) == (ahead > -1)
        assert ahead != 1 or page.index("Soupe") < page.index("Festival")
    assert words(portal.get("/agenda?lang=en")).count("Festival") == 3
    assert "Festival" not in text(portal, f"/agenda?day={today + timedelta(3):%Y-%m-%d}")


def test_a_night_stands_under_its_evening_and_under_today_while_it_lasts(portal, neighbourhood, settings, today):
    neighbourhood.event(("Bal", "Place"), dates.minute(today.replace(hour=20), settings.zone), length=330)
    assert "Bal" not in text(portal, f"/agenda?day={today + timedelta(1):%Y-%m-%d}")
    neighbourhood.clock.advance(15 * 3_600)  # it is one in the morning
    assert "Bal" in text(portal, "/agenda") and "Bal" in text(portal, "/")
    neighbourhood.clock.advance(3_600)
    assert "Bal" not in text(portal, "/agenda")
    assert "Bal" in text(portal, f"/agenda?day={today:%Y-%m-%d}")


def test_an_event_stands_under_its_day_where_it_takes_place_whatever_the_hour_here(portal, neighbourhood, today, settings):
    late = dates.minute((today + timedelta(1)).replace(hour=23, minute=30), settings.zone)
    for title, offset, day in (("Londres", 0, 1), ("Athènes", 8, 2)):
        neighbourhood.event((title, "Place"), late, offset=offset)
        for ahead in (0, 1, 2, 3):
            assert (title in text(portal, f"/agenda?day={today + timedelta(ahead):%Y-%m-%d}")) == (ahead == day)


@pytest.mark.parametrize("query", ["week=2026-W99", "week=x", "week=9999-W01", "month=2026-13", "month=9999-01", "month=",
                                   "week=2023-W01", "month=2056-01", "week=%00", "topic=x", "day=2026-02-30",
                                   "day=x", "day=2023-01-01", "day="])
def test_a_date_that_is_none_is_not_found(portal, query):
    assert portal.get(f"/agenda?{query}").status_code == 404


def test_the_first_and_the_last_weeks_and_months_are_shown(portal):
    for query in ("month=2024-01", "month=2055-10", "week=2024-W01", "week=2055-W39"):
        assert portal.get(f"/agenda?{query}").status_code == 200


def test_events_are_marked_for_programs(portal, board, settings):
    announce(board, settings, "Été", datetime(2026, 12, 1))
    page = text(portal, "/agenda?month=2026-12")
    assert 'class="h-event"' in page and 'class="dt-start" datetime="2026-12-01T18:00+01:00"' in page


FORTY_A_DAY = 40
LONG = ("Distribution de légumes à l’école des Récollets, apportez des sacs et de quoi écrire",
        "اجتماع الجيران في دار الجمعيات مساء الغد، نتكلم عن الماء وعن المدرسة", "Bal")


def crowd(folder, hours=0):
    """Eleven days of forty events, long and short, and sixty bulletins: 500 records; the board, so many hours after ten."""
    made, settings = Neighbourhood(folder), portal_settings()
    today = dates.here(made.board.now(), settings.zone)
    for day in range(11):
        for number in range(FORTY_A_DAY):
            at = (today + timedelta(day)).replace(hour=6, minute=0) + timedelta(minutes=20 * number)
            title = f"{LONG[number % 3]} n{day}.{number}z"
            place = "Quai" if number == 7 else f"Maison des associations, {number} rue du Canal, deuxième étage à gauche"
            made.event((title, place), dates.minute(at, settings.zone), number % 14)
    for number in range(60):
        made.bulletin(f"{number} {LONG[number % 3]} " * 2, number % 14, urgent=number < 5)
    made.clock.advance(3_600 * hours)
    return made


@pytest.fixture(scope="module")
def crowded(tmp_path_factory):
    """The portal of such a board, to be read."""
    made = crowd(tmp_path_factory.mktemp("crowded"))
    yield create_app(made.board, portal_settings()).test_client()
    made.archive.close()


@pytest.fixture(scope="module", params=[0, 8])
def crowded_since(request, tmp_path_factory):
    """The same, hours later."""
    made = crowd(tmp_path_factory.mktemp("since"), request.param)
    yield create_app(made.board, portal_settings()).test_client()
    made.archive.close()


def turned(portal, path):
    """The pages of a list from its first, each by the link of the one before; what it is told to be, and what was seen."""
    seen, pages = [], []
    while path:
        answer = portal.get(path)
        page = answer.get_data(as_text=True)
        assert len(answer.data) + 900 <= 14_000, path
        pages.append(path)
        seen += re.findall(r"n(\d+\.\d+)z</a>", page)
        following = re.search(r'rel="next" href="([^"]*from=[^"]*)"', page)
        path = following and html.unescape(following[1])
    return pages, seen


@pytest.mark.once
@pytest.mark.parametrize("language", ["fr", "en", "es", "ar"])
def test_forty_events_a_day_are_all_reached_by_turning_pages(crowded, today, language):
    portal = crowded
    day, topic = f"{today + timedelta(1):%Y-%m-%d}", 3
    per_day = len([number for number in range(FORTY_A_DAY) if number % 14 == topic])
    for path, count in ((f"/agenda?day={day}", FORTY_A_DAY), ("/agenda?", 7 * FORTY_A_DAY),
                        ("/agenda?topic=mutual-aid", 11 * per_day)):
        pages, seen = turned(portal, f"{path}&lang={language}")
        assert len(seen) == len(set(seen)) == count, path
        if len(pages) > 1:
            assert f" {count}</span>" in text(portal, pages[0]) + text(portal, pages[-1])
            back = re.search(r'rel="prev" href="([^"]*to=[^"]*)"', text(portal, pages[-1]))[1]
            end = int(re.search(r"from=(\d+)", pages[-1])[1])
            before = re.findall(r"n(\d+\.\d+)z</a>", text(portal, html.unescape(back)))
            assert before == seen[end - len(before):end] and before


@pytest.mark.once
def test_a_month_counts_all_its_events_marks_their_days_and_turns(crowded, today):
    portal = crowded
    pages, seen = turned(portal, f"/agenda?month={today:%Y-%m}&lang=en")
    days = {(today + timedelta(ahead)).date() for ahead in range(11)}
    assert len(seen) == len(set(seen)) == 11 * FORTY_A_DAY and f"{11 * FORTY_A_DAY} events" in text(portal, pages[0])
    assert set(re.findall(r"day=(\d{4}-\d\d-\d\d)", text(portal, pages[0]))) == {day.isoformat() for day in days}


def test_a_month_says_why_it_has_more_lines_than_events(neighbourhood, portal, today, settings):
    at = dates.minute(today.replace(hour=12), settings.zone)
    neighbourhood.event(("Bal", "Place"), at)
    assert "1 event</p>" in text(portal, f"/agenda?month={today:%Y-%m}&lang=en")
    neighbourhood.event(("Fête", "Quai"), at, length=3 * 1440)
    assert "2 events – what lasts several days stands under each of them: 5 lines</p>" in text(
        portal, f"/agenda?month={today:%Y-%m}&lang=en")


@pytest.mark.parametrize("language", ["fr", "en", "es", "ar"])
def test_home_says_how_many_events_it_does_not_show_and_leads_to_them(crowded_since, today, language):
    portal = crowded_since
    answer = portal.get(f"/?lang={language}")
    page = answer.get_data(as_text=True)
    seen = set(re.findall(r'href="/r/([0-9a-f]{12})', page.partition('<div class="two">')[2].partition('id="new"')[0]))
    said = page.partition("</h3>")[2]
    left_today, left, later = (int(re.search(rf'href="/agenda\?{asked}[^"]*">(?:<strong>)?\D*(\d+)', said)[1])
                               for asked in (f"day={today:%Y-%m-%d}", "from=", "week="))
    assert len(answer.data) + 900 <= 14_000
    assert len(seen) + left == 7 * FORTY_A_DAY and left_today + len(seen) == FORTY_A_DAY and later == 4 * FORTY_A_DAY
    assert len(seen) > FORTY_A_DAY // 2
    following = html.unescape(re.search(r'href="(/agenda\?from=[^"]*)"', page)[1])
    onwards = re.findall(r'href="/r/([0-9a-f]{12})', text(portal, following))
    assert onwards[0] not in seen


def test_home_shows_all_of_today_in_short_rows_before_anything_of_the_week(portal, neighbourhood, settings, today):
    for number in range(30):
        at = today.replace(hour=8) + timedelta(minutes=30 * number)
        neighbourhood.event((f"{LONG[0]} n0.{number}z"[-38:], LONG[0]), dates.minute(at, settings.zone), length=20)
    page = text(portal, "/?lang=fr")
    assert len(set(re.findall(r"n0\.(\d+)z", page))) == 30 and page.index("Plus tard") < page.index("Plus tôt")


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

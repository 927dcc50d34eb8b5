"""A table of events in three zones: over both changes of clocks, past midnight, whole days, repeated, called off, moved.

Each is read on the page, on paper, in the calendar by two libraries that are not ours, and on an island in another zone.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
import vobject

from node.board.spans import span_of
from node.i18n.moments import Dates
from node.model.event import MAX_SPAN_DAYS
from tests.sim.portals import Neighbourhood, portal_settings, words
from web import create_app
from web.forms import draft_of, typed

pytestmark = pytest.mark.once

ENGLISH = Dates("en")
# (where, the Sunday when clocks go on, that when they go back)
ZONES = {"Europe/Paris": (date(2026, 3, 29), date(2026, 10, 25)), "America/New_York": (date(2026, 3, 8), date(2026, 11, 1)),
         "Australia/Lord_Howe": (date(2026, 10, 4), date(2026, 4, 5))}


def days(first, *numbers):
    return [first + timedelta(number) for number in numbers]


def evening(first, begin, end, over=0):
    begins, ends = time.fromisoformat(begin), time.fromisoformat(end)
    return datetime.combine(first, begins), datetime.combine(first + timedelta(over), ends)


def whole(first, many=1):
    return datetime.combine(first, time()), datetime.combine(first + timedelta(many), time())


def form(day, begin="", end="", **more):
    return {"start_date": f"{day:%d/%m/%Y}", "start_time": begin, "end_time": end, **more}


# What is typed, and all dates as clocks show them; `on` and `back` are the days when clocks are changed.
TABLE = {
    "an evening": lambda on, back: (form(on - timedelta(9), "18:30", "20h"),
                                    [evening(on - timedelta(9), "18:30", "20:00")]),
    "no end": lambda on, back: (form(back, "18:30"), [evening(back, "18:30", "18:30")]),
    "past midnight": lambda on, back: (form(back + timedelta(3), "20:30", "1:30"),
                                       [evening(back + timedelta(3), "20:30", "01:30", 1)]),
    "until midnight": lambda on, back: (form(on, "20:00", "24h"), [evening(on, "20:00", "00:00", 1)]),
    "from midnight on": lambda on, back: (form(on, "0:00", "1h30"), [evening(on, "00:00", "01:30")]),
    "the night when clocks go on": lambda on, back: (form(on - timedelta(1), "22:00", "4:00"),
                                                     [evening(on - timedelta(1), "22:00", "04:00", 1)]),
    "the night when clocks go back": lambda on, back: (form(back - timedelta(1), "22:00", "4:00"),
                                                       [evening(back - timedelta(1), "22:00", "04:00", 1)]),
    "three days when clocks go on": lambda on, back: (
        form(on - timedelta(2), "10:00", "18:00", end_date=f"{on:%d/%m/%Y}"),
        [evening(on - timedelta(2), "10:00", "18:00", 2)]),
    "three days when clocks go back": lambda on, back: (
        form(back - timedelta(2), "10:00", "18:00", end_date=f"{back:%d/%m/%Y}"),
        [evening(back - timedelta(2), "10:00", "18:00", 2)]),
    "a whole day": lambda on, back: (form(on - timedelta(3), whole_day="1"), [whole(on - timedelta(3))]),
    "a whole day of 23 hours": lambda on, back: (form(on, whole_day="1"), [whole(on)]),
    "a whole day of 25 hours": lambda on, back: (form(back, whole_day="1"), [whole(back)]),
    "three whole days": lambda on, back: (
        form(back - timedelta(1), whole_day="1", end_date=f"{back + timedelta(1):%d/%m/%Y}"),
        [whole(back - timedelta(1), 3)]),
    "each week": lambda on, back: (form(on - timedelta(12), "19:00", "21:00", repeat="1.1", repeat_times="5"),
                                   [evening(day, "19:00", "21:00") for day in days(on - timedelta(12), 0, 7, 14, 21, 28)]),
    "each week's night, over the change": lambda on, back: (
        form(back - timedelta(8), "22:00", "4:00", repeat="1.1", repeat_until=f"{back + timedelta(6):%d/%m/%Y}"),
        [evening(day, "22:00", "04:00", 1) for day in days(back - timedelta(8), 0, 7, 14)]),
    "one called off": lambda on, back: (
        form(back - timedelta(5), "9:00", "10:00", repeat="1.1", repeat_times="4", off=f"{back + timedelta(2):%d/%m/%Y}"),
        [evening(day, "09:00", "10:00") for day in days(back - timedelta(5), 0, 14, 21)]),
    "every other week, one moved": lambda on, back: (
        form(on - timedelta(20), "18:00", "19:30", repeat="1.2", repeat_times="3",
             moved=f"{on - timedelta(6):%d/%m/%Y} > {on:%d/%m/%Y} 17h"),
        [evening(on - timedelta(20), "18:00", "19:30"), evening(on, "17:00", "18:30"),
         evening(on + timedelta(8), "18:00", "19:30")]),
    "first Sundays": lambda on, back: (form(date(2026, 2, 1), "10:00", "12:00", repeat="3.1", repeat_times="4"),
                                       [evening(date(2026, *day), "10:00", "12:00")
                                        for day in ((2, 1), (3, 1), (4, 5), (5, 3))]),
    "last Fridays": lambda on, back: (form(date(2026, 1, 30), "20:00", "0:30", repeat="4.1", repeat_times="4"),
                                      [evening(date(2026, *day), "20:00", "00:30", 1)
                                       for day in ((1, 30), (2, 27), (3, 27), (4, 24))]),
    "each 31st": lambda on, back: (form(date(2026, 1, 31), "18:00", repeat="2.1", repeat_times="4"),
                                   [evening(date(2026, *day), "18:00", "18:00")
                                    for day in ((1, 31), (3, 31), (5, 31), (7, 31))]),
    "whole days, one called off, one moved": lambda on, back: (
        form(on - timedelta(7), whole_day="1", repeat="1.1", repeat_times="4", off=f"{on:%d/%m/%Y}",
             moved=f"{on + timedelta(7):%d/%m/%Y} > {on + timedelta(9):%d/%m/%Y}"),
        [whole(day) for day in days(on, -7, 9, 14)]),
}
ROWS = [(name, zone) for name in TABLE for zone in ZONES]


def said(first, last, whole_days):
    """A moment as a neighbour would say it, in English."""
    day, later = ENGLISH.dated_day(first.date()), ENGLISH.day(last.date())
    if whole_days:
        shown = ENGLISH.day((last - timedelta(1)).date())
        return f"{day}, all day" if last - first == timedelta(1) else f"{ENGLISH.dated_day(first.date())} to {shown}"
    if first == last:
        return f"{day}, {first:%H:%M}"
    if last - first < timedelta(hours=18):
        return f"{day}, {first:%H:%M} – {last:%H:%M}"
    return f"{day}, {first:%H:%M}, until {later}, {last:%H:%M}"


@pytest.fixture
def other(tmp_path):
    (tmp_path / "other").mkdir()
    made = Neighbourhood(tmp_path / "other")
    yield made
    made.archive.close()


def by_icalendar(text, zone):
    """Starts and ends, by icalendar and recurring_ical_events."""
    found = recurring_ical_events.of(icalendar.Calendar.from_ical(text)).between((2025, 12, 1), (2027, 3, 1))
    return sorted((wall(one["DTSTART"].dt, zone), wall(one["DTEND"].dt if "DTEND" in one else one["DTSTART"].dt, zone))
                  for one in found)


def by_vobject(text, zone):
    """Starts, by vobject and dateutil."""
    events = vobject.readOne(text.decode()).vevent_list
    moved = [event for event in events if "recurrence-id" in event.contents]
    starts = {wall(one, zone) for event in events if event not in moved
              for one in event.getrruleset() or [event.dtstart.value]}
    starts -= {wall(event.recurrence_id.value, zone) for event in moved}
    return sorted(starts | {wall(event.dtstart.value, zone) for event in moved})


def wall(moment, zone):
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time())
    at_utc = moment.tzinfo is not None and not moment.utcoffset()
    return (moment.astimezone(zone) if at_utc else moment).replace(tzinfo=None)


@pytest.mark.parametrize(("name", "place"), ROWS, ids=[f"{name}, {zone}" for name, zone in ROWS])
def test_an_event_is_when_it_was_typed_wherever_it_is_read(neighbourhood, other, name, place):
    zone, (fields, expected) = ZoneInfo(place), TABLE[name](*ZONES[place])
    here = replace(portal_settings(), timezone=place)
    what = typed({"kind": "event", "title": "Bal", "language": "fr", **fields})
    draft = draft_of(what, here, neighbourhood.board.now())
    assert not what.problems
    posted = neighbourhood.board.post(draft)
    other._publish(neighbourhood.liveset.raw(bytes.fromhex(posted.id)))
    portals = create_app(neighbourhood.board, here).test_client(), create_app(other.board, portal_settings()).test_client()
    whole_days = bool(fields.get("whole_day"))

    for island in (neighbourhood, other):
        now = island.board.now()
        found = [one for one in island.board.announced(now, now + MAX_SPAN_DAYS * 1440) if not one.date.off]
        assert [(span_of(one).first, span_of(one).last) for one in found] == sorted(expected)
    for portal in portals:
        page, sheet = (words(portal.get(f"/r/{posted.id[:12]}{more}?lang=en")) for more in ("", "/print"))
        assert said(*min(expected), whole_days) in page
        assert said(*min(expected), whole_days).replace(",", "") in sheet.replace(",", "")  # in two lines
        assert len(expected) == 1 or all(said(*one, whole_days) in page for one in expected)
        text = portal.get(f"/r/{posted.id[:12]}.ics").data
        assert by_icalendar(text, zone) == sorted(expected)
        assert by_vobject(text, zone) == sorted(first for first, _last in expected)
    assert len(neighbourhood.liveset.raw(bytes.fromhex(posted.id))) < 120


def test_the_table_has_sixty_events_and_more():
    assert len(ROWS) >= 60

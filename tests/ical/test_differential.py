"""Generated calendars: this island announces the dates that other programs find too (recurring-ical-events, dateutil)."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events

from node.ical.parser import AHEAD_DAYS, MAX_REPEATS, Locality, read
from node.ical.values import EPOCH
from node.model.event import occasions
from tests.ical.agendas import calendar, event

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2025, 12, 1, 9)
MINUTE = (NOW - EPOCH) // timedelta(minutes=1)
ZONES = ["Europe/Paris", "America/Montreal", "Asia/Tokyo"]
WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
ROUNDS = 150


def generated(rng):
    """One event with what repeats it, and what is exempt of it or said of one date; all by the clocks of its zone."""
    zone, whole = rng.choice(ZONES), rng.random() < 0.25
    start = NOW.replace(hour=rng.choice([0, 10, 19, 23])) + timedelta(rng.randint(-400, 20))

    def at(moment):
        return f";VALUE=DATE:{moment:%Y%m%d}" if whole else f";TZID={zone}:{moment:%Y%m%dT%H%M%S}"

    days = sorted({WEEKDAYS[start.weekday()], *rng.sample(WEEKDAYS, rng.randint(0, 2))})
    rules = ["FREQ=DAILY", f"FREQ=WEEKLY;BYDAY={','.join(days)}", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY",
             f"FREQ=MONTHLY;BYDAY={(start.day - 1) // 7 + 1}{WEEKDAYS[start.weekday()]}",
             f"FREQ=WEEKLY;WKST=SU;BYDAY={','.join(days)}"]
    until = f";UNTIL={start + timedelta(rng.randint(5, 500)):%Y%m%d}" + ("" if whole else "T235959Z")
    rule = rng.choice(rules) + rng.choice(["", f";INTERVAL={rng.randint(1, 3)}"]) + rng.choice(
        ["", f";COUNT={rng.randint(2, 90)}", until])
    lines = [f"DTSTART{at(start)}", f"RRULE:{rule}", rng.choice(["DURATION:P1D", "DURATION:P2D"] if whole else
                                                            ["DURATION:PT2H", "DURATION:PT45M"])]
    component = icalendar.Event.from_ical("\r\n".join(event(*lines)))
    found = [one["DTSTART"].dt for one in recurring_ical_events.of(wrapped(component)).between(NOW, NOW + timedelta(60))]
    dates = [one.replace(tzinfo=None) if isinstance(one, datetime) else datetime(*one.timetuple()[:3]) for one in found]
    gone, said = rng.sample(dates, min(len(dates), 4))[:2], []
    lines += [f"EXDATE{at(one)}" for one in gone if rng.random() < 0.5]
    if not whole and zone != "America/Montreal":  # there 19 h is midnight in UTC, which the other program takes for the day
        lines += [f"EXDATE;VALUE=DATE:{one:%Y%m%d}" for one in gone[:1] if rng.random() < 0.3]
    lines += [f"RDATE{at(start + timedelta(rng.randint(200, 500)))}"] if rng.random() < 0.2 else []
    for one in [date for date in dates if date not in gone][:rng.randint(0, 2)]:
        moved = one + timedelta(hours=0 if whole else rng.randint(-5, 5), days=rng.randint(0, 2))
        said.append(event(f"RECURRENCE-ID{at(one)}", f"DTSTART{at(moved)}", lines[2],
                          *(["LOCATION:Ailleurs"] if rng.random() < 0.3 else [])))
    return calendar(event(*lines), *said)


def wrapped(component):
    whole = icalendar.Calendar()
    whole.add_component(component)
    return whole


def theirs(content):
    """(start, end) in minutes of what goes on or comes within the weeks that are announced, by another program."""
    whole = icalendar.Calendar.from_ical(content)
    found = recurring_ical_events.of(whole).between(NOW - timedelta(3), NOW + timedelta(AHEAD_DAYS + 3))
    return sorted((minute(one["DTSTART"].dt), minute(one["DTEND"].dt)) for one in found)


def ours(content):
    """The same, of what this island would post."""
    agenda = read(content, Locality(PARIS), MINUTE)
    dates = [(one.start, one.end) for entry in agenda.entries if entry.cancelled is None and entry.draft.event
             for one in occasions(entry.draft.event) if not one.off]
    return agenda, sorted(one for one in dates if one[1] > MINUTE and one[0] < MINUTE + AHEAD_DAYS * 1440)


def minute(moment):
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=PARIS)
    return (moment.astimezone(UTC).replace(tzinfo=None) - EPOCH) // timedelta(minutes=1)


@pytest.mark.parametrize("seed", range(6))
def test_generated_calendars_have_the_dates_that_another_program_finds(seed):
    rng, compared, as_one = random.Random(seed), 0, 0
    for _ in range(ROUNDS // 6):
        content = generated(rng)
        expected = [one for one in theirs(content) if one[1] > MINUTE and one[0] < MINUTE + AHEAD_DAYS * 1440]
        agenda, found = ours(content)
        as_one += any(entry.draft.repetition for entry in agenda.entries)
        if found != expected[:MAX_REPEATS] or len(expected) < MAX_REPEATS:
            assert found == expected, content.decode()
        compared += len(expected)
    assert compared > 30 and as_one > 5

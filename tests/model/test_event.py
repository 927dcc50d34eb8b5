"""When events are: the dates of repeated ones, held against another library, and their hours across changes of clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from node.model.event import DAY_MIN, Event, Exempt, Repetition, Rhythm, occasions
from node.model.record import Kind, Record, decode, encode, sign
from node.model.zones import event_in
from tests.sim.village import key

PARIS, LORD_HOWE, CASABLANCA, NEW_YORK = (ZoneInfo(name) for name in (
    "Europe/Paris", "Australia/Lord_Howe", "Africa/Casablanca", "America/New_York"))
EPOCH = datetime(2024, 1, 1, tzinfo=UTC)


def minute(wall, zone=PARIS):
    return (wall.replace(tzinfo=zone) - EPOCH) // timedelta(minutes=1)


def made(first, last=None, zone=PARIS, whole=False, repetition=None):
    return event_in(zone, minute(first, zone), last and minute(last, zone), whole, repetition)


def shown(event):
    """Start and end of each date that takes place, as clocks show them."""
    def wall(at, offset):
        return EPOCH.replace(tzinfo=None) + timedelta(minutes=at + 15 * offset)

    return [(wall(one.start, one.offset), wall(one.end, one.end_offset)) for one in occasions(event) if not one.off]


def by_dateutil(first, rule):
    """The same dates, worked out by dateutil."""
    days = rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA, rrule.SU
    begin = datetime.combine(first, datetime.min.time())
    weekday, more = days[begin.weekday()], {}
    match rule.rhythm:
        case Rhythm.DAYS:
            frequency = rrule.DAILY
        case Rhythm.WEEKS:
            frequency = rrule.WEEKLY
        case Rhythm.WEEKDAYS:
            frequency, more = rrule.WEEKLY, {"byweekday": [day for at, day in enumerate(days) if rule.weekdays >> at & 1]}
        case Rhythm.MONTHS:
            frequency = rrule.MONTHLY
        case Rhythm.MONTH_WEEKDAY:
            frequency, more = rrule.MONTHLY, {"byweekday": weekday((first.day + 6) // 7)}
        case Rhythm.MONTH_LAST:
            left = (first.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1) - first
            frequency, more = rrule.MONTHLY, {"byweekday": weekday(-(left.days // 7 + 1))}
    found = rrule.rrule(frequency, begin, rule.every, count=rule.count, wkst=rrule.MO, **more)
    return [one.date() for one in found if one <= begin + timedelta(400)]


@settings(deadline=None)
@given(st.dates(date(2024, 1, 1), date(2054, 1, 1)), st.sampled_from(Rhythm), st.integers(1, 15), st.integers(2, 128),
       st.integers(0, 127))
def test_dates_are_those_that_another_library_finds(first, rhythm, every, count, more_days):
    weekdays = (more_days | 1 << first.weekday()) if rhythm is Rhythm.WEEKDAYS else 0
    if weekdays.bit_count() == 1:
        weekdays |= 1 << (first.weekday() + 3) % 7
    rule = Repetition(rhythm, every, count, weekdays)
    event = Event((first - date(2024, 1, 1)).days * DAY_MIN + 600, 60, 0, repetition=rule)
    expected = by_dateutil(first, rule)
    assert [start.date() for start, _end in shown(event)] == expected
    assert event.is_sound() is (len(expected) == count)


@pytest.mark.parametrize(("zone", "first", "last"), [
    (PARIS, datetime(2026, 3, 27, 10), datetime(2026, 3, 29, 18)),
    (PARIS, datetime(2026, 3, 29, 1, 30), datetime(2026, 3, 29, 3, 30)),
    (PARIS, datetime(2026, 10, 24, 22), datetime(2026, 10, 25, 4)),
    (PARIS, datetime(2026, 10, 25, 1), datetime(2026, 10, 25, 5)),
    (LORD_HOWE, datetime(2026, 4, 4, 20), datetime(2026, 4, 5, 9)),
    (LORD_HOWE, datetime(2026, 10, 3, 20), datetime(2026, 10, 4, 9)),
    (NEW_YORK, datetime(2026, 3, 7, 20), datetime(2026, 3, 8, 9)),
    (CASABLANCA, datetime(2026, 2, 14, 20), datetime(2026, 2, 15, 9)),
])
def test_start_and_end_are_shown_as_they_were_typed_across_a_change_of_clocks(zone, first, last):
    event = made(first, last, zone)
    assert shown(event) == [(first, last)] and event.is_sound() and len(event.shifts) == 1


@pytest.mark.parametrize("first", [datetime(2026, 3, 29), datetime(2026, 10, 25), datetime(2026, 10, 24)])
def test_a_whole_day_is_one_though_it_has_23_or_25_hours(first):
    event = made(first, first + timedelta(1), whole=True)
    assert shown(event) == [(first, first + timedelta(1))] and event.is_sound()
    assert event.length == {datetime(2026, 3, 29): 23, datetime(2026, 10, 25): 25}.get(first, 24) * 60


def test_a_repeated_event_keeps_its_hours_through_a_year_of_both_changes():
    first = datetime(2026, 1, 6, 18, 30)
    event = made(first, first + timedelta(hours=2), repetition=Repetition(Rhythm.WEEKS, 1, 52))
    assert len(event.shifts) == 2 and event.is_sound()
    assert shown(event) == [(day := first + timedelta(7 * week), day + timedelta(hours=2)) for week in range(52)]


def test_single_dates_are_called_off_or_moved_by_their_own_clocks():
    first = datetime(2026, 3, 22, 10)
    rule = Repetition(Rhythm.WEEKS, 1, 3, exempt=(Exempt(0), Exempt(1, -24 * 60 + 30)))
    event = made(first, first + timedelta(hours=1), repetition=rule)
    assert shown(event) == [(datetime(2026, 3, 28, 10, 30), datetime(2026, 3, 28, 11, 30)),
                            (datetime(2026, 4, 5, 10), datetime(2026, 4, 5, 11))]


def test_an_end_that_was_never_given_is_not_invented():
    first = datetime(2026, 3, 22, 10)
    assert shown(made(first)) == [(first, first)]


def test_a_repeated_event_costs_three_octets_more_and_lives_until_its_last_date_is_over():
    first = datetime(2026, 12, 1, 18, 30)
    created, keys = minute(first) - 60, key("ana")
    sizes = []
    for repetition in (None, Repetition(Rhythm.WEEKS, 1, 12)):
        event = made(first, first + timedelta(hours=1), repetition=repetition)
        raw = encode(sign(Record(Kind.EVENT, keys.key_id, created, detail=event, packed=b"bal"), bytes(16), keys.sign))
        sizes.append(len(raw))
        assert decode(raw).detail == event
        assert decode(raw).expires == minute(first + timedelta(7 * 11 if repetition else 0, 3600)) + DAY_MIN
    assert sizes[1] - sizes[0] == 3

"""When an island rests, by wall clocks: over midnight, on some weekdays, and in the nights when clocks are changed."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.board.night_rest import Rest, RestPart, next_rest, plan_as_json, plan_of, resting, soon
from web import dates

PARIS = ZoneInfo("Europe/Paris")
NIGHT = Rest(22 * 60, 7 * 60)
ZONES = ("Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC")


def at(text, zone=PARIS):
    """The minute of a moment by wall clocks: `2026-03-28 22:00`."""
    return dates.minute(datetime.fromisoformat(text), zone)


def shown(span):
    """A span as wall clocks in Paris show its ends."""
    return tuple(f"{dates.here(minute, PARIS):%Y-%m-%d %H:%M}" for minute in (span.begin, span.end))


def test_a_rest_goes_over_midnight_and_ends_when_it_says():
    assert resting(NIGHT, at("2026-11-30 21:59"), PARIS) is None
    for moment in ("2026-11-30 22:00", "2026-12-01 00:00", "2026-12-01 06:59"):
        assert shown(resting(NIGHT, at(moment), PARIS)) == ("2026-11-30 22:00", "2026-12-01 07:00")
    assert resting(NIGHT, at("2026-12-01 07:00"), PARIS) is None
    assert shown(next_rest(NIGHT, at("2026-12-01 07:00"), PARIS)) == ("2026-12-01 22:00", "2026-12-02 07:00")


def test_a_rest_in_the_daytime_stays_within_its_day():
    noon = Rest(12 * 60, 14 * 60)
    assert shown(resting(noon, at("2026-12-01 13:00"), PARIS)) == ("2026-12-01 12:00", "2026-12-01 14:00")
    assert resting(noon, at("2026-12-01 14:00"), PARIS) is None


def test_the_weekday_is_that_on_which_it_begins():
    sunday = Rest(22 * 60, 7 * 60, frozenset({6}))
    assert resting(sunday, at("2026-11-30 03:00"), PARIS)  # the night from Sunday to Monday
    assert resting(sunday, at("2026-11-30 23:00"), PARIS) is None
    assert shown(next_rest(sunday, at("2026-11-30 23:00"), PARIS))[0] == "2026-12-06 22:00"


def test_it_is_told_an_hour_before_and_no_more_once_it_has_begun():
    assert soon(NIGHT, at("2026-12-01 20:59"), PARIS) is None
    assert soon(NIGHT, at("2026-12-01 21:00"), PARIS) and soon(NIGHT, at("2026-12-01 21:59"), PARIS)
    assert soon(NIGHT, at("2026-12-01 22:00"), PARIS) is None


@pytest.mark.parametrize(("evening", "hours"), [("2026-03-28 22:00", 8), ("2026-10-24 22:00", 10), ("2026-03-30 22:00", 9)])
def test_in_the_nights_when_clocks_are_changed_it_begins_and_ends_as_wall_clocks_show(evening, hours):
    span = resting(NIGHT, at(evening), PARIS)
    assert shown(span) == (evening, f"{datetime.fromisoformat(evening).date() + timedelta(1)} 07:00")
    assert span.end - span.begin == 60 * hours


def test_what_begins_in_the_hour_that_clocks_skip_lasts_as_long_as_it_would():
    assert shown(resting(Rest(150, 180 + 60), at("2026-03-29 03:45"), PARIS)) == ("2026-03-29 03:30", "2026-03-29 04:00")
    within = Rest(135, 180)  # 2:15 to 3:00: its end comes before its beginning
    assert resting(within, at("2026-03-29 03:10"), PARIS) is None
    assert shown(next_rest(within, at("2026-03-29 00:00"), PARIS)) == ("2026-03-30 02:15", "2026-03-30 03:00")


def test_of_an_hour_that_comes_twice_the_first_one_counts():
    span = next_rest(Rest(150, 165), at("2026-10-25 00:00"), PARIS)
    assert (span.end - span.begin, dates.here(span.begin, PARIS).hour) == (15, 2)
    assert resting(Rest(150, 165), span.begin + 60, PARIS) is None


@given(zone=st.sampled_from(ZONES), begin=st.integers(0, 1439), length=st.integers(1, 1439),
       days=st.frozensets(st.integers(0, 6), min_size=1), minute=st.integers(0, 6_000_000))
def test_wherever_and_whenever_the_rest_is_the_one_that_wall_clocks_show(zone, begin, length, days, minute):
    zone, rest = ZoneInfo(zone), Rest(begin, (begin + length) % 1440, days)
    span = next_rest(rest, minute, zone)
    assert span and span.begin < span.end and minute < span.end <= span.begin + 1440 + 60
    assert span.begin <= minute + 8 * 1440 + 60
    assert (resting(rest, minute, zone) == span) == (span.begin <= minute)
    wall = dates.here(span.begin, zone)
    if dates.minute(wall, zone) == span.begin and wall.hour * 60 + wall.minute == begin:  # no hour was skipped or doubled
        assert wall.weekday() in days


def test_a_rest_without_end_or_day_or_of_another_clock_fits_nowhere():
    assert NIGHT.fits
    for odd in (Rest(60, 60), Rest(60, 120, frozenset()), Rest(-1, 9), Rest(5, 1440), Rest(0, 9, frozenset({7}))):
        assert not odd.fits, odd


def test_nothing_rests_where_nothing_is_planned():
    assert resting(None, 0, PARIS) is None and soon(None, 0, PARIS) is None


def test_a_plan_is_kept_as_it_is():
    plan = {RestPart.WIFI: NIGHT, RestPart.RADIO: Rest(0, 360, frozenset({5, 6}))}
    assert plan_of(plan_as_json(plan)) == plan

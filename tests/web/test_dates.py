"""Days and hours are those of the island; records count minutes."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from node.model.clock import minute_of, seconds_of
from web import dates

PARIS, KABUL = ZoneInfo("Europe/Paris"), ZoneInfo("Asia/Kabul")


def test_a_typed_moment_comes_back_as_it_was_typed_in_summer_and_winter():
    for typed in (datetime(2026, 1, 15, 18, 30), datetime(2026, 7, 15, 18, 30)):
        at = dates.minute(typed, PARIS)
        assert dates.here(at, PARIS) == typed
        assert dates.local(at, dates.offset_at(typed, PARIS)) == typed


def test_offsets_are_quarters_of_an_hour_east_of_utc():
    assert dates.offset_at(datetime(2026, 1, 15), PARIS) == 4
    assert dates.offset_at(datetime(2026, 7, 15), PARIS) == 8
    assert dates.offset_at(datetime(2026, 7, 15), KABUL) == 18


def test_minutes_agree_with_the_clock_of_records():
    at = dates.minute(datetime(2026, 3, 21, 19, 0), PARIS)
    assert minute_of(datetime.fromisoformat("2026-03-21T18:00:00+00:00").timestamp()) == at
    assert datetime.fromtimestamp(seconds_of(at), PARIS).hour == 19


def test_a_day_is_an_hour_shorter_when_summer_time_begins():
    assert dates.midnight(date(2026, 3, 30), PARIS) - dates.midnight(date(2026, 3, 29), PARIS) == 23 * 60

"""Days and hours are read as people type them, in four languages; what is left over is a mistake, never a guess."""

from contextlib import suppress
from datetime import date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.board.typed_moments import TypedMoment, WrongWeekday, at_once, moment_typed

TODAY = date(2026, 11, 30)  # a Monday


@pytest.mark.parametrize(("text", "day", "hour"), [
    ("5/12", (2026, 12, 5), None), ("5/12/27", (2027, 12, 5), None), ("2026-12-05T18:00", (2026, 12, 5), (18, 0)),
    ("samedi 5 décembre à 18 h", (2026, 12, 5), (18, 0)), ("Sat 6:30 pm", (2026, 12, 5), (18, 30)),
    ("demain 20h", (2026, 12, 1), (20, 0)), ("après-demain", (2026, 12, 2), None), ("pasado mañana", (2026, 12, 2), None),
    ("mañana a las 18h", (2026, 12, 1), (18, 0)), ("٥/١٢", (2026, 12, 5), None), ("السبت ٦:٣٠ م", (2026, 12, 5), (18, 30)),
    ("mar 8 dec", (2026, 12, 8), None), ("8 mar", (2027, 3, 8), None), ("mar", (2026, 12, 1), None),
    ("le 5", (2026, 12, 5), None),
    ("29/2", (2028, 2, 29), None), ("15/11", (2026, 11, 15), None), ("5.12.2026", (2026, 12, 5), None), ("", None, None),
    ("tonight at 8 pm", (2026, 11, 30), (20, 0)), ("midi", None, (12, 0)), ("1er janvier", (2027, 1, 1), None),
])
def test_what_is_typed_is_read(text, day, hour):
    found = moment_typed(text, TODAY)
    assert (found.day, found.hour) == (day and date(*day), hour and time(*hour))


@pytest.mark.parametrize("text", [
    "foo", "31/11", "18h60", "25h", "5/12 6/12", "samedi dimanche", "5 mai juin", "1/1/1", "x" * 90])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError):
        moment_typed(text, TODAY)


def test_a_weekday_that_is_not_that_of_its_date_is_a_mistake_of_its_own():
    with pytest.raises(WrongWeekday):
        moment_typed("dimanche 5/12", TODAY)


def test_midnight_ends_the_day_it_is_named_with():
    for text in ("samedi minuit", "samedi 24h", "saturday midnight"):
        assert moment_typed(text, TODAY).wall(TODAY) == datetime(2026, 12, 6)
    assert moment_typed("samedi 0h", TODAY).wall(TODAY) == datetime(2026, 12, 5)


@pytest.mark.parametrize("text", ["18.30", "1830", "18:30", "18h30"])
def test_in_a_field_for_the_hour_a_dot_or_nothing_parts_it_from_its_minutes(text):
    assert moment_typed(text, TODAY, clock=True).hour == time(18, 30)


def test_a_day_by_its_name_is_the_next_one_on_which_it_is_not_past():
    now = datetime(2026, 11, 30, 12)
    assert at_once(moment_typed("lundi 18h", TODAY), TypedMoment(), now).day == TODAY
    assert at_once(moment_typed("lundi", TODAY), moment_typed("9h", TODAY, clock=True), now).day == date(2026, 12, 7)


@given(st.text(max_size=60), st.booleans())
def test_nothing_typed_breaks_it(text, clock):
    with suppress(ValueError):
        assert moment_typed(text, TODAY, clock)

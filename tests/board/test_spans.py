"""How often something is, as a neighbour would say it."""

from datetime import date

import pytest

from node.board.spans import rhythm_of
from node.i18n.moments import Dates
from node.model.event import DAY_MIN, FIRST, Event, Repetition, Rhythm


def said(day, *rule, tag="en"):
    start = (day - FIRST).days * DAY_MIN + 18 * 60
    return rhythm_of(Event(start, 90, 4, repetition=Repetition(*rule)), Dates(tag))


FIRST_THURSDAY, LAST_THURSDAY, NEXT_TO_LAST = date(2026, 3, 5), date(2026, 3, 26), date(2026, 3, 19)


@pytest.mark.parametrize(("day", "rule", "words"), [
    (FIRST_THURSDAY, (Rhythm.DAYS, 1, 3), "each day, until Saturday, 7 March 2026"),
    (FIRST_THURSDAY, (Rhythm.DAYS, 3, 3), "every 3 days, until Wednesday, 11 March 2026"),
    (FIRST_THURSDAY, (Rhythm.WEEKS, 1, 3), "each Thursday, until Thursday, 19 March 2026"),
    (FIRST_THURSDAY, (Rhythm.WEEKS, 2, 3), "every other Thursday, until Thursday, 2 April 2026"),
    (FIRST_THURSDAY, (Rhythm.WEEKS, 3, 2), "every 3 weeks: Thursday, until Thursday, 26 March 2026"),
    (FIRST_THURSDAY, (Rhythm.WEEKDAYS, 1, 4, 0b1001), "each Monday, Thursday, until Monday, 16 March 2026"),
    (FIRST_THURSDAY, (Rhythm.MONTHS, 1, 3), "each month, on day 5, until Tuesday, 5 May 2026"),
    (FIRST_THURSDAY, (Rhythm.MONTHS, 2, 3), "every 2 months, until Sunday, 5 July 2026"),
    (FIRST_THURSDAY, (Rhythm.MONTH_WEEKDAY, 1, 2), "each first Thursday of the month, until Thursday, 2 April 2026"),
    (NEXT_TO_LAST, (Rhythm.MONTH_WEEKDAY, 1, 2), "each third Thursday of the month, until Thursday, 16 April 2026"),
    (LAST_THURSDAY, (Rhythm.MONTH_LAST, 1, 2), "each last Thursday of the month, until Thursday, 30 April 2026"),
    (NEXT_TO_LAST, (Rhythm.MONTH_LAST, 1, 2), "each month, until Thursday, 23 April 2026"),
])
def test_a_rhythm_is_told_with_its_last_day(day, rule, words):
    assert said(day, *rule) == words


def test_what_is_once_has_no_rhythm():
    assert rhythm_of(Event(0, 90, 4), Dates("en")) == ""

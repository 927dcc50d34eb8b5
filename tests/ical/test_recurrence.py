"""Repeated events fall on the days that other programs find too; what is not understood is refused."""

from datetime import date, datetime, timedelta

import pytest
from dateutil.rrule import rrulestr
from icalendar.prop import vRecur

from node.ical.recurrence import days_of, rule_of
from node.model.errors import RemoteFault

RULES = [
    "FREQ=DAILY", "FREQ=DAILY;BYDAY=MO,WE,SU", "FREQ=DAILY;BYMONTHDAY=1,-1", "FREQ=DAILY;BYMONTH=1,3,12", "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=WEEKLY;BYDAY=TU,SU;WKST=SU", "FREQ=WEEKLY;BYDAY=MO,SU;WKST=TH", "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=-1FR,1MO", "FREQ=MONTHLY;BYDAY=SA", "FREQ=MONTHLY;BYMONTHDAY=13,28,-3",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=MO,SA;BYSETPOS=1,-1",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13,14,15",
    "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=1,6", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,-1",
    "FREQ=YEARLY;BYMONTH=5;BYDAY=MO,FR;BYSETPOS=2",
]
ENDS = ["", ";INTERVAL=2", ";INTERVAL=3;COUNT=4", ";COUNT=9"]


def found(text, start, first, last):
    return list(days_of(rule_of(vRecur.from_ical(text)), start, first, last))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("since", [-20, 3, 300])
def test_the_days_are_those_that_dateutil_finds(rule, end, since):
    text = rule + end
    start = next(iter(rrulestr(text, dtstart=datetime(2024, 1, 31)))).date()  # a first day that the rule names
    first, last = start + timedelta(since), start + timedelta(since + 120)
    other = rrulestr(text, dtstart=datetime.combine(start, datetime.min.time()))
    between = other.between(*(datetime.combine(day, datetime.min.time()) for day in (first, last)), inc=True)
    assert found(text, start, first, last) == [moment.date() for moment in between]


@pytest.mark.parametrize("text", [
    "FREQ=SECONDLY", "FREQ=HOURLY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYHOUR=1", "FREQ=DAILY;COUNT=-1",
    "FREQ=WEEKLY;BYDAY=1MO",
    "FREQ=YEARLY;BYDAY=20MO", "FREQ=YEARLY;BYWEEKNO=3", "FREQ=WEEKLY;BYDAY=XX", "INTERVAL=2",
])
def test_a_rule_that_is_not_understood_is_refused(text):
    with pytest.raises(RemoteFault):
        rule_of({name: value.split(",") for name, _, value in (part.partition("=") for part in text.split(";"))})


def test_a_rule_that_never_matches_gives_nothing_and_one_that_counts_from_long_ago_is_refused():
    window = date(2025, 12, 1), date(2026, 1, 5)
    assert found("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", date(2025, 3, 1), *window) == []
    assert found("FREQ=WEEKLY", date(1, 1, 1), *window)
    with pytest.raises(RemoteFault):
        found("FREQ=DAILY;COUNT=999999999", date(1990, 1, 1), *window)

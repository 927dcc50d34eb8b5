"""Repeated events fall on the days that other programs find too; what is not understood is refused."""

from datetime import datetime, timedelta

import pytest
from dateutil.rrule import rrulestr

from node.ical.recurrence import StepBudget, moments_of_rule, rule_of
from node.ical.values import parts_of
from node.model.errors import RemoteFault

RULES = [
    "FREQ=DAILY", "FREQ=DAILY;BYDAY=MO,WE,SU", "FREQ=DAILY;BYMONTHDAY=1,-1", "FREQ=DAILY;BYMONTH=1,3,12", "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=TU,TH", "FREQ=WEEKLY;BYDAY=TU,SU;WKST=SU", "FREQ=WEEKLY;BYDAY=MO,SU;WKST=TH", "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=2TU", "FREQ=MONTHLY;BYDAY=-1FR,1MO", "FREQ=MONTHLY;BYDAY=SA", "FREQ=MONTHLY;BYMONTHDAY=13,28,-3",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "FREQ=MONTHLY;BYDAY=MO,SA;BYSETPOS=1,-1",
    "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13,14,15",
    "FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=1,6", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,-1",
    "FREQ=YEARLY;BYMONTH=5;BYDAY=MO,FR;BYSETPOS=2", "FREQ=YEARLY;BYDAY=20MO,-1SU", "FREQ=YEARLY;BYDAY=TU",
    "FREQ=YEARLY;BYMONTHDAY=13;BYDAY=FR", "FREQ=YEARLY;BYYEARDAY=1,100,-1", "FREQ=YEARLY;BYWEEKNO=20,53,-1;BYDAY=MO,SU",
    "FREQ=YEARLY;BYWEEKNO=10;WKST=SU;BYDAY=SU,SA", "FREQ=YEARLY;BYMONTH=2,5;BYDAY=SA;BYSETPOS=1,-1",
    "FREQ=DAILY;BYHOUR=9,18", "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=8,20;BYMINUTE=0,45",
    "FREQ=MONTHLY;BYDAY=SU;BYHOUR=7,8;BYSETPOS=2",
    "FREQ=HOURLY", "FREQ=HOURLY;BYHOUR=10,11;BYDAY=MO", "FREQ=MONTHLY;BYMONTH=1,7;BYDAY=1MO", "FREQ=WEEKLY;BYMONTH=3",
]
ENDS = ["", ";INTERVAL=2", ";INTERVAL=3;COUNT=4", ";COUNT=9"]


def found(text, start, first, last):
    return list(moments_of_rule(rule_of(parts_of(text)), start, first, last, StepBudget()))


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("since", [-20, 3, 300])
def test_the_moments_are_those_that_dateutil_finds(rule, end, since):
    text = rule + end
    start = next(iter(rrulestr(text, dtstart=datetime(2024, 1, 31, 19, 30))))  # a first moment that the rule names
    first, last = start + timedelta(since), start + timedelta(since + 120)
    assert found(text, start, first, last) == rrulestr(text, dtstart=start).between(first, last, inc=True)


@pytest.mark.parametrize("text", [
    "FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;COUNT=-1",
    "FREQ=DAILY;COUNT=0",
    "FREQ=WEEKLY;BYDAY=1MO", "FREQ=WEEKLY;BYMONTHDAY=3", "FREQ=MONTHLY;BYWEEKNO=3", "FREQ=WEEKLY;BYDAY=XX", "INTERVAL=2",
    "FREQ=DAILY;BYEASTER=1", "FREQ=MONTHLY;BYMONTHDAY=0", "RSCALE=CHINESE;FREQ=DAILY", "FREQ=DAILY;BYSECOND=1,2", "",
])
def test_a_rule_that_is_not_understood_is_refused(text):
    with pytest.raises(RemoteFault):
        rule_of(parts_of(text))


def test_a_rule_that_never_matches_gives_nothing_and_one_that_takes_too_long_is_refused():
    window = datetime(2025, 12, 1), datetime(2026, 1, 5)
    assert found("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", datetime(2025, 3, 1), *window) == []
    assert found("FREQ=WEEKLY", datetime(1600, 1, 1), *window)
    assert found("FREQ=WEEKLY;COUNT=2000", datetime(2010, 12, 7), *window), "counted from long ago"
    with pytest.raises(RemoteFault):
        found("FREQ=DAILY;COUNT=999999999;BYMONTH=2;BYMONTHDAY=30", datetime(1600, 1, 1), *window)


def test_a_first_date_that_its_rule_does_not_name_counts_all_the_same():
    days = found("FREQ=WEEKLY;BYDAY=TU;COUNT=3", datetime(2025, 12, 1), datetime(2025, 1, 1), datetime(2026, 1, 1))
    assert [day.day for day in days] == [1, 2, 9]

"""One function writes a moment for people: with its day unless that is above it, a night without a second date."""

from datetime import date, datetime

import pytest

from node.i18n.catalogue import TAGS
from node.i18n.moments import Dates, Span

TODAY = date(2026, 11, 30)


def at(day, hour=0, minute=0, month=12, year=2026):
    return datetime(year, month, day, hour, minute)


def said(span, under=None, tag="en", **more):
    return Dates(tag).when(span, TODAY, under, **more)


@pytest.mark.parametrize(("span", "whole", "under_first"), [
    (Span(at(4, 18, 30), at(4, 18, 30)), "Friday, 4 December, 18:30", "18:30"),
    (Span(at(4, 18, 30), at(4, 20)), "Friday, 4 December, 18:30 – 20:00", "18:30 – 20:00"),
    (Span(at(4, 20, 30), at(5, 1, 30)), "Friday, 4 December, 20:30 – 01:30", "20:30 – 01:30"),
    (Span(at(4, 10), at(6, 18)), "Friday, 4 December, 10:00, until Sunday, 6 December, 18:00",
     "10:00, until Sunday, 6 December, 18:00"),
    (Span(at(4), at(5), True), "Friday, 4 December, all day", "all day"),
    (Span(at(4), at(7), True), "Friday, 4 December to Sunday, 6 December", "until Sunday, 6 December"),
    (Span(at(1, 10, month=1, year=2027), at(1, 12, month=1, year=2027)), "Friday, 1 January 2027, 10:00 – 12:00",
     "10:00 – 12:00"),
    (Span(at(30, 19, month=11), at(30, 21, month=11)), "Today, Monday, 30 November, 19:00 – 21:00", "19:00 – 21:00"),
])
def test_a_moment_has_its_day_unless_that_is_above_it(span, whole, under_first):
    assert said(span) == whole
    assert said(span, span.first_day) == under_first


def test_what_lasts_for_days_says_on_each_of_them_until_when():
    fair = Span(at(4, 10), at(6, 18))
    assert [said(fair, day) for day in fair.days()] == [
        "10:00, until Sunday, 6 December, 18:00", "until Sunday, 6 December, 18:00", "until 18:00"]
    whole = Span(at(4), at(7), True)
    assert [said(whole, day) for day in whole.days()] == ["until Sunday, 6 December"] * 2 + ["last day"]


def test_a_night_is_on_one_day_and_a_whole_day_does_not_touch_the_next():
    assert Span(at(4, 20, 30), at(5, 4)).days() == [date(2026, 12, 4)]
    assert Span(at(4), at(5), True).days() == [date(2026, 12, 4)]
    assert Span(at(4, 22), at(4, 22)).days() == [date(2026, 12, 4)]


def test_a_short_day_has_the_first_of_a_month_as_people_write_it_and_another_year():
    assert Dates("fr").short_day(date(2026, 12, 1), TODAY) == "mar. 1er déc."
    assert Dates("fr").short_day(date(2027, 1, 11), TODAY) == "lun. 11 janv. 2027"


def test_paper_knows_no_today():
    assert said(Span(at(30, 19, month=11), at(30, 19, month=11)), named=False) == "Monday, 30 November, 19:00"


@pytest.mark.parametrize("tag", TAGS)
def test_each_language_says_all_of_it_in_its_own_words(tag):
    spans = [Span(at(4), at(5), True), Span(at(4), at(7), True), Span(at(4, 10), at(6, 18))]
    texts = [said(span, under, tag) for span in spans for under in (None, *span.days())]
    assert len(texts) == 10
    english = ("until", "all day", "last day", " to ")
    assert tag == "en" or not [text for text in texts if any(word in text for word in english)]
    assert tag != "fr" or texts[-2] == "jusqu’au dimanche 6 décembre, 18:00"

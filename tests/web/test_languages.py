"""Each language writes days and numbers its own way, and a page speaks the reader's."""

from datetime import date, datetime

import pytest

from web.languages import TAGS, language


def test_days_hours_and_numbers_follow_each_language():
    moment = datetime(2026, 3, 21, 18, 5)
    assert language("fr").day(moment) == "samedi 21 mars" and language("fr").time(moment) == "18:05"
    assert language("en").day(moment) == "Saturday, 21 March" and language("en").time(moment) == "18:05"
    assert language("es").day(moment) == "sábado, 21 de marzo"
    assert language("ar").day(moment) == "السبت، 21 مارس"
    assert language("fr").month(date(2026, 3, 1)) == "mars 2026" and language("fr").dated(moment) == "21 mars 2026"
    assert language("fr").number(2.345) == "2,3" and language("en").number(1234.5) == "1,234.5"


def test_time_past_is_told_in_words_and_never_lies_ahead():
    assert language("fr").ago(12) == "il y a 12 minutes"
    assert language("fr").ago(-5) == "il y a 1 minute"


def test_languages_are_named_in_themselves_and_arabic_runs_from_the_right():
    assert [language(tag).name for tag in ("fr", "en", "es", "ar")] == ["Français", "English", "Español", "العربية"]
    assert language("ar").direction == "rtl" and language("fr").direction == "ltr"


def test_the_first_of_a_month_is_written_as_in_french_only_in_french():
    first, second = date(2025, 12, 1), date(2025, 12, 2)
    assert language("fr").dated(first) == "1er décembre 2025" and language("fr").day(first) == "lundi 1er décembre"
    assert language("fr").dated(second) == "2 décembre 2025" and language("en").dated(first) == "1 December 2025"


@pytest.mark.parametrize("tag", TAGS)
def test_the_days_at_the_head_of_a_column_are_short_and_differ(tag):
    heads = [language(tag).weekday(date(2025, 12, day)) for day in range(1, 8)]
    assert len(set(heads)) == 7 and max(map(len, heads)) <= 8

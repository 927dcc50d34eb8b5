"""Every sentence of the portal exists in every language, and each language writes days and numbers its own way."""

import importlib.util
import re
from datetime import date, datetime
from pathlib import Path

import pytest

from web.languages import TAGS, language

SPEC = importlib.util.spec_from_file_location("messages", Path(__file__).parents[1] / "web" / "messages.py")
messages = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(messages)
TRANSLATED = sorted(set(TAGS) - {"en"})
PLACEHOLDER = re.compile(r"%\(\w+\)s")


def forms(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def test_french_english_spanish_and_arabic_are_here():
    assert {"fr", "en", "es", "ar"} <= set(TAGS)


@pytest.mark.parametrize("tag", TRANSLATED)
def test_no_sentence_is_left_untranslated(tag):
    assert messages.missing(tag) == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_no_translation_is_left_of_a_sentence_that_is_gone(tag):
    known = {message.id for message in messages.sentences()}
    assert [message.id for message in messages.catalogue(tag) if message.id not in known] == []


@pytest.mark.parametrize("tag", TRANSLATED)
def test_translations_hold_the_same_places_to_fill(tag):
    for message in messages.catalogue(tag):
        if message.id:
            wanted = set(PLACEHOLDER.findall(message.id if isinstance(message.id, str) else message.id[-1]))
            for form in forms(message):
                assert set(PLACEHOLDER.findall(form)) == wanted, message.id


@pytest.mark.parametrize("tag", TRANSLATED)
def test_the_catalogue_is_read_as_it_is(tag):
    assert language(tag).sentences.gettext("Agenda") == messages.catalogue(tag).get("Agenda").string


def test_plurals_follow_each_language():
    def packets(tag, count):
        return language(tag).sentences.ngettext("%(num)s radio packet", "%(num)s radio packets", count)

    assert packets("fr", 0) == packets("fr", 1) == "%(num)s paquet radio" != packets("fr", 2)
    assert len({packets("ar", count) for count in (1, 3)}) == 2


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

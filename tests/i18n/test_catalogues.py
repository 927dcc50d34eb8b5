"""Every sentence for people exists in every language, with the same places to fill."""

import re
import subprocess
import sys

import pytest

from node.i18n.catalogue import TAGS, catalogue
from tests.i18n import messages

TRANSLATED = sorted(set(TAGS) - {"en"})
PLACE = re.compile(r"%\(\w+\)s")
PLACE_OF_CLICK = re.compile(r"\{\w+(?:!r)?\}")


def forms(message):
    return message.string if isinstance(message.string, tuple) else (message.string,)


def source_of(message):
    return message.id if isinstance(message.id, str) else message.id[-1]


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
    tried = 0
    for message in filter(lambda one: one.id, messages.catalogue(tag)):
        for form in forms(message):
            tried += 1
            assert set(PLACE.findall(form)) == set(PLACE.findall(source_of(message))), message.id
            # of what click says, a translation may leave the kind of a file away
            assert set(PLACE_OF_CLICK.findall(form)) <= set(PLACE_OF_CLICK.findall(str(message.id))), message.id
            if PLACE.search(form):
                assert "%" not in PLACE.sub("", form), message.id  # else filling it would fail
    assert tried > 800


@pytest.mark.parametrize("tag", TRANSLATED)
def test_translations_break_their_lines_where_the_sentence_does(tag):
    assert len(messages.catalogue(tag)) > 1_000
    for message in messages.catalogue(tag):
        lines = {form.count("\n") for form in forms(message)}
        assert not message.id or lines == {source_of(message).count("\n")}, message.id


@pytest.mark.parametrize("tag", TRANSLATED)
def test_a_catalogue_is_read_as_it_is(tag):
    tried = 0
    for message in filter(lambda one: isinstance(one.id, str) and one.id, messages.catalogue(tag)):
        assert catalogue(tag).gettext(message.id) == message.string
        tried += 1
    assert tried > 700


def test_plurals_follow_each_language():
    def packets(tag, count):
        return catalogue(tag).ngettext("%(num)s radio packet", "%(num)s radio packets", count)

    assert packets("fr", 0) == packets("fr", 1) == "%(num)s paquet radio" != packets("fr", 2)
    assert len({packets("ar", count) for count in (1, 3)}) == 2


def test_arabic_counts_as_arabic_does():
    """From 11 to 99 what is counted stands in the singular and the accusative, at whole hundreds it takes no ending (CLDR's
    `many` and `other`, which are the fifth and the sixth form)."""
    arabic, tried = catalogue("ar"), 0
    for message in filter(lambda one: isinstance(one.id, tuple), messages.catalogue("ar")):
        said = {count: arabic.ngettext(*message.id, count) for count in (3, 11, 26, 99, 100, 102, 111, 200)}
        assert said[11] == said[26] == said[99] == said[111] == message.string[4], message.id
        assert said[100] == said[102] == said[200] == message.string[5], message.id
        many, other = (re.search(r"%\(num\)s ([^\s.،؛:]+)", said[count]) for count in (11, 100))
        if many and other:
            unmarked = other[1].endswith(("ة", "ها"))  # they are written alike in every case
            assert many[1] == other[1] + ("" if unmarked else "ًا"), message.id
            tried += not unmarked
    assert tried > 30


def test_a_language_that_is_not_here_says_what_the_code_says():
    assert catalogue("xx").gettext("Agenda") == catalogue("en").gettext("Agenda") == "Agenda"


def test_who_speaks_english_does_not_wait_for_catalogues():
    asked = "import sys; from node.i18n.catalogue import catalogue; catalogue('en'); print('babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout == "False\n"

"""A sentence is translated first and filled afterwards: what is filled in stays as it is, in every language."""

import json
import re

import pytest

from node.i18n.catalogue import TAGS, catalogue
from node.i18n.sentence import Explained, Plural, Sentence, entry, sentence
from tests.i18n import messages

# Names that are words of ours, or look like places to fill.
HOSTILE = ("down", "kept", "up", "Vouched for %(name)s.", "%(x)s", "%(name)s", "%s", "100 %", "{x}", "{name!r}", "{0}",
           "\\1")
THINGS = Plural("%(num)s thing to mend.", "%(num)s things to mend.")
PLACE = re.compile(r"%\((\w+)\)s")


def filled(pattern, fields):
    """The pattern with its places filled, done by hand."""
    return "".join(part if number % 2 == 0 else fields[part] for number, part in enumerate(PLACE.split(pattern)))


@pytest.mark.parametrize("tag", TAGS)
def test_nothing_that_is_filled_in_is_translated_or_read_for_places(tag):
    tried, spoken = 0, catalogue(tag)
    for message in messages.sentences():
        if not message.id or isinstance(message.id, tuple) or not PLACE.search(message.id):
            continue
        for hostile in HOSTILE:
            fields = {name: f"{hostile}{number}" for number, name in enumerate(PLACE.findall(message.id))}
            assert Sentence(message.id, fields).said(spoken) == filled(spoken.gettext(message.id), fields)
            tried += 1
    assert tried > 1_000


@pytest.mark.parametrize("tag", TAGS)
def test_the_name_down_is_kept_down_in_every_language(tag):
    said = sentence("Vouched for %(name)s.", name="down").said(catalogue(tag))
    assert said == catalogue(tag).gettext("Vouched for %(name)s.").replace("%(name)s", "down")


def test_a_sentence_within_a_sentence_is_said_in_the_same_language():
    told = sentence("the broker %(address)s: %(what)s", address="up", what=sentence("it cannot be reached"))
    assert told.said(catalogue("fr")) == "le serveur MQTT up : on ne peut pas le joindre"
    assert str(told) == "the broker up: it cannot be reached"


def test_one_and_many_are_told_apart_and_other_places_filled():
    def things(num, tag):
        return entry(THINGS, num).said(catalogue(tag))

    assert (things(1, "en"), things(3, "en")) == ("1 thing to mend.", "3 things to mend.")
    assert (things(1, "fr"), things(3, "fr")) == ("1 chose à réparer.", "3 choses à réparer.")
    assert len({things(num, "ar").replace(str(num), "") for num in (1, 2, 3, 11)}) == 4


def test_a_sentence_without_fields_is_said_as_it_stands():
    assert str(sentence("at most 1 % of each hour")) == "at most 1 % of each hour"
    assert sentence("nobody knows this: %(x)s").said(catalogue("fr")) == "nobody knows this: %(x)s"


def test_entries_of_a_table_take_the_number_if_they_have_a_place_for_it():
    assert str(entry("plain", 3)) == "plain" and str(entry("%(num)s kB", 3)) == "3 kB"
    assert str(entry(Plural("%(num)s day", "%(num)s days"), 1)) == "1 day"


def test_an_error_carries_its_sentence():
    error = Explained(sentence("this is no web address."))
    assert str(error) == "this is no web address."
    assert error.sentence.said(catalogue("es")) == "no es una dirección de la web."


@pytest.mark.parametrize("told", [
    sentence("plain"), sentence("%(a)s and %(b)s", a="x", b=2), entry(THINGS, 2),
    sentence("%(a)s", a=sentence("%(b)s", b="%(c)s")),
])
def test_a_sentence_survives_the_way_to_another_process(told):
    assert Sentence.of(json.loads(json.dumps(told.to_json()))) == told


@pytest.mark.parametrize("told", [
    None, 3, "text", [], {}, {"text": 3}, {"text": "%(a)s", "fields": {"b": "x"}}, {"text": "%(a)d", "fields": {"a": "x"}},
    {"text": "a", "fields": []}, {"text": "a", "fields": {"b": None}}, {"text": "a", "many": "b"},
    {"text": "a", "many": "b", "fields": {"num": "x"}}, {"text": "100 %", "fields": {"a": 1}}, {"text": "a", "many": 1},
])
def test_what_is_no_sentence_is_refused(told):
    with pytest.raises(ValueError, match="sentence"):
        Sentence.of(told)

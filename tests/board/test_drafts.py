"""What somebody typed becomes a record that says exactly that, or they are told what is wrong, field by field."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.board.api import Draft
from node.board.drafts import (
    FIELD_MARK,
    fields_of,
    is_readable,
    normalised,
    packed,
    problems_of,
    record_of,
    too_long,
    weighed,
)
from node.model.record import MAX_RECORD_BYTES, Kind, decode, encode, sign
from node.textpack import unpack
from tests.effort import EFFORT
from tests.sim.places import event
from tests.sim.village import T0, Village
from tests.sync.calls import counted as entered

VILLAGE = Village()
AUTHOR = VILLAGE.key("founder")
plain = st.text(st.characters(blacklist_categories=["Cc", "Cs", "Mn", "Me"]), max_size=60)


def read_back(record):
    """The record and its text after a journey."""
    again = decode(encode(sign(record, VILLAGE.charter.set_id, AUTHOR.sign)))
    assert replace(again, signature=b"") == record
    return unpack(again.codec, again.packed)


@settings(max_examples=40 * EFFORT, deadline=None)
@given(plain, st.integers(0, 4), st.integers(0, 13), st.integers(1, 90))
def test_a_bulletin_without_problems_reads_back_as_it_was_normalised(text, language, topic, days):
    draft = normalised(Draft(Kind.BULLETIN, text=text, language=language, topic=topic, life_days=days))
    record = record_of(draft, AUTHOR.key_id, T0)
    if problems_of(draft, T0):
        return
    assert read_back(record) == draft.text
    assert weighed(record) == len(encode(sign(record, VILLAGE.charter.set_id, AUTHOR.sign)))
    assert (record.life, record.language, record.topic) == (24 * days, language, topic)


@settings(max_examples=40 * EFFORT, deadline=None)
@given(st.lists(plain, min_size=5, max_size=5))
def test_the_parts_of_an_event_come_apart_as_they_were_put_together(parts):
    title, place, organiser, text, link = (part.replace(FIELD_MARK, "") for part in parts)
    told = {"title": title, "place": place, "organiser": organiser, "text": text, "link": link}
    draft = normalised(Draft(Kind.EVENT, start=T0 + 60, **told))
    expected = (draft.title, draft.place, draft.organiser, draft.text, draft.link)
    assert fields_of(read_back(record_of(draft, AUTHOR.key_id, T0))) == expected


@pytest.mark.parametrize(("decomposed", "composed"), [("e\u0301te\u0301", "été"), ("\u1112\u1161\u11ab", "한")])
def test_the_same_words_are_the_same_bytes(decomposed, composed):
    drafts = [normalised(Draft(Kind.BULLETIN, text=text, title=text)) for text in (decomposed, composed)]
    assert drafts[0] == drafts[1] and drafts[0].text == composed


def test_what_does_not_fit_is_told_with_about_how_many_characters_must_go():
    text = "".join(map(chr, range(0x4e00, 0x4e00 + 800)))
    draft = Draft(Kind.BULLETIN, text=text)
    over = too_long(draft, weighed(record_of(draft, AUTHOR.key_id, T0)))
    assert over.code == "too-long" and weighed(record_of(draft, AUTHOR.key_id, T0)) > MAX_RECORD_BYTES
    shorter = replace(draft, text=text[:-over.amount - 20])
    assert too_long(shorter, weighed(record_of(shorter, AUTHOR.key_id, T0))) is None


def test_a_record_of_the_greatest_size_is_not_too_long():
    assert too_long(Draft(Kind.BULLETIN, text="x"), MAX_RECORD_BYTES) is None
    assert too_long(Draft(Kind.BULLETIN, text="x"), MAX_RECORD_BYTES + 1).amount == 1


@pytest.mark.parametrize(("name", "value", "code"), [
    ("offset", 57, "offset"), ("end", T0 + 60 + 0x10000, "lasts-too-long"), ("place", "a\nb", "control-character"),
    ("link", "https://a.fr/ b", "link"), ("start", T0 - 1, "past"),
])
def test_each_field_of_an_event_is_checked(name, value, code):
    draft = Draft(Kind.EVENT, title="Bal", start=T0 + 60)
    assert problems_of(draft, T0) == []
    assert code in [problem.code for problem in problems_of(replace(draft, **{name: value}), T0)]


def test_an_event_may_have_begun_but_not_be_over():
    assert problems_of(Draft(Kind.EVENT, title="Bal", start=T0 - 60, end=T0 + 1), T0) == []
    assert [problem.code for problem in problems_of(Draft(Kind.EVENT, title="Bal", start=T0 - 60, end=T0), T0)] == ["past"]


@pytest.mark.parametrize("unseen", ["\u200b", "\u3164", "\u2800 \u115f", "\u0301", "\u200e\u200f", "\U000e0041", "\ufe0f"])
@pytest.mark.parametrize("kind", [Kind.BULLETIN, Kind.REPLY])
def test_a_text_that_shows_nothing_is_refused(kind, unseen):
    found = problems_of(Draft(kind, text=unseen), T0)
    assert ("text", "invisible") in [(problem.field, problem.code) for problem in found]
    assert problems_of(Draft(kind, text=f"Soupe {unseen}"), T0) == []


@pytest.mark.parametrize("name", ["title", "place", "organiser", "text"])
@pytest.mark.parametrize("unseen", ["\u200b", "\u3164\u2800", "\u0301", "\u061c"])
def test_each_text_of_an_event_shows_something_or_is_empty(name, unseen):
    draft = Draft(Kind.EVENT, title="Bal", start=T0 + 60)
    found = problems_of(replace(draft, **{name: unseen}), T0)
    assert [(problem.field, problem.code) for problem in found] == [(name, "invisible")]


@given(st.text(max_size=40))
def test_no_text_makes_the_checks_fail(text):
    assert is_readable(text) in (True, False)
    draft = normalised(Draft(Kind.EVENT, text=text, title=text, place=text, organiser=text, link=text, start=T0 + 1))
    assert isinstance(problems_of(draft, T0), list)


def composed():
    """How many texts were packed so far, or found among those that had just been."""
    told = packed.cache_info()
    return told.hits + told.misses


def test_a_draft_is_composed_once_for_its_price_and_once_to_be_posted(place):
    draft = Draft(Kind.BULLETIN, text="Une soupe ce soir, place du marché")
    before, packings, counted = composed(), packed.cache_info().misses, []
    with entered(weighed) as weighings:
        place.board.cost(draft)
    assert len(weighings) == 1
    counted.append(composed() - before)
    posted = place.board.post(draft)
    counted.append(composed() - before)
    place.board.correct(posted.id, posted.edit_code, replace(draft, text="Une soupe demain, place du marché"))
    counted.append(composed() - before)
    place.board.offer(event(place, title="Bal sur la place du marché"))
    counted.append(composed() - before)
    assert counted == [1, 2, 3, 4]
    assert packed.cache_info().misses - packings == 3, "what was priced is not packed again to be posted"

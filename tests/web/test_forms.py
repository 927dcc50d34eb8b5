"""What people type becomes a draft; whatever cannot be read becomes a sentence, never an error."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.board.api import Author, Item
from node.model.clock import MAX_MINUTE
from node.model.record import Kind
from web.dates import minute
from web.forms import FIELDS, draft_of, typed, typed_of
from web.portal_settings import WebSettings

HERE = WebSettings(name="Île du canal", secret_key=b"k" * 32)
EVENT = {"kind": "event", "title": "Assemblée", "start_date": "2026-03-21", "start_time": "18:30"}


def draft(**fields):
    what = typed(fields)
    return draft_of(what, HERE), what.problems


def codes(**fields):
    return [(problem.field, problem.code) for problem in draft(**fields)[1]]


def test_a_bulletin_needs_its_text_only():
    made, problems = draft(kind="bulletin", text="  Bonjour\r\nà tous  ")
    assert not problems
    assert (made.kind, made.text, made.life_days, made.topic) == (Kind.BULLETIN, "Bonjour\nà tous", 14, 0)


def test_an_event_starts_at_the_hour_of_the_island():
    made, problems = draft(**EVENT, topic="meeting", language="ar", position="48.8722, 2.3767")
    assert not problems
    assert made.start == minute(datetime(2026, 3, 21, 18, 30), HERE.zone)
    assert (made.offset, made.topic, made.language, made.position, made.end) == (4, 2, 4, (48.8722, 2.3767), None)
    assert draft(**EVENT | {"start_date": "2026-07-21"})[0].offset == 8


@pytest.mark.parametrize(("day", "hour"), [
    ("2026-03-21", "18:30"), ("21/03/2026", "18h30"), ("21.3.2026", "18.30"), ("21-03-2026", "18:30"),
])
def test_old_browsers_let_people_type_days_and_hours_their_own_way(day, hour):
    made, problems = draft(**EVENT | {"start_date": day, "start_time": hour})
    assert not problems and made.start == minute(datetime(2026, 3, 21, 18, 30), HERE.zone)


def test_an_end_without_a_day_is_on_the_day_it_starts():
    made, _problems = draft(**EVENT, end_time="20:00")
    assert made.end - made.start == 90


@pytest.mark.parametrize(("fields", "code"), [
    ({"start_date": "31/02/2026"}, ("start", "moment")),
    ({"start_time": "25:00"}, ("start", "moment")),
    ({"start_time": ""}, ("start", "moment")),
    ({"start_date": "9999-12-31"}, ("start", "too-far")),
    ({"start_date": "0001-01-01"}, ("start", "past")),
    ({"end_date": "demain"}, ("end", "moment")),
    ({"publish_date": "x"}, ("publish_at", "moment")),
    ({"position": "ici"}, ("position", "position")),
    ({"position": "91, 2"}, ("position", "position")),
])
def test_what_cannot_be_read_is_said(fields, code):
    assert codes(**EVENT | fields) == [code]


def test_a_life_that_is_no_number_is_said():
    assert codes(kind="bulletin", text="x", life_days="toujours") == [("life_days", "life")]


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30)))
def test_no_form_breaks_it(fields):
    made, _problems = draft(**fields)
    assert made.start is None or 0 <= made.start <= MAX_MINUTE


def test_an_item_to_correct_comes_back_as_it_was_typed():
    made, _problems = draft(**EVENT, end_time="20:00", text="Venez", place="Mairie", topic="meeting", language="fr",
                            position="48.8722, 2.3767")
    item = Item("ab" * 16, made.kind, made.text, 0, 1, Author("", ""), False, made.language, made.topic, made.title,
                made.place, made.organiser, made.link, made.start, made.end, made.offset, made.position)
    assert draft_of(typed_of(item, HERE), HERE) == made

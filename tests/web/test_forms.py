"""What people type becomes a draft; whatever cannot be read becomes a sentence, never an error."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.board.api import Author, Item
from node.model.clock import MAX_MINUTE
from node.model.event import Rhythm
from node.model.record import Kind
from web.dates import minute
from web.forms import FIELDS, clock_of, draft_of, moment_of, typed, typed_of
from web.portal_settings import WebSettings

HERE = WebSettings(name="Île du canal", secret_key=b"k" * 32)
NOW = minute(datetime(2026, 3, 15, 12), HERE.zone)
EVENT = {"kind": "event", "title": "Assemblée", "start_date": "2026-03-21", "start_time": "18:30"}


def draft(**fields):
    what = typed(fields)
    return draft_of(what, HERE, NOW), what.problems


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
    ({"start_time": ""}, ("start", "start-missing")),
    ({"start_date": "9999-12-31"}, ("start", "too-far")),
    ({"start_date": "0001-01-01"}, ("start", "past")),
    ({"end_date": "bientôt"}, ("end", "moment")),
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


def item_of(made):
    event = made.event
    return Item("ab" * 16, made.kind, made.text, 0, 1, Author("", ""), False, made.language, made.topic, made.title,
                made.place, made.organiser, made.link, made.start, made.end or made.start, made.offset, made.position,
                end_offset=event.offset_at(event.end), whole_days=made.whole_days, event=event)


@pytest.mark.parametrize("fields", [
    {"end_time": "20:00", "text": "Venez", "place": "Mairie", "topic": "meeting", "position": "48.8722, 2.3767"},
    {}, {"whole_day": "1", "start_time": ""}, {"whole_day": "1", "end_date": "2026-03-24"},
    {"start_date": "2026-03-27", "start_time": "10:00", "end_date": "2026-03-29", "end_time": "18:00"},
    {"start_date": "2026-03-29", "start_time": "01:30", "end_time": "03:30"},
    {"whole_day": "1", "start_date": "2026-03-28", "end_date": "2026-03-30"},
    {"repeat": "1.1", "repeat_times": "10", "end_time": "20:00"},
    {"repeat": "1.2", "repeat_until": "30/6", "off": "4/4", "moved": "18/4 > 20/4 19h"},
    {"repeat": "5.1.18", "repeat_times": "12"}, {"repeat": "1.2", "on3": "1", "on1": "1", "repeat_times": "12"},
    {"repeat": "3.1", "repeat_times": "5", "whole_day": "1"},
])
def test_an_item_to_correct_comes_back_as_it_was_typed_however_often(fields):
    made, problems = draft(**EVENT | {"language": "fr"} | fields)
    assert not problems and made.event.is_sound()
    again = made
    for _time in range(5):
        what = typed_of(item_of(again))
        again = draft_of(what, HERE, NOW)
        assert again == made and not what.problems


@pytest.mark.parametrize(("start", "clock", "first"), [
    ("5/12", "18h", (2026, 12, 5, 18)), ("samedi 18h", "", (2026, 3, 21, 18)), ("", "samedi 18h", (2026, 3, 21, 18)),
    ("21/3", "6:30 pm", (2026, 3, 21, 18, 30)), ("sáb", "18", (2026, 3, 21, 18)),
    ("Saturday", "6.30pm", (2026, 3, 21, 18, 30)),
    ("demain", "midi", (2026, 3, 16, 12)), ("السبت", "٦:٣٠ م", (2026, 3, 21, 18, 30)),
    ("dimanche 11h", "", (2026, 3, 22, 11)),
    ("dimanche 13h", "", (2026, 3, 15, 13)), ("1er avril", "20 h 30", (2026, 4, 1, 20, 30)),
    ("samedi", "minuit", (2026, 3, 22)),
])
def test_moments_are_read_as_people_type_them_in_their_language(start, clock, first):
    made, problems = draft(**EVENT | {"start_date": start, "start_time": clock})
    assert not problems and made.start == minute(datetime(*first), HERE.zone)


@pytest.mark.parametrize(("end", "last"), [
    ({"end_time": "01:30"}, (2026, 3, 22, 1, 30)), ({"end_time": "24h"}, (2026, 3, 22)),
    ({"end_time": "minuit"}, (2026, 3, 22)),
    ({"end_date": "dimanche 2h"}, (2026, 3, 22, 2)), ({"end_date": "21/3", "end_time": "19h"}, (2026, 3, 21, 19)),
])
def test_an_end_without_a_day_is_the_next_one_of_that_hour(end, last):
    made, problems = draft(**EVENT, **end)
    assert not problems and made.end == minute(datetime(*last), HERE.zone)


def test_whole_days_can_be_typed_or_ticked_and_a_day_without_an_hour_is_asked_for_one():
    for fields in ({"whole_day": "1"}, {"start_date": "21/3 toute la journée", "start_time": ""}):
        made, problems = draft(**EVENT | fields)
        assert not problems and made.whole_days and (made.start, made.end - made.start) == (
            minute(datetime(2026, 3, 21), HERE.zone), 1440)
    assert codes(**EVENT | {"start_time": ""}) == [("start", "start-missing")]
    assert codes(**EVENT, end_date="22/3") == [("end", "end-hour")]


@pytest.mark.parametrize(("fields", "code"), [
    ({"repeat": "1.1"}, ("repeat", "repeats")), ({"repeat": "1.1", "repeat_times": "1"}, ("repeat", "repeats")),
    ({"repeat": "1.1", "repeat_times": "129"}, ("repeat", "repeats")), ({"repeat": "9.9"}, ("repeat", "not-offered")),
    ({"repeat": "0.1", "repeat_until": "2026-12-31"}, ("repeat", "repeats")),
    ({"repeat": "1.1", "repeat_until": "2029-01-01"}, ("repeat", "repeats")),
    ({"repeat": "1.1", "repeat_until": "jamais"}, ("repeat", "moment")),
    ({"repeat": "1.1", "repeat_times": "9", "off": "22/3"}, ("off", "no-date")),
    ({"repeat": "1.1", "repeat_times": "9", "moved": "28/3"}, ("moved", "no-date")),
    ({"repeat": "1.1", "repeat_times": "9", "moved": "28/3 > 28/6"}, ("moved", "no-date")),
    ({"repeat": "3.1", "repeat_times": "9", "on1": "1"}, ("repeat", "several-days")),
    ({"start_date": "dimanche 21/3"}, ("start", "weekday")),
])
def test_what_cannot_be_meant_is_said(fields, code):
    assert codes(**EVENT | fields) == [code]


def test_a_week_may_have_several_days_and_its_first_day_is_always_one_of_them():
    every = {"repeat": "1.1", "repeat_times": "6"}
    several = draft(**EVENT | every | {"on1": "1", "on3": "1"})[0].repetition  # Saturday, with Tuesday and Thursday
    assert (several.rhythm, several.weekdays, several.count) == (Rhythm.WEEKDAYS, 0b0101010, 6)
    assert draft(**EVENT | every | {"on5": "1"})[0].repetition.rhythm is Rhythm.WEEKS, "only the day it begins on"


def test_an_arrow_may_point_either_way_as_it_is_mirrored_where_people_write_from_the_right():
    moved = [draft(**EVENT | {"repeat": "1.1", "repeat_times": "4", "moved": f"28/3 {arrow} 30/3 19h"})[0].repetition.exempt
             for arrow in (">", "<", "->", "→", "=")]
    assert len(set(moved)) == 1 and len(moved[0]) == 1


def test_a_rule_until_a_day_ends_on_it_and_a_fifth_weekday_is_the_last_one():
    made, _problems = draft(**EVENT | {"repeat": "1.1", "repeat_until": "18/4"})
    assert made.repetition.count == 5
    fifth, _problems = draft(**EVENT | {"start_date": "2026-03-29", "repeat": "3.1", "repeat_times": "3"})
    assert fifth.repetition.rhythm is Rhythm.MONTH_LAST


def keepers_moment(day, hour):
    what = typed({"since_date": day, "since_time": hour})
    return moment_of(what, "since", HERE), [problem.code for problem in what.problems]


@pytest.mark.parametrize(("day", "hour"), [
    ("2026-03-02", "18:30"), ("2/3/2026", "18h30"), ("lundi 2 mars 2026", "6:30 pm"), ("٢/٣/٢٠٢٦", "١٨:٣٠"),
    ("2 March 2026", "18.30"),
])
def test_a_keeper_types_a_day_that_is_past_as_everybody_types_days(day, hour):
    assert keepers_moment(day, hour) == (minute(datetime(2026, 3, 2, 18, 30), HERE.zone), [])


@pytest.mark.parametrize("day", ["2/3", "lundi", "demain", "2 mars", "2", "2026-03-02 18h", "mardi 2/3/2026", "2026", ""])
def test_a_keepers_day_is_never_guessed_from_today(day):
    assert keepers_moment(day, "18:30") == (None, ["moment"])


@pytest.mark.parametrize(("text", "told"), [
    ("22:00", 1320), ("22h", 1320), ("7", 420), ("7.30 pm", 1170), ("minuit", None), ("24:00", None), ("lundi 7h", None),
    ("", None), ("x", None),
])
def test_an_hour_of_each_day_is_typed_as_hours_are(text, told):
    assert clock_of(text) == told

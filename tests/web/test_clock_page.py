"""A keeper reads what setting the clock would do, does it, takes it back; readers are told if nobody knows the day."""

import re
from dataclasses import replace

import pytest

from node.board.api import ClockOutcome, Draft
from node.board.status import ClockStatus, ClockVoice
from node.model.record import Kind
from tests.sim.portals import words
from tests.web.signing import desk_of
from web.clock_page import FAR_MIN, READING_MIN

TYPED = {"start_date": "2027-12-01", "start_time": "12:00"}  # two years ahead of the neighbourhood's December of 2025


@pytest.fixture
def desk(portal):
    return desk_of(portal)


def hidden_in(answer):
    """The hidden fields of a page's form."""
    found = dict(re.findall(r'name="(minute|asked)" value="(\d+)"', answer.get_data(as_text=True)))
    assert set(found) == {"minute", "asked"}
    return found


def test_a_keeper_reads_what_it_would_do_before_anything_is_done(desk, board):
    for number in range(3):
        board.post(Draft(Kind.BULLETIN, f"annonce {number}"))
    now = board.now()
    read = words(desk("clock?lang=en", **TYPED))
    assert "1 December 2027" in read and "The clock would go ahead by 2 years." in read
    assert "3 posts would end." in read and "keys would lose their rights" in read
    assert "are the year and the month right?" in read
    assert board.now() == now and not board.audit_log() and len(board.bulletins().items) == 3


def test_it_is_done_on_the_second_page_and_taken_back(portal, desk, board):
    board.post(Draft(Kind.BULLETIN, "soupe"))
    now = board.now()
    assert "Take back" not in words(portal.get("/keeper/clock?lang=en"))
    assert desk("clock/set", **hidden_in(desk("clock", **TYPED))).status_code == 303
    assert board.now() > now + 500_000 and not board.bulletins().items
    assert "Take back the last setting" in words(portal.get("/keeper/clock?lang=en"))
    assert desk("clock/undo").status_code == 303
    assert board.now() == now and [item.text for item in board.bulletins().items] == ["soupe"]
    assert desk("clock/undo").status_code == 422
    assert [entry.action for entry in board.audit_log()] == ["clock-undo", "clock"]


def test_going_back_says_what_comes_back(desk, board):
    board.post(Draft(Kind.BULLETIN, "soupe", life_days=7))
    desk("clock/set", **hidden_in(desk("clock", **TYPED)))
    read = words(desk("clock?lang=en", start_date="2025-12-02", start_time="11:00"))
    assert "The clock would go back by 24 months." in read and "1 post would come back." in read


def test_going_back_says_what_is_dated_ahead_and_hides_it_until_then(desk, board):
    now = board.now()
    for number in range(2):
        board.post(Draft(Kind.BULLETIN, f"annonce {number}"))
    read = words(desk("clock?lang=en", start_date="2025-11-01", start_time="12:00"))
    assert "2 posts are dated after that, and would be hidden until then." in read
    desk("clock/set", **hidden_in(desk("clock", start_date="2025-11-01", start_time="12:00")))
    assert board.now() < now - 20 * 1_440 and not board.bulletins().items
    assert desk("clock/undo").status_code == 303
    assert {item.text for item in board.bulletins().items} == {"annonce 0", "annonce 1"}


def test_a_small_correction_touches_nothing_and_says_so(desk, board):
    read = words(desk("clock?lang=en", start_date="2025-12-01", start_time="10:07"))
    assert "No post and no key is touched by it." in read and "7 minutes" in read and "right?" not in read


def test_a_form_that_grew_old_is_read_again_and_the_minutes_of_reading_count(neighbourhood, desk, board):
    asked = hidden_in(desk("clock", **TYPED))
    neighbourhood.clock.advance(60 * (READING_MIN + 1))
    now = board.now()
    again = desk("clock/set", **asked)
    assert again.status_code == 200 and board.now() == now
    fields = hidden_in(again)
    neighbourhood.clock.advance(60 * 5)
    assert desk("clock/set", **fields).status_code == 303
    assert board.now() == int(fields["minute"]) + 5


@pytest.mark.parametrize(("path", "fields"), [
    ("clock", {"start_date": "x", "start_time": "12:00"}), ("clock", {"start_date": "", "start_time": ""}), ("clock", {}),
    ("clock", {"start_date": "1999-01-01", "start_time": "12:00"}),
    ("clock", {"start_date": "9999-12-31", "start_time": "1"}),
    ("clock/set", {"minute": "x", "asked": "1"}), ("clock/set", {"minute": "1"}), ("clock/set", {}),
    ("clock/set", {"minute": "9" * 400, "asked": "1"}),
])
def test_nonsense_sets_nothing_and_is_answered_in_a_sentence(desk, board, path, fields):
    now = board.now()
    answer = desk(f"{path}?lang=en", **fields)
    assert answer.status_code in (200, 422) and board.now() == now and "<h1>" in answer.get_data(as_text=True)


def test_strangers_and_forms_of_others_set_nothing(portal, board, desk):
    now = board.now()
    portal.post("/keeper/clock/set", data={"minute": now + 9_000, "asked": now, "csrf": "x"})
    portal.post("/keeper/clock/undo", data={})
    assert board.now() == now


@pytest.mark.parametrize(("source", "said"), [("gps", "take the radio off"), ("system", "take the network off")])
def test_a_keeper_is_told_why_a_better_source_is_not_overruled(neighbourhood, desk, board, source, said, monkeypatch):
    monkeypatch.setattr(neighbourhood, "told", replace(neighbourhood.told, source=source))
    monkeypatch.setattr(board, "set_clock", lambda minute, keeper, why: False)
    answer = desk("clock/set?lang=en", **hidden_in(desk("clock", **TYPED)))
    assert answer.status_code == 422 and said in words(answer)


def test_while_nobody_vouches_for_the_day_every_page_says_so_and_no_day_is_called_today(neighbourhood, portal, board):
    now = board.now()
    neighbourhood.event(("Bal", "Parc", "Nous", "Venez", ""), now + 60)
    assert "not sure what day" not in portal.get("/?lang=en").get_data(as_text=True)
    neighbourhood.told = ClockStatus("floor", False, 0, told=False)
    neighbourhood.clock.advance(60)
    for path in ("/", "/agenda", "/bulletins", "/post", "/keeper"):
        answer = portal.get(f"{path}?lang=en")
        assert "This island is not sure what day it is." in words(answer), path
        assert len(answer.data) < 14_000
    read = words(portal.get("/agenda?lang=en"))
    assert "Bal" in read and "Today" not in read


def test_the_page_names_who_told_the_time_and_who_is_not_believed(neighbourhood, portal, desk, board):
    neighbourhood.told = ClockStatus("agreed", True, 0, others=(ClockVoice("radio", board.now() + 200 * 1_440),))
    read = words(portal.get("/keeper/clock?lang=en"))
    assert "two that say the same" in read and "a radio without satellites: 19 June 2026" in read
    neighbourhood.told = ClockStatus("floor", False, 0, told=False)
    assert "Nobody vouches for that" in words(portal.get("/keeper/clock?lang=en"))


def test_a_far_step_is_more_than_a_month():
    assert 31 * 1_440 < FAR_MIN < 59 * 1_440 and ClockOutcome(0, 0).posts_end == 0

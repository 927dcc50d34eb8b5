""""I'll be there": asked where the keepers want it, counted once for each address, told without a name, never written."""

import pytest

from node.board.api import Draft
from node.board.island_settings import TURNOUT, SettingsGroup
from node.model.event import Exempt, Repetition, Rhythm
from node.model.record import Kind
from node.model.turnout import Turnout
from tests.sim.portals import words
from tests.web.test_desk_keys import Browser

DAY = 1440


@pytest.fixture
def event(board):
    start = board.now() + DAY
    return board.post(Draft(Kind.EVENT, title="Bal", start=start, end=start + 60)).id[:12]


def want(board, on="yes"):
    board.settings.change(SettingsGroup.TURNOUT, {TURNOUT: on}, "lea")


def press(portal, event, people):
    for number in people:
        answer = portal.post(f"/r/{event}/coming", environ_base={"REMOTE_ADDR": f"192.168.4.{number}"})
        assert answer.status_code == 303


def page(portal, event):
    return words(portal.get(f"/r/{event}?lang=en"))


def test_it_is_off_unless_the_keepers_want_it(portal, board, event):
    assert "I’ll be there" not in page(portal, event)
    press(portal, event, range(1, 20))
    want(board)
    assert "I’ll be there" in page(portal, event) and "at least will be there" not in page(portal, event)
    press(portal, event, range(1, 20))
    assert "12 people at least will be there" in page(portal, event)
    want(board, "no")
    board.tell_turnouts()
    assert "there" not in page(portal, event)
    want(board)
    assert "at least will be there" not in page(portal, event), "what was counted is forgotten"


def test_a_keeper_turns_it_on_on_the_desk(neighbourhood, event):
    browser = Browser(neighbourhood)
    browser.get("/keeper/settings/rules")
    browser.page = browser.page.partition("I’ll be there")[2]
    assert browser.press("Keep", turnout="yes") == 303
    assert "I’ll be there" in page(browser.portal, event)
    assert [entry.action for entry in neighbourhood.board.audit_log()] == ["settings"]


def test_an_address_counts_once_and_fewer_than_six_are_never_shown(portal, board, event):
    want(board)
    press(portal, event, [1, 2, 3, 4, 5] * 3)
    said = page(portal, event)
    assert "at least will be there" not in said and "Without a name: only a number is shown, from six on." in said
    press(portal, event, [6])
    assert "6 people at least will be there" in page(portal, event)
    answer = portal.get(f"/r/{event}/coming?lang=en")
    assert "You are counted" in words(answer) and "6 people at least" in words(answer)


def test_another_address_of_the_same_home_is_the_same_visitor(portal, board, event):
    want(board)
    for number in range(20):
        portal.post(f"/r/{event}/coming", environ_base={"REMOTE_ADDR": f"2001:db8::{number}"})
    assert "at least will be there" not in page(portal, event)


def test_a_step_is_told_to_other_islands_and_nothing_else_is_written(portal, neighbourhood, board, event):
    want(board)
    names = set(neighbourhood.store.names())
    press(portal, event, range(1, 31))
    board.tell_turnouts()
    kept = [neighbourhood.liveset.get(id_) for id_ in neighbourhood.liveset.ids()]
    assert [one.detail for one in kept if one.kind is Kind.TURNOUT] == [Turnout(0, 3)]
    assert set(neighbourhood.store.names()) == names


def test_it_is_not_asked_of_what_is_over_called_off_or_no_event(portal, neighbourhood, board, event):
    want(board)
    bulletin = board.post(Draft(Kind.BULLETIN, "Soupe")).id[:12]
    start = board.now() + DAY
    off = Repetition(Rhythm.WEEKS, 1, 2, exempt=(Exempt(0),))
    weekly = board.post(Draft(Kind.EVENT, title="Chorale", start=start, end=start + 60, repetition=off)).id[:12]
    board.cancel_as_keeper(event, "", "lea")
    press(portal, event, range(1, 9))
    press(portal, bulletin, range(1, 9))
    assert portal.post("/r/00000000/coming").status_code == 404
    for item in (event, bulletin):
        assert "there" not in page(portal, item)
    neighbourhood.clock.advance(60 * 9 * DAY)
    assert "I’ll be there" not in page(portal, weekly)


def test_dates_of_a_repeated_event_are_counted_apart(portal, neighbourhood, board):
    want(board)
    start = board.now() + 60
    weekly = board.post(Draft(Kind.EVENT, title="Chorale", start=start, end=start + 60,
                              repetition=Repetition(Rhythm.WEEKS, 1, 4))).id[:12]
    press(portal, weekly, range(1, 9))
    assert "6 people at least" in page(portal, weekly)
    neighbourhood.clock.advance(60 * 2 * DAY)
    assert "people at least" not in page(portal, weekly) and "I’ll be there" in page(portal, weekly)

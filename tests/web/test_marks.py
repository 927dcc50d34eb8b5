"""Marks: typed, shown, kept through corrections, asked for; offers and needs that are settled with one tap."""

import re

import icalendar
import pytest

from node.board.api import Draft
from node.board.board import MET_SHOWN_MIN
from node.model.clock import minute_of
from node.model.marks import EVENT_MARKS, Marks
from node.model.record import Kind
from tests.sim.portals import START, words
from tests.web.signing import desk_of
from tests.web.test_rewriting import form_of

DAY, START_MINUTE = 1440, minute_of(START)
FORM = {"kind": "event", "title": "Lecture", "start_date": "2025-12-05", "start_time": "10:00", "language": "fr",
        "topic": "culture"}


def opened(portal, path):
    return form_of(portal.get(path).get_data(as_text=True))


def event(board, title, marks, start=START_MINUTE + DAY):
    return board.post(Draft(Kind.EVENT, title=title, start=start, end=start + 60, marks=marks))


def test_an_event_s_marks_are_typed_looked_over_and_shown_everywhere(portal, board):
    form = opened(portal, "/post?kind=event&lang=en") | FORM | {"free": "1", "for-children": "1"}
    looked = portal.post("/post?lang=en", data=form | {"action": "preview"})
    assert "Culture · Free · For children" in words(looked)
    again = form_of(looked.get_data(as_text=True))
    assert portal.post("/post?lang=en", data=again | {"action": "publish"}).status_code == 200
    (item,) = board.events(START_MINUTE, START_MINUTE + 400 * DAY)
    assert item.marks == Marks.FREE | Marks.CHILDREN
    own = f"/r/{item.id[:12]}"
    for path in (own, "/agenda?month=2025-12", f"{own}/print", "/poster"):
        said = words(portal.get(f"{path}{'&' if '?' in path else '?'}lang=en"))
        assert "Free" in said and "For children" in said and "No steps" not in said, path
    assert "Free · For children" in portal.get(f"{own}.txt?lang=en").get_data(as_text=True)
    (made,) = icalendar.Calendar.from_ical(portal.get("/agenda.ics").get_data()).walk("VEVENT")
    assert made["categories"].cats == ["culture", "free", "for-children"]


@pytest.mark.parametrize(("kind", "marks"), [(Kind.EVENT, EVENT_MARKS), (Kind.BULLETIN, Marks.NEED)])
def test_a_correction_keeps_marks_that_are_not_touched_and_takes_off_those_that_are(portal, neighbourhood, kind, marks):
    board, start = neighbourhood.board, START_MINUTE + DAY
    posted = board.post(Draft(kind, "Bonjour", title="Bal", start=start, end=start + 60, marks=marks))
    path = f"/r/{posted.id[:12]}/edit"
    form = opened(portal, path)
    names = [name for name in form if name in ("free", "step-free", "for-children", "mark")]
    neighbourhood.clock.advance(60)
    code = {"word": posted.edit_code, "action": "publish"}
    assert portal.post(path, data=form | {"text": "Bonsoir"} | code).status_code == 200
    assert board.item(posted.id).marks == marks
    neighbourhood.clock.advance(60)
    form = opened(portal, path) | dict.fromkeys(names, "") | code
    assert portal.post(path, data=form).status_code == 200
    assert not board.item(posted.id).marks
    assert "Marks Before:" in words(portal.get(f"/r/{posted.id[:12]}?lang=en"))


def test_the_agenda_is_asked_for_what_is_free_or_without_steps(portal, board):
    event(board, "Bal", Marks.FREE)
    event(board, "Lecture", EVENT_MARKS, START_MINUTE + 30 * DAY)
    event(board, "Gala", Marks(0))
    said = words(portal.get("/agenda?mark=free&lang=en"))
    assert "2 events ahead" in said and "Bal" in said and "Lecture" in said and "Gala" not in said
    assert "1 event ahead" in words(portal.get("/agenda?mark=step-free&lang=en"))
    assert portal.get("/agenda?mark=unknown").status_code == 404
    assert portal.get("/bulletins?mark=unknown").status_code == 404
    assert 'mark=free">' in portal.get("/agenda").get_data(as_text=True)


def test_who_offers_something_says_with_one_tap_that_it_is_settled(portal, neighbourhood, board):
    form = opened(portal, "/post?lang=en") | {"text": "Canapé à donner", "mark": "offer", "action": "publish"}
    done = portal.post("/post?lang=en", data=form).get_data(as_text=True)
    link = re.search(r'href="(/r/[^"]+settled=1[^"]+)"', done)[1].replace("&amp;", "&")
    (item,) = board.bulletins().items
    assert item.marks == Marks.OFFER
    page = portal.get(link)
    assert page.headers["Cache-Control"] == "no-store" and "It is settled" in words(page)
    button = form_of(page.get_data(as_text=True)) | {"action": "settled"}
    answer = portal.post(link.partition("?")[0] + "?lang=en", data=button)
    assert answer.status_code == 200 and "It is shown as settled, here and soon on the other islands" in words(answer)
    assert "Settled: its author needs no more answers" in words(portal.get(f"/r/{item.id[:12]}?lang=en"))
    assert "Settled · Offer" in words(portal.get("/bulletins?lang=en"))
    assert "Settled · Offer" in portal.get("/bulletins.txt?lang=en").get_data(as_text=True)
    neighbourhood.clock.advance(60 * MET_SHOWN_MIN)
    assert "Canapé" not in words(portal.get("/")) and "Canapé" not in words(portal.get("/bulletins"))
    assert portal.get(f"/r/{item.id[:12]}").status_code == 200


def test_a_wrong_code_keeps_it_open_and_the_page_asks_again_for_the_same(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Échelle cherchée", marks=Marks.NEED))
    path = f"/r/{posted.id[:12]}/withdraw"
    form = opened(portal, f"{path}?settled=1") | {"word": "wrong", "action": "settled"}
    answer = portal.post(f"{path}?lang=en", data=form)
    assert answer.status_code == 422 and "It is settled" in words(answer) and "Withdraw it" not in words(answer)
    assert board.item(posted.id).met is None


def test_a_keeper_settles_a_post_on_the_desk(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "Échelle cherchée", marks=Marks.NEED))
    desk = desk_of(portal)
    assert "It is settled" in words(portal.get(f"/keeper/post/{posted.id}?lang=en"))
    assert desk(f"post/{posted.id}/cancel").status_code == 303
    assert board.item(posted.id).met is not None

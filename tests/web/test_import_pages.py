"""Keepers take over an agenda on the portal: they see what it brings and what it costs, and press once."""

import io
import re

import pytest

from node.store.index import StoreFailed
from tests.ical.agendas import GANCIO, calendar, event
from tests.sim.portals import words


@pytest.fixture
def csrf(portal):
    portal.post("/keeper/login", data={"name": "lea", "password": "sesame"})
    return re.search(r'name="csrf" value="(\w+)"', portal.get("/keeper").get_data(as_text=True)).group(1)


@pytest.fixture
def give(portal, csrf):
    def given(content):
        file = (io.BytesIO(content), "agenda.ics")
        return portal.post("/keeper/agenda?lang=en", data={"csrf": csrf, "file": file}, content_type="multipart/form-data")
    return given


@pytest.fixture
def take(portal, csrf):
    def taken(shown):
        intake_id = re.search(r'name="id" value="(\w*)"', shown.get_data(as_text=True)).group(1)
        return portal.post("/keeper/agenda/take?lang=en", data={"csrf": csrf, "id": intake_id})
    return taken


def coming(board):
    return board.events(board.now(), 10**7)


def test_a_keeper_sees_what_an_agenda_brings_and_posts_it_once(portal, board, give, take):
    assert "See what it brings" in words(portal.get("/keeper/agenda?lang=en"))
    shown = give(GANCIO.encode())
    said = words(shown)
    assert "1 new event" in said and "Cantine de quartier" in said and "s of air time" in said and not coming(board)
    assert "on the board now" in words(take(shown))
    (item,) = coming(board)
    page = portal.get(f"/r/{item.id[:12]}?lang=en").get_data(as_text=True)
    assert 'It comes from <a href="https://semaphore.exemple.org/"><bdi>Le sémaphore</bdi></a>.' in page
    again = words(give(GANCIO.encode()))
    assert "1 event that is here already" in again and "Nothing of it is to be posted" in again
    assert "took over an agenda" in words(portal.get("/keeper?lang=en"))


def test_what_changed_is_cancelled_or_left_out_is_told(give, take):
    take(give(calendar(event(), event(uid="2", summary="Soupe"))))
    said = words(give(calendar(event("STATUS:CANCELLED"), event("LOCATION:Là", uid="2", summary="Soupe"),
                               event(uid="3", start="20200101T100000Z"),
                               event("DTSTART;TZID=Nulle/Part:20251205T200000", uid="4", summary="Loin <b>d’ici</b>"),
                               event("RRULE:FREQ=WEEKLY;COUNT=3", uid="5", summary="Chorale"))))
    for part in ("Each Friday", "Loin <b>d’ici</b>", "1 cancelled event", "1 event that has changed", "1 · past",
                 "1 · in a time zone that nobody knows"):
        assert part in said


def test_nobody_else_takes_anything(portal, board, give):
    shown = give(GANCIO.encode())
    intake_id = re.search(r'name="id" value="(\w*)"', shown.get_data(as_text=True)).group(1)
    assert portal.post("/keeper/agenda/take", data={"id": intake_id, "csrf": "x"}).status_code == 400
    portal.delete_cookie("keeper", path="/keeper")
    for path in ("/keeper/agenda", "/keeper/agenda/take"):
        assert 'name="password"' in portal.post(path, data={"id": intake_id}).get_data(as_text=True)
    assert not coming(board)
    answer = portal.post("/keeper/agenda", data={"file": (io.BytesIO(bytes(400_000)), "x.ics")})
    assert 'name="password"' in answer.get_data(as_text=True), "it is not even read"


@pytest.mark.parametrize(("content", "said"), [
    (b"\xff\xd8\xff", "This file is no agenda"), (bytes(3_000), "too large"), (b"", "This file is no agenda"),
])
def test_another_file_is_refused_in_words(give, content, said, monkeypatch):
    monkeypatch.setattr("node.ical.parser.MAX_FILE_BYTES", 2_000)
    answer = give(content)
    assert answer.status_code == 422 and said in words(answer)


def test_pressing_without_a_file_or_too_late_asks_for_one(portal, csrf):
    answer = portal.post("/keeper/agenda?lang=en", data={"csrf": csrf})
    assert answer.status_code == 422 and "choose the file" in words(answer)
    answer = portal.post("/keeper/agenda/take?lang=en", data={"csrf": csrf, "id": "0"})
    assert answer.status_code == 422 and "give it again" in words(answer)


def test_a_full_card_is_said(board, give, take):
    def full(raws):
        raise StoreFailed("full")

    shown = give(GANCIO.encode())
    board.imports._take_in = full
    answer = take(shown)
    assert answer.status_code == 503 and "memory card" in words(answer)


def test_what_others_wrote_stays_text(give):
    hostile = calendar(event("SUMMARY:<script>alert(1)</script>", "LOCATION:<b>"), name='"><script>')
    shown = give(hostile).get_data(as_text=True)
    assert "<script" not in shown and "&lt;script&gt;alert(1)" in shown

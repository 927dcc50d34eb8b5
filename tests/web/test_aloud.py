"""`/agenda.ogg`: what is read aloud of the agenda, where it is linked from, and what is said where there is no voice."""

from dataclasses import replace

import pytest

from node.model.errors import RemoteFault
from web import create_app


class Voice:
    """Says in octets what it was given to read."""

    def __init__(self, fault="", able=True):
        self.read_aloud, self.fault, self.able = [], fault, able

    def read(self, text, tag):
        if self.fault:
            raise RemoteFault(self.fault)
        self.read_aloud.append((tag, text))
        return b"OggS" + text.encode()


@pytest.fixture
def speaking(board, settings):
    return lambda voice: create_app(board, replace(settings, speech=voice)).test_client()


def test_the_agenda_is_read_in_the_language_of_the_page(speaking, neighbourhood):
    neighbourhood.event(("Repas", "Cantine"), neighbourhood.board.now() + 120)
    voice = Voice()
    portal = speaking(voice)
    answer = portal.get("/agenda.ogg?lang=fr")
    assert (answer.status_code, answer.mimetype) == (200, "audio/ogg") and answer.data.startswith(b"OggS")
    assert "media-src 'self'" in answer.headers["Content-Security-Policy"], "browsers play it at its own address"
    tag, text = voice.read_aloud[0]
    assert tag == "fr" and "À 12 heures: Repas. Cantine." in text and "Aujourd’hui" in text


def test_who_has_it_is_told_so_and_nothing_is_read_and_a_part_of_it_can_be_asked_for(speaking, neighbourhood):
    neighbourhood.event(("Repas", "Cantine"), neighbourhood.board.now() + 120)
    voice = Voice()
    portal = speaking(voice)
    tag = portal.get("/agenda.ogg").headers["ETag"]
    neighbourhood.clock.advance(600)
    again = portal.get("/agenda.ogg", headers={"If-None-Match": tag})
    assert (again.status_code, len(voice.read_aloud)) == (304, 1)
    part = portal.get("/agenda.ogg", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.data) == (206, b"OggS")
    neighbourhood.event(("Bal", "Place"), neighbourhood.board.now() + 120)
    assert portal.get("/agenda.ogg", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("fault,said", [("no-voice", "sudo apt install espeak-ng opus-tools"),
                                        ("busy", "try again in a minute"), ("voice-failed", "http://archipel.lan/agenda")])
def test_where_it_cannot_be_read_a_sentence_says_why(speaking, fault, said):
    answer = speaking(Voice(fault)).get("/agenda.ogg?lang=en")
    assert answer.status_code == 503 and said in answer.get_data(as_text=True) and answer.mimetype == "text/plain"
    assert speaking(None).get("/agenda.ogg").status_code == 503


def test_pages_lead_to_it_where_there_is_a_voice(speaking):
    for path in ("/", "/agenda", "/agenda?day=2025-12-01"):
        assert 'href="/agenda.ogg"' in speaking(Voice()).get(path).get_data(as_text=True), path
        assert "agenda.ogg" not in speaking(Voice(able=False)).get(path).get_data(as_text=True), path
        assert "agenda.ogg" not in speaking(None).get(path).get_data(as_text=True), path
    assert "agenda.ogg" not in speaking(Voice()).get("/agenda?day=2025-12-09").get_data(as_text=True), "another day"

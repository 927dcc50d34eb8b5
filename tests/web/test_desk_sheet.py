"""The keepers' sheet: all that keepers need when the box is gone, for keepers alone, on one page of A4."""

from dataclasses import replace

import pytest

from node.board.keywords import fingerprint_words
from tests.sim.keepers import Keepers
from tests.web.test_desk_keys import LANGUAGES, Browser, words_of
from web.qr import wifi


@pytest.fixture
def gare(tmp_path):
    made = Keepers(tmp_path)
    yield made.found_island("Gare")
    made.close()


def test_it_says_where_the_island_is_which_set_it_is_in_who_keeps_it_and_how_to_erase_it(gare):
    lea = Browser(gare)
    facts = gare.board.sheet()
    gare.board.sheet = lambda: replace(facts, wifi_password="lampe canal", certificate="AB:CD",
                                       cable="http://169.254.77.77/")
    page = lea.get("/keeper/sheet")
    for told in (facts.address, facts.set_name, facts.wipe_code, "lea", "lampe canal", "AB:CD", "169.254.77.77",
                 " ".join(fingerprint_words(facts.set_id, "en"))):
        assert told in page, told
    assert page.count("<svg") == 2


def test_without_a_wifi_there_is_one_code_and_without_founders_it_says_so(gare):
    lea, facts = Browser(gare), gare.board.sheet()
    gare.board.sheet = lambda: replace(facts, wifi="", founders=0)
    page = lea.get("/keeper/sheet")
    assert page.count("<svg") == 1 and "/keeper/founders" in page


def test_nobody_else_sees_it(gare):
    stranger = Browser(gare).portal.application.test_client()
    answer = stranger.get("/keeper/sheet?lang=en")
    assert "K7QF-3MTX-9WHD" not in answer.get_data(as_text=True) and answer.headers["Cache-Control"] == "no-store"
    assert "K7QF" not in Browser(gare).portal.get("/").get_data(as_text=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_speaks_each_language_in_less_than_a_page(gare, language):
    told = words_of(Browser(gare).get("/keeper/sheet", language))
    assert 150 < len(told.split()) < 420


def test_phones_read_the_password_of_a_wifi_that_has_one():
    assert wifi("A;b", 'p"\\') == 'WIFI:T:WPA;P:p\\"\\\\;S:A\\;b;;'

"""Founders' keys on the keepers' desk: reminded of, made on pages, and what cannot be done is said."""

import re

import pytest

from node.board.api import Draft
from node.board.keyring import InviteWish
from node.model.record import Kind
from tests.sim.keepers import Keepers
from tests.web.test_desk_keys import LANGUAGES, Browser, words_of


@pytest.fixture
def keepers(tmp_path):
    made = Keepers(tmp_path)
    yield made
    made.close()


@pytest.fixture
def alone(keepers):
    """An island whose own key is the only founder of its set."""
    return keepers.found_alone("Gare")


def asked(browser):
    return [int(place) for place in re.findall(r'name="word(\d+)"', browser.page)]


def test_a_set_that_dies_with_its_box_is_told_to_keepers_and_to_nobody_else(alone):
    lea = Browser(alone)
    assert "only founder of the set" in lea.says
    for public in ("/", "/radio", "/radio.csv"):
        assert "founder" not in lea.portal.get(f"{public}?lang=en").get_data(as_text=True)


def test_a_set_with_founders_on_paper_is_not_reminded(keepers):
    lea = Browser(keepers.found_island("Gare"))
    assert "only founder" not in lea.says
    lea.get("/keeper/founders")
    assert keepers.founders[0].key_id.hex() in lea.page and "Found the set anew" not in lea.page


def test_two_keys_are_written_down_and_the_set_is_founded_anew_with_a_second_look(alone):
    alone.board.post(Draft(Kind.BULLETIN, "Bonjour"))
    lea = Browser(alone)
    lea.get("/keeper/founders")
    assert "1 post of this island is signed again" in lea.says
    lea.press("2 keys", keys="2")
    papers = []
    for _number in range(2):
        lea.press("Make it and show it once")
        papers.append(re.findall(r"<li>([^<]+)</li>", lea.page.partition("<ol")[2].partition("</ol>")[0]))
        lea.get("/keeper/founders/keys")
        assert lea.press("It is written down", **{f"word{place}": "no" for place in asked(lea)}) == 422
        lea.press("It is written down", **{f"word{place}": papers[-1][place - 1] for place in asked(lea)})
    assert "All keys are written down" in lea.says and "What it costs" in lea.says
    assert lea.press("Found the set anew") == 200
    plan = alone.keys_folder.planned()
    assert len(plan.charter.founders) == 2 and plan.keeper == "lea" and plan.charter.name == "Belleville"


def test_nothing_is_founded_without_the_keys_and_keys_that_are_not_there_are_not_shown(alone):
    lea = Browser(alone)
    for path in ("keys", "keys/show", "keys/check", "found"):
        path = f"/keeper/founders/{path}"
        csrf = re.search(r'name="csrf" value="(\w+)"', lea.page)[1]
        lea.portal.post(path, data={"csrf": csrf})
        lea.portal.post(path)
    assert alone.keys_folder.planned() is None


def test_where_others_are_in_the_set_the_page_says_what_to_do_instead(keepers, alone):
    keepers.join("Canal", alone.keyring.invite(InviteWish(), "lea").letters)
    keepers.meet()
    lea = Browser(alone)
    lea.get("/keeper/founders")
    assert "Canal" in lea.says and "Make two keys on paper" in lea.says and "What it costs" not in lea.says


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_about_founders_fits_and_speaks_each_language(alone, language):
    lea = Browser(alone)
    pages = [words_of(lea.get("/keeper/founders", language))]
    alone.board.founding.keys(3)
    pages += [words_of(lea.get(path, language)) for path in ("/keeper/founders", "/keeper/founders/keys")]
    assert len({*pages}) == 3


def test_none_of_it_is_shown_or_done_without_a_session(alone):
    lea = Browser(alone)
    stranger = lea.portal.application.test_client()
    for path in ("", "/keys"):
        assert "Sign in" in stranger.get(f"/keeper/founders{path}?lang=en").get_data(as_text=True)
    for path in ("begin", "keys/show", "keys/check", "found"):
        assert "Sign in" in stranger.post(f"/keeper/founders/{path}?lang=en", data={"keys": "2"}).get_data(as_text=True)
    assert alone.board.founding.keys() is None

"""A newcomer takes an island over with nothing but pages: the steps, what the island sees itself, what hands do."""

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest

from node.board.handover import FORGOTTEN_MIN, LASTS_MIN, HandoverStep
from node.model.passphrase import seal
from tests.sim.portals import PASSWORD, PASSWORD_HASH, portal_settings
from tests.web.test_desk_keys import Browser, keepers, words_of  # noqa: F401 - a fixture
from web import create_app
from web.desk_handover import PLACES, TITLES

DOCS = Path(__file__).parents[2] / "docs"
NEW_PASSWORD = "girafe tambour quatorze nuages"


@pytest.fixture
def gare(keepers):  # noqa: F811
    return keepers.found_island("Gare")


@pytest.fixture
def browser(gare):
    return Browser(gare)


def begun(browser, newcomer="Nadia", leaver="lea"):
    browser.get("/keeper/handover")
    assert browser.press("Begin", newcomer=newcomer, leaver=leaver) == 303
    return browser


def open_steps(island):
    return [view.step for view in island.board.handover_steps(False, None) if view.done is None]


def tick(browser, step, action="done"):
    return browser.portal.post("/keeper/handover/step", data={"csrf": csrf_of(browser), "step": step, "action": action})


def csrf_of(browser):
    return browser.get("/keeper/handover").split('name="csrf" value="')[1].split('"')[0]


def test_the_page_says_what_it_leads_through_and_asks_who_comes_and_who_leaves(browser):
    browser.get("/keeper")
    browser.follow("Handing over")
    assert "Somebody new looks after this island" in browser.says
    assert browser.press("Begin", newcomer="  ", leaver="") == 422 and "Give the name of who comes" in browser.says
    assert browser.press("Begin", newcomer="lea", leaver="lea") == 422
    assert browser.press("Begin", newcomer="Nadia", leaver="lea") == 303
    assert "Nadia comes, lea leaves." in browser.says and "Begun by lea" in browser.says
    assert "A handover is under way" in Browser.get(browser, "/keeper")


def test_what_the_island_sees_itself_needs_no_tick(browser, gare):
    begun(browser)
    before = open_steps(gare)
    browser.get("/keeper/people")
    assert browser.press("Let them sign in", name="Nadia", new=NEW_PASSWORD, again=NEW_PASSWORD) == 303
    assert set(before) - set(open_steps(gare)) == {HandoverStep.NEWCOMER, HandoverStep.PASSWORDS}
    browser.get("/keeper/handover")
    assert "Let the newcomer in ✓ Done on" in browser.says
    gare.board.remove_keeper("lea", "Nadia")
    assert HandoverStep.LEAVER not in open_steps(gare)


def test_passwords_are_done_once_every_keeper_who_stays_has_another_one(browser, gare):
    gare.board.set_keeper("Sam", PASSWORD_HASH, "lea")
    gare.clock.advance(60)
    begun(browser)
    gare.board.set_keeper("Nadia", PASSWORD_HASH, "lea")
    assert HandoverStep.PASSWORDS in open_steps(gare), "Sam has the old one"
    gare.board.set_keeper("Sam", PASSWORD_HASH, "Sam")
    assert HandoverStep.PASSWORDS not in open_steps(gare)


def test_groups_are_asked_for_where_there_are_groups_and_a_broker_where_there_is_one(browser, gare):
    begun(browser)
    steps = {view.step for view in gare.board.handover_steps(False, None)}
    assert steps == set(HandoverStep) - {HandoverStep.GROUPS, HandoverStep.BROKER}
    gare.board.add_group("Cantine", "sealed", "lea")
    assert HandoverStep.GROUPS in open_steps(gare)
    gare.board.reseal_group("Cantine", "sealed", "again", "lea")
    assert HandoverStep.GROUPS not in open_steps(gare)
    assert HandoverStep.BROKER in {view.step for view in gare.board.handover_steps(True, None)}


def test_the_secret_is_done_when_it_is_newer_than_the_handover(browser, gare):
    begun(browser)
    minute = gare.board.handover().begun
    for renewed, done in ((None, False), (minute - 1, False), (minute + 5, True)):
        view, = (one for one in gare.board.handover_steps(False, renewed) if one.step is HandoverStep.SECRET)
        assert (view.done is not None) is done and view.seen is done


def test_who_comes_without_anybody_leaving_has_less_to_do(browser, gare):
    begun(browser, leaver="")
    assert "Nadia comes." in browser.says and HandoverStep.SECRET not in open_steps(gare)
    assert HandoverStep.PAPERS in open_steps(gare)


def test_what_is_ticked_can_be_opened_again_and_another_keeper_goes_on(browser, gare):
    begun(browser)
    assert tick(browser, "papers").status_code == 303 and HandoverStep.PAPERS not in open_steps(gare)
    assert tick(browser, "papers", "open").status_code == 303 and HandoverStep.PAPERS in open_steps(gare)
    assert tick(browser, "nonsense").status_code == 400 == tick(browser, "newcomer").status_code
    tick(browser, "tools")
    gare.board.set_keeper("Nadia", PASSWORD_HASH, "lea")
    other = Browser(gare)
    other.portal.post("/keeper/login", data={"name": "Nadia", "password": PASSWORD})
    assert "It is not done after all" in other.get("/keeper/handover")


def test_it_has_a_deadline_is_told_after_it_and_forgotten_at_last(browser, gare):
    begun(browser)
    gare.clock.advance((LASTS_MIN + 1) * 60)
    Browser.__init__(browser, gare)
    browser.get("/keeper/handover")
    assert "It should have been over on" in browser.says
    gare.clock.advance((FORGOTTEN_MIN - LASTS_MIN) * 60)
    Browser.__init__(browser, gare)
    browser.get("/keeper/handover")
    assert gare.board.handover() is None and "Who comes" in browser.says


def test_it_ends_at_once_when_all_is_done_and_after_a_second_look_before(browser, gare):
    begun(browser)
    browser.get("/keeper/handover")
    assert browser.press("End the handover") == 200 and "things are left to do:" in browser.says
    assert gare.board.handover() and browser.press("End it all the same") == 303
    assert gare.board.handover() is None
    begun(browser, leaver="")
    gare.board.set_keeper("Nadia", PASSWORD_HASH, "lea")
    for step in open_steps(gare):
        tick(browser, step)
    browser.get("/keeper/handover")
    assert "All is done." in browser.says and browser.press("End the handover") == 303
    told = [(entry.action, entry.about) for entry in gare.board.audit_log()]
    assert ("handover-end", "0") in told and told.count(("handover", "Nadia")) == 2


def test_it_outlives_a_restart_of_the_board_and_names_no_secret(browser, gare):
    begun(browser)
    tick(browser, "papers")
    kept = gare.board.notes._store.note("handover")
    assert set(kept) == {"newcomer", "leaver", "keeper", "begun", "done"} and set(kept["done"]) == {"papers"}
    gare.start()
    assert gare.board.handover().newcomer == "Nadia" and HandoverStep.PAPERS not in open_steps(gare)


@pytest.mark.parametrize("lang", ["fr", "en", "es", "ar"])
def test_the_page_fits_a_small_phone_in_every_language_with_all_steps_open(lang, browser, gare):
    gare.board.add_group("Cantine", "sealed", "lea")
    gare.board.notes.update(lambda state: replace(state, keepers=state.keepers | {f"keeper {n}": "x" for n in range(9)}))
    begun(browser)
    browser.get("/keeper/handover", lang)


def test_every_page_that_a_step_leads_to_is_there(browser):
    missing = {place for place in PLACES.values() if browser.portal.get(place).status_code != 200}
    if missing:
        pytest.xfail(f"not built yet: {missing}")


def test_a_newcomer_takes_over_with_pages_alone_by_the_steps_of_the_printed_guide(browser, gare):
    """The leaver's part, then the newcomer's, each in a browser of their own; every step of the guide is come by."""
    gare.board.add_group("Cantine", sealed_by("trois chats gris dansent"), "lea")
    begun(browser)
    by_title = {title: step for step, title in TITLES.items()}
    printed = re.findall(r"^\d+\. \*\*(.+?)\*\*", (DOCS / "keeper-guide.en.md").read_text(), re.M)
    steps = [by_title[title] for title in printed if title in by_title]
    assert len(steps) == len(HandoverStep)
    newcomer = None
    for step in steps:
        who = newcomer or browser
        who.get("/keeper/handover")
        match step:
            case HandoverStep.NEWCOMER:
                who.get("/keeper/people")
                assert who.press("Let them sign in", name="Nadia", new=NEW_PASSWORD, again=NEW_PASSWORD) == 303
                newcomer = signed_in(gare, "Nadia", NEW_PASSWORD)
            case HandoverStep.LEAVER:
                who.get("/keeper/people/remove?name=lea")
                assert who.press("Remove", name="lea") == 303
                assert "Sign in" in words_of(browser.portal.get("/keeper?lang=en").get_data(as_text=True))
            case HandoverStep.GROUPS:
                who.get("/keeper/groups?name=Cantine")
                assert who.press("Change its passphrase", name="Cantine", present="trois chats gris dansent",
                                 new=NEW_PASSWORD, again=NEW_PASSWORD) == 303
            case HandoverStep.PASSWORDS | HandoverStep.BROKER:
                pass  # Nadia's is new, and nobody else is left; there is no broker here
            case _:
                tick(who, step)
        assert step not in open_steps(gare), step
    newcomer.get("/keeper/handover")
    assert "All is done." in newcomer.says and newcomer.press("End the handover") == 303
    assert gare.board.handover() is None and gare.board.keepers() == ["Nadia"]


def signed_in(island, name, password):
    """Another browser, of a keeper who signs in with their own password."""
    other = object.__new__(Browser)
    other.portal = create_app(island.board, portal_settings()).test_client()
    assert other.portal.post("/keeper/login", data={"name": name, "password": password}).status_code == 303
    return other


def sealed_by(passphrase):
    return base64.b64encode(seal(bytes(32), passphrase, bytes(16))).decode()

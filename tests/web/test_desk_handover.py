"""A newcomer takes an island over with nothing but pages: the steps, what the island sees itself, what hands do."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from node.board.handover import FORGOTTEN_MIN, LASTS_MIN, SEEN, HandoverStep
from node.board.keywords import seed_words
from node.board.reasons import AuditAction
from node.daemon.keyfiles import KeyFolder
from node.store import sealed
from node.store.backup import restore
from tests.sim.homes import Home, on
from tests.sim.keepers import FOUNDERS
from tests.sim.portals import PASSWORD, PASSWORD_HASH
from tests.waiting import until
from tests.web.keeper_browser import Browser, words_of
from tests.web.test_desk_keys import keepers  # noqa: F401 - a fixture
from web.desk_handover import PLACES, TITLES

DOCS = Path(__file__).parents[2] / "docs"
NEW_PASSWORD = "girafe tambour quatorze nuages"
GROUP_WORDS, BACKUP_WORDS = "trois chats gris dansent", "la soupe du canal fume"
WORDS = " ".join(seed_words(bytes([101]) * 32, "fr"))  # of a founder's key


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


def test_a_backup_is_done_when_one_was_taken_away_that_the_leaver_has_not_made(browser, gare):
    begun(browser)
    for keeper, taken, done in (("lea", True, False), ("Nadia", False, False), ("Nadia", True, True)):
        gare.clock.advance(60)
        gare.board.log_act(AuditAction.BACKUP, keeper)
        if taken:
            gare.board.backed_up(1_000, "download", keeper)
        assert (HandoverStep.BACKUP not in open_steps(gare)) is done, keeper


def test_of_a_backup_that_one_keeper_takes_again_and_again_the_log_tells_once(gare):
    before = len(gare.board.audit_log(99))
    for keeper in ("lea", "lea", "Nadia", "Nadia", "lea"):
        gare.board.backed_up(1_000, "download", keeper)
    log = gare.board.audit_log(99)
    assert [(one.keeper, one.action) for one in log[:len(log) - before]] == [
        (keeper, AuditAction.BACKUP_TAKEN) for keeper in ("lea", "Nadia", "lea")]


def test_a_newcomer_takes_over_with_pages_alone_by_the_steps_of_the_printed_guide(tmp_path, monkeypatch):
    """The leaver's part, then the newcomer's, each in a browser of their own, on a whole island: each step of the guide is
    come by, each page that one leads to is opened, and what is to be done there is pressed."""
    monkeypatch.setattr(sealed, "LOG_N", 4)  # quick to try
    home = founded_on_paper(tmp_path / "Gare")
    with on(home):
        walk = Walk(home)
        for step in printed_steps():
            walk.come_by(step)
        assert walk.seen == set(SEEN) | {HandoverStep.SECRET}, "the rest is ticked"
        newcomer = walk.newcomer
        newcomer.get("/keeper/handover")
        assert "All is done." in newcomer.says and newcomer.press("End the handover") == 303
        assert home.board.handover() is None and home.board.keepers() == ["Nadia"]
        restore(walk.backup, tmp_path / "neue Karte", BACKUP_WORDS)
        assert KeyFolder(tmp_path / "neue Karte").island_key().key_id == home.keys.island_key().key_id


class Walk:
    """A handover from lea to Nadia, by the links and buttons of the page; `seen`: steps that the island saw by itself."""

    def __init__(self, home):
        self.home, self.seen, self.newcomer = home, set(), None
        self.leaver = Browser(home, home.app.portal)
        self.leaver.get("/keeper/groups")
        assert self.leaver.press("Let the group sign here", name="Cantine", new=GROUP_WORDS, again=GROUP_WORDS) == 303
        self.leaver.get("/keeper")
        self.leaver.follow("Handing over")
        assert self.leaver.press("Begin", newcomer="Nadia", leaver="lea") == 303

    def come_by(self, step):
        who = self.newcomer or self.leaver
        if step in PLACES and "✓" not in step_on(who, step):
            who.page = step_on(who, step)
            who.follow("Go there")
            do = getattr(self, f"_{step.value}", None)
            if do:
                do(who)
        who = self.newcomer or self.leaver
        if "✓" in step_on(who, step):
            self.seen.add(step)
        else:
            who.page = step_on(who, step)
            assert who.press("It is done") == 303
        assert "✓" in step_on(who, step), step

    def _newcomer(self, who):
        assert who.press("Let them sign in", name="Nadia", new=NEW_PASSWORD, again=NEW_PASSWORD) == 303
        self.newcomer = Browser(self.home, self.home.app.portal, "Nadia", NEW_PASSWORD)

    def _leaver(self, who):
        who.get(html.unescape(re.search(r'href="([^"]*remove[^"]*name=lea[^"]*)"', who.page)[1]))
        assert who.press("Remove") == 303
        assert "Sign in" in words_of(self.leaver.get("/keeper"))

    def _groups(self, who):
        who.follow("Change its passphrase")
        assert who.press("Change its passphrase", present=GROUP_WORDS, new=NEW_PASSWORD, again=NEW_PASSWORD) == 303

    def _secret(self, who):
        before = self.home.app.charter.secret
        assert who.press("See who gets it", key=WORDS, hours="0", why="lea leaves") == 200, who.says
        assert who.press("Yes, give it a new secret") == 303, who.says
        until(lambda: not self.home.speaks(before))
        self.newcomer = Browser(self.home, self.home.app.portal, "Nadia", NEW_PASSWORD)

    def _sheet(self, who):
        assert "The keepers’ sheet" in who.page and "Nadia" in who.page and "lea" not in words_of(who.page).split()

    def _backup(self, who):
        assert who.press("Make a backup", passphrase=BACKUP_WORDS, again=BACKUP_WORDS, password=NEW_PASSWORD) == 303
        until(lambda: "Download it" in who.get("/keeper/care/backup"))
        address = html.unescape(re.search(r'href="([^"]*)">Download it', who.page)[1])
        self.backup = self.home.settings.node.data.parent / "island.backup"
        self.backup.write_bytes(who.portal.get(address).get_data())


def step_on(who, step):
    """That step, as the page has it."""
    return re.search(rf'<li id="{step.value}".*?</li>', who.get("/keeper/handover"), re.S)[0]


def printed_steps():
    """In the order of the guide, those that there are on an island without a broker."""
    by_title = {title: step for step, title in TITLES.items()}
    printed = re.findall(r"^\d+\. \*\*(.+?)\*\*", (DOCS / "keeper-guide.en.md").read_text(), re.M)
    steps = [by_title[title] for title in printed if title in by_title]
    assert len(steps) == len(HandoverStep)
    return [step for step in steps if step is not HandoverStep.BROKER]


def founded_on_paper(folder):
    """An island whose set has its founders' keys on paper."""
    keys = KeyFolder(folder)
    keys.found("Belleville", folder.name, FOUNDERS)
    return Home(folder)

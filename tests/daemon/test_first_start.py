"""The first start: behind the code of the card an island is made on a few pages, and founders' keys stay on paper alone."""

import errno
import io
import itertools
import os
import threading
from dataclasses import replace
from itertools import pairwise

import pytest

from node.board.founding import FOUNDERS
from node.board.keywords import fingerprint_words, seed_of_words
from node.board.starting import StartRefused
from node.daemon import first_start, keyfiles
from node.daemon.app import App
from node.daemon.first_start import FirstStart, start_code
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import BoxSettings, LanSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.daemon.settings_keeper import CardLines
from node.daemon.settings_reader import Notice, read
from node.i18n.sentence import sentence
from node.model.clock import ManualClock, SystemClock, seconds_of
from node.model.keys import SigningKey
from node.model.record import Right, Vouch, decode
from node.replica.trust import FOREVER
from node.store.backup import back_up
from node.store.index import Row
from node.store.journalstore import JournalStore
from tests.daemon.starter import Starter
from tests.daemon.test_qr_reader import photograph


class Box:
    """An island without a set in a folder, and somebody at its page."""

    def __init__(self, folder, said=(), card=None, **sections):
        self.folder, self.ended = folder, threading.Event()
        self.card = card or CardLines("archipel.toml", dict.fromkeys(said, 1))
        self.settings = Settings(**{"node": NodeSettings(data=folder), "radio": RadioSettings(connect="none"),
                                    "lan": LanSettings(discover=False), **sections})
        self.start = FirstStart(self.settings, self.ended.set, card=self.card)
        self.portal = self.start.open()
        self.starter = Starter(self.portal.test_client())

    @property
    def keys(self):
        return KeyFolder(self.folder)

    def begin(self):
        """The last press; then the island, running, until it is closed."""
        self.starter.send("/start/end")
        assert self.starter.status == 200 and self.keys.charter_exists(), self.starter.page
        assert self.ended.wait(60), "the process ends, so that the island starts"
        self.start.close()
        return App(self.settings, SystemClock(), card=self.card)


class Begun:
    """The island that was made with the last press, running."""

    def __init__(self, box):
        self.app = box.begin()

    def __enter__(self):
        self.app.open()
        return self.app

    def __exit__(self, *exc):
        self.app.close()


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path / "a")


@pytest.fixture
def entered(box):
    """The same, its code typed and the island described."""
    box.starter.enter(box.start.code)
    box.starter.describe()
    assert box.starter.status == 200 and "/start/set" in box.starter.page
    return box


def test_every_address_leads_to_the_one_page_in_four_languages(box):
    client = box.portal.test_client()
    for path in ("/", "/agenda", "/keeper", "/lan", "/start/nothing", "/generate_204"):
        answer = client.get(path, headers={"Host": "archipel.lan"})
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (303, "/start"), path
    assert client.post("/post", headers={"Host": "archipel.lan"}).headers["Location"] == "/start"
    probe = client.get("/generate_204", headers={"Host": "connectivitycheck.gstatic.com"})
    assert (probe.status_code, probe.headers["Location"]) == (302, "http://127.0.0.1:8080/start")
    pages = {Starter(box.portal.test_client(), tag).go() for tag in ("fr", "en", "es", "ar")}
    assert len(pages) == 4 and any('dir="rtl"' in page for page in pages)


def test_nothing_is_shown_or_taken_without_the_code_and_wrong_ones_are_slowed(box):
    starter = box.starter
    for path in ("island", "keeper", "set", "keys", "end"):
        assert 'name="code"' in starter.go(f"/start/{path}")
        assert path == "keys" or 'name="code"' in starter.send(f"/start/{path}", name="X", keeper="X", way="found")
    assert 'name="code"' in starter.send("/start/keys/show")
    assert not box.start.draft().described and not box.keys.charter_exists()
    said = [starter.enter("AAAA-AAAA") and starter.status for _try in range(7)]
    assert said[:5] == [403] * 5 and said[-1] == 429
    assert 'value="AAAA-AAAA"' in starter.page, "what was typed is kept"
    elsewhere = Starter(box.portal.test_client())
    elsewhere.client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    elsewhere.enter(box.start.code.lower().replace("-", " "))
    assert "/start/island" in elsewhere.page, "who guesses keeps nobody else out"


def test_a_form_from_another_page_changes_nothing(entered):
    entered.starter.page = ""
    assert entered.starter.send("/start/set", way="found", set_name="Elsewhere", keys="0") and entered.starter.status == 400
    assert not entered.start.draft().way


@pytest.mark.parametrize("count", FOUNDERS)
def test_a_set_is_founded_with_keys_that_are_on_paper_alone(entered, count, caplog):
    starter = entered.starter
    starter.found(count)
    starter.write_keys(count)
    assert "/start/end" in starter.page
    with Begun(entered) as app:
        charter = app.charter
        founders = [SigningKey(seed_of_words(" ".join(words))) for words in starter.papers]
        assert charter.name == "Belleville" and len(founders) == count
        assert set(charter.founders) == {key.public for key in founders} and app.key.public not in charter.founders
        rights = app.board.keyring.own().rights
        assert {"write", "urgent", "vouch"} <= set(rights) and max(rights.values()) < FOREVER
        paper, = (decode(raw) for raw in app._credentials)
        assert isinstance(paper.detail, Vouch) and Right.VOUCH in paper.detail.rights and paper.life >= 3 * 365 * 24
        assert app.board.password_hash("Samira") and app.board.status().rules.posting == "moderated"
        assert app.settings.node.name == "Place des Fêtes"
        assert [(entry.keeper, entry.action) for entry in app.board.audit_log()] == [("Samira", "keeper")]
    _nothing_is_left(entered.folder, starter.papers, caplog.text)


def _nothing_is_left(folder, papers, log):
    """No seed and no run of words is in any file, nor in the log."""
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file()) + log.encode()
    assert len(everything) > 500
    for words in papers:
        seed = seed_of_words(" ".join(words))
        assert seed not in everything and seed.hex().encode() not in everything.lower()
        assert not [pair for pair in pairwise(words) if " ".join(pair).encode() in everything]


def test_a_key_is_shown_once_and_asked_for_before_the_next_one(entered, monkeypatch):
    starter = entered.starter
    starter.found(2)
    assert 'name="word' not in starter.page, "none was shown yet"
    first = starter.show()
    assert len(first) == 24 and len(set(first)) > 12
    starter.go("/start/keys")
    assert not [word for word in first if f"<li>{word}</li>" in starter.page]
    assert len(starter.check(["faux"] * 24)) and starter.status == 422
    second = starter.show()
    assert second != first, "another one in its place"
    starter.check([word[:4].upper() for word in second])
    assert starter.status == 200 and entered.start.founders().written() == 1
    starter.send("/start/end")
    assert not entered.keys.charter_exists(), "one of two is not enough"


def test_another_number_of_keys_forgets_those_that_were_made(entered):
    entered.starter.found(2)
    entered.starter.write_keys(1)
    before = entered.start.founders()
    seed = before._seeds[0]
    entered.starter.found(3)
    assert entered.start.founders().written() == 0 and not any(seed) and before.written() == 0


def test_seeds_are_written_over_when_the_set_is_founded_and_when_the_page_ends(entered):
    entered.starter.found(2)
    entered.starter.write_keys(2)
    seeds = list(entered.start.founders()._seeds)
    assert all(map(any, seeds))
    entered.begin()
    assert not any(map(any, seeds))


def test_later_the_islands_own_key_founds_as_it_always_did(entered):
    entered.starter.found(0)
    with Begun(entered) as app:
        assert app.charter.founders == (app.key.public,)
        assert app.board.keyring.rights().until is None


@pytest.fixture
def invitation(tmp_path):
    """The text of an invitation into another island's set, and its charter."""
    keys = KeyFolder(tmp_path / "other")
    charter = keys.found("Le Canal", "Écluse")
    return keys.invite(), charter


def joining(box, **given):
    box.starter.enter(box.start.code)
    box.starter.describe()
    return box.starter.send("/start/set", way="join", **given)


@pytest.mark.parametrize("way", ["letters", "file", "picture"])
def test_an_invitation_is_taken_as_letters_as_a_file_and_from_a_photograph(box, invitation, way):
    text, charter = invitation
    given = {"letters": text.lower(), "file": (io.BytesIO(text.encode()), "invitation.txt"),
             "picture": (io.BytesIO(photograph("".join(text.split()), 3, 0.5) if way == "picture" else b""), "code.jpg")}
    page = joining(box, **{way: given[way]})
    assert "Le Canal" in page and " ".join(fingerprint_words(charter.set_id, "fr")) in page, page
    with Begun(box) as app:
        assert app.charter == charter and app.board.password_hash("Samira") and app.settings.node.name == "Place des Fêtes"


@pytest.mark.parametrize(("given", "words"), [
    ({}, 'id="w-letters"'), ({"letters": "MFZGG 2DJOB"}, "MFZGG 2DJOB"),
    ({"picture": (io.BytesIO(b"no picture"), "x.jpg")}, 'id="w-picture"'),
    ({"file": (io.BytesIO(b"\xff\0" * 9_000), "x")}, 'id="w-letters"')])
def test_what_is_no_invitation_is_told_and_nothing_typed_is_lost(box, given, words):
    page = joining(box, **given)
    assert box.starter.status == 422 and words in page and not box.start.draft().way


def test_an_invitation_that_is_none_leaves_the_choices_of_founding_as_they_were(box):
    page = joining(box, letters="A" * 60_000)  # the page's weight is the Starter's to look at
    assert box.starter.status == 422 and "A" * 4_000 in page
    assert 'name="set_name" type="text" dir="auto" maxlength="80" value="Place des Fêtes"' in page
    assert 'value="3" checked' in page


def test_who_changes_the_number_of_keys_reads_first_that_the_sheets_count_for_nothing(entered):
    assert "déjà notée" not in entered.starter.go("/start/set")
    entered.starter.found(3)
    entered.starter.write_keys(2)
    assert "2 clés sont déjà notées" in entered.starter.go("/start/set")


def test_the_day_by_the_islands_clock_is_read_before_the_last_press_and_where_an_invitation_is_too_old(
        entered, invitation, monkeypatch):
    monkeypatch.setattr(first_start, "SystemClock", lambda: ManualClock(seconds_of(6_000_000)))
    monkeypatch.setattr(keyfiles, "SystemClock", lambda: ManualClock(seconds_of(6_000_000)))
    page = entered.starter.send("/start/set", way="join", letters=invitation[0])
    assert entered.starter.status == 422 and "2035-05-29" in page and "internet" in page
    entered.starter.found(0)
    assert "29 mai 2035" in entered.starter.go("/start/end")


@pytest.mark.parametrize("path", ["/start/code", "/start/keys/show", "/start/keys/check", "/start/nowhere"])
def test_a_phone_that_comes_back_to_the_answer_of_a_form_is_led_on(entered, path):
    assert "Le réseau" in entered.starter.go(path) and entered.starter.status == 200


@pytest.mark.parametrize(("path", "field"), [("/start/set", "letters"), ("/start/island", "name")])
def test_what_is_too_large_is_told_in_ones_language_with_a_way_on(entered, path, field):
    page = entered.starter.send(path, **{field: "x" * 300_000})
    assert entered.starter.status == 413 and "Trop gros" in page and 'href="/start"' in page
    assert entered.start.draft().keeper == "Samira"


def test_who_waits_at_the_page_comes_to_the_board_and_whoever_comes_back_to_it_to_the_desk(entered):
    entered.starter.found(0)
    entered.starter.send("/start/end")
    waiting = entered.portal.test_client().get("/start/island", headers={"Host": "archipel.lan"})
    assert waiting.status_code == 503 and waiting.headers["Refresh"] == "5; url=/"
    entered.start.close()
    app = App(entered.settings, SystemClock())
    try:
        browser = app.open().test_client()
        for path in ("/start", "/start/", "/start/end", "/start/keys/show"):
            assert browser.get(path).headers["Location"] == "/keeper"
        assert browser.post("/start/end", data={"csrf": "x"}).status_code == 303
    finally:
        app.close()


@pytest.mark.parametrize(("fields", "words"), [
    ({"name": " "}, 'href="#name"'), ({"name": "\u2800"}, 'href="#name"'), ({"name": "x" * 41}, 'href="#name"')])
def test_what_cannot_be_is_told_with_its_field(box, fields, words):
    box.starter.enter(box.start.code)
    page = box.starter.send("/start/island", **{"name": "Île", "language": "es", "posting": "members"} | fields)
    assert box.starter.status == 422 and words in page
    assert '<option value="es" selected' in page and '<option value="members" selected' in page


@pytest.mark.parametrize(("new", "again"), [("court", "court"), ("motdepasse12", "motdepasse12"),
                                            ("sept lampes au bord", "six lampes au bord"),
                                            ("Place des Fêtes", "Place des Fêtes")])
def test_the_first_password_follows_the_one_rule(box, new, again):
    box.starter.enter(box.start.code)
    box.starter.send("/start/island", name="Place des Fêtes", language="fr", posting="open")
    page = box.starter.send("/start/keeper", keeper="Samira", new=new, again=again)
    assert box.starter.status == 422 and 'value="Samira"' in page and new not in page
    assert not box.start.draft().keeper


def test_the_settings_file_wins_where_it_says_something(tmp_path):
    box = Box(tmp_path, said=("node name", "node language", "box country"),
              node=NodeSettings(name="La Carte", data=tmp_path, language="es"),
              box=BoxSettings(country="FR"), portal=PortalSettings(behind_front=True))
    box.starter.enter(box.start.code)
    assert "La Carte" in box.starter.page and 'name="name"' not in box.starter.page
    box.starter.describe(name="La Page", language="en", country="DE")
    island = box.start.draft().island
    assert (island.name, island.language, island.country) == ("La Carte", "es", "FR")


def test_the_country_is_asked_where_it_does_something(tmp_path):
    box = Box(tmp_path, portal=PortalSettings(behind_front=True))
    box.starter.enter(box.start.code)
    assert 'name="country"' in box.starter.page
    page = box.starter.send("/start/island", name="Île", language="fr", country="Atlantis", posting="open")
    assert box.starter.status == 422 and 'value="Atlantis"' in page
    box.starter.describe(country="allemagne")
    box.starter.found(0)
    assert "DE" in box.starter.page
    with Begun(box) as app:
        assert app.settings.box.country == "DE"


@pytest.mark.parametrize(("card", "wifi"), [
    ("", "Place des Fêtes"), ('[box]\ncountry = "FR"', "Archipel"), ('[node]\nname = "Île"', "Île"),
    ('[portal]\nwifi = "Chez nous"', "Chez nous")])
def test_the_wifi_is_called_as_the_island_unless_the_card_has_named_it_or_opened_it(tmp_path, monkeypatch, card, wifi):
    monkeypatch.setenv("ARCHIPEL_WIFI", str(tmp_path))
    monkeypatch.setenv("ARCHIPEL_ORDERS", "wifi")
    file = read(card.encode(), "archipel.toml")
    named = file.settings.portal.wifi or file.settings.node.name
    lines = {" ".join(place): line for place, line in file.lines.items()}
    box = Box(tmp_path / "data", card=CardLines("archipel.toml", lines, named), box=file.settings.box,
              portal=replace(file.settings.portal, behind_front=True))
    box.starter.enter(box.start.code)
    box.starter.describe(country="FR")
    box.starter.found(0)
    with Begun(box) as app:
        assert app.board.settings.wifi_name == wifi


def test_what_the_box_has_done_is_told_before_there_is_an_island(box, tmp_path, monkeypatch):
    told = tmp_path / "notices"
    monkeypatch.setenv("ARCHIPEL_NOTICES", str(told))
    erased = Box(tmp_path / "data")
    assert not erased.start.notices()
    told.write_text(Notice(sentence("This box was erased.")).line() + "\n")
    assert "This box was erased." in erased.starter.go("/start?lang=en")


def test_the_code_is_that_of_the_card_where_there_is_one(tmp_path, monkeypatch):
    card = tmp_path / "code"
    keys = KeyFolder(tmp_path / "data")
    monkeypatch.setenv("ARCHIPEL_CODE", str(card))
    code, ours = start_code(keys)
    assert ours and start_code(keys) == (code, True) and len(code) == 9
    for damaged in (b"", b"  \n", b"\xff\xfe"):
        card.write_bytes(damaged)
        assert start_code(keys) == (code, True)
    card.write_text("k7qf-3mtx\n")
    assert start_code(keys) == ("k7qf-3mtx", False)


def backup_of(folder, path):
    """An island, and its backup."""
    KeyFolder(folder).found("Belleville", "Vieille île")
    JournalStore(folder).close()
    names = {f"keys/{file.name}": file for file in (folder / "keys").iterdir()}
    back_up(folder, path, "colza brouette nuage", names, bytes(16))
    return path.read_bytes()


def test_a_backup_makes_the_island_again_and_a_wrong_passphrase_nothing(box, tmp_path):
    old = tmp_path / "old"
    content = backup_of(old, tmp_path / "backup")
    box.starter.enter(box.start.code)
    assert "/start/restore" in box.starter.page
    box.starter.go("/start/restore")
    box.starter.send("/start/restore", passphrase="colza")
    assert box.starter.status == 422
    for wrong, words in ((content, "colza"), (content[:-40], "colza brouette nuage"), (b"none", "x")):
        box.starter.send("/start/restore", file=(io.BytesIO(wrong), "b"), passphrase=words)
        assert box.starter.status == 422 and not box.keys.charter_exists()
    box.starter.send("/start/restore", file=(io.BytesIO(content), "b"), passphrase="colza brouette nuage")
    assert box.starter.status == 200 and box.ended.wait(60), box.starter.page
    assert box.keys.charter() == KeyFolder(old).charter()
    assert box.keys.island_key().public == KeyFolder(old).island_key().public
    App(box.settings, SystemClock())


def test_who_guesses_at_a_backup_is_slowed(box):
    box.starter.enter(box.start.code)
    box.starter.go("/start/restore")
    statuses = []
    for _guess in range(7):
        box.starter.send("/start/restore", file=(io.BytesIO(b"none"), "b"), passphrase="x")
        statuses.append(box.starter.status)
    assert statuses[:5] == [422] * 5 and statuses[-1] == 429


@pytest.mark.once
def test_whatever_the_last_press_has_left_when_the_power_went_a_backup_may_still_take_its_place(box, tmp_path, monkeypatch):
    content = backup_of(tmp_path / "old", tmp_path / "backup")
    left = set()
    for step in range(1, 40):
        cut = Box(tmp_path / str(step))
        cut.starter.enter(cut.start.code)
        cut.starter.describe()
        cut.starter.found(0)
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", until_the_power_goes(step))
            cut.starter.send("/start/end")
        if cut.keys.charter_exists():
            break
        left |= {path.name for path in cut.folder.rglob("*") if path.is_file()}
        again = Box(tmp_path / str(step))
        again.starter.enter(cut.start.code)
        again.starter.go("/start/restore")
        again.starter.send("/start/restore", file=(io.BytesIO(content), "b"), passphrase="colza brouette nuage")
        assert again.starter.status == 200, again.starter.page
        assert again.keys.charter() == KeyFolder(tmp_path / "old").charter()
    assert cut.keys.charter_exists() and left >= {"notes.journal", "island.key", "papers"}, left


def until_the_power_goes(step):
    """`os.fsync` for so many times."""
    asked, fsync = itertools.count(1), os.fsync

    def syncing(descriptor):
        if next(asked) >= step:
            raise OSError(errno.EIO, "the power went")
        fsync(descriptor)

    return syncing


def test_records_without_a_set_are_in_no_backups_place(entered, tmp_path):
    content = backup_of(tmp_path / "old", tmp_path / "backup")
    KeyFolder(entered.folder).found("Belleville", "Vieille île")
    (raw,), store = entered.keys.credentials(), JournalStore(entered.folder)
    store.commit(put=[Row.of(decode(raw), raw, 1)])
    store.close()
    (entered.folder / "keys" / "charter").unlink()
    entered.starter.go("/start/restore")
    entered.starter.send("/start/restore", file=(io.BytesIO(content), "b"), passphrase="colza brouette nuage")
    assert entered.starter.status == 422 and (entered.folder / "keys" / "island.key").exists()
    store = JournalStore(entered.folder)
    assert len(store) == 1
    store.close()


def test_while_another_command_has_the_folder_the_last_press_says_so_and_the_next_one_goes_through(entered):
    entered.starter.found(0)
    store = JournalStore(entered.folder)
    entered.starter.send("/start/end")
    assert entered.starter.status == 422 and "Une autre commande" in entered.starter.page
    store.close()
    with Begun(entered) as app:
        assert list(app.board.keepers()) == ["Samira"]


def test_keys_that_are_forgotten_while_the_last_press_is_on_its_way_found_nothing(entered):
    entered.starter.found(2)
    entered.starter.write_keys(2)
    entered.start.founders().forget()
    with pytest.raises(StartRefused):
        entered.start.begin()
    assert not entered.keys.charter_exists()


def test_an_island_that_the_command_line_founded_meanwhile_starts(entered):
    entered.keys.found("Ailleurs", "Ailleurs")
    entered.starter.go()
    assert entered.starter.status == 503 and entered.ended.wait(60)


def test_a_card_that_takes_nothing_is_told_and_the_next_press_goes_through(entered):
    entered.starter.found(2)
    entered.starter.write_keys(2)
    entered.folder.mkdir(exist_ok=True)
    (entered.folder / "keys" / "island.key.new").mkdir(parents=True)
    entered.starter.send("/start/end")
    assert entered.starter.status == 422 and not entered.keys.charter_exists()
    (entered.folder / "keys" / "island.key.new").rmdir()
    with Begun(entered) as app:
        assert len(app.charter.founders) == 2


def test_two_presses_at_once_make_one_island(entered):
    entered.starter.found(0)
    presses = [threading.Thread(target=entered.start.begin) for _press in range(4)]
    for press in presses:
        press.start()
    for press in presses:
        press.join(60)
    assert entered.ended.wait(60)
    assert entered.keys.charter().founders == (entered.keys.island_key().public,)

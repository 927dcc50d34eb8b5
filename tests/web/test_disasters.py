"""Whatever befalls a set is healed by its keepers on pages, as the page “When something goes wrong” tells them.

What has no page of its own yet is done as the box does it: joining with an invitation (`KeyFolder.join`), and restoring a
backup (`node.store.backup`).
"""

import os
import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from node.board.keyring import InviteWish, TypedKey, VouchWish
from node.board.keywords import seed_words
from node.daemon.keyfiles import KeyFolder, vouch
from node.model.keys import Charter, SigningKey
from node.model.record import Right, Vouch
from node.store.backup import back_up, restore
from tests.sim.homes import Home, on
from tests.sim.keepers import FOUNDERS, Keepers
from tests.sim.portals import PASSWORD
from tests.waiting import until
from tests.web.keeper_browser import Browser, words_of

pytestmark = pytest.mark.once

WORDS = [" ".join(seed_words(bytes([number]) * 32, "fr")) for number in (101, 102, 103)]
KEEPER = Right.WRITE | Right.VOUCH


@pytest.fixture
def folders(tmp_path):
    """Gare and Canal are keepers' islands, Pont writes; three founders' keys are on paper."""
    gare, canal, pont = (KeyFolder(tmp_path / name) for name in ("Gare", "Canal", "Pont"))
    charter = Charter.found("Belleville", [founder.public for founder in FOUNDERS], os.urandom(32))
    gare._keep(charter, [vouch(charter, FOUNDERS[0], Vouch(gare._new_key().public, KEEPER), "Gare")])
    for folder, name in ((canal, "Canal"), (pont, "Pont")):
        folder.join(gare.invite(), name)
    canal._keep(charter, [*canal.credentials(),
                          vouch(charter, FOUNDERS[1], Vouch(canal.island_key().public, KEEPER), "Canal")])
    return [tmp_path / name for name in ("Gare", "Canal", "Pont")]


def keeper_at(home, name="lea"):
    return Browser(home, home.app.portal, name)


def met(*homes):
    for one in homes:
        one.visit(*(other for other in homes if other is not one))


def revoked_at_once(keeper, name, words, **typed):
    """On the desk: this key is revoked, after a second look, signed with these words."""
    keeper.get("/keeper")
    keeper.follow("Keys")
    keeper.follow(name)
    assert keeper.press("See what it would do", key=words, **typed) == 200, keeper.says
    told = keeper.says
    assert keeper.press("Yes, revoke it", at_once="1") == 303, keeper.says
    return told


def new_secret(keeper, words):
    """On the desk: a new secret at once, signed with these words; names of who is left out."""
    keeper.get("/keeper")
    keeper.follow("The set’s secret")
    assert keeper.press("See who gets it", key=words, hours="0", why="nuit du 3") == 200, keeper.says
    left_out = words_of(re.search(r"<h2>Who is left out</h2>.*?<h2>", keeper.page, re.S).group())
    assert keeper.press("Yes, give it a new secret") == 303, keeper.says
    return left_out


def invited(keeper):
    """On the desk: the letters of a new invitation."""
    keeper.get("/keeper")
    keeper.follow("Keys")
    keeper.follow("Invite an island")
    assert keeper.press("Make the invitation", days="365") == 303, keeper.says
    return re.search(r"<pre[^>]*>(.*?)</pre>", keeper.page, re.S).group(1)


def moved_on(home, before):
    """Whether it speaks with another secret than before, opened anew if it asks."""
    return not home.speaks(before)


def joined(tmp_path, name, letters):
    KeyFolder(tmp_path / name).join(letters, name)
    return Home(tmp_path / name)


def test_a_box_is_seized_it_reads_no_more_the_others_go_on_and_a_new_one_takes_its_place(folders, tmp_path):
    gare, canal, pont = map(Home, folders)
    with on(gare, canal, pont):
        met(gare, canal, pont)
        before = gare.app.charter.secret
        lea = keeper_at(gare)
        assert "The key ends for ever" in revoked_at_once(lea, "Canal", WORDS[0])
        left_out = new_secret(lea, WORDS[0])
        assert "Canal" in left_out and "Pont" not in left_out
        until(lambda: moved_on(gare, before))
        pont.visit(gare)
        until(lambda: moved_on(pont, before))
        gare.post("rendez-vous ailleurs")
        pont.visit(gare)
        assert "rendez-vous ailleurs" in pont.texts
        canal.post("je suis toujours Canal")
        canal.visit(gare, pont)
        assert "rendez-vous ailleurs" not in canal.texts, "it is led by renewals that have no seat for it"
        assert canal.app.charter.secret == before and "je suis toujours Canal" not in gare.texts | pont.texts
        quai = joined(tmp_path, "Quai", invited(keeper_at(gare)))
        with on(quai):
            quai.visit(gare)
            assert "rendez-vous ailleurs" in quai.texts
            quai.post("une autre boîte")
            met(quai, pont)
            assert "une autre boîte" in pont.texts


def test_a_founders_key_is_stolen_the_other_founders_end_it_and_what_it_did_comes_back(folders):
    gare, canal, pont = map(Home, folders)
    with on(gare, canal, pont):
        pont.post("de Pont")
        met(gare, canal, pont)
        before, safe = gare.app.charter.secret, gare.app.timekeeper.now()
        until(lambda: gare.app.timekeeper.now() > safe + 60)
        thief = TypedKey(WORDS[2])
        ring = canal.board.keyring
        ring.revoke(ring.look(pont.keys.island_key().key_id.hex(), 0, thief).label, "voleur", at_once=True)
        ring.renew(ring.look_at_renewal(0, thief).label, "voleur")
        until(lambda: moved_on(canal, before))
        met(gare, canal)
        until(lambda: moved_on(gare, before) and "de Pont" not in gare.texts)
        lea, ana = keeper_at(gare), keeper_at(canal, "ana")
        moment = datetime.fromtimestamp(safe, UTC).astimezone(ZoneInfo(gare.settings.node.timezone))
        when = {"start_date": f"{moment:%Y-%m-%d}", "start_time": f"{moment:%H:%M}"}
        stolen = f"Founder’s key {FOUNDERS[2].key_id.hex()[:8]}"
        assert "once 1 more keeper agrees" in revoked_at_once(lea, stolen, WORDS[0], **when)
        met(gare, canal)
        assert "The key ends for ever" in revoked_at_once(ana, stolen, WORDS[1], **when)
        met(gare, canal)
        thiefs = gare.app.charter.secret
        until(lambda: moved_on(gare, thiefs) and moved_on(canal, thiefs))
        assert gare.app.charter.secret == before, "all are back at the last good one"
        met(gare, canal, pont)
        assert "de Pont" in gare.texts and not pont.app.secret.behind
        lea = keeper_at(gare)
        assert "Pont" not in new_secret(lea, WORDS[1])
        until(lambda: moved_on(gare, before))
        for home in (canal, pont):
            home.visit(gare)
            until(lambda home=home: home.speaks(gare.app.charter.secret))
        pont.post("tout va bien")
        met(gare, pont)
        assert "tout va bien" in gare.texts
        lea = keeper_at(gare)
        lea.get("/keeper/secret")
        assert lea.press("See who gets it", key=WORDS[2]) == 422, "the thief makes no more of them"


def test_a_box_is_lost_without_a_backup_and_another_island_lets_a_new_one_in(folders, tmp_path):
    gare, canal, pont = map(Home, folders)
    with on(gare, canal):
        gare.post("vieille annonce")
        met(gare, canal)
    with on(canal, pont):
        until(lambda: canal.board.now() > canal.board.bulletins().items[0].created)  # what comes later falls with its key
        ana = keeper_at(canal, "ana")
        neue = joined(tmp_path, "Gare 2", invited(ana))
        revoked_at_once(ana, "Gare", WORDS[1])
        with on(neue):
            met(canal, neue, pont)
            assert neue.knows(pont) and not canal.app.liveset.trust.may(
                gare.keys.island_key().key_id, Right.WRITE, canal.board.now())
            assert "vieille annonce" in neue.texts, "what was said before it was lost stays"
            neue.post("nous revoilà")
            met(canal, neue, pont)
            assert "nous revoilà" in pont.texts


def test_a_card_dies_and_a_backup_makes_the_same_island_again_though_the_secret_was_renewed_since(folders, tmp_path):
    gare, canal, pont = map(Home, folders)
    with on(gare, canal):
        gare.post("avant")
        met(gare, canal)
        files = {f"keys/{path.name}": path for path in gare.keys.path.iterdir()}
        back_up(gare.settings.node.data, tmp_path / "backup", "deux chats gris", files, os.urandom(16))
    with on(canal):
        before = canal.app.charter.secret
        assert "Gare" not in new_secret(keeper_at(canal, "ana"), WORDS[0])
        until(lambda: moved_on(canal, before))
        canal.post("pendant")
        restore(tmp_path / "backup", tmp_path / "Gare neuve", "deux chats gris")
        again = Home(tmp_path / "Gare neuve")
        assert again.keys.island_key().key_id == gare.keys.island_key().key_id
        with on(again, pont):
            again.visit(canal)
            until(lambda: again.speaks(canal.app.charter.secret))
            again.post("après")
            met(again, canal)
            assert again.texts == canal.texts == {"avant", "pendant", "après"}


@pytest.fixture
def keepers(tmp_path):
    made = Keepers(tmp_path, FOUNDERS)
    yield made
    made.close()


def test_a_keeper_is_gone_and_neither_signs_in_nor_vouches_nor_reads_along(keepers):
    gare = keepers.found_island("Gare")
    canal = keepers.join("Canal", gare.keyring.invite(InviteWish(days=365), "lea").letters)
    keepers.meet()
    lea, max_ = Browser(gare), Browser(gare, name="max")
    paper = SigningKey(b"\5" * 32)
    gare.keyring.vouch(VouchWish(paper.public.hex(), "Clé de Max", frozenset({"vouch"})), "max")
    lea.get("/keeper")
    lea.follow("Keepers and passwords")
    address = re.search(r'href="([^"]*remove[^"]*name=max[^"]*)"', lea.page).group(1)
    lea.get(address)
    assert lea.press("Remove") == 303
    assert 'name="password"' in max_.get("/keeper"), "signed out at once"
    revoked_at_once(lea, "Clé de Max", WORDS[0])
    assert "Clé de Max" in new_secret(lea, WORDS[0])
    keepers.meet()
    keepers.pass_minutes(2)
    assert gare.secret.known[0].secret == canal.secret.known[0].secret != keepers.charter.secret
    max_.get("/keeper")
    assert max_.press("Sign in", name="max", password=PASSWORD) == 403


def test_a_passphrase_is_forgotten_and_another_keeper_lets_in_again_and_another_key_takes_the_place(keepers):
    gare = keepers.found_island("Gare")
    lea, _ = Browser(gare), Browser(gare, name="max")
    lost = SigningKey(b"\5" * 32)
    gare.keyring.vouch(VouchWish(lost.public.hex(), "Clé de Max", frozenset({"vouch"})), "max")
    lea.get("/keeper")
    lea.follow("Keepers and passwords")
    lea.get(re.search(r'href="([^"]*remove[^"]*name=max[^"]*)"', lea.page).group(1))
    lea.press("Remove")
    new = "quatre baleines bleues"
    assert lea.press("Let them sign in", name="max", new=new, again=new) == 303, lea.says
    max_ = Browser(gare, name="max", password=new)
    revoked_at_once(max_, "Clé de Max", WORDS[0])
    max_.get("/keeper")
    max_.follow("Keys")
    max_.follow("A key on paper")
    assert max_.press("Make it and show it once") == 200
    written = " ".join(re.findall(r"<li>([^<]+)</li>", max_.page))
    max_.follow("It is written down: vouch for it now")
    assert max_.press("Vouch for it", name="Nouvelle clé", vouch="1") == 303
    max_.get("/keeper/keys/invite")
    assert max_.press("Make the invitation", key=written) == 303


@pytest.mark.parametrize("language", ["fr", "en", "es", "ar"])
def test_what_to_do_is_read_by_everybody_in_each_language_and_printed(portal, language):
    for path in ("/learn/trouble", "/learn/trouble/print"):
        page = portal.get(f"{path}?lang={language}")
        text = page.get_data(as_text=True)
        assert page.status_code == 200 and f'lang="{language}"' in text and len(text.encode()) < 14_000
        assert text.count("<ol>") == 6 and text.count("<li>") >= 22

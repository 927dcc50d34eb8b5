"""Keepers give the set a new secret on pages: they read who gets it and who does not, and take it when left out."""

import html
import re

import pytest

from node.board.keyring import InviteWish, TypedKey, VouchWish
from node.board.keywords import seed_words
from node.model.keys import SigningKey
from tests.sim.keepers import FOUNDERS, Keepers
from tests.sim.portals import portal_settings
from tests.web.keeper_browser import Browser, words_of
from web import create_app

WORDS = [" ".join(seed_words(bytes([number]) * 32, "fr")) for number in (101, 102, 103)]
LANGUAGES = ("fr", "en", "es", "ar")


@pytest.fixture
def keepers(tmp_path):
    made = Keepers(tmp_path, FOUNDERS)
    yield made
    made.close()


@pytest.fixture
def gare(keepers):
    return keepers.found_island("Gare")


@pytest.fixture
def lea(gare):
    return Browser(gare)


def joined(keepers, gare, name, **wish):
    island = keepers.join(name, gare.keyring.invite(InviteWish(days=365, **wish), "lea").letters)
    keepers.meet()
    return island


def secrets_of(keepers):
    return {name: island.secret.known[0].secret for name, island in keepers.islands.items()}


def test_the_desk_and_the_page_of_keys_lead_to_it_and_it_says_what_the_secret_is(lea):
    lea.get("/keeper")
    lea.follow("The set’s secret")
    assert "the one that the set began with" in lea.says
    lea.get("/keeper/keys")
    lea.follow("The set’s secret")
    assert "Only a founder’s key makes a new secret" in lea.says


def test_who_is_left_out_is_named_before_anything_is_done_and_then_hears_nothing_new(keepers, gare, lea):
    canal, pont = joined(keepers, gare, "Canal"), joined(keepers, gare, "Pont")
    gare.keyring.revoke(gare.keyring.look("Pont", None, None).label, "lea", at_once=True)
    gare.keyring.invite(InviteWish(), "lea")
    keepers.meet()
    before = secrets_of(keepers)
    lea.get("/keeper/secret")
    assert lea.press("See who gets it", key=WORDS[0], hours="0", why="box of Pont seized") == 200
    left_out = words_of(re.search(r"<h2>Who is left out</h2>.*?<h2>", lea.page, re.S).group())
    assert "Pont" in left_out and "Canal" not in left_out and "1 invitation that nobody has used" in lea.says
    assert "5 keys get it" in lea.says and "Canal" in lea.says and "Founder’s key" in lea.says
    assert secrets_of(keepers) == before and WORDS[0] not in lea.page
    assert lea.press("Yes, give it a new secret") == 303 and "on its way to all who may write" in lea.says
    keepers.meet()
    keepers.pass_minutes(2)
    after = secrets_of(keepers)
    assert after["Gare"] == after["Canal"] != before["Gare"] and after["Pont"] == before["Pont"]
    entry = gare.board.audit_log()[0]
    assert (entry.keeper, entry.action, entry.why) == ("lea", "renew-secret", "box of Pont seized")
    assert entry.at == keepers.minute - 2
    says = words_of(lea.get("/keeper/secret"))
    assert "Founder’s key" in says and "it counts since" in says
    assert pont.keyring.secret().behind and not canal.keyring.secret().behind


def test_it_waits_as_long_as_was_chosen_and_says_so_to_who_invites(keepers, gare, lea):
    before = secrets_of(keepers)
    for hours, wait in (("1", 60), ("24", 1_440), ("168", 7 * 1_440)):
        lea.get("/keeper/secret")
        lea.press("See who gets it", key=WORDS[1], hours=hours)
        lea.press("Yes, give it a new secret")
        assert "A new one is made already" in lea.says
        assert "who joins with this invitation before" in words_of(lea.get("/keeper/keys/invite"))
        keepers.pass_minutes(wait - 2)
        assert secrets_of(keepers) == before
        keepers.pass_minutes(3)
        assert secrets_of(keepers) != before
        before = secrets_of(keepers)
        keepers.pass_days(2)
    assert "who joins with this invitation before" not in words_of(lea.get("/keeper/keys/invite"))


def test_an_island_that_was_left_out_by_mistake_takes_the_secret_of_an_invitation(keepers, gare, lea):
    canal = joined(keepers, gare, "Canal")
    keepers.pass_days(400)  # its rights have ended meanwhile
    lea = Browser(gare)
    lea.get("/keeper/secret")
    lea.press("See who gets it", key=WORDS[0], hours="0")
    lea.press("Yes, give it a new secret")
    keepers.meet()
    keepers.pass_minutes(2)
    ana = Browser(canal)
    ana.get("/keeper/secret")
    assert "this island was not given it" in ana.says
    letters = gare.keyring.invite(InviteWish(), "lea").letters
    for wrong, said in (("hello", "not a whole invitation"), (letters[:-9], "not a whole invitation")):
        assert ana.press("Take its secret", letters=wrong) == 422 and said in ana.says and wrong in ana.page
    assert ana.press("Take its secret", letters=letters) == 303 and "Taken" in ana.says
    keepers.pass_minutes(1)
    assert len(set(secrets_of(keepers).values())) == 1 and not canal.keyring.secret().behind
    assert [entry.action for entry in canal.board.audit_log()] == ["catch-up"]


@pytest.mark.parametrize("typed", ["", "keeper", "stranger", "word", "cut"])
def test_who_is_no_founder_renews_nothing_and_reads_why(keepers, gare, lea, typed):
    keepers_seed = b"\7" * 32
    gare.keyring.vouch(VouchWish(SigningKey(keepers_seed).public.hex(), "Nadia", frozenset({"vouch"})), "lea")
    key = {"keeper": seed_words(keepers_seed, "en"), "stranger": seed_words(bytes(32), "en"), "word": ["xylofon"] * 24,
           "cut": WORDS[2].split()}.get(typed, ())
    for words in WORDS[:2] if typed == "cut" else ():
        looked_at = gare.keyring.look(FOUNDERS[2].key_id.hex(), None, TypedKey(words))
        gare.keyring.revoke(looked_at.label, "lea", at_once=True)
    lea.get("/keeper/secret")
    before = len(gare.liveset)
    assert lea.press("See who gets it", key=" ".join(key), hours="24", why="parce que") == 422
    assert ("Word 1" in lea.says) if typed == "word" else ("Only a founder’s key renews the secret" in lea.says)
    assert "parce que" in lea.page and re.search(r'value="24" selected', lea.page), "nothing typed is lost"
    assert len(gare.liveset) == before


def test_a_page_that_was_open_for_too_long_or_pressed_twice_renews_nothing(keepers, gare, lea):
    lea.get("/keeper/secret")
    lea.press("See who gets it", key=WORDS[0])
    keepers.pass_minutes(31)
    assert lea.press("Yes, give it a new secret") == 422 and "open for too long" in lea.says
    lea.press("See who gets it", key=WORDS[0])
    page = lea.page
    assert lea.press("Yes, give it a new secret") == 303
    lea.page, renewals = page, len(gare.liveset)
    assert lea.press("Yes, give it a new secret") == 422 and len(gare.liveset) == renewals


def test_its_pages_are_for_keepers_with_their_token_only(keepers, gare, lea):
    stranger, before = create_app(gare.board, portal_settings()).test_client(), len(gare.liveset)
    assert 'name="password"' in stranger.get("/keeper/secret").get_data(as_text=True)
    for path in ("look", "renew", "catch-up"):
        assert 'name="password"' in stranger.post(f"/keeper/secret/{path}").get_data(as_text=True)
        assert lea.portal.post(f"/keeper/secret/{path}", data={"csrf": "x"}).status_code == 400
    assert len(gare.liveset) == before and not gare.board.audit_log()


@pytest.mark.parametrize(("path", "fields"), [
    ("look", {"hours": "x"}), ("look", {"hours": "-5"}), ("look", {"hours": "9" * 30, "key": "a " * 9_000}),
    ("look", {"key": "archipel key 1 sealed\nAAAA"}), ("renew", {"label": "x"}), ("renew", {}),
    ("catch-up", {"letters": "A" * 9_000}), ("catch-up", {"letters": "\x00\u202e"}), ("catch-up", {}),
])
def test_whatever_is_typed_is_answered_in_words_and_does_nothing(gare, lea, path, fields):
    csrf = re.search(r'name="csrf" value="(\w+)"', lea.get("/keeper/secret")).group(1)
    before = len(gare.liveset)
    answer = lea.portal.post(f"/keeper/secret/{path}", data={"csrf": csrf, **fields})
    assert answer.status_code == 422 and 'role="alert"' in answer.get_data(as_text=True)
    assert len(gare.liveset) == before


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """An island that has let in 190 others, of which most are gone. Looking at them changes nothing."""
    keepers = Keepers(tmp_path_factory.mktemp("crowd"), FOUNDERS)
    gare = keepers.found_island("Gare")
    for number in range(190):  # of what has ended, the newest 200 are spoken of
        public = SigningKey(number.to_bytes(2, "big") * 16).public.hex()
        days = 3 if number % 4 else 700
        gare.keyring.vouch(VouchWish(public, f"Île numéro {number} au nom assez long", days=days), "lea")
    keepers.pass_days(4)
    yield gare
    keepers.close()


@pytest.mark.once
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_fit_and_speak_each_language_with_many_members(crowd, language):
    lea = Browser(crowd)
    assert f'lang="{language}"' in lea.get("/keeper/secret", language)
    lea.page = re.sub(r'action="/keeper/secret/look[^"]*"', f'action="/keeper/secret/look?lang={language}"', lea.page)
    label = html.unescape(re.findall(r"<button[^>]*>([^<]*)</button>", lea.page)[-1])
    assert lea.press(label, key=WORDS[0], hours="168") == 200
    assert f'lang="{language}"' in lea.page and len(lea.page.encode()) < 14_000
    assert "Île numéro 1 au nom assez long" in lea.page, "who is left out comes first"
    view = crowd.keyring.look_at_renewal(1, TypedKey(WORDS[0]))
    assert len(view.names) == 48 + 1 + 3 and len(view.left_out) == 142


def test_who_was_left_out_before_is_not_named_again_and_who_joined_since_is(keepers, gare, lea):
    joined(keepers, gare, "Canal")
    joined(keepers, gare, "Pont")
    for gone in ("Canal", "Pont"):
        gare.keyring.revoke(gare.keyring.look(gone, None, TypedKey(WORDS[0])).label, "lea", at_once=True)
        preview = gare.keyring.look_at_renewal(0, TypedKey(WORDS[1]))
        assert preview.left_out == (gone,)
        gare.keyring.renew(preview.label, "lea")
        keepers.pass_minutes(30)
    joined(keepers, gare, "Quai")
    keepers.pass_days(366)
    assert gare.keyring.look_at_renewal(0, TypedKey(WORDS[1])).left_out == ("Quai",), "its invitation has ended"

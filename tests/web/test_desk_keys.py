"""Keepers do everything about keys on pages: from the first invitation to a box that was stolen."""

import html
import io
import re

import pytest

from node.board.api import Draft
from node.board.keyring import InviteWish, VouchWish
from node.board.keywords import seed_words
from node.daemon.keyfiles import write_keeper_key
from node.model.keys import SigningKey
from node.model.record import Kind
from tests.sim.keepers import Keepers, KeptIsland
from tests.sim.portals import portal_settings, words
from tests.web.keeper_browser import Browser, words_of
from web import create_app
from web.pages import MAX_PAGE_BYTES

FOUNDERS_WORDS = " ".join(seed_words(bytes([101]) * 32, "fr"))
PASSPHRASE, OTHER = "tout le monde au canal", "quatre mots au hasard"
LANGUAGES = ("fr", "en", "es", "ar")


@pytest.fixture
def keepers(tmp_path):
    made = Keepers(tmp_path)
    yield made
    made.close()


@pytest.fixture
def gare(keepers):
    return keepers.found_island("Gare")


@pytest.fixture
def lea(gare):
    return Browser(gare)


def invited(keepers, lea, name, **typed):
    """A new island, by what the pages gave."""
    lea.get("/keeper/keys/invite")
    assert lea.press("Make the invitation", **typed) == 303
    letters = re.search(r"<pre[^>]*>(.*?)</pre>", lea.page, re.S).group(1)
    island = keepers.join(name, letters)
    keepers.meet()
    return island


def test_a_keeper_makes_a_second_keepers_island_and_it_outlives_the_first(keepers, gare, lea):
    lea.get("/keeper/keys")
    lea.follow("Make a second keeper’s island")
    canal = invited(keepers, lea, "Canal", keeper="1", days="365")
    lea.get("/keeper/keys")
    assert "Canal has joined with the invitation for a second keeper’s island." in lea.says
    assert lea.press("Let it vouch for others") == 303
    keepers.meet()
    del keepers.islands["Gare"]  # the box is lost
    ana = Browser(canal)
    pont = invited(keepers, ana, "Pont", days="30")
    assert pont.may_write()
    gare.archive.close()


def test_what_ends_soon_is_the_first_thing_and_one_press_renews_it(keepers, lea):
    canal = invited(keepers, lea, "Canal", days="365")
    keepers.pass_days(320)
    desk = words_of(lea.get("/keeper"))
    assert "the rights of Canal end on" in desk
    readers = words_of(create_app(canal.board, portal_settings()).test_client().get("/?lang=en").get_data(as_text=True))
    assert "may write in its set until" in readers and "Please tell its keepers" in readers
    lea.get("/keeper/keys")
    assert lea.press("Renew for two years") == 303 and "Done" in lea.says
    keepers.meet()
    assert canal.keyring.rights().until == keepers.minute + 730 * 1440
    assert "Ends soon" not in words_of(lea.get("/keeper/keys"))


def test_an_island_that_cannot_be_renewed_here_says_who_can_and_a_founders_words_do_it_here(keepers, lea):
    canal = invited(keepers, lea, "Canal", days="40")
    ana = Browser(canal)
    ana.get("/keeper/keys")
    assert "may write in its set until" in ana.says and "Gare" in ana.says
    ana.follow("this island’s key")
    assert ana.press("Let it stay") == 422 and "Who may: Gare" in ana.says
    assert ana.press("Let it stay", key=FOUNDERS_WORDS.replace(" ", "  ").upper()) == 303
    assert canal.keyring.rights().until == keepers.minute + 730 * 1440
    assert FOUNDERS_WORDS not in ana.page


def test_a_wrong_word_is_named_and_the_others_are_not_lost(keepers, lea):
    invited(keepers, lea, "Canal")
    lea.get("/keeper/keys/new")
    wrong = FOUNDERS_WORDS.split()
    wrong[4] = "xylofon"
    public = SigningKey(b"\7" * 32).public.hex()
    assert lea.press("Vouch for it", who=public, name="Île du lac", key=" ".join(wrong)) == 422
    assert "Word 5, “xylofon”" in lea.says
    assert " ".join(wrong) in lea.page and public in lea.page and "Île du lac" in lea.page


def test_a_stolen_box_is_revoked_after_a_second_look(keepers, gare, lea):
    canal = invited(keepers, lea, "Canal")
    lea.get("/keeper/keys")
    lea.follow("Canal")
    assert lea.press("See what it would do", key=FOUNDERS_WORDS) == 200
    assert "The key ends for ever" in lea.says and "It is sent in 10 minutes" in lea.says
    assert canal.may_write() and gare.view("Canal").cut is None
    assert lea.press("Yes, revoke it", at_once="1") == 303
    keepers.meet()
    assert not canal.may_write() and "revoked" in lea.says
    lea.follow("Canal")
    assert "let it start anew with a new invitation" in lea.says
    public = create_app(canal.board, portal_settings()).test_client().get("/?lang=en").get_data(as_text=True)
    assert "the key of this island was revoked" in words_of(public)
    assert "lea" in words_of(lea.get("/keeper")) and "revoked a key" in words_of(lea.page)


def test_a_revocation_by_mistake_is_undone_within_ten_minutes(keepers, gare, lea):
    canal = invited(keepers, lea, "Canal")
    lea.get("/keeper/keys")
    lea.follow("Canal")
    lea.press("See what it would do")
    assert "once 1 more keeper agrees" in lea.says and "What this key gave it ends at once" in lea.says
    lea.press("Yes, revoke it")
    assert "Canal is revoked at" in lea.says
    assert lea.press("Undo") == 303
    keepers.pass_minutes(60)
    assert canal.may_write() and "is revoked at" not in words_of(lea.get("/keeper/keys"))


def test_an_undo_that_comes_too_late_says_so(keepers, lea):
    invited(keepers, lea, "Canal")
    lea.get("/keeper/keys")
    lea.follow("Canal")
    lea.press("See what it would do")
    lea.press("Yes, revoke it")
    keepers.pass_minutes(11)
    assert lea.press("Undo") == 422 and "cannot be taken back" in lea.says


def test_a_key_on_paper_is_shown_once_vouched_for_and_used_on_another_island(keepers, gare, lea):
    canal = invited(keepers, lea, "Canal")
    lea.get("/keeper/keys/paper")
    assert lea.press("Make it and show it once") == 200
    sheet = lea.page
    written = " ".join(re.findall(r"<li>([^<]+)</li>", sheet))
    assert len(written.split()) == 24 and "<svg" in sheet and len(sheet.encode()) < MAX_PAGE_BYTES
    lea.follow("It is written down: vouch for it now")
    assert lea.press("Vouch for it", name="Clé de secours", vouch="1") == 303
    keepers.meet()
    ana = Browser(canal)
    ana.get("/keeper/keys/invite")
    assert "This island may not let others in" in ana.says
    assert ana.press("Make the invitation", key=written) == 303
    assert written.split()[3] not in str(vars(gare.board.notes.state))


def test_a_key_file_signs_when_it_is_uploaded_with_its_passphrase(keepers, gare, lea, tmp_path):
    key = write_keeper_key(tmp_path / "nadia.key", "quatre chats noirs")
    lea.get("/keeper/keys/new")
    lea.press("Vouch for it", who=key.public.hex(), name="Nadia", vouch="1")
    canal = invited(keepers, lea, "Canal")
    ana = Browser(canal)
    file = (tmp_path / "nadia.key").read_bytes()
    ana.get("/keeper/keys/invite")
    assert ana.press("Make the invitation", key_file=(io.BytesIO(file), "nadia.key"), passphrase="x") == 422
    assert "not the passphrase" in ana.says
    right = {"key_file": (io.BytesIO(file), "nadia.key"), "passphrase": "quatre chats noirs"}
    assert ana.press("Make the invitation", **right) == 303


def test_an_invitation_is_a_sheet_with_letters_a_code_and_a_file(keepers, lea):
    lea.get("/keeper/keys/invite")
    lea.press("Make the invitation", days="20")
    letters = "".join(re.search(r"<pre[^>]*>(.*?)</pre>", lea.page, re.S).group(1).split())
    code, file = (html.unescape(re.search(rf'="([^"]*{end}[^"]*)"', lea.page).group(1)) for end in ("code.svg", "/file"))
    drawn = lea.portal.get(code)
    assert drawn.mimetype == "image/svg+xml" and "<svg" in drawn.get_data(as_text=True)
    kept = lea.portal.get(file)
    assert "attachment" in kept.headers["Content-Disposition"] and "".join(kept.get_data(as_text=True).split()) == letters
    keepers.pass_minutes(31)
    assert lea.portal.get(file).status_code == 404


def test_pages_about_keys_are_for_keepers_only(keepers, gare):
    made = gare.keyring.invite(InviteWish(), "lea")
    stranger = create_app(gare.board, portal_settings()).test_client()
    before = len(gare.liveset)
    for path in ("", "/new", "/invite", f"/invitation/{made.label}", f"/invitation/{made.label}/file", "/paper",
                 f"/invitation/{made.label}/code.svg", f"/{gare.key.key_id.hex()}"):
        page = stranger.get(f"/keeper/keys{path}").get_data(as_text=True)
        assert 'name="password"' in page and made.letters[:20] not in page, path
    for path in ("vouch", "invite", "look", "revoke", "undo", "paper"):
        assert 'name="password"' in stranger.post(f"/keeper/keys/{path}").get_data(as_text=True)
    assert len(gare.liveset) == before


def test_a_form_without_its_token_does_nothing(gare, lea):
    before = len(gare.liveset)
    for path in ("vouch", "invite", "look", "revoke", "undo", "paper"):
        assert lea.portal.post(f"/keeper/keys/{path}", data={"csrf": "x"}).status_code == 400
    assert len(gare.liveset) == before and not gare.board.audit_log()


@pytest.mark.parametrize(("path", "fields"), [
    ("vouch", {"who": "zz", "days": "x"}), ("vouch", {"who": "Gare", "known": "00"}), ("invite", {"days": "9999999999999"}),
    ("look", {"who": ""}), ("look", {"who": "Gare", "start_date": "never"}), ("revoke", {"label": "x"}),
    ("undo", {"id": "\x00"}),
    ("vouch", {"who": "\ud800".encode("utf-8", "surrogatepass"), "name": "\u202e"}), ("invite", {"key": "a " * 9_000}),
    ("invite", {"key": "archipel key 1 sealed\nAAAA"}), ("look", {"who": "Gare", "start_date": "9999-01-01"}),
])
def test_whatever_is_typed_is_answered_in_words_and_does_nothing(gare, lea, path, fields):
    csrf = re.search(r'name="csrf" value="(\w+)"', lea.get("/keeper/keys/new")).group(1)
    before = len(gare.liveset)
    answer = lea.portal.post(f"/keeper/keys/{path}", data={"csrf": csrf, **fields})
    assert answer.status_code in (404, 422), answer.status_code
    assert len(gare.liveset) == before and not gare.keyring.waiting()


def test_a_group_is_made_on_its_page_signs_at_once_and_its_key_is_made_once(gare, lea):
    lea.get("/keeper")
    lea.follow("Groups")
    assert lea.press("Let the group sign here", name="AMAP du canal", new=PASSPHRASE, again=PASSPHRASE) == 303
    assert "AMAP du canal signs here from now on" in lea.says
    posted = gare.board.post(Draft(Kind.BULLETIN, "Légumes"), "AMAP du canal", PASSPHRASE)
    author = gare.board.item(posted.id).author
    assert (author.name, author.group) == ("AMAP du canal", True)
    assert [entry.action for entry in gare.board.audit_log(2)] == ["vouch", "group"]
    before = gare.board.group_seal("AMAP du canal")
    assert lea.press("Let the group sign here", name=" AMAP  du canal ", new=OTHER, again=OTHER) == 409
    assert "has a key here already" in lea.says and gare.board.group_seal("AMAP du canal") == before


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_about_keys_fits_and_speaks_each_language(keepers, gare, lea, language):
    for number in range(40):
        public = SigningKey(bytes([number + 1]) * 32).public.hex()
        gare.keyring.vouch(VouchWish(public, f"Île numéro {number} au nom assez long", days=30), "lea")
    one = gare.view("Île numéro 1 au nom assez long")
    open_one = gare.keyring.invite(InviteWish(), "lea")
    for path in ("", "?from=30", "?from=-9", "/new", "/invite", "/paper", f"/{one.id}", f"/{gare.key.key_id.hex()}",
                 f"/invitation/{open_one.label}"):
        assert f'lang="{language}"' in lea.get(f"/keeper/keys{path}", language)


def test_an_island_that_nobody_let_in_shows_its_key_to_be_vouched_for(keepers, tmp_path):
    alone = KeptIsland(tmp_path, "Seule", keepers.charter, keepers.clock)
    ana = Browser(alone)
    ana.get("/keeper/keys")
    assert "nobody has vouched for its key" in ana.says
    ana.follow("this island’s key")
    assert alone.key.public.hex() in ana.page and "<svg" in ana.page
    answer = create_app(alone.board, portal_settings()).test_client().get("/?lang=en")
    assert "nobody has vouched for its key" in words(answer)
    alone.archive.close()

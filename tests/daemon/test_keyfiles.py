"""Keys in files: private, never overwritten, and every trouble says what to do."""

import stat
from base64 import b32encode
from contextlib import suppress

import pytest

from node.daemon import keyfiles
from node.daemon.keyfiles import KeyFolder, KeyTrouble, keeper_key_in, read_key_file, write_keeper_key, write_private
from node.model.keys import SigningKey
from node.model.passphrase import WrongPassphrase
from node.model.record import Right, decode
from node.replica.generations import Generation
from node.transfer.invitation import to_text
from tests.sim.durability import Syncs


def test_a_founded_island_reads_back_what_it_made(tmp_path):
    folder = KeyFolder(tmp_path)
    assert not folder.charter_exists()
    charter = folder.found("Belleville", "Place des Fêtes")
    assert folder.charter() == charter
    assert charter.founders == (folder.island_key().public,)
    assert Right.WRITE in decode(folder.credentials()[0]).detail.rights


def test_a_founder_may_keep_the_founding_key_off_the_box(tmp_path):
    founder = SigningKey(b"\1" * 32)
    charter = KeyFolder(tmp_path).found("Belleville", founders=[founder])
    assert charter.founders == (founder.public,)
    assert decode(KeyFolder(tmp_path).credentials()[0]).author == founder.key_id


def test_an_invited_island_has_the_same_charter_and_the_credentials_that_let_it_in(tmp_path):
    first, second = KeyFolder(tmp_path / "a"), KeyFolder(tmp_path / "b")
    charter = first.found("Belleville")
    assert second.join(first.invite(days=3), "Café des Sports") == charter == second.charter()
    assert decode(second.credentials()[-1]).detail.subject == second.island_key().public


def test_what_is_no_invitation_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(KeyTrouble, match="Copy it again"):
        KeyFolder(tmp_path).join("hello", "x")
    assert not KeyFolder(tmp_path).charter_exists()


def test_only_its_user_may_read_a_key(tmp_path):
    KeyFolder(tmp_path).found("x")
    for name in ("island.key", "charter", "papers"):
        assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600


def test_a_missing_or_damaged_key_is_said_with_a_remedy(tmp_path):
    folder = KeyFolder(tmp_path)
    with pytest.raises(KeyTrouble, match="archipel init"):
        folder.charter()
    folder.found("x")
    for text in ("", "!!!", "AAAA"):
        (tmp_path / "keys" / "island.key").write_text(text)
        with pytest.raises(KeyTrouble, match="cannot be read"):
            folder.island_key()


def test_a_keepers_key_opens_with_its_passphrase_only_and_is_never_overwritten(tmp_path):
    path = tmp_path / "nadia.key"
    key = write_keeper_key(path, "quatre chats noirs")
    assert keeper_key_in(read_key_file(path), "quatre chats noirs ").public == key.public
    with pytest.raises(WrongPassphrase):
        keeper_key_in(read_key_file(path), "trois chats noirs")
    with pytest.raises(KeyTrouble, match="never overwritten"):
        write_keeper_key(path, "x")
    path.write_text("something else")
    with pytest.raises(KeyTrouble, match="not a keeper's key file"):
        read_key_file(path)


def test_an_invitation_into_ones_own_set_brings_its_present_secret(tmp_path):
    first, second = KeyFolder(tmp_path / "a"), KeyFolder(tmp_path / "b")
    charter = first.found("Belleville")
    second.join(first.invite(), "b")
    first.keep_generations((Generation(b"n" * 32, 5, 6, b"f" * 8), Generation(charter.secret, left=7)))
    invitation = first.invite()
    assert second.leads_home(invitation) and not KeyFolder(tmp_path / "c").leads_home(invitation)
    assert KeyFolder(tmp_path / "e").join(invitation, "e").secret == b"n" * 32
    assert KeyFolder(tmp_path / "e").generations() == (Generation(b"n" * 32, 5, 5, b"f" * 8),)
    second.catch_up(invitation)
    assert second.charter().secret == b"n" * 32 and second.charter().set_id == charter.set_id
    assert [one.secret for one in second.generations()] == [b"n" * 32, charter.secret]
    second.catch_up(invitation)  # twice is once
    assert len(second.generations()) == 2
    second.keep_generations((Generation(b"m" * 32, 9, 9, b"f" * 8), Generation(b"x" * 32, 7, 7, b"f" * 8, 9)))
    for older in (invitation, first.invite()):
        with pytest.raises(KeyTrouble, match="older secret"):
            second.catch_up(older)
    assert second.charter().secret == b"m" * 32
    other = KeyFolder(tmp_path / "d")
    other.found("Ailleurs")
    assert not second.leads_home(other.invite()) and not second.leads_home("hello")
    with pytest.raises(KeyTrouble, match="another set"):
        second.catch_up(other.invite())


def test_secrets_that_were_left_for_long_are_on_the_card_no_more(tmp_path):
    folder = KeyFolder(tmp_path)
    old = folder.found("Belleville").secret
    folder.keep_generations((Generation(b"n" * 32, 5, 6, b"f" * 8),))
    assert folder.generations() == (Generation(b"n" * 32, 5, 6, b"f" * 8),)
    lying = b"".join(path.read_bytes() for path in folder.path.iterdir())
    assert to_text(old).split()[0].encode() not in lying and b32encode(old)[:20] not in lying
    assert stat.S_IMODE((folder.path / "secrets").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "x", "1 2 3", "1 2 00 - AAAA\n", "1 2 0000000000000000 - AAAA", "\xff\xfe"])
def test_a_damaged_list_of_secrets_is_said_and_shows_none(tmp_path, text):
    folder = KeyFolder(tmp_path)
    folder.found("Belleville")
    (folder.path / "secrets").write_text(text, encoding="latin-1")
    with pytest.raises(KeyTrouble, match="cannot be read") as trouble:
        folder.charter()
    assert "AAAA" not in str(trouble.value)


@pytest.mark.parametrize("survivors", range(4))
def test_the_power_may_go_at_any_moment_of_keeping_a_new_secret(tmp_path, monkeypatch, survivors):
    folder, wanted = KeyFolder(tmp_path), Generation(b"n" * 32, 5, 6, b"f" * 8)
    first = Generation(folder.found("Belleville").secret)
    after = (wanted, Generation(first.secret, left=9))
    monkeypatch.setattr(keyfiles, "write_private", until_the_power_goes(survivors))
    with suppress(OSError):
        folder.keep_generations(after)
    assert KeyFolder(tmp_path).generations() == (after if survivors == 3 else (first,))
    assert KeyFolder(tmp_path).charter().secret == KeyFolder(tmp_path).generations()[0].secret
    monkeypatch.undo()
    KeyFolder(tmp_path).keep_generations(after)
    assert KeyFolder(tmp_path).generations() == after, "and then it is kept the next time"


@pytest.mark.parametrize("survivors", range(4))
def test_a_set_founded_after_the_power_went_in_joining_another_has_a_secret_of_its_own(tmp_path, monkeypatch, survivors):
    other, keys = KeyFolder(tmp_path / "other"), KeyFolder(tmp_path / "mine")
    charter, letters = other.found("Le Canal"), other.invite()
    monkeypatch.setattr(keyfiles, "write_private", until_the_power_goes(survivors))
    with pytest.raises(OSError, match="the power went"):
        keys.join(letters, "Île")
    monkeypatch.undo()
    assert not keys.charter_exists()
    assert keys.found("Belleville").secret == keys.charter().secret != charter.secret
    assert keys.generations() == (Generation(keys.charter().secret),)


@pytest.mark.parametrize("survivors", range(4))
def test_of_a_joining_that_was_cut_short_nothing_is_left_once_it_is_forgotten(tmp_path, monkeypatch, survivors):
    other, keys = KeyFolder(tmp_path / "other"), KeyFolder(tmp_path / "mine")
    other.found("Le Canal")
    letters = other.invite()
    monkeypatch.setattr(keyfiles, "write_private", until_the_power_goes(survivors))
    with pytest.raises(OSError, match="the power went"):
        keys.join(letters, "Île")
    monkeypatch.undo()
    keys.forget_unmade()
    assert not keys.path.exists()


def until_the_power_goes(survivors):
    """`write_private` for so many files."""
    written = []

    def writing(path, text):
        if len(written) == survivors:
            raise OSError("the power went")
        written.append(path)
        write_private(path, text)

    return writing


def test_destroyed_keys_are_written_over_where_they_lay(tmp_path):
    folder = KeyFolder(tmp_path)
    folder.found("Belleville")
    folder.portal_secret()
    places = [path.open("rb") for path in folder.path.iterdir()]
    before = [place.read() for place in places]
    folder.destroy()
    assert not list(folder.path.iterdir()) and len(places) > 2
    for place, content in zip(places, before, strict=True):
        place.seek(0)
        assert len(after := place.read()) == len(content) and after[:8] != content[:8]
        place.close()


def test_a_key_is_on_the_card_before_it_takes_its_place_and_so_is_its_name_after(tmp_path, monkeypatch):
    KeyFolder(tmp_path).found("Belleville")
    syncs = Syncs(monkeypatch)
    write_private(tmp_path / "keys" / "island.key", "another")
    KeyFolder(tmp_path).portal_secret()
    assert syncs.moves == 2 and syncs.lacking() == []

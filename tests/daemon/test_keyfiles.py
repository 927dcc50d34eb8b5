"""Keys in files: private, never overwritten, and every trouble says what to do."""

import stat

import pytest

from node.daemon.keyfiles import KeyFolder, KeyTrouble, keeper_key_in, read_key_file, write_keeper_key
from node.model.keys import SigningKey
from node.model.passphrase import WrongPassphrase
from node.model.record import Right, decode


def test_a_founded_island_reads_back_what_it_made(tmp_path):
    folder = KeyFolder(tmp_path)
    assert not folder.charter_exists()
    charter = folder.found("Belleville", "Place des Fêtes")
    assert folder.charter() == charter
    assert charter.founders == (folder.island_key().public,)
    assert Right.WRITE in decode(folder.credentials()[0]).detail.rights


def test_a_founder_may_keep_the_founding_key_off_the_box(tmp_path):
    founder = SigningKey(b"\1" * 32)
    charter = KeyFolder(tmp_path).found("Belleville", founder=founder)
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


def test_destroyed_keys_are_written_over_where_they_lay(tmp_path):
    folder = KeyFolder(tmp_path)
    folder.found("Belleville")
    folder.portal_secret()
    places = [path.open("rb") for path in folder.path.iterdir()]
    before = [place.read() for place in places]
    folder.destroy()
    assert not list(folder.path.iterdir())
    for place, content in zip(places, before, strict=True):
        place.seek(0)
        assert len(after := place.read()) == len(content) and after[:8] != content[:8]
        place.close()

"""An island moves house: everything in one file, and an island made of it again."""

import random
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from node.store import sealed
from node.store.archive import Archive, retire
from node.store.backup import back_up, finish_restore, parts_of, restore
from node.store.disk import Disk
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from node.store.sealed import BackupRefused, seal
from tests.sim.durability import Syncs
from tests.store.storerows import made_up

SALT = bytes(range(16))
ROWS = [made_up(number) for number in range(1300)]


@pytest.fixture(autouse=True, scope="module")
def cheap():
    """A passphrase that is quick to try."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealed, "LOG_N", 4)
        yield


@pytest.fixture
def island(tmp_path):
    """A running island: 1,000 live records, 300 archived, notes, settings and a key."""
    folder = tmp_path / "island"
    with closing(JournalStore(folder)) as store, closing(Archive(folder / "archive.db")) as archive:
        store.commit(put=ROWS)
        store.set_note("peers", {"b": [1, "é"]})
        archive.index(ROWS[0].id, ROWS[0].created, "vivant Œuvre")
        retire(store, archive, [row.id for row in ROWS[1000:]], {row.id: f"texte {row.id.hex()}" for row in ROWS[1000:]})
        archive.search("x")
        (tmp_path / "settings.toml").write_text("[node]\n")
        (tmp_path / "seed").write_bytes(b"k" * 32)
        yield folder, store, archive


def files(tmp_path):
    return {"settings.toml": tmp_path / "settings.toml", "keys/island": tmp_path / "seed"}


def contents(folder):
    with closing(JournalStore(folder)) as store, closing(Archive(folder / "archive.db")) as archive:
        return set(store.rows()), store.note("peers"), set(archive.rows()), store.damaged


def test_a_new_box_takes_the_place_of_a_dead_one(tmp_path, island):
    back_up(island[0], tmp_path / "b", "phrase", files(tmp_path), SALT)
    counts = restore(tmp_path / "b", tmp_path / "new" / "island", "phrase")
    new = tmp_path / "new" / "island"
    assert not (new / "lock").exists(), "it would take the place of one that somebody holds"
    assert contents(new) == (set(ROWS[:1000]), {"b": [1, "é"]}, set(ROWS[1000:]), 0)
    assert (new / "settings.toml").read_text() == "[node]\n" and (new / "keys" / "island").read_bytes() == b"k" * 32
    assert counts == {"records": 1000, "notes": 1, "archive": 300, "words": 1, "files": 2}
    with closing(Archive(new / "archive.db")) as archive:
        assert archive.search("oeuvre")[0] == [ROWS[0].id]
        assert archive.search(ROWS[1234].id.hex())[0] == [ROWS[1234].id]


def test_one_bad_bit_in_a_restored_journal_costs_one_record(tmp_path, island):
    back_up(island[0], tmp_path / "b", "phrase", {}, SALT)
    restore(tmp_path / "b", tmp_path / "new", "phrase")
    journal = tmp_path / "new" / "records.journal"
    image = bytearray(journal.read_bytes())
    image[len(image) // 3] ^= 1
    journal.write_bytes(image)
    assert len(contents(tmp_path / "new")[0]) == 999


def test_a_backup_of_an_island_without_records_makes_one(tmp_path):
    JournalStore(tmp_path / "empty").close()
    back_up(tmp_path / "empty", tmp_path / "b", "phrase", {}, SALT)
    assert restore(tmp_path / "b", tmp_path / "new", "phrase").total() == 0
    assert contents(tmp_path / "new")[0] == set()


def test_what_was_deleted_is_in_no_backup(tmp_path, island):
    island[1].commit(delete=[ROWS[3].id])
    gone = ROWS[3].id.hex().encode()
    assert not [name for name, pieces in parts_of(island[0], {}) for piece in pieces if gone in piece]


def test_nothing_is_touched_when_the_passphrase_is_wrong_or_the_folder_in_use(tmp_path, island):
    back_up(island[0], tmp_path / "b", "phrase", {}, SALT)
    before = sorted(tmp_path.rglob("*"))
    new = tmp_path / "new"
    for target, passphrase, reason in ((new, "wrong", "passphrase"), (island[0], "phrase", "folder-not-empty")):
        with pytest.raises(BackupRefused) as refused:
            restore(tmp_path / "b", target, passphrase)
        assert refused.value.reason == reason
    assert sorted(tmp_path.rglob("*")) == before


def test_a_damaged_backup_leaves_nothing_behind_and_an_empty_folder_is_filled(tmp_path, island):
    back_up(island[0], tmp_path / "b", "phrase", files(tmp_path), SALT)
    image = (tmp_path / "b").read_bytes()
    target = tmp_path / "new"
    target.mkdir()
    for size in random.Random(1).sample(range(200, len(image)), 5):
        (tmp_path / "short").write_bytes(image[:size])
        with pytest.raises(BackupRefused):
            restore(tmp_path / "short", target, "phrase")
        assert not list(target.iterdir())
    restore(tmp_path / "b", target, "phrase")
    assert len(contents(target)[0]) == 1000


def test_a_restored_island_appears_in_one_step(tmp_path, island, monkeypatch):
    back_up(island[0], tmp_path / "b", "phrase", {}, SALT)

    rename = Disk.rename

    def fail(self, old, new):
        if new.name != ".restored":
            return rename(self, old, new)
        assert len(contents(old)[0]) == 1000, "not whole yet"
        raise OSError("the power went")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="power"):
        patch.setattr(Disk, "rename", fail)
        restore(tmp_path / "b", tmp_path / "new", "phrase")
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("step", range(1, 5))
def test_a_restored_island_whose_last_step_is_cut_short_is_finished_by_the_next_start(tmp_path, island, monkeypatch, step):
    back_up(island[0], tmp_path / "b", "phrase", files(tmp_path), SALT)
    rename, done = Disk.rename, []

    def fail(self, old, new):
        if old.parent.name == ".restored":
            done.append(new.name)
            if len(done) == step:
                raise OSError("the power went")
        return rename(self, old, new)

    new = tmp_path / "new"
    with monkeypatch.context() as patch, pytest.raises(OSError, match="power"):
        patch.setattr(Disk, "rename", fail)
        restore(tmp_path / "b", new, "phrase")
    assert done[0] == "keys"
    finish_restore(new)
    assert not (new / ".restored").exists() and (new / "settings.toml").exists()
    assert contents(new) == (set(ROWS[:1000]), {"b": [1, "é"]}, set(ROWS[1000:]), 0)
    finish_restore(new)


def test_a_folder_that_only_waits_for_an_island_takes_a_backup_and_nothing_is_written_beside_it(tmp_path, island):
    back_up(island[0], tmp_path / "b", "phrase", {}, SALT)
    new = tmp_path / "new"
    (new / "orders").mkdir(parents=True)
    (new / ".restoring").mkdir()
    (new / "lock").touch()
    before = {*tmp_path.iterdir()}
    restore(tmp_path / "b", new, "phrase")
    assert {*tmp_path.iterdir()} == before and len(contents(new)[0]) == 1000
    assert not (new / ".restoring").exists()


def test_what_is_sealed_is_checked_by_reading_it_back(tmp_path):
    key, path = sealed.FileSeal("phrase", SALT), tmp_path / "b"
    with path.open("wb") as stream:
        key.write(stream, [("a", [b"x" * 200_000]), ("b", [])])
    whole = path.read_bytes()
    with path.open("rb") as stream:
        key.check(stream)
    for broken in (whole[:-1], whole[:70_000], whole + b"x", whole[:5000] + b"?" + whole[5001:], b""):
        path.write_bytes(broken)
        with path.open("rb") as stream, pytest.raises(BackupRefused):
            key.check(stream)


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", ".hidden", "", "a/../../evil"])
def test_no_file_of_a_backup_leaves_the_folder(tmp_path, name):
    with (tmp_path / "b").open("wb") as stream:
        seal(stream, "phrase", [("file/" + name, [b"x"])], SALT)
    with pytest.raises(BackupRefused):
        restore(tmp_path / "b", tmp_path / "deep" / "new", "phrase")
    assert {path.name for path in tmp_path.rglob("*")} <= {"b", "deep"}


def test_a_part_we_do_not_know_comes_from_a_newer_version(tmp_path):
    with (tmp_path / "b").open("wb") as stream:
        seal(stream, "phrase", [("statistics", [b"x"])], SALT)
    with pytest.raises(BackupRefused, match="newer"):
        restore(tmp_path / "b", tmp_path / "new", "phrase")


@pytest.mark.parametrize(("name", "content"), [
    ("records", b"[]"), ("records", b"7"), ("records", b"{}"), ("records", b"\xff"),
    ("records", b'{"records": {"00": {"raw": 3}}}\tabc'), ("notes", b"{" * 3_000),
    ("archive", b'{"archive": {"00": {"raw": 3}}}\tabc'), ("words", b'{"words": {"zz": {"created": 1}}}'),
    ("file/a\0b", b""),
])
def test_what_somebody_sealed_who_knows_the_passphrase_is_an_island_or_refused(tmp_path, name, content):
    with (tmp_path / "strange.backup").open("wb") as stream:
        seal(stream, "phrase", [(name, [len(content).to_bytes(4, "big") + content])], bytes(16))
    with pytest.raises(BackupRefused, match="damaged"):
        restore(tmp_path / "strange.backup", tmp_path / "new", "phrase")
    assert {path.name for path in tmp_path.iterdir()} == {"strange.backup"}


def test_a_target_that_cannot_be_written_keeps_the_backup_that_is_there(tmp_path, island):
    (tmp_path / "b").write_bytes(b"yesterday's")
    with pytest.raises(FileNotFoundError):
        back_up(island[0], tmp_path / "b", "phrase", {"settings.toml": tmp_path / "nothing"}, SALT)
    assert (tmp_path / "b").read_bytes() == b"yesterday's" and not (tmp_path / "b.part").exists()


def test_a_journal_that_cannot_be_read_stops_the_backup(tmp_path):
    (tmp_path / "island" / "records.journal").mkdir(parents=True)
    with pytest.raises(StoreFailed):
        back_up(tmp_path / "island", tmp_path / "b", "phrase", {}, SALT)


@pytest.mark.process
def test_a_backup_made_by_another_process_while_the_island_runs_has_all_that_was_acknowledged(tmp_path, island):
    folder, store, archive = island
    fresh = [made_up(number) for number in range(5000, 7000)]
    kept, stop = [], threading.Event()

    def live():
        for row in fresh:
            if stop.is_set():
                break
            store.commit(put=[row])
            kept.append(row)
            if len(kept) % 50 == 0:
                retire(store, archive, [row.id for row in kept[-50:-25]], {})

    thread = threading.Thread(target=live)
    thread.start()
    try:
        for number in range(2):
            before = list(kept)
            program = "import sys; from pathlib import Path; from node.store.backup import back_up; " \
                "back_up(Path(sys.argv[1]), Path(sys.argv[2]), 'phrase', {}, bytes(range(16)))"
            subprocess.run([sys.executable, "-c", program, folder, tmp_path / f"b{number}"], check=True, timeout=60)
            restore(tmp_path / f"b{number}", tmp_path / f"new{number}", "phrase")
            live_rows, _, past_rows, damaged = contents(tmp_path / f"new{number}")
            assert set(before) <= live_rows | past_rows and live_rows | past_rows <= {*ROWS, *fresh} and not damaged
    finally:
        stop.set()
        thread.join()


def test_a_backup_and_what_is_restored_are_on_the_card_before_they_take_their_place_and_so_are_their_names_after(
        tmp_path, monkeypatch):
    island = tmp_path / "island"
    with closing(JournalStore(island)) as store:
        store.commit(put=ROWS[:3])
    syncs = Syncs(monkeypatch)
    back_up(island, tmp_path / "a.backup", "deux chats", {}, SALT)
    assert syncs.moves == 1 and syncs.lacking() == []
    restore(tmp_path / "a.backup", tmp_path / "new", "deux chats")
    assert syncs.moves > 1 and [one for one in syncs.lacking() if "content" not in one] == []

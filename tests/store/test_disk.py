"""The card itself: locks, bad blocks, folders."""

import errno
import os
import subprocess
import sys

import pytest

from node.store.disk import Disk, StoreLocked, failure_of
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from tests.store.storerows import made_up


@pytest.mark.parametrize(("number", "reason"), [
    (errno.ENOSPC, "full"), (errno.EDQUOT, "full"), (errno.EROFS, "read-only"), (errno.EACCES, "read-only"),
    (errno.EIO, "io-error"), (None, "io-error")])
def test_failures_have_a_reason_in_a_word(number, reason):
    assert failure_of(OSError(number, "x")) == reason


@pytest.mark.process
def test_a_second_process_is_refused_and_told_who_has_the_folder(tmp_path):
    store = JournalStore(tmp_path)
    program = ("import sys; from pathlib import Path; from node.store.journalstore import JournalStore; "
               "JournalStore(Path(sys.argv[1]))")
    second = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=60)
    assert second.returncode and f"in use by process {os.getpid()}" in second.stderr
    with pytest.raises(StoreLocked, match=str(tmp_path)) as refused:
        JournalStore(tmp_path)
    assert refused.value.holder == os.getpid()
    (tmp_path / "lock").write_text("nobody\n")
    with pytest.raises(StoreLocked, match="unknown") as refused:
        JournalStore(tmp_path)
    assert refused.value.holder is None
    store.commit(put=[made_up(1)])
    store.close()
    JournalStore(tmp_path).close()


@pytest.mark.process
def test_a_process_that_was_killed_holds_nobody_up(tmp_path):
    program = ("import sys; from pathlib import Path; from node.store.journalstore import JournalStore; "
               "store = JournalStore(Path(sys.argv[1])); print('ready', flush=True); sys.stdin.read()")
    command = [sys.executable, "-c", program, tmp_path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        first.stdout.readline()
        with pytest.raises(StoreLocked):
            JournalStore(tmp_path)
        first.kill()
    JournalStore(tmp_path).close()


def bad_blocks(patch, bad):
    """Reading fails where `bad` says so of an offset."""
    right = os.pread

    def pread(descriptor, size, at):
        if any(bad(block) for block in range(at, at + size, 4096)):
            raise OSError(errno.EIO, "bad block")
        return right(descriptor, size, at)

    patch.setattr(os, "pread", pread)


def test_a_bad_block_costs_what_was_in_it(tmp_path, monkeypatch):
    rows = {row.id: row for row in map(made_up, range(200))}
    store = JournalStore(tmp_path)
    for row in rows.values():
        store.commit(put=[row])
    store.close()
    bad_blocks(monkeypatch, lambda at: at == 5 * 4096)
    store = JournalStore(tmp_path)
    assert store.damaged and 180 < len(store) < 200 and all(rows[row.id] == row for row in store.rows())
    store.close()


def test_a_card_that_reads_nothing_is_an_error_and_not_an_empty_island(tmp_path, monkeypatch):
    store = JournalStore(tmp_path)
    store.commit(put=[made_up(1)])
    store.close()
    with monkeypatch.context() as patch:
        bad_blocks(patch, lambda at: True)
        with pytest.raises(StoreFailed) as failure:
            JournalStore(tmp_path)
        assert failure.value.reason == "io-error"
    store = JournalStore(tmp_path)
    assert list(store.rows()) == [made_up(1)]
    store.close()


def test_the_names_of_new_folders_are_made_durable(tmp_path):
    class Watched(Disk):
        synced = ()

        def sync_folder(self, path):
            self.synced += (path,)
            super().sync_folder(path)

    disk = Watched()
    disk.make_folder(tmp_path / "a" / "b")
    assert {tmp_path, tmp_path / "a"} <= set(disk.synced)


def test_a_new_folder_is_for_this_user_alone(tmp_path):
    Disk().make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    JournalStore(tmp_path / "a" / "b").close()
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "a" / "b").iterdir()} == {0}


def test_a_stream_is_for_this_user_alone_and_what_must_be_new_replaces_nothing(tmp_path):
    disk, path = Disk(), tmp_path / "key"
    with disk.writing(path, new=True) as stream:
        stream.write(b"seed")
    with pytest.raises(FileExistsError), disk.writing(path, new=True) as stream:
        stream.write(b"other")
    with disk.reading(path) as stream:
        assert stream.read() == b"seed"
    assert path.stat().st_mode & 0o777 == 0o600 and disk.names(tmp_path) == ["key"]
    with disk.writing(path) as stream:
        stream.write(b"new")
    assert disk.read(path) == b"new"
    disk.remove_all(tmp_path)
    assert disk.names(tmp_path) == [] and not tmp_path.exists()

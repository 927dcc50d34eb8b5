"""A card that is full or read-only: the island goes on reading, says so, and recovers by itself."""

import errno
import os
import subprocess
from contextlib import closing, contextmanager

import pytest

from node.store.archive import Archive, retire
from node.store.disk import Disk, OpenFile
from node.store.index import Slice, StoreFailed
from node.store.journalstore import JournalStore
from tests.store.storerows import all_pages, made_up

ROOT = os.geteuid() == 0
CARD_BYTES = 3 << 20
pytestmark = pytest.mark.process  # it mounts file systems


class QuotaFile(OpenFile):
    def __init__(self, descriptor, disk):
        super().__init__(descriptor)
        self._disk = disk

    def write(self, block, at):
        for first in range(0, len(block), 512):
            grown = at + min(first + 512, len(block)) - os.fstat(self._descriptor).st_size
            if self._disk.used() + max(0, grown) > CARD_BYTES:
                raise OSError(errno.ENOSPC, "no space left")
            super().write(block[first:first + 512], at + first)


class QuotaDisk(Disk):
    """The real disk, with a limit to what one folder may hold."""

    def __init__(self, folder):
        self._folder = folder

    def used(self):
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def create(self, path):
        return QuotaFile(super().create(path)._descriptor, self)

    def open(self, path):
        return QuotaFile(super().open(path)._descriptor, self)


@contextmanager
def small_file_system(folder):
    """A file system of CARD_BYTES in `folder`; who is not root gets a disk that counts."""
    folder.mkdir()
    if not ROOT:
        yield QuotaDisk(folder)
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={CARD_BYTES}", "tmpfs", folder], check=True)
    try:
        yield Disk()
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def counted_folder(folder):
    folder.mkdir()
    yield QuotaDisk(folder)


@contextmanager
def read_only(folder):
    """Nothing in `folder` can be written: remounted as root, by permission otherwise."""
    if ROOT:
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    else:
        folder.chmod(0o500)
        for path in folder.iterdir():
            path.chmod(0o400)
    try:
        yield
    finally:
        if ROOT:
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        else:
            folder.chmod(0o700)
            for path in folder.iterdir():
                path.chmod(0o600)


def fill(folder, disk):
    """Take what is left of the card, but for a few kilobytes."""
    if isinstance(disk, QuotaDisk):
        (folder / "film").write_bytes(bytes(max(0, CARD_BYTES - disk.used() - 2000)))
        return
    with (folder / "film").open("wb", buffering=0) as film, pytest.raises(OSError):
        while True:
            film.write(bytes(4096))


def commit_until_it_fails(store, kept):
    with pytest.raises(StoreFailed) as failure:
        for number in range(len(kept), 10_000):
            store.commit(put=[made_up(number)])
            kept.append(made_up(number))
    return failure.value.reason


@pytest.mark.parametrize("card", [small_file_system, counted_folder])
def test_a_full_card_is_read_and_told_of_and_used_again_when_there_is_room(tmp_path, card):
    folder, kept = tmp_path / "card", []
    with card(folder) as disk, closing(JournalStore(folder, disk)) as store:
        for _ in range(3):
            fill(folder, disk)
            assert commit_until_it_fails(store, kept) == "full" and store.health() == (False, "full")
            assert set(store.rows()) == set(kept) and all_pages(store, Slice(), 100)
            with pytest.raises(StoreFailed):
                store.set_note("a", "x" * CARD_BYTES)
            assert store.note("a") is None
            (folder / "film").unlink()
            store.commit(put=[made_up(len(kept))])
            kept.append(made_up(len(kept)))
            assert store.health() == (True, "")
        store.close()
        with closing(JournalStore(folder, disk)) as again:
            assert set(again.rows()) == set(kept) and again.damaged == 0


def test_a_full_card_is_noticed_to_have_room_again_without_a_post(tmp_path):
    with small_file_system(tmp_path / "card") as disk, closing(JournalStore(tmp_path / "card", disk)) as store:
        fill(tmp_path / "card", disk)
        commit_until_it_fails(store, [])
        store.probe()
        assert store.health() == (False, "full")
        (tmp_path / "card" / "film").unlink()
        store.probe()
        assert store.health() == (True, "")


def test_an_island_starts_on_a_full_card(tmp_path):
    folder, kept = tmp_path / "card", []
    with small_file_system(folder) as disk:
        fill(folder, disk)
        with closing(JournalStore(folder, disk)) as store:
            assert not store.health()[0] and commit_until_it_fails(store, kept) == "full"
            (folder / "film").unlink()
            store.commit(put=[made_up(1)])
            assert store.health() == (True, "") and len(store) == 1


def test_what_a_full_archive_does_not_take_stays_live(tmp_path):
    folder = tmp_path / "card"
    rows = [made_up(number) for number in range(1000)]
    with (small_file_system(folder) as disk, closing(JournalStore(tmp_path / "elsewhere")) as store,
          closing(Archive(folder / "archive.db")) as archive):
        store.commit(put=rows)
        fill(folder, disk)
        texts = {row.id: "mot" * 150 for row in rows}
        with pytest.raises(StoreFailed):
            retire(store, archive, texts, texts)
        assert archive.health() == (False, "full") and {*store.rows(), *archive.rows()} == set(rows)
        archive.index(rows[0].id, rows[0].created, "vivant")
        assert archive.search("mot") is not None
        (folder / "film").unlink()
        retire(store, archive, texts, texts)
        assert len(store) == 0 and set(archive.rows()) == set(rows) and archive.health() == (True, "")


def test_a_read_only_card_is_read_and_used_again_when_it_can_be_written(tmp_path):
    folder = tmp_path / "card"
    with small_file_system(folder) as disk:
        with closing(JournalStore(folder, disk)) as store, closing(Archive(folder / "archive.db")) as archive:
            store.commit(put=[made_up(1)])
            archive.keep([made_up(2)], {made_up(2).id: "mot"})
        with read_only(folder):
            store, archive = JournalStore(folder, disk), Archive(folder / "archive.db")
            assert list(store.rows()) == [made_up(1)] and store.health() == (False, "read-only")
            assert archive.get(made_up(2).id) == made_up(2) and archive.search("mot")[0] == [made_up(2).id]
            for write in (lambda: store.commit(put=[made_up(3)]), lambda: archive.keep([made_up(3)], {})):
                with pytest.raises(StoreFailed) as failure:
                    write()
                assert failure.value.reason == "read-only"
            assert len(store) == 1 and not archive.health()[0]
            assert archive.get(made_up(2).id) == made_up(2)
        store.commit(put=[made_up(3)])
        archive.keep([made_up(4)], {})
        assert set(store.rows()) == {made_up(1), made_up(3)} and set(archive.rows()) == {made_up(2), made_up(4)}
        assert store.health() == archive.health() == (True, "")
        store.close()
        archive.close()

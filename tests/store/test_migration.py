"""What every earlier version left on a card, and in a backup, is all there with this one."""

import json
import tarfile
from contextlib import closing
from pathlib import Path

import pytest

from node.daemon.bulk_client import resting
from node.daemon.keyfiles import KeyFolder
from node.model.clock import ManualClock
from node.store.archive import Archive
from node.store.backup import ARCHIVE_FILE, restore
from node.store.journalstore import JournalStore

LEFT = sorted((Path(__file__).parents[1] / "vectors").glob("island-*.tar.xz"))


@pytest.fixture(params=LEFT, ids=[path.name.removesuffix(".tar.xz") for path in LEFT])
def left(request, tmp_path):
    """(folder, what it was told to hold) of one earlier version; island and island.backup are in the folder."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path)
    return tmp_path, json.loads((tmp_path / "told.json").read_text())


def check(island, told):
    with closing(JournalStore(island)) as store, closing(Archive(island / ARCHIVE_FILE)) as archive:
        assert {row.id.hex(): row.raw.hex() for row in store.rows()} == told["live"]
        assert sorted(row.id.hex() for row in archive.rows()) == sorted(told["past"])
        assert {id_.hex() for id_ in archive.search("passee")[0]} == set(told["past"])
        assert (store.note("peers"), store.damaged) == (told["note"], 0)


def test_a_folder_is_read_as_it_is(left):
    folder, told = left
    check(folder / "island", told)
    keys = KeyFolder(folder / "island")
    assert (keys.charter().set_id.hex(), keys.island_key().key_id.hex()) == (told["set"], told["key"])


def test_its_records_are_still_members_of_the_set(left):
    folder, told = left
    with resting(folder / "island", "Nord", ManualClock(told["at"])) as bulk:
        assert {id_.hex() for id_ in bulk.ids()} >= told["live"].keys()


def test_a_backup_is_restored(left):
    folder, told = left
    restore(folder / "island.backup", folder / "new", told["passphrase"])
    check(folder / "new", told)


def test_there_is_something_to_try():
    assert LEFT

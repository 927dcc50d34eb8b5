"""No octet of what was forgotten is in the archive's files after compaction, whatever state they were in."""

import os
import random
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from node.store.archive import Archive, past_in
from node.store.index import StoreFailed
from node.store.sqlitefile import SqliteFile
from tests.effort import EFFORT
from tests.store.storerows import made_up


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "archive.db")
    yield archive
    archive.close()


def everything_in(folder):
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def marked(number, size=200):
    """A row, and a text, with a marker of their own."""
    row = made_up(number)
    return replace(row, raw=f"raw{number}war".encode() + bytes(size)), f"wort{number}trow commun " + "mot " * (size // 4)


def churn(archive, chance, steps):
    """Keep, index and forget in any order, sizes of all sorts: pages split and merge. What is there, what was forgotten."""
    there, gone = {}, set()
    for number in range(steps):
        if not there or chance.random() < 0.6:
            row, text = marked(number, chance.choice([20, 100, 400, 1500, 6000]))
            row = replace(row, created=chance.randrange(1 << 23))
            there[number] = row.id
            if chance.random() < 0.5:
                archive.index(row.id, row.created, text)
            else:
                archive.keep([row], {row.id: text})
        else:
            number = chance.choice(list(there))
            archive.forget([there.pop(number)])
            gone.add(number)
    return set(there), gone


@pytest.mark.parametrize("seed", range(2 * EFFORT))
def test_nothing_forgotten_is_left_in_the_gaps_between_rows_that_were_moved(tmp_path, archive, seed):
    _, gone = churn(archive, random.Random(seed), 700)
    archive.compact()
    image = everything_in(tmp_path)
    assert gone and b"commun" in image
    assert [number for number in gone if f"raw{number}war".encode() in image or f"wort{number}trow".encode() in image] == []
    assert not archive.owes


def test_deleting_alone_leaves_copies_in_the_gaps(tmp_path, archive):
    """Why the file is written anew: should SQLite one day leave none, that can go."""
    found = 0
    for seed in range(6):
        _, gone = churn(archive, random.Random(seed), 500)
        with archive._file.write() as write:
            write("INSERT INTO words(words) VALUES ('optimize')")
        archive._file.empty_log()
        image = everything_in(tmp_path)
        found += sum(f"raw{number}war".encode() in image or f"wort{number}trow".encode() in image for number in gone)
    assert found


def rows_by_table(path):
    """Of every table but those that SQLite makes for an index of words: its rows, as one text."""
    with closing(sqlite3.connect(path)) as connection:
        names = [name for name, in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'words\\__%' ESCAPE '\\'")]
        return {name: repr(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in names}


def test_forgetting_reaches_every_table(tmp_path, archive):
    """A new table must be planted here, and be forgotten with the others."""
    (past, past_text), (live, live_text), (other, other_text) = marked(1), marked(2), marked(3)
    archive.keep([past, other], {past.id: past_text, other.id: other_text})
    archive.index(live.id, live.created, live_text)
    archive.search("commun")
    planted = rows_by_table(tmp_path / "archive.db")
    for name, told in planted.items():
        assert repr(past.id) in told or repr(live.id) in told, f"plant something in {name}"
    archive.forget([past.id, live.id])
    archive.compact()
    left = rows_by_table(tmp_path / "archive.db")
    assert planted.keys() == left.keys()
    assert not [name for name, told in left.items() if repr(past.id) in told or repr(live.id) in told]
    image = everything_in(tmp_path)
    assert not [trace for trace in (past.id, live.id, b"raw1war", b"wort1trow", b"wort2trow") if trace in image]
    assert b"wort3trow" in image and archive.get(other.id) == other


def test_what_is_owed_outlasts_a_restart(tmp_path, archive):
    row, text = marked(1)
    archive.keep([row], {row.id: text})
    assert not archive.owes
    archive.forget([row.id])
    archive.close()
    with closing(Archive(tmp_path / "archive.db")) as again:
        assert again.owes
        again.compact()
        assert not again.owes and b"wort1trow" not in everything_in(tmp_path)


@pytest.mark.parametrize("step", ["create", "open", "rename", "sync_folder"])
def test_a_card_that_fails_while_the_file_is_written_anew_loses_nothing_and_it_is_still_owed(tmp_path, archive, step):
    rows = [marked(number) for number in range(40)]
    archive.keep([row for row, _ in rows], {row.id: text for row, text in rows})
    archive.forget([row.id for row, _ in rows[::2]])

    def fails(*_):
        raise OSError(28, "full, as planned")

    right = getattr(archive._file._disk, step)
    setattr(archive._file._disk, step, fails)
    with pytest.raises(StoreFailed):
        archive.compact()
    setattr(archive._file._disk, step, right)
    assert archive.owes and len(archive) == 20 and not (tmp_path / "archive.db.new").exists()
    archive.compact()
    assert not archive.owes and len(archive) == 20 and archive.health() == (True, "")
    assert b"wort2trow" not in everything_in(tmp_path) and b"wort3trow" in everything_in(tmp_path)


def test_what_an_interrupted_writing_anew_left_is_removed_at_the_start(tmp_path):
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"archive.db.new{ending}").write_bytes(b"wort1trow")
    with closing(Archive(tmp_path / "archive.db")):
        assert b"wort1trow" not in everything_in(tmp_path)


def test_whoever_reads_from_outside_reads_on_and_it_is_owed_until_then(tmp_path, archive, monkeypatch):
    monkeypatch.setattr("node.store.sqlitefile.BUSY_S", 0.01)
    rows = [marked(number) for number in range(30)]
    archive.keep([row for row, _ in rows], {row.id: text for row, text in rows})
    outside = past_in(tmp_path / "archive.db")
    first = next(outside)
    archive.forget([row.id for row, _ in rows[:10]])
    archive.close()
    with pytest.raises(StoreFailed):
        archive.compact()
    assert archive.owes and len(archive) == 20
    assert len([first, *outside]) == 30, "a backup is of one moment"
    archive.compact()
    assert not archive.owes and b"wort1trow" not in everything_in(tmp_path)


def broken_in_the_middle(folder, archive, octets):
    """400 rows, and the file that holds them: `octets` are at the head of a page in its middle. The archive is closed."""
    rows = [marked(number, 900) for number in range(400)]
    archive.keep([row for row, _ in rows], {row.id: text for row, text in rows})
    archive.compact()
    archive.close()
    path = folder / "archive.db"
    image = bytearray(path.read_bytes())
    at = image.index(b"raw200war") // 4096 * 4096
    image[at:at + len(octets)] = octets
    path.write_bytes(image)
    return rows, path


def test_an_archive_with_a_broken_page_is_made_anew_of_what_can_be_read(tmp_path, archive):
    rows, path = broken_in_the_middle(tmp_path, archive, os.urandom(16))
    with closing(Archive(path)) as again:
        again.forget([row.id for row, _ in rows])
        again.compact()
        assert not again.owes and again.health() == (True, "")
        assert not [number for number in range(400) if f"wort{number}trow".encode() in everything_in(tmp_path)]


def test_a_broken_page_costs_few_rows(tmp_path, archive):
    rows, path = broken_in_the_middle(tmp_path, archive, bytes(16))
    with closing(Archive(path)) as again:
        with pytest.raises(StoreFailed), again._file.write() as write:
            write("DELETE FROM past WHERE line LIKE '%x%'")
        again._mended(lambda: again._forget([row.id for row, _ in rows[195:205]]))
        kept = {row.id for row in again.rows()}
        assert len(kept) >= 340 and not kept & {row.id for row, _ in rows[195:205]}
        assert again.search("wort10trow")[0] == [rows[10][0].id]


def test_a_file_set_aside_is_owed_and_goes(tmp_path):
    (tmp_path / "archive.db").write_bytes(b"wort1trow" * 999)
    with closing(Archive(tmp_path / "archive.db")) as archive:
        assert archive.owes and b"wort1trow" in everything_in(tmp_path)
        archive.compact()
        assert not archive.owes and b"wort1trow" not in everything_in(tmp_path)


def test_every_file_is_this_users_alone_also_one_made_before(tmp_path):
    path = tmp_path / "archive.db"
    with closing(sqlite3.connect(path)) as before:
        before.execute("PRAGMA journal_mode = WAL")
        before.execute("CREATE TABLE other(x)")
    path.chmod(0o644)
    previous = os.umask(0)
    try:
        archive = Archive(path)
        row, text = marked(1)
        archive.keep([row], {row.id: text})
        modes = {one.name: one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
        archive.forget([row.id])
        archive.compact()
        modes |= {one.name + " later": one.stat().st_mode & 0o777 for one in tmp_path.iterdir()}
        archive.close()
    finally:
        os.umask(previous)
    assert len(modes) >= 4 and set(modes.values()) == {0o600}, modes


def test_a_write_that_failed_leaves_nothing_in_the_log(tmp_path, archive):
    with pytest.raises(ValueError, match="as planned"), archive._file.write() as write:
        for number in range(3000):  # beyond the cache: SQLite has to put some of it into the log
            write("INSERT INTO live VALUES (?, 1)", (f"wort{number}trow".encode().ljust(400, b"."),))
        raise ValueError("as planned")
    assert isinstance(archive._file, SqliteFile) and b"wort7trow" in everything_in(tmp_path)
    archive.compact()
    assert b"trow" not in everything_in(tmp_path)

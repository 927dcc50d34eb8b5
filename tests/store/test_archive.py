"""What expired is kept, found and forgotten; live and past records are searched alike."""

import itertools
import random
import sqlite3
import threading
from base64 import b64decode
from contextlib import closing
from dataclasses import replace

import pytest

from node.store import sqlitefile
from node.store.archive import MAX_WAITING, Archive, retire
from node.store.index import Slice, StoreFailed
from node.store.journalstore import JournalStore
from tests.store.storerows import all_pages, made_up


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "archive.db")
    yield archive
    archive.close()


@pytest.fixture
def store(tmp_path):
    store = JournalStore(tmp_path)
    yield store
    store.close()


def found(archive, typed, limit=20):
    after, ids = "", []
    while True:
        page, after = archive.search(typed, after, limit)
        ids += page
        if not after:
            return ids


def on_disk(folder, text):
    return [path.name for path in folder.iterdir() if text.encode() in path.read_bytes()]


def test_what_is_kept_is_read_back_by_id_and_page_by_page(archive):
    rows = [made_up(number, created=random.Random(number).randrange(20)) for number in range(40)]
    archive.keep(rows, {})
    archive.keep(rows[:5], {})
    assert len(archive) == 40 and archive.get(rows[3].id) == rows[3] and archive.get(b"?" * 16) is None
    for order, kinds, (since, until), topic, newest_first, limit in itertools.product(
            ["created", "start"], [None, [1], [0, 1, 4]], [(0, 1 << 24), (5, 15)], [None, 2], [False, True], [4, 1000]):
        expected = sorted(
            (row for row in rows if getattr(row, order) is not None and since <= getattr(row, order) < until
             and (kinds is None or row.kind in kinds) and topic in (None, row.topic)),
            key=lambda row: (getattr(row, order), row.id), reverse=newest_first)
        assert all_pages(archive, Slice(order, kinds, since, until, topic, newest_first), limit) == expected
    assert {row.id for row in archive.rows()} == {row.id for row in rows}


def test_a_page_that_ends_with_the_last_row_leads_to_no_other(archive):
    archive.keep([made_up(number) for number in range(4)], {})
    assert archive.page(Slice("created"), limit=4)[1] == "" != archive.page(Slice("created"), limit=3)[1]


def test_what_is_past_is_not_asked_for_its_text_again(archive):
    rows = [made_up(number) for number in range(3)]
    archive.keep(rows[:2], {})
    assert archive.wordless([row.id for row in rows]) == [rows[2].id]


def test_what_a_past_record_said_before_is_not_kept(archive):
    archive.keep([made_up(1, before=b"a version of long ago")], {})
    assert archive.get(made_up(1).id) == made_up(1)


def test_search_finds_live_and_past_records_newest_first(archive):
    old, new, other = made_up(1), made_up(2), made_up(3)
    archive.keep([old, other], {old.id: "L'Œuvre au noir", other.id: "Rien"})
    archive.index(new.id, new.created, "Une ŒUVRE collective")
    for typed in ("oeuvre", "œuvre", "OEUV", "Œuvre"):
        assert found(archive, typed) == [new.id, old.id]
    assert found(archive, "oeuvre collect") == [new.id]
    assert found(archive, "oeuvre nowhere") == found(archive, "euvre") == []


def test_search_gives_pages_and_takes_marks_that_somebody_edited(archive):
    rows = [made_up(number) for number in range(50)]
    archive.keep(rows, {row.id: f"marche {number}" for number, row in enumerate(rows)})
    assert found(archive, "marche", limit=7) == [row.id for row in reversed(rows)]
    first = archive.search("marche", limit=7)
    for mark in ("zz", "f" * 99, "é", "-"):
        assert archive.search("marche", mark, 7) == first


def test_words_of_a_live_record_outlast_a_restart_and_its_archiving(tmp_path, archive, store):
    live = made_up(1)
    store.commit(put=[live])
    archive.index(live.id, live.created, "assemblée")
    archive.close()
    again = Archive(tmp_path / "archive.db")
    assert found(again, "assemblee") == [live.id] and again.wordless([live.id, b"?" * 16]) == [b"?" * 16]
    retire(store, again, [live.id], {})
    assert found(again, "assemblee") == [live.id] and again.get(live.id) == live and store.get(live.id) is None
    again.close()


def test_retiring_again_completes_what_a_crash_interrupted(archive, store):
    rows = [made_up(number) for number in range(20)]
    store.commit(put=rows)
    archive.keep(rows[:7], {})  # the crash came before the journal forgot them
    retire(store, archive, [row.id for row in rows[:10]], {row.id: "mot" for row in rows})
    retire(store, archive, [row.id for row in rows[:10]], {row.id: "mot" for row in rows})
    assert {row.id for row in archive.rows()} == {row.id for row in rows[:10]}
    assert {row.id for row in store.rows()} == {row.id for row in rows[10:]}
    assert len(found(archive, "mot")) == 10


def test_what_came_back_to_the_set_while_it_was_archived_is_no_past(archive, store):
    rows = [made_up(number) for number in range(3)]
    store.commit(put=rows)
    retire(store, archive, [row.id for row in rows], {row.id: "mot" for row in rows}, lambda ids: ids[:1])
    assert {row.id for row in archive.rows()} == {row.id for row in rows[1:]} and rows[0].id not in found(archive, "mot")


def test_an_island_that_keeps_nothing_archives_nothing(tmp_path, archive, store):
    row = made_up(1, before=b64decode("visibleinthefile"))
    store.commit(put=[row])
    archive.index(row.id, row.created, "passemontagne")
    assert found(archive, "passemontagne")
    retire(store, archive, [row.id], None)
    archive.compact()
    store.erase()
    assert len(archive) == len(store) == 0 and not found(archive, "passemontagne")
    assert not on_disk(tmp_path, "passemontagne") and not on_disk(tmp_path, "visibleinthefile")


def test_what_was_forgotten_is_nowhere_on_the_disk_after_compaction(tmp_path, archive):
    rows = [replace(made_up(number), raw=f"origine{number}x".encode()) for number in range(300)]
    archive.keep(rows[:150], {row.id: f"motsecret{number}x commun" for number, row in enumerate(rows)})
    for number, row in enumerate(rows[150:], 150):
        archive.index(row.id, row.created, f"motsecret{number}x commun")
    archive.search("commun")
    archive.forget([row.id for row in rows[::2]])
    archive.compact()
    for number, row in enumerate(rows):
        assert bool(on_disk(tmp_path, f"motsecret{number}x")) == bool(number % 2)
        assert bool(on_disk(tmp_path, f"origine{number}x")) == bool(number % 2 and number < 150)
        assert found(archive, f"motsecret{number}x") == ([row.id] if number % 2 else [])


def test_prune_forgets_what_expired_before(archive):
    rows = [made_up(number) for number in range(1200)]
    archive.keep(rows, {rows[0].id: "ancien"})
    archive.prune(rows[1100].expires)
    assert {row.id for row in archive.rows()} == {row.id for row in rows[1100:]} and not found(archive, "ancien")


def test_sweep_forgets_words_of_records_that_went_without_saying(archive):
    rows = [made_up(number) for number in range(3)]
    for row in rows[:2]:
        archive.index(row.id, row.created, "chanson")
    archive.index(rows[2].id, rows[2].created, "chanson")
    archive.search("chanson")
    archive.keep(rows[2:], {rows[2].id: "chanson"})
    archive.index(rows[2].id, rows[2].created, "chanson")  # somebody looks at the past one
    archive.search("chanson")
    archive.sweep({rows[0].id}.__contains__)
    assert archive.get(rows[2].id) == rows[2]
    assert set(found(archive, "chanson")) == {rows[0].id, rows[2].id}


def test_a_flipped_bit_never_changes_what_is_read(tmp_path):
    chance = random.Random(5)
    rows = {row.id: row for row in map(made_up, range(60))}
    archive = Archive(tmp_path / "archive.db")
    archive.keep(rows.values(), {id_: "mot" for id_ in rows})
    archive.compact()
    archive.close()
    image, lost = (tmp_path / "archive.db").read_bytes(), 0
    for number in range(150):
        flipped = bytearray(image)
        flipped[chance.randrange(len(image))] ^= 1 << chance.randrange(8)
        path = tmp_path / f"{number}.db"
        path.write_bytes(flipped)
        archive = Archive(path)
        read = list(archive.rows()) + [row for id_ in rows if (row := archive.get(id_))]
        archive.search("mot")
        archive.close()
        assert all(rows[row.id] == row for row in read)
        lost += len(read) < 2 * len(rows)
    assert 0 < lost < 150


def test_an_archive_that_is_no_database_any_more_is_set_aside_and_begun_anew(tmp_path):
    path = tmp_path / "archive.db"
    path.write_bytes(b"not a database" * 999)
    archive = Archive(path)
    assert archive.health() == (True, "") and (tmp_path / "archive.db.damaged").exists()
    archive.keep([made_up(1)], {})
    archive.compact()
    assert len(archive) == 1 and not (tmp_path / "archive.db.damaged").exists()
    archive.close()


def test_an_index_of_words_that_broke_is_made_again_at_compaction(tmp_path, archive):
    row, live = made_up(1), made_up(2)
    archive.keep([row], {row.id: "chorale"})
    archive.index(live.id, live.created, "goguette")
    broken = sqlite3.connect(tmp_path / "archive.db")
    with broken:
        broken.execute("UPDATE words_data SET block = x'ff00ff' WHERE id > 10")
    broken.close()
    archive.close()
    assert not found(archive, "chorale") and not archive.health()[0]
    archive.compact()
    assert found(archive, "chorale") == [row.id] and archive.health()[0]
    assert found(archive, "goguette") == [live.id], "of what is live too"


def test_many_threads_read_and_write_at_the_same_time(archive):
    failures = []

    def work(worker):
        try:
            for step in range(15):
                row = made_up(100 * worker + step)
                archive.index(row.id, row.created, f"fil {worker}")
                if step % 3 == 0:
                    archive.keep([row], {})
                assert archive.search("fil")[0] is not None and archive.page(Slice())[0]
                if step == 10:
                    archive.compact()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures and len(found(archive, "fil")) == 8 * 15 and len(archive) == 8 * 5


def test_texts_are_remembered_with_what_is_kept_or_indexed_and_are_erased_with_it(archive, tmp_path):
    past, live, other = (made_up(number) for number in (1, 2, 3))
    archive.keep([past], {past.id: "Bal d’hier"})
    archive.index(live.id, live.created, "Œuvre à l’atelier")
    archive.keep_text(other.id, "Nom d’une île")
    everything = {past.id: "Bal d’hier", live.id: "Œuvre à l’atelier", other.id: "Nom d’une île"}
    for _ in range(2):
        assert archive.texts([past.id, live.id, other.id, b"?" * 16]) == everything
        archive.close()  # writes what waits; opened again when needed
    assert archive.search("nom") == ([], "")
    archive.sweep(lambda id_: id_ == live.id)
    archive.prune(past.expires + 1)
    archive.compact()
    assert archive.texts([past.id, live.id, other.id]) == {live.id: "Œuvre à l’atelier"}
    assert not on_disk(tmp_path, "hier") and not on_disk(tmp_path, "Nom d") and on_disk(tmp_path, "atelier")
    archive.forget([live.id])
    archive.compact()
    assert not on_disk(tmp_path, "atelier")


def test_a_text_that_waits_to_be_written_goes_with_its_record(archive, tmp_path):
    gone, swept = made_up(1), made_up(2)
    archive.keep_text(gone.id, "secret oublié")
    archive.index(swept.id, swept.created, "secret balayé")
    archive.forget([gone.id])
    archive.sweep(lambda id_: id_ == gone.id)  # which takes the other one alone
    archive.compact()
    assert archive.texts([gone.id, swept.id]) == {} and not on_disk(tmp_path, "secret")


def test_what_has_words_and_no_text_is_given_again(archive, tmp_path):
    """As after a backup was restored, or in a folder of a version that remembered no texts."""
    rows = [made_up(number) for number in range(3)]
    for row in rows:
        archive.index(row.id, row.created, f"mot {row.id.hex()}")
    archive.close()
    with sqlite3.connect(tmp_path / "archive.db") as file:
        file.execute("DELETE FROM texts WHERE id = ?", (rows[1].id,))
    file.close()
    assert archive.wordless([row.id for row in rows]) == [rows[1].id]
    archive.index(rows[1].id, rows[1].created, "mot")
    assert archive.wordless([row.id for row in rows]) == [] and len(found(archive, "mot")) == 3


@pytest.mark.parametrize("text", ["a\nb\tc \"d\" \\ é 🍲 \x1f", "مَرْحَبًا", "'); DROP TABLE texts; --"])
def test_a_text_comes_back_sign_for_sign(archive, text):
    row = made_up(1)
    archive.keep_text(row.id, text)
    archive.close()
    assert archive.texts([row.id]) == {row.id: text}


def test_a_page_of_what_lasts_leaves_out_what_ended(archive):
    rows = [replace(made_up(number), start=10, created=number, expires=100 + number) for number in range(20)]
    archive.keep(rows, {})
    page, after = archive.page(Slice("start", since=10, until=11, lasting=112), limit=5)
    rest, end = archive.page(Slice("start", since=10, until=11, lasting=112), after, 5)
    assert sorted(row.expires for row in page + rest) == list(range(112, 120)) and end == ""


def spoilt(name, before, after):
    """One octet of a text changes in the file, as a card may change it."""
    with sqlite3.connect(name) as file:
        file.execute("UPDATE texts SET text = CAST(replace(CAST(text AS BLOB), ?, ?) AS TEXT)", (before, after))
    file.close()


@pytest.mark.parametrize("after", [b"at 8", b"at \xf9"])
def test_a_text_in_which_a_bit_has_changed_is_not_believed_and_costs_no_other(tmp_path, after):
    first, other = made_up(1), made_up(2)
    with closing(Archive(tmp_path / "archive.db")) as archive:
        archive.keep([first, other], {first.id: "Soup at 9", other.id: "Choir"})
    spoilt(tmp_path / "archive.db", b"at 9", after)
    with closing(Archive(tmp_path / "archive.db")) as archive:
        assert archive.texts([first.id, other.id]) == {other.id: "Choir"} and archive.health() == (True, "")
        archive.keep_text(first.id, "Soup at 9")
        assert archive.texts([first.id]) == {first.id: "Soup at 9"}
    with closing(Archive(tmp_path / "archive.db")) as archive:
        assert archive.texts([first.id]) == {first.id: "Soup at 9"}


def test_texts_that_an_earlier_version_kept_are_decoded_anew(tmp_path):
    row = made_up(1)
    with closing(Archive(tmp_path / "archive.db")) as archive:
        archive.keep([row], {row.id: "Soup"})
    with sqlite3.connect(tmp_path / "archive.db") as file:
        file.execute("UPDATE texts SET text = 'Soup'")
    file.close()
    with closing(Archive(tmp_path / "archive.db")) as archive:
        assert archive.texts([row.id]) == {}


def test_words_that_the_card_does_not_take_wait_and_are_bounded(tmp_path):
    archive = Archive(tmp_path / "gone" / "archive.db")
    ids = [number.to_bytes(16, "big") for number in range(MAX_WAITING + 50)]
    for id_ in ids:
        archive.index(id_, 1, "mot")
    assert len(archive.texts(ids)) == MAX_WAITING


def test_a_file_that_somebody_else_holds_is_not_set_aside(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlitefile, "BUSY_S", 0.01)
    row, other = made_up(1), made_up(2)
    with closing(Archive(tmp_path / "archive.db")) as archive:
        archive.keep([row], {})
    holder = sqlite3.connect(tmp_path / "archive.db")
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with closing(Archive(tmp_path / "archive.db")) as archive:
        with pytest.raises(StoreFailed):
            archive.keep([other], {})
        holder.close()
        archive.keep([other], {})
        assert archive.get(row.id) == row and len(archive) == 2

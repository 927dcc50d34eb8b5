"""TinyDB as it is documented, on a journal instead of its own files."""

import errno
import sys
import threading
from base64 import b64decode
from contextlib import closing
from pathlib import Path

import pytest
from tinydb import TinyDB, where
from tinydb.table import Document

from node.model.errors import LocalMisuse
from node.store.documents import JournalStorage, JournalTable, tables_in
from node.store.index import Slice, StoreFailed
from node.store.journal import STEP_BYTES
from node.store.journalstore import JournalStore, document_of, row_of
from tests.sim.simulatedcard import Card
from tests.store.storerows import made_up
from tests.waiting import until

PATH = Path("/island/notes.journal")


@pytest.fixture
def card():
    return Card()


class Documents(TinyDB):
    """Documents(path, disk): a whole TinyDB on one journal."""

    default_storage_class = JournalStorage
    table_class = JournalTable


def reopened(card):
    return Documents(PATH, card.after_power_cut(0, 0))


def test_documents_are_inserted_found_changed_and_removed(card):
    table = Documents(PATH, card).table("keepers")
    assert table.insert(Document({"name": "Ana", "rights": [1]}, "a")) == "a"
    assert table.insert_multiple([Document({"name": "Bo"}, "b"), Document({"name": "Cy"}, "c")]) == ["b", "c"]
    assert table.update({"age": 3}, where("name") == "Bo") == ["b"]
    assert table.upsert(Document({"name": "Di"}, "d")) == table.upsert({"seen": True}, where("name") == "Di") == ["d"]
    assert table.remove(where("name") == "Cy") == ["c"] and table.remove(doc_ids=["a"]) == ["a"]
    for found in (table, reopened(card).table("keepers")):
        assert {document.doc_id: dict(document) for document in found} == {
            "b": {"name": "Bo", "age": 3}, "d": {"name": "Di", "seen": True}}
        assert found.search(where("age") > 2) == [{"name": "Bo", "age": 3}] and len(found) == 2
        assert found.get(doc_id="d")["name"] == "Di" and found.get(where("name") == "Zoe") is None
        assert found.contains(doc_id="b") and found.count(where("seen").exists()) == 1


def test_tables_are_truncated_and_dropped(card):
    db = Documents(PATH, card)
    for name in ("a", "b", "c"):
        db.table(name).insert_multiple(Document({"n": n}, str(n)) for n in range(3))
    assert db.tables() == {"a", "b", "c"}
    db.table("a").truncate()
    db.drop_table("b")
    assert db.tables() == reopened(card).tables() == {"c"}
    db.drop_tables()
    assert db.tables() == reopened(card).tables() == set()


def test_a_search_never_answers_from_before_a_change(card):
    table = Documents(PATH, card).table("a")
    for n in range(3):
        table.insert(Document({"n": n}, str(n)))
        assert len(table.search(where("n") >= 0)) == n + 1


def test_what_a_caller_does_to_a_document_later_does_not_change_what_is_kept(card):
    table = Documents(PATH, card).table("a")
    given = {"list": [1]}
    table.insert(Document(given, "a"))
    given["list"].append(2)
    assert table.get(doc_id="a") == {"list": [1]}


def test_a_change_that_fails_half_way_changes_nothing(card):
    table = Documents(PATH, card).table("a")
    table.insert_multiple(Document({"n": n}, str(n)) for n in range(3))

    def spoil(document):
        document["n"] = 10 // document["n"]

    with pytest.raises(ZeroDivisionError):
        table.update(spoil)
    assert [document["n"] for document in table] == [0, 1, 2]


def test_documents_need_ids_of_their_own_and_no_id_is_used_twice(card):
    table = Documents(PATH, card).table("a")
    with pytest.raises(LocalMisuse):
        table.insert({"n": 1})
    table.insert(Document({"n": 1}, "x"))
    with pytest.raises(ValueError, match="already exists"):
        table.insert(Document({"n": 2}, "x"))


def test_records_are_documents_too(tmp_path):
    store = JournalStore(tmp_path)
    rows = [made_up(number) for number in range(10)]
    store.commit(put=rows)
    assert store.records.get(doc_id=rows[3].id.hex()) == document_of(rows[3])
    odd = {document.doc_id for document in store.records.search(where("kind") == 1)}
    assert odd == {row.id.hex() for row in rows[1::2]}
    store.records.update({"received": 7}, where("created") < 1003)
    store.records.remove(where("kind") == 1)
    store.close()
    store = JournalStore(tmp_path)
    assert {row.id for row in store.rows()} == {row.id for row in rows[::2]}
    assert [row.created for row in store.rows() if row.received == 7] == [1000, 1002]
    for wrong in ({"n": 1}, document_of(rows[1]) | {"created": -1}, document_of(rows[1]) | {"raw": "?"}):
        with pytest.raises(LocalMisuse):
            store.records.insert(Document(wrong, rows[1].id.hex()))
    store.close()


def test_lines_that_are_whole_and_make_no_sense_are_set_aside(tmp_path):
    store = JournalStore(tmp_path)
    store.commit(put=[made_up(1)])
    good = document_of(made_up(2))
    storage = store.records.storage
    payloads = [b"[]", b"{", b'{"records":[1]}', b'{"records":{"zz":{}}}', b'"x"', b"[" * 9999, b"\xff",
                b'{"records":{"00":null,"11":3}}', b'{"records":{"%s":{}}}' % (b"0" * 32), b'{"records":{}} {}']
    storage._journal.append(payloads)
    store.close()
    store = JournalStore(tmp_path)
    assert store.damaged == len(payloads) and list(store.rows()) == [made_up(1)]
    store.commit(put=[made_up(2)])
    store.compact()
    store.close()
    tables = tables_in((tmp_path / "records.journal").read_bytes())
    assert tables["records"][made_up(2).id.hex()] == good and len(tables["records"]) == 2
    store = JournalStore(tmp_path)
    assert store.damaged == 0 and len(store) == 2
    store.close()


def test_threads_that_commit_at_once_share_a_sync():
    card = Card()
    store = JournalStore(Path("/island"), card)
    storage, before = store.records.storage, card.log.count("sync")
    card.gate = threading.Event()
    threads = [threading.Thread(target=store.commit, kwargs={"put": [made_up(number)]}) for number in range(9)]
    threads[0].start()
    until(lambda: card.log[-1] == "write")
    for thread in threads[1:]:
        thread.start()
    until(lambda: len(storage._queue) >= 8)
    assert len(store) == 0
    card.gate.set()
    for thread in threads:
        thread.join()
    assert len(store) == 9 and card.log.count("sync") - before == 2


def test_reading_does_not_wait_for_the_card():
    card = Card()
    store = JournalStore(Path("/island"), card)
    store.commit(put=[made_up(1)])
    card.gate = threading.Event()
    writer = threading.Thread(target=store.commit, kwargs={"put": [made_up(2)]})
    writer.start()
    until(lambda: card.log[-1] == "write")
    assert list(store.rows()) == [made_up(1)] and store.get(made_up(2).id) is None and writer.is_alive()
    card.gate.set()
    writer.join()
    assert len(store) == 2


def test_the_text_of_a_refused_commit_is_not_in_the_file_after_compaction():
    card = Card()
    store = JournalStore(Path("/island"), card)
    card.fails = {card.steps + 2: errno.EIO}
    with pytest.raises(StoreFailed):
        store.commit(put=[made_up(1, before=b64decode("neversaid123"))])
    path = Path("/island/records.journal")
    assert b"neversaid123" in card.seen[path].seen
    store.compact()
    assert b"neversaid123" not in card.seen[path].seen and store.health() == (True, "")


def test_what_was_replaced_or_deleted_is_owed_until_the_file_is_written_anew_whatever_restarts(card):
    def after_a_restart():
        return JournalStorage(PATH, card.after_power_cut(0, 0), passing={"clock"})

    storage = JournalStorage(PATH, card, passing={"clock"})
    storage.commit("notes", {"a": {"words": "one"}, "clock": {"now": 1}})
    storage.commit("notes", {"clock": {"now": 2}})
    assert not storage.owes and not after_a_restart().owes
    for change in ({"words": "two"}, None):
        storage.commit("notes", {"a": change})
        assert storage.owes and after_a_restart().owes
        storage.compact()
        assert not storage.owes and not after_a_restart().owes
    card.safe[PATH].safe[30] ^= 1  # in somebody's words, for all that anybody can read
    assert after_a_restart().damaged == 1 and after_a_restart().owes


def test_pages_and_rows_are_whole_while_others_commit():
    store = JournalStore(Path("/island"), Card())
    store.commit(put=[made_up(number) for number in range(40)])
    stop, failures = threading.Event(), []

    def look():
        try:
            while not stop.is_set():
                rows, _ = store.page(Slice(), limit=100)
                assert len(rows) == len(list(store.rows())) == 40
        except Exception as error:
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        readers = [threading.Thread(target=look) for _ in range(3)]
        for reader in readers:
            reader.start()
        for step in range(150):
            store.commit(put=[made_up(number, before=bytes(step % 2), created=1000 + step) for number in range(40)])
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        for reader in readers:
            reader.join()
    assert not failures


def test_a_closed_store_refuses(tmp_path):
    store = JournalStore(tmp_path)
    store.close()
    with pytest.raises(StoreFailed) as refused:
        store.commit(put=[made_up(1)])
    assert refused.value.reason == "closed"


def test_a_journal_grows_no_further_than_what_is_live_and_some_garbage(card):
    db = Documents(PATH, card)
    for number in range(5000):
        db.storage.commit("clock", {"now": {"value": number}})
    assert len(card.seen[PATH].seen) <= STEP_BYTES


class NoRoomForAnother(Card):
    """The first file goes on; no further one fits."""

    tried = 0

    def create(self, path):
        if PATH in self.seen:
            self.tried += 1
            raise OSError(errno.ENOSPC, "no room")
        return super().create(path)


def test_a_journal_that_cannot_be_written_anew_is_not_tried_anew_with_each_commit():
    card = NoRoomForAnother()
    db = Documents(PATH, card)
    for number in range(5000):
        db.storage.commit("clock", {"now": {"value": number}})
    assert 2 <= card.tried <= 6, "each time after twice as much"
    assert reopened(card).table("clock").get(doc_id="now") == {"value": 4999}


def test_marks_that_an_earlier_version_kept_are_passed_over():
    row = made_up(1)
    assert row_of(row.id.hex(), document_of(row) | {"hidden": True, "origin": "agenda.ics"}) == row


def test_a_journal_without_anything_out_of_date_is_not_written_anew(tmp_path, monkeypatch):
    monkeypatch.setattr("node.store.documents.SPARE_GARBAGE", 10)
    JournalStore(tmp_path).close()
    inode = (tmp_path / "records.journal").stat().st_ino
    for first in (0, 50):
        with closing(JournalStore(tmp_path)) as store:
            store.commit(put=[made_up(number) for number in range(first, first + 50)])
            assert (tmp_path / "records.journal").stat().st_ino == inode and len(store) == first + 50


def test_its_own_files_are_taken_from_other_users_at_a_start_and_those_of_others_stay_as_they_are(tmp_path):
    JournalStore(tmp_path).close()
    (tmp_path / "notes.txt").write_text("of a keeper's own")
    names = ("notes.txt", "lock", "records.journal")
    for name in names:
        (tmp_path / name).chmod(0o644)
    with closing(JournalStore(tmp_path)):
        assert [(tmp_path / name).stat().st_mode & 0o777 for name in names] == [0o644, 0o600, 0o600]

"""The archive: what expired, kept for as long as an island wants, and the words of live and past records.

SQLite (WAL, synchronous FULL, secure_delete). A row is kept as a checked line like in a journal, because SQLite does not
notice a flipped bit, and a text with a sum of its own; the columns beside them only sort. The rowid of words begins with
the minute of creation, so that results come newest first without being sorted. Words of live records are an index that
could be made again: they are written a batch at a time, and the card is not waited for.
"""

import contextlib
import json
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from node.model.clock import MAX_MINUTE
from node.model.record import ID_BYTES
from node.model.search_text import fold, query_of
from node.store.index import Key, Row, Slice, StoreFailed, key_of, mark_of
from node.store.journal import line_of, payloads_in
from node.store.journalstore import JournalStore, document_of, row_of
from node.store.payload import UNFIT, payload_of, tables_of
from node.store.sqlitefile import Execute, SqliteFile, Value, reading

SCHEMA = """
    CREATE TABLE IF NOT EXISTS past(id BLOB PRIMARY KEY, kind INTEGER NOT NULL, topic INTEGER NOT NULL,
        created INTEGER NOT NULL, start INTEGER, expires INTEGER NOT NULL, line BLOB NOT NULL);
    CREATE INDEX IF NOT EXISTS past_created ON past(created, id);
    CREATE INDEX IF NOT EXISTS past_start ON past(start, id) WHERE start IS NOT NULL;
    CREATE INDEX IF NOT EXISTS past_expires ON past(expires);
    CREATE TABLE IF NOT EXISTS live(id BLOB PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS texts(id BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
    CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(id UNINDEXED, text,
        tokenize = "unicode61 remove_diacritics 2");
"""
TABLES = ("live", "past", "texts")  # all that have a row for an id; `words` has one by its number
NUMBER_BITS = 39  # of the id, below the 24 bits of the minute, in a rowid of 63
WORDS_BATCH = 64
MAX_WAITING = 4096  # words of live records while the card takes no writes
ROWS_BATCH = 500
SALVAGE_BATCH = 20  # one bad page of a broken file costs as many


class Archive:
    """Past rows by id and date, and words of all. Safe from any thread. Writing raises StoreFailed, reading never does.

    `damaged` counts rows that were found unreadable and left out.
    """

    def __init__(self, path: Path):
        self.damaged = 0
        self._file = SqliteFile(path, SCHEMA)
        self._broken = False  # the index of words: `compact` makes it again
        self._gate = Lock()
        self._waiting: dict[bytes, tuple[int | None, str]] = {}  # texts not written yet, a number if words; the gate's

    def __len__(self) -> int:
        return sum(count for count, in self._file.read("SELECT count(*) FROM past"))

    def keep(self, rows: Iterable[Row], texts: Mapping[bytes, str]) -> None:
        """Archive rows, with the words of those that have a text here; durable on return. Once more is no fault."""
        rows = list(rows)
        self._mended(lambda: self._keep(rows, texts))

    def _keep(self, rows: Iterable[Row], texts: Mapping[bytes, str]) -> None:
        with self._file.write() as write:
            for row in rows:
                write("INSERT OR REPLACE INTO past VALUES (?, ?, ?, ?, ?, ?, ?)",
                      (row.id, row.kind, row.topic, row.created, row.start, row.expires, _line_of(row)))
                if row.id in texts:
                    _add_words(write, row.id, _number(row.id, row.created), fold(texts[row.id]))
                    _add_text(write, row.id, texts[row.id])
                write("DELETE FROM live WHERE id = ?", (row.id,))

    def get(self, id_: bytes) -> Row | None:
        """The archived row with this id, or None."""
        return next(self._readable(self._file.read("SELECT line FROM past WHERE id = ?", (id_,))), None)

    def beginning_with(self, start: bytes) -> list[bytes]:
        """Ids of archived rows that begin so."""
        found = self._file.read("SELECT id FROM past WHERE id BETWEEN ? AND ?", (start, start + b"\xff" * ID_BYTES))
        return [id_ for id_, in found]

    def page(self, wanted: Slice, after: str = "", limit: int = 20) -> tuple[list[Row], str]:
        """At most `limit` archived rows, and the mark to ask for what follows ("" at the end)."""
        order = {"created": "created", "start": "start"}[wanted.order]  # nothing else gets into the statement
        where, values = _condition(wanted, order, key_of(after))
        way = "DESC" if wanted.newest_first else "ASC"
        inner = (f"SELECT line, {order} AS minute, id FROM past WHERE {where} "  # noqa: S608 - our own words only
                 f"ORDER BY {order} {way}, id {way} LIMIT ?")
        found = self._at_once("minute, hex(id), hex(line)", inner, (*values, limit + 1))
        found.sort(key=lambda row: (row[0], row[1]), reverse=wanted.newest_first)
        last = found[limit - 1] if len(found) > limit else None
        rows = list(self._readable((bytes.fromhex(line),) for _, _, line in found[:limit]))
        return rows, mark_of((last[0], bytes.fromhex(last[1]))) if last else ""

    def _at_once(self, columns: str, inner: str, values: Iterable[Value]) -> list[list[Any]]:
        """The rows of a statement, in any order, as one value: for each row that SQLite gives, a thread lets go of the
        interpreter and waits for it again, 5 ms while another one decodes a text."""
        found = self._file.read(f"SELECT json_group_array(json_array({columns})) FROM ({inner})", values)  # noqa: S608 - ours
        return json.loads(found[0][0]) if found else []

    def rows(self) -> Iterator[Row]:
        """Every archived row by date, read a page at a time."""
        last, after = "", "0"
        while after > last:  # marks grow, unless the file is broken
            last = after
            rows, after = self.page(Slice(), after, ROWS_BATCH)
            yield from rows

    def index(self, id_: bytes, created: int, text: str) -> None:
        """Let search find a live record, and remember its text. Cheap: written with others, later; made again if lost."""
        self._let_wait(id_, _number(id_, created), text)

    def keep_text(self, id_: bytes, text: str) -> None:
        """Remember the text of a live or past record, likewise."""
        self._let_wait(id_, self._waiting.get(id_, (None, ""))[0], text)

    def _let_wait(self, id_: bytes, number: int | None, text: str) -> None:
        with self._gate:
            if len(self._waiting) < MAX_WAITING:
                self._waiting[id_] = number, text
        if len(self._waiting) >= WORDS_BATCH:
            self._write_waiting()

    def texts(self, ids: Collection[bytes]) -> dict[bytes, str]:
        """The texts of those of `ids` that are remembered."""
        waiting = [(id_, self._waiting.get(id_)) for id_ in ids]
        found = {id_: kept[1] for id_, kept in waiting if kept}
        wanted = [id_ for id_ in ids if id_ not in found]
        for first in range(0, len(wanted), ROWS_BATCH):
            some = wanted[first:first + ROWS_BATCH]
            inner = f"SELECT id, text FROM texts WHERE id IN ({','.join('?' * len(some))})"  # noqa: S608 - no words of others
            for name, checked in self._at_once("hex(id), text", inner, some):
                text = _text_in(id_ := bytes.fromhex(name), checked)
                found |= {} if text is None else {id_: text}
        return found

    def wordless(self, ids: Iterable[bytes]) -> list[bytes]:
        """Those of `ids` that search cannot find yet, or whose text is not known: it must be given to `index` or `keep`."""
        both = self._at_once("hex(id)", "SELECT live.id FROM live JOIN texts USING (id)", ())
        known = {bytes.fromhex(id_) for id_, in both}
        indexed = {id_ for id_, (number, _) in list(self._waiting.items()) if number is not None}
        left = [id_ for id_ in ids if id_ not in known and id_ not in indexed]
        for first in range(0, len(left), ROWS_BATCH):
            some = left[first:first + ROWS_BATCH]
            inner = f"SELECT id FROM past WHERE id IN ({','.join('?' * len(some))})"  # noqa: S608 - no words of others
            known |= {bytes.fromhex(id_) for id_, in self._at_once("hex(id)", inner, some)}
        return [id_ for id_ in left if id_ not in known]

    def search(self, typed: str, after: str = "", limit: int = 20) -> tuple[list[bytes], str]:
        """Ids of live and archived records with all the words typed, newest first, and the mark of what follows.

        Case, accents and ligatures do not count; the last word may be only begun. Whatever is typed, nothing is raised.
        """
        self._write_waiting()
        query, before = query_of(typed), _number_of(after)
        if not query:
            return [], ""
        found = self._file.read("SELECT id, rowid FROM words WHERE words MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
                           (query, before, limit + 1))
        self._broken |= self._file.reason == "damaged"
        return [id_ for id_, _ in found[:limit]], f"{found[limit - 1][1]:x}" if len(found) > limit else ""

    @property
    def owes(self) -> bool:
        """Whether something that was forgotten is still in the files; it is, for all we know, when they cannot be read."""
        return self._file.set_aside or self._file.read("PRAGMA user_version") != [(0,)]

    def forget(self, ids: Collection[bytes]) -> None:
        """Remove rows and words, live or past: the one way out. Gone from search on return, from the card by `compact`."""
        with self._gate:
            for id_ in ids:
                self._waiting.pop(id_, None)
        if ids:
            self._mended(lambda: self._forget(ids))

    def _forget(self, ids: Collection[bytes]) -> None:
        with self._file.write() as write:
            for id_ in ids:
                _remove(write, id_)

    def prune(self, before: int) -> None:
        """Forget what expired before this minute."""
        ids, last = self._expired(before), None
        while ids and ids != last:  # a broken index may name what cannot be deleted
            self.forget(ids)
            ids, last = self._expired(before), ids

    def _expired(self, before: int) -> list[bytes]:
        return [id_ for id_, in self._file.read("SELECT id FROM past WHERE expires < ? LIMIT ?", (before, ROWS_BATCH))]

    def unexpired(self, minute: int) -> list[Row]:
        """Archived rows that end after this minute: by a clock that says it, they came here too early."""
        return list(self._readable(self._file.read("SELECT line FROM past WHERE expires > ?", (minute,))))

    def ended(self, before: int) -> list[Row]:
        """Archived rows that ended before this minute: `prune` is about to forget them."""
        return list(self._readable(self._file.read("SELECT line FROM past WHERE expires < ?", (before,))))

    def sweep(self, is_live: Callable[[bytes], object]) -> None:
        """Forget words and texts of live records that are no longer live: what a crash left behind."""
        with self._gate:
            for id_ in [id_ for id_ in self._waiting if not is_live(id_)]:
                del self._waiting[id_]
        named = "SELECT id FROM live UNION SELECT id FROM texts WHERE id NOT IN (SELECT id FROM past)"
        self.forget([id_ for id_, in self._file.read(named) if not is_live(id_)])

    def compact(self) -> None:
        """Leave nothing of what was forgotten in the files; raises StoreFailed, and then it is still owed."""
        self._mended(self._compact)
        self._file.drop_aside()
        with self._file.write() as write:
            write("PRAGMA user_version = 0")

    def _compact(self) -> None:
        owed = self.owes
        with self._file.write() as write:
            if self._broken:
                write("INSERT INTO words(words) VALUES ('rebuild')")
            elif owed:
                write("INSERT INTO words(words) VALUES ('optimize')")  # merges away the words of what was deleted
        self._broken = False
        (self._file.vacuum if owed else self._file.empty_log)()  # a write that failed left its bytes in the log, too

    def _mended(self, work: Callable[[], None]) -> None:
        """Do something to the file; where that is broken, put another in its place, with all that can be read, and do it.

        Else one bad page would for ever keep what is withdrawn in, and what expired out.
        """
        try:
            work()
        except StoreFailed as failure:
            if failure.reason != "damaged":
                raise
            self._salvage()
            work()

    def _salvage(self) -> None:
        with self._file.replacing() as fresh, closing(Archive(fresh)) as salvaged:
            for row, text in self._whole_rows():
                salvaged.keep([row], {row.id: text} if text else {})
            live = self._file.read("SELECT live.id, number, text FROM live JOIN words ON rowid = number")
            salvaged._write_words({id_: (number, text) for id_, number, text in live})
            salvaged._file.empty_log()
        self._broken = False

    def _whole_rows(self) -> Iterator[tuple[Row, str]]:
        """Past rows with their words, from the first to a broken page and from the last back to it."""
        marks = [-1, 1 << 62]
        for side, order in enumerate(("ASC", "DESC")):
            while found := self._file.read(
                    f"SELECT rowid, line FROM past WHERE rowid > ? AND rowid < ? ORDER BY rowid {order} LIMIT ?",  # noqa: S608
                    (*marks, SALVAGE_BATCH)):
                marks[side] = found[-1][0]
                for row in self._readable([(line,) for _, line in found]):
                    words = self._file.read("SELECT text FROM words WHERE rowid = ?", (_number(row.id, row.created),))
                    yield row, words[0][0] if words else ""

    def health(self) -> tuple[bool, str]:
        """Whether the last access worked, and the reason (a slug) if not."""
        return not self._file.reason, self._file.reason

    def close(self) -> None:
        """Write what waits, let go of the files."""
        self._write_waiting()
        self._file.close()

    def _write_waiting(self) -> None:
        """Write the words that wait, unless somebody writes just now: then they wait for the next time."""
        if not self._waiting or not self._file.writing.acquire(blocking=False):
            return
        try:
            with self._gate:
                batch = dict(self._waiting)
            with contextlib.suppress(StoreFailed):
                self._write_words(batch)
        finally:
            self._file.writing.release()

    def _write_words(self, batch: Mapping[bytes, tuple[int | None, str]]) -> None:
        with self._file.write(sync="NORMAL") as write:
            for id_, (number, text) in batch.items():
                _add_text(write, id_, text)
                if number is None:
                    continue
                _add_words(write, id_, number, fold(text))
                write("INSERT OR IGNORE INTO live SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM past WHERE id = ?1)",
                      (id_, number))
        with self._gate:
            for id_ in batch:
                if self._waiting.get(id_) == batch[id_]:
                    del self._waiting[id_]

    def _readable(self, found: Iterable[tuple[Any, ...]]) -> Iterator[Row]:
        for line, *_ in found:
            try:
                yield _row_of(line)
            except UNFIT:
                self.damaged += 1


def retire(store: JournalStore, archive: Archive, ids: Iterable[bytes], texts: Mapping[bytes, str] | None,
           let_go: Callable[[list[bytes]], Collection[bytes]] | None = None) -> None:
    """Move rows from the live set to the archive, with the words of those in `texts`; None keeps nothing of them.

    Archived first, deleted then: after a crash in between, doing it again completes it. `let_go(ids)` deletes what may go
    from `store` and returns the ids of the rest, which came back to the set meanwhile and is no past. Raises StoreFailed;
    what was not moved by then is still live.
    """
    rows = [row for row in map(store.get, ids) if row is not None]
    for first in range(0, len(rows), ROWS_BATCH):
        batch = rows[first:first + ROWS_BATCH]
        if texts is None:
            archive.forget([row.id for row in batch])
        else:
            archive.keep(batch, texts)
        ids_here = [row.id for row in batch]
        if let_go is None:
            store.commit(delete=ids_here)
        elif back := let_go(ids_here):
            archive.forget(back)


def past_in(path: Path) -> Iterator[tuple[Row, str | None]]:
    """Every archived row in a file, with its words if it has some: a look from outside, while the island may go on."""
    with reading(path) as read:
        if read is None:
            return
        for line, in read("SELECT line FROM past"):
            with contextlib.suppress(*UNFIT):
                row = _row_of(line)
                words = read("SELECT text FROM words WHERE rowid = ?", (_number(row.id, row.created),)).fetchone()
                yield row, words and words[0]


def live_words_in(path: Path) -> Iterator[tuple[bytes, int, str]]:
    """Id, minute of creation and words of every live record that search finds, likewise."""
    with reading(path) as read:
        if read is None:
            return
        for id_, number, text in read("SELECT live.id, number, text FROM live JOIN words ON rowid = number"):
            yield id_, number >> NUMBER_BITS, text


def _line_of(row: Row) -> bytes:
    return line_of(payload_of({"past": {row.id.hex(): document_of(replace(row, before=b""))}}))


def _row_of(line: bytes) -> Row:
    """The inverse; raises one of UNFIT when a bit of it changed."""
    payload, = payloads_in(line)
    (id_, document), = tables_of(payload or b"")["past"].items()
    return row_of(id_, document or {})


def _number(id_: bytes, created: int) -> int:
    """The rowid of a record's words: minute of creation, then the id. Two that agree: only the first is found."""
    return min(created, MAX_MINUTE) << NUMBER_BITS | int.from_bytes(id_[:8], "big") >> 64 - NUMBER_BITS


def _number_of(mark: str) -> int:
    """The rowid a mark stands for; a mark that somebody edited starts anew."""
    try:
        return min(int(mark, 16), (1 << 63) - 1)
    except ValueError:
        return (1 << 63) - 1


def _condition(wanted: Slice, order: str, after: Key | None) -> tuple[str, list[Value]]:
    """The part of a statement that selects a slice, and its values."""
    where = f"{order} >= ? AND {order} < ?"
    values: list[Value] = [wanted.since, wanted.until]
    if wanted.kinds is not None:
        where += f" AND kind IN ({','.join('?' * len(wanted.kinds))})"
        values += wanted.kinds
    if wanted.topic is not None:
        where += " AND topic = ?"
        values.append(wanted.topic)
    if wanted.lasting:
        where += " AND expires >= ?"
        values.append(wanted.lasting)
    if after is not None:
        where += f" AND ({order}, id) {'<' if wanted.newest_first else '>'} (?, ?)"
        values += after
    return where, values


def _add_words(write: Execute, id_: bytes, number: int, text: str) -> None:
    write("INSERT INTO words(rowid, id, text) SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM words WHERE rowid = ?1)",
          (number, id_, text))


def _add_text(write: Execute, id_: bytes, text: str) -> None:
    write("INSERT INTO texts VALUES (?, ?) ON CONFLICT(id) DO UPDATE SET text = excluded.text WHERE text <> excluded.text",
          (id_, f"{_text_sum(id_, text)} {text}"))


def _text_in(id_: bytes, checked: str) -> str | None:
    """The inverse; None when a bit of it changed, or an earlier version kept it without a sum: it is decoded anew."""
    kept, _, text = checked.partition(" ")
    return text if kept == _text_sum(id_, text) else None


def _text_sum(id_: bytes, text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass'), zlib.crc32(id_)):08x}"


def _remove(write: Execute, id_: bytes) -> None:
    numbers = [number for number, in write("SELECT number FROM live WHERE id = ?", (id_,))]
    numbers += [_number(id_, created) for created, in write("SELECT created FROM past WHERE id = ?", (id_,))]
    for number in numbers:
        write("DELETE FROM words WHERE rowid = ? AND id = ?", (number, id_))
    for table in TABLES:
        write(f"DELETE FROM {table} WHERE id = ?", (id_,))  # noqa: S608 - our own words only
    write("PRAGMA user_version = 1")  # there is something for `compact` to do

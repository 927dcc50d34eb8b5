"""The store on disk: the live records and the notes of one island, in TinyDB tables on two journals.

One process at a time. Every method is safe from any thread; reading never waits for the card.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack
from copy import deepcopy
from pathlib import Path
from threading import Lock

from node.model.errors import LocalMisuse
from node.model.record import ID_BYTES
from node.store.disk import Disk, failure_of
from node.store.documents import JournalStorage, JournalTable
from node.store.index import Row, RowIndex, Slice, StoreFailed
from node.store.payload import UNFIT, Document
from node.store.shelf import Shelf

RECORDS, NOTES = "records", "notes"  # the tables, each in a journal of its name
LOCK = "lock"
MAX_NUMBER = (1 << 32) - 1


class RowShelf(Shelf[Row]):
    """The table of records: rows in memory, sorted by date and kind, and documents made of them when TinyDB asks."""

    def __init__(self) -> None:
        self._index = RowIndex()
        self._lock = Lock()  # a commit is seen whole or not at all

    def __getitem__(self, id_: str) -> Document:
        row = self.row(bytes.fromhex(id_))
        if row is None:
            raise KeyError(id_)
        return document_of(row)

    def __contains__(self, id_: object) -> bool:
        return isinstance(id_, str) and self.row(bytes.fromhex(id_)) is not None

    def __iter__(self) -> Iterator[str]:
        return (row.id.hex() for row in self.rows())

    def __len__(self) -> int:
        return len(self._index)

    def documents(self) -> Iterator[tuple[str, Document]]:
        """See Shelf."""
        return ((row.id.hex(), document_of(row)) for row in self.rows())

    def prepare(self, id_: str, document: Document) -> Row:
        """The row a document stands for."""
        return row_of(id_, document)

    def document(self, kept: Row) -> Document:
        """The document that stands for a row."""
        return document_of(kept)

    def apply(self, changes: Mapping[str, Row | None]) -> int:
        """See Shelf."""
        with self._lock:
            if not len(self._index):
                return self._fill(changes)
            useless = 0
            for id_, row in changes.items():
                useless += self._index.put(row) if row is not None else 1 + self._index.discard(bytes.fromhex(id_))
            return useless

    def _fill(self, changes: Mapping[str, Row | None]) -> int:
        """The first rows, sorted once."""
        self._index.fill(row for row in changes.values() if row is not None)
        return len(changes) - len(self._index)

    def row(self, id_: bytes) -> Row | None:
        """The row with this id, or None."""
        with self._lock:
            return self._index.get(id_)

    def rows(self) -> Iterator[Row]:
        """Every row as of now."""
        with self._lock:
            return iter(list(self._index))

    def page(self, wanted: Slice, after: str, limit: int) -> tuple[list[Row], str]:
        """As RowIndex.page."""
        with self._lock:
            return self._index.page(wanted, after, limit)


class RecordTable(JournalTable):
    """A TinyDB table whose documents are rows, read from `shelf` directly; a document's id is its record's, in hex."""

    def __init__(self, storage: JournalStorage, name: str, shelf: RowShelf):
        super().__init__(storage, name)
        self.shelf = shelf

    def commit(self, put: Iterable[Row] = (), delete: Iterable[bytes] = ()) -> None:
        """Delete, then put, all or nothing; durable on return, or StoreFailed."""
        changes: dict[str, Row | None] = {id_.hex(): None for id_ in delete}
        for row in put:
            changes[row.id.hex()] = _checked(row)
        if changes:
            self._storage.commit(self._name, changes)


class JournalStore:
    """Rows and notes in `folder`, durable when a method returns.

    Raises StoreLocked when another process has it, StoreFailed when what is there cannot be read. A card that takes no
    writes is no obstacle: reading goes on, `commit` raises StoreFailed until the card takes writes again. `passing`: names
    of notes whose earlier values tell nothing of anybody, and need not be erased.
    """

    def __init__(self, folder: Path, disk: Disk | None = None, passing: Collection[str] = ()):
        disk = disk or Disk()
        _make_folder(disk, folder)
        disk.keep_all_private(folder, lambda name: name == LOCK or ".journal" in name)
        self._lock = disk.lock(folder / LOCK)
        with ExitStack() as undoing:
            undoing.callback(self._lock.release)
            shelf = RowShelf()
            records = JournalStorage(folder / f"{RECORDS}.journal", disk, {RECORDS: shelf})
            undoing.callback(records.close)
            notes = JournalStorage(folder / f"{NOTES}.journal", disk, passing=passing)
            undoing.pop_all()
        self.records, self.notes = RecordTable(records, RECORDS, shelf), JournalTable(notes, NOTES)
        self._storages = (records, notes)
        self.probe()

    def __len__(self) -> int:
        return len(self.records.shelf)

    @property
    def damaged(self) -> int:
        """How many stretches of the journals could not be read when they were opened: what they held is gone."""
        return sum(storage.damaged for storage in self._storages)

    def commit(self, put: Iterable[Row] = (), delete: Iterable[bytes] = ()) -> None:
        """Delete, then put, all or nothing; durable on return, or StoreFailed and nothing of it is shown."""
        self.records.commit(put, delete)
        self._recover()

    def get(self, id_: bytes) -> Row | None:
        """The row with this id, or None."""
        return self.records.shelf.row(id_)

    def rows(self) -> Iterator[Row]:
        """Every row as of now, in no order; the store may change meanwhile."""
        return self.records.shelf.rows()

    def page(self, wanted: Slice, after: str = "", limit: int = 20) -> tuple[list[Row], str]:
        """At most `limit` rows, and the mark to ask for what follows ("" at the end)."""
        return self.records.shelf.page(wanted, after, limit)

    def note(self, name: str) -> object:
        """The JSON value kept under `name`, or None."""
        document = self.notes.storage.shelf(NOTES).get(name)
        return deepcopy(document.get("value")) if document else None

    def names(self) -> list[str]:
        """Of every note that is kept."""
        return list(self.notes.storage.shelf(NOTES))

    def set_note(self, name: str, value: object) -> None:
        """Keep a JSON value under `name`, durably; None forgets it. What is already so costs nothing."""
        self.set_notes({name: value})

    def set_notes(self, values: Mapping[str, object]) -> None:
        """Keep several JSON values by name, all or nothing (they share one line of the journal); None forgets one."""
        kept = {name: json.dumps(value) for name, value in values.items()}
        changes = {name: None if values[name] is None else {"value": json.loads(text)}
                   for name, text in kept.items() if json.dumps(self.note(name)) != text}
        if changes:
            self.notes.storage.commit(NOTES, changes)
            self._recover()

    def compact(self) -> None:
        """Leave only what is live in the files: what was deleted or changed is no longer in them."""
        for storage in self._storages:
            storage.compact()

    @property
    def owes(self) -> bool:
        """Whether the files hold what was deleted, replaced or refused."""
        return any(storage.owes for storage in self._storages)

    def erase(self) -> None:
        """Leave none of that in them; raises StoreFailed once what could be erased is, and the rest is still owed."""
        failed: StoreFailed | None = None
        for storage in self._storages:
            try:
                if storage.owes:
                    storage.compact()
            except StoreFailed as failure:
                failed = failure
        if failed:
            raise failed

    def probe(self) -> None:
        """After a failure, find out whether the card takes writes again; does nothing while all is well."""
        for storage in self._storages:
            storage.probe()

    def _recover(self) -> None:
        """One journal takes writes: see whether the other does again."""
        for storage in self._storages:
            if storage.reason:
                storage.probe()

    def health(self) -> tuple[bool, str]:
        """Whether the last writes were kept, and the reason (a slug) if not."""
        reason = next((storage.reason for storage in self._storages if storage.reason), "")
        return not reason, reason

    def close(self) -> None:
        """Let another process in. Nothing is lost without it."""
        for storage in self._storages:
            storage.close()
        self._lock.release()


def document_of(row: Row) -> Document:
    """The document that keeps a row; what is as usual is left out."""
    document: Document = {"raw": row.raw, "kind": int(row.kind), "created": row.created, "expires": row.expires,
                          "topic": row.topic, "received": row.received}
    if row.start is not None:
        document["start"] = row.start
    if row.before:
        document["before"] = b64encode(row.before).decode()
    return document


def row_of(id_: str, document: Document) -> Row:
    """The inverse; raises ValueError, KeyError or TypeError for what no row looks like."""
    return _fit(Row(bytes.fromhex(id_), document["raw"], document["kind"], document["created"], document["expires"],
                    document.get("start"), document["topic"], document["received"], b64decode(document.get("before", ""))))


def _fit(row: Row) -> Row:
    """The same row, or ValueError or TypeError when a restart could not read it back."""
    if not (0 <= row.kind <= MAX_NUMBER and 0 <= row.created <= MAX_NUMBER and 0 <= row.expires <= MAX_NUMBER
            and 0 <= row.topic <= MAX_NUMBER and 0 <= row.received <= MAX_NUMBER and 0 <= (row.start or 0) <= MAX_NUMBER
            and len(row.id) == ID_BYTES and isinstance(row.raw, bytes)):
        raise ValueError("a row no record has")
    return row


def _checked(row: Row) -> Row:
    try:
        return _fit(row)
    except UNFIT as error:
        raise LocalMisuse(f"not a row to keep: {error}") from error


def _make_folder(disk: Disk, folder: Path) -> None:
    try:
        disk.make_folder(folder)
    except OSError as error:
        raise StoreFailed(failure_of(error)) from error

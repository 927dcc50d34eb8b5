"""TinyDB on a journal: its storage keeps every table in memory and writes each change as one checked line.

TinyDB's own storages write the whole file for every change, and lose it when the power goes at the wrong moment
(docs/store.md has figures).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Condition, Lock
from typing import Any, NoReturn

from tinydb.storages import Storage
from tinydb.table import Table

from node.model.errors import LocalMisuse
from node.store.disk import Disk, failure_of
from node.store.index import StoreFailed
from node.store.journal import Journal, payloads_in
from node.store.payload import UNFIT, Document, payload_of, tables_of
from node.store.shelf import DocumentShelf, Shelf, TableDraft

Changes = Mapping[str, Any]  # per id what its shelf keeps, or None for what is deleted
SPARE_GARBAGE = 256  # lines out of date that are never worth a rewrite


class _Commit:
    """One commit on its way: to which table, its line, what to show once it is durable, and what became of it."""

    __slots__ = ("changes", "durable", "failure", "payload", "settled", "table")

    def __init__(self, table: str, payload: bytes, changes: Changes):
        self.table, self.payload, self.changes = table, payload, changes
        self.settled, self.durable, self.failure = False, False, "io-error"


class JournalStorage(Storage):
    """The tables of one journal. Commits of several threads share one sync; reading never waits for the card.

    `shelves`: the (empty) tables that are kept otherwise than as plain documents. `passing`: ids of documents whose
    earlier versions tell nothing of anybody, and may stay in the file; all else that is out of date is to be erased.
    `damaged` counts what could not be read when it was opened; `reason` says why the last write failed, "" if it did not.
    Raises StoreFailed when the file is there and cannot be read at all: an empty set must not take its place.
    """

    def __init__(self, path: Path, disk: Disk, shelves: Mapping[str, Shelf[Any]] | None = None,
                 passing: Collection[str] = ()):
        self.damaged, self.reason = 0, ""
        self._journal = Journal(path, disk)
        self._shelves, self._passing = dict(shelves or {}), passing
        self._gate = Lock()  # guards the two that follow
        self._idle = Condition(self._gate)
        self._busy = False  # somebody writes
        self._queue: list[_Commit] = []  # what waits meanwhile, and then shares a sync
        self._closed = False
        self._garbage = 0  # documents out of date, or sharing a line: one bad bit there costs them all
        self._withdrawn = 0  # of the garbage: what was deleted or replaced and is still in the file, torn lines too
        self._patience = 0  # after a rewrite that failed: how much garbage to wait for before the next
        self._attempt(self._load)

    def read(self) -> dict[str, Any]:
        """The tables that hold something, each a mapping of documents by id (TinyDB asks for their names)."""
        return {name: shelf for name, shelf in self._shelves.items() if len(shelf)}

    def shelf(self, name: str) -> Shelf[Any]:
        """One table, as it is now and will be."""
        shelf = self._shelves.get(name)
        return self._shelves.setdefault(name, DocumentShelf()) if shelf is None else shelf

    def write(self, tables: Mapping[str, Mapping[str, Document]]) -> None:
        """Make the tables be these (TinyDB drops tables this way)."""
        for name in {*self._shelves, *tables}:
            self.update(name, partial(_become, tables.get(name, {})))

    def update(self, name: str, updater: Callable[[MutableMapping[str, Document]], None]) -> None:
        """Let `updater` change a table, then commit what it changed; nothing else is committed in between."""
        with self._turn():
            draft = TableDraft(self.shelf(name))
            updater(draft)
            changes = self._prepared(name, draft.changes())
            if not changes:
                return
            commit = self._commit_of(name, changes)
            self._flush([commit])
        _settle(commit)

    def commit(self, name: str, changes: Changes) -> None:
        """Return when `changes` of a table are durable and shown; or raise StoreFailed, and nothing of them is shown."""
        commit = self._commit_of(name, changes)
        with self._gate:
            self._queue.append(commit)
            while self._busy and not commit.settled:
                self._idle.wait()
            ours = not commit.settled
            if ours:
                self._busy = True
                batch, self._queue = self._queue, []
        if ours:
            try:
                self._flush(batch)
            finally:
                self._rest()
        _settle(commit)

    @property
    def owes(self) -> bool:
        """Whether the file holds what was deleted, replaced or refused. The file itself says so: no crash forgets it."""
        return bool(self._withdrawn or self._journal.in_doubt)

    def compact(self) -> None:
        """Write the journal anew without what is out of date: no deleted text is in the file afterwards."""
        with self._turn():
            if self._garbage or self._journal.in_doubt:
                self._attempt(self._rewrite)

    def probe(self) -> None:
        """After a failure, find out whether the card takes writes again; `reason` tells."""
        with self._turn(), suppress(StoreFailed):
            if self._journal.in_doubt:
                self._attempt(self._rewrite)
            elif self.reason:
                self._attempt(self._journal.reserve)

    def close(self) -> None:
        """Let go of the file; what is tried later fails with "closed"."""
        with self._turn():
            self._closed = True
            self._journal.close()

    def _commit_of(self, name: str, changes: Changes) -> _Commit:
        document = self.shelf(name).document
        documents = {id_: kept if kept is None else document(kept) for id_, kept in changes.items()}
        return _Commit(name, payload_of({name: documents}), changes)

    def _prepared(self, name: str, documents: Mapping[str, Document | None]) -> Changes:
        """What a restart would make of these documents."""
        prepare = self.shelf(name).prepare
        try:
            return {id_: document if document is None else prepare(id_, document)
                    for id_, document in tables_of(payload_of({name: documents}))[name].items()}
        except UNFIT as error:
            raise LocalMisuse(f"not a document for this table: {error!r}") from error

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Nobody else writes meanwhile."""
        with self._gate:
            while self._busy:
                self._idle.wait()
            self._busy = True
        try:
            yield
        finally:
            self._rest()

    def _rest(self) -> None:
        with self._gate:
            self._busy = False
            self._idle.notify_all()

    def _flush(self, batch: list[_Commit]) -> None:
        """Make a batch durable, then show it. Each commit learns what became of it."""
        try:
            self._attempt(lambda: self._write(batch))
            for commit in batch:
                shelf = self.shelf(commit.table)
                self._withdrawn += sum(id_ in shelf and id_ not in self._passing for id_ in commit.changes)
                self._garbage += shelf.apply(commit.changes) + len(commit.changes) - 1
                commit.durable = True
            if self._garbage > SPARE_GARBAGE:
                self._tidy()
        except StoreFailed as failure:
            for commit in batch:
                commit.failure = failure.reason
        finally:
            for commit in batch:
                commit.settled = True

    def _write(self, batch: list[_Commit]) -> None:
        if self._journal.in_doubt:
            self._rewrite()
        self._journal.append([commit.payload for commit in batch])

    def _tidy(self) -> None:
        """Rewrite once most of the file is out of date. Failing here takes nothing back."""
        if self._garbage > max(self._patience, self._documents()):
            self._patience = 2 * self._garbage
            with suppress(StoreFailed):
                self._attempt(self._rewrite)

    def _rewrite(self) -> None:
        self._journal.rewrite(payload_of({name: {id_: document}})
                              for name, shelf in list(self._shelves.items()) for id_, document in shelf.documents())
        self._garbage = self._patience = self._withdrawn = 0

    def _documents(self) -> int:
        return sum(len(shelf) for shelf in list(self._shelves.values()))

    def _load(self) -> None:
        replayed = _Replayed(lambda name: self.shelf(name).prepare, self._passing)
        replayed.take(self._journal.read())
        for name, kept in replayed.tables.items():
            self.shelf(name).apply(kept)
        self.damaged = replayed.unfit
        self._garbage = replayed.written - self._documents() + self.damaged
        self._withdrawn = replayed.withdrawn + self.damaged

    def _attempt(self, access: Callable[[], None]) -> None:
        """Do something with the card; what it does wrong is a StoreFailed, whose reason stays until something works."""
        if self._closed:
            raise StoreFailed("closed")
        try:
            access()
        except OSError as error:
            self.reason = failure_of(error)
            raise StoreFailed(self.reason) from error
        self.reason = ""


class JournalTable(Table):
    """A TinyDB table on a JournalStorage: its document ids are strings of the caller's, and nothing is cached."""

    # TinyDB says int and dict where it takes any class of ids and any mapping: hence Any, here and in what it calls.
    document_id_class: Any = str
    _storage: JournalStorage

    def __init__(self, storage: JournalStorage, name: str):
        super().__init__(storage, name, cache_size=0)

    @property
    def storage(self) -> JournalStorage:
        """Where the table is kept."""
        return self._storage

    def _read_table(self) -> Any:
        return self._storage.shelf(self.name)

    def _update_table(self, updater: Callable[[Any], None]) -> None:
        self._storage.update(self.name, updater)

    def _get_next_id(self) -> NoReturn:
        raise LocalMisuse("insert a tinydb.table.Document: documents here have ids of their own")


def _become(wanted: Mapping[str, Document], draft: MutableMapping[str, Document]) -> None:
    draft.clear()
    draft.update(wanted)


def _settle(commit: _Commit) -> None:
    if not commit.durable:
        raise StoreFailed(commit.failure)


def tables_in(image: bytes) -> dict[str, dict[str, Document]]:
    """The tables that a journal's bytes hold: a look at it from outside, while its storage may go on writing."""
    replayed = _Replayed(lambda name: lambda id_, document: document)
    replayed.take(payloads_in(image))
    return replayed.tables


class _Replayed:
    """What is left in each table in the end, how much was written (see `_garbage`), how many documents were deleted or
    replaced, and how many lines were unfit.

    Each is prepared at once: thousands of documents waiting would keep the garbage collector busy.
    """

    def __init__(self, prepare_for: Callable[[str], Callable[[str, Document], Any]], passing: Collection[str] = ()):
        self._prepare_for, self._passing = prepare_for, passing
        self.tables: dict[str, dict[str, Any]] = {}
        self.written = self.withdrawn = self.unfit = 0

    def take(self, payloads: Iterable[bytes | None]) -> None:
        """Every line of a journal, in order."""
        for payload in payloads:
            try:
                for name, documents in tables_of(payload or b"").items():
                    self.written += 2 * len(documents) - 1
                    self._take(documents, self._prepare_for(name), self.tables.setdefault(name, {}))
            except UNFIT:
                self.unfit += 1

    def _take(self, documents: Mapping[str, Document | None], prepare: Callable[[str, Document], Any],
              kept: dict[str, Any]) -> None:
        for id_, document in documents.items():
            self.withdrawn += id_ in kept and id_ not in self._passing
            if document is None:
                kept.pop(id_, None)
            else:
                kept[id_] = prepare(id_, document)

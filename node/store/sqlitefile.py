"""A SQLite file on a card that may be full, read-only or broken: reading never fails, writing says why it did."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import RLock
from typing import Any

from node.store.disk import Disk, failure_of
from node.store.index import StoreFailed

PREPARATION = ("PRAGMA journal_mode = WAL", "PRAGMA secure_delete = ON", "PRAGMA cache_size = -1024")
ASIDE = ".damaged"
LOGS = ("-wal", "-shm")  # what SQLite keeps beside a file
REASONS = {sqlite3.SQLITE_FULL: "full", sqlite3.SQLITE_READONLY: "read-only", sqlite3.SQLITE_CANTOPEN: "read-only",
           sqlite3.SQLITE_CORRUPT: "damaged", sqlite3.SQLITE_NOTADB: "damaged"}

BUSY_S = 5.0  # to wait for whoever reads from outside (a backup), before the next time is waited for

Value = int | str | bytes | None
Execute = Callable[..., sqlite3.Cursor]


class SqliteFile:
    """One database with two connections, so that nobody who reads waits for a write. Safe from any thread.

    `reason` is why the last access failed: "full", "read-only", "io-error", "damaged", or "" if it did not. A file that is
    no database any more is set aside as *.damaged, until `drop_aside`, and a new one begun. Whatever is made here is this
    user's alone.
    """

    def __init__(self, path: Path, schema: str):
        self.reason = ""
        self._path, self._schema, self._disk = path, schema, Disk()
        self._fresh = path.with_name(path.name + ".new")
        with contextlib.suppress(OSError):
            self._remove_fresh()  # what an interrupted `replacing` left
        self.writing, self._reading = RLock(), RLock()  # taken in this order by whoever takes both
        self._writer: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        with contextlib.suppress(StoreFailed), self.write():
            pass

    def read(self, statement: str, values: Iterable[Value] = ()) -> list[tuple[Any, ...]]:
        """What a statement finds; nothing when the card fails."""
        with self._reading:
            try:
                self._reader = self._reader or _open_reader(self._path)
                return self._reader.execute(statement, tuple(values)).fetchall()
            except sqlite3.Error as error:
                self.reason = _reason(error)
                self._close_reader()
                return []

    @contextlib.contextmanager
    def write(self, sync: str = "FULL") -> Iterator[Execute]:
        """One transaction, all or nothing, durable at the end (with `sync` NORMAL: some time later)."""
        with self._connection() as connection:
            connection.execute(f"PRAGMA synchronous = {sync}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection.execute
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise

    def empty_log(self) -> None:
        """Bring all of the write-ahead log into the file and cut it off; raises StoreFailed, also while others read it."""
        with self._connection() as connection, self._reading:
            _empty_log(connection)

    def vacuum(self) -> None:
        """Write the file anew, with nothing in it but its rows; raises StoreFailed, and then the old one is still there.

        To delete is not enough: SQLite moves rows from page to page, leaves copies of them in the gaps, and secure_delete
        overwrites none but the last (tests/store/test_erasure.py shows it).
        """
        with self._connection() as connection, self.replacing() as fresh:
            connection.execute("VACUUM INTO ?", (str(fresh),))

    @contextlib.contextmanager
    def replacing(self) -> Iterator[Path]:
        """Nobody reads or writes while the block fills the file at this path, which then takes the place of the old one."""
        with self._connection() as connection, self._reading:
            _empty_log(connection)
            self._remove_fresh()
            self._disk.create(self._fresh).close()
            try:
                yield self._fresh
                self._put_in_place()
            except BaseException:
                with contextlib.suppress(OSError):
                    self._remove_fresh()
                raise

    def _put_in_place(self) -> None:
        """On the card before it has its name. Whoever reads the old file from outside goes on with it and its own log."""
        file = self._disk.open(self._fresh)
        try:
            file.sync()
        finally:
            file.close()
        self.close()
        self._disk.rename(self._fresh, self._path)
        self._remove_logs(self._path)
        self._disk.sync_folder(self._path.parent)

    def _remove_fresh(self) -> None:
        self._fresh.unlink(missing_ok=True)
        self._remove_logs(self._fresh)

    @staticmethod
    def _remove_logs(path: Path) -> None:
        for ending in LOGS:
            path.with_name(path.name + ending).unlink(missing_ok=True)

    @property
    def set_aside(self) -> bool:
        """Whether a file that was no database any more is still there."""
        return self._aside.exists()

    def drop_aside(self) -> None:
        """Remove it; raises StoreFailed."""
        try:
            self._aside.unlink(missing_ok=True)
        except OSError as error:
            raise StoreFailed(failure_of(error)) from error

    def close(self) -> None:
        """Let go of the file; it is opened again when needed."""
        with self.writing:
            if self._writer:
                _close(self._writer)
                self._writer = None
            self._close_reader()

    def _close_reader(self) -> None:
        with self._reading:
            if self._reader:
                _close(self._reader)
                self._reader = None

    @property
    def _aside(self) -> Path:
        return self._path.with_name(self._path.name + ASIDE)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """The writing connection; after a failure both are opened anew."""
        with self.writing:
            try:
                self._writer = self._writer or self._open_writer()
                yield self._writer
            except (sqlite3.Error, OSError) as error:
                self.close()
                self.reason = _reason(error)
                raise StoreFailed(self.reason) from error
            if self.reason:
                self._close_reader()  # it may have seen the card as it was
            self.reason = ""

    def _open_writer(self) -> sqlite3.Connection:
        try:
            return self._prepared()
        except sqlite3.DatabaseError as error:
            if _reason(error) != "damaged":
                raise
        self._path.replace(self._aside)
        self._remove_logs(self._path)
        return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        self._disk.claim(self._path)  # SQLite would let everybody read it, and gives its logs the rights of the file
        for ending in (*LOGS, ASIDE):  # of before
            self._disk.keep_private(self._path.with_name(self._path.name + ending))
        connection = sqlite3.connect(self._path, BUSY_S, isolation_level=None, check_same_thread=False)
        connection.text_factory = _text
        try:
            for setting in PREPARATION:
                connection.execute(setting)
            connection.executescript(self._schema)
        except BaseException:
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Execute | None]:
    """Statements on a file from outside, whatever its owner does meanwhile; None if there is none. Raises StoreFailed."""
    if not path.exists():
        yield None
        return
    try:
        with contextlib.closing(_open_reader(path)) as connection:
            yield connection.execute
    except sqlite3.Error as error:
        raise StoreFailed(_reason(error)) from error


def _open_reader(path: Path) -> sqlite3.Connection:
    """Also on a card that cannot be written: SQLite then reads what the last checkpoint left."""
    for mode in ("mode=ro", "immutable=1"):
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, check_same_thread=False)
        connection.text_factory = _text
        with contextlib.suppress(sqlite3.Error):
            connection.execute("SELECT count(*) FROM sqlite_schema")
            connection.execute(PREPARATION[-1])
            return connection
        connection.close()
    raise sqlite3.OperationalError("cannot be read")


def _text(octets: bytes) -> str:
    """A text of which a bit may have changed: it must not keep anybody from those beside it."""
    return octets.decode(errors="replace")


def _empty_log(connection: sqlite3.Connection) -> None:
    (busy, _, _), = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    if busy:  # somebody reads from outside what is older; the card is not to blame, and `reason` says nothing of it
        raise StoreFailed("io-error")


def _close(connection: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        connection.close()


def _reason(error: Exception) -> str:
    """The reason slug for what SQLite (primary result codes: sqlite.org/rescode.html) or the system reports."""
    if isinstance(error, OSError):
        return failure_of(error)
    return REASONS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "io-error")

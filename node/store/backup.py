"""Backup and moving house: everything an island is in one sealed file, and an island made of it again.

A backup may be made while the island runs, also by another process: each journal and the archive are read as they are at
one moment, journals first, so that a record on its way to the archive is in at least one of them.
"""

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import closing
from functools import partial
from itertools import groupby, islice
from pathlib import Path, PurePosixPath

from node.store.archive import Archive, live_words_in, past_in
from node.store.disk import Disk, failure_of
from node.store.documents import JournalStorage, tables_in
from node.store.index import StoreFailed
from node.store.journalstore import NOTES, RECORDS, JournalStore, document_of, row_of
from node.store.payload import Document, payload_of, tables_of
from node.store.sealed import BackupRefused, Part, seal, unseal

ARCHIVE, WORDS = "archive", "words"  # parts, beside the two journals
ARCHIVE_FILE = "archive.db"
FILE = "file/"  # before the name of a part that is a file as it was
BATCH = 500

Entry = tuple[str, str, Document]  # table, document id, document


def back_up(folder: Path, target: Path, passphrase: str, files: Mapping[str, Path]) -> None:
    """Write the island in `folder`, and `files` (settings, keys: name to path), to the file `target`: whole, or not at all.

    Raises OSError when the target cannot be written, StoreFailed when the island cannot be read.
    """
    unfinished = target.with_name(target.name + ".part")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            seal(stream, passphrase, parts_of(folder, files))
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
        Disk().sync_folder(target.absolute().parent)
    finally:
        unfinished.unlink(missing_ok=True)


def restore(source: Path, folder: Path, passphrase: str) -> Counter[str]:
    """Make the island in `folder` from the file `source`, whole or not at all; `files` are put there under their names.

    How much there was of each part. Raises BackupRefused, for a wrong passphrase before anything is touched; OSError or
    StoreFailed when the card does not take it.
    """
    folder = folder.absolute()
    with source.open("rb") as stream:
        blocks = unseal(stream, passphrase)
        if folder.exists() and any(folder.iterdir()):
            raise BackupRefused("folder-not-empty")
        Disk().make_folder(folder.parent)
        building = folder.with_name(folder.name + ".restoring")
        shutil.rmtree(building, ignore_errors=True)
        try:
            counts = _build(building, blocks)
            building.rename(folder)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    Disk().sync_folder(folder.parent)
    return counts


def parts_of(folder: Path, files: Mapping[str, Path]) -> Iterator[Part]:
    """Every part of a backup of the island in `folder`, read as it is asked for."""
    for name, path in files.items():
        yield FILE + name, [path.read_bytes()]
    for journal in (RECORDS, NOTES):
        yield journal, _entries(_documents_in(folder / f"{journal}.journal"))
    archive = folder / ARCHIVE_FILE
    yield WORDS, _entries((WORDS, id_.hex(), {"created": created, "words": words})
                        for id_, created, words in live_words_in(archive))
    yield ARCHIVE, _entries((ARCHIVE, row.id.hex(), document_of(row) | {"words": words})
                          for row, words in past_in(archive))


def _documents_in(path: Path) -> Iterator[Entry]:
    try:
        tables = tables_in(Disk().read(path))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreFailed(failure_of(error)) from error
    for name, documents in tables.items():
        yield from ((name, id_, document) for id_, document in documents.items())


def _build(building: Path, blocks: Iterator[tuple[str, bytes]]) -> Counter[str]:
    """Fill a new folder, durably; how much there was of each part."""
    counts: Counter[str] = Counter()
    with closing(JournalStore(building)) as store, closing(Archive(building / ARCHIVE_FILE)) as archive:
        storages = {RECORDS: store.records.storage, NOTES: store.notes.storage}
        for name, part in groupby(blocks, key=lambda block: block[0]):
            pieces = (block for _, block in part)
            if name.startswith(FILE):
                counts["files"] += _put_file(building, name.removeprefix(FILE), pieces)
            elif name in storages:
                counts[name] += _put_documents(storages[name], pieces)
            elif name in (WORDS, ARCHIVE):
                counts[name] += (_put_past if name == ARCHIVE else _put_words)(archive, pieces)
            else:
                raise BackupRefused("newer")
        store.compact()
        archive.compact()
    (building / "lock").unlink(missing_ok=True)
    Disk().sync_folder(building)
    return counts


def _put_file(building: Path, name: str, pieces: Iterable[bytes]) -> int:
    wanted = PurePosixPath(name)
    if wanted.is_absolute() or not wanted.parts or any(step.startswith(".") for step in wanted.parts):
        raise BackupRefused("damaged")
    path = building / wanted
    disk = Disk()
    disk.make_folder(path.parent)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.writelines(pieces)
        stream.flush()
        os.fsync(stream.fileno())
    disk.sync_folder(path.parent)
    return 1


def _put_documents(storage: JournalStorage, pieces: Iterable[bytes]) -> int:
    count = 0
    for batch in _batches(pieces):
        for name, group in groupby(batch, key=lambda entry: entry[0]):
            storage.update(name, partial(_add, {id_: document for _, id_, document in group}))
        count += len(batch)
    return count


def _add(documents: Mapping[str, Document], draft: MutableMapping[str, Document]) -> None:
    draft.update(documents)


def _put_past(archive: Archive, pieces: Iterable[bytes]) -> int:
    count = 0
    for batch in _batches(pieces):
        rows = [row_of(id_, document) for _, id_, document in batch]
        words = [document["words"] for _, _, document in batch]
        archive.keep(rows, {row.id: text for row, text in zip(rows, words, strict=True) if text is not None})
        count += len(batch)
    return count


def _put_words(archive: Archive, pieces: Iterable[bytes]) -> int:
    count = 0
    for batch in _batches(pieces):
        for _, id_, document in batch:
            archive.index(bytes.fromhex(id_), document["created"], document["words"])
        count += len(batch)
    return count


def _entries(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Each as a payload with its length, 4 bytes, before it."""
    for table, id_, document in entries:
        payload = payload_of({table: {id_: document}})
        yield len(payload).to_bytes(4, "big") + payload


def _batches(pieces: Iterable[bytes]) -> Iterator[list[Entry]]:
    """What `_entries` wrote, some at a time."""
    payloads = _payloads(pieces)
    while batch := [_entry(payload) for payload in islice(payloads, BATCH)]:
        yield batch


def _payloads(pieces: Iterable[bytes]) -> Iterator[bytes]:
    waiting = b""
    for piece in pieces:
        waiting += piece
        at = 0
        while len(waiting) >= at + 4 and len(waiting) >= (end := at + 4 + int.from_bytes(waiting[at:at + 4], "big")):
            yield waiting[at + 4:end]
            at = end
        waiting = waiting[at:]


def _entry(payload: bytes) -> Entry:
    (table, documents), = tables_of(payload).items()
    (id_, document), = documents.items()
    return table, id_, document or {}

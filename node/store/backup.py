"""Backup and moving house: everything an island is in one sealed file, and an island made of it again.

A backup may be made while the island runs, also by another process: each journal and the archive are read as they are at
one moment, journals first, so that a record on its way to the archive is in at least one of them.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextlib import closing, suppress
from functools import partial
from itertools import groupby, islice
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from node.model.errors import LocalMisuse
from node.store.archive import Archive, live_words_in, past_in
from node.store.disk import Disk, check_plain, failure_of
from node.store.documents import JournalStorage, tables_in
from node.store.index import StoreFailed
from node.store.journalstore import NOTES, RECORDS, JournalStore, document_of, row_of
from node.store.payload import UNFIT, Document, payload_of, tables_of
from node.store.sealed import BackupRefused, Part, seal, unseal

ARCHIVE, WORDS = "archive", "words"  # parts, beside the two journals
ARCHIVE_FILE = "archive.db"
RESTORING, RESTORED = ".restoring", ".restored"  # in an island's folder: being made of a backup; whole, not moved up yet
NO_ISLAND = frozenset({RESTORING, "lock", "orders", "start.code"})  # what may lie in a folder without an island
FILE = "file/"  # before the name of a part that is a file as it was
BATCH = 500


class Filed(NamedTuple):
    """A document with its table and its id there."""

    table: str
    id: str
    document: Document


Told = Callable[[int], None]


def back_up(folder: Path, target: Path, passphrase: str, files: Mapping[str, Path], salt: bytes,  # noqa: PLR0913
            progress: Told = lambda size: None) -> None:
    """Write the island in `folder`, and `files` (settings, keys: name to path), to the file `target`: whole, or not at all.

    `salt`: see `node.store.sealed.seal`; `progress` hears how many bytes were read (of `size_of`). Raises OSError when the
    target cannot be written, StoreFailed when the island cannot be read.
    """
    check_plain(target)
    disk, unfinished = Disk(), target.with_name(target.name + ".part")
    try:
        with disk.writing(unfinished) as stream:
            seal(stream, passphrase, _counted(parts_of(folder, files), progress), salt)
        disk.rename(unfinished, target)
        disk.sync_folder(target.parent)
    finally:
        with suppress(FileNotFoundError):
            disk.remove(unfinished)


def size_of(folder: Path, files: Mapping[str, Path]) -> int:
    """About how many bytes a backup of the island in `folder` has to read."""
    parts = (*files.values(), *(folder / f"{journal}.journal" for journal in (RECORDS, NOTES)), folder / ARCHIVE_FILE)
    return sum(map(Disk().size, parts))


def restore(source: Path, folder: Path, passphrase: str) -> Counter[str]:
    """Make the island in `folder` from the file `source`, whole or not at all; `files` are put there under their names.

    How much there was of each part. Raises BackupRefused, for a wrong passphrase before anything is touched; OSError or
    StoreFailed when the card does not take it.
    """
    with Disk().reading(source) as stream:
        return restore_from(stream, folder, passphrase)


def restore_from(stream: BinaryIO, folder: Path, passphrase: str) -> Counter[str]:
    """The same from an open file. Nothing is written outside `folder`: on the SD image the island may write there only.

    It is built in a folder there, which another name makes count at once; what is cut short after that is finished by the
    next start (`finish_restore`).
    """
    disk, folder = Disk(), folder.absolute()
    blocks, new = unseal(stream, passphrase), folder.name not in disk.names(folder.parent)
    finish_restore(folder)
    if set(disk.names(folder)) - NO_ISLAND:
        raise BackupRefused("folder-not-empty")
    building = folder / RESTORING
    disk.remove_all(building)
    disk.make_folder(building)
    try:
        counts = _build(disk, building, blocks)
        disk.rename(building, folder / RESTORED)
    except BaseException as error:
        disk.remove_all(folder if new else building)
        if isinstance(error, (*UNFIT, LocalMisuse)):  # sealed by somebody who has the passphrase, and is no island
            raise BackupRefused("damaged") from error
        raise
    disk.sync_folder(folder)
    finish_restore(folder)
    return counts


def finish_restore(folder: Path) -> None:
    """If an island was restored here, and nothing but its last step is missing, do that; raises OSError."""
    disk, made = Disk(), folder / RESTORED
    for name in sorted(disk.names(made), key=lambda name: name != "keys"):  # from the first on, no other is founded here
        disk.rename(made / name, folder / name)
    if RESTORED in disk.names(folder):
        disk.sync_folder(folder)
        disk.remove_all(made)


def parts_of(folder: Path, files: Mapping[str, Path]) -> Iterator[Part]:
    """Every part of a backup of the island in `folder`, read as it is asked for."""
    disk = Disk()
    for name, path in files.items():
        with disk.reading(path) as stream:
            yield FILE + name, [stream.read()]
    for journal in (RECORDS, NOTES):
        yield journal, _payloads_of(_documents_in(disk, folder / f"{journal}.journal"))
    archive = folder / ARCHIVE_FILE
    yield WORDS, _payloads_of(Filed(WORDS, id_.hex(), {"created": created, "words": words})
                              for id_, created, words in live_words_in(archive))
    yield ARCHIVE, _payloads_of(Filed(ARCHIVE, row.id.hex(), document_of(row) | {"words": words})
                                for row, words in past_in(archive))


def _counted(parts: Iterable[Part], progress: Told) -> Iterator[Part]:
    """The same, whoever wants to know told how many bytes they have so far."""
    done = 0

    def blocks_of(blocks: Iterable[bytes]) -> Iterator[bytes]:
        nonlocal done
        for block in blocks:
            yield block
            done += len(block)
            progress(done)

    for name, blocks in parts:
        yield name, blocks_of(blocks)


def _documents_in(disk: Disk, path: Path) -> Iterator[Filed]:
    try:
        tables = tables_in(disk.read(path))
    except FileNotFoundError:
        return
    except OSError as error:
        raise StoreFailed(failure_of(error)) from error
    for name, documents in tables.items():
        yield from (Filed(name, id_, document) for id_, document in documents.items())


def _build(disk: Disk, building: Path, blocks: Iterator[tuple[str, bytes]]) -> Counter[str]:
    """Fill a new folder, durably; how much there was of each part."""
    counts: Counter[str] = Counter()
    with closing(JournalStore(building, disk)) as store, closing(Archive(building / ARCHIVE_FILE)) as archive:
        storages = {RECORDS: store.records.storage, NOTES: store.notes.storage}
        for name, part in groupby(blocks, key=lambda block: block[0]):
            pieces = (block for _, block in part)
            if name.startswith(FILE):
                counts["files"] += _put_file(disk, building, name.removeprefix(FILE), pieces)
            elif name in storages:
                counts[name] += _put_documents(storages[name], pieces)
            elif name in (WORDS, ARCHIVE):
                counts[name] += (_put_past if name == ARCHIVE else _put_words)(archive, pieces)
            else:
                raise BackupRefused("newer")
        store.compact()
        archive.compact()
    with suppress(FileNotFoundError):
        disk.remove(building / "lock")
    disk.sync_folder(building)
    return counts


def _put_file(disk: Disk, building: Path, name: str, pieces: Iterable[bytes]) -> int:
    wanted = PurePosixPath(name)
    if wanted.is_absolute() or not wanted.parts or any(step.startswith(".") for step in wanted.parts):
        raise BackupRefused("damaged")
    path = building / wanted
    disk.make_folder(path.parent)
    with disk.writing(path, new=True) as stream:
        stream.writelines(pieces)
    disk.sync_folder(path.parent)
    return 1


def _put_documents(storage: JournalStorage, pieces: Iterable[bytes]) -> int:
    count = 0
    for batch in _batches(pieces):
        for name, group in groupby(batch, key=lambda filed: filed.table):
            storage.update(name, partial(_add, {filed.id: filed.document for filed in group}))
        count += len(batch)
    return count


def _add(documents: Mapping[str, Document], draft: MutableMapping[str, Document]) -> None:
    draft.update(documents)


def _put_past(archive: Archive, pieces: Iterable[bytes]) -> int:
    count = 0
    for batch in _batches(pieces):
        rows = [row_of(filed.id, filed.document) for filed in batch]
        words = [filed.document["words"] for filed in batch]
        archive.keep(rows, {row.id: text for row, text in zip(rows, words, strict=True) if text is not None})
        count += len(batch)
    return count


def _put_words(archive: Archive, pieces: Iterable[bytes]) -> int:
    count = 0
    for batch in _batches(pieces):
        for filed in batch:
            archive.index(bytes.fromhex(filed.id), filed.document["created"], filed.document["words"])
        count += len(batch)
    return count


def _payloads_of(documents: Iterable[Filed]) -> Iterator[bytes]:
    """Each as a payload with its length, 4 bytes, before it."""
    for table, id_, document in documents:
        payload = payload_of({table: {id_: document}})
        yield len(payload).to_bytes(4, "big") + payload


def _batches(pieces: Iterable[bytes]) -> Iterator[list[Filed]]:
    """What `_payloads_of` wrote, some at a time."""
    payloads = _payloads(pieces)
    while batch := [_filed(payload) for payload in islice(payloads, BATCH)]:
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


def _filed(payload: bytes) -> Filed:
    (table, documents), = tables_of(payload).items()
    (id_, document), = documents.items()
    return Filed(table, id_, document or {})

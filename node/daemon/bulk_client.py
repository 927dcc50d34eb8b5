"""Bundles as files, and the bulk of an island that runs (asked over its socket) or rests (its folder opened here)."""

import contextlib
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from node.daemon.keyfiles import KeyFolder
from node.daemon.rpc import Handler, NotRunning, ask
from node.daemon.timekeeper import Timekeeper
from node.model.clock import EPOCH_S, Clock, SystemClock
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.disk import check_plain
from node.store.journalstore import JournalStore
from node.transfer.bulk import (
    ALL,
    BATCH,
    BulkPort,
    Choice,
    IslandLabel,
    Landed,
    LocalBulkPort,
    load_bundle,
    unload_bundle,
)
from node.transfer.bundle import Header

BLOCK_BYTES = 1 << 16
PART = ".part"  # what a file is called until it is whole


class RpcBulkPort:
    """The bulk of the island that runs on `folder`, asked over its socket. Raises NotRunning, Refused."""

    def __init__(self, folder: Path):
        self._folder = folder

    def label(self) -> Header:
        """See BulkPort."""
        told = self._ask("label")
        return Header(b64decode(told["set_id"]), b64decode(told["island"]), told["made"], told["name"])

    def ids(self, choice: Choice = ALL) -> list[bytes]:
        """See BulkPort."""
        return _bytes(self._ask("ids", topic=choice.topic, since=choice.since))

    def load(self, ids: Collection[bytes]) -> list[bytes]:
        """See BulkPort."""
        return _bytes(self._ask("load", ids=_texts(ids)))

    def unload(self, raws: list[bytes], via: str) -> list[str]:
        """See BulkPort; a card that keeps nothing is Refused."""
        return self._ask("unload", raws=_texts(raws), via=via)

    def remember(self, header: Header) -> None:
        """See BulkPort."""
        self._ask("remember", set_id=_text(header.set_id), island=_text(header.island), made=header.made, name=header.name)

    def tell(self, stage: str, new: int = 0, problem: str = "") -> None:
        """See BulkPort."""
        self._ask("tell", stage=stage, new=new, problem=problem)

    def _ask(self, do: str, **request: Any) -> Any:
        return ask(self._folder, f"bulk-{do}", **request)


def bulk_handlers(bulk: BulkPort) -> dict[str, Handler]:
    """What a running island answers to RpcBulkPort: by the name of the request (`node.daemon.rpc.RpcServer`)."""
    def label(_: dict) -> dict:
        header = bulk.label()
        return {"set_id": _text(header.set_id), "island": _text(header.island), "made": header.made, "name": header.name}

    def remember(asked: dict) -> None:
        bulk.remember(Header(b64decode(asked["set_id"]), b64decode(asked["island"]), asked["made"], asked["name"]))

    return {
        "bulk-label": label,
        "bulk-ids": lambda asked: _texts(bulk.ids(Choice(asked["topic"], asked["since"]))),
        "bulk-load": lambda asked: _texts(bulk.load(_bytes(asked["ids"])[:BATCH])),
        "bulk-unload": lambda asked: bulk.unload(_bytes(asked["raws"])[:BATCH], asked["via"]),
        "bulk-remember": remember,
        "bulk-tell": lambda asked: bulk.tell(asked["stage"], asked["new"], asked["problem"]),
    }


@contextmanager
def bulk_of(folder: Path, name: str, clock: Clock | None = None) -> Iterator[BulkPort]:
    """The bulk of the island in `folder`, whether it runs or not; `name` is what it is called if it does not.

    Raises KeyTrouble when nobody lives there, StoreFailed or StoreLocked when it cannot be read.
    """
    running = RpcBulkPort(folder)
    with contextlib.suppress(NotRunning):
        running.label()
        yield running
        return
    with resting(folder, name, clock or SystemClock()) as bulk:
        yield bulk


@contextmanager
def resting(folder: Path, name: str, clock: Clock) -> Iterator[LocalBulkPort]:
    """The bulk of an island that does not run, opened here."""
    keys = KeyFolder(folder)
    charter, key = keys.charter(), keys.island_key()
    with closing(JournalStore(folder)) as store:
        liveset, now = LiveSet(charter), Timekeeper(clock, store.note("clock"), least=EPOCH_S).now
        replica = Replica(liveset, store, [])

        replica.load(now())
        replica.take_in(keys.credentials(), "credentials", now())
        yield LocalBulkPort(liveset, store, IslandLabel(key.key_id, name), now,
                            lambda raws, via: replica.take_in(raws, via, now())[0])


def export_file(bulk: BulkPort, path: Path, choice: Choice = ALL,
                progress: Callable[[int], None] = lambda count: None) -> int:
    """Write a bundle to `path`, whole or not at all; its size in bytes. `progress` hears how many records are written."""
    check_plain(path)
    beside, size = path.with_name(path.name + PART), 0
    try:
        with beside.open("wb") as file:
            for count, piece in enumerate(load_bundle(bulk, choice)):  # the first is the header
                size += file.write(piece)
                progress(count)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    sync_folder(path.absolute().parent)
    return size


def import_file(bulk: BulkPort, path: Path, via: str = "bundle",
                progress: Callable[[Landed, int], None] = lambda landed, size: None) -> Landed:
    """Take in the bundle at `path`; as `unload_bundle`. `progress` also hears how many bytes were read."""
    with path.open("rb", buffering=0) as file:
        return unload_bundle(bulk, blocks_of(file), via, lambda landed: progress(landed, file.tell()))


def blocks_of(file: Any) -> Iterator[bytes]:
    """What is in an open file or stream, a block at a time."""
    return iter(lambda: file.read(BLOCK_BYTES), b"")


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the medium; some file systems do not offer it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _text(raw: bytes) -> str:
    return b64encode(raw).decode()


def _texts(raws: Collection[bytes]) -> list[str]:
    return [_text(raw) for raw in raws]


def _bytes(texts: list[str]) -> list[bytes]:
    return [b64decode(text) for text in texts]

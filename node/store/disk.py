"""The machine's files, reduced to what a store needs, so that tests can use a failing or forgetful card instead.

Nothing else in this room opens a file, but `node.store.sqlitefile`.
"""

import contextlib
import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

READ_BLOCK = 4096
UNREADABLE = b"\xff"  # stands for bytes the card would not give; no line of a journal holds one
FAILURES = {errno.ENOSPC: "full", errno.EDQUOT: "full", errno.EROFS: "read-only", errno.EACCES: "read-only",
            errno.EPERM: "read-only"}


class StoreLocked(Exception):
    """Another process keeps this data folder: `holder` is its id, as it wrote it there, None if that cannot be read."""

    def __init__(self, folder: Path, holder: int | None):
        super().__init__(f"{folder} is in use by process {holder or 'unknown'}: stop it first, or give this one "
                         "another data folder")
        self.holder = holder


def failure_of(error: OSError) -> str:
    """The reason slug of an error of the card: "full", "read-only" or "io-error"."""
    return FAILURES.get(error.errno or 0, "io-error")


def check_plain(path: Path) -> None:
    """Raise OSError if a file that is put in this place would take that of a folder or of a device."""
    if path.exists() and not path.is_file():
        number = errno.EISDIR if path.is_dir() else errno.EEXIST
        raise OSError(number, os.strerror(number), str(path))


class OpenFile:
    """A file open for writing at any place. Every method may raise OSError."""

    def __init__(self, descriptor: int):
        self._descriptor = descriptor

    def write(self, block: bytes, at: int) -> None:
        """Write all of `block` at offset `at`; not durable before `sync`."""
        view = memoryview(block)
        while view:
            written = os.pwrite(self._descriptor, view, at)
            view, at = view[written:], at + written

    def cut(self, size: int) -> None:
        """Shorten the file to `size`."""
        os.ftruncate(self._descriptor, size)

    def sync(self) -> None:
        """Return when everything written is on the card, length included."""
        os.fdatasync(self._descriptor)

    def close(self) -> None:
        """Give the file back; nothing is made durable."""
        os.close(self._descriptor)


class Disk:
    """The real card. Every method but `lock` may raise OSError; names are durable after `sync_folder` only."""

    def make_folder(self, path: Path) -> None:
        """Make a folder, for this user alone, unless it is there; its name is durable on return."""
        if not path.is_dir():
            self.make_folder(path.parent)
            path.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(OSError):  # a parent that is not ours to sync was there before us
            self.sync_folder(path.parent)

    def read(self, path: Path) -> bytes:
        """All of a file; blocks that the card cannot read come back as 0xff bytes."""
        descriptor = os.open(path, os.O_RDONLY)
        try:
            return _read(descriptor, os.fstat(descriptor).st_size)
        finally:
            os.close(descriptor)

    def size(self, path: Path) -> int:
        """How many bytes a file has; none if it is not there."""
        return path.stat().st_size if path.exists() else 0

    def names(self, path: Path) -> list[str]:
        """What is in a folder; nothing if it is not there."""
        return os.listdir(path) if path.is_dir() else []

    def reading(self, path: Path) -> BinaryIO:
        """A stream of a file's bytes, for the caller to close; a block that the card cannot read is an OSError."""
        return path.open("rb")

    @contextlib.contextmanager
    def writing(self, path: Path, new: bool = False) -> Iterator[BinaryIO]:
        """A stream to a file of this user's alone, on the card when the block ends. `new`: there must be none yet."""
        flags = os.O_WRONLY | os.O_CREAT | (os.O_EXCL if new else os.O_TRUNC)
        with open(os.open(path, flags, 0o600), "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())

    def create(self, path: Path) -> OpenFile:
        """A new empty file, in the place of any old one."""
        return OpenFile(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))

    def claim(self, path: Path) -> None:
        """Let there be a file, empty if it is new, that is this user's alone, whoever made it before."""
        os.close(os.open(path, os.O_RDONLY | os.O_CREAT, 0o600))
        self.keep_private(path)

    def keep_all_private(self, folder: Path, mine: Callable[[str], bool]) -> None:
        """The same for a folder and those of its files whose names are `mine`."""
        self.keep_private(folder)
        for name in filter(mine, self.names(folder)):
            self.keep_private(folder / name)

    def keep_private(self, path: Path) -> None:
        """Take a file or folder from all other users, if it is ours to do so; a link is left alone, as what it leads to."""
        with contextlib.suppress(OSError):
            mode = path.lstat().st_mode
            if mode & 0o077 and not path.is_symlink():
                path.chmod(mode & 0o700)

    def open(self, path: Path) -> OpenFile:
        """An existing file."""
        return OpenFile(os.open(path, os.O_WRONLY))

    def rename(self, old: Path, new: Path) -> None:
        """Put the file or folder `old` in the place of `new` in one step."""
        os.replace(old, new)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        os.unlink(path)

    def remove_all(self, path: Path) -> None:
        """Remove a folder with what is in it, as far as it is there and can be removed."""
        shutil.rmtree(path, ignore_errors=True)

    def sync_folder(self, path: Path) -> None:
        """Return when the names in a folder are on the card."""
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def lock(self, path: Path) -> "FolderLock":
        """Hold `path` against every other process; raises StoreLocked."""
        return FolderLock(path)


class FolderLock:
    """A file lock (flock) that the system drops when its process ends, however it ends."""

    def __init__(self, path: Path):
        self._descriptor = _open_lock(path)
        if self._descriptor is None:
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = _holder(self._descriptor)
            self.release()
            raise StoreLocked(path.parent, holder) from error
        with contextlib.suppress(OSError):  # a full card must not keep the island from starting
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % os.getpid(), 0)

    def release(self) -> None:
        """Let others in."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _holder(descriptor: int) -> int | None:
    """Whose process id a lock file holds; a card that fails must not hide that it is locked."""
    with contextlib.suppress(OSError, ValueError):
        return int(os.pread(descriptor, 20, 0))
    return None


def _open_lock(path: Path) -> int | None:
    """None on a card that cannot be written and holds no lock file: nobody else can write there either."""
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        with contextlib.suppress(OSError):
            return os.open(path, flags, 0o600)
    return None


def _read(descriptor: int, size: int) -> bytes:
    """The first `size` bytes: in one piece, or block by block where the card has bad ones. Not one good one: OSError."""
    try:
        return os.pread(descriptor, size, 0)
    except OSError:
        blocks = [_read_block(descriptor, at) for at in range(0, size, READ_BLOCK)]
        if not any(blocks):  # rather the whole card: what is there may be whole, and must not be replaced
            raise
    return b"".join(block or UNREADABLE * READ_BLOCK for block in blocks)


def _read_block(descriptor: int, at: int) -> bytes | None:
    try:
        return os.pread(descriptor, READ_BLOCK, at)
    except OSError:
        return None

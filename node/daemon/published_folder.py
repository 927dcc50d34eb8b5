"""The folder into which a board is published: files of a copy, and beside them the list of those that are ours.

What is not on the list is other people's: it is neither written over nor removed. No link is followed. Each file is
written beside and renamed, so a cut in the middle leaves the earlier one or the new one; its name is on the list before it
is there.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from node.i18n.sentence import Explained, sentence

MANIFEST = "archipel-published.json"
PART = ".archipel-part"  # what a file is called until it is whole
NAME = re.compile(r"([a-z]{2}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,150}")
MOST_MANIFEST_BYTES = 64_000_000
PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class PublishedFolder:
    """A folder that is open for one run. `island` (hexadecimal) is whose copy it is."""

    def __init__(self, folder: int, island: str, ours: Iterable[str]):
        self._folder, self._island = folder, island
        self._ours, self._present = set(ours), set[str]()
        self.written = self.unchanged = self.removed = 0
        self.taken: list[str] = []  # names of ours under which somebody else's file stands

    def put(self, files: Mapping[str, bytes]) -> None:
        """These files are in the copy; what is as it was is not touched. Raises OSError."""
        new = {name for name in files if name not in self._ours}
        self.taken += sorted(name for name in new if self._stands(name))
        wanted = {name: content for name, content in files.items() if name not in self.taken}
        if new & set(wanted):
            self._ours |= new & set(wanted)
            self._keep_manifest()
        self._present |= set(wanted)
        for name, content in wanted.items():
            if self._read(name) == content:
                self.unchanged += 1
            else:
                self._write(name, content)
                self.written += 1

    def finish(self) -> None:
        """What was not put this time leaves the folder."""
        for name in sorted(self._ours - self._present):
            with contextlib.suppress(FileNotFoundError), self._place(name) as (place, last):
                os.unlink(last, dir_fd=place)
                self.removed += 1
        for tag in {name.partition("/")[0] for name in self._ours - self._present if "/" in name}:
            with contextlib.suppress(OSError):  # it is not empty
                os.rmdir(tag, dir_fd=self._folder)
        self._ours = set(self._present)
        self._keep_manifest()
        os.sync()  # some file systems of sticks sync no single name

    def _keep_manifest(self) -> None:
        listed = {"archipel": 1, "island": self._island, "files": sorted(self._ours)}
        self._write(MANIFEST, json.dumps(listed, indent=0).encode() + b"\n")

    def _stands(self, name: str) -> bool:
        try:
            with self._place(name) as (place, last):
                os.stat(last, dir_fd=place, follow_symlinks=False)
        except FileNotFoundError:
            return False
        except NotADirectoryError:
            return True
        except OSError as error:
            if error.errno == errno.ELOOP:
                return True
            raise
        return True

    def _read(self, name: str) -> bytes | None:
        """What is in a file of ours; None if there is none, or if something else stands there."""
        try:
            with self._place(name) as (place, last):
                descriptor = os.open(last, os.O_RDONLY | PLAIN, dir_fd=place)
        except OSError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None

    def _write(self, name: str, content: bytes) -> None:
        with self._place(name, make=True) as (place, last):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(PART, dir_fd=place)  # of a run that was cut
            descriptor = os.open(PART, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o644, dir_fd=place)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                os.rename(PART, last, src_dir_fd=place, dst_dir_fd=place)
            except BaseException:
                with contextlib.suppress(OSError):
                    os.unlink(PART, dir_fd=place)
                raise

    @contextmanager
    def _place(self, name: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """The folder that a file is in, and its last name."""
        tag, _slash, last = name.rpartition("/")
        if not tag:
            yield self._folder, last
            return
        if make:
            with contextlib.suppress(FileExistsError):
                os.mkdir(tag, 0o755, dir_fd=self._folder)
        place = os.open(tag, FOLDER, dir_fd=self._folder)
        try:
            yield place, last
        finally:
            os.close(place)


@contextmanager
def published_folder(path: Path, island: str) -> Iterator[PublishedFolder]:
    """The folder at `path`, made if there is none, for the copy of this island; nobody else may write it meanwhile.

    Raises Explained for a folder that holds other things, OSError for one that cannot be written.
    """
    with contextlib.suppress(FileExistsError):
        path.mkdir()
    if path.is_symlink():
        raise Explained(sentence("%(folder)s is a link. Name the folder that it leads to.", folder=str(path)))
    descriptor = os.open(path, FOLDER)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Explained(sentence("Something is being published into %(folder)s already.", folder=str(path))) from error
        yield PublishedFolder(descriptor, island, _ours_in(descriptor, path, island))
    finally:
        os.close(descriptor)


def _ours_in(folder: int, path: Path, island: str) -> list[str]:
    """The names of our files in it; raises Explained unless it is empty, or holds the copy of this island."""
    if not set(os.listdir(folder)) - {PART, "lost+found"}:
        return []
    try:
        with os.fdopen(os.open(MANIFEST, os.O_RDONLY | PLAIN, dir_fd=folder), "rb") as file:
            told = json.loads(file.read(MOST_MANIFEST_BYTES))
        whose, names = told["island"], told["files"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise Explained(sentence("%(folder)s is not empty, and nothing was published there before: nothing in it was "
                                 "touched. Name a new or an empty folder.", folder=str(path))) from error
    if whose != island:
        raise Explained(sentence("%(folder)s holds the copy of another island: nothing in it was touched. Name another "
                                 "folder.", folder=str(path)))
    return [name for name in names if isinstance(name, str) and NAME.fullmatch(name)] if isinstance(names, list) else []

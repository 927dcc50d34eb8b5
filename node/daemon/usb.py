"""A USB stick: every island that meets it leaves its board in a file of its own and takes in those of the others.

    STICK/archipel/SET/ISLAND.bundle    SET: 12 digits of the set's id, ISLAND: 16 digits of the island's key id
    STICK/*.bundle                      what people put there themselves: taken in, never touched

Names fit FAT; files are written beside, synced and renamed, so a stick that is pulled out has the old file or the new one.
"""

import contextlib
import errno
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from node.daemon.bulk_client import blocks_of, export_file
from node.model.errors import RemoteFault
from node.transfer.bulk import BulkPort, Landed, unload_bundle
from node.transfer.bundle import Header

FOLDER = "archipel"
ENDING = ".bundle"
MAX_FILES = 64  # of each place
READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}
PLUGGED = ("/media/", "/run/media/", "/mnt/")  # where desktops and people mount sticks (FHS 3.0, sections 3.11 and 3.12)
_OCTAL = re.compile(r"\\([0-7]{3})")  # how the kernel writes a space there
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@dataclass
class Exchange:
    """What came of it. `problem` is why nothing was left there: "", "full", "read-only", "gone" (pulled out, broken).

    `landed` holds what each file brought, `unread` the files that could not be read and why.
    """

    landed: dict[str, Landed] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    written_bytes: int = 0
    problem: str = ""

    @property
    def new(self) -> int:
        """How many records were new."""
        return sum(landed.new.total() for landed in self.landed.values())


Told = Callable[[int], None]
Begin = Callable[[str, int], Told]


def exchange(bulk: BulkPort, stick: Path, begin: Begin = lambda name, whole: lambda done: None) -> Exchange:
    """Take in what the stick brings, then leave this island's board on it.

    `begin(name, whole)` hears which file is at work and how many bytes it has, or records of our own; what it gives is told
    how many of them are done. What fails on the stick is in the result; what fails on this island's side is raised.
    """
    label, made = bulk.label(), Exchange()
    own = file_of(stick, label)
    for path in _files(stick, own):
        _take_in(bulk, path, made, begin)
    try:
        own.parent.mkdir(parents=True, exist_ok=True)
        made.written_bytes = export_file(bulk, own, progress=begin(own.name, len(bulk.ids())))
    except OSError as error:
        made.problem = problem_of(error)
    return made


def file_of(stick: Path, label: Header) -> Path:
    """Where the island of this label leaves its board."""
    return stick / FOLDER / label.set_id.hex()[:12] / f"{label.island.hex()}{ENDING}"


def problem_of(error: OSError) -> str:
    """What is the matter with a stick, as a slug."""
    if error.errno in READ_ONLY:
        return "read-only"
    return "full" if error.errno in FULL else "gone"


def sticks(mounts: Path = Path("/proc/self/mounts")) -> list[Path]:
    """Folders of the sticks that are plugged in here and were at an island before: others are nobody's to write to."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    fields = [line.split() for line in lines]
    folders = [Path(_OCTAL.sub(lambda found: chr(int(found[1], 8)), one[1])) for one in fields if len(one) > 1]
    return [folder for folder in folders if str(folder).startswith(PLUGGED) and (folder / FOLDER).is_dir()]


def _take_in(bulk: BulkPort, path: Path, made: Exchange, begin: Begin) -> None:
    name = os.fsencode(path.name).decode("utf-8", "replace")  # as it can be shown, whoever wrote it
    try:
        with contextlib.closing(_Plain(path)) as file:
            told = begin(name, file.size)
            made.landed[name] = unload_bundle(bulk, blocks_of(file), "stick", lambda landed: told(file.done))
    except RemoteFault as fault:
        made.unread[name] = fault.reason
    except _Unreadable as trouble:
        made.unread[name] = trouble.problem


class _Unreadable(Exception):
    """The stick does not give this file; told apart from this island's own card."""

    def __init__(self, problem: str):
        super().__init__(problem)
        self.problem = problem


class _Plain:
    """A plain file being read; no link, pipe or device that somebody put there is followed or waited for."""

    def __init__(self, path: Path):
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            raise _Unreadable("gone" if error.errno != errno.ELOOP else "not-a-file") from error
        found = os.fstat(self._descriptor)
        self.size, self.done = found.st_size, 0
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise _Unreadable("not-a-file")

    def read(self, size: int) -> bytes:
        try:
            block = os.read(self._descriptor, size)
        except OSError as error:
            raise _Unreadable("gone") from error
        self.done += len(block)
        return block

    def close(self) -> None:
        os.close(self._descriptor)


def _files(stick: Path, own: Path) -> Iterator[Path]:
    """Bundles on the stick but our own, of other islands first."""
    for folder in (own.parent, stick):
        try:
            names = sorted(name for name in os.listdir(folder) if name.endswith(ENDING) and not name.startswith("."))
        except OSError:
            continue  # nobody left anything there
        yield from (folder / name for name in names[:MAX_FILES] if folder / name != own)

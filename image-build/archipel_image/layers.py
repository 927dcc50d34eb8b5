"""Files as tar entries with everything fixed (owner, mode, time, order), so that the same inputs give the same bytes."""

import io
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from archipel_image.base import EPOCH_S

Entry = tuple[tarfile.TarInfo, bytes]


def file_entry(name: str, content: bytes, mode: int = 0o644, mtime: int = EPOCH_S) -> Entry:
    """A file of root's; `name` without a leading slash."""
    info = _info(name, mode, mtime)
    info.size = len(content)
    return info, content


def folder_entry(name: str, mode: int = 0o755) -> Entry:
    """A directory of root's."""
    info = _info(name, mode, EPOCH_S)
    info.type = tarfile.DIRTYPE
    return info, b""


def link_entry(name: str, target: str) -> Entry:
    """A symbolic link."""
    info = _info(name, 0o777, EPOCH_S)
    info.type, info.linkname = tarfile.SYMTYPE, target
    return info, b""


def tree(folder: Path, under: str = "", keep_compiled: bool = False) -> Iterator[Entry]:
    """Everything in `folder`, sorted; a file is executable for all if it is for its owner, else only readable."""
    for path in sorted(folder.rglob("*")):
        name = str(Path(under) / path.relative_to(folder))
        if "__pycache__" in path.parts and not keep_compiled:
            continue  # the host's own Python was here
        if path.is_symlink():
            yield link_entry(name, os.readlink(path))
        elif path.is_dir():
            yield folder_entry(name)
        else:
            yield file_entry(name, path.read_bytes(), 0o755 if os.access(path, os.X_OK) else 0o644)


def read_tar(path: Path, wanted: Callable[[str], object]) -> Iterator[Entry]:
    """The entries of a tar whose name `wanted(name)`, names without "./"."""
    with tarfile.open(path) as archive:
        for info in archive:
            info.name = info.name.removeprefix("./").strip("/")
            if info.name not in ("", ".") and wanted(info.name):
                if info.islnk():
                    info.linkname = info.linkname.removeprefix("./").strip("/")
                content = archive.extractfile(info) if info.isreg() else None
                yield info, content.read() if content else b""


def write_tar(stream: IO[bytes], entries: Iterator[Entry]) -> None:
    """Write entries as a tar; an entry that comes again is left out, so earlier ones win."""
    seen: set[str] = set()
    with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for info, content in entries:
            if info.name not in seen:
                seen.add(info.name)
                archive.addfile(info, io.BytesIO(content))


def _info(name: str, mode: int, mtime: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.mode, info.mtime, info.uname, info.gname = mode, mtime, "root", "root"
    return info

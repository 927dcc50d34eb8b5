"""A copy of the files that git knows, to plant faults in: the tree that people work in is never touched."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copy_into(folder: Path) -> None:
    """The files as they are now, also those that are new."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(asked, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0"):
        if name and ((source := ROOT / name).is_file() or source.is_symlink()):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name, follow_symlinks=False)


@contextmanager
def changed(path: Path, text: str) -> Iterator[None]:
    """The file says `text` meanwhile. Its times come back with it, so that what Python compiled of it is good again."""
    before, kept = path.read_bytes(), path.stat()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(before)
        os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))

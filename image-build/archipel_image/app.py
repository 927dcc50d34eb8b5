"""The application layer: this checkout's wheel under /opt/archipel/VERSION, compiled by the image's own Python."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from archipel_image.layers import Entry, link_entry, read_tar, tree
from archipel_image.sources import PROJECT

FOLDER = "opt/archipel"
INTERPRETER = re.compile(r"usr/bin/python3(\.\d+)?|(usr/)?lib(/aarch64-linux-gnu(/[^/]+\.so[^/]*)?|/ld-linux[^/]*)?"
                         r"|usr(/lib(/python3\.\d+(/(?!site-packages|dist-packages|test/).*)?)?)?")


def build_app(base: Path, cache: Path, target: Path) -> str:
    """Unpack and compile the application into `target`; its version. `cache` keeps the interpreter of `base`."""
    with tempfile.TemporaryDirectory() as folder:
        _run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, str(PROJECT)])
        wheel = next(Path(folder).glob("archipel-*.whl"))
        zipfile.ZipFile(wheel).extractall(target)
    for beside in target.glob("*.data"):  # manual pages: the image has nothing that shows them
        shutil.rmtree(beside)
    (next(target.glob("*.dist-info")) / "RECORD").unlink()  # it would list everything but what is compiled below
    _compile(interpreter(base, cache), target, f"/{FOLDER}")
    return wheel.name.split("-")[1]


def app_entries(app: Path, version: str) -> Iterator[Entry]:
    """The layer's entries for the root file system."""
    yield from tree(app, f"{FOLDER}/{version}", keep_compiled=True)
    yield link_entry(f"{FOLDER}/current", version)


def interpreter(base: Path, cache: Path) -> Path:
    """A folder with the Python of the base and what it needs, to be run under emulation; no root, no chroot."""
    folder = cache / f"python-{base.stem}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as beside:
            for entry in read_tar(base, lambda name: bool(INTERPRETER.fullmatch(name))):
                _place(Path(beside) / "root", entry)
            (Path(beside) / "root").rename(folder)
    return folder


def _place(root: Path, entry: Entry) -> None:
    info, content = entry
    path = root / info.name
    path.parent.mkdir(parents=True, exist_ok=True)
    if info.issym():
        path.symlink_to(info.linkname if not info.linkname.startswith("/") else root / info.linkname[1:])
    elif info.isdir():
        path.mkdir(exist_ok=True)
    elif info.isreg():
        path.write_bytes(content)
        path.chmod(0o755 if info.mode & 0o100 else 0o644)


def _compile(root: Path, target: Path, shown: str) -> None:
    python = next(path for path in sorted((root / "usr/bin").glob("python3.*")))
    where = {"PYTHONHOME": str(root / "usr"), "PYTHONHASHSEED": "0", "PATH": os.environ["PATH"]}
    _run(["qemu-aarch64-static", "-L", str(root), str(python), "-S", "-m", "compileall", "-q", "-j", "1", "-s", str(target),
          "-p", shown, "--invalidation-mode", "unchecked-hash", str(target)], where)


def _run(command: list[str], environment: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env=environment)

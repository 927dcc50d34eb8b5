"""Updates of the application from a stick: verified, unpacked beside, switched, watched, taken back if the portal is mute.

    archipel-update-VERSION.bundle: "archipel update 1" | manifest, a line of JSON | signature, hex | the files, end to end
    manifest: {"version": "1.2.3", "files": [[path, bytes, sha256], ...]}; Ed25519 (RFC 8032) over the first two lines

    APP/VERSION/     one unpacked version
    APP/current      a symlink to the version in use; none: the one on the read-only root
    APP/trial        while a version has not shown that it answers: its name, and that of the version before it if any
    APP/refused      versions that were taken back, one a line: not taken again

Every step leaves a folder that the next start understands: the power may go at any moment. `update.py take STICK APP`
`update.py watch APP`
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MARK = b"archipel update 1\n"
PUBLIC_KEY = Path("/usr/share/archipel/update.pub")
BUILT_IN = Path("/opt/archipel/current")
PORTAL = "http://127.0.0.1:8080/"
MAX_MANIFEST_BYTES, MAX_FILES, MAX_TOTAL_BYTES = 2_000_000, 10_000, 100_000_000
SIGNATURE_LINE_BYTES = 2 * 64 + 1
PATIENCE_S, PAUSE_S, ANSWERS = 240, 2, 3
NOTHING = 75  # exit status: EX_TEMPFAIL of sysexits.h
SIGNATURE = re.compile(rb"([0-9a-f]{128})\n")
VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}")
NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,120}")


class UpdateRefused(Exception):
    """Why a bundle is not taken; nothing was changed."""


def read_manifest(stream: BinaryIO, public: bytes) -> dict:
    """The manifest of a bundle whose signature is right; raises UpdateRefused. Leaves the stream at the first file."""
    if stream.read(len(MARK)) != MARK:
        raise UpdateRefused("this is no update of Archipel")
    line = stream.readline(MAX_MANIFEST_BYTES)
    signature = SIGNATURE.fullmatch(stream.read(SIGNATURE_LINE_BYTES))
    try:
        if signature is None:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature[1].decode()), MARK + line)
    except InvalidSignature as error:
        raise UpdateRefused("the signature is not by who makes Archipel") from error
    manifest = json.loads(line)  # signed from here on; what follows guards against mistakes, not against strangers
    files = manifest["files"]
    sound = (VERSION.fullmatch(manifest["version"]) and len(files) <= MAX_FILES
             and all(_inside(path) for path, _, _ in files) and sum(size for _, size, _ in files) <= MAX_TOTAL_BYTES)
    if not sound:
        raise UpdateRefused("the manifest breaks a limit")
    return manifest


def unpack(stream: BinaryIO, manifest: dict, folder: Path) -> None:
    """Write the files that follow a manifest into a new `folder`, durably; raises UpdateRefused when one is not right."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, size, digest in manifest["files"]:
        content = stream.read(size)
        if hashlib.sha256(content).hexdigest() != digest:
            raise UpdateRefused(f"{path} is damaged or cut short")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        _write(folder / path, content)
    for parent in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        _sync(parent)


def take(stick: Path, app: Path, public: bytes, built_in: str) -> str | None:
    """Switch to the newest version on the stick that is newer than the one in use; its name, or None if there is none.

    Raises UpdateRefused for a bundle that would have been taken and is not right.
    """
    in_use = current(app) or built_in
    for path in sorted(stick.glob("archipel-update-*.bundle"), key=_order, reverse=True):
        with path.open("rb") as stream:
            manifest = read_manifest(stream, public)
            version = manifest["version"]
            if _numbers(version) <= _numbers(in_use) or version in _lines(app / "refused"):
                continue
            unpack(stream, manifest, app / f"{version}.new")
        shutil.rmtree(app / version, ignore_errors=True)
        (app / f"{version}.new").rename(app / version)
        _write(app / "trial", f"{version} {current(app) or ''}\n".encode())
        switch(app, version)
        return version
    return None


def watch(app: Path, answers: Callable[[], bool]) -> bool:
    """Whether the portal answers with the version in use; if not, the version before it is in use again."""
    version, trial = current(app), [*_lines(app / "trial"), "", ""]
    if answers():
        (app / "trial").unlink(missing_ok=True)
        _forget_others(app)
        return True
    if version is not None:
        before = trial[1] if trial[0] == version else ""
        if trial[0] == version:
            _write(app / "refused", "".join(f"{line}\n" for line in [*_lines(app / "refused"), version]).encode())
        switch(app, before if before and (app / before / "node").is_dir() else None)
    (app / "trial").unlink(missing_ok=True)
    return False


def current(app: Path) -> str | None:
    """The version in use on the data partition, None when it is the one on the root."""
    try:
        return os.readlink(app / "current")
    except OSError:
        return None


def switch(app: Path, version: str | None) -> None:
    """Make `version` the one in use, None for the root's, at once or not at all."""
    if version is None:
        (app / "current").unlink(missing_ok=True)
    else:
        (app / "current.new").unlink(missing_ok=True)
        (app / "current.new").symlink_to(version)
        (app / "current.new").rename(app / "current")
    _sync(app)


def portal_answers(patience_s: float = PATIENCE_S) -> bool:
    """Whether the portal gives its first page several times in a row, within `patience_s`."""
    give_up_at, good = time.monotonic() + patience_s, 0
    while time.monotonic() < give_up_at:
        good = good + 1 if _page() else 0
        if good == ANSWERS:
            return True
        time.sleep(PAUSE_S)
    return False


def _page() -> bool:
    with contextlib.suppress(OSError), urllib.request.urlopen(PORTAL, timeout=10) as answer:
        return answer.status == 200 and b"</html>" in answer.read()
    return False


def _forget_others(app: Path) -> None:
    for path in app.iterdir():
        if path.is_dir() and not path.is_symlink() and path.name != current(app):
            shutil.rmtree(path, ignore_errors=True)


def _inside(path: Any) -> bool:
    return isinstance(path, str) and len(path) < 400 and all(NAME.fullmatch(part) for part in path.split("/"))


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _order(path: Path) -> tuple[int, ...]:
    found = VERSION.search(path.name)
    return _numbers(found[0]) if found else ()


def _lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(do: str, *folders: str) -> int:
    """The exit status: 0 done, 75 nothing new (take) or gone back (watch), 1 refused."""
    os.umask(0o022)
    if do == "watch":
        return 0 if watch(Path(folders[0]), portal_answers) else NOTHING
    stick, app = map(Path, folders)
    try:
        taken = take(stick, app, PUBLIC_KEY.read_bytes(), BUILT_IN.resolve().name)
    except (UpdateRefused, OSError) as error:
        print(f"update refused: {error}", file=sys.stderr)
        return 1
    print(f"took {taken}" if taken else "nothing new on the stick")
    return 0 if taken else NOTHING


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

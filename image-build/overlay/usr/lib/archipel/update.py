"""Updates of the application from a stick: verified, unpacked beside, switched, watched, taken back if the portal is mute.

A version is on trial until it has answered once. From then on it stays, whatever keeps the portal mute at a later start (a
crowd, a full card): only if its files on the card are damaged does the version of the card take its place.

    archipel-update-VERSION.bundle: "archipel update 1" | manifest, a line of JSON | signature, hex | the files, end to end
    manifest: {"version": "1.2.3", "files": [[path, bytes, sha256], ...]}; Ed25519 (RFC 8032) over the first two lines

    APP/VERSION/     one unpacked version
    APP/current      a symlink to the version in use; none: the one on the read-only root
    APP/trial        while a version has not shown that it answers: its name, and that of the version before it if any
    APP/refused      versions that were taken back, one a line: not taken again
    APP/VERSION/.manifest    the first three lines of its bundle: whether its files are still whole
    APP/seen         the newest version on the stick that was looked at last, for the keepers' desk
    APP/notices      what was done, a sentence as JSON on each line: the first page and `status` tell it

Every step leaves a folder that the next start understands: the power may go at any moment. `update.py take STICK APP`
`update.py watch APP`
"""

import contextlib
import hashlib
import itertools
import json
import os
import re
import shutil
import stat
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
MAX_NAMES, MAX_LOOKED_AT = 20_000, 200  # of the stick's files; of those named like an update, the newest names first
PATIENCE_S, PAUSE_S, ANSWERS = 240, 2, 3
NOTHING = 75  # exit status: EX_TEMPFAIL of sysexits.h
SIGNATURE = re.compile(rb"([0-9a-f]{128})\n")
VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}")
NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,120}")
NAMED_SO = re.compile(r"[^.].*archipel-update|archipel-update", re.IGNORECASE)  # "._..." beside it is a Mac's
MAX_TOLD, TOLD_S = 4, 7 * 86_400


def N_(text: str) -> str:
    """Mark a sentence for the catalogues; the portal says it in the reader's language."""
    return text


INSTALLED = N_("Version %(version)s of Archipel is installed and works.")
TAKEN_BACK = N_("After the update to version %(version)s these pages did not come within four minutes, so the box has gone "
                "back to version %(before)s. It will not take that update again, but a newer one. Tell who makes Archipel.")
STAYED_MUTE = N_("At a start of the box these pages did not come within four minutes. Nothing was changed: version "
                 "%(version)s stays in use. If this comes again, take a copy of the board on a stick and use another card.")
DAMAGED = N_("Version %(version)s is damaged on the memory card, so the box has gone back to version %(before)s. Put the "
             "update on a stick and plug it in again; if this comes back, use another card.")
NOT_TAKEN = N_("An update on the stick was not taken: %(reason)s")
NO_UPDATE = N_("This is no update of Archipel.")
FORGED = N_("It was not made by who makes Archipel, or it was damaged. Copy it again, from where they publish it.")
BROKEN = N_("It is damaged or cut short. Copy it again.")
UNSOUND = N_("It breaks a rule of updates. Tell who makes Archipel.")
UNREADABLE = N_("It could not be read, or there is no room for it on the memory card (%(error)s).")


class UpdateRefused(Exception):
    """Why a bundle is not taken; nothing was changed. The text is one of the sentences above, `fields` fill it."""

    def __init__(self, text: str, **fields: str):
        super().__init__(text % fields if fields else text)
        self.told = {"text": text, "fields": fields}


def read_head(stream: BinaryIO, public: bytes) -> tuple[dict, bytes]:
    """The manifest of a bundle whose signature is right, and the octets up to the first file, where it leaves the stream.

    Raises UpdateRefused.
    """
    if stream.read(len(MARK)) != MARK:
        raise UpdateRefused(NO_UPDATE)
    line = stream.readline(MAX_MANIFEST_BYTES)
    signed = stream.read(SIGNATURE_LINE_BYTES)
    signature = SIGNATURE.fullmatch(signed)
    try:
        if signature is None:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature[1].decode()), MARK + line)
    except InvalidSignature as error:
        raise UpdateRefused(FORGED) from error
    try:  # signed from here on; what follows guards against mistakes, not against strangers
        manifest = json.loads(line)
        files = manifest["files"]
        sound = (VERSION.fullmatch(manifest["version"]) and len(files) <= MAX_FILES
                 and len({path for path, _, _ in files if _inside(path)}) == len(files)  # one of a name, or none is whole
                 and all(type(size) is int and size >= 0 for _, size, _ in files)
                 and sum(size for _, size, _ in files) <= MAX_TOTAL_BYTES)
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise UpdateRefused(UNSOUND)
    return manifest, MARK + line + signed


def unpack(stream: BinaryIO, manifest: dict, head: bytes, folder: Path) -> None:
    """Write the files that follow a manifest into a new `folder`, durably; raises UpdateRefused when one is not right."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, size, digest in manifest["files"]:
        content = stream.read(size)
        if hashlib.sha256(content).hexdigest() != digest:
            raise UpdateRefused(BROKEN)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        _write(folder / path, content)
    _write(folder / ".manifest", head)
    for parent in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        _sync(parent)


def whole(folder: Path, public: bytes) -> bool:
    """Whether an unpacked version still holds what its bundle held."""
    try:
        with (folder / ".manifest").open("rb") as stream:
            manifest, _ = read_head(stream, public)
        return all(hashlib.sha256((folder / path).read_bytes()).hexdigest() == digest
                   for path, _, digest in manifest["files"])
    except (OSError, UpdateRefused):
        return False


def take(stick: Path, app: Path, public: bytes, built_in: str) -> str | None:
    """Switch to the newest version on the stick that is newer than the one in use; its name, or None if there is none.

    What is named like an update and is none, is forged, damaged or no plain file keeps no other from being taken. Raises
    UpdateRefused, with the first reason, when there was such a one and nothing was taken.
    """
    usable, refused = [], []
    (app / "seen").unlink(missing_ok=True)
    for path in named_so(stick):
        try:
            with open_plain(path) as stream:
                usable.append((read_head(stream, public)[0]["version"], path))
        except (UpdateRefused, OSError) as error:
            refused.append(_why(error))
    used = in_use(app, built_in)
    if usable:
        _write(app / "seen", max((version for version, _ in usable), key=_numbers).encode())
    for version, path in sorted(usable, key=lambda one: _numbers(one[0]), reverse=True):
        if _numbers(version) <= _numbers(used) or version in _lines(app / "refused"):
            continue
        try:
            with open_plain(path) as stream:
                unpack(stream, *read_head(stream, public), app / f"{version}.new")
        except (UpdateRefused, OSError) as error:
            shutil.rmtree(app / f"{version}.new", ignore_errors=True)
            refused.insert(0, _why(error))
            continue
        shutil.rmtree(app / version, ignore_errors=True)
        (app / f"{version}.new").rename(app / version)
        _write(app / "trial", f"{version} {current(app) or ''}\n".encode())
        switch(app, version)
        return version
    if refused:
        raise refused[0]
    return None


def _why(error: UpdateRefused | OSError) -> UpdateRefused:
    return error if isinstance(error, UpdateRefused) else UpdateRefused(UNREADABLE, error=error.strerror or "")


def named_so(stick: Path) -> list[Path]:
    """The plain files that are named like an update, whatever browsers and computers add to a name."""
    with os.scandir(stick) as entries:
        found = [Path(entry.path) for entry in itertools.islice(entries, MAX_NAMES)
                 if NAMED_SO.match(entry.name) and entry.is_file(follow_symlinks=False)]
    return sorted(found, key=lambda path: (_order(path), path.name), reverse=True)[:MAX_LOOKED_AT]


def open_plain(path: Path) -> BinaryIO:
    """A plain file; no link, pipe or device that somebody put there is followed or waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    stream = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise UpdateRefused(NO_UPDATE)
    return stream


def watch(app: Path, answers: Callable[[], bool], public: bytes, built_in: str) -> bool:
    """See whether the portal answers. True if another version is in use afterwards: the island has to be started again."""
    version = current(app)
    trial, before, *_ = [*_lines(app / "trial"), "", ""]
    on_trial = version is not None and trial == version
    if answers():
        if on_trial:
            (app / "notices").unlink(missing_ok=True)
            tell(app, INSTALLED, harmless=True, version=str(version))
        (app / "trial").unlink(missing_ok=True)
        _forget_others(app)
        _forget_old_news(app)
        return False
    damaged = version is not None and not whole(app / version, public)
    if version is None or not (on_trial or damaged):
        tell(app, STAYED_MUTE, version=in_use(app, built_in))
        (app / "trial").unlink(missing_ok=True)
        return False
    if not damaged and version not in _lines(app / "refused"):
        _write(app / "refused", "".join(f"{line}\n" for line in [*_lines(app / "refused"), version]).encode())
    back = before if on_trial and before and whole(app / before, public) else None
    tell(app, DAMAGED if damaged else TAKEN_BACK, version=version, before=back or built_in)
    switch(app, back)
    (app / "trial").unlink(missing_ok=True)
    return True


def tell(app: Path, text: str, harmless: bool = False, **fields: Any) -> None:
    """Put a sentence before what is told already. A card that takes nothing keeps nothing from being done."""
    line = json.dumps({"text": text, "fields": fields} | ({"harmless": True} if harmless else {}))
    with contextlib.suppress(OSError):
        path = app / "notices"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        kept = [line, *(old for old in lines if old != line)][:MAX_TOLD]
        _write(path, "".join(f"{each}\n" for each in kept).encode())


def _forget_old_news(app: Path) -> None:
    with contextlib.suppress(OSError):
        if abs(time.time() - (app / "notices").stat().st_mtime) > TOLD_S:
            (app / "notices").unlink()


def in_use(app: Path, built_in: str) -> str:
    """The version that runs: that of the root if none is on the data partition, or nothing of it is left (`launch`)."""
    version = current(app)
    return version if version and VERSION.fullmatch(version) and (app / version / "node").is_dir() else built_in


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
    return path.read_text(errors="replace").split() if path.exists() else []


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
    public, built_in = PUBLIC_KEY.read_bytes(), BUILT_IN.resolve().name
    if do == "watch":
        return NOTHING if watch(Path(folders[0]), portal_answers, public, built_in) else 0
    stick, app = map(Path, folders)
    try:
        taken = take(stick, app, public, built_in)
    except (UpdateRefused, OSError) as error:
        refused = _why(error)
        print(f"update refused: {refused}", file=sys.stderr)
        tell(app, NOT_TAKEN, reason=refused.told)
        return 1
    print(f"took {taken}" if taken else "nothing new on the stick")
    return 0 if taken else NOTHING


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

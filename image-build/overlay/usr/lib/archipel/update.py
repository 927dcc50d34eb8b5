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
import os
import re
import shutil
import sys
import time
import urllib.request
from pathlib import Path
from typing import BinaryIO

from signed import (
    BROKEN,
    N_,
    PUBLIC_KEY,
    VERSION,
    UpdateRefused,
    lines_of,
    named_so,
    numbers,
    open_plain,
    read_head,
    sync_folder,
    tell,
    why,
    write_durably,
)

MARK = b"archipel update 1\n"
BUILT_IN = Path("/opt/archipel/current")
PORTAL = "http://127.0.0.1:8080/"
MAX_TOTAL_BYTES = 100_000_000
PATIENCE_S, PAUSE_S, ANSWERS = 240, 2, 3
NOTHING, MUTE = 75, 76  # exit statuses: EX_TEMPFAIL of sysexits.h; the pages do not come, and nothing was changed
NAMED_SO = re.compile(r"[^.].*archipel-update|archipel-update", re.IGNORECASE)  # "._..." beside it is a Mac's
TOLD_S = 7 * 86_400

INSTALLED = N_("Version %(version)s of Archipel is installed and works.")
TAKEN_BACK = N_("After the update to version %(version)s these pages did not come within four minutes, so the box has gone "
                "back to version %(before)s. It will not take that update again, but a newer one. Tell who makes Archipel.")
STAYED_MUTE = N_("At a start of the box these pages did not come within four minutes. Nothing was changed: version "
                 "%(version)s stays in use. If this comes again, take a copy of the board on a stick and use another card.")
DAMAGED = N_("Version %(version)s is damaged on the memory card, so the box has gone back to version %(before)s. Put the "
             "update on a stick and plug it in again; if this comes back, use another card.")
NOT_TAKEN = N_("An update on the stick was not taken: %(reason)s")


def unpack(stream: BinaryIO, manifest: dict, head: bytes, folder: Path) -> None:
    """Write the files that follow a manifest into a new `folder`, durably; raises UpdateRefused when one is not right."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, size, digest in manifest["files"]:
        content = stream.read(size)
        if hashlib.sha256(content).hexdigest() != digest:
            raise UpdateRefused(BROKEN)
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        write_durably(folder / path, content)
    write_durably(folder / ".manifest", head)
    for parent in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
        sync_folder(parent)


def whole(folder: Path, public: bytes) -> bool:
    """Whether an unpacked version still holds what its bundle held."""
    try:
        with (folder / ".manifest").open("rb") as stream:
            manifest, _ = read_head(stream, public, MARK, MAX_TOTAL_BYTES)
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
    for path in named_so(stick, NAMED_SO):
        try:
            with open_plain(path) as stream:
                usable.append((read_head(stream, public, MARK, MAX_TOTAL_BYTES)[0]["version"], path))
        except (UpdateRefused, OSError) as error:
            refused.append(why(error))
    used = in_use(app, built_in)
    if usable:
        write_durably(app / "seen", max((version for version, _ in usable), key=numbers).encode())
    for version, path in sorted(usable, key=lambda one: numbers(one[0]), reverse=True):
        if numbers(version) <= numbers(used) or version in lines_of(app / "refused"):
            continue
        try:
            with open_plain(path) as stream:
                unpack(stream, *read_head(stream, public, MARK, MAX_TOTAL_BYTES), app / f"{version}.new")
        except (UpdateRefused, OSError) as error:
            shutil.rmtree(app / f"{version}.new", ignore_errors=True)
            refused.insert(0, why(error))
            continue
        shutil.rmtree(app / version, ignore_errors=True)
        (app / f"{version}.new").rename(app / version)
        write_durably(app / "trial", f"{version} {current(app) or ''}\n".encode())
        switch(app, version)
        return version
    if refused:
        raise refused[0]
    return None


def watch(app: Path, answers: bool, public: bytes, built_in: str) -> bool:
    """Deal with whether the portal answers. True: another version is in use, the island has to be started again."""
    version = newer(current(app), built_in)
    trial, before, *_ = [*lines_of(app / "trial"), "", ""]
    on_trial = version is not None and trial == version
    if answers:
        if on_trial:
            (app / "notices").unlink(missing_ok=True)
            tell(app / "notices", INSTALLED, harmless=True, version=str(version))
        (app / "trial").unlink(missing_ok=True)
        _forget_others(app)
        _forget_old_news(app)
        return False
    damaged = version is not None and not whole(app / version, public)
    if version is None or not (on_trial or damaged):
        tell(app / "notices", STAYED_MUTE, version=in_use(app, built_in))
        (app / "trial").unlink(missing_ok=True)
        return False
    if not damaged and version not in lines_of(app / "refused"):
        write_durably(app / "refused", "".join(f"{line}\n" for line in [*lines_of(app / "refused"), version]).encode())
    back = before if on_trial and before and whole(app / before, public) else None
    tell(app / "notices", DAMAGED if damaged else TAKEN_BACK, version=version, before=back or built_in)
    switch(app, back)
    (app / "trial").unlink(missing_ok=True)
    return True


def _forget_old_news(app: Path) -> None:
    with contextlib.suppress(OSError):
        if abs(time.time() - (app / "notices").stat().st_mtime) > TOLD_S:
            (app / "notices").unlink()


def in_use(app: Path, built_in: str) -> str:
    """The version that runs (`launch`): that of the root if none is on the data partition, nothing of it is left, or a
    newer system brought a newer one.
    """
    version = newer(current(app), built_in)
    return version if version and (app / version / "node").is_dir() else built_in


def newer(version: str | None, built_in: str) -> str | None:
    """The version, if it is one and newer than that of the root."""
    return version if version and VERSION.fullmatch(version) and numbers(version) > numbers(built_in) else None


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
    sync_folder(app)


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


def main(do: str, *folders: str) -> int:
    """The exit status: 0 done, 75 nothing new (take) or gone back (watch), 76 mute (watch), 1 refused."""
    os.umask(0o022)
    public, built_in = PUBLIC_KEY.read_bytes(), BUILT_IN.resolve().name
    if do == "watch":
        answers = portal_answers()
        return NOTHING if watch(Path(folders[0]), answers, public, built_in) else 0 if answers else MUTE
    stick, app = map(Path, folders)
    try:
        taken = take(stick, app, public, built_in)
    except (UpdateRefused, OSError) as error:
        refused = why(error)
        print(f"update refused: {refused}", file=sys.stderr)
        tell(app / "notices", NOT_TAKEN, reason=refused.told)
        return 1
    print(f"took {taken}" if taken else "nothing new on the stick")
    return 0 if taken else NOTHING


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

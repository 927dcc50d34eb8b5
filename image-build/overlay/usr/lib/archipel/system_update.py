"""Updates of the whole system from a stick: into the other slot while this one runs, tried at the next start, taken back.

    archipel-system-VERSION.bundle: release (`release.py`: three lines) | parts, a line of JSON | signature | payloads
    parts: {"from": {path: sha256}, "parts": [[path, way, bytes, sha256], ...]}: how each listed file is made, its payload;
    Ed25519, in hex, over everything before

    whole   the payload is the file            same    the running slot has the same file; no payload
    xz      the payload is the file, xz        rdiff   the payload is a delta (librsync) against the running slot's file

`take` (unprivileged; opens the other slot's root, and this one's for reading) checks the whole bundle, writes the root,
reads it back, and leaves the slot's other files in APP/slot. `put` (root) holds all that against its signature anew, puts
the files in the slot's folder on p1, and only then lets U-Boot try the slot: the boot state (`slots.py`) is written last.
So the power may go at any moment: until then this system starts, and the update begins again with the stick.

`settle` (root, at each start when it is known whether the pages come) ends a trial: the slot stays, or the box starts again
into the one before, which tells it; that version is not taken again. A slot whose kernel hangs or does not start is left by
U-Boot after TRIES starts.

    APP/slot/              what `take` left for `put`
    APP/system-refused     versions of systems that were taken back, one a line
    APP/system-had-wifi    the Wi-Fi was on the air when the slot was put on trial: it has to be again

`system_update.py take STICK APP` `system_update.py put APP` `system_update.py settle APP VERDICT`
"""

import contextlib
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from release import (
    BOOT,
    CARD,
    COPY_BYTES,
    FIRMWARE,
    NAME,
    ROOT,
    Release,
    differences,
    digest_of,
    read_release,
    running_release,
)
from signed import (
    BROKEN,
    N_,
    PUBLIC_KEY,
    UNSOUND,
    UpdateRefused,
    lines_of,
    named_so,
    numbers,
    open_plain,
    read_signed_line,
    sync_folder,
    tell,
    why,
    write_durably,
)
from slots import MACHINE, SLOTS, TRIES, BootState, other, read_state, root_partition, running_slot, whole_disk, write_state

NAMED_SO = re.compile(r"[^.].*archipel-system|archipel-system", re.IGNORECASE)  # "._..." beside it is a Mac's
WAYS = ("whole", "xz", "same", "rdiff")
XZ_BYTES = 64 << 20  # what xz -6 needs, several times
NOTHING, TAKEN_BACK_NOW = 75, 76  # exit statuses: nothing new, or nothing to do; the box has to start again
ANSWERED = "0"  # what archipel-health leaves when the pages came: the exit status of `update.py watch`
SETTLED = Path("/run/archipel-settle/settled")
HOSTAPD_SETTINGS = Path("/run/archipel-box/hostapd.conf")
GIVE_UP_S = 900  # seconds for a slot on trial; the slowest start in QEMU, with eight others at work, took 650
SETTLED_BY_S, LOOK_S = GIVE_UP_S + 300, 2  # archipel-settle.timer comes at 960 s

INSTALLED = N_("Version %(version)s of Archipel's system is installed and works.")
WENT_BACK = N_("After the update to version %(version)s of Archipel's system these pages or the Wi-Fi did not come, so the "
               "box has gone back to the system before. It will not take that update again, but a newer one. Tell who "
               "makes Archipel.")
NEVER_CAME = N_("Version %(version)s of Archipel's system did not start, so the box has gone back to the system before. It "
                "will not take that update again, but a newer one. Tell who makes Archipel.")
OTHER_SLOT = N_("The memory card has lost a part of Archipel's system, so the box has started the one that was there "
                "before the last update. Write a new card soon.")
NOT_TAKEN = N_("An update of the system on the stick was not taken: %(reason)s")
OLDER = N_("It is older than the system of this box, version %(version)s.")
OTHER_MACHINE = N_("It is for another kind of computer.")
WAS_REFUSED = N_("This box has tried it before, and had to go back: take a newer one.")
TOO_BIG = N_("It is too big for this memory card: write a new card.")
NO_SECOND = N_("This memory card has no room for two systems: write a new card, of 2 GB at least.")
OTHER_BASE = N_("It is a small update, made for another version than %(version)s: take the full one.")
ON_TRIAL = N_("The last update is being tried. Wait a quarter of an hour, then plug the stick in again.")


@dataclass(frozen=True)
class Places:
    """Where a box's system lies: p1, the slots' roots, the whole disk; and what updates leave on the data partition."""

    card: Path
    roots: dict[str, Path]
    disk: Path
    app: Path
    slot: str
    settled: Path  # there while no slot is on trial, so that the other one may be written to

    @property
    def other(self) -> str:
        """The slot that does not run."""
        return other(self.slot)

    @property
    def staged(self) -> Path:
        """What `take` leaves for `put`: as p1 with one slot in it."""
        return self.app / "slot"


def places(app: Path) -> Places:
    """Those of this box."""
    slot = running_slot()
    roots = {each: root_partition(each) for each in SLOTS}
    return Places(CARD, roots, whole_disk(roots[slot]), app, slot, SETTLED)


@dataclass(frozen=True)
class SystemBundle:
    """A bundle whose signatures are right: its release; for each file its way, its payload's octets, SHA-256, place."""

    release: Release
    base: dict[str, str]
    parts: dict[str, tuple[str, int, str, int]]


def read_bundle(stream: BinaryIO, public: bytes) -> SystemBundle:
    """What a bundle says of itself; its payloads are not read yet. Raises UpdateRefused."""
    release = read_release(stream, public)
    line, signed = read_signed_line(stream, public, release.head)
    at, parts = len(release.head) + len(line) + len(signed), {}
    try:
        told = json.loads(line)
        base = {str(path): str(digest) for path, digest in told["from"].items()}
        for path, way, size, digest in told["parts"]:
            parts[path] = (way, size, digest, at)
            at += size
        sound = (set(parts) == set(release.files)
                 and all(way in WAYS and type(size) is int and size >= 0 for way, size, _, _ in parts.values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        sound = False
    if not sound:
        raise UpdateRefused(UNSOUND)
    return SystemBundle(release, base, parts)


# taking one


def take(stick: Path, here: Places, public: bytes, wait: Callable[[Places], object] | None = None) -> str | None:
    """Make the newest system on the stick ready in the other slot, if it is newer; its version, else None.

    `wait` returns when the last trial has ended, or never will. Raises UpdateRefused, with the first reason, when there
    was one and none was taken; what starts next stays the same.
    """
    running, refused = running_release(here.card, here.slot, public), []
    for path in named_so(stick, NAMED_SO):
        try:
            with open_plain(path) as stream:
                bundle = read_bundle(stream, public)
                if bundle.release.version == running.version:
                    continue
                if wait:
                    wait(here)
                check_fit(bundle, running, here)
                fill(stream, bundle, here)
                return bundle.release.version
        except (UpdateRefused, OSError) as error:
            refused.append(why(error))
    if refused:
        raise refused[0]
    return None


def until_settled(here: Places) -> None:
    """Wait for the end of a trial: a stick may be in at a start, which is none's fault until its pages came."""
    while not here.settled.exists() and uptime_s() < SETTLED_BY_S:
        time.sleep(LOOK_S)


def check_fit(bundle: SystemBundle, running: Release, here: Places) -> None:
    """Raise UpdateRefused unless this box may take it."""
    release, target = bundle.release, here.roots[here.other]
    if release.machine != MACHINE:
        raise UpdateRefused(OTHER_MACHINE)
    if numbers(release.version) < numbers(running.version):
        raise UpdateRefused(OLDER, version=running.version)
    if release.version in lines_of(here.app / "system-refused"):
        raise UpdateRefused(WAS_REFUSED)
    if not here.settled.exists():
        raise UpdateRefused(ON_TRIAL)
    if not target.exists():
        raise UpdateRefused(NO_SECOND)
    if release.root_bytes > size_of(target):
        raise UpdateRefused(TOO_BIG)
    if any(running.files.get(path, (0, ""))[1] != digest for path, digest in bundle.base.items()):
        raise UpdateRefused(OTHER_BASE, version=running.version)


def size_of(device: Path) -> int:
    """The octets of a device or a file."""
    with device.open("rb") as stream:
        return stream.seek(0, os.SEEK_END)


def fill(stream: BinaryIO, bundle: SystemBundle, here: Places) -> None:
    """Write the other slot's root, and its other files where `put` finds them. Raises UpdateRefused, OSError."""
    for _, size, digest, at in bundle.parts.values():
        stream.seek(at)
        if digest_of(stream, size) != digest:
            raise UpdateRefused(BROKEN)
    shutil.rmtree(here.staged, ignore_errors=True)
    folder = here.staged / here.other
    (folder / FIRMWARE).mkdir(parents=True)
    for path, file in bundle.release.files.items():
        target = here.roots[here.other] if path == ROOT else folder / path.removeprefix(BOOT)
        write_checked(target, made(stream, bundle, path, here), file, in_place=path == ROOT)
    (folder / NAME).write_bytes(bundle.release.head)


def made(stream: BinaryIO, bundle: SystemBundle, path: str, here: Places) -> Iterator[bytes]:
    """A listed file in pieces."""
    way, size, _, at = bundle.parts[path]
    if way == "same":
        yield from pieces_of(running_place(here, path))
        return
    stream.seek(at)
    if way == "rdiff":
        yield from patched(running_place(here, path), stream)
        return
    unpacker = lzma.LZMADecompressor(memlimit=XZ_BYTES) if way == "xz" else None
    with contextlib.suppress(lzma.LZMAError, EOFError):  # what comes out then is not what is listed
        while size and (piece := stream.read(min(size, COPY_BYTES))):
            size -= len(piece)
            yield unpacker.decompress(piece) if unpacker else piece


def pieces_of(path: Path) -> Iterator[bytes]:
    """What a file or device holds."""
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(COPY_BYTES), b"")


def running_place(here: Places, path: str) -> Path:
    """Where the running slot has a listed file."""
    if path == ROOT:
        return here.roots[here.slot]
    if path.startswith(BOOT):
        return here.card / here.slot / path.removeprefix(BOOT)
    own = here.card / here.slot / path
    return own if own.exists() else here.card / path.removeprefix(FIRMWARE)


def patched(basis: Path, delta: BinaryIO) -> Iterator[bytes]:
    """What rdiff (librsync) makes of a delta that begins where the stream stands; it reads no further than its end."""
    os.lseek(delta.fileno(), delta.tell(), os.SEEK_SET)
    with subprocess.Popen(["rdiff", "patch", str(basis), "-", "-"], stdin=delta, stdout=subprocess.PIPE) as program:
        assert program.stdout, "it has a pipe"
        while piece := program.stdout.read(COPY_BYTES):
            yield piece
    if program.returncode:
        raise UpdateRefused(BROKEN)


def write_checked(target: Path, pieces: Iterator[bytes], file: tuple[int, str], in_place: bool = False) -> None:
    """Write what has to be a `file` (octets, SHA-256), let it be on the card, and read it back from there.

    `in_place`: it is a partition, which may be longer. Raises UpdateRefused.
    """
    size, digest = file
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b", buffering=0) as written:
        done = 0
        for piece in pieces:
            done += len(piece)
            if done > size:
                raise UpdateRefused(BROKEN)
            written.write(piece)
        if not in_place:
            written.truncate(done)
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)  # the card's own octets, and not memory's
        written.seek(0)
        if done != size or digest_of(written, size) != digest:
            raise UpdateRefused(BROKEN)


# putting it on trial


def put(here: Places, public: bytes) -> str:
    """Put what `take` left into the other slot's folder on p1, and let the next start try it; its version.

    p1 is mounted for writing. Raises UpdateRefused when anything is not as signed, OSError.
    """
    slot, folder = here.other, here.card / here.other
    release = running_release(here.staged, slot, public)
    running = running_release(here.card, here.slot, public)
    check_fit(SystemBundle(release, {}, {}), running, here)
    if differences(release, here.staged, slot, here.roots[slot]):
        raise UpdateRefused(BROKEN)
    shutil.rmtree(folder, ignore_errors=True)  # from here on U-Boot finds no kernel in it until all is there
    (folder / FIRMWARE).mkdir(parents=True)
    for path, file in release.files.items():
        if path == ROOT or (path.startswith(FIRMWARE) and is_on(here.card / path.removeprefix(FIRMWARE), *file)):
            continue  # the card's own firmware is the same
        name = path.removeprefix(BOOT)
        write_checked(folder / name, pieces_of(here.staged / slot / name), file)
    write_durably(folder / NAME, release.head)
    for each in (folder / FIRMWARE, folder, here.card):
        sync_folder(each)
    here.settled.unlink(missing_ok=True)
    write_state(here.disk, BootState(here.slot, slot, TRIES))
    shutil.rmtree(here.staged, ignore_errors=True)
    return release.version


def is_on(place: Path, size: int, digest: str) -> bool:
    """Whether a file is there, and this one."""
    with contextlib.suppress(OSError), place.open("rb") as stream:
        return place.stat().st_size == size and digest_of(stream, size) == digest
    return False


# after a start


def settle(here: Places, works: bool | None, public: bytes) -> bool:
    """End a trial. `works`: whether pages and Wi-Fi came, None while nobody knows. True: the box has to start again."""
    state = read_state(here.disk)
    if state and here.slot == state.trial:
        if works is None:
            return False
        version = version_of(here, here.slot, public)
        if works:
            write_state(here.disk, BootState(here.slot))
            here.settled.touch()
            tell(here.app / "notices", INSTALLED, harmless=True, version=version)
            return False
        refuse(here, version, WENT_BACK)
        write_state(here.disk, BootState(state.slot))
        return True
    if state and state.trial:
        refuse(here, version_of(here, state.trial, public), NEVER_CAME)
    elif state and here.slot != state.slot:
        tell(here.app / "notices", OTHER_SLOT)
    if state != BootState(here.slot):
        write_state(here.disk, BootState(here.slot))
    here.settled.touch()
    return False


def version_of(here: Places, slot: str, public: bytes) -> str:
    """The version of a slot, "?" where it cannot be told any more."""
    with contextlib.suppress(OSError, UpdateRefused):
        return running_release(here.card, slot, public).version
    return "?"


def refuse(here: Places, version: str, text: str) -> None:
    """Take a version never again, and say why."""
    with contextlib.suppress(OSError):  # a card that takes nothing keeps no box from going back
        known = lines_of(here.app / "system-refused")
        refused = dict.fromkeys([*known, version])
        write_durably(here.app / "system-refused", "".join(f"{line}\n" for line in refused).encode())
    tell(here.app / "notices", text, version=version)


def wifi_as_before(here: Places) -> bool:
    """Whether the Wi-Fi is on the air, if it was when the slot was put on trial and the settings still want it."""
    wanted = (here.app / "system-had-wifi").exists() and HOSTAPD_SETTINGS.exists()
    return not wanted or wifi_runs()


def wifi_runs() -> bool:
    """Whether the access point runs."""
    return subprocess.run(["systemctl", "is-active", "--quiet", "hostapd.service"]).returncode == 0


def main(do: str, *arguments: str) -> int:
    """The exit status: 0 done, 75 nothing to do, 76 the box has to start again, 1 refused."""
    os.umask(0o022)
    app, public = Path(arguments[-1] if do != "settle" else arguments[0]), PUBLIC_KEY.read_bytes()
    here = places(app)
    if do == "settle":
        verdict = Path(arguments[1])
        came = verdict.exists() and verdict.read_text().strip() == ANSWERED and wifi_as_before(here)
        return TAKEN_BACK_NOW if settle(here, judged(came, uptime_s()), public) else 0
    if do == "put" and wifi_runs():
        write_durably(app / "system-had-wifi", b"")
    try:
        done = take(Path(arguments[0]), here, public, until_settled) if do == "take" else put(here, public)
    except (UpdateRefused, OSError) as error:
        refused = why(error)
        print(f"system update refused: {refused}", file=sys.stderr)
        tell(app / "notices", NOT_TAKEN, reason=refused.told)
        return 1
    print(f"{do}: {done}" if done else "nothing new on the stick")
    return 0 if done else NOTHING


def judged(came: bool, up_s: float) -> bool | None:
    """Whether a system works: when pages and Wi-Fi came, at once; that they do not, only once a slow start had its time."""
    return True if came else False if up_s > GIVE_UP_S else None


def uptime_s() -> float:
    """Seconds since the kernel started."""
    return float(Path("/proc/uptime").read_text().split()[0])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

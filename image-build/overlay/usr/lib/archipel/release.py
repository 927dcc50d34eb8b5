"""What a release is: one form for the image, the system bundle, the cards that a box writes, and what a box is made of.

    release: "archipel system 1" | a line of JSON | signature, hex (`signed.py`). It lies in each slot's folder on p1.
    {"version": "1.2.3", "machine": MACHINE, "kernel": "6.12.118+deb13-arm64", "files": [[path, bytes, sha256], ...]}

    boot/NAME       a file of the slot's folder (vmlinuz, initrd.img, cmdline)
    firmware/NAME   a file of p1's root folder: the Pi's firmware, device trees, U-Boot, boot.scr, config.txt
    root.squashfs   the root, at the start of its partition

An update of the system leaves p1's root folder as it is: nothing there could be tried and taken back. What is other in the
new release waits in SLOT/firmware/ and goes on the cards that this box writes, which are those of the new release, octet by
octet. So for a running slot `sources_of` finds every listed file, and `image_pieces` gives the published image again.

`release.py check CARD NOTICES` holds the running system against its list. Shared with image-build by `sources.program`.
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from signed import N_, PUBLIC_KEY, UNSOUND, UpdateRefused, read_head, tell
from slots import (
    BOOT_AT,
    BOOT_MIB,
    LABEL,
    MIB,
    ROOT_AT,
    ROOT_MIB,
    SECTOR_BYTES,
    VOLUME_ID,
    before_boot,
    root_partition,
    running_slot,
)

KIND = b"archipel system 1\n"
NAME, ROOT, BOOT, FIRMWARE = "release", "root.squashfs", "boot/", "firmware/"
CARD, NEW_SETTINGS = Path("/boot/firmware"), Path("/usr/share/archipel/archipel.toml")
SETTINGS = "archipel.toml"
MAX_TOTAL_BYTES = (BOOT_MIB + ROOT_MIB) * MIB
MADE_S = 1_754_697_600  # every file of a new card is dated so: archipel_image/base.py, EPOCH_S
COPY_BYTES = 1 << 20
MAX_PARTS_TOLD = 5
# 230 MiB in all: half a minute of reading spread over a minute, so that pages stay quick meanwhile
CHECK_PAUSE_S, CHECK_PIECE_BYTES = 0.05, 1 << 20

CHANGED = N_("This box's system was changed: %(parts)s. If nobody of you did that, the memory card is failing, or somebody "
             "had it in hand. Write a new card, from a box that you trust or from the release.")
UNSIGNED = N_("This box's system carries no valid signature, so nobody can tell whether it was changed. Write a new card, "
              "from a box that you trust or from the release.")


@dataclass(frozen=True)
class Release:
    """A signed list whose signature was found right. `files`: path -> (octets, SHA-256 in hex); `head`: its three lines."""

    version: str
    machine: str
    kernel: str
    files: dict[str, tuple[int, str]]
    head: bytes

    @property
    def root_bytes(self) -> int:
        """The size of the root."""
        return self.files[ROOT][0]


def read_release(stream: BinaryIO, public: bytes) -> Release:
    """The release at the head of a stream, which is left after it. UpdateRefused: it is none, or not signed by `public`."""
    manifest, head = read_head(stream, public, KIND, MAX_TOTAL_BYTES)
    files = {path: (size, digest) for path, size, digest in manifest["files"]}
    sound = (isinstance(manifest.get("machine"), str) and isinstance(manifest.get("kernel"), str) and ROOT in files
             and all(path == ROOT or (path.startswith((BOOT, FIRMWARE)) and path.count("/") == 1) for path in files))
    if not sound:
        raise UpdateRefused(UNSOUND)
    return Release(manifest["version"], manifest["machine"], manifest["kernel"], files, head)


def running_release(card: Path = CARD, slot: str | None = None, public: bytes | None = None) -> Release:
    """The release that this box runs, its signature checked with the key that its own root holds.

    `card`: where p1 is mounted; `slot`: "a" or "b", else the one that runs. Raises UpdateRefused, OSError.
    """
    with (card / (slot or running_slot()) / NAME).open("rb") as stream:
        return read_release(stream, public or PUBLIC_KEY.read_bytes())


# what is new, what was changed


def sources_of(release: Release, card: Path, slot: str) -> dict[str, Path]:
    """Where a slot's files lie on the mounted p1: name on a *new* card's p1 -> path. The slot of a new card is `a`.

    A firmware file is the slot's own if it has one, else that of the card. Nothing is read here: see `differences`.
    """
    found = {f"a/{NAME}": card / slot / NAME}
    for path in release.files:
        if path.startswith(BOOT):
            found["a/" + path.removeprefix(BOOT)] = card / slot / path.removeprefix(BOOT)
        elif path.startswith(FIRMWARE):
            own = card / slot / path
            found[path.removeprefix(FIRMWARE)] = own if own.exists() else card / path.removeprefix(FIRMWARE)
    return found


def differences(release: Release, card: Path, slot: str, root: Path, pause_s: float = 0) -> list[str]:
    """The listed paths that this system does not hold as its release says; empty when all is as released.

    `root`: the slot's root partition, or a file; what follows the root there is nobody's. `pause_s`: rest between pieces of
    1 MiB.
    """
    places = {ROOT: root}
    for name, place in sources_of(release, card, slot).items():
        places[BOOT + name.removeprefix("a/") if name.startswith("a/") else FIRMWARE + name] = place
    return [path for path, file in release.files.items() if not _holds(places[path], file, path != ROOT, pause_s)]


def _holds(place: Path, file: tuple[int, str], is_all: bool, pause_s: float) -> bool:
    size, digest = file
    with contextlib.suppress(OSError), place.open("rb") as stream:
        return (not is_all or place.stat().st_size == size) and digest_of(stream, size, pause_s) == digest
    return False


def digest_of(stream: BinaryIO, size: int, pause_s: float = 0) -> str:
    """SHA-256, hex, of the next `size` octets of a stream, or of what is left of it."""
    hashed, left = hashlib.sha256(), size
    while left and (piece := stream.read(min(left, CHECK_PIECE_BYTES))):
        hashed.update(piece)
        left -= len(piece)
        time.sleep(pause_s)
    return hashed.hexdigest()


# new cards


def files_of_a_new_card(release: Release, card: Path, slot: str, settings: Path = NEW_SETTINGS) -> dict[str, Path]:
    """Every file on p1 of the released image, name -> where it lies: `sources_of`, and the settings of a new card."""
    return sources_of(release, card, slot) | {SETTINGS: settings}


def make_boot(target: Path, files: dict[str, Path | bytes], at: int = 0) -> None:
    """Make p1, a FAT32 of BOOT_MIB, with these files (name, at most one folder deep -> where it lies, or what it holds).

    `target`: a file, made if there is none, or a device that may be written; `at`: where in it p1 begins, in octets.
    The same files give the same octets, whatever they are called elsewhere and whenever they were written: a box makes
    again what image-build made. Needs dosfstools and mtools; raises OSError, subprocess.CalledProcessError.
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    if target.is_file() and target.stat().st_size < at + BOOT_MIB * MIB:
        os.truncate(target, at + BOOT_MIB * MIB)
    subprocess.run(["mkfs.vfat", "-F", "32", "-S", "512", "-s", "4", "-a", "-g", "255/63", "-h", "0", "-n", LABEL,
                    "--invariant", "-i", VOLUME_ID, f"--offset={at // SECTOR_BYTES}", str(target),
                    str(BOOT_MIB * MIB // 1024)],
                   check=True, stdout=subprocess.DEVNULL)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(MADE_S), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    device = ["-i", f"{target}@@{at}"]
    for folder in sorted({name.rpartition("/")[0] for name in files} - {""}):
        subprocess.run(["mmd", *device, f"::{folder}"], check=True, env=environment)
    for name, content in sorted(files.items()):
        with contextlib.ExitStack() as stack:
            if isinstance(content, bytes):
                held = stack.enter_context(tempfile.NamedTemporaryFile())
                held.write(content)
                held.flush()
                content = Path(held.name)
            subprocess.run(["mcopy", *device, str(content), f"::{name}"], check=True, env=environment)


def image_bytes(release: Release) -> int:
    """The size of the published image: to the end of the root, in whole MiB. The other partitions are made later."""
    return ROOT_AT + -(-release.root_bytes // MIB) * MIB


def image_pieces(boot: BinaryIO, root: BinaryIO, release: Release) -> Iterator[bytes]:
    """The published image from its first octet to its last, in pieces: partition table, boot state, p1, root.

    `boot`: a p1 that `make_boot` made, with nothing before it; `root`: the root partition, or a file. Those of
    `files_of_a_new_card` give the released image octet by octet, so what its `.sha256` says holds for what comes out here.
    """
    done = 0
    for at, content in before_boot():
        yield from zeros(at - done)
        yield content
        done = at + len(content)
    yield from zeros(BOOT_AT - done)
    yield from pieces(boot, BOOT_MIB * MIB)
    yield from pieces(root, release.root_bytes)
    yield from zeros(image_bytes(release) - ROOT_AT - release.root_bytes)


def pieces(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """The next `size` octets of a stream. EOFError if there are fewer."""
    while size:
        piece = stream.read(min(size, COPY_BYTES))
        if not piece:
            raise EOFError
        size -= len(piece)
        yield piece


def zeros(size: int) -> Iterator[bytes]:
    """So many octets of nothing."""
    while size:
        yield bytes(min(size, COPY_BYTES))
        size -= min(size, COPY_BYTES)


def main(do: str, card: str, notices: str) -> int:
    """The exit status: 0 as released, 1 changed, 2 no valid release."""
    assert do == "check"
    slot = running_slot()
    try:
        release = running_release(Path(card), slot)
    except (UpdateRefused, OSError) as error:
        print(f"no valid release: {error}", file=sys.stderr)
        tell(Path(notices), UNSIGNED)
        return 2
    changed = differences(release, Path(card), slot, root_partition(slot), CHECK_PAUSE_S)
    if changed:
        print(f"not as released: {', '.join(changed)}", file=sys.stderr)
        tell(Path(notices), CHANGED, parts=", ".join(changed[:MAX_PARTS_TOLD]))
        return 1
    print(f"as released: {release.version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""What this box makes copies of itself from: the boot partition of a new card, made once for each release, and its list.

    BASE/release      the signed list of the release that runs (`release.py`)
    BASE/boot.fat     p1 of a new card, as `release.make_boot` makes it; a sparse file, some 80 MB of the data partition
    BASE/image.json   {"slot", "version", "boot": SHA-256 of boot.fat, "sha256", "gz_sha256", "gz_bytes", "crc", "empty"}:
                      of the released image, and as `gzipped.py` packs it; "empty" has a sign for each MiB: 1 for zeros

Every file is held against the list while it is copied, and nothing but the list's files is: so no key, setting or trace of
this box is in there, and who reads it needs no right on the box's own boot partition. `image_base.py CARD BASE`
"""

import contextlib
import hashlib
import json
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import gzipped
from release import (
    MADE_S,
    NAME,
    ROOT,
    Release,
    UpdateRefused,
    differences,
    files_of_a_new_card,
    image_bytes,
    make_boot,
    pieces,
    read_release,
    running_release,
)
from signed import PUBLIC_KEY
from slots import BOOT_AT, BOOT_MIB, MIB, ROOT_AT, before_boot, root_partition, running_slot

BOOT, TOLD = "boot.fat", "image.json"
__all__ = ["MADE_S", "ROOT", "ImageBase", "NoBase", "made", "opened"]


class NoBase(Exception):
    """There is none, or it is not of a release that is signed."""


@dataclass(frozen=True)
class ImageBase:
    """A base that is open: its release, the digest of its boot partition, what `image.json` says, and its two files."""

    release: Release
    told: dict[str, Any]
    boot_file: BinaryIO
    root_file: BinaryIO

    @property
    def boot_digest(self) -> str:
        """SHA-256 of p1."""
        return str(self.told["boot"])

    def boot(self) -> Iterator[bytes]:
        """p1, piece by piece."""
        self.boot_file.seek(0)
        return pieces(self.boot_file, BOOT_MIB * MIB)

    def root(self) -> Iterator[bytes]:
        """The root, piece by piece."""
        self.root_file.seek(0)
        return pieces(self.root_file, self.release.root_bytes)

    def block(self, number: int) -> bytes:
        """One MiB of the released image."""
        return image_block(number, self.boot_file, self.root_file, self.release)


def image_block(number: int, boot: BinaryIO, root: BinaryIO, release: Release) -> bytes:
    """One MiB of the image that `release.image_pieces` gives, so that it can be begun anywhere."""
    at = number * MIB
    if at < BOOT_AT:
        held = bytearray(MIB)
        for place, content in before_boot():
            if at <= place < at + MIB:
                held[place - at:place - at + len(content)] = content
        return bytes(held)
    stream, begin, end = (boot, BOOT_AT, ROOT_AT) if at < ROOT_AT else (root, ROOT_AT, ROOT_AT + release.root_bytes)
    stream.seek(at - begin)
    return stream.read(max(0, min(MIB, end - at))).ljust(MIB, b"\0")


@contextlib.contextmanager
def opened(base: Path, root: Path | None = None, public: bytes | None = None) -> Iterator[ImageBase]:
    """A base, for reading. `root`: the root's partition, or a file; else that of the slot that it was made of.

    Raises NoBase, OSError.
    """
    with contextlib.ExitStack() as stack:
        try:
            with (base / NAME).open("rb") as stream:
                release = read_release(stream, public or PUBLIC_KEY.read_bytes())
            told = json.loads((base / TOLD).read_text())
            boot = stack.enter_context((base / BOOT).open("rb"))
        except (OSError, ValueError, UpdateRefused) as error:
            raise NoBase from error
        yield ImageBase(release, told, boot, stack.enter_context((root or root_partition(told["slot"])).open("rb")))


def made(card: Path, base: Path, slot: str, root: Path, public: bytes) -> bool:
    """Make the base of the release that a slot holds, unless it is there; whether it was made. `card`: where p1 is mounted.

    Raises NoBase when the system is not what its release says, OSError.
    """
    try:
        release = running_release(card, slot, public)
    except UpdateRefused as error:
        raise NoBase from error
    if _is_of(base, release, slot):
        return False
    if differences(release, card, slot, root):
        raise NoBase
    for name in (NAME, TOLD, BOOT):
        (base / name).unlink(missing_ok=True)
    beside = base / f"{BOOT}.new"
    beside.unlink(missing_ok=True)
    make_boot(beside, dict(files_of_a_new_card(release, card, slot).items()))
    with beside.open("rb") as boot:
        digest = hashlib.file_digest(boot, "sha256").hexdigest()
        os.fsync(boot.fileno())
    beside.chmod(0o644)  # who gives it away is another user
    beside.rename(base / BOOT)
    (base / NAME).write_bytes(release.head)
    with (base / BOOT).open("rb") as boot, root.open("rb") as stream:
        blocks = (image_block(number, boot, stream, release) for number in range(image_bytes(release) // MIB))
        told = {"slot": slot, "version": release.version, "boot": digest, **summed(blocks)}
    (base / f"{TOLD}.new").write_text(json.dumps(told))
    (base / f"{TOLD}.new").rename(base / TOLD)
    return True


def _is_of(base: Path, release: Release, slot: str) -> bool:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        told = json.loads((base / TOLD).read_text())
        return (base / NAME).read_bytes() == release.head and told["slot"] == slot and (base / BOOT).exists()
    return False


def summed(blocks: Iterable[bytes]) -> dict[str, Any]:
    """What is told of an image, given in blocks, and of it packed."""
    plain, packed, crc, size, empty = hashlib.sha256(), hashlib.sha256(gzipped.HEAD), 0, len(gzipped.HEAD), ""
    for block in blocks:
        plain.update(block)
        crc = zlib.crc32(block, crc)
        part = gzipped.packed(block)
        packed.update(part)
        size += len(part)
        empty += str(int(part is gzipped.ZEROS))
    last = gzipped.tail(crc, len(empty) * MIB)
    packed.update(last)
    return {"sha256": plain.hexdigest(), "gz_sha256": packed.hexdigest(), "gz_bytes": size + len(last), "crc": crc,
            "empty": empty}


def main(card: Path, base: Path) -> int:
    """The exit status."""
    os.umask(0o022)  # no secret is in it
    slot = running_slot()
    try:
        made(card, base, slot, root_partition(slot), PUBLIC_KEY.read_bytes())
    except NoBase:
        print("this system is not what its release says: no copies are made of it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

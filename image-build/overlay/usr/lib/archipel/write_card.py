"""Writes a card for a new box into a reader, as the island asked (`node.daemon.card_order`), or looks into the readers.

`write_card.py ASKED TOLD BASE`: the first two as there; BASE is what `image_base.py` made of this box's release.

The start of the card is overwritten first and the partition table, one sector, is written last, when all else was read
back from the card itself: a card that is interrupted at any moment starts nothing, and is written again. What is on it is
the released image, octet by octet, and beside it on its FAT partition the settings that were chosen, an invitation and the
board if they are wanted: they come from the island's wish, and no file of this box but those of the release is read.

Opens one disk for writing, which must be in a reader: `readers.py`, the udev rule and the unit agree on it, each alone.
"""

import contextlib
import errno
import hashlib
import json
import mmap
import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import image_base
import readers
from readers import N_, Reader
from release import SETTINGS, zeros
from slots import BOOT_AT, BOOT_MIB, MIB, MIN_CARD_BYTES, ROOT_AT, ROOT_MIB, SECTOR_BYTES, before_boot

from node.daemon.card_order import (
    BUNDLE_FILE,
    INVITATION_FILE,
    MAX_BUNDLE_BYTES,
    MAX_WISH_BYTES,
    TOLD_FILE,
    WISH_FILE,
    filled_in,
    wish_in,
)

TEMPLATE = Path("/usr/share/archipel/archipel.toml")
PIECE_BYTES = 4 * MIB  # an erase block of common cards; each is on the card before the next, so that the time left is true
TELL_EACH_S = 1.0
OPEN_PATIENCE_S = 20.0  # while a stick that was just plugged in is still exchanged with, or udev looks at it
# where a card that was used before may hold the start of a file system, which the new box would take for its own data: the
# other partitions of our layout, which it makes at its first start; and what GPT keeps at the end of a disk
DATA_AT = ROOT_AT + 2 * ROOT_MIB * MIB

GONE = N_("The card was pulled out, or it fails. It starts nothing: write it again, or use another one.")
IN_USE = N_("The card is in use: wait for a minute, and try again.")
NOT_SEEN = N_("This is not what was in the reader before: nothing was written. Look again what is in it.")
KEEPS_NOT = N_("The card does not keep what is written on it (it differs at %(place)s MB). It starts nothing: use another "
               "one.")
NO_WISH = N_("What was asked for cannot be read: nothing was written. Choose once more.")
OWN_CHANGED = N_("This box’s own system is not what its release says, so it makes no copies. Write a new card for this box "
                 "first, from another one.")
NO_READERS = N_("This box cannot tell which disk it runs from, so it writes on none.")
STOPPED = N_("The box stopped writing before the end: this card starts nothing. Write it again.")
FAILED = N_("The card could not be written (%(error)s). It starts nothing: write it again, or use another one.")


class CardTrouble(Exception):
    """Why a card is not written; `told` is its sentence for the desk."""

    def __init__(self, text: str, fields: dict[str, Any] | None = None):
        super().__init__(text % fields if fields else text)
        self.told = {"text": text, "fields": fields} if fields else {"text": text}


class Teller:
    """Tells the island how far it is, in a file that is whole at each moment; again within a second only if it must."""

    def __init__(self, path: Path, facts: dict[str, Any]):
        self._path, self._facts = path, facts
        self._told_at = 0.0

    def about(self, facts: dict[str, Any]) -> "Teller":
        """One that tells these facts each time, too."""
        return Teller(self._path, self._facts | facts)

    def tell(self, stage: str, must: bool = True, **facts: Any) -> None:
        """What it does now."""
        now = time.monotonic()
        if not must and now - self._told_at < TELL_EACH_S:
            return
        self._told_at = now
        at = int(time.clock_gettime(time.CLOCK_BOOTTIME))  # never ahead: that would be taken for an old one
        told = {**self._facts, "stage": stage, "at": at, **facts}
        beside = self._path.with_name(self._path.name + ".new")
        beside.write_text(json.dumps(told, ensure_ascii=False))
        beside.chmod(0o644)
        beside.rename(self._path)


@dataclass
class Progress:
    """How much of the work is done, writing and reading back together, and how long the rest takes."""

    teller: Teller
    total: int
    done: int = 0
    began: float = 0.0

    def add(self, stage: str, size: int) -> None:
        """So many octets more."""
        self.done += size
        took_s = time.monotonic() - self.began
        left_s = round(took_s * (self.total - self.done) / self.done) if took_s > 5 else None
        self.teller.tell(stage, must=False, done=self.done, total=self.total, left=left_s)


class TargetCard:
    """A disk that is open for writing, by nobody else; a file of the same size does as well."""

    def __init__(self, path: Path):
        self.path = path
        exclusive = os.O_EXCL if path.is_block_device() else 0
        self._descriptor = os.open(path, os.O_RDWR | exclusive | os.O_NOFOLLOW | os.O_CLOEXEC)
        self.size = os.lseek(self._descriptor, 0, os.SEEK_END)

    def write(self, at: int, content: bytes) -> None:
        """Put octets at a place, and see them on the card."""
        view = memoryview(content)
        while view:
            written = os.pwrite(self._descriptor, view, at)
            view, at = view[written:], at + written
        self.sync()
        with contextlib.suppress(OSError):  # 300 MB that nobody reads again would push out what pages need
            os.posix_fadvise(self._descriptor, at - len(content), len(content), os.POSIX_FADV_DONTNEED)

    def sync(self) -> None:
        """Return when the card has all of it."""
        os.fsync(self._descriptor)

    def read(self, at: int, size: int) -> Iterator[bytes]:
        """What the card itself holds there, and not what the kernel remembers of it. Places are multiples of 4096."""
        self.sync()
        with contextlib.suppress(OSError):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        with _direct(self.path) as descriptor, mmap.mmap(-1, PIECE_BYTES) as buffer:  # O_DIRECT wants aligned memory
            while size:
                os.lseek(descriptor, at, os.SEEK_SET)
                got = min(os.readv(descriptor, [memoryview(buffer)[:_whole(min(size, PIECE_BYTES))]]), size)
                if not got:
                    raise OSError(errno.EIO, os.strerror(errno.EIO))
                yield buffer[:got]
                at, size = at + got, size - got

    def close(self) -> None:
        """Let it go."""
        os.close(self._descriptor)


def _whole(size: int) -> int:
    return -(-size // SECTOR_BYTES) * SECTOR_BYTES


@contextlib.contextmanager
def _direct(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (os.O_DIRECT if path.is_block_device() else 0))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class Extent:
    """What lies from a place on: so many octets, given by `content` piece by piece; `digest`: their SHA-256, if known."""

    at: int
    size: int
    content: Callable[[], Iterator[bytes]]
    digest: str = ""


def extents(base: image_base.ImageBase, size: int) -> list[Extent]:
    """All that is written on a card of this size but its first sector: the released image, and nothing where the file
    systems of a card that was used before would be found."""
    before = dict(before_boot())
    head = bytearray(BOOT_AT)
    for at, content in before.items():
        if at:
            head[at:at + len(content)] = content
    root = _whole(base.release.root_bytes)
    blanks = [(ROOT_AT + root, MIB), (ROOT_AT + ROOT_MIB * MIB, MIB), (DATA_AT, MIB), (size - MIB, MIB)]
    return [Extent(0, BOOT_AT, lambda: iter([bytes(head)])),
            Extent(BOOT_AT, BOOT_MIB * MIB, base.boot, base.boot_digest),
            Extent(ROOT_AT, base.release.root_bytes, base.root, base.release.files[image_base.ROOT][1]),
            *(Extent(at, length, partial(zeros, length)) for at, length in blanks)]


def first_sector() -> bytes:
    """The partition table."""
    return dict(before_boot())[0]


def write(card: TargetCard, wanted: Sequence[Extent], beside: dict[str, bytes], teller: Teller) -> None:
    """Write all of it, these files last but the partition table; raises CardTrouble, OSError."""
    progress = Progress(teller, 2 * sum(extent.size for extent in wanted), began=time.monotonic())
    teller.tell("blanking", done=0, total=progress.total)
    card.write(0, bytes(PIECE_BYTES))
    digests = []
    for extent in wanted:
        digests.append(_write_one(card, extent, progress))
    for extent, digest in zip(wanted, digests, strict=True):
        _check_one(card, extent, digest, progress)
    put_beside(card, beside)
    card.write(0, first_sector())
    if b"".join(card.read(0, SECTOR_BYTES)) != first_sector():
        raise CardTrouble(KEEPS_NOT, {"place": 0})


def _write_one(card: TargetCard, extent: Extent, progress: Progress) -> str:
    """Write an extent; the SHA-256 of what was written."""
    hashed, at = hashlib.sha256(), extent.at
    for piece in collected(extent.content()):
        hashed.update(piece)
        card.write(at, piece)
        at += len(piece)
        progress.add("writing", len(piece))
    if at - extent.at != extent.size or extent.digest not in ("", hashed.hexdigest()):
        raise CardTrouble(OWN_CHANGED)
    return hashed.hexdigest()


def _check_one(card: TargetCard, extent: Extent, digest: str, progress: Progress) -> None:
    hashed = hashlib.sha256()
    for piece in card.read(extent.at, extent.size):
        hashed.update(piece)
        progress.add("checking", len(piece))
    if hashed.hexdigest() != digest:
        raise CardTrouble(KEEPS_NOT, {"place": extent.at // 10**6})


def collected(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same octets in pieces of PIECE_BYTES, but for the last."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= PIECE_BYTES:
            yield bytes(held[:PIECE_BYTES])
            del held[:PIECE_BYTES]
    if held:
        yield bytes(held)


def put_beside(card: TargetCard, files: dict[str, bytes]) -> None:
    """Put files on the card's FAT partition, in the place of those of the same name, and read them back from the card."""
    where = f"{card.path}@@{BOOT_AT}"
    for name, content in files.items():
        _mtools("mcopy", "-o", "-i", where, "-", f"::{name}", given=content)
    card.sync()
    for _ in card.read(0, 0):
        pass
    for name, content in files.items():
        if _mtools("mtype", "-i", where, f"::{name}") != content:
            raise CardTrouble(KEEPS_NOT, {"place": BOOT_AT // 10**6})


def _mtools(program: str, *arguments: str, given: bytes = b"") -> bytes:
    environment = {"PATH": "/usr/bin:/bin", "MTOOLS_SKIP_CHECK": "1", "TZ": "UTC",
                   "SOURCE_DATE_EPOCH": str(image_base.MADE_S)}
    told = subprocess.run([program, *arguments], input=given, capture_output=True, env=environment)
    if told.returncode:
        raise OSError(errno.EIO, told.stderr.decode(errors="replace").strip()[:200])
    return told.stdout


def files_beside(wish: dict[str, Any], asked: Path, template: str) -> dict[str, bytes]:
    """What a wish puts on the FAT partition. Raises CardTrouble when the board that it names cannot be read."""
    settings = filled_in(template, wish["settings"])
    files = {SETTINGS: settings.replace("\r\n", "\n").replace("\n", "\r\n").encode()}
    if wish["invitation"]:
        files[INVITATION_FILE] = wish["invitation"].encode() + b"\r\n"
    if wish["board"]:
        bundle = plain_content(asked / BUNDLE_FILE, MAX_BUNDLE_BYTES)
        if bundle is None:
            raise CardTrouble(NO_WISH)
        files[BUNDLE_FILE] = bundle
    return files


def plain_content(path: Path, most: int) -> bytes | None:
    """What a plain file holds; None for what is none, or is larger. No link is followed, no pipe waited for."""
    with contextlib.suppress(OSError), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            content = file.read(most + 1)
            return content if len(content) <= most else None
    return None


@dataclass(frozen=True)
class Surroundings:
    """Where the machine's disks are told of, and found; which are its own; the base that cards are copied from."""

    blocks: Path = readers.BLOCKS
    devices: Path = readers.DEVICES
    own: Callable[[], frozenset[str]] = readers.own_disks
    template: Path = TEMPLATE
    base: Callable[[Path], AbstractContextManager[image_base.ImageBase]] = image_base.opened


def found(around: Surroundings) -> list[Reader]:
    """What is in the readers now. Raises CardTrouble."""
    try:
        names = readers.in_readers(around.own(), around.blocks)
    except readers.OwnDiskUnknown as error:
        raise CardTrouble(NO_READERS) from error
    seen = []
    for name in names:
        with contextlib.suppress(OSError):  # pulled out at this moment
            seen.append(readers.look(name, MIN_CARD_BYTES, around.blocks, around.devices))
    return seen


def opened(wish: dict[str, Any], around: Surroundings, patience_s: float = OPEN_PATIENCE_S) -> tuple[Reader, TargetCard]:
    """The card that a wish means, open, if it is still the one that was shown. Raises CardTrouble."""
    reader = next((one for one in found(around) if one.name == wish["reader"]), None)
    if reader is None or reader.seen != wish["seen"]:
        raise CardTrouble(NOT_SEEN)
    if reader.trouble:
        raise CardTrouble(reader.trouble["text"], reader.trouble.get("fields"))
    give_up_at = time.monotonic() + patience_s
    while True:
        try:
            return reader, TargetCard(reader.path)
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() >= give_up_at:
                raise CardTrouble(IN_USE if error.errno == errno.EBUSY else GONE) from error
            time.sleep(0.5)


def do(wish: dict[str, Any], asked: Path, base: Path, teller: Teller, around: Surroundings) -> dict[str, Any]:
    """Do what a wish asks; the last that is told of it. Raises CardTrouble, OSError."""
    if wish["what"] == "look":
        return {"stage": "idle", "readers": [one.told() for one in found(around)]}
    beside = files_beside(wish, asked, around.template.read_text())
    with contextlib.ExitStack() as stack:
        image = stack.enter_context(around.base(base))
        reader, card = opened(wish, around)
        stack.callback(card.close)
        about = {"title": reader.title, "size": reader.size}
        write(card, extents(image, card.size), beside, teller.about(about))
    return {"stage": "done", **about}


def main(asked: Path, told: Path, base: Path, around: Surroundings = Surroundings()) -> int:
    """The exit status."""
    wish = wish_in(plain_content(asked / WISH_FILE, MAX_WISH_BYTES) or b"")
    teller = Teller(told / TOLD_FILE, {"label": wish["label"] if wish else ""})
    if wish is None:
        teller.tell("failed", trouble={"text": NO_WISH})
        return 1
    teller.tell("looking" if wish["what"] == "look" else "blanking")
    last: dict[str, Any] = {"stage": "failed", "trouble": {"text": STOPPED}}  # as when systemd ends it
    try:
        last = do(wish, asked, base, teller, around)
    except CardTrouble as trouble:
        last = {"stage": "failed", "trouble": trouble.told}
    except image_base.NoBase:
        last = {"stage": "failed", "trouble": {"text": OWN_CHANGED}}
    except OSError as error:
        print(error, file=sys.stderr)
        gone = error.errno in (errno.EIO, errno.ENXIO, errno.ENODEV, errno.ENOMEDIUM, errno.EROFS)
        last = {"stage": "failed", "trouble": {"text": GONE} if gone else {
            "text": FAILED, "fields": {"error": error.strerror or str(error)}}}
    finally:
        teller.tell(last.pop("stage"), **last)
    return 0 if "trouble" not in last else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])))

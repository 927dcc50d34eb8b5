"""What is in the card readers of this box: which disks may be written to, and what is on them. Nothing is written here.

`readers.py NAME` succeeds if the disk of that name (sda) is one that a card may be written to: udev asks, and opens it to
the program that writes cards (70-archipel.rules). Never one that this box runs from, whatever it is plugged into.
"""

import contextlib
import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

BLOCKS, DEVICES, OWN_NUMBERS = Path("/sys/class/block"), Path("/dev"), Path("/run/archipel-disk")
OWN_FOLDERS = (Path("/data"), Path("/boot/firmware"))
READER = re.compile(r"sd[a-z]{1,2}|mmcblk\d{1,2}")
SECTOR_BYTES = 512
HEAD_BYTES = 1 << 20
PATIENCE_S = 20  # for each of the programs that look at what is on a card
MOST_PARTS, MOST_FILES = 6, 100_000
SYSTEMS = {"vfat": "FAT", "exfat": "exFAT", "ntfs": "NTFS"}
LABEL = "ARCHIPEL"
VERSION = re.compile(r'"version": ?"([\d.]{1,24})"')


def N_(text: str) -> str:
    """Mark a sentence for the catalogues; the portal says it in the reader's language."""
    return text


EMPTY = N_("It is empty.")
OURS = N_("A card of Archipel, version %(version)s.")
OURS_UNKNOWN = N_("A card of Archipel.")
NAMED = N_("%(system)s, called “%(name)s”.")
UNNAMED = N_("%(system)s.")
UNKNOWN = N_("Something that this box does not know.")
ONE_FILE, FILES = N_("One file."), N_("%(files)s files.")
READ_ONLY = N_("It is locked: push the small slide on its side the other way, or use another card.")
TOO_SMALL = N_("It is too small: %(least)s GB are needed.")


@dataclasses.dataclass(frozen=True)
class Reader:
    """A disk that is in a reader. `seen` names the very disk, and what was found on it."""

    name: str
    path: Path
    size: int
    title: str
    seen: str
    holds: tuple[dict[str, Any], ...]
    trouble: dict[str, Any] | None

    def told(self) -> dict[str, Any]:
        """For the desk (`node.daemon.card_order`)."""
        return {"name": self.name, "seen": self.seen, "title": self.title, "size": self.size, "holds": list(self.holds),
                "trouble": self.trouble}


class OwnDiskUnknown(Exception):
    """It cannot be told which disk this box runs from: then none is written to."""


def own_disks(blocks: Path = BLOCKS, numbers: Path = OWN_NUMBERS, folders: Iterable[Path] = OWN_FOLDERS) -> frozenset[str]:
    """The disks that this box runs from: that of its root, as the initramfs has noted it (MAJOR:MINOR), and those of its
    data and its boot files. Raises OwnDiskUnknown."""
    try:
        wanted = {numbers.read_text().strip()}
    except OSError as error:
        raise OwnDiskUnknown from error
    for folder in folders:
        with contextlib.suppress(OSError):  # not mounted yet, when udev asks: then the root's disk must do
            device = folder.stat().st_dev
            wanted.add(f"{os.major(device)}:{os.minor(device)}")
    found = {disk_of(path).name for path in blocks.iterdir() if _text(path / "dev") in wanted}
    if not found:
        raise OwnDiskUnknown
    return frozenset(found)


def disk_of(path: Path) -> Path:
    """The whole disk that something in sysfs is, or is a part of."""
    resolved = path.resolve()
    return resolved.parent if (resolved / "partition").exists() else resolved


def in_readers(own: frozenset[str], blocks: Path = BLOCKS) -> list[str]:
    """The names of the disks that are in readers: whole, removable or on USB, with something in them, none of the box's."""
    return sorted(path.name for path in blocks.iterdir() if READER.fullmatch(path.name) and fits(path, own))


def fits(path: Path, own: frozenset[str]) -> bool:
    """Whether this disk of sysfs is such a one."""
    whole = path.resolve()
    removable = _text(path / "removable") == "1" or any(re.fullmatch(r"usb\d+", part) for part in whole.parts)
    return (removable and path.name not in own and not (path / "partition").exists() and (path / "device").exists()
            and _number(path / "size") > 0)


def look(name: str, least: int, blocks: Path = BLOCKS, devices: Path = DEVICES) -> Reader:
    """One of them, and what is on it. `least`: the octets that are needed. OSError if it is gone, or cannot be read."""
    size = _number(blocks / name / "size") * SECTOR_BYTES
    trouble: dict[str, Any] | None = None
    if _text(blocks / name / "ro") == "1":
        trouble = {"text": READ_ONLY}
    elif size < least:
        trouble = {"text": TOO_SMALL, "fields": {"least": _gigabytes(least)}}
    path = devices / name
    with path.open("rb") as disk:
        head = disk.read(HEAD_BYTES)
    holds = tuple(held(path, head, size))
    about = ("vendor", "model", "name", "serial", "cid")
    named = [_text(blocks / name / "device" / each) for each in about]
    title = " ".join(" ".join(named[:3]).split()) or name
    facts = [name, size, *named, _text(blocks / name / "diskseq"), hashlib.sha256(head).hexdigest(), *holds]
    return Reader(name, path, size, title[:60], hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16], holds, trouble)


def _gigabytes(octets: int) -> str:
    return f"{-(-octets // 10**8) / 10:.1f}".removesuffix(".0")


# what is on it


def held(disk: Path, head: bytes, size: int) -> Iterator[dict[str, Any]]:
    """Sentences about what is on a disk."""
    parts = parts_of(disk) or [(0, size)]
    found = False
    for start, length in parts[:MOST_PARTS]:
        told = asked(disk, start, length)
        system = told.get("TYPE", "")
        if not system:
            continue
        found = True
        name = told.get("LABEL", "")
        if system == "vfat" and name == LABEL and start:
            yield _ours(disk, start)
            return
        shown = {"system": SYSTEMS.get(system, system)}
        yield {"text": NAMED, "fields": shown | {"name": name[:40]}} if name else {"text": UNNAMED, "fields": shown}
        if system == "vfat" and (count := files_in(disk, start)) is not None:
            yield {"text": ONE_FILE} if count == 1 else {"text": FILES, "fields": {"files": count}}
    if not found:
        yield {"text": UNKNOWN if any(head) else EMPTY}


def parts_of(disk: Path) -> list[tuple[int, int]]:
    """Where its parts lie, (start, size) in octets; nothing when it has no table."""
    return parts_in(ran("sfdisk", "--json", str(disk)))


def parts_in(said: str) -> list[tuple[int, int]]:
    """The same, of what sfdisk says."""
    try:
        table = json.loads(said)["partitiontable"]
        unit = int(table.get("sectorsize", SECTOR_BYTES))
        return [(int(part["start"]) * unit, int(part["size"]) * unit) for part in table.get("partitions", [])]
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return []


def asked(disk: Path, start: int, size: int) -> dict[str, str]:
    """What blkid finds at a place of a disk."""
    return told_in(ran("blkid", "-p", "-o", "export", "-O", str(start), "-S", str(size), str(disk)))


def told_in(said: str) -> dict[str, str]:
    """By name, what blkid says."""
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def files_in(disk: Path, start: int) -> int | None:
    """How many files a FAT there has; None if that cannot be told in time."""
    listed = ran("mdir", "-b", "-/", "-i", f"{disk}@@{start}", "::", failing=None)
    return None if listed is None else min(sum(not line.endswith("/") for line in listed.splitlines() if line), MOST_FILES)


def _ours(disk: Path, start: int) -> dict[str, Any]:
    for slot in "ab":
        known = VERSION.search(ran("mtype", "-i", f"{disk}@@{start}", f"::{slot}/release")[:400])
        if known:
            return {"text": OURS, "fields": {"version": known[1]}}
    return {"text": OURS_UNKNOWN}


def ran(program: str, *arguments: str, failing: Any = "") -> Any:
    """What a program says; `failing` when it cannot, or not in time."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}
    try:
        told = subprocess.run([program, *arguments], capture_output=True, timeout=PATIENCE_S, env=environment)
    except (OSError, subprocess.SubprocessError):
        return failing
    return told.stdout.decode("utf-8", "replace") if told.returncode == 0 else failing


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int:
    text = _text(path)
    return int(text) if text.isdecimal() else 0


def main(name: str) -> int:
    """The exit status, for udev."""
    try:
        return int(not (READER.fullmatch(name) and fits(BLOCKS / name, own_disks())))
    except OwnDiskUnknown:
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Which part of a USB stick people put their files on: `stick_partition.py NAME` (such as sda2) succeeds if it is that one.

udev runs it at each change of a part. The disk itself is asked (blkid), as udev may not know its other parts yet. Macs and
other programs put a small hidden part first, for starting a computer from; an island's own card is no stick.
"""

import dataclasses
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

BLOCKS = Path("/sys/class/block")
EVERYWHERE, LINUX_ONLY = {"vfat", "exfat", "ntfs"}, {"ext2", "ext3", "ext4"}
# for starting a computer: EFI system, Windows' recovery, Apple's boot; of an MBR: EFI and the hidden twins of FAT and NTFS
NOT_FOR_FILES = {"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "de94bba4-06d1-4d40-a16a-bfd50179d6ac",
                 "426f6f74-0000-11aa-aa11-00306543ecac",
                 "0xef", "0x11", "0x14", "0x16", "0x17", "0x1b", "0x1c", "0x1e", "0x27"}
HIDDEN = 1 << 62  # "hidden" among a GPT part's flags, as Windows uses it
OUR_CARD = "a2c41b70-"  # the start of its parts' identifiers: image-build/archipel_image/bootfs.py
PATIENCE_S = 60
BLKID = "/usr/sbin/blkid"  # udev gives its programs no PATH


@dataclasses.dataclass(frozen=True)
class Part:
    """A part of a disk, or a disk without parts: its name, size in sectors, and what blkid says (TYPE, PART_ENTRY_...)."""

    name: str
    sectors: int
    told: dict[str, str]


def chosen(parts: Iterable[Part]) -> str | None:
    """The name of the part for files: the largest that every computer reads, else the largest of Linux's."""
    fit = [part for part in parts if _for_files(part.told)]
    best = max(fit, key=lambda part: (part.told["TYPE"] in EVERYWHERE, part.sectors), default=None)
    return best.name if best else None


def _for_files(told: dict[str, str]) -> bool:
    return (told.get("TYPE") in EVERYWHERE | LINUX_ONLY
            and told.get("PART_ENTRY_TYPE", "").lower() not in NOT_FOR_FILES
            and not _flags(told.get("PART_ENTRY_FLAGS", "0")) & HIDDEN
            and not told.get("PART_ENTRY_UUID", "").startswith(OUR_CARD))


def _flags(text: str) -> int:
    try:
        return int(text, 16)
    except ValueError:  # a name of the stick's with the end of a line in it may have put this there
        return 0


def parts_beside(name: str) -> list[Part]:
    """All parts of the disk that `name` is on; the disk itself when it has none."""
    disk = (BLOCKS / name).resolve()
    if (disk / "partition").exists():
        disk = disk.parent
    names = [path.name for path in disk.iterdir() if (path / "partition").exists()] or [disk.name]
    return [Part(each, int((BLOCKS / each / "size").read_text()), asked(each)) for each in names]


def asked(name: str) -> dict[str, str]:
    """What blkid finds on a device; nothing when it cannot tell, or not in time."""
    try:
        told = subprocess.run([BLKID, "-p", "-o", "export", f"/dev/{name}"], capture_output=True, text=True,
                              errors="replace", timeout=PATIENCE_S).stdout
    except (OSError, subprocess.SubprocessError):
        return {}
    return dict(line.split("=", 1) for line in told.splitlines() if "=" in line)


if __name__ == "__main__":
    sys.exit(chosen(parts_beside(sys.argv[1])) != sys.argv[1])

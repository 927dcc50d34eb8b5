"""The card's layout, its two slots, and the boot state: which slot starts, and whether another one is on trial.

    sector 0       partition table (MBR) with the disk's number
    1 MiB, 2 MiB   the boot state, twice, one sector each: no file system has to be whole for it
    4 MiB          p1  FAT: firmware, U-Boot and boot.scr, settings; a/ and b/: kernel, initramfs, cmdline, release
    260 MiB        p2  root of slot a, ROOT_MIB
    772 MiB        p3  root of slot b, as large           } the initramfs (`grow`) makes both at the first start
    1284 MiB       p4  /data, to the end of the card      }

A copy of the state is what U-Boot's `env export -c` writes and `env import -c` checks: CRC-32 of the 508 octets that follow
(least significant octet first), then KEY=VALUE, a zero octet after each, one more at the end, zeros. Whoever writes it
(boot/boot.cmd, which counts a try; this program) writes the first copy, then the second, each on the card before the next
step; whoever reads it takes the first that is whole. So the power may go at any moment: either the old state counts or the
new one. Without a whole copy slot a starts.

    slot    the slot that is known to work: "a" or "b"
    trial   the other slot, while it has not shown that it works; else missing
    tries   how often U-Boot may still start the slot on trial; 0: it came back to `slot`
"""

import os
import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20
SECTOR_BYTES = 512
DISK_ID = "a2c41b70"  # also in overlay/etc/fstab, boot/boot.cmd, stick_partition.py
VOLUME_ID, LABEL = "a2c41b71", "ARCHIPEL"
MACHINE = "raspberry-pi-arm64"  # what a release is made for: every board of the guide
SLOTS = ("a", "b")
ALIGN_MIB = 4  # an erase block of common cards
BOOT_MIB = 256  # both slots' kernels and initramfs (49 MB each with Linux 6.12), and as much again
# A root takes 150 MiB; three times that is room for years. All of the card's system ends at 1.3 GB, so that a card of 2 GB,
# the smallest that is sold, still has room for an island.
ROOT_MIB = 512
MIN_DATA_MIB = 256
BOOT_AT, ROOT_AT = ALIGN_MIB * MIB, (ALIGN_MIB + BOOT_MIB) * MIB
MIN_CARD_BYTES = ROOT_AT + (2 * ROOT_MIB + MIN_DATA_MIB) * MIB
STATE_AT = (MIB, 2 * MIB)
TRIES = 3
CMDLINE = Path("/proc/cmdline")
DISK = Path("/dev/disk/by-partuuid")
RUNNING = re.compile(r"(?:^|\s)archipel\.slot=([ab])(?=\s|$)")
FIELD = re.compile(r"[a-z]{1,8}=[a-z0-9]{0,8}")


@dataclass(frozen=True)
class BootState:
    """What U-Boot starts next. `trial` is the other slot than `slot`, or ""."""

    slot: str = "a"
    trial: str = ""
    tries: int = 0

    def block(self) -> bytes:
        """One sector."""
        fields = {"slot": self.slot, **({"trial": self.trial, "tries": str(self.tries)} if self.trial else {})}
        text = b"".join(f"{key}={value}\0".encode() for key, value in fields.items()) + b"\0"
        held = text.ljust(SECTOR_BYTES - 4, b"\0")
        return struct.pack("<I", zlib.crc32(held)) + held


def state_in(block: bytes) -> BootState | None:
    """The state in one sector, None if it is not whole or says what it cannot say."""
    if len(block) != SECTOR_BYTES or struct.unpack_from("<I", block)[0] != zlib.crc32(block[4:]):
        return None
    lines = block[4:].partition(b"\0\0")[0].decode("ascii", "replace").split("\0")
    if not all(FIELD.fullmatch(line) for line in lines):
        return None
    fields = dict(line.split("=") for line in lines)
    slot, trial, tries = fields.get("slot", ""), fields.get("trial", ""), fields.get("tries", "0")
    if slot not in SLOTS or trial not in ("", other(slot)) or not tries.isdecimal():
        return None
    return BootState(slot, trial, int(tries))


def other(slot: str) -> str:
    """The other slot."""
    return "b" if slot == "a" else "a"


def running_slot(cmdline: Path = CMDLINE) -> str:
    """The slot whose root this box runs from: boot.scr tells it to the kernel."""
    found = RUNNING.search(cmdline.read_text())
    return found[1] if found else "a"


def root_partition(slot: str) -> Path:
    """The device of a slot's root."""
    return DISK / f"{DISK_ID}-{'02' if slot == 'a' else '03'}"


def whole_disk(partition: Path) -> Path:
    """The disk that a partition is on (`/dev/mmcblk0`). OSError when it is none."""
    return Path("/dev") / Path("/sys/class/block", partition.resolve().name).resolve().parent.name


def read_state(disk: Path) -> BootState | None:
    """The state on a card (its whole disk, or an image of it); None where no copy is whole."""
    with disk.open("rb") as card:
        for at in STATE_AT:
            card.seek(at)
            if state := state_in(card.read(SECTOR_BYTES)):
                return state
    return None


def write_state(disk: Path, state: BootState) -> None:
    """Write both copies, one after the other, each on the card before it goes on. OSError if the card takes it not."""
    descriptor = os.open(disk, os.O_RDWR)
    try:
        for at in STATE_AT:
            os.pwrite(descriptor, state.block(), at)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def partition_table() -> bytes:
    """Sector 0 of a new card: p1 and p2; the others are made when it starts."""
    parts = [(0x80, 0x0C, BOOT_AT, BOOT_MIB), (0, 0x83, ROOT_AT, ROOT_MIB)]
    entries = b"".join(struct.pack("<B3sB3sII", flag, NO_CHS, kind, NO_CHS, at // SECTOR_BYTES, mib * MIB // SECTOR_BYTES)
                       for flag, kind, at, mib in parts)
    return bytes(440) + struct.pack("<IH", int(DISK_ID, 16), 0) + entries.ljust(64, b"\0") + b"\x55\xaa"


NO_CHS = b"\xfe\xff\xff"  # for disks that are addressed by sector only


def before_boot() -> Iterator[tuple[int, bytes]]:
    """What lies before p1 on a new card: (where, octets), rising; zeros between."""
    yield 0, partition_table()
    yield from ((at, BootState().block()) for at in STATE_AT)

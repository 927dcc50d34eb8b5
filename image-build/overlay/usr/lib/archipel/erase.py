"""Erases all that this card was ever given, at the start that `wipe-order` asked for: before anything of it is in use.

The data partition: its block groups in which something was ever written (ext4 knows: it clears their BLOCK_UNINIT) are
discarded and then read; what is not blank is overwritten. So it takes as long as was written, not as the card is large. A
new file system is made when the start goes on (systemd-makefs). The FAT partition: everything but what the Pi starts with,
the clusters that no file has and the names of removed files included; then the settings file of a new card.

The order itself goes last: after a power cut all begins again. The green light of the Pi flickers while this works, and
beats twice a second when it is done, until the box is switched off; lit without a pause, something could not be erased.
`erase.py`
"""

import contextlib
import errno
import json
import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DISK = Path("/dev/disk/by-partuuid")
FAT, DATA = DISK / "a2c41b70-01", DISK / "a2c41b70-04"
CARD, NEW_SETTINGS = Path("/boot/firmware"), Path("/usr/share/archipel/archipel.toml")
DROP_CACHES = Path("/proc/sys/vm/drop_caches")
LEDS, SCREEN, NOTICES = Path("/sys/class/leds"), Path("/dev/tty1"), Path("/run/archipel-erase/notices")
ORDER = "WIPING"  # eight letters at most: one place of the directory, which is there or not
PIECE_BYTES = 1 << 20
ERASED_BYTES = (0x00, 0xFF)  # what memory cards give back for what was discarded
DEVICE_PATIENCE_S = 60
GROUP = re.compile(r"(?m)^Group \d+: \(Blocks (\d+)-(\d+)\)(.*)$")
BLOCK_SIZE = re.compile(r"(?m)^Block size: +(\d+)$")
# what the Pi starts with (image-build/archipel_image/bootfs.py), and the system's two slots (slots.py)
KEPT = re.compile(r"([ab]/firmware/)?((config|cmdline)\.txt|boot\.scr|u-boot\.bin|bcm2[\w-]*\.dtb|bootcode\.bin"
                  r"|(start|fixup)\w*\.(elf|dat))|[ab]/(vmlinuz|initrd\.img|cmdline|release)", re.IGNORECASE)
KEPT_FOLDERS = re.compile(r"[ab](/firmware)?", re.IGNORECASE)
SLOT_BYTES, LABEL_AT = 32, 71
END, DELETED, LONG_NAME, VOLUME_LABEL, FOLDER = 0x00, 0xE5, 0x0F, 0x08, 0x10
LABEL = b"ARCHIPEL   "  # as the card is made: a keeper may have given another


def N_(text: str) -> str:
    """Mark a sentence for the catalogues; the portal says it in the reader's language."""
    return text


DONE = N_("This box was erased: nothing is left of what it was given. A new island has begun.")
NOT_ALL = N_("This box was to be erased, but %(pieces)s parts of its memory card cannot be written any more. "
             "Destroy the card.")


class Eraser:
    """A partition that is open for reading and writing. `written` counts octets, `failed` the pieces that cannot be.

    `alone`: raise OSError (EBUSY) while it is mounted.
    """

    def __init__(self, path: Path, alone: bool = True):
        self._device = os.open(path, os.O_RDWR | (os.O_EXCL if alone else 0))
        self.size = os.lseek(self._device, 0, os.SEEK_END)
        self.written, self.failed = 0, 0

    def close(self) -> None:
        """Let it go, everything on the card."""
        os.close(self._device)

    def read(self, at: int, size: int) -> bytes:
        """Some octets; those that cannot be read are as good as anything."""
        with contextlib.suppress(OSError):
            return os.pread(self._device, size, at)
        return b"\xa5" * size

    def write(self, at: int, content: bytes) -> None:
        """Put them there."""
        try:
            os.pwrite(self._device, content, at)
            self.written += len(content)
        except OSError:
            self.failed += 1

    def blank(self, start: int, end: int) -> None:
        """Let nothing stand between two places. What is blank is left alone: reading is quicker, and wears nothing."""
        for at in range(start, min(end, self.size), PIECE_BYTES):
            size = min(PIECE_BYTES, min(end, self.size) - at)
            held = self.read(at, size)
            if not any(held.count(octet) == len(held) for octet in ERASED_BYTES):
                self.write(at, bytes(size))

    def sync(self) -> None:
        """Return when the card has it."""
        try:
            os.fsync(self._device)
        except OSError:
            self.failed += 1


# the data partition


def erase_data(path: Path) -> Eraser:
    """Erase a data partition that is not mounted; the closed eraser, for what it counted."""
    subprocess.run(["e2fsck", "-p", str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # its journal first
    ranges = ever_written(path)
    eraser = Eraser(path)
    subprocess.run(["blkdiscard", "-f", str(path)], stderr=subprocess.DEVNULL)  # not every card can
    for start, end in ranges or [(0, eraser.size)]:
        eraser.blank(start, end)
    eraser.sync()
    eraser.close()
    return eraser


def ever_written(path: Path) -> list[tuple[int, int]]:
    """Where an ext4 ever had something, (start, end) in octets; nothing when that cannot be told, as after a power cut."""
    told = subprocess.run(["dumpe2fs", str(path)], capture_output=True, text=True, errors="replace",
                          env={**os.environ, "LC_ALL": "C"}).stdout
    block = BLOCK_SIZE.search(told)
    if not block:
        return []
    size = int(block[1])
    return [(int(first) * size, (int(last) + 1) * size) for first, last, flags in GROUP.findall(told)
            if "BLOCK_UNINIT" not in flags]


# the FAT partition


@dataclass
class Slot:
    """One of the 32-octet places of a directory: where it lies, and what path it stands for if it is a file's last."""

    at: int
    raw: bytes
    after_end: bool
    path: str = ""
    parts: tuple[int, ...] = ()  # where the places of its long name lie

    @property
    def is_label(self) -> bool:
        """Whether it names the partition."""
        return self.raw[0] != DELETED and self.raw[11] & 0x3F != LONG_NAME and bool(self.raw[11] & VOLUME_LABEL)

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder's."""
        return bool(self.raw[11] & FOLDER)

    @property
    def stays(self) -> bool:
        """Whether it is part of what the Pi starts with; a folder's own two entries are part of the folder."""
        wanted = KEPT_FOLDERS if self.is_folder else KEPT
        return bool(self.path) and (self.path.rpartition("/")[2] in (".", "..") or bool(wanted.fullmatch(self.path)))

    @property
    def first(self) -> int:
        """The file's first cluster."""
        return int.from_bytes(self.raw[20:22], "little") << 16 | int.from_bytes(self.raw[26:28], "little")

    @property
    def size(self) -> int:
        """The file's octets."""
        return int.from_bytes(self.raw[28:32], "little")


class FatFolder:
    """The folders of a FAT32 and its clusters (Microsoft, "FAT: General Overview of On-Disk Format", 1.03).

    Raises ValueError for what is none.
    """

    def __init__(self, eraser: Eraser):
        self._eraser = eraser
        head = eraser.read(0, 512).ljust(512, b"\0")
        sector, per_cluster, reserved, copies, in_root = struct.unpack_from("<HBHBH", head, 11)
        self._total, self._table_sectors = struct.unpack_from("<II", head, 32)
        self._root, = struct.unpack_from("<I", head, 44)
        if head[510:] != b"\x55\xaa" or sector not in (512, 1024, 2048, 4096) or not per_cluster or in_root or not copies:
            raise ValueError("this is no FAT32")
        self._cluster = sector * per_cluster
        self._tables = [(reserved + copy * self._table_sectors) * sector for copy in range(copies)]
        self._first = (reserved + copies * self._table_sectors) * sector
        self._facts, copy_of_head = (number * sector for number in struct.unpack_from("<HH", head, 48))
        self._labels = {LABEL_AT, copy_of_head + LABEL_AT}
        self.end = min((self._total * sector - self._first) // self._cluster + 2, self._table_sectors * sector // 4)
        raw = eraser.read(self._tables[0], self.end * 4)
        self._next = [number & 0x0FFFFFFF for number, in struct.iter_unpack("<I", raw[:len(raw) // 4 * 4])]
        self.end = len(self._next)

    def erase_all_but_the_system(self, last: str) -> None:
        """Leave what the Pi starts with, and nothing else; the name `last` goes when everything else is gone."""
        slots = list(self._slots(self._root, "", set()))
        kept = [slot for slot in slots if slot.stays]
        stays = {*self._chain(self._root)}
        for slot in kept:
            chain = self._chain(slot.first)
            stays |= {*chain}
            if chain and not slot.is_folder:
                over = slot.size - (len(chain) - 1) * self._cluster
                self._eraser.blank(self._place(chain[-1]) + max(over, 0), self._place(chain[-1]) + self._cluster)
        for start, end in runs(number for number in range(2, self.end) if number not in stays):
            self._eraser.blank(self._place(start), self._place(end))
        for at in self._labels:
            self._eraser.write(at, LABEL)
        self._eraser.sync()
        self._free_all_but(stays)
        untouched = {at for slot in kept for at in (slot.at, *slot.parts)}
        self._clear([slot for slot in slots if slot.at not in untouched and slot.path != last])
        self._clear([slot for slot in slots if slot.path == last])

    def _clear(self, slots: list[Slot]) -> None:
        for slot in slots:
            if slot.after_end:
                blank = bytes(SLOT_BYTES)
            elif slot.is_label:
                blank = LABEL + bytes([VOLUME_LABEL]) + bytes(20)
            else:
                blank = bytes([DELETED]) + bytes(31)
            if slot.raw != blank:
                self._eraser.write(slot.at, blank)
        self._eraser.sync()

    def _free_all_but(self, stays: set[int]) -> None:
        for table in self._tables:
            raw = bytearray(self._eraser.read(table, self.end * 4))
            for number in range(2, self.end):
                if number not in stays:
                    raw[4 * number:4 * number + 4] = bytes(4)
            self._eraser.write(table, bytes(raw))
        self._eraser.write(self._facts + 488, b"\xff" * 8)  # how many are free, and where: to be counted again
        self._eraser.sync()

    def _place(self, cluster: int) -> int:
        return self._first + (cluster - 2) * self._cluster

    def _chain(self, first: int) -> list[int]:
        seen: dict[int, None] = {}
        while 2 <= first < self.end and first not in seen:
            seen[first] = None
            first = self._next[first]
        return list(seen)

    def _slots(self, first: int, above: str, seen: set[int]) -> Iterator[Slot]:
        """Every place of a folder and of those in it that stay, those after their ends too. `seen`: clusters of folders."""
        parts: list[Slot] = []
        ended = False
        for cluster in self._chain(first):
            if cluster in seen:
                return
            seen.add(cluster)
            raw = self._eraser.read(self._place(cluster), self._cluster)
            for offset in range(0, len(raw), SLOT_BYTES):
                ended = ended or raw[offset] == END
                slot = Slot(self._place(cluster) + offset, raw[offset:offset + SLOT_BYTES], ended)
                if slot.raw[0] != DELETED and slot.raw[11] & 0x3F == LONG_NAME:
                    parts.append(slot)
                else:
                    if not ended and slot.raw[0] != DELETED and not slot.is_label:
                        slot.path = above + (long_name(parts) or short_name(slot.raw))
                        slot.parts = tuple(part.at for part in parts)
                    parts = []
                yield slot
                if slot.is_folder and slot.path and KEPT_FOLDERS.fullmatch(slot.path):
                    yield from self._slots(slot.first, f"{slot.path}/", seen)


def long_name(parts: list[Slot]) -> str:
    """A name of several places, which stand in the opposite order."""
    raw = b"".join(part.raw[1:11] + part.raw[14:26] + part.raw[28:32] for part in reversed(parts))
    return raw.decode("utf-16-le", errors="replace").partition("\0")[0]


def short_name(raw: bytes) -> str:
    """A name of eight and three characters."""
    stem, ending = (part.decode("cp437").rstrip() for part in (raw[:8], raw[8:11]))
    return f"{stem}.{ending}" if ending else stem


def runs(numbers: Iterator[int]) -> Iterator[tuple[int, int]]:
    """Rising numbers as runs (first, one after the last)."""
    start = end = -1
    for number in numbers:
        if number != end:
            if end > start:
                yield start, end
            start = number
        end = number + 1
    if end > start:
        yield start, end


def erase_fat(path: Path) -> Eraser:
    """Erase a FAT partition; the closed eraser, for what it counted. What is no FAT32 has failed.

    systemd gives this service mounts of its own (seen in a booted box: even to a command with "+"), so that what is
    unmounted here stays mounted, for reading, for systemd itself and all that it starts: that is no reason to leave it as
    it is. What is written here goes through the same cache of the device; what the kernel remembers of names is dropped
    afterwards.
    """
    eraser = Eraser(path, alone=False)
    try:
        FatFolder(eraser).erase_all_but_the_system(ORDER)
    except ValueError:
        eraser.failed += 1
    eraser.close()
    return eraser


# what people see


def show(leds: Path, trigger: str, **values: int) -> None:
    """Set the Pi's green light; a box without one has none."""
    for led in leds.glob("*"):
        if led.name.casefold() in ("act", "led0"):
            with contextlib.suppress(OSError):
                (led / "trigger").write_text(trigger)
                for name, value in values.items():
                    (led / name).write_text(str(value))


def say(screen: Path, text: str) -> None:
    """Write it on the screen, if one is plugged in."""
    with contextlib.suppress(OSError):
        screen.write_text(f"\r\n{text}\r\n")


def wait_for(path: Path) -> bool:
    """Whether a device is there, or comes within a minute."""
    give_up_at = time.monotonic() + DEVICE_PATIENCE_S
    while not path.exists() and time.monotonic() < give_up_at:
        time.sleep(0.5)
    return path.exists()


def mount(*arguments: str) -> bool:
    """Whether mount(8) or umount(8) did it."""
    return subprocess.run(arguments).returncode == 0


def main() -> int:
    """The exit status."""
    for name in ("ledtrig-timer", "ledtrig-heartbeat"):
        subprocess.run(["modprobe", "-q", name])
    show(LEDS, "timer", delay_on=60, delay_off=60)
    say(SCREEN, "Archipel: erasing / effacement / borrando ...")
    began = time.monotonic()
    counted: list[Eraser] = []
    try:
        if wait_for(DATA):
            counted.append(erase_data(DATA))
    except OSError as error:
        print(f"{DATA}: {error}", file=sys.stderr, flush=True)
        if error.errno == errno.EBUSY:  # started too late: the order stands until the next start
            return 1
    mount("umount", str(CARD))
    try:
        counted.append(erase_fat(FAT))
    except OSError as error:
        print(f"{FAT}: {error}", file=sys.stderr, flush=True)
    failed = 2 - len(counted)
    with contextlib.suppress(OSError):
        DROP_CACHES.write_text("3")  # names of files that are gone
    if mount("mount", str(CARD)) and mount("mount", "-o", "remount,rw", str(CARD)):
        (CARD / ORDER).unlink(missing_ok=True)  # where it is no FAT32: not at every start again
        (CARD / "archipel.toml").write_bytes(NEW_SETTINGS.read_bytes())
        os.sync()
        mount("mount", "-o", "remount,ro", str(CARD))
    failed += sum(eraser.failed for eraser in counted)
    written = sum(eraser.written for eraser in counted)
    took_s = time.monotonic() - began
    print(f"erased in {took_s:.0f} s: {written >> 20} MiB overwritten, {failed} pieces failed", flush=True)
    told = {"text": NOT_ALL, "fields": {"pieces": failed}} if failed else {"text": DONE}
    NOTICES.write_text(json.dumps(told) + "\n")
    NOTICES.chmod(0o644)
    show(LEDS, "default-on" if failed else "heartbeat")
    say(SCREEN, "Archipel: NOT ALL could be erased. Destroy the card." if failed else "Archipel: erased.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

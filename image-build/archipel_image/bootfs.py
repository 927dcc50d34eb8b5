"""What is on the FAT partition: the Pi's firmware and U-Boot; the slot with kernel and initramfs; the keeper's settings."""

import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from archipel_image.base import EPOCH_S
from archipel_image.layers import Entry, file_entry, folder_entry, read_tar
from archipel_image.sources import SOURCES, program

# Read from the kernel's device tree first, then from here, then from boot.cmd (the root's partition, the slot)
CMDLINE = ("rootfstype=squashfs ro rootwait console=tty1 quiet loglevel=3 fsck.repair=yes "
           "panic=10 net.ifnames=0 systemd.gpt_auto=0")
KERNEL, INITRD = "vmlinuz", "initrd.img"
BOOT, FIRMWARE = program("release").BOOT, program("release").FIRMWARE
# Before it, a phone whose owner taps (i) beside the island's Wi-Fi could crash the Pi's Wi-Fi until the plug was pulled
# (raspberrypi/linux #7033; "brcmfmac: fix crash while sending Action Frames in standalone AP Mode", CVE-2025-40321).
OLDEST_KERNEL = (6, 12, 58)
FROM_BASE = (
    (re.compile(r"boot/vmlinuz-(.*)"), BOOT + KERNEL),
    (re.compile(r"boot/initrd\.img-(.*)"), BOOT + INITRD),
    (re.compile(r"usr/lib/raspi-firmware/(bootcode\.bin|start4?\.elf|fixup4?\.dat)"), None),
    (re.compile(r"usr/lib/linux-image-[^/]*/broadcom/(bcm2(?:837|711|710).*\.dtb)"), None),
    (re.compile(r"usr/lib/u-boot/rpi_arm64/(u-boot\.bin)"), None),
)
SCRIPT_MAGIC, SCRIPT_FIELDS = 0x27051956, (5, 22, 6, 0)  # Linux, arm64, script, not compressed: U-Boot's include/image.h


class KernelTooOld(Exception):
    """The base holds a kernel, named in the message, with which a visitor's phone can crash the Wi-Fi."""


def check_kernel(names: Iterable[str]) -> None:
    """Raise KernelTooOld unless every kernel among these files of a base is new enough."""
    kernels = [name.removeprefix("boot/vmlinuz-") for name in names if name.startswith("boot/vmlinuz-")]
    for kernel in kernels:
        told = re.match(r"(\d+)\.(\d+)\.(\d+)", kernel)
        if not told or tuple(map(int, told.groups())) < OLDEST_KERNEL:
            raise KernelTooOld(kernel)


def boot_files(base: Path) -> tuple[str, dict[str, bytes]]:
    """(the kernel's version, what a release lists beside its root: `boot/NAME`, `firmware/NAME` -> what it holds)."""
    kernel, files = "", {}
    for info, content in read_tar(base, lambda name: boot_name(name) is not None):
        name = boot_name(info.name)
        assert name, "read_tar gives what was asked for"
        files[name] = content
        if name == BOOT + KERNEL:
            kernel = info.name.removeprefix("boot/vmlinuz-")
    files[BOOT + INITRD] = with_scripts(files[BOOT + INITRD])
    files[BOOT + "cmdline"] = f"bootargs={CMDLINE}\n".encode()
    files[FIRMWARE + "boot.scr"] = boot_script((SOURCES / "boot/boot.cmd").read_bytes())
    files[FIRMWARE + "config.txt"] = (SOURCES / "boot/config.txt").read_bytes()
    files[FIRMWARE + "cmdline.txt"] = b"quiet\n"  # without it the firmware would tell the kernel a root of its own
    return kernel, dict(sorted(files.items()))


def on_a_new_card(files: dict[str, bytes], head: bytes) -> dict[str, Path | bytes]:
    """The names and contents on p1 of a new card; `head` is the release that lists `files`."""
    return {**{name.replace(BOOT, "a/").removeprefix(FIRMWARE): content for name, content in files.items()},
            f"a/{program('release').NAME}": head, program("release").SETTINGS: new_settings()}


def new_settings() -> bytes:
    """The settings file of a new card; Windows' older editors want CR LF."""
    return (SOURCES / "boot/archipel.toml").read_text().replace("\n", "\r\n").encode()


def boot_name(name: str) -> str | None:
    """What a file of the base is called in a release, None if it is not there."""
    for pattern, known in FROM_BASE:
        if match := pattern.fullmatch(name):
            return known or FIRMWARE + match[1]
    return None


def boot_script(text: bytes) -> bytes:
    """A text as U-Boot's `source` takes it: a legacy image with one part (U-Boot's include/image.h; what mkimage makes)."""
    data = struct.pack(">II", len(text), 0) + text
    fields = (EPOCH_S, len(data), 0, 0, zlib.crc32(data), *SCRIPT_FIELDS, b"archipel")
    blank = struct.pack(">II5I4B32s", SCRIPT_MAGIC, 0, *fields)
    return struct.pack(">II5I4B32s", SCRIPT_MAGIC, zlib.crc32(blank), *fields) + data


def with_scripts(initrd: bytes) -> bytes:
    """Debian's initramfs with our boot scripts appended as a second archive: the kernel lays it over the first."""
    return initrd + bytes(-len(initrd) % 4) + cpio(list(_scripts()))


def _scripts() -> Iterator[Entry]:
    """Ours, and the lists that initramfs-tools runs scripts by: instead of Debian's (resume, fixrtc) in these stages."""
    for stage, name in (("local-premount", "grow"), ("local-bottom", "overlay")):
        yield folder_entry(f"scripts/{stage}")
        yield file_entry(f"scripts/{stage}/archipel", (SOURCES / "initramfs" / name).read_bytes(), 0o755)
        told = '[ -e /conf/param.conf ] && . /conf/param.conf\n'  # how a script gives another root: initramfs-tools(7)
        yield file_entry(f"scripts/{stage}/ORDER", f'/scripts/{stage}/archipel "$@"\n{told}'.encode())


def cpio(entries: list[Entry]) -> bytes:
    """A "newc" archive, as the kernel reads it (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    parts = []
    for number, (info, content) in enumerate(entries, 1):
        kind = 0o040000 if info.isdir() else 0o100000
        parts.append(_member(number, info.name, kind | info.mode, content))
    return b"".join([*parts, _member(0, "TRAILER!!!", 0, b"")])


def _member(number: int, name: str, mode: int, content: bytes) -> bytes:
    fields = (number, mode, 0, 0, 1, EPOCH_S, len(content), 0, 0, 0, 0, len(name) + 1, 0)
    head = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
    head += bytes(-len(head) % 4)
    return head + content + bytes(-len(content) % 4)

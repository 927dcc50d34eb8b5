"""The FAT partition: the Pi's firmware, kernel, device trees and initramfs, and the keeper's settings file."""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from archipel_image.base import EPOCH_S
from archipel_image.layers import Entry, file_entry, folder_entry, read_tar
from archipel_image.sources import SOURCES

SIZE_MIB = 192
VOLUME_ID, LABEL = "a2c41b71", "ARCHIPEL"
DISK_ID = "a2c41b70"  # also in overlay/etc/fstab
CMDLINE = (f"root=PARTUUID={DISK_ID}-02 rootfstype=squashfs ro rootwait console=tty1 quiet loglevel=3 fsck.repair=yes "
           "panic=10 net.ifnames=0 systemd.gpt_auto=0")
KERNEL, INITRD = "vmlinuz", "initrd.img"
# Before it, a phone whose owner taps (i) beside the island's Wi-Fi could crash the Pi's Wi-Fi until the plug was pulled
# (raspberrypi/linux #7033; "brcmfmac: fix crash while sending Action Frames in standalone AP Mode", CVE-2025-40321).
OLDEST_KERNEL = (6, 12, 58)
FROM_BASE = (
    (re.compile(r"boot/vmlinuz-.*"), KERNEL),
    (re.compile(r"boot/initrd\.img-.*"), INITRD),
    (re.compile(r"usr/lib/raspi-firmware/((?:bootcode|start|fixup).*)"), None),
    (re.compile(r"usr/lib/linux-image-[^/]*/broadcom/(bcm2(?:837|711|710).*\.dtb)"), None),
)


def build_boot(base: Path, folder: Path, target: Path) -> None:
    """Gather the partition's files in `folder` and make the FAT image `target` of them."""
    _gather(base, folder)
    target.unlink(missing_ok=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH_S), "TZ": "UTC", "MTOOLS_SKIP_CHECK": "1"}
    subprocess.run(["mkfs.vfat", "-F", "32", "-C", "-n", LABEL, "-i", VOLUME_ID, "--invariant", str(target),
                    str(SIZE_MIB * 1024)], check=True, stdout=subprocess.DEVNULL)
    files = [str(path) for path in sorted(folder.iterdir())]
    subprocess.run(["mcopy", "-m", "-i", str(target), *files, "::"], check=True, env=environment)


class KernelTooOld(Exception):
    """The base holds a kernel, named in the message, with which a visitor's phone can crash the Wi-Fi."""


def check_kernel(names: Iterable[str]) -> None:
    """Raise KernelTooOld unless every kernel among these files of a base is new enough."""
    kernels = [name.removeprefix("boot/vmlinuz-") for name in names if name.startswith("boot/vmlinuz-")]
    for kernel in kernels:
        told = re.match(r"(\d+)\.(\d+)\.(\d+)", kernel)
        if not told or tuple(map(int, told.groups())) < OLDEST_KERNEL:
            raise KernelTooOld(kernel)


def _gather(base: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    for info, content in read_tar(base, lambda name: boot_name(name) is not None):
        name = boot_name(info.name)
        assert name, "read_tar gives what was asked for"
        (folder / name).write_bytes(content)
    initrd = folder / INITRD
    initrd.write_bytes(with_scripts(initrd.read_bytes()))
    (folder / "cmdline.txt").write_text(CMDLINE + "\n")
    (folder / "archipel.toml").write_bytes(new_settings())
    (folder / "config.txt").write_bytes((SOURCES / "boot/config.txt").read_bytes())
    for path in folder.iterdir():
        os.utime(path, (EPOCH_S, EPOCH_S))


def new_settings() -> bytes:
    """The settings file of a new card; Windows' older editors want CR LF."""
    return (SOURCES / "boot/archipel.toml").read_text().replace("\n", "\r\n").encode()


def boot_name(name: str) -> str | None:
    """What a file of the base is called on the FAT partition, None if it is not there."""
    for pattern, known in FROM_BASE:
        if match := pattern.fullmatch(name):
            return known or match[1]
    return None


def with_scripts(initrd: bytes) -> bytes:
    """Debian's initramfs with our boot scripts appended as a second archive: the kernel lays it over the first."""
    return initrd + bytes(-len(initrd) % 4) + cpio(list(_scripts()))


def _scripts() -> Iterator[Entry]:
    """Ours, and the lists that initramfs-tools runs scripts by: instead of Debian's (resume, fixrtc) in these stages."""
    for stage, name in (("local-premount", "grow"), ("local-bottom", "overlay")):
        yield folder_entry(f"scripts/{stage}")
        yield file_entry(f"scripts/{stage}/archipel", (SOURCES / "initramfs" / name).read_bytes(), 0o755)
        yield file_entry(f"scripts/{stage}/ORDER", f'/scripts/{stage}/archipel "$@"\n'.encode())


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

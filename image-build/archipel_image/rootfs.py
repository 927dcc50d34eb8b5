"""The root file system: base, overlay and application merged into one squashfs, without root and without unpacking."""

import os
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from archipel_image.app import app_entries
from archipel_image.base import EPOCH_S
from archipel_image.layers import Entry, file_entry, folder_entry, read_tar, tree, write_tar
from archipel_image.sources import OVERLAY

App = tuple[Path, str]  # the application, its version
Given = tuple[dict[str, bytes], int]  # files that this build made, by name; their moment
# The users of our services: fixed numbers, so that the data of one card is readable on the next.
USERS = {"archipel": 700, "archipel-box": 701, "archipel-update": 702, "archipel-front": 703, "archipel-wifi": 704,
         "archipel-dns": 705, "archipel-broker": 706, "archipel-card": 707}
# Not on the root: the kernel, the Pi's firmware, U-Boot and device trees (on the FAT partition), what only apt and the
# build use, account files from before ours, Debian's own ways to start things.
LEFT_OUT = ("boot/", "usr/lib/raspi-firmware/", "usr/lib/u-boot/", "usr/lib/linux-image-", "var/lib/apt/",
            "var/lib/dpkg/info/",
            "etc/.resolv.conf.systemd-resolved.bak", "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-",
            "etc/initramfs-tools/", "etc/nginx/sites-enabled/", "var/lib/nginx/", "etc/systemd/system/timers.target.wants/",
            "etc/systemd/system/multi-user.target.wants/", "etc/systemd/system/getty.target.wants/", "etc/apt/",
            "var/cache/", "var/log/", "vmlinuz", "initrd.img")
EMPTIED = ("boot", "var/log", "var/cache")  # the folders themselves stay
ACCOUNTS = ("etc/passwd", "etc/group", "etc/shadow", "etc/gshadow")
NOLOGIN = "/usr/sbin/nologin"


def build_root(base: Path, app: App, given: Given, target: Path) -> None:
    """Write the squashfs `target`."""
    command = ["sqfstar", "-comp", "zstd", "-b", "128K", "-processors", "2", "-quiet", "-no-progress", "-root-mode", "755",
               str(target)]
    target.unlink(missing_ok=True)
    # not -mkfs-time and -root-time: sqfstar 4.5 dates the root folder today all the same
    packer = subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "SOURCE_DATE_EPOCH": str(given[1])})
    assert packer.stdin, "it has a pipe"
    with packer.stdin as pipe:
        write_tar(pipe, _entries(base, app, given))
    if packer.wait():
        raise RuntimeError("sqfstar failed")


def _entries(base: Path, app: App, given: Given) -> Iterator[Entry]:
    """Ours first: of two entries with one name the first is kept."""
    accounts = {info.name: (info, content) for info, content in read_tar(base, ACCOUNTS.__contains__)}
    yield from (accounted(info, content) for info, content in accounts.values())
    ours = [*tree(OVERLAY), *app_entries(*app),
            *(file_entry(name, content, mtime=given[1]) for name, content in given[0].items()),
            folder_entry("boot/firmware"), folder_entry("data"), folder_entry("var/log"), folder_entry("var/cache")]
    yield from sorted((entry for entry in ours if not entry[0].isdir()), key=lambda entry: entry[0].name)
    yield from read_tar(base, lambda name: not (name + "/").startswith(LEFT_OUT) or name in EMPTIED)
    # folders last: those that the base has keep their own modes; none is left to the packer, which would date it today
    yield from (entry for entry in ours if entry[0].isdir())
    yield from (folder_entry(str(parent)) for entry in ours for parent in Path(entry[0].name).parents if parent.name)


def accounted(info: tarfile.TarInfo, content: bytes) -> Entry:
    """One of Debian's account files with our users in it; nobody has a password, root included."""
    lines = content.decode().splitlines()
    kind = info.name.removeprefix("etc/")
    ours = {
        "passwd": [f"{name}:x:{number}:{number}::/nonexistent:{NOLOGIN}" for name, number in USERS.items()],
        "group": [f"{name}:x:{number}:" for name, number in USERS.items()],
        "shadow": [f"{name}:!*:20000::::::" for name in USERS],
        "gshadow": [f"{name}:!::" for name in USERS],
    }[kind]
    if kind == "shadow":
        lines = [":".join([line.split(":")[0], "*", "20000", *line.split(":")[3:]]) for line in lines]
    content = "\n".join([*lines, *ours, ""]).encode()
    info.size, info.mtime = len(content), EPOCH_S
    return info, content

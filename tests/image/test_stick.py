"""Which part of a stick is the one for files, and that carry.md, udev and the mount agree on the formats."""

import re
import subprocess

import pytest

from archipel_image.sources import OVERLAY, PROJECT, program

stick = program("stick_partition")
DISK_ID = program("slots").DISK_ID
ESP, DATA = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"
MIB = 2048


def part(name, mib, kind=None, entry=DATA, flags="0x0", uuid="9f3c"):
    """As blkid tells of it."""
    told = {"PART_ENTRY_TYPE": entry, "PART_ENTRY_FLAGS": flags, "PART_ENTRY_UUID": uuid} if entry else {}
    return stick.Part(name, mib * MIB, told | ({"TYPE": kind} if kind else {}))


@pytest.mark.parametrize(("parts", "chosen"), [
    ([part("sda1", 8000, "vfat", "0xc")], "sda1"),
    ([part("sda", 8000, "vfat", None)], "sda"),  # no table at all
    ([part("sda1", 200, "vfat", ESP), part("sda2", 8000, "vfat")], "sda2"),  # a Mac's, or of a computer with GPT
    ([part("sda1", 200, "vfat", ESP.upper()), part("sda2", 8000, "exfat")], "sda2"),
    ([part("sda1", 16, None, "e3c9e316-0b5c-4db8-817d-f92df00215ae"), part("sda2", 8000, "ntfs")], "sda2"),
    ([part("sda1", 8000, "exfat", "0x7"), part("sda2", 32, "vfat", "0xef")], "sda1"),  # Ventoy
    ([part("sda1", 8000, "ntfs", "0x7"), part("sda2", 1, "vfat", "0x1")], "sda1"),  # Rufus
    ([part("sda1", 500, "vfat", flags="0x4000000000000000"),
      part("sda2", 400, "vfat", flags="0x8000000000000000")], "sda2"),
    ([part("sda1", 8000, "LVM2_member", "0x8e")], None),
    ([part("sda1", 8000, "LVM2_member", "0x8e"), part("sda2", 100, "ext4", "0x83")], "sda2"),
    ([part("sda1", 100, "vfat", "0xc"), part("sda2", 8000, "ext4", "0x83")], "sda1"),
    ([part("sda1", 200, "vfat", ESP)], None),
    ([part("sda1", 900, "iso9660", "0x0"), part("sda2", 5, "vfat", "0xef")], None),  # starts a computer
    ([part("sda1", 192, "vfat", "0xc", uuid=f"{DISK_ID}-01"),
      part("sda3", 8000, "ext4", "0x83", uuid=f"{DISK_ID}-04")], None),
    ([part("sda1", 8000, "crypto_LUKS", "0x83"), part("sda2", 8000, "hfsplus"), part("sda3", 9, "apfs")], None),
    ([part("sda1", 8000)], None), ([], None),
])
def test_the_part_for_files_is_the_one_that_is_used(parts, chosen):
    assert stick.chosen(parts) == chosen
    assert stick.chosen(reversed(parts)) == chosen


def test_udev_the_mount_the_guide_and_carry_md_take_the_same_formats():
    taken = stick.EVERYWHERE | stick.LINUX_ONLY
    rule = (OVERLAY / "usr/lib/udev/rules.d/70-archipel.rules").read_text()
    patterns = re.search(r'ENV\{ID_FS_TYPE\}=="(\S+?)"', rule)[1].replace("ext[234]", "ext2|ext3|ext4")
    assert set(patterns.split("|")) == taken
    mount = (OVERLAY / "usr/sbin/mount.archipel").read_text()
    assert set(re.findall(r"\w+", " ".join(re.findall(r"(?m)^    ([\w|]+)\) ", mount)))) == taken
    assert "FAT, exFAT, NTFS, ext2 to ext4" in (PROJECT / "docs/carry.md").read_text()


def test_the_mark_of_an_islands_own_card_is_the_one_that_its_image_has():
    assert f"{DISK_ID}-" == stick.OUR_CARD


def test_a_device_that_nobody_can_read_is_no_stick():
    assert stick.asked("there-is-no-such-device") == {}


@pytest.mark.process
def test_the_disk_is_asked_without_a_path_as_udev_gives_none(monkeypatch, tmp_path):
    monkeypatch.delenv("PATH")
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(4 * MIB * 512)
    subprocess.run(["/usr/sbin/mkfs.vfat", str(disk)], check=True, capture_output=True)
    assert stick.asked(f"..{disk}")["TYPE"] == "vfat"

"""How often the memory card failed, as the kernel counts it."""

import os

import pytest

from node.daemon.cardhealth import card_errors


def sysfs(folder, tmp_path, count):
    """A /sys in which the device of `folder` is called mmcblk0p3."""
    device = os.stat(folder).st_dev
    block = tmp_path / "sys/devices/mmcblk0/mmcblk0p3"
    block.mkdir(parents=True)
    (tmp_path / "sys/dev/block").mkdir(parents=True)
    (tmp_path / "sys/dev/block" / f"{os.major(device)}:{os.minor(device)}").symlink_to(block)
    counted = tmp_path / "sys/fs/ext4/mmcblk0p3"
    counted.mkdir(parents=True)
    if count is not None:
        (counted / "errors_count").write_bytes(count)
    return tmp_path / "sys"


@pytest.mark.parametrize(("count", "errors"), [(b"0\n", 0), (b"17\n", 17), (b"", 0), (b"many", 0), (b"\xff", 0), (None, 0)])
def test_the_errors_of_the_file_system_that_holds_the_island_are_told(tmp_path, count, errors):
    assert card_errors(tmp_path, sysfs(tmp_path, tmp_path, count)) == errors


def test_a_folder_or_a_machine_of_which_nobody_counts_has_none(tmp_path):
    assert card_errors(tmp_path / "gone") == card_errors(tmp_path, tmp_path / "nothing") == 0
    assert card_errors(tmp_path) >= 0

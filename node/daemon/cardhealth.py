"""How often the memory card has failed: the kernel counts, in the file system itself, so the number outlives restarts.

Of ext4 only (Documentation/ABI/testing/sysfs-fs-ext4: `errors_count`); another file system tells nothing.
"""

import os
from pathlib import Path

SYSTEM = Path("/sys")


def card_errors(folder: Path, system: Path = SYSTEM) -> int:
    """Errors of the file system that holds `folder`, since it was made or last mended; 0 if nobody counts."""
    try:
        device = os.stat(folder).st_dev
        name = (system / "dev/block" / f"{os.major(device)}:{os.minor(device)}").resolve(strict=True).name
        return int((system / "fs/ext4" / name / "errors_count").read_text())
    except (OSError, ValueError):
        return 0

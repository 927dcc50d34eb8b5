"""arm64 programs on the building host: the kernel hands them to QEMU (binfmt_misc), which a fresh host does not do yet."""

import os
import subprocess

MISC = "/proc/sys/fs/binfmt_misc"
# Debian's qemu-user-static (12) and qemu-user-binfmt (13) keep the line here that the kernel wants (binfmt.d(5))
RULE = "/usr/lib/binfmt.d/qemu-aarch64.conf"
TEACH = f"[ -e {MISC}/register ] || mount -t binfmt_misc binfmt_misc {MISC}; cat {RULE} >{MISC}/register"
ONE_LINE = f"sudo sh -c '{TEACH}'"


def made_ready() -> bool:
    """Whether arm64 programs run here; as root, after having done what they need. In a container root may not either."""
    if not runs() and os.geteuid() == 0:
        subprocess.run(["sh", "-c", TEACH], stderr=subprocess.DEVNULL)
    return runs()


def runs() -> bool:
    """Whether an arm64 program runs here, itself or through QEMU."""
    return subprocess.run(["arch-test", "arm64"], stdout=subprocess.DEVNULL).returncode == 0

"""USB sticks as image files: of any format, with or without a partition table; made, written and read without root."""

import subprocess
import tempfile
from pathlib import Path

from archipel_image.sources import program

MIB = program("slots").MIB
STICK_MIB = 256
MAKE = {"vfat": ["mkfs.vfat", "-n", "STICK"], "exfat": ["mkfs.exfat"], "ntfs": ["mkfs.ntfs", "-Q", "-q", "-F"],
        "ext4": ["mkfs.ext4", "-q", "-F"]}
EFI, DATA = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"


def make_disk(path: Path, label: str, parts: list[tuple[str, str, int]]) -> Path:
    """A stick with a partition table (`gpt` or `dos`) and these parts: (type in the table, file system or "", MiB)."""
    with path.open("wb") as file:
        file.truncate(STICK_MIB * MIB)
    table = "".join(f"size={size}MiB, type={kind}\n" for kind, _, size in parts)
    subprocess.run(["sfdisk", "--quiet", str(path)], input=f"label: {label}\n{table}", text=True, check=True)
    start = MIB
    for _, system, size in parts:
        if system:
            _copy_into(path, start, make_system(path.with_suffix(".part"), system, size))
        start += size * MIB
    return path


def make_system(path: Path, system: str, size: int) -> Path:
    """A file system of `size` MiB, empty; or noise, if there is none of this name."""
    with path.open("wb") as file:
        file.truncate(size * MIB)
        if system not in MAKE:
            file.write(system.encode() * 1000)
    if system in MAKE:
        subprocess.run([*MAKE[system], str(path)], check=True, capture_output=True)  # mkntfs talks of block devices
    return path


def make_links(path: Path, links: dict[str, str]) -> Path:
    """An ext4 stick of 16 MiB that holds these links, and nothing else: name to where it leads."""
    make_system(path, "ext4", 16)
    for name, target in links.items():
        subprocess.run(["debugfs", "-w", "-R", f"symlink /{name} {target}", str(path)], check=True, capture_output=True)
    return path


def _copy_into(disk: Path, start: int, part: Path) -> None:
    subprocess.run(["dd", f"if={part}", f"of={disk}", "oflag=seek_bytes", f"seek={start}", "bs=1M", "conv=notrunc,sparse",
                    "status=none"], check=True)
    part.unlink()


def make_stick(path: Path, files: dict[str, bytes], kib: int = 64 << 10) -> Path:
    """A FAT stick, of 64 MiB unless told, with these files."""
    subprocess.run(["mkfs.vfat", "-C", "-n", "STICK", str(path), str(kib)], check=True, stdout=subprocess.DEVNULL)
    for name, content in files.items():
        write_stick(path, name, content)
    return path


def write_stick(path: Path, name: str, content: bytes) -> None:
    """Put a file on a stick, in place of one of that name."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        subprocess.run(["mcopy", "-o", "-i", str(path), file.name, f"::{name}"], check=True)


def read_stick(path: Path, name: str) -> bytes | None:
    """A file on a stick, None if it is not there."""
    told = subprocess.run(["mtype", "-i", str(path), f"::{name}"], capture_output=True)
    return None if told.returncode else told.stdout

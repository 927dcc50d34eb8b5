"""The whole card: partition table, partitions, and what is published beside it. No loop device, no root."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

from archipel_image.bootfs import DISK_ID

MIB = 1 << 20
DATA_MIB = 16  # grown to the end of the card, and formatted, when it starts for the first time
ALIGN_MIB = 4
COPY_BYTES = 4 * MIB
# Raspberry Pi Imager's own tags: what a keeper chooses first, and which images fit (a Zero 2 W is a kind of 3 to it)
MODELS = {"Raspberry Pi 3, Zero 2 W": ["pi3-64bit"], "Raspberry Pi 4, 400": ["pi4-64bit"]}


def assemble(boot: Path, root: Path, image: Path) -> None:
    """Write the card's image: MBR; FAT at 4 MiB, then the root, then room for data."""
    boot_mib, root_mib = _mib(boot), _mib(root)
    starts = [ALIGN_MIB, ALIGN_MIB + boot_mib, ALIGN_MIB + boot_mib + root_mib]
    with image.open("wb") as file:
        file.truncate((starts[2] + DATA_MIB) * MIB)
    table = (f"label: dos\nlabel-id: 0x{DISK_ID}\n"
             f"start={starts[0]}MiB, size={boot_mib}MiB, type=c, bootable\n"
             f"start={starts[1]}MiB, size={root_mib}MiB, type=83\n"
             f"start={starts[2]}MiB, size={DATA_MIB}MiB, type=83\n")
    subprocess.run(["sfdisk", "--quiet", str(image)], input=table, text=True, check=True)
    for part, start in ((boot, starts[0]), (root, starts[1])):
        _copy(part, image, start * MIB)


def _mib(path: Path) -> int:
    return -(-path.stat().st_size // (ALIGN_MIB * MIB)) * ALIGN_MIB


def _copy(part: Path, image: Path, offset: int) -> None:
    """Copy, leaving holes where there are only zeros: they need not be flashed."""
    with part.open("rb") as source, image.open("r+b") as target:
        target.seek(offset)
        while block := source.read(COPY_BYTES):
            if block.count(0) == len(block):
                target.seek(len(block), os.SEEK_CUR)
            else:
                target.write(block)


def publish(image: Path, packages: bytes, version: str, moment: str) -> list[Path]:
    """Compress the image and write what goes with it; `moment` is the release's date. What was written."""
    squeezed, bmap = Path(f"{image}.xz"), Path(f"{image}.bmap")
    subprocess.run(["bmaptool", "--quiet", "create", "-o", str(bmap), str(image)], check=True)
    with squeezed.open("wb") as target:
        subprocess.run(["xz", "-2", "-T2", "--stdout", str(image)], check=True, stdout=target)
    sums = Path(f"{squeezed}.sha256")
    sums.write_text(f"{sha256(squeezed)}  {squeezed.name}\n")
    listed = image.with_suffix(".packages")
    listed.write_bytes(packages)
    manifest = image.with_name("imager.json")
    manifest.write_text(json.dumps(imager_manifest(image, squeezed, version, moment), indent=2, ensure_ascii=False) + "\n")
    return [squeezed, bmap, sums, listed, manifest]


def imager_manifest(image: Path, squeezed: Path, version: str, moment: str) -> dict:
    """What Raspberry Pi Imager reads of an image (its os-list-schema.json); `init_format`: it has nothing to customise.

    Imager knows whole addresses only: $IMAGE_URL is the folder where the files are published. Without it the manifest leads
    to the file on this machine.
    """
    published = os.environ.get("IMAGE_URL", "").rstrip("/")
    chosen = [{"name": name, "description": name, "tags": tags, "matching_type": "inclusive", "capabilities": []}
              for name, tags in MODELS.items()]
    return {"imager": {"devices": chosen}, "os_list": [{
        "name": f"Archipel {version}",
        "description": "Une île : le tableau du quartier sans internet / An island: the neighbourhood's own board",
        "icon": "",
        "url": f"{published}/{squeezed.name}" if published else squeezed.resolve().as_uri(),
        "extract_size": image.stat().st_size,
        "extract_sha256": sha256(image),
        "image_download_size": squeezed.stat().st_size,
        "image_download_sha256": sha256(squeezed),
        "release_date": moment,
        "init_format": "none",
        "devices": [tag for tags in MODELS.values() for tag in tags],
    }]}


def sha256(path: Path) -> str:
    """The file's SHA-256, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""The whole card: partition table, partitions, and what is published beside it. No loop device, no root."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from archipel_image.bundle import sha256
from archipel_image.sources import program

MIB = 1 << 20
MANIFEST = "imager.json"
# Raspberry Pi Imager's own tags: what a keeper chooses first, and which images fit (a Zero 2 W is a kind of 3 to it)
MODELS = {"Raspberry Pi 3, Zero 2 W": ["pi3-64bit"], "Raspberry Pi 4, 400": ["pi4-64bit"]}


def assemble(boot: Path, root: Path, image: Path, release: Any) -> None:
    """Write the card's image of a `release.Release`, with holes where there are only zeros: they need not be flashed."""
    parts = program("release")
    with boot.open("rb") as front, root.open("rb") as back, image.open("wb") as target:
        for piece in parts.image_pieces(front, back, release):
            if piece.count(0) == len(piece):
                target.seek(len(piece), os.SEEK_CUR)
            else:
                target.write(piece)
        target.truncate(parts.image_bytes(release))


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
    manifest = image.with_name(MANIFEST)
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

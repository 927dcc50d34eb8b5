"""`make image`: base, application, assembly, compression; the README has the rest.

`PYTHONPATH=image-build python -m archipel_image.build [FOLDER] [--quick]`
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archipel_image import emulation, frontpages
from archipel_image.app import build_app
from archipel_image.base import CACHE, base_tar
from archipel_image.bootfs import OLDEST_KERNEL, KernelTooOld, boot_files, check_kernel, new_settings, on_a_new_card
from archipel_image.bundle import (
    RELEASE,
    MadeRelease,
    make_bundle,
    make_system_bundle,
    public_bytes,
    release_head,
    signing_key,
)
from archipel_image.card import MANIFEST, assemble, publish
from archipel_image.layers import read_tar
from archipel_image.published import licences_of, sign_folder, write_changes, write_spdx
from archipel_image.rootfs import build_root
from archipel_image.sources import PROJECT

NEEDED = {"mmdebstrap": "mmdebstrap", "sqfstar": "squashfs-tools", "mkfs.vfat": "dosfstools", "mcopy": "mtools",
          "sfdisk": "fdisk", "xz": "xz-utils", "bmaptool": "bmap-tools", "qemu-aarch64-static": "qemu-user-static",
          "arch-test": "arch-test", "git": "git", "rdiff": "rdiff"}
PACKAGES = "usr/share/archipel/packages.sha256"
KEY = Path(os.environ.get("ARCHIPEL_UPDATE_KEY") or Path.home() / ".config/archipel/update.key")


def build(out: Path, quick: bool, before: Path | None = None, only_published: bool = False) -> Path:
    """Build the image into `out`; its path. `quick` leaves out what only a release needs.

    `before`: the full system bundle of another release, against which a small one is made. `only_published`: leave nothing
    in `out` but what is published.
    """
    out.mkdir(parents=True, exist_ok=True)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out) as folder:
        work = Path(folder)
        with step("base: Debian packages (12 to 21 minutes the first time, then from the cache)"):
            base = base_tar(CACHE)
            check_kernel(info.name for info, _ in read_tar(base, lambda name: name.startswith("boot/vmlinuz-")))
        with step("application: this checkout, compiled by the image's Python"):
            version = build_app(base, CACHE, work / "app")
            key = signing_key(KEY)
            shutil.copy(make_bundle(work / "app", version, key, work), out)
        with step("root: one squashfs"):
            moment = release_moment()
            given = {"usr/share/archipel/update.pub": public_bytes(key), "usr/lib/clock-epoch": b"",
                     "usr/share/archipel/archipel.toml": new_settings(),
                     **{f"usr/share/archipel/.front/{name}": page for name, page in frontpages.pages().items()}}
            build_root(base, (work / "app", version), (given, moment), out / "root.squashfs")
        with step("card: boot partition, partition table"):
            kernel, files = boot_files(base)
            head = release_head(version, kernel, files, out / "root.squashfs", key)
            release = RELEASE.read_release(io.BytesIO(head), public_bytes(key))
            RELEASE.make_boot(work / "boot.fat", on_a_new_card(files, head))
            image = out / f"archipel-{version}-arm64.img"
            assemble(work / "boot.fat", out / "root.squashfs", image, release)
        if not quick:
            with step("system bundle: full" + (f", and against {before.name}" if before else "")):
                made = MadeRelease(head, files, out / "root.squashfs")
                for against in [None, before] if before else [None]:
                    make_system_bundle(made, key, out, against)
            with step("release: compressed image, block map, checksums, manifest, packages"):
                packages = next(content for _, content in read_tar(base, PACKAGES.__eq__))
                publish(image, packages, version, time.strftime("%Y-%m-%d", time.gmtime(moment)))
            with step("what it is made of, what changed, the list of it all"):
                write_spdx(out / f"archipel-{version}.spdx.json", packages.decode(), licences_of(base), version, moment)
                write_changes(out, version)
                if only_published:
                    leave_out(out, image)
                sign_folder(out, version, key)
                print(f"  public key of this release: {public_bytes(key).hex()}")
    return image


def leave_out(out: Path, image: Path) -> None:
    """Take away what is in what is published, and a manifest that would lead to this machine."""
    for path in (image, out / "root.squashfs"):
        path.unlink()
    if not os.environ.get("IMAGE_URL"):
        (out / MANIFEST).unlink()
        print(f"  without {MANIFEST}: IMAGE_URL does not say where the folder will stand")


def release_moment() -> int:
    """The moment of the checkout's last commit, seconds since 1970: the box's clock never goes before it."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    # safe.directory: root may build in a checkout that is a user's
    command = ["git", "-c", "safe.directory=*", "-C", str(PROJECT), "log", "-1", "--format=%ct"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    print(f"{what} ...", flush=True)
    began = time.monotonic()
    yield
    print(f"  {time.monotonic() - began:.0f} s", flush=True)


def missing() -> list[str]:
    """Debian packages that this host lacks."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    return [package for program, package in NEEDED.items() if not shutil.which(program, path=path)]


def main() -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", nargs="?", type=Path, default=PROJECT / "build")
    parser.add_argument("--quick", action="store_true", help="the image only, not compressed")
    parser.add_argument("--release", action="store_true", help="what is published of a release, in a new folder")
    parser.add_argument("--before", type=Path, help="the folder of the release before: boxes with it get a small update")
    wanted = parser.parse_args()
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    if lacking := missing():
        print(f"This host lacks programs. As root: apt-get install {' '.join(lacking)}", file=sys.stderr)
        return 1
    if not emulation.made_ready():
        print(f"This host cannot run arm64 programs yet. Type this, then try again:  {emulation.ONE_LINE}", file=sys.stderr)
        return 1
    before = next(iter(sorted(wanted.before.glob("archipel-system-*[0-9].bundle"))), None) if wanted.before else None
    if wanted.before and not before:
        print(f"{wanted.before}: no full system bundle there", file=sys.stderr)
        return 1
    if wanted.release and wanted.out.exists():
        print(f"{wanted.out} is there already: what lies in it would be signed too. Move it away.", file=sys.stderr)
        return 1
    try:
        image = build(wanted.out, wanted.quick, before, wanted.release)
    except KernelTooOld as error:
        print(f"This archive's kernel, {error}, is older than {'.'.join(map(str, OLDEST_KERNEL))}: a visitor's phone could "
              "crash the box's Wi-Fi. Give a newer archive as MIRROR.", file=sys.stderr)
        return 1
    print(f"{image.name}; in {wanted.out}: {', '.join(sorted(os.listdir(wanted.out)))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

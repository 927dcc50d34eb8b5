"""The base: a root file system of Debian packages, made once under emulation and kept by the hash of what it is made of."""

import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

from archipel_image.sources import SOURCES

SUITE = "trixie"
COMPONENTS = "main,non-free-firmware"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
EPOCH_S = 1_754_697_600  # Debian 13's release; mtimes after it are set to it
SECTIONS = ("", "-updates")
# What a box without screen or shell users never reads. Copyright files stay. Of the kernel's modules: `base/modules.txt`.
LEFT_OUT = (
    "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/doc/*", "/usr/share/lintian/*",
    "/usr/share/javascript/*", "/usr/share/bash-completion/*",
    "/etc/initramfs/*raspi-firmware",  # it writes `rw` into cmdline.txt
)
# Not run while packages are installed; `base/customize` does once what is needed of it.
STUBBED = ("/usr/bin/py3compile", "/usr/sbin/update-initramfs", "/usr/bin/systemd-hwdb",
           "/etc/kernel/postinst.d/z50-raspi-firmware")
KEPT = ("/usr/share/doc/*/copyright",)
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "archipel-image"


def wanted_packages() -> list[str]:
    """The names in packages.txt."""
    lines = (SOURCES / "base/packages.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def mirrors() -> list[str]:
    """The archives to take from: $MIRROR, else those that this host's own apt uses, else Debian's public name."""
    given = os.environ.get("MIRROR")
    return [given] if given else _host_mirrors() or ["http://deb.debian.org/debian"]


def _host_mirrors() -> list[str]:
    try:
        lines = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"],
                               capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        return []
    return [uri.rstrip("/") for uri in dict.fromkeys(lines) if uri.rstrip("/").endswith("/debian")][:1]


def sources() -> str:
    """The lines of sources.list that the base is made from."""
    parts = COMPONENTS.replace(",", " ")
    lines = [f"deb {mirror} {SUITE}{section} {parts}" for mirror in mirrors() for section in SECTIONS]
    security = [mirror.removesuffix("/debian") + "/debian-security" for mirror in mirrors()]
    if not os.environ.get("MIRROR"):
        lines += [f"deb {mirror} {SUITE}-security {parts}" for mirror in security]
    return "\n".join(lines) + "\n"


def fingerprint() -> str:
    """16 hex digits of everything that decides what the base holds, except the archive's own state."""
    digest = hashlib.sha256(repr((SUITE, COMPONENTS, EPOCH_S, LEFT_OUT, KEPT, STUBBED, wanted_packages())).encode())
    for path in sorted((SOURCES / "base").rglob("*")):
        if path.is_file() and path.name != "packages.txt":
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def base_tar(cache: Path) -> Path:
    """The base's tar file, made if the cache does not have it (12 to 21 minutes under emulation)."""
    kept = cache / f"base-{fingerprint()}.tar"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            made = Path(folder) / "base.tar"
            make_base(made)
            made.rename(kept)
    return kept


def make_base(target: Path) -> None:
    """Make the base's tar, whatever the cache has."""
    options = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    options += [f"--dpkgopt=path-include={pattern}" for pattern in KEPT]
    options += ["--dpkgopt=force-unsafe-io"]
    command = ["mmdebstrap", "--architectures=arm64", "--variant=essential", f"--components={COMPONENTS}",
               f"--keyring={KEYRING}", "--aptopt=Acquire::Languages \"none\"", *options,
               f"--essential-hook={SOURCES}/base/essential \"$1\"", f"--customize-hook={SOURCES}/base/customize \"$1\"",
               f"--include={','.join(wanted_packages())}", SUITE, str(target), "-"]
    subprocess.run(command, input=sources(), text=True, check=True,
                   env={**os.environ, "SOURCE_DATE_EPOCH": str(EPOCH_S), "LC_ALL": "C.UTF-8", "STUBBED": " ".join(STUBBED)})

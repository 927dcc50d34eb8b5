"""Packages laid over the base without being configured: fetched and verified by apt, unpacked, nothing run."""

import hashlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

from base import KEYRING, fingerprint, sources

HERE = Path(__file__).parent
CONFIGURATION = """APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Dir "{folder}";
Dir::Etc::sourceparts "-";
Dir::State::status "{folder}/status";
"""
FILE = re.compile(r"(?P<package>[^_]+)_(?P<version>[^_]+)_[^_]+\.deb")


def unpacked_packages() -> list[str]:
    """The names in unpacked.txt."""
    lines = (HERE / "unpacked.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def fetched(cache: Path) -> list[Path]:
    """The .deb files, from the cache or from the archive; apt checks the archive's signature and each file's hash."""
    names = unpacked_packages()
    kept = cache / f"debs-{hashlib.sha256(f'{fingerprint()} {names}'.encode()).hexdigest()[:16]}"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            _fetch(Path(folder), names)
            (Path(folder) / "debs").rename(kept)
    return sorted(kept.iterdir())


def unpack(debs: list[Path], folder: Path) -> list[str]:
    """Unpack into `folder`; for the list of packages, "name version sha256" of each."""
    for deb in debs:
        subprocess.run(["dpkg-deb", "--extract", str(deb), str(folder)], check=True)
    return [described(deb) for deb in debs]


def described(deb: Path) -> str:
    """A line of the list of packages."""
    named = FILE.fullmatch(deb.name)
    version = named["version"].replace("%3a", ":")
    return f"{named['package']} {version} {hashlib.sha256(deb.read_bytes()).hexdigest()}"


def _fetch(folder: Path, names: list[str]) -> None:
    for name in ("etc/apt/preferences.d", "etc/apt/apt.conf.d", "var/lib/apt/lists/partial",
                 "var/cache/apt/archives/partial", "debs"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "apt.conf").write_text(CONFIGURATION.replace("{folder}", str(folder)))
    (folder / "etc/apt/sources.list").write_text(sources().replace("deb ", f"deb [arch=arm64 signed-by={KEYRING}] "))
    environment = {**os.environ, "APT_CONFIG": str(folder / "apt.conf")}
    subprocess.run(["apt-get", "-qq", "update"], check=True, env=environment)
    subprocess.run(["apt-get", "-qq", "download", *names], check=True, env=environment, cwd=folder / "debs")

"""Makes what is signed: the bundle of an application layer (update.py), the list of a release (release.py)."""

import contextlib
import hashlib
import io
import json
import lzma
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archipel_image.sources import program

MARK: bytes = program("update").MARK
RELEASE = program("release")


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file that only its user may read; made if there is none. Who has it can change every island."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(os.urandom(32).hex() + "\n")
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """What the image holds of the key: 32 bytes."""
    return key.public_key().public_bytes_raw()


def signed_head(kind: bytes, told: dict, key: Ed25519PrivateKey) -> bytes:
    """The three lines that `signed.read_head` reads."""
    lines = kind + json.dumps(told).encode() + b"\n"
    return lines + key.sign(lines).hex().encode() + b"\n"


def listed(name: str, content: bytes) -> list:
    """A file's entry in such a list."""
    return [name, len(content), hashlib.sha256(content).hexdigest()]


def release_head(version: str, kernel: str, files: dict[str, bytes], root: Path, key: Ed25519PrivateKey) -> bytes:
    """The list of a release: these files, and the root."""
    entries = [*(listed(name, content) for name, content in files.items()),
               [RELEASE.ROOT, root.stat().st_size, sha256(root)]]
    told = {"version": version, "machine": program("slots").MACHINE, "kernel": kernel, "files": entries}
    return signed_head(RELEASE.KIND, told, key)


def make_bundle(app: Path, version: str, key: Ed25519PrivateKey, folder: Path) -> Path:
    """Write the bundle of the application in `app` into `folder`; its path."""
    files = {str(path.relative_to(app)): path.read_bytes() for path in sorted(app.rglob("*")) if path.is_file()}
    told = {"version": version, "files": [listed(name, content) for name, content in files.items()]}
    target = folder / f"archipel-update-{version}.bundle"
    with target.open("wb") as file:
        file.write(signed_head(MARK, told, key))
        file.writelines(files.values())
    return target


@dataclass(frozen=True)
class MadeRelease:
    """What a system bundle is made of: the signed list, what `bootfs.boot_files` gives, the root."""

    head: bytes
    files: dict[str, bytes]
    root: Path


def make_system_bundle(made: MadeRelease, key: Ed25519PrivateKey, folder: Path, before: Path | None = None) -> Path:
    """Write `archipel-system-VERSION.bundle` into `folder`; its path.

    `before`: the full bundle of another release. Then it is a small one, `archipel-system-VERSION-from-BEFORE.bundle`, for
    boxes that run that release: what is the same is not in it, and of root, kernel and initramfs only what is other, where
    that is shorter.
    """
    release = RELEASE.read_release(io.BytesIO(made.head), public_bytes(key))
    with contextlib.ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        known = old_files(before, public_bytes(key), work) if before else None
        payloads = [payload(path, made, known, work) for path in release.files]
        taken = [path for path, (way, _) in zip(release.files, payloads, strict=True) if way in ("same", "rdiff")]
        base = {path: known.release.files[path][1] for path in taken} if known else {}
        parts = [[path, way, content.stat().st_size, sha256(content)]
                 for path, (way, content) in zip(release.files, payloads, strict=True)]
        line = json.dumps({"from": base, "parts": parts}).encode() + b"\n"
        against = f"-from-{known.release.version}" if known else ""
        target = folder / f"archipel-system-{release.version}{against}.bundle"
        with target.open("wb") as file:
            file.write(made.head + line + key.sign(made.head + line).hex().encode() + b"\n")
            for _, content in payloads:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file, 1 << 20)
    return target


@dataclass(frozen=True)
class OldRelease:
    """The release that a small update starts from, and what its slot holds: listed path -> file."""

    release: Any
    held: dict[str, Path]


def old_files(before: Path, public: bytes, work: Path) -> OldRelease:
    """What a full bundle brings."""
    system = program("system_update")
    held = {}
    with before.open("rb") as stream:
        told = system.read_bundle(stream, public)
        for path in told.release.files:
            if path == RELEASE.ROOT or path.startswith(RELEASE.BOOT):
                held[path] = work / f"before-{path.replace('/', '-')}"
                held[path].write_bytes(b"".join(system.made(stream, told, path, None)))
    return OldRelease(told.release, held)


def payload(path: str, made: MadeRelease, known: OldRelease | None, work: Path) -> tuple[str, Path]:
    """(way, the payload) of a listed file: the shortest."""
    if path == RELEASE.ROOT:
        return ("rdiff", delta(known.held[path], made.root, work / "root-delta")) if known else ("whole", made.root)
    content, target = made.files[path], work / path.replace("/", "-")
    if known and known.release.files.get(path) == (len(content), hashlib.sha256(content).hexdigest()):
        return "same", Path(os.devnull)
    target.write_bytes(content)
    ways = {"whole": content, "xz": lzma.compress(content, preset=6)}
    if known and path in known.held:
        ways["rdiff"] = delta(known.held[path], target, work / "delta").read_bytes()
    way = min(ways, key=lambda way: len(ways[way]))
    target.write_bytes(ways[way])
    return way, target


def delta(old: Path, new: Path, target: Path) -> Path:
    """What rdiff makes of two files. Blocks of 512 octets: smaller ones made no smaller delta, and a longer signature."""
    signature = target.with_suffix(".signature")
    subprocess.run(["rdiff", "--force", "-b", "512", "signature", str(old), str(signature)], check=True)
    subprocess.run(["rdiff", "--force", "delta", str(signature), str(new), str(target)], check=True)
    return target


def sha256(path: Path) -> str:
    """The file's SHA-256, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Makes what is signed: the bundle of an application layer (update.py), the list of a release (release.py)."""

import hashlib
import json
import os
from pathlib import Path

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


def sha256(path: Path) -> str:
    """The file's SHA-256, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

"""Makes `archipel-update-VERSION.bundle` of an application layer, and the key that signs it (the format: update.py)."""

import hashlib
import json
import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archipel_image.sources import program

MARK: bytes = program("update").MARK


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


def make_bundle(app: Path, version: str, key: Ed25519PrivateKey, folder: Path) -> Path:
    """Write the bundle of the application in `app` into `folder`; its path."""
    files = sorted(path for path in app.rglob("*") if path.is_file())
    contents = [path.read_bytes() for path in files]
    listed = [[str(path.relative_to(app)), len(content), hashlib.sha256(content).hexdigest()]
              for path, content in zip(files, contents, strict=True)]
    line = json.dumps({"version": version, "files": listed}).encode() + b"\n"
    target = folder / f"archipel-update-{version}.bundle"
    with target.open("wb") as file:
        file.write(MARK + line + key.sign(MARK + line).hex().encode() + b"\n")
        file.writelines(contents)
    return target

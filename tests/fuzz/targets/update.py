"""A bundle of a new version on a stick, signed by a stranger or by who makes Archipel: nothing is written outside its
folder, and what is not whole changes nothing."""

import hashlib
import json
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archipel_image.sources import program
from tests.fuzz.kinds import OVERLAY, Target
from tests.fuzz.seeding import MEMORY

UPDATE = program("update")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PART = b"\n==\n"


def run(octets):
    """The octets as a bundle; then as a manifest and the files, which its maker has signed."""
    line, _, rest = octets.partition(PART)
    signed = UPDATE.MARK + line.replace(b"\n", b" ") + b"\n"
    for content in (octets, signed + KEY.sign(signed).hex().encode() + b"\n" + rest):
        taken(content)


def taken(content):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        stick, app = Path(folder) / "stick", Path(folder) / "app"
        stick.mkdir()
        app.mkdir()
        (stick / "archipel-update-1.2.bundle").write_bytes(content)
        try:
            version = UPDATE.take(stick, app, PUBLIC, "1.0")
        except UPDATE.UpdateRefused as refused:
            assert str(refused) and refused.told["text"] and UPDATE.current(app) is None
            assert {path.name for path in app.iterdir()} <= {"seen"}, list(app.iterdir())
            version = None
        assert {path.name for path in Path(folder).iterdir()} == {"stick", "app"}
        assert version is None or (UPDATE.whole(app / version, PUBLIC) and UPDATE.current(app) == version), version
        assert all(Path(folder) in path.resolve().parents for path in app.rglob("*"))
        if version:
            assert UPDATE.take(stick, app, PUBLIC, "1.0") is None


def manifest(version="1.2", files=((b"node/a", b"print()"),), **more):
    told = [[path.decode(), len(content), hashlib.sha256(content).hexdigest()] for path, content in files]
    return json.dumps({"version": version, "files": told, **more}).encode() + PART + b"".join(part for _, part in files)


def seeds():
    yield manifest()
    yield manifest(files=((b"node/a", b"1"), (b"node/sub/b", b"22"), (b"c", b"")))
    for path in (b"../a", b"/etc/a", b"a//b", b".a", b"a/../b", b"a" * 400, b"a\0b", "é".encode()):
        yield manifest(files=((path, b"1"),))
    yield manifest(files=((b"a", b"1"), (b"a", b"2")))
    yield manifest(files=((b"a", b"1"), (b"a/b", b"2")))
    yield manifest(files=((b"node", b""), (b".manifest", b"2")))
    for version in ("0.9", "1", "1.2.3.4.5", "99999.1", "../x", 7, None, ""):
        yield manifest(version)
    yield manifest()[:-1]
    yield manifest() + b"more"
    yield from (b"[]", b"{}", b"7", b"{" * 900, b'{"version": "1.2", "files": [7]}', b'{"version": "1.2", "files": 7}',
                 b'{"version": "1.2", "files": [["a", -1, ""]]}', b'{"version": "1.2", "files": [["a", 1e9, ""]]}',
                 b'{"version": "1.2", "files": [["a", true, ""]]}', b'{"version": "1.2", "files": {"a/b": 1}}')
    yield UPDATE.MARK + b"{}\n" + b"0" * 128 + b"\n"
    yield UPDATE.MARK + b"{}\nx"


TARGET = Target(
    run, (f"{OVERLAY}/update.py: unpack whole take in_use current",
          f"{OVERLAY}/signed.py: read_head read_signed_line inside numbers _order named_so open_plain why lines_of"), seeds,
    2_048, (PART, b'"version": "1.2"', b'"files": [["', b"../"), aside={
    "no plain file is told by its name": ("if not stat.S_ISREG",)})

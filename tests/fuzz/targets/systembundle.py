"""A bundle of a new system on a stick, its lists signed by who makes Archipel or by nobody: read, or refused with a sentence."""

import io
import json

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archipel_image.sources import program
from tests.fuzz.kinds import OVERLAY, Target

SYSTEM, RELEASE, SIGNED = program("system_update"), program("release"), program("signed")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
PART = b"\n==\n"
ROOT = ["root.squashfs", 3, "a" * 64]


def run(octets):
    """The octets as a bundle; then as its two lists and what follows, which its maker has signed."""
    lists, _, rest = octets.partition(PART)
    first, _, second = lists.partition(b"\n")
    head = RELEASE.KIND + first + b"\n"
    head += KEY.sign(head).hex().encode() + b"\n"
    line = second.replace(b"\n", b" ") + b"\n"
    for content in (octets, head + line + KEY.sign(head + line).hex().encode() + b"\n" + rest):
        try:
            bundle = SYSTEM.read_bundle(io.BytesIO(content), PUBLIC)
        except SIGNED.UpdateRefused as refused:
            assert refused.told["text"]
        else:
            holds(bundle, content)


def holds(bundle, content):
    """What a bundle that is taken says of itself can be followed."""
    ways = [way for way, _, _, _ in bundle.parts.values()]
    assert set(bundle.parts) == set(bundle.release.files) and RELEASE.ROOT in bundle.parts and set(ways) <= set(SYSTEM.WAYS)
    assert all(type(size) is int and 0 < at <= at + size for _, size, _, at in bundle.parts.values())
    assert content.startswith(bundle.release.head)


def lists(files=(ROOT,), parts=(("root.squashfs", "whole", 3, "b" * 64),), came_from=None, **more):
    told = {"version": "1.2", "machine": "pi", "kernel": "6", "files": files, **more}
    return json.dumps(told).encode() + b"\n" + json.dumps({"from": came_from or {}, "parts": parts}).encode() + PART + b"abc"


def seeds():
    yield lists()
    both = [ROOT, ["boot/vmlinuz", 2, "c" * 64]]
    for way in ("xz", "rdiff", "same", "plain", 7):
        yield lists(both, (("root.squashfs", way, 3, "b" * 64), ("boot/vmlinuz", "same", 0, "")), {"root.squashfs": "d" * 64})
    for size in (-1, 1.5, True, None, 10**30):
        yield lists(parts=(("root.squashfs", "xz", size, "b" * 64),))
    for path in ("boot/a/b", "other/a", "../a", "boot/", "root.squashfs/a"):
        yield lists([ROOT, [path, 1, "c" * 64]])
    yield lists([["boot/a", 1, "c" * 64]])
    yield lists(machine=7)
    yield lists(parts=())
    yield from (PART.join((b"{}\n{}", b"")), b"[]\n[]", lists().replace(b'"from"', b'"to"'), lists().replace(b"{}", b"[7]"),
                lists()[:-9], RELEASE.KIND + b"{}\n" + b"0" * 128 + b"\n", b"")


TARGET = Target(run, (f"{OVERLAY}/release.py: read_release", f"{OVERLAY}/system_update.py: read_bundle"), seeds, 2_048,
                (PART, b'"files": [["', b'"parts": [["', b"boot/", b"rdiff"))

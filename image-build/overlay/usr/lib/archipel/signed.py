"""Signed lists of files: the head of every bundle that a box takes, and of what it checks itself against.

    KIND | a line of JSON: {"version": "1.2.3", "files": [[path, bytes, sha256], ...], ...} | signature, hex
    KIND is a line such as "archipel update 1"; the signature is Ed25519's (RFC 8032) over the first two lines

Used by `update.py` (the application), `release.py` and `system_update.py` (the whole system).
"""

import contextlib
import itertools
import json
import os
import re
import stat
from pathlib import Path
from typing import Any, BinaryIO

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PUBLIC_KEY = Path("/usr/share/archipel/update.pub")
MAX_MANIFEST_BYTES, MAX_FILES = 2_000_000, 10_000
SIGNATURE_LINE_BYTES = 2 * 64 + 1
MAX_NAMES, MAX_LOOKED_AT = 20_000, 200  # of a stick's files; of those with the name that is looked for, the newest first
SIGNATURE = re.compile(rb"([0-9a-f]{128})\n")
VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){1,3}")
NAME = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9_.+-]{0,120}")
MAX_TOLD = 4
DIGEST = re.compile(r"[0-9a-f]{64}")


def N_(text: str) -> str:
    """Mark a sentence for the catalogues; the portal says it in the reader's language."""
    return text


NO_UPDATE = N_("This is no update of Archipel.")
FORGED = N_("It was not made by who makes Archipel, or it was damaged. Copy it again, from where they publish it.")
BROKEN = N_("It is damaged or cut short. Copy it again.")
UNSOUND = N_("It breaks a rule of updates. Tell who makes Archipel.")
UNREADABLE = N_("It could not be read, or there is no room for it on the memory card (%(error)s).")


class UpdateRefused(Exception):
    """Why a bundle is not taken; nothing was changed. The text is one of the sentences of its program, `fields` fill it."""

    def __init__(self, text: str, **fields: str):
        super().__init__(text % fields if fields else text)
        self.told = {"text": text, "fields": fields}


def read_head(stream: BinaryIO, public: bytes, kind: bytes, max_total_bytes: int) -> tuple[dict[str, Any], bytes]:
    """The list of a bundle whose signature is right, and the octets up to the first file, where it leaves the stream.

    Raises UpdateRefused.
    """
    if stream.read(len(kind)) != kind:
        raise UpdateRefused(NO_UPDATE)
    line, signed = read_signed_line(stream, public, kind)
    try:  # signed from here on; what follows guards against mistakes, not against strangers
        manifest = json.loads(line)
        files = manifest["files"]
        sound = (VERSION.fullmatch(manifest["version"]) and len(files) <= MAX_FILES
                 and all(inside(path) and type(size) is int and size >= 0 and DIGEST.fullmatch(digest)
                         for path, size, digest in files)
                 and len({path for path, _, _ in files}) == len(files)  # one of a name, or none is whole
                 and sum(size for _, size, _ in files) <= max_total_bytes)
    except (ValueError, KeyError, TypeError, RecursionError):
        sound = False
    if not sound:
        raise UpdateRefused(UNSOUND)
    return manifest, kind + line + signed


def read_signed_line(stream: BinaryIO, public: bytes, before: bytes) -> tuple[bytes, bytes]:
    """(the next line, the line after it), if that one is a signature of `before` and the line. Raises UpdateRefused."""
    line = stream.readline(MAX_MANIFEST_BYTES)
    signed = stream.read(SIGNATURE_LINE_BYTES)
    signature = SIGNATURE.fullmatch(signed)
    try:
        if signature is None:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature[1].decode()), before + line)
    except InvalidSignature as error:
        raise UpdateRefused(FORGED) from error
    return line, signed


def inside(path: Any) -> bool:
    """Whether a listed path stays inside the folder that it is for."""
    return isinstance(path, str) and len(path) < 400 and all(NAME.fullmatch(part) for part in path.split("/"))


def numbers(version: str) -> tuple[int, ...]:
    """A version's parts, so that the newest is the greatest."""
    return tuple(int(part) for part in version.split("."))


def why(error: UpdateRefused | OSError) -> UpdateRefused:
    """What a keeper is told of an error."""
    return error if isinstance(error, UpdateRefused) else UpdateRefused(UNREADABLE, error=error.strerror or "")


def named_so(stick: Path, name: re.Pattern[str]) -> list[Path]:
    """The plain files that are called so, whatever browsers and computers add to a name; the newest version first."""
    with os.scandir(stick) as entries:
        found = [Path(entry.path) for entry in itertools.islice(entries, MAX_NAMES)
                 if name.match(entry.name) and entry.is_file(follow_symlinks=False)]
    return sorted(found, key=lambda path: (_order(path), path.name), reverse=True)[:MAX_LOOKED_AT]


def _order(path: Path) -> tuple[int, ...]:
    found = VERSION.search(path.name)
    return numbers(found[0]) if found else ()


def open_plain(path: Path) -> BinaryIO:
    """A plain file; no link, pipe or device that somebody put there is followed or waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    stream = os.fdopen(descriptor, "rb")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise UpdateRefused(NO_UPDATE)
    return stream


def write_durably(path: Path, content: bytes) -> None:
    """Let a file hold this, at once or not at all, and on the card when this returns."""
    beside = path.with_name(path.name + ".part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Let the names in a folder be on the card."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines_of(path: Path) -> list[str]:
    """A small file's words; none if it is not there."""
    return path.read_text(errors="replace").split() if path.exists() else []


def tell(notices: Path, text: str, harmless: bool = False, **fields: Any) -> None:
    """Put a sentence before what is told already (MAX_TOLD lines of JSON): the first page and `status` tell it.

    A card that takes nothing keeps nothing from being done.
    """
    line = json.dumps({"text": text, "fields": fields} | ({"harmless": True} if harmless else {}))
    with contextlib.suppress(OSError):
        lines = notices.read_text(errors="replace").splitlines() if notices.exists() else []
        kept = [line, *(old for old in lines if old != line)][:MAX_TOLD]
        write_durably(notices, "".join(f"{each}\n" for each in kept).encode())

"""A sealed file: named parts under a passphrase, streamed, every chunk authenticated in its place. docs/store.md has bytes.

    "archipel backup\\n" | version | log2 n, r, p of scrypt (RFC 7914) | salt, 16
    then chunks: length, 4 bytes | ChaCha20-Poly1305 (RFC 8439) of: last chunk or not, 1 | length of name, 1 | name | block

The nonce is the chunk's number and the header is authenticated with each chunk: none can be left out, moved, repeated or
taken from another file, and without its last chunk a file is refused as cut short.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import count
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from node.model.errors import LocalMisuse

MAGIC = b"archipel backup\n"
VERSION = 1
SALT_BYTES = 16
HEADER_BYTES = len(MAGIC) + 4 + SALT_BYTES
LOG_N, R, P = 15, 8, 3  # 32 MB and about three seconds on a Pi Zero 2 W
MAX_LOG_N, MAX_P = 17, 16  # what a file may ask of us: 128 MB
BLOCK_BYTES = 1 << 16
MAX_NAME_BYTES = 255
MAX_SEALED_BYTES = 2 + MAX_NAME_BYTES + BLOCK_BYTES + 16

Part = tuple[str, Iterable[bytes]]


class BackupFault(StrEnum):
    """Why a backup cannot be read or put somewhere (`node.cli.backups` has the sentences)."""

    NOT_A_BACKUP = "not-a-backup"
    NEWER = "newer"  # made by a later version
    PASSPHRASE = "passphrase"  # noqa: S105 - wrong, or the beginning of the file is damaged
    DAMAGED = "damaged"
    CUT_SHORT = "cut-short"
    FOLDER_NOT_EMPTY = "folder-not-empty"


class BackupRefused(Exception):
    """A backup that cannot be read or put there, and why; `reason` may be given as its slug."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = BackupFault(reason)


class FileSeal:
    """What one file is sealed with: a key made of a passphrase, slowly (LOG_N), and of `salt`.

    `salt` (16 B) is fresh randomness: no other file is sealed with the key that it makes.
    """

    def __init__(self, passphrase: str, salt: bytes):
        if len(salt) != SALT_BYTES or not passphrase:
            raise LocalMisuse("a salt has 16 bytes, and a backup needs a passphrase")
        self._header = MAGIC + bytes([VERSION, LOG_N, R, P]) + salt
        self._cipher = ChaCha20Poly1305(_key(self._header, passphrase))

    def write(self, stream: BinaryIO, parts: Iterable[Part]) -> None:
        """Every part (its name, its blocks of any size), once; nothing but the block at hand is in memory."""
        numbers = count()
        stream.write(self._header)
        for name, block in _blocks(parts):
            _write_chunk(stream, self._cipher.encrypt(_nonce(numbers), _content(False, name, block), self._header))
        _write_chunk(stream, self._cipher.encrypt(_nonce(numbers), _content(True, "", b""), self._header))

    def check(self, stream: BinaryIO) -> None:
        """Read back what was written; raises BackupRefused if it is not whole."""
        numbers = count()
        if _read_header(stream) != self._header:
            raise BackupRefused("damaged")
        first = _open_chunk(stream, self._cipher, _nonce(numbers), self._header, "damaged")
        for _ in _opened(first, stream, self._cipher, numbers, self._header):
            pass


def seal(stream: BinaryIO, passphrase: str, parts: Iterable[Part], salt: bytes) -> None:
    """Write every part (its name, its blocks of any size) to `stream`, sealed under a passphrase; `salt` as of FileSeal."""
    FileSeal(passphrase, salt).write(stream, parts)


def unseal(stream: BinaryIO, passphrase: str) -> Iterator[tuple[str, bytes]]:
    """Each part's name with each of its blocks, in order; raises BackupRefused, for a wrong passphrase at once.

    What was given before a later chunk is refused must be thrown away by the caller.
    """
    header = _read_header(stream)
    cipher, numbers = ChaCha20Poly1305(_key(header, passphrase)), count()
    first = _open_chunk(stream, cipher, _nonce(numbers), header, "passphrase")
    return _opened(first, stream, cipher, numbers, header)


def _opened(chunk: bytes, stream: BinaryIO, cipher: ChaCha20Poly1305, numbers: Iterator[int],
            header: bytes) -> Iterator[tuple[str, bytes]]:
    while not chunk[0]:
        end = 2 + chunk[1]
        yield chunk[2:end].decode(), chunk[end:]
        chunk = _open_chunk(stream, cipher, _nonce(numbers), header, "damaged")
    if stream.read(1):
        raise BackupRefused("damaged")


def _read_header(stream: BinaryIO) -> bytes:
    header = stream.read(HEADER_BYTES)
    if not header.startswith(MAGIC):
        raise BackupRefused("not-a-backup")
    if len(header) < HEADER_BYTES:
        raise BackupRefused("cut-short")
    version, log_n, r, p = header[len(MAGIC):len(MAGIC) + 4]
    if version != VERSION or not 1 <= log_n <= MAX_LOG_N or r != R or not 1 <= p <= MAX_P:
        raise BackupRefused("newer")
    return header


def _open_chunk(stream: BinaryIO, cipher: ChaCha20Poly1305, nonce: bytes, header: bytes, refusal: str) -> bytes:
    size = int.from_bytes(_exactly(stream, 4), "big")
    if size > MAX_SEALED_BYTES:
        raise BackupRefused("damaged")
    try:
        return cipher.decrypt(nonce, _exactly(stream, size), header)
    except InvalidTag:
        raise BackupRefused(refusal) from None


def _exactly(stream: BinaryIO, size: int) -> bytes:
    taken = b""
    while len(taken) < size:
        piece = stream.read(size - len(taken))
        if not piece:
            raise BackupRefused("cut-short")
        taken += piece
    return taken


def _key(header: bytes, passphrase: str) -> bytes:
    log_n, r, p = header[len(MAGIC) + 1:len(MAGIC) + 4]
    typed = unicodedata.normalize("NFKC", passphrase).encode()  # keyboards differ in how they write an accent
    return Scrypt(salt=header[-SALT_BYTES:], length=32, n=1 << log_n, r=r, p=p).derive(typed)


def _nonce(numbers: Iterator[int]) -> bytes:
    return next(numbers).to_bytes(12, "big")


def _blocks(parts: Iterable[Part]) -> Iterator[tuple[str, bytes]]:
    for name, pieces in parts:
        yield name, b""  # so that an empty part is there too
        waiting = bytearray()
        for piece in pieces:
            waiting += piece
            while len(waiting) >= BLOCK_BYTES:
                yield name, bytes(waiting[:BLOCK_BYTES])
                del waiting[:BLOCK_BYTES]
        if waiting:
            yield name, bytes(waiting)


def _content(last: bool, name: str, block: bytes) -> bytes:
    encoded = name.encode()
    if len(encoded) > MAX_NAME_BYTES:
        raise LocalMisuse(f"too long a name for a part: {name}")
    return bytes([last, len(encoded)]) + encoded + block


def _write_chunk(stream: BinaryIO, sealed: bytes) -> None:
    stream.write(len(sealed).to_bytes(4, "big") + sealed)

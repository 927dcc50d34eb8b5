"""Records as a stranger's machine may hold them: sealed, of few sizes, under names that tell nothing.

Every island makes the same bytes of the same record, so that islands never overwrite each other with something else.
Sealed: nonce (12) | ChaCha20-Poly1305 (RFC 8439) of length (2), record, zeros; the slot is what is authenticated beside.
"""

import hashlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from node.model.errors import RemoteFault
from node.model.keys import Charter

SLOT_BYTES = 16
NONCE_BYTES, TAG_BYTES, LENGTH_BYTES = 12, 16, 2
SEALED_BYTES = (256, 512, 1024, 1792)  # most records are of the first size; the last holds the largest record


class Seal:
    """What members of one set can close and open."""

    def __init__(self, charter: Charter):
        self._cipher = ChaCha20Poly1305(charter.subkey("seal"))
        self._nonce_key, self._topic_key = charter.subkey("nonce"), charter.subkey("topic")

    def slot(self, id_: bytes) -> bytes:
        """16 bytes that stand for a record's id and tell nothing of it."""
        return hashlib.blake2b(id_, key=self._topic_key, digest_size=SLOT_BYTES, person=b"archipel-slot").digest()

    def close(self, slot: bytes, raw: bytes) -> bytes:
        """A record, sealed for its slot."""
        plain = len(raw).to_bytes(LENGTH_BYTES, "big") + raw
        size = next(size for size in SEALED_BYTES if size >= NONCE_BYTES + len(plain) + TAG_BYTES)
        nonce = hashlib.blake2b(slot + raw, key=self._nonce_key, digest_size=NONCE_BYTES).digest()
        return nonce + self._cipher.encrypt(nonce, plain.ljust(size - NONCE_BYTES - TAG_BYTES, b"\0"), slot)

    def open(self, slot: bytes, sealed: bytes) -> bytes:
        """The record in it; raises RemoteFault unless a member made exactly these bytes for this slot."""
        if len(sealed) not in SEALED_BYTES:
            raise RemoteFault("seal-size")
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], slot)
        except InvalidTag:
            raise RemoteFault("seal") from None
        length = int.from_bytes(plain[:LENGTH_BYTES], "big")
        raw = plain[LENGTH_BYTES : LENGTH_BYTES + length]
        if len(raw) != length or self.close(slot, raw) != sealed:
            raise RemoteFault("seal-form")
        return raw

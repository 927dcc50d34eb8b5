"""Keys and the charter: who signs, and which set this is. Ed25519 (RFC 8032) and X25519 (RFC 7748) by `cryptography`."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from node.model.errors import LocalMisuse
from node.model.record import KEY_ID_BYTES

SEED_BYTES = SECRET_BYTES = 32
SET_ID_BYTES = 16
_P = 2**255 - 19  # of the field that both curves are over


def key_id(public: bytes) -> bytes:
    """8 bytes that name a public key inside records."""
    return hashlib.blake2b(public, digest_size=KEY_ID_BYTES, person=b"archipel-key").digest()


def verify(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` (64 B) over `message` was made by the key `public` (32 B)."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def agreed_key(public: bytes) -> bytes:
    """The X25519 public key of who signs with `public`: the same point's u = (1 + y) / (1 - y) (RFC 7748, 4.1)."""
    y = int.from_bytes(public, "little") & (1 << 255) - 1
    return ((1 + y) * pow(1 - y, -1, _P) % _P).to_bytes(32, "little")


class SigningKey:
    """A private key made from a 32-byte seed; the seed comes from outside (os.urandom, a key file, a test)."""

    def __init__(self, seed: bytes):
        if len(seed) != SEED_BYTES:
            raise LocalMisuse("a signing key is made from 32 bytes")
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self._private.public_key().public_bytes_raw()
        self.key_id: bytes = key_id(self.public)
        self._agreeing = X25519PrivateKey.from_private_bytes(hashlib.sha512(seed).digest()[:32])  # RFC 8032, 5.1.5

    @property
    def agreeing(self) -> bytes:
        """32 bytes: its public key for `agree`, the same as `agreed_key` makes of the public key."""
        return self._agreeing.public_key().public_bytes_raw()

    def agree(self, other: bytes) -> bytes | None:
        """32 bytes in common with the owner of the X25519 public key `other`; None if that is of small order."""
        try:
            return self._agreeing.exchange(X25519PublicKey.from_public_bytes(other))
        except ValueError:
            return None

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(message)


@dataclass(frozen=True)
class Charter:
    """What makes a set: its name, its founders' public keys (32 B each, sorted), and the key its members share.

    `secret` (32 B) keeps strangers out of packets and sealed messages; it proves membership, not authorship.
    """

    name: str
    founders: tuple[bytes, ...]
    secret: bytes

    @classmethod
    def found(cls, name: str, founders: Iterable[bytes], secret: bytes) -> "Charter":
        """A charter with its founders in canonical order."""
        return cls(name, tuple(sorted(set(founders))), secret)

    @cached_property
    def set_id(self) -> bytes:
        """16 bytes: the fingerprint of the name and the founders (public; printed on paper)."""
        text = self.name.encode()
        hashed = len(text).to_bytes(2, "big") + text + b"".join(self.founders)
        return hashlib.blake2b(hashed, digest_size=SET_ID_BYTES, person=b"archipel-set").digest()

    def subkey(self, purpose: str) -> bytes:
        """32 bytes for one purpose (`tag`, `seal`, `nonce`, `topic`, `root`, `lan`); one tells nothing of another."""
        return hashlib.blake2b(self.set_id + purpose.encode(), key=self.secret, digest_size=32).digest()

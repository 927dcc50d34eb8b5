"""A seed under a passphrase: scrypt (RFC 7914) and ChaCha20-Poly1305 (RFC 8439), through `cryptography`."""

import unicodedata

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from node.model.errors import LocalMisuse

SALT_BYTES, NONCE_BYTES = 16, 12
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 15, 8, 1  # 32 MB and about a tenth of a second here, a second or two on a Pi Zero 2 W


class WrongPassphrase(Exception):
    """The passphrase is not the one the seed was sealed with (or what was sealed is damaged)."""


def seal(secret: bytes, passphrase: str, salt: bytes) -> bytes:
    """salt (16) | sealed secret. `salt` is fresh randomness: the key it makes is used once, so the nonce may be 0."""
    if len(salt) != SALT_BYTES:
        raise LocalMisuse("a salt has 16 bytes")
    return salt + ChaCha20Poly1305(_key(passphrase, salt)).encrypt(bytes(NONCE_BYTES), secret, None)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """What was sealed; raises WrongPassphrase."""
    salt, rest = sealed[:SALT_BYTES], sealed[SALT_BYTES:]
    try:
        return ChaCha20Poly1305(_key(passphrase, salt)).decrypt(bytes(NONCE_BYTES), rest, None)
    except InvalidTag:
        raise WrongPassphrase from None


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt, 32, SCRYPT_N, SCRYPT_R, SCRYPT_P).derive(unicodedata.normalize("NFC", passphrase.strip()).encode())

"""What people keep secret: the one rule for passwords and passphrases, and a seed under a passphrase.

A seed is sealed with scrypt (RFC 7914) and ChaCha20-Poly1305 (RFC 8439), through `cryptography`.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from node.model.errors import LocalMisuse

SALT_BYTES, NONCE_BYTES = 16, 12
SCRYPT_N, SCRYPT_R, SCRYPT_P = 1 << 15, 8, 1  # 32 MB and about a tenth of a second here, a second or two on a Pi Zero 2 W
LEAST, MOST = 10, 200  # characters; two above the floor of NIST SP 800-63B, as wrong tries lock nothing for good here
LEAST_OWN = 8  # letters that must be left without what everybody tries first: that floor itself
LEAST_WORD = 3  # letters of a name that are looked for
TRIED_FIRST = (  # by whoever guesses; longer ones before those that they hold
    "archipelago", "archipel", "motdepasse", "passphrase", "password", "passw0rd", "passwort", "contrasena",
    "administrator", "administrateur", "gardienne", "gardien", "keeper", "admin", "azertyuiop", "azerty", "qsdfghjklm",
    "qwertyuiop", "qwerty", "qwertz", "asdfghjkl", "wxcvbn", "zxcvbnm", "bienvenue", "bienvenido", "welcome", "bonjour",
    "secret", "jetaime", "iloveyou", "letmein", "كلمةالسر", "كلمةالمرور", "مرحبا",
)


class WrongPassphrase(Exception):
    """The passphrase is not the one the seed was sealed with (or what was sealed is damaged)."""


class PassphraseFault(StrEnum):
    """Why a password or passphrase cannot be taken."""

    SHORT = "short"
    LONG = "long"
    UNREADABLE = "unreadable"  # it holds what no keyboard types twice in the same way
    GUESSED = "guessed"


BOUNDS = {PassphraseFault.SHORT: LEAST, PassphraseFault.LONG: MOST}


def passphrase_fault(typed: str, *names: str) -> PassphraseFault | None:
    """What is wrong with a password or passphrase to be kept, None if nothing is; `names` are known to whoever guesses."""
    text = spellings(typed)[0]
    if not text.isprintable():
        return PassphraseFault.UNREADABLE
    if len(text) < LEAST:
        return PassphraseFault.SHORT
    if len(text) > MOST:
        return PassphraseFault.LONG
    return PassphraseFault.GUESSED if len(_own_part(text, names)) < LEAST_OWN else None


def spellings(typed: str) -> tuple[str, ...]:
    """The texts that may be meant by what was typed, the one to keep first: keyboards differ in how they write an accent.

    That is NFKC, without blanks around it; seeds of before are under NFC.
    """
    return tuple(dict.fromkeys(unicodedata.normalize(form, typed.strip()) for form in ("NFKC", "NFC")))


def seal(secret: bytes, passphrase: str, salt: bytes) -> bytes:
    """salt (16) | sealed secret. `salt` is fresh randomness: the key it makes is used once, so the nonce may be 0."""
    if len(salt) != SALT_BYTES:
        raise LocalMisuse("a salt has 16 bytes")
    return salt + _cipher(spellings(passphrase)[0], salt).encrypt(bytes(NONCE_BYTES), secret, None)


def unseal(sealed: bytes, passphrase: str) -> bytes:
    """What was sealed; raises WrongPassphrase."""
    salt, rest = sealed[:SALT_BYTES], sealed[SALT_BYTES:]
    for text in spellings(passphrase):
        try:
            return _cipher(text, salt).decrypt(bytes(NONCE_BYTES), rest, None)
        except InvalidTag:
            continue
    raise WrongPassphrase


def _cipher(text: str, salt: bytes) -> ChaCha20Poly1305:
    return ChaCha20Poly1305(Scrypt(salt, 32, SCRYPT_N, SCRYPT_R, SCRYPT_P).derive(text.encode("utf-8", "replace")))


def _own_part(text: str, names: Iterable[str]) -> str:
    """The letters and digits of a text without what everybody tries: known words and names, rows, a year, repetitions."""
    left = _letters(text)
    known = {_letters(word) for name in names for word in (name, *name.split())}
    for word in (*sorted(known, key=len, reverse=True), *TRIED_FIRST):
        left = left.replace(word, "") if len(word) >= LEAST_WORD else left
    left = re.sub(r"^\d+|\d+$", "", _without_rows(left))
    return left[:(left * 2).find(left, 1)] if left else ""  # `sesamesesame` is `sesame`


def _letters(text: str) -> str:
    """Letters and digits alone, without accents and capitals."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text).casefold() if letter.isalnum())


def _without_rows(text: str) -> str:
    """Without runs of three and more of one letter, or of neighbours in their alphabet: `aaa`, `1234`, `cba`."""
    kept, at = "", 0
    while at < len(text):
        end = max(_row_end(text, at, step) for step in (-1, 0, 1))
        kept, at = (kept, end) if end - at >= 3 else (kept + text[at], at + 1)
    return kept


def _row_end(text: str, at: int, step: int) -> int:
    end = at + 1
    while end < len(text) and ord(text[end]) - ord(text[end - 1]) == step:
        end += 1
    return end

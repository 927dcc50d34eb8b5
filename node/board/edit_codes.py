"""The edit code that lets an author, who has no account, correct or withdraw a post. Only its hash is kept."""

import hashlib
import hmac
import unicodedata

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else
CODE_LETTERS = 8  # 40 bits, behind a hash that costs some hundredths of a second to try
SALT_BYTES = 8
SCRYPT_N, SCRYPT_R, SCRYPT_P, HASH_BYTES = 1 << 13, 8, 1, 16


def make_code(randomness: bytes) -> str:
    """A code of 8 letters in two groups, from 8 or more random bytes."""
    letters = [LETTERS[byte * len(LETTERS) // 256] for byte in randomness[:CODE_LETTERS]]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def hash_code(code: str, salt: bytes) -> str:
    """What is kept of a code, in hexadecimal: the salt and its scrypt hash; blanks, hyphens and capitals do not count.

    Nor does how a keyboard writes an accent, as authors choose codes of their own.
    """
    plain = "".join(letter for letter in unicodedata.normalize("NFKC", code).casefold() if letter.isalnum())
    hashed = hashlib.scrypt(plain.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, dklen=HASH_BYTES)
    return (salt + hashed).hex()


def is_code(typed: str, kept: str) -> bool:
    """Whether what was typed is the code that `kept` was made of."""
    salt = bytes.fromhex(kept)[:SALT_BYTES]
    return hmac.compare_digest(hash_code(typed, salt), kept)

"""The private word that lets an author, who has no account, correct or withdraw a post. Only its hash is kept."""

import hashlib
import hmac

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that is mistaken for something else
WORD_LETTERS = 8  # 40 bits, behind a hash that costs some hundredths of a second to try
SALT_BYTES = 8
SCRYPT = {"n": 1 << 13, "r": 8, "p": 1, "dklen": 16}


def make_word(randomness: bytes) -> str:
    """A word of 8 letters in two groups, from 8 or more random bytes."""
    letters = [LETTERS[byte * len(LETTERS) // 256] for byte in randomness[:WORD_LETTERS]]
    return "".join(letters[:4]) + "-" + "".join(letters[4:])


def hash_word(word: str, salt: bytes) -> str:
    """What is kept of a word, in hexadecimal: the salt and its scrypt hash; blanks, hyphens and capitals do not count."""
    plain = "".join(letter for letter in word.lower() if letter.isalnum())
    return (salt + hashlib.scrypt(plain.encode(), salt=salt, **SCRYPT)).hex()


def is_word(word: str, kept: str) -> bool:
    """Whether it is the word that `kept` was made of."""
    salt = bytes.fromhex(kept)[:SALT_BYTES]
    return hmac.compare_digest(hash_word(word, salt), kept)

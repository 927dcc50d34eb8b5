"""One record as letters: printed, drawn as a QR code, read by a phone or typed (docs/protocol.md, "One record on paper").

Base32 (RFC 4648) of the record and three bytes of BLAKE2b, which find a letter typed wrong. No record begins with an A, so
the word ARCHIPEL before them, which tells a reader what this is, cannot be taken for letters of one.
"""

import hashlib

from node.model.errors import RemoteFault
from node.model.record import MAX_RECORD_BYTES
from node.transfer.invitation import from_text, to_text

WORD = "ARCHIPEL"
CHECK_BYTES = 3
MAX_LETTERS = 4_000  # blanks included; a record has 2,810 at most
ALIKE = str.maketrans("018", "OIB")  # digits that base32 does not have


def letters_of(raw: bytes) -> str:
    """The letters of one encoded record, in groups of five, ten to a line."""
    return to_text(raw + _check(raw))


def code_of(raw: bytes) -> str:
    """The text of its QR code: only capitals, digits and one blank, which QR codes pack tightest (ISO/IEC 18004)."""
    return f"{WORD} {''.join(letters_of(raw).split())}"


def record_in(text: str) -> bytes:
    """The encoded record, its signature unchecked, whose letters were typed or scanned; raises RemoteFault("letters")."""
    letters = "".join(text[:MAX_LETTERS].split()).upper().removeprefix(WORD)
    try:
        whole = from_text(letters.translate(ALIKE))
    except RemoteFault as fault:
        raise RemoteFault("letters") from fault
    raw, check = whole[:-CHECK_BYTES], whole[-CHECK_BYTES:]
    if not raw or len(raw) > MAX_RECORD_BYTES or check != _check(raw):
        raise RemoteFault("letters")
    return raw


def _check(raw: bytes) -> bytes:
    return hashlib.blake2b(raw, digest_size=CHECK_BYTES, person=b"archipel-letters").digest()

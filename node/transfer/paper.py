"""Records as letters: printed, drawn as QR codes, read by a phone or typed (docs/protocol.md, "Records on paper").

Base32 (RFC 4648) of the record and three bytes of BLAKE2b, which find a letter typed wrong. No record begins with an A, so
the word ARCHIPEL before them, which tells a reader what this is, cannot be taken for letters of one.
"""

import hashlib
import re
from collections.abc import Iterable

from node.model.errors import RemoteFault
from node.model.record import MAX_RECORD_BYTES
from node.transfer.invitation import from_text, to_text

WORD = "ARCHIPEL"
CHECK_BYTES = 3
MARK = "/"  # between two records in one code; base32 has no such sign, and QR codes pack it as a letter
MAX_LETTERS = 4_000  # of one record, blanks included: it has 2,810 at most
MAX_TEXT = 40_000  # of all that is read at once: two pages full of codes; 240 signatures to check at most
BETWEEN = re.compile(rf"{MARK}|\s(?={WORD}\s)", re.IGNORECASE)
ALIKE = str.maketrans("018", "OIB")  # digits that base32 does not have


def letters_of(raw: bytes) -> str:
    """The letters of one encoded record, in groups of five, ten to a line."""
    return to_text(raw + _check(raw))


def code_of(raw: bytes) -> str:
    """The text of its QR code: only capitals, digits and one blank, which QR codes pack tightest (ISO/IEC 18004)."""
    return f"{WORD} {''.join(letters_of(raw).split())}"


def codes_of(raws: Iterable[bytes], most_letters: int) -> list[str]:
    """The texts of the QR codes of many records, each of `most_letters` at most (longer if one record is).

    Each code is whole by itself: where one cannot be read any more, its own records are lost and no others.
    """
    codes: list[str] = []
    for letters in ("".join(letters_of(raw).split()) for raw in raws):
        if codes and len(codes[-1]) + len(MARK) + len(letters) <= most_letters:
            codes[-1] += MARK + letters
        else:
            codes.append(f"{WORD} {letters}")
    return codes


def records_in(text: str) -> tuple[list[bytes], int]:
    """The encoded records of all codes and letters in a text, and how many more there are with a mistake in them.

    Raises RemoteFault("letters") where there is none without one.
    """
    found, wrong = [], 0
    for part in filter(str.strip, BETWEEN.split(text[:MAX_TEXT])):
        try:
            found.append(record_in(part))
        except RemoteFault:
            wrong += 1
    if not found:
        raise RemoteFault("letters")
    return found, wrong


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

"""Codes that are read and typed by people: the one that lets a stick destroy the island, and the one of its first start.

They are made once, and found again in whatever somebody typed. Of the 32 letters and digits that nobody takes for another
(Crockford's base 32), the first has twelve, 60 bits, far beyond trying out; the other one eight, as wrong ones are slowed.
No I/O.
"""

import unicodedata

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH, START_LENGTH, GROUP = 12, 8, 4
MOST_LENGTH = 40  # of a code that somebody made up
RANDOM_BYTES, START_CODE_BYTES = LENGTH, START_LENGTH  # one a letter
MISREAD = str.maketrans("OIL", "011")


def code_of(random: bytes) -> str:
    """A code with a letter for each random byte, in groups as it is printed: `K7QF-3MTX-9WHD`."""
    letters = "".join(LETTERS[octet % len(LETTERS)] for octet in random)
    return "-".join(letters[at:at + GROUP] for at in range(0, len(letters), GROUP))


def holds_code(text: str, code: str) -> bool:
    """Whether a text holds the code: in any case, with any signs between its letters, among other words."""
    wanted = _bare(code)
    return len(wanted) >= START_LENGTH and wanted in _bare(text)


def is_code(text: str) -> bool:
    """Whether a text has enough letters and digits to be a code, and not so many that it must be something else."""
    return START_LENGTH <= len(_bare(text)) <= MOST_LENGTH


def _bare(text: str) -> str:
    """Its letters and digits alone, as codes have them; digits of any script."""
    signs = unicodedata.normalize("NFKC", text).upper().translate(MISREAD)
    digits = (str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in signs)
    return "".join(sign for sign in digits if sign in LETTERS)

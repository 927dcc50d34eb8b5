"""The code that lets a stick destroy the island: made once, and found again in whatever somebody typed. No I/O.

Twelve of the 32 letters and digits that nobody takes for another (Crockford's base 32): 60 bits, far beyond trying out.
"""

import unicodedata

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH, GROUP = 12, 4
RANDOM_BYTES = LENGTH
MISREAD = str.maketrans("OIL", "011")


def code_of(random: bytes) -> str:
    """A code made of 12 random bytes, in groups as it is printed: `K7QF-3MTX-9WHD`."""
    letters = "".join(LETTERS[octet % len(LETTERS)] for octet in random[:LENGTH])
    return "-".join(letters[at:at + GROUP] for at in range(0, LENGTH, GROUP))


def holds_code(text: str, code: str) -> bool:
    """Whether a text holds the code: in any case, with any signs between its letters, among other words."""
    wanted = _bare(code)
    return len(wanted) == LENGTH and wanted in _bare(text)


def _bare(text: str) -> str:
    """Its letters and digits alone, as codes have them; digits of any script."""
    signs = unicodedata.normalize("NFKC", text).upper().translate(MISREAD)
    digits = (str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in signs)
    return "".join(sign for sign in digits if sign in LETTERS)

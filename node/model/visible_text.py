"""Whether a text shows anything at all, and what of it is shown: what people cannot see says nothing, and must not fill a
board or turn a page or a terminal round.

Unicode 15 to 17, `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt), which Python does not know: these have no
glyph, whatever their category says. Signs of the same kind that have a glyph that is blank are listed after them.
"""

import re
import unicodedata

DEFAULT_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF))
BLANK = {0x2800, 0x1D159, 0x13441, 0x13442}  # the Braille blank, a notehead that is none, two blanks among hieroglyphs
SEEN = "LNPS"  # letters, numbers, punctuation, symbols: no space, no mark without what it stands on, no control
# Overrides and embeddings can turn a whole line round; marks (200E, 200F, 061C) are left to those who write both ways.
UNSHOWN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
NONCHARACTER = 0xFFFE  # the last two of each plane, and 32 more


def plain(text: str) -> str:
    """Without control characters and direction overrides; newlines and tabs stay."""
    return UNSHOWN.sub("", text)


def shows_something(text: str) -> bool:
    """Whether somebody who looks at it sees at least one sign."""
    return any(map(_is_seen, text))


def _is_seen(sign: str) -> bool:
    code, category = ord(sign), unicodedata.category(sign)
    if code in BLANK or any(first <= code <= last for first, last in DEFAULT_IGNORABLE):
        return False
    if category == "Cn":  # a sign of a later Unicode than this Python's, such as a new emoji
        return code & NONCHARACTER != NONCHARACTER and not 0xFDD0 <= code <= 0xFDEF
    return category[0] in SEEN

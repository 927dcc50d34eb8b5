"""Text as search sees it: no accents, ligatures or capitals; and what somebody typed as an FTS5 query that cannot fail."""

import re
import unicodedata

MAX_TEXT = 20_000  # characters of one record that are searched
MAX_TYPED = 200
MAX_WORDS = 8
_PLAIN = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ـ": "",
                        "ة": "ه", "ى": "ي"})  # the last two: as people write them
_WORD = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """`text` without case, accents, vowel signs and ligatures: "Œuvre à Liège" becomes "oeuvre a liege"; Arabic letters
    that people write one for the other at the end of a word become one."""
    parts = unicodedata.normalize("NFKD", text[:MAX_TEXT].casefold()).translate(_PLAIN)
    return "".join(sign for sign in parts if unicodedata.category(sign) not in ("Mn", "Cs"))


def query_of(typed: str) -> str:
    """FTS5 for: all these words, the last one perhaps only begun. Empty when nothing was typed that could be found."""
    words = _WORD.findall(fold(typed[:MAX_TYPED]))[:MAX_WORDS]
    return " ".join(f'"{word}"' for word in words) + "*" if words else ""

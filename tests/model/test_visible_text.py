"""What nobody can see is no text, whatever its signs are called; what people write in any script is."""

import sys
import unicodedata

import pytest

from node.model.visible_text import BLANK, DEFAULT_IGNORABLE, shows_something

UNSEEN = ["", " ", "\xa0", "\u2003", "\u3000", "\u200b", "\u3164", "\u2800", "\u115f", "\u1160", "\uffa0", "\xad",
    "\u034f", "\u061c", "\u200e", "\u200f", "\u2060", "\u2063", "\ufe0f", "\ufeff", "\u180e", "\u17b4",
    "\U000e0041\U000e007f", "\U000e0100", "\u0301", "\u0301\u0302", "\u20dd", "\u0903", "\U0001d173", "\U0001d159",
    "\U00013441", "\ue000", "\ufffe", "\ufdd0", "\U0001ffff", "\u2028\u2029", "\ud800", "\x00\x07",
    "\u200b \u3164\n\u2800\ufe0f", "\u2066\u2069"]
SEEN = ["a", "é", "é", ".", "…", "€", "7", "سلام", "می\u200cخواهم", "漢", "한", "한", "हि", "🍲", "👩\u200d🌾", "❤️",
    "1️⃣", "\u200bA", "ㅤ!", "\U0001facf", "⠁"]


@pytest.mark.parametrize("text", UNSEEN)
def test_what_nobody_sees_shows_nothing(text):
    assert not shows_something(text) and not shows_something(text * 50)


@pytest.mark.parametrize("text", SEEN)
def test_one_sign_that_shows_is_enough(text):
    assert shows_something(text) and shows_something("\u200b\u2800" * 20 + text)


def test_every_sign_that_shows_has_a_glyph_by_its_category():
    tried = 0
    for code in range(sys.maxunicode + 1):
        sign, category = chr(code), unicodedata.category(chr(code))
        if shows_something(sign):
            tried += 1
            assert category[0] in "LNPS" or category == "Cn"
            assert code not in BLANK and not any(first <= code <= last for first, last in DEFAULT_IGNORABLE)
        else:
            assert category[0] not in "NP"
    assert tried > 100_000

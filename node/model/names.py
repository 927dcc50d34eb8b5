"""The one rule for the names of keepers and groups: what is read aloud, typed again, and never taken for an option."""

import re
import unicodedata

MAX_NAME = 40  # characters
SIGNS = "-'’.&()"  # inside a name, and at its end
# letters and marks that show nothing (Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties)
INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")


def fit_name(typed: str) -> str | None:
    """The name that was typed, as it is kept (NFC, single blanks); None if it will not do.

    A name has 1 to 40 letters and digits of any script, blanks and some signs, and begins with a letter or a digit.
    """
    name = unicodedata.normalize("NFC", re.sub(" +", " ", typed.strip(" ")))
    fits = 1 <= len(name) <= MAX_NAME and name[0].isalnum() and all(map(_fits, name))
    return name if fits and not INVISIBLE.search(name) else None


def _fits(character: str) -> bool:
    return character == " " or character in SIGNS or unicodedata.category(character)[0] in "LM" or character.isdecimal()

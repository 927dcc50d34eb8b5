"""What is said in a settings file rather than set: `country is "FR"`, `le pays est la France`, `"country","FR"`. No I/O."""

import re
from collections.abc import Callable

from node.daemon.settings_text import DOUBLE, SINGLE, word

MAX_LINE, MAX_SIGNS = 200, 10  # characters; places at which a key could end
VERBS = ("is", "est", "es", "ist", "to", "equals", "equal", "égale", "vaut", "igual", "gleich", "هو", "هي")
QUOTES = re.escape(DOUBLE + SINGLE)
# after a key: a verb, signs, or the quote with which a value begins
SIGN = re.compile(rf"(?<![^\W_])(?:{'|'.join(VERBS)})(?![^\W_])|[^\w\s{QUOTES}]+|[\s_]*(?=[{QUOTES}]\w)|\s+")
QUOTED = re.compile(rf"[{QUOTES}]([^{QUOTES}]+)[{QUOTES}]")
SMALL = re.compile(r"[^\W\d_]{1,2}")


def spoken(line: str, key_of: Callable[[str], str]) -> tuple[str, str] | None:
    """(key, value) of a line that is no `key = value`; `key_of` is the key that some words name, "" if none.

    A value is what stands in quotes or is one word; of a country, which the Wi-Fi waits for, what is left without small
    words (`in`, `la`), which could be taken for codes.
    """
    if len(line) > MAX_LINE:
        return None
    for found in list(SIGN.finditer(line))[:MAX_SIGNS]:
        key = key_of(word(re.sub(r"\W+", " ", line[:found.start()])))
        if key:
            rest = re.sub(r"<[^>]*>", " ", line[found.end():])
            quoted = QUOTED.search(rest)
            value = quoted[1].strip() if quoted else _bare(rest, key)
            if value:
                return key, value
    return None


def _bare(rest: str, key: str) -> str:
    words = [one.strip(f"|<>(),;.:=≡~—–-{DOUBLE}{SINGLE}") for one in rest.split()]
    words = [one for one in words if one and word(one) not in VERBS]
    if key == "country":
        words = [one for one in words if one.isupper() or not SMALL.fullmatch(one)]
        return " ".join(words)
    return words[0] if len(words) == 1 else ""

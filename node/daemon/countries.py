"""Which country somebody means: by its code, a code that is commonly taken for it, or its name in some language."""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

from babel import Locale
from babel.core import get_global

# What Linux lets a transmitter do at 2.4 GHz (wireless-regdb 2026.05.30): Wi-Fi channels 1 to 13 there
_TO_13 = """
AD AE AF AI AL AM AR AT AU AW AZ BA BB BD BE BF BG BH BL BN BO BR BS BT BW BY BZ CF CH CI CL CN CO CR CU CX CY
CZ DE DK DZ EC EE EG ES ET FI FO FR GB GE GF GH GI GL GP GR GT GY HK HN HR HU ID IE IL IM IN IR IS IT JM JO JP
KE KH KN KP KR KW KY KZ LB LC LI LK LS LT LU LV MA MC MD ME MF MK MN MO MQ MR MT MU MV MW MX MY NA NG NL NO NP
NZ OM PA PE PF PG PH PK PL PM PT PY QA RE RO RS RU RW SA SE SG SI SK SM SN SR SV SX SY TC TD TG TH TN TR TT TZ
UA UG UY UZ VA VC VE VN VU WF WS YE YT ZA ZW"""
# 1 to 11: by law, or because Linux does not know the country and keeps to what is allowed everywhere
_TO_11 = """
AG AO AQ AS AX BI BJ BM BQ BV CA CC CD CG CK CM CV CW DJ DM DO EH ER FJ FK FM GA GD GG GM GN GQ GS GU GW HM HT
IO IQ JE KG KI KM LA LR LY MG MH ML MM MP MS MZ NC NE NF NI NR NU PN PR PS PW SB SC SD SH SJ SL SO SS ST SZ TF
TJ TK TL TM TO TV TW UM US VG VI XK ZM"""
TO_13, TO_11 = frozenset(_TO_13.split()), frozenset(_TO_11.split())
CODES = TO_13 | TO_11
COMMON = {"usa": "US", "u s a": "US", "etats unis d amerique": "US", "america": "US", "grande bretagne": "GB",
          "great britain": "GB", "gran bretana": "GB", "angleterre": "GB", "england": "GB", "inglaterra": "GB",
          "scotland": "GB", "ecosse": "GB", "escocia": "GB", "wales": "GB", "pays de galles": "GB", "بريطانيا": "GB",
          "انجلترا": "GB", "hollande": "NL", "holland": "NL", "holanda": "NL", "هولندا": "NL", "sp": "ES", "امريكا": "US",
          "ee uu": "US", "eeuu": "US", "rdc": "CD", "drc": "CD", "republique tcheque": "CZ", "czech republic": "CZ",
          "republica checa": "CZ", "helvetia": "CH",
          # as in sports, where they are not ISO's
          "sui": "CH", "ger": "DE", "alg": "DZ", "por": "PT", "den": "DK", "ned": "NL", "gre": "GR", "cro": "HR",
          "bul": "BG",
          "palestine": "PS", "palestina": "PS", "فلسطين": "PS"}
TONGUES = ("fr", "en", "es", "ar")  # the product's; names in the others are looked at last
OTHER_TONGUES = ("de", "it", "pt", "nl", "ca", "eu", "br", "tr", "pl", "ro", "ru", "uk", "ku", "zh")
ARTICLES = re.compile(r"^(?:l|le|la|les|el|los|las|the|der|die|il|o|a) ")
FLAG = 0x1F1E6 - ord("A")  # two of these letters are drawn as a flag
MAX_NAME = 80
# Cyrillic and Greek letters that look like those of a code
ALIKE = str.maketrans("АВЕЅІЈКМНОРСТУХΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABESIJKMHOPCTYXABEZHIKMNOPTYX")
LEAST_LIKE, LEAST_NAME = 0.8, 5  # `difflib` ratio: one letter missing or two exchanged in a name of five


def country_of(text: str) -> str:
    """The two letters (ISO 3166-1) of the country that is meant; raises ValueError when it is none, or could be several."""
    if len(text) > MAX_NAME:
        raise ValueError("no name of a country is so long")
    unflagged = "".join(chr(ord(sign) - FLAG) if 0 <= ord(sign) - FLAG - ord("A") < 26 else sign for sign in text)
    name = _plain(unflagged)
    found = COMMON.get(name) or _by_code(unicodedata.normalize("NFKC", unflagged)) or _by_name(name)
    if found not in CODES:
        raise ValueError("no country")
    return found


def highest_channel(country: str) -> int:
    """Of Wi-Fi at 2.4 GHz."""
    return 11 if country in TO_11 else 13


def _by_code(text: str) -> str:
    letters = re.sub(r"[\W\d_]", "", text).upper().translate(ALIKE)
    if letters in CODES:
        return letters
    if found := re.fullmatch(r"\s*[a-z]{2,3}[-_]([A-Za-z]{2})\W*", text):  # a language's: fr-BE
        return found[1].upper()
    meant: list[str] = get_global("territory_aliases").get(letters, [])  # UK; FRA and the other codes of three letters
    return meant[0] if len(meant) == 1 else ""


def _by_name(name: str) -> str:
    bare = ARTICLES.sub("", name)
    for tongue in (*TONGUES, *OTHER_TONGUES):
        known = _names(tongue)
        if code := known.get(name) or known.get(bare):
            return code
    return _within(name) or _code_within(name) or _nearly(bare)


def _within(text: str) -> str:
    """The country whose name is a part of a text; of several the longest, `Guinea` being in `Guinea-Bissau` too."""
    named = {one: code for one, code in _all_names() if f" {one} " in f" {text} "}
    longest = max(named, key=len, default="")
    apart = [one for one in named if one not in longest and named[one] != named[longest]]
    return "" if apart else named.get(longest, "")


def _code_within(text: str) -> str:
    """`FR France`, where the name is misspelt."""
    codes = {part.upper() for part in text.split() if len(part) == 2 and part.upper() in CODES}
    return codes.pop() if len(codes) == 1 and text.split()[0].upper() in codes else ""


def _nearly(name: str) -> str:
    """The country with nearly this name, if it is the only one."""
    if len(name) < LEAST_NAME:
        return ""
    names: dict[str, set[str]] = {}
    for one, code in _all_names():
        names.setdefault(one, set()).add(code)
    codes = {code for one in difflib.get_close_matches(name, names, 5, LEAST_LIKE) for code in names[one]}
    return codes.pop() if len(codes) == 1 else ""


def _all_names() -> Iterator[tuple[str, str]]:
    for tongue in TONGUES:
        yield from _names(tongue).items()
    yield from COMMON.items()


@cache
def _names(tongue: str) -> Mapping[str, str]:
    """Code by name, in one language."""
    return {_plain(name): code for code, name in Locale(tongue).territories.items() if code in CODES}


def _plain(text: str) -> str:
    """A name without case, accents and signs."""
    signs = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(re.sub(r"[\W_]", " ", "".join(sign for sign in signs if not unicodedata.combining(sign))).split())

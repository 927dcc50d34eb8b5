"""How many text messages (SMS) a text takes: 3GPP TS 23.038, 6.2.1 (the alphabet of 7 bits), and TS 23.040, 9.2.3.24.1.

160 signs of that alphabet fit one message, 153 each of several; as soon as one sign is not in it (Arabic, an emoji, ê) all
are in UCS-2, of which 70 fit one, 67 each of several. A sign outside the first plane takes two places, as do some of the
alphabet (€ and brackets); neither is torn in two.
"""

import unicodedata

BASIC = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
            "abcdefghijklmnopqrstuvwxyzäöñüà")
EXTENDED = set("\f^{}\\[~]|€")  # after an escape
SEVEN_BITS, UCS_2 = (160, 153), (70, 67)  # places in a single message, in each of several
IN_ASCII = str.maketrans({
    "’": "'", "‘": "'", "“": '"', "”": '"', "«": '"', "»": '"', "–": "-", "—": "-", "…": "...", "œ": "oe", "Œ": "OE",
    "\u00a0": " ", "\u202f": " ", "·": "-", "•": "-", "\t": " "})
ORNAMENTS = ("So", "Sk", "Cf", "Mn", "Me")  # emoji and what belongs to them


def is_narrow(text: str) -> bool:
    """Whether a text needs the alphabet of 7 bits only."""
    return all(sign in BASIC or sign in EXTENDED for sign in text)


def messages(text: str) -> int:
    """How many text messages it takes."""
    narrow = is_narrow(text)
    single, each = SEVEN_BITS if narrow else UCS_2
    places = [1 + (sign in EXTENDED if narrow else sign > "\uffff") for sign in text]
    if sum(places) <= single:
        return 1
    count, left = 1, each
    for size in places:
        if size > left:
            count, left = count + 1, each
        left -= size
    return count


def narrowed(text: str) -> str:
    """The same with as few signs outside that alphabet as can be had without another word: accents that it lacks and emoji
    are left out, which would more than halve what fits. Another script stays as it is."""
    return "".join(map(_narrowed, text.translate(IN_ASCII)))


def _narrowed(sign: str) -> str:
    if is_narrow(sign):
        return sign
    base = unicodedata.normalize("NFD", sign)[0]
    if is_narrow(base):
        return base
    return "" if unicodedata.category(sign) in ORNAMENTS else sign

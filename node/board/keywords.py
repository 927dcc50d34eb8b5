"""Keys and fingerprints as words: to be written down, read aloud and typed by hand (BIP-39, through `mnemonic`).

A seed of 32 bytes is 24 words, the last of which checks the others. The lists are BIP-39's French, English and Spanish
ones; who reads Arabic is given the French list. In each list the first four letters tell a word from all others.
"""

import unicodedata
from functools import cache
from typing import NamedTuple

from mnemonic import Mnemonic

from node.i18n.sentence import Explained, sentence
from node.model.errors import LocalMisuse
from node.model.keys import SEED_BYTES
from node.model.search_text import fold

SEED_WORDS = 24
FINGERPRINT_WORDS = 6  # 66 bits: nobody can make another set with the same words
TELLING = 4  # letters that tell a word from all others of its list
LISTS = {"fr": "french", "en": "english", "es": "spanish"}
OTHER = "fr"  # for languages without a list of their own
MAX_TYPED = 2_000  # characters that are read; the longest 24 words have 240


class WordTrouble(Explained):
    """What was typed is not the 24 words of a key; the sentence says which word, or what to do."""


class _List(NamedTuple):
    """`words` as people write them, by number; `numbers` by folded word, and by its first letters."""

    words: tuple[str, ...]
    numbers: dict[str, int]


def seed_words(seed: bytes, language: str) -> tuple[str, ...]:
    """The 24 words of a seed (32 bytes), from the list of a language tag."""
    if len(seed) != SEED_BYTES:
        raise LocalMisuse("a seed has 32 bytes")
    english, words = _list("en"), _list(_listed(language)).words
    return tuple(words[english.numbers[word]] for word in Mnemonic(LISTS["en"]).to_mnemonic(seed).split())


def seed_of_words(text: str) -> bytes:
    """The seed behind 24 words of any of the lists; case, accents, numbers and what stands between words do not matter.

    A word may be cut to its first four letters. Raises WordTrouble.
    """
    typed = "".join(sign if sign.isalpha() else " " for sign in fold(text[:MAX_TYPED])).split()
    if len(typed) != SEED_WORDS:
        raise WordTrouble(sentence("A key has %(wanted)s words; these are %(typed)s. Please write all of them, "
                                   "in their order.", wanted=SEED_WORDS, typed=len(typed)))
    tag = max(LISTS, key=lambda each: sum(_number(word, each) is not None for word in typed))
    numbers = []
    for place, word in enumerate(typed, 1):
        if (number := _number(word, tag)) is None:
            raise WordTrouble(sentence("Word %(place)s, “%(word)s”, is not one of the words that keys are written with. "
                                       "Please look at the paper again.", place=place, word=word))
        numbers.append(number)
    try:
        return bytes(Mnemonic(LISTS["en"]).to_entropy([_list("en").words[number] for number in numbers]))
    except ValueError:
        raise WordTrouble(sentence("These words do not belong together: one of them is another word on the paper, or two "
                                   "have changed places.")) from None


def fingerprint_words(fingerprint: bytes, language: str) -> tuple[str, ...]:
    """The first 66 bits of a set's id (or of another fingerprint), as six words of a language's list."""
    bits = int.from_bytes(fingerprint, "big") >> (8 * len(fingerprint) - 11 * FINGERPRINT_WORDS)
    words = _list(_listed(language)).words
    return tuple(words[bits >> 11 * (FINGERPRINT_WORDS - 1 - place) & 0x7FF] for place in range(FINGERPRINT_WORDS))


def same_word(typed: str, word: str) -> bool:
    """Whether a word of the lists was typed, without regard to case and accents: whole, or four letters of it at least."""
    given, whole = fold(typed[:MAX_TYPED]).strip(" .,;:0123456789"), fold(word)
    return given == whole or (len(given) >= TELLING and whole.startswith(given))


def _listed(language: str) -> str:
    return language if language in LISTS else OTHER


def _number(typed: str, tag: str) -> int | None:
    """The number of a typed word: written whole, or begun with at least the letters that tell it."""
    numbers = _list(tag).numbers
    if typed in numbers:
        return numbers[typed]
    found = numbers.get(typed[:TELLING])
    return found if found is not None and fold(_list(tag).words[found]).startswith(typed) else None


@cache
def _list(tag: str) -> _List:
    # The library's version 0.19 has a byte order mark before its first French word.
    words = tuple(unicodedata.normalize("NFC", word.strip("\ufeff")) for word in Mnemonic(LISTS[tag]).wordlist)
    folded = [fold(word) for word in words]
    starts = {word[:TELLING]: number for number, word in enumerate(folded)}
    return _List(words, starts | {word: number for number, word in enumerate(folded)})

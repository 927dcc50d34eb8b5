"""What somebody asks by text: a word and the rest of the message, as it was typed. Nothing here knows the board."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from node.handheld.days import Span, days_meant
from node.handheld.words import FILLERS, TAGS, Verb, Vocabulary, language_named, plain

LETTERS: Mapping[str, Verb] = {"a": Verb.AGENDA, "n": Verb.NEWS, "h": Verb.HELP}  # for who has few keys
QUESTION_MARKS = "?؟¿!¡.…"
READING = frozenset((Verb.HELP, Verb.AGENDA, Verb.TODAY, Verb.TOMORROW, Verb.WEEK, Verb.NEWS, Verb.MORE, Verb.STATUS))
DAY_VERBS = frozenset((Verb.TODAY, Verb.TOMORROW, Verb.WEEK))
WORDS_OF_A_QUESTION = 4  # a reading word in a longer text is part of somebody's sentence
_FIRST = re.compile(r"\W*(\w(?:[\w'’-]*\w)?)[\s:;,.!?؟]*(.*)", re.DOTALL)
_NUMBER = re.compile(r"(?:n|no|nr|num|numero)?(\d{1,3})")
_COUNTED = re.compile(r"\s*(\d{1,3})[\s:.,)]+(\S.*)", re.DOTALL)


@dataclass(frozen=True)
class Asked:
    """What is asked: `verb` (None for what is not understood), the `rest` of the message as typed, a `number` of the last
    list, the `days` of an agenda, and the language that its words were in ("" if they do not tell)."""

    verb: Verb | None
    rest: str = ""
    number: int | None = None
    days: Span | None = None
    tag: str = ""


def asked(text: str, tag: str, words: Vocabulary, today: date) -> Asked:
    """What a message asks of an island whose reader speaks `tag`."""
    typed = text.strip()
    if not typed.strip(QUESTION_MARKS):
        return Asked(Verb.HELP)
    if typed[0] == "+":
        return Asked(Verb.MORE)
    if (number := number_in(typed)) is not None:
        return Asked(None, number=number)
    match = _FIRST.match(typed)
    if not match:
        return Asked(None, typed)
    word, rest = match[1], match[2].strip()
    known = words.exactly(word, tag)
    if known is None and (days := days_meant(typed.strip(QUESTION_MARKS), today, words, tag)):
        meant = words.meant(typed.split()[-1], tag)
        return Asked(Verb.AGENDA, days=days, tag=meant[1] if meant and meant[0] in DAY_VERBS else "")
    return _by_word(typed, word, rest, known or words.meant(word, tag), _Asker(tag, words, today))


@dataclass(frozen=True)
class _Asker:
    tag: str
    words: Vocabulary
    today: date


def _by_word(typed: str, word: str, rest: str, meant: tuple[Verb, str] | None, reader: _Asker) -> Asked:
    if meant is None:
        return _without_word(typed, word, rest, reader)
    verb, tag = meant
    if verb is Verb.LANGUAGE:
        return Asked(verb, rest, number=number_in(rest), tag=language_named(rest))
    if verb in DAY_VERBS and not rest:
        return Asked(Verb.AGENDA, days=days_meant(word, reader.today, reader.words, reader.tag), tag=tag)
    if verb is Verb.AGENDA:
        days = days_meant(rest.strip(QUESTION_MARKS), reader.today, reader.words, reader.tag) if rest else None
        return Asked(verb, rest, number_in(rest) if not days else None, days, tag)
    if verb in READING | {Verb.THANKS}:
        number = number_in(rest)
        short = number is not None or len(rest.split()) < WORDS_OF_A_QUESTION
        return Asked(verb, rest, number, tag=tag) if short else Asked(None, typed)
    return Asked(verb, rest, tag=tag)


def _without_word(typed: str, word: str, rest: str, reader: _Asker) -> Asked:
    """One that begins with none of the words: politely, with a letter, or with a language."""
    if plain(word) in FILLERS and rest and len(typed.split()) <= WORDS_OF_A_QUESTION:
        inner = asked(rest, reader.tag, reader.words, reader.today)
        return inner if inner.verb in READING else Asked(None, typed)
    if not rest and plain(word) in LETTERS:
        return Asked(LETTERS[plain(word)])
    glued = re.fullmatch(r"([a-z])(\d{1,3})", plain(typed))
    if glued and glued[1] in LETTERS:
        return Asked(LETTERS[glued[1]], number=int(glued[2]))
    if not rest and (named := language_named(word)):
        return Asked(Verb.LANGUAGE, tag=named)
    return Asked(None, typed)


def number_in(typed: str) -> int | None:
    """The number that somebody typed alone: "2", "2.", "n° 2", in any digits; None if it is none."""
    match = _NUMBER.fullmatch(plain(typed))
    return int(match[1]) if match else None


def counted(rest: str) -> tuple[int, str] | None:
    """A number and the text after it: "2 j'y serai"; None if it does not begin with a number."""
    match = _COUNTED.fullmatch(rest)  # `\d` is a digit of any script, and `int` reads them all
    return (int(match[1]), match[2]) if match else None


def tag_of(language: str) -> str:
    """A language in which an island can answer: its own, or English."""
    return language if language in TAGS else "en"

"""What somebody asks by text: a word and the rest of the message, as it was typed. Nothing here knows the board."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from node.handheld.days import Span, days_meant
from node.handheld.words import FILLERS, TAGS, Verb, Vocabulary, figures, language_named, plain
from node.model.search_text import fold

LETTERS: Mapping[str, Verb] = {"a": Verb.AGENDA, "n": Verb.NEWS, "h": Verb.HELP}  # for who has few keys
QUESTION_MARKS = "?؟¿!¡.…？！❓❔"
PLUS_SIGNS = "+＋➕"
READING = frozenset((Verb.HELP, Verb.AGENDA, Verb.TODAY, Verb.TOMORROW, Verb.WEEK, Verb.NEWS, Verb.MORE, Verb.STATUS))
DAY_VERBS = frozenset((Verb.TODAY, Verb.TOMORROW, Verb.WEEK))
WORDS_OF_A_QUESTION = 4  # a reading word in a longer text is part of somebody's sentence
OVER = "\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"  # what stands over a letter, where it comes by itself
_FIRST = re.compile(rf"\W*([^\W\d_](?:[\w{OVER}'’-]*[^\W\d_][{OVER}]*|[{OVER}]*)|\d+)[\s:;,.!?؟]*(.*)", re.DOTALL)
_NUMBER = re.compile(r"[\W_]*(?:(?:n[°.:]|no|nr|nro|num|numero|number|رقم)[^\w/]*)?(\d{1,3})[^\w/]*")
_COUNTED = re.compile(r"(\d{1,3})(?:[:.,)]*\s+|[:.,)]+(?=\D))(\S.*)", re.DOTALL)
_ANSWER_ENDS = re.compile(r"\((\d{1,2})/(\d{1,2})\)")  # with which part it is, which some send back


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
    typed = bare(text)
    if not typed.strip(QUESTION_MARKS):
        return Asked(Verb.HELP)
    if _asks_for_more(typed):
        return Asked(Verb.MORE)
    if (number := number_in(typed)) is not None:
        return Asked(None, number=number)
    match = _FIRST.match(typed)
    if not match:
        return Asked(None, typed)
    word, rest = match[1], match[2].strip()
    known = words.exactly(word, tag)
    if (known is None or known[0] in DAY_VERBS) and (days := days_meant(typed, today, words, tag)):
        meant = known or words.meant(typed.split()[-1], tag)
        return Asked(Verb.AGENDA, days=days, tag=meant[1] if meant and meant[0] in DAY_VERBS else "")
    return _by_word(typed, word, rest, known or words.meant(word, tag), _Asker(tag, words, today))


def _asks_for_more(typed: str) -> bool:
    ends = _ANSWER_ENDS.match(figures(typed))
    said = figures(typed)[ends.end():] if ends and int(ends[1]) <= int(ends[2]) else typed
    return not said.strip(f"{PLUS_SIGNS} ")


@dataclass(frozen=True)
class _Asker:
    tag: str
    words: Vocabulary
    today: date

    def days(self, typed: str) -> Span | None:
        """The days that are meant, None if they are none."""
        return days_meant(typed, self.today, self.words, self.tag)


def _by_word(typed: str, word: str, rest: str, meant: tuple[Verb, str] | None, reader: _Asker) -> Asked:
    if meant is None:
        return _without_word(typed, word, rest, reader)
    verb, tag = meant
    if verb is Verb.LANGUAGE:
        return Asked(verb, rest, number=number_in(rest), tag=language_named(rest))
    if verb is Verb.AGENDA:
        days, number = reader.days(rest), number_in(rest)
        odd = not days and number is None and has_figures(rest)
        return Asked(None, rest, tag=tag) if odd else Asked(verb, rest, number, days, tag)
    if verb in READING | {Verb.THANKS}:
        number = number_in(rest)
        if number is None and len(rest.split()) >= WORDS_OF_A_QUESTION:
            return Asked(None, typed)
        days = reader.days(word) if verb in DAY_VERBS else None
        return Asked(Verb.AGENDA if days else verb, rest, number, days, tag)
    return Asked(verb, rest, tag=tag)


def _without_word(typed: str, word: str, rest: str, reader: _Asker) -> Asked:
    """One that begins with none of the words: politely, with a letter, or with a language."""
    if plain(word) in FILLERS and rest and len(typed.split()) <= WORDS_OF_A_QUESTION:
        inner = asked(rest, reader.tag, reader.words, reader.today)
        return inner if inner.verb in READING else Asked(None, typed)
    if (verb := LETTERS.get(plain(word))) and (not rest or number_in(rest) is not None):
        return Asked(verb, number=number_in(rest))
    if verb is Verb.AGENDA and (days := reader.days(rest)):
        return Asked(verb, days=days)
    if not rest and (named := language_named(word)):
        return Asked(Verb.LANGUAGE, tag=named)
    return Asked(None, typed)


def bare(text: str) -> str:
    """A message without the blanks, and the marks of direction that phones add, around it."""
    seen = [at for at, sign in enumerate(text) if not sign.isspace() and unicodedata.category(sign) not in ("Cf", "Cc")]
    return text[seen[0]:seen[-1] + 1] if seen else ""


def number_in(typed: str) -> int | None:
    """The number that somebody typed alone: "2", "2.", "n° 2", in any digits; None if it is none, or there are several."""
    words = [word for word in figures(fold(typed)).split() if plain(word) not in FILLERS]
    match = _NUMBER.fullmatch(" ".join(words))
    return int(match[1]) if match else None


def has_figures(typed: str) -> bool:
    """Whether there are any digits in it."""
    return any(sign.isdecimal() for sign in typed)


def counted(rest: str) -> tuple[int, str] | None:
    """A number and the text after it: "2 j'y serai"; None if it does not begin with a number, or goes on as one: "8:30"."""
    match = _COUNTED.fullmatch(bare(rest))  # `\d` is a digit of any script, and `int` reads them all
    return (int(match[1]), match[2]) if match else None


def tag_of(language: str) -> str:
    """A language in which an island can answer: its own, or English."""
    return language if language in TAGS else "en"

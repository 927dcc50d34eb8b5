"""The words that an island understands, in four languages, without accents or capitals, and with a slip of the finger.

A word counts in every language at once: nobody has to choose one first. The one that people are shown is the first of its
row. Keepers may give a command words of their own (`own_words`).
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from node.model.search_text import fold


class Verb(StrEnum):
    """What can be asked."""

    HELP = "help"
    AGENDA = "agenda"
    TODAY = "today"
    TOMORROW = "tomorrow"
    WEEK = "week"
    NEWS = "news"
    MORE = "more"
    SEARCH = "search"
    POST = "post"
    REPLY = "reply"
    CANCEL = "cancel"
    STATUS = "status"
    LANGUAGE = "language"
    THANKS = "thanks"  # needs no answer


TAGS = ("fr", "en", "es", "ar")
WORDS: Mapping[str, Mapping[Verb, tuple[str, ...]]] = {
    "fr": {
        Verb.HELP: ("aide", "menu", "bonjour", "bonsoir", "salut"),
        Verb.AGENDA: ("agenda", "sorties", "rendez-vous", "programme"),
        Verb.TODAY: ("aujourd'hui", "ajd"), Verb.TOMORROW: ("demain",), Verb.WEEK: ("semaine",),
        Verb.NEWS: ("nouvelles", "infos", "actus", "annonces"), Verb.MORE: ("suite", "suivant", "plus"),
        Verb.SEARCH: ("cherche", "chercher", "recherche", "trouve"),
        Verb.POST: ("publie", "publier", "poste", "poster"), Verb.REPLY: ("réponds", "répondre", "réponse"),
        Verb.CANCEL: ("annule", "annuler", "supprime", "supprimer", "retire"), Verb.STATUS: ("état", "statut"),
        Verb.LANGUAGE: ("langue",), Verb.THANKS: ("merci", "ok"),
    },
    "en": {
        Verb.HELP: ("help", "menu", "hello", "hi"), Verb.AGENDA: ("agenda", "events", "calendar"),
        Verb.TODAY: ("today", "tonight"), Verb.TOMORROW: ("tomorrow",), Verb.WEEK: ("week",),
        Verb.NEWS: ("news", "bulletins", "board"),
        Verb.MORE: ("more", "next"), Verb.SEARCH: ("search", "find"), Verb.POST: ("post", "publish"),
        Verb.REPLY: ("reply", "answer"), Verb.CANCEL: ("cancel", "delete", "withdraw"), Verb.STATUS: ("status",),
        Verb.LANGUAGE: ("language",), Verb.THANKS: ("thanks", "ok", "thank"),
    },
    "es": {
        Verb.HELP: ("ayuda", "menú", "hola"), Verb.AGENDA: ("agenda", "eventos", "calendario"), Verb.TODAY: ("hoy",),
        Verb.TOMORROW: ("mañana",), Verb.WEEK: ("semana",), Verb.NEWS: ("noticias", "avisos"),
        Verb.MORE: ("más", "siguiente"), Verb.SEARCH: ("busca", "buscar"), Verb.POST: ("publica", "publicar"),
        Verb.REPLY: ("responde", "responder"),
        Verb.CANCEL: ("cancela", "cancelar", "anula", "anular", "borra", "borrar"), Verb.STATUS: ("estado",),
        Verb.LANGUAGE: ("idioma",), Verb.THANKS: ("gracias", "ok"),
    },
    "ar": {
        Verb.HELP: ("مساعدة", "قائمة", "مرحبا", "سلام"), Verb.AGENDA: ("مواعيد", "أجندة"), Verb.TODAY: ("اليوم",),
        Verb.TOMORROW: ("غدا",), Verb.WEEK: ("الأسبوع", "أسبوع"), Verb.NEWS: ("أخبار", "إعلانات"),
        Verb.MORE: ("المزيد", "تابع"), Verb.SEARCH: ("ابحث", "بحث"), Verb.POST: ("انشر", "نشر"), Verb.REPLY: ("رد", "أجب"),
        Verb.CANCEL: ("ألغ", "إلغاء", "احذف"), Verb.STATUS: ("حالة",), Verb.LANGUAGE: ("لغة",), Verb.THANKS: ("شكرا",),
    },
}
# The rest of a menu's line, as it is shown: what to write after the word.
WANTS: Mapping[str, Mapping[Verb, str]] = {
    "fr": {Verb.SEARCH: "MOT", Verb.POST: "TEXTE", Verb.REPLY: "TEXTE", Verb.CANCEL: "CODE"},
    "en": {Verb.SEARCH: "WORD", Verb.POST: "TEXT", Verb.REPLY: "TEXT", Verb.CANCEL: "CODE"},
    "es": {Verb.SEARCH: "PALABRA", Verb.POST: "TEXTO", Verb.REPLY: "TEXTO", Verb.CANCEL: "CÓDIGO"},
    "ar": {Verb.SEARCH: "كلمة", Verb.POST: "نص", Verb.REPLY: "نص", Verb.CANCEL: "رمز"},
}
LANGUAGE_WORDS: Mapping[str, tuple[str, ...]] = {  # the first is what it calls itself
    "fr": ("français", "french", "francés", "الفرنسية"), "en": ("english", "anglais", "inglés", "الإنجليزية"),
    "es": ("español", "spanish", "espagnol", "castellano", "الإسبانية"),
    "ar": ("عربي", "العربية", "arabic", "arabe", "árabe"),
}
FILLERS = frozenset((  # as `plain` leaves what is said before what is meant: skipped where nothing is posted
    "le", "la", "les", "l", "de", "du", "des", "un", "une", "ce", "cette", "pour", "svp", "stp", "je", "veux", "voir",
    "quel", "quelles", "jour", "lis", "lire", "ouvre", "the", "this", "please", "for", "of", "on", "what", "see", "show",
    "read", "open", "day", "el", "los", "las", "esta", "este", "para", "ver", "lee", "leer", "dia", "هذا", "من", "يوم",
    "اقرا"))
ARTICLE = "ال"
WRITING = frozenset((Verb.POST, Verb.REPLY, Verb.CANCEL))  # nothing is written, or taken back, by half a word
SHORTEST_BEGINNING, SHORTEST_SLIP = 3, 4  # letters: shorter ones may mean anything
MAX_OWN_WORD = 12  # letters: two words fit a line of the smallest screen
_OWN = re.compile(r"\s*([^=,;]+?)\s*=\s*([^=,;]+?)\s*")


def figures(text: str) -> str:
    """A text as its figures are read: digits of every script as 0 to 9, strokes and slashes that look alike as one, nothing
    of what only says which way letters run."""
    return "".join(_figure(sign) for sign in text)


def _figure(sign: str) -> str:
    kind = unicodedata.category(sign)
    return str(unicodedata.digit(sign)) if kind == "Nd" else "" if kind in UNSEEN else _STROKES.get(sign, sign)


UNSEEN = ("Cf", "Mn", "Me")  # marks of direction, joiners, what is written over a letter or round a figure
_STROKES = {sign: stroke for stroke, signs in (("-", "‐‑‒–—−－"), ("/", "⁄∕／\\؍"), (".", "．")) for sign in signs}


def plain(word: str) -> str:
    """A word as it is compared: no accents, capitals, signs or apostrophes; Arabic letters in one form each."""
    folded = fold(word).translate(_ARABIC)
    return "".join(sign for sign in figures(folded) if sign.isalnum())


_ARABIC = str.maketrans({"ة": "ه", "ى": "ي"})


@dataclass(frozen=True)
class Vocabulary:
    """All words, with those of the keepers: (plain word, language) to what it means. `own`: theirs, by language."""

    own: Mapping[tuple[str, Verb], str] = field(default_factory=dict)

    def shown(self, tag: str, verb: Verb) -> str:
        """The word that people are told."""
        return self.own.get((tag, verb)) or WORDS[tag][verb][0]

    def exactly(self, word: str, tag: str) -> tuple[Verb, str] | None:
        """What a word means to who speaks `tag`, and in which language it is; None if it is none of the words."""
        return _chosen(self._exact(plain(word)), tag)

    def meant(self, word: str, tag: str) -> tuple[Verb, str] | None:
        """The same, also of a word that is only begun, or has a slip; None if that can mean nothing, or two things."""
        typed = plain(word)
        found = self._exact(typed) or self._begun(typed) or self._slipped(typed)
        return _chosen(found, tag)

    def _all(self) -> list[tuple[str, Verb, str]]:
        own = [(plain(word), verb, tag) for (tag, verb), word in self.own.items()]
        return [*own, *_KNOWN]

    def _exact(self, typed: str) -> list[tuple[Verb, str]]:
        found = [(verb, tag) for word, verb, tag in self._all() if word == typed]
        if not found and typed.startswith(ARTICLE):
            return self._exact(typed.removeprefix(ARTICLE))
        return found

    def _begun(self, typed: str) -> list[tuple[Verb, str]]:
        if len(typed) < SHORTEST_BEGINNING:
            return []
        return [(verb, tag) for word, verb, tag in self._all() if word.startswith(typed) and verb not in WRITING]

    def _slipped(self, typed: str) -> list[tuple[Verb, str]]:
        if len(typed) < SHORTEST_SLIP:
            return []
        long_ones = [one for one in self._all() if len(one[0]) >= SHORTEST_SLIP]
        return [(verb, tag) for word, verb, tag in long_ones if one_slip_apart(typed, word)]


_KNOWN = [(plain(word), verb, tag) for tag, rows in WORDS.items() for verb, words in rows.items() for word in words]


def _chosen(found: list[tuple[Verb, str]], tag: str) -> tuple[Verb, str] | None:
    """The one that is meant by who speaks `tag`; None if two things may be."""
    own = [(verb, language) for verb, language in found if language == tag] or found
    return own[0] if len({verb for verb, _ in own}) == 1 else None


def language_named(word: str) -> str:
    """The language that a word names, or is the code of; "" if it is none."""
    typed = plain(word)
    if typed in TAGS:
        return typed
    names = [(plain(name), tag) for tag, words in LANGUAGE_WORDS.items() for name in words]
    exact = [tag for name, tag in names if name == typed]
    near = [tag for name, tag in names if len(typed) > SHORTEST_SLIP and one_slip_apart(typed, name)]
    found = exact or near
    return found[0] if len(set(found)) == 1 else ""


def one_slip_apart(one: str, other: str) -> bool:
    """Whether one letter more, less, changed or out of turn makes one word of the other."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    left, right = one[start:], other[start:]
    turned = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return turned or left[1:] == right[1:] or left[1:] == right or left == right[1:]


def own_words(text: str) -> dict[tuple[str, Verb], str]:
    """Keepers' words, such as "agenda = sorties; news = quoi"; raises ValueError for what is no such list.

    A word of theirs takes the place of the one of its row that is shown, in each language that has that row's word.
    """
    own: dict[tuple[str, Verb], str] = {}
    for pair in filter(str.strip, re.split(r"[;,؛،]", text)):
        match = _OWN.fullmatch(pair)
        if not match or not plain(match[2]) or len(match[2]) > MAX_OWN_WORD or len(match[2].split()) > 1:
            raise ValueError(pair)
        rows = [(tag, verb) for word, verb, tag in _KNOWN if word == plain(match[1])]
        taken = {verb for word, verb, _tag in _KNOWN if word == plain(match[2])}
        if not rows or not taken <= {verb for _tag, verb in rows}:  # it means something else already
            raise ValueError(pair)
        own |= {row: match[2] for row in rows}
    return own

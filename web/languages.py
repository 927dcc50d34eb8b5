"""Which language a page speaks, and how each language writes dates and numbers; its sentences are `node.i18n`'s."""

import re
from datetime import date, datetime, timedelta
from functools import cache
from gettext import NullTranslations

from babel import Locale
from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from flask import Flask, g, request
from markupsafe import Markup, escape

from node.i18n.catalogue import SOURCE, TAGS, catalogue
from node.i18n.sentence import Sentence
from web.safe_text import titled

LOCALES = {SOURCE: "en_GB"}  # where a language alone says too little: days before months, 24 hours
FIRST_DAY = {"fr": "1er"}
MAX_HEAD = 5  # letters, in a column of a narrow screen
YEAR_AT_THE_END = re.compile(r"[\s,،]*('[^']*'\s*)?y+\s*$")


class Language:
    """A language of the portal: its sentences, and how it writes dates and numbers."""

    def __init__(self, tag: str):
        self.tag = tag
        self.locale = Locale.parse(LOCALES.get(tag, tag))

    @property
    def name(self) -> str:
        """Its name in itself, for those who read no other."""
        return titled(Locale.parse(self.tag).language_name or self.tag)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

    @property
    def sentences(self) -> NullTranslations:
        """Its catalogue."""
        return catalogue(self.tag)

    def day(self, moment: date) -> str:
        """`Saturday 21 March`, without the year."""
        pattern = YEAR_AT_THE_END.sub("", self.locale.date_formats["full"].pattern)
        return self._ordinal(format_date(moment, pattern, self.locale), moment)

    def dated(self, moment: date) -> str:
        """`21 March 2026`."""
        return self._ordinal(format_date(moment, "long", self.locale), moment)

    def _ordinal(self, written: str, moment: date) -> str:
        """The first of a month, as languages write it that count its other days plainly."""
        first = FIRST_DAY.get(self.tag)
        return re.sub(r"\b1\b", first, written, count=1) if first and moment.day == 1 else written

    def month(self, moment: date) -> str:
        """`March 2026`."""
        return format_date(moment, "LLLL y", self.locale)

    def weekday(self, moment: date) -> str:
        """A short name of the day, for the head of a column."""
        usual, shortest = (format_date(moment, pattern, self.locale) for pattern in ("EEE", "EEEEEE"))
        return usual if len(usual) <= MAX_HEAD else shortest

    def time(self, moment: datetime) -> str:
        """`18:30`."""
        return format_time(moment, "short", locale=self.locale)

    def ago(self, minutes: int) -> str:
        """`12 minutes ago`; what is said to come from the future is a minute old."""
        since = timedelta(minutes=-max(minutes, 1))
        return format_timedelta(since, add_direction=True, granularity="minute", threshold=2, locale=self.locale)

    def lasting(self, minutes: int) -> str:
        """`12 minutes`, `3 days`, `2 years`: the largest unit of which there are two."""
        return format_timedelta(timedelta(minutes=minutes), granularity="minute", threshold=2, locale=self.locale)

    def number(self, value: float) -> str:
        """With the separators of the language, one decimal at most."""
        return format_decimal(round(value, 1), locale=self.locale)


@cache
def language(tag: str) -> Language:
    """The language of a tag in TAGS."""
    return Language(tag)


def current() -> Language:
    """The language of this request: asked for by `?lang=`, else by the browser, else the island's."""
    if "language" not in g:
        asked = request.args.get("lang", "")
        g.language = language(asked if asked in TAGS else request.accept_languages.best_match(TAGS, g.fallback))
    return g.language


def gettext(sentence: str) -> str:
    """`sentence` in the language of this request."""
    return current().sentences.gettext(sentence)


def ngettext(one: str, many: str, count: int) -> str:
    """The form that `count` takes."""
    return current().sentences.ngettext(one, many, count)


def said(sentence: Sentence) -> str:
    """A whole sentence in the language of this request."""
    return sentence.said(current().sentences)


def listed(*parts: str) -> Markup:
    """Parts of a sentence with the commas of the language between them, escaped unless they are markup."""
    return escape(gettext(", ")).join(parts)


def add_languages(app: Flask, fallback: str) -> None:
    """Let templates speak the language of each request; `fallback` is for browsers that ask for none that is here."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    vars(app.jinja_env)["install_gettext_callables"](gettext, ngettext, newstyle=True)  # the extension brings it

    @app.before_request
    def prepare() -> None:
        g.fallback = fallback if fallback in TAGS else SOURCE

    @app.context_processor
    def speak() -> dict:
        return {"language": current(), "languages": [language(tag) for tag in TAGS]}

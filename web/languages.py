"""Which language a page speaks, and how each language writes dates and numbers; its sentences are `node.i18n`'s."""

from datetime import timedelta
from functools import cache

from babel import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from flask import Flask, g, request
from markupsafe import Markup, escape

from node.i18n.catalogue import SOURCE, TAGS
from node.i18n.moments import Dates
from node.i18n.sentence import Sentence
from web.safe_text import titled


class Language(Dates):
    """A language of the portal: its sentences, and how it writes dates and numbers."""

    @property
    def name(self) -> str:
        """Its name in itself, for those who read no other."""
        return titled(Locale.parse(self.tag).language_name or self.tag)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return self.locale.text_direction

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


def dotted(*parts: str) -> Markup:
    """Those of the parts that say something, with dots between them, escaped unless they are markup."""
    return Markup(" · ").join(part for part in parts if part)


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

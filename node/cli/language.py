"""The language the command line speaks, chosen once; what it says is translated first and filled in afterwards."""

import os
from collections.abc import Callable, Mapping, Sequence
from gettext import NullTranslations
from pathlib import Path

import click

from node.daemon.settings import Settings
from node.daemon.settings_reader import UnreadableSettings, load
from node.i18n.catalogue import SOURCE, TAGS, catalogue
from node.i18n.sentence import Sentence, Value
from node.model.visible_text import plain

CONFIG_OPTION, CONFIG_VARIABLE = "--config", "ARCHIPEL_CONFIG"
_catalogue: list[NullTranslations] = [NullTranslations()]  # a command line speaks to one person
_tongue = [SOURCE]


def choose(fallback: Callable[[], str], environment: Mapping[str, str]) -> None:
    """Speak the language of LC_ALL, LC_MESSAGES or LANG if one is set and known, else that of `fallback`."""
    asked = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")[:2].lower()
    _tongue[0] = asked if asked in TAGS else fallback()
    _catalogue[0] = catalogue(_tongue[0])


def tongue() -> str:
    """The tag of the chosen language."""
    return _tongue[0]


def choose_for(arguments: Sequence[str]) -> None:
    """Choose before anything is parsed, so that help and mistakes are told in the language of the settings too."""
    choose(lambda: _language_of_settings(arguments), os.environ)


def _language_of_settings(arguments: Sequence[str]) -> str:
    """What the settings file says that a command is given; a mistake in it is told by the command."""
    given = os.environ.get(CONFIG_VARIABLE, "")
    for option, value in zip(arguments, [*arguments[1:], ""], strict=False):  # the last has none after it
        name, sign, rest = option.partition("=")
        if name == CONFIG_OPTION:
            given = rest if sign else value
    try:
        return load(Path(given) if given else None).settings.node.language
    except UnreadableSettings:
        return Settings().node.language


def _(text: str, /, **fields: Value) -> str:
    """`text` in the chosen language, its places filled."""
    return worded(Sentence(text, fields))


def ngettext(one: str, many: str, num: int, /, **fields: Value) -> str:
    """The form that a number takes, its places (`%(num)s` too) filled."""
    return worded(Sentence(one, {**fields, "num": num}, many))


def worded(sentence: Sentence) -> str:
    """A sentence that came from elsewhere, in the chosen language; nothing in it steers the terminal."""
    return plain(sentence.said(_catalogue[0]))


def say(text: str, /, **fields: Value) -> None:
    """Print `text` in the chosen language, its places filled."""
    click.echo(_(text, **fields))


def pattern(text: str) -> str:
    """`text` in the chosen language, its places left open: for click, which fills its own."""
    return _catalogue[0].gettext(text)


def pattern_for(one: str, many: str, num: int) -> str:
    """The form that a number takes, its places left open."""
    return _catalogue[0].ngettext(one, many, num)

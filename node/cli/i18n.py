"""What the command line says, in the keeper's language.

The code speaks plain English; a sentence is translated where it leaves. A language is one file, `sentences/TAG.toml`: every
sentence with its translation, `{}` where something is filled in.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import click

FOLDER = Path(__file__).parent / "sentences"
SOURCE = "en"
PLACE = "{}"
_tag = SOURCE


def choose(language: str, environment: Mapping[str, str]) -> None:
    """Speak the language of LC_ALL, LC_MESSAGES or LANG if one is set and known, else `language` if it is known."""
    global _tag  # a command line speaks to one person
    asked = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")[:2].lower()
    _tag = next((tag for tag in (asked, language) if tag == SOURCE or (FOLDER / f"{tag}.toml").exists()), SOURCE)


def translated(sentence: str) -> str:
    """`sentence` in the chosen language; what is filled in is translated too where it is a phrase of ours."""
    if _tag == SOURCE:
        return sentence
    for pattern, translation in _patterns(_tag):
        if found := pattern.fullmatch(sentence):
            return translation.format(*map(translated, found.groups()))
    return sentence


def say(sentence: str, **style: Any) -> None:
    """click.echo in the chosen language, line by line."""
    click.echo("\n".join(map(translated, sentence.split("\n"))), **style)


class SpeakingGroup(click.Group):
    """A group of commands whose errors are told in the chosen language."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except click.ClickException as error:
            error.message = "\n".join(map(translated, error.message.split("\n")))
            raise


@cache
def _patterns(tag: str) -> list[tuple[re.Pattern, str]]:
    """(what it looks like, its translation) of each sentence, the most particular first."""
    catalogue = tomllib.loads((FOLDER / f"{tag}.toml").read_text(encoding="utf-8"))
    ranked = sorted(catalogue.items(), key=lambda pair: len(pair[0].replace(PLACE, "")), reverse=True)
    return [(re.compile("(.*?)".join(map(re.escape, sentence.split(PLACE)))), translation)
            for sentence, translation in ranked]

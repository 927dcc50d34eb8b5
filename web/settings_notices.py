"""What is wrong with the settings, told on the first page in the reader's language.

Who finds it (`node.daemon.settings_reader`, the SD image) writes a line for each: a sentence as JSON
(`node.i18n.sentence`), with `harmless` beside it if nothing was passed over. A line that is none is shown as it is.
"""

import json
from collections.abc import Iterable

from markupsafe import Markup, escape

from node.i18n.sentence import Sentence
from web.item_display import bdi
from web.languages import current


def notice(line: str) -> Markup:
    """One line as this reader understands it."""
    try:
        return said(Sentence.of(json.loads(line)))
    except (ValueError, RecursionError):
        return Markup('<span lang="en" dir="ltr">{}</span>').format(line)


def pressing(lines: Iterable[str]) -> list[str]:
    """Those that tell of something that was passed over."""
    return [line for line in lines if not _is_harmless(line)]


def _is_harmless(line: str) -> bool:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(told, dict) and told.get("harmless") is True


def said(sentence: Sentence) -> Markup:
    """A sentence in this reader's language, each thing it names kept apart: names and values run their own way."""
    values = {name: said(value) if isinstance(value, Sentence) else bdi(str(value))
              for name, value in sentence.fields.items()}
    pattern = escape(sentence.pattern(current().sentences))
    return pattern % values if values else pattern

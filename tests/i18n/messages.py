"""Every sentence for people, as code, templates and help hold them, brought into the catalogues.

usage: python -m tests.i18n.messages [TAG ...]

Adds new sentences to node/i18n/catalogues/TAG.po (to all of them by default), drops those no longer used, and says how many
are still to be translated. A new language: run it with a new tag, then fill in the file.
"""

import ast
import io
import sys
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from node.cli.help import paragraphs
from node.cli.main import main
from node.daemon.settings import SECTIONS
from node.i18n.catalogue import FOLDER

ROOT = Path(__file__).parents[2]
ROOMS = ("web", "node/i18n", "node/board", "node/cli", "node/daemon", "node/handheld", "image-build/archipel_image",
         "image-build/overlay/usr/lib/archipel", "tests/manual")
UNUSED_HEADERS = ('"Project-', '"Report-', '"POT-', '"PO-', '"Last-', '"Language-Team', '"Generated')
# How many texts each mark takes.
MARKS = {"_": 1, "N_": 1, "gettext": 1, "say": 1, "sentence": 1, "ngettext": 2, "Plural": 2}
Marked = str | tuple[str, str]


@cache
def sentences() -> Catalog:
    """Every sentence, in the order of the files; to be read only."""
    template = Catalog(fuzzy=False)
    for room, message in (*_marked(), *_of_settings(), *_of_help()):
        template.add(message, None, [(room, 1)])
    return template


def _marked() -> Iterator[tuple[str, Marked]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield from ((str(path.relative_to(ROOT)), message) for message in marked_in(ast.parse(path.read_text())))
    templates = extract_from_dir(ROOT / "web", [("**.html", "jinja2")], options_map={"**.html": {"silent": "false"}})
    yield from ((f"web/{name}", message) for name, _line, message, _comments, _context in templates)


def marked_in(tree: ast.AST) -> Iterator[Marked]:
    """What the marks of a source hold, where a text stands there; a text that is looked up later has its own mark."""
    for node in ast.walk(tree):
        count = MARKS.get(name_of(node.func), 0) if isinstance(node, ast.Call) else 0
        texts = [each.value for each in node.args[:count] if isinstance(each, ast.Constant)] if count else []
        if texts and len(texts) == count:
            yield texts[0] if count == 1 else (texts[0], texts[1])


def name_of(called: ast.AST) -> str:
    """What is called, without where it comes from."""
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def _of_settings() -> Iterator[tuple[str, str]]:
    for section in SECTIONS.values():
        for setting in fields(section):
            yield "node/daemon/settings.py", setting.metadata["remedy"].text


def _of_help() -> Iterator[tuple[str, str]]:
    for command in (main, *main.commands.values()):
        for text in (command.help, *(getattr(parameter, "help", None) for parameter in command.params)):
            yield from (("node/cli", paragraph) for paragraph in paragraphs(text or ""))


def catalogue(tag: str) -> Catalog:
    """What a language's file holds; an empty one for a new language."""
    path = FOLDER / f"{tag}.po"
    if not path.exists():
        return Catalog(locale=tag, fuzzy=False)
    with path.open("rb") as lines:
        return read_po(lines, locale=Locale.parse(tag))


def missing(tag: str) -> list[str]:
    """Sentences without a whole translation."""
    have = catalogue(tag)
    return [message.id if isinstance(message.id, str) else message.id[0] for message in sentences()
            if message.id and not _whole(have.get(message.id))]


def _whole(message) -> bool:
    if message is None or message.fuzzy:
        return False
    return all(message.string) if isinstance(message.string, tuple) else bool(message.string)


def bring_up_to_date(tag: str) -> None:
    """Rewrite a language's file with the sentences of today."""
    have = catalogue(tag)
    have.update(sentences(), no_fuzzy_matching=True)
    have.obsolete.clear()
    have.header_comment = f"# Archipel in {Locale.parse(tag).english_name}. AGPL-3.0-or-later."
    written = io.BytesIO()
    write_po(written, have, no_location=True, omit_header=False, width=120)
    kept = [line for line in written.getvalue().decode().splitlines() if not line.startswith(UNUSED_HEADERS)]
    (FOLDER / f"{tag}.po").write_text("\n".join(kept) + "\n")


if __name__ == "__main__":
    for asked in sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.po")):
        bring_up_to_date(asked)
        print(f"{asked}: {len(missing(asked))} to translate")

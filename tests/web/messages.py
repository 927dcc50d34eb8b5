"""The portal's sentences, as its code and templates hold them, brought into the catalogues.

usage: python tests/web/messages.py [TAG ...]

Adds new sentences to web/translations/TAG.po (to all of them by default), drops those no longer used, and says how many are
still to be translated. A new language: run it with a new tag, then fill in the file.
"""

import io
import sys
from dataclasses import fields
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

sys.path.insert(0, str(Path(__file__).parents[2]))

from node.daemon.settings import SECTIONS

WEB = Path(__file__).parents[2] / "web"
FOLDER = WEB / "translations"
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
UNUSED_HEADERS = ('"Project-', '"Report-', '"POT-', '"PO-', '"Last-', '"Language-Team', '"Generated')
KEYWORDS = {"_": None, "N_": None, "gettext": None, "ngettext": (1, 2)}


def sentences() -> Catalog:
    """Every sentence of the portal, in the order of its files."""
    template = Catalog(fuzzy=False)
    found = extract_from_dir(WEB, METHODS, options_map={"**.html": {"silent": "false"}}, keywords=KEYWORDS)
    for name, _line, message, _comments, _context in found:
        template.add(message, None, [(name, 1)])
    for section in SECTIONS.values():  # they fill a place in a sentence of web/settings_notices.py
        for setting in fields(section):
            template.add(setting.metadata["remedy"], None, [("settings.py", 1)])
    return template


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
    have.header_comment = f"# The portal of Archipel in {Locale.parse(tag).english_name}. AGPL-3.0-or-later."
    written = io.BytesIO()
    write_po(written, have, no_location=True, omit_header=False, width=120)
    kept = [line for line in written.getvalue().decode().splitlines() if not line.startswith(UNUSED_HEADERS)]
    (FOLDER / f"{tag}.po").write_text("\n".join(kept) + "\n")


if __name__ == "__main__":
    for asked in sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("*.po")):
        bring_up_to_date(asked)
        print(f"{asked}: {len(missing(asked))} to translate")

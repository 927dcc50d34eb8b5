"""One catalogue a language, `catalogues/TAG.po`, for portal, command line and doctor alike; it is read as it is.

The sentences in the code are English; adding a language is adding its file.
"""

import io
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

FOLDER = Path(__file__).parent / "catalogues"
SOURCE = "en"
FIRST = ("fr", "en", "es", "ar")  # the order in which languages are offered; any other comes after them
TAGS = tuple(sorted({path.stem for path in FOLDER.glob("*.po")} | {SOURCE},
                    key=lambda tag: (FIRST.index(tag) if tag in FIRST else len(FIRST), tag)))


@cache
def catalogue(tag: str) -> NullTranslations:
    """The catalogue of a language, read when first needed; in the source and unknown ones nothing is translated."""
    if tag == SOURCE or tag not in TAGS:
        return NullTranslations()
    from babel.messages.mofile import write_mo  # slow to import: who speaks English never waits for it
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with (FOLDER / f"{tag}.po").open("rb") as lines:
        write_mo(compiled, read_po(lines, locale=tag))
    compiled.seek(0)
    return GNUTranslations(compiled)

"""Says what was found in the settings as a text for the card, where whoever puts it into a reader sees it.

In the island's language, as Windows' Notepad of any age reads it; empty when nothing was passed over.
`problems.py FOLDER TEXT`: the folder is what `box.py` wrote.
"""

import sys
from pathlib import Path

from node.daemon.settings_reader import Notice, load, notices_in
from node.i18n.catalogue import catalogue
from node.i18n.sentence import sentence

MEND = sentence("This is wrong in the settings of this island. Correct it on the memory card, and start the box again.")


def main(folder: Path, text: Path) -> None:
    """Write the text."""
    language = load(folder / "archipel.toml").settings.node.language
    text.write_text(problems(notices_in(str(folder / "notices")), language), encoding="utf-8", newline="")


def problems(lines: list[str], language: str) -> str:
    """The text for these notices."""
    told, words = [Notice.of(line) for line in lines], catalogue(language)
    if all(notice.harmless for notice in told):
        return ""
    said = [f"Archipel: {MEND.said(words)}", "", *(f"- {notice.sentence.said(words)}" for notice in told)]
    return "\ufeff" + "".join(f"{line}\r\n" for line in said)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Says what was found in the settings as a text for the card, where whoever puts it into a reader sees it.

In the island's language, as Windows' Notepad of any age reads it; empty when nothing was passed over.
`problems.py FOLDER TEXT`: the folder is what `box.py` wrote.
"""

import sys
from pathlib import Path

from node.daemon.settings_reader import Notice, load, notices_in
from node.i18n.catalogue import catalogue
from node.i18n.sentence import N_, Sentence, sentence

MADE = N_("Until then the Wi-Fi has this password: %(password)s")
MEND = sentence("This is wrong in the settings of this island. Correct it on the memory card, and start the box again.")


def main(folder: Path, text: Path) -> None:
    """Write the text."""
    language = load(folder / "archipel.toml").settings.node.language
    made = folder / "made_password"
    told = problems(notices_in(str(folder / "notices")), language, made.read_text() if made.exists() else "")
    text.write_text(told, encoding="utf-8", newline="")


def problems(lines: list[str], language: str, made_password: str = "") -> str:
    """The text for these notices; a password that the box made for its Wi-Fi is told nowhere else."""
    told, words = [Notice.of(line) for line in lines], catalogue(language)
    if all(notice.harmless for notice in told):
        return ""
    said = [f"Archipel: {MEND.said(words)}", "", *(f"- {notice.sentence.said(words)}" for notice in told)]
    if made_password:
        said += ["", Sentence(MADE, {"password": made_password}).said(words)]
    return "\ufeff" + "".join(f"{line}\r\n" for line in said)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

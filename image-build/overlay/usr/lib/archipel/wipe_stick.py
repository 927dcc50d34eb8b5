"""Whether a stick orders this island destroyed: it holds a file named archipel-wipe.txt with the code of this box in it.

With `wipe_stick = "any"` in the settings the file alone is enough. What an editor makes of a name or of a text does not
matter. `wipe_stick.py STICK DATA SETTINGS NOTICES`; the exit status is one of those below. Nothing is written on the stick.
"""

import itertools
import os
import re
import stat
import sys
from pathlib import Path

from node.daemon.settings_bytes import MAX_BYTES, text_of
from node.daemon.settings_reader import Notice, UnreadableSettings, load
from node.daemon.wipecode import holds_code
from node.i18n.sentence import sentence

WIPE, NO_ORDER, NOT_THIS_BOX = 0, 10, 11  # any other: this program failed, and the stick is left alone
NAMED_SO = re.compile(r"archipel[ _-]?wipe", re.IGNORECASE)
BESIDE = ("._", "~$")  # what a Mac and an office program put beside a file
MAX_NAMES, MAX_FILES = 20_000, 20
NOT_OURS = sentence("A stick with a file archipel-wipe.txt was plugged in, but the code of this box is not in it. Nothing "
                    "was erased, and nothing was written on the stick. The code is on the keeper's sheet.")


def main(stick: Path, data: Path, settings: Path, notices: Path) -> int:
    """The exit status."""
    named = named_so(stick)
    if not named:
        return NO_ORDER
    texts = [text_of(content).text for content in map(plain_content, named) if content is not None]
    if texts and any_stick(settings):
        return WIPE
    code = code_in(data)
    if any(holds_code(text, code) for text in texts):
        return WIPE
    notices.write_text(Notice(NOT_OURS).line() + "\n")
    return NOT_THIS_BOX


def named_so(stick: Path) -> list[Path]:
    """What is named like an order, of whatever kind: such a stick is not for carrying records."""
    with os.scandir(stick) as entries:
        found = [Path(entry.path) for entry in itertools.islice(entries, MAX_NAMES)
                 if NAMED_SO.search(entry.name) and not entry.name.startswith(BESIDE)]
    return sorted(found, key=lambda path: (path.name.casefold() != "archipel-wipe.txt", path.name))[:MAX_FILES]


def plain_content(path: Path) -> bytes | None:
    """What a plain file begins with; None for what is none, or cannot be read. No link is followed, no pipe waited for."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            return file.read(MAX_BYTES) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
    except OSError:
        return None


def any_stick(settings: Path) -> bool:
    """Whether the keeper chose that any stick will do."""
    try:
        return load(settings).settings.box.wipe_stick == "any"
    except UnreadableSettings:
        return False


def code_in(data: Path) -> str:
    """This island's code (`node.daemon.keyfiles`); "" as long as there is none, which no text holds."""
    try:
        return (data / "keys" / "wipe.code").read_text()
    except (OSError, UnicodeDecodeError):
        return ""


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))

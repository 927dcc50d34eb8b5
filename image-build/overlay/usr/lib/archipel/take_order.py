"""Takes one order that the island left (`node.daemon.orders`): removed first, then held against the closed list anew.

The exit status says which step is due; `obey` takes it as root, and sees nothing else of the order. So whoever has taken
the island over can order what a keeper can order, and nothing more. `take_order.py FOLDER`
"""

import contextlib
import os
import shutil
import stat
import sys
from pathlib import Path

from node.daemon.orders import ENDING, MAX_ORDER_BYTES, WORDS, order_in

NONE = 80  # nothing there, or nothing of the list
STEPS = {"restart island": 81, "restart box": 82, "update": 83, "wipe": 84, "backup": 85, "wifi": 86,
         "card": 87}  # obey knows them
FIRST = sorted(WORDS, key=lambda word: (word != "wipe", word))  # of several orders, what cannot wait


def main(folder: Path) -> int:
    """The exit status."""
    for name in (f"{word}{ENDING}" for word in FIRST):
        content = taken(folder / name)
        order = order_in(content or b"")
        if order and f"{order['do']}{ENDING}" == name:
            return STEPS.get(" ".join(str(order[field]) for field in ("do", *WORDS[str(order["do"])])), NONE)
    remove_others(folder)
    return NONE


def taken(path: Path) -> bytes | None:
    """What a plain file holds, once it is gone; None for what is none. No link is followed, no pipe waited for."""
    content = None
    with contextlib.suppress(OSError), open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            content = file.read(MAX_ORDER_BYTES + 1)
    remove(path)
    return content


def remove(path: Path) -> None:
    """Let it be gone, whatever it is, and stay gone after a power cut: an order is done once. OSError if it stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_others(folder: Path) -> None:
    """Let nothing that the unit waits for stay: it would be started again and again."""
    for path in folder.glob(f"*{ENDING}"):
        remove(path)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

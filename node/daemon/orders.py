"""What the island asks of the box that it runs on and may not do itself: start again, take an update, destroy itself.

    DATA/orders/WORD.json    {"do": WORD, ...}: one order of a kind, there whole or not at all

The island's own service is closed: it starts and stops nothing, and writes in its data folder alone. On the SD image a unit
waits for a file in `DATA/orders`, holds it against the list below anew, removes it, and only then does it: an order is done
once. What nobody takes in time is removed, so that none is done long after a keeper has given it up, and is told.
"""

import contextlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from node.daemon.settings_reader import Notice
from node.i18n.sentence import Sentence, sentence
from node.model.errors import LocalMisuse
from node.store.disk import Disk

FOLDER, ENDING = "orders", ".json"
ORDERS_VARIABLE = "ARCHIPEL_ORDERS"  # on the SD image: the words that its root side takes, parted by ":"
MAX_ORDER_BYTES = 4_000
PATIENCE_S = 180.0  # the smallest Pi starts the program that takes an order within 10 s; one that is busy, within a minute
TOLD_S = 86_400.0

Check = Callable[[object], bool]


def one_of(*values: str) -> Check:
    """A field that holds one of these texts."""
    return lambda value: value in values


WORDS: Mapping[str, Mapping[str, Check]] = {  # every order there is: its fields, and what each may hold
    "restart": {"what": one_of("island", "box")},
    "update": {},
    "backup": {},  # puts what lies in DATA/backup on the stick
    "wipe": {},
    "wifi": {},  # what is wanted of it stands in a file of its own: `node.daemon.wifi_order`
    "card": {},  # and of a card: `node.daemon.card_order`
}
NOT_TAKEN: Mapping[str, Sentence] = {
    "restart": sentence("The box did not start again as a keeper asked: pull its plug and put it back."),
    "update": sentence("The box did not look for an update as a keeper asked: take the stick out and plug it in again."),
    "backup": sentence("The box did not put the backup on the stick as a keeper asked: download it instead."),
    "wipe": sentence("The box did not wipe itself as a keeper asked: use a stick with the wipe code, or destroy the card."),
    "wifi": sentence("The box did not change its Wi-Fi as a keeper asked: start the box again."),
    "card": sentence("The box did not look after its card reader as a keeper asked: try again."),
}


def order_in(content: bytes) -> dict[str, object] | None:
    """The order that these octets are, None if they are none of the list. Never raises."""
    try:
        order = json.loads(content) if len(content) <= MAX_ORDER_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(order, dict) or (fields := WORDS.get(str(order.get("do")))) is None or set(order) != {"do", *fields}:
        return None
    return order if all(_right(check, order[name]) for name, check in fields.items()) else None


def _right(check: Check, value: object) -> bool:
    with contextlib.suppress(TypeError, ValueError):  # a list where a text is due
        return check(value)
    return False


def words_here() -> frozenset[str]:
    """The words that this machine takes: none but on the SD image."""
    return frozenset(os.environ.get(ORDERS_VARIABLE, "").split(":")) & frozenset(WORDS)


class Orders:
    """The orders of one island. `words`: those that somebody here takes. Safe from any thread."""

    def __init__(self, data: Path, words: frozenset[str], uptime: Callable[[], float]):
        self.words, self._folder, self._uptime = words, data / FOLDER, uptime
        self._lock = threading.Lock()  # never held while the card is waited for
        self._since: dict[str, float] = {}
        self._untaken: dict[str, float] = {}

    def place(self, word: str, **fields: object) -> None:
        """Give an order, in the place of one of the same word that nobody has taken yet. OSError if the card takes none."""
        content = json.dumps({"do": word, **fields}).encode()
        if word not in self.words or order_in(content) is None:
            raise LocalMisuse(f"no order here: {content!r}")
        disk, beside = Disk(), self._folder / f"{word}.new"
        disk.make_folder(self._folder)
        with disk.writing(beside) as file:
            file.write(content)
        disk.rename(beside, self._folder / f"{word}{ENDING}")
        disk.sync_folder(self._folder)
        with self._lock:
            self._since[word] = self._uptime()
            self._untaken.pop(word, None)

    def look(self) -> None:
        """Remove what nobody took in time, by an earlier run of this island too: its patience begins anew."""
        now, there = self._uptime(), self._there()
        with self._lock:
            self._since = {word: self._since.get(word, now) for word in there}
            overdue = [word for word, since in self._since.items() if now - since >= PATIENCE_S]
            told = self._untaken | dict.fromkeys(overdue, now)
            self._untaken = {word: since for word, since in told.items() if now - since < TOLD_S}
        for word in overdue:
            with contextlib.suppress(OSError):  # taken at this moment, or a card that takes nothing back
                (self._folder / f"{word}{ENDING}").unlink()

    def notices(self) -> list[str]:
        """A line for the first page about each order that nobody took, for a day."""
        with self._lock:
            return [Notice(NOT_TAKEN[word]).line() for word in self._untaken]

    def _there(self) -> list[str]:
        return [word for word in WORDS if (self._folder / f"{word}{ENDING}").exists()]

"""The texts of records, each decoded once: those of late are in memory, those of live and past records on the card too."""

from collections import OrderedDict
from collections.abc import Collection
from functools import lru_cache
from math import inf

from node.board.api import TextPatience
from node.board.host import PastRecords, Turn
from node.model.errors import RemoteFault
from node.model.record import Record
from node.textpack import unpack

TEXTS_KEPT, DRAFTS_KEPT = 2048, 256  # in memory; none is longer than some 2 kB
LONGEST_WAIT_S = 3600.0


class Texts:
    """By the id of a record. Safe from any thread; one text is decoded at a time (`turn`), the rest is had at once.

    `decoded` counts those that had to be decoded, with those that could not be read.
    """

    def __init__(self, kept: PastRecords, turn: Turn):
        self.decoded = 0
        self._kept, self._turn = kept, turn
        self._recent: OrderedDict[bytes, str | None] = OrderedDict()
        self.of_draft = lru_cache(DRAFTS_KEPT)(_text)

    def gather(self, ids: Collection[bytes]) -> None:
        """Get what is on the card of what is about to be shown, at once (docs/store.md, "The archive")."""
        missing = [id_ for id_ in ids if id_ not in self._recent]
        for id_, text in (self._kept.texts(missing) if missing else {}).items():
            self._remember(id_, text)

    def has(self, id_: bytes) -> bool:
        """Whether its text is in memory."""
        return id_ in self._recent

    def of(self, id_: bytes, record: Record) -> str | None:
        """The text of a live or past record; None if its author's island is of a later version, or broken."""
        self.ready(id_, record, TextPatience())
        return self._recent.get(id_)

    def ready(self, id_: bytes, record: Record, patience: TextPatience) -> bool:
        """Whether its text is there now, decoded if need be; False, and counted there, when patience ends before."""
        if id_ in self._recent:
            return True
        self.gather([id_])
        if id_ not in self._recent and not self._decode_in_turn(id_, record, patience.left_s()):
            patience.unread += 1
            return False
        return True

    def _decode_in_turn(self, id_: bytes, record: Record, left_s: float) -> bool:
        if left_s <= 0 or not self._turn.acquire(timeout=-1 if left_s == inf else min(left_s, LONGEST_WAIT_S)):
            return False
        try:
            if id_ not in self._recent:
                self._decode(id_, record)
        finally:
            self._turn.release()
        return True

    def _decode(self, id_: bytes, record: Record) -> None:
        self.decoded += 1
        text = _text(record.codec, record.packed)
        self._remember(id_, text)
        if text and "\0" not in text:  # such a one is never shown, and SQL's strings end there
            self._kept.keep_text(id_, text)

    def _remember(self, id_: bytes, text: str | None) -> None:
        self._recent[id_] = text
        while len(self._recent) > TEXTS_KEPT:
            self._recent.popitem(last=False)


def _text(codec: int, packed: bytes) -> str | None:
    """A text, or None if its author's island is of a later version, or broken: then it is relayed, not shown."""
    try:
        return unpack(codec, packed)
    except RemoteFault:
        return None

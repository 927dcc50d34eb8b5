"""Who says "I'll be there", counted without knowing who: in memory only, once for each address and date of an event.

Of a date there are a salt and 1,024 bits. An address sets the bit that its hash under that salt names, and the count is
the number of bits set: whoever presses twice counts once, whenever that is, and nothing tells who came when. Some share a
bit (100 addresses set 95), so what is told is a least number. Other islands are told a level (`node.model.turnout`) in a
record of this one, and never of fewer than six. What the memory of a running box gives away: docs/threats.md.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from node.board.composing import outliving
from node.model.event import DAY_MIN
from node.model.record import Kind, Record
from node.model.turnout import STEPS, Turnout, level_of
from node.replica.liveset import LiveSet

SALT_BYTES = 16
BUCKETS = 1_024
MAX_DATES = 2_000  # some 500 bytes each; who was asked for longest ago is forgotten
TOLD_A_DAY = 24  # records of 90 bytes: one percent of what EU_868 lets an island send in a day, at two packets each
LOOK_EVERY_MIN = 60  # so that the minute of a record is not that of a press


@dataclass
class Coming:
    """One date: the minute it ends, its salt, the bits that are set."""

    end: int
    salt: bytes
    bits: int = 0


class Turnouts:
    """What this island counts, and what others told. `gate`: a lock; `random(n)`: n random bytes. Safe from any thread."""

    def __init__(self, liveset: LiveSet, own: bytes, gate: AbstractContextManager[Any], random: Callable[[int], bytes]):
        self._liveset, self._own, self._gate, self._random = liveset, own, gate, random
        self._coming: OrderedDict[tuple[bytes, int], Coming] = OrderedDict()
        self._told: deque[int] = deque(maxlen=TOLD_A_DAY)
        self._looked = -LOOK_EVERY_MIN
        self.revision = 0  # grows when what is shown may have changed

    def come(self, root: bytes, number: int, end: int, bucket: Callable[[bytes], int]) -> None:
        """Somebody says so about a date that ends at a minute; `bucket(salt)` is a number for who it is, below 65,536."""
        with self._gate:
            coming = self._coming.pop((root, number), None) or Coming(end, self._random(SALT_BYTES))
            before = level_of(coming.bits.bit_count())
            coming.end, coming.bits = end, coming.bits | 1 << bucket(coming.salt) % BUCKETS
            self._coming[root, number] = coming
            self.revision += level_of(coming.bits.bit_count()) > before
            while len(self._coming) > MAX_DATES:
                self._coming.popitem(last=False)

    def least(self, root: bytes, number: int) -> int:
        """How many people will be there at least, as far as this island and the others know; 0 below six."""
        told = {author: one.least for author, (_id, one) in self._records(root).items() if one.number == number}
        with self._gate:
            here = self._level(root, number)
        told[self._own] = max(told.get(self._own, 0), STEPS[here - 1] if here else 0)
        return sum(told.values())

    def due(self, now: int, ran_min: int) -> list[Record]:
        """Unsigned records that say more than the last ones did, for now (`ran_min`: in minutes of running): few a day."""
        with self._gate:
            if ran_min < self._looked + LOOK_EVERY_MIN:
                return []
            self._looked = ran_min
            over = [key for key, one in self._coming.items() if one.end <= now]
            for key in over:
                del self._coming[key]
            found = [record for key, one in self._coming.items() if (record := self._more(*key, one, now))]
            while self._told and self._told[0] <= ran_min - DAY_MIN:
                self._told.popleft()
            found = found[:TOLD_A_DAY - len(self._told)]
            self._told.extend([ran_min] * len(found))
            return found

    def forget(self) -> None:
        """Forget all that was counted here: the keepers want it no more."""
        with self._gate:
            self.revision += bool(self._coming)
            self._coming.clear()

    def _level(self, root: bytes, number: int) -> int:
        coming = self._coming.get((root, number))
        return level_of(coming.bits.bit_count()) if coming else 0

    def _more(self, root: bytes, number: int, coming: Coming, now: int) -> Record | None:
        """What is to be told about a date, if it is more than what is told."""
        id_, said = self._records(root).get(self._own, (b"", Turnout(-1, 0)))
        level = self._level(root, number)
        if not level or (said.number, said.level) >= (number, level):
            return None
        before = self._liveset.get(id_) if id_ else None
        record = Record(Kind.TURNOUT, self._own, max(now, before.created + 1 if before else 0), target=root,
                        detail=Turnout(number, level))
        return outliving(record, max(coming.end, before.expires if before else 0))

    def _records(self, root: bytes) -> dict[bytes, tuple[bytes, Turnout]]:
        """By author, the id of the record about an event, and what it says."""
        found = {}
        for id_ in self._liveset.about(root):
            raw = self._liveset.encoding(id_)
            record = self._liveset.get(id_) if raw and raw[0] & 15 == Kind.TURNOUT else None
            if record and isinstance(record.detail, Turnout):
                found[record.author] = id_, record.detail
        return found

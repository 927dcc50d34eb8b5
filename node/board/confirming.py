"""Keepers confirm what another island marked as urgent: each island says so once, of one version, and may take it back.

The record is the island's (docs/protocol.md, 3.7); which keeper pressed is in this island's audit log alone.
"""

from itertools import islice

from node.board.api import DraftRefused, Item, Overtaken, Problem
from node.board.composing import outliving
from node.board.confirmed import is_unconfirmed
from node.board.items import root_of
from node.board.moderation import Moderation
from node.board.notes import BoardState
from node.board.reasons import AuditAction, ProblemCode
from node.model.confirmation import Confirmation
from node.model.event import DAY_MIN
from node.model.record import TARGET_BYTES, Kind, Record

CONFIRMED_A_DAY = 12
"""Posts. So many this island confirms within a day of running. Set by: 12 records of 89 B take two packets each, half a
percent of what EU_868 lets an island send in a day; and keepers who read before they press do not come near it."""

MOST_LOOKED_AT = 50  # urgent posts, the newest: whoever marks more as urgent marks nothing


class Confirming(Moderation):
    """The part of the board where keepers confirm what others marked as urgent."""

    _confirmed_at: tuple[int, ...] = ()  # in minutes of running; a start forgets them

    def confirms(self, item: Item) -> bool:
        """Whether this island confirms this version of it."""
        return item.confirmed is not None and any(author.here for author in item.confirmed.by)

    def may_confirm(self, item: Item) -> bool:
        """Whether it is for this island's keepers to confirm: an urgent post of somebody else, live, and in force."""
        return item.confirmed is not None and not item.author.here

    def to_confirm(self, limit: int) -> list[Item]:
        """Urgent posts of others that too few islands confirm, and this one does not; the newest first."""
        urgent = sorted((entry for entry in self._liveset.posts() if entry.urgent), key=lambda entry: -entry.created)
        found = filter(None, (self.reader.live(entry.id) for entry in urgent[:MOST_LOOKED_AT]))
        wanted = (item for item in found
                  if self.may_confirm(item) and not self.confirms(item) and is_unconfirmed(item))
        return list(islice(wanted, limit))

    def confirm(self, item_id: str, keeper: str, holds: bool = True, why: str = "", seen: str = "") -> Item:
        """Say of an urgent post that it is so, or, without `holds`, take that back; the item as it stands then.

        `seen` is the id of the version that the keeper read, "" if that is not known. Raises DraftRefused, BoardClosed, or
        Overtaken if it was corrected meanwhile.
        """
        item = self._to_be_confirmed(item_id)
        if seen and seen != item.id:
            raise Overtaken(item)
        if self.confirms(item) == holds:
            return item
        ran_min = self._ran_min()
        lately = tuple(minute for minute in self._confirmed_at if minute > ran_min - DAY_MIN)
        if holds and len(lately) >= CONFIRMED_A_DAY:
            raise DraftRefused([Problem("", ProblemCode.CONFIRMED_ENOUGH, CONFIRMED_A_DAY)])
        self._check_admitted(self._key.key_id)
        raw = self.sign_own(self._confirmation(item, holds))
        entry = self._entry(keeper, AuditAction.CONFIRM if holds else AuditAction.CONFIRM_BACK, root_of(item).hex(), why)

        def change(state: BoardState) -> BoardState:
            self._publish(raw)
            return state.logged(entry)

        self.notes.update(change)
        self._confirmed_at = (*lately, *[ran_min] * holds)
        return self.reader.find(item.id) or item

    def _to_be_confirmed(self, item_id: str) -> Item:
        item = self.reader.find(item_id)
        if item is None or item.expires <= self.now():
            raise DraftRefused([Problem("", ProblemCode.TARGET_GONE)])
        if not self.may_confirm(item):
            raise DraftRefused([Problem("", ProblemCode.NOT_TO_CONFIRM)])
        return item

    def _confirmation(self, item: Item, holds: bool) -> Record:
        """It takes the place of what this island said of that version before, and ends within the hour after it."""
        version = bytes.fromhex(item.id)[:TARGET_BYTES]
        before = self.reader.said_of(version, self._key.key_id)
        created = max(self.now(), item.created, before.created + 1 if before else 0)
        record = Record(Kind.CONFIRMATION, self._key.key_id, created, target=version, detail=Confirmation(holds))
        return outliving(record, max(item.expires, before.expires if before else 0))

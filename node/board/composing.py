"""Composing: what somebody typed becomes this island's record; checked, packed and weighed once, whatever it is for."""

from collections.abc import Iterable
from dataclasses import replace

from node.board.api import Cost, Draft, DraftRefused, Item, Problem
from node.board.drafts import (
    MAX_LIFE_DAYS,
    MAX_REASON,
    Composed,
    compose,
    fitting,
    is_blank,
    is_readable,
    normalised,
    problems_of,
)
from node.board.host import Host
from node.board.items import Reader, root_of
from node.board.reasons import ProblemCode
from node.model.clock import minute_of
from node.model.event import DAY_MIN, Event
from node.model.keys import SigningKey
from node.model.record import MAX_LIFE_H, Kind, Record, Right, encode, sign
from node.replica.liveset import LiveSet
from node.textpack import pack

RECALL_MIN = 30 * DAY_MIN
"""Minutes. A retraction outlives what it takes back by so much, so that an island which was off until that had ended hears
of it too, and erases what it would archive. Set by: how long a box may stand in a cupboard between two meetings; not more,
as an author has room for 1,024 endings at a time."""


class Composer:
    """The part of the board where drafts become records; nothing is kept or published here."""

    def __init__(self, liveset: LiveSet, key: SigningKey, host: Host, reader: Reader):
        self._liveset, self._key, self._host, self.reader = liveset, key, host, reader

    def now(self) -> int:
        """The present minute by the island's best clock; cheap."""
        return minute_of(self._host.now())

    def cost(self, draft: Draft, group: str = "", visiting: bool = False) -> Cost:
        """What it would take to post it; raises DraftRefused. `group` and `visiting` as in `not_urgent`."""
        return self.cost_of([self.compose(draft, self.not_urgent(group, visiting))])

    def not_urgent(self, group: str = "", visiting: bool = False) -> ProblemCode | None:
        """Why what this island signs, or the group of this name, cannot be urgent; None if it can.

        `visiting`: whoever posts is no keeper. Of several groups of one name the one that may counts: its passphrase tells.
        """
        if not group:
            return self._not_urgent([self._key.key_id], ProblemCode.URGENT_NOT_ALLOWED, visiting)
        named = [key for key, standing in self._liveset.trust.standings.items()
                 if Right.GROUP in standing.rights and self.reader.author(key).name == group]
        return self._not_urgent(named, ProblemCode.URGENT_NOT_GROUP)

    def compose(self, draft: Draft, not_urgent: ProblemCode | None = None) -> Composed:
        """The draft checked, as a record of this island's made now, and its size: once. Raises DraftRefused.

        `not_urgent`: why it cannot be urgent, if it cannot; who signs says so.
        """
        draft = normalised(draft)
        target = self.reader.find(draft.target) if draft.target else None
        problems = [*problems_of(draft, self.now()), *self._problems_here(draft, target)]
        if draft.urgent and not_urgent:
            problems.append(Problem("urgent", not_urgent))
        if problems:
            raise DraftRefused(problems)
        if target:
            draft = replace(still_foreign(draft, target), target=root_of(target).hex())
        return compose(draft, self._key.key_id, self.now())

    # what comes from an agenda elsewhere (`node.ical.import_plan`)

    def own_witness(self, key: bytes) -> Item | None:
        """What this island says of a foreign event, whether or not it is shown."""
        return self.reader.witness(key, self._key.key_id)

    def took_back(self, key: bytes, root: bytes) -> bool:
        """Whether a foreign event was hidden here, or withdrawn by this island, which has known it under `root`."""
        hidden = self.reader.hidden()
        roots = {root, *(one.root for one in self._liveset.witnesses(key))}
        return any(one in hidden for one in roots) or any(
            one.root == root and one.author == self._key.key_id for one in self._liveset.retractions())

    def offer(self, draft: Draft, item: Item | None = None) -> Composed:
        """An event that this island takes over, in the place of `item` if there is one; raises DraftRefused."""
        composed = self.compose(draft)
        return self._in_place_of(item, composed, self._key) if item else composed

    def take_back(self, item: Item) -> Composed:
        """The retraction of one of this island's own."""
        return fitting(Draft(Kind.RETRACTION), self._ending(item, self._key, None))

    def cost_of(self, composed: Iterable[Composed]) -> Cost:
        """What they will take together once signed, sent one by one."""
        costs = [self._cost(one.size_bytes) for one in composed]
        return Cost(sum(cost.record_bytes for cost in costs), sum(cost.packets for cost in costs),
                    sum((cost.airtime_s for cost in costs), 0.0))

    def sign_own(self, record: Record) -> bytes:
        """The encoding of one of these, signed by this island."""
        return self._signed(record, self._key)

    # inside

    def _problems_here(self, draft: Draft, target: Item | None) -> list[Problem]:
        """What only this island can tell."""
        found, now = [], self.now()
        if (draft.kind is Kind.REPLY or draft.target) and (target is None or target.expires <= now):
            found.append(Problem("target", ProblemCode.TARGET_GONE))
        if draft.publish_at and draft.publish_at > now + MAX_LIFE_DAYS * DAY_MIN:
            found.append(Problem("publish_at", ProblemCode.TOO_FAR, MAX_LIFE_DAYS))
        if draft.publish_at and draft.end and draft.event and draft.publish_at >= draft.event.over:
            found.append(Problem("publish_at", ProblemCode.PAST))
        return found

    def _not_urgent(self, keys: Iterable[bytes], code: ProblemCode, visiting: bool = False) -> ProblemCode | None:
        """None if one of the keys may mark a post as urgent now, and visitors may make it do so; else why not."""
        if not any(self._liveset.trust.may(key, Right.URGENT, self.now()) for key in keys):
            return code
        return ProblemCode.URGENT_KEEPERS if visiting and self._host.urgent() != "everybody" else None

    def _signed_not_urgent(self, key: SigningKey, visiting: bool) -> ProblemCode | None:
        """As `not_urgent`, of who signs for certain."""
        if key is self._key:
            return self.not_urgent(visiting=visiting)
        return self._not_urgent([key.key_id], ProblemCode.URGENT_NOT_GROUP)

    def _in_place_of(self, item: Item, composed: Composed, key: SigningKey) -> Composed:
        """The record of a correction, made of a draft that was composed; raises DraftRefused."""
        created = max(self.now(), item.created + item.corrected, 0 if item.met is None else item.met + 1)
        record = replace(composed.record, author=key.key_id, created=created, target=root_of(item))
        return fitting(composed.draft, outliving(record, item.expires))

    def _ending(self, item: Item, key: SigningKey, reason: str | None) -> Record:
        """The retraction of an item, or, with a reason, an event's cancellation, or, without words, that of a bulletin,
        which is met then; raises DraftRefused."""
        if reason is None:
            return retraction_of(item, key.key_id, root_of(item), self.now())
        if item.kind is Kind.BULLETIN:
            met = Record(Kind.CANCELLATION, key.key_id, max(self.now(), item.created), target=root_of(item))
            return outliving(met, item.expires)
        draft = normalised(Draft(Kind.CANCELLATION, text=reason))
        if problem := _problem_of_reason(draft.text):
            raise DraftRefused([problem])
        codec, packed = pack(draft.text, item.language)
        record = Record(draft.kind, key.key_id, max(self.now(), item.created), language=item.language, codec=codec,
                        packed=packed, target=root_of(item))
        return fitting(draft, outliving(record, item.expires)).record

    def _signed(self, record: Record, key: SigningKey) -> bytes:
        return encode(sign(record, self._liveset.charter.set_id, key.sign))

    def _cost(self, record_bytes: int) -> Cost:
        return Cost(record_bytes, self._host.packets(record_bytes), self._host.airtime_s(record_bytes))


def still_foreign(draft: Draft, item: Item) -> Draft:
    """A correction of an event that was taken over is of the same event, by whomever it is made."""
    if draft.kind is not Kind.EVENT or draft.foreign or item.event is None or item.event.foreign is None:
        return draft
    return replace(draft, foreign=item.event.foreign, source=item.origin.name if item.origin else "",
                   called_off=(item.cancelled or "") if item.event.foreign.off else "")


def retraction_of(taken: Record | Item, author: bytes, root: bytes, now: int) -> Record:
    """What takes back something of `author` (a key id) whose first version's id begins with `root`, unsigned."""
    ending = Record(Kind.RETRACTION, author, max(now, taken.created), language=taken.language, target=root)
    return outliving(ending, taken.expires + RECALL_MIN)


def _problem_of_reason(reason: str) -> Problem | None:
    """What is wrong with the reason of a cancellation."""
    if not is_readable(reason):
        return Problem("reason", ProblemCode.CONTROL_CHARACTER)
    if is_blank(reason):
        return Problem("reason", ProblemCode.INVISIBLE)
    return Problem("reason", ProblemCode.TOO_LONG, len(reason) - MAX_REASON) if len(reason) > MAX_REASON else None


def outliving(record: Record, expires: int) -> Record:
    """`record` with a life that lasts at least until minute `expires`, so that what it replaces never comes back."""
    needed = -(-(expires - record.created) // 60)
    life = min(max(record.life, needed, 1), MAX_LIFE_H[record.kind])
    if isinstance(record.detail, Event) and record.expires >= expires:
        life = record.life  # its own end is late enough
    return replace(record, life=life)

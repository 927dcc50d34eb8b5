"""Putting the board right: keepers refuse what waits and withdraw what is shown, many with one press, and may undo it.

What a keeper withdraws is out of sight here at once, and what is refused waits no more. Both are kept until the minute of
their clearing. Then what this island signed is retracted, so that every island drops it and its share is free again; what
others signed stays hidden here; and what was refused is forgotten. The minutes are of running: a clock that is set takes
nothing from the time to undo, and adds nothing to it.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from node.board.api import AuditEntry, BoardClosed, Cleared, Handle, Item, Waiting
from node.board.composing import retraction_of
from node.board.drafts import in_one_line
from node.board.host import Host
from node.board.items import Reader
from node.board.notes import BoardNotes, BoardState, Clearing
from node.board.pace import MINUTE_S, Act
from node.board.publishing import TOO_LATE, Publisher
from node.board.reasons import IN_THE_SET, AuditAction, ClosedReason, Pile, as_reason
from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.record import TARGET_BYTES
from node.replica.entry import Entry
from node.replica.liveset import LiveSet
from node.store.index import StoreFailed

UNDO_MIN = 10  # long enough to see a mistake; other islands go on showing what was withdrawn for so long
MAX_WHY = 200  # characters of a reason in the audit log: a hundred of them are 80 kB at most
ID_BYTES = 8
BATCH = 100  # retractions at a time: a Zero checks so many signatures in some tenths of a second, and others wait for it
FEW = 5  # retractions that go out like a post; more go out behind what people post, as an agenda does


class Clearer(Publisher):
    """The part of the board where keepers handle many posts at once."""

    def __init__(self, liveset: LiveSet, notes: BoardNotes, key: SigningKey, host: Host, reader: Reader):
        super().__init__(liveset, notes, key, host, reader)
        self._undo_ends: dict[str, float] = {}  # by clearing, in seconds of running

    def handles(self, piles: Collection[Pile], since: int = 0, until: int | None = None) -> list[Handle]:
        """What is in these piles and was typed (or posted) from minute `since` to `until`, the newest first."""
        found = [*self._waiting_handles(piles), *self._live_handles(piles)]
        wanted = [one for one in found if since <= one.at and (until is None or one.at <= until)]
        return sorted(wanted, key=lambda one: (-one.at, one.id))

    def handled(self, handle: Handle) -> Item | None:
        """The item of a handle, whether it is shown or not; None for what is gone, or shows nothing."""
        if handle.pile is Pile.WAITING:
            waiting = self.waiting_post(handle.id)
            return waiting.item if waiting else None
        return self.reader.hidden_or_live(bytes.fromhex(handle.id)) or self.reader.hidden_item(self._root_of(handle.id))

    def waiting_post(self, item_id: str) -> Waiting | None:
        """A post that waits, by its whole id."""
        post = self.notes.state.waits(item_id)
        item = self.reader.unpublished(post.raw) if post else None
        return Waiting(item, post.moderated, post.publish_at) if post and item else None

    def clear(self, ids: Iterable[str], keeper: str, why: str = "") -> Cleared:
        """Refuse those that wait, withdraw (or hide, if others signed them) those that are shown; raises BoardClosed."""
        now, wanted = self.now(), set(ids)
        clearing = Clearing(self._host.random(ID_BYTES).hex(), now + UNDO_MIN, keeper)
        live = [id_ for id_ in wanted if bytes.fromhex(id_) in self._liveset]
        roots, own = (set(map(self._root_of, ids)) for ids in (live, filter(self._is_own, live)))

        def change(state: BoardState) -> BoardState:
            refused = {id_: replace(post, cleared=clearing) for id_, post in state.waiting.items()
                       if id_ in wanted and not post.cleared}
            hidden = state.hidden - own  # what others signed can only be hidden, and is
            gone = dict.fromkeys(roots - state.cleared.keys() - hidden, clearing)
            if not (refused or gone):
                return state
            entry = self._entry_of(keeper, AuditAction.REFUSE if refused else AuditAction.WITHDRAW, AuditAction.CLEAR,
                                   [*refused, *map(bytes.hex, gone)], why)
            return replace(state, waiting={**state.waiting, **refused}, cleared={**state.cleared, **gone}).logged(entry)

        self._left_s(clearing)
        self.notes.update(change)
        done = _counted(self.notes.state).get(clearing.id, Cleared(clearing.id, clearing.until, keeper))
        self._pace.leave(Act.POST, done.withdrawn)  # others need not wait for what is gone
        return done

    def cleared(self) -> list[Cleared]:
        """What may still be undone, the latest first."""
        state, now = self.notes.state, self.now()
        left_min = {one.id: math.ceil(self._left_s(one) / MINUTE_S) for one in _clearings(state)}
        counted = [replace(one, until=now + left_min[one.id]) for one in _counted(state).values()]
        return sorted(counted, key=lambda one: -one.until)

    def undo(self, clearing_id: str, keeper: str) -> int:
        """Bring back all of one clearing: how many posts. What its minute has taken is gone."""
        def change(state: BoardState) -> BoardState:
            back = {id_: replace(post, cleared=None) for id_, post in state.waiting.items()
                    if post.cleared and post.cleared.id == clearing_id}
            cleared = {root: one for root, one in state.cleared.items() if one.id != clearing_id}
            count.append(len(back) + len(state.cleared) - len(cleared))
            if not count[-1]:
                return state
            entry = self._entry(keeper, AuditAction.UNDO, str(count[-1]))
            return replace(state, waiting={**state.waiting, **back}, cleared=cleared).logged(entry)

        count: list[int] = []
        self.notes.update(change)
        return count[-1]

    def approve_all(self, ids: Iterable[str], keeper: str) -> int:
        """Publish those that wait, each as the share has room for it: how many. The others wait on; raises BoardClosed."""
        done: list[str] = []
        try:
            for id_ in ids:
                done += [id_] * self._publish_or_drop(id_)
        finally:
            self._log(self._entry_of(keeper, AuditAction.APPROVE, AuditAction.APPROVE_MANY, done))
        return len(done)

    def show_all(self, ids: Iterable[str], keeper: str) -> int:
        """Show again what is hidden here: how many."""
        roots = frozenset(map(self._root_of, ids)) & self.notes.state.hidden
        entry = self._entry_of(keeper, AuditAction.SHOW, AuditAction.SHOW_MANY, list(map(bytes.hex, roots)))
        self.notes.update(lambda state: replace(state, hidden=state.hidden - roots) if roots else state, entry)
        return len(roots)

    def finish_clearings(self) -> int:
        """Make good what can be undone no more, and forget what waited longer than it would have lived: how many posts."""
        now, state = self.now(), self.notes.state
        open_now = {one.id: one for one in _clearings(state)}
        over_now = {id_ for id_, one in open_now.items() if self._left_s(one) <= 0}
        for id_ in self._undo_ends.keys() - open_now.keys():
            del self._undo_ends[id_]
        certain = min(now, minute_of(self._host.certain()))  # a clock that may be wrong throws away nothing that waits
        over = [id_ for id_, post in state.waiting.items()
                if (post.cleared and post.cleared.id in over_now) or post.record.expires <= certain]
        roots = [root for root, clearing in state.cleared.items() if clearing.id in over_now]
        with suppress(BoardClosed):  # the card will not: the next time
            if roots:
                self._finish(roots[:BATCH])
            if over:
                self._forget(over)
        return len(over) + len(roots)

    # inside

    def _left_s(self, clearing: Clearing) -> float:
        """Seconds of running that are left to undo it. After a restart the clock says how many, and may not add any."""
        mono = self._host.monotonic()
        left_min = min(max(clearing.until - self.now(), 0), UNDO_MIN)
        return self._undo_ends.setdefault(clearing.id, mono + left_min * MINUTE_S) - mono

    def _waiting_handles(self, piles: Collection[Pile]) -> Iterator[Handle]:
        waiting = self.notes.state.waiting if Pile.WAITING in piles else {}
        for id_, post in waiting.items():
            if not post.cleared:
                yield Handle(id_, Pile.WAITING, post.came or post.record.created)

    def _live_handles(self, piles: Collection[Pile]) -> Iterator[Handle]:
        if not {Pile.HERE, Pile.ELSEWHERE, Pile.HIDDEN} & set(piles):
            return
        state = self.notes.state
        for entry in self._liveset.posts():
            pile = self._pile_of(entry, state)
            if pile and pile in piles:
                yield Handle(entry.id.hex(), pile, entry.created)

    def _pile_of(self, entry: Entry, state: BoardState) -> Pile | None:
        if entry.root in state.cleared:
            return None
        if entry.root in state.hidden:
            return Pile.HIDDEN
        return Pile.HERE if entry.author == self._key.key_id else Pile.ELSEWHERE

    def _root_of(self, item_id: str) -> bytes:
        """The root of a live version, or of what has this very id."""
        id_ = bytes.fromhex(item_id)
        record = self._liveset.get(id_)
        return record.target if record and record.corrects and record.target else id_[:TARGET_BYTES]

    def _is_own(self, item_id: str) -> bool:
        record = self._liveset.get(bytes.fromhex(item_id))
        return record is not None and record.author == self._key.key_id

    def _entry(self, keeper: str, action: str, about: str = "", why: str = "") -> AuditEntry:
        return AuditEntry(self.now(), keeper, action, about, in_one_line(why, MAX_WHY))

    def _entry_of(self, keeper: str, one: str, many: str, ids: list[str], why: str = "") -> AuditEntry:
        """The entry for one post by its id, or for so many."""
        alone = len(ids) == 1
        return self._entry(keeper, one if alone else many, ids[0] if alone else str(len(ids)), why)

    def _log(self, entry: AuditEntry) -> None:
        if entry.about != "0":
            self.notes.log(entry)

    def _finish(self, roots: list[bytes]) -> None:
        """Retract what this island signed, hide the rest; raises BoardClosed, and then all of it is still to be done."""
        standing = self._liveset.standing(roots)
        records = {root: record for root, id_ in standing.items() if (record := self._liveset.get(id_))}
        own = self._key.key_id
        ours = [root for root, record in records.items() if record.author == own]
        self._publish_many([self.sign_own(retraction_of(records[root], own, root, self.now())) for root in ours])
        hidden = frozenset(records) - frozenset(ours)
        self.notes.update(
            lambda state: replace(state.without_reports(roots), hidden=state.hidden | hidden,
                                  cleared={root: one for root, one in state.cleared.items() if root not in set(roots)}),
            codes=dict.fromkeys(ours))

    def _publish_many(self, raws: list[bytes]) -> None:
        try:
            verdicts = self._host.publish_all(raws) if len(raws) > FEW else [self._host.publish(raw) for raw in raws]
        except StoreFailed as failure:
            raise BoardClosed(as_reason(ClosedReason, failure.reason, ClosedReason.IO_ERROR)) from failure
        self._last_act = raws[-1] if raws else self._last_act
        if not all(verdict.reason in {*IN_THE_SET, *TOO_LATE} for verdict in verdicts):
            raise BoardClosed(ClosedReason.NOT_ADMITTED)

    def _forget(self, ids: list[str]) -> None:
        gone = set(ids)
        roots = [post.root for id_, post in self.notes.state.waiting.items() if id_ in gone]
        self.notes.update(
            lambda state: replace(state, waiting={id_: post for id_, post in state.waiting.items() if id_ not in gone}),
            codes={root: None for root in roots if not self._liveset.about(root)})


def _counted(state: BoardState) -> dict[str, Cleared]:
    """Each clearing that may be undone, with how much of it there is."""
    refused = Counter(post.cleared.id for post in state.waiting.values() if post.cleared)
    withdrawn = Counter(clearing.id for clearing in state.cleared.values())
    every = {clearing.id: clearing for clearing in _clearings(state)}
    return {id_: Cleared(id_, one.until, one.keeper, refused[id_], withdrawn[id_]) for id_, one in every.items()}


def _clearings(state: BoardState) -> Iterator[Clearing]:
    yield from state.cleared.values()
    yield from (post.cleared for post in state.waiting.values() if post.cleared)

"""Founding the set of an island anew, with founders' keys off the box, as long as no other island is in it.

A set is its name and its founders, so this makes another set. What this island's own key has signed is signed again, which
gives every record another id; what names records by their ids is carried over. It is done at the next start, from a plan
beside the keys: first all that is new is put, then the board's notes follow, then what is old goes, and the plan last. Cut
short anywhere, doing it again completes it. (Ed25519 signs the same in the same way, so what is put twice is the same.)
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from node.board.api import AuditEntry, BoardClosed
from node.board.board import Board
from node.board.founding import FOUNDERS, FoundingView
from node.board.keyring import KeyRefused, KeyRole
from node.board.notes import BoardNotes, BoardState, PendingPost, PendingRevocation
from node.board.reasons import AuditAction, ClosedReason
from node.daemon.founders import UnkeptKeys
from node.daemon.keyfiles import FoundingPlan, KeyFolder, founded
from node.i18n.sentence import sentence
from node.model.keys import SigningKey, verify
from node.model.record import (
    POST_KINDS,
    SIGNATURE_BYTES,
    TARGET_BYTES,
    Kind,
    Record,
    Right,
    Vouch,
    decode,
    encode,
    record_id,
    sign,
    signing_message,
)
from node.replica.liveset import LiveSet
from node.store.archive import Archive
from node.store.index import Row
from node.store.journalstore import JournalStore

DONE = "refounded"  # the note that says for which set (its id) all has been put
BATCH = 500


@dataclass(frozen=True)
class FoundingHost:
    """What founding anew needs of the island: its `keys`, its `name()`, `random(n)` n bytes, and `start_anew()`, which ends
    it so that another one opens."""

    keys: KeyFolder
    name: Callable[[], str]
    random: Callable[[int], bytes]
    start_anew: Callable[[], object]


class IslandFounding:
    """See `node.board.founding.Founding`. Safe from any thread but the runner's."""

    def __init__(self, board: Board, liveset: LiveSet, key: SigningKey, host: FoundingHost):
        self._board, self._liveset, self._key, self._host = board, liveset, key, host
        self._gate = threading.Lock()
        self._made: UnkeptKeys | None = None

    def alone(self) -> bool:
        """Whether this island's own key is the set's only founder."""
        return self._liveset.charter.founders == (self._key.public,)

    def view(self) -> FoundingView:
        """How it stands."""
        own = self._key.key_id
        views = self._board.keyring.tree()
        joined = [view.name for view in views if any(link.by_invitation for link in view.links)]
        rows = [decode(raw) for id_ in self._liveset.ids() if (raw := self._liveset.encoding(id_))]
        posts = [record for record in rows if record.kind in POST_KINDS]
        return FoundingView(
            self.alone(),
            tuple(view.id for view in views if view.role is KeyRole.FOUNDER), tuple(joined),
            sum(view.role is KeyRole.INVITATION and not view.used for view in views),
            sum(record.author == own for record in posts), sum(record.author != own for record in posts))

    def keys(self, count: int = 0) -> UnkeptKeys | None:
        """The keys that are being made; with a `count`, new ones."""
        if count in FOUNDERS:
            with self._gate:
                if self._made:
                    self._made.forget()
                self._made = UnkeptKeys(count, self._host.random)
        return self._made

    def refound(self, keeper: str) -> None:
        """Found the set anew with these keys; the island starts anew. A second press does nothing more."""
        with self._gate:
            if self._host.keys.planned() is None:
                try:
                    self._plan(keeper)
                except OSError as failure:
                    raise BoardClosed(ClosedReason.IO_ERROR) from failure
        self._host.start_anew()

    def _plan(self, keeper: str) -> None:
        view, made = self.view(), self._made
        if not view.alone or view.joined:
            raise KeyRefused(sentence("This set cannot be founded anew from here: others are in it, or it has founders’ "
                                      "keys already."))
        if made is None:
            raise KeyRefused(sentence("First write down all founders’ keys."))
        with made.signing() as founders:
            charter, paper = founded(self._liveset.charter.name, founders, self._key.public, self._host.name())
            self._host.keys.plan(FoundingPlan(charter, paper, keeper, self._board.now()))
        self._made = None


def carry_out(folder: KeyFolder, store: JournalStore, archive: Archive, key: SigningKey) -> bool:
    """Do what was planned, if something was; whether it was. Raises StoreFailed or KeyTrouble; the next start goes on."""
    plan = folder.planned()
    if plan is None:
        return False
    moving = Moving(key, plan.charter.set_id)
    if store.note(DONE) != plan.charter.set_id.hex():
        rows = [*archive.rows(), *store.rows()]
        moving.learn([row.before for row in rows if row.before])  # first versions, which their corrections name
        moving.learn([row.raw for row in rows])
        paper = Row.of(decode(plan.paper), plan.paper, plan.minute)  # there before the first page: it lets all else in
        store.commit(put=[*moving.moved(store.rows()), paper])
        for batch in _batches(archive.rows()):
            texts = archive.texts([row.id for row in batch])
            archive.keep(moving.moved(batch), {moving.id_of(id_): text for id_, text in texts.items()})
        _carry_notes(store, moving, AuditEntry(plan.minute, plan.keeper, AuditAction.REFOUND, plan.charter.name))
        store.set_notes({DONE: plan.charter.set_id.hex()})
    store.commit(delete=[row.id for row in store.rows() if not moving.is_new(row.raw) and row.raw != plan.paper])
    for batch in _batches(archive.rows()):
        archive.forget([row.id for row in batch if not moving.is_new(row.raw)])
    folder.carry_out(plan)
    return True


class Moving:
    """From the old set's records to the new one's: what our key signed is signed again, and all else is left behind."""

    def __init__(self, key: SigningKey, set_id: bytes):
        self._key, self._set_id = key, set_id
        self._new: dict[bytes, bytes] = {}  # by the old encoding, the new one
        self._ids: dict[bytes, bytes] = {}
        self._roots: dict[bytes, bytes] = {}  # first 8 bytes of ids

    def learn(self, raws: Iterable[bytes]) -> None:
        """Sign again all of these that may be: first what stands by itself, then what names others."""
        records = sorted(((decode(raw), raw) for raw in raws), key=lambda one: (one[0].target is not None, one[0].created))
        for record, raw in records:
            self._sign(record, raw)

    def _sign(self, record: Record, raw: bytes) -> None:
        if self.is_new(raw):
            self._new[raw] = raw
        elif record.author == self._key.key_id and self._goes_along(record):
            target = record.target and self._roots.get(record.target, record.target)
            self._new[raw] = encode(sign(replace(record, target=target), self._set_id, self._key.sign))
            old, new = record_id(raw), record_id(self._new[raw])
            self._ids[old], self._roots[old[:TARGET_BYTES]] = new, new[:TARGET_BYTES]

    def _goes_along(self, record: Record) -> bool:
        """Invitations lead into the old set, renewals are of its secret; and this key has a founder's vouch now."""
        if isinstance(record.detail, Vouch):
            return Right.INVITE not in record.detail.rights and record.detail.subject != self._key.public
        return record.kind is not Kind.RENEWAL

    def is_new(self, raw: bytes) -> bool:
        """Whether our key has signed it in the new set."""
        body, signature = raw[:-SIGNATURE_BYTES], raw[-SIGNATURE_BYTES:]
        return verify(self._key.public, signature, signing_message(body, self._set_id))

    def again(self, raw: bytes) -> bytes | None:
        """The same, signed in the new set; None for what stays behind."""
        if raw not in self._new:
            self.learn([raw])
        return self._new.get(raw)

    def root(self, root: bytes) -> bytes:
        """The new root of an old one; those of what is not here are left as they are."""
        return self._roots.get(root, root)

    def id_of(self, id_: bytes) -> bytes:
        """The new id of an old one that was learned."""
        return self._ids.get(id_, id_)

    def moved(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The new rows of old ones."""
        for row in rows:
            raw = self.again(row.raw)
            if raw is not None:
                before = self.again(row.before) if row.before else b""
                yield Row.of(decode(raw), raw, row.received, before or b"")


def _carry_notes(store: JournalStore, moving: Moving, entry: AuditEntry) -> None:
    notes = BoardNotes(store, threading.Lock())
    codes: dict[bytes, str | None] = {}
    for root in notes.edit_codes():
        if moving.root(root) != root:
            codes |= {moving.root(root): notes.edit_code(root), root: None}
    notes.update(lambda state: _carried(state, moving), entry, codes)


def _carried(state: BoardState, moving: Moving) -> BoardState:
    waiting = {post.id: post for old in state.waiting.values() if (post := _waiting(old, moving))}
    revocations = {record_id(one.raw).hex(): one for old in state.revocations.values() if (one := _revocation(old, moving))}
    sources = {name: replace(source, known={key: replace(one, root=moving.root(one.root))
                                            for key, one in source.known.items()})
               for name, source in state.sources.by_name.items()}
    return replace(
        state, hidden=frozenset(map(moving.root, state.hidden)), waiting=waiting, revocations=revocations,
        cleared={moving.root(root): one for root, one in state.cleared.items()}, promised=frozenset(),
        sources=replace(state.sources, by_name=sources))


def _waiting(post: PendingPost, moving: Moving) -> PendingPost | None:
    raw = moving.again(post.raw)
    return replace(post, raw=raw) if raw else None


def _revocation(one: PendingRevocation, moving: Moving) -> PendingRevocation | None:
    raw = moving.again(one.raw)
    return replace(one, raw=raw) if raw else None


def _batches(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """All rows, read before any is changed."""
    every = list(rows)
    return (every[first:first + BATCH] for first in range(0, len(every), BATCH))

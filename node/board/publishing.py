"""Posting: drafts become signed records, now, at their hour, or when a keeper has read them. Edit codes let authors back.

What waits is signed at once, with the minute it will be published as its creation, so that its id and its code stay good.
"""

import base64
from dataclasses import replace

from node.board.api import AuditEntry, Author, BoardClosed, Draft, DraftRefused, Item, Posted, Problem
from node.board.composing import Composer
from node.board.edit_codes import CODE_LETTERS, SALT_BYTES, hash_code, is_code, make_code
from node.board.host import Host
from node.board.items import Reader, root_of
from node.board.notes import BoardNotes, BoardState, PendingPost
from node.board.reasons import IN_THE_SET, ClosedReason, ProblemCode, VerdictReason, as_reason
from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.passphrase import WrongPassphrase, unseal
from node.model.record import Kind, Right, decode, record_id
from node.replica.liveset import LiveSet
from node.replica.quota import LIMITS, Category
from node.store.index import StoreFailed

MAX_WAITING = 200
TOO_LATE = {  # verdicts that do not change by waiting
    VerdictReason.EXPIRED, VerdictReason.RETRACTED, VerdictReason.SUPERSEDED, VerdictReason.OVER_SHARE}


class Publisher(Composer):
    """The part of the board where posts are made, corrected and withdrawn."""

    def __init__(self, liveset: LiveSet, notes: BoardNotes, key: SigningKey, host: Host, reader: Reader):
        super().__init__(liveset, key, host, reader)
        self.notes = notes

    def groups(self) -> list[str]:
        """Names of the groups that can sign here with their passphrase."""
        return sorted(self.notes.state.groups)

    def posting_rule(self) -> str:
        """Who may post here: `open`, `moderated` or `members`."""
        return self.notes.state.posting or self._host.rule

    # posting

    def post(self, draft: Draft, group: str = "", passphrase: str = "") -> Posted:
        """Sign, keep on disk, publish; raises DraftRefused or BoardClosed. A group signs with its own key."""
        composed, rule = self.compose(draft), self.posting_rule()
        if rule == "members" and not group:
            raise DraftRefused([Problem("group", ProblemCode.MEMBERS_ONLY)])
        key = self._group_key(group, passphrase) if group else self._key
        now, wished = self.now(), composed.draft.publish_at
        publish_at = wished if wished and wished > now else None
        raw = self._signed(replace(composed.record, author=key.key_id, created=publish_at or now), key)
        self._check_quota(key, len(raw))
        post = PendingPost(raw, rule == "moderated" and not group, publish_at)
        code, kept = ("", None) if group else self._new_code()
        waits = post.moderated or publish_at is not None
        if waits:
            self._wait(post, kept)
        else:
            self._publish_with_code(post, kept)
        return Posted(post.id, code, self._cost(len(raw)), waits)

    def correct(self, item_id: str, code: str, draft: Draft) -> Posted:
        """A new version takes the old one's place; raises DraftRefused (`word-wrong`) or BoardClosed.

        `code` is the edit code, or the group's passphrase for a group's post.
        """
        waiting = self.notes.state.waiting.get(item_id)
        posted = self._correct_waiting(waiting, code, draft) if waiting else None
        if posted:
            return posted
        item, key = self._owned(item_id, code)
        if draft.kind is not item.kind or draft.kind is Kind.REPLY:
            raise DraftRefused([Problem("kind", ProblemCode.NOT_OFFERED)])
        raw = self._signed(self._in_place_of(item, self.compose(draft), key).record, key)
        self._publish(raw)
        return Posted(record_id(raw).hex(), "", self._cost(len(raw)))

    def withdraw(self, item_id: str, code: str, reason: str | None = None) -> Posted:
        """Retract it, or, with a reason, show an event as cancelled; `code` as in `correct`, and what is raised too."""
        waiting = self.notes.state.waiting.get(item_id)
        if waiting:
            self._key_that_made(waiting, code)
            if self.drop(item_id):
                return Posted(item_id, "", self._cost(0))
        item, key = self._owned(item_id, code)
        if reason is not None and item.kind is not Kind.EVENT:
            raise DraftRefused([Problem("kind", ProblemCode.NOT_OFFERED)])
        raw = self._signed(self._ending(item, key, reason), key)
        self._publish(raw)
        if reason is None and not item.author.group:
            self.notes.forget_edit_codes([root_of(item)])
        return Posted(record_id(raw).hex(), "", self._cost(len(raw)))

    def may_change(self, item: Item) -> bool:
        """Whether nobody else has a say about it: it is this island's, and no edit code was given for it."""
        return item.author.here and not self.notes.edit_code(root_of(item))

    def has_room(self, record_bytes: int, records: int) -> bool:
        """Whether this island may post so many more and half of its quota is left for those who post here.

        Raises BoardClosed when it may post nothing.
        """
        self._check_admitted(self._key)
        whole = LIMITS[Category.POSTS]
        return self._liveset.has_room(self._key.key_id, record_bytes + whole.size_bytes // 2, records + whole.records // 2)

    def _check_quota(self, key: SigningKey, record_bytes: int) -> None:
        """Nobody posts what would be refused, or would push an older post of the same key off the board."""
        self._check_admitted(key)
        if not self._liveset.has_room(key.key_id, record_bytes):
            raise DraftRefused([Problem("", ProblemCode.SHARE_USED)])

    def _check_admitted(self, key: SigningKey) -> None:
        if not self._liveset.trust.may(key.key_id, Right.WRITE, self.now()):
            raise BoardClosed(ClosedReason.NOT_ADMITTED)

    def _publish_with_code(self, post: PendingPost, kept: str | None) -> None:
        """The code first: nobody could ever withdraw a post that came out without it."""
        if kept:
            self.notes.keep_edit_code(post.root, kept)
        try:
            self._publish(post.raw)
        except BoardClosed:
            if kept and not self._liveset.about(post.root):
                self.notes.forget_edit_codes([post.root])
            raise

    def _publish(self, raw: bytes) -> None:
        try:
            verdict = self._host.publish(raw)
        except StoreFailed as failure:
            raise BoardClosed(as_reason(ClosedReason, failure.reason, ClosedReason.IO_ERROR)) from failure
        if verdict.reason not in IN_THE_SET:
            raise BoardClosed(as_reason(VerdictReason, verdict.reason, VerdictReason.SIGNATURE))

    # what waits

    def publish_due(self) -> int:
        """Publish what waited for its minute; how many. What the card will not take waits on, what came too late goes."""
        now, certain = self.now(), minute_of(self._host.certain())
        due = [id_ for id_, post in self.notes.state.waiting.items()
               if not post.moderated and post.publish_at is not None and post.publish_at <= now
               and not certain < decode(post.raw).expires <= now]  # a clock that may be wrong throws nothing away
        return sum(self._publish_or_drop(item_id) for item_id in due)

    def drop(self, item_id: str, entry: AuditEntry | None = None) -> bool:
        """Forget a post that waits, and its edit code; whether there was one. `entry` goes to the audit log then."""
        post = self.notes.state.waiting.get(item_id)
        if post is None:
            return False
        codes = {} if self._liveset.about(post.root) else {post.root: None}  # it may be out, if the power went just then
        return self.notes.update(
            lambda state: state.without_waiting(item_id) if item_id in state.waiting else state, entry, codes)

    def _publish_or_drop(self, item_id: str) -> bool:
        try:
            return self.notes.update(lambda state: self._let_out(state, item_id))
        except BoardClosed as closed:
            if closed.reason in TOO_LATE:
                self.drop(item_id)
            return False

    def _let_out(self, state: BoardState, item_id: str) -> BoardState:
        """Publish a post that waits, or let it wait for its minute only; the state after that.

        If the power goes before that state is kept the post is there and waits, and is let out once more: no harm done.
        """
        post = state.waiting.get(item_id)
        if post is None:
            return state
        if post.publish_at and post.publish_at > self.now():
            return state.with_waiting(replace(post, moderated=False)) if post.moderated else state
        self._publish(post.raw)
        return state.without_waiting(item_id)

    def _wait(self, post: PendingPost, kept: str | None) -> None:
        def add(state: BoardState) -> BoardState:
            if len(state.waiting) >= MAX_WAITING:
                raise BoardClosed(ClosedReason.WAITING_FULL)
            return state.with_waiting(post)

        self.notes.update(add, codes={post.root: kept} if kept else None)

    def _correct_waiting(self, post: PendingPost, code: str, draft: Draft) -> Posted | None:
        """Another text in the place of one that nobody has seen yet; None if it waits no longer."""
        key = self._key_that_made(post, code)
        old, composed = decode(post.raw), self.compose(replace(draft, publish_at=post.publish_at))
        record = replace(composed.record, author=old.author, created=max(old.created, self.now()))
        better = replace(post, raw=self._signed(record, key))

        def swap(state: BoardState) -> BoardState:
            return state.without_waiting(post.id).with_waiting(better) if post.id in state.waiting else state

        if not self.notes.update(swap, codes={post.root: None, better.root: self.notes.edit_code(post.root) or None}):
            return None
        return Posted(better.id, "", self._cost(composed.size_bytes), waiting=True)

    # who may change a post

    def _owned(self, item_id: str, code: str) -> tuple[Item, SigningKey]:
        """A live item and the key that may end it, for who knows its code; raises DraftRefused."""
        item = self.reader.find(item_id)
        if item is None or item.expires <= self.now():
            raise DraftRefused([Problem("", ProblemCode.TARGET_GONE)])
        return item, self._key_of(item.author, root_of(item), code)

    def _key_that_made(self, post: PendingPost, code: str) -> SigningKey:
        """The key that signed what waits, for who knows its code; raises DraftRefused."""
        return self._key_of(self.reader.author(decode(post.raw).author), post.root, code)

    def _key_of(self, author: Author, root: bytes, code: str) -> SigningKey:
        if author.group:
            key = self._group_key(author.name, code, "word")
            if key.key_id.hex() != author.key_id:  # another group of the same name
                raise DraftRefused([Problem("word", ProblemCode.NOT_YOURS)])
            return key
        if not author.here:
            raise DraftRefused([Problem("word", ProblemCode.NOT_YOURS)])
        self._check_code(root, code)
        return self._key

    def _check_code(self, root: bytes, code: str) -> None:
        kept = self.notes.edit_code(root)
        with self._host.hashing:
            right = kept and is_code(code, kept)
        if not right:
            raise DraftRefused([Problem("word", ProblemCode.WORD_WRONG)])

    def _new_code(self) -> tuple[str, str]:
        """A new edit code, and what is kept of it."""
        code = make_code(self._host.random(CODE_LETTERS))
        with self._host.hashing:
            return code, hash_code(code, self._host.random(SALT_BYTES))

    def _group_key(self, name: str, passphrase: str, field: str = "passphrase") -> SigningKey:
        sealed = self.notes.state.groups.get(name)
        if sealed is None:
            raise DraftRefused([Problem("group", ProblemCode.GROUP_UNKNOWN)])
        try:
            with self._host.hashing:
                return SigningKey(unseal(base64.b64decode(sealed), passphrase))
        except WrongPassphrase:
            raise DraftRefused([Problem(field, ProblemCode.PASSPHRASE_WRONG)]) from None

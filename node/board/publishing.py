"""Posting: drafts become signed records, now, at their hour, or when a keeper has read them. Edit codes let authors back.

What waits is signed at once, with the minute it will be published as its creation, so that its id and its code stay good.
"""

import base64
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from node.board.api import AuditEntry, Author, BoardClosed, Draft, DraftRefused, Item, Overtaken, Posted, Problem
from node.board.composing import outliving, still_foreign
from node.board.edit_codes import CODE_LETTERS, SALT_BYTES, hash_code, is_code, make_code
from node.board.items import root_of
from node.board.notes import BoardState, PendingPost
from node.board.pace import Act, Visitor
from node.board.rationing import Rationer
from node.board.reasons import IN_THE_SET, ClosedReason, ProblemCode, VerdictReason, WaitReason, as_reason
from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.passphrase import BOUNDS, WrongPassphrase, passphrase_fault, unseal
from node.model.record import TARGET_BYTES, Kind, Record, record_id
from node.store.index import StoreFailed

TOO_LATE = {  # verdicts that do not change by waiting
    VerdictReason.EXPIRED, VerdictReason.RETRACTED, VerdictReason.SUPERSEDED, VerdictReason.OVER_SHARE}
POSTING_RULES = ("open", "moderated", "members")  # each is stricter than the one before
MAX_ALIKE = 10  # posts of the same minute with the same words
Waits = WaitReason | Literal[""]


class Publisher(Rationer):
    """The part of the board where posts are made, corrected and withdrawn.

    `visitor` is whoever does it without an account; None for the command line, and for keepers on their pages.
    """

    def groups(self) -> list[str]:
        """Names of the groups that can sign here with their passphrase."""
        return sorted(self.notes.state.groups)

    _stricter = ""  # than the card's rule, as a keeper said since this start

    def posting_rule(self) -> str:
        """Who may post here: `open`, `moderated` or `members`."""
        return self._stricter or self._host.rule if self._host.rule_stands else self.notes.state.posting or self._host.rule

    def stricter_for_now(self) -> bool:
        """Whether a keeper has closed the door further than the card, until the next start."""
        return bool(self._stricter)

    def posting_rules(self) -> tuple[str, ...]:
        """What keepers may make of it. The card's rule stands, but for a stricter one until the next start: in a flood the
        door must close at once, whoever has the card."""
        return POSTING_RULES[POSTING_RULES.index(self._host.rule):] if self._host.rule_stands else POSTING_RULES

    # posting

    def post(self, draft: Draft, group: str = "", passphrase: str = "", visitor: Visitor | None = None,
             keeper: str = "") -> Posted:
        """Sign, keep on disk, publish; raises DraftRefused or BoardClosed. A group signs with its own key.

        A keeper's own post waits for nobody.
        """
        if not group:
            self._check_visitor(visitor, Act.POST)
            if problem := self.code_problem(draft):
                raise DraftRefused([problem])
        composed, rule = self.compose(draft, self.not_urgent(group, visitor is not None)), self.posting_rule()
        if rule == "members" and not (group or keeper):
            raise DraftRefused([Problem("group", ProblemCode.MEMBERS_ONLY)])
        key = self._group_key(group, passphrase) if group else self._key
        wrong = self._signed_not_urgent(key, visitor is not None) if draft.urgent else None
        if wrong:  # another group of the same name may
            raise DraftRefused([Problem("urgent", wrong)])
        now, wished = self.now(), composed.draft.publish_at
        publish_at = wished if wished and wished > now else None
        raw = self._unlike_others(replace(composed.record, author=key.key_id, created=publish_at or now), key)
        post = PendingPost(raw, rule == "moderated" and not (group or keeper), publish_at, now)
        code, kept = ("", None) if group else self._new_code(draft.own_code.strip())
        waiting = self._bring(post, None if group else visitor, Act.POST, kept)
        return Posted(post.id, code, self._cost(len(raw)), waiting)

    def correct(self, item_id: str, code: str, draft: Draft, visitor: Visitor | None = None, seen: str = "") -> Posted:
        """A new version takes the old one's place; raises DraftRefused (`word-wrong`), BoardClosed or Overtaken.

        `code` is the edit code, or the group's passphrase for a group's post. `seen` is the id of what its author saw and
        corrects, "" if that is not known: whoever corrected it meanwhile is not overwritten in silence.
        """
        waiting = self.notes.state.waits(item_id)
        if waiting and waiting.changes:  # another correction instead of that one
            item_id = waiting.root.hex()
        elif waiting and (posted := self._correct_waiting(waiting, code, draft, visitor)):
            return posted
        item, key = self._owned(item_id, code)
        self._check_seen(item, seen)
        if not item.author.group:
            self._check_visitor(visitor, Act.CHANGE)
        if item.kind is Kind.REPLY:
            return self._say_anew(item, draft, key, visitor)
        return self._change(self._correction(item, draft, key, visitor), item, visitor)

    def withdraw(self, item_id: str, code: str, reason: str | None = None, visitor: Visitor | None = None) -> Posted:
        """Retract it, or, with a reason, show an event as cancelled; `code` as in `correct`, and what is raised too.

        A bulletin is met then, whatever the reason: that has no words for a keeper to read, so it waits for none. A
        correction takes it back.
        """
        waiting = self.notes.state.waits(item_id)
        if waiting:
            self._key_that_made(waiting, code)
            if self.drop(item_id):
                return Posted(item_id, "", self._cost(0))
        item, key = self._owned(item_id, code)
        if reason is not None and item.kind is Kind.REPLY:
            raise DraftRefused([Problem("kind", ProblemCode.NOT_OFFERED)])
        if item.met is not None and reason is not None:  # pressed twice
            return Posted(item.id, "", self._cost(0))
        raw = self._signed(self._ending(item, key, reason), key)
        if reason is not None and item.kind is Kind.EVENT:
            return self._change(raw, item, visitor)
        self._publish(raw)
        if reason is not None:
            return Posted(record_id(raw).hex(), "", self._cost(len(raw)))
        if not item.author.group:
            self.notes.forget_edit_codes([root_of(item)])
        self._forget_reports([root_of(item)])
        return Posted(record_id(raw).hex(), "", self._cost(len(raw)))

    def _forget_reports(self, roots: list[bytes]) -> None:
        """Forget what was reported about posts that are gone."""
        with suppress(BoardClosed):  # the card will not: maintenance does it
            self.notes.update(lambda state: state.without_reports(roots))

    def _check_seen(self, item: Item, seen: str) -> None:
        """Raises Overtaken if `seen` is neither the item nor, if a correction of it waits, that."""
        root = root_of(item)
        waiting = [post for post in self.notes.state.waiting.values()
                   if post.root == root and post.record.corrects and not post.cleared]
        now = next((one for one in (self.reader.unpublished(post.raw) for post in waiting) if one), item)
        if seen and seen != now.id:
            raise Overtaken(now)

    def _say_anew(self, item: Item, draft: Draft, key: SigningKey, visitor: Visitor | None) -> Posted:
        """Another reply in the place of one, which is taken back: replies have no versions. The edit code stays good."""
        composed = self.compose(replace(draft, kind=Kind.REPLY, target=item.target),
                                self._signed_not_urgent(key, visitor is not None and not item.urgent))
        record = outliving(replace(composed.record, author=key.key_id, created=self.now()), item.expires)
        said = self._change(self._unlike_others(record, key), item, visitor, self.notes.edit_code(root_of(item)))
        self._publish(self._signed(self._ending(item, key, None), key))
        self.notes.forget_edit_codes([root_of(item)])
        self._forget_reports([root_of(item)])
        return said

    def _correction(self, item: Item, draft: Draft, key: SigningKey, visitor: Visitor | None = None) -> bytes:
        """The encoding of a new version of an item; raises DraftRefused. What is urgent already stays so."""
        if draft.kind is not item.kind or draft.kind is Kind.REPLY:
            raise DraftRefused([Problem("kind", ProblemCode.NOT_OFFERED)])
        composed = self.compose(still_foreign(draft, item),
                                self._signed_not_urgent(key, visitor is not None and not item.urgent))
        return self._signed(self._in_place_of(item, composed, key).record, key)

    def _unlike_others(self, record: Record, key: SigningKey) -> bytes:
        """Signed, a minute earlier for each post that says the same at the same minute: it would be the same record, and
        its edit code would be given to a second author."""
        for earlier in range(MAX_ALIKE):
            raw = self._signed(replace(record, created=record.created - earlier), key)
            if not (self._liveset.about(record_id(raw)[:TARGET_BYTES]) or record_id(raw).hex() in self.notes.state.waiting):
                return raw
        raise DraftRefused([Problem("text", ProblemCode.SAID_ALREADY)])

    def _change(self, raw: bytes, item: Item, visitor: Visitor | None, kept: str = "") -> Posted:
        """Bring a correction or a cancellation; a group's is its own affair, a visitor's is read where posts are.

        `kept` is of its edit code, if it has one of its own.
        """
        visitor = None if item.author.group else visitor
        post = PendingPost(raw, visitor is not None and self.posting_rule() != "open", None, self.now())
        return Posted(post.id, "", self._cost(len(raw)), self._bring(post, visitor, Act.CHANGE, kept or None))

    def _bring(self, post: PendingPost, visitor: Visitor | None, act: Act, kept: str | None = None) -> Waits:
        """Publish it, or let it wait: for what. `kept` is of its edit code."""
        self._check_admitted(post.record.author)
        if visitor is None:
            if not self._fits(post.raw):
                raise DraftRefused([Problem("", ProblemCode.SHARE_USED)])
            return self._keep(post, kept, visitor)
        self._count(visitor, act)
        paced = not post.moderated and self._may_come_at_once(act, post.raw)
        try:
            if paced or post.moderated:
                return self._keep(post, kept, visitor)
            self._keep(replace(post, moderated=True), kept, visitor)
            return WaitReason.PACE
        except (BoardClosed, DraftRefused):
            self._pace.give_back(visitor, act, self._ran_min())
            if paced:
                self._pace.leave(act)
            raise

    def _keep(self, post: PendingPost, kept: str | None, visitor: Visitor | None) -> Waits:
        if not post.moderated and post.publish_at is None:
            self._publish_with_code(post, kept)
            return ""
        self._let_wait(visitor)
        self.notes.update(lambda state: _instead(state, post).with_waiting(post), codes={post.root: kept} if kept else None)
        return WaitReason.RULE if post.moderated else WaitReason.HOUR

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

    _last_act = b""  # what was published here last: another one each time, so that no two threads need a count

    def _publish(self, raw: bytes) -> None:
        try:
            verdict = self._host.publish(raw)
            self._last_act = raw
        except StoreFailed as failure:
            raise BoardClosed(as_reason(ClosedReason, failure.reason, ClosedReason.IO_ERROR)) from failure
        if verdict.reason not in IN_THE_SET:
            raise BoardClosed(as_reason(VerdictReason, verdict.reason, VerdictReason.SIGNATURE))

    # what waits

    def publish_due(self) -> int:
        """Publish what waited for its minute; how many. What the card will not take waits on, what came too late goes."""
        now, certain = self.now(), minute_of(self._host.certain())
        due = [id_ for id_, post in self.notes.state.waiting.items()
               if not (post.moderated or post.cleared) and post.publish_at is not None and post.publish_at <= now
               and not certain < post.record.expires <= now]  # a clock that may be wrong throws nothing away
        return sum(self._publish_or_drop(item_id) for item_id in due)

    def drop(self, item_id: str, entry: AuditEntry | None = None) -> bool:
        """Forget a post that waits, and its edit code; whether there was one. `entry` goes to the audit log then."""
        post = self.notes.state.waiting.get(item_id)
        if post is None:
            return False
        codes = {} if self._liveset.about(post.root) else {post.root: None}  # it may be out, if the power went just then
        return self.notes.update(
            lambda state: state.without_waiting(item_id) if item_id in state.waiting else state, entry, codes)

    def _publish_or_drop(self, item_id: str, entry: AuditEntry | None = None) -> bool:
        """Let out what waits, if the island may; what will never be taken is forgotten. Whether it is out."""
        try:
            return self.notes.update(lambda state: self._let_out(state, item_id), entry)
        except BoardClosed as closed:
            if closed.reason in TOO_LATE:
                self.drop(item_id)
            return False

    def _let_out(self, state: BoardState, item_id: str) -> BoardState:
        """Publish a post that waits, or let it wait for its minute only; the state after that.

        If the power goes before that state is kept the post is there and waits, and is let out once more: no harm done.
        """
        post = state.waits(item_id)
        if post is None:
            return state
        if post.publish_at and post.publish_at > self.now():
            return state.with_waiting(replace(post, moderated=False)) if post.moderated else state
        if not self._fits(post.raw):
            raise BoardClosed(ClosedReason.SHARE_FULL)
        self._publish(post.raw)
        return state.without_waiting(item_id)

    def _correct_waiting(self, post: PendingPost, code: str, draft: Draft, visitor: Visitor | None) -> Posted | None:
        """Another text in the place of one that nobody has seen yet; None if it waits no longer."""
        key = self._key_that_made(post, code)
        composed = self.compose(replace(draft, publish_at=post.publish_at),
                                self._signed_not_urgent(key, visitor is not None and not post.record.urgent))
        record = replace(composed.record, author=post.record.author, created=max(post.record.created, self.now()))
        if draft.life_days is None and draft.kind is not Kind.EVENT:
            record = replace(record, life=post.record.life)
        better = replace(post, raw=self._signed(record, key))
        if visitor and key is self._key:
            self._count(visitor, Act.CHANGE)
            free = self.posting_rule() == "open" and not post.moderated
            better = replace(better, moderated=not (free and self._may_come_at_once(Act.CHANGE, better.raw)))

        def swap(state: BoardState) -> BoardState:
            return state.without_waiting(post.id).with_waiting(better) if post.id in state.waiting else state

        if not self.notes.update(swap, codes={post.root: None, better.root: self.notes.edit_code(post.root) or None}):
            return None
        waits = WaitReason.RULE if better.moderated else WaitReason.HOUR
        return Posted(better.id, "", self._cost(composed.size_bytes), waits)

    # who may change a post

    def _owned(self, item_id: str, code: str) -> tuple[Item, SigningKey]:
        """A live item and the key that may end it, for who knows its code; raises DraftRefused."""
        item = self.reader.find(item_id)
        if item is None or item.expires <= self.now():
            raise DraftRefused([Problem("", ProblemCode.TARGET_GONE)])
        return item, self._key_of(item.author, root_of(item), code)

    def _key_that_made(self, post: PendingPost, code: str) -> SigningKey:
        """The key that signed what waits, for who knows its code; raises DraftRefused."""
        return self._key_of(self.reader.author(post.record.author), post.root, code)

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

    def code_problem(self, draft: Draft) -> Problem | None:
        """What is wrong with the edit code that its author chose, None if nothing is or none was chosen.

        The rule is that of passphrases; what stands in the post itself is what a neighbour would try first.
        """
        if not draft.own_code.strip():
            return None
        known = (self._liveset.charter.name, self.reader.author(self._key.key_id).name, draft.title, draft.place,
                 draft.organiser, draft.text)
        fault = passphrase_fault(draft.own_code, *known)
        return Problem("own_code", ProblemCode(f"code-{fault}"), BOUNDS.get(fault, 0)) if fault else None

    def _new_code(self, own: str) -> tuple[str, str]:
        """The edit code of a new post, and what is kept of it."""
        code = own or make_code(self._host.random(CODE_LETTERS))
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


def _instead(state: BoardState, post: PendingPost) -> BoardState:
    """Without an earlier change of the same post by its author that waits still: the last one counts."""
    if not post.changes:
        return state
    before = [one.id for one in state.waiting.values()
              if one.changes and one.root == post.root and one.record.kind is post.record.kind and not one.cleared]
    for item_id in before:
        state = state.without_waiting(item_id)
    return state

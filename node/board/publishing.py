"""Posting: drafts become signed records, now, at their hour, or when a keeper has read them; words let authors come back.

What waits is signed at once, with the minute it will be published as its creation, so that its id and its word stay good.
"""

import base64
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, suppress
from dataclasses import astuple, dataclass, replace
from typing import Protocol

from node.board.api import BoardClosed, Cost, Draft, DraftRefused, Item, Posted, Problem, Waiting
from node.board.drafts import MAX_LIFE_DAYS, is_readable, normalised, problems_of, record_of, too_long, weighed
from node.board.edit_codes import SALT_BYTES, WORD_LETTERS, hash_word, is_word, make_word
from node.board.items import Reader, root_of
from node.model.clock import minute_of
from node.model.keys import SigningKey
from node.model.passphrase import SALT_BYTES as SEAL_SALT_BYTES
from node.model.passphrase import WrongPassphrase, seal, unseal
from node.model.record import DAY_MIN, MAX_LIFE_H, TARGET_BYTES, Event, Kind, Record, Right, decode, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.quota import LIMITS, Category
from node.store.index import StoreFailed
from node.textpack import pack

MAX_WAITING = 200
IN_THE_SET = {"kept", "duplicate"}  # verdicts after which a post is there
TOO_LATE = {"expired", "retracted", "superseded", "over-share"}  # verdicts that do not change by waiting


class Around(Protocol):
    """What posting needs of `node.board.board.Host`."""

    now: Callable[[], float]
    publish: Callable[[bytes], object]
    random: Callable[[int], bytes]
    packets: Callable[[int], int]
    airtime_s: Callable[[int], float]
    gate: AbstractContextManager
    rule: str


class Notes(Protocol):
    """Named values that last (`node.store.journalstore`)."""

    def note(self, name: str) -> object:
        """The value kept under a name, or None."""

    def set_note(self, name: str, value: object) -> None:
        """Keep it; raises StoreFailed."""


@dataclass(frozen=True)
class PendingPost:
    """A post that waits: its encoding, whether a keeper must read it, and its minute (None: as soon as may be)."""

    raw: bytes
    moderated: bool
    publish_at: int | None

    def note(self) -> dict:
        """As JSON."""
        return {"raw": base64.b64encode(self.raw).decode(), "moderated": self.moderated, "publish_at": self.publish_at}

    @classmethod
    def of(cls, note: dict) -> "PendingPost":
        """From JSON."""
        return cls(base64.b64decode(note["raw"]), note["moderated"], note["publish_at"])


class Publisher:
    """Where posts are made. `changes` grows when what waits changes."""

    def __init__(self, liveset: LiveSet, store: Notes, key: SigningKey, around: Around, reader: Reader):
        self._liveset, self._store, self._key, self._around, self._reader = liveset, store, key, around, reader
        self.changes = 0

    # posting

    def cost(self, draft: Draft) -> Cost:
        """What a draft would take; raises DraftRefused."""
        draft = self._checked(draft)
        return self._cost_of(weighed(record_of(draft, self._key.key_id, self._now())))

    def post(self, draft: Draft, group: str, passphrase: str) -> Posted:
        """See Board.post."""
        rule = self.rule()
        if rule == "members" and not group:
            raise DraftRefused([Problem("group", "members-only")])
        draft = self._checked(draft)
        key = self._group_key(group, passphrase) if group else self._key
        now = self._now()
        publish_at = draft.publish_at if draft.publish_at and draft.publish_at > now else None
        raw = self._signed(draft, record_of(draft, key.key_id, publish_at or now), key)
        self._check_share(key, len(raw))
        moderated = rule == "moderated" and not group
        word = "" if group else self._give_word(record_id(raw)[:TARGET_BYTES])
        if moderated or publish_at:
            self._put(PendingPost(raw, moderated, publish_at))
        else:
            self._publish(raw)
        return Posted(record_id(raw).hex(), word, self._cost_of(len(raw)), waiting=moderated or publish_at is not None)

    def correct(self, item_id: str, word: str, draft: Draft) -> Posted:
        """See Board.correct. For a group's post, `word` is the group's passphrase."""
        waiting = self._kept().get(item_id)
        if waiting is not None:
            return self._correct_waiting(item_id, waiting, word, draft)
        item, key = self._owned(item_id, word)
        if draft.kind is not item.kind or draft.kind is Kind.REPLY:
            raise DraftRefused([Problem("kind", "not-offered")])
        raw = self._signed(draft, self._correction(item, key, self._checked(draft)), key)
        self._publish(raw)
        return Posted(record_id(raw).hex(), "", self._cost_of(len(raw)))

    def withdraw(self, item_id: str, word: str, reason: str | None) -> Posted:
        """See Board.withdraw."""
        waiting = self._kept().get(item_id)
        if waiting is not None:
            self._check_word(record_id(waiting.raw)[:TARGET_BYTES], word)
            self.drop(item_id)
            return Posted(item_id, "", self._cost_of(0))
        item, key = self._owned(item_id, word)
        if reason is not None and item.kind is not Kind.EVENT:
            raise DraftRefused([Problem("kind", "not-offered")])
        raw = self._signed(Draft(item.kind, reason or ""), self._ending(item, key, reason), key)
        self._publish(raw)
        if reason is None and not item.author.group:
            self.forget_words([root_of(item)])
        return Posted(record_id(raw).hex(), "", self._cost_of(len(raw)))

    # what comes from an agenda elsewhere (`node.ical.import_plan`)

    def offer(self, draft: Draft, item: Item | None = None) -> Record:
        """The unsigned record of an event that this island takes over, in the place of `item`; raises DraftRefused."""
        draft = self._checked(draft)
        return self._correction(item, self._key, draft) if item else record_of(draft, self._key.key_id, self._now())

    def call_off(self, item: Item, reason: str) -> Record:
        """The unsigned cancellation of an event of this island's."""
        return self._ending(item, self._key, reason)

    def cost_of(self, records: Iterable[Record]) -> Cost:
        """What they will take together once signed, sent one by one."""
        costs = [self._cost_of(weighed(record)) for record in records]
        return Cost(*(sum(part) for part in zip(*map(astuple, costs), strict=True))) if costs else Cost(0, 0, 0.0)

    def sign_own(self, record: Record) -> bytes:
        """The encoding of one of these, signed by this island."""
        return encode(sign(record, self._liveset.charter.set_id, self._key.sign))

    def may_change(self, item: Item) -> bool:
        """Whether nobody else has a say about it: it is this island's, and no private word was given for it."""
        return item.author.here and not self._store.note(_word_name(root_of(item)))

    def room_for(self, record_bytes: int, records: int) -> bool:
        """Whether this island may post so many more and half of its share is left for those who post here.

        Raises BoardClosed when it may post nothing.
        """
        if not self._liveset.trust.may(self._key.key_id, Right.WRITE, self._now()):
            raise BoardClosed("not-admitted")
        whole = LIMITS[Category.POSTS]
        return self._liveset.has_room(self._key.key_id, record_bytes + whole.size_bytes // 2, records + whole.records // 2)

    # what waits

    def waiting(self) -> list[Waiting]:
        """What waits, oldest first."""
        found = [(kept, self._reader.unpublished(kept.raw)) for kept in self._kept().values()]
        items = [Waiting(item, kept.moderated, kept.publish_at) for kept, item in found if item]
        return sorted(items, key=lambda one: one.item.created)  # within a minute: as they came

    def approve(self, item_id: str) -> bool:
        """Let a post out, now or at its minute; whether it waited."""
        kept = self._kept().get(item_id)
        if kept is None:
            return False
        if kept.publish_at and kept.publish_at > self._now():
            self._put(replace(kept, moderated=False))
            return True
        self._publish(kept.raw)
        return self.drop(item_id)

    def drop(self, item_id: str) -> bool:
        """Forget a post that waits; whether there was one."""
        with self._around.gate:
            notes = dict(self._store.note("waiting") or {})
            if notes.pop(item_id, None) is None:
                return False
            self.keep_note("waiting", notes)
        return True

    def publish_due(self) -> int:
        """Publish what waited for its minute; how many. What the card will not take waits on, what came too late goes."""
        due = [id_ for id_, kept in self._kept().items()
               if not kept.moderated and kept.publish_at is not None and kept.publish_at <= self._now()]
        return sum(self._publish_or_drop(item_id) for item_id in due)

    def _publish_or_drop(self, item_id: str) -> bool:
        try:
            return self.approve(item_id)
        except BoardClosed as closed:
            if closed.reason in TOO_LATE:
                self.drop(item_id)
            return False

    # groups, rules, notes

    def groups(self) -> list[str]:
        """Names of groups that sign here."""
        return sorted(self._store.note("groups") or {})

    def add_group(self, name: str, seed: bytes, passphrase: str) -> None:
        """Let the group `name` sign here: its key's seed is kept, sealed by its passphrase."""
        sealed = base64.b64encode(seal(seed, passphrase, self._around.random(SEAL_SALT_BYTES))).decode()
        self.keep_note("groups", {**(self._store.note("groups") or {}), name: sealed})

    def rule(self) -> str:
        """Who may post here."""
        return self._store.note("posting") or self._around.rule

    def keep_note(self, name: str, value: object) -> None:
        """Keep a named value; raises BoardClosed when the card will not."""
        try:
            self._store.set_note(name, value)
        except StoreFailed as failure:
            raise BoardClosed(failure.reason) from failure
        self.changes += 1

    def forget_words(self, roots: list[bytes]) -> None:
        """The words of what has left this island for good, by the first 8 bytes of its first version's id."""
        with suppress(StoreFailed):  # a hash kept too long does no harm
            for root in roots:
                self._store.set_note(_word_name(root), None)

    # inside

    def _now(self) -> int:
        return minute_of(self._around.now())

    def _checked(self, draft: Draft) -> Draft:
        """The draft, normalised; raises DraftRefused."""
        draft = normalised(draft)
        problems = [*problems_of(draft, self._now()), *self._problems_here(draft)]
        if problems:
            raise DraftRefused(problems)
        if draft.target:
            draft = replace(draft, target=root_of(self._reader.find(draft.target)).hex())
        long = too_long(draft, weighed(record_of(draft, self._key.key_id, self._now())))
        if long:
            raise DraftRefused([long])
        return draft

    def _problems_here(self, draft: Draft) -> list[Problem]:
        """What only this island can tell."""
        found = []
        if draft.urgent and not self._liveset.trust.may(self._key.key_id, Right.URGENT, self._now()):
            found.append(Problem("urgent", "urgent-not-allowed"))
        target = self._reader.find(draft.target) if draft.target else None
        if (draft.kind is Kind.REPLY or draft.target) and (target is None or target.expires <= self._now()):
            found.append(Problem("target", "target-gone"))
        if draft.publish_at and draft.publish_at > self._now() + MAX_LIFE_DAYS * DAY_MIN:
            found.append(Problem("publish_at", "too-far", MAX_LIFE_DAYS))
        if draft.publish_at and draft.end and draft.publish_at >= draft.end:
            found.append(Problem("publish_at", "past"))
        return found

    def _signed(self, draft: Draft, record: Record, key: SigningKey) -> bytes:
        long = too_long(draft, weighed(record))
        if long:
            raise DraftRefused([long])
        return encode(sign(record, self._liveset.charter.set_id, key.sign))

    def _check_share(self, key: SigningKey, record_bytes: int) -> None:
        """Nobody posts what would be refused, or would push an older post of the same key off the board."""
        if not self._liveset.trust.may(key.key_id, Right.WRITE, self._now()):
            raise BoardClosed("not-admitted")
        if not self._liveset.has_room(key.key_id, record_bytes):
            raise DraftRefused([Problem("", "share-used")])

    def _publish(self, raw: bytes) -> None:
        try:
            verdict = self._around.publish(raw)
        except StoreFailed as failure:
            raise BoardClosed(failure.reason) from failure
        if verdict.reason not in IN_THE_SET:
            raise BoardClosed(verdict.reason)

    def _cost_of(self, record_bytes: int) -> Cost:
        return Cost(record_bytes, self._around.packets(record_bytes), self._around.airtime_s(record_bytes))

    def _correction(self, item: Item, key: SigningKey, draft: Draft) -> Record:
        """The unsigned record of a checked draft that takes an item's place."""
        created = max(self._now(), item.created + item.corrected)
        record = record_of(replace(draft, target=None), key.key_id, created)
        return outliving(replace(record, target=root_of(item)), item.expires)

    def _ending(self, item: Item, key: SigningKey, reason: str | None) -> Record:
        """The retraction of an item, or, with a reason, an event's cancellation."""
        draft = normalised(Draft(Kind.RETRACTION if reason is None else Kind.CANCELLATION, text=reason or ""))
        if not is_readable(draft.text):
            raise DraftRefused([Problem("reason", "control-character")])
        codec, packed = pack(draft.text, item.language)
        record = Record(draft.kind, key.key_id, max(self._now(), item.created), language=item.language, codec=codec,
                        packed=packed, target=root_of(item))
        return outliving(record, item.expires)

    def _owned(self, item_id: str, word: str) -> tuple[Item, SigningKey]:
        """A live item and the key that may end it, for who knows its word; raises DraftRefused."""
        item = self._reader.find(item_id)
        if item is None or item.expires <= self._now():
            raise DraftRefused([Problem("", "target-gone")])
        if item.author.group:
            key = self._group_key(item.author.name, word, "word")
            if key.key_id.hex() != item.author.key_id:  # another group of the same name
                raise DraftRefused([Problem("word", "not-yours")])
            return item, key
        if not item.author.here:
            raise DraftRefused([Problem("word", "not-yours")])
        self._check_word(root_of(item), word)
        return item, self._key

    def _check_word(self, root: bytes, word: str) -> None:
        kept = self._store.note(_word_name(root))
        if not kept or not is_word(word, kept):
            raise DraftRefused([Problem("word", "word-wrong")])

    def _give_word(self, root: bytes) -> str:
        word = make_word(self._around.random(WORD_LETTERS))
        self.keep_note(_word_name(root), hash_word(word, self._around.random(SALT_BYTES)))
        return word

    def _group_key(self, name: str, passphrase: str, field: str = "passphrase") -> SigningKey:
        sealed = (self._store.note("groups") or {}).get(name)
        if sealed is None:
            raise DraftRefused([Problem("group", "group-unknown")])
        try:
            return SigningKey(unseal(base64.b64decode(sealed), passphrase))
        except WrongPassphrase:
            raise DraftRefused([Problem(field, "passphrase-wrong")]) from None

    def _kept(self) -> dict[str, PendingPost]:
        return {id_: PendingPost.of(note) for id_, note in (self._store.note("waiting") or {}).items()}

    def _put(self, kept: PendingPost) -> None:
        with self._around.gate:
            notes = dict(self._store.note("waiting") or {})
            if len(notes) >= MAX_WAITING:
                raise BoardClosed("waiting-full")
            notes[record_id(kept.raw).hex()] = kept.note()
            self.keep_note("waiting", notes)

    def _correct_waiting(self, item_id: str, kept: PendingPost, word: str, draft: Draft) -> Posted:
        """Another text in the place of one that nobody has seen yet."""
        old = decode(kept.raw)
        self._check_word(record_id(kept.raw)[:TARGET_BYTES], word)
        draft = self._checked(replace(draft, publish_at=kept.publish_at))
        raw = self._signed(draft, record_of(draft, old.author, max(old.created, self._now())), self._key)
        root = record_id(raw)[:TARGET_BYTES]
        self.keep_note(_word_name(root), self._store.note(_word_name(record_id(kept.raw)[:TARGET_BYTES])))
        self._put(replace(kept, raw=raw))
        self.drop(item_id)
        return Posted(record_id(raw).hex(), "", self._cost_of(len(raw)), waiting=True)


def outliving(record: Record, expires: int) -> Record:
    """`record` with a life that lasts at least until minute `expires`, so that what it replaces never comes back."""
    needed = -(-(expires - record.created) // 60)
    life = min(max(record.life, needed, 1), MAX_LIFE_H[record.kind])
    if isinstance(record.detail, Event) and record.expires >= expires:
        life = record.life  # its own end is late enough
    return replace(record, life=life)


def _word_name(root: bytes) -> str:
    return f"word {root.hex()}"

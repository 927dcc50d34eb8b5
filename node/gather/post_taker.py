"""News (and alerts) of a source become posts of this island, once: corrected and taken back as the source does it.

Events of an agenda are taken in the same way (`node.ical.taking`).
"""

from dataclasses import dataclass, replace
from hashlib import blake2b
from zlib import crc32

from node.board.api import Draft, DraftRefused, ImportBounds, ImportSummary, Item, Origin
from node.board.composing import outliving
from node.board.drafts import Composed, fitting
from node.board.import_sources import Known
from node.board.reasons import LeftOut
from node.ical.taking import Held, Plan, Step, Taker
from node.model.record import MAX_LIFE_H, Kind

DANGER, MAX_COMPARED = 12, 200  # the topic of alerts, and how many posts of it are looked through


@dataclass(frozen=True)
class GatheredPost:
    """One post that a source gives: `key` names it through all its versions (16 digits). `expires`: the minute it ends,
    None for the draft's own. `replaces`: keys of earlier ones whose place it takes. `over`: it only says that they end."""

    key: str
    draft: Draft
    expires: int | None = None
    replaces: tuple[str, ...] = ()
    over: bool = False


@dataclass(frozen=True)
class HeldPosts(Held):
    """What a source gave: alerts first."""

    posts: tuple[GatheredPost, ...]


class PostTaker(Taker[HeldPosts, GatheredPost]):
    """See `node.ical.taking.Taker`."""

    def look(self, posts: tuple[GatheredPost, ...], source: tuple[str, Origin], tag: str,
             bounds: ImportBounds) -> ImportSummary:
        """What those of a source (its address, what it is) are, compared with the board; nothing is posted."""
        address, origin = source
        digits = blake2b(f"{address}\n{bounds}\n{posts}".encode("utf-8", "replace"), digest_size=8).hexdigest()
        alerts_first = tuple(sorted(posts, key=lambda post: not post.draft.alert))
        return self._hold(HeldPosts(digits, address, origin, tag, bounds, alerts_first))

    def _plan(self, held: HeldPosts) -> Plan[GatheredPost]:
        """See Taker."""
        self._board.has_room(0, 0)
        plan, known = Plan[GatheredPost](), self._source(held).known
        for post in held.posts:
            try:
                self._place(plan, post, known.get(post.key) or next(
                    (known[key] for key in post.replaces if key in known), None), held.bounds)
            except DraftRefused:
                plan.leave_out(LeftOut.BROKEN)
        return self._bounded(plan, held.bounds)

    def _place(self, plan: Plan[GatheredPost], post: GatheredPost, known: Known | None,
               bounds: ImportBounds | None) -> None:
        if post.expires is not None and post.expires <= self._board.now() and not post.over:
            plan.leave_out(LeftOut.PAST)
        elif known:
            self._meet(plan, post, known)
        elif away := self._elsewhere(post):
            self._meet_others(plan, post, away)
        elif post.over:
            plan.leave_out(LeftOut.CANCELLED)
        elif bounds and (reason := bounds.leaves_out(post.draft)):
            plan.leave_out(reason)
        else:
            self._add(plan, post, self._composed(post, None))

    def _meet(self, plan: Plan[GatheredPost], post: GatheredPost, known: Known) -> None:
        """What this island has posted already."""
        item = self._board.item(known.root.hex())
        if known.version == _version(post):
            plan.standing[post.key] = known
        elif item is None or item.expires <= self._board.now():
            plan.leave_out(LeftOut.GONE)
        elif post.over:
            plan.cancelled.append(Step(post, item, self._board.take_back(item)))
        else:
            plan.changed.append(Step(post, item, self._composed(post, item)))

    def _elsewhere(self, post: GatheredPost) -> Item | None:
        """The same alert, or what it replaces, that another island has passed on already."""
        named = {post.key, *post.replaces} if post.draft.alert else ()
        passed = (item for item in self._board.bulletins(DANGER, limit=MAX_COMPARED).items if item.alert) if named else ()
        return next((item for item in passed if item.alert and key_of(item.alert.reference) in named), None)

    def _meet_others(self, plan: Plan[GatheredPost], post: GatheredPost, item: Item) -> None:
        """What another island passed on stays as it is: nobody else may end it. News of it stand beside it."""
        if item.alert and key_of(item.alert.reference) == post.key:
            plan.leave_out(LeftOut.KNOWN)
        else:
            expires = max(post.expires or 0, item.expires)
            self._add(plan, post, self._composed(replace(post, expires=expires), None))

    def _composed(self, post: GatheredPost, item: Item | None) -> Composed:
        composed = self._board.offer(post.draft, item)
        if post.expires is None:
            return composed
        hours = -(-(post.expires - composed.record.created) // 60)
        record = replace(composed.record, life=min(max(hours, 1), MAX_LIFE_H[Kind.BULLETIN]))
        return fitting(composed.draft, outliving(record, item.expires) if item else record)

    def _add(self, plan: Plan[GatheredPost], post: GatheredPost, composed: Composed) -> None:
        """A new one, if all new ones together leave room for those who post here."""
        size_bytes = sum(step.composed.size_bytes for step in plan.new) + composed.size_bytes
        if self._board.has_room(size_bytes, len(plan.new) + 1):
            plan.new.append(Step(post, None, composed))
        else:
            plan.leave_out(LeftOut.SHARE_USED)

    def _known(self, step: Step[GatheredPost], root: bytes) -> Known:
        """See Taker."""
        return Known(root, _version(step.given), step.composed.record.expires)


def key_of(named: str) -> str:
    """16 digits for whatever names a post in its source."""
    return blake2b(named.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _version(post: GatheredPost) -> tuple[int, int]:
    return int(post.over), crc32(repr((post.draft, post.expires, post.over)).encode("utf-8", "replace"))

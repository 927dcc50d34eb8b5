"""News (and alerts) of a source become posts of this island, once: corrected and taken back as the source does it.

As `node.ical.importer` does it for events: looked at first, then taken in one commit; what a post was made of is
remembered with the source (`node.board.import_sources`).
"""

from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from zlib import crc32

from node.board.api import BoardClosed, Draft, DraftRefused, ImportBounds, ImportSummary, Item, Origin
from node.board.board import Board
from node.board.composing import outliving
from node.board.drafts import Composed, fitting
from node.board.import_sources import ImportSource, Known
from node.board.items import root_of
from node.board.reasons import IN_THE_SET, ClosedReason, ImportProblem, LeftOut, as_reason
from node.model.record import MAX_LIFE_H, TARGET_BYTES, Kind
from node.replica.admission import Verdict
from node.store.index import StoreFailed

MAX_HELD = 4
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
class PostStep:
    """A record to post, unsigned: for which post, in the place of (or about) which item."""

    post: GatheredPost
    item: Item | None
    composed: Composed


@dataclass
class PostPlan:
    """What is to be posted, and what stands as it is, by key."""

    new: list[PostStep] = field(default_factory=list)
    changed: list[PostStep] = field(default_factory=list)
    ended: list[PostStep] = field(default_factory=list)
    standing: dict[str, Known] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def steps(self) -> list[PostStep]:
        """All that is to be posted."""
        return [*self.ended, *self.changed, *self.new]


@dataclass(frozen=True)
class HeldPosts:
    """What a source gave, to be taken."""

    id: str
    address: str
    origin: Origin
    posts: tuple[GatheredPost, ...]
    tag: str
    bounds: ImportBounds


class PostTaker:
    """Looks at posts and takes them. `take_in` and `gate` as of `node.ical.importer.Importer`; safe from any thread but
    the runner's."""

    def __init__(self, board: Board, take_in: Callable[[list[bytes]], list[Verdict]], gate: AbstractContextManager):
        self._board, self._take_in, self._gate = board, take_in, gate
        self._held: OrderedDict[str, HeldPosts] = OrderedDict()

    def look(self, posts: tuple[GatheredPost, ...], source: tuple[str, Origin], tag: str,
             bounds: ImportBounds) -> ImportSummary:
        """What those of a source (its address, what it is) are, compared with the board; nothing is posted."""
        address, origin = source
        digits = blake2b(f"{address}\n{bounds}\n{posts}".encode("utf-8", "replace"), digest_size=8).hexdigest()
        held = HeldPosts(digits, address, origin, posts, tag, bounds)
        self._held[held.id] = held
        while len(self._held) > MAX_HELD:
            self._held.popitem(last=False)
        try:
            return self._told(held, self._plan(held))
        except BoardClosed as closed:
            return ImportSummary(problem=closed.reason)

    def take(self, look_id: str, keeper: str) -> ImportSummary:
        """Post what `look` has shown, in one commit: what was posted."""
        held = self._held.get(look_id)
        if held is None:
            return ImportSummary(problem=ImportProblem.STALE)
        try:
            with self._gate:
                plan = self._plan(held)
                self._carry_out(held, plan, keeper)
            return self._told(held, plan)
        except BoardClosed as closed:
            return ImportSummary(problem=closed.reason)
        except StoreFailed as failure:
            return ImportSummary(problem=as_reason(ClosedReason, failure.reason, ClosedReason.IO_ERROR))

    # working out

    def _source(self, held: HeldPosts) -> ImportSource:
        return self._board.notes.state.sources.get(held.address) or ImportSource(held.origin)

    def _plan(self, held: HeldPosts) -> PostPlan:
        self._board.has_room(0, 0)
        plan, known = PostPlan(), self._source(held).known
        for post in held.posts:
            try:
                self._place(plan, post, known.get(post.key) or next(
                    (known[key] for key in post.replaces if key in known), None), held.bounds)
            except DraftRefused:
                plan.left_out[LeftOut.BROKEN.value] += 1
        return self._bounded(plan, held.bounds)

    def _place(self, plan: PostPlan, post: GatheredPost, known: Known | None, bounds: ImportBounds) -> None:
        if post.expires is not None and post.expires <= self._board.now() and not post.over:
            plan.left_out[LeftOut.PAST.value] += 1
        elif known:
            self._meet(plan, post, known)
        elif away := self._elsewhere(post):
            self._meet_others(plan, post, away)
        elif post.over:
            plan.left_out[LeftOut.CANCELLED.value] += 1
        elif reason := bounds.leaves_out(post.draft):
            plan.left_out[reason.value] += 1
        else:
            plan.new.append(PostStep(post, None, self._composed(post, None)))

    def _meet(self, plan: PostPlan, post: GatheredPost, known: Known) -> None:
        """What this island has posted already."""
        item = self._board.item(known.root.hex())
        if known.version == _version(post):
            plan.standing[post.key] = known
        elif item is None or item.expires <= self._board.now():
            plan.left_out[LeftOut.GONE.value] += 1
        elif post.over:
            plan.ended.append(PostStep(post, item, self._board.take_back(item)))
        else:
            plan.changed.append(PostStep(post, item, self._composed(post, item)))

    def _elsewhere(self, post: GatheredPost) -> Item | None:
        """The same alert, or what it replaces, that another island has passed on already."""
        named = {post.key, *post.replaces} if post.draft.alert else ()
        passed = (item for item in self._board.bulletins(DANGER, limit=MAX_COMPARED).items if item.alert) if named else ()
        return next((item for item in passed if item.alert and key_of(item.alert.reference) in named), None)

    def _meet_others(self, plan: PostPlan, post: GatheredPost, item: Item) -> None:
        """What another island passed on stays as it is: nobody else may end it. News of it stand beside it."""
        if item.alert and key_of(item.alert.reference) == post.key:
            plan.left_out[LeftOut.KNOWN.value] += 1
        else:
            expires = max(post.expires or 0, item.expires)
            plan.new.append(PostStep(post, None, self._composed(replace(post, expires=expires), None)))

    def _composed(self, post: GatheredPost, item: Item | None) -> Composed:
        composed = self._board.offer(post.draft, item)
        if post.expires is None:
            return composed
        hours = -(-(post.expires - composed.record.created) // 60)
        record = replace(composed.record, life=min(max(hours, 1), MAX_LIFE_H[Kind.BULLETIN]))
        return fitting(composed.draft, outliving(record, item.expires) if item else record)

    def _bounded(self, plan: PostPlan, bounds: ImportBounds) -> PostPlan:
        """As many corrections and new posts as the bounds leave room for, the first ones first."""
        records = bounds.records - len(plan.ended)
        air_s = bounds.air_s - self._board.cost_of(step.composed for step in plan.ended).airtime_s
        sizes = 0
        for pile in (plan.changed, plan.new):
            pile.sort(key=lambda step: not step.post.draft.alert)
            kept: list[PostStep] = []
            for step in pile:
                step_s = self._board.cost_of([step.composed]).airtime_s
                if records <= 0 or step_s > air_s:
                    plan.left_out[LeftOut.DAILY.value] += 1
                elif not self._board.has_room(sizes + step.composed.size_bytes, len(kept) + 1):
                    plan.left_out[LeftOut.SHARE_USED.value] += 1
                else:
                    kept.append(step)
                    records, air_s, sizes = records - 1, air_s - step_s, sizes + step.composed.size_bytes
            pile[:] = kept
        return plan

    # carrying out

    def _carry_out(self, held: HeldPosts, plan: PostPlan, keeper: str) -> None:
        raws = [self._board.sign_own(step.composed.record) for step in plan.steps]
        verdicts = self._take_in(raws) if raws else []
        known = dict(self._source(held).known) | plan.standing
        refused = []
        for step, verdict in zip(plan.steps, verdicts, strict=True):
            if verdict.reason in IN_THE_SET:
                root = root_of(step.item) if step.item else verdict.id[:TARGET_BYTES]
                known[step.post.key] = Known(root, _version(step.post), step.composed.record.expires)
            else:
                refused.append(step)
        for pile in (plan.new, plan.changed, plan.ended):
            pile[:] = [step for step in pile if step not in refused]
        plan.left_out += Counter({LeftOut.REFUSED.value: len(refused)})
        whole = not any(plan.left_out[reason.value] for reason in (LeftOut.DAILY, LeftOut.SHARE_USED, LeftOut.REFUSED))
        source = ImportSource(held.origin, held.tag if whole else "", known, self._board.now())
        if replace(source, taken=0) != replace(self._source(held), taken=0):
            self._board.remember_source(held.address, source, keeper if plan.steps else "")

    def _told(self, held: HeldPosts, plan: PostPlan) -> ImportSummary:
        return ImportSummary(
            held.id, "", held.origin, tuple(step.post.draft for step in plan.new),
            tuple(step.post.draft for step in plan.changed), tuple(step.item for step in plan.ended if step.item),
            unchanged=len(plan.standing), left_out=dict(plan.left_out),
            cost=self._board.cost_of(step.composed for step in plan.steps))


def key_of(named: str) -> str:
    """16 digits for whatever names a post in its source."""
    return blake2b(named.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _version(post: GatheredPost) -> tuple[int, int]:
    return int(post.over), crc32(repr((post.draft, post.expires, post.over)).encode("utf-8", "replace"))

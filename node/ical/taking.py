"""What a source gives is looked at, held, and taken in one commit: agendas (`node.ical.importer`), and posts of sources.

What is taken is planned anew then, as the board may have changed since the look; what was made of it is remembered with the
source (`node.board.import_sources`), so that the next look knows it.
"""

from abc import ABC, abstractmethod
from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Generic, Protocol, TypeVar

from node.board.api import BoardClosed, Draft, ImportBounds, ImportSummary, Item, Origin
from node.board.board import Board
from node.board.drafts import Composed
from node.board.import_sources import ImportSource, Known
from node.board.reasons import IN_THE_SET, ClosedReason, ImportProblem, LeftOut, as_reason
from node.model.record import TARGET_BYTES, Record
from node.replica.admission import Verdict
from node.store.index import StoreFailed

MAX_HELD = 4  # looks that keepers have before they take one
ANOTHER_DAY = (LeftOut.LATER, LeftOut.SHARE_USED, LeftOut.DAILY, LeftOut.DAYS)  # what the same source gives then


class Given(Protocol):
    """One thing that a source gives."""

    @property
    def key(self) -> str:
        """16 digits that name it through all its versions."""

    @property
    def draft(self) -> Draft:
        """What would be posted."""


G = TypeVar("G", bound=Given)


@dataclass(frozen=True)
class Step(Generic[G]):
    """One record to post, unsigned: of what was given, in the place of (or about) which item."""

    given: G
    item: Item | None
    composed: Composed

    @property
    def record(self) -> Record:
        """The record itself."""
        return self.composed.record


@dataclass
class Plan(Generic[G]):
    """What is to be posted, what is here already as it is (to be remembered, by key), and what is left out, by reason."""

    new: list[Step[G]] = field(default_factory=list)
    changed: list[Step[G]] = field(default_factory=list)
    cancelled: list[Step[G]] = field(default_factory=list)
    standing: dict[str, Known] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def steps(self) -> list[Step[G]]:
        """All that is to be posted."""
        return [*self.cancelled, *self.changed, *self.new]

    def leave_out(self, reason: LeftOut, count: int = 1) -> None:
        """So many are not taken."""
        self.left_out[reason.value] += count


@dataclass(frozen=True)
class Held:
    """What was looked at. `name` is its source's for good: the address, or what it calls itself. `bounds`: how much of it
    is taken, None for all."""

    id: str
    name: str
    origin: Origin
    tag: str
    bounds: ImportBounds | None

    @property
    def growing(self) -> bool:
        """Whether the same octets give more another day."""
        return False

    @property
    def left_out(self) -> Counter[str]:
        """What could not be read of it, by reason."""
        return Counter()

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Some of that, each with its reason and its title."""
        return ()


H = TypeVar("H", bound=Held)


class Taker(ABC, Generic[H, G]):
    """`take_in(raws)` keeps records in one commit and returns their verdicts, or raises StoreFailed. `gate`: a lock, so
    that what two keepers take at once is not posted twice. Safe from any thread but the runner's."""

    def __init__(self, board: Board, take_in: Callable[[list[bytes]], list[Verdict]], gate: AbstractContextManager):
        self._board, self._take_in, self._gate = board, take_in, gate
        self._held: OrderedDict[str, H] = OrderedDict()

    @abstractmethod
    def _plan(self, held: H) -> Plan[G]:
        """What to do with it, within its bounds. Raises BoardClosed when this island may post nothing."""

    @abstractmethod
    def _known(self, step: Step[G], root: bytes) -> Known:
        """What is remembered of a step that was posted."""

    def take(self, import_id: str, keeper: str) -> ImportSummary:
        """Post what a look has shown, in one commit: what was posted."""
        held = self._held.get(import_id)
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

    def _hold(self, held: H) -> ImportSummary:
        """Keep it to be taken, in the place of what was looked at longest ago, and say what it is; nothing is posted."""
        self._held[held.id] = held
        while len(self._held) > MAX_HELD:
            self._held.popitem(last=False)
        try:
            return self._told(held, self._plan(held))
        except BoardClosed as closed:
            return ImportSummary(problem=closed.reason)

    def _source(self, held: H) -> ImportSource:
        return self._board.notes.state.sources.get(held.name) or ImportSource(held.origin)

    def _bounded(self, plan: Plan[G], bounds: ImportBounds | None) -> Plan[G]:
        """The plan with as many corrections and new posts as its bounds leave room for, the first ones first; what calls
        one off comes in any case."""
        if bounds is None:
            return plan
        records = bounds.records - len(plan.cancelled)
        air_s = bounds.air_s - self._board.cost_of(step.composed for step in plan.cancelled).airtime_s
        for pile in (plan.changed, plan.new):
            kept: list[Step[G]] = []
            for step in pile:
                step_s = self._board.cost_of([step.composed]).airtime_s
                if records > 0 and step_s <= air_s:
                    kept.append(step)
                    records, air_s = records - 1, air_s - step_s
            plan.leave_out(LeftOut.DAILY, len(pile) - len(kept))
            pile[:] = kept
        return plan

    def _carry_out(self, held: H, plan: Plan[G], keeper: str) -> None:
        """Post it all, and remember what it was made of. What was refused after all is left out."""
        raws = [self._board.sign_own(step.record) for step in plan.steps]
        verdicts = self._take_in(raws) if raws else []
        known, refused = dict(self._source(held).known) | plan.standing, list[Step[G]]()
        for step, verdict in zip(plan.steps, verdicts, strict=True):
            if verdict.reason in IN_THE_SET:
                known[step.given.key] = self._known(step, step.record.target or verdict.id[:TARGET_BYTES])
            else:
                refused.append(step)
        for pile in (plan.new, plan.changed, plan.cancelled):
            pile[:] = [step for step in pile if step not in refused]
        plan.leave_out(LeftOut.REFUSED, len(refused))
        whole = not (refused or held.growing or any(plan.left_out[reason.value] for reason in ANOTHER_DAY))
        source = ImportSource(held.origin, held.tag if whole else "", known, self._board.now())
        if replace(source, taken=0) != replace(self._source(held), taken=0):
            self._board.remember_source(held.name, source, keeper if plan.steps else "")

    def _told(self, held: H, plan: Plan[G]) -> ImportSummary:
        return ImportSummary(
            held.id, "", held.origin, tuple(step.given.draft for step in plan.new),
            tuple(step.given.draft for step in plan.changed), tuple(step.item for step in plan.cancelled if step.item),
            len(plan.standing), dict(held.left_out + plan.left_out), held.named,
            self._board.cost_of(step.composed for step in plan.steps))

"""Agendas of other programs are looked at, and taken over (`node.board.api.Imports`)."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from hashlib import blake2b

from node.board.api import BoardClosed, ImportBounds, ImportSummary, Origin
from node.board.board import Board
from node.board.drafts import site_of
from node.board.import_sources import ImportSource, Known
from node.board.reasons import IN_THE_SET, ClosedReason, ImportProblem, LeftOut, as_reason
from node.ical.import_plan import Plan, Planner, Step
from node.ical.parser import Agenda, Locality, read
from node.ical.sanitise import line_of
from node.ical.vevent import MAX_NAME
from node.model.errors import RemoteFault
from node.model.record import TARGET_BYTES
from node.replica.admission import Verdict
from node.store.index import StoreFailed

MAX_HELD = 4  # files that keepers look at before they take them
LATER = ("later", "share-used", "daily", "days")  # what the same file gives another day


@dataclass(frozen=True)
class Held:
    """A file that was read. `name` is its source's for good: the address, or what the agenda calls itself. `bounds`: how
    much of it is taken, None for all."""

    id: str
    name: str
    origin: Origin
    agenda: Agenda
    tag: str = ""
    bounds: ImportBounds | None = None


class Importer:
    """See Imports. `take_in(raws)` keeps records in one commit and returns their verdicts, or raises StoreFailed.

    `gate`: a lock, so that what two keepers take at once is not posted twice. Safe from any thread but the runner's.
    """

    def __init__(self, board: Board, take_in: Callable[[list[bytes]], list[Verdict]], here: Locality,
                 gate: AbstractContextManager):
        self._board, self._take_in, self._here, self._gate = board, take_in, here, gate
        self._held: OrderedDict[str, Held] = OrderedDict()

    def tag(self, address: str) -> str:
        """See Imports."""
        source = self._board.notes.state.sources.get(address)
        return source.tag if source else ""

    def look(self, content: bytes, name: str, address: str = "", tag: str = "") -> ImportSummary:
        """See Imports."""
        return self._look(content, name, address, lambda held: replace(held, tag=tag))

    def look_within(self, content: bytes, address: str, tag: str, bounds: ImportBounds) -> ImportSummary:
        """See Imports."""
        return self._look(content, "", address, lambda held: replace(held, tag=tag, bounds=bounds))

    def _look(self, content: bytes, name: str, address: str, more: Callable[[Held], Held]) -> ImportSummary:
        try:
            agenda = read(content, self._here, self._board.now())
        except RemoteFault as fault:
            return ImportSummary(problem=as_reason(ImportProblem, fault.reason, ImportProblem.AGENDA_MARK))
        called = agenda.name or line_of(name, MAX_NAME)
        held = more(Held("", address or called, Origin(called, site_of(address) or agenda.site), agenda))
        named = f"{address}\n{called}\n{held.bounds}\n".encode()
        import_id = blake2b(named + content, digest_size=8).hexdigest()
        self._held[import_id] = held = replace(held, id=import_id)
        while len(self._held) > MAX_HELD:
            self._held.popitem(last=False)
        try:
            return self._told(held, self._plan(held))
        except BoardClosed as closed:
            return ImportSummary(problem=closed.reason)

    def take(self, import_id: str, keeper: str) -> ImportSummary:
        """See Imports."""
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

    def _source(self, held: Held) -> ImportSource:
        return self._board.notes.state.sources.get(held.name) or ImportSource(held.origin)

    def _plan(self, held: Held) -> Plan:
        sources, bounds = self._board.notes.state.sources, held.bounds
        planner = Planner(self._board, sources.known, held.origin.name, sources.known_elsewhere(held.name))
        if bounds is None:
            return planner.plan(held.agenda.entries)
        known = sources.known
        judged = [(entry, None if entry.key in known else bounds.leaves_out(entry.draft)) for entry in held.agenda.entries]
        plan = planner.plan([entry for entry, reason in judged if reason is None])
        plan.left_out += Counter(reason.value for _, reason in judged if reason)
        return self._bounded(plan, bounds)

    def _bounded(self, plan: Plan, bounds: ImportBounds) -> Plan:
        """The plan with as many corrections and new events as its bounds leave room for; what calls one off comes in any
        case."""
        records = bounds.records - len(plan.cancelled)
        air_s = bounds.air_s - self._board.cost_of(step.composed for step in plan.cancelled).airtime_s
        for pile in (plan.changed, plan.new):
            kept: list[Step] = []
            for step in pile:
                step_s = self._board.cost_of([step.composed]).airtime_s
                if records > 0 and step_s <= air_s:
                    kept.append(step)
                    records, air_s = records - 1, air_s - step_s
            plan.left_out += Counter({LeftOut.DAILY.value: len(pile) - len(kept)})
            pile[:] = kept
        return plan

    def _carry_out(self, held: Held, plan: Plan, keeper: str) -> None:
        """Post it all, and remember what the events were made of. What was refused after all is left out."""
        raws = [self._board.sign_own(step.record) for step in plan.steps]
        verdicts = self._take_in(raws) if raws else []
        refused = [step for step, verdict in zip(plan.steps, verdicts, strict=True) if verdict.reason not in IN_THE_SET]
        known = dict(self._source(held).known) | plan.standing
        known |= {step.entry.key: _known(step, verdict) for step, verdict in zip(plan.steps, verdicts, strict=True)
                  if step not in refused}
        for pile in (plan.new, plan.changed, plan.cancelled):
            pile[:] = [step for step in pile if step not in refused]
        plan.left_out += Counter({"refused": len(refused)})
        whole = not refused and not held.agenda.growing and not any(plan.left_out[reason] for reason in LATER)
        source = ImportSource(held.origin, held.tag if whole else "", known, self._board.now())
        if replace(source, taken=0) != replace(self._source(held), taken=0):
            self._board.remember_source(held.name, source, keeper if plan.steps else "")

    def _told(self, held: Held, plan: Plan) -> ImportSummary:
        return ImportSummary(
            held.id, "", held.origin, tuple(step.entry.draft for step in plan.new),
            tuple(step.entry.draft for step in plan.changed), tuple(step.item for step in plan.cancelled if step.item),
            len(plan.standing), dict(held.agenda.left_out + plan.left_out),
            tuple(held.agenda.named), self._board.cost_of(step.composed for step in plan.steps))


def _known(step: Step, verdict: Verdict) -> Known:
    root = step.record.target or verdict.id[:TARGET_BYTES]
    return Known(root, step.entry.version, step.entry.draft.end or 0)

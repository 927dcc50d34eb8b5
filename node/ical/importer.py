"""Agendas of other programs are looked at, and taken over (`node.board.api.Imports`)."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import blake2b

from node.board.api import ImportBounds, ImportSummary, Origin
from node.board.board import Board
from node.board.drafts import site_of
from node.board.import_sources import Known
from node.board.reasons import ImportProblem, as_reason
from node.ical.import_plan import Planner
from node.ical.parser import Agenda, CalendarEntry, Locality, read
from node.ical.sanitise import line_of
from node.ical.taking import Held, Plan, Step, Taker
from node.ical.vevent import MAX_NAME
from node.model.errors import RemoteFault
from node.replica.admission import Verdict


@dataclass(frozen=True)
class HeldAgenda(Held):
    """A file that was read."""

    agenda: Agenda

    @property
    def growing(self) -> bool:
        """Whether it has dates that come near another day."""
        return self.agenda.growing

    @property
    def left_out(self) -> Counter[str]:
        """What could not be read of it, by reason."""
        return self.agenda.left_out

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Some of that, each with its reason and its title."""
        return tuple(self.agenda.named)


class Importer(Taker[HeldAgenda, CalendarEntry]):
    """See Imports, and `node.ical.taking.Taker`. `here`: where the island is."""

    def __init__(self, board: Board, take_in: Callable[[list[bytes]], list[Verdict]], here: Locality,
                 gate: AbstractContextManager):
        super().__init__(board, take_in, gate)
        self._here = here

    def tag(self, address: str) -> str:
        """See Imports."""
        source = self._board.notes.state.sources.get(address)
        return source.tag if source else ""

    def look(self, content: bytes, name: str, address: str = "", tag: str = "") -> ImportSummary:
        """See Imports."""
        return self._look(content, name, address, tag, None)

    def look_within(self, content: bytes, address: str, tag: str, bounds: ImportBounds) -> ImportSummary:
        """See Imports."""
        return self._look(content, "", address, tag, bounds)

    def _look(self, content: bytes, name: str, address: str, tag: str, bounds: ImportBounds | None) -> ImportSummary:
        try:
            agenda = read(content, self._here, self._board.now())
        except RemoteFault as fault:
            return ImportSummary(problem=as_reason(ImportProblem, fault.reason, ImportProblem.AGENDA_MARK))
        called = agenda.name or line_of(name, MAX_NAME)
        named = f"{address}\n{called}\n{bounds}\n".encode()
        return self._hold(HeldAgenda(
            blake2b(named + content, digest_size=8).hexdigest(), address or called,
            Origin(called, site_of(address) or agenda.site), tag, bounds, agenda))

    def _plan(self, held: HeldAgenda) -> Plan[CalendarEntry]:
        """See Taker."""
        sources, bounds = self._board.notes.state.sources, held.bounds
        planner = Planner(self._board, sources.known, held.origin.name, sources.known_elsewhere(held.name))
        known = sources.known
        judged = [(entry, bounds.leaves_out(entry.draft) if bounds and entry.key not in known else None)
                  for entry in held.agenda.entries]
        plan = planner.plan([entry for entry, reason in judged if reason is None])
        plan.left_out += Counter(reason.value for _, reason in judged if reason)
        return self._bounded(plan, bounds)

    def _known(self, step: Step[CalendarEntry], root: bytes) -> Known:
        """See Taker."""
        return Known(root, step.given.version, step.given.draft.end or 0)

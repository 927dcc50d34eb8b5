"""What people tell the keepers about a post, and how people reach the keepers.

A report is what was said and the day it came. Who said it is not kept: a visitor's hash counts in the memory of the pace,
and nowhere beside the report. It is forgotten when a keeper has seen to it, with its post, or after two weeks.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from node.board.api import DraftRefused, Item, Problem, Report, ReportedPost
from node.board.confirming import Confirming
from node.board.drafts import in_one_line, is_blank, is_readable
from node.board.items import root_of
from node.board.notes import BoardState
from node.board.pace import Act, Visitor
from node.board.reasons import AuditAction, ProblemCode, ReportReason
from node.model.event import DAY_MIN

REPORT_DAYS = 14  # a keeper who comes by once a week reads each of them once
MAX_REPORTS = 300  # some 0.5 kB each in memory, 0.4 MB at most
CROWDED = MAX_REPORTS // 2  # from here on each visitor has one in four hours, so that some addresses do not fill it all
MOST_OF_A_POST = 5  # more tell keepers nothing new
MOST_ASKED = 3  # by those who say that the post is theirs: others cannot crowd them out
MAX_REPORT = 300  # characters
MAX_CONTACT = 120  # characters, on every page
TO_BE_WORDED = (ReportReason.OTHER, ReportReason.MINE_CHANGE)  # they say nothing without words


class Reporting(Confirming):
    """The part of the board where people tell the keepers something."""

    def report(self, item_id: str, reason: str, words: str, visitor: Visitor) -> Report:
        """Tell the keepers about a post. `item_id` as in `item`, `reason` one of ReportReason.

        Raises DraftRefused (problems of `reason` or `text`, or about how much was reported) or BoardClosed.
        """
        item = self.reader.find(item_id)
        if item is None:
            raise DraftRefused([Problem("", ProblemCode.TARGET_GONE)])
        self._check_visitor(visitor, Act.REPORT)
        if problem := _problem_of(reason, words := unicodedata.normalize("NFC", words.strip())):
            raise DraftRefused([problem])
        now, root = self.now(), root_of(item)
        report = Report(item.id, ReportReason(reason), words, now - now % DAY_MIN)
        if report.asks and not item.author.here:
            raise DraftRefused([Problem("reason", ProblemCode.NOT_YOURS)])
        self._count(visitor, Act.REPORT, 1 if self.count_reports() >= CROWDED else 0)
        try:
            self.notes.update(lambda state: _with_report(state, root, report))
        except Exception:
            self._pace.give_back(visitor, Act.REPORT, self._ran_min())
            raise
        return report

    def count_reports(self) -> int:
        """How many are kept."""
        return sum(map(len, self.notes.state.reports.values()))

    def count_reported(self) -> int:
        """Of how many posts something was reported, those that a keeper withdrew just now and may bring back among them."""
        return len(self.notes.state.reports)

    def reported(self) -> Iterator[ReportedPost]:
        """Posts of which something was reported, and which are shown here, the latest first; each is decoded as it is
        taken."""
        state = self.notes.state
        for root, reports in reversed(list(state.reports.items())):
            if root in state.unseen:
                continue
            item = self.reader.hidden_item(root) or self.reader.past(bytes.fromhex(reports[-1].item_id))
            if item:
                yield ReportedPost(item, reports)

    def reports_of(self, item: Item) -> tuple[Report, ...]:
        """What was reported about one post, the latest last."""
        return self.notes.state.reports.get(root_of(item), ())

    def settle_reports(self, item_id: str, keeper: str, why: str = "") -> bool:
        """A keeper sees nothing to do about the post: forget what was reported about it; whether anything was."""
        root = self._root(item_id)
        entry = self._entry(keeper, AuditAction.SETTLE, item_id, why)
        return root is not None and self.notes.update(lambda state: state.without_reports([root]), entry)

    def settle_all_reports(self, keeper: str, why: str = "") -> int:
        """Forget all that was reported: of how many posts something was."""
        roots = list(self.notes.state.reports)
        self.notes.update(lambda state: state.without_reports(roots),
                          self._entry(keeper, AuditAction.SETTLE_ALL, str(len(roots)), why))
        return len(roots)

    # how to reach the keepers

    def contact(self) -> str:
        """How to reach the keepers, in their own words or as an address of the web; "" if they have not said. Cheap."""
        return self.notes.state.contact

    def set_contact(self, typed: str, keeper: str, why: str = "") -> None:
        """Say how to reach the keepers, "" for nothing; raises DraftRefused above 120 characters, or BoardClosed."""
        contact = in_one_line(typed, len(typed))
        if len(contact) > MAX_CONTACT:
            raise DraftRefused([Problem("contact", ProblemCode.TOO_LONG, len(contact) - MAX_CONTACT)])
        if is_blank(contact):
            raise DraftRefused([Problem("contact", ProblemCode.INVISIBLE)])
        self.notes.update(lambda state: state if state.contact == contact else replace(state, contact=contact),
                          self._entry(keeper, AuditAction.CONTACT, "", why))


def _problem_of(reason: str, words: str) -> Problem | None:
    """Why it tells keepers nothing, or too much."""
    if reason not in set(ReportReason):
        return Problem("reason", ProblemCode.NOT_OFFERED)
    if not is_readable(words):
        return Problem("text", ProblemCode.CONTROL_CHARACTER)
    if is_blank(words):
        return Problem("text", ProblemCode.INVISIBLE)
    if not words and reason in TO_BE_WORDED:
        return Problem("text", ProblemCode.EMPTY)
    return Problem("text", ProblemCode.TOO_LONG, len(words) - MAX_REPORT) if len(words) > MAX_REPORT else None


def _with_report(state: BoardState, root: bytes, report: Report) -> BoardState:
    """The state with one report more, unless the same is there; raises DraftRefused when there are enough."""
    told = state.reports.get(root, ())
    if report in told:
        return state
    if sum(one.asks is report.asks for one in told) >= (MOST_ASKED if report.asks else MOST_OF_A_POST):
        raise DraftRefused([Problem("", ProblemCode.REPORTED_ENOUGH)])
    if sum(map(len, state.reports.values())) >= MAX_REPORTS:
        raise DraftRefused([Problem("", ProblemCode.REPORTS_FULL)])
    others = {one: kept for one, kept in state.reports.items() if one != root}
    return replace(state, reports={**others, root: (*told, report)})

"""Handing an island over: the steps there are, and what is remembered of a handover that is under way.

What the island itself can see (a keeper added, a passphrase changed) is done by being done; keepers tick the rest.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Protocol

from node.board.api import AuditEntry
from node.board.care import LastBackup
from node.board.reasons import AuditAction
from node.model.event import DAY_MIN

LASTS_MIN = 14 * DAY_MIN  # for who meets once a week: two meetings
FORGOTTEN_MIN = 60 * DAY_MIN  # what is open is told for so long after its beginning, then it is no help any more


class HandoverStep(StrEnum):
    """What is to be done, in this order."""

    NEWCOMER = "newcomer"
    PAPERS = "papers"
    TOOLS = "tools"
    LEAVER = "leaver"
    PASSWORDS = "passwords"
    GROUPS = "groups"
    WIFI = "wifi"
    BROKER = "broker"
    SECRET = "secret"  # noqa: S105 - a slug
    SHEET = "sheet"
    POSTERS = "posters"
    BACKUP = "backup"


IF_SOMEBODY_LEAVES = {HandoverStep.LEAVER, HandoverStep.PASSWORDS, HandoverStep.GROUPS, HandoverStep.WIFI,
                      HandoverStep.BROKER, HandoverStep.SECRET}
SEEN_ONLY = {HandoverStep.NEWCOMER, HandoverStep.LEAVER}  # the island knows that better than who ticks
BY_HAND = {HandoverStep.PAPERS, HandoverStep.TOOLS, HandoverStep.POSTERS}  # no page can do it


@dataclass(frozen=True)
class Handover:
    """One that is under way: who comes, who leaves ("" for nobody), who began it and when; until when it should be over;
    what was ticked, and when (minutes)."""

    newcomer: str
    leaver: str
    keeper: str
    begun: int
    done: Mapping[str, int] = field(default_factory=dict)

    @property
    def until(self) -> int:
        """The minute by which it should be over."""
        return self.begun + LASTS_MIN


@dataclass(frozen=True)
class StepView:
    """A step: when it was done (None if it is open), and whether the island has `seen` that itself and nobody ticks it."""

    step: HandoverStep
    done: int | None
    seen: bool


class HandoverState(Protocol):
    """What of `node.board.notes.BoardState` is needed."""

    @property
    def handover(self) -> Handover | None:
        """The one under way, or over."""

    @property
    def audit_log(self) -> tuple[AuditEntry, ...]:
        """What keepers did, the newest last."""

    @property
    def keepers(self) -> Mapping[str, str]:
        """Who can sign in."""

    @property
    def groups(self) -> Mapping[str, str]:
        """Which groups sign here."""

    @property
    def backup(self) -> LastBackup | None:
        """The last one that was taken away from the box."""


def present(state: HandoverState, now: int) -> Handover | None:
    """The handover under way, until it is forgotten."""
    found = state.handover
    return found if found and found.begun <= now < found.begun + FORGOTTEN_MIN else None


def steps(state: HandoverState, handover: Handover, has_broker: bool, renewed: int | None) -> Iterator[StepView]:
    """Every step of it that there is on this island. `renewed`: the minute from which the set's present secret counts."""
    for step in HandoverStep:
        if not handover.leaver and step in IF_SOMEBODY_LEAVES:
            continue
        if (step is HandoverStep.BROKER and not has_broker) or (step is HandoverStep.GROUPS and not state.groups):
            continue
        seen = SEEN[step](state, handover) if step in SEEN else None
        if step is HandoverStep.SECRET and renewed is not None and renewed >= handover.begun:
            seen = renewed
        yield StepView(step, seen if seen is not None else handover.done.get(step), seen is not None)


def ticked(handover: Handover, step: HandoverStep, done: int | None) -> Handover:
    """The same with a step done at a minute, or open again."""
    others = {one: at for one, at in handover.done.items() if one != step}
    return replace(handover, done=others if done is None else {**others, step.value: done})


def _newcomer_is_in(state: HandoverState, handover: Handover) -> int | None:
    if handover.newcomer not in state.keepers:
        return None
    return _last(state, handover, AuditAction.KEEPER, handover.newcomer) or handover.begun


def _leaver_is_out(state: HandoverState, handover: Handover) -> int | None:
    if handover.leaver in state.keepers:
        return None
    return _last(state, handover, AuditAction.KEEPER_GONE, handover.leaver) or handover.begun


def _passwords_are_new(state: HandoverState, handover: Handover) -> int | None:
    """Once each keeper who stays has another one."""
    return _all_since(state, handover, AuditAction.KEEPER, set(state.keepers) - {handover.leaver})


def _passphrases_are_new(state: HandoverState, handover: Handover) -> int | None:
    return _all_since(state, handover, AuditAction.GROUP_PASSPHRASE, set(state.groups))


def _backup_is_away(state: HandoverState, handover: Handover) -> int | None:
    """Once one was taken away from the box that the leaver has not made, who knows its passphrase."""
    made = min((entry.at for entry in state.audit_log if entry.action == AuditAction.BACKUP
                and entry.at >= handover.begun and entry.keeper != handover.leaver), default=None)
    return state.backup.at if made is not None and state.backup and state.backup.at >= made else None


def _all_since(state: HandoverState, handover: Handover, action: AuditAction, names: set[str]) -> int | None:
    moments = [_last(state, handover, action, name) for name in names]
    found = [at for at in moments if at is not None]
    return max(found) if found and len(found) == len(moments) else None


def _last(state: HandoverState, handover: Handover, action: AuditAction, about: str) -> int | None:
    """When that was last done since the handover began."""
    return max((entry.at for entry in state.audit_log
                if entry.action == action and entry.about == about and entry.at >= handover.begun), default=None)


SEEN: Mapping[HandoverStep, Callable[[HandoverState, Handover], int | None]] = {
    HandoverStep.NEWCOMER: _newcomer_is_in, HandoverStep.LEAVER: _leaver_is_out,
    HandoverStep.PASSWORDS: _passwords_are_new, HandoverStep.GROUPS: _passphrases_are_new,
    HandoverStep.BACKUP: _backup_is_away}

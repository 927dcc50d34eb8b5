"""Which secret of the set this island speaks with, kept on its card; it starts anew when that is another one."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from node.board.status import SecretStatus
from node.daemon.keyfiles import KeyTrouble, caught_up
from node.model.event import DAY_MIN
from node.model.keys import SigningKey
from node.model.renewal import fingerprint_of
from node.replica.generations import (
    FIRST,
    LED_MIN,
    Generation,
    Generations,
    at_minute,
    former,
    left_behind,
    members,
    renewals_in,
)
from node.replica.liveset import LiveSet

log = logging.getLogger(__name__)

MAX_WAIT_MIN = 64


@dataclass(frozen=True)
class LedFrom:
    """An earlier generation: its speakers are led to the present one, or (after that) what led there is taken away."""

    generation: Generation
    leads: bool


@dataclass(frozen=True)
class RenewalLook:
    """The minute to make a renewal at, and for whom it would be: public keys by key id."""

    created: int
    seats: dict[bytes, bytes]


class KeepsSecrets(Protocol):
    """Where the set's secrets are kept: `node.daemon.keyfiles.KeyFolder`."""

    def generations(self) -> Generations:
        """Those that are known, the one that is spoken first."""

    def keep_generations(self, known: Generations) -> None:
        """Keep these and no others; raises OSError or KeyTrouble, and then nothing has changed."""


class SecretKeeper:
    """Belongs to the runner's thread, but for `known`, `behind` and what is made of them: any thread may read these."""

    def __init__(self, keys: KeepsSecrets, liveset: LiveSet, key: SigningKey, start_anew: Callable[[], object]):
        self._keys, self._liveset, self._key, self._start_anew = keys, liveset, key, start_anew
        self.known = keys.generations()
        self.behind = False  # others speak with a secret that this island was not given
        self._running: tuple[bytes, tuple[LedFrom, ...]] | None = None
        self._looked: tuple[int, int] = (-1, -1)

    def formers(self, minute: int) -> tuple[LedFrom, ...]:
        """What an island that starts at `minute` is to lead from."""
        formers = tuple(LedFrom(one, one.left is None or minute < one.left + LED_MIN) for one in former(self.known))
        self._running = self.known[0].secret, formers
        return formers

    def look(self, minute: int) -> None:
        """Once a minute and after each change of the set: is it another secret? What the card does not keep waits."""
        at = self._liveset.revision, minute
        if at == self._looked:
            return
        known = at_minute(self.known, self._liveset, self._key, minute)
        if known[0].secret != self.known[0].secret and minute < self._settled_at(minute):
            return
        if known != self.known:
            try:
                self._keys.keep_generations(known)
            except (OSError, KeyTrouble) as trouble:
                log.warning("the set's new secret cannot be kept: %s", trouble)
                return
            self.known = known
        self._looked, self.behind = at, left_behind(known, self._liveset, minute)
        running = self._running
        if running is not None and (self.known[0].secret, self.formers(minute)) != running:
            log.info("the set's secret was renewed: the island starts anew with it")
            self._start_anew()

    def _settled_at(self, minute: int) -> int:
        """From which minute on it may move again: a founder's stolen key makes secrets faster than islands start anew.

        4 minutes after the last move; 16 if that was the second within a day, 64 if it was the third.
        """
        moves = [one.left for one in self.known if one.left is not None and minute - DAY_MIN < one.left <= minute]
        return max(moves) + min(4 ** len(moves), MAX_WAIT_MIN) if moves else 0

    def status(self) -> SecretStatus:
        """What is told of it."""
        spoken = self.known[0]
        return SecretStatus(None if spoken.founder == FIRST else spoken.since, self.behind)

    def knew(self) -> set[bytes]:
        """Key ids of all who have a seat in a renewal that brought the secret that is spoken; from any thread."""
        name = fingerprint_of(self._liveset.charter.set_id, self.known[0].secret)
        brought = [renewal for _, renewal in renewals_in(self._liveset) if renewal.fingerprint == name]
        return {seat.key for renewal in brought for seat in renewal.seats}

    def coming(self, minute: int) -> int | None:
        """The minute from which the next secret counts, if one was made that does not count yet; from any thread."""
        made = [(record.created, renewal.since) for record, renewal in renewals_in(self._liveset)]
        _, since = max((one for one in made if one[0] > self.known[0].created), default=(0, 0))
        return since if since > minute else None

    def renewable(self, minute: int) -> RenewalLook:
        """What a renewal made at `minute` would be; from any thread."""
        return renewal_look(self._liveset, max(minute, self.known[0].created + 1))

    def catch_up(self, text: str) -> None:
        """Take the secret of an invitation into the same set (its text); raises KeyTrouble or OSError."""
        fallen = self.known[0].fallen(self._liveset.trust)
        known = caught_up(text, self._liveset.charter.set_id, self.known, fallen)
        self._keys.keep_generations(known)
        self.known, self._looked = known, (-1, -1)


def renewal_look(liveset: LiveSet, minute: int) -> RenewalLook:
    """What a renewal would be that is made at `minute`, or right after the last one."""
    last = max((record.created for record, _ in renewals_in(liveset)), default=0)
    return RenewalLook(max(minute, last + 1), members(liveset.trust, minute))

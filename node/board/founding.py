"""Founders' keys, for the pages where they are made (`/start`, `/keeper/founders`) and for the command line. Core.

A founder's key is never on a box: it is made in memory, shown once to be written down, and signs once, when the set is
founded. The real parts are `node.daemon.founders` and `node.daemon.refounding`.
"""

from dataclasses import dataclass
from typing import Protocol

FOUNDERS = (2, 3)  # two, so that one may burn; a fourth says no more, and is one place more to be found in
ASKED = 2  # words of each key that are typed again: who wrote nothing down is found out, who did is not kept long


@dataclass(frozen=True, slots=True)
class FounderKey:
    """One to be written down, shown this once: the `number`th of `count`, its 24 words, its public part (64 hex digits),
    and words to compare that with."""

    number: int
    count: int
    words: tuple[str, ...]
    public: str
    fingerprint: tuple[str, ...]


class FounderKeys(Protocol):
    """The keys of a set that is about to be founded. Each is shown, then asked for; then comes the next one."""

    count: int

    def written(self) -> int:
        """How many were shown and found to be written down."""

    def show(self, language: str) -> FounderKey:
        """A new key, in the place of the last one if that was not found to be written down."""

    def asked(self) -> tuple[int, ...]:
        """Which of its words are to be typed (from 1 on), in their order; none when no key waits for that."""

    def check(self, typed: tuple[str, ...]) -> bool:
        """Whether these are the words that were asked for; then the key counts as written down."""


@dataclass(frozen=True, slots=True)
class FoundingView:
    """Who founded the set of this island, and what founding it anew would cost.

    `alone`: this island's own key is the only founder. `joined` are names of islands that came in, `invitations` how many
    invitations nobody has used yet; `posts` are signed again, those that are `lost` (of groups, whose keys are under their
    passphrases) are not.
    """

    alone: bool
    founders: tuple[str, ...]
    joined: tuple[str, ...] = ()
    invitations: int = 0
    posts: int = 0
    lost: int = 0


class Founding(Protocol):
    """Founding the set of a running island anew, with founders' keys off the box. Raises KeyRefused or BoardClosed."""

    def alone(self) -> bool:
        """Whether this island's own key is the set's only founder."""

    def view(self) -> FoundingView:
        """How it stands."""

    def keys(self, count: int = 0) -> FounderKeys | None:
        """The keys that are being made; with a `count`, new ones. None when none are."""

    def refound(self, keeper: str) -> None:
        """Found the set anew with these keys. The island starts anew; nothing that it keeps of the old set counts there."""

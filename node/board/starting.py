"""The first start of an island that belongs to no set yet, as the page `/start` sees it. Core.

What was typed is kept in memory until the last press, which makes the island. The real part is `node.daemon.first_start`.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import BinaryIO, Protocol

from node.board.founding import FounderKeys
from node.i18n.sentence import Sentence


class Way(StrEnum):
    """How an island comes to its set."""

    NONE = ""
    FOUND = "found"
    JOIN = "join"


@dataclass(frozen=True, slots=True)
class IslandWish:
    """What the island is to be: its name, the tag of its language, its country (two letters or a name, "" for no Wi-Fi),
    and who may post."""

    name: str = ""
    language: str = ""
    country: str = ""
    posting: str = "open"


@dataclass(frozen=True, slots=True)
class InvitedTo:
    """What an invitation leads to: the set's name and id, and until which minute it may be used."""

    name: str
    set_id: bytes
    until: int


@dataclass(frozen=True, slots=True)
class StartDraft:
    """What was said so far. `keys`: how many founders' keys off the box, 0 for "later". `has_wifi`: a country does
    something here."""

    island: IslandWish = field(default_factory=IslandWish)
    described: bool = False
    keeper: str = ""
    way: Way = Way.NONE
    set_name: str = ""
    keys: int = 0
    invited: InvitedTo | None = None
    has_wifi: bool = False


class StartRefused(Exception):
    """What was typed cannot be: per field of the form, the sentence that says what to do."""

    def __init__(self, problems: dict[str, Sentence]):
        super().__init__(", ".join(problems))
        self.problems = problems


class Starting(Protocol):
    """One island's first start. Safe from any thread."""

    def begun(self) -> bool:
        """Whether it has a set now, and is about to start anew with it."""

    def now(self) -> int:
        """The minute by this machine's clock, which what is signed at the last press bears."""

    def knows(self, code: str) -> bool:
        """Whether this is the code of the card, however it is written."""

    def draft(self) -> StartDraft:
        """What was said so far."""

    def notices(self) -> tuple[str, ...]:
        """What is wrong in the settings file, and why an invitation on the card was not taken: as lines."""

    def fixed(self) -> frozenset[str]:
        """What the settings file says, and the page does not ask: name, language, country."""

    def describe(self, wish: IslandWish) -> None:
        """What the island is to be; raises StartRefused."""

    def let_in(self, keeper: str, password_hash: str) -> None:
        """Its first keeper."""

    def found(self, set_name: str, keys: int) -> None:
        """It is to found a set of its own, with so many founders' keys off the box; raises StartRefused."""

    def join(self, invitation: str) -> None:
        """It is to join the set of this invitation (its letters); raises StartRefused."""

    def join_picture(self, photo: bytes) -> None:
        """The same, from a photograph of the invitation's code."""

    def founders(self) -> FounderKeys | None:
        """The founders' keys that are being made; None when there are to be none."""

    def restore(self, backup: BinaryIO, passphrase: str) -> None:
        """Make the island of a backup instead, and start it; raises StartRefused. It takes some seconds."""

    def begin(self) -> None:
        """Make the island as it was described, and start it; raises StartRefused."""

"""Cards for new boxes, written by this one: values, and the part behind them (`node.daemon.card_maker`).

The box itself looks into its readers and writes (image-build/overlay/usr/lib/archipel/write_card.py); the island only asks
it to.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from node.board.keyring import TypedKey
from node.i18n.sentence import Explained, Sentence, sentence

KEEPER, KEEPER_PASSWORD = "box keeper", "box keeper_password"  # the other settings: `node.board.island_settings`


class CardStage(StrEnum):
    """What the box does with its readers."""

    IDLE = "idle"
    LOOKING = "looking"
    BLANKING = "blanking"  # the start of the card is overwritten first: a card that is half written starts nothing
    WRITING = "writing"
    CHECKING = "checking"  # it is read back
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class ReaderView:
    """A card or stick that is in a reader. `name` is the reader's in the box (sda), `seen` names what was found in it: with
    another card in it, it is another. `title`: the maker's name; `holds` what is on it; `trouble` why it cannot be used."""

    name: str
    seen: str
    title: str
    size_bytes: int
    holds: tuple[Sentence, ...] = ()
    trouble: Sentence | None = None


@dataclass(frozen=True)
class CardState:
    """`readers`: what was found at the last look, None before the first; of what is being written or was last, its size,
    how much is done, and the seconds that are left (None: cannot be told yet). `trouble`: why it failed."""

    stage: CardStage = CardStage.IDLE
    readers: tuple[ReaderView, ...] | None = None
    title: str = ""
    size_bytes: int = 0
    done_bytes: int = 0
    total_bytes: int = 0
    left_s: int | None = None
    trouble: Sentence | None = None


@dataclass(frozen=True)
class CardWish:
    """What is to be on a new card. `settings` by name, as text, as a keeper typed them; `days` is for how many days an
    invitation is good, 0 without one; `board`: what is on this board comes with it, which only the set can read."""

    reader: str
    seen: str
    settings: dict[str, str] = field(default_factory=dict)
    days: int = 0
    board: bool = False


class CardRefused(Explained):
    """It cannot be done here, or not so; the sentence says why. `key` is the setting that is wrong, "" if it is none."""

    def __init__(self, sentence: Sentence, key: str = ""):
        super().__init__(sentence)
        self.key = key


class CardMaker(Protocol):
    """What keepers ask. `keeper` and `why` are for the audit log. Safe from any thread but the runner's."""

    def here(self) -> bool:
        """Whether this machine writes cards: the SD image does."""

    def state(self) -> CardState:
        """What the box does, and what it found last; cheap."""

    def look(self) -> None:
        """Have the box look into its readers; raises CardRefused."""

    def standard(self) -> dict[str, str]:
        """What the form offers: this island's language, zone and country, and nothing that is secret."""

    def prepare(self, wish: CardWish) -> str:
        """Keep a wish as it would be written, for half an hour: its label. Nothing is done; raises CardRefused."""

    def prepared(self, label: str) -> CardWish | None:
        """That wish; None when it is forgotten."""

    def reader(self, wish: CardWish) -> ReaderView:
        """What is in the reader that a wish names; raises CardRefused if it is another card, or cannot be written to."""

    def write(self, label: str, keeper: str, key: TypedKey | None = None, why: str = "") -> None:
        """Have a prepared wish written; raises CardRefused, KeyRefused, BoardClosed."""

    def tidy(self) -> None:
        """Now and then: take back what the box was asked, once it is done with it or will never begin."""


NOT_HERE = sentence("Cards can only be written by a box that runs from the SD image of Archipel.")
BUSY = sentence("The box is just writing a card. Wait until it is done.")
NO_LOOK = sentence("The box did not look into its readers. Try again; if this comes back, start the box again.")
STOPPED = sentence("The box stopped writing before the end: this card starts nothing. Write it again.")
NOT_SEEN = sentence("This is not what was in the reader before: nothing was written. Look again what is in it.")
BOARD_ALONE = sentence("What is on this board can only be read by an island of the set: it needs an invitation too.")
KEEPER_WHOLE = sentence("Give both the keeper's name and a password, or neither.")
FORGOTTEN = sentence("This page had been open for too long: nothing was written. Choose once more.")
TOO_MUCH = sentence("What is on this board does not fit: write the card without it, and exchange by stick.")

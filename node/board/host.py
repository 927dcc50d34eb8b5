"""What the board gets from the island it is on: the store, the archive, the clock, the air. Core."""

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from node.board.air_orders import AirOrder
from node.board.status import Holdings, HostStatus
from node.model.clock import MAX_MINUTE, seconds_of
from node.replica.admission import Verdict
from node.store.index import Row, Slice


class RowStore(Protocol):
    """Rows by id and in order: of what is live (`node.store.journalstore`, `.memory`) or past (`.archive`)."""

    def get(self, id_: bytes) -> Row | None:
        """The row with this id, or None."""

    def page(self, wanted: Slice, after: str = "", limit: int = 20) -> tuple[list[Row], str]:
        """A bounded part of the rows, in order, and the mark of what follows ("" at the end)."""


class NoteStore(Protocol):
    """Named JSON values that last (`node.store.journalstore`, `.memory`)."""

    def note(self, name: str) -> Any:
        """The value kept under a name, or None."""

    def names(self) -> Iterable[str]:
        """Of every value that is kept."""

    def set_notes(self, values: Mapping[str, object]) -> None:
        """Keep them, all or nothing; None forgets one. Returns when that is durable, or raises StoreFailed."""


class BoardStore(RowStore, NoteStore, Protocol):
    """What is kept on this island's card."""

    def health(self) -> tuple[bool, str]:
        """Whether the last writes were kept, and the reason (a slug) if not."""


class Turn(Protocol):
    """A lock that can be waited for so long and no longer: `threading.Lock()`."""

    def acquire(self, *, timeout: float = -1) -> bool:
        """Take it; whether it was to be had within `timeout` seconds (-1: for ever)."""

    def release(self) -> None:
        """Give it back."""


class PastRecords(RowStore, Protocol):
    """Past rows, the words of all, and the texts of all that were decoded (`node.store.archive`)."""

    def beginning_with(self, start: bytes) -> list[bytes]:
        """Ids of past rows that begin so."""

    def texts(self, ids: Collection[bytes]) -> dict[bytes, str]:
        """The texts of those of `ids` that were decoded once."""

    def keep_text(self, id_: bytes, text: str) -> None:
        """Remember the text of a live or past record, with others, later."""

    def unexpired(self, minute: int) -> list[Row]:
        """Rows that end after this minute: a clock was wrong when they came here."""

    def search(self, typed: str, after: str = "", limit: int = 20) -> tuple[list[bytes], str]:
        """Ids of what holds the words, and the mark of what follows."""

    def health(self) -> tuple[bool, str]:
        """Whether it could be read and written the last time, and the reason (a slug) if not."""


@dataclass(frozen=True)
class Host:
    """What the board needs of the world around it.

    `now()` seconds since 1970; `publish(raw)` returns once durable or raises StoreFailed; `random(n)` n random bytes;
    `packets(record_bytes)` and `airtime_s(record_bytes)` what one transmission takes; `about()` the rest of the status.
    `gate` and `pace_gate` are locks (`threading.Lock()`; the core makes none itself): of several threads one changes the
    board's state, and one counts what visitors do. `publish_all(raws)` is as `publish`, in one commit and without haste.
    `hashing` is another lock: one slow hash at a time, as an edit code's takes 8 MB and a passphrase's 32 MB. `decoding`
    is one too: one text at a time, so that a page that needs no decoding shares the interpreter with one thread at most.
    `papers` are the vouches (encoded) that this island was let in with.
    `holdings()`: what other islands were last known to hold; cheap. `urgent()` says who may mark a post of this island's
    own as urgent, if it has that right: `keepers` or `everybody`. `confirmations()`: how many other islands must confirm an
    urgent post, 0 if none is marked.
    `rule` says who may post until a keeper does; `rule_stands`: it is the card's, and no keeper does. `set_clock(utc_s)`:
    whether a keeper's word on the time is believed; None takes the last one back. `monotonic()`: seconds that no setting of
    the clock touches. `steer(order)` does at once what a keeper wants of the radio. `certain()`: what ended before this
    moment may be forgotten; later things may come back. `keeps_past()`: whether what has ended is still shown.
    """

    now: Callable[[], float]
    publish: Callable[[bytes], Verdict]
    random: Callable[[int], bytes]
    packets: Callable[[int], int]
    airtime_s: Callable[[int], float]
    about: Callable[[], HostStatus]
    gate: AbstractContextManager[Any]
    pace_gate: AbstractContextManager[Any]
    publish_all: Callable[[list[bytes]], list[Verdict]]
    hashing: AbstractContextManager[Any]
    decoding: Turn
    monotonic: Callable[[], float]
    papers: Iterable[bytes] = ()
    rule: str = "open"
    urgent: Callable[[], str] = lambda: "keepers"
    confirmations: Callable[[], int] = lambda: 2
    holdings: Callable[[], Holdings] = Holdings
    rule_stands: bool = False
    set_clock: Callable[[float | None], bool] = lambda utc_s: False
    steer: Callable[[AirOrder], object] = lambda order: None
    certain: Callable[[], float] = lambda: seconds_of(MAX_MINUTE)
    keeps_past: Callable[[], bool] = lambda: True

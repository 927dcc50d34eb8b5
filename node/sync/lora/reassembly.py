"""Reassembly of records that arrive in pieces: bounded in number and in time, as RFC 815 wants it of IP fragments."""

from dataclasses import dataclass, field

from node.model.record import record_id
from node.sync.codes.erasure import rebuild
from node.sync.lora.packets import SHORT_ID_BYTES, Piece
from node.sync.lora.tuning import Tuning


@dataclass
class PartialRecord:
    """One record of which some pieces are here. `sender` sent the last one."""

    begun_at: float
    sender: int
    pieces: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class _Cut:
    """What pieces must share to fit together."""

    short_id: bytes
    parts: int
    whole_bytes: int


@dataclass(frozen=True)
class MissingPieces:
    """How many more of so many parts a record lacks; `sender` sent the last one that came."""

    missing: int
    parts: int
    sender: int


@dataclass(frozen=True)
class ReceivedRecord:
    """A record that came whole: its id and its encoding."""

    id: bytes
    raw: bytes


class Reassembly:
    """All partial records, by their cut; the oldest gives way."""

    def __init__(self, tuning: Tuning):
        self._tuning = tuning
        self._open: dict[_Cut, PartialRecord] = {}

    def add(self, piece: Piece, sender: int, at: float) -> ReceivedRecord | None:
        """Put a piece in its place; the record once there are enough, which may be another than the pieces say: some were
        wrong, and it starts afresh."""
        cut = _Cut(piece.short_id, piece.parts, piece.whole_bytes)
        partial = self._open.setdefault(cut, PartialRecord(at, sender))
        partial.pieces[piece.index] = piece.content
        partial.sender = sender
        if len(self._open) > self._tuning.max_partial_records:
            del self._open[next(iter(self._open))]
        if len(partial.pieces) < piece.parts:
            return None
        self._open.pop(cut, None)
        whole = rebuild(partial.pieces, piece.parts, piece.whole_bytes)
        return ReceivedRecord(record_id(whole), whole)

    def missing(self, short_id: bytes) -> MissingPieces | None:
        """What the record of this name lacks, of several cuts the one nearest to whole; None if no piece is here."""
        cuts = [MissingPieces(cut.parts - len(partial.pieces), cut.parts, partial.sender)
                for cut, partial in self._open.items() if cut.short_id == short_id]
        return min(cuts, key=lambda one: (one.missing, one.parts, one.sender), default=None)

    def open_from(self, sender: int) -> int:
        """How many records a neighbour has begun and not completed."""
        return sum(one.sender == sender for one in self._open.values())

    def forget(self, at: float) -> list[bytes]:
        """Drop what is too old; returns the short ids of what is left."""
        since_at = at - self._tuning.partial_record_s
        self._open = {cut: partial for cut, partial in self._open.items() if partial.begun_at > since_at}
        return [cut.short_id for cut in self._open]

    def close(self, id_: bytes) -> None:
        """The record arrived, one way or another."""
        self._open = {cut: partial for cut, partial in self._open.items() if cut.short_id != id_[:SHORT_ID_BYTES]}

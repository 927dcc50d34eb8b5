"""Records arriving in pieces: bounded in number and in time."""

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
    fresh: bool
    pieces: dict[int, bytes] = field(default_factory=dict)


class Reassembly:
    """All assemblies, by short id, number of parts and length; the oldest gives way."""

    def __init__(self, tuning: Tuning):
        self._tuning = tuning
        self._open: dict[tuple[bytes, int, int], PartialRecord] = {}

    def add(self, piece: Piece, sender: int, at: float) -> bytes | None:
        """Put a piece in its place; the whole record once there are enough. A wrong one starts afresh."""
        key = piece.short_id, piece.parts, piece.whole_bytes
        assembly = self._open.setdefault(key, PartialRecord(at, sender, piece.fresh))
        assembly.pieces[piece.index] = piece.content
        assembly.sender = sender
        if len(self._open) > self._tuning.max_partial_records:
            del self._open[next(iter(self._open))]
        if len(assembly.pieces) < piece.parts:
            return None
        self._open.pop(key, None)
        whole = rebuild(assembly.pieces, piece.parts, piece.whole_bytes)
        return whole if record_id(whole)[:SHORT_ID_BYTES] == piece.short_id else b""

    def missing(self, short_id: bytes) -> tuple[int, int, int] | None:
        """(parts, pieces missing, who sent the last one) of the record nearest to whole, or None."""
        rest = [(parts - len(one.pieces), parts, one.sender) for (short, parts, _), one in self._open.items()
                if short == short_id]
        return None if not rest else (min(rest)[1], min(rest)[0], min(rest)[2])

    def open_from(self, sender: int) -> int:
        """How many records a neighbour has begun and not completed."""
        return sum(one.sender == sender for one in self._open.values())

    def forget(self, at: float) -> list[bytes]:
        """Drop what is too old; returns the short ids of what is left."""
        self._open = {key: one for key, one in self._open.items() if one.begun_at > at - self._tuning.partial_record_s}
        return [short_id for short_id, _, _ in self._open]

    def close(self, id_: bytes) -> None:
        """The record arrived, one way or another."""
        self._open = {key: one for key, one in self._open.items() if key[0] != id_[:SHORT_ID_BYTES]}

"""Records that this island would not have: not asked for, and not looked at again, for a while."""

from node.sync.lora.tuning import Tuning

_SETTLED = {"duplicate", "store"}  # reasons that say nothing against the record


class Refusals:
    """Ids refused of late; bounded, the oldest is forgotten."""

    def __init__(self, tuning: Tuning):
        self._tuning = tuning
        self._until: dict[bytes, float] = {}  # by id

    def add(self, id_: bytes, reason: str, at: float) -> None:
        """A record was refused; `reason` is that of `events.RecordRefused`."""
        if reason in _SETTLED:
            return
        self._until[id_] = at + self._tuning.refused_s
        if len(self._until) > self._tuning.max_refused:
            del self._until[next(iter(self._until))]

    def stands(self, id_: bytes, at: float) -> bool:
        """Whether this record is still refused."""
        return self._until.get(id_, 0.0) > at

    def ids(self, at: float) -> list[bytes]:
        """All that are still refused."""
        return [id_ for id_, until_at in self._until.items() if until_at > at]

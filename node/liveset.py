"""The records of the set in memory, and what belongs to it: a deterministic function of the records held."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from node.clock import minute_of
from node.errors import RemoteFault
from node.identity import Charter, key_id, verify
from node.records import DAY_MIN, Kind, Record, Right, Vouch, decode, record_id, signing_message

KEPT = "kept"
MAX_AHEAD_MIN = DAY_MIN  # a record from further in the future waits until its time is near


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record: `reason` is "kept", or the slug of why it is not in the set."""

    id: bytes
    reason: str

    @property
    def kept(self) -> bool:
        """Whether it is in the set now."""
        return self.reason == KEPT


@dataclass(frozen=True)
class Change:
    """What `judge` or `expire` would do to the set: rows to store, ids to delete, and a verdict per record judged."""

    added: list[tuple[bytes, bytes]] = field(default_factory=list)
    removed: list[bytes] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)


class LiveSet:
    """The live records of one set. Reading is safe from any thread; only one thread may judge and apply."""

    def __init__(self, charter: Charter):
        self.charter = charter
        self._raws: dict[bytes, bytes] = {}
        self._records: dict[bytes, Record] = {}

    def __len__(self) -> int:
        return len(self._raws)

    def __contains__(self, id_: bytes) -> bool:
        return id_ in self._raws

    def get(self, id_: bytes) -> Record | None:
        """The record with this id if it is in the set, else None."""
        return self._records.get(id_)

    def raw(self, id_: bytes) -> bytes | None:
        """Its encoding, or None."""
        return self._raws.get(id_)

    def ids(self, as_of: int | None = None) -> Collection[bytes]:
        """Ids of the records still live at minute `as_of` (now, if not said)."""
        if as_of is None:
            return list(self._raws)
        return [id_ for id_, record in list(self._records.items()) if record.expires > as_of]

    def load(self, raws: Iterable[bytes], now: float) -> Change:
        """Take what the store holds, after a start; what does not belong any more is `removed`."""
        raws = list(raws)
        change = self.judge(raws, now)
        self.apply(change)
        return Change(removed=[verdict.id for verdict in change.verdicts if not verdict.kept], verdicts=change.verdicts)

    def judge(self, raws: Iterable[bytes], now: float) -> Change:
        """Say what these encoded records would change; nothing changes yet."""
        change, keys = Change(), self._keys(self._records.values())
        for raw in raws:
            id_ = record_id(raw)
            if id_ in self._raws or id_ in dict(change.added):
                change.verdicts.append(Verdict(id_, "duplicate"))
                continue
            reason = self._reason(raw, keys, minute_of(now))
            if reason == KEPT:
                change.added.append((id_, raw))
                keys |= self._keys([decode(raw)])
            change.verdicts.append(Verdict(id_, reason))
        return change

    def apply(self, change: Change) -> None:
        """Carry out a change, after the store has committed it."""
        for id_ in change.removed:
            self._raws.pop(id_, None)
            self._records.pop(id_, None)
        for id_, raw in change.added:
            self._records[id_] = decode(raw)
            self._raws[id_] = raw

    def expire(self, now: float) -> Change:
        """Hide at once what has expired by now; `removed` names it for the store."""
        minute = minute_of(now)
        change = Change(removed=[id_ for id_, record in self._records.items() if record.expires <= minute])
        self.apply(change)
        return change

    @property
    def deadline(self) -> int | None:
        """The minute at which something expires next."""
        return min((record.expires for record in self._records.values()), default=None)

    def _keys(self, records: Iterable[Record]) -> dict[bytes, tuple[bytes, Right]]:
        keys = {key_id(public): (public, Right.WRITE | Right.URGENT | Right.VOUCH) for public in self.charter.founders}
        keys |= {key_id(record.detail.subject): (record.detail.subject, record.detail.rights)
                 for record in records if isinstance(record.detail, Vouch)}
        return keys

    def _reason(self, raw: bytes, keys: dict[bytes, tuple[bytes, Right]], minute: int) -> str:
        try:
            record = decode(raw)
        except RemoteFault as fault:
            return fault.reason
        if record.expires <= minute:
            return "expired"
        if record.author not in keys or record.created > minute + MAX_AHEAD_MIN:
            return "penned"
        public, rights = keys[record.author]
        needed = Right.VOUCH if record.kind in (Kind.VOUCH, Kind.REVOCATION) else Right.WRITE
        if needed not in rights or (record.urgent and Right.URGENT not in rights):
            return "penned"
        if not verify(public, record.signature, signing_message(raw[:-64], self.charter.set_id)):
            return "signature"
        return KEPT

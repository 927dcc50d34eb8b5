"""One record in memory: its encoding, and what the rules of the set look at; a few hundred bytes beside the encoding."""

from dataclasses import dataclass

from node.model.record import TARGET_BYTES, TRUST_KINDS, URGENT, Kind, Record, Revocation, Vouch, decode, record_id

NO_ROOT = b""  # trust records stand alone: nothing takes their place


@dataclass(slots=True)
class Entry:
    """`root` names the first version of what this record is, corrects or retracts, among its author's records.

    `about` is the root of what it belongs to when shown: for a reply or a cancellation, that of its target, of any author.
    `rank` sorts an author's records, the higher stays: newer posts outrank older ones, and a correction what it corrects;
    older vouches and revocations outrank newer ones, as what was given first stands. `detail` is there for vouches and
    revocations only. `proven` tells whether the signature was checked in this process.
    """

    id: bytes
    raw: bytes
    kind: Kind
    author: bytes
    created: int
    expires: int
    root: bytes
    about: bytes
    rank: tuple[int, bool, bytes]
    detail: Vouch | Revocation | None = None
    proven: bool = False

    @classmethod
    def of(cls, raw: bytes, id_: bytes = b"") -> "Entry":
        """The entry for one encoded record (and its id, if known); raises RemoteFault when it is malformed."""
        record, id_ = decode(raw), id_ or record_id(raw)
        if record.kind in TRUST_KINDS:
            root, rank, detail = NO_ROOT, (-record.created, False, bytes(255 - byte for byte in id_)), record.detail
        else:
            root, rank, detail = _root(record, id_), (record.created, record.corrects, id_), None
        about = record.target or root
        return cls(id_, raw, record.kind, record.author, record.created, record.expires, root, about, rank, detail)

    @property
    def urgent(self) -> bool:
        """Whether it is marked urgent."""
        return bool(self.raw[1] & URGENT)

    @property
    def about_trust(self) -> bool:
        """Whether it is a vouch or a revocation."""
        return self.detail is not None


def beats(one: Entry, other: Entry) -> bool:
    """Whether `one` takes the place of `other`, of the same author and root: it is newer, or it is a retraction.

    What would end before `other` does never beats it: `other` would come back.
    """
    if one.expires < other.expires:
        return False
    one_ends, other_ends = one.kind is Kind.RETRACTION, other.kind is Kind.RETRACTION
    return one.rank > other.rank if one_ends == other_ends else one_ends


def _root(record: Record, id_: bytes) -> bytes:
    names_first = record.corrects or record.kind is Kind.RETRACTION
    return record.target if names_first else id_[:TARGET_BYTES]

"""One record in memory: its encoding, and what the rules of the set look at; a few hundred bytes beside the encoding."""

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

from node.model.confirmation import confirming_root
from node.model.event import Event
from node.model.record import (
    CORRECTABLE,
    TARGET_BYTES,
    TRUST_KINDS,
    URGENT,
    Kind,
    Record,
    Revocation,
    Vouch,
    record_id,
    signed_part,
)

NO_ROOT = b""  # trust records stand alone: nothing takes their place
SAID_BYTES = 8


class Testimony(NamedTuple):
    """What a record says of a foreign event: its key, the version, and a hash of all that it says, the same for all authors
    who say the same."""

    key: bytes
    version: tuple[int, int]
    said: bytes


NOTHING_TOLD = Testimony(b"", (0, 0), b"")


@dataclass(slots=True)
class Entry:
    """`root` names the first version of what this record is, corrects or retracts, among its author's records.

    `about` is the root of what it belongs to when shown: for a reply, a cancellation or a turnout, that of its target, of
    any author. A turnout's own root is made of that one, so that an author's next one takes its place; so is a
    confirmation's, which is about that root itself, as it is of one version of an item and of no other.
    `rank` sorts an author's records, the higher stays: newer posts outrank older ones, and a correction what it corrects;
    older vouches and revocations outrank newer ones, as what was given first stands. `proven` tells whether the signature
    was checked in this process. Vouches and revocations are entries of their own kind: their `about_trust` is true. A
    renewal decides nothing about who may write: it stands alone as these do, and is weighed as a post is. `told`: what it
    says of a foreign event (`node.replica.witnesses`).
    """

    about_trust: ClassVar[bool] = False

    id: bytes
    raw: bytes
    kind: Kind
    author: bytes
    created: int
    expires: int
    root: bytes
    about: bytes
    rank: tuple[int, bool, bytes]
    told: Testimony = NOTHING_TOLD
    proven: bool = False

    @staticmethod
    def of(record: Record, raw: bytes, id_: bytes = b"") -> "Entry":
        """The entry for `record`, encoded as `raw` (and its id, if known)."""
        id_ = id_ or record_id(raw)
        if record.kind is Kind.RENEWAL:
            root, rank = NO_ROOT, (record.created, False, id_)
        elif record.kind in TRUST_KINDS:
            root, rank = NO_ROOT, (-record.created, False, bytes(255 - byte for byte in id_))
        else:
            root, rank = _root(record, id_), (record.created, record.corrects, id_)
        about = root if record.kind is Kind.CONFIRMATION else record.target or root
        common = (id_, raw, record.kind, record.author, record.created, record.expires, root, about, rank, _told(record))
        match record.detail:
            case Vouch():
                return VouchEntry(*common, detail=record.detail)
            case Revocation():
                return RevocationEntry(*common, detail=record.detail)
        return Entry(*common)

    @property
    def urgent(self) -> bool:
        """Whether it is marked urgent."""
        return bool(self.raw[1] & URGENT)


@dataclass(slots=True, kw_only=True)
class VouchEntry(Entry):
    """A vouch in memory; `detail` says for whom and for what."""

    about_trust: ClassVar[bool] = True
    detail: Vouch


@dataclass(slots=True, kw_only=True)
class RevocationEntry(Entry):
    """A revocation in memory; `detail` says of whom and from when on."""

    about_trust: ClassVar[bool] = True
    detail: Revocation


def beats(one: Entry, other: Entry) -> bool:
    """Whether `one` takes the place of `other`, of the same author and root: it is newer, or it is a retraction.

    What would end before `other` does never beats it: `other` would come back.
    """
    if one.expires < other.expires:
        return False
    one_ends, other_ends = one.kind is Kind.RETRACTION, other.kind is Kind.RETRACTION
    return one.rank > other.rank if one_ends == other_ends else one_ends


def _told(record: Record) -> Testimony:
    """Alike for all who say the same, whenever they said it, and whether or not they corrected themselves."""
    foreign = record.detail.foreign if isinstance(record.detail, Event) else None
    if foreign is None:
        return NOTHING_TOLD
    bare = signed_part(replace(record, author=bytes(len(record.author)), created=0, life=0, target=None, urgent=False))
    return Testimony(foreign.key, foreign.version, hashlib.blake2b(bare, digest_size=SAID_BYTES).digest())


def _root(record: Record, id_: bytes) -> bytes:
    if record.kind is Kind.TURNOUT and record.target:
        return bytes(255 - octet for octet in record.target)
    if record.kind is Kind.CONFIRMATION and record.target:
        return confirming_root(record.target)
    names_first = record.kind in CORRECTABLE or record.kind is Kind.RETRACTION
    return record.target if names_first and record.target else id_[:TARGET_BYTES]

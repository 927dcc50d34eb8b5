"""The set's secret, sealed to its members: X25519 (RFC 7748) on the keys they sign with, and one mask each.

Who signs with Ed25519 has a key for X25519 too: the same curve in other coordinates (RFC 7748, section 4.1). A founder
draws an ephemeral key for each record; what it has in common with a member's key makes a mask of 32 bytes for the secret.
What ties all masks to one secret, the same for everybody, is the secret's fingerprint beside them.

A renewal's body after its life: since (3, minute) | fingerprint (16) | ephemeral key (32) | seats: key id (8), masked (32)
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.model.errors import LocalMisuse
from node.model.keys import SECRET_BYTES, Charter, SigningKey, agreed_key, key_id
from node.model.record import (
    FINGERPRINT_BYTES,
    MAX_LIFE_H,
    MAX_SEATS,
    MAX_WAIT_MIN,
    Kind,
    Record,
    Renewal,
    Seat,
    sign,
)


@dataclass(frozen=True, slots=True)
class RenewalPlan:
    """What is to be signed: the new secret (32 B), whom it is for (public keys, 32 B), and the minutes of its making and
    from which to speak with it."""

    secret: bytes
    members: tuple[bytes, ...]
    created: int
    since: int


def fingerprint_of(set_id: bytes, secret: bytes) -> bytes:
    """16 bytes that name a secret and tell nothing of it."""
    return hashlib.blake2b(set_id + secret, digest_size=FINGERPRINT_BYTES, person=b"archipel-secret").digest()


def renewals(plan: RenewalPlan, charter: Charter, founder: SigningKey, seeds: Iterable[bytes]) -> list[Record]:
    """The signed records of a new secret, as many as its members need. `seeds`: 32 random bytes for each of them."""
    in_time = plan.created <= plan.since <= plan.created + MAX_WAIT_MIN
    if not plan.members or not in_time or len(plan.secret) != SECRET_BYTES:
        raise LocalMisuse("a new secret has 32 bytes, is for somebody, and begins within a week")
    members = sorted(set(plan.members), key=key_id)
    parts = [members[at:at + MAX_SEATS] for at in range(0, len(members), MAX_SEATS)]
    return [_signed(plan, charter, founder, part, seed) for part, seed in zip(parts, seeds, strict=False)]


def secret_in(renewal: Renewal, set_id: bytes, key: SigningKey) -> bytes | None:
    """The new secret, if `key` has a seat in the record and what is there is what its fingerprint says."""
    masked = next((seat.masked for seat in renewal.seats if seat.key == key.key_id), None)
    shared = key.agree(renewal.ephemeral) if masked is not None else None
    if masked is None or shared is None:
        return None
    secret = _masked(masked, _mask(shared, set_id, renewal.ephemeral, key.public))
    return secret if hmac.compare_digest(fingerprint_of(set_id, secret), renewal.fingerprint) else None


def _signed(plan: RenewalPlan, charter: Charter, founder: SigningKey, members: Sequence[bytes], seed: bytes) -> Record:
    once = SigningKey(seed)
    ephemeral = once.agreeing
    masks = {public: _mask(_common(once, public), charter.set_id, ephemeral, public) for public in members}
    seats = tuple(Seat(key_id(public), _masked(plan.secret, mask)) for public, mask in masks.items())
    detail = Renewal(plan.since, fingerprint_of(charter.set_id, plan.secret), ephemeral, seats)
    record = Record(Kind.RENEWAL, founder.key_id, plan.created, MAX_LIFE_H[Kind.RENEWAL], detail=detail)
    return sign(record, charter.set_id, founder.sign)


def _common(once: SigningKey, public: bytes) -> bytes:
    shared = once.agree(agreed_key(public))
    if shared is None:  # a usable key has nothing of the kind (node.model.public_key)
        raise LocalMisuse("this is no key to seal for")
    return shared


def _mask(shared: bytes, set_id: bytes, ephemeral: bytes, public: bytes) -> bytes:
    return hashlib.blake2b(set_id + ephemeral + public, key=shared, digest_size=SECRET_BYTES,
                           person=b"archipel-renewal").digest()


def _masked(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))

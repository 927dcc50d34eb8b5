"""Charters and invitations as bytes and text: how a set is handed to a new island, on a stick or as a QR code, offline.

An invitation holds the charter, who made its secret and when, the seed of a one-time key, and the vouches that let this
key in, up to a founder. Whoever accepts it signs, with the one-time key, a vouch for their own key; no answer has to travel
back (docs/protocol.md, "Who may write").
"""

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from node.model.byte_reader import ByteReader
from node.model.errors import LocalMisuse, RemoteFault
from node.model.keys import SEED_BYTES, Charter, SigningKey, key_id
from node.model.public_key import is_usable_key
from node.model.record import KEY_ID_BYTES, Kind, Record, Right, Vouch, decode, encode, sign
from node.replica.generations import FIRST, Generation
from node.textpack import pack

CHARTER_MARK, INVITATION_MARK = b"archipel charter 1", b"archipel invitation 1"
MAX_FOUNDERS = 16
MAX_CREDENTIALS = 8
MAX_NAME_BYTES = 160
CHECK_BYTES = 4
NO_VOUCH = "invitation-papers"  # a reason: what it holds does not let its key in
GROUP = 5  # letters between two blanks, to be read aloud or typed


@dataclass(frozen=True)
class Invitation:
    """`credentials` are encoded vouches, the one for the one-time key first. `made` and `maker`: the minute of the renewal
    that brought the charter's secret, and who made it (key id); 0 and FIRST for the one that the set began with."""

    charter: Charter
    seed: bytes
    credentials: tuple[bytes, ...]
    made: int = 0
    maker: bytes = FIRST

    @cached_property
    def vouch(self) -> Record:
        """The vouch for the one-time key."""
        return decode(self.credentials[0])

    @property
    def expires(self) -> int:
        """The minute after which nobody can use it."""
        return self.vouch.expires

    @property
    def spoken(self) -> Generation:
        """The secret that it brings: in the place that it has for all others, so that newcomers agree with them."""
        return Generation(self.charter.secret, self.made, self.made, self.maker)

    def holding(self, spoken: Generation) -> "Invitation":
        """The same with the secret that is spoken at present, made no later than the vouch."""
        return replace(self, charter=replace(self.charter, secret=spoken.secret), made=spoken.created, maker=spoken.founder)


def prepare(charter: Charter, keeper: SigningKey, seed: bytes, offer: Record, credentials: Iterable[Record]) -> Invitation:
    """An invitation by `keeper`: `offer` is its unsigned vouch (see `offer`), `credentials` the vouches the keeper
    holds."""
    signed = sign(offer, charter.set_id, keeper.sign)
    chain = chain_of(keeper.key_id, list(credentials), {key_id(public) for public in charter.founders})
    return Invitation(charter, seed, (encode(signed), *(encode(credential) for credential in chain)))


def offer(author: bytes, seed: bytes, created: int, life: int, group: bool = False) -> Record:
    """The unsigned vouch of `author` (a keeper's key id) for the one-time key made from `seed`; `life` in hours."""
    rights = Right.INVITE | Right.WRITE | (Right.GROUP if group else Right(0))
    return Record(Kind.VOUCH, author, created, life, detail=Vouch(SigningKey(seed).public, rights))


def accept(invitation: Invitation, newcomer: bytes, name: str, minute: int) -> Record:
    """The record that lets the public key `newcomer` in under `name`; it lives as long as the invitation, so none follows.

    Raises RemoteFault("invitation-expired") when it is too late by `minute`.
    """
    one_time, vouch = SigningKey(invitation.seed), invitation.vouch
    created = max(minute, vouch.created)
    if created >= vouch.expires:
        raise RemoteFault("invitation-expired")
    rights = _said(vouch).rights & (Right.WRITE | Right.GROUP)
    codec, packed = pack(name)
    life = -(-(vouch.expires - created) // 60)
    record = Record(Kind.VOUCH, one_time.key_id, created, life, codec=codec, packed=packed, detail=Vouch(newcomer, rights))
    return sign(record, invitation.charter.set_id, one_time.sign)


def charter_bytes(charter: Charter) -> bytes:
    """mark | name length (1) | name | number of founders (1) | founders (32 each) | secret (32) | check (4)."""
    name = charter.name.encode()
    if len(name) > MAX_NAME_BYTES or not 1 <= len(charter.founders) <= MAX_FOUNDERS:
        raise LocalMisuse("a charter has a name of at most 160 bytes and 1 to 16 founders")
    return _checked(CHARTER_MARK + bytes([len(name)]) + name + bytes([len(charter.founders)])
                    + b"".join(charter.founders) + charter.secret)


def read_charter(raw: bytes) -> Charter:
    """The inverse of `charter_bytes`; raises RemoteFault."""
    reader = ByteReader(_unchecked(raw, CHARTER_MARK, "charter"), "charter-short")
    name = reader.take(reader.number(1))
    founders = tuple(reader.take(32) for _ in range(reader.number(1)))
    secret = reader.take(32)
    if reader.left:
        raise RemoteFault("charter-long")
    try:
        charter = Charter.found(name.decode(), founders, secret)
    except UnicodeDecodeError:
        raise RemoteFault("charter-name") from None
    if len(name) > MAX_NAME_BYTES:
        raise RemoteFault("charter-name")
    if charter.founders != founders or not 1 <= len(founders) <= MAX_FOUNDERS or not all(map(is_usable_key, founders)):
        raise RemoteFault("charter-founders")
    return charter


def invitation_bytes(invitation: Invitation) -> bytes:
    """mark | charter length (2) | charter | made (3) | maker (8) | seed (32) | credentials | check (4).

    Of each credential its length (2) and the record.
    """
    charter = charter_bytes(invitation.charter)
    credentials = b"".join(len(credential).to_bytes(2, "big") + credential for credential in invitation.credentials)
    secret = invitation.made.to_bytes(3, "big") + invitation.maker
    return _checked(INVITATION_MARK + len(charter).to_bytes(2, "big") + charter + secret + invitation.seed + credentials)


def read_invitation(raw: bytes) -> Invitation:
    """The inverse of `invitation_bytes`; raises RemoteFault. Whether the vouches are good is for the set to say."""
    reader = ByteReader(_unchecked(raw, INVITATION_MARK, "invitation"), "invitation-short")
    charter = read_charter(reader.take(reader.number(2)))
    made, maker, seed = reader.number(3), reader.take(KEY_ID_BYTES), reader.take(SEED_BYTES)
    credentials: list[bytes] = []
    while reader.left and len(credentials) < MAX_CREDENTIALS:
        credentials.append(reader.take(reader.number(2)))
    if reader.left:
        raise RemoteFault("invitation-long")
    vouches = [_vouch_in(credential) for credential in credentials]
    if not vouches:
        raise RemoteFault(NO_VOUCH)
    if vouches[0].subject != SigningKey(seed).public:
        raise RemoteFault("invitation-key")
    invitation = Invitation(charter, seed, tuple(credentials), made, maker)
    if made > invitation.vouch.created or (made == 0) != (maker == FIRST):
        raise RemoteFault("invitation-secret")
    return invitation


def to_text(raw: bytes) -> str:
    """Capital letters and digits in groups of five (base32, RFC 4648): for a file, a QR code, or to be typed."""
    letters = base64.b32encode(raw).decode().rstrip("=")
    groups = [letters[at:at + GROUP] for at in range(0, len(letters), GROUP)]
    return "\n".join(" ".join(groups[at:at + 10]) for at in range(0, len(groups), 10))


def from_text(text: str) -> bytes:
    """The inverse of `to_text`, whatever blanks, hyphens and small letters; raises RemoteFault("text")."""
    letters = "".join(text.split()).replace("-", "").upper()
    try:
        return base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError:
        raise RemoteFault("text") from None


def chain_of(author: bytes, credentials: list[Record], founders: set[bytes]) -> list[Record]:
    """The vouches that lead from `author` up to a founder, each the longest lasting of its subject."""
    chain: list[Record] = []
    vouches = [(each, each.detail) for each in credentials if isinstance(each.detail, Vouch)]
    while author not in founders and len(chain) < MAX_CREDENTIALS - 1:
        about = [(Right.VOUCH in vouch.rights, each) for each, vouch in vouches if key_id(vouch.subject) == author]
        _, best = max(about, key=lambda one: (one[0], one[1].expires), default=(False, None))
        if best is None or best in chain:
            break
        chain.append(best)
        author = best.author
    return chain


def _vouch_in(credential: bytes) -> Vouch:
    try:
        record = decode(credential)
    except RemoteFault:
        raise RemoteFault(NO_VOUCH) from None
    return _said(record)


def _said(record: Record) -> Vouch:
    """What a vouch says; raises RemoteFault for a record of another kind."""
    if not isinstance(record.detail, Vouch):
        raise RemoteFault(NO_VOUCH)
    return record.detail


def _checked(body: bytes) -> bytes:
    return body + hashlib.blake2b(body, digest_size=CHECK_BYTES).digest()


def _unchecked(raw: bytes, mark: bytes, what: str) -> bytes:
    body, check = raw[:-CHECK_BYTES], raw[-CHECK_BYTES:]
    if not body.startswith(mark):
        raise RemoteFault(f"{what}-mark")
    if hashlib.blake2b(body, digest_size=CHECK_BYTES).digest() != check:
        raise RemoteFault(f"{what}-check")
    return body[len(mark):]

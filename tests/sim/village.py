"""A neighbourhood for tests: keys made from a name, and records signed by them, in one line each."""

import hashlib
from functools import cache

from node.model.clock import seconds_of
from node.model.event import Event
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, Revocation, Right, Vouch, encode, record_id, sign
from node.model.renewal import RenewalPlan, renewals
from node.replica.liveset import LiveSet
from node.replica.quota import LIMITS, Category, Limit

T0 = 1_000_000  # the minute at which things begin
NOW = float(seconds_of(T0))
DAY = 1440
WRITER = Right.WRITE
KEEPER = Right.WRITE | Right.VOUCH
CRIER = Right.WRITE | Right.URGENT


def at(minute):
    """Seconds since 1970 of `minute` minutes after T0."""
    return NOW + 60 * minute


@cache
def key(name):
    """A signing key, always the same for a name."""
    return SigningKey(hashlib.blake2b(name.encode(), digest_size=32).digest())


def spoilt(raw):
    """The same with one bit of its signature turned."""
    return raw[:-1] + bytes([raw[-1] ^ 1])


class Village:
    """A charter with founders, and the records people there sign. Minutes are counted from T0, lives in hours."""

    def __init__(self, *founders):
        self.keys = {}
        self.charter = Charter.found("Belleville", [self.key(name).public for name in founders or ("founder",)], bytes(32))

    def key(self, name):
        return self.keys.setdefault(name, key(name))

    def sign(self, author, kind, minute=0, life=24, **fields):
        signer = self.key(author)
        record = Record(kind, signer.key_id, T0 + minute, life, **fields)
        return encode(sign(record, self.charter.set_id, signer.sign))

    def bulletin(self, author="founder", text="bonjour", minute=0, life=24, **fields):
        return self.sign(author, Kind.BULLETIN, minute, life, packed=text.encode(), **fields)

    def event(self, author="founder", text="bal", minute=0, start=600, length=60, **fields):
        fields.setdefault("life", 0)
        return self.sign(author, Kind.EVENT, minute, packed=text.encode(), detail=Event(T0 + start, length, 4), **fields)

    def retraction(self, target, author="founder", minute=1, life=24):
        return self.sign(author, Kind.RETRACTION, minute, life, target=target[:8])

    def vouch(self, author, subject, rights=WRITER, minute=0, life=10_000):
        detail = Vouch(self.key(subject).public, rights)
        return self.sign(author, Kind.VOUCH, minute, life, packed=subject.encode(), detail=detail)

    def revoke(self, author, subject, since=0, minute=0, life=50_000):
        return self.sign(author, Kind.REVOCATION, minute, life, detail=Revocation(self.key(subject).key_id, T0 + since))

    def renew(self, founder, *members, minute=0, wait=0, secret=b"new"):
        """The encoded records of a new secret (made from a name) for these members."""
        publics = tuple(self.key(name).public for name in members)
        plan = RenewalPlan(secret_of(secret), publics, T0 + minute, T0 + minute + wait)
        seeds = (hashlib.blake2b(secret + bytes([n]), digest_size=32).digest() for n in range(256))
        return [encode(record) for record in renewals(plan, self.charter, self.key(founder), seeds)]


def secret_of(name):
    """32 bytes, always the same for a name."""
    return hashlib.blake2b(name, digest_size=32, person=b"a secret").digest()


def live(village, raws=(), now=NOW, **limits):
    """A set after these records came in one batch; `limits`: other ones, (records, bytes) by category."""
    liveset = LiveSet(village.charter, LIMITS | {Category[name.upper()]: Limit(*size) for name, size in limits.items()})
    take(liveset, raws, now)
    return liveset


def take(liveset, raws, now=NOW):
    """Propose, apply, and the reason per record."""
    change = liveset.propose(raws, now)
    liveset.apply(change)
    return [verdict.reason for verdict in change.verdicts]


def held(liveset, *raws):
    """Which of these are in the set."""
    return [record_id(raw) in liveset for raw in raws]

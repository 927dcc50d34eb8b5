"""The generations of the set's secret: which one to speak, which ones led to it, and what leads others to it.

A founder's renewal begins a generation. The generation to speak is a function of the secrets an island holds, of who may
renew (`node.replica.trust`) and of the minute: of those that are good and have begun, the one made last, and of several
made in one minute the one of the lowest fingerprint. A renewal whose founder is cut before it was made falls, and the
island goes back to the last good one: so the secrets of earlier generations are kept for a while.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from node.model.event import DAY_MIN
from node.model.keys import Charter, SigningKey
from node.model.record import KEY_ID_BYTES, Kind, Record, Renewal, Right
from node.model.renewal import fingerprint_of, secret_in
from node.replica.trust import FOREVER, Trust

LED_MIN = 400 * DAY_MIN  # who was off for a year is still led to the present secret
SWEPT_MIN = LED_MIN + 7 * DAY_MIN  # until then brokers are rid of what led there
MAX_FORMER = 3  # each costs a connection to each broker
MAX_OF_ONE = 3  # of one founder: a stolen key can make one each minute
LEADING_KINDS = {Kind.RENEWAL, Kind.REVOCATION}  # nothing that tells of people or of what they post
FIRST = bytes(KEY_ID_BYTES)  # in the place of a founder: the set began with this secret


@dataclass(frozen=True, slots=True)
class Generation:
    """One secret (32 B) and where it comes from.

    `created` and `since`: the minutes its renewal was made, and from which to speak with it (0: the set began with it);
    `founder`: who made it (key id), or FIRST. `left`: the minute this island went on to another one, None while it has not.
    """

    secret: bytes
    created: int = 0
    since: int = 0
    founder: bytes = FIRST
    left: int | None = None

    def fallen(self, trust: Trust) -> bool:
        """Whether it was made by somebody who was not to make it."""
        return self.founder != FIRST and self.created >= trust.cuts.get(self.founder, FOREVER)


Generations = tuple[Generation, ...]  # the one that is spoken first


class LivingRecords(Protocol):
    """What is needed of the live set."""

    charter: Charter

    @property
    def trust(self) -> Trust:
        """Who may write."""

    def ids(self, as_of: int | None = None) -> Collection[bytes]:
        """Ids of what is live."""

    def raw(self, id_: bytes) -> bytes | None:
        """A record's encoding."""

    def get(self, id_: bytes) -> Record | None:
        """A record."""


def leads(raw: bytes) -> bool:
    """Whether an encoded record is of those that lead from one secret to another."""
    return raw[0] & 15 in LEADING_KINDS


def renewals_in(records: LivingRecords) -> list[tuple[Record, Renewal]]:
    """Every live renewal."""
    found = [record for id_ in records.ids() if (raw := records.raw(id_)) and leads(raw) and (record := records.get(id_))]
    return [(record, record.detail) for record in found if isinstance(record.detail, Renewal)]


def at_minute(known: Generations, records: LivingRecords, key: SigningKey, minute: int) -> Generations:
    """What an island knows, and speaks first, at `minute`, after it `known` so much. `key`: its own.

    The same value when nothing changes. What is in it no more is to be erased. A secret is opened only to be spoken: who
    makes many, or seals nonsense, costs little.
    """
    spoken = _spoken(known, records, key, minute)
    by_print = {fingerprint_of(records.charter.set_id, one.secret): one for one in (*known, spoken)}
    left = [one if one.left is not None else replace(one, left=minute) for one in by_print.values() if one is not spoken]
    lasting = [one for one in left if one.left is not None and minute < one.left + SWEPT_MIN]
    return replace(spoken, left=None), *_newest_of_each(lasting)


def former(known: Generations) -> Generations:
    """Those whose speakers are led to the present one."""
    return known[1:][:MAX_FORMER]


def members(trust: Trust, minute: int) -> dict[bytes, bytes]:
    """Whom to seal for: the key ids and public keys of all that may write, and of nobody else.

    Not for invitations that nobody has used: who leaves may have kept one.
    """
    return {key: standing.public for key, standing in trust.standings.items() if trust.may(key, Right.WRITE, minute)}


def left_behind(known: Generations, records: LivingRecords, minute: int) -> bool:
    """Whether the others speak with a secret by now that this island was not given."""
    here = {fingerprint_of(records.charter.set_id, one.secret): one for one in known}
    spoken = next(_rank(one.created, name) for name, one in here.items() if one is known[0])
    return any(renewal.since <= minute and _rank(record.created, renewal.fingerprint) > spoken
               and renewal.fingerprint not in here for record, renewal in renewals_in(records))


class LeadingRecords:
    """Of the live set what leads to the present secret, for brokers: renewals and revocations; nothing once `over`."""

    def __init__(self, records: LivingRecords, over: bool = False):
        self._records, self._over = records, over

    def ids(self) -> Iterable[bytes]:
        """Their ids."""
        return [id_ for id_ in self._records.ids() if self.raw(id_)]

    def raw(self, id_: bytes) -> bytes | None:
        """The encoding of one of them, else None."""
        raw = self._records.raw(id_)
        return raw if raw and not self._over and leads(raw) else None


def _spoken(known: Generations, records: LivingRecords, key: SigningKey, minute: int) -> Generation:
    """The best of what is known and of what the live renewals bring."""
    set_id = records.charter.set_id
    told: dict[bytes, list[tuple[Record, Renewal]]] = {}
    for record, renewal in sorted(renewals_in(records), key=lambda one: (one[0].created, one[0].author, one[1].since)):
        told.setdefault(renewal.fingerprint, []).append((record, renewal))
    placed = {name: one for name, one in ((fingerprint_of(set_id, one.secret), one) for one in known)}
    placed = {name: _placed(one, told.get(name, []), records.trust) for name, one in placed.items()}
    begun = {name: one for name, one in placed.items() if not one.fallen(records.trust)}
    ranks = {name: _rank(one.created, name) for name, one in begun.items()}
    ranks |= {name: _rank(of[0][0].created, name) for name, of in told.items()
              if name not in placed and of[0][1].since <= minute}
    for name in sorted(ranks, key=lambda name: ranks[name], reverse=True):
        if name in placed:
            return placed[name]
        for record, renewal in told[name]:
            secret = secret_in(renewal, set_id, key)
            if secret is not None:
                return Generation(secret, record.created, renewal.since, record.author)
    return known[0]


def _placed(one: Generation, told: list[tuple[Record, Renewal]], trust: Trust) -> Generation:
    """A known secret, with the earliest that is told of it: who was invited has only a keeper's word for who made it."""
    if told and (told[0][0].created <= one.created or one.fallen(trust)):
        record, renewal = told[0]
        return replace(one, created=record.created, since=renewal.since, founder=record.author)
    return one


def _rank(created: int, fingerprint: bytes) -> tuple[int, bytes]:
    """Of two generations, the one that ranks higher is spoken."""
    return created, bytes(255 - octet for octet in fingerprint)


def _newest_of_each(left: Iterable[Generation]) -> list[Generation]:
    """The last left first, and no more of one founder than MAX_OF_ONE: nobody's many push out another one's."""
    count: Counter[bytes] = Counter()
    kept = []
    for one in sorted(left, key=lambda one: (one.left or 0, one.created, one.secret), reverse=True):
        count[one.founder] += 1
        kept += [one] if count[one.founder] <= MAX_OF_ONE else []
    return kept

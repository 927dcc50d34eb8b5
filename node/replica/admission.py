"""One change to the set, worked out on copies: nothing of the set itself moves until the change is applied.

Cheap checks come first and a signature is checked at most once per record: whoever floods us pays more than we do.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from node.model.errors import RemoteFault
from node.model.event import DAY_MIN
from node.model.keys import Charter, verify
from node.model.record import SIGNATURE_BYTES, Kind, Record, decode, record_id, signing_message
from node.replica.entry import Entry, beats
from node.replica.quarantine import UNBOUNDED, Quarantine
from node.replica.quota import OVER_SHARE, RETRACTED, SUPERSEDED, Category, Limit, Quota
from node.replica.trust import ADMITTED, REVOKED, UNVOUCHED, Trust

KEPT, DUPLICATE, EXPIRED, EARLY, FORGED = ADMITTED, "duplicate", "expired", "early", "signature"
WAITING = {UNVOUCHED, REVOKED, EARLY}  # reasons that may pass: what has one waits (LiveSet._place)
MAX_AHEAD_MIN = DAY_MIN  # a record from further in the future waits until its time is near, unless it takes something back
MAX_FORGED = 4_096


def is_early(kind: int, created: int, minute: int) -> bool:
    """Whether a record is from too far ahead at a minute. A retraction never is: what somebody withdrew is gone at once,
    and stays so when the clock by which it was withdrawn is set back."""
    return created > minute + MAX_AHEAD_MIN and kind != Kind.RETRACTION


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one record: `reason` is "kept", or the slug of why it is not in the set."""

    id: bytes
    reason: str

    @property
    def kept(self) -> bool:
        """Whether it is in the set now."""
        return self.reason == KEPT


@dataclass
class State:
    """What a live set remembers. `faded`: what left it by expiry or for want of a vouch, and may still come back.

    `forged` holds ids whose signature was wrong: that never changes, so they are not checked again.
    """

    charter: Charter
    limits: Mapping[Category, Limit]
    trust: Trust
    quotas: dict[bytes, Quota] = field(default_factory=dict)
    entries: dict[bytes, Entry] = field(default_factory=dict)
    quarantine: Quarantine = field(default_factory=Quarantine)
    faded: Quarantine = field(default_factory=lambda: Quarantine(UNBOUNDED, UNBOUNDED))
    forged: dict[bytes, None] = field(default_factory=dict)

    def proves(self, entry: Entry, trust: Trust) -> bool:
        """Whether its author signed it; checked once. May be asked from any thread."""
        public = trust.public(entry.author)
        if not entry.proven and public is not None:
            message = signing_message(entry.raw[:-SIGNATURE_BYTES], self.charter.set_id)
            entry.proven = verify(public, entry.raw[-SIGNATURE_BYTES:], message)
        return entry.proven

    def remember_forged(self, id_: bytes) -> None:
        """Never look at this id again, or not before many others."""
        self.forged[id_] = None
        while len(self.forged) > MAX_FORGED:
            del self.forged[next(iter(self.forged))]


class Admission:
    """What becomes of some records at one minute. `outcomes` says it by id, once `take` or `expire` is done.

    `stored` records were proven before a restart: their signature is checked when they are first shown or relayed, or when
    they would put out another one. `expired`: those of them that ended meanwhile. Of others, what was decoded is at hand as
    long as the admission is (`record`), so that each is decoded once; a whole store would be too much to hold.
    """

    def __init__(self, state: State, minute: int, stored: bool = False):
        self._state, self._minute, self.stored = state, minute, stored
        self._quotas: dict[bytes, Quota] = {}
        self.trust = state.trust
        self.looked_at: dict[bytes, Entry] = {}
        self.expired: list[Entry] = []
        self._decoded: dict[bytes, Record] = {}
        self.outcomes: dict[bytes, str] = {}

    def take(self, raws: Iterable[bytes]) -> list[Verdict]:
        """What becomes of encoded records, in order."""
        screened = [self._screen(raw) for raw in raws]
        candidates = list(self.looked_at.values())
        credentials = [entry for entry in candidates if entry.about_trust]
        if credentials and self._any_counts(credentials):
            self._settle_credentials(credentials + self._waiting_credentials())
        posts: dict[bytes, list[Entry]] = {}
        for entry in candidates:
            if not entry.about_trust:
                posts.setdefault(entry.author, []).append(entry)
        for author in self._authors_seen_otherwise():
            self._drop_void(self._quota(author).posts(), author)
            posts.setdefault(author, []).extend(self._waiting_posts(author))
        for entries in posts.values():
            self._settle(entries)
        self._name_the_outdone()
        return [Verdict(id_, reason or self.outcomes[id_]) for id_, reason in screened]

    def expire(self, due: Iterable[Entry]) -> None:
        """Take out what ends by now, or is too far ahead since the clock was set back, and what rested on it. Nothing is
        let in."""
        due = list(due)
        for entry in due:
            self._drop_void([entry], entry.author)
        if any(entry.about_trust for entry in due):
            self._settle_credentials([])
            for author in self._authors_seen_otherwise():
                self._drop_void(self._quota(author).posts(), author)

    def drop(self, entry: Entry) -> None:
        """Take out an entry whose signature turned out wrong."""
        self._quota(entry.author).discard(entry.id)
        self.outcomes[entry.id] = FORGED

    def record(self, entry: Entry) -> Record:
        """What an entry of this change says, decoded once."""
        if entry.id not in self._decoded:  # it waited here
            self._decoded[entry.id] = decode(entry.raw)
        return self._decoded[entry.id]

    def quotas(self) -> Iterator[tuple[bytes, Quota, Quota]]:
        """(author, before, after) of every quota it touched."""
        for author, quota in self._quotas.items():
            yield author, self._state.quotas.get(author) or Quota(self._state.limits), quota

    def _name_the_outdone(self) -> None:
        """What was let in may have been put out by another one of the same batch, what did not fit may have come in, and
        what a newer version put out may have been retracted too."""
        for id_, entry in self.looked_at.items():
            if self.outcomes[id_] not in {KEPT, OVER_SHARE, SUPERSEDED}:
                continue
            quota = self._quota(entry.author)
            otherwise = SUPERSEDED if self.outcomes[id_] == SUPERSEDED else OVER_SHARE
            self.outcomes[id_] = KEPT if id_ in quota.entries else quota.outdone(entry) or otherwise

    def _screen(self, raw: bytes) -> tuple[bytes, str]:
        """(id, why it is refused unseen), or (id, "") and it is looked at."""
        id_ = record_id(raw)
        if id_ in self._state.entries or id_ in self.looked_at:
            return id_, DUPLICATE
        if id_ in self._state.forged:
            return id_, FORGED
        try:
            entry = self._state.quarantine.get(id_) or self._state.faded.get(id_) or self._read(raw, id_)
        except RemoteFault as fault:
            return id_, fault.reason
        if entry.expires <= self._minute:
            self.expired += [entry] if self.stored else []
            return id_, EXPIRED
        self.looked_at[id_] = entry
        return id_, ""

    def _read(self, raw: bytes, id_: bytes) -> Entry:
        record = decode(raw)
        if not self.stored:
            self._decoded[id_] = record
        return Entry.of(record, raw, id_)

    def _quota(self, author: bytes) -> Quota:
        """This admission's own copy."""
        if author not in self._quotas:
            quota = self._state.quotas.get(author)
            self._quotas[author] = quota.copy() if quota else Quota(self._state.limits)
        return self._quotas[author]

    def _held_credentials(self) -> list[Entry]:
        quotas = self._state.quotas | self._quotas
        return [credential for quota in quotas.values() for credential in quota.credentials()]

    def _waiting_credentials(self) -> list[Entry]:
        return [entry for entry in (*self._state.quarantine, *self._state.faded)
                if entry.about_trust and self._may_come(entry)]

    def _waiting_posts(self, author: bytes) -> list[Entry]:
        return [entry for entry in (*self._state.quarantine.of(author), *self._state.faded.of(author))
                if not entry.about_trust and self._may_come(entry)]

    def _may_come(self, entry: Entry) -> bool:
        return entry.expires > self._minute and entry.id not in self.looked_at

    def _authors_seen_otherwise(self) -> list[bytes]:
        """Authors of whom the vouches and revocations held now say something else than before."""
        before, after = self._state.trust, self.trust
        if before is after:
            return []
        known = dict.fromkeys((*self._state.quotas, *self._state.quarantine.authors(), *self._state.faded.authors()))
        return [author for author in known if before.view(author) != after.view(author)]

    def _any_counts(self, credentials: list[Entry]) -> bool:
        """Let in what counts as things stand, revocations first; strangers' vouches, of which there may be many, do not."""
        revocations = [each for each in credentials if each.kind is Kind.REVOCATION]
        return self._settle(revocations) or self._settle([each for each in credentials if each.kind is Kind.VOUCH])

    def _settle_credentials(self, candidates: list[Entry]) -> None:
        """Let vouches and revocations in until nothing moves: each may admit the author of another, or void it."""
        for credential in self._held_credentials():
            if credential.expires <= self._minute:
                self._drop_void([credential], credential.author)
        while True:
            self.trust = Trust(self._state.charter, self._held_credentials())
            candidates = [credential for credential in candidates if self.outcomes.get(credential.id, UNVOUCHED) in WAITING]
            if self._settle(candidates):
                continue
            dropped = any([self._drop_void([credential], credential.author) for credential in self._held_credentials()])
            if not dropped and not self._refill_credentials():
                return

    def _refill_credentials(self) -> bool:
        """Let in what was passed over and has room now; whether there was any."""
        passed = [author for author, quota in (self._state.quotas | self._quotas).items() if quota.returning()]
        return any([self._quota(author).refill_credentials(self._belongs) for author in passed])

    def _drop_void(self, entries: Iterable[Entry], author: bytes) -> bool:
        """Take out those of an author's entries that do not belong any more; whether there were any."""
        reasons = {entry.id: self._void(entry) for entry in entries}
        void = {id_: reason for id_, reason in reasons.items() if reason}
        for id_ in void:
            self._quota(author).discard(id_)
        self.outcomes |= void
        return bool(void)

    def _void(self, entry: Entry) -> str:
        """Why an entry of the set does not belong there any more, or ""."""
        if entry.expires <= self._minute:
            return EXPIRED
        if is_early(entry.kind, entry.created, self._minute):
            return EARLY
        reason, _ = self.trust.weigh(entry)
        return "" if reason == ADMITTED else reason

    def _settle(self, entries: list[Entry]) -> bool:
        """Let in those that belong, the highest rank first; whether any did."""
        for entry in sorted(entries, key=lambda entry: entry.rank, reverse=True):
            self.looked_at[entry.id] = entry
            self.outcomes[entry.id] = self._try(entry)
        return any(self.outcomes[entry.id] == KEPT for entry in entries)

    def _try(self, entry: Entry) -> str:
        if is_early(entry.kind, entry.created, self._minute):
            return EARLY
        reason, until = self.trust.weigh(entry)
        if reason != ADMITTED or until <= self._minute:
            return UNVOUCHED if reason == ADMITTED else reason
        quota = self._quota(entry.author)
        for rival in quota.rivals(entry):
            if not self._state.proves(rival, self.trust):
                self.drop(rival)
        return quota.outdone(entry) or self._let_in(entry, quota)

    def _let_in(self, entry: Entry, quota: Quota) -> str:
        later = self.stored and not entry.about_trust and not quota.contested(entry)
        if not later and not self._state.proves(entry, self.trust):
            self._state.remember_forged(entry.id)
            return FORGED
        reason = quota.add(entry, self._belongs)
        if not reason and entry.kind is Kind.RETRACTION:
            self._let_none_come_back(entry)
        return reason or KEPT

    def _belongs(self, entry: Entry) -> bool:
        return not self._void(entry)

    def _let_none_come_back(self, retraction: Entry) -> None:
        """What it takes back may have ended or waited here: it goes from the card now, not to the archive in a day."""
        for entry in (*self._state.faded.of(retraction.author), *self._state.quarantine.of(retraction.author)):
            if entry.root == retraction.root and beats(retraction, entry):
                self.looked_at[entry.id] = entry
                self.outcomes[entry.id] = RETRACTED

    def is_taken_back(self, entry: Entry) -> bool:
        """Whether a retraction that is in the set after this ends it."""
        return self._quota(entry.author).outdone(entry) == RETRACTED

"""The records of the set in memory, and what belongs to it: a deterministic function of the records held.

The rules are in `node.replica.trust` (who may write), `node.replica.quota` (which versions stand, how much of one author
fits) and `node.replica.admission` (in which order they apply); docs/protocol.md states them for other implementations.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from node.model.clock import MAX_MINUTE, minute_of
from node.model.errors import LocalMisuse, RemoteFault
from node.model.keys import Charter
from node.model.record import CORRECTABLE, TARGET_BYTES, Kind, Record, decode
from node.replica.admission import EXPIRED, KEPT, WAITING, Admission, State, Verdict, is_early
from node.replica.entry import Entry
from node.replica.quota import LIMITS, Category, Limit, Quota, Share
from node.replica.trust import ADMITTED, Trust
from node.replica.witnesses import ranked

MAX_CHECKS = 8  # signatures in one look at what is dated ahead: strangers may have sent a thousand such records
POST_KINDS = {*CORRECTABLE, Kind.REPLY}
FADING = {EXPIRED, *WAITING}  # reasons that may pass


@dataclass(frozen=True)
class Change:
    """What happens to the set: entries that enter, ids that leave, and a verdict per record proposed, in order.

    `deleted` ids are withdrawn, revoked, forged or over a quota: their rows go at once. What is `removed` and not `deleted`
    only faded: its row stays until its end is certainly past, as a clock set right or a late vouch brings it back.
    """

    added: list[Entry] = field(default_factory=list)
    removed: list[bytes] = field(default_factory=list)
    deleted: list[bytes] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    admission: Admission | None = field(default=None, repr=False)
    revision: int = 0

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.deleted)

    def record(self, entry: Entry) -> Record:
        """What one of the entries that enter says."""
        return self.admission.record(entry) if self.admission else decode(entry.raw)


class LiveSet:
    """The live records of one set. Reading is safe from any thread; only one thread may propose, apply and expire."""

    def __init__(self, charter: Charter, limits: Mapping[Category, Limit] = LIMITS):
        self.charter = charter
        self.revision = 0  # grows with every change
        self._state = State(charter, limits, Trust(charter))
        self._about: dict[bytes, tuple[bytes, ...]] = {}
        self._foreign: dict[bytes, tuple[Entry, ...]] = {}  # records of foreign events, by key
        self._ranked: tuple[int, dict[bytes, tuple[Entry, ...]]] = (-1, {})
        self._ends: list[tuple[int, bytes]] = []  # a heap; ids that left earlier stay in it until their minute
        self._next_end = MAX_MINUTE
        self._newest = 0  # nothing in it was created later; what left it may have been
        self._broken: set[bytes] = set()
        self._fresh: dict[bytes, Record] = {}  # what the last change added, decoded already: engines are about to ask

    def __len__(self) -> int:
        return len(self._state.entries)

    def __contains__(self, id_: bytes) -> bool:
        return id_ in self._state.entries

    @property
    def trust(self) -> Trust:
        """Who may write, as of the last change."""
        return self._state.trust

    @property
    def limits(self) -> Mapping[Category, Limit]:
        """How much of one author fits."""
        return self._state.limits

    @property
    def deadline(self) -> int | None:
        """The minute by which to call `expire`, or None while there is nothing."""
        return self._next_end if self._ends else None

    def get(self, id_: bytes) -> Record | None:
        """The record with this id if it is in the set and its signature is right, else None."""
        raw = self.raw(id_)
        return None if raw is None else self._fresh.get(id_) or decode(raw)

    def encoding(self, id_: bytes) -> bytes | None:
        """What is in the set under this id, its signature checked or not; None if nothing is."""
        entry = self._state.entries.get(id_)
        return entry.raw if entry else None

    def raw(self, id_: bytes) -> bytes | None:
        """Its encoding, if its signature is right, or None."""
        entry = self._state.entries.get(id_)
        if entry is None:
            return None
        if self._state.proves(entry, self._state.trust):
            return entry.raw
        self._broken.add(id_)  # somebody wrote to the card; `expire` takes it out
        return None

    def ids(self, as_of: int | None = None) -> Collection[bytes]:
        """Ids of what is live now, or of what will still be at minute `as_of`."""
        if as_of is None or as_of < self._next_end:
            return list(self._state.entries)
        live = [entry for entry in list(self._state.entries.values()) if entry.expires > as_of]
        if as_of >= self._state.trust.next_end:  # somebody's right ends before that
            live = [entry for entry in live if self._state.trust.weigh(entry)[1] > as_of]
        return [entry.id for entry in live]

    def about(self, root: bytes) -> tuple[bytes, ...]:
        """Ids of what is live and belongs to the item whose first version's id begins with `root` (8 B)."""
        return self._about.get(root, ())

    def roots(self) -> list[bytes]:
        """The first 8 bytes of the ids under which what is live was first published, or would have been."""
        return list(self._about)

    def known_roots(self) -> set[bytes]:
        """Roots (8 B) of every version that is live or may come to be, retractions aside."""
        state = self._state
        passed_over = [entry for quota in list(state.quotas.values()) for entry in quota.passed_over()]
        known = (*list(state.entries.values()), *state.faded, *state.quarantine, *passed_over)
        return {entry.root for entry in known if entry.kind is not Kind.RETRACTION}

    def witnesses(self, key: bytes) -> tuple[Entry, ...]:
        """What counts of the records of a foreign event, one an author; the first one speaks (`node.replica.witnesses`)."""
        revision, found = self._ranked
        if revision != self.revision:
            revision = self.revision
            found = ranked({one: entries for one, entries in list(self._foreign.items()) if len(entries) > 1})
            self._ranked = revision, found
        return found.get(key) or self._foreign.get(key, ())

    def version(self, root: bytes) -> bytes | None:
        """The id of the one record to show for the item first published under `root`, None if there is none.

        That is the first version while it is live: what else claims to correct it then is forged, or ends too early. Once
        its author's correction has taken its place, it is that one.
        """
        versions = [self._state.entries.get(id_) for id_ in self.about(root)]
        shown = [entry for entry in versions if entry and entry.kind in CORRECTABLE]
        first = min(shown, key=lambda entry: (entry.id[:TARGET_BYTES] != root, entry.created, entry.id), default=None)
        return first.id if first else None

    def standing(self, roots: Iterable[bytes]) -> dict[bytes, bytes]:
        """By root, the id of the one record to show of each that is live: `version`, or a reply, which has no versions."""
        found = {root: self.version(root) for root in roots}
        lacking = {root for root, id_ in found.items() if id_ is None}
        replies = {entry.root: entry.id for entry in self.posts() if entry.root in lacking} if lacking else {}
        return {root: shown for root, id_ in found.items() if (shown := id_ or replies.get(root))}

    def read(self, raw: bytes) -> Record | None:
        """The record if its author may sign it and did, live or long expired; None for anything else."""
        record, trust = self.claimed(raw), self._state.trust
        return record if record and self._state.proves(Entry.of(record, raw), trust) else None

    def claimed(self, raw: bytes) -> Record | None:
        """The record if its author may sign it; whether it did is not checked, which takes a hundred times as long."""
        try:
            record = decode(raw)
        except RemoteFault:
            return None
        return record if self._state.trust.weigh(Entry.of(record, raw))[0] == ADMITTED else None

    def retractions(self) -> list[Entry]:
        """Those in the set; whether they are signed well, only `get` tells."""
        return [entry for entry in list(self._state.entries.values()) if entry.kind is Kind.RETRACTION]

    def has_room(self, author: bytes, record_bytes: int, records: int = 1) -> bool:
        """Whether more posts of an author, of so many bytes together, would push out none of its older ones."""
        quota = self._state.quotas.get(author)
        return quota is None or quota.has_room(record_bytes, records)

    def share(self, author: bytes) -> Share:
        """How much of its share of the set an author's posts take."""
        return (self._state.quotas.get(author) or Quota(self._state.limits)).share()

    def used(self, author: bytes, category: Category) -> Limit:
        """How much of an author's quota is used."""
        quota = self._state.quotas.get(author)
        return quota.used(category) if quota else Limit(0, 0)

    def posts(self) -> list[Entry]:
        """The entries of all bulletins, events and replies that are live."""
        return [entry for entry in list(self._state.entries.values()) if entry.kind in POST_KINDS]

    def has_faded(self, id_: bytes) -> bool:
        """Whether it left the set and may come back, as what has ended does for a while."""
        return id_ in self._state.faded

    def fading(self) -> list[bytes]:
        """Ids that left the set but may come back; their rows stay until `forget`."""
        return [entry.id for entry in self._state.faded]

    def load(self, raws: Iterable[bytes], now: float) -> Change:
        """Take what the store holds, at the start. Signatures of posts are checked when they are first read."""
        admission = Admission(self._state, minute_of(now), stored=True)
        change = self._change(admission, admission.take(raws))
        self.apply(change)
        for entry in admission.expired:
            if not admission.is_taken_back(entry):
                self._state.faded.put(entry)
        return change

    def propose(self, raws: Iterable[bytes], now: float) -> Change:
        """Say what these encoded records would change; nothing changes before `apply`."""
        admission = Admission(self._state, minute_of(now))
        return self._change(admission, admission.take(raws))

    def apply(self, change: Change) -> None:
        """Carry out a change, once the store has committed it. Raises LocalMisuse if another one came between."""
        admission = change.admission
        if admission is None or change.revision != self.revision:
            raise LocalMisuse("this change was not proposed on the set as it is")
        self._state.trust = admission.trust
        for author, _, quota in admission.quotas():
            self._state.quotas[author] = quota
        for id_ in change.removed:
            self._take_out(id_, admission.outcomes.get(id_))
        for entry in change.added:
            self._put_in(entry)
        for entry in admission.looked_at.values():
            self._place(entry, admission)
        self._fresh = {} if admission.stored else {entry.id: change.record(entry) for entry in change.added}
        self._next_end = self._ends[0][0] if self._ends else MAX_MINUTE
        self.revision += bool(change)

    def expire(self, now: float) -> Change:
        """Hide at once what ends by now, what lost its author's right, and what waits again since the clock was set back;
        `removed` and `deleted` name it for the store."""
        minute = minute_of(now)
        early = self._early(minute)
        if minute < self._next_end and not self._broken and not early:
            return Change()
        admission = Admission(self._state, minute)
        for id_ in list(self._broken):
            if id_ in self._state.entries:
                admission.drop(self._state.entries[id_])
            self._broken.discard(id_)
        admission.expire([*self._due(minute), *early])
        change = self._change(admission, [])
        self.apply(change)
        return change

    def waiting(self, now: float) -> list[bytes]:
        """Encodings of what waited and may enter now (its time has come, there is room, ...): `propose` them."""
        minute = minute_of(now)
        passed_over = [entry for quota in self._state.quotas.values() for entry in quota.returning()]
        return [entry.raw for entry in (*self._state.quarantine, *self._state.faded, *passed_over)
                if entry.expires > minute and not is_early(entry.kind, entry.created, minute)
                and self._state.trust.weigh(entry)[0] == ADMITTED]

    def dated_ahead(self, now: float) -> dict[bytes, int]:
        """The newest minute of those records of an admitted author that came since the start and are too far ahead to
        enter, by author: each says, signed, that it is that minute at least. At most 8 signatures are checked at a time."""
        minute = minute_of(now)
        ahead = sorted((entry for entry in self._state.quarantine if is_early(entry.kind, entry.created, minute)
                        and self._state.trust.weigh(entry)[0] == ADMITTED), key=lambda entry: entry.created, reverse=True)
        found: dict[bytes, int] = {}
        checks = MAX_CHECKS
        for entry in ahead:
            checks -= not entry.proven
            if entry.author in found or checks < 0:
                continue
            if self._state.proves(entry, self._state.trust):
                found[entry.author] = entry.created
            else:
                self._state.remember_forged(entry.id)
                self._state.quarantine.discard(entry.id)
        return found

    def forget(self, ids: Iterable[bytes]) -> None:
        """Stop waiting for what faded."""
        for id_ in ids:
            self._state.faded.discard(id_)

    def _change(self, admission: Admission, verdicts: list[Verdict]) -> Change:
        added: list[Entry] = []
        removed: list[bytes] = []
        for _, before, after in admission.quotas():
            added += [entry for entry in after.entries.values() if entry.id not in before.entries]
            removed += [id_ for id_ in before.entries if id_ not in after.entries]
        left = [id_ for id_ in (*removed, *admission.looked_at) if id_ in self._state.entries or id_ in self._state.faded]
        deleted = [id_ for id_ in left if admission.outcomes.get(id_) not in FADING | {KEPT}]
        return Change(added, removed, deleted, verdicts, admission, self.revision)

    def _due(self, minute: int) -> list[Entry]:
        due = []
        while self._ends and self._ends[0][0] <= minute:
            entry = self._state.entries.get(heappop(self._ends)[1])
            due += [entry] if entry else []
        return due

    def _early(self, minute: int) -> list[Entry]:
        """What came while the clock was ahead of `minute` by more than a day."""
        if not is_early(Kind.BULLETIN, self._newest, minute):
            return []
        early = [entry for entry in self._state.entries.values() if is_early(entry.kind, entry.created, minute)]
        gone = {entry.id for entry in early}
        self._newest = max((entry.created for entry in self._state.entries.values()
                            if entry.id not in gone and entry.kind is not Kind.RETRACTION), default=0)
        return early

    def _put_in(self, entry: Entry) -> None:
        self._state.entries[entry.id] = entry
        if entry.kind is not Kind.RETRACTION:
            self._newest = max(self._newest, entry.created)
        if entry.about:
            self._about[entry.about] = (*self.about(entry.about), entry.id)
        if entry.told.key:
            self._foreign[entry.told.key] = (*self._foreign.get(entry.told.key, ()), entry)
        heappush(self._ends, (entry.expires, entry.id))

    def _take_out(self, id_: bytes, outcome: str | None) -> None:
        entry = self._state.entries.pop(id_)
        others = tuple(other for other in self._about.pop(entry.about, ()) if other != id_)
        if others:
            self._about[entry.about] = others
        if left := tuple(one for one in self._foreign.get(entry.told.key, ()) if one.id != id_):
            self._foreign[entry.told.key] = left
        else:
            self._foreign.pop(entry.told.key, None)
        if outcome in FADING:
            self._state.faded.put(entry)

    def _place(self, entry: Entry, admission: Admission) -> None:
        """Where what was proposed stays now: the set, the quarantine, among what faded, or nowhere."""
        outcome = admission.outcomes[entry.id]
        if outcome not in WAITING:
            self._state.quarantine.discard(entry.id)
            self._state.faded.discard(entry.id)
        elif entry.id not in self._state.faded:
            (self._state.faded if admission.stored else self._state.quarantine).put(entry)

"""An island's bulk: where records are loaded and unloaded in bulk, whatever carries them (bundle, stick, network)."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import NamedTuple, Protocol

from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.model.keys import key_id
from node.model.record import TRUST_KINDS, Kind, Record, encode, record_id
from node.replica.admission import Verdict
from node.replica.generations import leads
from node.replica.liveset import LiveSet
from node.transfer.bundle import Bundle, Header, write
from node.transfer.invitation import chain_of
from node.transfer.recent import Recent

BATCH = 200  # records that share a commit
MAX_FORGED = 1_000  # of one bundle: whoever made it means harm
MAX_ISLANDS = 64
MAX_DECLINED, DECLINED_MIN = 8_192, 60
MAX_NEW_NAMED = 50
KEPT, KNOWN, FORGED = "kept", "duplicate", "signature"
ENDINGS = {Kind.RETRACTION, Kind.CANCELLATION}
NOTE = "bundles"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which records to load: about one topic (None for all), created since a minute. Trust and endings come always."""

    topic: int | None = None
    since: int = 0


ALL = Choice()


@dataclass
class Landed:
    """What a bundle brought: how many `new` records of each kind, the ids of the first of them, how many were `known`.

    `refused` counts the rest by reason (slugs of `node.replica.admission`), `faults` what was not good in the file itself.
    """

    header: Header | None = None
    new: Counter[int] = field(default_factory=Counter)
    new_ids: list[bytes] = field(default_factory=list)
    known: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def count(self, raw: bytes, reason: str) -> None:
        """One record more, and what became of it."""
        if reason == KEPT:
            self.new[raw[0] & 15] += 1
            self.new_ids += [record_id(raw)] if len(self.new_ids) < MAX_NEW_NAMED else []
        elif reason == KNOWN:
            self.known += 1
        else:
            self.refused[reason] += 1

    @property
    def total(self) -> int:
        """How many records were looked at."""
        return self.new.total() + self.known + self.refused.total()


class BulkPort(Protocol):
    """An island as seen by who carries records: in this process, or over its socket (`node.daemon.bulk_client`)."""

    def label(self) -> Header:
        """What a bundle made here and now says of itself."""

    def ids(self, choice: Choice = ALL) -> list[bytes]:
        """Ids of live records, in the order to load them: what others rest on first, then urgent, then the newest."""

    def load(self, ids: Collection[bytes]) -> list[bytes]:
        """Their encodings; ids that are gone meanwhile are left out."""

    def unload(self, raws: list[bytes], via: str) -> list[str]:
        """Keep them in one commit: "kept" or why not, for each, once durable; raises StoreFailed."""

    def remember(self, header: Header) -> None:
        """A bundle of that island was taken in here."""

    def tell(self, stage: str, new: int = 0, problem: str = "") -> None:
        """What goes on with a stick, for all to see: `stage` "working" or "done", `problem` of `node.daemon.usb`."""


class Notes(Protocol):
    """Named values that last (`node.store.journalstore`)."""

    def note(self, name: str) -> object:
        """The value kept under a name, or None."""

    def set_note(self, name: str, value: object) -> None:
        """Keep it; raises StoreFailed."""


class LastTaken(NamedTuple):
    """The last bundle of an island, as noted: the minutes it was made and taken in, the island's name."""

    made: int
    taken: int
    name: str


@dataclass(frozen=True, slots=True)
class IslandLabel:
    """Who loads here, for all to read on what it loads: the key id it signs with (8 B), and what it is called."""

    key_id: bytes
    name: str


@dataclass(frozen=True, slots=True)
class StickProgress:
    """What was last told of a stick (`BulkPort.tell`), and in which minute."""

    minute: int
    stage: str
    new: int
    problem: str


class LocalBulkPort:
    """The bulk of an island in this process. `take_in(raws, via)` keeps records, as `Runner.take_in`; `now()`: seconds.

    Safe from any thread but the runner's.
    """

    def __init__(self, liveset: LiveSet, store: Notes, island: IslandLabel, now: Callable[[], float],
                 take_in: Callable[[list[bytes], str], list[Verdict]]):
        self._liveset, self._store, self._now, self._take_in = liveset, store, now, take_in
        self._island = island
        self.stick: StickProgress | None = None
        self._declined = Recent(MAX_DECLINED)  # cut ids, and the minute they were refused
        self._ordered: tuple[int, list[bytes]] = (-1, [])  # a revision, all ids as of it: replaced as a whole
        self._remembering = Lock()

    def label(self) -> Header:
        """See BulkPort."""
        return Header(self._liveset.charter.set_id, self._island.key_id, minute_of(self._now()), self._island.name)

    def ids(self, choice: Choice = ALL) -> list[bytes]:
        """See BulkPort."""
        minute = minute_of(self._now())
        found = [(id_, record) for id_ in self._liveset.ids(minute) if (record := self._liveset.get(id_))]
        about = {named for id_, record in found if choice.topic in (None, record.topic)
                 for named in (_about(id_, record), id_[:8])}  # a version too: what confirms it names that one
        chosen = [(_rank(record), id_) for id_, record in found
                  if _always(record) or (record.created >= choice.since and _about(id_, record) in about)]
        return [id_ for _, id_ in sorted(chosen)]

    def load(self, ids: Collection[bytes]) -> list[bytes]:
        """See BulkPort."""
        return [raw for id_ in ids if (raw := self._liveset.raw(id_)) is not None]

    def with_papers(self, ids: Iterable[bytes]) -> list[list[bytes]]:
        """The encodings of these records, and before the first of each author the vouches by which it may write: a list
        for each record that is still there, with its cancellation if it has one."""
        vouches = [record for id_ in self._kind(Kind.VOUCH, self._liveset.ids()) if (record := self._liveset.get(id_))]
        founders, given, groups = {key_id(public) for public in self._liveset.charter.founders}, set[bytes](), []
        for id_ in ids:
            record = self._liveset.get(id_)
            if record is None:
                continue
            chain = [] if record.author in given else chain_of(record.author, vouches, founders)
            endings = self._kind(Kind.CANCELLATION, self._liveset.about(_about(id_, record)))
            groups.append([*map(encode, reversed(chain)), *self.load([id_, *endings])])
            given.add(record.author)
        return groups

    def _kind(self, kind: Kind, ids: Iterable[bytes]) -> list[bytes]:
        """Those of these ids that name live records of a kind; nothing is decoded, no signature is checked."""
        return [id_ for id_ in ids if (raw := self._liveset.encoding(id_)) and raw[0] & 15 == kind]

    def unload(self, raws: list[bytes], via: str) -> list[str]:
        """See BulkPort."""
        verdicts, now = self._take_in(raws, via), minute_of(self._now())
        for verdict in verdicts:
            if verdict.reason not in (KEPT, KNOWN):
                self._declined.add(verdict.id[:8], now)
        return [verdict.reason for verdict in verdicts]

    def declined(self) -> frozenset[bytes]:
        """Cut ids (8 B) of what was refused here within the hour: not to be sent again yet; a clock set back forgets."""
        now = minute_of(self._now())
        return frozenset(short for short, at in self._declined.items() if at <= now < at + DECLINED_MIN)

    def unwanted(self) -> frozenset[bytes]:
        """Cut ids (8 B) of what is not to be asked for, whoever has it."""
        return self.declined()

    def ordered(self) -> list[bytes]:
        """All ids as `ids` gives them, at hand as long as nothing changes."""
        revision, (ordered_at, ids) = self.revision, self._ordered
        if ordered_at != revision:
            ids = self.ids()
            self._ordered = revision, ids
        return ids

    def shorts(self) -> set[bytes]:
        """Cut ids (8 B) of what is live: cheaper, as nothing is read or put in order."""
        return {id_[:8] for id_ in self._liveset.ids(minute_of(self._now()))}

    @property
    def revision(self) -> int:
        """Grows with every change of the set."""
        return self._liveset.revision

    def remember(self, header: Header) -> None:
        """See BulkPort. Only islands that the set has let in are remembered; nothing proves that the bundle was theirs."""
        if self._liveset.trust.public(header.island) is None:
            return
        now = minute_of(self._now())
        with self._remembering:
            seen = {key: last for key, last in self._noted().items() if key != header.island.hex()}
            seen[header.island.hex()] = LastTaken(min(header.made, now), now, header.name)
            newest = sorted(seen.items(), key=lambda item: item[1].taken)[-MAX_ISLANDS:]
            self._store.set_note(NOTE, dict(newest))

    def tell(self, stage: str, new: int = 0, problem: str = "") -> None:
        """See BulkPort."""
        self.stick = StickProgress(minute_of(self._now()), stage, new, problem)

    def remembered(self) -> list[tuple[Header, int]]:
        """The last bundle of each island, and the minute it was taken in; the latest first."""
        set_id = self._liveset.charter.set_id
        seen = [(Header(set_id, bytes.fromhex(key), last.made, last.name), last.taken)
                for key, last in self._noted().items()]
        return sorted(seen, key=lambda item: item[1], reverse=True)

    def _noted(self) -> dict[str, LastTaken]:
        """By island, its key id in hex."""
        noted = self._store.note(NOTE)
        return {key: LastTaken(*last) for key, last in noted.items()} if isinstance(noted, dict) else {}


class LeadingBulk:
    """Of an island's bulk what it gives to those who speak with an earlier secret of the set: what leads to the present
    one. What they give is taken in; what they have and is here already is not asked for, and they do not learn that."""

    def __init__(self, bulk: LocalBulkPort):
        self._bulk = bulk
        self.unload, self.load = bulk.unload, bulk.load

    def ordered(self) -> list[bytes]:
        """Ids of what leads, in the order to load them."""
        return [id_ for id_ in self._bulk.ordered() if any(leads(raw) for raw in self._bulk.load([id_]))]

    def shorts(self) -> set[bytes]:
        """The same cut to 8 B."""
        return {id_[:8] for id_ in self.ordered()}

    def declined(self) -> frozenset[bytes]:
        """None that they may know of."""
        return frozenset()

    def unwanted(self) -> frozenset[bytes]:
        """See LocalBulkPort: what is here, too."""
        return self._bulk.unwanted() | self._bulk.shorts()


def load_bundle(bulk: BulkPort, choice: Choice = ALL) -> Iterator[bytes]:
    """A bundle of an island's live records, a piece at a time."""
    ids = bulk.ids(choice)
    batches = (bulk.load(ids[at:at + BATCH]) for at in range(0, len(ids), BATCH))
    return write(bulk.label(), (raw for batch in batches for raw in batch))


def unload_bundle(bulk: BulkPort, blocks: Iterable[bytes], via: str = "bundle",
                  progress: Callable[[Landed], None] = lambda landed: None) -> Landed:
    """Take in what is good of a bundle, a batch at a time; `progress` hears of each.

    Raises RemoteFault for what is no bundle, of a later version ("bundle-version") or another set ("other-set"), and
    StoreFailed when the card keeps no more: what came before is kept.
    """
    bundle, label = Bundle(blocks), bulk.label()
    landed = Landed(bundle.header, faults=bundle.faults)
    if bundle.header and bundle.header.set_id != label.set_id:
        raise RemoteFault("other-set")
    records = iter(bundle)
    while batch := list(islice(records, BATCH)):
        for raw, reason in zip(batch, bulk.unload(batch, via), strict=True):
            landed.count(raw, reason)
        progress(landed)
        if landed.refused[FORGED] >= MAX_FORGED:
            landed.faults["too-many-forged"] += 1
            break
    if bundle.header and bundle.header.island != label.island and landed.new.total() + landed.known:
        bulk.remember(bundle.header)
    return landed


def _about(id_: bytes, record: Record) -> bytes:
    return record.target or id_[:8]


def _always(record: Record) -> bool:
    return record.kind in TRUST_KINDS or record.kind in ENDINGS


def _rank(record: Record) -> tuple[int, int]:
    """What others rest on first (founders' vouches are the oldest), then urgent, then the newest."""
    if record.kind in TRUST_KINDS:
        return 0, record.created
    return (1 if record.urgent else 2), -record.created

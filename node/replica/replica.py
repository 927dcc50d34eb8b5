"""An island: the live set, a store and engines put together. The runner and the simulations drive the same object.

Every record an engine wants kept is proposed, committed and applied before any packet goes out: nothing is sent that was
not first kept. Engines get every event but `RecordPosted` and `Imported`, which reach them as `RecordKept`; they ignore
links that are not theirs.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Protocol

from node.model.clock import minute_of, seconds_of
from node.model.record import Kind, Record, record_id
from node.replica.admission import Verdict
from node.replica.liveset import Change, LiveSet
from node.store.index import Row, StoreFailed
from node.sync.events import (
    Action,
    Drop,
    Event,
    Imported,
    Keep,
    RecordKept,
    RecordPosted,
    RecordRefused,
    RecordsGone,
    Send,
    Tick,
)

FROM_QUARANTINE = "quarantine"  # the `via` of what waited here for its author's vouch
AGENDA = "agenda"  # the `via` of what this island took over from another program's agenda
FROM_ARCHIVE = "archive"  # the `via` of what was archived here by a clock that was wrong
CLEARING = "clearing"  # the `via` of retractions of what keepers withdrew in bulk
OWN = {"post", "credentials", AGENDA, CLEARING, FROM_QUARANTINE, FROM_ARCHIVE}


class Store(Protocol):
    """What an island needs of a store (`node.store.memory`, `node.store.journalstore`)."""

    def commit(self, put: Iterable[Row] = (), delete: Iterable[bytes] = ()) -> None:
        """Return when durable, or raise StoreFailed."""

    def get(self, id_: bytes) -> Row | None:
        """The row with this id, or None."""

    def rows(self) -> Iterable[Row]:
        """Every row kept."""


class Engine(Protocol):
    """What to send on some kind of link (`node.sync`)."""

    @property
    def deadline(self) -> float | None:
        """The moment (seconds) by which it wants a Tick, or None."""

    def handle(self, event: Event, now: float) -> Iterable[Action]:
        """React to one event."""


class Replica:
    """One island. `handle` and `handle_all` return the packets to send; `deadline` says when to call with a Tick."""

    def __init__(self, liveset: LiveSet, store: Store, engines: Collection[Engine]):
        self.liveset, self.store, self.engines = liveset, store, engines
        self.counters: Counter[str] = Counter()
        self.heard_at: float | None = None  # when a record last came from somewhere else
        self.withdrawn = 0  # rows deleted and retractions kept since the start: what they name may still be on the card
        self._minute = -1

    @property
    def deadline(self) -> float | None:
        """The moment (seconds) by which to call with a Tick, or None."""
        moments = [engine.deadline for engine in self.engines if engine.deadline is not None]
        if self.liveset.deadline is not None:
            moments.append(float(seconds_of(self.liveset.deadline)))
        return min(moments, default=None)

    def load(self, now: float) -> None:
        """After a start: take what the store holds. Rows that somebody damaged or forged are deleted, others stay there."""
        self.liveset.load([row.raw for row in self.store.rows() if record_id(row.raw) == row.id], now)
        self._try_to_delete(self._strays())

    def delete_strays(self) -> None:
        """Delete what left the set while the card took no writes; raises StoreFailed."""
        self._delete(self._strays())

    def _strays(self) -> list[bytes]:
        """Ids of rows that do not belong to the set, and will not come back."""
        known = {*self.liveset.ids(), *self.liveset.fading()}
        return [row.id for row in self.store.rows() if row.id not in known]

    def handle(self, event: Event, now: float) -> list[Send]:
        """React to one event; see `handle_all`."""
        return self.handle_all([event], now)

    def handle_all(self, events: Iterable[Event], now: float) -> list[Send]:
        """React to events that came together: their records share one commit. A StoreFailed is counted, not raised."""
        actions = self._pass_time(now)
        for event in events:
            actions += self._react(event, now)
        return self._carry_out(actions, now)

    def publish(self, raws: Iterable[bytes], now: float) -> tuple[list[Verdict], list[Send]]:
        """Keep records made here, in one commit; raises StoreFailed, and then nothing changed."""
        return self._keep_now([Keep(raw, "post") for raw in raws], now)

    def take_in(self, raws: Iterable[bytes], via: str, now: float) -> tuple[list[Verdict], list[Send]]:
        """Keep records that came in bulk by `via`, in one commit; raises StoreFailed, and then nothing changed."""
        return self._keep_now([Keep(raw, via, bulk=True) for raw in raws], now)

    def _keep_now(self, keeps: list[Keep], now: float) -> tuple[list[Verdict], list[Send]]:
        verdicts, actions = self._keep(keeps, now)
        return verdicts, self._carry_out(actions, now)

    def _react(self, event: Event, now: float) -> list[Action]:
        match event:
            case RecordPosted(raw):
                return [Keep(raw, "post")]
            case Imported(raws, via):
                return [Keep(raw, via, bulk=True) for raw in raws]
            case Tick():
                due = [engine for engine in self.engines if engine.deadline is not None and engine.deadline <= now]
                return [action for engine in due for action in engine.handle(event, now)]
        return self._tell([event], now)

    def _tell(self, events: Iterable[Event], now: float) -> list[Action]:
        return [action for event in events for engine in self.engines for action in engine.handle(event, now)]

    def _carry_out(self, actions: list[Action], now: float) -> list[Send]:
        """Every keep before any send."""
        sends: list[Send] = []
        while actions:
            keeps = [action for action in actions if isinstance(action, Keep)]
            sends += [action for action in actions if isinstance(action, Send)]
            self.counters.update(f"dropped {action.reason}" for action in actions if isinstance(action, Drop))
            actions = self._try_to_keep(keeps, now) if keeps else []
        return sends

    def _try_to_keep(self, keeps: list[Keep], now: float) -> list[Action]:
        try:
            return self._keep(keeps, now)[1]
        except StoreFailed as failure:
            self.counters[f"store {failure.reason}"] += 1
            return self._tell([RecordRefused(record_id(keep.raw), keep.via, "store") for keep in keeps], now)

    def _keep(self, keeps: list[Keep], now: float) -> tuple[list[Verdict], list[Action]]:
        change = self.liveset.propose([keep.raw for keep in keeps], now)
        if change.added or change.deleted:
            self.store.commit(self._new_rows(change, minute_of(now)), change.deleted)
            self.withdrawn += len(change.deleted) + sum(entry.kind is Kind.RETRACTION for entry in change.added)
        self.liveset.apply(change)
        if any(verdict.kept and keep.via not in OWN for verdict, keep in zip(change.verdicts, keeps, strict=True)):
            self.heard_at = now
        return change.verdicts, self._tell(self._news(keeps, change), now)

    def _new_rows(self, change: Change, received: int) -> list[Row]:
        """Rows for what enters, but for what only faded and is still on disk with what is only known here."""
        entering = [(entry, change.record(entry)) for entry in change.added if self.store.get(entry.id) is None]
        return [Row.of(record, entry.raw, received, self._replaced(record, change)) for entry, record in entering]

    def _replaced(self, record: Record, change: Change) -> bytes:
        """Of a correction, the version shown here when it came, or the first of those; so that people see what changed."""
        version = self.liveset.version(record.target) if record.corrects and record.target else None
        row = self.store.get(version) if version in change.removed else None
        return (row.before or row.raw) if row else b""

    def _news(self, keeps: list[Keep], change: Change) -> list[Event]:
        """What engines must hear of a change."""
        asked = {verdict.id: keep for verdict, keep in zip(change.verdicts, keeps, strict=True) if verdict.kept}
        waited = Keep(b"", FROM_QUARANTINE, bulk=True)
        news: list[Event] = []
        for entry in change.added:
            keep = asked.get(entry.id, waited)
            news.append(RecordKept(entry.id, keep.via, keep.bulk))
        for verdict, keep in zip(change.verdicts, keeps, strict=True):
            if not verdict.kept:
                self.counters[f"refused {verdict.reason}"] += 1
                news.append(RecordRefused(verdict.id, keep.via, verdict.reason))
        if change.removed:
            news.append(RecordsGone(tuple(change.removed)))
        return news

    def _pass_time(self, now: float) -> list[Action]:
        """Once a minute: hide what ends, let in what waited. Rows of what faded stay until
        `node.store.archive.retire` takes them."""
        if minute_of(now) == self._minute:
            return []
        self._minute = minute_of(now)
        self.liveset.forget([id_ for id_ in self.liveset.fading() if self.store.get(id_) is None])
        change = self.liveset.expire(now)
        if change.deleted:
            self._try_to_delete(change.deleted)
        news = [RecordsGone(tuple(change.removed))] if change.removed else []
        return [*self._tell(news, now), *(Keep(raw, FROM_QUARANTINE, bulk=True) for raw in self.liveset.waiting(now))]

    def _try_to_delete(self, ids: list[bytes]) -> None:
        """What cannot be deleted now is a stray, and goes later."""
        try:
            self._delete(ids)
        except StoreFailed as failure:
            self.counters[f"store {failure.reason}"] += 1

    def _delete(self, ids: list[bytes]) -> None:
        if ids:
            self.withdrawn += len(ids)
            self.store.commit(delete=ids)

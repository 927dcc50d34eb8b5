"""What an island does now and then, on a thread of its own, so that neither posts nor packets wait for it.

Expiry hides at once (`node.replica.liveset`); deleting waits until the clock is sure and the record was expired for a
whole day of running, so that a clock gone wrong loses nothing. The day may be made of many short ones: a box that sleeps
at night counts on where it stopped. What is deleted goes to the archive first.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Protocol

from node.board.board import Board
from node.board.status import ArchiveStatus
from node.daemon.runner import Runner
from node.daemon.settings import Settings
from node.daemon.timekeeper import Timekeeper
from node.model.clock import minute_of
from node.model.record import decode
from node.replica.entry import Entry
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.archive import Archive, retire
from node.store.index import Row, StoreFailed
from node.store.journalstore import JournalStore

log = logging.getLogger(__name__)

PERIOD_S = 5.0
INDEX_BATCH = 20  # texts to decode at a time: each may take half a second on the smallest Pi
RETIRE_PERIOD_S = 3_600.0
DAY_S, DAY_MIN = 86_400.0, 1_440


@dataclass(frozen=True)
class RunningDay:
    """A day of running, possibly made of many short ones: the minute it began, seconds that the island ran since."""

    before: int
    run_s: float = 0.0

    @classmethod
    def of(cls, kept: object) -> "RunningDay | None":
        """From the JSON value that was kept, if there is one."""
        return cls(int(kept["before"]), float(kept["run_s"])) if isinstance(kept, dict) else None


class MaintainedIsland(Protocol):
    """What of `node.daemon.app.App` is needed."""

    settings: Settings
    store: JournalStore
    replica: Replica
    archive: Archive
    liveset: LiveSet
    timekeeper: Timekeeper
    runner: Runner
    board: Board


class Maintenance:
    """Runs from `start` until closed. `archive_status` is as of its last round, for any thread to read."""

    def __init__(self, island: MaintainedIsland):
        self._island = island
        self._counted_at = island.timekeeper.monotonic()
        self._retired_at = float("-inf")
        self._erased = 0
        self._unindexed: list[bytes] = []
        self._ahead, self._behind = island.board.read_ahead(), False
        self._indexed_revision = -1
        self.look_at_archive()
        self._tasks: tuple[Callable[[], object], ...] = (
            island.store.probe, island.board.publish_due, self.read_ahead, self.index, self._retire_now_and_then,
            self.look_at_archive)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="maintenance", daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the task at hand."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        rate = self._island.timekeeper.rate
        pause_s = PERIOD_S / rate
        while not self._closing.wait(pause_s):
            began_at = time.monotonic()
            for task in self._tasks:
                self._do(task)
            busy_s = time.monotonic() - began_at
            pause_s = busy_s if self.has_more else PERIOD_S / rate  # half of the time is for others

    @property
    def has_more(self) -> bool:
        """Whether texts wait to be decoded."""
        return self._behind or bool(self._unindexed)

    @staticmethod
    def _do(task: Callable[[], object]) -> None:
        try:
            task()
        except Exception:  # a full card, a broken archive: the next time may be better
            log.exception("a task of maintenance failed")

    def look_at_archive(self) -> None:
        """How the archive is doing; counting what it holds may wait for whoever writes to it."""
        archive = self._island.archive
        self.archive_status = ArchiveStatus(*archive.health(), len(archive))

    def read_ahead(self) -> None:
        """Decode what the first pages show, a few texts at a time: it would keep the first who asks waiting."""
        self._behind = len(list(islice(self._ahead, INDEX_BATCH))) == INDEX_BATCH

    def index(self) -> None:
        """Let search find what is new, a few texts at a time, what came last first: after an import many wait."""
        revision, unindexed = self._island.liveset.revision, self._unindexed
        if revision != self._indexed_revision:
            unindexed = self._island.archive.wordless(reversed(list(self._island.liveset.ids())))
        self._indexed_revision, self._unindexed = -1, []  # should it fail, all is looked through again, without haste
        for id_ in unindexed[:INDEX_BATCH]:
            self._index_one(id_)
        self._indexed_revision, self._unindexed = revision, unindexed[INDEX_BATCH:]

    def _index_one(self, id_: bytes) -> None:
        text, record = self._island.board.reader.text_of(id_), self._island.liveset.get(id_)
        if text and record:
            self._island.archive.index(id_, record.created, text)

    def _retire_now_and_then(self) -> None:
        mono = self._island.timekeeper.monotonic()
        if mono - self._retired_at >= RETIRE_PERIOD_S:
            self._retired_at = mono
            self.erase()
            self.retire(mono)

    def erase(self) -> None:
        """Leave nothing on the card of what was withdrawn: neither its words nor its octets."""
        island, deleted = self._island, self._island.replica.deleted
        if deleted == self._erased:
            return
        island.archive.sweep(lambda id_: id_ in island.liveset or island.store.get(id_))
        island.archive.compact()
        island.store.compact()
        self._erased = deleted

    def retire(self, mono: float) -> None:
        """Move what has been expired for a day of uptime to the archive, and let the archive forget what is too old."""
        island = self._island
        if not island.timekeeper.sure:
            return
        now = minute_of(island.timekeeper.now())
        due = self._waited_a_day(now, mono)
        if due:
            self._move(due)
        keep_days = island.settings.archive.keep_days
        island.archive.prune(now - keep_days * DAY_MIN)
        island.archive.compact()

    def _waited_a_day(self, now: int, mono: float) -> list[Row]:
        """Rows that had expired when a day of running began that is over now; then another such day begins."""
        island, kept = self._island, RunningDay.of(self._island.store.note("fading"))
        day = replace(kept, run_s=kept.run_s + mono - self._counted_at) if kept else RunningDay(now)
        self._counted_at = mono
        set_back = now < day.before  # what a wrong clock had hidden is live, or may be
        over = day.run_s >= DAY_S and not set_back
        island.store.set_note("fading", asdict(RunningDay(now) if over or set_back else day))
        rows = [row for id_ in island.liveset.fading() if (row := island.store.get(id_))] if over else []
        return [row for row in rows if row.expires <= day.before]

    def _forget(self, rows: list[Row]) -> None:
        """On the runner's thread: what came back to the set while it was moved to the archive gets its row again."""
        self._island.liveset.forget([row.id for row in rows])
        back = [row for row in rows if row.id in self._island.liveset and self._island.store.get(row.id) is None]
        self._island.store.commit(put=back)

    def _move(self, rows: list[Row]) -> None:
        island = self._island
        ids = [row.id for row in rows]
        texts = {row.id: island.board.reader.words_of(row.raw) or "" for row in rows}
        try:
            retire(island.store, island.archive, ids, texts if island.settings.archive.keep_days else None)
        except StoreFailed as failure:
            log.warning("nothing could be archived: %s", failure.reason)
            return
        island.runner.call(lambda: self._forget(rows))
        roots = {Entry.of(decode(row.raw), row.raw).root for row in rows}
        island.board.retired([root for root in roots if not island.liveset.about(root)])

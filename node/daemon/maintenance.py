"""What an island does now and then, on a thread of its own, so that neither posts nor packets wait for it.

Expiry hides at once (`node.replica.liveset`); deleting waits until the clock is sure and the record was expired for a
whole day of running, so that a clock gone wrong loses nothing. The day may be made of many short ones: a box that sleeps
at night counts on where it stopped. What is deleted goes to the archive first.
"""

import logging
import threading
import time
from collections.abc import Callable
from itertools import islice
from typing import Protocol

from node.board.board import Board
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


class Around(Protocol):
    """What of `node.daemon.app.App` is needed."""

    settings: Settings
    store: JournalStore
    island: Replica
    archive: Archive
    liveset: LiveSet
    timekeeper: Timekeeper
    runner: Runner
    board: Board


class Maintenance:
    """Runs until closed."""

    def __init__(self, around: Around):
        self._around = around
        self._counted_at = around.timekeeper.monotonic()
        self._retired_at = float("-inf")
        self._erased = 0
        self._unindexed: list[bytes] = []
        self._ahead, self._behind = around.board.read_ahead(), False
        self._indexed_revision = -1
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="errands", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the errand at hand."""
        self._closing.set()
        self._thread.join(10)

    def _run(self) -> None:
        around = self._around
        errands = (around.store.probe, around.board.publish_due, self.read_ahead, self.index,
                   self._retire_now_and_then)
        pause_s = PERIOD_S / around.timekeeper.rate
        while not self._closing.wait(pause_s):
            began_at = time.monotonic()
            for errand in errands:
                self._do(errand)
            busy_s = time.monotonic() - began_at
            more = self._behind or self._unindexed
            pause_s = busy_s if more else PERIOD_S / around.timekeeper.rate  # half of the time is for others

    @staticmethod
    def _do(errand: Callable[[], object]) -> None:
        try:
            errand()
        except Exception:  # a full card, a broken archive: the next time may be better
            log.exception("an errand failed")

    def read_ahead(self) -> None:
        """Decode what the first pages show, a few texts at a time: it would keep the first who asks waiting."""
        self._behind = len(list(islice(self._ahead, INDEX_BATCH))) == INDEX_BATCH

    def index(self) -> None:
        """Let search find what is new, a few texts at a time, what came last first: after an import many wait."""
        around = self._around
        if around.liveset.revision != self._indexed_revision:
            self._indexed_revision = around.liveset.revision
            self._unindexed = around.archive.wordless(reversed(list(around.liveset.ids())))
        batch, self._unindexed = self._unindexed[:INDEX_BATCH], self._unindexed[INDEX_BATCH:]
        for id_ in batch:
            text, record = around.board.reader.text_of(id_), around.liveset.get(id_)
            if text and record:
                around.archive.index(id_, record.created, text)

    def _retire_now_and_then(self) -> None:
        mono = self._around.timekeeper.monotonic()
        if mono - self._retired_at >= RETIRE_PERIOD_S:
            self._retired_at = mono
            self.erase()
            self.retire(mono)

    def erase(self) -> None:
        """Leave nothing on the card of what was withdrawn: neither its words nor its octets."""
        around, deleted = self._around, self._around.island.deleted
        if deleted == self._erased:
            return
        around.archive.sweep(lambda id_: id_ in around.liveset or around.store.get(id_))
        around.archive.compact()
        around.store.compact()
        self._erased = deleted

    def retire(self, mono: float) -> None:
        """Move what has been expired for a day of uptime to the archive, and let the archive forget what is too old."""
        around = self._around
        if not around.timekeeper.sure:
            return
        now = minute_of(around.timekeeper.now())
        due = self._waited_a_day(now, mono)
        if due:
            self._move(due)
        keep_days = around.settings.archive.keep_days
        around.archive.prune(now - keep_days * DAY_MIN)
        around.archive.compact()

    def _waited_a_day(self, now: int, mono: float) -> list[Row]:
        """Rows that had expired when a day of running began that is over now; then another such day begins."""
        around, new_day = self._around, {"before": now, "run_s": 0.0}
        day = around.store.note("fading") or new_day
        run_s = day["run_s"] + mono - self._counted_at if day is not new_day else 0.0
        self._counted_at = mono
        set_back = now < day["before"]  # what a wrong clock had hidden is live, or may be
        over = run_s >= DAY_S and not set_back
        around.store.set_note("fading", new_day if over or set_back else {**day, "run_s": run_s})
        rows = [row for id_ in around.liveset.fading() if (row := around.store.get(id_))] if over else []
        return [row for row in rows if row.expires <= day["before"]]

    def _move(self, rows: list[Row]) -> None:
        around = self._around
        ids = [row.id for row in rows]
        texts = {row.id: around.board.reader.words_of(row.raw) or "" for row in rows}
        try:
            retire(around.store, around.archive, ids, texts if around.settings.archive.keep_days else None)
        except StoreFailed as failure:
            log.warning("nothing could be archived: %s", failure.reason)
            return
        around.runner.call(lambda: around.liveset.forget(ids))
        roots = {Entry.of(decode(row.raw), row.raw).root for row in rows}
        around.board.retired([root for root in roots if not around.liveset.about(root)])

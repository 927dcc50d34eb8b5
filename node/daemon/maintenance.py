"""What an island does now and then, on a thread of its own, so that neither posts nor packets wait for it.

Expiry hides at once (`node.replica.liveset`); deleting waits until the floor of the clock has passed it (docs/store.md,
"Time"), a day of running later at least, so that a clock gone wrong loses nothing. What is deleted goes to the archive
first, and comes back from there should even the floor have been wrong. What people took back waits for no clock
(`node.daemon.erasing`).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

from node.board.status import ArchiveStatus
from node.daemon.attendance import Attendance
from node.daemon.cardhealth import card_errors
from node.daemon.erasing import ErasedIsland, Erasure
from node.daemon.machine import MachineSensors
from node.daemon.settings import Settings
from node.daemon.settings_keeper import SettingsKeeper
from node.model.clock import MAX_MINUTE, minute_of
from node.model.record import COUNTED, decode
from node.replica.admission import DUPLICATE
from node.replica.entry import Entry
from node.replica.replica import FROM_ARCHIVE
from node.store.archive import retire
from node.store.index import Row, StoreFailed

log = logging.getLogger(__name__)

PERIOD_S = 5.0
INDEX_BATCH = 20  # texts to decode before other tasks have their turn: each may take half a second on the smallest Pi
POLITE_S = 2.0  # a text waits so long for people who wait for a page: under a crowd, one is read every two seconds
RETIRE_PERIOD_S, PRUNE_PERIOD_S = 3_600.0, 86_400.0  # to forget something is to write the archive anew
DAY_MIN = 1_440
BACK_BATCH = 200  # records in one commit


class MaintainedIsland(ErasedIsland, Protocol):
    """What of `node.daemon.app.App` is needed."""

    settings: Settings
    desk: SettingsKeeper
    attendance: Attendance


class Maintenance:
    """Runs from `start` until closed. `archive_status` is as of its last round, for any thread to read."""

    def __init__(self, island: MaintainedIsland):
        self._island = island
        self._closing = threading.Event()
        self._retired_at = self._pruned_at = float("-inf")
        self.erasure = Erasure(island)
        self._minute = MAX_MINUTE  # the clock's at the last round
        self._unindexed: list[bytes] = []
        self._wordless: set[bytes] = set()  # looked at, with no words to find
        self._searched = 0
        self._indexed_revision = -1
        self.sensors = MachineSensors()
        self.look_at_archive()
        self.look_at_card()
        self._tasks: tuple[Callable[[], object], ...] = (
            island.store.probe, self.bring_back, island.board.publish_due, island.board.finish_clearings,
            island.board.keyring.send_due, island.board.forget_reports, island.board.tell_turnouts, island.board.care.tidy,
            island.board.cards.tidy, island.desk.look, self.erasure.look, self.index, self._retire_now_and_then,
            self.look_at_archive, self.look_at_card)
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
            for task in self._tasks:
                self._do(task)
            pause_s = 0.0 if self.has_more else PERIOD_S / rate

    @property
    def has_more(self) -> bool:
        """Whether texts wait to be decoded."""
        return bool(self._unindexed)

    @staticmethod
    def _do(task: Callable[[], object]) -> None:
        try:
            task()
        except Exception:  # a full card, a broken archive: the next time may be better
            log.exception("a task of maintenance failed")

    def look_at_archive(self) -> None:
        """How the archive is doing; counting what it holds may wait for whoever writes to it."""
        archive = self._island.archive
        self.archive_status = ArchiveStatus(*archive.health(), len(archive), self._searched, len(self._unindexed))

    def look_at_card(self) -> None:
        """How often the card has failed so far, and what the machine's sensors tell."""
        self.card_errors = card_errors(self._island.settings.node.data)
        self.sensors.look()

    def index(self) -> None:
        """Decode what was never decoded, a few texts at a time, and let search find it: after an import many wait.

        What the first pages show comes first, then what came last.
        """
        revision, unindexed = self._island.liveset.revision, self._unindexed
        if revision != self._indexed_revision:
            unindexed = self._not_indexed()
        self._indexed_revision, self._unindexed = -1, []  # should it fail, all is looked through again, without haste
        for id_ in unindexed[:INDEX_BATCH]:
            self._index_one(id_)
        self._indexed_revision, self._unindexed = revision, unindexed[INDEX_BATCH:]

    def _not_indexed(self) -> list[bytes]:
        board, liveset = self._island.board, self._island.liveset
        searched = [id_ for id_ in liveset.ids() if board.reader.is_searched(id_)]
        self._searched = len(searched)
        self._wordless.intersection_update(searched)
        first = set(board.on_first_pages())
        newest = self._island.archive.wordless(id_ for id_ in reversed(searched) if id_ not in self._wordless)
        return sorted(newest, key=lambda id_: id_ not in first)

    def _index_one(self, id_: bytes) -> None:
        """One text; then as long a pause, as the other half of the time is for others, and for people all of it."""
        self._island.attendance.let_pass(POLITE_S)
        began_at = time.monotonic()
        text, record = self._island.board.reader.text_of(id_), self._island.liveset.get(id_)
        if text and record:
            self._island.archive.index(id_, record.created, text)
        else:
            self._wordless.add(id_)
        self._closing.wait(time.monotonic() - began_at)

    def _retire_now_and_then(self) -> None:
        mono = self._island.timekeeper.monotonic()
        if mono - self._retired_at >= RETIRE_PERIOD_S:
            self._retired_at = mono
            self.retire()

    def retire(self) -> None:
        """Move what has certainly ended to the archive, and let the archive forget what is too old."""
        mono = self._island.timekeeper.monotonic()
        island, certain = self._island, minute_of(self._island.timekeeper.floor)
        rows = [row for id_ in island.liveset.fading() if (row := island.store.get(id_)) and row.expires <= certain]
        if rows:
            self._move(rows)
        keep_days, before = island.settings.archive.keep_days, certain - island.settings.archive.keep_days * DAY_MIN
        gone = [] if keep_days else rows
        if mono - self._pruned_at >= PRUNE_PERIOD_S:
            self._pruned_at = mono
            gone = gone or island.archive.ended(before)
            island.archive.prune(before)
        if gone:
            roots = _roots(gone) - _roots(island.archive.rows())  # another version may be past, too
            island.board.retired([root for root in roots if not island.liveset.about(root)])

    def bring_back(self) -> None:
        """After a start, and when the clock was set back: what a clock that was wrong had archived is live again."""
        minute, before = minute_of(self._island.timekeeper.now()), self._minute
        self._minute = minute
        if minute >= before:
            return
        rows = self._island.archive.unexpired(minute)
        for first in range(0, len(rows), BACK_BATCH):
            self._bring_back(rows[first:first + BACK_BATCH])

    def _bring_back(self, rows: list[Row]) -> None:
        verdicts = self._island.runner.take_in([row.raw for row in rows], FROM_ARCHIVE)
        back = [verdict.id for verdict in verdicts if verdict.kept or verdict.reason == DUPLICATE]
        self._island.archive.forget(back)
        self._indexed_revision = -1  # with the rows went their words

    def _let_go(self, ids: list[bytes]) -> list[bytes]:
        """On the runner's thread: delete what has not come back to the set while it was archived; the ids of what has."""
        island = self._island
        back = [id_ for id_ in ids if id_ in island.liveset]
        gone = [id_ for id_ in ids if id_ not in island.liveset]
        island.store.commit(delete=gone)
        island.liveset.forget(gone)
        return back

    def _move(self, rows: list[Row]) -> None:
        island = self._island
        counts = [row.id for row in rows if row.kind in COUNTED]  # nobody wants them once what they are about is over
        kept = [row for row in rows if row.kind not in COUNTED]
        texts = {row.id: island.board.reader.words_of(row.raw) or "" for row in kept}
        try:
            archived = texts if island.settings.archive.keep_days else None
            for ids, words in ([row.id for row in kept], archived), (counts, None):
                retire(island.store, island.archive, ids, words,
                       lambda batch: island.runner.call(lambda: self._let_go(batch)))
        except StoreFailed as failure:
            log.warning("nothing could be archived: %s", failure.reason)
            return


def _roots(rows: Iterable[Row]) -> set[bytes]:
    return {Entry.of(decode(row.raw), row.raw).root for row in rows}

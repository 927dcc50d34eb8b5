"""What was withdrawn is erased from the card: from journals, archive, write-ahead log and the gaps in their pages.

Nothing of what is owed is only remembered. The journals and the archive say themselves whether something is out of date in
them, and whatever else a power cut may have left undone is looked for after every start. So the first debt is paid right
after a start, and each later one within an hour of running: some withdrawals share the work, which writes files anew.

The island's clock has no part in it: that expired records are deleted waits for a clock that is sure
(`node.daemon.maintenance`), what people took back does not.
"""

import logging
from collections.abc import Callable
from typing import Protocol

from node.board.board import Board
from node.daemon.runner import Runner
from node.daemon.timekeeper import Timekeeper
from node.model.errors import RemoteFault
from node.model.record import decode
from node.replica.entry import Entry, beats
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.archive import Archive
from node.store.index import Row, StoreFailed
from node.store.journalstore import JournalStore

log = logging.getLogger(__name__)

ERASE_AFTER_S = 1_800.0
"""Seconds of running. From a withdrawal to its erasing: with a long round of maintenance and the work itself well below the
hour that is promised. Set by: the promise; less would write the files anew more often."""
RETRY_S = 300.0
"""Seconds of running. Until what failed, or waits for a second look, is tried again: a failing card is not made worse.
Set by: nothing on record."""


class ErasedIsland(Protocol):
    """What of `node.daemon.app.App` is needed."""

    store: JournalStore
    replica: Replica
    archive: Archive
    liveset: LiveSet
    timekeeper: Timekeeper
    runner: Runner
    board: Board


class Erasure:
    """What is owed to whoever withdrew something here, and its payment. Maintenance's thread alone, but for `owed_s`."""

    def __init__(self, island: ErasedIsland):
        self._island = island
        self._paid = -1  # `Replica.withdrawn` when all was erased: after a start nobody knows
        self._owed_since: float | None = island.timekeeper.monotonic()
        self._due_at = self._owed_since
        self._codes_seen: set[bytes] = set()  # without a post, at the last look
        self._handled: set[bytes] = set()  # retractions whose past items have been looked for

    @property
    def owed_s(self) -> float | None:
        """Seconds of running since the oldest thing that is still to be erased was withdrawn, or since the start; None
        while there is none. From any thread."""
        since = self._owed_since
        return None if since is None else self._island.timekeeper.monotonic() - since

    def look(self) -> None:
        """See what is owed, and pay what is due."""
        now = self._island.timekeeper.monotonic()
        if self._owed_since is None and self._owes():
            self._owed_since, self._due_at = now, now + ERASE_AFTER_S
        if self._owed_since is not None and now >= self._due_at:
            self._due_at = now + RETRY_S
            self.pay()

    def pay(self) -> None:
        """Erase all that is owed. What the card will not do is still owed, and stops nothing else from being erased."""
        withdrawn = self._island.replica.withdrawn
        steps = self._delete_strays, self._forget_codes, self._clear_archive, self._island.store.erase
        done = [self._try(step) for step in steps]
        if all(done):
            self._paid = withdrawn
        if not self._owes():
            self._owed_since = None

    def _owes(self) -> bool:
        island = self._island
        return bool(island.replica.withdrawn != self._paid or self._codes_seen or island.store.owes or island.archive.owes)

    @staticmethod
    def _try(step: Callable[[], None]) -> bool:
        try:
            step()
        except StoreFailed as failure:
            log.warning("what was withdrawn could not be erased: %s", failure.reason)
            return False
        except Exception:  # the other steps must go on
            log.exception("erasing failed")
            return False
        return True

    def _delete_strays(self) -> None:
        self._island.runner.call(lambda: self._island.replica.delete_strays())

    def _forget_codes(self) -> None:
        """Edit codes of posts that are gone, left by a crash. One is kept just before its post is: so twice must it be
        seen without one."""
        strays = self._island.board.stray_codes()
        self._island.board.forget_codes(strays & self._codes_seen)
        self._codes_seen = strays - self._codes_seen

    def _clear_archive(self) -> None:
        island = self._island
        island.archive.sweep(lambda id_: id_ in island.liveset or island.store.get(id_))
        retractions = island.liveset.retractions()
        fresh = [entry for entry in retractions if entry.id not in self._handled]
        if fresh:
            island.archive.forget(self._taken_back(fresh))
        island.archive.compact()
        self._handled = {entry.id for entry in retractions}

    def _taken_back(self, retractions: list[Entry]) -> list[bytes]:
        """Archived versions of what these take back: they came here after the item had ended."""
        by_item = {(one.author, one.root): one for one in retractions}
        found = []
        for row in self._island.archive.unexpired(min(one.created for one in retractions)):
            entry = _entry(row)
            retraction = by_item.get((entry.author, entry.root)) if entry else None
            if entry and retraction and beats(retraction, entry) and self._island.liveset.get(retraction.id):
                found.append(row.id)
        return found


def _entry(row: Row) -> Entry | None:
    try:
        return Entry.of(decode(row.raw), row.raw, row.id)
    except RemoteFault:
        return None

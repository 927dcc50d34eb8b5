"""The trials are worth something: each of these mistakes, made on purpose, fails at least one of them."""

import contextlib
import itertools
import zlib
from types import SimpleNamespace

import pytest

from node.store import archive, documents, journal
from node.store import journalstore as store
from tests.sim.simulatedcard import Card, CardFile
from tests.store import storetrials


class Careless:
    """A file of which some methods are done otherwise."""

    def __init__(self, file, **otherwise):
        self._file = file
        self.__dict__.update(otherwise)

    def __getattr__(self, name):
        return getattr(self._file, name)


def an_append_is_not_synced(patch):
    right = journal.Journal.append

    def append(self, payloads):
        file, self._file = self._file, Careless(self._file, sync=lambda: None)
        try:
            right(self, payloads)
        finally:
            self._file = file

    patch.setattr(journal.Journal, "append", append)


def an_append_is_synced_with_the_next_one(patch):
    right = journal.Journal.append

    def append(self, payloads):
        self._file.sync()
        file, self._file = self._file, Careless(self._file, sync=lambda: None)
        try:
            right(self, payloads)
        finally:
            self._file = file

    patch.setattr(journal.Journal, "append", append)


def a_rewrite_is_not_synced_before_the_rename(patch):
    right = Card.create
    patch.setattr(Card, "create", lambda self, path: Careless(right(self, path), sync=lambda: None))


def the_folder_is_not_synced_after_the_rename(patch):
    patch.setattr(Card, "sync_folder", lambda self, path: None)


def the_old_journal_is_removed_before_the_rename(patch):
    right = Card.rename

    def rename(self, old, new):
        if new in self.seen:
            self.remove(new)
        right(self, old, new)

    patch.setattr(Card, "rename", rename)


def a_rewrite_is_made_in_place(patch):
    right = journal.Journal.rewrite

    def rewrite(self, payloads):
        if not self._file:
            return right(self, payloads)
        self._end, size = journal._write_all(self._file, list(payloads))
        self._file.write(bytes(max(0, self._size - size)), size)
        self._file.sync()
        self.in_doubt = False

    patch.setattr(journal.Journal, "rewrite", rewrite)


def after_a_rewrite_the_old_file_is_written_on(patch):
    right = journal.Journal.rewrite

    def rewrite(self, payloads):
        old = self._file
        right(self, payloads)
        self._file = old or self._file

    patch.setattr(journal.Journal, "rewrite", rewrite)


def a_rewrite_that_failed_leaves_no_doubt(patch):
    right = journal.Journal.rewrite

    def rewrite(self, payloads):
        try:
            right(self, payloads)
        finally:
            self.in_doubt = self._file is None

    patch.setattr(journal.Journal, "rewrite", rewrite)


def a_rewrite_forgets_what_is_only_known_here(patch):
    right = store.document_of
    patch.setattr(store.RowShelf, "documents", lambda self: (
        (row.id.hex(), {**right(row), "before": ""}) for row in self.rows()))


def checksums_are_not_compared(patch):
    patch.setattr(journal, "zlib", SimpleNamespace(crc32=lambda content, at: 0))


def only_half_of_a_line_is_checked(patch):
    patch.setattr(journal, "zlib", SimpleNamespace(crc32=lambda content, at: zlib.crc32(content[:len(content) // 2], at)))


def a_line_is_believed_wherever_it_is(patch):
    patch.setattr(journal, "zlib", SimpleNamespace(crc32=lambda content, at: zlib.crc32(content)))


def reading_stops_at_the_first_damage(patch):
    right = journal.payloads_in

    def payloads_in(image):
        for payload in right(image):
            yield payload
            if payload is None:
                return

    patch.setattr(journal, "payloads_in", payloads_in)


def lines_follow_a_torn_one_without_a_gap(patch):
    right = journal.Journal._take_up

    def take_up(self, image):
        right(self, image)
        self._end = len(image.rstrip(b"\0"))

    patch.setattr(journal.Journal, "_take_up", take_up)


def a_full_card_is_ignored(patch):
    right = CardFile.write

    def write(self, block, at):
        with contextlib.suppress(OSError):
            right(self, block, at)

    patch.setattr(CardFile, "write", write)


def a_failed_sync_is_tried_again_and_believed(patch):
    right = CardFile.sync

    def sync(self):
        try:
            right(self)
        except OSError:
            right(self)

    patch.setattr(CardFile, "sync", sync)


def commits_are_shown_before_they_are_durable(patch):
    right = documents.JournalStorage._flush

    def flush(self, batch):
        for commit in batch:
            self.shelf(commit.table).apply(commit.changes)
        right(self, batch)

    patch.setattr(documents.JournalStorage, "_flush", flush)


def whoever_shares_a_sync_is_told_before_it(patch):
    right = documents.JournalStorage._flush

    def flush(self, batch):
        for commit in batch[1:]:
            commit.durable = True
        right(self, batch)

    patch.setattr(documents.JournalStorage, "_flush", flush)


def the_live_set_forgets_before_the_archive_has_it(patch):
    def retire(live, past, ids, texts):
        rows = [row for row in map(live.get, ids) if row]
        live.commit(delete=[row.id for row in rows])
        past.keep(rows, texts)

    patch.setattr(archive, "retire", retire)


def notes_set_together_are_committed_one_by_one(patch):
    def set_notes(self, values):
        for name, value in values.items():
            self.notes.storage.commit(store.NOTES, {name: {"value": value}})

    patch.setattr(store.JournalStore, "set_notes", set_notes)


def a_restart_forgets_what_is_to_be_erased(patch):
    right = documents.JournalStorage._load

    def load(self):
        right(self)
        self._withdrawn = 0

    patch.setattr(documents.JournalStorage, "_load", load)


def a_file_in_doubt_owes_nothing(patch):
    patch.setattr(documents.JournalStorage, "owes", property(lambda self: bool(self._withdrawn)))


FAULTS = [
    an_append_is_not_synced, an_append_is_synced_with_the_next_one, a_rewrite_is_not_synced_before_the_rename,
    the_folder_is_not_synced_after_the_rename, the_old_journal_is_removed_before_the_rename,
    a_rewrite_is_made_in_place, after_a_rewrite_the_old_file_is_written_on, a_rewrite_that_failed_leaves_no_doubt,
    a_rewrite_forgets_what_is_only_known_here, checksums_are_not_compared, only_half_of_a_line_is_checked,
    a_line_is_believed_wherever_it_is, reading_stops_at_the_first_damage, lines_follow_a_torn_one_without_a_gap,
    a_full_card_is_ignored, a_failed_sync_is_tried_again_and_believed, commits_are_shown_before_they_are_durable,
    whoever_shares_a_sync_is_told_before_it, the_live_set_forgets_before_the_archive_has_it,
    notes_set_together_are_committed_one_by_one, a_restart_forgets_what_is_to_be_erased, a_file_in_doubt_owes_nothing,
]


def first_trial_that_fails():
    for seed, trial in itertools.product(range(6), storetrials.TRIALS):
        try:
            trial(seed)
        except (Exception, pytest.fail.Exception):
            return trial
    return None


@pytest.mark.parametrize("plant", FAULTS, ids=[fault.__name__ for fault in FAULTS])
def test_some_trial_catches(plant):
    with storetrials.small_steps(), pytest.MonkeyPatch.context() as patch:
        plant(patch)
        assert first_trial_that_fails(), "nothing noticed"

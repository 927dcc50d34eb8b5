"""Trials of a journal store on a simulated card: a script, every way to interrupt it, and what must be there afterwards.

A trial raises AssertionError when something acknowledged is lost, when something is there that nobody wrote, or a commit in
part. Each planted fault of test_planted_faults.py must make one of them fail.
"""

import errno
import itertools
import random
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from node.store import archive, documents, journal
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from node.store.payload import payload_of
from tests.sim.simulatedcard import Card, Held, PowerCut
from tests.store.storerows import made_up
from tests.waiting import until

FOLDER = Path("/island")
RECORDS = FOLDER / "records.journal"
SHARES = (0, 1, 0.5, 0.8)  # of what was not synced when the power went
ERRORS = (errno.EIO, errno.ENOSPC, errno.EROFS)
NOTES = ("note", "twin")  # always set together
SENTINEL = made_up(10**9)


@contextmanager
def small_steps():
    """Journals that grow and are rewritten every few commits."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journal, "STEP_BYTES", 8192)
        patch.setattr(documents, "SPARE_GARBAGE", 6)
        yield


def script(seed, length=16):
    """What a busy island does: ("rows", put, delete), ("note", value), kept under two names at once, or ("compact",)."""
    chance, there, number = random.Random(seed), [], 1000 * seed
    for _ in range(length):
        kind = chance.choices(["rows", "note", "compact"], [8, 2, 1])[0]
        if kind == "note":
            yield "note", chance.randbytes(chance.choice([4, 3000])).hex()
        elif kind == "compact":
            yield ("compact",)
        else:
            fresh = [made_up(number + extra, size=chance.choice([80, 300, 1700]))
                     for extra in range(chance.choice([1, 1, 1, 6]))]
            number += len(fresh)
            gone = chance.sample(there, min(len(there), chance.choice([0, 0, 1, 3])))
            known = [replace(row, before=b"earlier") for row in there if row not in gone and chance.random() < 0.1]
            changed = {row.id for row in known}
            there = [row for row in there if row not in gone and row.id not in changed] + known + fresh
            yield "rows", fresh + known, [row.id for row in gone]


def carry_out(store, step):
    """Do one step of a script on a store."""
    kind, *what = step
    if kind == "rows":
        store.commit(*what)
    elif kind == "note":
        store.set_notes(dict.fromkeys(NOTES, *what))
    else:
        store.compact()


def state_of(store):
    """Everything a store shows, to be compared."""
    note, twin = map(store.note, NOTES)
    assert note == twin, "one commit, kept in part"
    return frozenset(store.rows()), note


def after(state, step):
    """The state that a step leads to."""
    rows, note = state
    kind, *what = step
    if kind == "rows":
        put, delete = what
        named = {row.id for row in put} | set(delete)
        return frozenset({row for row in rows if row.id not in named} | set(put)), note
    return rows, what[0] if kind == "note" else note


class Expected:
    """The state that was acknowledged, and the steps since then that may or may not be on the card."""

    def __init__(self):
        self.state, self.open = (frozenset(), None), []

    def acknowledge(self, step):
        """This step is there for good; what was refused before it, of its kind, is not."""
        self.state = after(self.state, step)
        self.open = [other for other in self.open if other[0] != step[0]]

    def possible(self):
        """Every state that may be found."""
        states = {self.state}
        for step in self.open:
            states |= {after(state, step) for state in states}
        return states


def run(store, steps, expected):
    """Carry out a script; what fails is refused and shows nothing, what is acknowledged shows."""
    for step in steps:
        expected.open.append(step)
        try:
            carry_out(store, step)
        except StoreFailed:
            assert not store.health()[0], "a failure that health does not tell"
        else:
            expected.acknowledge(step)
        assert state_of(store) == expected.state, "shown, but not acknowledged, or the other way round"


def check(card, expected):
    """Open what is on a card: a possible state, and a store that keeps what it is given now."""
    store = JournalStore(FOLDER, card)
    found = state_of(store)
    assert found in expected.possible(), "not what was acknowledged"
    store.commit(put=[SENTINEL])
    again = state_of(JournalStore(FOLDER, card.after_power_cut(0, 0)))
    assert again == after(found, ("rows", [SENTINEL], [])), "not what was there before the power went once more"


def steps_of(steps):
    """What a script does to a card, step by step."""
    card = Card()
    run(JournalStore(FOLDER, card), steps, Expected())
    return card.log


def trial_of_power_cuts(seed, stride=1, length=16):
    """The power goes at every step of a script, and comes back to every sort of remains."""
    steps = list(script(seed, length))
    for cut_at in range(1 + seed % stride, len(steps_of(steps)) + 1, stride):
        card, expected = Card(seed=cut_at, cut_at=cut_at), Expected()
        with pytest.raises(PowerCut):
            run(JournalStore(FOLDER, card), steps, expected)
        for share in SHARES:
            check(card.after_power_cut(cut_at, share), expected)


def trial_of_failures(seed, stride=1, length=16):
    """Every step of a card fails, once or a few times on end; the store recovers, and the power goes at last."""
    steps = list(script(seed, length))
    log = steps_of(steps)
    for first in range(1 + seed % stride, len(log) + 1, stride):
        _fail(steps, first, 1)
        _fail(steps, first, 4)
        if log[first - 1] == "rename":
            _fail(steps, first, 1, late=True)
            for wait in range(2, 9):
                _fail_and_cut(steps, first, wait)


def _fail_and_cut(steps, first, wait):
    """A rename is done and reported as failed, and soon after the power goes."""
    card, expected = Card(seed=first, fails={first: errno.EIO}, cut_at=first + wait, late=True), Expected()
    with suppress(PowerCut):
        run(JournalStore(FOLDER, card), steps, expected)
    for share in SHARES:
        check(card.after_power_cut(first, share), expected)


def _fail(steps, first, length, late=False):
    fails = {first + more: ERRORS[(first + length) % 3] for more in range(length)}
    card, expected = Card(seed=first, fails=fails, late=late), Expected()
    store = JournalStore(FOLDER, card)
    run(store, steps, expected)
    card.fails = {}
    store.probe()
    assert store.health() == (True, ""), "the card works again and the store does not"
    store.commit(put=[SENTINEL])
    expected.acknowledge(("rows", [SENTINEL], []))
    for share in (0, 0.5):
        check(card.after_power_cut(first, share), expected)


def trial_of_flips(seed, count=60, rows=25):
    """One bit of a journal changes: at most one record is missing, none differs, and the damage is counted."""
    chance = random.Random(seed)
    card = Card()
    store = JournalStore(FOLDER, card)
    kept = {row.id: row for row in (made_up(1000 * seed + number) for number in range(rows))}
    for row in kept.values():
        store.commit(put=[row])
    image = bytes(card.seen[RECORDS].seen)
    used = len(image.rstrip(b"\0")) + 600
    for _ in range(count):
        flipped = bytearray(image)
        flipped[chance.randrange(min(used, len(image)))] ^= 1 << chance.randrange(8)
        store = JournalStore(FOLDER, Card({RECORDS: Held(flipped)}))
        found = list(store.rows())
        assert all(kept.get(row.id) == row for row in found), "silently wrong"
        assert len(found) == len(kept) or (len(found) == len(kept) - 1 and store.damaged == 1), "more lost than one"


def trial_of_forgery(seed):
    """A record's text holds what looks like a line, and is damaged: the line that is none is not believed."""
    card, victim = Card(), made_up(1000 * seed)
    forged = journal.line_of(payload_of({"records": {victim.id.hex(): None}}))
    bearer = replace(made_up(1000 * seed + 1), raw=b"text\n" + forged * 3 + b"text")
    store = JournalStore(FOLDER, card)
    store.commit(put=[victim])
    store.commit(put=[bearer])
    damaged = bytearray(card.seen[RECORDS].seen)
    damaged[damaged.index(b"text")] ^= 1
    for image, found in ((card.seen[RECORDS].seen, {victim, bearer}), (damaged, {victim})):
        assert set(JournalStore(FOLDER, Card({RECORDS: Held(image)})).rows()) == found, "a forged line was believed"


def trial_of_torn_tails(seed, count=60):
    """A journal ends anywhere, or in garbage: what is whole before that is there, and more can be added."""
    chance = random.Random(seed)
    card, kept = Card(), []
    store = JournalStore(FOLDER, card)
    ends = []
    for number in range(20):
        kept.append(made_up(1000 * seed + number))
        store.commit(put=[kept[-1]])
        ends.append(len(bytes(card.seen[RECORDS].seen).rstrip(b"\0")))
    image = bytes(card.seen[RECORDS].seen)
    for _ in range(count):
        cut = chance.randrange(ends[-1])
        garbage = chance.choice([b"", chance.randbytes(chance.randrange(9000)), bytes(chance.randrange(9000))])
        whole = {row for row, end in zip(kept, ends, strict=True) if end - 1 <= cut}  # its newline may be missing
        expected = Expected()
        expected.state = frozenset(whole), None
        check(Card({RECORDS: Held(image[:cut] + garbage)}), expected)


def trial_of_threads(seed, workers=6):
    """Commits wait for a sync and share the next one, and the power goes: whatever one of them was told is there."""
    for wait in range(1, 12):
        card, told = Card(seed=seed), []
        store = JournalStore(FOLDER, card)
        rows = [[made_up(100 * worker + number) for number in range(3)] for worker in range(workers)]

        def work(own, store=store, told=told):
            with suppress(PowerCut, StoreFailed):
                for row in own:
                    store.commit(put=[row])
                    told.append(row)

        card.gate, card.cut_at = threading.Event(), card.steps + 1 + wait
        threads = [threading.Thread(target=work, args=(own,)) for own in rows]
        _gather(store, card, threads)
        card.gate.set()
        for thread in threads:
            thread.join()
        for share in SHARES:
            found = set(JournalStore(FOLDER, card.after_power_cut(seed, share)).rows())
            assert set(told) <= found <= {row for own in rows for row in own}, "told, and lost"


def _gather(store, card, threads):
    """Start threads: the first waits at the card's gate, the others for the first."""
    threads[0].start()
    until(lambda: card.log[-1] == "write" or not threads[0].is_alive(), pause_s=0.0005)
    for thread in threads[1:]:
        thread.start()
    storage = store.records.storage
    until(lambda: len(storage._queue) >= len(threads) - 1 or not all(map(threading.Thread.is_alive, threads)),
          pause_s=0.0005)


def trial_of_retiring(seed):
    """The archive fails at every batch: what it has not got is still live, and doing it again completes it."""
    rows = [made_up(1000 * seed + number) for number in range(6)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "ROWS_BATCH", 2)
        for failing in range(4):
            store, past = JournalStore(FOLDER, Card()), FailingArchive(failing)
            store.commit(put=rows)
            with suppress(StoreFailed):
                archive.retire(store, past, [row.id for row in rows[:5]], {})
            assert {*past.kept, *store.rows()} == set(rows), "neither live nor archived"
            archive.retire(store, past, [row.id for row in rows[:5]], {})
            assert set(past.kept) == set(rows[:5]) and set(store.rows()) == set(rows[5:])


def trial_of_erasing(seed, stride=3, length=16):
    """The power goes at every step of a script, or the card fails there: what is not shown once the store has erased is
    nowhere on the card, whether it knew what it owed or had to find out from the files."""
    steps = list(script(seed, length))
    rows = {row.id: row for step in steps if step[0] == "rows" for row in step[1]}
    notes = {step[1] for step in steps if step[0] == "note"}
    for first in range(1 + seed % stride, len(steps_of(steps)) + 1, stride):
        for share in SHARES:
            card = Card(seed=first, cut_at=first)
            with suppress(PowerCut):
                run(JournalStore(FOLDER, card), steps, Expected())
            card = card.after_power_cut(first, share)
            _erase(JournalStore(FOLDER, card), card, rows, notes)
        card = Card(seed=first, fails={first + more: errno.EIO for more in range(3)})
        store = JournalStore(FOLDER, card)
        run(store, steps, Expected())
        card.fails = {}
        _erase(store, card, rows, notes)


def _erase(store, card, rows, notes):
    """Erase, with the power going once in between; then search the card octet by octet."""
    card.cut_at = card.steps + 3
    try:
        store.erase()
    except PowerCut:
        card = card.after_power_cut(0, 0.5)
        store = JournalStore(FOLDER, card)
        store.erase()
    assert not store.owes, "erased, and still owed"
    live, shown = set(store.rows()), {store.note(name) for name in NOTES}
    image = b"".join(bytes(held.seen) + bytes(held.safe) for names in (card.seen, card.safe) for held in names.values())
    for row in rows.values():
        assert (row.raw in image) == (row.id in {one.id for one in live}), "on the card, and not shown"
    for note in notes - shown:
        assert note.encode() not in image, "an earlier value is on the card"


class FailingArchive:
    """Takes rows, but not at its `failing`-th call."""

    def __init__(self, failing):
        self.kept, self._calls, self._failing = [], itertools.count(), failing

    def keep(self, rows, texts):
        if next(self._calls) == self._failing:
            raise StoreFailed("full")
        self.kept += rows


TRIALS = (trial_of_flips, trial_of_torn_tails, trial_of_forgery, trial_of_retiring, trial_of_threads,
          trial_of_erasing, partial(trial_of_power_cuts, stride=3), partial(trial_of_failures, stride=3))

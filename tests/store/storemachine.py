"""Whatever is done to a journal store, in any order, it shows what a store in memory shows (hypothesis)."""

import errno
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from node.store.index import Slice, StoreFailed
from node.store.journalstore import JournalStore
from node.store.memory import MemoryStore
from tests.sim.simulatedcard import Card
from tests.store import storetrials
from tests.store.storerows import all_pages, made_up

FOLDER = Path("/island")
NUMBERS = st.integers(0, 40)
ROWS = st.builds(made_up, NUMBERS, size=st.sampled_from([0, 90, 1700]), created=st.integers(0, 9),
                 before=st.binary(max_size=9))
IDS = NUMBERS.map(lambda number: made_up(number).id)
PLAIN = st.none() | st.booleans() | st.integers() | st.text()
VALUES = st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4)
SLICES = st.builds(Slice, st.sampled_from(["created", "start"]), st.none() | st.sets(st.integers(0, 2)), st.integers(0, 5),
                   st.integers(5, 60_000), st.none() | st.integers(0, 3), st.booleans())


class StoreMachine(RuleBasedStateMachine):
    """Commits, notes, compactions, failures, restarts and power cuts, beside a model."""

    @initialize()
    def begin(self):
        self.small = storetrials.small_steps()
        self.small.__enter__()
        self.model, self.card = MemoryStore(), Card()
        self.store = JournalStore(FOLDER, self.card)

    @rule(put=st.lists(ROWS, max_size=4), delete=st.lists(IDS, max_size=3))
    def commit(self, put, delete):
        self._both(lambda store: store.commit(put, delete))

    @rule(name=st.sampled_from("ab"), value=VALUES)
    def note(self, name, value):
        self._both(lambda store: store.set_note(name, value))

    @rule(values=st.dictionaries(st.sampled_from("ab"), VALUES))
    def notes_at_once(self, values):
        self._both(lambda store: store.set_notes(values))

    @rule()
    def compact(self):
        self._both(lambda store: store.compact() if store is self.store else None)

    @rule(after=st.integers(1, 12), length=st.integers(1, 3), error=st.sampled_from([errno.EIO, errno.ENOSPC, errno.EROFS]))
    def fail_soon(self, after, length, error):
        self.card.fails = {self.card.steps + after + more: error for more in range(length)}

    @rule(wanted=SLICES, limit=st.integers(1, 9))
    def page(self, wanted, limit):
        assert all_pages(self.store, wanted, limit) == all_pages(self.model, wanted, limit)

    @rule()
    def restart(self):
        self._recover()
        self.store.close()
        self.store = JournalStore(FOLDER, self.card)

    @rule(seed=st.integers(0, 99), share=st.sampled_from(storetrials.SHARES))
    def lose_power(self, seed, share):
        self._recover()
        self.card = self.card.after_power_cut(seed, share)
        self.store = JournalStore(FOLDER, self.card)

    @invariant()
    def shows_the_same(self):
        assert set(self.store.rows()) == set(self.model.rows()) and len(self.store) == len(self.model)
        assert [repr(self.store.note(name)) for name in "ab"] == [repr(self.model.note(name)) for name in "ab"]

    def teardown(self):
        self.small.__exit__(None, None, None)

    def _both(self, do):
        """Do it to the store, and to the model unless the card refused."""
        try:
            answer = do(self.store)
        except StoreFailed:
            assert self.card.fails and not self.store.health()[0]
            return
        assert answer == do(self.model)

    def _recover(self):
        """What was refused is certainly gone once the card works again and the store knows."""
        self.card.fails = {}
        self.store.probe()
        assert self.store.health() == (True, "")

"""Whatever happens to an island, in whatever order, its set is what its rules make of all it was ever given."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from node.model.record import Kind, Right, record_id
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.index import StoreFailed
from node.store.memory import MemoryStore
from node.sync.events import Imported
from tests.effort import EFFORT
from tests.sim.village import CRIER, KEEPER, WRITER, Village, at, live

people = st.sampled_from(["founder", "ana", "ben", "cleo"])
minutes = st.integers(0, 120)
hours = st.sampled_from([1, 2, 3, 30])


class FlakyStore(MemoryStore):
    """A card that refuses now and then."""

    refuses = False

    def commit(self, put=(), delete=()):
        if self.refuses:
            raise StoreFailed("full")
        super().commit(put, delete)


class AnIsland(RuleBasedStateMachine):
    """`given` is all that anybody ever gave the island and its card took."""

    records = Bundle("records")

    @initialize(target=records)
    def settle(self):
        self.village, self.store, self.minute, self.given = Village(), FlakyStore(), 0, []
        self.replica = Replica(LiveSet(self.village.charter), self.store, [])
        credentials = [self.village.vouch("founder", "ana", KEEPER, life=2), self.village.vouch("ana", "ben", life=3)]
        return multiple(*credentials)

    @rule(target=records, author=people, minute=minutes, life=hours, urgent=st.booleans())
    def write(self, author, minute, life, urgent):
        return self.village.bulletin(author, "x", minute, life, urgent=urgent)

    @rule(target=records, author=people, minute=minutes, life=hours, raw=records, what=st.sampled_from("rck"))
    def write_about(self, author, minute, life, raw, what):
        target = record_id(raw)[:8]
        if what == "c":
            return self.village.bulletin(author, "y", minute, life, target=target)
        return self.village.sign(author, Kind.RETRACTION if what == "r" else Kind.REPLY, minute, life, target=target)

    @rule(target=records, author=people, subject=people, minute=minutes, life=hours,
          rights=st.sampled_from([WRITER, KEEPER, CRIER, Right.INVITE | WRITER]))
    def vouch(self, author, subject, rights, minute, life):
        return self.village.vouch(author, subject, rights, minute, life)

    @rule(target=records, author=people, subject=people, since=minutes, minute=minutes)
    def revoke(self, author, subject, since, minute):
        return self.village.revoke(author, subject, since, minute)

    @rule(raws=st.lists(records, max_size=6), refuses=st.sampled_from([False, False, False, True]))
    def give(self, raws, refuses):
        self.store.refuses = refuses
        before = set(self.replica.liveset.ids()), len(self.store)
        change = self.replica.liveset.propose(raws, at(self.minute))
        needs_card = change.added or change.deleted  # what only waits for a vouch is not written down
        self.replica.handle(Imported(tuple(raws), "bundle"), at(self.minute))
        if refuses and needs_card:
            assert (set(self.replica.liveset.ids()), len(self.store)) == before
        else:
            self.given += raws
        self.store.refuses = False

    @rule(step=st.integers(1, 90))
    def pass_time(self, step):
        self.minute += step
        self.replica.handle_all([], at(self.minute))

    @rule()
    def restart(self):
        """What waits in the quarantine is forgotten, and given again by the others."""
        self.replica = Replica(LiveSet(self.village.charter), self.store, [])
        self.replica.load(at(self.minute))
        self.replica.handle(Imported(tuple(self.given), "lan"), at(self.minute))

    @invariant()
    def the_set_is_what_the_rules_make_of_all_that_was_given(self):
        if hasattr(self, "island"):
            assert set(self.replica.liveset.ids()) == set(live(self.village, self.given, at(self.minute)).ids())

    @invariant()
    def the_card_holds_the_set_and_what_may_come_back(self):
        if hasattr(self, "island"):
            kept = {row.id for row in self.store.rows()}
            assert kept == {*self.replica.liveset.ids(), *self.replica.liveset.fading()}


AnIsland.TestCase.settings = settings(max_examples=40 * EFFORT, stateful_step_count=30, deadline=None)
TestAnIsland = AnIsland.TestCase

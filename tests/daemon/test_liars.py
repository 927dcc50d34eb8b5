"""Liars of every kind against the clock, in any order, with restarts at any moment: one of them never takes the board away
for good, and better evidence wins."""

import json

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from node.daemon.timekeeper import Timekeeper
from node.daemon.timerules import DAY_S, HOUR_S, MINUTE_S, UNSURE_S, TimeSource, TimeSpan, Voice, around
from node.model.clock import EPOCH_S
from tests.effort import EFFORT

pytestmark = pytest.mark.once

RELEASE = EPOCH_S + 1_000 * DAY_S
RECORD_S = 2 * DAY_S
FURTHEST_AHEAD_S = UNSURE_S + RECORD_S + HOUR_S  # one unsure voice, beyond a record that was under way; and rounding
LIES_S = st.one_of(*(st.floats(-most, most) for most in (HOUR_S, 3 * DAY_S, 100 * DAY_S, 3_000 * DAY_S)))
UNSURE = {  # each kind of voice whose word is no evidence: how it says a moment, and as whom
    "a radio's own clock": (TimeSource.RADIO, lambda utc: around(utc, 2), Voice("radio", "radio")),
    "an island on the air": (TimeSource.ISLAND, lambda utc: around(utc, 1_800), Voice("aaaa", "radio")),
    "an island that signs records": (TimeSource.ISLAND, lambda utc: TimeSpan(utc, utc + RECORD_S), Voice("bbbb", "key b")),
    "a broken machine": (TimeSource.MACHINE, lambda utc: TimeSpan(utc, utc), Voice("machine", "machine")),
}
BEST = {"satellites": (TimeSource.GPS, Voice("radio", "radio")),
        "the network": (TimeSource.SYSTEM, Voice("machine", "machine"))}


class World:
    """True time, and a machine whose calendar is what it likes. `monotonic` begins anew at each start."""

    rate = 1.0

    def __init__(self):
        self.true = RELEASE + 50 * DAY_S
        self.started_at = self.true
        self.wrong_s = 0.0

    def now(self):
        return self.true + self.wrong_s

    def monotonic(self):
        return self.true - self.started_at


class OneLiar(RuleBasedStateMachine):
    """An island, true time, and one liar; whoever else speaks is right. The liar's word is no evidence."""

    liars = tuple(UNSURE)

    @initialize(liar=st.sampled_from(sorted(UNSURE)), told=st.booleans())
    def begin(self, liar, told):
        self.world, self.liar = World(), liar
        self.keeper = Timekeeper(self.world, None, RELEASE)
        if told:
            self.best_speaks("the network")

    def say(self, kind, utc):
        source, meant, voice = UNSURE[kind]
        self.keeper.tell(source, meant(utc), voice, settled=source is not TimeSource.MACHINE)

    @rule(lie_s=LIES_S, times=st.integers(1, 5))
    def lie(self, lie_s, times):
        for _ in range(times):
            self.say(self.liar, self.world.true + lie_s)
            self.pass_time(20)

    @rule(kind=st.sampled_from(sorted(UNSURE)), late_s=st.floats(0, RECORD_S))
    def another_is_right(self, kind, late_s):
        """A record may come late; what it says then is that it was that minute."""
        shares = UNSURE[kind][2].who, UNSURE[kind][2].via
        if not {*shares} & {*UNSURE[self.liar][2]}:
            self.say(kind, self.world.true - (late_s if "records" in kind else 0))

    @rule(seconds=st.floats(1, 40 * DAY_S))
    def pass_time(self, seconds):
        self.world.true += seconds
        self.keeper.settle()

    @rule(off_s=st.floats(0, 900 * DAY_S), wrong_s=LIES_S)
    def restart(self, off_s, wrong_s):
        note = json.loads(json.dumps(self.keeper.note()))
        self.world.true += off_s
        self.world.started_at = self.world.true
        self.world.wrong_s = wrong_s if self.liar == "a broken machine" else 0.0
        before = self.keeper.floor
        self.keeper = Timekeeper(self.world, note, RELEASE)
        assert abs(self.keeper.floor - before) <= 1

    @rule(kind=st.sampled_from(sorted(BEST)))
    def best_speaks(self, kind):
        source, voice = BEST[kind]
        floor = self.keeper.floor
        self.keeper.tell(source, self.world.true, voice)
        assert abs(self.keeper.now() - self.world.true) <= 1 and self.keeper.sure, "better evidence wins at once"
        assert self.keeper.floor >= floor, "and nothing had raised the floor too far"

    @rule()
    def a_keeper_speaks(self):
        if self.keeper.keeper_says(self.world.true):
            assert 0 <= self.keeper.now() - self.world.true <= MINUTE_S

    @invariant()
    def the_board_is_not_taken_away(self):
        if hasattr(self, "keeper"):
            assert self.keeper.now() <= self.world.true + FURTHEST_AHEAD_S

    @invariant()
    def the_floor_is_past(self):
        if hasattr(self, "keeper"):
            assert RELEASE <= self.keeper.floor <= self.world.true + MINUTE_S


class OneGreatLiar(RuleBasedStateMachine):
    """The liar is satellites, the network, or a keeper who mistypes. It may win for a while, and never for good."""

    @initialize(liar=st.sampled_from([*sorted(BEST), "a keeper"]))
    def begin(self, liar):
        self.world, self.liar = World(), liar
        self.keeper = Timekeeper(self.world, None, RELEASE)
        self.lied_at = None

    @rule(lie_s=LIES_S)
    def lie(self, lie_s):
        self.lied_at = self.world.true
        if self.liar == "a keeper":
            self.keeper.keeper_says(self.world.true + lie_s)
        else:
            self.keeper.tell(BEST[self.liar][0], self.world.true + lie_s, BEST[self.liar][1])

    @rule(seconds=st.floats(1, 10 * DAY_S))
    def pass_time(self, seconds):
        self.world.true += seconds
        self.keeper.settle()

    @rule(off_s=st.floats(0, 90 * DAY_S))
    def restart(self, off_s):
        note = json.loads(json.dumps(self.keeper.note()))
        self.world.true += off_s
        self.world.started_at = self.world.true
        self.keeper = Timekeeper(self.world, note, RELEASE)

    @precondition(lambda self: self.liar != "a keeper")
    @rule()
    def the_liar_is_taken_off_and_a_keeper_speaks(self):
        self.pass_time(601)
        assert self.keeper.keeper_says(self.world.true)
        assert 0 <= self.keeper.now() - self.world.true <= MINUTE_S and self.keeper.floor <= self.keeper.now()

    @rule(kind=st.sampled_from(sorted(BEST)))
    def another_best_source_speaks_for_a_day(self, kind):
        if kind == self.liar:
            return
        source, voice = BEST[kind]
        self.pass_time(601)
        for _ in range(148):
            self.keeper.tell(source, self.world.true, voice)
            self.pass_time(590)
        assert abs(self.keeper.now() - self.world.true) <= 1 and self.keeper.sure
        assert self.keeper.floor <= self.keeper.now()

    @precondition(lambda self: self.liar == "a keeper")
    @rule()
    def the_keeper_speaks_again(self):
        self.pass_time(601)
        assert self.keeper.keeper_says(self.world.true)
        assert 0 <= self.keeper.now() - self.world.true <= MINUTE_S


for machine, examples in ((OneLiar, 200), (OneGreatLiar, 60)):
    machine.TestCase.settings = settings(max_examples=examples * EFFORT, stateful_step_count=30, deadline=None)

TestOneLiar = OneLiar.TestCase
TestOneGreatLiar = OneGreatLiar.TestCase

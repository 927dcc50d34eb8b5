"""When to say what we hold (SUM): by Trickle, to be known at all, and in answer to what was heard.

Nothing here asks for anything: that is `requests`, which says until when something that we lack seems to be coming.
"""

import math
from collections.abc import Callable

from node.sync.lora.neighbours import EXPLORE_HOPS, RELAY_HOPS, Neighbour, Neighbourhood, View
from node.sync.lora.trickle import Trickle
from node.sync.lora.tuning import Span, Timing


class Announcements:
    """Our next SUM: its moment, its capacity, and how far it is to go."""

    def __init__(self, neighbours: Neighbourhood, timing: Timing):
        self._neighbours, self._timing, self._tuning = neighbours, timing, timing.tuning
        self.trickle = Trickle(self._tuning.trickle_min_s, self._tuning.trickle_max_s, self._tuning.trickle_redundancy,
                               timing.rng)
        self.capacity = self._tuning.usual_capacity
        self.introductions = self._tuning.introductions  # still to go
        self.unspoken = 0  # records kept since we last sent anything: neighbours do not know that we are there
        self.hour = 0  # of the newest summary that we are about to answer
        self.reach_hops = 0  # so many relays are to carry our next SUM on: somebody may be behind them
        self._sum_at = self._explore_at = self._again_at = self._assure_at = math.inf
        self._assured = 0  # how often since the last record
        self._told_in_vain = 0  # how often in a row we said what we hold, and knew no more of a neighbour that differs
        self._introduce_at = self._correct_at = self._meet_at = self._probe_at = 0.0

    def next_at(self, quiet_at: float) -> float:
        """When there is something to do; `quiet_at`: see `say_at`."""
        return min(self.say_at(quiet_at), self.trickle.at, self._again_at, self._assure_at)

    def say_at(self, quiet_at: float) -> float:
        """When to send our SUM. A large one, but for the first, waits as questions do until nothing comes (`quiet_at`)."""
        hurry = self.capacity <= self._tuning.usual_capacity or self._unheard
        return self._sum_at if hurry else max(self._sum_at, quiet_at)

    @property
    def _unheard(self) -> bool:
        """Whether not even the first of our introductions went out."""
        return self.introductions == self._tuning.introductions

    def sum_soon(self, at: float, capacity: int, within_t: Span = (0, 0)) -> None:
        """Say what we hold, within a span of T from now."""
        self.capacity = max(capacity, self.capacity) if self._sum_at < math.inf else capacity
        self._sum_at = min(self._sum_at, at + self._timing.draw_s(within_t))

    def tell_difference(self, at: float) -> None:
        """Say what we hold in such a way that most differences can be told from it."""
        self.sum_soon(at, self._tuning.hello_capacity, self._tuning.answer_t)

    def meet(self, at: float) -> None:
        """A keeper wants us to be compared with: once in Trickle's shortest interval at most, however often they ask."""
        if at >= self._meet_at:
            self._meet_at = at + self._tuning.introduce_again_s
            self.trickle.reset(at)
            self.tell_difference(at)

    # to be known

    def hello(self, at: float) -> None:
        """We are new here, or back."""
        self.trickle.reset(at)
        self.introductions = self._tuning.introductions
        self.heard_far(at)
        self.tell_difference(at)

    def introduce(self, at: float) -> None:
        """A neighbour does not know that we hear it."""
        if at >= self._introduce_at:
            self._introduce_at = at + self._tuning.introduce_again_s
            self.sum_soon(at, self._tuning.usual_capacity, self._tuning.introduce_t)

    def correct(self, at: float) -> None:
        """Somebody far off has its packets carried to us, though islands tie us together: tell it whom we hear."""
        if at >= self._correct_at:
            self._correct_at = at + self._tuning.lonely_interval_s
            self.reach_hops = RELAY_HOPS
            self.sum_soon(at, self._tuning.usual_capacity, self._tuning.introduce_t)

    def heard_far(self, at: float) -> None:
        """Packets go far here now and then: no need for ours to, for half a day."""
        self._explore_at = at + self._tuning.explore_s * self._timing.rng.uniform(1, 1.5)

    # by Trickle

    def fire(self, at: float, doubt: float, coming: bool) -> None:
        """Trickle's moment. `doubt`: how many neighbours may lack something; without any, or while what we lack is
        `coming`, only the longest interval counts.

        Who has kept many records and said nothing speaks all the same: its neighbours must know that it is there.
        """
        live = self._neighbours.live()
        resting = self._set_pace(live, doubt)
        wanted = self.trickle.fire() and (resting or (doubt >= self._tuning.doubt and not coming))
        exploring = at >= self._explore_at
        lost = self._neighbours.lost()
        if lost and at >= self._probe_at:
            self._probe_at = at + self._tuning.probe_s
            self.reach_hops = max(one.reach_hops for one in lost)
        if exploring:
            self.heard_far(at)
        if exploring or self.introductions == 1:
            self.reach_hops = EXPLORE_HOPS
        unknown = self.introductions > 0 or self.unspoken >= max(self._tuning.unspoken_records, len(self._neighbours))
        if wanted or self.reach_hops or unknown:
            self.sum_soon(at, self._telling(live))

    def assure_later(self, at: float) -> None:
        """Something new went by: when it has gone by, whoever may have missed it is to hear what we hold."""
        self._assured = 0
        self._assure_at = at + self._timing.draw_s(self._tuning.assure_t)

    def assure(self, at: float, doubtful: Callable[[float], bool]) -> None:
        """Say what we hold, on a first evening a few times, if it is time, we have met somebody of late, and someone may
        have missed what went by."""
        if at >= self._assure_at:
            self._assure_at = math.inf
            if doubtful(at - self._tuning.assure_new_s):
                self.sum_soon(at, self._tuning.usual_capacity)
                self._assured += 1
                if self._assured < self._tuning.assure_times and self._neighbours.is_evening(at):
                    self._assure_at = at + self._timing.draw_s(self._tuning.assure_t)

    def remind(self, at: float, quiet_at: float) -> None:
        """Say again what we hold, if it is time and a neighbour's set differs still; `quiet_at`: see `say_at`."""
        if at < self._again_at:
            return
        self._again_at = quiet_at if quiet_at > at else math.inf
        if quiet_at <= at and self._unclear():
            self.tell_difference(at)

    def _unclear(self) -> bool:
        """Whether a neighbour differs in what a SUM may show, or never told what it holds and has not been told often."""
        patient = self._told_in_vain <= self._tuning.max_unanswered
        tellable = self._tuning.hello_capacity
        return any((one.view is View.FAR and one.gap <= tellable) or (one.view is View.UNKNOWN and patient)
                   for one in self._neighbours.live())

    def _set_pace(self, live: list[Neighbour], doubt: float) -> bool:
        """Set Trickle's longest interval; whether the one that ends now was as long."""
        tuning, trickle = self._tuning, self.trickle
        most_s = tuning.crowd_interval_s if len(live) >= tuning.crowd else tuning.trickle_max_s
        trickle.max_s = tuning.unequal_interval_s if doubt >= 1 else most_s
        if any(one.view is not View.SAME or one.quiet for one in self._neighbours.lost()):
            trickle.max_s = min(trickle.max_s, tuning.probe_s)
        resting = not live or (doubt < 1 and trickle.interval_s >= trickle.max_s)
        if not live:
            trickle.interval_s = min(trickle.interval_s, tuning.lonely_interval_s / 2)
        return resting

    def _telling(self, live: list[Neighbour]) -> int:
        """A capacity from which neighbours can tell the difference to our set, where a SUM can hold that."""
        tuning = self._tuning
        wanted = [one.gap + tuning.spare_capacity for one in live if one.view is View.FAR]
        return max((capacity for capacity in wanted if capacity <= tuning.hello_capacity), default=tuning.usual_capacity)

    def _tell_again(self, at: float) -> None:
        """While it is not known what a neighbour holds, say what we hold again: that or its answer may be lost."""
        tuning = self._tuning
        if self._unclear():
            doublings = min(self._told_in_vain, tuning.max_unanswered)
            self._again_at = at + self._timing.draw_s(tuning.tell_again_t) * 2**doublings
            self._told_in_vain += 1

    def told_apart(self) -> None:
        """A neighbour's set could be told from ours."""
        self._told_in_vain = 0

    # what others said for us, and what we said

    def leave_sum(self, sender: Neighbour, capacity: int) -> None:
        """Somebody who holds what we hold said it for us, with so much capacity, unless who differs cannot hear it."""
        hearers = self._neighbours.shared_with(sender)
        if any(one.view is View.FAR and one is not sender and one not in hearers for one in self._neighbours.live()):
            return
        self.trickle.consistent()
        if not self._unheard and capacity >= min(self.capacity, self._tuning.small_sum):
            self._sum_at = math.inf

    def leave_reply(self) -> None:
        """Whoever we were about to tell what it lacks has asked somebody else."""
        if not self._unheard and self.capacity > self._tuning.usual_capacity:
            self._sum_at, self.capacity = math.inf, self._tuning.usual_capacity

    def leave_to_filter(self) -> None:
        """Our filter says more than our SUM would."""
        self._sum_at = math.inf

    def summed(self, at: float) -> None:
        """Our SUM went out."""
        self.introductions -= 1
        self.trickle.consistent()
        self._tell_again(at)
        self._sum_at, self.capacity, self.hour, self.reach_hops = math.inf, self._tuning.usual_capacity, 0, 0

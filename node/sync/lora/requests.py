"""When to say what we hold, and when to ask for what we lack: by Trickle, and in answer to what was heard."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from node.sync.lora.neighbours import Neighbour, Neighbourhood, View
from node.sync.lora.packets import MAX_NEEDED, MAX_RESPONDERS, More, Need
from node.sync.lora.reassembly import Reassembly
from node.sync.lora.trickle import Trickle
from node.sync.lora.tuning import Span, Timing

ANYBODY = 0  # the responder's address when the one named first did not answer


@dataclass
class Ask:
    """One thing asked for: how often, and when to ask again."""

    times: int = 0
    at: float = 0.0


class Requests:
    """What to say about our set, and when."""

    def __init__(self, neighbourhood: Neighbourhood, workshop: Reassembly, timing: Timing):
        self._near, self._workshop, self._timing = neighbourhood, workshop, timing
        self._tuning = tuning = timing.tuning
        self.trickle = Trickle(tuning.trickle_min_s, tuning.trickle_max_s, tuning.trickle_redundancy, timing.rng)
        self.sum_at = self.have_at = self.need_at = math.inf
        self.capacity = tuning.usual_capacity
        self.hour = 0  # of the newest summary that we are about to answer
        self.unspoken = 0  # records kept since we last sent anything: neighbours do not know that we are there
        self.introductions = tuning.introductions
        self.far_off = False  # whether our next SUM is to be carried on by plain relays: somebody may be behind them
        self._introduce_at = self._correct_at = 0.0
        self._explore_at = math.inf
        self._asked: dict[int | bytes, Ask] = {}
        self._have_times = 0.0  # in vain; filters of a part count by the part
        self._quiet_at, self._flow, self._unanswered = 0.0, 0, 0
        self._to: Neighbour | None = None  # whom alone we asked last

    def next_at(self) -> float:
        """When there is something to do."""
        return min(self.say_at, max(min(self.have_at, self.need_at), self._quiet_at), self.trickle.at)

    @property
    def say_at(self) -> float:
        """When to send our SUM: a large one, but for the first, waits like what asks for something."""
        hurry = self.capacity <= self._tuning.usual_capacity or self.introductions == self._tuning.introductions
        return self.sum_at if hurry else max(self.sum_at, self._quiet_at)

    def coming(self, at: float) -> None:
        """A record that we lack, or a piece of one, came: while more are coming, do not ask.

        A sender with many goes on after a while: governors let nobody fill more than a quarter of a minute, or its share of
        an hour. Whatever is lacking then is asked for in one packet.
        """
        self._flow = self._flow + 1 if at < self._quiet_at else 1
        flows = self._flow >= self._tuning.flow_records
        self._unanswered = self._tuning.flow_unanswered if flows else 0
        quiet_t = self._tuning.flow_quiet_t if flows else self._tuning.quiet_t
        self._quiet_at = at + self._timing.draw_s(quiet_t)  # all who lack it heard the same packet

    def may_ask(self, at: float) -> bool:
        """Whether nothing is coming at present."""
        return at >= self._quiet_at

    def responders(self) -> tuple[int, ...]:
        """Who is to send us what we lack, when that is much: those we hear best of those who seem to hold more."""
        far = [one for one in self._near.live() if one.view is View.FAR or one.ahead]
        best = sorted(far, key=lambda one: (one.hops, one.loss))[:MAX_RESPONDERS]
        return tuple(sorted(one.address for one in best))  # so that each has the same part the next time

    def hello(self, at: float) -> None:
        """We are new here, or back: say what we hold, in a way that most differences can be told from."""
        self.trickle.reset(at)
        self.introductions = self._tuning.introductions
        self.heard_far(at)
        self.sum_soon(at, self._tuning.hello_capacity, self._tuning.answer_t)

    def introduce(self, at: float) -> None:
        """A neighbour does not know that we hear it."""
        if at >= self._introduce_at:
            self._introduce_at = at + self._tuning.trickle_min_s
            self.sum_soon(at, self._tuning.usual_capacity, self._tuning.introduce_t)

    def heard_far(self, at: float) -> None:
        """Packets go far here now and then: no need for ours to, for half a day."""
        self._explore_at = at + self._tuning.explore_s * self._timing.rng.uniform(1, 1.5)

    def correct(self, at: float) -> None:
        """Somebody far off has its packets carried to us, though islands tie us together: tell it whom we hear."""
        if at >= self._correct_at:
            self._correct_at = at + self._tuning.lonely_interval_s
            self.far_off = True
            self.sum_soon(at, self._tuning.usual_capacity, self._tuning.introduce_t)

    def sum_soon(self, at: float, capacity: int, within_t: Span = (0, 0)) -> None:
        """Say what we hold, within a span of T from now."""
        self.capacity = max(capacity, self.capacity) if self.sum_at < math.inf else capacity
        self.sum_at = min(self.sum_at, at + self._timing.draw_s(within_t))

    def fire(self, at: float, doubt: float) -> None:
        """Trickle's moment. `doubt`: how many neighbours may lack something; without any, or while what we lack is coming,
        only the longest interval counts.

        Who has kept many records and said nothing speaks all the same: its neighbours must know that it is there.
        """
        live = self._near.live()
        lonely = not live
        most_s = self._tuning.crowd_interval_s if len(live) >= self._tuning.crowd else self._tuning.trickle_max_s
        self.trickle.max_s = self._tuning.unequal_interval_s if doubt >= 1 else most_s
        resting = lonely or (doubt < 1 and self.trickle.interval_s >= self.trickle.max_s)
        if lonely:
            self.trickle.interval_s = min(self.trickle.interval_s, self._tuning.lonely_interval_s / 2)
        wanted = self.trickle.fire() and (resting or (doubt >= self._tuning.doubt and self.may_ask(at)))
        exploring = at >= self._explore_at
        if exploring:
            self.heard_far(at)
        self.far_off |= exploring or self.introductions == 1
        unknown = self.introductions > 0 or self.unspoken >= max(self._tuning.unspoken_records, len(self._near))
        if wanted or exploring or unknown:
            self.sum_soon(at, self._telling(live))

    def _telling(self, live: list[Neighbour]) -> int:
        """A capacity from which neighbours can tell the difference to our set, where a SUM can hold that."""
        tuning = self._tuning
        wanted = [one.gap + tuning.spare_capacity for one in live if one.view is View.FAR]
        return max((capacity for capacity in wanted if capacity <= tuning.hello_capacity), default=tuning.usual_capacity)

    def same(self, neighbour: Neighbour) -> None:
        """It holds what we hold."""
        neighbour.view, neighbour.have = View.SAME, None
        neighbour.ahead.clear()
        self.trickle.consistent()
        self._have_times = 0

    def behind(self, neighbour: Neighbour, elements: list[int], day: int, at: float) -> None:
        """It holds what we lack: ask for it, unless it comes by itself."""
        neighbour.view, neighbour.have = View.KNOWN, None
        neighbour.ahead = dict.fromkeys(elements[:self._tuning.max_asked], day)
        self._have_times = 0
        if elements:
            self.need_soon(at)

    def need_soon(self, at: float) -> None:
        """Ask within a few packets' time."""
        self.need_at = min(self.need_at, at + self._timing.draw_s(self._tuning.need_t))

    def far(self, neighbour: Neighbour, capacity: int, gap: int, at: float) -> None:
        """It holds too different a set to tell: answer with more of ours, then with a filter."""
        neighbour.view, neighbour.gap = View.FAR, max(abs(gap), capacity + 1)
        neighbour.ahead.clear()
        if capacity < self._tuning.small_sum and abs(gap) < self._tuning.hello_capacity and self._have_times == 0:
            self.sum_soon(at, self._tuning.hello_capacity, self._tuning.answer_t)
        else:
            wait = self._timing.draw_s(self._tuning.answer_t) * 2 ** min(self._have_times, self._tuning.filter_doublings)
            self.have_at = min(self.have_at, at + wait)

    def leave_it(self, capacity: int) -> None:
        """Somebody who holds what we hold said it for us."""
        if self.introductions < self._tuning.introductions and capacity >= min(self.capacity, self._tuning.small_sum):
            self.sum_at = math.inf

    def leave_reply(self) -> None:
        """Whoever we were about to tell what it lacks has asked somebody else."""
        if self.introductions < self._tuning.introductions and self.capacity > self._tuning.usual_capacity:
            self.sum_at, self.capacity = math.inf, self._tuning.usual_capacity

    def leave_filter(self) -> None:
        """Somebody who holds what we hold sent its filter."""
        self.have_at = math.inf

    def arrived(self, element: int) -> None:
        """We have it now; no neighbour is ahead by it any more."""
        self._asked.pop(element, None)
        for one in self._near:
            one.ahead.pop(element, None)

    def need(self, at: float) -> Need | None:
        """What to ask for now, and of whom first: of the neighbour that is ahead by most; after two times, of anybody."""
        live = {one.address for one in self._near.live()}
        wanted = [(one.address in live, len(due), self._timing.rng.random() - one.loss, one, due)
                  for one in self._near if (due := self._due(one, at))]
        if not wanted:
            return None
        there, _, _, one, due = max(wanted, key=lambda item: item[:3])
        named = there and not all(self._asked.get(element, Ask()).times >= self._tuning.named_asks for element in due)
        return Need(one.address if named else ANYBODY, one.ahead[due[0]] % 256, tuple(due[:MAX_NEEDED]))

    def _due(self, one: Neighbour, at: float) -> list[int]:
        """What to ask of one neighbour; not while pieces that it sent are still to be completed."""
        if len(one.ahead) <= self._workshop.open_from(one.address):
            return []
        soon = at + self._timing.unit_s * self._tuning.soon_t
        return [element for element in one.ahead if self._asked.get(element, Ask()).at <= soon]

    def more(self, at: float) -> list[More]:
        """Which pieces to ask for now."""
        wanted = []
        for short_id in self._workshop.forget(at):
            ask, state = self._asked.get(short_id, Ask()), self._workshop.missing(short_id)
            if state and ask.at <= at + self._timing.unit_s * self._tuning.soon_t:
                parts, missing, sender = state
                wanted.append(More(ANYBODY if ask.times >= self._tuning.named_asks else sender, short_id, parts, missing))
        return wanted

    def piece_came(self, short_id: bytes, at: float) -> None:
        """Wait for the rest before asking."""
        self._postpone(short_id, at, self._timing.draw_s(self._tuning.piece_wait_t), 0)

    def asked(self, things: tuple[int | bytes, ...], at: float) -> None:
        """We asked for these: give them time to come, and more time each time that nothing comes."""
        most = self._tuning.max_unanswered if self._lacks_many() else self._tuning.few_unanswered
        wait = self._timing.draw_s(self._tuning.ask_again_t) * 2 ** min(self._unanswered, most)
        for thing in things:
            self._postpone(thing, at, wait, 1)
        in_vain = [thing for thing in things if self._asked[thing].times >= self._tuning.max_asks]
        self._give_up([thing for thing in in_vain if isinstance(thing, int)], at)
        self._replan(at)
        self._quiet_at = max(self._quiet_at, at + wait)

    def _lacks_many(self) -> bool:
        return any(one.view is View.FAR or len(one.ahead) + self._workshop.open_from(one.address) > self._tuning.few_lacking
                   for one in self._near.live())

    def _give_up(self, elements: list[int], at: float) -> None:
        """What nobody gives may not exist: a sketch was too small for what it stood for. Compare by a large one."""
        for element in elements:
            self.arrived(element)
        if elements:
            self.sum_soon(at, self._tuning.hello_capacity, self._tuning.answer_t)

    def ask_done(self, to: Neighbour | None) -> None:
        """A packet that asks went out, `to` one neighbour or to everybody."""
        self._unanswered += 1
        self._to = to

    def answered(self, sender: Neighbour, things: Iterable[int | bytes]) -> None:
        """A neighbour sent these: if we had asked it alone, that works."""
        if sender is self._to and any(self._asked.get(thing, Ask()).times for thing in things):
            sender.in_vain = 0

    def leave_asking(self, elements: tuple[int, ...], at: float) -> None:
        """Somebody else asked for these: what it gets, we hear too."""
        for element in elements:
            if any(element in one.ahead for one in self._near):
                self._postpone(element, at, self._timing.draw_s(self._tuning.leave_asking_t), 0)
        self._replan(at)

    def _postpone(self, thing: int | bytes, at: float, wait: float, times: int) -> None:
        ask = self._asked.pop(thing, None) or Ask()
        self._asked[thing] = Ask(ask.times + times, max(ask.at, at + wait))
        if len(self._asked) > self._tuning.max_asked:
            del self._asked[next(iter(self._asked))]
        self.need_at = min(self.need_at, at + wait)

    def _replan(self, at: float) -> None:
        moments = [self._asked.get(element, Ask()).at for one in self._near for element in one.ahead]
        moments += [self._asked.get(short_id, Ask()).at for short_id in self._workshop.forget(at)]
        self.need_at = max(min(moments, default=math.inf), at)

    def nothing_to_ask(self, at: float) -> None:
        """Nothing was due after all."""
        self._replan(at)
        if self.need_at <= at:
            self.need_at = math.inf

    def summed(self) -> None:
        """Our SUM went out."""
        self.introductions -= 1
        self.trickle.consistent()
        self.sum_at, self.capacity, self.hour, self.far_off = math.inf, self._tuning.usual_capacity, 0, False

    def filtered(self, depth: int = 0) -> None:
        """Our filter went out: the next one waits longer unless it helps, or is about another part."""
        self.have_at, self.sum_at = math.inf, math.inf
        self._have_times += 0.5**depth

"""When to ask for what we lack, whom, and for how much at a time (NEED, MORE, HAVE).

Nobody asks while something comes: whoever sends much pauses for its governor's sake, and what is lacking then is asked for
in one packet. A difference too large to tell is asked for by a filter of what we hold; a smaller one that a SUM of ours
may show is left to `announcements`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from node.sync.lora.announcements import Announcements
from node.sync.lora.neighbours import Neighbour, Neighbourhood, View
from node.sync.lora.packets import MAX_NEEDED, MAX_RESPONDERS, More, Need
from node.sync.lora.reassembly import Reassembly
from node.sync.lora.tuning import Timing

ANYBODY = 0  # the responder's address when the one named first did not answer


@dataclass
class Ask:
    """One thing asked for: how often, and when to ask again."""

    times: int = 0
    at: float = 0.0


class Requests:
    """Our questions: what is asked for (elements of records, short ids of records in pieces), and the next moment."""

    def __init__(self, neighbours: Neighbourhood, reassembly: Reassembly, announcements: Announcements, timing: Timing):
        self._neighbours, self._reassembly, self._announcements = neighbours, reassembly, announcements
        self._timing, self._tuning = timing, timing.tuning
        self.need_at = self.filter_at = math.inf
        self.quiet_at = 0.0  # until then something that we lack seems to be coming
        self._asked: dict[int | bytes, Ask] = {}
        self._flow = 0  # things that came one soon after the other
        self._unanswered = 0  # questions in a row
        self._filters_in_vain = 0.0  # filters of a part count by the part
        self._alone: Neighbour | None = None  # whom alone we asked last

    def next_at(self) -> float:
        """When there is something to ask."""
        return max(min(self.filter_at, self.need_at), self.quiet_at)

    def may_ask(self, at: float) -> bool:
        """Whether nothing is coming at present."""
        return at >= self.quiet_at

    # what comes

    def coming(self, sender: Neighbour, at: float) -> None:
        """A record that we lack, or a piece of one, came: while more are coming, do not ask.

        A sender with many goes on after a while: governors let nobody fill more than a quarter of a minute, or use
        more than its share. Whatever is lacking then is asked for in one packet.
        """
        self._flow = self._flow + 1 if at < self.quiet_at else 1
        flows = self._flow >= self._tuning.flow_records and self._lacks_many()
        tired = flows and self._neighbours.tired(sender, at)
        self._unanswered = self._tuning.flow_unanswered if tired else 0
        quiet_t = self._tuning.tired_quiet_t if tired else self._tuning.flow_quiet_t if flows else self._tuning.quiet_t
        self.quiet_at = at + self._timing.draw_s(quiet_t)  # drawn, as all who lack it heard the same packet

    def piece_came(self, short_id: bytes, at: float) -> None:
        """Wait for the rest before asking."""
        self._postpone(short_id, at, self._timing.draw_s(self._tuning.piece_wait_t), 0)

    def answered(self, sender: Neighbour, things: Iterable[int | bytes]) -> None:
        """A neighbour sent these: if we had asked it alone, that works."""
        if sender is self._alone and any(self._asked.get(thing, Ask()).times for thing in things):
            sender.in_vain = 0

    def arrived(self, element: int) -> None:
        """We have it now; no neighbour is ahead by it any more."""
        self._asked.pop(element, None)
        for one in self._neighbours:
            one.ahead.pop(element, None)

    # what a comparison with a neighbour's SUM or HAVE showed

    def same(self, neighbour: Neighbour) -> None:
        """It holds what we hold."""
        neighbour.holds_the_same()
        self._filters_in_vain = 0

    def behind(self, neighbour: Neighbour, elements: list[int], day: int, at: float) -> None:
        """It holds what we lack: ask for it, unless it comes by itself."""
        neighbour.holds_besides(elements[: self._tuning.max_asked], day)
        self._announcements.told_apart()
        self._filters_in_vain = 0
        if elements:
            self.need_at = min(self.need_at, at + self._timing.draw_s(self._tuning.need_t))

    def far(self, neighbour: Neighbour, capacity: int, gap: int, at: float) -> None:
        """It holds too different a set to tell: answer with more of ours, then with a filter."""
        neighbour.too_different(max(abs(gap), capacity + 1), ahead=self._neighbours.is_evening(at))
        if capacity < self._tuning.small_sum and abs(gap) < self._tuning.hello_capacity and self._filters_in_vain == 0:
            self._announcements.tell_difference(at)
        else:
            doublings = min(self._filters_in_vain, self._tuning.filter_doublings)
            self.filter_at = min(self.filter_at, at + self._timing.draw_s(self._tuning.answer_t) * 2**doublings)

    # what to ask for now

    def need(self, at: float) -> Need | None:
        """What to ask for now, and of whom first: of the neighbour that is ahead by most; after two times, of anybody."""
        live = {one.address for one in self._neighbours.live()}
        wanted = [(one.address in live, len(due), self._timing.rng.random() - one.loss, one, due)
                  for one in self._neighbours if (not one.hops or one.address in live) and (due := self._due(one, at))]
        if not wanted:
            return None
        there, _, _, one, due = max(wanted, key=lambda item: item[:3])
        named = there and not all(self._times(element) >= self._tuning.named_asks for element in due)
        return Need(one.address if named else ANYBODY, one.ahead[due[0]] % 256, tuple(due[:MAX_NEEDED]))

    def _due(self, one: Neighbour, at: float) -> list[int]:
        """What to ask of one neighbour; not while pieces that it sent are still to be completed."""
        if len(one.ahead) <= self._reassembly.open_from(one.address):
            return []
        return [element for element in one.ahead if self._is_due(element, at)]

    def more(self, at: float) -> list[More]:
        """Which pieces to ask for now."""
        wanted = []
        for short_id in self._reassembly.forget(at):
            record = self._reassembly.missing(short_id)
            if record and self._is_due(short_id, at):
                responder = record.sender if self._times(short_id) < self._tuning.named_asks else ANYBODY
                wanted.append(More(responder, short_id, record.parts, record.missing))
        return wanted

    def _is_due(self, thing: int | bytes, at: float) -> bool:
        """Whether to ask for it now, or so soon that it is asked for together with what is due."""
        return self._asked.get(thing, Ask()).at <= at + self._timing.unit_s * self._tuning.soon_t

    def _times(self, thing: int | bytes) -> int:
        return self._asked.get(thing, Ask()).times

    def responders(self) -> tuple[int, ...]:
        """Who is to send us what we lack, when that is much: those we hear best of those who seem to hold more."""
        far = [one for one in self._neighbours.live() if one.view is View.FAR or one.ahead]
        best = sorted(far, key=lambda one: (one.hops, one.loss))[:MAX_RESPONDERS]
        return tuple(sorted(one.address for one in best))  # so that each has the same part the next time

    def nothing_to_ask(self, at: float) -> None:
        """Nothing was due after all."""
        self._replan(at)
        if self.need_at <= at:
            self.need_at = math.inf

    # what was asked, by us or by others

    def sent(self, questions: Sequence[Need | More], to: Neighbour | None, at: float) -> None:
        """A packet with these went out, `to` one neighbour or to everybody: give them time to come, and more time each time
        that nothing comes."""
        self._unanswered += 1
        self._alone = to
        tuning, many = self._tuning, self._lacks_many()
        evening = self._neighbours.is_evening(at)
        few = tuning.evening_unanswered if evening else tuning.few_unanswered
        most, again_t = (tuning.max_unanswered, tuning.ask_again_t) if many else (few, tuning.few_again_t)
        for question in questions:
            asked = self._neighbours.get(question.responder)
            in_vain = float(self._unanswered)
            if asked and asked.hops:  # most likely the question or its answer was lost on the way
                in_vain *= 1 - asked.loss
            wait_s = self._timing.draw_s(again_t) * 2 ** min(int(in_vain), most)
            things = question.elements if isinstance(question, Need) else (question.short_id,)
            for thing in things:
                self._postpone(thing, at, wait_s, 1)
            if isinstance(question, Need):
                asks = tuning.max_asks / (1 - tuning.evening_far_loss if evening and asked and asked.hops else 1)
                self._give_up([one for one in question.elements if self._times(one) >= asks], at)
            self._replan(at)
            self.quiet_at = max(self.quiet_at, at + wait_s)

    def _lacks_many(self) -> bool:
        few = self._tuning.few_lacking
        return any(self._untold(one) > few or len(one.ahead) + self._reassembly.open_from(one.address) > few
                   for one in self._neighbours.live())

    @staticmethod
    def _untold(one: Neighbour) -> float:
        """How many records its set and ours differ by at least, where it is not known which; of a filter that is open."""
        if one.view is not View.FAR:
            return 0
        return one.gap if one.have is None else math.inf

    def _give_up(self, elements: list[int], at: float) -> None:
        """What nobody gives may not exist: a sketch was too small for what it stood for. Compare by a large one."""
        for one in self._neighbours if elements else ():
            if any(element in one.ahead for element in elements):
                one.too_different(1)
        for element in elements:
            self.arrived(element)
        if elements:
            self._announcements.tell_difference(at)

    def filter_sent(self, depth: int = 0) -> None:
        """Our filter went out, or nobody could answer it: the next waits longer unless this helps or was about a part."""
        self.filter_at = math.inf
        self._filters_in_vain += 0.5**depth
        self._announcements.leave_to_filter()

    def leave_filter(self) -> None:
        """Somebody who holds what we hold sent its filter."""
        self.filter_at = math.inf

    def leave_asking(self, elements: tuple[int, ...], at: float) -> None:
        """Somebody else asked for these: what it gets, we hear too."""
        for element in elements:
            if any(element in one.ahead for one in self._neighbours):
                self._postpone(element, at, self._timing.draw_s(self._tuning.leave_asking_t), 0)
        self._replan(at)

    def _postpone(self, thing: int | bytes, at: float, wait_s: float, times: int) -> None:
        ask = self._asked.pop(thing, None) or Ask()
        self._asked[thing] = Ask(ask.times + times, max(ask.at, at + wait_s))
        if len(self._asked) > self._tuning.max_asked:
            del self._asked[next(iter(self._asked))]
        self.need_at = min(self.need_at, at + wait_s)

    def _replan(self, at: float) -> None:
        moments = [self._asked.get(element, Ask()).at for one in self._neighbours for element in one.ahead]
        moments += [self._asked.get(short_id, Ask()).at for short_id in self._reassembly.forget(at)]
        self.need_at = max(min(moments, default=math.inf), at)

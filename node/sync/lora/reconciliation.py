"""What a neighbour's SUM, HAVE, NEED or MORE tells: what it holds and we lack, what it lacks and we hold.

What we lack goes to `requests`, what it lacks to `transmissions`; step by step, as a whole set would hold up the island.
"""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from node.sync.codes import bloom
from node.sync.lora.context import Context
from node.sync.lora.inventory import Difference, Salted, difference, element_of
from node.sync.lora.neighbours import Neighbour, View
from node.sync.lora.packets import MAX_CAPACITY, Have, More, Need, Sum
from node.sync.lora.requests import ANYBODY


@dataclass(frozen=True, slots=True)
class _Uncompared:
    """A summary that waits until our own records of its hour are known."""

    sender: Neighbour
    summary: Sum | Have


@dataclass(frozen=True, slots=True)
class _Lack:
    """A neighbour lacks a record: so many pieces (all if None) of so many; whether we were named, how many others serve.

    `turn`: how many pieces and records the same packet asked of others before."""

    neighbour: Neighbour
    id: bytes
    missing: int | None = None
    parts: int | None = None
    ours: bool = False
    helpers: int = 0
    turn: int = 0


class Reconciliation:
    """Compares what neighbours say of their sets with ours."""

    def __init__(self, context: Context):
        self._context = context
        self._lacks: deque[_Lack] = deque(maxlen=context.tuning.max_transmissions)
        self._uncompared: deque[_Uncompared] = deque(maxlen=context.tuning.max_summaries)

    @property
    def busy(self) -> bool:
        """Whether `catch_up` has more to do."""
        return bool(self._lacks or self._uncompared) or self._context.inventory.behind is not None

    def catch_up(self, at: float, now: float) -> None:
        """Do some of what takes long: sketch our records, compare with others, verify what neighbours lack."""
        inventory = self._context.inventory
        if self._uncompared and inventory.behind is None:
            one = self._uncompared.popleft()
            self.compare(one.sender, one.summary, at, now)
        elif self._lacks and inventory.behind is None:
            for _ in range(min(len(self._lacks), self._context.tuning.served_in_step)):
                self._serve(self._lacks.popleft(), at)
        else:
            inventory.catch_up(now)

    def _serve(self, lack: _Lack, at: float) -> None:
        """Plan to send what a neighbour lacks."""
        context = self._context
        pending = context.pending(lack.id)
        if pending and lack.parts:
            pending.recut(lack.parts)
        if pending is None or not context.transmissions.lacks(lack.neighbour, pending, lack.missing or pending.parts, at):
            return
        if lack.ours:
            turn_s = lack.turn * context.tuning.turn_t * context.timing.unit_s
            context.transmissions.plan(pending, at, context.timing.draw_s(context.tuning.asked_t) + turn_s)
        elif pending.due_at is None:
            pending.reaches[lack.neighbour.address].helpers = lack.helpers
            context.transmissions.plan(pending, at)

    def compare(self, sender: Neighbour, summary: Sum | Have, at: float, now: float) -> None:
        """Compare with our own set, as soon as our records of its hour are known."""
        inventory = self._context.inventory
        hour = inventory.hour_meant(summary.as_of_h, now)
        if hour is None:
            self._out_of_time(sender, summary, at)
            return
        self._context.announcements.hour = max(self._context.announcements.hour, hour)
        held = inventory.at(hour)
        if held is None:
            self._uncompared.append(_Uncompared(sender, summary))
        elif isinstance(summary, Sum):
            self._compare_sketch(sender, summary, held, at)
        else:
            self._compare_filter(sender, summary, held, at)

    def _out_of_time(self, sender: Neighbour, summary: Sum | Have, at: float) -> None:
        """Its clock is behind: it can compare what we say with what it holds, not we."""
        if isinstance(summary, Sum):
            sender.view = View.UNKNOWN
            self._context.announcements.introduce(at)

    # SUM

    def _compare_sketch(self, sender: Neighbour, summary: Sum, held: Salted, at: float) -> None:
        context, found = self._context, difference(held, summary)
        if found is None and context.neighbours.is_evening(at):
            found = difference(held, summary, self._known(sender, held))
        if found is None:
            context.announcements.trickle.reset(at)
            context.requests.far(sender, summary.capacity, len(held.ids) - summary.count, at)
            return
        sender.compared_at = at
        if not found.ours and not found.theirs:
            context.announcements.leave_sum(sender, summary.capacity)
            context.requests.same(sender)
        else:
            context.announcements.trickle.reset(at)
            context.requests.behind(sender, self._not_refused(found.theirs, held.day, at), held.day, at)
        helpers = self._answer(sender, found, at)
        self._holds_all_but(sender, set(found.ours))
        self._lacks.extend(_Lack(sender, id_, helpers=helpers) for id_ in found.ours)

    def _known(self, sender: Neighbour, held: Salted) -> set[int]:
        """What a neighbour's set and ours are known to differ by: what it holds besides, and what it said it lacks."""
        ahead = {element for element, day in sender.ahead.items() if day == held.day}
        told = {held.elements.get(id_, 0) for id_ in self._context.transmissions.told_by(sender.address)}
        return ahead - held.ids.keys() | told - {0}

    def _not_refused(self, elements: list[int], day: int, at: float) -> list[int]:
        refused = {element_of(id_, day, self._context.key) for id_ in self._context.refusals.ids(at)}
        return [element for element in elements if element not in refused]

    def _answer(self, sender: Neighbour, found: Difference, at: float) -> int:
        """If a neighbour lacks much that others may have for it: say what we hold, and it says whom it wants that from.

        Returns how many others are expected to serve it, then.
        """
        context, tuning = self._context, self._context.tuning
        others = len(sender.around - {context.address}) or int(sender.told_at < sender.since_at) or sender.hops
        sender.answered = others > 0 and len(found.ours) > tuning.unasked_records and not sender.answered
        if not sender.answered:
            return 0
        capacity = len(found.ours) + len(found.theirs) + tuning.answer_spare
        context.announcements.sum_soon(at, capacity if capacity <= MAX_CAPACITY else tuning.usual_capacity, tuning.answer_t)
        return others

    def _holds_all_but(self, sender: Neighbour, lacking: Collection[bytes]) -> None:
        for pending in self._context.transmissions:
            if pending.id not in lacking:
                self._context.transmissions.has(sender.address, pending.id)

    # HAVE

    def _compare_filter(self, sender: Neighbour, summary: Have, held: Salted, at: float) -> None:
        context, part = self._context, bloom.part(held.ids, summary.salt, summary.depth)
        looked_at = self._some(part)
        lacking = {element: held.ids[element] for element in looked_at
                   if not bloom.holds(summary.bits, summary.count, summary.salt, element)}
        if sender.view is View.SAME and not lacking:
            context.requests.leave_filter()
        sender.have, sender.view, sender.answered = summary, View.FAR, False
        for element in looked_at:
            if element not in lacking:
                context.transmissions.has(sender.address, held.ids[element])
        self._lacks.extend(self._shared_out(sender, element, id_, summary) for element, id_ in lacking.items())
        if len(looked_at) == len(part) and summary.count > len(part) - len(lacking):
            context.requests.far(sender, MAX_CAPACITY, len(part) - summary.count, at)

    def _some(self, elements: list[int]) -> list[int]:
        """As many as can be taken up at once, others each time."""
        most = self._context.tuning.max_transmissions
        start = self._context.rng.randrange(len(elements)) if len(elements) > most else 0
        return (elements[start:] + elements[:start])[:most]

    def _shared_out(self, sender: Neighbour, element: int, id_: bytes, summary: Have) -> _Lack:
        """Each of the responders serves its part."""
        address, responders = self._context.address, summary.responders
        ours = address in responders and element % len(responders) == responders.index(address)
        return _Lack(sender, id_, ours=ours, helpers=0 if ours else 1)

    # NEED and MORE

    def needed(self, sender: Neighbour, need: Need, turn: int, at: float, now: float) -> None:
        """A neighbour asks for records; `turn` as in `_Lack`."""
        context = self._context
        context.requests.leave_asking(need.elements, at)
        if need.responder not in (context.address, ANYBODY):
            context.announcements.leave_reply()
        elif sender.hops:
            served = sender.begs < context.tuning.max_begs and sender in context.neighbours.live()
            sender.begs = 0 if served else sender.begs + 1
        found = [context.inventory.id_of(element, need.day, now) for element in need.elements]
        self._lacks.extend(self._asked(sender, id_, need.responder, turn) for id_ in found if id_)
        if need.responder == context.address and not any(found):  # a small sketch was taken for what it is not
            context.announcements.tell_difference(at)

    def wants_more(self, sender: Neighbour, more: More, turn: int) -> None:
        """A neighbour asks for pieces of a record; `turn` as in `_Lack`."""
        context, id_ = self._context, self._context.inventory.id_from_short(more.short_id)
        raw = context.records.raw(id_) if id_ else None
        if id_ and raw is not None and context.fits(len(raw), more.parts):
            self._lacks.append(self._asked(sender, id_, more.responder, turn, more))

    def _asked(self, sender: Neighbour, id_: bytes, responder: int, turn: int, more: More | None = None) -> _Lack:
        ours = responder == self._context.address
        missing, parts = (more.missing, more.parts) if more else (None, None)
        return _Lack(sender, id_, missing, parts, ours, 0 if ours or responder == ANYBODY else 1, turn)

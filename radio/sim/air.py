"""The simulated air: LoRa radios that hear each other or not, in virtual time, from one seed. No thread, no clock.

What it models, after the Meshtastic firmware (`RadioLibInterface.cpp`, `FloodingRouter.cpp`, `NextHopRouter.cpp`): half
duplex; a random contention delay before sending and again after a busy channel; collisions at each receiver, with capture
of the much stronger signal; loss per receiver; managed flooding (a node that hears a frame with hops left sends it on,
later the better it heard it, unless it hears somebody else do so first; by its role it may go first, last or not at all);
a queue of 16 frames.
"""

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from radio.airtime import Window
from radio.lora import LONG_FAST, Modem, frame_bytes
from radio.sim.habits import USUAL, Habits, Role

Node = int
MAX_QUEUE = 16
MAX_SEEN = 256  # frames a node remembers, so as not to take a copy for a new one
CAPTURE_DB = 6.0
MIN_CONTENTION, MAX_CONTENTION = 3, 8  # powers of two, in slots
CONTENTION_SPAN = MAX_CONTENTION - MIN_CONTENTION
ROUTERS_SLOTS = 2 * MAX_CONTENTION  # routers pass on within these; all others come after
WORST_SNR_DB, BEST_SNR_DB = -20, 10
UTILISATION_S = 60
NOISE_FLOOR_DBM = -105


@dataclass(frozen=True, slots=True)
class Frame:
    """What is on the air, `size_bytes` long whatever `payload` says. `origin` named it `id`; `to` None is everybody."""

    origin: Node
    id: int
    payload: bytes
    size_bytes: int
    hop_limit: int = 0
    hop_start: int = 0
    to: Node | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """`node` received a frame it had not heard before. `sender` is who sent this copy, and `relay` who it says did.

    `relay` is None where the copy does not tell: a radio of old firmware sent it, or it began with no hops, for then the
    receiver takes it for one of old firmware (`RadioLibInterface.cpp`, where `hop_start` is 0).
    """

    at: float
    node: Node
    frame: Frame
    sender: Node
    relay: Node | None
    snr_db: float
    rssi_dbm: int

    @property
    def hops(self) -> int:
        """How many nodes passed it on."""
        return self.frame.hop_start - self.frame.hop_limit


@dataclass(frozen=True, slots=True)
class Overheard:
    """`node` received one more copy of a frame it knows, its own included."""

    at: float
    node: Node
    frame: Frame
    sender: Node


@dataclass(frozen=True, slots=True)
class Sent:
    """`node` has finished sending `frame`: its own if `frame.origin` says so, else one it passes on."""

    at: float
    node: Node
    frame: Frame


Happening = Delivered | Overheard | Sent


class Firmware(Protocol):
    """What decides over frames in the place of the air's own rules."""

    def admits(self, frame: Frame) -> bool:
        """Whether a frame that arrives is taken in; else it is as if it had not been heard."""

    def passed_on(self, frame: Frame, again: bool) -> Frame | None:
        """What to send on of a frame, if it has hops left; None for nothing. `again`: it was heard before."""


@dataclass(slots=True)
class Path:
    """How one node hears another: `loss` is the part of frames lost though nothing collides."""

    loss: float = 0.0
    snr_db: float = 5.0
    open: bool = True


@dataclass(frozen=True, slots=True)
class Mischief:
    """What no radio does by itself but a protocol must bear: repeats (a part of deliveries) and late deliveries."""

    repeat: float = 0.0
    max_delay_s: float = 0.0


@dataclass(slots=True)
class _QueuedFrame:
    """A frame in a node's queue, not to be sent before `due_at`; `heard_db` is None for the node's own."""

    frame: Frame
    due_at: float
    heard_db: float | None = None
    late: bool = False  # it was moved behind those of other nodes


@dataclass(eq=False, slots=True)
class _Flight:
    """A frame on its way."""

    sender: Node
    frame: Frame
    start_at: float
    end_at: float


@dataclass(eq=False)
class _Radio:
    """One node's radio."""

    habits: Habits
    firmware: Firmware | None = None
    on_since: float = float("-inf")
    on: bool = True
    queue: list[_QueuedFrame] = field(default_factory=list)
    seen: dict[tuple[Node, int], None] = field(default_factory=dict)
    heard_by: dict[Node, Path] = field(default_factory=dict)
    counted: dict[Node, tuple[float, int]] = field(default_factory=dict)  # origin -> (since, frames), where that is limited
    sending_until: float = float("-inf")
    attempt_at: float | None = None
    busy: Window = field(default_factory=lambda: Window(UTILISATION_S, 10))


class Air:
    """One channel. Before anything else at `now`, `advance(now)`: what happened since comes back in order of time.

    `signs`: the radios' firmware signs small broadcasts that are queued with `send`.
    """

    def __init__(self, rng: random.Random, modem: Modem = LONG_FAST, mischief: Mischief | None = None, signs: bool = False):
        self.modem, self.mischief, self.signs = modem, mischief or Mischief(), signs
        # frames, bytes, delivered, lost, collided, deaf, refused, relays-saved, relays-late, relays-limited, queue-full
        self.counters: Counter[str] = Counter()
        self.airtime_s: defaultdict[Node, float] = defaultdict(float)
        self._rng = rng
        self._radios: dict[Node, _Radio] = {}
        self._flights: list[_Flight] = []
        self._events: list[tuple] = []  # (at, order, method, arguments)
        self._order = 0
        self._happened: list[Happening] = []

    # the place

    def add(self, node: Node, habits: Habits = USUAL) -> None:
        """A node."""
        self._radios[node] = _Radio(habits)

    def run(self, node: Node, firmware: Firmware) -> None:
        """Let a node's own firmware decide what it takes in and passes on."""
        self._radios[node].firmware = firmware

    def adopt(self, node: Node, habits: Habits) -> None:
        """Let a node pass on in another way."""
        self._radios[node].habits = habits

    def succeed(self, node: Node, heir: Node, now: float) -> None:
        """Let a node go by another number from now on, in the same place; what waits in its queue is lost."""
        self.switch(node, False, now)
        self.add(heir, self._radios[node].habits)
        self._radios[heir].heard_by = self._radios[node].heard_by
        for radio in self._radios.values():
            if node in radio.heard_by:
                radio.heard_by[heir] = radio.heard_by.pop(node)
        self._radios[node].heard_by = {}

    def __contains__(self, node: Node) -> bool:
        return node in self._radios

    def connect(self, one: Node, other: Node, loss: float = 0.0, snr_db: float = 5.0) -> None:
        """Let two nodes hear each other."""
        self.path(one, other, loss, snr_db)
        self.path(other, one, loss, snr_db)

    def path(self, sender: Node, receiver: Node, loss: float = 0.0, snr_db: float = 5.0) -> None:
        """Let `receiver` hear `sender`, one way."""
        self._radios[sender].heard_by[receiver] = Path(loss, snr_db)

    def deafen(self, receiver: Node, sender: Node) -> None:
        """Let `receiver` no longer hear `sender`, though it may be heard by it: unlike antennas, unlike power."""
        self._radios[sender].heard_by.pop(receiver, None)

    def partition(self, *groups: Iterable[Node]) -> None:
        """Close every path between different groups, open all others; no group at all opens every path."""
        side = {node: number for number, group in enumerate(groups) for node in group}
        for sender, radio in self._radios.items():
            for receiver, path in radio.heard_by.items():
                path.open = side.get(sender) == side.get(receiver)

    def switch(self, node: Node, on: bool, now: float) -> None:
        """Turn a radio on or off; what waits in its queue is lost with the power."""
        radio = self._radios[node]
        if on and not radio.on:
            radio.on_since = now
        radio.on = on
        radio.queue.clear()
        radio.attempt_at = None

    # sending

    def send(self, node: Node, payload: bytes, now: float, hop_limit: int = 0, to: Node | None = None) -> Frame | None:
        """Queue a payload on a private port, for everybody or for one node, as `transmit` does."""
        size_bytes = frame_bytes(len(payload), self.signs, direct=to is not None)
        frame = Frame(node, self._rng.getrandbits(32), payload, size_bytes, hop_limit, hop_limit, to)
        return frame if self.transmit(node, frame, now) else None

    def transmit(self, node: Node, frame: Frame, now: float) -> bool:
        """Queue a frame of the node's own; False if the node is off or its queue is full."""
        radio = self._radios[node]
        self._remember(radio, frame)
        return self._enqueue(node, _QueuedFrame(frame, now), now)

    def queued(self, node: Node) -> int:
        """How many frames wait in the node's queue (16 at most; the one being sent is out of it)."""
        return len(self._radios[node].queue)

    def utilisation(self, node: Node, now: float) -> float:
        """The part (0 to 1) of the last minute that this node heard or made busy."""
        return self._radios[node].busy.used_s(now) / UTILISATION_S

    # time

    def next_at(self) -> float | None:
        """When something happens next, or None."""
        return self._events[0][0] if self._events else None

    def advance(self, now: float) -> list[Happening]:
        """Let everything happen up to and including `now`."""
        while self._events and self._events[0][0] <= now:
            at, _, act, arguments = heapq.heappop(self._events)
            act(at, *arguments)
        happened, self._happened = self._happened, []
        return happened

    # how it works

    def _schedule(self, at: float, act: Callable[..., None], *arguments: object) -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, act, arguments))

    def _enqueue(self, node: Node, waiting: _QueuedFrame, now: float) -> bool:
        radio = self._radios[node]
        if not radio.on:
            return False
        if len(radio.queue) >= MAX_QUEUE:
            self.counters["queue-full"] += 1
            return False
        waiting.due_at = now + self._contention_s(radio, waiting, now)
        radio.queue.append(waiting)
        self._plan(node, radio)
        return True

    def _contention_s(self, radio: _Radio, waiting: _QueuedFrame, now: float) -> float:
        if waiting.heard_db is None:
            power = MIN_CONTENTION + int(CONTENTION_SPAN * min(radio.busy.used_s(now) / UTILISATION_S, 1))
            return self._rng.randrange(2**power) * self.modem.slot_s
        power = _window_power(waiting.heard_db)
        if radio.habits.role is Role.ROUTER:
            return self._rng.randrange(2 * power) * self.modem.slot_s
        return (ROUTERS_SLOTS + self._rng.randrange(2**power)) * self.modem.slot_s

    def _plan(self, node: Node, radio: _Radio) -> None:
        """See to it that the earliest frame of the queue gets its attempt."""
        if not radio.queue:
            radio.attempt_at = None
            return
        at = max(min(waiting.due_at for waiting in radio.queue), radio.sending_until)
        if at != radio.attempt_at:
            radio.attempt_at = at
            self._schedule(at, self._attempt, node)

    def _attempt(self, at: float, node: Node) -> None:
        radio = self._radios[node]
        if radio.attempt_at != at:
            return  # another attempt took the place of this one
        radio.attempt_at = None
        waiting = min(radio.queue, key=lambda one: one.due_at)
        busy_until = self._busy_until(node, at)
        if busy_until > at:
            waiting.due_at = busy_until + self._contention_s(radio, waiting, at)
        else:
            radio.queue.remove(waiting)
            self._start(node, radio, waiting.frame, at)
        self._plan(node, radio)

    def _busy_until(self, node: Node, at: float) -> float:
        """When the frame that this node senses ends; the first slot of a frame goes unnoticed."""
        noticed_at = at - self.modem.slot_s
        return max((flight.end_at for flight in self._flights if flight.end_at > at and flight.start_at <= noticed_at
                    and self._audible(flight.sender, node)), default=at)

    def _audible(self, sender: Node, receiver: Node) -> bool:
        path = self._radios[sender].heard_by.get(receiver)
        return path is not None and path.open

    def _start(self, node: Node, radio: _Radio, frame: Frame, at: float) -> None:
        airtime_s = self.modem.time_on_air_s(frame.size_bytes)
        radio.sending_until = at + airtime_s
        radio.busy.add(airtime_s, at)
        self.counters["frames"] += 1
        self.counters["bytes"] += frame.size_bytes
        self.airtime_s[node] += airtime_s
        flight = _Flight(node, frame, at, at + airtime_s)
        self._flights.append(flight)
        self._schedule(flight.end_at, self._end, flight)

    def _end(self, at: float, flight: _Flight) -> None:
        sender = self._radios[flight.sender]
        if sender.on and sender.on_since <= flight.start_at:
            self._happened.append(Sent(at, flight.sender, flight.frame))
            for node, path in sender.heard_by.items():
                radio = self._radios[node]
                if path.open and radio.on and radio.on_since <= flight.start_at:
                    self._arrive(at, flight, node, path)
        oldest_at = min((one.start_at for one in self._flights if one.end_at > at), default=at)
        self._flights = [one for one in self._flights if one.end_at > oldest_at]

    def _arrive(self, at: float, flight: _Flight, node: Node, path: Path) -> None:
        radio = self._radios[node]
        radio.busy.add(flight.end_at - flight.start_at, at)
        if radio.sending_until > flight.start_at:
            self.counters["deaf"] += 1
        elif self._collides(flight, node, path):
            self.counters["collided"] += 1
        elif self._rng.random() < path.loss:
            self.counters["lost"] += 1
        else:
            self._receive(at, flight, node, path)

    def _collides(self, flight: _Flight, node: Node, path: Path) -> bool:
        for other in self._flights:
            if other is flight or other.start_at >= flight.end_at or other.end_at <= flight.start_at:
                continue
            rival = self._radios[other.sender].heard_by.get(node)
            if rival is not None and rival.open and rival.snr_db > path.snr_db - CAPTURE_DB:
                return True
        return False

    def _receive(self, at: float, flight: _Flight, node: Node, path: Path) -> None:
        radio, frame = self._radios[node], flight.frame
        if radio.firmware and not radio.firmware.admits(frame):
            self.counters["refused"] += 1
            return
        if (frame.origin, frame.id) in radio.seen:
            self._happened.append(Overheard(at, node, frame, flight.sender))
            self._leave_it_to_others(at, node, radio, frame)
            if radio.firmware:
                self._pass_on(radio.firmware.passed_on(frame, again=True), at, node, path)
            return
        self._remember(radio, frame)
        if self._is_limited(at, node, radio, frame):
            self.counters["relays-limited"] += 1
            return
        tells = frame.hop_start > 0 and self._radios[flight.sender].habits.names_itself
        self._deliver(Delivered(at, node, frame, flight.sender, flight.sender if tells else None, path.snr_db,
                                round(NOISE_FLOOR_DBM + path.snr_db)))
        self._pass_on(radio.firmware.passed_on(frame, again=False) if radio.firmware else frame, at, node, path)

    def _pass_on(self, frame: Frame | None, at: float, node: Node, path: Path) -> None:
        muted = self._radios[node].habits.role is Role.CLIENT_MUTE
        if frame and frame.to != node and frame.hop_limit > 0 and not muted:
            self._enqueue(node, _QueuedFrame(replace(frame, hop_limit=frame.hop_limit - 1), at, path.snr_db), at)

    def _is_limited(self, at: float, node: Node, radio: _Radio, frame: Frame) -> bool:
        """Whether the radio drops a frame that it hears for the first time, as its origin has sent too much already."""
        limit = radio.habits.limit
        if limit is None or frame.to == node:
            return False
        since, count = radio.counted.get(frame.origin, (at, 0))
        since, count = (at, 1) if at >= since + limit.window_s else (since, count + 1)
        radio.counted[frame.origin] = since, count
        return count > limit.frames

    def _leave_it_to_others(self, at: float, node: Node, radio: _Radio, frame: Frame) -> None:
        """Somebody else was faster with a frame that this radio may be about to pass on."""
        for waiting in radio.queue:
            if waiting.heard_db is not None and (waiting.frame.origin, waiting.frame.id) == (frame.origin, frame.id):
                if radio.habits.role is Role.CLIENT:
                    radio.queue.remove(waiting)
                    self.counters["relays-saved"] += 1
                elif radio.habits.role is Role.ROUTER_LATE and not waiting.late:
                    longest_s = (ROUTERS_SLOTS + 2 ** _window_power(waiting.heard_db)) * self.modem.slot_s
                    waiting.late, waiting.due_at = True, at + longest_s + self._contention_s(radio, waiting, at)
                    self.counters["relays-late"] += 1
                self._plan(node, radio)
                return

    def _deliver(self, delivered: Delivered) -> None:
        self.counters["delivered"] += 1
        copies = 1 + (self._rng.random() < self.mischief.repeat)
        for _ in range(copies):
            if self.mischief.max_delay_s:
                late_at = delivered.at + self._rng.uniform(0, self.mischief.max_delay_s)
                self._schedule(late_at, self._hand_over, delivered)
            else:
                self._happened.append(delivered)

    def _hand_over(self, at: float, delivered: Delivered) -> None:
        self._happened.append(replace(delivered, at=at))

    def _remember(self, radio: _Radio, frame: Frame) -> None:
        radio.seen[frame.origin, frame.id] = None
        if len(radio.seen) > MAX_SEEN:
            del radio.seen[next(iter(radio.seen))]


def _window_power(heard_db: float) -> int:
    """How many slots, as a power of two, a relay chooses from: the better it heard the frame, the more."""
    part = (heard_db - WORST_SNR_DB) / (BEST_SNR_DB - WORST_SNR_DB)
    return MIN_CONTENTION + int(CONTENTION_SPAN * min(max(part, 0), 1))

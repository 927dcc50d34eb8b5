"""The only loop of an island: what links hear, what people post and what time brings goes through one queue.

Each link has two threads of its own, ears and mouth: a radio's `send` may block for ever and nothing else may wait for it.
Posts wait until their commit is durable; those that arrive together share one. The runner decides nothing: the island does.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from node.model.clock import Clock
from node.replica.admission import Verdict
from node.replica.replica import Replica
from node.store.index import StoreFailed
from node.sync.events import Event, LinkChanged, PacketReceived, Send, SendDone, Tick
from radio.link import Link, Outcome

log = logging.getLogger(__name__)

INBOX = 2_000  # events; beyond it ears wait, and links drop and count by their own bounds
BATCH = 200
LISTEN_S = 0.5
MAX_WAIT_S = 5.0


@dataclass
class PeriodicJob:
    """Something the runner's thread does every `period_s` of monotonic time; `do` gets `now`."""

    period_s: float
    do: Callable[[float], Any]
    due: float = 0.0


@dataclass
class PendingCall:
    """What another thread waits for: a record to publish, or some work for the runner's thread."""

    raw: bytes | None = None
    work: Callable[[], Any] | None = None
    answer: Future = field(default_factory=Future)

    def carry_out(self) -> None:
        """Do the work and answer with what it returns or raises."""
        try:
            self.answer.set_result(self.work())
        except Exception as error:  # it is the asker's, not the runner's
            self.answer.set_exception(error)


class LinkPort:
    """One link's ears and mouth. `tell` takes events from any thread."""

    def __init__(self, link: Link, tell: Callable[[Event], None]):
        self.link, self._tell = link, tell
        self._out: queue.SimpleQueue[Send | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._life = 0  # which of the link's lives engines were told of, 0 while it is down
        self._threads = [threading.Thread(target=work, name=f"{link.name} {work.__name__}", daemon=True)
                         for work in (self._listen, self._speak)]

    def start(self) -> None:
        """Begin to listen and to send."""
        for thread in self._threads:
            thread.start()

    def send(self, packet: Send) -> None:
        """Hand over without waiting; SendDone tells what became of it. The engine has one packet under way at most."""
        self._out.put(packet)

    def close(self) -> None:
        """Close the link and let both threads end; a `send` that hangs inside its library is left behind."""
        self._closing.set()
        self._out.put(None)
        self.link.close()
        for thread in self._threads:
            thread.join(2)

    def _listen(self) -> None:
        was = ""
        while not self._closing.is_set():
            if self.link.state != was:
                was = self.link.state
                log.info("%s: %s", self.link.name, was)
            self._look()
            heard = self.link.receive(LISTEN_S)
            if heard is not None:
                self._tell(PacketReceived(self.link.name, heard.payload, heard.sender, heard.hops))

    def _look(self) -> None:
        """Tell what became of the link since the last look; it may have gone down and come back meanwhile."""
        life = 1 + self.link.counters["connected"] if self.link.up else 0
        if life == self._life:
            return
        if self._life:
            self._tell(LinkChanged(self.link.name, False))
        if life:
            self._tell(LinkChanged(self.link.name, True))
        self._life = life

    def _speak(self) -> None:
        while (packet := self._out.get()) is not None:
            try:
                outcome = self.link.send(packet.payload, packet.hop_limit, packet.urgent, packet.to)
            except Exception:  # a library's surprise must not end this thread: the link would be mute for ever
                log.exception("%s: sending failed", self.link.name)
                outcome = Outcome.FAILED
            self._tell(SendDone(self.link.name, outcome.value))


class Runner:
    """Runs `island` with its `links` on one thread. `publish` and `call` may be used from any other thread."""

    def __init__(self, island: Replica, links: list[Link], clock: Clock, chores: list[PeriodicJob] | None = None):
        self.island, self._clock, self._chores = island, clock, chores or []
        self._inbox: queue.Queue[Event | PendingCall] = queue.Queue(INBOX)
        self._ports = {link.name: LinkPort(link, self._inbox.put) for link in links}
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)
        self._stopping = False

    def start(self) -> None:
        """Start every thread."""
        self._thread.start()
        for port in self._ports.values():
            port.start()

    def stop(self) -> None:
        """Close links, finish what is in the queue, end."""
        for port in self._ports.values():
            port.close()
        self.call(self._stop)
        self._thread.join(5)

    @property
    def waiting(self) -> int:
        """How many events and orders are in the queue."""
        return self._inbox.qsize()

    def publish(self, raw: bytes) -> Verdict:
        """Keep a record made here and pass it on; returns once it is durable, raises StoreFailed if the card will not."""
        return self._order(PendingCall(raw=raw))

    def take(self, event: Event) -> None:
        """Put an event in the queue; nobody waits for it."""
        self._inbox.put(event)

    def take_in(self, raws: list[bytes], via: str) -> list[Verdict]:
        """Keep records that came in bulk by `via`; returns once they are durable, raises StoreFailed if they are not."""
        return self.call(lambda: self._take_in(raws, via))

    def call(self, work: Callable[[], Any]) -> Any:
        """Let the runner's thread do `work` between two events, and return what it returns."""
        return self._order(PendingCall(work=work))

    def _take_in(self, raws: list[bytes], via: str) -> list[Verdict]:
        verdicts, sends = self.island.take_in(raws, via, self._clock.now())
        self._send(sends)
        return verdicts

    def _order(self, order: PendingCall) -> Any:
        self._inbox.put(order)
        return order.answer.result()

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        while not self._stopping:
            batch = self._gather()
            try:
                self._turn(batch)
            except Exception as error:  # the island must go on serving; what failed is in the log
                log.exception("a turn of the runner failed")
                for item in batch:
                    if isinstance(item, PendingCall) and not item.answer.done():
                        item.answer.set_exception(error)

    def _gather(self) -> list[Event | PendingCall]:
        """What waits in the queue, or what comes before the next deadline."""
        batch: list[Event | PendingCall] = []
        try:
            batch.append(self._inbox.get(timeout=self._patience_s()))
            while len(batch) < BATCH:
                batch.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _patience_s(self) -> float:
        now, mono = self._clock.now(), self._clock.monotonic()
        waits = [MAX_WAIT_S, *(chore.due - mono for chore in self._chores)]
        if self.island.deadline is not None:
            waits.append(self.island.deadline - now)
        return max(min(waits) / self._clock.rate, 0.01)  # a deadline that stays in the past must not spin

    def _turn(self, batch: list[Event | PendingCall]) -> None:
        now = self._clock.now()
        events = [item for item in batch if not isinstance(item, PendingCall)]
        if self.island.deadline is not None and self.island.deadline <= now:
            events.append(Tick())
        self._send(self.island.handle_all(events, now))
        self._publish([item for item in batch if isinstance(item, PendingCall) and item.raw is not None], now)
        for order in batch:
            if isinstance(order, PendingCall) and order.work is not None:
                order.carry_out()
        self._do_chores(now)

    def _publish(self, orders: list[PendingCall], now: float) -> None:
        """All the posts that wait, in one commit; each poster learns what became of theirs."""
        if not orders:
            return
        try:
            verdicts, sends = self.island.publish([order.raw for order in orders], now)
        except StoreFailed as failure:
            for order in orders:
                order.answer.set_exception(failure)
            return
        for order, verdict in zip(orders, verdicts, strict=True):
            order.answer.set_result(verdict)
        self._send(sends)

    def _send(self, sends: list[Send]) -> None:
        for packet in sends:
            self._ports[packet.link].send(packet)

    def _do_chores(self, now: float) -> None:
        mono = self._clock.monotonic()
        for chore in self._chores:
            if chore.due <= mono:
                chore.due = mono + chore.period_s
                chore.do(now)

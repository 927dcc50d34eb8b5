"""The only loop of an island: what links hear, what people post and what time brings goes through one queue.

Each link has two threads of its own, to listen and to speak: a radio's `send` may block for ever and nothing else may wait
for it. Posts wait until their commit is durable; those that arrive together share one. The runner decides nothing: the
replica does.

The replica, its engines and the live set's changes belong to the runner's thread (`node.daemon.thread_guard`).
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice
from typing import Any, TypeVar

from node.daemon.thread_guard import ThreadOwner, guard
from node.model.clock import Clock
from node.model.errors import LocalMisuse
from node.replica.admission import Verdict
from node.replica.replica import Replica
from node.store.index import StoreFailed
from node.sync.events import Event, LinkChanged, PacketReceived, Send, SendDone, Tick
from radio.link import Link, Outcome, Received

log = logging.getLogger(__name__)

INBOX = 2_000  # events; beyond it listening threads wait, and links drop and count by their own bounds
BATCH = 200
LISTEN_S = 0.5
MAX_WAIT_S = 5.0
CLOSE_S = 2.0  # for all links together: one may hang in a name, a handshake, a driver
STOP_S = 10.0  # for its last jobs, on a card that is slow; the unit of the SD image gives 15 s to stop
END_NOW, PACKET_FIRST, TEXT_LATER = range(3)  # in which order a link's speaking thread takes what waits for it
CHANGES_OF_SET = ("propose", "apply", "expire", "load", "forget", "waiting", "dated_ahead")
CHANGES_OF_REPLICA = ("handle", "handle_all", "publish", "take_in", "load", "deadline", "delete_strays")

Result = TypeVar("Result")


@dataclass
class PeriodicJob:
    """What the runner's thread does every `period_s` of monotonic time, and at its end if `at_end`; `do` gets `now`."""

    period_s: float
    do: Callable[[float], object]
    due: float = 0.0
    at_end: bool = False


@dataclass(frozen=True)
class PendingPublish:
    """A record to publish; another thread waits for its Verdict."""

    raw: bytes
    answer: Future[Verdict] = field(default_factory=Future)


@dataclass(frozen=True)
class PendingCall:
    """Work for the runner's thread; another thread waits for what it returns."""

    work: Callable[[], Any]
    answer: Future[Any] = field(default_factory=Future)

    def carry_out(self) -> None:
        """Do the work and answer with what it returns or raises."""
        try:
            self.answer.set_result(self.work())
        except Exception as error:  # it is for whoever asked, not the runner
            self.answer.set_exception(error)


@dataclass(frozen=True)
class PendingText:
    """A text message for a link's speaking thread: `send` hands it to the radio, `done` hears what became of it, there."""

    send: Callable[[], Outcome]
    done: Callable[[Outcome], object]


class LinkPort:
    """The two threads of one link. `tell` takes events from any thread. Packets go before texts."""

    def __init__(self, link: Link, tell: Callable[[Event], None]):
        self.link, self._tell = link, tell
        self._out: queue.PriorityQueue[tuple[int, int, Send | PendingText | None]] = queue.PriorityQueue()
        self._order = count()
        self._closing = threading.Event()
        self._life = 0  # which of the link's lives engines were told of, 0 while it is down
        self._speaking = ThreadOwner(f"{link.name} speaking")
        self._threads = [threading.Thread(target=work, name=f"{link.name} {work.__name__}", daemon=True)
                         for work in (self._listen, self._speak)]
        self._closer: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen and to send."""
        guard(self.link, self._speaking, only=("send", "send_text"))
        for thread in self._threads:
            thread.start()
        self._speaking.begin(self._threads[1])

    def send(self, packet: Send) -> None:
        """Hand over without waiting; SendDone tells what became of it. The engine has one packet under way at most."""
        self._out.put((PACKET_FIRST, next(self._order), packet))

    def send_text(self, text: PendingText) -> None:
        """Hand over without waiting, behind every packet."""
        self._out.put((TEXT_LATER, next(self._order), text))

    def close(self) -> None:
        """Begin to close the link and to let its threads end; `join` waits for them."""
        if self._closer is None:
            self._closing.set()
            self._out.put((END_NOW, next(self._order), None))
            self._closer = threading.Thread(target=self._close, name=f"{self.link.name} closing", daemon=True)
            self._closer.start()

    def join(self, until: float) -> None:
        """Wait for all of them until a monotonic moment; what hangs inside the link's library is left behind."""
        for thread in (self._closer, *self._threads):
            if thread is not None and thread.ident is not None:
                thread.join(max(until - time.monotonic(), 0.0))

    def _close(self) -> None:
        try:
            self.link.close()
        except Exception:  # its threads must end all the same
            log.exception("%s: closing failed", self.link.name)

    def _listen(self) -> None:
        was = ""
        while not self._closing.is_set():
            if self.link.state != was:
                was = self.link.state
                log.info("%s: %s", self.link.name, was)
            try:
                self._look()
                heard = self.link.receive(LISTEN_S)
            except Exception:  # as below: the link would be deaf for ever
                log.exception("%s: listening failed", self.link.name)
                self._closing.wait(LISTEN_S)
                continue
            if heard is not None:
                self._pass_on(heard)

    def _pass_on(self, heard: Received) -> None:
        self._tell(PacketReceived(self.link.name, heard.payload, heard.sender, heard.hops,
                                  heard.hops_left, heard.relay, heard.snr_db, heard.rssi_dbm))

    def _look(self) -> None:
        """Tell what became of the link since the last look; it may have gone down and come back meanwhile.

        What was heard before it went down is told before that: a broker that comes back empty holds nothing of it.
        """
        life = 1 + self.link.counters["connected"] if self.link.up else 0
        if life == self._life:
            return
        if self._life:
            for heard in islice(iter(lambda: self.link.receive(0), None), INBOX):
                self._pass_on(heard)
            self._tell(LinkChanged(self.link.name, False))
        if life:
            self._tell(LinkChanged(self.link.name, True))
        self._life = life

    def _speak(self) -> None:
        while (item := self._out.get()[2]) is not None:
            if isinstance(item, PendingText):
                item.done(self._outcome(item.send))
                continue
            outcome = self._outcome(partial(self.link.send, item.payload, item.hop_limit, item.urgent, item.to))
            self._tell(SendDone(self.link.name, outcome.value))
        self._speaking.end()

    def _outcome(self, send: Callable[[], Outcome]) -> Outcome:
        try:
            return send()
        except Exception:  # a library's surprise must not end this thread: the link would be mute for ever
            log.exception("%s: sending failed", self.link.name)
            return Outcome.FAILED


class Runner:
    """Runs `replica` with its `links` on one thread. `publish`, `take_in` and `call` are for other threads: they wait.

    `on_send(packet)` hears of all that goes out, on that thread.
    """

    def __init__(self, replica: Replica, links: Sequence[Link], clock: Clock, jobs: Sequence[PeriodicJob] = ()):
        self.replica, self._clock, self._jobs = replica, clock, jobs
        self.on_send: Callable[[Send], object] = lambda send: None
        self.owner = ThreadOwner("runner")
        self._inbox: queue.Queue[Event | PendingPublish | PendingCall] = queue.Queue(INBOX)
        self._afterwards: deque[Callable[[], object]] = deque()
        self._ports = {link.name: LinkPort(link, self._inbox.put) for link in links}
        self._thread = threading.Thread(target=self._run, name="runner", daemon=True)
        self._stopping, self._ended = False, threading.Event()

    def start(self) -> None:
        """Start every thread."""
        guard(self.replica, self.owner, only=CHANGES_OF_REPLICA)
        guard(self.replica.liveset, self.owner, only=CHANGES_OF_SET)
        for engine in self.replica.engines:
            guard(engine, self.owner, only=("handle", "deadline"))
        self._thread.start()
        self.owner.begin(self._thread)
        for port in self._ports.values():
            port.start()

    def stop(self) -> None:
        """Close links, finish what is in the queue, end; twice is allowed."""
        for port in self._ports.values():
            port.close()
        until = time.monotonic() + CLOSE_S
        for port in self._ports.values():
            port.join(until)
        if not self._ended.is_set():
            self.call(self._stop)
        self._thread.join(STOP_S)

    @property
    def waiting(self) -> int:
        """How many events, posts and calls are in the queue."""
        return self._inbox.qsize()

    def publish(self, raw: bytes) -> Verdict:
        """Keep a record made here and pass it on; returns once it is durable, raises StoreFailed if the card will not."""
        return self._answered(PendingPublish(raw))

    def send_text(self, link: str, text: PendingText) -> None:
        """Hand a text message to a link's speaking thread, behind its packets; nobody waits for it."""
        self._ports[link].send_text(text)

    def take(self, event: Event) -> None:
        """Let the island react to an event; nobody waits for it."""
        self._inbox.put(event)

    def afterwards(self, work: Callable[[], object]) -> None:
        """For the runner's own thread, in the midst of an event: `work` is done once that one and its like are over."""
        self._afterwards.append(work)

    def take_in(self, raws: list[bytes], via: str) -> list[Verdict]:
        """Keep records that came in bulk by `via`; returns once they are durable, raises StoreFailed if they are not."""
        return self.call(lambda: self._take_in(raws, via))

    def call(self, work: Callable[[], Result]) -> Result:
        """Let the runner's thread do `work` between two events, and return what it returns."""
        call = PendingCall(work)
        result: Result = self._answered(call)
        return result

    def _take_in(self, raws: list[bytes], via: str) -> list[Verdict]:
        verdicts, sends = self.replica.take_in(raws, via, self._clock.now())
        self._send(sends)
        return verdicts

    def _answered(self, pending: PendingPublish | PendingCall) -> Any:
        """The answer; raises what went wrong, or StoreFailed("closed") when the runner has ended."""
        if threading.current_thread() is self._thread:
            raise LocalMisuse("the runner's thread would wait for itself")
        self._inbox.put(pending)
        if self._ended.is_set():
            self._turn_away()
        try:
            return pending.answer.result()
        except CancelledError:
            raise StoreFailed("closed") from None

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        while not self._stopping:
            self._turn(self._gather())
        for job in self._jobs:
            if job.at_end:
                self._try("a last job", partial(job.do, self._clock.now()))
        self.owner.end()
        self._ended.set()
        self._turn_away()

    def _turn_away(self) -> None:
        """Nobody will do what still waits."""
        try:
            while True:
                item = self._inbox.get_nowait()
                if isinstance(item, PendingPublish | PendingCall):
                    item.answer.cancel()
        except queue.Empty:
            pass

    def _gather(self) -> list[Event | PendingPublish | PendingCall]:
        """What waits in the queue, or what comes before the next deadline."""
        batch: list[Event | PendingPublish | PendingCall] = []
        try:
            batch.append(self._inbox.get(timeout=self._patience_s()))
            while len(batch) < BATCH:
                batch.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _patience_s(self) -> float:
        now, mono = self._clock.now(), self._clock.monotonic()
        waits = [MAX_WAIT_S, *(job.due - mono for job in self._jobs)]
        try:
            if (deadline := self.replica.deadline) is not None:
                waits.append(deadline - now)
        except Exception:  # without its deadline the runner is late; without the runner the island is dead
            log.exception("the runner was told no deadline")
        return max(min(waits) / self._clock.rate, 0.01)  # a deadline that stays in the past must not spin

    def _turn(self, batch: list[Event | PendingPublish | PendingCall]) -> None:
        """Events first, then posts, then calls, then jobs; what fails among them is in the log and ends nothing else."""
        events: list[Event] = [item for item in batch if not isinstance(item, PendingPublish | PendingCall)]
        self._try("events", lambda: self.react(events))
        posts = [item for item in batch if isinstance(item, PendingPublish)]
        if posts:
            self._publish(posts)
        for item in batch:
            if isinstance(item, PendingCall):
                item.carry_out()
        for job in self._jobs:
            if job.due <= (mono := self._clock.monotonic()):
                job.due = mono + job.period_s
                self._try("a periodic job", partial(job.do, self._clock.now()))
        while self._afterwards:
            self._try("what was left for later", self._afterwards.popleft())

    @staticmethod
    def _try(what: str, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # the island must go on serving
            log.exception("the runner failed at %s", what)

    def react(self, events: list[Event]) -> None:
        """Let the island react now. For the runner's own thread, between two events."""
        now = self._clock.now()
        if (deadline := self.replica.deadline) is not None and deadline <= now:
            events.append(Tick())
        self._send(self.replica.handle_all(events, now))

    def _publish(self, posts: list[PendingPublish]) -> None:
        """All the posts that wait, in one commit; each poster learns what became of theirs."""
        try:
            verdicts, sends = self.replica.publish([post.raw for post in posts], self._clock.now())
        except Exception as error:
            if not isinstance(error, StoreFailed):
                log.exception("the runner failed at posts")
            for post in posts:
                post.answer.set_exception(error)
            return
        for post, verdict in zip(posts, verdicts, strict=True):
            post.answer.set_result(verdict)
        self._try("sending", lambda: self._send(sends))

    def _send(self, sends: list[Send]) -> None:
        for packet in sends:
            self.on_send(packet)
            self._ports[packet.link].send(packet)

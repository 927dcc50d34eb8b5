"""The only loop of an island: what links hear, what people post and what time brings goes through one queue.

Each link has two threads of its own, ears and mouth: a radio's `send` may block for ever and nothing else may wait for it.
Posts wait until their commit is durable; those that arrive together share one. The runner decides nothing: the island does.
"""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from node.clock import Clock
from node.island import Island
from node.sync.events import Event, LinkChanged, PacketReceived, Send, SendDone
from radio.link import Link, Outcome

log = logging.getLogger(__name__)

INBOX = 2_000  # events; beyond it ears wait, and links drop and count by their own bounds
BATCH = 200
LISTEN_S = 0.5
MAX_WAIT_S = 5.0


@dataclass
class Chore:
    """Something the runner's thread does every `period_s` of monotonic time; `do` gets `now`."""

    period_s: float
    do: Callable[[float], Any]
    due: float = 0.0


class Port:
    """One link's ears and mouth. `tell` takes events from any thread."""

    def __init__(self, link: Link, tell: Callable[[Event], None]):
        self.link, self._tell = link, tell
        self._out: queue.SimpleQueue[Send | None] = queue.SimpleQueue()
        self._closing = threading.Event()
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
        was_up = False
        while not self._closing.is_set():
            if self.link.up != was_up:
                was_up = not was_up
                self._tell(LinkChanged(self.link.name, was_up))
            heard = self.link.receive(LISTEN_S)
            if heard is not None:
                self._tell(PacketReceived(self.link.name, heard.payload, heard.sender, heard.hops))

    def _speak(self) -> None:
        while (packet := self._out.get()) is not None:
            try:
                outcome = self.link.send(packet.payload, packet.hop_limit, packet.urgent)
            except Exception:  # a library's surprise must not end this thread: the link would be mute for ever
                log.exception("%s: sending failed", self.link.name)
                outcome = Outcome.FAILED
            self._tell(SendDone(self.link.name, outcome.value))


class Runner:
    """Runs `island` with its `links` on one thread. `publish` and `call` may be used from any other thread."""

    def __init__(self, island: Island, links: list[Link], clock: Clock, chores: list[Chore] | None = None):
        self.island, self._clock, self._chores = island, clock, chores or []
        self._inbox: queue.Queue[Any] = queue.Queue(INBOX)
        self._ports = {link.name: Port(link, self._inbox.put) for link in links}
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

    def publish(self, raw: bytes) -> None:
        """Keep a record made here and pass it on; returns once it is durable, raises StoreFailed if the card will not."""
        future: Future[None] = Future()
        self._inbox.put((raw, future))
        future.result()

    def call(self, work: Callable[[], Any]) -> Any:
        """Let the runner's thread do `work` between two events, and return what it returns."""
        future: Future[Any] = Future()
        self._inbox.put((work, future))
        return future.result()

    def _stop(self) -> None:
        self._stopping = True

    def _run(self) -> None:
        while not self._stopping:
            self._turn(self._gather())

    def _turn(self, batch: list[Any]) -> None:
        try:
            self._send(self.island.handle_all([item for item in batch if not isinstance(item, tuple)], self._clock.now()))
            self._answer([item for item in batch if isinstance(item, tuple)])
            self._do_chores()
        except Exception:  # the island must go on serving; what failed is in the log
            log.exception("a turn of the runner failed")

"""Text messages of hand-held radios, on a thread of its own: from the radio's inbox to the answerer, and back with the
runner's leave.

Questions are few and answers wait for air, so one thread does all of it, one text at a time. Nothing of who asked is
written or logged; here it is known until the answer is out, or its deadline is over.
"""

import logging
import queue
import threading
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from node.board.board import Board
from node.board.items import root_of
from node.board.pace import Visitor
from node.daemon.runner import PendingText, Runner
from node.daemon.settings import RadioSettings
from node.daemon.text_air import TextAir
from node.daemon.timekeeper import Timekeeper
from node.handheld.answers import Answerer
from node.handheld.turn import Question
from node.model.clock import minute_of
from node.store.index import StoreFailed
from radio.link import Outcome
from radio.meshtastic.link import TEXT_PAUSE_S, MeshtasticLink, TextReceived

log = logging.getLogger(__name__)

MAX_HEARD = 32  # texts that wait to be read; beyond it they are dropped and counted
MAX_UNSENT, MAX_UNSENT_OF_ONE = 20, 3  # answers that wait for air
LOOK_S = 5.0
ANSWER_WITHIN_S = 600.0  # after that nobody waits for it
CODE_WITHIN_S = 3_600.0  # what holds an edit code is worth waiting for
LONG_WAIT_S = 120.0  # for air: then a short sentence says so instead
FORGET_S = 600.0
ANNOUNCE_EVERY_S = 1_800.0  # one urgent call on the public channel in half an hour
ANNOUNCED_A_DAY = 6
DAY_S = 86_400.0
MAX_ANNOUNCED = 200  # roots of urgent calls that were announced, or need not be
MAX_HOPS, DEFAULT_HOPS, SPARE_HOPS = 7, 3, 2  # an answer may go as far as the question came, and a little further


class TextInbox:
    """Where the radio's thread puts what it hears. Safe from any thread; never waits."""

    def __init__(self) -> None:
        self._heard: queue.Queue[TextReceived | None] = queue.Queue(MAX_HEARD)
        self.dropped = 0

    def put(self, text: TextReceived) -> None:
        """A text came."""
        try:
            self._heard.put_nowait(text)
        except queue.Full:
            self.dropped += 1

    def wake(self) -> None:
        """Let whoever waits in `take` look at what else there is."""
        with suppress(queue.Full):
            self._heard.put_nowait(None)

    def take(self, timeout_s: float) -> TextReceived | None:
        """The next one, None when woken or after so long."""
        try:
            return self._heard.get(timeout=timeout_s)
        except queue.Empty:
            return None


@dataclass(frozen=True)
class UnsentText:
    """An answer that waits for air, or (`to` "") a call to all on a channel. `question` is what it answers."""

    to: str
    text: str
    due_by: float
    channel: int = 0
    hops: int = DEFAULT_HOPS
    question: Question | None = None
    short: bool = False


@dataclass(frozen=True)
class TextHost:
    """What is needed of the island. `visitor_of(radio)`: its hash; `settings()`: those of the radio that count now."""

    link: MeshtasticLink
    board: Board
    runner: Runner
    timekeeper: Timekeeper
    air: TextAir
    answerer: Answerer
    visitor_of: Callable[[str], Visitor]
    settings: Callable[[], RadioSettings]
    rate: float = 1.0


class TextService:
    """Runs from `start` until closed. `counters` are by slug, without anybody in them."""

    def __init__(self, host: TextHost, inbox: TextInbox):
        self._host, self._inbox, self.counters = host, inbox, Counter[str]()
        self._unsent: deque[UnsentText] = deque()
        self._under_way = threading.Event()
        self._sent_at = self._look_at = float("-inf")
        self._began, self._announced = host.board.now(), deque[bytes](maxlen=MAX_ANNOUNCED)
        self._announced_at: deque[float] = deque(maxlen=ANNOUNCED_A_DAY)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="texts", daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the text at hand."""
        self._closing.set()
        self._inbox.wake()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        wait_s = LOOK_S
        while not self._closing.is_set():
            text = self._inbox.take(min(wait_s, LOOK_S) / self._host.rate)
            try:
                if text:
                    self._hear(text)
                self._look()
                wait_s = self._send_next()
            except StoreFailed:  # the runner has ended, and so does this
                return
            except Exception:  # whatever one text does, the next one is answered
                log.exception("a text message could not be answered")
                wait_s = LOOK_S

    def _now(self) -> float:
        return self._host.timekeeper.monotonic()

    # questions

    def _hear(self, heard: TextReceived) -> None:
        if not self._host.settings().texts:
            self.counters["switched-off"] += 1
            return
        waiting = sum(one.to == heard.sender for one in self._unsent)
        if len(self._unsent) >= MAX_UNSENT or waiting >= MAX_UNSENT_OF_ONE:
            self.counters["crowded"] += 1
            return
        question = Question(self._host.visitor_of(heard.sender), heard.text, heard.private)
        answer, holds_code = self._answer(question)
        if answer is None:
            return
        hops = DEFAULT_HOPS if heard.hops is None else min(heard.hops + SPARE_HOPS, MAX_HOPS)
        due_by = self._now() + (CODE_WITHIN_S if holds_code else ANSWER_WITHIN_S)
        self._unsent.append(UnsentText(heard.sender, answer, due_by, heard.channel, hops, question, holds_code))

    def _answer(self, question: Question) -> tuple[str | None, bool]:
        """The answer, and whether it holds a code that nobody can tell a second time."""
        answerer = self._host.answerer
        before = answerer.counters["posted"]
        try:
            answer = answerer.answer(question, self._now())
        except StoreFailed:
            raise
        except Exception:  # what was acknowledged is answered with a sentence all the same
            log.exception("a question by radio failed")
            answer = answerer.sorry(question, self._now())
        return answer, answerer.counters["posted"] > before

    # answers

    def _send_next(self) -> float:
        """Send what may go; how long until it is worth another look."""
        now = self._now()
        while self._unsent and self._unsent[0].due_by <= now:
            self._unsent.popleft()
            self.counters["too-late"] += 1
        if not self._unsent or self._under_way.is_set():
            return LOOK_S
        pause_s = self._sent_at + TEXT_PAUSE_S - now
        if pause_s > 0 or not self._host.link.up:
            return max(pause_s, 1.0)
        head = self._unsent[0]
        wait_s = self._host.runner.call(lambda: self._host.air.claim(
            len(head.text.encode()), self._host.timekeeper.now(), bool(head.to), head.short))
        if wait_s > 0:
            return self._wait_for_air(head, wait_s)
        self._unsent.popleft()
        self._hand_over(head)
        return LOOK_S

    def _wait_for_air(self, head: UnsentText, wait_s: float) -> float:
        """Leave it where it is; if that takes long, a short sentence says so to whoever asked instead."""
        if wait_s > LONG_WAIT_S and not head.short and head.question is not None:
            self._unsent.popleft()
            self.counters["no-air"] += 1
            at = self._host.timekeeper.now() + wait_s
            said = self._host.answerer.wait_until(head.question, minute_of(at), self._now())
            if said is not None:
                self._unsent.appendleft(replace(head, text=said, due_by=self._now() + LONG_WAIT_S, short=True))
            return 0.1
        return wait_s

    def _hand_over(self, text: UnsentText) -> None:
        self._under_way.set()
        link = self._host.link

        def done(outcome: Outcome) -> None:
            self.counters[f"text-{outcome.value}"] += 1
            self._sent_at = self._now()
            self._under_way.clear()
            self._inbox.wake()

        self._host.runner.send_text(link.name, PendingText(
            lambda: link.send_text(text.to, text.text, text.hops, text.channel), done))

    # now and then

    def _look(self) -> None:
        now = self._now()
        if now < self._look_at + LOOK_S:
            return
        self._look_at = now
        self._host.answerer.forget(now)
        self._host.link.forget_receivers(FORGET_S)
        self._announce(now)

    def _announce(self, now: float) -> None:
        """Call out what is urgent and new, if the keepers want that; each once, and few of them."""
        channel = self._channel(self._host.settings().texts_announce)
        if channel is None:
            return
        for item in self._host.board.urgent():
            if item.created < self._began or root_of(item) in self._announced or item.cancelled is not None:
                continue
            full = len(self._announced_at) == ANNOUNCED_A_DAY and self._announced_at[0] > now - DAY_S
            if full or (self._announced_at and self._announced_at[-1] > now - ANNOUNCE_EVERY_S):
                return
            self._announced.append(root_of(item))
            self._announced_at.append(now)
            self.counters["announced"] += 1
            self._unsent.append(UnsentText("", self._host.answerer.announcement(item), now + ANSWER_WITHIN_S, channel))
            return

    def _channel(self, wanted: str) -> int | None:
        """The number of a channel of the radio by its name or number, None for none."""
        names = self._host.link.facts.channels
        if wanted in names and wanted:
            return names.index(wanted)
        return int(wanted) if wanted.isdecimal() and int(wanted) < max(len(names), 1) else None

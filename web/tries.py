"""Tries of passwords, passphrases and edit codes: wrong ones cost whoever makes them, and nobody else.

One thread does all the hashing, one try at a time: scrypt takes 32 MB and up to two seconds. Who has been wrong least of
late is next, so that a keeper waits for the try that runs and not for those of others. Whoever finds no place is told to
wait at once: of the portal's threads, MAX_WAITING and the one whose try runs stand here.
"""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

FREE_TRIES, WINDOW_S = 5, 600.0  # so many wrong ones in ten minutes cost no wait: people mistype
DELAY_S = 2.0  # between two tries after that: 30 a minute; a keeper on the same network as who guesses finds a gap
MAX_WAITING = 4  # of the portal's 16 threads; at 1.6 s each on the smallest Pi the last of them has its answer within 8 s
PER_VISITOR = 2  # a button pressed twice
MAX_VISITORS = 2_000  # about 1 MB
Outcome = TypeVar("Outcome")


class TooManyTries(Exception):
    """This visitor must wait some seconds: nothing was tried."""


@dataclass
class WaitingTry:
    """A try that waits for its turn; its answer goes into `answer`."""

    visitor: bytes
    work: Callable[[], Any]
    is_wrong: Callable[[Any], bool]
    answer: Future = field(default_factory=Future)


class Tries:
    """Where tries are made, one at a time, on a thread that lives while there are any. Safe from any thread."""

    def __init__(self, monotonic: Callable[[], float]):
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._wrong: OrderedDict[bytes, deque[float]] = OrderedDict()  # by visitor, who was wrong last at the end
        self._waiting: list[WaitingTry] = []
        self._running: WaitingTry | None = None

    def make(self, visitor: bytes, work: Callable[[], Outcome], is_wrong: Callable[[Outcome | Exception], bool]) -> Outcome:
        """What `work` returns or raises; `is_wrong` is asked of either. Raises TooManyTries.

        `work` runs on the thread of the tries: it may wait for the runner, as a post does, but must know no request.
        """
        made = WaitingTry(visitor, work, is_wrong)
        with self._lock:
            self._enter(made)
            if self._running is None:
                self._running = self._next()
                threading.Thread(target=self._work, args=(self._running,), name="tries", daemon=True).start()
        return made.answer.result()

    def _enter(self, made: WaitingTry) -> None:
        """Let it wait; raises TooManyTries if it is too early, or those who were wrong less often have all the places."""
        wrong = self._wrong_of(made.visitor)
        early = len(wrong) >= FREE_TRIES and self._monotonic() - wrong[-1] < DELAY_S
        mine = [one for one in (self._running, *self._waiting) if one and one.visitor == made.visitor]
        if early or len(mine) >= (PER_VISITOR if len(wrong) < FREE_TRIES else 1):
            raise TooManyTries
        self._waiting.append(made)
        if len(self._waiting) > MAX_WAITING:
            last = max(self._waiting, key=self._count)
            if self._count(last) <= self._count(made):
                last = made
            self._waiting.remove(last)
            if last is made:
                raise TooManyTries
            last.answer.set_exception(TooManyTries())

    def _next(self) -> WaitingTry:
        """The first that came of those who have been wrong least."""
        first = min(self._waiting, key=self._count)
        self._waiting.remove(first)
        return first

    def _count(self, waiting: WaitingTry) -> int:
        return len(self._wrong_of(waiting.visitor))

    def _work(self, made: WaitingTry | None) -> None:
        """Make this try, and others until none waits: once there is none, the next one has a thread of its own."""
        while made:
            outcome = _outcome(made.work)
            with self._lock:
                if made.is_wrong(outcome):
                    self._note_wrong(made.visitor)
                following = self._running = self._next() if self._waiting else None
            if isinstance(outcome, Exception):
                made.answer.set_exception(outcome)
            else:
                made.answer.set_result(outcome)
            made = following

    def _wrong_of(self, visitor: bytes) -> deque[float]:
        """When this visitor was wrong of late, FREE_TRIES at most."""
        wrong = self._wrong.get(visitor, deque())
        while wrong and self._monotonic() - wrong[0] > WINDOW_S:
            wrong.popleft()
        return wrong

    def _note_wrong(self, visitor: bytes) -> None:
        wrong = self._wrong.setdefault(visitor, deque(maxlen=FREE_TRIES))
        wrong.append(self._monotonic())
        self._wrong.move_to_end(visitor)
        while len(self._wrong) > MAX_VISITORS:
            self._wrong.popitem(last=False)


def _outcome(work: Callable[[], Outcome]) -> Outcome | Exception:
    try:
        return work()
    except Exception as error:  # whoever waits for the answer gets it
        return error

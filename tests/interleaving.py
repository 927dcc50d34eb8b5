"""Two threads in one another's way, step by step: a lost update is found each time, not once in a thousand.

A step is a line, or (with `fine`) an instruction of the interpreter, of the functions that are looked at.
"""

import sys
import threading
from collections.abc import Callable, Collection, Iterator
from itertools import count

BLOCKED_S = 0.05  # whoever moves no more waits for a lock; too short a time makes a test weaker, never red
LOST_S = 30.0


class Pace:
    """A thread that does `work`, and stops after `steps` steps (None: never) until it may go on."""

    def __init__(self, work: Callable[[], object], inside: Collection[Callable], steps: int | None, fine: bool = False):
        self._work, self._codes, self._left, self._fine = work, {one.__code__ for one in inside}, steps, fine
        self._moved, self._may_go_on = threading.Event(), threading.Event()
        self.stopped, self.raised = False, None
        self._thread = threading.Thread(target=self._run, name="paced", daemon=True)
        self._thread.start()

    def wait(self, patience_s: float = LOST_S) -> bool:
        """Until it has stopped or ended; False if it did neither, and waits for somebody else."""
        return self._moved.wait(patience_s)

    def end(self) -> None:
        """Let it go on to its end; raises what it raised."""
        self._may_go_on.set()
        self._thread.join(LOST_S)
        assert not self._thread.is_alive(), "they wait for one another"
        if self.raised:
            raise self.raised

    def _run(self):
        sys.settrace(lambda frame, event, arg: self._enter(frame))
        try:
            self._work()
        except Exception as error:
            self.raised = error
        finally:
            sys.settrace(None)
            self._moved.set()

    def _enter(self, frame):
        if frame.f_code not in self._codes:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = self._fine, not self._fine
        return self._step

    def _step(self, frame, event, arg):
        if event == ("opcode" if self._fine else "line") and self._left is not None and not self.stopped:
            self._left -= 1
            if self._left < 0:
                self.stopped = True
                self._moved.set()
                assert self._may_go_on.wait(LOST_S)
        return self._step


def in_between(make: Callable, inside: Collection[Callable]) -> Iterator[object]:
    """`make()` gives (one, other, what came of them): the whole of `other` is done after each line of `one` in turn."""
    for steps in count():
        one, other, result = make()
        first = Pace(one, inside, steps)
        first.wait()
        second = Pace(other, (), None)
        second.wait(BLOCKED_S)
        for pace in (first, second):
            pace.end()
        yield result
        if not first.stopped:
            return


def interwoven(make: Callable, inside: Collection[Callable]) -> Iterator[object]:
    """The same, finer: after each instruction of `one` as much of `other` as goes up to each of its own, then the rests."""
    for first_steps in count():
        for second_steps in count():
            one, other, result = make()
            first = Pace(one, inside, first_steps, fine=True)
            first.wait()
            second = Pace(other, inside, second_steps, fine=True)
            second.wait(BLOCKED_S)
            for pace in (first, second):
                pace.end()
            yield result
            if not second.stopped:
                break
        if not first.stopped:
            return

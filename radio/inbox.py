"""What a link heard and nobody took yet: bounded, between the thread that hears and the one that takes."""

from collections import deque
from threading import Condition

from radio.link import Received

MAX_WAITING = 256


class Inbox:
    """At most MAX_WAITING packets, in the order they came. Closing is for good."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[Received] = deque()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, received: Received, patience_s: float = 0.0) -> bool:
        """Whether there was room, after `patience_s` at most; never once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._waiting) < MAX_WAITING, patience_s)
            if self._closed or len(self._waiting) >= MAX_WAITING:
                return False
            self._waiting.append(received)
            self._changed.notify_all()
            return True

    def take(self, timeout_s: float) -> Received | None:
        """The oldest packet; None after `timeout_s`, or at once when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting, timeout_s)
            if self._closed or not self._waiting:
                return None
            self._changed.notify_all()
            return self._waiting.popleft()

    def close(self) -> None:
        """Let nobody wait here any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

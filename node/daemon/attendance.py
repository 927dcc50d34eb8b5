"""Who waits for an answer of the portal just now: what nobody waits for lets them pass."""

import threading
from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

Portal = TypeVar("Portal", bound=Callable[..., Iterable[bytes]])  # a WSGI application (PEP 3333)


class Attendance:
    """Counts requests while they are answered, nothing else about them. Safe from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._answering = 0

    def attended(self, portal: Portal) -> Portal:
        """The same portal, counted."""
        def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            self._count(1)
            try:
                return portal(environ, start)
            finally:
                self._count(-1)

        return cast(Portal, answer)

    def let_pass(self, most_s: float) -> bool:
        """Wait until nobody waits for an answer, but no longer than `most_s`; whether it is calm."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._answering, most_s)

    def _count(self, step: int) -> None:
        with self._changed:
            self._answering += step
            self._changed.notify_all()

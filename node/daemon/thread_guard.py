"""A debug mode that raises when an object is used from another thread than the one that owns it.

The rules are a table in docs/architecture.md. Off by default, and then it costs nothing: objects are wrapped one by one
when they are put together, and only if the environment has ARCHIPEL_THREAD_GUARD (tests/conftest.py sets it).
"""

import os
import threading
from collections.abc import Collection
from inspect import getattr_static
from typing import Any

VARIABLE = "ARCHIPEL_THREAD_GUARD"


class WrongThread(RuntimeError):
    """An object was used from a thread that does not own it."""


class ThreadOwner:
    """A thread that owns objects. Before it begins and after it has ended, they may be put together and taken apart."""

    def __init__(self, name: str):
        self.name = name
        self._ident: int | None = None

    def begin(self, thread: threading.Thread) -> None:
        """This thread, which was started, owns them from now on."""
        self._ident = thread.ident

    def end(self) -> None:
        """Nobody owns them any more."""
        self._ident = None

    def check(self, what: str) -> None:
        """Raise WrongThread if another thread than the caller's owns `what`."""
        if self._ident not in (None, threading.get_ident()):
            raise WrongThread(f"{what} belongs to the thread {self.name!r}, not to {threading.current_thread().name!r}")


def is_on() -> bool:
    """Whether this process guards its threads."""
    return bool(os.environ.get(VARIABLE))


def guard(thing: Any, owner: ThreadOwner, only: Collection[str] = (), free: Collection[str] = ()) -> None:
    """Let `thing` raise WrongThread when another thread uses its attributes: all but `free`, or `only` these.

    Does nothing unless the mode is on. A guarded object is still an instance of its class, and has no more attributes.
    """
    if not is_on():
        return
    kind: Any = type(thing)

    def checked(self: Any, name: str) -> Any:
        if not name.startswith("__") and name not in free and (not only or name in only):
            try:
                owner.check(f"{kind.__name__}.{name}")
            except WrongThread:
                getattr_static(self, name)  # AttributeError for what it has not: that is no question of threads
                raise
        return kind.__getattribute__(self, name)

    thing.__class__ = type(kind.__name__, (kind,), {"__getattribute__": checked, "__slots__": ()})

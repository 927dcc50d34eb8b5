"""A link that its settings cannot open: down, with the reason, so that the others and the portal work."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from node.i18n.sentence import Sentence, sentence
from radio.link import Link, Outcome, Received

log = logging.getLogger(__name__)


class IdleLink:
    """A `radio.link.Link` that is never up. `state`: `files` (one that its settings name cannot be read) or `settings`."""

    max_payload = 0
    up = False

    def __init__(self, name: str, state: str):
        self.name, self.state = name, state
        self.counters: Counter[str] = Counter()
        self._closing = threading.Event()

    def send(self, payload: bytes, hop_limit: int = 0, urgent: bool = False, to: str = "") -> Outcome:
        """Nothing goes out."""
        return Outcome.DOWN

    def receive(self, timeout_s: float) -> Received | None:
        """Nothing comes in; None after `timeout_s`, or once it is closed."""
        self._closing.wait(timeout_s)
        return None

    def close(self) -> None:
        """Stop; twice is allowed."""
        self._closing.set()


def opened(name: str, section: str, make: Callable[[], Link]) -> tuple[Link, Sentence | None]:
    """The link that `make` makes; if it cannot, an idle one, and what to tell the keeper."""
    try:
        return make(), None
    except Exception as error:  # a library's surprise too: no link may keep the others from working
        log.warning("%s cannot be opened: %s", name, error)
        reason = _reason(error)
        told = sentence("The link %(name)s is not in use (%(reason)s). Check [%(section)s] in the settings file, and the "
                        "files that it names; then start the island again.", name=name, reason=reason, section=section)
        return IdleLink(name, "files" if isinstance(error, OSError) else "settings"), told


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{Path(str(error.filename)).name}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__

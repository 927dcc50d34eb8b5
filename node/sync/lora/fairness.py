"""How much of our air each author's records took of late, so that nobody's flood keeps the others waiting.

The trust rules give each author a quota in the set (`node.replica.quota`); this is its part of the air. Whoever took much
more than an equal part of the last hour is *crowding*: its records go after everybody else's, and leave a part of the
hour's budget free for them. So do summaries and questions, but for a few. With nobody else about, nothing is kept back.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

from node.sync.lora.tuning import Tuning


class Claim(IntEnum):
    """What a packet may use of the hour's budget: all of it, all but what is kept for urgent ones, or less still."""

    URGENT = 0
    FAIR = 1
    CROWDING = 2


@dataclass(frozen=True, slots=True)
class _Sendings:
    """How many, as of a moment."""

    count: float = 0.0
    at: float = 0.0

    def faded(self, at: float, fade_s: float) -> float:
        """What is left of them at a later moment."""
        return self.count * math.exp((self.at - at) / fade_s)


class Fairness:
    """Sendings by author, fading over an hour. Bounded: who was not met for longest gives way."""

    def __init__(self, tuning: Tuning):
        self._tuning = tuning
        self._spent: dict[bytes, _Sendings] = {}  # by author; the last met is last
        self._asked = _Sendings()
        self.lenient_until = float("-inf")  # until then nobody crowds the air

    def __len__(self) -> int:
        return len(self._spent)

    def meet(self, author: bytes, at: float, sendings: int = 0) -> None:
        """A record of this author came, or a piece of one went out."""
        spent = self._faded(author, at) + sendings
        self._spent.pop(author, None)
        self._spent[author] = _Sendings(spent, at)
        oldest = next(iter(self._spent))
        if len(self._spent) > self._tuning.max_authors or self._spent[oldest].at < at - self._tuning.forget_author_s:
            del self._spent[oldest]

    def ask(self, at: float) -> None:
        """A packet without any record went out."""
        self._asked = _Sendings(self._asked.faded(at, self._tuning.fade_s) + 1, at)

    def asks(self, at: float) -> Claim:
        """The claim of such a packet: summaries and questions, too, are to leave room for records."""
        asked = self._asked.faded(at, self._tuning.fade_s)
        return Claim.FAIR if asked < self._tuning.least_asks or at < self.lenient_until else Claim.CROWDING

    def crowding(self, at: float) -> set[bytes]:
        """Who took more than twice an equal part, as it were with one more author about."""
        if at < self.lenient_until:
            return set()
        spent = {author: self._faded(author, at) for author in self._spent}
        limit = max(2 * sum(spent.values()) / (len(spent) + 1), self._tuning.least_crowd)
        return {author for author, sendings in spent.items() if sendings > limit}

    def _faded(self, author: bytes, at: float) -> float:
        return self._spent.get(author, _Sendings()).faded(at, self._tuning.fade_s)

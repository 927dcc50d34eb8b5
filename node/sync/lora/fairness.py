"""How much of our air each author's records took of late, so that nobody's flood keeps the others waiting.

The trust rules give each author a share of the set (`node.replica.quota`); this is its share of the air. Whoever took much
more than an equal part of the last hour is *crowding*: its records go after everybody else's, and leave a part of the
hour's budget free for them. So do summaries and questions, but for a few. With nobody else about, nothing is kept back.
"""

import math
from enum import IntEnum

from node.sync.lora.tuning import Tuning


class Claim(IntEnum):
    """What a packet may use of the hour's budget: all of it, all but what is kept for urgent ones, or less still."""

    URGENT = 0
    FAIR = 1
    CROWDING = 2


class Fairness:
    """Sendings by author, fading over an hour. Bounded: who was not met for longest gives way."""

    def __init__(self, tuning: Tuning):
        self._tuning = tuning
        self._spent: dict[bytes, tuple[float, float]] = {}  # author -> sendings, as of when; the last met is last
        self._asked = 0.0, 0.0

    def __len__(self) -> int:
        return len(self._spent)

    def meet(self, author: bytes, at: float, sendings: int = 0) -> None:
        """A record of this author came, or a piece of one went out."""
        spent = self._faded(author, at) + sendings
        self._spent.pop(author, None)
        self._spent[author] = spent, at
        oldest = next(iter(self._spent))
        if len(self._spent) > self._tuning.max_authors or self._spent[oldest][1] < at - self._tuning.forget_author_s:
            del self._spent[oldest]

    def ask(self, at: float) -> None:
        """A packet without any record went out."""
        self._asked = self._asks(at) + 1, at

    def asks(self, at: float) -> Claim:
        """The claim of such a packet: summaries and questions, too, are to leave room for records."""
        return Claim.FAIR if self._asks(at) < self._tuning.least_asks else Claim.CROWDING

    def _asks(self, at: float) -> float:
        asked, since_at = self._asked
        return asked * math.exp((since_at - at) / self._tuning.fade_s)

    def crowding(self, at: float) -> set[bytes]:
        """Who took more than twice an equal part, as it were with one more author about."""
        spent = {author: self._faded(author, at) for author in self._spent}
        limit = max(2 * sum(spent.values()) / (len(spent) + 1), self._tuning.least_crowd)
        return {author for author, sendings in spent.items() if sendings > limit}

    def _faded(self, author: bytes, at: float) -> float:
        spent, since_at = self._spent.get(author, (0.0, at))
        return spent * math.exp((since_at - at) / self._tuning.fade_s)

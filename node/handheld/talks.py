"""What is remembered of who asked, for minutes and in memory: the language, the last list, the rest of a long answer.

A **talk** is one radio's. It is known by a hash with a salt that changes, is forgotten ten minutes after its last message,
and the oldest goes when there are too many. How often one radio, and all together, may ask is counted beside it.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from node.handheld.words import Verb

REMEMBERED_S = 600.0  # as long as it takes to read a part on a small screen and to press some keys
MAX_TALKS = 100  # at once; 10 kB each at most: a list of 20 numbers, and 20 parts of 219 octets
ONE_AT_ONCE, ONE_EVERY_S = 12, 20.0  # questions: the longest post is 9 parts; then a text every 20 s
ALL_AT_ONCE, ALL_EVERY_S = 40, 10.0  # of all radios together
WAITS_AT_ONCE, WAITS_EVERY_S = 4, 120.0  # sentences that ask to wait, for all radios together
CODES_AT_ONCE, CODES_EVERY_S = 10, 360.0  # wrong edit codes, for all together: 240 a day of 40 bits
WRONG_CODES = 4  # in one talk


@dataclass
class Turns:
    """So many at once, and one more every so many seconds. `now` is in seconds that never jump."""

    at_once: int
    every_s: float
    _owed_s: float = 0.0
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        self._owed_s, self._at = max(self._owed_s - (now - self._at), 0.0), now
        if self._owed_s > (self.at_once - 1) * self.every_s:
            return False
        self._owed_s += self.every_s
        return True

    def wait_s(self, now: float) -> float:
        """How long until there is one."""
        owed_s = max(self._owed_s - (now - self._at), 0.0)
        return max(owed_s - (self.at_once - 1) * self.every_s, 0.0)


@dataclass(frozen=True)
class Offered:
    """What a number of the last list stands for: an item by its id, or something to ask."""

    item_id: str = ""
    verb: Verb | None = None
    tag: str = ""  # a language to speak


@dataclass(frozen=True)
class OwnPost:
    """A post that came in this talk: what was typed, its id and its edit code, whether nobody can have typed it in this
    radio's name, and whether it waits for a keeper."""

    typed: str
    item_id: str
    code: str
    private: bool
    waits: bool


@dataclass
class Talk:
    """One radio's. `read` is the item that it read last, if that was its last answer; `more` the parts that follow."""

    tag: str
    seen_at: float = 0.0
    chosen: bool = False  # the language was chosen, not guessed of a word
    choices: tuple[Offered, ...] = ()
    read: str = ""
    more: tuple[str, ...] = ()
    posts: tuple[OwnPost, ...] = ()
    wrong_codes: int = 0
    told_until: float = float("-inf")  # until then it need not be told again that it has to wait
    turns: Turns = field(default_factory=lambda: Turns(ONE_AT_ONCE, ONE_EVERY_S))


class Talks:
    """All that are remembered. For one thread."""

    def __init__(self) -> None:
        self._talks: OrderedDict[bytes, Talk] = OrderedDict()

    def of(self, who: bytes, before: bytes, tag: str, now: float) -> Talk:
        """The talk of a radio, by its hash with the salt of these hours or with the one before; begun in `tag`."""
        self.forget(now)
        talk = self._talks.pop(who, None) or self._talks.pop(before, None) or Talk(tag)
        talk.seen_at = now
        self._talks[who] = talk
        if len(self._talks) > MAX_TALKS:
            self._talks.popitem(last=False)
        return talk

    def forget(self, now: float) -> None:
        """Forget those that have ended."""
        while self._talks and next(iter(self._talks.values())).seen_at <= now - REMEMBERED_S:
            self._talks.popitem(last=False)

    def __len__(self) -> int:
        return len(self._talks)

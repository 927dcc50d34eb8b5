"""One question and what is at hand to answer it: the board, the talk that it belongs to, and a voice in its language."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from node.board.api import TextPatience
from node.board.board import Board
from node.board.pace import Visitor
from node.handheld.cutting import pages_of, parts_of
from node.handheld.talks import Offered, Talk, Turns
from node.handheld.wording import KeepersWords, Speaker
from node.i18n.sentence import Sentence

MARK = ">"  # what an answer begins with


@dataclass(frozen=True)
class Question:
    """A text message: `who` as the board knows visitors, `private` if nobody else can have written it in that name."""

    who: Visitor
    text: str
    private: bool = False


@dataclass(frozen=True)
class Reception:
    """What is needed around the board: the island's `name`, wall clock and language, octets of a message, what keepers
    changed, what a sentence is in a language (by its tag), and how long to wait for texts that were never decoded."""

    name: str
    zone: ZoneInfo
    tag: str
    most_bytes: int
    keepers: Callable[[], KeepersWords]
    said: Callable[[str, Sentence], str]
    patience: Callable[[], TextPatience]

    def speaker(self, tag: str) -> Speaker:
        """A voice in a language."""
        return Speaker(tag, partial(self.said, tag), self.keepers().words, self.zone)


@dataclass(frozen=True)
class TextTurn:
    """`codes`: how many wrong edit codes there may be; `now` in seconds that never jump."""

    board: Board
    at: Reception
    question: Question
    talk: Talk
    codes: Turns
    now: float

    @property
    def speaker(self) -> Speaker:
        """The voice of whoever asks: a talk's language may change on the way."""
        return self.at.speaker(self.talk.tag)

    @property
    def room(self) -> int:
        """Octets of an answer beside its mark."""
        return self.at.most_bytes - len(MARK)

    def say(self, what: Sentence) -> list[str]:
        """A sentence, in parts."""
        return parts_of(self.speaker.say(what), self.room)

    def offer(self, lines: Sequence[str], choices: Sequence[Offered], most_bytes: int) -> list[str]:
        """A numbered list, in pages; its numbers can be chosen from now on."""
        self.talk.choices, self.talk.read = tuple(choices), ""
        return pages_of(lines, min(most_bytes, self.room))

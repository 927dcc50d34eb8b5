"""One answer for one text message of a radio in the hand: what the board has, in as few octets as say it.

Nothing is sent unasked, and never two messages for one. What an answer begins with (`MARK`) is answered by no island, so
that two of them that text each other fall silent at once.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial

from node.board.api import Item
from node.board.board import Board
from node.handheld import authoring, lookup
from node.handheld.commands import Asked, asked, has_figures
from node.handheld.cutting import shortened
from node.handheld.days import date_typed
from node.handheld.talks import (
    ALL_AT_ONCE,
    ALL_EVERY_S,
    CODES_AT_ONCE,
    CODES_EVERY_S,
    REMEMBERED_S,
    WAITS_AT_ONCE,
    WAITS_EVERY_S,
    Talk,
    Talks,
    Turns,
)
from node.handheld.turn import MARK, Question, Reception, TextTurn
from node.handheld.words import TAGS, Verb
from node.i18n.sentence import Plural, Sentence, entry, sentence

BROKEN = "\ufffd\0"  # what is left of a letter that was cut on its way, and of a message that was filled up
WAIT = Plural("That is a lot of questions. Please wait %(num)s minute.",
              "That is a lot of questions. Please wait %(num)s minutes.")
SORRY = sentence("This island cannot answer that now. Please try again later.")
LEAST_POST_CHARS = 20  # what is so long and not understood may have been meant for the board


class Answerer:
    """Answers questions, one after the other. For one thread, and not the runner's: posting waits for that.

    `counters`: how many were asked, answered, and left without an answer and why, by slug.
    """

    def __init__(self, board: Board, reception: Reception):
        self._board, self._at, self._talks = board, reception, Talks()
        self._all, self._waits = Turns(ALL_AT_ONCE, ALL_EVERY_S), Turns(WAITS_AT_ONCE, WAITS_EVERY_S)
        self._codes = Turns(CODES_AT_ONCE, CODES_EVERY_S)
        self.counters: Counter[str] = Counter()

    def answer(self, question: Question, now: float) -> str | None:
        """What to send back, None for nothing. `now` is in seconds that never jump."""
        if question.text.lstrip().startswith(MARK):
            self.counters["looped"] += 1  # another island's answer
            return None
        self.counters["asked"] += 1
        talk = self._talks.of(*question.who, self._at.tag, now)
        if not (talk.turns.take(now) and self._all.take(now)):
            return self._waiting(talk, now)
        listed, own = talk.choices, talk.posts
        parts = self._parts(TextTurn(self._board, self._at, question, talk, self._codes, now))
        if not parts:
            return None
        self.counters["answered"] += 1
        self.counters["posted"] += any(one not in own for one in talk.posts)
        if len(parts) > 1 or talk.choices is not listed:  # after a short answer the list that it came from goes on
            talk.more = tuple(parts[1:])
        return MARK + parts[0]

    def forget(self, now: float) -> None:
        """Forget who asked too long ago."""
        self._talks.forget(now)

    def announcement(self, item: Item) -> str:
        """An urgent call as it is sent to everybody, in the island's language."""
        speaker, signed = self._at.speaker(self._at.tag), f" - {self._at.name}"
        said = f"{speaker.say(sentence('URGENT'))}: {' '.join(speaker.whole(item).split())}"
        return MARK + shortened(said, self._at.most_bytes - len((MARK + signed).encode())) + signed

    @property
    def remembered(self) -> int:
        """How many radios are remembered."""
        return len(self._talks)

    def wait_until(self, question: Question, minute: int, now: float) -> str | None:
        """That an answer cannot be sent before a minute, to whoever asked; once."""
        talk = self._talks.of(*question.who, self._at.tag, now)
        if not self._may_tell(talk, now):
            return None
        moment = self._at.speaker(talk.tag).wall(minute)
        return self._marked(talk, sentence("The air is full. Please ask again after %(time)s.", time=f"{moment:%H:%M}"))

    def sorry(self, question: Question, now: float) -> str:
        """That something went wrong here."""
        talk = self._talks.of(*question.who, self._at.tag, now)
        return self._marked(talk, SORRY)

    def _waiting(self, talk: Talk, now: float) -> str | None:
        """One sentence, once, to who asks too much; and few of them in all, however many ask."""
        if not self._may_tell(talk, now):
            self.counters["silent"] += 1
            return None
        wait_s = max(talk.turns.wait_s(now), self._all.wait_s(now))
        return self._marked(talk, entry(WAIT, max(round(wait_s / 60), 1)))

    def _may_tell(self, talk: Talk, now: float) -> bool:
        """Whether somebody may be told to wait, which is told then."""
        if now < talk.told_until or not self._waits.take(now):
            return False
        talk.told_until = now + REMEMBERED_S
        return True

    def _marked(self, talk: Talk, what: Sentence) -> str:
        return MARK + shortened(self._at.speaker(talk.tag).say(what), self._at.most_bytes - len(MARK))

    def _parts(self, turn: TextTurn) -> list[str]:
        typed, talk = turn.question.text.strip(BROKEN), turn.talk
        today = turn.speaker.wall(self._board.now()).date()
        what = asked(typed, talk.tag, self._at.keepers().words, today)
        if what.tag and not talk.chosen and what.verb is not Verb.LANGUAGE:
            talk.tag = what.tag
        return _answered(turn, what)


def _answered(turn: TextTurn, what: Asked) -> list[str]:
    answers: dict[Verb | None, Callable[[], list[str]]] = {
        Verb.HELP: partial(lookup.menu, turn), Verb.AGENDA: partial(lookup.agenda, turn, what.days, what.number),
        Verb.NEWS: partial(lookup.news, turn, what.number), Verb.MORE: partial(_more, turn),
        Verb.SEARCH: partial(lookup.search, turn, what.rest), Verb.STATUS: partial(lookup.status, turn),
        Verb.POST: partial(authoring.post, turn, what.rest), Verb.REPLY: partial(authoring.reply, turn, what.rest),
        Verb.CANCEL: partial(authoring.cancel, turn, what.rest), Verb.LANGUAGE: partial(_language, turn, what),
        Verb.THANKS: list,
    }
    if what.verb in answers:
        return answers[what.verb]()
    return _chosen(turn, what.number) if what.number is not None else _puzzled(turn, what.rest)


def _chosen(turn: TextTurn, number: int) -> list[str]:
    """A number of the last list."""
    choices = turn.talk.choices
    if not 1 <= number <= len(choices):
        return turn.say(sentence("There is no number %(number)s. Send ? to see what there is.", number=number))
    choice = choices[number - 1]
    if choice.item_id:
        return lookup.read(turn, choice.item_id)
    return _answered(turn, Asked(choice.verb or Verb.LANGUAGE, tag=choice.tag))


def _more(turn: TextTurn) -> list[str]:
    """The next part of the last answer."""
    parts, turn.talk.more = list(turn.talk.more), ()
    return parts or turn.say(sentence("There is nothing more."))


def _language(turn: TextTurn, what: Asked) -> list[str]:
    tag = what.tag or (TAGS[what.number - 1] if what.number and what.number <= len(TAGS) else "")
    if not tag:
        return lookup.languages(turn)
    turn.talk.tag, turn.talk.chosen = tag, True
    return lookup.menu(turn)


def _puzzled(turn: TextTurn, typed: str) -> list[str]:
    """What is none of the words. Somebody who writes a sentence may mean it for the board."""
    if day := date_typed(typed):
        return turn.say(sentence("There is no day %(day)s. Send the day, then the month: 21/3", day=day))
    if len(typed) >= LEAST_POST_CHARS:
        return turn.say(sentence("Not understood. To post it, send: %(usage)s. For the rest: ?",
                                 usage=turn.speaker.usage(Verb.POST)))
    if has_figures(typed):
        return turn.say(sentence("Not understood. Send a number of the list alone, a day like 21/3, or ?"))
    return turn.say(sentence("Not understood. Send ? to see what there is."))

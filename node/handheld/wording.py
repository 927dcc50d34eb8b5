"""What an island says in a text message: as short as a neighbour would, in the language of who asks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from node.board.api import Item
from node.board.confirmed import confirmed_words, is_unconfirmed
from node.board.spans import span_of
from node.handheld.cutting import light, shortened
from node.handheld.days import day_shown
from node.handheld.words import WANTS, Verb, Vocabulary
from node.i18n.moments import Span
from node.i18n.sentence import Sentence, sentence
from node.model.clock import seconds_of
from node.model.record import Kind
from node.model.visible_text import plain as visible

SCREEN_CHARS = 21  # a line of the smallest screen: 128 pixels, letters of 6
TITLE_BYTES = 24  # of an event in a list
HEADLINE_BYTES = 19  # of another line: with its number one row of the smallest screen, and three rows in a page of news
NAME_BYTES = 24
MENU = (Verb.AGENDA, Verb.NEWS, Verb.SEARCH, Verb.POST, Verb.STATUS, Verb.LANGUAGE)


@dataclass(frozen=True)
class KeepersWords:
    """What keepers have changed of it: the first line of the menu ("" for the island's name), and the words."""

    greeting: str = ""
    words: Vocabulary = field(default_factory=Vocabulary)


class Speaker:
    """Says things in one language; `said(sentence)`: what that is in it. `zone` is that of the island's wall clock."""

    def __init__(self, tag: str, said: Callable[[Sentence], str], words: Vocabulary, zone: ZoneInfo):
        self.tag, self.words, self._said, self._zone = tag, words, said, zone

    def say(self, what: Sentence) -> str:
        """A sentence."""
        return light(self._said(what))

    def word(self, verb: Verb) -> str:
        """The word for something that can be asked."""
        return self.words.shown(self.tag, verb)

    def usage(self, verb: Verb) -> str:
        """How something is asked, such as "search WORD"."""
        wants = WANTS[self.tag].get(verb, "")
        return f"{self.word(verb)} {wants}".rstrip()

    # what is listed and read

    def menu(self, title: str) -> str:
        """All that can be asked, numbered, in lines that fit the smallest screen."""
        lines = [shortened(title, NAME_BYTES)]
        for number, verb in enumerate(MENU, 1):
            entry = f"{number} {self.usage(verb)}"
            fits = len(lines) > 1 and len(lines[-1]) + 1 + len(entry) <= SCREEN_CHARS
            lines = [*lines[:-1], f"{lines[-1]} {entry}"] if fits else [*lines, entry]
        return "\n".join(lines)

    def manual(self) -> str:
        """What the menu does not say."""
        return self.say(sentence(
            "A number: read it. +: next part. A day or a date: its agenda. %(reply)s: to what you read. %(cancel)s: take "
            "back your post.", reply=self.usage(Verb.REPLY), cancel=self.usage(Verb.CANCEL)))

    def line(self, number: int, item: Item, on: date | None = None) -> str:
        """An item in a list; an event with its hour, and its day unless that is `on`."""
        over = "X " if (item.cancelled, item.met) != (None, None) else ""
        mark = "!?" if is_unconfirmed(item) else "!" if item.urgent else over
        moment = self.local(item)
        when = f"{moment:%H:%M} " if moment and not item.whole_days else ""
        day = f"{day_shown(moment.date(), self.tag)} " if moment and moment.date() != on else ""
        return f"{number} {day}{when}{mark}{shortened(caption(item), TITLE_BYTES if moment else HEADLINE_BYTES)}"

    def whole(self, item: Item) -> str:
        """All that an item says."""
        moment, body = self.local(item), visible(item.text).strip()
        if moment is None:
            state = self.say(sentence("SETTLED")) if item.met is not None else self._confirmed(item)
            return light("\n".join(filter(None, [state, body])))
        said = [self._confirmed(item), caption(item), self.when(span_of(item)), item.place, item.organiser, body, item.link]
        if item.cancelled is not None:
            said.insert(0, self.say(sentence("CANCELLED")) + (f": {item.cancelled}" if item.cancelled else ""))
        elif item.tentative:
            said.insert(0, self.say(sentence("NOT CONFIRMED")))
        return light("\n".join(filter(None, map(visible, said))))

    def _confirmed(self, item: Item) -> str:
        """Whether other islands confirm what is urgent."""
        told = confirmed_words(item)
        return self.say(sentence("NOT CONFIRMED") if is_unconfirmed(item) else told) if told else ""

    def when(self, span: Span) -> str:
        """When an event is: "lun 30/11 18:30-20:00", of several days also the last one."""
        later = f" > {day_shown(span.last_day, self.tag)}" if span.last_day > span.first_day else ""
        first, last = ("", "") if span.whole_days else (f" {span.first:%H:%M}", f"{span.last:%H:%M}")
        if later:
            return f"{day_shown(span.first_day, self.tag)}{first}{later} {last}".rstrip()
        return f"{day_shown(span.first_day, self.tag)}{first}" + (f"-{last}" if last and span.last > span.first else "")

    def signature(self, item: Item) -> str:
        """Who signed an item, on which day, and whether it came by radio."""
        day = self.wall(item.created).date()
        by_radio = f", {self.say(sentence('by radio'))}" if item.by_radio else ""
        return f"- {shortened(visible(item.author.name), NAME_BYTES)} {day.day}/{day.month}{by_radio}"

    def local(self, item: Item) -> datetime | None:
        """When an event starts, by the clocks there and then."""
        if item.kind is not Kind.EVENT or item.start is None:
            return None
        return span_of(item).first

    def wall(self, minute: int) -> datetime:
        """A minute by the island's wall clock."""
        return datetime.fromtimestamp(seconds_of(minute), self._zone)


def caption(item: Item) -> str:
    """An event's title, or the first line of any other text."""
    return light(" ".join((visible(item.title) or next(iter(visible(item.text).strip().splitlines()), "")).split()))

"""The agenda of today and tomorrow in words that can be read aloud, for who does not read. Core: no zone of its own."""

from collections.abc import Iterator
from datetime import UTC, date, timedelta, tzinfo

from node.board.api import Item, TextPatience
from node.board.board import Board
from node.board.confirmed import confirmed_words
from node.board.spans import EPOCH, span_of
from node.i18n.moments import Dates
from node.i18n.sentence import N_, Plural, Sentence, Value, entry
from node.model.event import DAY_MIN
from node.model.visible_text import plain

MOST_EVENTS, MOST_URGENT = 30, 3  # an event takes six seconds
MOST_LETTERS = 120  # of a title or a place
AHEAD_DAYS = 7  # what follows tomorrow is counted so far
FOLLOWING = Plural("%(num)s more event in the days that follow.", "%(num)s more events in the days that follow.")


class SpokenAgenda:
    """What is read aloud of a board, in one language (`dates`)."""

    def __init__(self, board: Board, zone: tzinfo, dates: Dates, patience: TextPatience | None = None):
        self.board, self._zone, self.dates, self.patience = board, zone, dates, patience

    def text(self, island: str) -> str:
        """All of it, a sentence a line. It changes with the board and as events end, not every minute."""
        return "\n".join(self._lines(island))

    def has_events(self) -> bool:
        """Whether anything is on today that is not over."""
        return bool(self._of_days()[0])

    def today(self) -> date:
        """Today, where the board is."""
        utc = (EPOCH + timedelta(minutes=self.board.now())).replace(tzinfo=UTC)
        return utc.astimezone(self._zone).date()

    def _of_days(self) -> tuple[list[Item], list[Item], int]:
        """What is on today (what began earlier comes last), what begins tomorrow, and how much follows or was left out."""
        today, now = self.today(), self.board.now()
        coming = self.board.announced(now, now + AHEAD_DAYS * DAY_MIN)
        begins = {(event.id, event.start): span_of(event).first_day for event in coming}
        near = [event for event in coming if begins[event.id, event.start] <= today + timedelta(1)]
        near.sort(key=lambda event: (max(begins[event.id, event.start], today), begins[event.id, event.start] < today))
        items = list(self.board.read(near[:MOST_EVENTS], self.patience))
        on_today = [item for item in items if span_of(item).first_day <= today]
        return on_today, items[len(on_today):], len(coming) - len(near[:MOST_EVENTS])

    def _lines(self, island: str) -> Iterator[str]:
        today = self.today()
        now_on, tomorrow, more = self._of_days()
        yield f"{_short(island)}."
        for item in self.board.urgent(MOST_URGENT, self.patience):
            yield self._said(N_("Urgent: %(what)s."), what=_short(item.title or plain(item.text).strip().split("\n")[0]))
            if told := confirmed_words(item):
                yield f"{told.said(self.dates.sentences)}."
        yield f"{self.dates.named_day(today, today)}."
        yield from (self.event(item, today) for item in now_on)
        if not now_on:
            yield self._said(N_("Nothing more is announced for today."))
        if tomorrow:
            yield f"{self.dates.named_day(today + timedelta(1), today)}."
            yield from (self.event(item, today + timedelta(1)) for item in tomorrow)
        if more:
            yield entry(FOLLOWING, more).said(self.dates.sentences)

    def event(self, item: Item, day: date, title: int = MOST_LETTERS, place: int = MOST_LETTERS) -> str:
        """An event in a sentence, said under its day, with so many letters of its title and its place."""
        span, parts = span_of(item), [_short(item.title or item.text, title), _short(item.place, place)]
        if span.whole_days or span.first_day < day or span.last_day > day:
            head = self.dates.when(span, day, under=day)
        elif span.first.minute:
            head = self._said(N_("At %(hour)s %(minutes)s"), hour=span.first.hour, minutes=f"{span.first.minute:02}")
        else:
            head = self._said(N_("At %(hour)s o’clock"), hour=span.first.hour)
        if item.cancelled is not None:
            parts.insert(0, self._said(N_("Cancelled")))
        elif item.tentative:
            parts.insert(0, self._said(N_("Not confirmed yet")))
        elif told := confirmed_words(item):
            parts.insert(0, told.said(self.dates.sentences))
        return f"{head}: {'. '.join(part for part in parts if part)}."

    def _said(self, text: str, **fields: Value) -> str:
        return Sentence(text, fields).said(self.dates.sentences)


def _short(text: str, most: int = MOST_LETTERS) -> str:
    """One line of people's text, cut where it is long."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else line[:most].rsplit(" ", 1)[0] if most else ""

"""How a moment is written for people, in their language: the one place where days and hours become words.

Days and moments are those that clocks show where something takes place (`datetime` without a zone).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from gettext import NullTranslations

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time

from node.i18n.catalogue import SOURCE, catalogue
from node.i18n.sentence import Sentence, sentence

LOCALES = {SOURCE: "en_GB"}  # where a language alone says too little: days before months, 24 hours
FIRST_DAY = {"fr": "1er"}
MAX_HEAD = 5  # letters, in a column of a narrow screen
YEAR_AT_THE_END = re.compile(r"[\s,،]*('[^']*'\s*)?y+\s*$")
ONE_NIGHT = timedelta(hours=18)  # what ends within it past midnight is the same evening to people: it has one day


@dataclass(frozen=True)
class Span:
    """When something takes place: from `first` to `last`, the same if no end was told.

    `whole_days`: no hours are meant; `first` is the midnight that begins its first day, `last` the one after its last day.
    """

    first: datetime
    last: datetime
    whole_days: bool = False

    @property
    def first_day(self) -> date:
        """The day it begins."""
        return self.first.date()

    @property
    def last_day(self) -> date:
        """The last day people would say it is on: an evening that ends past midnight is on one day."""
        if self.whole_days:
            return max((self.last - timedelta(minutes=1)).date(), self.first_day)
        return self.first_day if self.last - self.first < ONE_NIGHT else self.last.date()

    def days(self) -> list[date]:
        """The days it is on, 46 at most."""
        return [self.first_day + timedelta(more) for more in range(min((self.last_day - self.first_day).days, 45) + 1)]


class Dates:
    """How a language (a tag of TAGS) writes days and hours."""

    def __init__(self, tag: str):
        self.tag = tag
        self.locale = Locale.parse(LOCALES.get(tag, tag))

    @property
    def sentences(self) -> NullTranslations:
        """Its catalogue."""
        return catalogue(self.tag)

    def day(self, moment: date) -> str:
        """`Saturday 21 March`, without the year."""
        pattern = YEAR_AT_THE_END.sub("", self.locale.date_formats["full"].pattern)
        return self._ordinal(format_date(moment, pattern, self.locale), moment)

    def dated_day(self, moment: date) -> str:
        """`Saturday 21 March 2026`."""
        return self._ordinal(format_date(moment, "full", self.locale), moment)

    def short_day(self, moment: date, today: date) -> str:
        """`Sat 21 Mar`, with the year when it is another one."""
        skeleton = "yMMMEd" if moment.year != today.year else "MMMEd"
        return self._ordinal(format_skeleton(skeleton, moment, locale=self.locale), moment)

    def month_day(self, moment: date) -> str:
        """`21 March`."""
        return self._ordinal(format_skeleton("MMMMd", moment, locale=self.locale), moment)

    def dated(self, moment: date) -> str:
        """`21 March 2026`."""
        return self._ordinal(format_date(moment, "long", self.locale), moment)

    def _ordinal(self, written: str, moment: date) -> str:
        """The first of a month, as languages write it that count its other days plainly."""
        first = FIRST_DAY.get(self.tag)
        return re.sub(r"\b1\b", first, written, count=1) if first and moment.day == 1 else written

    def day_name(self, moment: date) -> str:
        """`Saturday`."""
        return format_date(moment, "EEEE", self.locale)

    def month(self, moment: date) -> str:
        """`March 2026`."""
        return format_date(moment, "LLLL y", self.locale)

    def weekday(self, moment: date) -> str:
        """A short name of the day, for the head of a column."""
        usual, shortest = (format_date(moment, pattern, self.locale) for pattern in ("EEE", "EEEEEE"))
        return usual if len(usual) <= MAX_HEAD else shortest

    def time(self, moment: datetime) -> str:
        """`18:30`."""
        return format_time(moment, "short", locale=self.locale)

    # when something is

    def when(self, span: Span, today: date, under: date | None = None, named: bool = True) -> str:
        """When it is: `Saturday 5 December, 20:30 – 01:30`; under a heading with that day `20:30 – 01:30`.

        `under` is the day above it, if one is. A day of another year than `today` has its year. `named`: it may be called
        `Today` or `Tomorrow`, which is not for paper, nor for who is not sure of the date.
        """
        if under is not None:
            return self._hours(span, under)
        if span.whole_days and span.last_day > span.first_day:
            return self._said(sentence("%(first)s to %(last)s", first=self.named_day(span.first_day, today, named=False),
                                       last=self.day(span.last_day)))
        return self.listed(self.named_day(span.first_day, today, named), self._hours(span, span.first_day))

    def named_day(self, day: date, today: date, named: bool = True) -> str:
        """`Today, Monday 30 November`, or the day, with its year if that is not this year."""
        names = {0: self._said(sentence("Today")), 1: self._said(sentence("Tomorrow"))}
        written, ahead = self.day(day) if day.year == today.year else self.dated_day(day), (day - today).days
        return self.listed(names[ahead], written) if named and ahead in names else written

    def listed(self, *parts: str) -> str:
        """Parts of a sentence with the commas of the language between them."""
        return self._said(sentence(", ")).join(parts)

    def _hours(self, span: Span, day: date) -> str:
        """What is said of it under its day `day`."""
        first, last = self.time(span.first), self.time(span.last)
        if span.last_day == span.first_day:
            if span.whole_days:
                return self._said(sentence("all day"))
            return first if span.first == span.last else f"{first} – {last}"
        end = self.day(span.last_day)
        if span.whole_days:
            return self._said(sentence("last day") if day >= span.last_day else sentence("until %(day)s", day=end))
        if day >= span.last_day:
            return self._said(sentence("until %(time)s", time=last))
        if day > span.first_day:
            return self._said(sentence("until %(day)s, %(end)s", day=end, end=last))
        return self._said(sentence("%(time)s, until %(day)s, %(end)s", time=first, day=end, end=last))

    def _said(self, what: Sentence) -> str:
        return what.said(self.sentences)

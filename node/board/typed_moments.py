"""Days and hours as people type them, in four languages: "5/12", "18h", "6:30 pm", "samedi 18h", "toute la journée".

What is left over when all that is known was taken out is a mistake, never a guess. A day without a year is the next one;
one of the last month is meant as past, and said to be.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from node.model.search_text import fold

# Monday first; January first.
DAY_NAMES: Mapping[str, tuple[str, ...]] = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "ar": ("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
}
MONTH_NAMES: Mapping[str, tuple[str, ...]] = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre"),
    "en": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
           "diciembre"),
    "ar": ("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
}
WHOLE_DAY = ("toute la journee", "journee entiere", "all day", "whole day", "todo el dia", "dia entero", "طوال اليوم",
             "كل اليوم", "اليوم كله")
AHEAD = {"aujourd'hui": 0, "aujourdhui": 0, "ce soir": 0, "today": 0, "tonight": 0, "hoy": 0, "esta noche": 0, "اليوم": 0,
         "apres-demain": 2, "apres demain": 2, "overmorrow": 2, "day after tomorrow": 2, "pasado manana": 2, "بعد غد": 2,
         "demain": 1, "tomorrow": 1, "manana": 1, "غدا": 1}
NOON, MIDNIGHT = ("midi", "noon", "mediodia", "الظهر"), ("minuit", "midnight", "medianoche", "منتصف الليل")
FILLERS = frozenset((
    "le", "la", "a", "au", "ce", "du", "de", "des", "vers", "des", "prochain", "prochaine", "at", "on", "the", "this",
    "next", "of", "from", "el", "las", "los", "del", "este", "esta", "proximo", "y", "et", "and", "في", "يوم", "الساعه",
    "القادم", "من", "و", "heures", "heure", "horas", "hs", "o'clock"))
MORNING = r"a\.?\s?m\.?|ص(?:باحا)?|du matin|de la manana"
EVENING = r"p\.?\s?m\.?|م(?:ساء)?|du soir|de l'apres-midi|de la tarde|de la noche"
HALF = re.compile(rf"(?<![\d/.:-])(\d{{1,2}})(?:\s?[:.h]\s?(\d\d))?\s?(?:({MORNING})|({EVENING}))(?![^\W\d_])")
CLOCK = re.compile(r"(?<![\d/.:-])(?!24\b|24h)(\d{1,2})\s?(?::|h(?:eures?|oras)?\.?|hs)\s?(\d\d)?(?![\d/:]|[^\W\d_])")
DOTTED_CLOCK = re.compile(r"(\d{1,2})[.](\d\d)|(\d\d)(\d\d)")
LATE = re.compile(r"(?<![\d/.:-])24\s?(?::00|h(?:\s?00|eures)?)(?!\d)")
ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?=\D|$)t?")
DATE = re.compile(r"(?<![\d:])(\d{1,2})\s?([/.-])\s?(\d{1,2})(?:\s?\2\s?(\d{4}|\d\d)?)?(?![\d:])")
SPACED_DATE = re.compile(r"(\d{1,2}) (\d{1,2}) (\d{4})")
NUMBER = re.compile(r"(\d{1,2})(?:er|st|nd|rd|th|o)?")
YEAR = re.compile(r"20\d\d")
LEAST_LETTERS = 3  # of a day or a month
MAX_TYPED = 80  # characters
PAST_DAYS = 31
Read = TypeVar("Read", date, time)
_ARABIC = str.maketrans({"ة": "ه", "ى": "ي", "،": " ", "’": "'", "ʼ": "'"})


class WrongWeekday(ValueError):
    """The day of the week is not that of the date beside it."""


@dataclass(frozen=True)
class TypedMoment:
    """What was said: a day, an hour, that a whole day is meant. `by_name`: the day is the next one of that name.

    `late`: the hour is the midnight that ends the day.
    """

    day: date | None = None
    hour: time | None = None
    whole_day: bool = False
    by_name: bool = False
    late: bool = False

    def wall(self, day: date) -> datetime | None:
        """The moment by the clocks, on `day` if none was said; None without an hour."""
        if self.hour is None:
            return None
        return datetime.combine((self.day or day) + timedelta(self.late), self.hour)


def moment_typed(text: str, today: date, clock: bool = False) -> TypedMoment:
    """What was typed in one field; `clock`: in one for the time, where a mere number is an hour. Raises ValueError."""
    left = _Left(_folded(text))
    whole_day = left.takes_words(WHOLE_DAY)
    day = left.take(ISO_DATE, lambda found: date(*map(int, found.groups())))
    day = day or left.take_whole(SPACED_DATE, lambda found: date(*map(int, reversed(found.groups()))))
    at = left.take(HALF, _half_day)
    if clock and at is None:
        at = left.take_whole(DOTTED_CLOCK, lambda found: _time(found[1] or found[3], found[2] or found[4]))
    day = day or left.take(DATE, lambda found: _date(found, today))
    at = at or left.take(CLOCK, lambda found: _time(found[1], found[2]))
    late = at is None and (left.takes_words(MIDNIGHT) or left.take(LATE, lambda found: time(0)) is not None)
    at = time(0) if late else time(12) if at is None and left.takes_words(NOON) else at
    ahead = next((days for words, days in AHEAD.items() if left.takes_words((words,))), None)
    if ahead is not None:
        day = day or today + timedelta(ahead)
    found = TypedMoment(day, at, whole_day, late=late)
    return _with_words(left.words(), found, today, clock and at is None)


def _with_words(words: list[str], found: TypedMoment, today: date, clock: bool) -> TypedMoment:
    """The rest: names of days and months, and the numbers beside them."""
    numbers = [int(match[1]) for word in words if (match := NUMBER.fullmatch(word))]
    years = [int(word) for word in words if YEAR.fullmatch(word)]
    weekday, month, known = _names(words, bool(numbers))
    if known + len(numbers) + len(years) != len(words) or len(years) > (month is not None):
        raise ValueError("something else")
    if month is not None and found.day is None and numbers:
        found = replace(found, day=_in_year(numbers.pop(), month + 1, today, years[0] if years else None))
    elif month is None and numbers and clock:
        found = replace(found, hour=_time(str(numbers.pop()), None))
    elif month is None and numbers and found.day is None:
        found = replace(found, day=_of_month(numbers.pop(), today))
    if numbers or (month is not None and found.day is None):
        raise ValueError("a number too many, or too few")
    return found if weekday is None else _on_weekday(found, weekday, today)


def _names(words: list[str], numbered: bool) -> tuple[int | None, int | None, int]:
    """The weekday, the month, and of how many words they are; "mar" is a day unless it is the only month of a number."""
    days, months = [_named(word, DAY_NAMES) for word in words], [_named(word, MONTH_NAMES) for word in words]
    for at, (day, month) in enumerate(zip(days, months, strict=True)):
        if day is not None and month is not None:
            others = [one for one in months[:at] + months[at + 1:] if one is not None]
            (days if numbered and not others else months)[at] = None
    return _only(days), _only(months), sum(one is not None for one in (*days, *months))


def _on_weekday(found: TypedMoment, weekday: int, today: date) -> TypedMoment:
    if found.day is not None and found.day.weekday() != weekday:
        raise WrongWeekday("not that day")
    day = found.day or today + timedelta((weekday - today.weekday()) % 7)
    return replace(found, day=day, by_name=found.day is None)


class _Left:
    """What of a text was not understood yet."""

    def __init__(self, text: str):
        self._text = text

    def take(self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], Read]) -> Read | None:
        """What the first match says; it is left no more."""
        found = pattern.search(self._text)
        if not found:
            return None
        self._text = f"{self._text[:found.start()]} {self._text[found.end():]}"
        return read(found)

    def take_whole(self, pattern: re.Pattern[str], read: Callable[[re.Match[str]], Read]) -> Read | None:
        """As `take`, if nothing else is left."""
        return self.take(pattern, read) if pattern.fullmatch(self._text.strip()) else None

    def takes_words(self, phrases: tuple[str, ...]) -> bool:
        """Whether one of these stood there; it is left no more."""
        for phrase in phrases:
            if re.search(rf"(?<![^\W_]){re.escape(phrase)}(?![^\W_])", self._text):
                self._text = self._text.replace(phrase, " ", 1)
                return True
        return False

    def words(self) -> list[str]:
        """The words that are left, those aside that say nothing."""
        return [word for word in re.split(r"[\s,;]+", self._text) if word.strip(".") and word.strip(".") not in FILLERS]


def _folded(text: str) -> str:
    if len(text) > MAX_TYPED:
        raise ValueError("too long")
    digits = (str(unicodedata.digit(sign)) if unicodedata.category(sign) == "Nd" else sign for sign in text)
    seen = (sign for sign in "".join(digits) if unicodedata.category(sign) != "Cf")
    return " ".join(fold("".join(seen)).translate(_ARABIC).split())


def _half_day(found: re.Match[str]) -> time:
    hour = int(found[1])
    if not 1 <= hour <= 12:
        raise ValueError("no such hour")
    return time(hour % 12 + 12 * bool(found[4]), int(found[2] or 0))


def _time(hour: str, minutes: str | None) -> time:
    return time(int(hour), int(minutes or 0))


def _date(found: re.Match[str], today: date) -> date:
    year = int(found[4]) if found[4] else None
    return _in_year(int(found[1]), int(found[3]), today, year + 2000 if year is not None and year < 100 else year)


def _in_year(day: int, month: int, today: date, year: int | None) -> date:
    if year is not None:
        return date(year, month, day)
    years = range(today.year, today.year + (9 if (day, month) == (29, 2) else 2))
    found = (one for later in years if (one := _existing(later, month, day)) and one >= today - timedelta(PAST_DAYS))
    return _first(found)


def _existing(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _of_month(day: int, today: date) -> date:
    """The next day of that number."""
    ahead = (today + timedelta(days) for days in range(62))
    return _first(one for one in ahead if one.day == day)


def _first(days: Iterator[date]) -> date:
    found = next(days, None)
    if found is None:
        raise ValueError("no such day")
    return found


def _only(found: list[int | None]) -> int | None:
    named = {one for one in found if one is not None}
    if len(named) > 1:
        raise ValueError("two of them")
    return named.pop() if named else None


def _named(word: str, names: Mapping[str, tuple[str, ...]]) -> int | None:
    """Which one a word names, whole or begun; None if it may be none or several."""
    word = word.strip(".")
    if len(word) < LEAST_LETTERS or word[0].isdigit():
        return None
    known = [(_folded(name), at) for row in names.values() for at, name in enumerate(row)]
    known += [(name.removeprefix("ال"), at) for name, at in known if name.startswith("ال")]
    whole = {at for name, at in known if name == word}
    found = whole or {at for name, at in known if name.startswith(word)}
    return found.pop() if len(found) == 1 else None


def at_once(day: TypedMoment, clock: TypedMoment, now: datetime) -> TypedMoment:
    """What two fields say together; either may hold all of it. A day by its name is the next on which it is not past."""
    spoken = clock if clock.hour is not None else day
    found = TypedMoment(day.day or clock.day, spoken.hour, day.whole_day or clock.whole_day,
                        day.by_name or (day.day is None and clock.by_name), spoken.late)
    at = found.wall(now.date())
    return replace(found, day=found.day + timedelta(7)) if found.by_name and found.day and at and at <= now else found

"""Days as people type them on a radio, in four languages, and as short as they can be shown."""

import re
from collections.abc import Mapping
from datetime import date, timedelta

from node.handheld.words import FILLERS, Verb, Vocabulary, one_slip_apart, plain

# Monday first; January first. The first row of letters is what is shown.
DAYS: Mapping[str, tuple[str, ...]] = {
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "en": ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "ar": ("الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة", "السبت", "الأحد"),
}
MONTHS: Mapping[str, tuple[str, ...]] = {
    "fr": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
           "décembre"),
    "en": ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
           "december"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
           "diciembre"),
    "ar": ("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
}
AFTER_TOMORROW = ("apresdemain", "overmorrow", "pasadomanana", "بعدغد", "بعدغدا")
WEEKENDS = ("weekend", "finde", "finsemana")
LEAST_LETTERS = 3  # of a day or a month
SHOWN_LETTERS = 3
MOST_WORDS = 3  # of a date: day, number, month
WEEK_DAYS = 7
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DATE = re.compile(r"(\d{1,2})[/.\-](\d{1,2})(?:[/.\-](\d{2,4}))?")

Span = tuple[date, date]  # the first day, and the last one


def days_meant(text: str, today: date, words: Vocabulary, tag: str) -> Span | None:
    """The days that are meant by what was typed, None if it is no day: "demain", "sam", "12/12", "5 mai", "semaine"."""
    typed = [plain(word) for word in text.split() if plain(word) not in FILLERS]
    joined = "".join(typed)
    if joined in AFTER_TOMORROW:
        return _one(today + timedelta(2))
    if joined in WEEKENDS:
        saturday = today + timedelta((5 - today.weekday()) % WEEK_DAYS if today.weekday() < 6 else 0)
        return saturday, today + timedelta(6 - today.weekday())
    if day := _dated(text, today) or _of_month(typed, today):
        return _one(day)
    return _by_word(typed[0], today, words, tag) if len(typed) == 1 else None


def _by_word(word: str, today: date, words: Vocabulary, tag: str) -> Span | None:
    weekday = _named(word, DAYS)
    if weekday is not None:
        return _one(today + timedelta((weekday - today.weekday()) % WEEK_DAYS))
    meant = words.meant(word, tag)
    match meant[0] if meant else None:
        case Verb.TODAY:
            return _one(today)
        case Verb.TOMORROW:
            return _one(today + timedelta(1))
        case Verb.WEEK:
            return today, today + timedelta(WEEK_DAYS - 1)
    return None


def _one(day: date) -> Span:
    return day, day


def _dated(text: str, today: date) -> date | None:
    """A date in figures, the day before the month; a day's name may stand before it."""
    words = [word for word in text.split() if plain(word) not in FILLERS and _named(plain(word), DAYS) is None]
    typed = "".join(plain(sign) or sign for sign in words[0]) if len(words) == 1 else ""
    if match := _ISO.fullmatch(typed):
        return _day(int(match[3]), int(match[2]), today, int(match[1]))
    if match := _DATE.fullmatch(typed):
        year = int(match[3]) if match[3] else None
        return _day(int(match[1]), int(match[2]), today, year + 2000 if year is not None and year < 100 else year)
    return None


def _of_month(typed: list[str], today: date) -> date | None:
    """Such as "5 mai", "lundi 5 mai", "may 5th"."""
    if len(typed) > MOST_WORDS:
        return None
    months = [month for word in typed if (month := _named(word, MONTHS)) is not None]
    numbers = [int(match[1]) for word in typed if (match := re.fullmatch(r"(\d{1,2})(er|st|nd|rd|th|o)?", word))]
    return _day(numbers[0], months[0] + 1, today, None) if len(months) == len(numbers) == 1 else None


def _day(day: int, month: int, today: date, year: int | None) -> date | None:
    """The day meant; without a year the next one, or one that was within the last month."""
    try:
        if year is not None:
            return date(year, month, day)
        found = date(today.year, month, day)
        return found if found >= today - timedelta(31) else date(today.year + 1, month, day)
    except ValueError:
        return None


def _named(word: str, names: Mapping[str, tuple[str, ...]]) -> int | None:
    """Which day or month a word names, whole, begun or with a slip, None if it may be none or several."""
    if len(word) < LEAST_LETTERS or word.isdigit():
        return None
    known = [(plain(name), at) for row in names.values() for at, name in enumerate(row)]
    known += [(name.removeprefix("ال"), at) for name, at in known if name.startswith("ال")]
    whole = {at for name, at in known if name == word}
    begun = {at for name, at in known if name.startswith(word)}
    slipped = {at for name, at in known if len(word) > LEAST_LETTERS and one_slip_apart(name, word)}
    found: set[int] = next(filter(None, (whole, begun, slipped)), set())
    return found.pop() if len(found) == 1 else None


def day_shown(day: date, tag: str) -> str:
    """A day in as few letters as can be: "lun 30/11"."""
    name = DAYS[tag][day.weekday()]
    return f"{name if tag == 'ar' else name[:SHOWN_LETTERS]} {day.day}/{day.month}"

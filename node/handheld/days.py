"""Days as people type them on a radio, in four languages, and as short as they can be shown."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta

from node.handheld.words import FILLERS, Verb, Vocabulary, figures, one_slip_apart, plain

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
MOST_NAMES = 2  # of a date: its day and its month
WEEK_DAYS = 7
MOST_YEARS = 10  # from now, of a day that is typed with its year
BACK_DAYS = 31  # of a day without one
_ISO = re.compile(r"(\d{4}) ?([/.-]) ?(\d{1,2}) ?\2 ?(\d{1,2})")
_DATE = re.compile(r"(\d{1,2}) ?([/.-]) ?(\d{1,2})(?: ?\2 ?(\d{4}|\d{2}))?")
_LIKE_A_DATE = re.compile(r"\d{1,4}(?: ?[/.-] ?\d{1,4}){1,2}")
_PART = re.compile(r"(\d+)([^\W\d_]*)|[^\W\d_](?:[\w'’-]*[^\W\d_])?")
ORDINALS = frozenset(("er", "e", "eme", "o", "ro", "st", "nd", "rd", "th"))  # behind a number
AROUND = " .,;:!?؟،()/"

Span = tuple[date, date]  # the first day, and the last one


def days_meant(text: str, today: date, words: Vocabulary, tag: str) -> Span | None:
    """The days that are meant by what was typed, None if it is no day: "demain", "sam", "12/12", "5 mai", "semaine"."""
    typed = _parts(text)
    joined = "".join(typed)
    if joined in AFTER_TOMORROW:
        return _one(today + timedelta(2))
    if joined in WEEKENDS:
        saturday = today + timedelta((5 - today.weekday()) % WEEK_DAYS if today.weekday() < 6 else 0)
        return saturday, today + timedelta(6 - today.weekday())
    if day := _dated(text, today) or _of_month(typed, today):
        return _one(day)
    return _by_word(typed[0], today, words, tag) if len(typed) == 1 else None


def date_typed(text: str) -> str:
    """What was typed, if somebody meant a day in figures, be there such a day or not: "32/1"; else ""."""
    typed = _bare(text)
    return typed if _LIKE_A_DATE.fullmatch(typed) else ""


def _parts(text: str) -> list[str]:
    """Words and numbers, plain; a number that is glued to a word stands alone: "5mai", "1er"."""
    found = [(match[1] or "", plain(match[2] if match[1] else match[0])) for match in _PART.finditer(_seen(text))]
    return [part for number, word in found for part in (number, "" if number and word in ORDINALS else word)
            if part and part not in FILLERS]


def _seen(text: str) -> str:
    return figures(unicodedata.normalize("NFKC", text))


def _bare(text: str) -> str:
    """What is left without fillers, names of days and signs around."""
    words = [word for word in _seen(text).split() if plain(word) not in FILLERS and _named(plain(word), DAYS) is None]
    return " ".join(words).strip(AROUND)


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
    typed = _bare(text)
    if match := _ISO.fullmatch(typed):
        return _day(int(match[4]), int(match[3]), today, int(match[1]))
    if match := _DATE.fullmatch(typed):
        day, month, year = int(match[1]), int(match[3]), int(match[4]) if match[4] else None
        return _day(day, month, today, year + 2000 if year is not None and year < 100 else year)
    return None


def _of_month(typed: list[str], today: date) -> date | None:
    """Such as "5 mai", "lundi 5 mai 2027", "may 5th"."""
    names, numbers = ([part for part in typed if part.isdigit() is digits] for digits in (False, True))
    if len(names) > MOST_NAMES:
        return None
    months = [month for word in names if (month := _named(word, MONTHS)) is not None]
    days, years = ([int(number) for number in numbers if len(number) in sizes] for sizes in ((1, 2), (4,)))
    if len(months) != 1 or len(days) != 1 or len(years) > 1 or len(days) + len(years) < len(numbers):
        return None
    return _day(days[0], months[0] + 1, today, years[0] if years else None)


def _day(day: int, month: int, today: date, year: int | None) -> date | None:
    """The day meant; without a year the next one, or one that was within the last month."""
    if month > 12:  # it can only be meant the other way round
        day, month = month, day
    if year is not None:
        return _date(year, month, day) if abs(year - today.year) <= MOST_YEARS else None
    found = (_date(today.year + more, month, day) for more in (-1, 0, 1))
    return next((one for one in found if one and one >= today - timedelta(BACK_DAYS)), None)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
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

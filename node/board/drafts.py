"""From what somebody typed to a record: what is wrong with it, said before anything is posted, and nothing altered after.

The only change made to a text is Unicode normalisation (NFC), so that the same words are the same bytes.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from urllib.parse import urlsplit

from node.board.api import LANGUAGES, TOPICS, Draft, DraftRefused, Problem
from node.board.reasons import ProblemCode
from node.model.clock import MAX_MINUTE
from node.model.errors import LocalMisuse
from node.model.event import DAY_MIN, MAX_DATES, MAX_OFFSET, Event
from node.model.marks import BULLETIN_MARKS, EVENT_MARKS
from node.model.record import (
    MAX_EVENT_AHEAD_MIN,
    MAX_LIFE_H,
    MAX_RECORD_BYTES,
    POST_KINDS,
    SIGNATURE_BYTES,
    TARGET_BYTES,
    Kind,
    Record,
    angle,
    signed_part,
)
from node.model.visible_text import shows_something
from node.textpack import pack

FIELD_MARK = "\x1f"  # parts an event's title, place, organiser, description and link
MAX_LIFE_DAYS = MAX_LIFE_H[Kind.BULLETIN] // 24
MAX_AHEAD_DAYS = MAX_EVENT_AHEAD_MIN // DAY_MIN
MAX_LENGTH_DAYS = 0xFFFF // DAY_MIN
AS_BEFORE_H = 1  # the least there is, before `node.board.composing.outliving` makes it as long as it must be
MAX_TYPED = 20_000  # characters: far more than fits a record; longer is not even weighed
MAX_REASON = 300  # characters of a cancellation: all that are shown with events fit the quota
LINE_LIMITS = {"title": 120, "place": 160, "organiser": 120, "link": 300}
BIDI_CONTROLS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MAX_MARKS = 4  # combining marks in a row; Arabic and Vietnamese need three
packed = lru_cache(64)(pack)  # what somebody previews is posted next, in another request; packing may take a second


@dataclass(frozen=True)
class Composed:
    """A draft as it will be posted: its unsigned record, and how many bytes that will have once signed."""

    draft: Draft
    record: Record
    size_bytes: int


def compose(draft: Draft, author: bytes, created: int) -> Composed:
    """Pack and weigh a normalised draft without problems; raises DraftRefused when it is too long for a record."""
    return fitting(draft, record_of(draft, author, created))


def fitting(draft: Draft, record: Record) -> Composed:
    """A draft with the record that was made of it; raises DraftRefused when that is too long."""
    size_bytes = weighed(record)
    if problem := too_long(draft, size_bytes):
        raise DraftRefused([problem])
    return Composed(draft, record, size_bytes)


def normalised(draft: Draft) -> Draft:
    """The draft with its texts in NFC."""
    text, title, place, organiser, link, source, called_off = (unicodedata.normalize("NFC", part) for part in (
        draft.text, draft.title, draft.place, draft.organiser, draft.link, draft.source, draft.called_off))
    return replace(draft, text=text, title=title, place=place, organiser=organiser, link=link, source=source,
                   called_off=called_off)


def problems_of(draft: Draft, now: int) -> list[Problem]:
    """What is wrong with a normalised draft at minute `now`, length aside (see `weighed`)."""
    found = [*_text_problems(draft), *_choice_problems(draft), *_alert_problems(draft)]
    if draft.kind is Kind.EVENT:
        return found + list(_event_problems(draft, now))
    if not draft.text.strip():
        found.append(Problem("text", ProblemCode.EMPTY))
    if draft.life_days is not None and not 1 <= draft.life_days <= MAX_LIFE_DAYS:
        found.append(Problem("life_days", ProblemCode.LIFE, MAX_LIFE_DAYS))
    return found


def record_of(draft: Draft, author: bytes, created: int) -> Record:
    """The unsigned record of a draft without problems, made at minute `created`."""
    codec, text = packed(_whole_text(draft), draft.language)
    record = Record(
        draft.kind, author, created, urgent=draft.urgent, language=draft.language, topic=draft.topic, codec=codec,
        packed=text, target=bytes.fromhex(draft.target)[:TARGET_BYTES] if draft.target else None, by_radio=draft.by_radio,
        marks=draft.marks)
    if draft.kind is not Kind.EVENT or draft.start is None:
        return replace(record, life=AS_BEFORE_H if draft.life_days is None else draft.life_days * 24)
    position = (angle(draft.position[0], 90), angle(draft.position[1], 180)) if draft.position else None
    return replace(record, detail=draft.event, position=position)


def weighed(record: Record) -> int:
    """Bytes of the record once signed; above MAX_RECORD_BYTES it does not fit."""
    try:
        return len(signed_part(record)) + SIGNATURE_BYTES
    except LocalMisuse:
        return len(signed_part(replace(record, packed=b""))) + len(record.packed) + SIGNATURE_BYTES


def too_long(draft: Draft, size_bytes: int) -> Problem | None:
    """How many characters, about, must go for a record of `size_bytes` to fit; None if it does."""
    over = size_bytes - MAX_RECORD_BYTES
    if over <= 0:
        return None
    return Problem("text", ProblemCode.TOO_LONG, max(1, round(over * max(len(draft.text), 1) / size_bytes)))


def fields_of(text: str) -> tuple[str, str, str, str, str]:
    """An event's (title, place, organiser, description, link) from its whole text."""
    parts = [*text.split(FIELD_MARK), "", "", "", ""]
    return parts[0], parts[1], parts[2], parts[3], parts[4]


def source_of(text: str) -> tuple[str, str]:
    """Of an event that was taken over, the name of its source and why it is called off there, from its whole text."""
    parts = [*text.split(FIELD_MARK), *[""] * 7]
    return parts[5], parts[6]


def is_readable(text: str) -> bool:
    """Whether it holds nothing that could make a page say something else than it seems to; lines and tabs may part it."""
    if BIDI_CONTROLS & set(text) or any(unicodedata.category(sign) in ("Cc", "Cs") for sign in set(text) - {"\n", "\t"}):
        return False
    marks = "".join("m" if unicodedata.category(sign) in ("Mn", "Me") else " " for sign in text)
    return "m" * (MAX_MARKS + 1) not in marks


def is_blank(text: str) -> bool:
    """Whether it was typed and shows nothing: it is no text, though it is not empty either."""
    return bool(text.strip()) and not shows_something(text)


def in_one_line(typed: str, most: int) -> str:
    """What was typed as one line that shows what it says, `most` characters at most."""
    seen = "".join(sign for sign in unicodedata.normalize("NFC", typed) if sign.isspace() or is_readable(sign))
    return " ".join(seen.split())[:most]


def is_link(typed: str) -> bool:
    """Whether it is an address that a page may point to."""
    try:
        parts = urlsplit(typed)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", typed)
    except ValueError:
        return False


def site_of(address: str) -> str:
    """The site of a web address, which may be shown: what follows may hold somebody's secret. "" for no address."""
    parts = urlsplit(address) if is_link(address) else None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/" if parts else ""


def _whole_text(draft: Draft) -> str:
    if draft.kind is not Kind.EVENT:
        return FIELD_MARK.join((draft.text, *draft.alert.parts)) if draft.alert else draft.text
    parts = [draft.title, draft.place, draft.organiser, draft.text, draft.link]
    parts += [draft.source, draft.called_off] if draft.foreign else []
    return FIELD_MARK.join(parts).rstrip(FIELD_MARK)


def _text_problems(draft: Draft) -> Iterator[Problem]:
    yield from _sign_problems("text", draft.text, "")
    if len(draft.text) > MAX_TYPED:
        yield Problem("text", ProblemCode.TOO_LONG, len(draft.text) - MAX_TYPED)
    for name, limit in LINE_LIMITS.items():
        typed = getattr(draft, name)
        yield from _sign_problems(name, typed, "\n\t")
        if len(typed) > limit:
            yield Problem(name, ProblemCode.TOO_LONG, len(typed) - limit)
    for name in ("source", "called_off"):
        yield from _sign_problems(name, getattr(draft, name), "\n\t")
    if draft.link and not is_link(draft.link):
        yield Problem("link", ProblemCode.LINK)


def _alert_problems(draft: Draft) -> Iterator[Problem]:
    if draft.alert and (draft.kind is not Kind.BULLETIN or not draft.alert.is_sound()):
        yield Problem("kind", ProblemCode.NOT_OFFERED)
    if draft.alert and not all(map(is_readable, draft.alert.parts)):
        yield Problem("text", ProblemCode.CONTROL_CHARACTER)


def _sign_problems(name: str, typed: str, unwanted: str) -> Iterator[Problem]:
    if not is_readable(typed) or set(unwanted) & set(typed):
        yield Problem(name, ProblemCode.CONTROL_CHARACTER)
    if is_blank(typed):
        yield Problem(name, ProblemCode.INVISIBLE)


def _choice_problems(draft: Draft) -> Iterator[Problem]:
    offered = {"kind": draft.kind in POST_KINDS, "language": draft.language in (0, *LANGUAGES),
               "topic": draft.topic in TOPICS, "marks": _may_have_marks(draft)}
    yield from (Problem(name, ProblemCode.NOT_OFFERED) for name, known in offered.items() if not known)
    if draft.position and not (abs(draft.position[0]) <= 90 and abs(draft.position[1]) <= 180):
        yield Problem("position", ProblemCode.POSITION)


def _may_have_marks(draft: Draft) -> bool:
    if draft.kind is Kind.BULLETIN:
        return draft.marks in BULLETIN_MARKS
    return not int(draft.marks) & ~int(EVENT_MARKS) if draft.kind is Kind.EVENT else not draft.marks


def _event_problems(draft: Draft, now: int) -> Iterator[Problem]:
    if not draft.title.strip():
        yield Problem("title", ProblemCode.EMPTY)
    if abs(draft.offset) > MAX_OFFSET:
        yield Problem("start", ProblemCode.OFFSET)
    if draft.start is None:
        yield Problem("start", ProblemCode.START_MISSING)
        return
    end = draft.start if draft.end is None else draft.end
    if end < draft.start or (draft.whole_days and end == draft.start):
        yield Problem("end", ProblemCode.END_BEFORE_START)
    elif end - draft.start > 0xFFFF:
        yield Problem("end", ProblemCode.LASTS_TOO_LONG, MAX_LENGTH_DAYS)
    elif event := draft.event:
        yield from _date_problems(event, now)


def _date_problems(event: Event, now: int) -> Iterator[Problem]:
    if not event.is_sound():
        repeats = Problem("repeat", ProblemCode.REPEATS, MAX_DATES)
        yield repeats if event.repetition else Problem("start", ProblemCode.OFFSET)
    elif event.over <= now:
        yield Problem("start", ProblemCode.PAST)
    elif event.over > now + MAX_EVENT_AHEAD_MIN or event.over > MAX_MINUTE - DAY_MIN:
        yield Problem("start", ProblemCode.TOO_FAR, MAX_AHEAD_DAYS)

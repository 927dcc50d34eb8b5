"""What a source tells, whatever its format: events, which are handed on as iCalendar (RFC 5545), and news."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

Moment = datetime | date  # without a zone: by the clocks of wherever the island is; a date: the whole day


@dataclass(frozen=True)
class ToldEvent:
    """An event as its source tells it. `uid` names it through all its versions; `text` may be HTML; `position`:
    (latitude, longitude) as numbers in text; `updated`: when it was changed last."""

    title: str
    start: Moment
    uid: str = ""
    end: Moment | None = None
    place: str = ""
    text: str = ""
    link: str = ""
    organiser: str = ""
    position: tuple[str, str] | None = None
    categories: tuple[str, ...] = ()
    updated: datetime | None = None
    cancelled: bool = False


@dataclass(frozen=True)
class ToldNews:
    """A piece of news: `key` names it through all its versions; `text` may be HTML; `published` None if not told."""

    key: str
    title: str
    text: str = ""
    link: str = ""
    categories: tuple[str, ...] = ()
    published: datetime | None = None


@dataclass
class ToldSource:
    """All that one source tells; `name`: what it calls itself; `alert_links`: where alerts (CAP) are that it lists."""

    name: str = ""
    events: list[ToldEvent] = field(default_factory=list)
    news: list[ToldNews] = field(default_factory=list)
    alert_links: list[str] = field(default_factory=list)


def moment_of(written: object) -> Moment | None:
    """A moment as it is written on the web (ISO 8601, RFC 3339), None for what is none."""
    text = str(written or "").strip()[:40]
    try:
        if re.fullmatch(r"\d{4}-?\d\d-?\d\d", text):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text) if re.match(r"\d{4}-?\d\d-?\d\d[T ]\d", text) else None
    except ValueError:
        return None


def calendar_of(told: ToldSource) -> bytes:
    """Its events as an iCalendar file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", _line("X-WR-CALNAME", told.name)]
    for event in told.events:
        lines += ["BEGIN:VEVENT", *_event(event), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode("utf-8", "replace")


def _event(event: ToldEvent) -> Iterator[str]:
    texts = {"UID": event.uid or event.link, "SUMMARY": event.title, "DESCRIPTION": event.text, "LOCATION": event.place,
             "CONTACT": event.organiser}
    yield from (_line(name, text) for name, text in texts.items() if text)
    if event.link.isprintable() and " " not in event.link:
        yield f"URL:{event.link}"
    yield from _moment("DTSTART", event.start)
    if event.end and type(event.end) is type(event.start):
        later = isinstance(event.end, datetime) or event.end > event.start
        yield from _moment("DTEND", event.end if later else event.start + timedelta(days=1))
    if event.position and all(re.fullmatch(r"[-+]?\d{1,3}(\.\d{1,12})?", part) for part in event.position):
        yield f"GEO:{';'.join(event.position)}"
    if event.categories:
        yield "CATEGORIES:" + ",".join(_escaped(one) for one in event.categories)
    if event.updated:
        yield f"LAST-MODIFIED:{_utc(event.updated)}"
    if event.cancelled:
        yield "STATUS:CANCELLED"


def _moment(name: str, moment: Moment) -> Iterator[str]:
    if not isinstance(moment, datetime):
        yield f"{name};VALUE=DATE:{moment:%Y%m%d}"
    elif moment.tzinfo is None:
        yield f"{name}:{moment:%Y%m%dT%H%M%S}"
    else:
        yield f"{name}:{_utc(moment)}"


def _utc(moment: datetime) -> str:
    try:
        return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y%m%dT%H%M%S}Z"
    except OverflowError:  # of the year 1 or 9999
        return f"{moment:%Y%m%dT%H%M%S}Z"


def _line(name: str, text: str) -> str:
    return f"{name}:{_escaped(text)}"


def _escaped(text: str) -> str:
    """As RFC 5545, 3.3.11 wants texts; no line of it can begin another property."""
    text = re.sub(r"\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", "\n", text)
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")

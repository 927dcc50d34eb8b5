"""Events as iCalendar (RFC 5545): whole days as days, a repeated event as one with its rule and what is exempt of it.

A repeated event brings its own time zone, made of what its record says: its clocks, and when they are changed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from node.board.api import Item
from node.board.spans import span_on, wall
from node.model.clock import seconds_of
from node.model.event import QUARTER_MIN, Event, Occasion, Rhythm, occasions
from node.model.foreign import Foreign
from web import safe_text
from web.hearsay import changed, in_plain_words
from web.item_display import categories, confirmed_as_text, tag_of, uid, whole_address
from web.languages import current

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WEEK = 7
REFRESH_H = 4  # hours between two looks of a calendar that follows: what is new in the morning is there in the evening


@dataclass(frozen=True)
class CalendarAbout:
    """What a calendar says of itself: its name; of one that is followed also its id, which stays the same, its own address
    and that of the page about it."""

    name: str
    feed_id: str = ""
    source: str = ""
    page: str = ""


def ical_of(items: Iterable[Item], about: CalendarAbout) -> bytes:
    """A calendar of these events; each is in it once, however many of its dates are given."""
    from icalendar import Calendar  # takes a while to load, and most visitors never need it

    calendar = Calendar()
    calendar.add("prodid", f"-//Archipel//board//{current().tag.upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    _call(calendar, about)
    zones: dict[str, Event] = {}
    told: set[str] = set()
    events = []
    for item in items:
        if item.event is None or uid(item) in told:
            continue
        told.add(uid(item))
        if item.event.repetition and not item.whole_days:
            zones.setdefault(_zone_name(item.event), item.event)
        events += list(_vevents(item, item.event))
    for component in [*(_zone(zone, event) for zone, event in zones.items()), *events]:
        calendar.add_component(component)
    return calendar.to_ical()


def _call(calendar: Any, about: CalendarAbout) -> None:
    """What it is called, and where and how often to look again: by RFC 7986, and by the older names that phones know."""
    from icalendar import vUri

    for property_name in ("name", "x-wr-calname"):
        calendar.add(property_name, safe_text.one_line(about.name))
    if about.source:
        calendar.add("refresh-interval", timedelta(hours=REFRESH_H), {"VALUE": "DURATION"})
        calendar.add("x-published-ttl", f"PT{REFRESH_H}H")
        calendar.add("uid", about.feed_id)
        calendar.add("source", vUri(about.source), {"VALUE": "URI"})
        calendar.add("url", vUri(about.page))


def _vevents(item: Item, event: Event) -> Iterator[Any]:  # icalendar brings no types
    """The event, then each date of it that is moved."""
    dates = occasions(event)
    first = dates[0]
    planned = occasions(unchanged(event)) if event.repetition else dates
    main = _vevent(item, event, planned[0])
    if event.repetition:
        main.add("rrule", rule_of(event))
        for one in dates:
            if one.off:
                _add_moment(main, "exdate", event, planned[one.number])
    else:
        main.add("x-archipel-offset", str(first.offset))
    yield main
    for one in dates:
        if one.moved:
            moved = _vevent(item, event, one)
            _add_moment(moved, "recurrence-id", event, planned[one.number])
            yield moved


def unchanged(event: Event) -> Event:
    """The event as its rule alone has it."""
    return event if event.repetition is None else replace(event, repetition=replace(event.repetition, exempt=()))


def _vevent(item: Item, event: Event, on: Occasion) -> Any:
    from icalendar import Event as Component
    from icalendar import vUri

    made = Component()
    made.add("uid", f"{uid(item)}@archipel")
    minute = changed(item)
    made.add("dtstamp", _utc(minute))
    made.add("last-modified", _utc(minute))
    _add_moment(made, "dtstart", event, on)
    if event.length:
        _add_moment(made, "dtend", event, on, end=True)
    made.add("summary", safe_text.plain(item.title), {"LANGUAGE": tag_of(item)} if tag_of(item) else {})
    made.add("url", whole_address(item))
    cancelled = None if item.off else item.cancelled
    made.add("status", "CANCELLED" if cancelled is not None else "TENTATIVE" if item.tentative else "CONFIRMED")
    made.add("categories", categories(item))
    # later versions have later minutes, or are later ones at their source
    made.add("sequence", minute + (event.foreign.sequence if event.foreign else 0))
    if event.foreign:
        _tell_foreign(made, item, event.foreign)
    if item.position:
        made.add("geo", item.position)
    told, confirmed = in_plain_words(item), confirmed_as_text(item)
    description = "\n\n".join(filter(None, [
        item.text, item.organiser, item.link, cancelled, confirmed, told]))
    # the last ones are in the description too, each in a field of its own for another island that takes the event over
    for name, text in (("location", item.place), ("description", description), ("contact", item.organiser),
                       ("comment", cancelled or ""), ("x-archipel-source", told), ("x-archipel-confirmed", confirmed)):
        if text:
            made.add(name, safe_text.plain(text))
    if item.link:
        made.add("link", vUri(item.link), {"LINKREL": "related", "VALUE": "URI"})  # RFC 9253; `url` is our own page
    return made


def _tell_foreign(made: Any, item: Item, foreign: Foreign) -> None:
    """For other islands, which version of a foreign event this is; for others, what was changed here is a change, too."""
    off_here = item.changed > item.created  # by its author, not at its source
    modified = item.changed if off_here else foreign.modified
    made.add("x-archipel-key", foreign.key.hex())
    made.add("x-archipel-version", f"{foreign.sequence + off_here} {_utc(modified):%Y%m%dT%H%M%SZ}")


def _add_moment(made: Any, name: str, event: Event, on: Occasion, end: bool = False) -> None:
    """A start or an end: a day, UTC for what is once (a zone would cost 300 bytes an event), else by the event's clocks."""
    span = span_on(on, event.whole_days)
    shown = span.last if end else span.first
    if event.whole_days:
        made.add(name, shown.date(), {"VALUE": "DATE"})
    elif event.repetition:
        made.add(name, shown, {"TZID": _zone_name(event)})
    else:
        made.add(name, _utc(on.end if end else on.start))


def _utc(minute: int) -> datetime:
    return datetime.fromtimestamp(seconds_of(minute), UTC)


def rule_of(event: Event) -> dict[str, Any]:
    """The parts of its RRULE; nothing for what is once."""
    rule = event.repetition
    if rule is None:
        return {}
    first = wall(event.start, event.offset).date()
    frequency = {Rhythm.DAYS: "DAILY", Rhythm.WEEKS: "WEEKLY", Rhythm.WEEKDAYS: "WEEKLY"}.get(rule.rhythm, "MONTHLY")
    more: dict[str, Any] = {}
    if rule.rhythm is Rhythm.WEEKDAYS:
        more = {"BYDAY": [DAYS[day] for day in range(WEEK) if rule.weekdays >> day & 1], "WKST": "MO"}
    elif rule.rhythm is Rhythm.MONTHS:
        more = {"BYMONTHDAY": first.day}
    elif frequency == "MONTHLY":
        more = {"BYDAY": f"{_number(rule.rhythm, first)}{DAYS[first.weekday()]}"}
    return {"FREQ": frequency, "INTERVAL": rule.every, "COUNT": rule.count} | more


def _number(rhythm: Rhythm, day: date) -> int:
    """Which one of its month a weekday is, from its beginning, or from its end (-1 is the last)."""
    if rhythm is Rhythm.MONTH_WEEKDAY:
        return (day.day - 1) // WEEK + 1
    last = (day.replace(day=28) + timedelta(4)).replace(day=1) - timedelta(1)
    return -((last - day).days // WEEK + 1)


def _zone_name(event: Event) -> str:
    return "archipel" + "".join(f"{shift:+d}" for shift in (event.offset, *(
        part for one in event.shifts for part in (one.since, one.offset))))


def _zone(name: str, event: Event) -> Any:
    """A zone that has the clocks of one event."""
    from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

    zone = Timezone()
    zone.add("tzid", name)
    since, before = datetime(1970, 1, 1), event.offset
    for minute, offset in [(None, event.offset), *((one.since, one.offset) for one in event.shifts)]:
        part = TimezoneDaylight() if offset > before else TimezoneStandard()
        part.add("dtstart", since if minute is None else wall(minute, before))
        part.add("tzoffsetfrom", timedelta(minutes=QUARTER_MIN * before))
        part.add("tzoffsetto", timedelta(minutes=QUARTER_MIN * offset))
        zone.add_component(part)
        before = offset
    return zone

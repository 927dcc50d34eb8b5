"""The board for other programs: iCalendar (RFC 5545), Atom (RFC 4287), JSON Feed 1.1, plain text."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as xml

from flask import Blueprint, Response, render_template, url_for

from node.board.api import TOPICS, Item
from node.model.clock import seconds_of
from node.model.record import Kind
from web import safe_text
from web.item_display import SHOWN_DIGITS, caption, tag_of, whole_address
from web.pages import board, kept, settings
from web.public import asked_topic, found

ATOM = "http://www.w3.org/2005/Atom"
MAX_ENTRIES = 50
AHEAD_MIN, BEHIND_MIN = 400 * 1440, 7 * 1440
feeds = Blueprint("feeds", __name__)


def moment(minute: int) -> datetime:
    """A minute in UTC."""
    return datetime.fromtimestamp(seconds_of(minute), UTC)


@feeds.get("/take")
@kept
def index() -> str:
    """The list of them, for people."""
    return render_template("take.html")


@feeds.get("/agenda.ics")
@kept
def calendar() -> Response:
    """Events of the week past and of all days ahead; `?topic=` for one topic."""
    now = board().now()
    return _calendar(board().events(now - BEHIND_MIN, now + AHEAD_MIN, asked_topic()))


@feeds.get("/r/<item_id>.ics")
@kept
def one_event(item_id: str) -> Response:
    """One event."""
    return _calendar([found(item_id)])


def _calendar(events: Iterable[Item]) -> Response:
    from icalendar import Calendar  # takes a while to load, and most visitors never need it

    calendar = Calendar()
    calendar.add("prodid", "-//Archipel//board//FR")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", safe_text.one_line(settings().name))
    for item in events:
        if item.start is not None:
            calendar.add_component(_vevent(item, item.start))
    return Response(calendar.to_ical(), mimetype="text/calendar")


def _vevent(item: Item, start: int) -> Any:  # icalendar brings no types
    from icalendar import Event, vUri

    event = Event()
    event.add("uid", f"{uid(item)}@archipel")
    event.add("dtstamp", moment(item.created))
    event.add("last-modified", moment(item.created))
    event.add("dtstart", moment(start))  # UTC: a time zone definition would cost 2.9 kB an event
    if item.end and item.end > start:
        event.add("dtend", moment(item.end))
    event.add("summary", safe_text.plain(item.title), {"LANGUAGE": tag_of(item)} if tag_of(item) else {})
    event.add("url", whole_address(item))
    event.add("status", "CONFIRMED" if item.cancelled is None else "CANCELLED")
    event.add("categories", [TOPICS.get(item.topic, "other")])
    event.add("sequence", item.created)  # later versions have later minutes
    if item.position:
        event.add("geo", item.position)
    description = "\n\n".join(filter(None, [item.text, item.organiser, item.link, item.cancelled]))
    for name, text in [("location", item.place), ("description", description), *_for_islands(item)]:
        if text:
            event.add(name, safe_text.plain(text))
    if item.link:
        event.add("link", vUri(item.link), {"LINKREL": "related", "VALUE": "URI"})  # RFC 9253; `url` is our own page
    return event


def _for_islands(item: Item) -> list[tuple[str, str]]:
    """What the description says too, each in a field of its own, so that another island takes the event over whole."""
    return [("contact", item.organiser), ("comment", item.cancelled or ""), ("x-archipel-offset", str(item.offset))]


def uid(item: Item) -> str:
    """The name of an event through all its corrections."""
    return (item.first or item.id)[:16]


def latest() -> list[Item]:
    """The newest bulletins and the nearest events, newest first."""
    now, topic = board().now(), asked_topic()
    items = board().bulletins(topic, limit=MAX_ENTRIES).items + board().events(now, now + AHEAD_MIN, topic, MAX_ENTRIES)
    return sorted(items, key=lambda item: item.created, reverse=True)[:MAX_ENTRIES]


@feeds.get("/feed.atom")
@kept
def atom() -> Response:
    """What is new, as Atom."""
    items = latest()
    feed = xml.Element("feed", xmlns=ATOM)
    _child(feed, "title", safe_text.one_line(settings().name))
    _child(feed, "id", settings().base_url)
    _child(feed, "updated", _instant(items[0].created if items else 0))
    _child(feed, "link", rel="self", href=settings().base_url.rstrip("/") + url_for("feeds.atom"))
    _child(feed, "link", rel="alternate", href=settings().base_url)
    for item in items:
        _entry(feed, item)
    return Response(xml.tostring(feed, encoding="utf-8", xml_declaration=True), mimetype="application/atom+xml")


def _entry(feed: xml.Element, item: Item) -> None:
    entry = xml.SubElement(feed, "entry")
    _child(entry, "id", f"urn:archipel:{uid(item)}")
    _child(entry, "title", caption(item))
    _child(entry, "updated", _instant(item.created))
    _child(entry, "link", rel="alternate", href=whole_address(item))
    _child(entry, "category", term=TOPICS.get(item.topic, "other"))
    _child(xml.SubElement(entry, "author"), "name", safe_text.one_line(item.author.name) or "?")
    _child(entry, "content", as_text(item), type="text", **{"xml:lang": tag_of(item)} if tag_of(item) else {})


def _child(parent: xml.Element, name: str, text: str = "", **attributes: str) -> None:
    xml.SubElement(parent, name, attributes).text = text or None


def _instant(minute: int) -> str:
    return moment(minute).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_text(item: Item) -> str:
    """An item as plain text, an event with its day, hours and place."""
    lines = [safe_text.plain(item.text)]
    if item.kind is Kind.EVENT:
        span = [_instant(minute) for minute in (item.start, item.end) if minute is not None]
        cancelled = [f"CANCELLED {safe_text.one_line(item.cancelled)}"] if item.cancelled is not None else []
        lines = [*cancelled, caption(item), " / ".join(span), *map(safe_text.plain, (item.place, item.organiser)), *lines,
                 safe_text.plain(item.link)]
    return "\n".join(line for line in lines if line)


@feeds.get("/feed.json")
@kept
def json_feed() -> Response:
    """What is new, as JSON Feed."""
    feed = {
        "version": "https://jsonfeed.org/version/1.1", "title": safe_text.one_line(settings().name),
        "home_page_url": settings().base_url, "feed_url": settings().base_url.rstrip("/") + url_for("feeds.json_feed"),
        "items": [_json_item(item) for item in latest()],
    }
    return Response(json.dumps(feed, ensure_ascii=False), mimetype="application/feed+json")


def _json_item(item: Item) -> dict:
    shown = {
        "id": uid(item), "url": whole_address(item), "title": caption(item), "content_text": as_text(item),
        "date_published": _instant(item.created), "tags": [TOPICS.get(item.topic, "other")],
        "authors": [{"name": safe_text.one_line(item.author.name)}],
    }
    return shown | ({"language": tag_of(item)} if tag_of(item) else {})


@feeds.get("/r/<item_id>.txt")
@kept
def one_text(item_id: str) -> Response:
    """One item as plain text."""
    return Response(as_text(found(item_id)) + "\n", mimetype="text/plain")


@feeds.get("/bulletins.txt")
@kept
def bulletins_text() -> Response:
    """The newest bulletins as plain text."""
    return _texts(board().bulletins(asked_topic(), limit=MAX_ENTRIES).items)


@feeds.get("/agenda.txt")
@kept
def agenda_text() -> Response:
    """The events to come as plain text."""
    now = board().now()
    return _texts(board().events(now, now + AHEAD_MIN, asked_topic(), MAX_ENTRIES))


def _texts(items: Iterable[Item]) -> Response:
    texts = [f"{as_text(item)}\n[{item.id[:SHOWN_DIGITS]}]\n" for item in items]
    return Response("\n".join(texts), mimetype="text/plain")

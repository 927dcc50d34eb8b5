"""The board for other programs: iCalendar (RFC 5545), Atom (RFC 4287), JSON Feed 1.1, plain text."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from xml.etree import ElementTree as xml

from flask import Blueprint, Response, render_template, request, url_for

from node.board.api import Item, Page
from node.model.clock import seconds_of
from node.model.record import Kind
from web import safe_text
from web.calendar_feed import CalendarAbout, ical_of
from web.hearsay import changed, in_plain_words
from web.item_display import (
    SHOWN_DIGITS,
    caption,
    categories,
    confirmed_as_text,
    other_dates,
    rhythm,
    tag_of,
    uid,
    when,
    whole_address,
)
from web.languages import current
from web.languages import gettext as _
from web.pages import board, kept, patience, settings
from web.public import asked_topic, found
from web.sentences import mark_names
from web.subscribing import chosen, narrowed, whole_path

ATOM = "http://www.w3.org/2005/Atom"
MAX_ENTRIES = 50
AHEAD_MIN, BEHIND_MIN = 400 * 1440, 7 * 1440
feeds = Blueprint("feeds", __name__)
heavy = Lock()  # a calendar of all events takes some megabytes while it is made: one at a time


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
    """All events of the week past and of all days ahead, or those that `web.subscribing.Chosen` names."""
    events, wanted, asked = announced(), chosen(), narrowed()
    about = CalendarAbout(wanted.name(), wanted.feed_id(), whole_path(url_for("feeds.calendar", **asked)),
                          whole_path(url_for("subscribing.show", **asked)))
    return _calendar(events, about)


def announced() -> list[Item]:
    """All dates of the week past and of all days ahead of what this request asks for."""
    now, wanted = board().now(), chosen()
    events = board().events(now - BEHIND_MIN, now + AHEAD_MIN, wanted.topic, patience=patience())
    return list(filter(wanted.holds, events))


@feeds.get("/r/<item_id>.ics")
@kept
def one_event(item_id: str) -> Response:
    """One event."""
    return _calendar([found(item_id)], CalendarAbout(settings().name))


def _calendar(events: Iterable[Item], about: CalendarAbout) -> Response:
    if patience().unread:
        return not_yet()
    with heavy:
        return Response(ical_of(events, about), mimetype="text/calendar")


def not_yet() -> Response:
    """A feed is whole or there is none: programs keep the one they have, and ask again."""
    said = _("This island is still reading what it has received. Please ask again in a minute.")
    return Response(f"{said}\n", 503, {"Retry-After": "60"}, mimetype="text/plain")


def latest() -> Page:
    """Bulletins and events that are asked for, what was posted or changed last first, from `?after=` on."""
    wanted = chosen()
    return board().latest(wanted.topic, _after(), MAX_ENTRIES, patience(), wanted.holds)


def _after() -> str:
    return request.args.get("after", "")[:200]


def _following(endpoint: str, **more: Any) -> str:
    """The whole address of the next part of a feed."""
    return whole_path(url_for(endpoint, **narrowed(), **more))


@feeds.get("/feed.atom")
@kept
def atom() -> Response:
    """What is new, as Atom, in pages (RFC 5005, 3)."""
    page = latest()
    if patience().unread:
        return not_yet()
    items, wanted = page.items, chosen()
    feed = xml.Element("feed", {"xmlns": ATOM, "xml:lang": current().tag})
    _child(feed, "title", wanted.name())
    _child(feed, "id", wanted.feed_id())
    _child(feed, "updated", instant(max(map(changed, items), default=0)))
    _child(feed, "link", rel="self", href=_following("feeds.atom", after=_after() or None))
    _child(feed, "link", rel="alternate", href=settings().base_url)
    if page.after:
        _child(feed, "link", rel="next", href=_following("feeds.atom", after=page.after))
    for item in items:
        _entry(feed, item)
    return Response(xml.tostring(feed, encoding="utf-8", xml_declaration=True), mimetype="application/atom+xml")


def _entry(feed: xml.Element, item: Item) -> None:
    entry = xml.SubElement(feed, "entry")
    _child(entry, "id", f"urn:archipel:{uid(item)}")
    _child(entry, "title", caption(item))
    _child(entry, "updated", instant(changed(item)))
    _child(entry, "link", rel="alternate", href=whole_address(item))
    for term in categories(item):
        _child(entry, "category", term=term)
    _child(xml.SubElement(entry, "author"), "name", safe_text.one_line(item.author.name) or "?")
    _child(entry, "content", as_text(item), type="text", **{"xml:lang": tag_of(item)} if tag_of(item) else {})


def _child(parent: xml.Element, name: str, text: str = "", **attributes: str) -> None:
    xml.SubElement(parent, name, attributes).text = text or None


def instant(minute: int) -> str:
    """A moment in UTC, as RFC 3339 writes it."""
    return moment(minute).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_text(item: Item) -> str:
    """An item as plain text, an event with its day, hours and place."""
    lines, confirmed = [safe_text.plain(item.text)], [confirmed_as_text(item)]
    if item.kind is Kind.EVENT:
        cancelled = [f"{_('Cancelled')} {safe_text.one_line(item.cancelled)}".strip()] if item.cancelled is not None else []
        tentative = [_("Not confirmed yet")] if item.tentative and item.cancelled is None else []
        otherwise = [f"{day} – {became}" for day, became in other_dates(item) if became]
        lines = [*cancelled, *tentative, *confirmed, caption(item), when(item, paper=True), rhythm(item), *otherwise,
                 " · ".join(mark_names(item.marks)),
                 *map(safe_text.plain, (item.place, item.organiser)), *lines, safe_text.plain(item.link),
                 in_plain_words(item)]
    elif item.kind is Kind.BULLETIN:
        settled = [_("Settled")] if item.met is not None else []
        lines = [" · ".join([*settled, *mark_names(item.marks)]), *confirmed, *lines]
    return "\n".join(line for line in lines if line)


@feeds.get("/feed.json")
@kept
def json_feed() -> Response:
    """What is new, as JSON Feed, in pages (`next_url`)."""
    page = latest()
    if patience().unread:
        return not_yet()
    feed = {
        "version": "https://jsonfeed.org/version/1.1", "title": chosen().name(), "language": current().tag,
        "home_page_url": settings().base_url, "feed_url": _following("feeds.json_feed"),
        "_archipel": {"id": chosen().feed_id()},
        "items": [_json_item(item) for item in page.items],
    }
    if page.after:
        feed["next_url"] = _following("feeds.json_feed", after=page.after)
    return Response(json.dumps(feed, ensure_ascii=False), mimetype="application/feed+json")


def _json_item(item: Item) -> dict:
    shown = {
        "id": uid(item), "url": whole_address(item), "title": caption(item), "content_text": as_text(item),
        "date_published": instant(item.created), "tags": categories(item),
        "authors": [{"name": safe_text.one_line(item.author.name)}],
    }
    if item.corrected or changed(item) > item.created:
        shown["date_modified"] = instant(changed(item))
    return shown | ({"language": tag_of(item)} if tag_of(item) else {})


@feeds.get("/r/<item_id>.txt")
@kept
def one_text(item_id: str) -> Response:
    """One item as plain text."""
    return Response(as_text(found(item_id)) + "\n", mimetype="text/plain")


@feeds.get("/bulletins.txt")
@kept
def bulletins_text() -> Response:
    """The newest bulletins as plain text, from `?after=` on, and where the rest is."""
    page = board().bulletins(asked_topic(), _after(), MAX_ENTRIES, patience())
    return _texts(page.items, _following("feeds.bulletins_text", after=page.after) if page.after else "")


@feeds.get("/agenda.txt")
@kept
def agenda_text() -> Response:
    """The events to come as plain text, from the `?from=`th on, and where the rest is."""
    now, begin = board().now(), max(request.args.get("from", 0, type=int), 0)
    events = board().announced(now, now + AHEAD_MIN, asked_topic())
    end = begin + MAX_ENTRIES
    shown = list(board().read(events[begin:end], patience()))
    return _texts(shown, _following("feeds.agenda_text", **{"from": end}) if len(events) > end else "")


def _texts(items: Iterable[Item], following: str) -> Response:
    if patience().unread:
        return not_yet()
    texts = [f"{as_text(item)}\n[{item.id[:SHOWN_DIGITS]}]\n" for item in items]
    if following:
        texts.append(_("More: %(address)s") % {"address": following} + "\n")
    return Response("\n".join(texts), mimetype="text/plain")

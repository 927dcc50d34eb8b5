"""Feeds: RSS and Atom (by feedparser, which reads broken ones too), and JSON Feed 1.1.

An item that says when something takes place is an event: RSS' event module, xCal, Google's `gd:when`; in a JSON Feed an
object of an extension with a start. All others are news.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from urllib.parse import urljoin

from node.gather.told import Moment, ToldEvent, ToldNews, ToldSource, moment_of
from node.model.errors import RemoteFault

MAX_ITEMS = 300
MAX_FEED, MAX_BRACKETS = 1_000_000, 40_000  # characters; a feed of nothing but tags takes 0.5 s of a desktop's core then
MAX_TAGS = 20
STARTS = ("ev_startdate", "xcal_dtstart", "dtstart", "startdate", "start_date")
ENDS = ("ev_enddate", "xcal_dtend", "dtend", "enddate", "end_date")
PLACES = ("ev_location", "xcal_location", "location")
ORGANISERS = ("ev_organizer", "xcal_organizer")
JSON_STARTS = ("start", "start_date", "startDate", "start_datetime", "dtstart")
JSON_ENDS = ("end", "end_date", "endDate", "end_datetime", "dtend")


def rss_or_atom(text: str, address: str) -> ToldSource:
    """What a feed in XML tells; raises RemoteFault (`source-mark`) for what is none, or what declares entities,
    `source-size` for what is too large."""
    import feedparser  # takes a while to load, and most islands never need it

    if len(text) > MAX_FEED or text.count("<") > MAX_BRACKETS:
        raise RemoteFault("source-size")
    if re.search(r"<!\s*ENTITY", text, re.I):  # one of them may grow to gigabytes, or name a file
        raise RemoteFault("source-mark")
    text = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    parsed = feedparser.parse(BytesIO(text.encode("utf-8", "replace")), sanitize_html=False, resolve_relative_uris=False)
    if not parsed.get("version"):
        raise RemoteFault("source-mark")
    told = ToldSource(_text(parsed.feed.get("title")))
    for entry in parsed.entries[:MAX_ITEMS]:
        _take_entry(told, entry, address)
    return told


def _take_entry(told: ToldSource, entry: Mapping[str, Any], address: str) -> None:
    alerts = [_text(link.get("href")) for link in entry.get("links") or () if isinstance(link, dict)
              and link.get("type") == "application/cap+xml"]
    if alerts:
        told.alert_links += [urljoin_or_nothing(address, alerts[0])]
        return
    link = urljoin_or_nothing(address, _text(entry.get("link")))
    key, title = _text(entry.get("id")) or link, _text(entry.get("title"))
    contents = [_text(one.get("value")) for one in entry.get("content") or () if isinstance(one, dict)]
    text = next((content for content in contents if content), _text(entry.get("summary")))
    tags = tuple(_text(tag.get("term")) for tag in (entry.get("tags") or ())[:MAX_TAGS] if isinstance(tag, dict))
    when: Any = entry.get("gd_when") if isinstance(entry.get("gd_when"), dict) else {}
    start = _first_moment(entry, STARTS) or moment_of(when.get("starttime"))
    updated = _instant(entry.get("updated_parsed"))
    if start:
        told.events.append(ToldEvent(
            title, start, key, _first_moment(entry, ENDS) or moment_of(when.get("endtime")), _first_text(entry, PLACES),
            text, link, _first_text(entry, ORGANISERS), _point(entry), tags, updated))
    elif key and title:
        told.news.append(ToldNews(key, title, text, link, tags, _instant(entry.get("published_parsed")) or updated))


def json_feed(text: str, address: str) -> ToldSource:
    """What a JSON Feed tells; raises RemoteFault (`source-mark`)."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RemoteFault("source-mark") from error
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in str(feed.get("version"))[:100]:
        raise RemoteFault("source-mark")
    told, items = ToldSource(_text(feed.get("title"))), feed.get("items")
    for item in items[:MAX_ITEMS] if isinstance(items, list) else ():
        if isinstance(item, dict):
            _take_item(told, item, address)
    return told


def _take_item(told: ToldSource, item: Mapping[str, Any], address: str) -> None:
    link = urljoin_or_nothing(address, _text(item.get("url")) or _text(item.get("external_url")))
    key, title = _text(item.get("id")) or link, _text(item.get("title"))
    text = _text(item.get("content_text")) or _text(item.get("content_html")) or _text(item.get("summary"))
    tags: Any = item.get("tags") if isinstance(item.get("tags"), list) else []
    named = tuple(_text(tag) for tag in tags[:MAX_TAGS] if _text(tag))
    updated = moment_of(item.get("date_modified")) or moment_of(item.get("date_published"))
    changed = updated if isinstance(updated, datetime) else None
    more = next((one for name, one in item.items() if name.startswith("_") and isinstance(one, dict)
                 and _first_moment(one, JSON_STARTS)), None)
    start = more and _first_moment(more, JSON_STARTS)
    if more and start:
        place = more.get("place", more.get("location"))
        where = _text(place.get("name") if isinstance(place, dict) else place)
        told.events.append(ToldEvent(title, start, key, _first_moment(more, JSON_ENDS), where, text, link, "", None, named,
                                     changed, _text(more.get("status")).lower() == "cancelled"))
    elif key and (title or text):
        told.news.append(ToldNews(key, title or text, text if title else "", link, named, changed))


def urljoin_or_nothing(address: str, link: str) -> str:
    """The whole address of a link in what is at `address`, "" for what is none."""
    try:
        return urljoin(address, link.strip()) if link.strip() else ""
    except ValueError:
        return ""


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else str(value) if isinstance(value, int) else ""


def _first_text(entry: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((found for name in names if (found := _text(entry.get(name)))), "")


def _first_moment(entry: Mapping[str, Any], names: tuple[str, ...]) -> Moment | None:
    return next((found for name in names if (found := moment_of(entry.get(name)))), None)


def _point(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    pair = _text(entry.get("georss_point")).split()
    latitude, longitude = pair if len(pair) == 2 else (_text(entry.get("geo_lat")), _text(entry.get("geo_long")))
    return (latitude, longitude) if latitude and longitude else None


def _instant(parsed: Any) -> datetime | None:
    """A time of feedparser's, which is UTC."""
    try:
        return datetime(*parsed[:6]).replace(tzinfo=UTC) if parsed else None
    except (TypeError, ValueError):
        return None

"""Pages that mark up their events for programs: h-event of microformats2, read by mf2py."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from node.gather.source_feeds import urljoin_or_nothing
from node.gather.told import Moment, ToldEvent, ToldSource, moment_of
from node.model.errors import RemoteFault

MAX_PAGE_BYTES, MAX_TAGS = 500_000, 10_000
MAX_DEPTH = 100  # elements in elements: what nests deeper takes the libraries minutes, or the whole stack
MAX_EVENTS, MAX_ITEMS = 200, 2_000
UNSEEN = re.compile(r"<!--.*?(?:-->|$)|<(script|style|svg)\b.*?(?:</\1|$)|<[!?][^>]*(?:>|$)", re.S | re.I)
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})\b")
NEVER_CLOSED = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
                "track", "wbr"}


def h_events(text: str, address: str) -> ToldSource:
    """What the events of a page tell; raises RemoteFault (`source-mark`) for a page that has none."""
    text = UNSEEN.sub("", text)
    if "h-event" not in text or len(text) > MAX_PAGE_BYTES or not _is_plain(text):
        raise RemoteFault("source-mark")
    import mf2py  # takes a while to load, and most islands never need it

    try:
        parsed = mf2py.parse(doc=text, url=address, html_parser="html.parser")  # the others may take minutes for a page
    except Exception as error:  # a library on hostile bytes may raise anything, too deep a nesting among it
        raise RemoteFault("source-mark") from error
    told = ToldSource(_name_of(parsed.get("items", [])))
    for item in _found(parsed.get("items", []), "h-event"):
        properties = item.get("properties", {})
        start = _moment(properties, "start")
        if start and len(told.events) < MAX_EVENTS:
            told.events.append(_event(properties, start, address))
    if not told.events:
        raise RemoteFault("source-mark")
    return told


def _event(properties: Mapping[str, Any], start: Moment, address: str) -> ToldEvent:
    link = urljoin_or_nothing(address, _word(properties, "url"))
    updated = _moment(properties, "updated")
    content = next(iter(properties.get("content") or properties.get("description") or ()), "")
    text = content.get("html", "") if isinstance(content, dict) else str(content)
    categories = tuple(one for one in properties.get("category", ())[:20] if isinstance(one, str))
    return ToldEvent(
        _word(properties, "name"), start, _word(properties, "uid") or link, _moment(properties, "end"),
        _word(properties, "location"), text or _word(properties, "summary"), link, _word(properties, "organizer"),
        _point(properties), categories, updated if isinstance(updated, datetime) else None,
        _word(properties, "status").lower() == "cancelled")


def _is_plain(text: str) -> bool:
    """Whether its elements are neither too many nor too deep in each other."""
    depth = deepest = tags = 0
    for close, name in TAG.findall(text):
        tags += 1
        depth += 0 if name.lower() in NEVER_CLOSED else -1 if close else 1
        deepest = max(deepest, depth)
    return tags <= MAX_TAGS and deepest <= MAX_DEPTH


def _found(items: list[Any], kind: str) -> Iterator[Mapping[str, Any]]:
    """Items of a kind, those inside others too."""
    waiting, seen = list(items), 0
    while waiting and seen < MAX_ITEMS:
        item = waiting.pop(0)
        seen += 1
        if isinstance(item, dict):
            if kind in item.get("type", ()):
                yield item
            waiting += item.get("children", ())


def _name_of(items: list[Any]) -> str:
    return next((_word(feed.get("properties", {}), "name") for feed in _found(items, "h-feed")), "")


def _word(properties: Mapping[str, Any], name: str) -> str:
    """The first value of a property, by its name where it is an item of its own."""
    value = next(iter(properties.get(name) or ()), "")
    if isinstance(value, dict):
        inner = value.get("properties", {})
        value = next(iter(inner.get("name") or ()), value.get("value", ""))
    return value.strip() if isinstance(value, str) else ""


def _moment(properties: Mapping[str, Any], name: str) -> Moment | None:
    return moment_of(_word(properties, name))


def _point(properties: Mapping[str, Any]) -> tuple[str, str] | None:
    places = [one.get("properties", {}) for name in ("location", "geo") for one in properties.get(name, ())
              if isinstance(one, dict)]
    places += [one.get("properties", {}) for place in places for one in place.get("geo", ()) if isinstance(one, dict)]
    pairs = [(_word(place, "latitude"), _word(place, "longitude")) for place in (properties, *places)]
    return next((pair for pair in pairs if all(pair)), None)

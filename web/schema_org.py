"""An event's page told to search engines: schema.org's Event as JSON-LD, a block of data that no browser runs."""

import json
from typing import Any

from markupsafe import Markup

from node.board.api import Item
from node.board.spans import span_of
from node.model.event import Event, occasions
from node.model.marks import Marks
from web import safe_text
from web.calendar_feed import rule_of, unchanged
from web.item_display import caption, categories, iso, tag_of, uid, whole_address, written_span

MAX_DESCRIPTION = 300  # characters: the text stands on the page anyway
UNITS = {"DAILY": "D", "WEEKLY": "W", "MONTHLY": "M"}


def schema_of(item: Item) -> Markup:
    """As it stands in the page: no sign of it can end the block."""
    told = json.dumps(event_of(item), ensure_ascii=False, separators=(",", ":"))
    return Markup(told.replace("<", "\\u003c").replace("&", "\\u0026"))  # noqa: S704 - inside a script only "</" means something


def event_of(item: Item) -> dict[str, Any]:
    """The event, on the date that is shown."""
    begin, end = written_span(item)
    if item.whole_days and end:
        end = span_of(item).last_day.isoformat()  # the last day here, not the one after it
    told: dict[str, Any] = {
        "@context": "https://schema.org", "@type": "Event", "@id": f"urn:archipel:{uid(item)}", "name": caption(item),
        "startDate": begin, "endDate": end,
        "eventStatus": f"https://schema.org/Event{'Scheduled' if item.cancelled is None else 'Cancelled'}",
        "description": safe_text.shortened(safe_text.one_line(item.text), MAX_DESCRIPTION),
        "url": whole_address(item), "sameAs": item.link, "inLanguage": tag_of(item), "keywords": categories(item),
        "isAccessibleForFree": Marks.FREE in item.marks or None, "location": _place(item),
        "organizer": {"@type": "Organization", "name": safe_text.one_line(item.organiser)} if item.organiser else None,
        "eventSchedule": _schedule(item.event) if item.event and item.event.repetition else None}
    return {name: value for name, value in told.items() if value}


def _place(item: Item) -> dict[str, Any] | None:
    if not (item.place or item.position):
        return None
    name = safe_text.one_line(item.place)
    told: dict[str, Any] = {"@type": "Place", "name": name, "address": name} if name else {"@type": "Place"}
    if item.position:
        latitude, longitude = item.position
        told["geo"] = {"@type": "GeoCoordinates", "latitude": round(latitude, 6), "longitude": round(longitude, 6)}
    return told


def _schedule(event: Event) -> dict[str, Any]:
    """How often it is; a date that is moved is only left out of it."""
    rule, planned = rule_of(event), occasions(unchanged(event))
    told = {"@type": "Schedule", "startDate": iso(planned[0].start, planned[0].offset),
            "repeatFrequency": f"P{rule['INTERVAL']}{UNITS[rule['FREQ']]}", "repeatCount": rule["COUNT"],
            "byDay": rule.get("BYDAY"), "byMonthDay": rule.get("BYMONTHDAY"),
            "exceptDate": [iso(planned[one.number].start, planned[one.number].offset) for one in occasions(event)
                           if one.off or one.moved]}
    return {name: value for name, value in told.items() if value}

"""The agenda as ActivityStreams 2.0 events, in the shape of Mobilizon's, for those who publish it on.

A file, not federation: there is no actor behind it that signs, and nothing can be sent to it. ActivityStreams knows no
repetition: each date of a repeated event is an event of its own.
"""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from flask import Blueprint, Response, url_for

from node.board.api import Item
from node.model.event import occasions
from web import safe_text
from web.feeds import announced, heavy, instant, not_yet
from web.hearsay import changed, in_plain_words
from web.item_display import caption, categories, confirmed_as_text, iso, status_word, tag_of, uid, whole_address
from web.pages import kept, patience, settings
from web.sentences import MARKS
from web.subscribing import chosen, narrowed, whole_path

PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
CONTEXT = ["https://www.w3.org/ns/activitystreams", {
    "sc": "http://schema.org#", "ical": "http://www.w3.org/2002/12/cal/ical#", "mz": "https://joinmobilizon.org/ns#",
    "pt": "https://joinpeertube.org/ns#", "Hashtag": "as:Hashtag", "PostalAddress": "sc:PostalAddress",
    "address": {"@id": "sc:address", "@type": "sc:PostalAddress"}, "streetAddress": "sc:streetAddress",
    "category": "sc:category", "uuid": "sc:identifier", "inLanguage": "sc:inLanguage", "status": "ical:status",
    "commentsEnabled": {"@id": "pt:commentsEnabled", "@type": "sc:Boolean"},
    "isOnline": {"@id": "mz:isOnline", "@type": "sc:Boolean"}}]
CATEGORIES = {  # Mobilizon's, by our topics; each event has one there
    1: "MOVEMENTS_POLITICS", 3: "COMMUNITY", 4: "FOOD_DRINK", 5: "HEALTH", 6: "CAUSES", 7: "CAUSES", 8: "ARTS",
    9: "FAMILY_EDUCATION", 10: "COMMUNITY", 11: "AUTO_BOAT_AIR", 12: "CAUSES", 13: "CAUSES"}
OTHERWISE = "MEETING"
ONLINE_ADDRESS = "Website"  # the name by which Mobilizon finds the link of an event among what is attached
activity_feed = Blueprint("activity_feed", __name__)


@activity_feed.get("/agenda.as.json")
@kept
def activities() -> Response:
    """All dates of the week past and of all days ahead of what is asked for, by start."""
    events, wanted = announced(), chosen()
    if patience().unread:
        return not_yet()
    with heavy:
        told = {
            "@context": CONTEXT, "type": "OrderedCollection", "name": wanted.name(), "totalItems": len(events),
            "id": whole_path(url_for("activity_feed.activities", **narrowed())),
            "orderedItems": [activity_of(item) for item in events]}
        return Response(json.dumps(told, ensure_ascii=False), mimetype="application/activity+json")


def activity_of(item: Item) -> dict[str, Any]:
    """One date of an event."""
    dates = occasions(item.event) if item.event else []
    number = next((one.number for one in dates if one.start == item.start), 0)
    which = f"#{number}" if len(dates) > 1 else ""  # the same when that date is moved
    signed_by = whole_path(url_for("together.signed", key_id=item.author.key_id))
    start, end = item.start or 0, item.end or 0
    told: dict[str, Any] = {
        "type": "Event", "id": whole_address(item) + which, "url": whole_address(item), "to": [PUBLIC], "cc": [],
        "uuid": str(uuid5(NAMESPACE_URL, f"urn:archipel:{uid(item)}{which}")), "name": caption(item),
        "content": str(safe_text.paragraphs("\n\n".join(filter(None, [
            confirmed_as_text(item), item.text, item.cancelled, in_plain_words(item)])))), "mediaType": "text/html",
        "startTime": _moment(start, item.offset), "endTime": _moment(end, item.end_offset) if end > start else None,
        "published": instant(item.created), "updated": instant(changed(item)),
        "status": status_word(item), "ical:status": status_word(item),
        "attributedTo": {"type": "Organization", "name": safe_text.one_line(item.organiser or item.author.name),
                         "url": signed_by},
        "generator": {"type": "Service", "name": safe_text.one_line(settings().name), "url": settings().base_url},
        "category": CATEGORIES.get(item.topic, OTHERWISE), "tag": [_hashtag(slug) for slug in categories(item)],
        "inLanguage": tag_of(item) or None,
        "commentsEnabled": False, "isOnline": False, "draft": False,
        "location": _place(item), "attachment": [_link(item.link)] if item.link else []}
    return {name: value for name, value in told.items() if value is not None}


def _moment(minute: int, offset: int) -> str:
    """With its seconds, as xsd:dateTime wants them."""
    written = iso(minute, offset)
    return f"{written[:16]}:00{written[16:]}"


def _hashtag(slug: str) -> dict[str, str]:
    return {"type": "Hashtag", "name": f"#{slug}",
            "href": whole_path(url_for("subscribing.show", topic=None if slug in MARKS else slug,
                                       mark=slug if slug in MARKS else None))}


def _place(item: Item) -> dict[str, Any] | None:
    """None where nothing is told; latitudes are floats, as Mobilizon takes no others."""
    if not (item.place or item.position):
        return None
    name = safe_text.one_line(item.place)
    told: dict[str, Any] = {"type": "Place", "name": name, "address": {"type": "PostalAddress", "streetAddress": name}}
    if item.position:
        told |= {"latitude": round(item.position[0], 6), "longitude": round(item.position[1], 6)}
    return told


def _link(address: str) -> dict[str, str]:
    return {"type": "Link", "name": ONLINE_ADDRESS, "href": address, "mediaType": "text/html"}

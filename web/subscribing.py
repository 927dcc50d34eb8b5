"""Following the agenda in a phone's calendar: all of it, one topic, what has a mark, one place, or what one key signs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request, url_for

from node.board.api import Item
from node.model.search_text import fold
from web.item_display import bdi
from web.pages import board, kept, settings
from web.public import asked_mark, asked_topic
from web.sentences import mark_name, topic_name

LONGEST_PLACE = 160
NARROWED_BY = ("topic", "mark", "place", "by")
subscribing = Blueprint("subscribing", __name__)


@dataclass(frozen=True)
class Chosen:
    """Which events are asked for, by `?topic=`, `?mark=`, `?place=`, `?by=` (a key id): None, or "", for all."""

    topic: int | None
    place: str
    by: str

    def holds(self, item: Item) -> bool:
        """Whether an event, of that topic, is one of them."""
        here = not self.place or fold(item.place.strip()) == fold(self.place)
        return here and asked_mark() in item.marks and (not self.by or item.author.key_id == self.by)

    def names(self) -> Iterator[str]:
        """What they have in common, as people call it."""
        if self.topic is not None:
            yield topic_name(self.topic)
        if slug := request.args.get("mark"):
            yield mark_name(slug)
        if self.place:
            yield self.place
        if self.by:
            author = board().author(self.by)
            yield author.name if author else abort(404)


def chosen() -> Chosen:
    """The events that this request asks for; a topic or a mark that there is not is not found."""
    asked_mark()
    return Chosen(asked_topic(), request.args.get("place", "")[:LONGEST_PLACE].strip(), request.args.get("by", "")[:16])


@subscribing.get("/subscribe")
@kept
def show() -> str:
    """How a phone's calendar follows them: an address to touch, the same to be typed, and the file to take once."""
    names, asked = [bdi(name) for name in chosen().names()], (request.args.get(name, "").strip() for name in NARROWED_BY)
    topic, mark, place, by = (name[:LONGEST_PLACE] or None for name in asked)
    path = url_for("feeds.calendar", topic=topic, mark=mark, place=place, by=by)
    whole = settings().base_url.rstrip("/") + path
    return render_template("subscribe.html", names=names, path=path, whole=whole,
                           webcal=re.sub("^https?:", "webcal:", whole))

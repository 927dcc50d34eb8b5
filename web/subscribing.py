"""Following the board in a calendar or a feed reader: all of it, a topic, what has a mark, a place, what one key signs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Blueprint, abort, render_template, request, url_for

from node.board.api import TOPICS, Item
from node.model.search_text import fold
from web import safe_text
from web.item_display import bdi
from web.pages import board, kept, settings
from web.public import asked_mark, asked_topic
from web.sentences import mark_name, topic_name

LONGEST_PLACE = 160
NARROWED_BY = ("topic", "mark", "place", "by")
subscribing = Blueprint("subscribing", __name__)


@dataclass(frozen=True)
class Chosen:
    """What is asked for, by `?topic=`, `?mark=`, `?place=`, `?by=` (a key id): None, or "", for all."""

    topic: int | None
    place: str
    by: str

    def holds(self, item: Item) -> bool:
        """Whether an item, of that topic, is one of them."""
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


    def name(self) -> str:
        """What a feed of them is called: the island, and what they have in common."""
        return " – ".join(safe_text.one_line(name) for name in [settings().name, *self.names()])

    def feed_id(self) -> str:
        """The URN of a feed of them: whatever the island's address and name become, and the language that is asked for."""
        asked = {"topic": "" if self.topic is None else TOPICS[self.topic], "mark": request.args.get("mark", ""),
                 "place": fold(self.place), "by": self.by}
        return f"urn:archipel:{board().here().key_id}" + "".join(
            f":{name}:{quote(value, safe='')}" for name, value in asked.items() if value)


def chosen() -> Chosen:
    """What this request asks for; a topic, a mark or a key that there is not is not found."""
    asked_mark()
    asked = Chosen(asked_topic(), request.args.get("place", "")[:LONGEST_PLACE].strip(), request.args.get("by", "")[:16])
    list(asked.names())
    return asked


def narrowed() -> dict[str, Any]:
    """The parts of this request's address that say what is asked for, for another address of the same."""
    asked = {name: request.args.get(name, "").strip()[:LONGEST_PLACE] for name in NARROWED_BY}
    return {name: value or None for name, value in asked.items()}


def whole_path(path: str) -> str:
    """A path of this portal as others need it: with the island's address."""
    return settings().base_url.rstrip("/") + path


@subscribing.get("/subscribe")
@kept
def show() -> str:
    """How a phone's calendar follows them: an address to touch, the same to be typed, and the file to take once."""
    names, asked = [bdi(name) for name in chosen().names()], narrowed()
    path = url_for("feeds.calendar", **asked)
    whole = whole_path(path)
    return render_template("subscribe.html", names=names, path=path, whole=whole, asked=asked,
                           webcal=re.sub("^https?:", "webcal:", whole))

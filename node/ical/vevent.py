"""What the fields of one iCalendar event say, in the words of a draft; what cannot be read is empty."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from node.board.api import LANGUAGES, TOPICS, Draft
from node.board.drafts import LINE_LIMITS, is_link
from node.ical.sanitise import line_of, shortened, text_of
from node.model.marks import Marks
from node.model.record import Kind
from node.model.search_text import fold

EPOCH = datetime(2024, 1, 1)
MAX_TEXT = 1_000  # characters of a description: more costs everybody's air, and the link has the rest
LOCAL = (".lan", ".local", ".localhost", ".home.arpa", ".internal")
MAX_NAME, MAX_CATEGORIES = 80, 40
TOPIC_WORDS = {
    1: "demonstration manifestation manif rassemblement marche protest rally march manifestacion",
    2: "meeting reunion assemblee assembly asamblea ag permanence",
    3: "mutual-aid entraide solidarite apoyo-mutuo", 4: "food cantine repas alimentation amap comida",
    5: "health sante salud", 6: "housing logement vivienda", 7: "work travail syndicat trabajo",
    8: "culture cultura concert cinema theatre projection expo exposition spectacle musique fete",
    9: "children enfants jeunesse ninos", 11: "transport transports transporte velo", 13: "energie energia energy",
}
TOPIC_OF = {word: topic for topic, words in TOPIC_WORDS.items() for word in words.split()} | {
    slug: number for number, slug in TOPICS.items()}
MARK_OF = {"free": Marks.FREE, "step-free": Marks.STEP_FREE, "for-children": Marks.CHILDREN}


def every(event: Mapping[str, Any], name: str) -> list[Any]:
    """The values of a property, as the library gives them."""
    value = event.get(name)
    return value if isinstance(value, list) else [] if value is None else [value]


def first(event: Mapping[str, Any], name: str) -> Any:
    """Its first value, or None."""
    return next(iter(every(event, name)), None)


def words(event: Mapping[str, Any], name: str) -> str:
    """A text, "" if there is none."""
    value = first(event, name)
    return str(value) if isinstance(value, str) else ""


def draft_of(event: Mapping[str, Any], language: int) -> Draft:
    """A draft with all but its moments; `language` is for what does not say in which language it is."""
    organiser, link = _organiser(event), _link(event)
    text = _unrepeated(text_of(words(event, "DESCRIPTION")), (words(event, "COMMENT"), link, organiser))
    return Draft(
        Kind.EVENT, shortened(text, MAX_TEXT), _language(event, language), _topic(event),
        title=line_of(words(event, "SUMMARY"), LINE_LIMITS["title"]),
        place=line_of(words(event, "LOCATION"), LINE_LIMITS["place"]), organiser=organiser, link=link,
        position=_position(event), marks=_marks(event))


def version_of(event: Mapping[str, Any]) -> tuple[int, int]:
    """What grows from version to version: SEQUENCE, and the minute of LAST-MODIFIED."""
    sequence, changed = first(event, "SEQUENCE"), getattr(first(event, "LAST-MODIFIED"), "dt", None)
    minute = (changed.replace(tzinfo=None) - EPOCH) // timedelta(minutes=1) if isinstance(changed, datetime) else 0
    return (int(sequence) if isinstance(sequence, int) else 0), max(minute, 0)


def unescaped(value: str) -> str:
    """A calendar's name, as it stands in its line."""
    return line_of(re.sub(r"\\([,;\\nN])", lambda found: " " if found[1] in "nN" else found[1], value), MAX_NAME)


def site_of(address: str) -> str:
    """The site of a web address, which may be shown: what follows may hold somebody's secret. "" for no address."""
    parts = urlsplit(address) if is_link(address) else None
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/" if parts else ""


def _organiser(event: Mapping[str, Any]) -> str:
    """Its name; an address alone is somebody's own affair."""
    named = words(event, "CONTACT") or str(getattr(first(event, "ORGANIZER"), "params", {}).get("CN", ""))
    return line_of("" if re.search(r"\S@\S", named) else named, LINE_LIMITS["organiser"])


def _link(event: Mapping[str, Any]) -> str:
    """Its own link, as our agendas give it, or the address of its page."""
    given = (words(event, name).strip() for name in ("LINK", "URL"))
    return next((link for link in given if len(link) <= LINE_LIMITS["link"] and _leads_there(link)), "")


def _leads_there(link: str) -> bool:
    """Whether it leads there from everywhere: every island calls itself archipel.lan, or by a number of its network."""
    host = (urlsplit(link).hostname or "") if is_link(link) and link.isprintable() else ""
    return "." in host and not host.endswith(LOCAL) and not host.replace(".", "").isdigit() and ":" not in host


def _position(event: Mapping[str, Any]) -> tuple[float, float] | None:
    """Where it is; what no map has, and the point where programs put what they do not know, is nowhere."""
    geo = first(event, "GEO")
    try:
        latitude, longitude = float(geo.latitude), float(geo.longitude)
    except (AttributeError, TypeError, ValueError):
        return None
    known = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return (latitude, longitude) if known else None


def _topic(event: Mapping[str, Any]) -> int:
    """The one topic that its categories name; 0 for none or several."""
    named = {TOPIC_OF[word] for word in _categories(event) if word in TOPIC_OF}
    return named.pop() if len(named) == 1 else 0


def _marks(event: Mapping[str, Any]) -> Marks:
    """The marks that its categories name, as our agendas do."""
    return Marks(sum(MARK_OF[word] for word in set(_categories(event)) if word in MARK_OF))


def _categories(event: Mapping[str, Any]) -> list[str]:
    given = [str(one)[:40] for several in every(event, "CATEGORIES") for one in getattr(several, "cats", ())]
    return [fold(one).strip() for one in given[:MAX_CATEGORIES]]


def _language(event: Mapping[str, Any], otherwise: int) -> int:
    tag = str(getattr(first(event, "SUMMARY"), "params", {}).get("LANGUAGE", ""))[:2].lower()
    return next((number for number, known in LANGUAGES.items() if known == tag), otherwise)


def _unrepeated(text: str, said: tuple[str, ...]) -> str:
    """Without the last paragraphs, where they only say again what the event has a field for."""
    for one in said:
        if one and (text == one or text.endswith("\n\n" + one)):
            text = text[:-len(one)].rstrip("\n")
    return text

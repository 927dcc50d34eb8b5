"""What the fields of one iCalendar event say, in the words of a draft; what cannot be read is empty."""

import re
from contextlib import suppress
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from node.board.api import LANGUAGES, TOPICS, Draft
from node.board.drafts import LINE_LIMITS, is_link
from node.ical.contentlines import Component, listed
from node.ical.sanitise import line_of, shortened, text_of
from node.ical.values import EPOCH
from node.model.foreign import MAX_SEQUENCE
from node.model.marks import Marks
from node.model.record import Kind
from node.model.search_text import fold

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
VERSION = "X-ARCHIPEL-VERSION"  # of our own agendas: which version of a foreign event it is
MARK_OF = {"free": Marks.FREE, "step-free": Marks.STEP_FREE, "for-children": Marks.CHILDREN}


def draft_of(event: Component, language: int) -> Draft:
    """A draft with all but its moments; `language` is for what does not say in which language it is."""
    organiser, link = _organiser(event), _link(event)
    said = (event.text("X-ARCHIPEL-SOURCE"), event.text("X-ARCHIPEL-CONFIRMED"), event.text("COMMENT"), link, organiser)
    text = _unrepeated(text_of(event.text("DESCRIPTION")), said)
    return Draft(
        Kind.EVENT, shortened(text, MAX_TEXT), _language(event, language), _topic(event),
        title=line_of(event.text("SUMMARY"), LINE_LIMITS["title"]),
        place=line_of(event.text("LOCATION"), LINE_LIMITS["place"]), organiser=organiser, link=link,
        position=_position(event), marks=_marks(event))


def version_of(event: Component) -> tuple[int, int]:
    """What grows from version to version: SEQUENCE, the minute of LAST-MODIFIED, or of DTSTAMP if that is all there is.

    An island tells both in one of what it has taken over itself.
    """
    sequence, _, stamp = event.text(VERSION).partition(" ")
    if not stamp:
        sequence = event.first("SEQUENCE").value.strip()
    told = int(sequence) if re.fullmatch(r"[0-9]{1,6}", sequence) else 0
    stamps = [stamp] if stamp else [event.first(name).value for name in ("LAST-MODIFIED", "DTSTAMP")]
    return min(told, MAX_SEQUENCE), next(filter(None, map(_minute, stamps)), 0)


def _minute(stamp: str) -> int:
    """The minute of a moment in UTC, 0 if it says none or one before 2024."""
    found = re.match(r"\d{8}T\d{4}", stamp.strip(), re.ASCII)
    with suppress(ValueError):
        return max((datetime.strptime(found[0], "%Y%m%dT%H%M") - EPOCH) // timedelta(minutes=1), 0) if found else 0
    return 0


def _organiser(event: Component) -> str:
    """Its name; an address alone is somebody's own affair."""
    named = event.text("CONTACT") or event.first("ORGANIZER").params.get("CN", "")
    return line_of("" if re.search(r"\S@\S", named) else named, LINE_LIMITS["organiser"])


def _link(event: Component) -> str:
    """Its own link, as our agendas give it, or the address of its page."""
    given = (event.first(name).value.strip() for name in ("LINK", "URL"))
    return next((link for link in given if len(link) <= LINE_LIMITS["link"] and _leads_there(link)), "")


def _leads_there(link: str) -> bool:
    """Whether it leads there from everywhere: every island calls itself archipel.lan, or by a number of its network."""
    host = (urlsplit(link).hostname or "") if is_link(link) and link.isprintable() else ""
    return "." in host and not host.endswith(LOCAL) and not host.replace(".", "").isdigit() and ":" not in host


def _position(event: Component) -> tuple[float, float] | None:
    """Where it is; what no map has, and the point where programs put what they do not know, is nowhere."""
    try:
        latitude, longitude = (float(part) for part in event.text("GEO").split(";"))
    except ValueError:
        return None
    known = abs(latitude) <= 90 and abs(longitude) <= 180 and (latitude, longitude) != (0, 0)
    return (latitude, longitude) if known else None


def _topic(event: Component) -> int:
    """The one topic that its categories name; 0 for none or several."""
    named = {TOPIC_OF[word] for word in _categories(event) if word in TOPIC_OF}
    return named.pop() if len(named) == 1 else 0


def _marks(event: Component) -> Marks:
    """The marks that its categories name, as our agendas do."""
    return Marks(sum(MARK_OF[word] for word in set(_categories(event)) if word in MARK_OF))


def _categories(event: Component) -> list[str]:
    given = [one[:40] for line in event.all("CATEGORIES") for one in listed(line.value[:MAX_CATEGORIES * 40])]
    return [fold(one).strip() for one in given[:MAX_CATEGORIES]]


def _language(event: Component, otherwise: int) -> int:
    tag = event.first("SUMMARY").params.get("LANGUAGE", "")[:2].lower()
    return next((number for number, known in LANGUAGES.items() if known == tag), otherwise)


def _unrepeated(text: str, said: tuple[str, ...]) -> str:
    """Without the last paragraphs, where they only say again what the event has a field for."""
    for one in said:
        if one and (text == one or text.endswith("\n\n" + one)):
            text = text[:-len(one)].rstrip("\n")
    return text

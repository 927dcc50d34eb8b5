"""Alerts in the Common Alerting Protocol (OASIS CAP 1.2, and 1.1), as posts that name their issuer.

Only what is meant for everybody is taken: status Actual, scope Public. Of several `info` the one in the island's language.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

from node.board.alerts import CATEGORIES, CERTAINTIES, MAX_PART, REFERENCE, SEVERITIES, URGENCIES, Alert
from node.board.api import LANGUAGES, Draft
from node.board.drafts import is_readable
from node.board.gathering import km_between
from node.gather.post_taker import GatheredPost, key_of
from node.ical.sanitise import line_of, shortened, text_of
from node.model.clock import EPOCH_S
from node.model.errors import RemoteFault
from node.model.record import Kind

NAMESPACES = {f"urn:oasis:names:tc:emergency:cap:{version}" for version in ("1.1", "1.2")}
MAX_ALERTS, MAX_REFERENCES = 50, 20
MAX_TEXT = 700  # characters: some 300 octets, 10 s of air; the issuer's page has the rest
MAX_POINTS = 500
LASTS_MIN = 24 * 60  # an alert that does not say until when
DANGER = 12
Point = tuple[float, float]


@dataclass(frozen=True)
class ToldAlert:
    """An alert as it was read. `references`: all that it replaces; `shapes`, `circles` (with
    kilometres): its area, as closed lines and points (latitude, longitude)."""

    alert: Alert
    text: str
    language: str
    references: tuple[str, ...] = ()
    shapes: tuple[tuple[Point, ...], ...] = ()
    circles: tuple[tuple[Point, float], ...] = ()


def alerts_in(text: str, language: int) -> list[ToldAlert]:
    """The alerts in a document: one, or several in an envelope; raises RemoteFault (`source-mark`)."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        raise RemoteFault("source-mark") from error
    found = [one for one in root.iter() if _is_alert(one)][:MAX_ALERTS]
    if not found:
        raise RemoteFault("source-mark")
    return [told for one in found if (told := _told(one, LANGUAGES.get(language, "")))]


def posts_of_alerts(told: list[ToldAlert], here: Point | None, may_be_urgent: bool) -> tuple[GatheredPost, ...]:
    """As posts of an island at `here`, the most severe first; urgent where the island may mark them so."""
    replaced = {reference for one in told for reference in one.references}
    standing = [one for one in told if one.alert.reference not in replaced]
    standing.sort(key=lambda one: SEVERITIES.index(one.alert.severity))
    return tuple(_post(one, here, may_be_urgent) for one in standing)


def _post(one: ToldAlert, here: Point | None, may_be_urgent: bool) -> GatheredPost:
    number = next((number for number, tag in LANGUAGES.items() if tag == one.language), 0)
    draft = Draft(Kind.BULLETIN, one.text, number, DANGER, 1, may_be_urgent, position=_nearest(one, here), alert=one.alert)
    return GatheredPost(key_of(one.alert.reference), draft, one.alert.expires, tuple(map(key_of, one.references)),
                        one.alert.codes[0] == "Cancel")


def _is_alert(element: Element) -> bool:
    namespace, _, name = str(element.tag).rpartition("}")
    return name == "alert" and namespace.removeprefix("{") in NAMESPACES


def _told(alert: Element, language: str) -> ToldAlert | None:
    """An alert for everybody, whole enough to be passed on; else None."""
    kind = _text(alert, "msgType")
    if _text(alert, "status") != "Actual" or _text(alert, "scope") != "Public" or kind not in ("Alert", "Update", "Cancel"):
        return None
    infos = list(_children(alert, "info"))
    info = next((one for one in infos if _text(one, "language")[:2].lower() == language), infos[0] if infos else alert)
    sent, references = _minute(_text(alert, "sent")), tuple(_text(alert, "references").split()[:MAX_REFERENCES])
    if sent is None:
        return None
    named = Alert(
        line_of(_text(info, "senderName") or _text(alert, "sender"), MAX_PART), _text(alert, "sender"),
        _text(alert, "identifier"), _text(alert, "sent"),
        (kind, _one_of(CATEGORIES, _text(info, "category")), _one_of(URGENCIES, _text(info, "urgency")),
         _one_of(SEVERITIES, _text(info, "severity")), _one_of(CERTAINTIES, _text(info, "certainty"))),
        _minute(_text(info, "expires")) or sent + LASTS_MIN, line_of(_text(info, "event") or kind, MAX_PART),
        line_of(", ".join(_text(area, "areaDesc") for area in _children(info, "area")), MAX_PART),
        next((one for one in reversed(references) if REFERENCE.fullmatch(one) and is_readable(one)), ""))
    if not (named.is_sound() and all(map(is_readable, named.parts))):
        return None
    return ToldAlert(named, _words(named, info), _text(info, "language")[:2].lower() or language, references,
                     tuple(_shapes(info)), tuple(_circles(info)))


def _words(alert: Alert, info: Element) -> str:
    """What people read: whose it is comes first, wherever it is shown."""
    headline = line_of(_text(info, "headline") or alert.event, MAX_PART)
    more = [text_of(_text(info, name)) for name in ("description", "instruction")]
    body = shortened("\n\n".join(part for part in more if part), MAX_TEXT)
    return "\n\n".join(part for part in (f"{alert.issuer}: {headline}", body) if part)


def _children(element: Element, name: str) -> Iterator[Element]:
    return (child for child in element if str(child.tag).rpartition("}")[2] == name)


def _text(element: Element, name: str) -> str:
    found = next(_children(element, name), None)
    return (found.text or "").strip()[:10_000] if found is not None else ""


def _one_of(words: tuple[str, ...], told: str) -> str:
    return told if told in words else words[-1]


def _minute(told: str) -> int | None:
    try:
        moment = datetime.fromisoformat(told)
        return (int(moment.timestamp()) - EPOCH_S) // 60 if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


# where

def _nearest(one: ToldAlert, here: Point | None) -> Point | None:
    """The point of its area that is nearest to the island: the island's own inside; None if it tells no area in numbers."""
    if here is None:
        return None
    inside = any(km_between(here, centre) <= km for centre, km in one.circles) or any(
        _holds(shape, here) for shape in one.shapes)
    points = [here] if inside else [point for shape in one.shapes for point in shape] + [point for point, _ in one.circles]
    return min(points, key=lambda point: km_between(here, point), default=None)


def _holds(shape: tuple[Point, ...], here: Point) -> bool:
    """Whether a closed line goes around a point (even-odd rule)."""
    north, east = here
    crossed = False
    for (north1, east1), (north2, east2) in pairwise(shape):
        if (north1 > north) != (north2 > north):
            crossed ^= east < (east2 - east1) * (north - north1) / (north2 - north1) + east1
    return crossed


def _shapes(info: Element) -> Iterator[tuple[Point, ...]]:
    for area in _children(info, "area"):
        for polygon in _children(area, "polygon"):
            points = [point for pair in (polygon.text or "").split()[:MAX_POINTS] if (point := _point(pair))]
            if len(points) > 2:
                yield tuple(points)


def _circles(info: Element) -> Iterator[tuple[Point, float]]:
    for area in _children(info, "area"):
        for circle in _children(area, "circle"):
            told: list[Any] = (circle.text or "").split()
            if len(told) == 2 and (point := _point(told[0])) and re.fullmatch(r"\d{1,5}(\.\d{1,6})?", told[1]):
                yield point, float(told[1])


def _point(pair: str) -> Point | None:
    told = re.fullmatch(r"([-+]?\d{1,2}(?:\.\d{1,9})?),([-+]?\d{1,3}(?:\.\d{1,9})?)", pair)
    return (float(told[1]), float(told[2])) if told and abs(float(told[1])) <= 90 and abs(float(told[2])) <= 180 else None

"""Agendas, news and alerts of others that this island asks by itself: a keeper approves each once, and says what may come.

What is kept of a source is here; `node.daemon.source_gatherer` asks them. The addresses of `PRESETS` are those under which
the sites of each program give an iCalendar file.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from math import asin, cos, radians, sin, sqrt
from typing import Protocol
from urllib.parse import quote

from node.board.api import Draft, ImportSummary
from node.board.reasons import LeftOut
from node.i18n.sentence import Explained, Sentence
from node.model.event import DAY_MIN
from node.model.record import Kind
from node.model.search_text import fold

MAX_GATHERED = 20  # sources; at six hours each that is a question in 18 minutes
MAX_WORDS, MAX_WORD = 30, 60
MAX_DAYS, MAX_RECORDS, MAX_AIR_S, MAX_KM = 400, 50, 3_600, 1_000
EARTH_KM = 6_371.0
SITE = re.compile(r"[\w.-]{1,200}(?::\d{1,5})?")


class Preset(StrEnum):
    """What kind of site a source is; `ADDRESS`: any, by its whole address."""

    ADDRESS = "address"
    MOBILIZON = "mobilizon"
    MOBILIZON_GROUP = "mobilizon-group"
    GANCIO = "gancio"
    DEMOSPHERE = "demosphere"
    AGENDA_DU_LIBRE = "agenda-du-libre"
    RADAR = "radar"


@dataclass(frozen=True)
class GatherTerms:
    """What of a source may come. Empty or 0: whatever it is.

    `topics`: numbers; `words`: one of them stands in an event, and none of those that begin with "-"; `places`: one of them
    stands in its place; `km`: so far from this island; `days`: so far ahead. `records` and `air_s` (seconds of air) bound
    what it may bring in a day.
    """

    topics: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    km: int = 0
    days: int = 60
    records: int = 15
    air_s: int = 120

    def leaves_out(self, draft: Draft, now: int, here: tuple[float, float] | None) -> LeftOut | None:
        """Why an event, or news, does not come at minute `now`; `here`: the island's latitude and longitude."""
        if self.topics and draft.topic not in self.topics:
            return LeftOut.TOPIC
        if not self._says(draft):
            return LeftOut.WORDS
        where = fold(draft.place if draft.kind is Kind.EVENT else f"{draft.text} {draft.alert.area if draft.alert else ''}")
        if self.places and not any(fold(place) in where for place in self.places):
            return LeftOut.PLACE
        if self.km and here and draft.position is None and draft.kind is Kind.EVENT:
            return LeftOut.NO_POSITION
        if self.km and here and draft.position and km_between(here, draft.position) > self.km:
            return LeftOut.FAR
        if draft.alert and draft.alert.severity == "Minor":
            return LeftOut.MINOR
        return LeftOut.DAYS if self.days and draft.start and draft.start > now + self.days * DAY_MIN else None

    def _says(self, draft: Draft) -> bool:
        said = fold(" ".join((draft.title, draft.text, draft.place, draft.organiser)))
        wanted = [fold(word) for word in self.words if not word.startswith("-")]
        unwanted = [fold(word[1:]) for word in self.words if word.startswith("-")]
        return (not wanted or any(word in said for word in wanted)) and not any(word in said for word in unwanted if word)


@dataclass(frozen=True)
class GatheredSource:
    """A source that `keeper` approved at minute `since`. `name`: what it calls itself; `asked`: the minute it answered
    last, 0 if it never did. On `day` (of UTC, since 2024) it has brought `records` that take `air_s` seconds of air.
    `alerts`: it gave some, and is asked often."""

    address: str
    name: str = ""
    terms: GatherTerms = field(default_factory=GatherTerms)
    keeper: str = ""
    since: int = 0
    paused: bool = False
    asked: int = 0
    day: int = 0
    records: int = 0
    air_s: float = 0.0
    alerts: bool = False

    @property
    def id(self) -> str:
        """8 digits that name it."""
        return source_id(self.address)


@dataclass(frozen=True)
class SourceView:
    """A source as keepers see it: `asking` now; `said`: how it went the last time since this start, None if it was not
    asked; `wait_min`: in how many minutes it is asked next, None if nobody knows."""

    source: GatheredSource
    asking: bool = False
    said: Sentence | None = None
    wait_min: int | None = None


@dataclass(frozen=True)
class SourceLook:
    """What a source would bring now; `id` names it for `Gathering.approve`."""

    id: str
    source: GatheredSource
    summary: ImportSummary


class GatherRefused(Explained):
    """It cannot be gathered; the sentence says why."""


class Gathering(Protocol):
    """What the desk and the command line ask; safe from any thread but the runner's."""

    def sources(self) -> list[SourceView]:
        """Those that were approved."""

    def look(self, address: str, terms: GatherTerms) -> SourceLook:
        """Ask it now, for some seconds; nothing is posted or kept. Raises GatherRefused."""

    def approve(self, look_id: str, keeper: str) -> ImportSummary:
        """Ask it by itself from now on, and take over what `look` has shown; raises GatherRefused, BoardClosed."""

    def pause(self, source_id: str, paused: bool, keeper: str) -> None:
        """Ask it no more for now, or again."""

    def forget(self, source_id: str, keeper: str, why: str = "") -> None:
        """Ask it no more; what it brought stays."""

    def ask_now(self) -> None:
        """Ask all of them soon, whatever their hour is."""


def source_id(address: str) -> str:
    """8 digits that name a source by its address."""
    return blake2b(address.encode("utf-8", "replace"), digest_size=4).hexdigest()


def km_between(here: tuple[float, float], there: tuple[float, float]) -> float:
    """Kilometres between two points (latitude, longitude), by the haversine formula."""
    (north, east), (north2, east2) = (tuple(map(radians, point)) for point in (here, there))
    half = sin((north2 - north) / 2) ** 2 + cos(north) * cos(north2) * sin((east2 - east) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))


def address_of(preset: Preset, typed: str) -> str:
    """The address of what a keeper typed for a kind of site, "" if it cannot be meant. A whole address of a file or feed
    stands as it is."""
    typed = typed.strip()
    if preset is Preset.ADDRESS or re.search(r"\.(ics|ical)\b|/feed/|/ical/", typed):
        return _whole(typed)
    return PRESETS[preset](typed)


def _whole(typed: str) -> str:
    return typed if re.match(r"(https?|webcal)://", typed, re.I) else f"https://{typed}" if "." in typed else ""


def _site(typed: str, under: str) -> str:
    """The address `under` the site that was typed, with or without https:// and a path."""
    named = re.match(r"(?:https?://|webcal://)?([^/?#]*)", typed, re.I)
    scheme = "http" if typed[:7].lower() == "http://" else "https"
    return f"{scheme}://{named[1]}{under}" if named and SITE.fullmatch(named[1]) and "." in named[1] else ""


def _mobilizon_group(typed: str) -> str:
    """`@name@site`, or the address of the group's page."""
    named = re.fullmatch(r"@?([\w.-]+)@([\w.-]+\.\w+(?::\d+)?)", typed) or re.fullmatch(
        r"https?://([^/@]+)/@([\w.-]+).*", typed)
    if not named:
        return ""
    name, site = named.groups() if "://" not in typed else named.groups()[::-1]
    return _site(site if "://" not in typed else typed, f"/@{name}/feed/ics")


def _demosphere(typed: str) -> str:
    """`paris`, or the address of a site."""
    return _site(typed if "." in typed else f"{fold(typed)}.demosphere.net", "/events.ics")


def _agenda_du_libre(typed: str) -> str:
    """A town, for 30 km around it; nothing: the whole country."""
    near = f"?near%5Blocation%5D={quote(typed)}&near%5Bdistance%5D=30" if typed else ""
    return f"https://www.agendadulibre.org/events.ics{near}"


def _radar(typed: str) -> str:
    """The number of a group, or an address that ends with it."""
    number = re.search(r"(\d{1,9})/?$", typed)
    return f"https://radar.squat.net/ical/node/{number[1]}" if number else ""


PRESETS: Mapping[Preset, Callable[[str], str]] = {
    Preset.MOBILIZON: lambda typed: _site(typed, "/feed/instance/ics"),
    Preset.MOBILIZON_GROUP: _mobilizon_group,
    Preset.GANCIO: lambda typed: _site(typed, "/feed/ics"),
    Preset.DEMOSPHERE: _demosphere,
    Preset.AGENDA_DU_LIBRE: _agenda_du_libre,
    Preset.RADAR: _radar,
}

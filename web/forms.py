"""What people type, and the draft it makes. Whatever cannot be read becomes a sentence, never an error."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time

from node.board.api import LANGUAGES, Draft, Item, Problem
from node.board.reasons import ProblemCode
from node.board.typed_moments import TypedMoment, moment_typed
from node.model.clock import MAX_MINUTE
from node.model.record import Kind
from web import dates
from web.portal_settings import WebSettings
from web.sentences import SLUGS
from web.typed_events import ALSO_ON, TypedTimes, as_typed

KINDS = {"bulletin": Kind.BULLETIN, "event": Kind.EVENT, "reply": Kind.REPLY}
FIELDS = (
    "kind", "text", "title", "place", "organiser", "link", "topic", "language", "life_days", "start_date", "start_time",
    "end_date", "end_time", "position", "urgent", "publish_date", "publish_time", "group", "passphrase", "target", "word",
    "reason", "why", "seen", "own_code", "since_date", "since_time", "until_date", "until_time", "whole_day", "repeat",
    "repeat_until", "repeat_times", "off", "moved", *ALSO_ON,
)
NUMBER = r"([+-]?\d{1,3}(?:\.\d+)?)"
POSITION = re.compile(rf"{NUMBER}[,;\s]\s*{NUMBER}")
DEFAULT_LIFE_DAYS = "14"
ANY_DAYS = date(2024, 1, 1), date(2044, 7, 6)  # of different years, months, days of the week


@dataclass
class Typed:
    """A form as it came: every field a string, and the draft that it makes if it has no `problems`.

    `seen` is the id of the version that its author corrects.
    """

    fields: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    overtaken: Item | None = None  # what stands now in the place of what was corrected

    def __getattr__(self, name: str) -> str:
        if name in FIELDS:
            return self.fields.get(name, "")
        raise AttributeError(name)

    @property
    def kind_number(self) -> Kind:
        """What is being written; a bulletin unless said otherwise."""
        return KINDS.get(self.kind, Kind.BULLETIN)

    def of(self, name: str) -> list[Problem]:
        """The problems of one field."""
        return [problem for problem in self.problems if problem.field == name]


def typed(form: Mapping[str, str]) -> Typed:
    """The known fields of a form, with one kind of newline."""
    return Typed({name: form[name].replace("\r\n", "\n").replace("\r", "\n") for name in FIELDS if name in form})


def typed_of(item: Item) -> Typed:
    """An item as its author typed it, ready to be corrected."""
    fields = {name: getattr(item, name) for name in ("text", "title", "place", "organiser", "link")}
    fields |= {"kind": item.kind.name.lower(), "topic": str(item.topic), "language": LANGUAGES.get(item.language, "")}
    fields["seen"] = item.id
    if item.target and item.kind is Kind.REPLY:
        fields["target"] = item.target
    if item.urgent:
        fields["urgent"] = "1"
    if item.position:
        fields["position"] = "{:.5f}, {:.5f}".format(*item.position)
    if item.start is not None:
        fields |= as_typed(item)
    else:
        fields["life_days"] = str(max(1, -(-(item.expires - item.created) // 1440)))
    return Typed(fields)


def typed_again(item: Item) -> Typed:
    """An event as it was typed, to be announced for other days."""
    kept = typed_of(item).fields
    return Typed({name: value for name, value in kept.items() if name not in (
        "start_date", "end_date", "repeat_until", "off", "moved", "urgent", "seen")})


def draft_of(what: Typed, settings: WebSettings, now: int) -> Draft:
    """The draft that is meant at minute `now`; what could not be read is added to `what.problems`."""
    times = TypedTimes(what.fields, settings.zone, now, what.problems)
    draft = Draft(
        what.kind_number, what.text.strip(), _language(what), _topic(what), urgent=bool(what.urgent),
        target=what.target or None, own_code=what.own_code, publish_at=times.moment("publish", "publish_at"))
    if what.kind_number is not Kind.EVENT:
        return replace(draft, life_days=_days(what))
    draft = replace(draft, title=what.title.strip(), place=what.place.strip(), organiser=what.organiser.strip(),
                    link=what.link.strip(), position=_position(what))
    event = times.event()
    if event is None:
        return draft
    return replace(draft, start=event.start, end=event.end if event.length else None, offset=event.offset,
                   whole_days=event.whole_days, shifts=event.shifts, repetition=event.repetition)


def _language(what: Typed) -> int:
    return next((number for number, tag in LANGUAGES.items() if tag == what.language), 0)


def _topic(what: Typed) -> int:
    if what.topic in SLUGS:
        return SLUGS[what.topic]
    return int(what.topic) if re.fullmatch(r"\d{1,2}", what.topic, re.ASCII) else 0


def _days(what: Typed) -> int:
    asked = (what.life_days or DEFAULT_LIFE_DAYS).strip()
    if not re.fullmatch(r"\d{1,4}", asked, re.ASCII):
        what.problems.append(Problem("life_days", ProblemCode.LIFE, 90))
        return 1
    return int(asked)


def moment_of(what: Typed, name: str, settings: WebSettings, fallback_day: str = "") -> int | None:
    """The minute that a keeper typed in two fields, the day with its year; None when both are empty, or not read. A time
    alone is on `fallback_day`."""
    day_text, time_text = getattr(what, f"{name}_date").strip(), getattr(what, f"{name}_time").strip()
    if time_text and not day_text:
        day_text = fallback_day
    if not day_text and not time_text:
        return None
    try:
        at = dates.minute(datetime.combine(_dated(day_text), _clock(time_text)), settings.zone)
    except (ValueError, OverflowError):
        what.problems.append(Problem(name, ProblemCode.MOMENT))
        return None
    if not 0 <= at <= MAX_MINUTE:
        what.problems.append(Problem(name, ProblemCode.PAST if at < 0 else ProblemCode.TOO_FAR, 400))
        return None
    return at


def _dated(text: str) -> date:
    """A day that is the same whatever day it is today: a keeper's may be past, or set a clock that is wrong."""
    (said,) = {moment_typed(text, today) for today in ANY_DAYS}  # a ValueError if they are two
    if said.day is None or said != TypedMoment(said.day):
        raise ValueError("not a day")
    return said.day


def _clock(text: str) -> time:
    said = moment_typed(text, ANY_DAYS[0], clock=True)
    if said.hour is None or said != TypedMoment(hour=said.hour):
        raise ValueError("not a time")
    return said.hour


def clock_of(text: str) -> int | None:
    """The minute of the day that was typed, as 22:00 or 22h; None if it is none."""
    try:
        said = _clock(text)
    except ValueError:
        return None
    return said.hour * 60 + said.minute


def _position(what: Typed) -> tuple[float, float] | None:
    position = place_of(what.position)
    if position is None and what.position.strip():
        what.problems.append(Problem("position", ProblemCode.POSITION))
    return position


def place_of(text: str) -> tuple[float, float] | None:
    """The (latitude, longitude) that was typed; None if it is none."""
    found = POSITION.fullmatch(text.strip())
    if not found or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        return None
    return float(found[1]), float(found[2])

"""What templates ask about an item: its address, its days and hours, what to call it."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request, url_for
from markupsafe import Markup

from node.board.api import LANGUAGES, TOPICS, Announced, Author, Draft, Item
from node.board.confirmed import confirmed_words, is_unconfirmed
from node.board.spans import rhythm_of, span_of, span_on
from node.model.event import occasions
from node.model.marks import EVENT_MARKS
from node.model.record import TARGET_BYTES, Kind
from web import dates, safe_text, sentences
from web.hearsay import hearsay, named
from web.languages import Language, current, dotted, language, listed
from web.languages import gettext as _
from web.languages import said as worded_here
from web.pages import board, published, settings
from web.sentences import mark_slugs

DAY_MIN = 1440
MOST_NAMED = 6  # islands that confirm a post: the others are in the number
SHOWN_DIGITS = 12  # of an id in an address: a clash among 10,000 records has a chance of 2e-7


def address(item: Item, **more: Any) -> str:
    """The path of an item's page."""
    return url_for("public.item", item_id=digits(item), **more)


def digits(item: Item) -> str:
    """What names an item in addresses: the same through all its corrections, while it is on the board."""
    return (item.first if item.first and item.expires > board().now() else item.id)[:SHOWN_DIGITS]


def is_changed_here(author: Author) -> bool:
    """Whether what this author signed is corrected and withdrawn on this island: its own, or a group's that signs here."""
    return author.here or (author.group and author.name in board().groups())


def names_a_group(item: Item) -> bool:
    """Whether its typed organiser is the name of a group that signs, which has not signed this."""
    return not (item.author.group and item.author.name == item.organiser) and board().is_group(item.organiser)


def whole_address(item: Item) -> str:
    """An item's address as other devices and paper need it."""
    return f"{settings().base_url.rstrip('/')}/r/{digits(item)}"


def uid(item: Item) -> str:
    """The name of an event through all its corrections, for other programs; of a foreign one, by whichever island it is."""
    foreign = item.event.foreign if item.event else None
    return foreign.key.hex() if foreign else (item.first or item.id)[:16]


def root_digits(item: Item) -> str:
    """What names an item through all its corrections, on the keepers' pages."""
    return (item.first or item.id)[:2 * TARGET_BYTES]


def caption(item: Item) -> str:
    """An event's title, or the first line of any other text."""
    return safe_text.shortened(safe_text.one_line(item.title), 120) if item.title else safe_text.headline(item.text)


def tag_of(item: Item) -> str:
    """The BCP 47 tag of the language it is written in, "" if unknown."""
    return LANGUAGES.get(item.language, "")


def text_languages() -> list[Language]:
    """The languages a record can say it is written in."""
    return [language(tag) for tag in LANGUAGES.values()]


def starts(item: Item | Announced) -> datetime:
    """What clocks show there when it starts."""
    return span_of(item).first


def when(item: Item | Draft, under: date | None = None, paper: bool = False) -> str:
    """When an event is, in words: with its day, unless that is the day above it (`under`). `paper` knows no today."""
    named = not (paper or published()) and board().status().host.clock.told
    said = current().when(span_of(item), today(), under, named=named)
    return said if under else safe_text.titled(said)


def column(item: Item, day: date | None) -> tuple[str, str, str]:
    """What stands in the column of a list's row, in two lines, and what is told of its time beside the place.

    `day` is the day above it; without one the column tells it.
    """
    span, said = span_of(item), current()
    begin = "" if span.whole_days else said.time(span.first)
    until = _("until %(day)s") % {"day": said.day(span.last_day)} if span.last_day > (day or span.first_day) else ""
    if day is None:
        return said.short_day(span.first_day, today()), begin, until
    if span.last_day == span.first_day:
        over = "" if span.whole_days or span.first == span.last else f"– {said.time(span.last)}"
        return begin or _("all day"), over, ""
    if day == span.first_day or until:
        return begin if day == span.first_day else "", "", until
    return ("", "", _("last day")) if span.whole_days else ("", _("until %(time)s") % {"time": said.time(span.last)}, "")


def offered(typed: str = "") -> dict[int, str]:
    """The topics that are offered here, in the keepers' order, and the one that was typed (by number or slug); what has no
    name of its own comes last."""
    also = [number for number, slug in TOPICS.items() if typed in (slug, str(number))]
    return {number: TOPICS[number] for number in sorted((*board().topics(), *also), key=lambda number: not number)}


def iso(minute: int, offset: int) -> str:
    """A moment for machines, with its offset (RFC 3339)."""
    sign, quarters = "-" if offset < 0 else "+", abs(offset)
    shown = dates.local(minute, offset).isoformat(timespec="minutes")
    return f"{shown}{sign}{quarters // 4:02}:{quarters % 4 * 15:02}"


def written_span(item: Item) -> tuple[str, str]:
    """The start and the end of an event for machines; whole days as days, the end that after the last one (as RFC 5545 has
    it). The end is "" where the start says it all."""
    span = span_of(item)
    if item.whole_days:
        several = span.last_day > span.first_day
        return span.first_day.isoformat(), (span.last_day + timedelta(1)).isoformat() if several else ""
    start, end = item.start or 0, item.end or 0
    return iso(start, item.offset), iso(end, item.end_offset) if end > start else ""


def confirmed_as_text(item: Item) -> str:
    """Whether other islands confirm what is urgent; "" for what nobody is asked to confirm."""
    told = confirmed_words(item)
    return worded_here(told) if told else ""


def confirming(item: Item) -> list[Markup]:
    """The names of the islands that confirm it."""
    return [bdi(author.name) for author in item.confirmed.by[:MOST_NAMED]] if item.confirmed else []


def status_word(item: Item) -> str:
    """Whether an event takes place, as RFC 5545 calls it."""
    return "CANCELLED" if item.cancelled is not None else "TENTATIVE" if item.tentative else "CONFIRMED"


def for_programs(item: Item) -> list[tuple[str, str]]:
    """What the page of an event says to programs alone, by the class names of microformats2 (h-event)."""
    told = [("p-uid", f"{uid(item)}@archipel"), ("dt-updated", iso(item.changed, 0)), ("p-status", status_word(item)),
            *((("u-url", item.link),) if item.link else ())]
    told += [] if published() else [("u-url", whole_address(item))]  # a copy stands at an address that nobody knows
    told += [("p-category", slug) for slug in categories(item) if slug != TOPICS[0]]
    if item.position:
        told += zip(("p-latitude", "p-longitude"), (f"{angle:.6f}" for angle in item.position), strict=True)
    return told


def categories(item: Item) -> list[str]:
    """Its topic and its marks, as programs know them."""
    return [TOPICS.get(item.topic, TOPICS[0]), *mark_slugs(item.marks)]


def day_here(minute: int) -> date:
    """The day of a minute, here."""
    return dates.here(minute, settings().zone).date()


def today() -> date:
    """Today, here."""
    return day_here(board().now())


def dated(minute: int) -> str:
    """`21 March 2026`, here."""
    return current().dated(day_here(minute))


def relative_day(day: date) -> str:
    """`Today, Monday 30 November`; the day's name alone while nobody vouches for what day it is."""
    return safe_text.titled(current().named_day(day, today(), not published() and board().status().host.clock.told))


def ago_or_date(minute: int) -> str:
    """`12 minutes ago`, and from a day on `on 21 March 2026`."""
    age = board().now() - minute
    return current().ago(age) if age < DAY_MIN and not published() else _("on %(day)s") % {"day": dated(minute)}


def clock_at(minute: int) -> datetime:
    """What clocks show here at a minute."""
    return dates.here(minute, settings().zone)


def clock_here() -> datetime:
    """What clocks show here now."""
    return clock_at(board().now())


def voucher(author: Author) -> Markup:
    """Who vouched for a group; founders have a key and no name."""
    named = author.vouched_by and not re.fullmatch("[0-9a-f]{16}", author.vouched_by)
    return bdi(author.vouched_by if named else _("the founders"))


def bdi(text: str) -> Markup:
    """People's text inside a sentence of ours, kept in its own direction."""
    return Markup("<bdi>{}</bdi>").format(safe_text.one_line(text))


def bdi_linked(text: str) -> Markup:
    """As `bdi`, with its addresses as links."""
    return Markup("<bdi>{}</bdi>").format(safe_text.linked(safe_text.one_line(text)))


def this_page(**changed: str) -> str:
    """The address of this very page with something changed; a form's answer has only its form to show."""
    kept = request.args.to_dict() | changed
    chosen = {name: value for name, value in kept.items() if value}
    return f"{request.path}?{urlencode(chosen)}"


def agenda_address(**more: Any) -> str:
    """The path of a page of the agenda, of the topic and the mark that are asked for."""
    only = {name: request.args.get(name) for name in ("topic", "mark")}
    return url_for("agenda.show", **{**only, **more})


def rhythm(item: Item | Draft) -> str:
    """How often an event is, in words; "" if it is once."""
    return safe_text.titled(rhythm_of(item.event, current())) if item.event and item.event.repetition else ""


def other_dates(item: Item | Draft, most: int = 8) -> list[tuple[str, str]]:
    """Of a repeated event the next dates, in words, each with what became of it."""
    if item.event is None or item.event.repetition is None:
        return []
    now = board().now()
    coming = sorted((one for one in occasions(item.event) if one.end > now), key=lambda one: one.start)[:most]
    became = {True: _("Cancelled")}
    return [(safe_text.titled(current().when(span_on(one, item.whole_days), today(), named=False)),
             became.get(one.off, _("Moved") if one.moved else "")) for one in coming]


def is_picked(text: str) -> bool:
    """Whether a picker of days or hours can show it; what people typed their own way it would lose."""
    return not text or re.fullmatch(r"\d{4}-\d\d-\d\d|\d\d:\d\d", text) is not None


def weekdays() -> list[tuple[int, str]]:
    """The days of a week by their numbers, Monday first."""
    return [(day, current().weekday(date(2024, 1, 1 + day))) for day in range(7)]  # 2024 began on a Monday


def days_of(item: Item | Announced) -> list[date]:
    """The days an event is on, by the clocks there."""
    return span_of(item).days()


def add_showing(app: Flask) -> None:
    """Give templates these words."""
    app.jinja_env.globals.update(
        names_a_group=names_a_group, reply_count=lambda item: board().reply_count(item), digits=digits,
        is_changed_here=is_changed_here, address=address, whole_address=whole_address, caption=caption, tag_of=tag_of,
        starts=starts, when=when, rhythm=rhythm, other_dates=other_dates, column=column, dotted=dotted, iso=iso,
        dated=dated, day_here=day_here, relative_day=relative_day, ago_or_date=ago_or_date, clock_at=clock_at,
        clock_here=clock_here, bdi=bdi, bdi_linked=bdi_linked, voucher=voucher, listed=listed, this_page=this_page,
        written_span=written_span, for_programs=for_programs, confirmed_as_text=confirmed_as_text,
        is_unconfirmed=is_unconfirmed, confirming=confirming,
        hearsay=hearsay, names_of=lambda heard: [bdi(name) for name in named(heard)],
        text_languages=text_languages, action_name=sentences.action_name, keeper_name=sentences.keeper_name,
        report_name=sentences.report_name, contact=lambda: board().contact(), root_digits=root_digits,
        status=lambda: board().status(), now=lambda: board().now(), today=today, island=settings,
        weekdays=weekdays, Kind=Kind, topics=TOPICS, offered=offered, topic_name=sentences.topic_name,
        mark_name=sentences.mark_name, mark_names=sentences.mark_names, event_marks=tuple(mark_slugs(EVENT_MARKS)),
        agenda_address=agenda_address, field_name=sentences.field_name,
    )
    app.jinja_env.filters.update(
        plain=safe_text.plain, body=safe_text.body, one_line=safe_text.one_line, rest=safe_text.rest,
        paragraphs=safe_text.paragraphs, anchor=safe_text.anchor,
        is_picked=is_picked, shortened=safe_text.shortened, titled=safe_text.titled,
    )

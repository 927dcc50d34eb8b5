"""What is on a sheet of paper, how much room it takes, and when the sheet is to be taken down."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from flask import Response, abort, make_response, request

from node.board.api import Item
from node.board.spans import span_of, span_on
from node.model.event import occasions
from node.model.record import Kind
from web import safe_text
from web.agenda_days import Days, ShownDay, days_from
from web.item_display import caption, clock_at, confirmed_as_text, day_here, days_of, today
from web.languages import current
from web.languages import gettext as _
from web.pages import board, patience, settings
from web.print_fit import PAGE_HEIGHT_MM, PAGE_WIDTH_MM, SMALLEST, Block, sizes_of
from web.public import asked_topic
from web.qr import qr, wifi
from web.sentences import topic_name

WEEK_DAYS, AHEAD_DAYS = 7, 35  # a repeated event would fill the sheet of its topic for a year
MOST_EVENTS = {"poster": 120, "leaflet": 8, "copy": 10}  # a poster runs on: in large type that is some ten pages
MOST_BULLETINS = {"poster": 4, "leaflet": 0, "copy": 0}  # of the week; of one topic or group MANY_BULLETINS
MANY_BULLETINS, MOST_URGENT = 20, 12
CODES_MM, STRIPS_MM, FOOT_MM, BAND_MM = 36, 74, 14, 40
HOURS_EM = {"ltr": 8.4, "rtl": 11}  # the column of the hours, as in `paper.css`
OWN_SHEETS = {"poster": "item", "strips": "item", "leaflets": "four"}  # the shapes of a post's own sheet: its templates
LEAFLET_MM = (78, 112)  # of four on an A4 page, less their margins
FEW_LETTERS = 220  # of a text, on a leaflet
LONGEST_PLACE = 160


@dataclass(frozen=True)
class OnSheet:
    """What a sheet shows of the days until `within`. `title` is a topic, a place or a group ("" for the week); `left`
    events found no room, and of `older` bulletins there are some."""

    title: str
    days: Sequence[ShownDay]
    bulletins: Sequence[Item]
    urgent: Sequence[Item]
    left: int
    older: bool
    within: date = date.max

    @property
    def last_day(self) -> date | None:
        """The last day that anything on it is about, None if nothing is."""
        ends = [one.day for one in self.days] + [end_day(item) for item in (*self.bulletins, *self.urgent)]
        ends += [days_of(item)[-1] for one in self.days for item in one.begins]
        return min(max(ends), self.within) if ends else None


def sheet_of(sheet: str) -> OnSheet:
    """What was asked for: of the week, of a topic, a place or a group."""
    place, key_id, topic = request.args.get("place", "")[:LONGEST_PLACE].strip(), request.args.get("by", ""), asked_topic()
    if place:
        return _of_items(sheet, safe_text.one_line(place), board().at_place(place, patience()))
    if key_id:
        author = board().author(key_id[:16]) or abort(404)
        return _of_items(sheet, author.name, board().read_ids(board().signed_by(key_id[:16]), patience()))
    span = WEEK_DAYS if topic is None else AHEAD_DAYS
    days = days_from(today(), today() + timedelta(span), topic)
    return _of_days(sheet, topic, days)


def _of_days(sheet: str, topic: int | None, days: Days) -> OnSheet:
    now = board().now()
    coming = [one for one in days.standing if one[0] > days.first or max(one[1].end, one[1].start) >= now]
    shown = coming[:MOST_EVENTS[sheet]]
    most = MOST_BULLETINS[sheet] if topic is None else MANY_BULLETINS
    urgent = board().urgent(MOST_URGENT, patience()) if topic is None and sheet != "leaflet" else []
    page = board().bulletins(topic, "", most + len(urgent), patience()) if most else None
    above = {one.id for one in urgent}
    bulletins = [item for item in page.items if item.id not in above and item.met is None] if page else []
    left = len({(event.root, event.start) for _day, event in coming} - {(event.root, event.start) for _day, event in shown})
    return OnSheet(topic_name(topic) if topic is not None else "", days.read(shown), bulletins[:most], urgent, left,
                   bool(page and page.after) or len(bulletins) > most, days.after - timedelta(1))


def _of_items(sheet: str, title: str, items: Iterable[Item]) -> OnSheet:
    """Of all that is at one place, or that one key signed: each event once, under its next day."""
    found = list(items)
    events = [item for item in found if item.kind is Kind.EVENT and (item.end or item.start or 0) >= board().now()]
    events.sort(key=lambda item: (_next_day(item), item.start, item.id))
    bulletins = [item for item in found if item.kind is Kind.BULLETIN and item.met is None]
    shown = events[:MOST_EVENTS[sheet]]
    days = [ShownDay(day, list(some), []) for day, some in groupby(shown, _next_day)]
    return OnSheet(title, days, bulletins[:MANY_BULLETINS], [], len(events) - len(shown), len(bulletins) > MANY_BULLETINS)


def _next_day(event: Item) -> date:
    return max(days_of(event)[0], today())


def end_day(item: Item) -> date:
    """The last day that an item is about: an event's last date, else the day it ends."""
    if item.kind is not Kind.EVENT:
        return day_here(item.expires)
    if item.event is None or item.event.repetition is None:
        return span_of(item).last_day
    held = (span_on(one, item.whole_days).last_day for one in occasions(item.event) if not one.off)
    return max(held, default=span_of(item).last_day)


def printed(last_day: date | None) -> dict[str, Any]:
    """When a sheet was printed, after which day it is to be taken down (None: never), whether it is kept as a file."""
    return {"printed": clock_at(board().now()), "last_day": last_day, "file": "file" in request.args}


def measured(sheet: str, on: OnSheet) -> tuple[list[Block], float]:
    """What `web.print_fit` must know of it: its texts, and the height of what does not grow with them, in mm."""
    events = [item for one in on.days for item in one.begins + one.goes_on]
    heads = [Block(settings().name, 2.4, 0.6, bold=True), Block(on.title or "x" * 45, 1.3, 0.8)]
    heads += [Block("x" * 20, 1.2, 1.1, bold=True)] * (len(on.days) + 1)
    hours = HOURS_EM[current().direction]
    until = {False: "", True: "x" * 30}
    rows = [Block(f"– {item.place[:60]} {until[len(days_of(item)) > 1]}", space=0.4, less=hours, before=caption(item)[:70])
            for item in events]
    rows += [Block(f"{caption(item)} {'x' * 24 * (item.start is not None)} {confirmed_as_text(item)}", 1, 0.9, bold=True,
                   less=2) for item in on.urgent]
    rows += [Block(caption(item), 1, 0.4) for item in on.bulletins]
    rows += [Block("x" * 40)] * (bool(on.left) + on.older) + ([Block("x" * 90, 1, 1)] * 2 if sheet == "copy" else [])
    return [*heads, *rows], FOOT_MM + {"poster": CODES_MM, "leaflet": CODES_MM + STRIPS_MM, "copy": 0}[sheet]


def own_sheet(item: Item, shape: str) -> dict[str, Any]:
    """What is on a post's own sheet, in types as large as it takes."""
    day, hours = day_and_hours(item)
    place = safe_text.one_line(item.place)
    text = item.text if item.kind is Kind.EVENT else safe_text.continued(item.text)
    said = [line for line in (day, hours, place) if line]
    if shape == "leaflets":
        text = safe_text.shortened(safe_text.one_line(text), FEW_LETTERS)
        sizes = sizes_of(caption(item), said, text, LEAFLET_MM[0], LEAFLET_MM[1] - BAND_MM)
    else:
        boxed = item.cancelled is not None or item.confirmed is not None
        fixed = BAND_MM + FOOT_MM + (STRIPS_MM if shape == "strips" else 0) + 22 * boxed
        sizes = sizes_of(caption(item), said, text, PAGE_WIDTH_MM, PAGE_HEIGHT_MM - fixed)
    return {"item": item, "days_of": days_of, "day": day, "hours": hours, "text": text, "sizes": sizes or SMALLEST,
            "whole": sizes is not None}


def day_and_hours(item: Item) -> tuple[str, str]:
    """When an event is, in two lines that a poster has: `Saturday 5 December`, `20:30 – 01:30`."""
    if item.kind is not Kind.EVENT:
        return "", ""
    span, said = span_of(item), current()
    day = safe_text.titled(said.named_day(span.first_day, today(), named=False))
    if not (span.whole_days and span.last_day > span.first_day):
        return day, said.when(span, today(), span.first_day)
    return _("%(first)s to %(last)s") % {"first": day, "last": said.day(span.last_day)}, ""


def entry_codes() -> dict[str, Any]:
    """The codes that lead in: the Wi-Fi's ("" if it has no name here), and the portal's address."""
    address, name = settings().base_url, settings().wifi
    return {"address_code": qr(address, address), "wifi_code": qr(wifi(name), name) if name else ""}


def as_file(page: str, name: str) -> Response:
    """A sheet to look at and print, or as a file to carry to a printer."""
    response = make_response(page)
    if "file" in request.args:
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

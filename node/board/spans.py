"""When something on the board is, by the clocks there: what `node.i18n.moments` writes in words."""

from datetime import datetime, timedelta

from node.board.api import Announced, Draft, Item
from node.i18n.moments import Span
from node.model.event import QUARTER_MIN, Event, Occasion, occasions

EPOCH = datetime(2024, 1, 1)


def wall(minute: int, offset: int) -> datetime:
    """What clocks show at a minute, `offset` quarters of an hour east of UTC."""
    return EPOCH + timedelta(minutes=minute + QUARTER_MIN * offset)


def span_of(one: Item | Announced | Draft) -> Span:
    """When an event is: the date of it that is shown."""
    if isinstance(one, Draft):
        event = one.event
        return span_on(occasions(event)[0], event.whole_days) if event else Span(EPOCH, EPOCH)
    start, end = one.start or 0, one.end if one.end is not None else one.start or 0
    return Span(wall(start, one.offset), wall(end, one.end_offset), one.whole_days)


def span_on(date: Occasion, whole_days: bool) -> Span:
    """When one date of an event is."""
    return Span(wall(date.start, date.offset), wall(date.end, date.end_offset), whole_days)


def next_date(event: Event, now: int) -> Occasion:
    """The date that goes on at minute `now`, or comes next and takes place; the last one when all are over."""
    dates = sorted(occasions(event), key=lambda one: one.start)
    coming = (one for one in dates if not one.off and (one.end > now or one.start == one.end >= now))
    return next(coming, dates[-1])

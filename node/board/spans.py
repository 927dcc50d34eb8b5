"""When something on the board is, by the clocks there: what `node.i18n.moments` writes in words."""

from datetime import date, datetime, timedelta

from node.board.api import Announced, Draft, Item
from node.i18n.moments import Dates, Span
from node.i18n.sentence import N_, Sentence, Value, sentence
from node.model.event import DAY_MIN, FIRST, QUARTER_MIN, WEEK, Event, Occasion, Repetition, Rhythm, occasions

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


def span_on(one: Occasion, whole_days: bool) -> Span:
    """When one date of an event is."""
    return Span(wall(one.start, one.offset), wall(one.end, one.end_offset), whole_days)


def next_date(event: Event, now: int) -> Occasion:
    """The date that goes on at minute `now`, or comes next and takes place; the last one when all are over."""
    dates = sorted(occasions(event), key=lambda one: one.start)
    coming = (one for one in dates if not one.off and (one.end > now or one.start == one.end >= now))
    return next(coming, dates[-1])


def rhythm_of(event: Event, dates: Dates) -> str:
    """How often it is, and until when: `each Tuesday, until 30 June 2027`; "" for what is once."""
    rule = event.repetition
    if rule is None:
        return ""
    found = occasions(event)
    last = max(span_on(one, False).first for one in found)
    first_day = FIRST + timedelta((event.start + QUARTER_MIN * event.offset) // DAY_MIN)
    often = _often(rule, first_day, dates).said(dates.sentences)
    return dates.listed(often, sentence("until %(day)s", day=dates.dated_day(last.date())).said(dates.sentences))


def _often(rule: Repetition, first: date, dates: Dates) -> Sentence:
    fields: dict[str, Value] = {"num": rule.every, "weekday": dates.day_name(first)}
    if rule.rhythm is Rhythm.WEEKDAYS:
        monday = first - timedelta(first.weekday())
        on = [monday + timedelta(day) for day in range(WEEK) if rule.weekdays >> day & 1]
        fields["weekday"] = dates.listed(*map(dates.day_name, on))
    if rule.rhythm in (Rhythm.WEEKS, Rhythm.WEEKDAYS):
        text = {1: N_("each %(weekday)s"), 2: N_("every other %(weekday)s")}.get(rule.every)
        return Sentence(text or N_("every %(num)s weeks: %(weekday)s"), fields)
    if rule.rhythm is Rhythm.DAYS:
        return sentence("each day") if rule.every == 1 else sentence("every %(num)s days", num=rule.every)
    return _monthly(rule, first, fields)


def _monthly(rule: Repetition, first: date, fields: dict[str, Value]) -> Sentence:
    if rule.every > 1:
        return sentence("every %(num)s months", num=rule.every)
    if rule.rhythm is Rhythm.MONTHS:
        return sentence("each month, on day %(day)s", day=first.day)
    if rule.rhythm is Rhythm.MONTH_LAST:
        after = (first + timedelta(WEEK)).month != first.month
        return Sentence(N_("each last %(weekday)s of the month") if after else N_("each month"), fields)
    texts = (N_("each first %(weekday)s of the month"), N_("each second %(weekday)s of the month"),
             N_("each third %(weekday)s of the month"), N_("each fourth %(weekday)s of the month"),
             N_("each fifth %(weekday)s of the month"))
    return Sentence(texts[(first.day - 1) // WEEK], fields)

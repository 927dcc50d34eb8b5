"""An event in a time zone: how far its clocks are from UTC, and when they are changed before its last end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from node.model.event import DAY_MIN, MAX_SHIFTS, MAX_SPAN_DAYS, QUARTER_MIN, Event, Repetition, Shift

EPOCH_UTC = datetime(2024, 1, 1, tzinfo=UTC)
SURELY_CHANGED = 3 * DAY_MIN  # minutes: beyond the last end, as clocks may be changed while it lasts


def event_in(zone: tzinfo, start: int, end: int | None, whole_days: bool = False,
             repetition: Repetition | None = None) -> Event:
    """The event from minute `start` to `end` (None: not told) by a zone's clocks, with the changes of them that matter."""
    end = start if end is None else end
    shifts = shifts_in(zone, start, end + (MAX_SPAN_DAYS * DAY_MIN + SURELY_CHANGED if repetition else 0))
    made = Event(start, end - start, quarters(zone, start), whole_days, shifts, repetition)
    over = made.over
    return replace(made, shifts=tuple(one for one in shifts if one.since <= over))


def shifts_in(zone: tzinfo, start: int, until: int) -> tuple[Shift, ...]:
    """The changes of a zone's clocks after minute `start`, up to `until`, the first ones."""
    found: list[Shift] = []
    at, offset = start, quarters(zone, start)
    while at < until and len(found) < MAX_SHIFTS:
        later = min(at + DAY_MIN, until)
        if quarters(zone, later) != offset:
            since = _changed(zone, at, later)
            offset = quarters(zone, since)
            found.append(Shift(since, offset))
            later = since
        at = later
    return tuple(found)


def quarters(zone: tzinfo, minute: int) -> int:
    """How far the zone's clocks are from UTC at a minute, in quarters of an hour."""
    shift = (EPOCH_UTC + timedelta(minutes=minute)).astimezone(zone).utcoffset() or timedelta(0)
    return round(shift / timedelta(minutes=QUARTER_MIN))


def _changed(zone: tzinfo, before: int, after: int) -> int:
    """The first whole quarter of an hour at which they are no longer as at `before`; at `after` they are not."""
    low, high = before // QUARTER_MIN, -(-after // QUARTER_MIN)
    offset = quarters(zone, before)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if quarters(zone, middle * QUARTER_MIN) == offset else (low, middle)
    return high * QUARTER_MIN

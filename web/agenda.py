"""The agenda: a week or a month at a time, past days too."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from flask import Blueprint, abort, request

from web import dates
from web.item_display import by_day, starts, today
from web.languages import current
from web.pages import board, fitted, kept, patience, settings
from web.public import asked_topic

FIRST, LAST = date(2024, 1, 1), date(2055, 10, 1)
agenda = Blueprint("agenda", __name__)


@agenda.get("/agenda")
@kept
def show() -> str:
    """What happens: by default from today on; `?day=2026-03-21`, `?week=2026-W12`, `?month=2026-03`, `?topic=`.

    `?from=36`: without the first 36, which stand on the pages before.
    """
    if "month" in request.args:
        return month(_month(request.args["month"]))
    if "week" in request.args:
        return week(_week(request.args["week"]))
    return week(_day(request.args["day"]) if "day" in request.args else today())


def week(begin: date) -> str:
    """Seven days from `begin`."""
    monday = begin - timedelta(begin.weekday())
    return fitted("agenda.html", _span(begin, begin + timedelta(7), {
        "begin": begin, "end": begin + timedelta(6), "previous": _iso_week(monday - timedelta(7)),
        "following": _iso_week(monday + timedelta(7)),
    }))


def month(begin: date) -> str:
    """A month, its days in a grid and its events in a list."""
    after = (begin + timedelta(31)).replace(day=1)
    grid_begin = begin - timedelta(begin.weekday())
    weeks = [[grid_begin + timedelta(7 * row + column) for column in range(7)]
             for row in range((after - grid_begin + timedelta(6)).days // 7)]
    return fitted("month.html", _span(begin, after, {
        "begin": begin, "weeks": weeks, "weekdays": [current().weekday(day) for day in weeks[0]],
        "previous": f"{begin - timedelta(1):%Y-%m}", "following": f"{after:%Y-%m}",
    }))


def _span(first: date, after: date, more: dict) -> Callable[[int], dict]:
    """What fills a page about [first, after); rows beyond the page's weight are counted, and on the page that follows."""
    topic, zone, begin = asked_topic(), settings().zone, max(request.args.get("from", 0, type=int), 0)
    events = board().announced(dates.midnight(first, zone), dates.midnight(after, zone), topic)
    busy = {max(starts(event).date(), first) for event in events}

    def fill(rows: int) -> dict:
        end = begin + rows * 3
        shown = list(board().read(events[begin:end], patience()))
        return {**more, "topic": topic, "days": by_day(shown, first), "left_out": len(events) - end, "onwards": end,
                "busy": busy}

    return fill


def _iso_week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02}"


def _week(text: str) -> date:
    found = re.fullmatch(r"(20\d\d)-W(\d\d)", text)
    try:
        return _within(date.fromisocalendar(int(found[1]), int(found[2]), 1)) if found else abort(404)
    except ValueError:
        abort(404)


def _day(text: str) -> date:
    try:
        return _within(date.fromisoformat(text)) if re.fullmatch(r"20\d\d-\d\d-\d\d", text) else abort(404)
    except ValueError:
        abort(404)


def _month(text: str) -> date:
    found = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", text)
    return _within(date(int(found[1]), int(found[2]), 1)) if found else abort(404)


def _within(day: date) -> date:
    return day if FIRST <= day <= LAST else abort(404)

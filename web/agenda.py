"""The agenda: a day, a week or a month at a time, past days too; all of a topic."""

import re
from datetime import date, timedelta

from flask import Blueprint, abort, request

from web.agenda_days import Days, days_ahead, days_from, first_after
from web.item_display import today
from web.languages import current
from web.pages import fitted, kept
from web.public import asked_mark, asked_topic
from web.turning import asked_part

FIRST, LAST = date(2024, 1, 1), date(2055, 10, 1)
MOST_EVENTS = 36  # on a page, be they ever so short
agenda = Blueprint("agenda", __name__)


@agenda.get("/agenda")
@kept
def show() -> str:
    """What happens: by default in the week from today on; `?day=2026-03-21`, `?week=2026-W12`, `?month=2026-03`; all that
    is ahead about `?topic=`, or with `?mark=`.

    `?from=36`: without the first 36, which stand on the pages before; `?to=36`: the last of these.
    """
    if "month" in request.args:
        return month(_month(request.args["month"]))
    if "week" in request.args:
        return week(_week(request.args["week"]))
    if "day" in request.args:
        return one_day(_day(request.args["day"]))
    topic, mark = asked_topic(), asked_mark()
    if topic is not None or mark:
        return _turned("ahead.html", days_ahead(topic, mark), {})
    return week(today())


def one_day(day: date) -> str:
    """All that is on one day."""
    following = {"begin": day, "week": iso_week(day)}
    following |= {name: day + timedelta(step) for name, step in (("previous", -1), ("following", 1))}
    return _turned("day.html", _span(day, day + timedelta(1)), following)


def week(begin: date) -> str:
    """Seven days from `begin`."""
    monday, after = begin - timedelta(begin.weekday()), begin + timedelta(7)
    later, more = first_after(after)
    return _turned("agenda.html", _span(begin, after), {
        "begin": begin, "end": after - timedelta(1), "previous": iso_week(monday - timedelta(7)),
        "following": iso_week(monday + timedelta(7)), "later": later and iso_week(later), "later_events": more,
    })


def month(begin: date) -> str:
    """A month, its days in a grid and its events in a list."""
    after = (begin + timedelta(31)).replace(day=1)
    grid_begin = begin - timedelta(begin.weekday())
    weeks = [[grid_begin + timedelta(7 * row + column) for column in range(7)]
             for row in range((after - grid_begin + timedelta(6)).days // 7)]
    return _turned("month.html", _span(begin, after), {
        "begin": begin, "weeks": weeks, "weekdays": [current().weekday(day) for day in weeks[0]],
        "previous": f"{begin - timedelta(1):%Y-%m}", "following": f"{after:%Y-%m}",
    })


def _span(first: date, after: date) -> Days:
    return days_from(first, after, asked_topic(), asked_mark())


def _turned(template: str, days: Days, more: dict) -> str:
    """A page with the part of these events that was asked for, as much of it as fits."""
    def fill(rows: int) -> dict:
        part = asked_part(len(days.standing), rows)
        return {**more, "topic": asked_topic(), "mark": request.args.get("mark", ""), "all": days, "part": part,
                "days": days.read(part.of(days.standing))}

    return fitted(template, fill, MOST_EVENTS)


def iso_week(day: date) -> str:
    """`2026-W12`: the week of a day."""
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

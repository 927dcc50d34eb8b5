"""When an event is, out of what was typed in its form, and back into one: hours, whole days, repetition, single dates."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from node.board.api import Item, Problem
from node.board.reasons import ProblemCode
from node.board.spans import span_of, span_on
from node.board.typed_moments import TypedMoment, WrongWeekday, at_once, moment_typed
from node.model.clock import MAX_MINUTE
from node.model.event import (
    DAY_MIN,
    FIRST,
    MAX_DATES,
    MAX_MOVED_MIN,
    MAX_SPAN_DAYS,
    MAX_STEPS,
    WEEK,
    Event,
    Exempt,
    Repetition,
    Rhythm,
    occasions,
    rule_days,
)
from node.model.zones import event_in
from web import dates

RULE = re.compile(r"(\d)\.(\d\d?)(?:\.(\d{1,3}))?")  # rhythm, every, weekdays
ALSO_ON = tuple(f"on{day}" for day in range(WEEK))  # fields: each week on this day, too; Monday first
LAST_DAYS = 28  # of a month: a fifth weekday is its last one
ARROW = re.compile(r"\s*(?:->|=>|>|<|→|←|=)\s*")  # right to left it is mirrored
MAX_LINES = MAX_DATES


@dataclass
class TypedTimes:
    """What the fields of a form say about moments, at minute `now` in `zone`; `problems` takes what cannot be read."""

    fields: dict[str, str]
    zone: ZoneInfo
    now: int
    problems: list[Problem]

    def moment(self, name: str, field: str) -> int | None:
        """The minute typed in the two fields of `name`; None when both are empty, or not read."""
        today = self._wall_now().date()
        typed = self._typed(name, field, self._wall_now())
        wall = typed.wall(today) if typed else None
        if typed and typed != TypedMoment() and (typed.day is None or wall is None):
            self.problems.append(Problem(field, ProblemCode.MOMENT))
        return self._minute(wall, field) if typed and typed.day and wall else None

    def event(self) -> Event | None:
        """When the event is; None if that cannot be told."""
        start = self._typed("start", "start", self._wall_now())
        whole = bool(self.fields.get("whole_day")) or bool(start and start.whole_day)
        if start is None:
            self._typed("end", "end", self._wall_now())  # its mistakes are told in the same round
            return None
        first = None if start.day is None else _midnight(start.day) if whole else start.wall(start.day)
        if first is None:
            self.problems.append(Problem("start", ProblemCode.START_MISSING))
        end = self._typed("end", "end", first or self._wall_now())
        last = self._last(first, end, whole) if first and end else None
        begin, finish = self._minute(first, "start"), self._minute(last, "end")
        if first is None or begin is None:
            return None
        if finish is not None and finish < begin:
            return Event(begin, finish - begin, 0, whole)  # which the board refuses
        repetition = self._repetition(first.date())
        return event_in(self.zone, begin, finish, whole, repetition and self._exempted(repetition, first))

    def _wall_now(self) -> datetime:
        return dates.here(self.now, self.zone)

    def _typed(self, name: str, field: str, now: datetime) -> TypedMoment | None:
        day, clock = (self.fields.get(f"{name}_{part}", "").strip() for part in ("date", "time"))
        try:
            return at_once(moment_typed(day, now.date()), moment_typed(clock, now.date(), clock=True), now)
        except WrongWeekday:
            self.problems.append(Problem(field, ProblemCode.WEEKDAY))
        except (ValueError, OverflowError):
            self.problems.append(Problem(field, ProblemCode.MOMENT))
        return None

    def _last(self, first: datetime, end: TypedMoment, whole: bool) -> datetime | None:
        """When it ends; an hour without a day is the next one of that hour."""
        if whole:
            return _midnight(end.day or first.date()) + timedelta(1)
        if end.hour is None:
            if end.day is not None or end.whole_day:
                self.problems.append(Problem("end", ProblemCode.END_HOUR))
            return None
        last = end.wall(first.date())
        return last + timedelta(1) if last and end.day is None and last < first else last

    def _minute(self, wall: datetime | None, field: str) -> int | None:
        try:
            at = dates.minute(wall, self.zone) if wall else None
        except OverflowError:
            at = MAX_MINUTE + 1
        if at is None or 0 <= at <= MAX_MINUTE:
            return at
        self.problems.append(Problem(field, ProblemCode.PAST if at < 0 else ProblemCode.TOO_FAR, 400))
        return None

    # repeated

    def _repetition(self, first: date) -> Repetition | None:
        asked = self.fields.get("repeat", "")
        found = RULE.fullmatch(asked)
        if not asked:
            return None
        if not found or int(found[1]) > max(Rhythm) or not 1 <= int(found[2]) <= MAX_STEPS:
            self.problems.append(Problem("repeat", ProblemCode.NOT_OFFERED))
            return None
        rhythm = Rhythm(int(found[1]))
        if rhythm is Rhythm.MONTH_WEEKDAY and first.day > LAST_DAYS:
            rhythm = Rhythm.MONTH_LAST
        rhythm, weekdays = self._weekdays(rhythm, int(found[3] or 0), first)
        rule = Repetition(rhythm, int(found[2]), MAX_DATES, weekdays)
        count = self._count(rule, first)
        return Repetition(rhythm, rule.every, count, weekdays) if count else None

    def _weekdays(self, rhythm: Rhythm, told: int, first: date) -> tuple[Rhythm, int]:
        """On which days of a week, its first one's among them: a rhythm of its own, if they are several."""
        also = sum(1 << day for day, name in enumerate(ALSO_ON) if self.fields.get(name))
        if rhythm not in (Rhythm.WEEKS, Rhythm.WEEKDAYS):
            if also:
                self.problems.append(Problem("repeat", ProblemCode.SEVERAL_DAYS))
            return rhythm, 0
        weekdays = also | told | 1 << first.weekday()
        return (Rhythm.WEEKDAYS, weekdays) if weekdays.bit_count() > 1 else (Rhythm.WEEKS, 0)

    def _count(self, rule: Repetition, first: date) -> int:
        """How many dates: so many times, or until a day; 0 if it is not said."""
        times, until = (self.fields.get(f"repeat_{part}", "").strip() for part in ("times", "until"))
        if until:
            last = self._day(until, "repeat", first)
            days = [day for day in rule_days(rule, _number(first)) if last and day <= _number(last)]
            count = len(days) if last and last <= first + timedelta(MAX_SPAN_DAYS) else 0
        else:
            count = int(times) if re.fullmatch(r"[0-9]{1,3}", times) else 0
        if not 2 <= count <= MAX_DATES and not any(one.field == "repeat" for one in self.problems):
            self.problems.append(Problem("repeat", ProblemCode.REPEATS, MAX_DATES))
        return count if 2 <= count <= MAX_DATES else 0

    def _day(self, text: str, field: str, today: date) -> date | None:
        try:
            return moment_typed(text, today).day
        except WrongWeekday:
            self.problems.append(Problem(field, ProblemCode.WEEKDAY))
        except (ValueError, OverflowError):
            self.problems.append(Problem(field, ProblemCode.MOMENT))
        return None

    def _exempted(self, rule: Repetition, first: datetime) -> Repetition:
        """The rule with its dates that are called off or moved."""
        days = list(islice(rule_days(rule, _number(first.date())), rule.count))
        number = {FIRST + timedelta(day): at for at, day in enumerate(days)}
        exempt: dict[int, Exempt] = {}
        for text in _listed(self.fields.get("off", "")):
            day = self._day(text, "off", first.date())
            if day in number:
                exempt[number[day]] = Exempt(number[day])
            elif day:
                self.problems.append(Problem("off", ProblemCode.NO_DATE))
        for line in _listed(self.fields.get("moved", "")):
            if (moved := self._moved(line, first, number)) is not None and moved.by:
                exempt.setdefault(moved.number, moved)
        return Repetition(rule.rhythm, rule.every, rule.count, rule.weekdays, tuple(exempt[at] for at in sorted(exempt)))

    def _moved(self, line: str, first: datetime, number: dict[date, int]) -> Exempt | None:
        old, *new = ARROW.split(line.strip())
        try:
            day, to = moment_typed(old, first.date()).day, moment_typed(new[0], first.date())
            if day is None or day not in number or len(new) > 1:
                raise ValueError
            was = datetime.combine(day, first.time())
            at = to.wall(day) if to.hour is not None else to.day and datetime.combine(to.day, first.time())
            by = (at - was) // timedelta(minutes=1) if at else MAX_MOVED_MIN + 1
            if abs(by) > MAX_MOVED_MIN:
                raise ValueError
        except (ValueError, IndexError, OverflowError):
            self.problems.append(Problem("moved", ProblemCode.NO_DATE))
            return None
        return Exempt(number[day], by)


def _number(day: date) -> int:
    return (day - FIRST).days


def _listed(text: str) -> list[str]:
    return [part for part in re.split(r"[,;،؛\n]", text) if part.strip()][:MAX_LINES]


def as_typed(item: Item) -> dict[str, str]:
    """When an event is, as its form has it: of a repeated one its first date, and the rule."""
    event = item.event
    span = span_on(occasions(event)[0], event.whole_days) if event else span_of(item)
    fields = {"start_date": f"{span.first:%Y-%m-%d}"}
    if span.whole_days:
        fields["whole_day"] = "1"
        if span.last_day != span.first_day:
            fields["end_date"] = f"{span.last_day:%Y-%m-%d}"
    else:
        fields["start_time"] = f"{span.first:%H:%M}"
        if span.last != span.first:
            fields |= {"end_date": f"{span.last:%Y-%m-%d}", "end_time": f"{span.last:%H:%M}"}
    return fields | (_rule_as_typed(event, event.repetition) if event and event.repetition else {})


def _rule_as_typed(event: Event, rule: Repetition) -> dict[str, str]:
    rhythm = Rhythm.WEEKS if rule.rhythm is Rhythm.WEEKDAYS else rule.rhythm
    also = {name: "1" for day, name in enumerate(ALSO_ON) if rule.weekdays >> day & 1}
    first = event.start + dates.QUARTER_MIN * event.offset
    days = [FIRST + timedelta(day) for day in islice(rule_days(rule, first // DAY_MIN), rule.count)]
    off = [f"{days[one.number]:%Y-%m-%d}" for one in rule.exempt if one.by is None]
    moved = [(days[one.number], _midnight(days[one.number]) + timedelta(minutes=first % DAY_MIN + one.by))
             for one in rule.exempt if one.by is not None]
    return also | {"repeat": f"{rhythm.value}.{rule.every}", "repeat_times": str(rule.count), "off": ", ".join(off),
            "moved": "\n".join(f"{was:%Y-%m-%d} > {to:%Y-%m-%d %H:%M}" for was, to in moved)}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())

"""The hours at which the agenda is read aloud through a loudspeaker, as keepers write them. Core."""

import re

MOST_HOURS = 6
BEGIN, END = 7 * 60, 22 * 60  # minutes of the day; before and from then on it is night
HOUR = re.compile(r"(\d{1,2})(?:\s?[:.h]\s?(\d\d)?)?")


def hours_of(text: str) -> tuple[int, ...]:
    """Minutes of the day, out of "9:00, 18h30", in order; raises ValueError: no hour, at night, one twice, too many."""
    found = [HOUR.fullmatch(part.strip().lower()) for part in re.split(r"[,;،]", text) if part.strip()]
    hours = sorted({int(one[1]) * 60 + int(one[2] or 0) for one in found if one and int(one[2] or 0) < 60})
    if len(hours) != len(found) or len(hours) > MOST_HOURS or any(not BEGIN <= hour < END for hour in hours):
        raise ValueError("no such hours")
    return tuple(hours)


def hours_written(hours: tuple[int, ...]) -> str:
    """As they are kept and shown: "9:00, 18:30"."""
    return ", ".join(f"{hour // 60}:{hour % 60:02}" for hour in hours)

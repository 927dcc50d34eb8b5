"""Drawings of the air: paths of SVG and where marks stand, nothing else. They are 300 units wide; time goes to the right.

Colours are seen on light and dark ground alike (3 to 1 at least); each kind is named beside its colour.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 300, 64
COLOURS = {"fresh": "#2f7ed8", "repair": "#c76a00", "question": "#2b9a57", "summary": "#8f63c9", "lead": "#808080",
           "text": "#c8417a"}
HOUR_S = 3600
COLUMNS = 24  # hours of a day
CHANNEL_POINTS = 48
CHANNEL_TOP = 0.5  # of the channel: what is busier is drawn as this
POLITE_USE, URGENT_USE = 0.25, 0.40  # radio.airtime.MAX_CHANNEL_USE, MAX_URGENT_CHANNEL_USE
FAR_LAW = 2.5  # a law that is so many times what may be used is said, not drawn: the rest would be too small to see
BARS_FROM_DB = (-18.0, -12.0, -6.0, 0.0)  # SNR for one to four bars; LongFast is read down to some -17 dB


@dataclass(frozen=True)
class Mark:
    """A line across a drawing, at `at` units; `slug` says which."""

    slug: str
    at: int


@dataclass(frozen=True)
class Drawing:
    """Lines, as (kind, colour, path), which are drawn `wide` units wide, and marks."""

    paths: tuple[tuple[str, str, str], ...]
    marks: tuple[Mark, ...] = ()
    wide: int = 20


def hour_bar(air: Mapping[str, Any], parts_s: Mapping[str, float]) -> Drawing:
    """What of this hour's air is used, by kind, against the share, the limit and the law, as one bar."""
    used_s, limit_s, law_s = air["used_s"], air["limit_s"], air["law_s"]
    shown_s = max(law_s if law_s <= FAR_LAW * limit_s else limit_s, used_s, 1.0)
    scale = (WIDTH - 2) / shown_s
    paths, at = [], 0.0
    for kind, lasts_s in _of_used(used_s, parts_s):
        wide = max(round(lasts_s * scale), 1)
        paths.append((kind, COLOURS[kind], f"M{at * scale + 1:.0f} 14h{wide}"))
        at += lasts_s
    levels = (("mean", air["mean_s"]), ("kept", limit_s - air["kept_urgent_s"]), ("limit", limit_s), ("law", law_s))
    return Drawing(tuple(paths), tuple(Mark(slug, round(level * scale) + 1) for slug, level in levels if level <= shown_s))


def _of_used(used_s: float, parts_s: Mapping[str, float]) -> list[tuple[str, float]]:
    """What was used, shared out as the log of the same hour says: the log is younger than what is kept over a start."""
    logged_s = sum(parts_s.values())
    if not logged_s or not used_s:
        return [("lead", used_s)] if used_s else []
    return [(kind, used_s * part_s / logged_s) for kind, part_s in parts_s.items() if part_s]


def last_hour(history: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of air by kind in the last steps that make an hour."""
    steps = HOUR_S // history["step_s"]
    return {kind: sum(told[-steps:]) for kind, told in history["sent_s"].items()}


def day_columns(air: Mapping[str, Any], history: Mapping[str, Any]) -> Drawing:
    """The last day's air, a column an hour, the kinds on top of each other; lines for the mean share and the limit."""
    by_kind = {kind: _hours(told, HOUR_S // history["step_s"]) for kind, told in history["sent_s"].items()}
    tops = [sum(told[number] for told in by_kind.values()) for number in range(COLUMNS)] if by_kind else [0.0]
    scale = (HEIGHT - 4) / max(*tops, 1.2 * air["mean_s"], 1.0)
    width, floor, paths = WIDTH / COLUMNS, [float(HEIGHT)] * COLUMNS, []
    for kind, told in by_kind.items():
        path = []
        for number, lasts_s in enumerate(told):
            if lasts_s:
                height = max(lasts_s * scale, 1)
                floor[number] -= height
                path.append(f"M{(number + .5) * width:.0f} {floor[number]:.0f}v{height:.0f}")
        paths.append((kind, COLOURS[kind], "".join(path)))
    levels = (("mean", air["mean_s"]), ("limit", air["limit_s"]))
    return Drawing(tuple(paths), tuple(Mark(slug, round(HEIGHT - level * scale)) for slug, level in levels
                                       if level * scale < HEIGHT), wide=10)


def _hours(steps: Sequence[float], an_hour: int) -> list[float]:
    """Sums an hour each, the last one up to now."""
    padded = [0.0] * (COLUMNS * an_hour - len(steps)) + list(steps)
    return [sum(padded[number:number + an_hour]) for number in range(0, COLUMNS * an_hour, an_hour)]


def channel_line(history: Mapping[str, Any]) -> Drawing:
    """How busy the channel was, and from where on packets wait; gaps where nothing was told."""
    steps = _padded(history["channel_use"], 24 * HOUR_S // history["step_s"])
    size = len(steps) // CHANNEL_POINTS
    means = [_mean(steps[number:number + size]) for number in range(0, len(steps), size)]
    width, path, pen = WIDTH / CHANNEL_POINTS, [], False
    for number, use in enumerate(means):
        if use is not None:
            path.append(f"{'L' if pen else 'M'}{(number + .5) * width:.0f} {_height(use)}" + ("" if pen else "h1"))
        pen = use is not None
    marks = Mark("polite", _height(POLITE_USE)), Mark("urgent", _height(URGENT_USE))
    return Drawing((("channel", "#2f7ed8", "".join(path)),), marks, wide=2)


def _padded(steps: Sequence[float | None], length: int) -> list[float | None]:
    return [None] * (length - len(steps)) + list(steps)


def _height(use: float) -> int:
    return round(HEIGHT - min(use, CHANNEL_TOP) / CHANNEL_TOP * (HEIGHT - 4))


def _mean(told: Iterable[float | None]) -> float | None:
    known = [use for use in told if use is not None]
    return math.fsum(known) / len(known) if known else None


def channel_figures(history: Mapping[str, Any]) -> tuple[float, float] | None:
    """The mean and the most of the day's use of the channel, None if nothing was told."""
    known = [use for use in history["channel_use"] if use is not None]
    return (math.fsum(known) / len(known), max(known)) if known else None


def bars(snr_db: float | None) -> int:
    """Of a signal: 0 to 4 bars."""
    return 0 if snr_db is None else sum(snr_db >= level for level in BARS_FROM_DB)

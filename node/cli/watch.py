"""`archipel watch`: the radio of the running island, drawn anew every two seconds."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import wrap
from types import FrameType
from typing import Any

import click

from node.board import air_words
from node.cli.air_lines import (
    bar,
    clock_of,
    cut,
    heard_table,
    packet_words,
    percent,
    queued_words,
    radio_words,
    spark,
)
from node.cli.help import command
from node.cli.language import _, ngettext, worded
from node.cli.options import ask, config_option, settings_of

PERIOD_S = 2.0
WIDTH, HEIGHT = 80, 24  # where nobody tells how large the terminal is
BAR_CELLS, LABEL_CELLS = 30, 9
ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"  # another screen without a cursor, and back (xterm)
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
BUSY_TOP = 0.5  # of the channel: a full block


@command()
@config_option
@click.option("--once", is_flag=True, help="Show it once, and end.")
def watch(config: Path | None, once: bool) -> None:
    """Watch what the radio does.

    Air used and left, who is heard, what waits and why, the last packets; drawn anew every two seconds. Ctrl-C ends it.
    """
    settings = settings_of(config)
    told = ask(settings, "status")
    if once:
        click.echo("\n".join(frame(told, *_size())))
        return
    with _screen() as show:
        while True:
            show(frame(told, *_size()))
            time.sleep(PERIOD_S)  # noqa: TID251 - a command waits
            try:
                told = ask(settings, "status")
            except click.ClickException as gone:  # it may be starting anew
                told = told | {"away": gone.message}


def _size() -> tuple[int, int]:
    found = shutil.get_terminal_size((WIDTH, HEIGHT))
    return found.columns, found.lines


@contextmanager
def _screen() -> Iterator[Callable[[list[str]], None]]:
    """What draws a frame: in place at a terminal, one below the other elsewhere. Ctrl-C and SIGTERM end it well."""
    in_place = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
    before = signal.signal(signal.SIGTERM, _end)
    try:
        if in_place:
            click.echo(ENTER, nl=False)
        yield _draw if in_place else _list
    except (KeyboardInterrupt, _Ended):
        pass
    finally:
        signal.signal(signal.SIGTERM, before)
        if in_place:
            click.echo(LEAVE, nl=False)


class _Ended(BaseException):
    """SIGTERM came."""


def _end(number: int, where: FrameType | None) -> None:
    raise _Ended


def _draw(lines: list[str]) -> None:
    ends = f"{REST_OF_LINE}\r\n"
    click.echo(HOME + ends.join(lines) + REST_OF_LINE + REST_OF_SCREEN, nl=False)


def _list(lines: list[str]) -> None:
    click.echo("\n".join(lines), nl=False)
    click.echo("\n")


def frame(told: Mapping[str, Any], width: int, height: int) -> list[str]:
    """The status as lines that fit a terminal of so many cells and lines."""
    link = next((link for link in told["links"] if "airtime" in link), None)
    head = [_head(told)]
    if told.get("away"):
        head.append(f"! {told['away']}")
    if link is None:
        return [cut(line, width) for line in [*head, _("This island has no radio.")]][:height]
    clock = clock_of(told)
    head += _about_radio(link, clock, width) + _figures(link)
    title, *heard = heard_table(link["neighbours"], width)
    parts = [
        (title, heard, _("No other island is heard by radio.")),
        (_("WAITS"), [queued_words(row, clock) for row in link["queue"]["rows"]], _("Nothing waits.")),
        (_("LAST PACKETS"), list(map(packet_words, link["packets"])), _("None since this start.")),
    ]
    body = _shared([rows or [f"  {none}"] for _name, rows, none in parts], height - len(head) - len(parts))
    lines = [*head]
    for (name, every, _none), rows in zip(parts, body, strict=True):
        lines += [f"{name} {_count(len(rows), len(every))}".rstrip(), *rows]
    return [cut(line, width) for line in lines][:height]


def _count(shown: int, every: int) -> str:
    return f"({shown}/{every})" if every > shown else ""


def _head(told: Mapping[str, Any]) -> str:
    records = ngettext("%(num)s record", "%(num)s records", told["records"])
    return f"{told['name']} · {records} · {clock_of(told)(0)}"


def _about_radio(link: Mapping[str, Any], clock: Callable[[float], str], width: int) -> list[str]:
    """What radio it is, when the next packet goes and why."""
    air = link["airtime"]
    lines = [_line(_("radio"), radio_words(link))]
    if link["state"] in air_words.STATE_REMEDIES and not link["up"]:
        lines.append(_line("", f"→ {_(air_words.STATE_REMEDIES[link['state']])}"))
    first, *more = wrap(worded(air_words.next_packet(link, clock)), max(width - LABEL_CELLS, LABEL_CELLS))
    lines += [_line(_("next"), first), *(_line("", line) for line in more)]
    if air["hold"] in air_words.HOLD_REMEDIES:
        lines.append(_line("", f"→ {_(air_words.HOLD_REMEDIES[air['hold']])}"))
    return lines + [_line("", worded(wish)) for wish in air_words.wishes(air, clock)]


def _figures(link: Mapping[str, Any]) -> list[str]:
    """The air of hour and day, and the channel, as bars."""
    air, history, radio = link["airtime"], link["history"], link["radio"]
    kept = 1 - air["kept_urgent_s"] / (air["limit_s"] or 1)
    known = [use for use in history["channel_use"] if use is not None]
    hour = _("%(used)s of %(limit)s s, law %(law)s, mean %(mean)s", used=_s(air["used_s"]), limit=_s(air["limit_s"]),
             law=_s(air["law_s"]), mean=_s(air["mean_s"]))
    saved = _("%(saved)s of %(most)s s", saved=_s(air["saved_s"]), most=_s(air["most_saved_s"]))
    lines = [_line(_("hour"), f"{bar(air['used_s'] / (air['limit_s'] or 1), kept, BAR_CELLS)} {hour}"),
             _line(_("saved"), f"{bar(air['saved_s'] / (air['most_saved_s'] or 1), 1.0, BAR_CELLS)} {saved}"),
             _line(_("day"), f"{_day(history):{BAR_CELLS}} {_by_kind(history)}")]
    if known:
        drawn = f"{spark(history['channel_use'], BUSY_TOP, BAR_CELLS):>{BAR_CELLS}}"
        lines.append(_line(_("channel"), f"{drawn} " + _(
            "busy %(now)s, mean %(mean)s, most %(most)s", now=percent(radio["channel_use"] or 0),
            mean=percent(sum(known) / len(known)), most=percent(max(known)))))
    return lines


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL_CELLS}}{text}"


def _s(seconds: float) -> str:
    return f"{seconds:.0f}"


def _day(history: Mapping[str, Any]) -> str:
    steps = [sum(told) for told in zip(*history["sent_s"].values(), strict=True)]
    return spark(steps, max(steps, default=0.0), BAR_CELLS)


def _by_kind(history: Mapping[str, Any]) -> str:
    told = [f"{worded(air_words.worded_slug(air_words.SENT, kind))} {_s(seconds)}"
            for kind, seconds in history["total_s"].items() if seconds]
    return _("%(seconds)s s: %(kinds)s", seconds=_s(sum(history["total_s"].values())), kinds=_(", ").join(told) or "–")


def _shared(lists: Sequence[list[str]], room: int) -> list[list[str]]:
    """As many rows of each list as there is room for, in turn: who has few leaves its place to the others."""
    counts = [0] * len(lists)
    while room > 0 and any(count < len(rows) for count, rows in zip(counts, lists, strict=True)):
        for number, rows in enumerate(lists):
            if room > 0 and counts[number] < len(rows):
                counts[number] += 1
                room -= 1
    return [rows[:count] for rows, count in zip(lists, counts, strict=True)]


COMMANDS = (watch,)

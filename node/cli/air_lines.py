"""What the radio does, as lines for a terminal: for `archipel status` and `archipel watch`."""

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from node.board import air_words
from node.cli.language import _, ngettext, worded
from node.model.clock import seconds_of

BLOCKS = " ▁▂▃▄▅▆▇█"
TROUBLE_CELLS, NAME_CELLS = 16, 12  # of a neighbour's line
FEW = 4  # neighbours, and rows of the queue, that `archipel status` tells one by one


def clock_of(told: Mapping[str, Any]) -> Callable[[float], str]:
    """Writes what this machine's time zone says so many seconds after the status was told."""
    now = datetime.fromtimestamp(seconds_of(told["clock"]["now"]))
    return lambda ahead_s: (now + timedelta(seconds=ahead_s)).strftime("%H:%M")


def air_lines(link: Mapping[str, Any], clock: Callable[[float], str]) -> Iterator[str]:
    """Below the line of a radio: when the next packet may go and why, what waits, who is heard."""
    yield f"    {worded(air_words.next_packet(link, clock))}"
    yield from (f"    {worded(wish)}" for wish in air_words.wishes(link["airtime"], clock))
    for row in link["queue"]["rows"][:FEW]:
        yield f"    {queued_words(row, clock)}"
    for one in link["neighbours"][:FEW]:
        yield f"    {neighbour_words(one)}"
        if ear := air_words.ear(one):
            yield f"        {worded(ear.what)} → {worded(ear.remedy)}"


def queued_words(row: Mapping[str, Any], clock: Callable[[float], str]) -> str:
    """One record that waits."""
    kind = worded(air_words.worded_slug(air_words.QUEUED, row["kind"]))
    when = worded(air_words.moment(row["wait_s"], clock))
    packets = ngettext("%(num)s packet", "%(num)s packets", row["packets"])
    why = f": {worded(air_words.hold(row['hold']))}" if row["hold"] else ""
    return f"{kind} · {packets} · {worded(air_words.ago(row['age_s']))} · {when}{why}"


def neighbour_words(one: Mapping[str, Any]) -> str:
    """One neighbour."""
    way = _("directly") if not one["relays"] else ngettext("through %(num)s relay", "through %(num)s relays", one["relays"])
    parts = [name_of(one), way]
    if one["snr_db"] is not None:
        parts += [f"SNR {one['snr_db']:.1f} dB", f"RSSI {one['rssi_dbm']} dBm"]
    parts += [worded(air_words.ago(one["heard_s_ago"])), _("%(part)s lost", part=percent(one["loss"])),
              _("hears us: %(answer)s", answer=worded(air_words.heard_by(one)))]
    if not (one["lacks"] and one["set"] == "same"):  # it had the same when it was heard last
        parts.append(worded(air_words.worded_slug(air_words.VIEWS, one["set"])))
    if one["lacks"]:
        parts.append(ngettext("lacks %(num)s record of ours", "lacks %(num)s records of ours", one["lacks"]))
    return _(", ").join(parts)


def heard_table(neighbours: Sequence[Mapping[str, Any]], width: int) -> list[str]:
    """A line a neighbour, below one with the heads; how long ago in seconds, minutes or hours. What is wrong ends it."""
    heads = ("SNR", "RSSI", _("relays"), _("ago"), _("lost"), _("hears us"), _("lacks"))
    rows = [(_number(one["snr_db"]), _number(one["rssi_dbm"]), str(one["relays"]), _span(one["heard_s_ago"]),
             percent(one["loss"]), worded(air_words.heard_by(one)), str(one["lacks"])) for one in neighbours]
    sizes = [max(map(cells, column)) for column in zip(heads, *rows, strict=True)]
    room = max(width - sum(sizes) - len(heads) - TROUBLE_CELLS, NAME_CELLS)
    lines = []
    for name, row, one in [(_("HEARD"), heads, None), *zip(map(name_of, neighbours), rows, neighbours, strict=True)]:
        trouble = air_words.ear(one) if one else None
        told = " ".join(f"{text:>{size}}" for text, size in zip(row, sizes, strict=True))
        lines.append(f"{_padded(cut(name, room), room)} {told} {worded(trouble.what) if trouble else ''}".rstrip())
    return lines


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _span(seconds: int) -> str:
    if seconds < 2 * air_words.MINUTE_S:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 2 * air_words.HOUR_S else f"{seconds // 3600} h"


def packet_words(one: Mapping[str, Any]) -> str:
    """One packet: which way, how long ago, its figures, what became of it; what it says comes last, where a line is cut."""
    parts = [f"{'↑' if one['sent'] else '↓'} {_span(one['s_ago'])}", f"{one['size_bytes']} B", f"{one['airtime_s']:.1f} s"]
    if one["sent"]:
        parts.append(worded(air_words.worded_slug(air_words.OUTCOMES, one["outcome"])))
    else:
        parts += [name_of(one), *([] if one["snr_db"] is None else [f"{one['snr_db']:.1f} dB"])]
    says = _(", ").join(worded(air_words.section(slug, number)) for slug, number in one["sections"])
    return " · ".join([*filter(None, parts), says])


def radio_words(link: Mapping[str, Any]) -> str:
    """The radio itself."""
    radio = link["radio"]
    parts = [worded(air_words.state(link["state"])), radio["node"], radio["firmware"], radio["region"], radio["preset"]]
    parts.append(f"{radio['frequency_mhz']} MHz" if radio["frequency_mhz"] else "")
    battery = radio.get("battery")
    parts.append("" if battery is None else _("fed from outside") if battery > 1 else percent(battery))
    parts += [f"{radio['voltage_v']:.2f} V" if "voltage_v" in radio else "",
              f"{radio['temperature_c']} °C" if "temperature_c" in radio else ""]
    if radio["signature_policy"]:
        parts.append(worded(air_words.worded_slug(air_words.POLICIES, radio["signature_policy"])))
    return " · ".join(filter(None, parts))


def name_of(one: Mapping[str, Any]) -> str:
    """An island by its name, with the four digits that it has on the air."""
    return f"{one['island']} ({one['name']})" if one["island"] else str(one["name"])


def percent(part: float) -> str:
    """A part of 1."""
    return f"{100 * part:.0f} %"


def bar(filled: float, kept: float, width: int) -> str:
    """A bar of `width` cells: how much of it is filled, and from which part on it is kept for others."""
    full, free = round(min(filled, 1.0) * width), round(min(kept, 1.0) * width)
    return "█" * full + "".join("░" if cell < free else "▒" for cell in range(full, width))


def spark(values: Sequence[float | None], top: float, width: int) -> str:
    """Values as a row of blocks, the newest at the right, `top` or more a full one; what is unknown is blank."""
    step = max(len(values) / width, 1.0)
    parts = [values[int(at * step):max(int((at + 1) * step), int(at * step) + 1)] for at in range(min(width, len(values)))]
    return "".join(_block(max((one for one in cell if one is not None), default=None), top) for cell in parts)


def _block(value: float | None, top: float) -> str:
    if value is None:
        return " "
    return BLOCKS[max(min(round(value / (top or 1) * (len(BLOCKS) - 1)), len(BLOCKS) - 1), 1 if value else 0)]


def cut(text: str, width: int) -> str:
    """A text of `width` cells at most."""
    if cells(text) <= width:
        return text
    while cells(text) >= width:
        text = text[:-1]
    return f"{text}…"


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def cells(text: str) -> int:
    """How many cells a terminal gives it: some letters take two, and marks none."""
    return sum(0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
               for letter in text)

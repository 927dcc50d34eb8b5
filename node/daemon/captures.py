"""Captures: the shape of what came and went by air, broker and network, without what anybody wrote (docs/captures.md).

A file of lines, each a JSON object whose `is` says what it is. Records, keys, islands and radios are numbers that count
from one within the capture (0 is the island that made it), times are milliseconds since its beginning, sizes come in
steps of eight octets. A capture may come from anybody: whatever is not as here raises RemoteFault, and nothing else.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from node.model.errors import RemoteFault
from node.model.record import MAX_RECORD_BYTES, Kind

VERSION = 1
MAX_LINE_OCTETS = 4_096  # a packet of 231 B says at most 223 things, in 9 characters each
MAX_LINES, MAX_OCTETS = 50_000, 4 << 20
MAX_MINUTES = 720
STEP_OCTETS = 8  # so that nobody finds a post by its length
MAX_NUMBER = 0xFFFF
MAX_MS = MAX_MINUTES * 60_000 + 600_000  # an end may be late
MAX_SAID = 256
MOST_DB, MOST_DBM = 99, 999

Entry = dict[str, Any]
Check = Callable[[Any], bool]
SLUG = re.compile(r"[a-z][a-z0-9 -]{0,47}")


@dataclass(frozen=True)
class Capture:
    """One capture: its first line, and the others in order. `whole`: it has its end, which is the last of them."""

    head: Entry
    entries: tuple[Entry, ...]

    @property
    def whole(self) -> bool:
        """Whether nothing of it is missing."""
        return bool(self.entries) and self.entries[-1]["is"] == "end"

    def of(self, kind: str) -> Iterator[Entry]:
        """The entries of one kind."""
        return (entry for entry in self.entries if entry["is"] == kind)


def steps(octets: int) -> int:
    """A size as a capture tells it."""
    return octets - octets % STEP_OCTETS


def line_of(entry: Entry) -> bytes:
    """An entry as a line."""
    return json.dumps(entry, separators=(",", ":")).encode() + b"\n"


def read_capture(stream: BinaryIO) -> Capture:
    """The capture in an open file; raises RemoteFault for what is none, is too large or broken. A last line that was cut
    off is left out."""
    lines: list[bytes] = []
    size = 0
    while line := stream.readline(MAX_LINE_OCTETS + 1):
        size += len(line)
        if len(line) > MAX_LINE_OCTETS or size > MAX_OCTETS or len(lines) > MAX_LINES:
            raise RemoteFault("capture-size")
        if line.endswith(b"\n"):
            lines.append(line)
    if not lines:
        raise RemoteFault("capture-empty")
    head, *entries = map(_entry, lines)
    if head["is"] != "capture":
        raise RemoteFault("capture-head")
    if any(entry["is"] == "capture" for entry in entries) or any(entry["is"] == "end" for entry in entries[:-1]):
        raise RemoteFault("capture-order")
    return Capture(head, tuple(entries))


def _entry(line: bytes) -> Entry:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RemoteFault("capture-line") from error
    if not isinstance(entry, dict):
        raise RemoteFault("capture-line")
    if entry.get("is") == "capture" and entry.get("version") != VERSION:
        raise RemoteFault("capture-version")
    if not is_sound(entry):
        raise RemoteFault("capture-entry")
    return entry


def is_sound(entry: Entry) -> bool:
    """Whether it is as SHAPES says."""
    kind = entry.get("is")
    needed, allowed = SHAPES.get(kind, ({}, {})) if isinstance(kind, str) else ({}, {})
    checks = needed | allowed
    return bool(needed) and needed.keys() <= entry.keys() and all(
        name in checks and checks[name](value) for name, value in entry.items())


def _whole(least: int, most: int) -> Check:
    return lambda value: type(value) is int and least <= value <= most


def _word(value: Any) -> bool:
    return isinstance(value, str) and SLUG.fullmatch(value) is not None


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _list_of(check: Check, most: int) -> Check:
    return lambda value: isinstance(value, list) and len(value) <= most and all(map(check, value))


def _counts(value: Any) -> bool:
    return (isinstance(value, dict) and len(value) <= MAX_SAID and all(map(_word, value))
            and all(map(_whole(0, 1 << 32), value.values())))


NUMBER, FLAG, HOURS, HOPS = _whole(0, MAX_NUMBER), _whole(1, 1), _whole(-0x8000, 0x8000), _whole(0, 15)
FRESH, PARTS = _whole(0, 1), _whole(2, 16)
# By section of a packet (docs/protocol.md, 5.2): what follows its name, and what then may come so and so many times.
SAID: dict[str, tuple[tuple[Check, ...], Check, int]] = {
    "whole": ((NUMBER, FRESH), NUMBER, 0),  # record, whether fresh
    "piece": ((NUMBER, PARTS, _whole(0, 254), FRESH), NUMBER, 0),  # record, of how many parts, index, whether fresh
    "sum": ((HOURS, NUMBER, _whole(1, 40)), NUMBER, 0),  # hour from ours on, records, capacity
    "have": ((HOURS, NUMBER, _whole(1, 255), _whole(0, 8), NUMBER), NUMBER, 2),  # hour, records, octets, depth, responders
    "need": ((NUMBER, _whole(1, 31)), NUMBER, 0),  # responder, records
    "more": ((NUMBER, NUMBER, PARTS, HOPS), NUMBER, 0),  # responder, record, parts, missing
    "near": ((), NUMBER, 15),  # islands that are heard
}


def _said(value: Any) -> bool:
    if not isinstance(value, list) or not value or not isinstance(value[0], str) or value[0] not in SAID:
        return False
    (checks, check, most), told = SAID[value[0]], value[1:]
    more = len(told) - len(checks)
    return 0 <= more <= most and all(one(it) for one, it in zip((*checks, *[check] * more), told, strict=True))


_AT = {"is": _word, "at": _whole(0, MAX_MS)}
_WAY = {"node": NUMBER, "hops": HOPS, "left": HOPS, "relay": NUMBER, "snr": _whole(-MOST_DB, MOST_DB),
        "rssi": _whole(-MOST_DBM, MOST_DBM)}
_PACKET = {"says": _list_of(_said, MAX_SAID), "refused": _word, "octets": _whole(0, 4_096), "puts": NUMBER,
           "clears": NUMBER, "strict": FLAG}
KINDS = tuple(kind.name.lower() for kind in Kind)
LAN_WAYS = ("asked", "answered", "asking", "told", "refused")  # by them, by us, by us, by them; what was no good
# Of each kind of entry: what it must have, what it may have.
SHAPES: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
    "capture": ({"is": _word, "version": _whole(VERSION, VERSION), "up": _list_of(_word, 16)}, {}),
    "record": (_AT | {"number": NUMBER}, {
        "kind": _one_of(*KINDS), "octets": _whole(0, MAX_RECORD_BYTES), "author": NUMBER, "about": NUMBER, "whom": NUMBER,
        "corrects": FLAG, "urgent": FLAG, "held": FLAG}),
    "heard": (_AT | {"link": _word}, _WAY | _PACKET | {"island": NUMBER, "again": NUMBER}),
    "sent": (_AT | {"link": _word, "label": _word}, _PACKET | {"hops": HOPS, "to": NUMBER}),
    "done": (_AT | {"link": _word, "outcome": _word}, {}),
    "link": (_AT | {"link": _word, "up": _whole(0, 1)}, {}),
    "became": (_AT | {"record": NUMBER, "via": _word, "reason": _word}, {"bulk": FLAG}),
    "lan": (_AT | {"way": _one_of(*LAN_WAYS)}, {
        "about": _one_of("compare", "trade"), "same": FLAG, "later": FLAG, "ids": _whole(0, 1 << 20),
        "brings": _list_of(NUMBER, MAX_SAID), "more": _whole(0, 1 << 20), "reason": _word}),
    "end": (_AT | {"why": _one_of("time", "asked", "full", "trouble"), "counted": _counts,
                   "left-out": _whole(0, 1 << 32)}, {}),
}

"""What an island keeps of the time across a restart (docs/store.md, "Time"): how long it was off, nobody knows."""

from dataclasses import replace
from typing import Any, NamedTuple

from node.daemon.timerules import (
    CONTRADICTS_S,
    FURTHEST_S,
    SURE,
    THE_MACHINE,
    Anchor,
    Before,
    Floor,
    Knowledge,
    RisingFloor,
    TimeClaim,
    TimeSource,
    TimeSpan,
    hear,
)


class MachineTime(NamedTuple):
    """The machine's own clock, and whether it has one that runs on while the power is off."""

    utc: float
    battery: bool


def started(kept: object, machine: MachineTime, mono: float, least: float) -> Knowledge:
    """What an island knows at its start: what it `kept` (`as_json`, None at the first one), and its machine's clock.

    At the first start nothing can be hidden yet: a machine's clock that may be right is then taken, and vouches for the
    time if it has a battery (one that was empty says 1970, or some year before the release).
    """
    note = kept if isinstance(kept, dict) else {}
    floor = Floor(least, SURE)
    if isinstance(note.get("floor"), list):
        floor = max(floor, Floor(*note["floor"]), key=lambda one: one.utc)
    seen = float(note.get("seen", 0))
    if not least <= seen <= least + FURTHEST_S:
        seen = machine.utc if not note and least <= machine.utc <= least + FURTHEST_S / 2 else least
    floor = replace(floor, at=mono)
    utc = max(seen, floor.utc)
    anchor = _anchor_of(note.get("anchor") or ["floor", utc, utc], mono)
    rising = _rising_of(note["rising"], mono) if note.get("rising") else None
    before = _before_of(note["before"], mono) if note.get("before") else None
    known = Knowledge(utc, mono, TimeSource.FLOOR, "", anchor, floor, least, rising, before=before,
                      machine=note.get("machine") is True)
    if not note and machine.battery and utc == machine.utc:
        return replace(known, source=TimeSource.MACHINE, who=THE_MACHINE.who)
    return _with_machine(known, machine) if machine.utc > utc else known


def _with_machine(known: Knowledge, machine: MachineTime) -> Knowledge:
    """A clock with a battery vouches for the time if it was right when the island last was sure. Any other one has at best
    the time of a file: it brings the island over a short break, and vouches for nothing."""
    proven = known.machine and machine.battery
    span = TimeSpan(machine.utc, machine.utc)
    heard = hear(known, TimeClaim(TimeSource.MACHINE, *THE_MACHINE, span, known.at, known.at, settled=proven))
    return heard if proven else replace(heard, source=TimeSource.FLOOR, who="", claims=())


def as_json(known: Knowledge, mono: float, machine_utc: float) -> dict[str, object]:
    """What to keep, as of `mono`; whole seconds."""
    rising, before = known.rising, known.before
    note: dict[str, object] = {
        "floor": [round(known.floor.utc), known.floor.worth], "seen": round(known.now(mono)),
        "anchor": _anchor_json(known.anchor, mono),
        "machine": abs(machine_utc - known.now(mono)) <= CONTRADICTS_S if known.sure else known.machine,
    }
    if rising:
        note["rising"] = [round(rising.utc), rising.worth, round(rising.run_s + mono - rising.at)]
    if before:
        note["before"] = {"utc": round(before.utc + mono - before.at), "anchor": _anchor_json(before.anchor, mono),
                          "floor": [round(before.floor.utc), before.floor.worth]}
    return note


def _anchor_json(anchor: Anchor, mono: float) -> list[object]:
    span = anchor.by(mono)
    return [anchor.source.name.lower(), round(span.earliest), round(span.latest)]


def _anchor_of(kept: list[Any], mono: float) -> Anchor:
    source, earliest, latest = kept
    return Anchor(TimeSource[source.upper()], TimeSpan(earliest, latest), mono, kept=True)


def _rising_of(kept: list[Any], mono: float) -> RisingFloor:
    utc, worth, run_s = kept
    return RisingFloor(utc, worth, run_s, mono)


def _before_of(kept: dict[str, Any], mono: float) -> Before:
    return Before(kept["utc"], mono, TimeSource.FLOOR, "", _anchor_of(kept["anchor"], mono), Floor(*kept["floor"]))

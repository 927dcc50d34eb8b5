"""`archipel doctor`: the findings of `node.daemon.checkup` at a terminal, a line each."""

from collections.abc import Iterator
from itertools import chain

import click

from node.board.care import Finding, Level
from node.cli.language import worded
from node.cli.serve import PortTaken, check_free
from node.daemon.checkup import examine, of_settings, running_status
from node.daemon.settings_reader import SettingsReading


def examined(reading: SettingsReading) -> Iterator[Finding]:
    """Every finding about the settings and the island that they lead to, as it is made."""
    settings = reading.settings
    return chain(of_settings(reading), examine(settings, running_status(settings.node.data), port_taken))


def port_taken(listen: tuple[str, int]) -> Finding | None:
    """What is the matter if the portal could not listen at (host, port)."""
    try:
        check_free(listen)
    except PortTaken as taken:
        return Finding(Level.BAD, taken.sentence, taken.remedy)
    return None


def lines(finding: Finding) -> list[str]:
    """It as a person reads it."""
    sign, colour = {Level.OK: ("✓", "green"), Level.NOTE: ("–", None), Level.BAD: ("✗", "red")}[finding.level]
    remedy = [f"    → {worded(finding.remedy)}"] if finding.remedy else []
    return [f"{click.style(sign, fg=colour)} {worded(finding.what)}", *remedy]


def as_told(finding: Finding) -> dict[str, str | None]:
    """It as a program reads it."""
    return {"about": finding.about, "level": finding.level, "what": worded(finding.what),
            "remedy": worded(finding.remedy) if finding.remedy else None}

"""`archipel gather`: the sources that keepers have approved, and how they fare; with `--once` they are asked now."""

import time
from pathlib import Path
from typing import Any

import click

from node.cli.help import command
from node.cli.language import _, say, worded
from node.cli.options import WholeNumber, ask, config_option, json_option, settings_of, tell_json
from node.daemon.settings import Settings
from node.i18n.sentence import Sentence

LOOK_S = 0.3


@command()
@config_option
@click.option("--once", is_flag=True, help="Ask them all now, whatever their hour is, and wait for it.")
@click.option("--wait", type=WholeNumber(1, 3_600), metavar="SECONDS", default=300, show_default=True,
              help="How long to wait with --once.")
@json_option
def gather(config: Path | None, once: bool, wait: int, as_json: bool) -> None:
    """Show the sources that are asked by themselves.

    Keepers approve them on their desk (/keeper/gather): agendas, news and alerts of others. The island asks them every few
    hours while it has the internet.
    """
    settings = settings_of(config)
    sources = _asked(settings, wait) if once else ask(settings, "gather")
    if as_json:
        tell_json({"sources": [source | {"said": _said(source)} for source in sources]})
        return
    if not sources:
        say("No source is approved yet. Keepers do that on their desk: /keeper/gather")
    for source in sources:
        click.echo(f"{source['name'] or source['address']}: {_state(source)}")
    if any(source["asking"] for source in sources):
        say("Some of it is still under way; it goes on by itself.")


def _asked(settings: Settings, wait: int) -> list[dict[str, Any]]:
    """How they fare once all were asked, or after `wait` seconds."""
    ask(settings, "gather-now")
    until = time.monotonic() + wait
    sources = ask(settings, "gather")
    while any(source["asking"] for source in sources) and time.monotonic() < until:
        time.sleep(LOOK_S)  # noqa: TID251 - a command waits for others
        sources = ask(settings, "gather")
    return list(sources)


def _said(source: dict[str, Any]) -> str:
    return worded(Sentence.of(source["said"])) if source["said"] else ""


def _state(source: dict[str, Any]) -> str:
    if source["paused"]:
        return _("paused.")
    if source["asking"]:
        return _("it is being asked.")
    said = _said(source) or _("not asked yet since the island started.")
    wait = source["wait_min"] or 0
    return f"{said} {_('Next in %(hours)s h %(minutes)s min.', hours=wait // 60, minutes=wait % 60)}" if wait else said


COMMANDS = (gather,)

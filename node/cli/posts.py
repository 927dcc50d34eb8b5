"""The commands about what is on the board: `archipel post`, `list`. They ask the island that runs."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node.cli.help import command
from node.cli.language import _, ngettext, say
from node.cli.options import MOMENT, ask, config_option, minute_of_local, settings_of
from node.model.clock import seconds_of


@command()
@config_option
@click.argument("text", required=False)
@click.option("--urgent", is_flag=True, help="Mark it as urgent, if this island has been given the right.")
@click.option("--days", type=click.IntRange(1, 90), metavar="DAYS", default=14, show_default=True,
              help="How long a bulletin lasts.")
@click.option("--title", help="Makes it an event, with --start.")
@click.option("--start", type=MOMENT, metavar="'YYYY-MM-DD HH:MM'",
              help="When the event starts, as this machine's clock shows.")
@click.option("--end", type=MOMENT, metavar="'YYYY-MM-DD HH:MM'", help="When it ends; if not given, that is not said.")
@click.option("--place", default="", help="Where it takes place.")
def post(config: Path | None, text: str | None, **given: Any) -> None:
    """Post a bulletin or an event.

    The text is TEXT, or what comes on standard input.
    """
    draft = {key: value for key, value in given.items() if value not in (None, "", False)}
    draft["text"] = text if text is not None else sys.stdin.read().strip()
    for key in ("start", "end"):
        if key in draft:
            draft[key] = minute_of_local(draft[key])
    if ("title" in draft) != ("start" in draft):
        raise click.ClickException(_("an event needs both --title and --start."))
    told = ask(settings_of(config), "post", draft=draft)
    click.echo(ngettext("Posted %(id)s: %(bytes)s bytes, %(num)s packet, %(seconds)s s of air.",
                        "Posted %(id)s: %(bytes)s bytes, %(num)s packets, %(seconds)s s of air.", told["packets"],
                        id=told["id"], bytes=told["record_bytes"], seconds=f"{told['airtime_s']:.1f}"))
    say("To correct or withdraw it: %(code)s", code=told["word"])


@command("list")
@config_option
@click.option("--limit", type=click.IntRange(1, 1000), metavar="NUMBER", default=20, show_default=True,
              help="How many at most.")
def list_(config: Path | None, limit: int) -> None:
    """Show coming events and the newest bulletins."""
    told = ask(settings_of(config), "list", limit=limit)
    for item in told:
        when = datetime.fromtimestamp(seconds_of(item["start"] or item["created"])).strftime("%Y-%m-%d %H:%M")
        mark = "!" if item["urgent"] else " "
        headline = _("[cancelled] %(title)s", title=item["headline"]) if item.get("cancelled") else item["headline"]
        click.echo(f"{item['id'][:8]} {mark} {when}  {headline}")
    if not told:
        say("Nothing yet.")


COMMANDS = (post, list_)

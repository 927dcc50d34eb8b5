"""The commands about what is on the board: `archipel post`, `list`. They ask the island that runs."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node.cli.i18n import say
from node.cli.options import MOMENT, ask, config_option, minute_of_local, settings_of
from node.model.clock import seconds_of


@click.command()
@config_option
@click.argument("text", required=False)
@click.option("--urgent", is_flag=True)
@click.option("--days", type=click.IntRange(1, 90), default=14, show_default=True, help="How long a bulletin lasts.")
@click.option("--title", help="Makes it an event, with --start.")
@click.option("--start", type=MOMENT, help="When the event starts, as this machine's clock shows.")
@click.option("--end", type=MOMENT)
@click.option("--place", default="")
def post(config: Path | None, text: str | None, **given: Any) -> None:
    """Post a bulletin (TEXT, or what comes on standard input), or an event."""
    draft = {key: value for key, value in given.items() if value not in (None, "", False)}
    draft["text"] = text if text is not None else click.get_text_stream("stdin").read().strip()
    for key in ("start", "end"):
        if key in draft:
            draft[key] = minute_of_local(draft[key])
    if ("title" in draft) != ("start" in draft):
        raise click.ClickException("an event needs both --title and --start.")
    told = ask(settings_of(config), "post", draft=draft)
    say(f"Posted {told['id']}: {told['record_bytes']} bytes, {told['packets']} packet{'s' * (told['packets'] > 1)}, "
               f"{told['airtime_s']:.1f} s of air.")
    say(f"To correct or withdraw it: {told['word']}")


@click.command("list")
@config_option
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_(config: Path | None, limit: int) -> None:
    """Coming events and the newest bulletins."""
    told = ask(settings_of(config), "list", limit=limit)
    for item in told:
        when = datetime.fromtimestamp(seconds_of(item["start"] or item["created"])).strftime("%Y-%m-%d %H:%M")
        mark = "!" if item["urgent"] else " "
        click.echo(f"{item['id'][:8]} {mark} {when}  {item['headline']}")
    if not told:
        say("Nothing yet.")


COMMANDS = (post, list_)

"""The command `archipel confirm`: what another island marked as urgent is so, as the keepers of this one know."""

from pathlib import Path

import click

from node.cli.help import command
from node.cli.language import ngettext, say
from node.cli.options import ask, config_option, json_option, post_id, settings_of, tell_json
from node.cli.posts import reason_option


@command()
@config_option
@click.argument("post", metavar="ID|ADDRESS")
@click.option("--back", is_flag=True, help="Take it back: this island no longer confirms it.")
@reason_option
@json_option
def confirm(config: Path | None, post: str, back: bool, reason: str, as_json: bool) -> None:
    """Confirm an urgent post of another island.

    Only what you have seen yourself, or heard from who has. Every island then reads that yours says so too; who did it is
    in the audit log here. A corrected post is confirmed anew.
    """
    told = ask(settings_of(config), "confirm", id=post_id(post), holds=not back, reason=reason)
    if as_json:
        tell_json(told)
        return
    if back:
        say("This island no longer confirms it: %(headline)s", headline=told["headline"])
    else:
        say("This island confirms it: %(headline)s", headline=told["headline"])
    confirmed = told["confirmed"]
    if not confirmed:
        return
    if confirmed["enough"]:
        click.echo(ngettext("Confirmed by %(num)s island", "Confirmed by %(num)s islands", len(confirmed["by"])))
    else:
        click.echo(ngettext("Not confirmed yet: %(now)s of %(num)s island", "Not confirmed yet: %(now)s of %(num)s islands",
                            confirmed["needed"], now=len(confirmed["by"])))


COMMANDS = (confirm,)

"""The commands about what is on the board: `archipel post`, `hide`, `retract`. They ask the island that runs."""

from pathlib import Path
from typing import Any

import click

from node.board import explanations
from node.board.reasons import WaitReason, as_reason
from node.cli.help import command
from node.cli.language import _, ngettext, say, worded
from node.cli.options import (
    WholeNumber,
    ask,
    config_option,
    json_option,
    post_id,
    settings_of,
    tell_json,
    typed_text,
)

reason_option = click.option("--reason", default="", help="Why, for the other keepers to read.")


@command()
@config_option
@click.argument("text", required=False)
@click.option("--urgent", is_flag=True, help="Mark it as urgent, if this island has been given the right.")
@click.option("--days", type=WholeNumber(1, 90), metavar="DAYS", default=14, show_default=True,
              help="How long a bulletin lasts.")
@click.option("--title", help="Makes it an event, with --start.")
@click.option("--start", metavar="'DAY HOUR'",
              help="When the event starts, by the island's clocks: '2026-12-05 18:30', '5/12 18h', 'saturday 6:30 pm'.")
@click.option("--end", metavar="'DAY HOUR'", help="When it ends, likewise; if not given, that is not said.")
@click.option("--whole-day", is_flag=True, help="It lasts all day, without hours.")
@click.option("--place", default="", help="Where it takes place.")
@click.option("--free", is_flag=True, help="It costs nothing.")
@click.option("--step-free", is_flag=True, help="Nobody meets a step there.")
@click.option("--for-children", is_flag=True, help="It is for children too.")
@click.option("--offer", is_flag=True, help="A bulletin that offers something.")
@click.option("--need", is_flag=True, help="A bulletin that looks for something.")
@click.option("--at", "publish_at", metavar="'DAY HOUR'",
              help="Show it from then on; if not given, now.")
@json_option
def post(config: Path | None, text: str | None, as_json: bool, **given: Any) -> None:
    """Post a bulletin or an event.

    The text is TEXT, or what comes on standard input.
    """
    draft = {key: value for key, value in given.items() if value not in (None, "", False)}
    draft["text"] = text if text is not None else typed_text().strip()
    if ("title" in draft) != ("start" in draft):
        raise click.ClickException(_("an event needs both --title and --start."))
    told = ask(settings_of(config), "post", draft=draft)
    if as_json:
        tell_json(told)
        return
    if told["waiting"]:
        say("Waiting as %(id)s.", id=told["id"])
        click.echo(worded(explanations.waits(as_reason(WaitReason, told["waiting"], WaitReason.RULE))))
    else:
        click.echo(ngettext("Posted %(id)s: %(bytes)s bytes, %(num)s packet, %(seconds)s s of air.",
                            "Posted %(id)s: %(bytes)s bytes, %(num)s packets, %(seconds)s s of air.", told["packets"],
                            id=told["id"], bytes=told["record_bytes"], seconds=f"{told['airtime_s']:.1f}"))
    say("To correct or withdraw it: %(code)s", code=told["word"])


@command()
@config_option
@click.argument("post", metavar="ID|ADDRESS")
@click.option("--show", is_flag=True, help="Show it again.")
@reason_option
def hide(config: Path | None, post: str, show: bool, reason: str) -> None:
    """Stop showing a post on this island only.

    For what others signed, and should not stand here. Other islands go on showing it.
    """
    told = ask(settings_of(config), "hide", id=post_id(post), hidden=not show, reason=reason)
    if show:
        say("It is shown here again: %(headline)s", headline=told["headline"])
    else:
        say("It is shown here no more: %(headline)s", headline=told["headline"])
        say("To show it again: archipel hide %(id)s --show", id=told["root"])


@command()
@config_option
@click.argument("post", metavar="ID|ADDRESS")
@reason_option
@click.option("--undo", is_flag=True, help="Bring it back; that can be done for ten minutes.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def retract(config: Path | None, post: str, reason: str, undo: bool, yes: bool) -> None:
    """Withdraw a post of this island, everywhere.

    It goes from here at once, and after ten minutes from every island. What a group or another island signed can only be
    hidden here: archipel hide.
    """
    settings, item_id = settings_of(config), post_id(post)
    if undo:
        posts = ask(settings, "retract-undo", id=item_id)["posts"]
        click.echo(ngettext("%(num)s post is back.", "%(num)s posts are back, which were withdrawn together.", posts))
        return
    shown = ask(settings, "retract-look", id=item_id)
    if not yes:
        click.confirm(_("Withdraw it everywhere? %(headline)s", headline=shown["headline"]), abort=True)
    told = ask(settings, "retract", id=shown["id"], reason=reason)
    say("It is gone from here, and will be from every island in %(minutes)s minutes.", minutes=told["minutes"])
    say("To bring it back until then: archipel retract %(id)s --undo", id=told["root"])


COMMANDS = (post, hide, retract)

"""`archipel digest`: the week in one text, for a message, a mail, a post elsewhere, a voice."""

from pathlib import Path

import click

from node.board.digest import MOST_MESSAGES, DigestForm
from node.cli.help import command
from node.cli.language import tongue
from node.cli.options import WholeNumber, ask, config_option, settings_of
from node.i18n.catalogue import TAGS


@command()
@config_option
@click.option("--size", type=click.Choice([form.value for form in DigestForm]), default=DigestForm.SMS.value,
              show_default=True, help="For what it is: text messages, 2,000 signs, a mail, a voice.")
@click.option("--parts", type=WholeNumber(1, MOST_MESSAGES), metavar="NUMBER", default=2, show_default=True,
              help="How many text messages it may take, with --size sms.")
@click.option("--lang", type=click.Choice(list(TAGS)), help="In which language; without it, that of this command.")
def digest(config: Path | None, size: str, parts: int, lang: str | None) -> None:
    """Print the week in one text of a chosen size.

    What finds no room is counted, with the address of the board. Into a file: archipel digest > week.txt
    """
    click.echo(ask(settings_of(config), "digest", form=size, parts=parts, lang=lang or tongue()).rstrip("\n"))


COMMANDS = (digest,)

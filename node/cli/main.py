"""The command line, `archipel`: it collects the commands of its sisters, none of which imports it."""

import click

from node import __version__
from node.cli import (
    accounts,
    backups,
    calendar,
    capturing,
    card_writing,
    confirm_post,
    digest_text,
    island,
    keys,
    map_drawing,
    posts,
    publish_copy,
    radio_set,
    reading,
    sources_now,
    sync_now,
    transfer,
    vouching,
    watch,
)
from node.cli.help import SpokenGroup
from node.i18n.sentence import N_


@click.group(cls=SpokenGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="archipel", help=N_("Show the version and exit."))
def main() -> None:
    """An island: a notice board and an agenda that neighbours share without the internet."""


for room in (island, watch, posts, confirm_post, reading, radio_set, sync_now, keys, vouching, accounts, backups, transfer,
             card_writing, calendar, sources_now, map_drawing, digest_text, publish_copy, capturing):
    for command in room.COMMANDS:
        main.add_command(command)

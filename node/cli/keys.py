"""The commands of those who found a set and join one: found, join, newkey."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar

import click

from node.board.concerns import concerns_in
from node.board.keywords import seed_words
from node.cli.help import command
from node.cli.language import _, say, tongue, worded
from node.cli.options import (
    config_option,
    new_passphrase,
    refusal,
    settings_of,
)
from node.daemon import rpc
from node.daemon.file_trouble import told
from node.daemon.keyfiles import KeyFolder, KeyTrouble, write_keeper_key
from node.daemon.settings import Settings
from node.model.keys import SEED_BYTES, SigningKey

Made = TypeVar("Made")


@command()
@config_option
@click.argument("name")
@click.option("--key", "key_file", required=True, type=click.Path(path_type=Path), help="Where to keep the founding key.")
def found(config: Path | None, name: str, key_file: Path) -> None:
    """Found the set NAME with a key kept elsewhere.

    The founding key is kept in a file off this island (on a stick, say), under a passphrase.
    """
    settings = settings_of(config)
    folder = _folder_without_set(settings)
    founder = _troubled(lambda: write_keeper_key(key_file, new_passphrase(name, settings.node.name)))
    charter = folder.found(name, settings.node.name, founder)
    say("Founded “%(name)s”, fingerprint %(fingerprint)s. The founding key is in %(file)s:\n"
        "keep it and its passphrase safe and away from this island; without them nobody can be let in or put out.",
        name=charter.name, fingerprint=charter.set_id.hex(), file=str(key_file))


@command()
@config_option
@click.argument("file", type=click.File("r"))
def join(config: Path | None, file: TextIO) -> None:
    """Join the set that an invitation leads to.

    FILE is the invitation, or - to type it. An island of that set already takes the set's present secret from it.
    """
    settings = settings_of(config)
    try:
        text = file.read()
    except UnicodeDecodeError as error:
        raise click.ClickException(_("%(file)s holds no text.", file=file.name)) from error
    if KeyFolder(settings.node.data).leads_home(text):
        _catch_up(settings, text)
        return
    folder = _folder_without_set(settings)
    charter = _troubled(lambda: folder.join(text, settings.node.name))
    say("Joined “%(set)s” as “%(name)s”. Its fingerprint, to check with the keeper: %(fingerprint)s",
        set=charter.name, name=settings.node.name, fingerprint=charter.set_id.hex())
    for concern in concerns_in({"rights": {"lack": folder.lack(), "by": ()}}):
        click.echo(f"! {worded(concern.what)}\n    → {worded(concern.remedy)}")
    say("Next: archipel run.")


def _catch_up(settings: Settings, text: str) -> None:
    """Take the secret of an invitation into the set that this island is in, whether it runs or not."""
    try:
        rpc.ask(settings.node.data, "catch-up", text=text)
    except rpc.NotRunning:
        _troubled(lambda: KeyFolder(settings.node.data).catch_up(text))
    except rpc.Refused as error:
        raise click.ClickException(refusal(error.reason, error.fields)) from error
    say("This island was in that set already; it speaks with the secret of the invitation now.")


@command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--words", is_flag=True, help="Show it as 24 words to be written down, and keep it nowhere.")
def newkey(file: Path | None, words: bool) -> None:
    """Make a keeper's key in FILE, or as words.

    Give its public part to a keeper to be vouched for.
    """
    if words == (file is not None):
        raise click.UsageError(_("give the name of a file, or --words"))
    if file:
        key = _troubled(lambda: write_keeper_key(file, new_passphrase()))
    else:
        seed = os.urandom(SEED_BYTES)
        key = SigningKey(seed)
        for place, word in enumerate(seed_words(seed, tongue()), 1):
            click.echo(f"{place:>2}. {word}")
        say("Write them down, in this order, and keep them away from every box. They are shown this once.")
    say("Public part, to be vouched for (archipel vouch … --keeper): %(key)s", key=key.public.hex())


def _folder_without_set(settings: Settings) -> KeyFolder:
    folder = KeyFolder(settings.node.data)
    if folder.charter_exists():
        raise click.ClickException(_("%(folder)s belongs to a set already; nothing was changed. For another set, choose "
                                     "another [node] data.", folder=str(settings.node.data)))
    return folder


def _troubled(work: Callable[[], Made]) -> Made:
    """What `work` makes, or a clear end of the command."""
    try:
        return work()
    except KeyTrouble as trouble:
        raise click.ClickException(worded(trouble.sentence)) from trouble
    except OSError as error:
        raise click.ClickException(worded(told(error))) from error


COMMANDS = (found, join, newkey)

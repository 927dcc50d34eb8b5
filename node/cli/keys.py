"""The commands of those who found a set and join one: found, join, newkey."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, TypeVar

import click

from node.board.concerns import concerns_in
from node.board.founding import FOUNDERS
from node.board.keywords import seed_words
from node.cli.help import command
from node.cli.language import _, say, tongue, worded
from node.cli.options import (
    WholeNumber,
    config_option,
    fingerprint,
    new_passphrase,
    refusal,
    settings_of,
)
from node.daemon import rpc
from node.daemon.file_trouble import told
from node.daemon.founders import UnkeptKeys
from node.daemon.keyfiles import KeyFolder, KeyTrouble, write_keeper_key
from node.daemon.settings import Settings
from node.model.keys import SEED_BYTES, SigningKey

MOST_TRIES = 3  # to type two words of a key
Made = TypeVar("Made")


@command()
@config_option
@click.argument("name")
@click.option("--key", "key_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Where to keep a founder's key, off this island; give it two or three times.")
@click.option("--words", type=WholeNumber(*FOUNDERS), help="Show so many founders' keys as words, kept nowhere.")
def found(config: Path | None, name: str, key_files: tuple[Path, ...], words: int | None) -> None:
    """Found the set NAME with two or three founders' keys.

    They are kept off this island: as files under a passphrase (on sticks, say), or as words on paper.
    """
    settings = settings_of(config)
    if (words is None) == (len({*key_files}) != len(key_files) or len(key_files) not in FOUNDERS):
        raise click.UsageError(_("give --key two or three times, with different files, or --words 2 or 3"))
    folder = _folder_without_set(settings)
    if words is None:
        founders = [_founder_in(file, (name, settings.node.name)) for file in key_files]
        charter = _troubled(lambda: folder.found(name, settings.node.name, founders))
    else:
        unkept = UnkeptKeys(words, os.urandom)
        while unkept.written() < words:
            _have_written(unkept)
        with unkept.signing() as founders:
            charter = _troubled(lambda: folder.found(name, settings.node.name, founders))
    say("Founded “%(name)s”. The set's fingerprint: %(fingerprint)s.\nKeep the founders' keys apart from each other and "
        "away from this island: they let the set live on when it is lost.", name=charter.name,
        fingerprint=fingerprint(charter))


def _founder_in(file: Path, names: tuple[str, ...]) -> SigningKey:
    click.echo(f"{file}:")
    return _troubled(lambda: write_keeper_key(file, new_passphrase(*names)))


def _have_written(unkept: UnkeptKeys) -> None:
    """Show a key, and ask for some of its words; another one if it was not written down."""
    key = unkept.show(tongue())
    say("Founder's key %(number)s of %(count)s. Write it down, in this order; it is shown this once.", number=key.number,
        count=key.count)
    for place, word in enumerate(key.words, 1):
        click.echo(f"{place:>2}. {word}")
    click.pause(_("Press a key when it is written down; then it goes from the screen. "))
    click.clear()
    for _try in range(MOST_TRIES):
        typed = tuple(str(click.prompt(_("Word number %(place)s", place=place))) for place in unkept.asked())
        if unkept.check(typed):
            return
        say("That is not what stands there.")
    say("Then it was not written down. Another key takes its place:")


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
    say("Joined “%(set)s” as “%(name)s”. The set's fingerprint, to compare with the keeper: %(fingerprint)s",
        set=charter.name, name=settings.node.name, fingerprint=fingerprint(charter))
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

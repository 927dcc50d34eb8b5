"""The commands that save, move and end an island: `archipel backup`, `restore`, `wipe`."""

import os
import shutil
from pathlib import Path

import click

from node.cli.i18n import say
from node.cli.options import config_option, new_passphrase, passphrase, settings_of
from node.daemon.keyfiles import KeyFolder
from node.store.backup import back_up, restore
from node.store.disk import Disk, StoreLocked
from node.store.index import StoreFailed
from node.store.sealed import SALT_BYTES, BackupRefused


@click.command("backup")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(config: Path | None, file: Path) -> None:
    """Write all this island is (settings, keys, records, archive) to FILE, under a passphrase; it may go on running."""
    settings = settings_of(config)
    folder = settings.node.data
    files = {f"keys/{path.name}": path for path in (folder / "keys").glob("*") if path.is_file()}
    if not files:
        raise click.ClickException(f"there is no island in {folder}.")
    if config:
        files["archipel.toml"] = config
    try:
        back_up(folder, file, new_passphrase(), files, os.urandom(SALT_BYTES))
    except (OSError, StoreFailed) as error:
        raise click.ClickException(f"the backup could not be written: {error}") from error
    say(f"Backed up to {file} ({file.stat().st_size // 1000} kB). Without its passphrase nobody can read it.")


@click.command("restore")
@config_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore_(config: Path | None, file: Path) -> None:
    """Make this island out of a backup: a new box takes the place of a dead one."""
    folder = settings_of(config).node.data
    try:
        counts = restore(file, folder, passphrase("Passphrase"))
    except (BackupRefused, OSError, StoreFailed) as error:
        raise click.ClickException(str(error)) from error
    say(f"Restored into {folder}: {counts['records']} records, {counts['archive']} archived. Next: archipel run.")
    if (folder / "archipel.toml").exists():
        say(f"Its settings file is {folder / 'archipel.toml'}.")


@click.command()
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def wipe(config: Path | None, yes: bool) -> None:
    """Destroy this island: its keys first, written over, then all it holds. Stop it before; nothing brings it back."""
    folder = settings_of(config).node.data
    if not yes:
        click.confirm(f"Destroy the island in {folder}, keys and records?", abort=True)
    try:
        lock = Disk().lock(folder / "lock")
        KeyFolder(folder).destroy()
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        lock.release()
    except StoreLocked as error:
        raise click.ClickException(f"an island runs on {folder}. Stop it first.") from error
    except OSError as error:
        raise click.ClickException(f"{error.filename or folder}: {error.strerror}. Destroy the card.") from error
    say("Nothing is left. Tell the other keepers, so that they revoke its key.")


COMMANDS = (backup, restore_, wipe)

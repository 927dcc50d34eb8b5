"""The commands that save, move and end an island: `archipel backup`, `restore`, `wipe`."""

import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import click

from node.board import explanations
from node.cli.help import command
from node.cli.language import _, say, worded
from node.cli.options import config_option, new_passphrase, passphrase, settings_of, sure_folder
from node.cli.progress import Progress
from node.daemon.file_trouble import told
from node.store.disk import Disk, StoreLocked
from node.store.index import StoreFailed
from node.store.sealed import SALT_BYTES


@command("backup")
@config_option
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(config: Path | None, file: Path) -> None:
    """Write all this island is to FILE, sealed.

    Settings, keys, records and archive, under a passphrase. The island may go on running.
    """
    from node.daemon.rpc import NotRunning, Refused, ask

    node = settings_of(config).node
    folder = node.data
    files = {f"keys/{path.name}": path for path in (folder / "keys").glob("*") if path.is_file()}
    if not files:
        raise click.ClickException(_("there is no island in %(folder)s.", folder=str(folder)))
    if config:
        files["archipel.toml"] = config
    try:
        _write(folder, file, new_passphrase(node.name), files)
    except (OSError, StoreFailed) as error:
        raise click.ClickException(_("the backup could not be written: %(error)s", error=_refused(error))) from error
    with suppress(NotRunning, Refused):  # a running island remembers when it was
        ask(folder, "backed-up", size=file.stat().st_size)
    say("Backed up to %(file)s (%(size)s kB). Without its passphrase nobody can read it.",
        file=str(file), size=file.stat().st_size // 1000)


def _write(folder: Path, file: Path, secret: str, files: Mapping[str, Path]) -> None:
    from node.store.backup import back_up, size_of

    with Progress() as progress:
        back_up(folder, file, secret, files, os.urandom(SALT_BYTES), progress.begin(file.name, size_of(folder, files)))


@command("restore")
@config_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore_(config: Path | None, file: Path) -> None:
    """Make this island again from the backup FILE.

    A new box takes the place of a dead one.
    """
    from node.daemon.restoring import NotRestored, restored

    folder = sure_folder(config)
    try:
        with file.open("rb") as stream:
            records, archived = restored(stream, folder, passphrase(_("Passphrase")))
    except NotRestored as refused:
        raise click.ClickException(worded(refused.sentence)) from refused
    except OSError as error:
        raise click.ClickException(_("the backup could not be restored: %(error)s", error=_refused(error))) from error
    say("Restored into %(folder)s: %(records)s records, %(archived)s archived. Next: archipel run.",
        folder=str(folder), records=records, archived=archived)
    if (folder / "archipel.toml").exists():
        say("Its settings file is %(file)s.", file=str(folder / "archipel.toml"))


def _refused(error: OSError | StoreFailed) -> str:
    return worded(told(error)) if isinstance(error, OSError) else worded(explanations.closed(error.reason))


@command()
@config_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--code", is_flag=True, help="Destroy nothing; say which code a stick needs to erase this box.")
def wipe(config: Path | None, yes: bool, code: bool) -> None:
    """Destroy this island; nothing brings it back.

    Stop it before. Its keys are written over first, then all it holds is removed. On the SD image a stick erases the whole
    card.
    """
    from node.daemon.keyfiles import KeyFolder

    folder = sure_folder(config)
    if code:
        if not KeyFolder(folder).charter_exists():
            raise click.ClickException(_("there is no island in %(folder)s.", folder=str(folder)))
        click.echo(KeyFolder(folder).wipe_code())
        return
    if not yes:
        click.confirm(_("Destroy the island in %(folder)s, keys and records?", folder=str(folder)), abort=True)
    try:
        lock = Disk().lock(folder / "lock")
        KeyFolder(folder).destroy()
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        lock.release()
    except StoreLocked as error:
        raise click.ClickException(_("an island runs on %(folder)s. Stop it first.", folder=str(folder))) from error
    except OSError as error:
        raise click.ClickException(_("%(error)s Destroy the card.", error=told(error))) from error
    say("Nothing is left. Tell the other keepers, so that they revoke its key.")


COMMANDS = (backup, restore_, wipe)

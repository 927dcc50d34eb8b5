"""What several commands of the command line take and ask."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node.cli.i18n import choose, translated
from node.daemon.settings import BadSettings, Settings, load
from node.model.clock import EPOCH_S

MOMENT = click.DateTime(["%Y-%m-%d %H:%M"])

config_option = click.option("--config", type=click.Path(dir_okay=False, path_type=Path), envvar="ARCHIPEL_CONFIG",
                             help="The settings file (archipel.toml); without it, defaults.")


def settings_of(config: Path | None) -> Settings:
    """The settings, or a clear end of the command."""
    try:
        settings = load(config)
    except BadSettings as error:
        choose(Settings().node.language, os.environ)
        raise click.ClickException(str(error)) from error
    choose(settings.node.language, os.environ)
    return settings


def ask(settings: Settings, do: str, **request: Any) -> Any:
    """Ask the island that runs on the settings' folder; ends the command with a clear sentence if none does."""
    from node.daemon import rpc

    try:
        return rpc.ask(settings.node.data, do, **request)
    except rpc.NotRunning as error:
        raise click.ClickException(f"no island runs on {settings.node.data}. Start it: archipel run") from error
    except rpc.Refused as error:
        raise click.ClickException(str(error)) from error


def minute_of_local(moment: datetime) -> int:
    """Minutes since 2024 UTC of a naive moment in this machine's time zone."""
    return int(moment.timestamp() - EPOCH_S) // 60


def passphrase(what: str, new: bool = False) -> str:
    """Typed unseen; from a pipe, its next line."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return click.prompt(translated(what), hide_input=True, confirmation_prompt=new)


def new_passphrase(what: str = "Passphrase") -> str:
    """Typed unseen, twice at a terminal: one to be kept."""
    return passphrase(f"{what} (several words are best)", new=True)

"""What every command of the command line takes."""

import os
from pathlib import Path

import click

from node.cli.i18n import choose
from node.daemon.settings import BadSettings, Settings, load

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

"""What every command of the command line takes."""

from pathlib import Path

import click

from node.shell.settings import BadSettings, Settings, load

config_option = click.option("--config", type=click.Path(dir_okay=False, path_type=Path), envvar="ARCHIPEL_CONFIG",
                             help="The settings file (archipel.toml); without it, defaults.")


def settings_of(config: Path | None) -> Settings:
    """The settings, or a clear end of the command."""
    try:
        return load(config)
    except BadSettings as error:
        raise click.ClickException(str(error)) from error

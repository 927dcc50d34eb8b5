"""`archipel map FILE`: the streets under the map of gatherings, drawn of an OpenStreetMap extract."""

from pathlib import Path

import click

from node.board import explanations
from node.board.api import DraftRefused
from node.board.street_map import MAX_FILE_BYTES, RADII_M, USUAL_RADIUS_M, StreetMap, street_map_of
from node.cli.help import command
from node.cli.language import _, say, worded
from node.cli.options import ask, config_option, settings_of
from node.daemon import settings_checks
from node.i18n.sentence import Explained
from node.streets.bounded import draw

DRAWN = ".svg"
TOLD_EVERY = 2_000_000  # objects


@command("map")
@config_option
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--around", metavar="LAT,LON", help="The middle of the drawing; without it, the position in the settings.")
@click.option("--radius", type=click.Choice([*map(str, RADII_M)]), default=str(USUAL_RADIUS_M), show_default=True,
              help="How far it reaches, in metres.")
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.svg",
              help="Write the drawing to a file: for an island elsewhere, whose desk takes it under the map.")
def street_map(config: Path | None, file: Path, around: str | None, radius: str, to: Path | None) -> None:
    """Draw the streets around the island.

    FILE is an extract of OpenStreetMap (.osm.pbf or .osm), or what --to has written. The drawing lies under the map of
    gatherings.
    """
    settings = settings_of(config)
    if file.suffix.lower() == DRAWN:
        made = _handed(file)
    else:
        made = _drawn(file, _middle(around) if around else settings.node.position, int(radius))
    plain, compressed = made.weights()
    if to:
        to.write_text(made.svg(), encoding="utf-8")
    else:
        ask(settings, "street-map", svg=made.svg())
    say("Drawn: %(kb)s kB, %(compressed)s kB as it is sent, %(names)s names. © OpenStreetMap contributors (ODbL)",
        kb=round(plain / 1000), compressed=round(compressed / 1000), names=len(made.names))
    say("It is in %(file)s: hand it in on the desk, under the map.", file=str(to)) if to else say(
        "It lies under the map of gatherings now.")


def _drawn(file: Path, middle: tuple[float, float] | None, radius_m: int) -> StreetMap:
    if middle is None:
        raise click.ClickException(_("where is the middle? Set [node] position in archipel.toml, or add "
                                     "--around 48.8752,2.3931"))
    try:
        return draw(file, middle, radius_m, _tell)
    except Explained as error:
        raise click.ClickException(worded(error.sentence)) from error


def _tell(objects: int) -> None:
    if objects % TOLD_EVERY == 0:
        click.echo(_("%(count)s million objects read", count=objects // 1_000_000), err=True)


def _middle(typed: str) -> tuple[float, float]:
    try:
        found = settings_checks.position(typed)
    except ValueError:
        found = None
    if found is None:
        raise click.ClickException(_("--around wants latitude and longitude: --around 48.8752,2.3931"))
    return found


def _handed(file: Path) -> StreetMap:
    with file.open("rb") as opened:
        raw = opened.read(MAX_FILE_BYTES + 1)
    try:
        return street_map_of(raw)
    except DraftRefused as refused:
        one = refused.problems[0]
        raise click.ClickException(worded(explanations.problem(one.code, one.amount))) from refused


COMMANDS = (street_map,)

"""The commands about an island as a whole: `archipel run`, `init`, `status`, `doctor`, `demo`."""

import json
import sys
import time
from pathlib import Path

import click

from node.cli.i18n import say, translated
from node.cli.options import ask, config_option, settings_of
from node.model.clock import FastClock, SystemClock, seconds_of


@click.command()
@config_option
@click.option("--speed", type=click.FloatRange(min=0.1), default=1.0, hidden=True)
@click.option("--since", type=float, default=None, hidden=True)
def run(config: Path | None, speed: float, since: float | None) -> None:
    """Run this island until Ctrl-C: portal, radio, broker."""
    from node.cli.serve import run_island

    clock = SystemClock() if speed == 1 else FastClock(speed, SystemClock().now() if since is None else since)
    run_island(settings_of(config), clock)


@click.command()
@config_option
@click.option("--name", help="The name of this island; the settings file's [node] name if not given.")
@click.option("--set", "set_name", help="The name of the set that is founded here, such as a neighbourhood's.")
def init(config: Path | None, name: str | None, set_name: str | None) -> None:
    """Make this island's folder and key, and found a set of its own (to join another's: archipel join)."""
    from node.daemon.keyfiles import KeyFolder

    settings = settings_of(config)
    folder = KeyFolder(settings.node.data)
    if folder.charter_exists():
        raise click.ClickException(f"{settings.node.data} belongs to a set already; nothing was changed.")
    charter = folder.found(set_name or name or settings.node.name, name or settings.node.name)
    say(f"Made {settings.node.data}: an island of the set “{charter.name}”, fingerprint {charter.set_id.hex()}.")
    say("Next: archipel run. To let other islands in: archipel invite.")


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(config: Path | None, as_json: bool) -> None:
    """What the running island says of itself."""
    told = ask(settings_of(config), "status")
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for line in status_lines(told):
        click.echo(line)


def status_lines(told: dict) -> list[str]:
    """The status as a person reads it."""
    clock, store = told["clock"], told["store"]
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime(seconds_of(clock["now"])))
    heard = told.get("last_heard")
    heard_min = None if heard is None else max(clock["now"] - heard, 0)
    lines = [
        translated(f"{told['name']}: {told['records']} record{'s' * (told['records'] != 1)}, fingerprint {told['set']}"),
        translated(f"clock    {now} UTC, from {clock['source']}") + ("" if clock["sure"] else translated(" (not sure)")),
        translated("store    keeps posts" if store["ok"] else f"store    cannot keep posts: {store['reason']}"),
        translated("others   not heard yet" if heard is None else f"others   last heard {heard_min} min ago"),
    ]
    return lines + [link_line(link) for link in told["links"]]


def link_line(link: dict) -> str:
    """One link as a person reads it."""
    counts = ", ".join(f"{key} {value}" for key, value in sorted(link.get("counters", {}).items()) if value)
    air = link.get("airtime")
    spent = translated(f", {air['used_s']:.0f} of {air['limit_s']:.0f} s of air this hour") if air else ""
    return f"{link['name']:<8} {translated('up' if link['up'] else 'down')}{spent}{': ' + counts if counts else ''}"


@click.command()
@config_option
def doctor(config: Path | None) -> None:
    """Say what is wrong on this island and what to do about it."""
    from node.cli.doctor import examine, running_status

    settings = settings_of(config)
    signs = {"ok": ("✓", "green"), "note": ("–", None), "bad": ("✗", "red")}
    bad = 0
    for finding in examine(settings, running_status(settings.node.data)):
        sign, colour = signs[finding.level]
        bad += finding.level == "bad"
        click.echo(click.style(sign, fg=colour) + f" {translated(finding.what)}")
        if finding.remedy:
            click.echo(f"    → {translated(finding.remedy)}")
    say("All is well." if not bad else f"{bad} thing{'s' * (bad > 1)} to mend.")
    sys.exit(1 if bad else 0)


@click.command()
@click.option("--speed", type=click.FloatRange(1, 60), default=4.0, show_default=True, help="How much faster time runs.")
@click.option("--port", type=click.IntRange(1, 65_533), default=8080, show_default=True, help="The first portal's port.")
@click.option("--selftest", is_flag=True, help="Post on the first island, wait for the third, compare, and end.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Keep the islands' data there.")
def demo(speed: float, port: int, selftest: bool, folder: Path | None) -> None:
    """Three islands in a line with simulated radios, on this machine."""
    from node.cli.demo import Demo

    island_demo = Demo(speed, port, folder)
    sys.exit(island_demo.selftest() if selftest else island_demo.run())


COMMANDS = (run, init, status, doctor, demo)

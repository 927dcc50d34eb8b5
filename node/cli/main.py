"""The command line: `archipel run`, `post`, `list`, `status`, `doctor`, ... Most ask the island that runs."""

import json
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node import __version__
from node.cli import calendar, transfer
from node.cli.i18n import SpeakingGroup, say, translated
from node.cli.options import config_option, settings_of
from node.daemon.settings import Settings
from node.model.clock import EPOCH_S, FastClock, SystemClock, seconds_of

MOMENT = click.DateTime(["%Y-%m-%d %H:%M"])


@click.group(cls=SpeakingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="archipel")
def main() -> None:
    """An island: a notice board and an agenda that neighbours share without the internet."""


@main.command()
@config_option
@click.option("--speed", type=click.FloatRange(min=0.1), default=1.0, hidden=True)
@click.option("--since", type=float, default=None, hidden=True)
def run(config: Path | None, speed: float, since: float | None) -> None:
    """Run this island until Ctrl-C: portal, radio, broker."""
    from node.cli.serve import run_island

    clock = SystemClock() if speed == 1 else FastClock(speed, SystemClock().now() if since is None else since)
    run_island(settings_of(config), clock)


@main.command()
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


@main.command()
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


@main.command()
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


@main.command()
@config_option
@click.argument("text", required=False)
@click.option("--urgent", is_flag=True)
@click.option("--days", type=click.IntRange(1, 90), default=14, show_default=True, help="How long a bulletin lasts.")
@click.option("--title", help="Makes it an event, with --start.")
@click.option("--start", type=MOMENT, help="When the event starts, as this machine's clock shows.")
@click.option("--end", type=MOMENT)
@click.option("--place", default="")
def post(config: Path | None, text: str | None, **given: Any) -> None:
    """Post a bulletin (TEXT, or what comes on standard input), or an event."""
    draft = {key: value for key, value in given.items() if value not in (None, "", False)}
    draft["text"] = text if text is not None else click.get_text_stream("stdin").read().strip()
    for key in ("start", "end"):
        if key in draft:
            draft[key] = minute_of_local(draft[key])
    if ("title" in draft) != ("start" in draft):
        raise click.ClickException("an event needs both --title and --start.")
    told = ask(settings_of(config), "post", draft=draft)
    say(f"Posted {told['id']}: {told['record_bytes']} bytes, {told['packets']} packet{'s' * (told['packets'] > 1)}, "
               f"{told['airtime_s']:.1f} s of air.")
    say(f"To correct or withdraw it: {told['word']}")


def minute_of_local(moment: datetime) -> int:
    """Minutes since 2024 UTC of a naive moment in this machine's time zone."""
    return int(moment.timestamp() - EPOCH_S) // 60


@main.command("list")
@config_option
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
def list_(config: Path | None, limit: int) -> None:
    """Coming events and the newest bulletins."""
    told = ask(settings_of(config), "list", limit=limit)
    for item in told:
        when = datetime.fromtimestamp(seconds_of(item["start"] or item["created"])).strftime("%Y-%m-%d %H:%M")
        mark = "!" if item["urgent"] else " "
        click.echo(f"{item['id'][:8]} {mark} {when}  {item['headline']}")
    if not told:
        say("Nothing yet.")


def ask(settings: Settings, do: str, **request: Any) -> Any:
    """Ask the island that runs on the settings' folder; ends the command with a clear sentence if none does."""
    from node.daemon import rpc

    try:
        return rpc.ask(settings.node.data, do, **request)
    except rpc.NotRunning as error:
        raise click.ClickException(f"no island runs on {settings.node.data}. Start it: archipel run") from error
    except rpc.Refused as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.option("--speed", type=click.FloatRange(1, 60), default=4.0, show_default=True, help="How much faster time runs.")
@click.option("--port", type=click.IntRange(1, 65_533), default=8080, show_default=True, help="The first portal's port.")
@click.option("--selftest", is_flag=True, help="Post on the first island, wait for the third, compare, and end.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Keep the islands' data there.")
def demo(speed: float, port: int, selftest: bool, folder: Path | None) -> None:
    """Three islands in a line with simulated radios, on this machine."""
    from node.cli.demo import Demo

    island_demo = Demo(speed, port, folder)
    sys.exit(island_demo.selftest() if selftest else island_demo.run())


for command in (*transfer.COMMANDS, calendar.agenda):
    main.add_command(command)

"""The commands about an island as a whole: `archipel run`, `init`, `status`, `doctor`, `demo`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from node.board import explanations
from node.board.air_words import STATE_REMEDIES, state
from node.board.concerns import concerns_in
from node.board.keywords import fingerprint_words
from node.cli.air_lines import air_lines, clock_of
from node.cli.help import command
from node.cli.language import _, ngettext, say, tongue, worded
from node.cli.options import WholeNumber, ask, config_option, fingerprint, json_option, reading_of, settings_of, tell_json
from node.model.clock import FastClock, SystemClock, utc_moment


@command()
@config_option
@click.option("--speed", type=click.FloatRange(min=0.1), default=1.0, hidden=True)
@click.option("--since", type=float, default=None, hidden=True)
def run(config: Path | None, speed: float, since: float | None) -> None:
    """Run this island: portal, radio, broker.

    Ctrl-C stops it. An island that belongs to no set yet is made first, on its page /start.
    """
    from node.cli.serve import run_island

    clock = SystemClock() if speed == 1 else FastClock(speed, SystemClock().now() if since is None else since)
    run_island(reading_of(config), clock, config)


@command()
@config_option
@click.option("--name", help="The name of this island; the settings file's [node] name if not given.")
@click.option("--set", "set_name", help="The name of the set that is founded here, such as a neighbourhood's.")
def init(config: Path | None, name: str | None, set_name: str | None) -> None:
    """Make this island and found a set of its own.

    Its folder and its key are made, and this key is the set's only founder. With founders' keys off the island: archipel
    found. To join another island's set instead: archipel join.
    """
    from node.daemon.keyfiles import KeyFolder

    settings = settings_of(config)
    folder, shown = KeyFolder(settings.node.data), str(settings.node.data)
    if folder.charter_exists():
        raise click.ClickException(_("%(folder)s belongs to a set already; nothing was changed.", folder=shown))
    charter = folder.found(set_name or name or settings.node.name, name or settings.node.name)
    say("Made %(folder)s: an island of the set “%(name)s”. The set's fingerprint: %(fingerprint)s.",
        folder=shown, name=charter.name, fingerprint=fingerprint(charter))
    say("Next: archipel run. To let other islands in: archipel invite.")


@command()
@config_option
@json_option
def status(config: Path | None, as_json: bool) -> None:
    """Show what the running island says of itself."""
    told = ask(settings_of(config), "status")
    if as_json:
        tell_json(told)
        return
    for line in status_lines(told):
        click.echo(line)


def status_lines(told: dict[str, Any]) -> list[str]:
    """The status as a person reads it."""
    return [
        ngettext("%(name)s: %(num)s record, checksum of the board %(checksum)s",
                 "%(name)s: %(num)s records, checksum of the board %(checksum)s", told["records"], name=told["name"],
                 checksum=told["checksum"]),
        *_set_line(told.get("set")),
        _clock_line(told["clock"]),
        _store_line(told["store"]),
        *_reading_line(told["archive"]),
        _others_line(told),
        *_link_lines(told),
        *(f"! {worded(concern.what)}\n    → {worded(concern.remedy)}" for concern in concerns_in(told)
          if not concern.slug.startswith("clock-")),  # its line is above
    ]


def _set_line(charter: dict[str, Any] | None) -> list[str]:
    """The set's name and its fingerprint."""
    if not charter:
        return []
    words = " ".join(fingerprint_words(bytes.fromhex(charter["fingerprint"]), tongue()))
    return [_("set      “%(name)s”, the set's fingerprint: %(fingerprint)s", name=charter["name"], fingerprint=words)]


def _clock_line(clock: dict[str, Any]) -> str:
    now = utc_moment(clock["now"])
    source = worded(explanations.time_source(clock["source"]))
    if not clock["told"]:
        return _("clock    %(time)s UTC, and nobody vouches for that: let a keeper set it, on the page /keeper/clock",
                 time=now)
    if clock["sure"]:
        return _("clock    %(time)s UTC, told by: %(source)s", time=now, source=source)
    return _("clock    %(time)s UTC, told by: %(source)s (not sure)", time=now, source=source)


def _store_line(store: dict[str, Any]) -> str:
    if store["ok"]:
        return _("card     keeps posts")
    return _("card     keeps no posts: %(reason)s", reason=worded(explanations.closed(store["reason"])))


def _reading_line(archive: dict[str, Any]) -> list[str]:
    """How far the island is with reading what came in, while it is not through."""
    found, every = archive["searched"] - archive["unread"], archive["searched"]
    if not archive["unread"]:
        return []
    return [_("search   finds %(found)s of %(every)s posts so far: the others are still being read", found=str(found),
              every=str(every))]


def _others_line(told: dict[str, Any]) -> str:
    heard = told.get("last_heard")
    if heard is None:
        return _("others   not heard yet")
    return _("others   last heard %(minutes)s min ago", minutes=max(told["clock"]["now"] - heard, 0))


def _link_lines(told: dict[str, Any]) -> Iterator[str]:
    """Each link; of a radio also when the next packet may go, what waits, who is heard."""
    for link in told["links"]:
        yield link_line(link)
        if not link["up"] and link["state"] in STATE_REMEDIES and "broker" not in link:
            yield f"    → {_(STATE_REMEDIES[link['state']])}"
        if "airtime" in link:
            yield from air_lines(link, clock_of(told))


def link_line(link: dict[str, Any]) -> str:
    """One link as a person reads it."""
    parts = [_("up") if link["up"] else _("down (%(state)s)", state=worded(state(link["state"])))]
    if air := link.get("airtime"):
        used, limit = f"{air['used_s']:.0f}", f"{air['limit_s']:.0f}"
        parts.append(_("%(used)s of %(limit)s s of air this hour", used=used, limit=limit))
    counts = ", ".join(f"{key} {value}" for key, value in sorted(link.get("counters", {}).items()) if value)
    return f"{link['name']:<8} {_(', ').join(parts)}{': ' + counts if counts else ''}"


@command()
@config_option
@json_option
def doctor(config: Path | None, as_json: bool) -> None:
    """Say what is wrong on this island and what to do.

    Ends with 1 if anything is to be mended, else with 0.
    """
    from node.board.care import Level
    from node.cli.doctor import as_told, examined, lines

    found = []
    for finding in examined(reading_of(config, aloud=False)):
        found.append(finding)
        for line in lines(finding) if not as_json else ():
            click.echo(line)
    bad = sum(finding.level is Level.BAD for finding in found)
    if as_json:
        tell_json(list(map(as_told, found)))
    else:
        click.echo(ngettext("%(num)s thing to mend.", "%(num)s things to mend.", bad) if bad else _("All is well."))
    sys.exit(1 if bad else 0)


@command()
@click.option("--speed", type=click.FloatRange(1, 60), metavar="TIMES", default=4.0, show_default=True,
              help="How much faster time runs.")
@click.option("--port", type=WholeNumber(1, 65_533), metavar="PORT", default=8080, show_default=True,
              help="The first portal's port.")
@click.option("--selftest", is_flag=True, help="Post on the first island, wait for the third, compare, and end.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Keep the islands' data there.")
def demo(speed: float, port: int, selftest: bool, folder: Path | None) -> None:
    """Run three islands with simulated radios here.

    They stand in a line: the first and the last never hear each other.
    """
    from node.cli.demo import Demo

    island_demo = Demo(speed, port, folder)
    sys.exit(island_demo.selftest() if selftest else island_demo.run())


COMMANDS = (run, init, status, doctor, demo)

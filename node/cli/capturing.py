"""`archipel record`: the shape of an island's traffic in a file, for whoever looks for a fault."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import click

from node.cli.help import command
from node.cli.language import _, ngettext
from node.cli.options import WholeNumber, ask, config_option, json_option, settings_of, tell_json
from node.daemon.capture_summary import summary
from node.daemon.captures import MAX_MINUTES, read_capture
from node.daemon.settings import Settings
from node.model.errors import RemoteFault

LOOK_S = 1.0
DEFAULT_MINUTES = 10


@command()
@config_option
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--minutes", type=WholeNumber(1, MAX_MINUTES), metavar="N", default=DEFAULT_MINUTES, show_default=True,
              help="How long.")
@click.option("--show", is_flag=True, help="Say what is in FILE; nothing is recorded.")
@json_option
def record(config: Path | None, file: Path, minutes: int, show: bool, as_json: bool) -> None:
    """Record what comes and goes, to help find a fault.

    By radio, brokers and network: of each packet its kind, size, time and strength, and what became of it. No text, name,
    key, address, place or date is in FILE, which is plain text: look into it before you hand it on. It ends by itself;
    Ctrl-C ends it sooner.
    """
    if not show:
        _record(settings_of(config), file, minutes)
    told = _told(file)
    if as_json:
        tell_json(told)
        return
    for line in lines_of(told):
        click.echo(line)


def _record(settings: Settings, file: Path, minutes: int) -> None:
    with file.open("xb") as stream:
        try:
            _begin(settings, minutes)
        except click.ClickException:
            file.unlink()
            raise
        click.echo(ngettext("Recording for %(num)s minute into %(file)s. Ctrl-C ends it sooner.",
                            "Recording for %(num)s minutes into %(file)s. Ctrl-C ends it sooner.", minutes,
                            file=str(file)), err=True)
        try:
            _follow(settings, stream)
        except KeyboardInterrupt:
            _write(stream, ask(settings, "capture-end"))
        except OSError:  # there is no room for it: nobody wants the rest
            ask(settings, "capture-end")
            raise


def _begin(settings: Settings, minutes: int) -> None:
    if not ask(settings, "capture-begin", minutes=minutes):
        raise click.ClickException(_("this island is recording already: let that end first."))


def _follow(settings: Settings, stream: BinaryIO) -> None:
    while not _write(stream, ask(settings, "capture-take")):
        time.sleep(LOOK_S)  # noqa: TID251 - a command waits for what others send


def _write(stream: BinaryIO, told: Mapping[str, Any]) -> bool:
    """Write what is new; whether that was the end."""
    stream.write("".join(told["lines"]).encode())
    stream.flush()
    return bool(told["over"])


def _told(file: Path) -> dict[str, Any]:
    try:
        with open(file, "rb", opener=lambda path, flags: os.open(path, flags | os.O_NONBLOCK)) as stream:  # or a pipe waits
            return summary(read_capture(stream))
    except RemoteFault as fault:
        raise click.ClickException(_("%(file)s is no capture, or a part of it is broken (%(reason)s).", file=str(file),
                                     reason=fault.reason)) from fault


def lines_of(told: Mapping[str, Any]) -> Iterator[str]:
    """What is in a capture (`node.daemon.capture_summary`), as a person reads it."""
    minutes, seconds = divmod(told["seconds"], 60)
    yield _("It lasts %(minutes)s min %(seconds)s s; other islands heard by radio: %(islands)s.", minutes=minutes,
            seconds=seconds, islands=told["islands"])
    for link in told["links"]:
        yield _("%(name)s: %(heard)s packets heard, %(bad)s of them no good (%(why)s), %(sent)s sent.", name=link["name"],
                heard=link["heard"], bad=sum(link["refused"].values()), why=_counts(link["refused"]), sent=link["sent"])
    yield _("On the network: %(messages)s messages.", messages=told["lan"])
    yield _("Records that were met: %(records)s. What became of them: %(became)s.", records=_counts(told["records"]),
            became=_counts(told["became"]))
    if not told["why"]:
        yield _("Its end is missing: the island or the command stopped before.")
    elif told["why"] == "full":
        yield _("It ended because it was full.")
    elif told["why"] == "trouble":
        yield _("It ended because of a fault in the island: its log says which.")
    if told["left_out"]:
        yield _("What was too large to be told was left out: %(num)s.", num=told["left_out"])
    yield _("No text, name, key, address, place or date is in it. It does tell how many islands there are, who hears whom, "
            "and when something was sent: somebody who knows this neighbourhood may recognise an island by that.")


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "-"


COMMANDS = (record,)

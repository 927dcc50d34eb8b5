"""`archipel sync`: meet the other islands now, by every way there is."""

import time
from collections.abc import Iterator
from itertools import starmap
from pathlib import Path
from typing import Any

import click

from node.board import explanations
from node.cli.help import command
from node.cli.island import link_line
from node.cli.language import _, ngettext, say, worded
from node.cli.options import WholeNumber, ask, config_option, json_option, settings_of, tell_json
from node.cli.transfer import bulk_of_island, exchanged, in_words, landed_json, unread_words
from node.daemon.settings import Settings
from node.daemon.usb import Exchange, sticks

LEAST_S = 5.0  # it looks for other islands on the network anew, which takes some seconds
LOOK_S = 0.5
RADIOS = ("radio", "packet")


@command()
@config_option
@click.option("--wait", type=WholeNumber(0, 600), metavar="SECONDS", default=30, show_default=True,
              help="How long to wait for the others.")
@json_option
def sync(config: Path | None, wait: int, as_json: bool) -> None:
    """Meet the other islands now.

    Those on this network are visited, brokers are asked for all they keep, the radio says what is here, and sticks that
    were at an island before are exchanged with. All that goes by itself too, at its hour.
    """
    settings = settings_of(config)
    before = ask(settings, "met")
    ask(settings, "meet")
    stick_results = {str(folder): _exchange(config, folder) for folder in sticks()}
    after = _awaited(settings, wait)
    if as_json:
        on_sticks = {name: _stick_json(made) for name, made in stick_results.items()}
        tell_json({"new": _gained(before, after), "busy": after["busy"], "links": after["links"],
                   "lan": _visits(before, after), "sticks": on_sticks})
        return
    for line in (*_lan_lines(before, after), *_link_lines(after["links"]), *starmap(stick_lines, stick_results.items())):
        click.echo(line)
    if after["busy"]:
        say("Some of it is still under way; it goes on by itself.")
    click.echo(ngettext("%(num)s new record.", "%(num)s new records.", _gained(before, after)))


def _awaited(settings: Settings, wait: int) -> dict[str, Any]:
    """How it went, once nothing more is under way, or after `wait` seconds."""
    began_at = time.monotonic()
    told = ask(settings, "met")
    while (waited := time.monotonic() - began_at) < wait and (told["busy"] or waited < LEAST_S):
        time.sleep(LOOK_S)  # noqa: TID251 - a command waits for others
        told = ask(settings, "met")
    return dict(told)


def _exchange(config: Path | None, folder: Path) -> Exchange:
    with bulk_of_island(config) as bulk:
        return exchanged(bulk, folder)


def _visits(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """What came from each peer, and went there, since `before`."""
    was = {peer["name"]: peer for peer in before["peers"]}
    return [peer | {key: peer[key] - was.get(peer["name"], {}).get(key, 0) for key in ("new", "given")}
            for peer in after["peers"]]


def _gained(before: dict[str, Any], after: dict[str, Any]) -> int:
    return max(int(after["records"]) - int(before["records"]), 0)


def _lan_lines(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    for peer in _visits(before, after):
        if peer["up"]:
            yield _("%(name)s on this network: %(new)s new here, %(given)s new there.", name=peer["name"], new=peer["new"],
                    given=peer["given"])
        else:
            yield _("%(name)s on this network does not answer (%(state)s).", name=peer["name"], state=peer["state"])
    if not after["peers"]:
        yield _("No other island is seen on this network.")


def _link_lines(links: list[dict[str, Any]]) -> Iterator[str]:
    yield from map(link_line, links)
    if any(link["up"] and link["name"] in RADIOS for link in links):
        yield _("By radio it says what is here as soon as the air is free; what others lack, or have more, follows within "
                "minutes.")


def stick_lines(name: str, made: Exchange) -> str:
    """What came of a stick, as a person reads it."""
    lines = [f"{name}: {file}: {in_words(landed)}" for file, landed in made.landed.items()]
    lines += [f"{name}: {file}: {unread_words(reason)}" for file, reason in made.unread.items()]
    return "\n".join([*lines, f"{name}: {worded(explanations.stick(made.problem))}"])


def _stick_json(made: Exchange) -> dict[str, Any]:
    return {"files": {name: landed_json(landed) for name, landed in made.landed.items()}, "unread": made.unread,
            "problem": made.problem, "written_bytes": made.written_bytes}


COMMANDS = (sync,)

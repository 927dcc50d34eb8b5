"""`archipel radio`: the few settings of a radio that can keep an island from being heard, without another program."""

import time
from pathlib import Path
from typing import Any

import click

from node.board.care import Level
from node.board.explanations import RADIO_SETTINGS
from node.cli.help import command
from node.cli.language import say, worded
from node.cli.options import CapitalWord, WholeNumber, ask, config_option, settings_of
from node.daemon.settings import RadioSettings, Settings
from radio.regions import REGIONS

LOOK_S = 1.0
LONGEST_S = 120.0  # the island itself gives up after 90 s
SIGNATURES = ("compatible", "balanced", "strict")
ROLES = ("CLIENT", "CLIENT_BASE", "CLIENT_MUTE", "ROUTER_LATE")
PASSED_ON = ("ALL", "LOCAL_ONLY", "KNOWN_ONLY")
MOST_HOPS = 7
DONE, WORKING = "done", "working"  # of node.daemon.radio_setting.Setting


@command("radio")
@config_option
@click.option("--region", type=CapitalWord(list(REGIONS)), default=None, metavar="REGION",
              help="Where it stands (EU_868 in most of Europe): its frequencies, and how much it may send. The word "
                   "help lists them.")
@click.option("--signatures", type=click.Choice(SIGNATURES), default=None,
              help="Which packets of others it hears: all, all but forged ones, or signed ones only.")
@click.option("--role", type=CapitalWord(ROLES), default=None, help="What it is for others.")
@click.option("--pass-on", type=CapitalWord(PASSED_ON), default=None,
              help="Whose packets it hears and passes on.")
@click.option("--hops", type=WholeNumber(0, MOST_HOPS), default=None, metavar="N", help="How far its own packets go.")
@click.option("--send", is_flag=True, help="Let it send.")
def radio_set(config: Path | None, **wish: Any) -> None:
    """Set up the island's radio, or say what is wrong with its settings.

    A running island does it itself, by USB as well as over the network; it may restart its radio for that, which takes a
    minute. Everything else is set with a Meshtastic app.
    """
    settings = settings_of(config)
    if not any(value or value == 0 for value in wish.values() if value is not False):
        _look(settings)
        return
    state = _by_the_island(settings, wish) if _runs(settings) else _alone(settings.radio, wish)
    if state != DONE:
        raise click.ClickException(worded(RADIO_SETTINGS.get(state, RADIO_SETTINGS["failed"])))
    say("The radio is set up so.")


def _runs(settings: Settings) -> bool:
    from node.daemon.checkup import running_status

    return running_status(settings.node.data) is not None


def _look(settings: Settings) -> None:
    from node.cli.doctor import lines
    from node.daemon.checkup import radio_checkup, running_status

    found = list(radio_checkup(settings, running_status(settings.node.data)))
    for finding in found:
        click.echo("\n".join(lines(finding)))
    raise SystemExit(any(finding.level is Level.BAD for finding in found))


def _by_the_island(settings: Settings, wish: dict[str, Any]) -> str:
    state, until = str(ask(settings, "radio-set", **wish)), time.monotonic() + LONGEST_S
    while state == WORKING and time.monotonic() < until:
        time.sleep(LOOK_S)  # noqa: TID251 - a command waits for a device
        state = str(ask(settings, "radio-setting"))
    return state


def _alone(radio: RadioSettings, wish: dict[str, Any]) -> str:
    from node.daemon.radio_setting import set_up, wish_of
    from radio.meshtastic.link import MeshtasticLink
    from radio.meshtastic.settings import MeshtasticSettings

    if radio.connect == "none":
        return "no-radio"
    link = MeshtasticLink(MeshtasticSettings(radio.connect, radio.channel))
    try:
        return str(set_up(link, wish_of(wish)))
    finally:
        link.close()


COMMANDS = (radio_set,)

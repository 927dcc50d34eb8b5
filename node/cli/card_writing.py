"""`archipel card`: what is in the box's card readers, and a card for a new box written into one of them."""

import time
from pathlib import Path
from typing import Any

import click

from node.board.cards import KEEPER, KEEPER_PASSWORD, CardStage
from node.board.island_settings import COUNTRY, LANGUAGE, NAME, WIFI_NAME, WIFI_PASSWORD
from node.board.keyring import INVITED_DAYS
from node.cli.help import command
from node.cli.language import _, say, worded
from node.cli.options import WholeNumber, ask, config_option, json_option, settings_of, tell_json
from node.cli.progress import Progress
from node.daemon.settings import LANGUAGES, Settings
from node.i18n.sentence import Sentence

LOOK_S = 0.5
BUSY_STAGES = frozenset({CardStage.LOOKING, CardStage.BLANKING, CardStage.WRITING, CardStage.CHECKING})
GIGABYTE = 1_000_000_000
TEXTS = {"name": NAME, "language": LANGUAGE, "country": COUNTRY, "wifi": WIFI_NAME, "keeper": KEEPER}


@command("card")
@config_option
@click.argument("reader", required=False, metavar="READER")
@click.option("--name", help="The name of the new island.")
@click.option("--language", type=click.Choice(LANGUAGES), help="Its language; this island's if it is not given.")
@click.option("--country", help="Its country, such as FR; this island's if it is not given.")
@click.option("--wifi", help="The name of its Wi-Fi; that of the island if it is not given.")
@click.option("--closed", is_flag=True, help="Its Wi-Fi asks for a password: type it when asked.")
@click.option("--keeper", help="Its keeper, whose password is typed when asked.")
@click.option("--invite", is_flag=True, help="With an invitation: it joins this set by itself.")
@click.option("--days", type=WholeNumber(1, 1_000), default=INVITED_DAYS, show_default=True,
              help="For how many days the invitation is good.")
@click.option("--board", is_flag=True, help="With what is on this board, for an island with an invitation.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def card(config: Path | None, reader: str | None, yes: bool, as_json: bool, **wish: Any) -> None:
    """Write a card for a new box into a card reader of this one.

    Without READER, shows what is in the readers. All that is on the card is lost; only a box that runs from the SD image
    writes cards.
    """
    settings = settings_of(config)
    ask(settings, "card-look")
    state = _awaited(settings)
    readers = state["readers"] or []
    if reader is None:
        _show(readers, as_json)
        return
    view = next((view for view in readers if view["name"] == reader), None)
    if view is None:
        raise click.ClickException(_("There is no reader %(reader)s: archipel card shows those that there are.",
                                     reader=reader))
    label = ask(settings, "card-prepare", reader=reader, seen=view["seen"], wanted=_chosen(settings, wish),
                days=wish["days"] if wish["invite"] else 0, board=wish["board"])
    if not yes:
        click.echo(_line(view))
        click.confirm(_("All that is on this card is lost. Overwrite it?"), abort=True)
        click.confirm(_("Really %(reader)s, %(size)s GB, %(title)s?", reader=reader, size=_size(view), title=view["title"]),
                      abort=True)
    ask(settings, "card-write", label=label)
    _followed(settings)
    say("Done: you can take it. All of the card was read back, and is as it should be.")


def _chosen(settings: Settings, wish: dict[str, Any]) -> dict[str, str]:
    chosen = dict(ask(settings, "card-standard")) | {key: wish[name] for name, key in TEXTS.items() if wish[name]}
    if wish["closed"]:
        chosen[WIFI_PASSWORD] = click.prompt(_("Password of its Wi-Fi"), hide_input=True, confirmation_prompt=True)
    if wish["keeper"]:
        chosen[KEEPER_PASSWORD] = click.prompt(_("Password of its keeper"), hide_input=True, confirmation_prompt=True)
    return chosen


def _show(readers: list[dict[str, Any]], as_json: bool) -> None:
    said = [view | {"holds": _held(view), "trouble": _said(view["trouble"])} for view in readers]
    if as_json:
        tell_json({"readers": said})
        return
    if not readers:
        say("There is no card in the box but its own. Plug in a USB reader with a card, wait for ten seconds, and look "
            "again.")
    for view in readers:
        click.echo(_line(view))


def _line(view: dict[str, Any]) -> str:
    told = " ".join([*_held(view), *([_said(view["trouble"])] if view["trouble"] else [])])
    return f"{view['name']}: {_size(view)} GB, {view['title']}. {told}"


def _size(view: dict[str, Any]) -> str:
    return f"{view['size_bytes'] / GIGABYTE:.1f}"


def _held(view: dict[str, Any]) -> list[str]:
    return [_said(one) for one in view["holds"]]


def _said(told: dict[str, Any] | None) -> str:
    return worded(Sentence.of(told)) if told else ""


def _awaited(settings: Settings) -> dict[str, Any]:
    """The state once the box is done with what it does; ends the command when that failed."""
    state = ask(settings, "card-state")
    while state["stage"] in BUSY_STAGES:
        time.sleep(LOOK_S)  # noqa: TID251 - a command waits for others
        state = ask(settings, "card-state")
    return _checked(state)


def _checked(state: dict[str, Any]) -> dict[str, Any]:
    if state["stage"] == CardStage.FAILED:
        raise click.ClickException(_said(state["trouble"]))
    return dict(state)


def _followed(settings: Settings) -> None:
    """Show how far the card is, until it is written and read back."""
    with Progress() as progress:
        tell = None
        state = ask(settings, "card-state")
        while state["stage"] in BUSY_STAGES:
            if state["total_bytes"]:
                tell = tell or progress.begin(_("the card"), state["total_bytes"])
                tell(state["done_bytes"])
            time.sleep(LOOK_S)  # noqa: TID251 - a command waits for others
            state = ask(settings, "card-state")
    _checked(state)


COMMANDS = (card,)

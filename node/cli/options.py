"""What several commands of the command line take and ask."""

import json
import re
import sys
from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from node.board import explanations
from node.board.keywords import fingerprint_words
from node.cli.language import CONFIG_OPTION, CONFIG_VARIABLE, _, tongue, worded
from node.cli.trouble import is_text
from node.daemon.keyfiles import KeyFolder
from node.daemon.settings import Settings
from node.daemon.settings_reader import SettingsReading, UnreadableSettings, load
from node.i18n.sentence import Sentence
from node.model.clock import EPOCH_S, utc_moment
from node.model.keys import Charter
from node.model.names import fit_name
from node.model.passphrase import PassphraseFault, passphrase_fault, spellings
from node.model.visible_text import plain

MOMENT = click.DateTime(["%Y-%m-%d %H:%M"])


class WholeNumber(click.IntRange):
    """A whole number from one to another. What is none is told in a sentence with both, which click's own lack."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """What was typed, as a number."""
        try:
            return int(super().convert(value, param, ctx))
        except click.BadParameter:
            self.fail(_("%(typed)s is no number from %(least)s to %(most)s.", typed=str(value), **self._ends()), param, ctx)

    def _describe_range(self) -> str:  # what click's help adds to an option
        return _("%(least)s to %(most)s", **self._ends())

    def _ends(self) -> dict[str, str]:
        return {"least": str(self.min), "most": str(self.max)}


class CapitalWord(click.Choice):
    """One of some words in capitals, however they are typed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word."""
        return str(super().convert(str(value).upper().replace("-", "_"), param, ctx))


config_option = click.option(CONFIG_OPTION, type=click.Path(dir_okay=False, path_type=Path), envvar=CONFIG_VARIABLE,
                             help="The settings file (archipel.toml); without it, defaults.")

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON, for programs.")
ADDRESS_ID = re.compile(r"^(?:.*/r/)?([0-9a-fA-F]{8,32})(?:[/?#].*)?$")


def tell_json(told: Any) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))


def moment_json(minute: int | None) -> str | None:
    """A minute since 2024 as programs read it (RFC 3339, UTC)."""
    return None if minute is None else utc_moment(minute).replace(" ", "T") + "Z"


def post_id(typed: str) -> str:
    """The id in what was typed: the id itself, its first digits (8 at least), or the address of a post's page."""
    found = ADDRESS_ID.match(typed.strip())
    if found is None:
        raise click.ClickException(_("%(typed)s is no post: give the digits that archipel list shows, or the address "
                                     "of its page.", typed=typed))
    return found[1].lower()


def reading_of(config: Path | None, aloud: bool = True) -> SettingsReading:
    """What the settings file says, what was passed over told aside; a clear end of the command if it cannot be opened."""
    try:
        reading = load(config)
    except UnreadableSettings as error:
        raise click.ClickException(worded(error.sentence)) from error
    for notice in reading.notices:
        if aloud and not notice.harmless:
            click.echo(worded(notice.sentence), err=True)
    return reading


def settings_of(config: Path | None) -> Settings:
    """The settings, as `reading_of` reads them."""
    return reading_of(config).settings


def sure_folder(config: Path | None) -> Path:
    """The data folder, for what destroys or replaces it: ends the command if the file means one that it does not get."""
    reading = reading_of(config)
    if ("node", "data") in reading.passed_over:
        raise click.ClickException(_("nothing was done: mend [node] data first, so that it is done in the right folder."))
    return reading.settings.node.data


def ask(settings: Settings, do: str, **request: Any) -> Any:
    """Ask the island that runs on the settings' folder; ends the command with a clear sentence if none does.

    What people wrote comes as a terminal may show it.
    """
    from node.daemon import rpc

    try:
        return _shown(rpc.ask(settings.node.data, do, **request))
    except rpc.NotRunning as error:
        raise click.ClickException(not_running(settings)) from error
    except rpc.Refused as error:
        raise click.ClickException(refusal(error.reason, error.fields)) from error


def _shown(told: Any) -> Any:
    """The same, each text in it `plain`."""
    if isinstance(told, dict):
        return {name: _shown(value) for name, value in told.items()}
    if isinstance(told, list):
        return [_shown(value) for value in told]
    return plain(told) if isinstance(told, str) else told


def not_running(settings: Settings) -> str:
    """Why nobody answers on the settings' folder, and what to do."""
    folder = str(settings.node.data)
    if not KeyFolder(settings.node.data).charter_exists():
        return _("the island in %(folder)s belongs to no set yet. Make it on its page /start (archipel run), or with "
                 "archipel init, found or join.", folder=folder)
    return _("no island runs on %(folder)s. Start it: archipel run", folder=folder)


def fingerprint(charter: Charter) -> str:
    """The set's fingerprint, in words of the chosen language."""
    return " ".join(fingerprint_words(charter.set_id, tongue()))


def refusal(reason: str, fields: dict[str, Any]) -> str:
    """Why the running island will not, in words (`node.daemon.rpc.Refused`)."""
    match reason:
        case "unknown-request":
            return _("this island does not know that request (is it an older version?)")
        case "draft":
            return "\n".join(problem_line(**one) for one in fields["problems"])
        case "explained":
            return worded(Sentence.of(fields["sentence"]))
        case "closed":
            return worded(explanations.closed(fields["code"]))
        case _:
            return _("this island could not do it: %(what)s", what=str(fields.get("what", reason)))


def problem_line(field: str, code: str, amount: int) -> str:
    """What to change in a draft (`node.board.api.Problem`): which part of it, and how."""
    about = worded(explanations.field_name(field))
    return _("%(field)s: %(sentence)s", field=about, sentence=worded(explanations.problem(code, amount)))


def minute_of_local(moment: datetime) -> int:
    """Minutes since 2024 UTC of a naive moment in this machine's time zone."""
    try:
        return int(moment.timestamp() - EPOCH_S) // 60
    except (OverflowError, ValueError) as error:
        raise click.ClickException(_("%(moment)s is too far away.", moment=str(moment))) from error


def passphrase(what: str) -> str:
    """Typed unseen after `what`, already in words; from a pipe, its next line."""
    return _typed(what, False)


def new_passphrase(*names: str) -> str:
    """Typed unseen, twice at a terminal: one to be kept. Whoever guesses knows the `names`."""
    return _new(_("Passphrase (several words are best)"), names)


def new_password(*names: str) -> str:
    """Typed unseen, twice at a terminal, for who signs in at a page. Whoever guesses knows the `names`."""
    return _new(_("Password (several words are best)"), names)


def _new(what: str, names: tuple[str, ...]) -> str:
    """What may be kept: at a terminal it is asked again until it is, from a pipe another one ends the command."""
    while fault := passphrase_fault(typed := _typed(what, True), *names):
        told = worded(explanations.passphrase(fault))
        if not at_terminal():
            raise click.ClickException(told)
        click.echo(told, err=True)
    return spellings(typed)[0]


def _typed(what: str, twice: bool) -> str:
    if at_terminal():
        return str(click.prompt(what, hide_input=True, confirmation_prompt=twice))
    try:
        return sys.stdin.readline().strip()
    except UnicodeDecodeError as error:
        raise click.ClickException(worded(explanations.passphrase(PassphraseFault.UNREADABLE))) from error


def at_terminal() -> bool:
    """Whether somebody types at a terminal."""
    return sys.stdin.isatty()


def typed_text() -> str:
    """All that comes on the standard input; ends the command for what is no text in UTF-8."""
    typed = sys.stdin.read()
    if not is_text(typed):  # as Python gives octets that are none, in some locales
        raise UnicodeError
    return typed


def fitting_name(typed: str) -> str:
    """The name of a keeper or group to be made, or a clear end of the command."""
    name = fit_name(typed)
    if name is None:
        raise click.ClickException(worded(explanations.name_refused()))
    return name


def known_name(typed: str, names: Collection[str]) -> str | None:
    """Which of the `names` was typed, None for none: one that was made before there was a rule is taken as it stands."""
    return next((name for name in (typed, fit_name(typed)) if name in names), None)

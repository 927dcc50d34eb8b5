"""Commands whose help and whose mistakes are told in the chosen language.

Help texts stay English in the code; they are looked up when they are shown, a paragraph at a time. Words in capitals (FILE,
NAME) name arguments and stay as they are.
"""

import copy
import sys
from typing import Any, TypeVar

import click

from node.cli.language import _, choose_for, pattern, pattern_for
from node.cli.trouble import check_text, in_words, settle_streams
from node.i18n.sentence import N_, Plural

AnyCommand = TypeVar("AnyCommand", bound=click.Command)

# What click says itself and a newcomer meets; its places are `{name}`, which it fills after the look-up.
CLICK = (
    N_("Usage:"), N_("Options"), N_("Commands"), N_("[OPTIONS]"), N_("COMMAND [ARGS]..."),
    N_("Show this message and exit."),
    N_("Error: {message}"), N_("Try '{command} {option}' for help."), N_("No such command {name!r}."),
    N_("No such option: {name}"), N_("No such option {name!r}."),
    Plural("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    Plural("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    Plural("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
    Plural("{value!r} does not match the format {format}.", "{value!r} does not match the formats {formats}."),
    Plural("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    N_("Missing argument"), N_("Missing option"), N_("Missing parameter"), N_("Missing command."),
    N_("Invalid value: {message}"), N_("Invalid value for {param_hint}: {message}"),
    N_("Option {name!r} does not take a value."),
    N_("{value} is not in the range {range}."), N_("{value!r} is not a valid {number_type}."),
    N_("{name} {filename!r} does not exist."), N_("{name} {filename!r} is a file."),
    N_("{name} {filename!r} is a directory."), N_("{name} {filename!r} is not readable."),
    N_("{name} {filename!r} is not writable."),
    N_("default: {default}"), N_("required"), N_("Aborted!"), N_("Repeat for confirmation"),
    N_("Error: The two entered values do not match."), N_("Error: invalid input"),
)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a help text, each on one line: what the catalogues hold."""
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def translated(text: str | None) -> str | None:
    """A help text in the chosen language."""
    return text and "\n\n".join(map(pattern, paragraphs(text)))


class SpokenCommand(click.Command):
    """A command that explains itself in the chosen language."""

    def invoke(self, ctx: click.Context) -> Any:
        """Do it."""
        check_text(ctx.params)
        return super().invoke(ctx)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help."""
        super(SpokenCommand, _spoken(self)).format_help(ctx, formatter)

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first paragraph of the help, on one line."""
        return super(SpokenCommand, _spoken(self)).get_short_help_str(limit)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`; click keeps it, so its text is looked up each time."""
        option = copy.copy(super().get_help_option(ctx))
        if option is not None:
            option.help = _("Show this message and exit.")
        return option

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """The line after `Usage:`."""
        return [pattern(piece) for piece in super().collect_usage_pieces(ctx)]


class SpokenGroup(SpokenCommand, click.Group):
    """A group of such commands; it chooses the language before it reads what was typed."""

    def make_context(self, info_name: str | None, args: list[str], parent: click.Context | None = None,
                     **extra: Any) -> click.Context:
        """Read what was typed."""
        _teach_click()
        settle_streams()
        choose_for(args)
        with in_words():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Do what was typed."""
        with in_words():
            return super().invoke(ctx)


def command(name: str | None = None, **given: Any) -> Any:
    """click.command, for a command that explains itself in the chosen language."""
    return click.command(name, cls=SpokenCommand, **given)


def _spoken(command: AnyCommand) -> AnyCommand:
    """A copy whose help and options speak the chosen language."""
    spoken = copy.copy(command)
    spoken.help, spoken.params = translated(command.help), [_spoken_parameter(each) for each in command.params]
    return spoken


def _spoken_parameter(parameter: click.Parameter) -> click.Parameter:
    spoken = copy.copy(parameter)
    if isinstance(spoken, click.Option):
        spoken.help = translated(spoken.help)
    return spoken


def _teach_click() -> None:
    """Have click look up its own sentences here: it asks gettext's global domain, which wants compiled files on disk."""
    for name, module in tuple(sys.modules.items()):
        if name.startswith("click.") and hasattr(module, "_"):
            vars(module).update(_=pattern, ngettext=pattern_for)

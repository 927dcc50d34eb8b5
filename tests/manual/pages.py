"""Manual pages and what shells complete by, made of the commands' own help: `python -m tests.manual.pages`.

They lie in docs/share/, whence a wheel brings them to where systems look for them (pyproject.toml, shared-data).
`test_pages` holds them up to date.
"""

import re
import textwrap
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

from node.cli.help import paragraphs
from node.cli.language import _, choose, pattern
from node.cli.main import main
from node.daemon.settings import LANGUAGES
from node.i18n.catalogue import SOURCE

SHARE = Path(__file__).parents[2] / "docs" / "share"
PROGRAM, VARIABLE = "archipel", "_ARCHIPEL_COMPLETE"
COMPLETIONS = {  # where bash-completion, zsh and fish look below /usr/share
    BashComplete: "bash-completion/completions/archipel", ZshComplete: "zsh/site-functions/_archipel",
    FishComplete: "fish/vendor_completions.d/archipel.fish"}


def files() -> dict[Path, str]:
    """Every file, by its path."""
    main.make_context(PROGRAM, [], resilient_parsing=True)  # click learns its sentences
    made = {SHARE / where: completion(shell) for shell, where in COMPLETIONS.items()}
    for tag in LANGUAGES:
        folder = SHARE / "man" / ("" if tag == SOURCE else tag) / "man1"
        choose(lambda tag=tag: tag, {})
        made[folder / "archipel.1"] = page()
    choose(lambda: SOURCE, {})
    return made


def completion(shell: type) -> str:
    """What a shell reads; it asks the program itself, so that it need not be made anew with each option."""
    made = shell(main, {}, PROGRAM, VARIABLE)
    return made.source_template % made.source_vars()


def page() -> str:
    """The manual page in the chosen language, as man(7) writes it."""
    return "\n".join((
        '.TH ARCHIPEL 1 "" "Archipel" "Archipel"',
        section(_("Name")), f"archipel \\- {escaped(pattern(main.help))}",
        section(_("Synopsis")), f".B archipel\n.I {escaped(pattern('COMMAND [ARGS]...'))}",
        section(_("Description")), *in_paragraphs(_("What a keeper does with an island, typed. Most of it is on the "
                                                    "keepers' pages too, without a terminal: open /keeper on the portal.")),
        section(pattern("Commands")), *chain.from_iterable(map(of_command, main.list_commands(click.Context(main)))),
        section(_("Environment")), ".TP\n.B ARCHIPEL_CONFIG", escaped(_("The settings file, where --config is not given.")),
        ".TP\n.B LANG, LC_MESSAGES, LC_ALL", escaped(_("The language of what is said; else that of the settings file.")),
        section(_("Exit status")), *in_paragraphs(_("0 if it was done, 1 if not, 2 for what was typed wrong. doctor ends "
                                                    "with 1 if anything is to be mended.")),
    )) + "\n"


def section(name: str) -> str:
    """A heading."""
    return f".SH {escaped(name).upper()}"


def of_command(name: str) -> Iterator[str]:
    """A command with what it takes."""
    command = main.commands[name]
    taken = [one.make_metavar(click.Context(command)) for one in command.params if isinstance(one, click.Argument)]
    yield f".SS archipel {escaped(' '.join([name, *taken]))}"
    for number, paragraph in enumerate(paragraphs(command.help)):
        yield from in_paragraphs(pattern(paragraph), first=number == 0)
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            names, told = option.get_help_record(click.Context(command))
            yield f".TP\n.B {escaped(names)}"
            yield escaped(" ".join([pattern(" ".join(option.help.split())), *re.findall(r"\s+(\[[^\]]*\])$", told)]))


def in_paragraphs(text: str, first: bool = True) -> list[str]:
    """Text as a paragraph of its own."""
    return [*([] if first else [".PP"]), *map(escaped, textwrap.wrap(text, 100, break_on_hyphens=False))]


def escaped(text: str) -> str:
    """Text that groff takes as it stands: no hyphen of an option becomes a dash, no line a request."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + plain if plain.startswith((".", "'")) else plain


if __name__ == "__main__":
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

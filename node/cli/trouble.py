"""What files and devices refuse, in the words of whoever typed a command: no command ends in a traceback for them."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import click

from node.cli.language import _, worded
from node.daemon.file_trouble import told


@contextmanager
def in_words() -> Iterator[None]:
    """What a file or device refuses within becomes a clear end of the command; who no longer listens is told nothing."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        _let_go_of_output()
        raise click.ClickException(worded(told(error))) from error
    except UnicodeError as error:
        raise click.ClickException(_("this is no text in UTF-8.")) from error


def _let_go_of_output() -> None:
    """What the output would not take is not tried once more at the end, where Python would tell of it in its own way."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):  # an output that is no file
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def settle_streams() -> None:
    """What a terminal's alphabet lacks, or a file's name that is no UTF-8, is shown as `?` and ends no command; an input
    that is closed (`<&-`) is an empty one."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - for as long as the command lasts
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def is_text(typed: str) -> bool:
    """Whether it was UTF-8: Python keeps octets that are none as halves of characters (PEP 383)."""
    return not any("\ud800" <= sign <= "\udfff" for sign in typed)


def check_text(values: Mapping[str, object]) -> None:
    """End the command for a text that was typed in another encoding than UTF-8; the names of files may be any."""
    for value in values.values():
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, str) and not is_text(one):
                raise click.UsageError(_("this is no text in UTF-8."))

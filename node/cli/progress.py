"""How far long work is: a bar with the time that is left at a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable
from typing import Any

import click

from node.cli.language import _

LINE_S = 10.0  # between two lines in a log; work that ends sooner says nothing of its progress


class Progress:
    """Tells of one piece of work after the other; used as a context. It speaks on standard error, not to programs."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._label, self._whole, self._said_at = "", 0, 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self._end(whole=kind is None)

    def begin(self, label: str, whole: int) -> Callable[[int], None]:
        """Another piece of work, of `whole` bytes or records: what it gives is told how many are done so far."""
        self._end(whole=True)
        self._label, self._whole, self._said_at = label, whole, time.monotonic()
        if whole > 0 and sys.stderr is not None and sys.stderr.isatty():
            self._bar = click.progressbar(length=whole, label=label, file=sys.stderr)
            self._bar.__enter__()
            return self._draw
        return self._say

    def _draw(self, done: int) -> None:
        if self._bar is not None and done > self._bar.pos:
            self._bar.update(min(done, self._whole) - self._bar.pos)

    def _say(self, done: int) -> None:
        if self._whole > 0 and time.monotonic() - self._said_at >= LINE_S:
            self._said_at = time.monotonic()
            share = f"{min(100 * done // self._whole, 100)} %"
            click.echo(_("%(what)s: %(share)s", what=self._label, share=share), err=True)

    def _end(self, whole: bool) -> None:
        if self._bar is not None:
            if whole:
                self._draw(self._whole)
            self._bar.__exit__(None, None, None)
            self._bar = None

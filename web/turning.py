"""Lists that turn: which part of a whole a page shows, and where the rest of it is. Nothing is left out without a word."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from flask import request

Row = TypeVar("Row")


@dataclass(frozen=True)
class Part:
    """The rows [begin, end) of `total`."""

    begin: int
    end: int
    total: int

    def of(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Those of all the rows that are in it."""
        return rows[self.begin:self.end]


def asked_part(total: int, rows: int) -> Part:
    """At most `rows` of a list of `total`: from `?from=36` on, or what comes before `?to=36`; what is beyond the end (the
    list was longer when the link was made) is its last part."""
    end = min(max(request.args.get("to", 0, type=int), 0), total)
    if end:
        return Part(max(end - rows, 0), end, total)
    begin = max(request.args.get("from", 0, type=int), 0)
    begin = begin if begin < total else max(total - rows, 0)
    return Part(begin, min(begin + rows, total), total)

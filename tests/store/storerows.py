"""Rows to fill stores with."""

import random

from node.store.index import Row


def made_up(number, size=None, **fields):
    """A row that no record stands behind; the same for the same number. Odd ones are events."""
    chance = random.Random(number)
    shape = {"kind": number % 2, "created": 1000 + number, "expires": 5000 + number, "topic": number % 3,
             "received": 1001 + number, "start": 30_000 + number * 7919 % 20_000 if number % 2 else None}
    raw = chance.randbytes(chance.randrange(150, 900) if size is None else size)
    return Row(chance.randbytes(16), raw, **shape | fields)


def all_pages(store, wanted, limit):
    """Every row of a slice, page by page."""
    after, rows = "", []
    while True:
        page, after = store.page(wanted, after, limit)
        assert len(page) == limit or not after
        rows += page
        if not after:
            return rows

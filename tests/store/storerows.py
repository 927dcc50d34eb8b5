"""Rows to fill stores with."""

import random

from node.store.index import Row

MINUTES = 2**31  # a row's minutes have an end (`journalstore.MAX_NUMBER`), the number of a row has none


def made_up(number, size=None, **fields):
    """A row that no record stands behind; the same for the same number, however large it is. Odd ones are events."""
    chance, minute = random.Random(number), number % MINUTES
    shape = {"kind": number % 2, "created": 1000 + minute, "expires": 5000 + minute, "topic": number % 3,
             "received": 1001 + minute, "start": 30_000 + number * 7919 % 20_000 if number % 2 else None}
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

"""Which part of a list a page shows: from somewhere on, or what comes before; never nothing where there is something."""

import pytest
from flask import Flask

from web.turning import Part, asked_part


@pytest.mark.parametrize(("query", "begin", "end"), [
    ("", 0, 12), ("from=12", 12, 24), ("from=30", 30, 36), ("from=36", 24, 36), ("from=9999", 24, 36), ("from=-3", 0, 12),
    ("from=x", 0, 12), ("to=36", 24, 36), ("to=30", 18, 30), ("to=5", 0, 5), ("to=9999", 24, 36), ("to=-1", 0, 12)])
def test_a_part_is_what_was_asked_for_and_beyond_the_end_the_last_one(query, begin, end):
    with Flask(__name__).test_request_context(f"/?{query}"):
        part = asked_part(36, 12)
    assert part == Part(begin, end, 36) and list(part.of(range(36))) == list(range(begin, end))


def test_of_an_empty_list_there_is_one_part():
    with Flask(__name__).test_request_context("/?from=9"):
        assert asked_part(0, 12) == Part(0, 0, 0)

"""Sketches and pieces are those of the vectors (docs/protocol.md, 5.3)."""

import json
from pathlib import Path

import pytest

from node.sync.codes.erasure import piece, rebuild
from node.sync.codes.sketch import decode, sketch

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "codes.json").read_text(encoding="utf-8"))


def number(sums):
    """The sums of a vector (hexadecimal, the first power first) as the sketch that we work with."""
    return sum(int(sums[8 * place:8 * place + 8], 16) << 32 * place for place in range(len(sums) // 8))


@pytest.mark.parametrize("vector", VECTORS["sketches"], ids=lambda vector: f"{len(vector['of'])} in {vector['capacity']}")
def test_a_sketch_is_as_written_and_splits_or_does_not(vector):
    sums, capacity = number(vector["sums"]), vector["capacity"]
    assert sketch([int(element, 16) for element in vector["of"]], capacity) == sums
    found = decode(sums, capacity)
    assert (found is None) if vector["elements"] is None else sorted(found) == vector["elements"]


def test_pieces_are_as_written_and_rebuild_the_whole():
    tried = 0
    for vector in VECTORS["pieces"]:
        whole, parts = bytes.fromhex(vector["whole"]), vector["parts"]
        pieces = {int(index): bytes.fromhex(content) for index, content in vector["pieces"].items()}
        assert all(piece(whole, parts, index) == content for index, content in pieces.items())
        if len(pieces) >= parts:
            assert rebuild(dict(reversed(pieces.items())), parts, len(whole)) == whole
            tried += 1
    assert tried == 2

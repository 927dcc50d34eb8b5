"""Reed-Solomon pieces: any k rebuild the whole."""

import itertools
import random

import pytest

from node.model.errors import LocalMisuse
from node.sync.codes.erasure import MAX_PARTS, MAX_PIECES, piece, rebuild


def test_the_first_pieces_are_the_parts_themselves():
    assert [piece(b"abcdefg", 3, index) for index in range(3)] == [b"abc", b"def", b"g\0\0"]


def test_any_k_distinct_pieces_rebuild_the_whole():
    whole = random.Random(1).randbytes(500)
    for chosen in itertools.combinations([0, 1, 2, 3, 4, 100, 254], 3):
        assert rebuild({index: piece(whole, 3, index) for index in chosen}, 3, len(whole)) == whole


def test_every_length_and_number_of_parts_comes_back():
    rng = random.Random(2)
    for _ in range(200):
        whole, parts = rng.randbytes(rng.randrange(1, 1752)), rng.randrange(1, MAX_PARTS + 1)
        chosen = rng.sample(range(MAX_PIECES), parts)
        assert rebuild({index: piece(whole, parts, index) for index in chosen}, parts, len(whole)) == whole


def test_parity_follows_the_specification():
    assert piece(bytes([1, 2]), 2, 2) == bytes([7])  # through (0, 1) and (1, 2): at 2, 1 + 3 * 2
    assert piece(bytes([7]), 1, 200) == bytes([7])


def test_too_few_pieces_or_one_out_of_range_are_our_own_mistake():
    with pytest.raises(LocalMisuse):
        rebuild({0: b"a"}, 2, 2)
    with pytest.raises(LocalMisuse):
        piece(b"abc", 2, 255)
    with pytest.raises(LocalMisuse):
        piece(b"abc", MAX_PARTS + 1, 0)
